"""The state machine: transitions, guards, effects, hooks (docs/servers/zadig.md §7)."""

from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.visits import MOMENT
from planops.sandbox.zadig import Fault
from planops.sandbox.zadig.visitor import Visitor, visiting


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


TEXT = {"name": "Notes", "type": "text"}
WORKFLOW = {"name": "Roll", "type": "workflow", "spec": {"workflow_key": "deploy"}}
CHECKS = [
    f"wait_for_{stage}_external_check{failed}"
    for stage in ("finish_planning", "execute", "all_done")
    for failed in ("", "_failed")
]
STATUSES = [
    "planning",
    "finish_planning",
    "wait_for_approval",
    "executing",
    "success",
    "denied",
    "timeout",
    "cancel",
    *CHECKS,
]
ALLOWED = {
    "planning": {"finish_planning"},
    "finish_planning": {"planning", "wait_for_approval", "executing", CHECKS[0], CHECKS[2]},
    "wait_for_approval": {"planning", "executing", "cancel", CHECKS[4]},
    "executing": {"planning", "success", "cancel", CHECKS[2]},
    "success": set(),
    "cancel": set(),
}
APPROVAL = {
    "enabled": True,
    "type": "native",
    "native_approval": {"needed_approvers": 1, "approve_users": [{"user_id": "u1"}]},
}
MISFIT = "unmarshal task error: json: cannot unmarshal"
HOOK = {"enable": True, "enable_call_back": True, "hook_address": "", "hook_secret": ""}


def planned(zadig: Visitor, **given: Any) -> str:
    plan = zadig.create()
    assert zadig.update(plan, **{"jobs": [TEXT], **given}).status == 200
    return plan


@pytest.mark.parametrize("status", STATUSES)
def test_table_of_transitions(zadig: Visitor, status: str) -> None:
    plan = planned(zadig, approval={**APPROVAL, "status": "passed"})
    fresh = zadig.sandbox.plan(plan)
    reached = set()
    for target in STATUSES:
        zadig.sandbox.edit(plan, {**fresh, "status": status})
        reply = zadig.move(plan, target)
        if reply.status == 200:
            reached.add(target)
        elif target != status:
            assert reply.error == (500, f"can't convert plan status {status} to {target}")
    assert reached == ALLOWED.get(status, {"planning", "cancel"})


def test_same_status_is_refused_first(zadig: Visitor) -> None:
    reply = zadig.move(planned(zadig), "planning", who="bob")
    assert reply.error == (500, "current status can not equal to target status planning")


def test_only_the_manager_or_an_administrator(zadig: Visitor) -> None:
    plan = planned(zadig)
    expected = (500, "only manager can update plan status")
    assert zadig.move(plan, "nonsense", who="alice").error == expected
    assert zadig.move(plan, "finish_planning", who="patrick").status == 200
    assert zadig.move(plan, "planning", who="admin").status == 200


def test_unknown_target(zadig: Visitor) -> None:
    reply = zadig.move(planned(zadig), "done")
    assert reply.error == (500, "can't convert plan status planning to done")


def test_status_needs_the_hook_setting(zadig: Visitor) -> None:
    zadig.sandbox.forget_hook_setting()
    assert zadig.move(planned(zadig), "finish_planning").error == (
        500,
        "failed get release plan hook setting, err: mongo: no documents in result",
    )


def test_a_plan_without_jobs_stays_in_planning(zadig: Visitor) -> None:
    reply = zadig.move(zadig.create(), "finish_planning")
    assert reply.error == (500, "plan must not have no jobs")


def test_unknown_plan(zadig: Visitor) -> None:
    reply = zadig.move("0" * 24, "planning")
    assert reply.error == (500, "get plan: mongo: no documents in result")


def test_finish_planning_sets_its_times(zadig: Visitor) -> None:
    plan = planned(zadig)
    zadig.move(plan, "finish_planning")
    read = zadig.get(plan)
    assert (read["planning_time"], read["finish_planning_time"]) == (MOMENT, MOMENT)


