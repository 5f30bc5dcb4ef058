"""What people stopped stays stopped; what a guard holds back is written in the routed order."""

from __future__ import annotations

from typing import Any

import pytest

from planops import reconcile
from planops.core.model import JSON, Plan
from planops.core.report import ChangeReport, Outcome, StepResult
from run.world import (
    INTERNAL,
    LATER,
    NOW,
    OPEN,
    SOON,
    UIDS,
    World,
    apply_one,
    asked,
    guards,
    held_native,
    held_text,
    look,
    native,
    plan,
    text,
    why,
)

STOPPED = (
    "cancel",
    "denied",
    "timeout",
    "wait_for_finish_planning_external_check_failed",
    "wait_for_execute_external_check_failed",
    "wait_for_all_done_external_check_failed",
)
CHECKS = (
    "wait_for_finish_planning_external_check",
    "wait_for_execute_external_check",
    "wait_for_all_done_external_check",
)
WINDOW: dict[str, Any] = {"start_time": SOON, "end_time": LATER}


def wanted(state: str | None = "wait_for_approval", **spec: Any) -> Plan:
    return plan(state=state, approval=native(), jobs=[text()], **WINDOW, **spec)


def stand(zadig: World, state: str, **more: Any) -> str:
    held = {"approval": held_native("admin"), "planning_time": 0, **WINDOW}
    return zadig.plant(status=state, **{**held, **more})


def called(zadig: World) -> list[str]:
    """The writes, in short: the verb and the status that was asked for."""
    short = {"PATCH": "write", "POST": "create"}
    return [
        path.rpartition("/")[2] if path.startswith(INTERNAL) else short[method]
        for method, path, _ in zadig.writes()
    ]


def said(report: ChangeReport) -> str:
    return " | ".join((*report.change.notices, *report.notices))


@pytest.mark.parametrize("state", STOPPED)
def test_a_plan_that_somebody_stopped_is_left_alone(zadig: World, state: str) -> None:
    stand(zadig, state)
    report = apply_one(zadig.target(), wanted())
    assert (report.outcome, zadig.writes()) == (Outcome.PARKED, [])
    assert f"the plan is in {state}, its goal is wait_for_approval" in said(report)
    helps = "left alone; --allow reopen takes it up again" in said(report)
    assert helps is (state != "cancel")


def test_a_plan_that_was_put_back_is_left_alone(zadig: World) -> None:
    stand(zadig, "planning", planning_time=NOW - 5)
    report = apply_one(zadig.target(), wanted())
    assert (report.outcome, zadig.writes()) == (Outcome.PARKED, [])
    assert "somebody stopped it or put it back" in said(report)


@pytest.mark.parametrize("state", [state for state in STOPPED if state != "cancel"])
def test_reopen_makes_exactly_the_routed_writes(zadig: World, state: str) -> None:
    stand(zadig, state)
    report = apply_one(zadig.target(), wanted(), asked(reopen=1))
    assert report.outcome is Outcome.APPLIED
    assert called(zadig) == ["planning", "finish_planning", "wait_for_approval"]
    assert zadig.named("train")[0]["status"] == "wait_for_approval"


def test_reopen_leads_on_a_plan_that_was_put_back(zadig: World) -> None:
    stand(zadig, "planning", planning_time=NOW - 5)
    assert apply_one(zadig.target(), wanted(), asked(reopen=1)).outcome is Outcome.APPLIED
    assert called(zadig) == ["finish_planning", "wait_for_approval"]


def test_reopen_is_counted(zadig: World) -> None:
    stand(zadig, "denied")
    stand(zadig, "denied", name="other")
    plans = [wanted(), plan("other", state="wait_for_approval", jobs=[text()], approval=native())]
    target = zadig.target()
    for allowed, steps in ((1, 0), (2, 6)):
        sight, changes = look(target, plans, asked(reopen=allowed))
        reconcile.apply(target, sight, changes, asked(reopen=allowed))
        assert len(zadig.writes()) == steps
        lifts = {one.lift for change in changes.changes for one in change.refusals}
        assert lifts == (set() if steps else {"--allow reopen=2"})


