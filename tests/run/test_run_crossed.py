"""Somebody moves a plan between our look and our update, which takes it back: we go no further."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from planops.core.model import JSON, Plan
from planops.core.report import ChangeReport, Outcome, StepResult
from planops.run import Target
from planops.sandbox.zadig.faults import Fault
from run.ledgers import MemoryLedger, MovingClock, kept
from run.world import World, apply_one, asked, held_native, native, plan, text

TOLD = (
    "somebody moved the plan at the same moment, and our update took it back: it is in planning"
    " now; look at its history, and move it on there"
)
WAITED: dict[str, JSON] = {"planning_time": 9, "finish_planning_time": 9, "status": "cancel"}
"""What a plan shows that somebody led from planning to its approval, and cancelled."""


def wanted(state: str | None, description: str) -> Plan:
    return plan(
        state=state, description=description, jobs=[text()], approval=native("alice", "bob")
    )


def on(zadig: World, ledger: MemoryLedger | None) -> Target:
    target = zadig.target()
    return target if ledger is None else kept(target, ledger, MovingClock())


def crossed(zadig: World, target: Target, file: Plan, shows: Mapping[str, JSON]) -> ChangeReport:
    """Apply a file while somebody moves the plan, which leaves its version as it is."""

    def moved(held: dict[str, Any]) -> None:
        held |= shows
        held["version"] -= 1  # edits of the sandbox raise it

    def move() -> None:
        zadig.sandbox.edit(zadig.named("train")[0]["id"], moved)

    zadig.sandbox.faults.add(Fault("edit-before", path="update", edit=move))
    report = apply_one(target, file)
    assert zadig.named("train")[0]["status"] == "planning"
    return report


@pytest.mark.parametrize("goal", ["finish_planning", "wait_for_approval", None])
@pytest.mark.parametrize("recorded", [True, False], ids=["a ledger", "no ledger"])
def test_a_plan_that_somebody_cancels_as_we_write_is_not_led_on(
    zadig: World,
    goal: str | None,
    recorded: bool,  # noqa: FBT001 -- a table's column
) -> None:
    zadig.plant(approval=held_native("alice", "bob"))
    ledger = MemoryLedger() if recorded else None
    target = on(zadig, ledger)
    report = crossed(zadig, target, wanted(goal, "new"), WAITED)
    assert (report.outcome, report.error) == (Outcome.STALE, TOLD)
    left = [StepResult.SKIPPED] * (len(report.results) - 1)
    assert report.results == (StepResult.DONE, *left)
    assert zadig.named("train")[0]["description"] == "new"
    again = apply_one(target, wanted(goal, "new"))
    assert again.outcome is (Outcome.PARKED if goal else Outcome.UNCHANGED)
    assert zadig.named("train")[0]["status"] == "planning"
    if goal:
        assert "somebody stopped it or put it back" in " ".join(again.change.notices)
        lifted = apply_one(target, wanted(goal, "new"), asked(reopen=1))
        assert lifted.outcome in {Outcome.APPLIED, Outcome.PARKED}
        assert zadig.named("train")[0]["status"] == goal
    if ledger is not None:
        assert ledger.load().intents == {}


@pytest.mark.parametrize(
    "shows",
    [
        {"approval_time": 9, "status": "denied"},
        {"finish_planning_time": 0, "status": "planning"},
    ],
    ids=["denied", "put back"],
)
def test_what_was_to_be_led_back_is_not_once_somebody_moved_it(
    zadig: World, shows: dict[str, JSON]
) -> None:
    """The plan stood in finish_planning, from which a write throws it back."""
    ledger = MemoryLedger()
    target = on(zadig, ledger)
    assert apply_one(target, wanted("finish_planning", "old")).outcome is Outcome.APPLIED
    report = crossed(zadig, target, wanted("finish_planning", "new"), shows)
    assert (report.outcome, report.error) == (Outcome.STALE, TOLD)
    assert report.results == (StepResult.DONE, StepResult.SKIPPED)
    found = ledger.load()
    assert (found.intents, found.lease) == ({}, None)
    record = found.records["train"]
    assert (record.spec["description"], record.reached) == ("new", "finish_planning")
    again = apply_one(target, wanted("finish_planning", "new"))
    assert again.outcome is Outcome.PARKED
    assert zadig.named("train")[0]["status"] == "planning"


def test_a_record_that_was_there_says_no_more_than_the_fields(zadig: World) -> None:
    ledger = MemoryLedger()
    target = on(zadig, ledger)
    assert apply_one(target, wanted(None, "old")).outcome is Outcome.APPLIED
    crossed(zadig, target, wanted("wait_for_approval", "new"), WAITED)
    record = ledger.load().records["train"]
    assert (record.spec["description"], record.goal, record.reached) == ("new", None, None)


@pytest.mark.parametrize(
    ("before", "goal"), [("planning", "finish_planning"), ("finish_planning", "finish_planning")]
)
def test_our_own_moves_cross_nothing(zadig: World, before: str, goal: str) -> None:
    ledger = MemoryLedger()
    target = on(zadig, ledger)
    made = apply_one(target, wanted(before, "old"))
    zadig.sandbox.clock.advance(60)
    report = apply_one(target, wanted(goal, "new"))
    assert (made.outcome, report.outcome, report.error) == (Outcome.APPLIED, Outcome.APPLIED, "")
    zadig.sandbox.clock.advance(60)
    waiting = apply_one(target, wanted("wait_for_approval", "new"))
    zadig.sandbox.clock.advance(60)
    again: Mapping[str, Any] = {"run": asked(reopen=1)}
    reopened = apply_one(target, wanted("wait_for_approval", "newer"), **again)
    assert (waiting.outcome, reopened.outcome) == (Outcome.APPLIED, Outcome.APPLIED)
    assert zadig.named("train")[0]["status"] == "wait_for_approval"