@pytest.mark.parametrize(
    ("job", "description"),
    [
        ({"type": "shell"}, "invalid release job type: shell"),
        ({"type": "workflow", "spec": {}}, "workflow cannot be empty"),
        ({"type": "workflow", "spec": None}, "workflow cannot be empty"),
        ({"type": "workflow", "spec": {"workflow": None}}, "workflow cannot be empty"),
        (
            {"type": "workflow", "spec": {"workflow": 7}},
            (
                f"invalid workflow spec: {MISFIT} number into Go struct field "
                "WorkflowReleaseJobSpec.workflow of type models.WorkflowV4"
            ),
        ),
        (
            {"type": "workflow", "spec": {"workflow": {"name": True}}},
            (
                f"invalid workflow spec: {MISFIT} bool into Go struct field "
                "WorkflowV4.workflow.name of type string"
            ),
        ),
        (
            {"type": "workflow", "spec": {"workflow": {"stages": {}}}},
            (
                f"invalid workflow spec: {MISFIT} object into Go struct field "
                "WorkflowV4.workflow.stages of type []*models.WorkflowStage"
            ),
        ),
        (
            {"type": "workflow", "spec": {"workflow": {}, "task_id": "1"}},
            (
                f"invalid workflow spec: {MISFIT} string into Go struct field "
                "WorkflowReleaseJobSpec.task_id of type int64"
            ),
        ),
        (
            {"type": "text", "spec": {"content": 7}},
            (
                f"invalid text spec: {MISFIT} number into Go struct field "
                "TextReleaseJobSpec.content of type string"
            ),
        ),
        (
            {"type": "text", "spec": "Do it"},
            f"invalid text spec: {MISFIT} string into Go value of type models.TextReleaseJobSpec",
        ),
    ],
)
def test_jobs_are_checked_at_finish_planning(
    zadig: Visitor, job: dict[str, Any], description: str
) -> None:
    plan = planned(zadig)
    zadig.sandbox.edit(plan, {"jobs": [job]})
    reply = zadig.move(plan, "finish_planning")
    assert reply.error == (500, f"failed to lint release job, err: {description}")


@pytest.mark.parametrize(
    "job",
    [
        {"type": "text", "spec": None},
        {"type": "text", "spec": {"content": None, "other": 7}},
        {"type": "workflow", "spec": {"workflow": {}}},
        {"type": "workflow", "spec": {"workflow": {"other": 7}}},
    ],
)
def test_what_passes_the_check_of_jobs(zadig: Visitor, job: dict[str, Any]) -> None:
    plan = zadig.create()
    assert zadig.edit(plan, "create_release_job", {"name": "j", **job}).status == 200
    assert zadig.move(plan, "finish_planning").status == 200


def test_an_empty_workflow_is_one_that_is_gone(zadig: Visitor) -> None:
    plan = zadig.create()
    job = {"name": "Empty", "type": "workflow", "spec": {"workflow": {}}}
    zadig.edit(plan, "create_release_job", job)
    assert zadig.move(plan, "finish_planning", "executing").status == 200
    given = {"id": zadig.get(plan)["jobs"][0]["id"], "name": "Empty", "type": "workflow"}
    gone = "cannot find workflow []'s latest setting, error: mongo: no documents in result"
    assert zadig.inside(f"POST /{plan}/execute", given).error == (
        500,
        (
            "execute: cannot merge workflow 's input with the latest workflow settings, "
            f"the error is: {gone}"
        ),
    )
    assert zadig.inside(f"GET /{plan}/job/{given['id']}").error == (400, gone)


def test_a_workflow_that_does_not_fit_is_not_shown(zadig: Visitor) -> None:
    plan = zadig.create()
    job = {"name": "Bad", "type": "workflow", "spec": {"workflow": 7}}
    zadig.edit(plan, "create_release_job", job)
    shown = zadig.inside(f"GET /{plan}/job/{zadig.get(plan)['jobs'][0]['id']}")
    assert shown.error == (
        500,
        (
            f"invalid spec for job: Bad. decode error: {MISFIT} number into Go struct field "
            "WorkflowReleaseJobSpec.workflow of type models.WorkflowV4"
        ),
    )