def test_cancelled_is_never_revived(zadig: World) -> None:
    stand(zadig, "cancel")
    report = apply_one(zadig.target(), wanted(), asked(everything=True))
    assert (report.outcome, zadig.writes()) == (Outcome.PARKED, [])


@pytest.mark.parametrize("state", ["cancel", "success"])
def test_a_finished_plan_is_never_written(zadig: World, state: str) -> None:
    stand(zadig, state)
    report = apply_one(zadig.target(), wanted(description="new"), asked(everything=True))
    assert (report.outcome, zadig.writes()) == (Outcome.REFUSED, [])
    assert "finished" in guards(report)
    assert "cannot be changed" in why(report)


@pytest.mark.parametrize("state", CHECKS)
def test_the_server_is_next_while_it_checks(zadig: World, state: str) -> None:
    stand(zadig, state)
    report = apply_one(zadig.target(), wanted(), asked(everything=True))
    assert (report.outcome, zadig.writes()) == (Outcome.PARKED, [])
    assert "the server is next" in said(report)


@pytest.mark.parametrize(
    ("description", "outcome"), [(None, Outcome.PARKED), ("new", Outcome.REFUSED)]
)
def test_a_state_that_nobody_knows_is_shown_and_left_alone(
    zadig: World, description: str | None, outcome: Outcome
) -> None:
    stand(zadig, "wait_for_godot")
    report = apply_one(zadig.target(), wanted(description=description), asked(everything=True))
    assert (report.outcome, zadig.writes()) == (outcome, [])
    assert "wait_for_godot" in said(report)


@pytest.mark.parametrize(
    ("state", "guard"),
    [
        ("wait_for_approval", "reopen"),
        ("denied", "reopen"),
        ("timeout", "reopen"),
        ("wait_for_execute_external_check", "reopen"),
        ("wait_for_all_done_external_check_failed", "reopen"),
        ("executing", "interrupt"),
    ],
)
@pytest.mark.parametrize("goal", [None, "planning", "wait_for_approval"])
def test_an_edit_goes_back_first_and_only_where_its_guard_is_lifted(
    zadig: World, state: str, guard: str, goal: str | None
) -> None:
    stand(zadig, state)
    file = wanted(goal, description="new")
    report = apply_one(zadig.target(), file)
    assert (report.outcome, zadig.writes()) == (Outcome.REFUSED, [])
    assert guard in guards(report)
    assert [step.request.method for step in report.change.steps][:2] == ["POST", "PATCH"]
    allow: dict[str, Any] = {guard: 1, "regress": 1}
    lifted = asked(**allow)
    assert apply_one(zadig.target(), file, lifted).outcome is Outcome.APPLIED
    onward = ["finish_planning", "wait_for_approval"] if goal == "wait_for_approval" else []
    assert called(zadig) == ["planning", "write", *onward]
    assert apply_one(zadig.target(), file).outcome in {Outcome.UNCHANGED, Outcome.PARKED}


@pytest.mark.parametrize("goal", [None, "planning", "finish_planning"])
def test_an_edit_leads_a_planned_plan_back(zadig: World, goal: str | None) -> None:
    stand(zadig, "finish_planning")
    report = apply_one(zadig.target(), wanted(goal, description="new"))
    assert report.outcome is Outcome.APPLIED
    assert called(zadig) == ["write", "finish_planning"]
    assert zadig.named("train")[0]["status"] == "finish_planning"


@pytest.mark.parametrize(
    "done",
    [
        {"status": "done"},
        {"last_status": "done"},
        {"status": "skipped"},
        {"last_status": "skipped"},
    ],
)
def test_a_done_job_runs_again_only_where_interrupt_is_lifted(
    zadig: World, done: dict[str, str]
) -> None:
    stand(zadig, "planning", jobs=[held_text(), held_text("Second", **done)])
    file = plan(description="new")
    report = apply_one(zadig.target(), file)
    assert (guards(report), zadig.writes()) == ({"interrupt"}, [])
    assert "what was already done would be done again: Second" in why(report)
    assert apply_one(zadig.target(), file, asked(interrupt=1)).outcome is Outcome.APPLIED
    assert called(zadig) == ["write"]


