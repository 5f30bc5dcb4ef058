"""Two runs at once: one writes, the other ends without a call; one that stood still stays away."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from crash.accidents import Fate, Point
from crash.scenes import CALLS, LEASE, PUSHES, Scene, Stage, check_converged, each_call
from planops.core.report import Outcome, TargetReport
from planops.errors import Busy, LedgerMoved, PlanopsError
from run.world import outcomes


def rival(scene: Scene, found: list[TargetReport | PlanopsError]) -> Fate:
    """A second run from beginning to end; how it ended is in ``found``."""
    fate = Fate()
    try:
        found.append(scene.run(fate, name="two"))
    except PlanopsError as error:
        found.append(error)
    return fate


def check_a_rival_in_between(scene: Scene, stage: Stage, point: Point) -> None:
    ended: list[TargetReport | PlanopsError] = []
    others = []
    fate = Fate(point=point, deed=lambda: others.append(rival(scene, ended)))
    since = scene.calls
    report = scene.run(fate)
    assert fate.come
    assert isinstance(ended[0], Busy)
    assert "tester@here is writing (run one)" in str(ended[0])
    assert others[0].seen["call"] == 0
    assert Outcome.STALE not in outcomes(report).values()
    assert scene.calls - since == CALLS[stage.server.name]
    check_converged(scene, stage.ideal)


@each_call
def test_a_second_run_while_the_first_writes_makes_no_call(
    scene: Scene, stage: Stage, number: int
) -> None:
    check_a_rival_in_between(scene, stage, Point(place="call", number=number))


def test_a_second_run_just_after_the_first_has_the_lease(scene: Scene, stage: Stage) -> None:
    check_a_rival_in_between(scene, stage, Point(place="push", number=0, when="after"))


def test_a_second_run_while_the_first_records(scene: Scene, stage: Stage) -> None:
    ended: list[TargetReport | PlanopsError] = []
    since = scene.calls
    last = Point(place="push", number=PUSHES - 1)
    scene.run(Fate(point=last, deed=lambda: rival(scene, ended)))
    assert isinstance(ended[0], TargetReport)
    assert scene.calls - since == CALLS[stage.server.name]
    check_converged(scene, stage.ideal)


def test_a_second_run_that_takes_the_lease_first(scene: Scene, stage: Stage) -> None:
    ended: list[TargetReport | PlanopsError] = []
    fate = Fate(point=Point(place="push", number=0), deed=lambda: rival(scene, ended))
    since = scene.calls
    with pytest.raises(LedgerMoved, match="another run wrote into the ledger first"):
        scene.run(fate)
    assert isinstance(ended[0], TargetReport)
    assert fate.seen["call"] == 0
    assert scene.calls - since == CALLS[stage.server.name]
    check_converged(scene, stage.ideal)


@each_call
def test_a_run_that_stood_still_makes_no_further_call(
    scene: Scene, stage: Stage, number: int
) -> None:
    """Somebody else took over and did it all while our call was under way."""
    ended: list[TargetReport | PlanopsError] = []

    def stall() -> None:
        scene.later(2 * LEASE)
        rival(scene, ended)

    fate = Fate(point=Point(place="call", number=number, when="after"), deed=stall)
    report = scene.run(fate)
    assert isinstance(ended[0], TargetReport)
    assert fate.seen["call"] == number + 1
    assert "another run wrote into the ledger first" in report.unrecorded
    check_converged(scene, stage.ideal)


@pytest.mark.parametrize("turn", range(3))
def test_two_runs_begin_together(scene: Scene, stage: Stage, turn: int) -> None:
    """Real threads: whoever is first, the calls are made once."""
    assert turn >= 0
    together = threading.Barrier(2)
    since = scene.calls

    def begin(name: str) -> tuple[TargetReport | PlanopsError, int]:
        fate = Fate()
        target, run = scene.target(fate, name), scene.asked()
        together.wait()
        try:
            return scene.go(target, run), fate.seen["call"]
        except PlanopsError as error:
            return error, fate.seen["call"]

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(begin, ("one", "two")))
    calls = sorted(calls for _, calls in ended)
    assert calls == [0, CALLS[stage.server.name]] == [0, scene.calls - since]
    losers = [found for found, calls in ended if not calls]
    assert all(isinstance(found, Busy | LedgerMoved | TargetReport) for found in losers)
    check_converged(scene, stage.ideal)