def test_approval_wants_one(zadig: Visitor) -> None:
    reply = zadig.move(planned(zadig), "finish_planning", "wait_for_approval")
    assert reply.error == (500, "clear approval data: nil approval")


def test_asking_for_approval_makes_an_instance_and_clears_the_status(zadig: Visitor) -> None:
    plan = planned(zadig, approval={**APPROVAL, "enabled": False, "status": "passed"})
    zadig.move(plan, "finish_planning", "wait_for_approval")
    approval = zadig.get(plan)["approval"]
    assert approval["status"] == ""
    assert len(approval["native_approval"]["instance_code"]) == 36


def test_execution_needs_the_approval(zadig: Visitor) -> None:
    reply = zadig.move(planned(zadig, approval=APPROVAL), "finish_planning", "executing")
    assert reply.error == (500, "approval status is , can not execute")


def test_disabled_approval_does_not_hold_execution_up(zadig: Visitor) -> None:
    plan = planned(zadig, approval={**APPROVAL, "enabled": False})
    assert zadig.move(plan, "finish_planning", "executing").status == 200
    assert zadig.get(plan)["executing_time"] == MOMENT


def test_entering_execution_keeps_what_was_done_and_not_updated(zadig: Visitor) -> None:
    plan = planned(zadig, jobs=[{**TEXT, "name": name} for name in "abc"])

    def ran(document: dict[str, Any]) -> None:
        first, second, third = document["jobs"]
        first |= {"last_status": "done", "executed_by": "x"}
        second |= {"last_status": "done", "updated": True, "executed_by": "x"}
        third |= {"last_status": "skipped", "executed_by": "x", "executed_time": 9}

    zadig.sandbox.edit(plan, ran)
    zadig.move(plan, "finish_planning", "executing")
    jobs = zadig.get(plan)["jobs"]
    assert [job["status"] for job in jobs] == ["done", "todo", "todo"]
    assert [job["executed_by"] for job in jobs] == ["x", "", ""]


def test_return_to_planning_resets_times_and_jobs(zadig: Visitor) -> None:
    plan = planned(zadig, jobs=[WORKFLOW])
    zadig.move(plan, "finish_planning", "executing")
    job = zadig.sandbox.plan(plan)["jobs"][0]["id"]
    zadig.inside(f"POST /{plan}/execute", {"id": job, "type": "workflow"})
    zadig.sandbox.clock.advance(5)
    zadig.move(plan, "planning")
    read = zadig.get(plan)
    assert (read["planning_time"], read["executing_time"]) == (MOMENT + 5, 0)
    assert read["finish_planning_time"] == 0
    assert len(read["instance_code"]) == 16
    assert read["hook_settings"] == {"enable": False, "enable_call_back": False, "hook_events": []}
    kept = ("status", "last_status", "updated", "executed_by", "executed_time")
    assert [read["jobs"][0][key] for key in kept] == ["todo", "todo", False, "", 0]
    assert "task_id" not in read["jobs"][0]["spec"]


def test_status_changes_do_not_raise_the_version(zadig: Visitor) -> None:
    plan = planned(zadig)
    before = zadig.get(plan)["version"]
    zadig.move(plan, "finish_planning", "executing", "planning")
    assert zadig.get(plan)["version"] == before


def test_success_by_hand_has_no_time(zadig: Visitor) -> None:
    plan = planned(zadig)
    zadig.move(plan, "finish_planning", "executing", "success")
    read = zadig.get(plan)
    assert (read["status"], read["success_time"]) == ("success", 0)
    assert read["jobs"][0]["status"] == "todo"


def test_cancel_is_out_of_reach_before_execution(zadig: Visitor) -> None:
    plan = planned(zadig)
    assert zadig.move(plan, "cancel").status == 500
    assert zadig.move(plan, "finish_planning", "cancel").status == 500
    assert zadig.move(plan, "executing", "cancel").status == 200