def test_the_executors_remark_is_theirs(zadig: World) -> None:
    job = held_text(remark="I did it", status="done")
    stand(zadig, "executing", jobs=[job, held_text("Second")])
    file = plan(state="executing", jobs=[text(remark="please"), text("Second")])
    report = apply_one(zadig.target(), file)
    assert (report.outcome, report.change.deltas, zadig.writes()) == (Outcome.PARKED, (), [])


@pytest.mark.parametrize(
    ("state", "guard"), [("wait_for_approval", set[str]()), ("executing", {"interrupt"})]
)
def test_cancel_as_a_goal_is_one_edge(zadig: World, state: str, guard: set[str]) -> None:
    stand(zadig, state)
    report = apply_one(zadig.target(), wanted("cancel"))
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"regress"} | guard)
    lifted = asked(regress=1, interrupt=1)
    assert apply_one(zadig.target(), wanted("cancel"), lifted).outcome is Outcome.APPLIED
    assert called(zadig) == ["cancel"]
    assert apply_one(zadig.target(), wanted("cancel")).outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("state", ["planning", "finish_planning", "success"])
def test_cancel_is_never_reached_through_other_states(zadig: World, state: str) -> None:
    stand(zadig, state)
    report = apply_one(zadig.target(), wanted("cancel"), asked(everything=True))
    assert (guards(report), zadig.writes()) == ({"lifecycle"}, [])
    says = "nothing leads from success" if state == "success" else "cannot be reached"
    assert says in why(report)


def test_nothing_goes_forward_after_the_window(zadig: World) -> None:
    past: dict[str, Any] = {"start_time": 1, "end_time": NOW - 1}
    file = plan(state="finish_planning", jobs=[text()], **past)
    report = apply_one(zadig.target(), file)
    assert (guards(report), zadig.writes()) == ({"past"}, [])
    zadig.plant(**past)
    report = apply_one(zadig.target(), file)
    assert (guards(report), zadig.writes()) == ({"past"}, [])
    assert apply_one(zadig.target(), file, asked(past=1)).outcome is Outcome.APPLIED


def test_people_and_the_server_are_waited_for(zadig: World) -> None:
    file = wanted("success")
    report = apply_one(zadig.target(), file)
    assert report.outcome is Outcome.APPLIED
    assert "an approver is next" in said(report)
    assert apply_one(zadig.target(), file).outcome is Outcome.PARKED
    made = report.id or ""
    assert zadig.visitor.inside(f"POST /{made}/approve", {"approve": True}).status == 200
    report = apply_one(zadig.target(), file)
    assert report.outcome is Outcome.PARKED
    assert "the server is next" in said(report)
    assert called(zadig)[-1] == "approve"


def test_an_approval_is_not_weakened_without_saying_so(zadig: World) -> None:
    weaker: list[JSON] = [native("alice"), native("admin", "alice"), {"enabled": False}, None]
    for approval in weaker:
        zadig.sandbox.reset()
        stand(zadig, "planning")
        report = apply_one(zadig.target(), plan(approval=approval))
        assert (guards(report), zadig.writes()) == ({"weaken"}, [])
        assert apply_one(zadig.target(), plan(approval=approval), asked(weaken=1)).error == ""
        assert called(zadig) == ["write"]
        assert apply_one(zadig.target(), plan(approval=approval)).outcome is Outcome.UNCHANGED


def group() -> JSON:
    native_part: JSON = {
        "needed_approvers": 1,
        "approve_users": [{"type": "group", "group_id": "approvers", "group_name": "Approvers"}],
    }
    return {"enabled": True, "type": "native", "native_approval": native_part}


