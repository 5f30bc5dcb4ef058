"""One served sandbox for all tests of a worker, put back to its fixtures before each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planops.core.model import Plan
from planops.manifests.load import load_config, load_plans
from run.kinds import FILES
from run.world import NOW, World, world


@pytest.fixture(scope="session")
def _served() -> Iterator[dict[str, World]]:
    with world("5.0") as newest, world("4.1") as oldest:
        yield {"5.0": newest, "4.1": oldest}


@contextlib.contextmanager
def fresh(served: World) -> Iterator[World]:
    """A served sandbox put back to its fixtures and its hour; a defect of it fails the test."""
    served.sandbox.reset()
    served.sandbox.clock.set(NOW)
    with contextlib.ExitStack() as stack:
        yield World(sandbox=served.sandbox, visitor=served.visitor, clock=served.clock, stack=stack)
    assert not served.sandbox.defects


@pytest.fixture(params=["5.0", "4.1"])
def zadig(_served: dict[str, World], request: pytest.FixtureRequest) -> Iterator[World]:
    """A fresh sandbox, of each generation in turn."""
    with fresh(_served[request.param]) as made:
        yield made


@pytest.fixture
def newest(_served: dict[str, World]) -> Iterator[World]:
    """A fresh sandbox of 5.0, for what 4.1 has not."""
    with fresh(_served["5.0"]) as made:
        yield made


@pytest.fixture
def example(tmp_path: Path) -> Any:
    """Reads one example as the command does."""

    def read(name: str) -> Plan:
        (tmp_path / "plan.yaml").write_text(FILES[name].read_text())
        (tmp_path / "planops.yaml").write_text(
            "apiVersion: planops/v1\nkind: Config\nplans: [plan.yaml]\ntargets:\n"
            "  prod: {backend: zadig, url: http://127.0.0.1:1, token: '${env:T}'}\n"
        )
        loaded = load_plans(tmp_path, load_config(tmp_path / "planops.yaml"))
        assert loaded.problems == ()
        (found,) = loaded.plans
        return found

    return read