@pytest.mark.parametrize(
    ("status", "patch", "put"),
    [
        ("planning", 200, 200),
        ("finish_planning", 200, 500),
        ("denied", 200, 500),
        ("timeout", 200, 500),
        (CHECKS[0], 200, 500),
        ("wait_for_approval", 500, 500),
        ("executing", 500, 500),
        ("success", 500, 500),
        ("cancel", 200, 500),
    ],
)
def test_what_may_be_edited_when(zadig: Visitor, status: str, patch: int, put: int) -> None:
    plan = planned(zadig)
    zadig.sandbox.edit(plan, {"status": status})
    assert zadig.edit(plan, "update_description", {"description": "d"}).status == put
    assert zadig.update(plan).status == patch


def hooked(zadig: Visitor, *events: str, **given: Any) -> tuple[str, str]:
    assert zadig.inside("PUT /hook/setting", {**HOOK, "hook_events": list(events)}).status == 200
    plan = planned(zadig, **given)
    zadig.edit(plan, "update_description", {"description": "hooked"})
    return plan, str(zadig.get(plan)["instance_code"])


def call_back(zadig: Visitor, plan: str, code: str, event: str, result: str) -> tuple[int, str]:
    body = {
        "release_plan_id": plan,
        "instance_code": code,
        "hook_event": event,
        "result": result,
        "failed_reason": "because",
        "description": "seen",
    }
    return zadig.inside("POST /hook/callback", body).error


def test_hook_setting_round_trip(zadig: Visitor) -> None:
    setting = {**HOOK, "hook_events": ["start_execute"]}
    zadig.inside("PUT /hook/setting", setting)
    zadig.sandbox.permit("bob", [])
    assert zadig.inside("GET /hook/setting", who="bob").json == setting
    assert zadig.inside("PUT /hook/setting", setting, who="patrick").status == 403


def test_documented_plans_have_no_hooks(zadig: Visitor) -> None:
    zadig.inside("PUT /hook/setting", {**HOOK, "hook_events": ["finish_planning"]})
    plan = planned(zadig)
    zadig.move(plan, "finish_planning")
    assert zadig.get(plan)["status"] == "finish_planning"


def test_finish_planning_may_wait_and_go_straight_on(zadig: Visitor) -> None:
    plan, code = hooked(zadig, "finish_planning")
    zadig.move(plan, "finish_planning")
    read = zadig.get(plan)
    assert (read["status"], read["finish_planning_time"]) == (CHECKS[0], 0)
    call_back(zadig, plan, code, "finish_planning", "executing")
    assert zadig.get(plan)["callback_description"] == "seen"
    call_back(zadig, plan, code, "finish_planning", "success")
    read = zadig.get(plan)
    assert (read["status"], read["executing_time"]) == ("executing", MOMENT)
    assert read["wait_for_finish_planning_external_check_time"] == MOMENT


def test_finish_planning_with_an_approval_stops_there(zadig: Visitor) -> None:
    plan, code = hooked(zadig, "finish_planning", approval=APPROVAL)
    zadig.move(plan, "finish_planning")
    call_back(zadig, plan, code, "finish_planning", "success")
    assert zadig.get(plan)["status"] == "finish_planning"


def test_execution_may_wait(zadig: Visitor) -> None:
    plan, code = hooked(zadig, "start_execute")
    zadig.move(plan, "finish_planning", "executing")
    assert zadig.get(plan)["status"] == CHECKS[2]
    call_back(zadig, plan, code, "start_execute", "success")
    assert zadig.get(plan)["status"] == "executing"


def test_success_may_wait(zadig: Visitor) -> None:
    plan, code = hooked(zadig, "all_job_done")
    zadig.move(plan, "finish_planning", "executing")
    job = zadig.get(plan)["jobs"][0]["id"]
    zadig.inside(f"POST /{plan}/execute", {"id": job, "type": "text"})
    assert zadig.get(plan)["status"] == CHECKS[4]
    call_back(zadig, plan, code, "all_job_done", "success")
    assert zadig.get(plan)["success_time"] == MOMENT


def test_failed_check(zadig: Visitor) -> None:
    plan, code = hooked(zadig, "finish_planning")
    zadig.move(plan, "finish_planning")
    call_back(zadig, plan, code, "finish_planning", "failed")
    read = zadig.get(plan)
    assert (read["status"], read["external_check_failed_reason"]) == (CHECKS[1], "because")


