"""Observation by the ledger: what is as it was when last read is not read again, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from planops.backends.exchange import Request
from planops.core.decide import Drift
from planops.core.ledger import Intent, Record, intent_document, record_document
from planops.core.model import JSON, Plan
from planops.core.report import Outcome
from planops.core.sighting import MARGIN
from planops.errors import Unreachable
from planops.ports import Lister
from planops.run import Progress, Run, Target
from planops.sandbox.faults import Fault
from run.ledgers import MemoryLedger, MovingClock, kept
from run.world import (
    ALICE,
    INTERNAL,
    NOW,
    OPEN,
    World,
    applied,
    asked,
    look,
    native,
    outcomes,
    plan,
    text,
)

LATE = NOW + 100


def at(now: int, *, full: bool = False, **allow: int) -> Run:
    """A run at this moment."""
    return replace(asked(everything=False, **allow), now=now, full=full)


def train(name: str = "train", **more: Any) -> Plan:
    return plan(name, **{"description": "one", "jobs": [text()], **more})


def on(zadig: World, ledger: MemoryLedger, **more: Any) -> Target:
    return kept(zadig.target(by_name=False, **more), ledger, MovingClock())


def reads(zadig: World, since: int = 0) -> list[str]:
    """Which lists and plans were read, in the order of arrival."""
    found = [one.path for one in zadig.sandbox.received[since:] if one.method == "GET"]
    return [path for path in found if path.startswith((OPEN, INTERNAL))]


def details(zadig: World, since: int = 0) -> list[str]:
    """The ids of the plans that were read in full."""
    return [p.removeprefix(f"{OPEN}/") for p in reads(zadig, since) if p.startswith(f"{OPEN}/")]


def looked(zadig: World, target: Target, plans: Sequence[Plan], run: Run) -> list[str]:
    """Observe and diff; the ids of the plans that were read in full."""
    before = len(zadig.sandbox.received)
    look(target, plans, run)
    return details(zadig, before)


def settle(target: Target, plans: Sequence[Plan]) -> None:
    """Apply, and once more later, so that what is seen is remembered."""
    applied(target, plans, asked())
    report = applied(target, plans, at(LATE))
    assert {one.outcome for one in report.changes} <= {Outcome.UNCHANGED, Outcome.PARKED}


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


def record(ledger: MemoryLedger, key: str = "train") -> Record:
    return ledger.load().records[key]


# ---------------------------------------------------------------------------------- nothing changed


def test_a_run_over_unchanged_plans_makes_list_pages_only(
    newest: World, ledger: MemoryLedger
) -> None:
    plans = [train(f"train-{n}") for n in range(12)]
    target = on(newest, ledger)
    settle(target, plans)
    before, history = len(newest.sandbox.received), list(ledger.history)
    report = applied(target, plans, at(LATE + 50))
    assert set(outcomes(report).values()) == {Outcome.UNCHANGED}
    (page,) = reads(newest, before)
    assert page.startswith(f"{INTERNAL}?")
    assert ledger.history == history


def test_what_was_seen_is_written_once(newest: World, ledger: MemoryLedger) -> None:
    target = on(newest, ledger)
    applied(target, [train()], asked())
    assert record(ledger).seen is None  # its last edit is not old enough
    applied(target, [train()], at(NOW + MARGIN - 1))
    assert record(ledger).seen is None
    written = len(ledger.history)
    applied(target, [train()], at(NOW + MARGIN))
    seen = record(ledger).seen
    assert seen is not None
    assert (seen.read_at, seen.sighting.update_time) == (NOW + MARGIN, NOW)
    assert len(ledger.history) == written + 1
    for run in (at(LATE), at(LATE, full=True)):
        applied(target, [train()], run)
    assert len(ledger.history) == written + 1
    assert record(ledger).seen == seen


def test_a_ledger_written_before_is_read_in_full_and_completed(
    newest: World, ledger: MemoryLedger
) -> None:
    target = on(newest, ledger)
    settle(target, [train()])
    path, old = record_document(replace(record(ledger), seen=None))
    assert b"seen" not in old
    ledger.documents[path] = old
    assert len(looked(newest, target, [train()], at(LATE))) == 1
    applied(target, [train()], at(LATE))
    assert record(ledger).seen is not None
    assert looked(newest, target, [train()], at(LATE)) == []


def test_all_is_read_when_asked_for(newest: World, ledger: MemoryLedger) -> None:
    target, plans = on(newest, ledger), [train("a"), train("b")]
    settle(target, plans)
    assert looked(newest, target, plans, at(LATE)) == []
    assert len(looked(newest, target, plans, at(LATE, full=True))) == 2


def test_a_plan_that_is_changed_is_read_before_and_the_others_are_not(
    newest: World, ledger: MemoryLedger
) -> None:
    target = on(newest, ledger)
    settle(target, [train("a"), train("b")])
    mine = record(ledger, "a").id
    before = len(newest.sandbox.received)
    report = applied(target, [train("a", description="two"), train("b")], at(LATE))
    assert outcomes(report) == {"a": Outcome.APPLIED, "b": Outcome.UNCHANGED}
    calls = [(one.method, one.path) for one in newest.sandbox.received[before:]]
    write = calls.index(("PATCH", f"{OPEN}/{mine}"))
    assert calls[:write].count(("GET", f"{OPEN}/{mine}")) == 2  # shown, and looked at again
    assert set(details(newest, before)) == {mine}


# ----------------------------------------------------------------------------- what leads to a read


def reset(name: str, value: JSON) -> Callable[[World, str], object]:
    """Change one field of a stored plan, and nothing else of it."""

    def change(zadig: World, id_: str) -> None:
        held = zadig.sandbox.plan(id_)
        zadig.sandbox.insert_plan({**held, name: value})

    return change


def approve(zadig: World, id_: str) -> None:
    held = zadig.sandbox.plan(id_)
    users = held["approval"]["native_approval"]["approve_users"]
    users[0] |= {"comment": "not yet", "operation_time": NOW}
    zadig.sandbox.insert_plan(held)


SHOWN: dict[str, Callable[[World, str], object]] = {
    "version": reset("version", 9),
    "time": reset("update_time", NOW + 1),
    "an earlier time": reset("update_time", NOW - 1),
    "author": reset("updated_by", "alice"),
    "status": reset("status", "finish_planning"),
    "approval": approve,
    "no approval": reset("approval", None),
    "a field": reset("description", "two"),
    "a milestone": reset("planning_time", NOW),
    "what is newer than planops": reset("custom_fields", {"a": "b"}),
}


@pytest.mark.parametrize("what", SHOWN)
def test_whatever_the_list_shows_leads_to_a_read(
    newest: World, ledger: MemoryLedger, what: str
) -> None:
    target = on(newest, ledger)
    wanted = train(approval=native("admin", "patrick"))
    settle(target, [wanted, train("other")])
    id_ = record(ledger).id
    SHOWN[what](newest, id_)
    assert looked(newest, target, [wanted, train("other")], at(LATE)) == [id_]


@pytest.mark.parametrize("older", [0, 1, MARGIN, MARGIN + 1])
def test_an_edit_shortly_before_the_last_read_leads_to_a_read(
    newest: World, ledger: MemoryLedger, older: int
) -> None:
    target = on(newest, ledger)
    settle(target, [train()])
    seen = record(ledger).seen
    assert seen is not None
    early = replace(seen, read_at=seen.sighting.update_time + older)
    path, data = record_document(replace(record(ledger), seen=early))
    ledger.documents[path] = data
    assert len(looked(newest, target, [train()], at(LATE))) == (older < MARGIN)


IN_GIT: dict[str, Callable[[Plan], Plan]] = {
    "a field": lambda was: replace(was, spec=was.spec | {"description": "two"}),
    "a field released": lambda was: replace(was, spec={"name": "train", "manager": "patrick"}),
    "another field": lambda was: replace(was, spec=was.spec | {"start_time": 0}),
    "the goal": lambda was: replace(was, state="finish_planning"),
    "no goal": lambda was: replace(was, state=None),
    "protection": lambda was: replace(was, manage=replace(was.manage, protect=True)),
    "what is ignored": lambda was: replace(
        was, manage=replace(was.manage, ignore=("/spec/description",))
    ),
}


@pytest.mark.parametrize("what", IN_GIT)
def test_whatever_git_changes_leads_to_a_read(
    newest: World, ledger: MemoryLedger, what: str
) -> None:
    target, wanted = on(newest, ledger), train(state="planning")
    settle(target, [wanted])
    assert looked(newest, target, [wanted], at(LATE)) == []
    assert len(looked(newest, target, [IN_GIT[what](wanted)], at(LATE))) == 1


def test_what_was_seen_is_of_no_use_to_a_record_that_says_less(
    newest: World, ledger: MemoryLedger
) -> None:
    target = on(newest, ledger)
    settle(target, [train()])
    fewer = plan(description="one")
    applied(target, [fewer], at(LATE))
    assert record(ledger).spec.keys() == {"name", "manager", "description"}
    assert record(ledger).seen is None
    applied(target, [train()], at(LATE))
    assert looked(newest, target, [train()], at(LATE)) == []


def test_a_reopening_that_is_allowed_leads_to_a_read(newest: World, ledger: MemoryLedger) -> None:
    target = on(newest, ledger)
    settle(target, [train()])
    assert looked(newest, target, [train()], at(LATE, weaken=1)) == []
    assert len(looked(newest, target, [train()], at(LATE, reopen=1))) == 1


def test_an_account_that_two_people_have_now_leads_to_a_read(
    newest: World, ledger: MemoryLedger
) -> None:
    target = on(newest, ledger)
    settle(target, [train()])
    user = next(one for one in newest.sandbox.users if one.account == "patrick")
    newest.sandbox.add_user(replace(user, uid="another"))
    before = len(newest.sandbox.received)
    _, changes = look(target, [train()], at(LATE))
    assert len(details(newest, before)) == 1
    assert [one.guard for one in changes.changes[0].refusals] == ["identity"]


def test_an_open_change_leads_to_full_reads(newest: World, ledger: MemoryLedger) -> None:
    target, plans = on(newest, ledger), [train("a"), train("b")]
    settle(target, plans)
    sight, _ = look(target, [train("a", description="two"), plans[1]], at(LATE))
    assert len(sight.inventory.listed) == 1
    settled = record(ledger, "a")
    path, data = intent_document(
        Intent(key="a", kind=settled.kind, op="update", name="a", id=settled.id)
    )
    ledger.documents[path] = data
    assert len(looked(newest, target, plans, at(LATE))) == 2


def test_a_plan_of_two_records_is_refused_as_ever(newest: World, ledger: MemoryLedger) -> None:
    target, plans = on(newest, ledger), [train("a"), train("b")]
    settle(target, plans)
    first = record(ledger, "a")
    path, data = record_document(replace(record(ledger, "b"), id=first.id, seen=first.seen))
    ledger.documents[path] = data
    sight, changes = look(target, plans, at(LATE))
    assert [one.refusals[0].guard for one in changes.changes] == ["ledger", "ledger"]
    assert sight.inventory.listed == frozenset()


def test_a_record_of_another_server_is_refused_as_ever(newest: World, ledger: MemoryLedger) -> None:
    target = on(newest, ledger)
    settle(target, [train()])
    path, data = record_document(replace(record(ledger), url="https://other.example.com"))
    ledger.documents[path] = data
    _, changes = look(target, [train()], at(LATE))
    assert changes.changes[0].refusals[0].guard == "ledger"


# ------------------------------------------------------------------------------- where it cannot be


def test_a_server_that_counts_no_edits_is_always_read(zadig: World, ledger: MemoryLedger) -> None:
    counts = zadig.sandbox.generation == "5.0"
    target = on(zadig, ledger)
    applied(target, [train()], asked(reset=99))
    applied(target, [train()], at(LATE, reset=99))
    assert (record(ledger).seen is not None) is counts
    before = len(zadig.sandbox.received)
    look(target, [train()], at(LATE))
    listed = [path for path in reads(zadig, before) if "?" in path]
    assert [path.partition("?")[0] for path in listed] == [INTERNAL if counts else OPEN]
    assert len(details(zadig, before)) == (0 if counts else 1)


def told(target: Target, plans: Sequence[Plan]) -> list[str]:
    """What a run says while it looks."""
    said: list[Progress] = []
    look(target, plans, replace(at(LATE), progress=said.append))
    return [one.what for one in said]


def test_a_token_that_may_not_view_reads_in_full_and_says_so(
    newest: World, ledger: MemoryLedger
) -> None:
    wanted = plan(manager="alice", description="one", jobs=[text()])
    target = on(newest, ledger, token=ALICE)
    newest.sandbox.permit(
        "alice", ["View", "Create", "EditMetadata", "EditApproval", "EditSubtasks"]
    )
    settle(target, [wanted])
    assert [what for what in told(target, [wanted]) if "read in full" in what] == []
    newest.sandbox.permit("alice", ["Create"])
    before = len(newest.sandbox.received)
    said = [what for what in told(target, [wanted]) if "read in full" in what]
    assert len(said) == 1
    assert said[0].startswith("every plan is read in full: GET /api/aslan/release_plan/v1")
    assert "(403)" in said[0]
    assert len(details(newest, before)) == 1
    assert [p for p in reads(newest, before) if p.startswith(f"{OPEN}?")]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b"Invalid path: /api/release_plan/v1"),
        (405, b"Method not allowed: GET"),
        (200, b"<html>log in</html>"),
        (200, b'{"list":null,"total":0}'),
        (200, b'{"list":[{"id":"x"}],"total":1}'),
    ],
)
def test_a_list_that_cannot_be_used_is_done_without(
    newest: World, ledger: MemoryLedger, status: int, body: bytes
) -> None:
    target = on(newest, ledger)
    settle(target, [train()])
    newest.sandbox.faults.add(
        Fault("status-before", path="ui-list", status=status, body=body, nth=None)
    )
    before = len(newest.sandbox.received)
    assert len([what for what in told(target, [train()]) if "read in full" in what]) == 1
    assert len(details(newest, before)) == 1


def test_a_server_that_is_away_is_not_asked_twice_over(newest: World, ledger: MemoryLedger) -> None:
    target = on(newest, ledger)
    settle(target, [train()])
    newest.sandbox.faults.add(Fault("drop-before", path="ui-list", nth=None))
    before = len(newest.sandbox.received)
    with pytest.raises(Unreachable):
        look(target, [train()], at(LATE))
    assert not [path for path in reads(newest, before) if path.startswith(OPEN)]


@pytest.mark.parametrize("nth", range(1, 7))
@pytest.mark.parametrize("what", ["insert", "remove newest", "remove another"])
def test_plans_come_and_go_while_that_list_is_read(
    newest: World, ledger: MemoryLedger, nth: int, what: str
) -> None:
    for number in range(6):
        newest.plant(f"other {number}", jobs=[])
    settle(on(newest, ledger), [train()])
    target = on(newest, ledger, through=lambda inner: Capped(inner, 3))

    def happen() -> None:
        if what == "insert":
            newest.plant("late", jobs=[])
        elif what == "remove newest":
            newest.sandbox.remove_plan(newest.named("other 5")[0]["id"])
        else:
            newest.sandbox.remove_plan(newest.named("other 2")[0]["id"])

    newest.sandbox.faults.add(Fault("edit-before", path="ui-list", nth=nth, edit=happen))
    sight, changes = look(target, [train()], at(LATE))
    assert [stub.name for stub in sight.inventory.stubs if stub.name == "train"] == ["train"]
    assert len(sight.inventory.listed) == 1
    assert [one.acts for one in changes.changes] == [False]
    newest.sandbox.faults.clear()
    sight, _ = look(target, [train()], at(LATE))
    held = newest.sandbox.plans()
    assert {stub.id for stub in sight.inventory.stubs} == {one["id"] for one in held}


class Capped:
    """Gives at most so many plans a page, whatever is asked for."""

    def __init__(self, inner: Any, most: int) -> None:
        self.inner, self.most = inner, most

    def read(self, request: Request) -> Any:
        query = [(n, str(self.most) if n == "pageSize" else v) for n, v in request.query]
        return self.inner.read(replace(request, query=tuple(query)))

    def write(self, request: Request) -> Any:
        return self.inner.write(request)

    def map(self, function: Any, items: Any) -> Any:
        return self.inner.map(function, items)


# -------------------------------------------------------------------------------- what moves hidden


def test_a_plan_at_work_is_always_read(newest: World, ledger: MemoryLedger) -> None:
    target, wanted = on(newest, ledger), train(state="finish_planning")
    settle(target, [wanted])
    id_ = record(ledger).id
    newest.visitor.move(id_, "executing")
    applied(target, [wanted], at(LATE))
    assert looked(newest, target, [wanted], at(LATE)) == [id_]
    job = newest.sandbox.plan(id_)["jobs"][0]
    body = {"id": job["id"], "name": job["name"], "type": "text", "spec": {"remark": "done"}}
    newest.visitor.inside(f"POST /{id_}/execute", body)
    assert newest.sandbox.plan(id_)["status"] == "success"
    assert looked(newest, target, [wanted], at(LATE)) == [id_]
    applied(target, [wanted], at(LATE))
    assert looked(newest, target, [wanted], at(LATE)) == []


def test_a_plan_in_order_that_is_found_otherwise_is_not_trusted_again(
    newest: World, ledger: MemoryLedger
) -> None:
    """Nothing on a server does this; it is not read until somebody asks, and from then on it is."""
    target = replace(on(newest, ledger), drift=Drift.REPORT)
    settle(target, [train()])
    held = newest.sandbox.plan(record(ledger).id)
    held["jobs"][0]["spec"]["content"] = "theirs"
    newest.sandbox.insert_plan(held)
    assert looked(newest, target, [train()], at(LATE)) == []
    report = applied(target, [train()], at(LATE, full=True))
    assert [delta.path for delta in report.changes[0].change.deltas]
    assert record(ledger).seen is None
    assert len(looked(newest, target, [train()], at(LATE))) == 1


def forged(target: Target, ledger: MemoryLedger) -> None:
    """Somebody writes into the ledger that the plan was seen as it is now."""
    backend = target.backend
    assert isinstance(backend, Lister)
    was = record(ledger)
    assert was.seen is not None
    shown = backend.sighting(backend.read(was.id))
    assert shown is not None
    path, data = record_document(replace(was, seen=replace(was.seen, sighting=shown)))
    ledger.documents[path] = data


@pytest.mark.parametrize(
    "change", [{"description": "theirs"}, {"name": "theirs"}, {"description": 5}]
)
def test_what_the_list_shows_cannot_be_hidden(
    newest: World, ledger: MemoryLedger, change: dict[str, Any]
) -> None:
    target = on(newest, ledger)
    settle(target, [train()])
    held = newest.sandbox.plan(record(ledger).id)
    newest.sandbox.insert_plan({**held, **change})
    forged(target, ledger)
    sight, changes = look(target, [train()], at(LATE))
    assert sight.inventory.listed == {record(ledger).id}
    assert changes.changes == look(target, [train()], at(LATE, full=True))[1].changes
    assert changes.changes[0].deltas or "description" in changes.changes[0].error


def test_a_plan_that_goes_before_it_is_read_after_all(newest: World, ledger: MemoryLedger) -> None:
    target = on(newest, ledger)
    settle(target, [train()])
    id_ = record(ledger).id
    held = newest.sandbox.plan(id_)
    newest.sandbox.insert_plan({**held, "description": "theirs"})
    forged(target, ledger)
    newest.sandbox.faults.add(
        Fault("edit-before", path="get", edit=lambda: newest.sandbox.remove_plan(id_))
    )
    _, changes = look(target, [train()], at(LATE))
    assert "there is no such plan" in changes.changes[0].error
    assert not changes.changes[0].acts
