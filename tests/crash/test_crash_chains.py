"""One accident after another, drawn at random: whatever came before, an undisturbed run converges.

The seed is in every test's name and is printed where one fails; ``PLANOPS_CRASH_SEED=N`` replays it
or, with another number, draws others.
"""

from __future__ import annotations

import contextlib
import os
import random

import pytest

from crash.accidents import Fate, Killed, Place, Point, When, at_write
from crash.scenes import CALLS, PUSHES, WIRE, Scene, Stage, check_converged
from planops.core.report import Outcome
from run.world import outcomes

SEED = int(os.environ.get("PLANOPS_CRASH_SEED", "20261201"))
MOST = 4
"""The most accidents in a chain."""
UNDONE = {Outcome.UNKNOWN, Outcome.STALE, Outcome.FAILED, Outcome.SKIPPED}


def accident(scene: Scene, draw: random.Random, number: int) -> str:
    """Make one run to which something happens, and say what."""
    calls = CALLS[scene.server.name]
    how = draw.choice(["dies", "dies", *WIRE])
    if how != "dies":
        at = draw.randrange(calls)
        scene.server.sandbox.faults.add(at_write(at, **WIRE[how]))
        scene.run(name=f"run {number}")
        scene.server.sandbox.faults.clear()
        return f"{how} at call {at}"
    place: Place = draw.choice(("call", "call", "call", "push"))
    when: When = draw.choice(("before", "after"))
    most = {"call": calls, "push": PUSHES}[place]
    fate = Fate(point=Point(place=place, number=draw.randrange(most), when=when))
    with contextlib.suppress(Killed):
        scene.run(fate, name=f"run {number}")
    scene.later()
    return f"dies {fate.point}" if fate.dead else f"would have died {fate.point}"


@pytest.mark.parametrize("turn", range(10))
def test_a_chain_of_accidents(scene: Scene, stage: Stage, turn: int) -> None:
    print(f"replay with PLANOPS_CRASH_SEED={SEED}")  # noqa: T201  shown where it fails
    draw = random.Random(f"{SEED} {stage.server.name} {turn}")  # noqa: S311  to be repeatable
    for number in range(draw.randint(2, MOST)):
        print(f"run {number}: {accident(scene, draw, number)}")  # noqa: T201  the same
    report = scene.run(name="last")
    assert not UNDONE & set(outcomes(report).values())
    check_converged(scene, stage.ideal)