def test_callback_must_fit(zadig: Visitor) -> None:
    plan, code = hooked(zadig, "finish_planning")
    assert call_back(zadig, "0" * 24, code, "finish_planning", "success")[1] == (
        f"failed get release plan, id: {'0' * 24}, err: mongo: no documents in result"
    )
    assert call_back(zadig, plan, "other", "finish_planning", "success")[1] == (
        "release plan instance code is not correct, name: Train, "
        f"instance code: other, expected: {code}"
    )
    assert call_back(zadig, plan, code, "finish_planning", "success")[1] == (
        "release plan's status is not correct, status: planning"
    )
    zadig.move(plan, "finish_planning")
    assert call_back(zadig, plan, code, "finish_planning", "perhaps")[1] == (
        "release plan callback result is not correct, result: perhaps"
    )


def test_callbacks_are_ignored_when_hooks_are_off(zadig: Visitor) -> None:
    plan, _ = hooked(zadig, "finish_planning")
    zadig.inside("PUT /hook/setting", {**HOOK, "enable": False})
    assert call_back(zadig, plan, "other", "finish_planning", "success")[0] == 200


def test_guards_come_in_order(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.sandbox.forget_hook_setting()
    zadig.sandbox.faults.add(Fault("user-service-down", nth=None))
    seen = [zadig.move(plan, "done").error[1], zadig.move(plan, "finish_planning").error[1]]
    zadig.sandbox.faults.clear()
    seen.append(zadig.move(plan, "finish_planning").error[1])
    zadig.inside("PUT /hook/setting", {})
    seen.append(zadig.move(plan, "finish_planning").error[1])
    assert [text.split(":")[0] for text in seen] == [
        "can't convert plan status planning to done",
        "get user",
        "failed get release plan hook setting, err",
        "plan must not have no jobs",
    ]


def test_cancel_changes_the_status_alone(zadig: Visitor) -> None:
    plan = planned(zadig)
    zadig.move(plan, "finish_planning", "executing")
    before = zadig.get(plan)
    zadig.sandbox.clock.advance(5)
    zadig.move(plan, "cancel")
    assert zadig.get(plan) == {**before, "status": "cancel"}


def test_a_vote_may_wait(zadig: Visitor) -> None:
    uid = "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0001"
    native = {"needed_approvers": 1, "approve_users": [{"user_id": uid}]}
    approval = {**APPROVAL, "native_approval": native}
    plan, code = hooked(zadig, "start_execute", approval=approval)
    zadig.move(plan, "finish_planning", "wait_for_approval")
    zadig.inside(f"POST /{plan}/approve", {"approve": True}, who="patrick")
    read = zadig.get(plan)
    assert (read["status"], read["approval"]["status"]) == (CHECKS[2], "passed")
    call_back(zadig, plan, code, "start_execute", "success")
    assert zadig.get(plan)["status"] == "executing"


def test_a_callback_does_not_stand_in_for_an_approval(zadig: Visitor) -> None:
    plan, code = hooked(zadig, "start_execute", approval=APPROVAL)
    zadig.move(plan, "finish_planning", CHECKS[2])
    assert call_back(zadig, plan, code, "start_execute", "success") == (
        500,
        "approval status is , can not execute",
    )
    assert zadig.get(plan)["status"] == CHECKS[2]


@pytest.mark.parametrize(
    ("event", "before", "waiting"),
    [("start_execute", ["executing"], CHECKS[2]), ("all_job_done", ["executing"], CHECKS[4])],
)
def test_every_check_may_fail(zadig: Visitor, event: str, before: list[str], waiting: str) -> None:
    plan, code = hooked(zadig, event)
    zadig.move(plan, "finish_planning", *before)
    if event == "all_job_done":
        job = zadig.get(plan)["jobs"][0]["id"]
        zadig.inside(f"POST /{plan}/skip", {"id": job, "type": "text"})
    assert zadig.get(plan)["status"] == waiting
    call_back(zadig, plan, code, event, "failed")
    read = zadig.get(plan)
    assert (read["status"], read["external_check_failed_reason"]) == (
        f"{waiting}_failed",
        "because",
    )
