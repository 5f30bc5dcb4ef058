"""One served sandbox a server for all tests of a worker, and a fresh scene on it for each."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1]))  # what these tests share with those of the run
pytest.register_assert_rewrite("crash.scenes")

from crash.scenes import CALLS, Scene, Stage, brpm_server, zadig_server  # noqa: E402
from run import brpm_world  # noqa: E402
from run.world import world  # noqa: E402


@pytest.fixture(scope="session")
def stages() -> Iterator[dict[str, Stage]]:
    """Every server, with the picture of an undisturbed run."""
    with contextlib.ExitStack() as stack:
        servers = (
            zadig_server(stack.enter_context(world("5.0"))),
            zadig_server(stack.enter_context(world("4.1"))),
            brpm_server(stack.enter_context(brpm_world.world())),
        )
        yield {one.name: Stage.of(one) for one in servers}


@pytest.fixture(params=CALLS)
def stage(stages: dict[str, Stage], request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Each server in turn; a defect of its sandbox fails the test."""
    found = stages[request.param]
    yield found
    assert not found.server.sandbox.defects


@pytest.fixture
def scene(stage: Stage) -> Iterator[Scene]:
    """A fresh scene on each server in turn."""
    with contextlib.ExitStack() as stack:
        yield stage.scene(stack)