def denied_by_group(zadig: World) -> Plan:
    """A plan whose approvers are a group, one of whom has said no."""
    file = plan(state="wait_for_approval", jobs=[text()], approval=group())
    made = apply_one(zadig.target(), file).id or ""
    vote = zadig.visitor.inside(f"POST /{made}/approve", {"approve": False}, who="alice")
    assert vote.status == 200
    return file


def test_a_group_that_a_vote_flattened_is_not_compared(zadig: World) -> None:
    file = denied_by_group(zadig)
    since = len(zadig.writes())
    report = apply_one(zadig.target(), file)
    assert report.outcome is Outcome.PARKED
    assert [delta.cause.value for delta in report.change.deltas] == ["unknown"]
    assert len(zadig.writes()) == since


def test_reopening_what_a_group_denied_asks_the_group_again(zadig: World) -> None:
    file = denied_by_group(zadig)
    report = apply_one(zadig.target(), file, asked(everything=True))
    assert (report.outcome, report.error) == (Outcome.APPLIED, "")
    held = zadig.named("train")[0]
    assert held["status"] == "wait_for_approval"
    users = held["approval"]["native_approval"]["approve_users"]
    assert [user["type"] for user in users] == ["group"]
    assert set(report.results) == {StepResult.DONE}


def test_reopening_a_plan_with_a_done_job(zadig: World) -> None:
    job = held_text(remark="I did it", status="done", last_status="done")
    stand(zadig, "timeout", approval=None, jobs=[job, held_text("Second")])
    file = plan(state="executing", **WINDOW, jobs=[text(remark="please"), text("Second")])
    report = apply_one(zadig.target(), file, asked(everything=True))
    assert (report.outcome, report.error) == (Outcome.APPLIED, "")
    assert zadig.named("train")[0]["status"] == "executing"


def test_ignored_fields_keep_the_value_of_the_server(zadig: World) -> None:
    stand(zadig, "planning", manager="bob", manager_id=UIDS["bob"], description="theirs")
    file = plan(
        ignore=("/spec/description", "/spec/manager"), description="ours", jobs=[text(content="x")]
    )
    assert apply_one(zadig.target(), file).outcome is Outcome.APPLIED
    held = zadig.named("train")[0]
    assert (held["description"], held["manager_id"]) == ("theirs", UIDS["bob"])
    assert zadig.writes()[0][1].startswith(OPEN)


# --------------------------------------------------------------------- what the status does not say


HAPPENED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a success with failed jobs": (
        "success",
        {"jobs": [held_text("A", status="done"), held_text("B", status="failed")]},
        "the plan is in success, and jobs of it failed: B",
    ),
    "an execution with failed jobs": (
        "executing",
        {"jobs": [held_text("A", status="failed"), held_text("B", status="failed")]},
        "the plan is in executing, and jobs of it failed: A, B",
    ),
    "an approval that was cancelled elsewhere": (
        "wait_for_approval",
        {"approval": held_native("admin", status="cancelled")},
        "its approval was cancelled in the messenger, so that nobody is asked any more",
    ),
    "a failed check": (
        "wait_for_execute_external_check_failed",
        {"external_check_failed_reason": "change freeze"},
        "the external check failed: change freeze",
    ),
}


@pytest.mark.parametrize("what", HAPPENED)
def test_what_the_status_does_not_say_is_said(zadig: World, what: str) -> None:
    state, held, says = HAPPENED[what]
    stand(zadig, state, **held)
    report = apply_one(zadig.target(), plan(state="executing"))
    assert (says in said(report), zadig.writes()) == (True, [])
    assert report.outcome in {Outcome.UNCHANGED, Outcome.PARKED}


@pytest.mark.parametrize("state", ["planning", "finish_planning", "denied"])
def test_what_did_not_happen_is_not_said(zadig: World, state: str) -> None:
    stand(
        zadig,
        state,
        jobs=[held_text(status="failed")],
        external_check_failed_reason="old",
        approval=held_native("admin", status="cancelled"),
    )
    report = apply_one(zadig.target(), plan(state=state if state != "denied" else "planning"))
    assert "failed" not in said(report)
    assert "cancelled" not in said(report)
