"""Long random histories on both servers: 10,000 steps and more.

A failure prints its seed and its last steps; ``PLANOPS_HISTORY_SEED=SEED pytest tests/histories -k
NAME`` replays it, and ``PLANOPS_HISTORY_STEPS=N`` makes histories longer or shorter.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator

import pytest

from histories.servers import Server, on_brpm, on_zadig
from histories.walk import Walk
from run import brpm_world, world

SEED = int(os.environ.get("PLANOPS_HISTORY_SEED", "20261125"))
STEPS = int(os.environ.get("PLANOPS_HISTORY_STEPS", "250"))
TURNS = {"zadig 5.0": 16, "zadig 4.1": 6, "brpm": 20}
MOST = int(os.environ.get("PLANOPS_HISTORY_SHOWN", "40"))
"""How many of the last steps a failure shows."""


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Server]]:
    with contextlib.ExitStack() as stack:
        found = (
            on_zadig(stack.enter_context(world.world("5.0"))),
            on_zadig(stack.enter_context(world.world("4.1"))),
            on_brpm(stack.enter_context(brpm_world.world())),
        )
        yield {one.name: one for one in found}


@pytest.mark.parametrize(
    ("name", "turn"), [(name, turn) for name, turns in TURNS.items() for turn in range(turns)]
)
def test_a_history(servers: dict[str, Server], name: str, turn: int) -> None:
    server = servers[name]
    server.sandbox.reset()
    with contextlib.ExitStack() as stack:
        walk = Walk(server=server, stack=stack, draw=random.Random(f"{SEED} {name} {turn}"))  # noqa: S311
        walk.strangers.update(server.documents())
        number = 0
        try:
            for number in range(STEPS):
                walk.step(number)
        except BaseException:
            print(f"PLANOPS_HISTORY_SEED={SEED}, step {number} of {name} {turn}")  # noqa: T201
            print("\n".join(walk.log[-MOST:]))  # noqa: T201
            raise
    assert not server.sandbox.defects
    assert walk.seen["steps"] == STEPS


def test_there_are_enough_steps() -> None:
    assert sum(TURNS.values()) * 250 >= 10_000
