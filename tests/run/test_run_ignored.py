"""What a file leaves to the server for a while, and takes up again, with a ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from planops.core.changes import Cause
from planops.core.model import Plan
from planops.core.report import Outcome
from planops.run import Target
from run.ledgers import MemoryLedger, MovingClock, kept
from run.world import World, apply_one, asked, guards, look, plan, text

PATHS = ("/spec/description", "/spec/jobs/text:A/spec/content", "/spec/jobs/text:Theirs")


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def target(newest: World, ledger: MemoryLedger) -> Target:
    return kept(newest.target(by_name=False), ledger, MovingClock())


def file(words: str = "one", *, ignoring: bool, name: str = "train", **more: Any) -> Plan:
    jobs = [text("A", content="ours"), text("B", content=words)]
    ignore = PATHS if ignoring else ()
    found = plan(description="ours", jobs=jobs, ignore=ignore, **more)
    return replace(found, spec=found.spec | {"name": name})


def theirs(world: World, id_: str) -> None:
    """Somebody writes into what the file leaves to the server."""

    def edit(held: dict[str, Any]) -> None:
        held["description"] = "theirs"
        held["jobs"][0]["spec"]["content"] = "theirs"
        job = {"id": "j", "name": "Theirs", "type": "text", "spec": {"content": "x", "remark": ""}}
        held["jobs"].append(job)

    world.sandbox.edit(id_, edit)


def causes(target: Target, wanted: Plan) -> dict[str, Cause]:
    (change,) = look(target, [wanted], asked())[1].changes
    return {delta.path: delta.cause for delta in change.deltas}


@pytest.mark.parametrize("meanwhile", ["nothing", "another field", "the state", "the file alone"])
def test_what_is_no_longer_ignored_is_compared_again(
    newest: World, target: Target, meanwhile: str
) -> None:
    """Whatever was recorded meanwhile: what the server holds there was never asked for."""
    id_ = apply_one(target, file(ignoring=True)).id or ""
    theirs(newest, id_)
    words = "two" if meanwhile == "another field" else "one"
    state = {"the state": "finish_planning", "the file alone": "planning"}.get(meanwhile)
    if meanwhile != "nothing":
        outcome = apply_one(target, file(words, ignoring=True, state=state)).outcome
        unchanged = meanwhile == "the file alone"
        assert outcome is (Outcome.UNCHANGED if unchanged else Outcome.APPLIED)
    assert newest.named("train")[0]["description"] == "theirs"
    assert causes(target, file(words, ignoring=True, state=state)) == {}
    assert causes(target, file(words, ignoring=False, state=state)) == dict.fromkeys(
        PATHS, Cause.DRIFT
    )


def test_so_it_is_of_a_plan_that_was_there_before_its_file(newest: World) -> None:
    target = kept(newest.target(by_name=True), MemoryLedger(), MovingClock())
    jobs = [
        {"id": one, "name": one, "type": "text", "spec": {"content": words, "remark": ""}}
        for one, words in (("A", "ours"), ("B", "one"))
    ]
    id_ = newest.plant("train", description="ours", jobs=jobs)
    theirs(newest, id_)
    assert apply_one(target, file(ignoring=True)).outcome is Outcome.UNCHANGED
    assert set(causes(target, file(ignoring=False))) == set(PATHS)


def test_what_is_taken_up_again_is_written_once(newest: World, target: Target) -> None:
    id_ = apply_one(target, file(ignoring=True)).id or ""
    theirs(newest, id_)
    apply_one(target, file("two", ignoring=True))
    assert apply_one(target, file("two", ignoring=False)).outcome is Outcome.APPLIED
    (held,) = newest.named("train")
    contents = [(job["name"], job["spec"]["content"]) for job in held["jobs"]]
    assert (held["description"], contents) == ("ours", [("A", "ours"), ("B", "two")])
    assert apply_one(target, file("two", ignoring=False)).outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("ignoring", [True, False])
def test_a_renamed_plan_is_known_by_what_its_file_does_not_leave_to_the_server(
    newest: World, target: Target, *, ignoring: bool
) -> None:
    id_ = apply_one(target, file(ignoring=ignoring)).id or ""
    theirs(newest, id_)
    newest.sandbox.edit(id_, {"name": "Theirs"})
    found = apply_one(target, file(ignoring=ignoring))
    assert guards(found) == (set() if ignoring else {"ledger"})
    assert newest.sandbox.plan(id_)["name"] == ("train" if ignoring else "Theirs")
