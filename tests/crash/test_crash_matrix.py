"""A run is cut short at every write, in every way, and the next one converges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from crash.accidents import Fate, Killed, Point, Reset, at_write
from crash.scenes import (
    CALLS,
    PUSHES,
    WIRE,
    Scene,
    Stage,
    check_converged,
    check_idle,
    each_call,
    each_call_of_all,
)
from planops.backends.exchange import Endpoint
from planops.backends.http import Http
from planops.core.report import Outcome
from planops.sandbox.wire import misbehaving
from run.world import StillClock, outcomes


@pytest.fixture
def broken() -> Iterator[Http]:
    """A client of a server that resets every connection."""
    with misbehaving("reset") as wire, Http(Endpoint(url=wire.url), StillClock()) as wrong:
        yield wrong


def test_an_undisturbed_run_does_everything(scene: Scene, stage: Stage) -> None:
    since, pushes = scene.calls, len(scene.ledger.history)
    scene.run()
    server = scene.server
    assert scene.calls - since == len(server.calls) == CALLS[server.name]
    assert len(scene.ledger.history) - pushes == PUSHES
    was = {str(one["name"]): server.shown(one) for one in stage.state.plans}
    for name, fields in server.wanted.items():
        by_hand = server.hand.get(name, {}).keys() - fields.keys()
        held = server.shown(server.plan(name))
        assert held == held | fields | {field: was[name][field] for field in by_hand}, name
    check_converged(scene, stage.ideal)


@each_call
@pytest.mark.parametrize("how", WIRE)
def test_an_answer_that_goes_wrong(scene: Scene, stage: Stage, number: int, how: str) -> None:
    scene.server.sandbox.faults.add(at_write(number, **WIRE[how]))
    scene.run()
    assert len(scene.server.sandbox.faults.struck) == 1
    assert scene.ledger.load().lease is None
    scene.run(name="two")
    check_converged(scene, stage.ideal)


@each_call
@pytest.mark.parametrize("made", [True, False], ids=["made", "not made"])
def test_a_connection_that_is_reset(
    scene: Scene, stage: Stage, number: int, broken: Http, *, made: bool
) -> None:
    scene.run(through=lambda inner: Reset(inner, broken, number=number, made=made))
    scene.run(name="two")
    check_converged(scene, stage.ideal)


def check_death(scene: Scene, stage: Stage, point: Point) -> None:
    fate = Fate(point=point)
    with pytest.raises(Killed):
        scene.run(fate)
    assert fate.dead
    scene.later()
    scene.run(name="two")
    check_converged(scene, stage.ideal)


@each_call_of_all
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_dies_at_a_call(scene: Scene, stage: Stage, number: int, when: Any) -> None:
    check_death(scene, stage, Point(place="call", number=number, when=when))


@pytest.mark.parametrize("number", range(PUSHES))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_dies_at_a_push(scene: Scene, stage: Stage, number: int, when: Any) -> None:
    check_death(scene, stage, Point(place="push", number=number, when=when))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_file_that_goes_before_the_next_run(scene: Scene, when: Any) -> None:
    """Nothing is called for it; a plan that was made is recorded, as one whose file is gone."""
    point = Point(place="call", number=0, when=when)
    with pytest.raises(Killed):
        scene.run(Fate(point=point))
    scene.later()
    files = [one for one in scene.server.files if one.key.name != "created"]
    keeps = replace(scene.asked(), prune=False)
    scene.go(scene.target(name="two"), keeps, files)
    made = scene.server.named("created")
    assert len(made) == (when == "after")
    assert scene.ledger.load().intents == {}
    assert ("created" in scene.records()) == (when == "after")
    check_idle(scene, lambda: scene.go(scene.target(name="idle"), keeps, files))
    assert scene.server.named("created") == made
    assert outcomes(scene.run(name="three"))["created"] is Outcome.APPLIED
    assert len(scene.server.named("created")) == 1
