"""Another person edits the very plan that a run is at: refused, or told; never lost in silence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crash.accidents import Fate, Killed, Point, at_write
from crash.scenes import CALLS_OF, THEIRS, Document, Scene, Stage, check_idle, check_no_harm
from planops import reconcile
from planops.core.report import Outcome
from run.world import look, outcomes

SAID = ("somebody else wrote at the same moment", "the server kept something else in")
each_field = pytest.mark.parametrize("declared", [True, False], ids=["declared", "undeclared"])


def theirs(scene: Scene, name: str, *, declared: bool) -> Document:
    """What they write into a plan."""
    return scene.server.declared[name] if declared else scene.server.undeclared


def edit(scene: Scene, name: str, *, declared: bool) -> None:
    """Somebody writes into a plan."""
    plan = scene.server.plan(name)
    scene.server.sandbox.edit(plan["id"], theirs(scene, name, declared=declared), "Bob")


def survives(scene: Scene, name: str, *, declared: bool) -> bool:
    """Tell whether what they wrote is still there."""
    if not scene.server.named(name):
        return False
    held = scene.server.shown(scene.server.plan(name))
    wrote = scene.server.shown(scene.server.plan(name) | theirs(scene, name, declared=declared))
    return held == wrote


def told(scene: Scene, name: str) -> Iterator[str]:
    """Give what the reports say of their edit: that it fell beside ours, or what they wrote."""
    mark = next(iter(theirs(scene, name, declared=True).values()))
    mark = THEIRS if isinstance(mark, list) else str(mark)
    for one in (one for report in scene.reports for one in report.changes):
        if one.change.key.name == name:
            yield from (note for note in one.notices if note.startswith(SAID))
            yield from (delta.path for delta in one.change.deltas if mark in str(delta.live))
            if one.outcome is Outcome.STALE or "somebody else wrote into the plan" in one.error:
                yield one.error


def check_settled(scene: Scene) -> None:
    """Whatever they did, nothing is doubled or hurt, and open is only what waits for a person."""
    last, book = scene.reports[-1], scene.ledger.load()
    refused = {one.change.key.name for one in last.changes if one.outcome is Outcome.REFUSED}
    assert (book.lease, book.intents.keys() - refused, book.damages) == (None, set(), ())
    check_no_harm(scene)
    check_idle(scene, lambda: scene.run(name="idle"))


@each_field
def test_an_edit_that_is_seen_before_stops_the_change(
    scene: Scene, stage: Stage, *, declared: bool
) -> None:
    """Whatever was edited after the difference was shown is stale, and keeps what it has."""
    target, run = scene.target(), scene.asked()
    sight, changes = look(target, stage.server.files, run)
    names = sorted({*stage.server.calls} - {"created", "last"})
    for name in names:
        edit(scene, name, declared=declared)
    ids = {str(stage.server.plan(name)["id"]) for name in names}
    since = scene.calls
    report = reconcile.apply(target, sight, changes, run)
    assert {name: outcomes(report)[name] for name in names} == dict.fromkeys(names, Outcome.STALE)
    assert {outcomes(report)[name] for name in ("created", "last")} == {Outcome.APPLIED}
    written = " ".join(one.path for one in stage.server.sandbox.writes[since:])
    assert not [id_ for id_ in ids if f"/{id_}" in written]
    assert all(survives(scene, name, declared=declared) for name in names)
    assert (scene.ledger.load().lease, scene.ledger.load().intents) == (None, {})


def test_a_field_that_both_changed_is_refused_by_the_next_run(scene: Scene) -> None:
    edit(scene, "edited", declared=True)
    report = scene.run()
    assert outcomes(report)["edited"] is Outcome.REFUSED
    (change,) = (one.change for one in report.changes if one.change.key.name == "edited")
    assert "conflict" in {refusal.guard for refusal in change.refusals}
    assert survives(scene, "edited", declared=True)
    assert THEIRS in repr(change.deltas)


def test_somebody_makes_a_plan_of_the_name_first(scene: Scene, stage: Stage) -> None:
    """It is theirs: the run makes no other, and does not take it."""
    target, run = scene.target(), scene.asked()
    sight, changes = look(target, stage.server.files, run)
    stage.server.sandbox.insert_plan({"name": "created"})
    before = stage.server.named("created")
    for report in (reconcile.apply(target, sight, changes, run), scene.run(name="two")):
        assert outcomes(report)["created"] in {Outcome.STALE, Outcome.REFUSED}
    assert stage.server.named("created") == before
    assert "created" not in scene.records()


MAKING = {"zadig 5.0": (0, 6), "brpm": (0, 5)}
"""The calls that make a plan: nobody can edit it before."""
DELETING = {"zadig 5.0": 11, "brpm": 8}
"""The calls that delete a plan: what was edited in it until then goes with it."""
IN_THE_MIDDLE = [
    (server, number, when)
    for server, number in CALLS_OF
    for when in ("before", "after")
    if server != "zadig 4.1" and (when == "after" or number not in MAKING[server])
    if server != "zadig 4.1" and number != DELETING[server]
]
LEFT = [
    (server, number)
    for server, number, when in IN_THE_MIDDLE
    if when == "after" and (server, number) != ("brpm", DELETING["brpm"] - 1)
]
"""The calls after which a plan is there that the next run keeps."""


@each_field
@pytest.mark.parametrize(("stage", "number", "when"), IN_THE_MIDDLE, indirect=["stage"])
def test_an_edit_in_the_middle_of_a_change_is_never_lost_in_silence(
    scene: Scene, stage: Stage, number: int, when: str, *, declared: bool
) -> None:
    """It falls right before or right after one of our writes, where nothing can prevent it.

    A server that counts no versions does not show that a field was overwritten in that moment, nor
    whose a field of a plan is that was made in it.
    """
    name = stage.server.calls[number]
    fault = at_write(number, f"edit-{when}", edit=lambda: edit(scene, name, declared=declared))
    scene.server.sandbox.faults.add(fault)
    scene.run()
    assert scene.server.sandbox.faults.struck == (fault,)
    for again in ("two", "three"):
        scene.run(name=again)
    check_settled(scene)
    makes = number in MAKING[stage.server.name]
    if stage.server.counts or (when == "after" and not makes):
        assert survives(scene, name, declared=declared) or [*told(scene, name)]


@pytest.mark.parametrize(("stage", "number"), LEFT, indirect=["stage"])
@each_field
def test_an_edit_after_a_death_is_never_lost_in_silence(
    scene: Scene, stage: Stage, number: int, *, declared: bool
) -> None:
    """Nobody knows how far the dead run came; what was edited since is told apart all the same."""
    fate = Fate(point=Point(place="call", number=number, when="after"))
    with pytest.raises(Killed):
        scene.run(fate)
    name = stage.server.calls[number]
    edit(scene, name, declared=declared)
    scene.later()
    for again in ("two", "three"):
        scene.run(name=again)
    check_settled(scene)
    assert survives(scene, name, declared=declared) or [*told(scene, name)]
