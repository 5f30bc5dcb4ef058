"""``manage.allow``: it lifts a guard for the change it came with, and never again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planops.core.model import Allowance, Plan
from planops.core.report import Outcome
from planops.run import Target
from planops.sandbox.zadig import Fault
from run.ledgers import MemoryLedger, MovingClock, kept
from run.world import World, apply_one, asked, guards, native, plan, text

PLAIN = asked()


@pytest.fixture
def target(zadig: World) -> Target:
    return kept(zadig.target(by_name=False), MemoryLedger(), MovingClock())


def allowing(wanted: Plan, *guards_: str, reason: str = "moved", until: str = "") -> Plan:
    allow = tuple(Allowance(guard=guard, reason=reason, until=until) for guard in guards_)
    return replace(wanted, manage=replace(wanted.manage, allow=allow))


def waiting(content: str) -> Plan:
    return plan(state="wait_for_approval", jobs=[text(content=content)], approval=native("alice"))


def test_a_guard_is_lifted_once(target: Target) -> None:
    apply_one(target, waiting("one"))
    assert guards(apply_one(target, waiting("two"), PLAIN)) == {"reopen"}
    two = allowing(waiting("two"), "reopen")
    assert apply_one(target, two, PLAIN).outcome is Outcome.APPLIED
    report = apply_one(target, allowing(waiting("three"), "reopen"), PLAIN)
    assert guards(report) == {"reopen"}
    assert "what the file allows of reopen was used up when the file was applied" in (
        report.change.notices
    )
    again = allowing(waiting("three"), "reopen", reason="again")
    assert apply_one(target, again, PLAIN).outcome is Outcome.APPLIED


def test_what_nobody_asked_for_does_not_revive_what_a_person_stops_later(
    zadig: World, target: Target
) -> None:
    wanted = allowing(plan(state="finish_planning", jobs=[text()]), "reopen")
    apply_one(target, wanted)
    zadig.sandbox.edit(zadig.named("train")[0]["id"], {"status": "planning"})
    report = apply_one(target, wanted, PLAIN)
    assert report.outcome is Outcome.PARKED
    assert zadig.named("train")[0]["status"] == "planning"


def test_what_a_person_stopped_is_revived_by_a_new_allowance_only_once(
    zadig: World, target: Target
) -> None:
    wanted = plan(state="finish_planning", jobs=[text()])
    apply_one(target, wanted)
    allowed = wanted
    for reason in ("one", "two"):
        zadig.sandbox.edit(zadig.named("train")[0]["id"], {"status": "planning"})
        allowed = allowing(wanted, "reopen", reason=reason)
        assert apply_one(target, allowed, PLAIN).outcome is Outcome.APPLIED
        assert zadig.named("train")[0]["status"] == "finish_planning"
        assert apply_one(target, allowed, PLAIN).outcome is Outcome.UNCHANGED
    zadig.sandbox.edit(zadig.named("train")[0]["id"], {"status": "planning"})
    assert apply_one(target, allowed, PLAIN).outcome is Outcome.PARKED


def test_a_change_that_is_refused_or_fails_uses_nothing_up(zadig: World, target: Target) -> None:
    apply_one(target, waiting("one"))
    two = allowing(waiting("two"), "reopen")
    weaker = replace(two, spec=two.spec | {"approval": {"enabled": False}}, state=None)
    assert guards(apply_one(target, weaker, PLAIN)) == {"weaken"}
    zadig.sandbox.faults.add(Fault("status-before", path="*/status/planning", status=400))
    assert apply_one(target, two, PLAIN).outcome is Outcome.FAILED
    zadig.sandbox.faults.clear()
    assert apply_one(target, two, PLAIN).outcome is Outcome.APPLIED


def test_an_end_is_an_end(target: Target) -> None:
    apply_one(target, waiting("one"))
    two = allowing(waiting("two"), "reopen", until="2020-01-01")
    assert guards(apply_one(target, two, PLAIN)) == {"reopen"}


def test_without_a_ledger_only_an_end_is_taken(zadig: World) -> None:
    target = zadig.target()
    apply_one(target, waiting("one"))
    assert guards(apply_one(target, allowing(waiting("two"), "reopen"), PLAIN)) == {"reopen"}
    ended = allowing(waiting("two"), "reopen", until="2090-01-01")
    assert apply_one(target, ended, PLAIN).outcome is Outcome.APPLIED
