"""With a ledger: three sides, records of what was done, and nothing written for nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from planops import reconcile
from planops.core.changes import Cause
from planops.core.decide import Drift
from planops.core.ledger import Intent, Record, intent_document, record_document
from planops.core.model import JSON
from planops.core.report import Outcome, StepResult
from planops.run import Target
from planops.sandbox.zadig.faults import Fault
from run.ledgers import MemoryLedger, MovingClock, kept
from run.world import (
    OPEN,
    UIDS,
    World,
    applied,
    apply_one,
    asked,
    guards,
    look,
    native,
    outcomes,
    plan,
    text,
    why,
)


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


def on(zadig: World, ledger: MemoryLedger, **more: Any) -> Target:
    """A target that keeps this ledger, and takes no plan by name."""
    return kept(zadig.target(by_name=False, **more), ledger, MovingClock())


def record(ledger: MemoryLedger, key: str = "train") -> Record:
    return ledger.load().records[key]


def causes(target: Target, wanted: Any) -> dict[str, Cause]:
    (change,) = look(target, [wanted], asked())[1].changes
    return {delta.path: delta.cause for delta in change.deltas}


def test_what_was_applied_is_recorded(zadig: World, ledger: MemoryLedger) -> None:
    wanted = plan(state="finish_planning", description="one", jobs=[text()])
    report = apply_one(on(zadig, ledger), wanted)
    found = record(ledger)
    assert (report.outcome, found.id, found.url) == (Outcome.APPLIED, report.id, zadig.url)
    assert (found.goal, found.reached) == ("finish_planning", "finish_planning")
    assert found.spec["description"] == found.echo["description"] == "one"
    assert not ledger.load().intents
    assert ledger.load().lease is None
    assert ledger.history == ["begin prod: create train", "apply prod: train"]


def test_nothing_to_do_writes_nothing(zadig: World, ledger: MemoryLedger) -> None:
    target, wanted = on(zadig, ledger), plan(description="one", jobs=[text()])
    apply_one(target, wanted)
    before = list(ledger.history)
    assert apply_one(target, wanted).outcome is Outcome.UNCHANGED
    assert ledger.history == before


SIDES = {
    "edit": ("two", "one", {"/spec/description": Cause.EDIT}),
    "drift": ("one", "theirs", {"/spec/description": Cause.DRIFT}),
    "conflict": ("two", "theirs", {"/spec/description": Cause.CONFLICT}),
    "both the same": ("two", "two", {}),
}


@pytest.mark.parametrize("what", SIDES)
def test_who_changed_what_is_told(zadig: World, ledger: MemoryLedger, what: str) -> None:
    desired, live, expected = SIDES[what]
    target = on(zadig, ledger)
    id_ = apply_one(target, plan(description="one", jobs=[text()])).id or ""
    zadig.sandbox.edit(id_, {"description": live})
    assert causes(target, plan(description=desired, jobs=[text()])) == expected


@pytest.mark.parametrize(
    ("drift", "state", "written"),
    [
        ("safe", "planning", True),
        ("safe", "finish_planning", False),
        ("correct", "finish_planning", True),
        ("report", "planning", False),
    ],
)
def test_drift_is_written_back_as_the_settings_say(
    zadig: World, ledger: MemoryLedger, drift: str, state: str, *, written: bool
) -> None:
    target = replace(on(zadig, ledger), drift=Drift(drift))
    wanted = plan(description="one", jobs=[text()], state=state)
    id_ = apply_one(target, wanted).id or ""
    zadig.sandbox.edit(id_, {"description": "theirs"})
    report = apply_one(target, wanted)
    held = zadig.named("train")[0]["description"]
    assert held == ("one" if written else "theirs")
    said = " ".join(report.change.notices)
    assert ("left as it is, /spec/description" in said) is not written
    assert record(ledger).spec["description"] == "one"


def test_drift_that_is_left_survives_an_edit_of_another_field(
    zadig: World, ledger: MemoryLedger
) -> None:
    target = on(zadig, ledger)
    first = plan(description="one", jobs=[text()], state="finish_planning")
    id_ = apply_one(target, first).id or ""
    zadig.sandbox.edit(id_, {"description": "theirs"})
    second = plan(description="one", jobs=[text(content="new")], state="finish_planning")
    assert apply_one(target, second).outcome is Outcome.APPLIED
    held = zadig.named("train")[0]
    assert (held["description"], held["jobs"][0]["spec"]["content"]) == ("theirs", "new")
    assert causes(target, second) == {"/spec/description": Cause.DRIFT}


def test_an_order_that_is_left_is_not_kept_otherwise(zadig: World, ledger: MemoryLedger) -> None:
    target = replace(on(zadig, ledger), drift=Drift.REPORT)
    id_ = apply_one(target, plan(jobs=[text("A"), text("B")])).id or ""
    zadig.sandbox.edit(id_, lambda held: held["jobs"].reverse())
    report = apply_one(target, plan(jobs=[text("A"), text("B"), text("C")]))
    assert report.outcome is Outcome.APPLIED
    assert "kept something else" not in " ".join(report.notices)
    assert [job["name"] for job in zadig.named("train")[0]["jobs"]] == ["B", "A", "C"]


def test_what_a_file_gives_up_and_takes_up_again_is_an_edit(
    zadig: World, ledger: MemoryLedger
) -> None:
    """Also while something else stays as somebody changed it on the server."""
    target = replace(on(zadig, ledger), drift=Drift.REPORT)
    both, one = plan(description="ours", jobs=[text()]), plan(jobs=[text()])
    id_ = apply_one(target, both).id or ""
    zadig.sandbox.edit(id_, lambda held: held["jobs"][0]["spec"].update(content="theirs"))
    left = {"/spec/jobs/text:Announce/spec/content": Cause.DRIFT}
    assert causes(target, one) == {**left, "/spec/description": Cause.RELEASED}
    assert apply_one(target, one).outcome is Outcome.UNCHANGED
    assert causes(target, one) == left
    zadig.sandbox.edit(id_, {"description": "theirs"})
    assert causes(target, both) == {**left, "/spec/description": Cause.EDIT}
    assert apply_one(target, both).outcome is Outcome.APPLIED
    assert zadig.named("train")[0]["description"] == "ours"
    assert causes(target, both) == left


def test_a_rename_is_an_update_of_the_same_plan(zadig: World, ledger: MemoryLedger) -> None:
    target = on(zadig, ledger)
    id_ = apply_one(target, plan(jobs=[text()])).id
    wanted = plan(jobs=[text()])
    report = apply_one(target, replace(wanted, spec=wanted.spec | {"name": "Train 2"}))
    assert (report.outcome, report.id) == (Outcome.APPLIED, id_)
    assert [one["name"] for one in zadig.sandbox.plans()] == ["Train 2"]


def test_a_plan_that_is_gone_is_made_again_only_if_somebody_says_so(
    zadig: World, ledger: MemoryLedger
) -> None:
    target, wanted = on(zadig, ledger), plan(jobs=[text()])
    id_ = apply_one(target, wanted).id or ""
    zadig.sandbox.remove_plan(id_)
    report = apply_one(target, wanted)
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"recreate"})
    assert f"the plan {id_} that was made of this file is gone" in why(report)
    again = apply_one(target, wanted, asked(recreate=1))
    assert again.outcome is Outcome.APPLIED
    assert record(ledger).id == again.id != id_


def test_a_plan_of_the_name_is_not_ours_unless_it_is_adopted(
    zadig: World, ledger: MemoryLedger
) -> None:
    id_ = zadig.plant("train")
    wanted = plan(jobs=[text()])
    assert guards(apply_one(on(zadig, ledger), wanted)) == {"adopt"}
    assert ledger.history == []
    by_name = kept(zadig.target(), ledger, MovingClock())
    assert apply_one(by_name, wanted).outcome is Outcome.UNCHANGED
    assert (record(ledger).id, ledger.history) == (id_, ["note prod: record train"])
    assert apply_one(on(zadig, ledger), wanted).outcome is Outcome.UNCHANGED


def test_a_goal_once_reached_is_not_walked_to_again(zadig: World, ledger: MemoryLedger) -> None:
    target = on(zadig, ledger)
    wanted = plan(state="wait_for_approval", approval=native("alice"), jobs=[text()])
    id_ = apply_one(target, wanted).id or ""
    zadig.sandbox.edit(id_, {"status": "planning"})
    since = len(zadig.writes())
    assert apply_one(target, wanted).outcome is Outcome.PARKED
    assert zadig.writes(since) == []
    moved = plan(state="executing", approval=native("alice"), jobs=[text()])
    assert apply_one(target, moved).outcome is Outcome.APPLIED
    assert zadig.named("train")[0]["status"] == "wait_for_approval"


def test_a_goal_that_was_met_when_it_was_declared_is_not_walked_to_later(
    zadig: World, ledger: MemoryLedger
) -> None:
    """Also where something is left as the server has it, so that not all of the file is applied."""
    target = replace(on(zadig, ledger), drift=Drift.REPORT)
    id_ = apply_one(target, plan(description="one", jobs=[text()])).id or ""
    zadig.sandbox.edit(id_, {"description": "theirs", "status": "finish_planning"})
    wanted = plan(state="finish_planning", description="one", jobs=[text()])
    assert apply_one(target, wanted).outcome is Outcome.UNCHANGED
    assert causes(target, wanted) == {"/spec/description": Cause.DRIFT}
    zadig.sandbox.edit(id_, {"status": "planning"})
    since = len(zadig.writes())
    assert apply_one(target, wanted).outcome is Outcome.PARKED
    assert zadig.writes(since) == []


@pytest.mark.parametrize(("drift", "held"), [("safe", "ours"), ("report", "theirs")])
def test_drift_is_written_back_where_the_plan_is_taken_back_anyway(
    zadig: World, ledger: MemoryLedger, drift: str, held: str
) -> None:
    target = replace(on(zadig, ledger), drift=Drift(drift))
    wanted = plan(
        state="wait_for_approval", approval=native("alice"), jobs=[text()], description="ours"
    )
    id_ = apply_one(target, wanted).id or ""
    zadig.sandbox.edit(id_, {"status": "denied", "description": "theirs"})
    report = apply_one(target, wanted)
    assert report.outcome is Outcome.PARKED
    assert "left as it is, /spec/description" in " ".join(report.change.notices)
    assert apply_one(target, wanted, asked(reopen=1)).outcome is Outcome.APPLIED
    (found,) = zadig.named("train")
    assert (found["status"], found["description"]) == ("wait_for_approval", held)


def test_a_goal_that_is_declared_anew_takes_up_a_stopped_plan(
    zadig: World, ledger: MemoryLedger
) -> None:
    target = on(zadig, ledger)
    wanted = plan(state="executing", approval=native("alice"), jobs=[text()])
    id_ = apply_one(target, wanted).id or ""
    zadig.sandbox.edit(id_, {"status": "denied"})
    assert apply_one(target, wanted).outcome is Outcome.PARKED
    again = plan(state="wait_for_approval", approval=native("alice"), jobs=[text()])
    assert apply_one(target, again).outcome is Outcome.APPLIED
    assert zadig.named("train")[0]["status"] == "wait_for_approval"


def test_what_the_server_keeps_otherwise_is_said_once_and_never_written_again(
    newest: World, ledger: MemoryLedger
) -> None:
    """A key that the build does not define is dropped by the server."""
    parameters: JSON = {"kv": [{"key": "UNKNOWN", "value": "1"}]}
    spec: JSON = {
        "workflow_key": "everything",
        "project_key": "shop",
        "inputs": [{"job_name": "plugin", "job_type": "plugin", "parameters": parameters}],
    }
    wanted = plan(jobs=[{"name": "Release", "type": "workflow", "spec": spec}])
    target = on(newest, ledger)
    report = apply_one(target, wanted)
    assert report.outcome is Outcome.APPLIED
    assert "the server kept something else in" in " ".join(report.notices)
    since = len(newest.writes())
    assert outcomes(applied(target, [wanted])) == {"train": Outcome.UNCHANGED}
    assert newest.writes(since) == []
    assert causes(target, wanted) == {}


def test_an_old_commit_takes_nothing_back(zadig: World, ledger: MemoryLedger) -> None:
    target = on(zadig, ledger)
    newer = replace(asked(), commit="a" * 40)
    apply_one(target, plan(description="new", jobs=[text()]), newer)
    older = replace(asked(), commit="b" * 40, descends=lambda commit: commit != "a" * 40)
    report = apply_one(target, plan(description="old", jobs=[text()]), older)
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"rewind"})
    allowed = replace(older, allow={"rewind": 1})
    assert apply_one(target, plan(description="old", jobs=[text()]), allowed).outcome is (
        Outcome.APPLIED
    )


DAMAGED = {
    "no JSON": b"\x00",
    "a newer format": b'{"format": 99}',
    "another key": b'{"format": 1, "key": "other"}',
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_record_leads_to_no_call(zadig: World, ledger: MemoryLedger, what: str) -> None:
    ledger.documents["plans/train.json"] = DAMAGED[what]
    ledger.history.append("forged")
    report = apply_one(on(zadig, ledger), plan(jobs=[text()]), asked(everything=True))
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"ledger"})
    assert zadig.writes() == []


def test_a_record_of_another_server_leads_to_no_call(zadig: World, ledger: MemoryLedger) -> None:
    target = on(zadig, ledger)
    apply_one(target, plan(jobs=[text()]))
    data = ledger.documents["plans/train.json"]
    ledger.documents["plans/train.json"] = data.replace(
        zadig.url.encode(), b"https://evil.example.com"
    )
    since = len(zadig.writes())
    report = apply_one(target, plan(description="x", jobs=[text()]), asked(everything=True))
    assert (guards(report), zadig.writes(since)) == ({"ledger"}, [])
    assert "https://evil.example.com" in why(report)


def test_a_secret_is_not_written_down(newest: World, ledger: MemoryLedger) -> None:
    pair: JSON = {"key": "channel", "value": "s3cr3t-value", "is_credential": True}
    spec: JSON = {
        "workflow_key": "everything",
        "project_key": "shop",
        "inputs": [{"job_name": "plugin", "job_type": "plugin", "parameters": {"kv": [pair]}}],
    }
    wanted = plan(jobs=[{"name": "Release", "type": "workflow", "spec": spec}])
    target = on(newest, ledger)
    assert apply_one(target, wanted).outcome is Outcome.APPLIED
    assert not any(b"s3cr3t" in data for data in ledger.documents.values())
    assert causes(target, wanted) == {}


def test_a_record_whose_plan_is_over_is_closed_when_its_file_goes(
    zadig: World, ledger: MemoryLedger
) -> None:
    target = on(zadig, ledger)
    ids = {
        one.change.key.name: one.id or ""
        for one in applied(target, [plan(name, jobs=[text()]) for name in "abc"]).changes
    }
    zadig.sandbox.edit(ids["a"], {"status": "success"})
    zadig.sandbox.remove_plan(ids["b"])
    applied(target, [plan("c", jobs=[text()])])
    assert sorted(ledger.load().records) == ["c"]
    assert len(zadig.writes()) == 6


def test_a_selection_closes_nothing(zadig: World, ledger: MemoryLedger) -> None:
    target = on(zadig, ledger)
    id_ = apply_one(target, plan("a", jobs=[text()])).id or ""
    zadig.sandbox.edit(id_, {"status": "success"})
    run = replace(asked(), selected=True)
    sight, changes = look(target, [], run)
    reconcile.apply(target, sight, changes, run)
    assert sorted(ledger.load().records) == ["a"]


def begun(ledger: MemoryLedger, **more: Any) -> None:
    """What a run left open that died while it made a plan."""
    intent = Intent(key="train", kind="ZadigReleasePlan", op="create", name="train", **more)
    path, data = intent_document(intent)
    ledger.write(ledger.tip, {path: data}, "begin", 0)


def test_two_records_of_one_plan_are_nobodys(zadig: World, ledger: MemoryLedger) -> None:
    target = on(zadig, ledger)
    apply_one(target, plan(jobs=[text()]))
    path, data = record_document(replace(record(ledger), key="other"))
    ledger.documents[path] = data
    since = len(zadig.sandbox.writes)
    report = applied(target, [plan(description="new", jobs=[text()])])
    assert outcomes(report) == {"other": Outcome.UNCHANGED, "train": Outcome.REFUSED}
    assert "the records of other and train name one plan" in why(report.changes[1])
    assert len(zadig.sandbox.writes) == since


def test_a_lost_plan_is_found_under_the_name_that_it_was_to_have(
    zadig: World, ledger: MemoryLedger
) -> None:
    """The file has been renamed since: that plan is renamed, and no other is made."""
    target = on(zadig, ledger)
    begun(ledger)
    zadig.plant("train", jobs=[])
    wanted = plan(jobs=[text()])
    renamed = replace(wanted, spec=wanted.spec | {"name": "Tram"})
    report = apply_one(target, renamed)
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"adopt"})
    report = apply_one(target, renamed, replace(asked(), earlier=lambda _: wanted))
    assert report.outcome is Outcome.APPLIED
    assert [one["name"] for one in zadig.sandbox.plans()] == ["Tram"]
    assert record(ledger).id == zadig.sandbox.plans()[0]["id"]


def test_two_lost_plans_of_a_file_that_is_gone_stay_open(
    zadig: World, ledger: MemoryLedger
) -> None:
    begun(ledger)
    zadig.plant("train", jobs=[])
    zadig.plant("train", jobs=[])
    applied(on(zadig, ledger), [plan("other", jobs=[text()])])
    before = list(ledger.history)
    applied(on(zadig, ledger), [plan("other", jobs=[text()])])
    assert ledger.history == before
    assert ledger.load().intents.keys() == {"train"}
    assert ledger.load().records.keys() == {"other"}


def test_what_was_left_open_is_not_closed_while_the_run_is_interrupted(
    zadig: World, ledger: MemoryLedger
) -> None:
    target = on(zadig, ledger)
    apply_one(target, plan(jobs=[text()]))
    begun(ledger)
    run = asked()
    sight, changes = look(target, [plan(jobs=[text()])], run)
    run.stop.set()
    reconcile.apply(target, sight, changes, run)
    assert ledger.load().intents.keys() == {"train"}


@pytest.mark.parametrize("ahead", [5 * 3600, 10**17])
def test_a_clock_that_was_ahead_is_not_waited_for(
    zadig: World, ledger: MemoryLedger, ahead: int
) -> None:
    """Whatever time an intent says: its call was sent before now, and takes so long at most."""
    clock = MovingClock()
    target = kept(zadig.target(by_name=False), ledger, clock)
    id_ = apply_one(target, plan(jobs=[text()])).id or ""
    begun = Intent(
        key="train",
        kind="ZadigReleasePlan",
        op="update",
        name="train",
        id=id_,
        at=clock.now() + ahead,
    )
    ledger.write(ledger.tip, dict([intent_document(begun)]), "begin", 1)
    before = clock.now()
    assert apply_one(target, plan(jobs=[text()])).outcome is Outcome.UNCHANGED
    assert clock.now() == before + 60
    assert not ledger.load().intents


def test_a_plan_that_is_made_again_is_not_made_twice(zadig: World, ledger: MemoryLedger) -> None:
    """The run that was allowed to died after the call; the record still names the old plan."""
    target = on(zadig, ledger)
    apply_one(target, plan(jobs=[text()]))
    zadig.sandbox.remove_plan(zadig.named("train")[0]["id"])
    begun(ledger, high_water=1)
    id_ = zadig.plant("train", jobs=[])
    report = apply_one(target, plan(jobs=[text()]), asked(recreate=1))
    assert report.outcome is Outcome.APPLIED
    assert [one["id"] for one in zadig.named("train")] == [id_]
    assert record(ledger).id == id_


def test_drift_that_is_left_stays_drift_when_only_the_state_moves(
    zadig: World, ledger: MemoryLedger
) -> None:
    target = replace(on(zadig, ledger), drift=Drift.REPORT)
    apply_one(target, plan(description="ours", jobs=[text()]))
    zadig.sandbox.edit(zadig.named("train")[0]["id"], {"description": "theirs"})
    wanted = plan(state="finish_planning", description="ours", jobs=[text()])
    assert apply_one(target, wanted).outcome is Outcome.APPLIED
    assert causes(target, wanted) == {"/spec/description": Cause.DRIFT}


def test_a_manager_whom_the_server_shows_by_another_name_is_no_conflict(
    zadig: World, ledger: MemoryLedger
) -> None:
    """Zadig may show a display name; who it was before is told by the id (zadig.md §5.2)."""
    target = on(zadig, ledger)
    apply_one(target, plan(manager="patrick", jobs=[text()]))
    zadig.sandbox.edit(zadig.named("train")[0]["id"], {"manager": "Patrick the Great"})
    wanted = plan(manager="alice", jobs=[text()])
    assert causes(target, wanted) == {"/spec/manager": Cause.EDIT}
    zadig.sandbox.edit(zadig.named("train")[0]["id"], {"manager": "Bob", "manager_id": UIDS["bob"]})
    assert causes(target, wanted) == {"/spec/manager": Cause.CONFLICT}


def test_a_name_that_another_plan_has_is_not_taken(zadig: World, ledger: MemoryLedger) -> None:
    target = on(zadig, ledger)
    apply_one(target, plan(jobs=[text()]))
    id_ = zadig.plant("Tram", jobs=[])
    wanted = plan(jobs=[text()])
    report = apply_one(target, replace(wanted, spec=wanted.spec | {"name": "Tram"}))
    assert guards(report) == {"ambiguous"}
    assert f"the name 'Tram' is taken by {id_}" in why(report)


def test_who_loses_the_lease_on_the_way_makes_no_more_calls_and_is_stale(
    zadig: World, ledger: MemoryLedger
) -> None:
    """Another run took over: what was not begun did not fail, and neither did what is half made."""
    clock = MovingClock()
    target = kept(zadig.target(by_name=False), ledger, clock)

    def taken_over() -> None:
        clock.slept.append(250)  # too little is left of the lease
        ledger.history.append("begin prod: by another run")

    fault = Fault("edit-after", path=f"{OPEN}", nth=2, method="POST", edit=taken_over)
    zadig.sandbox.faults.add(fault)
    names = ("a", "b", "c")
    plans = [plan(name, jobs=[text()], state="finish_planning") for name in names]
    report = applied(target, plans)
    assert outcomes(report) == {
        "a": Outcome.APPLIED,
        "b": Outcome.STALE,
        "c": Outcome.STALE,
    }
    told = "another run wrote into the ledger first; run again"
    assert [one.error for one in report.changes] == ["", told, told]
    assert [StepResult.DONE in one.results for one in report.changes] == [True, True, False]
    assert report.unrecorded == told
