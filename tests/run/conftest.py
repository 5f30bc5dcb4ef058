"""One served sandbox for all tests of a worker, put back to its fixtures before each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from run.world import World, world


@pytest.fixture(scope="session")
def _served() -> Iterator[World]:
    with world() as made:
        yield made


@pytest.fixture
def zadig(_served: World) -> Iterator[World]:
    """A fresh sandbox of the newest generation."""
    _served.sandbox.reset()
    with contextlib.ExitStack() as stack:
        yield World(
            sandbox=_served.sandbox, visitor=_served.visitor, clock=_served.clock, stack=stack
        )
    assert not _served.sandbox.defects
