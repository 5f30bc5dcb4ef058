"""Updating plans: a replacement in disguise (docs/servers/zadig.md §4)."""

from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.visits import MOMENT
from planops.sandbox.zadig import User
from planops.sandbox.zadig.visitor import Visitor, visiting


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


PATRICK = "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0001"
ALICE = "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0002"
CLOSED = "release plan status is success, executing or wait for approve, can't update"
TEXT = {"name": "Notes", "type": "text", "spec": {"content": "Hello", "remark": "abc"}}
APPROVAL = {
    "enabled": True,
    "type": "native",
    "native_approval": {"needed_approvers": 1, "approve_users": [{"user_id": "u1"}]},
}
FULL: dict[str, Any] = {
    "description": "text",
    "start_time": 10,
    "end_time": 20,
    "schedule_execute_time": 15,
    "approval": APPROVAL,
    "jobs": [TEXT],
}


@pytest.fixture
def full(zadig: Visitor) -> str:
    plan = zadig.create()
    assert zadig.update(plan, **FULL).status == 200
    return plan


@pytest.mark.parametrize("given", [{"name": ""}, {"manager": None}])
def test_name_and_manager_are_always_required(
    zadig: Visitor, full: str, given: dict[str, Any]
) -> None:
    assert zadig.update(full, **given).error == (500, "Required parameters are missing")


def test_omitted_description_becomes_empty(zadig: Visitor, full: str) -> None:
    zadig.update(full)
    assert zadig.get(full)["description"] == ""


def test_omitted_times_become_zero(zadig: Visitor, full: str) -> None:
    zadig.update(full)
    plan = zadig.get(full)
    assert [plan[key] for key in ("start_time", "end_time", "schedule_execute_time")] == [0, 0, 0]


@pytest.mark.parametrize("given", [{}, {"approval": None}])
def test_omitted_approval_is_removed(zadig: Visitor, full: str, given: dict[str, Any]) -> None:
    zadig.update(full, **given)
    assert "approval" not in zadig.get(full)


def test_empty_approval_is_stored_disabled(zadig: Visitor, full: str) -> None:
    zadig.update(full, approval={})
    assert zadig.get(full)["approval"] == {
        "enabled": False,
        "status": "",
        "type": "",
        "description": "",
    }


@pytest.mark.parametrize("given", [{}, {"jobs": None}, {"jobs": []}])
def test_omitted_jobs_are_deleted(zadig: Visitor, full: str, given: dict[str, Any]) -> None:
    zadig.update(full, **given)
    assert zadig.get(full)["jobs"] == []


def test_what_an_update_leaves_alone(zadig: Visitor, full: str) -> None:
    kept = {
        "jira_sprint_association": {"jira_id": "j"},
        "hook_settings": {"enable": False, "enable_call_back": False, "hook_events": []},
        "instance_code": "0123456789abcdef",
        "planning_time": 4,
        "finish_planning_time": 5,
        "approval_time": 6,
        "executing_time": 7,
        "success_time": 8,
        "wait_for_finish_planning_external_check_time": 9,
        "wait_for_approve_external_check_time": 10,
        "wait_for_execute_external_check_time": 11,
        "wait_for_all_done_external_check_time": 12,
        "external_check_failed_reason": "why",
        "callback_description": "seen",
        "approver_id": "someone",
    }
    zadig.sandbox.edit(full, kept)
    before = zadig.get(full)
    zadig.update(full)
    after = zadig.get(full)
    untouched = [*kept, "index", "created_by", "create_time"]
    assert {key: after[key] for key in untouched} == {key: before[key] for key in untouched}


def test_what_an_update_always_changes(zadig: Visitor, full: str) -> None:
    before = zadig.get(full)
    zadig.sandbox.clock.advance(60)
    zadig.update(full, who="alice", **FULL)
    after = zadig.get(full)
    assert after["version"] == before["version"] + 1
    assert (after["updated_by"], after["update_time"]) == ("Alice", MOMENT + 60)
    assert after["jobs"] == before["jobs"]


@pytest.mark.parametrize("status", ["success", "executing", "wait_for_approval"])
def test_closed_statuses_refuse(zadig: Visitor, full: str, status: str) -> None:
    zadig.sandbox.edit(full, {"status": status})
    assert zadig.update(full).error == (500, CLOSED)


@pytest.mark.parametrize(
    "status",
    [
        "planning",
        "finish_planning",
        "denied",
        "timeout",
        "cancel",
        "wait_for_finish_planning_external_check",
        "wait_for_execute_external_check_failed",
        "wait_for_all_done_external_check",
    ],
)
def test_open_statuses_fall_back_to_planning(zadig: Visitor, full: str, status: str) -> None:
    zadig.sandbox.edit(full, {"status": status})
    assert zadig.update(full).status == 200
    assert zadig.get(full)["status"] == "planning"


def test_checks_come_in_order(zadig: Visitor, full: str) -> None:
    zadig.sandbox.edit(full, {"status": "success"})
    seen = [zadig.update("0" * 24, name="").error[1], zadig.update(full, name="").error[1]]
    bad: dict[str, Any] = {"start_time": 6, "end_time": 5, "manager": "nobody"}
    seen.append(zadig.update(full, **bad).error[1])
    zadig.sandbox.edit(full, {"status": "planning"})
    seen.append(zadig.update(full, **bad).error[1])
    seen.append(zadig.update(full, manager="nobody", approval={"enabled": True}).error[1])
    jobs = [{"type": "text", "spec": 7}]
    seen.append(zadig.update(full, approval={"enabled": True}, jobs=jobs).error[1])
    seen.append(zadig.update(full, jobs=jobs).error[1].split(":")[0])
    assert seen == [
        "get release plan error: mongo: no documents in result",
        "Required parameters are missing",
        CLOSED,
        "lint release time range error: start time should not be greater than end time",
        "User nobody not found",
        "lintApproval error: invalid approval type ",
        "invalid spec",
    ]


def test_a_failed_update_changes_nothing(zadig: Visitor, full: str) -> None:
    before = zadig.sandbox.plan(full)
    jobs = [TEXT, {"name": "w", "type": "workflow", "spec": {"workflow_key": "absent"}}]
    assert zadig.update(full, description="new", jobs=jobs).status == 400
    assert zadig.sandbox.plan(full) == before
    assert not zadig.sandbox.writes[-1].committed


def test_job_ids_survive_by_type_and_name_first_come_first_served(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan, jobs=[TEXT, {**TEXT, "name": "Other"}, TEXT])
    first, other, second = (job["id"] for job in zadig.get(plan)["jobs"])
    zadig.update(plan, jobs=[TEXT, {**TEXT, "name": "New"}, TEXT, TEXT])
    ids = [job["id"] for job in zadig.get(plan)["jobs"]]
    assert [ids[0], ids[2]] == [first, second]
    assert not {ids[1], ids[3]} & {first, other, second}


def test_runtime_and_manager_of_jobs_are_reset(zadig: Visitor, full: str) -> None:
    def ran(plan: dict[str, Any]) -> None:
        jobs = plan["jobs"]
        jobs[0] |= {"status": "done", "last_status": "done", "updated": True}
        jobs[0] |= {"executed_by": "x", "executed_time": 9, "manager_id": "u", "manager": "U"}

    zadig.sandbox.edit(full, ran)
    zadig.update(full, jobs=[TEXT])
    assert zadig.get(full)["jobs"][0] | {"id": ""} == {
        "id": "",
        "name": "Notes",
        "manager": "",
        "manager_id": "",
        "type": "text",
        "spec": {"content": "Hello", "remark": "abc"},
        "status": "",
        "last_status": "",
        "updated": False,
        "executed_by": "",
        "executed_time": 0,
    }


def test_names_may_be_empty_or_repeat(zadig: Visitor, full: str) -> None:
    zadig.update(full, jobs=[{"type": "text"}, {"type": "text"}])
    assert [job["name"] for job in zadig.get(full)["jobs"]] == ["", ""]


def test_unknown_kinds_of_jobs_are_dropped_silently(zadig: Visitor, full: str) -> None:
    reply = zadig.update(full, jobs=[{"name": "x", "type": "shell"}, TEXT])
    assert reply.status == 200
    assert [job["name"] for job in zadig.get(full)["jobs"]] == ["Notes"]


def test_null_job_crashes_the_handler(zadig: Visitor, full: str) -> None:
    reply = zadig.update(full, jobs=[None])
    assert (reply.status, reply.body) == (500, b"")


@pytest.mark.parametrize("spec", [{}, {"spec": None}, {"spec": {}}])
def test_missing_text_spec_is_empty(zadig: Visitor, full: str, spec: dict[str, Any]) -> None:
    zadig.update(full, jobs=[{"name": "t", "type": "text", **spec}])
    assert zadig.get(full)["jobs"][0]["spec"] == {"content": "", "remark": ""}


def test_wrong_type_in_a_text_spec(zadig: Visitor, full: str) -> None:
    reply = zadig.update(full, jobs=[{"type": "text", "spec": {"content": 7}}])
    assert reply.error == (
        500,
        (
            "invalid spec: unmarshal task error: json: cannot unmarshal number into Go struct "
            "field OpenAPITextReleaseJobSpec.content of type string"
        ),
    )


def test_server_owned_members_of_jobs_are_ignored(zadig: Visitor, full: str) -> None:
    zadig.update(full, jobs=[{**TEXT, "id": "mine", "status": "done", "manager_id": "u"}])
    job = zadig.get(full)["jobs"][0]
    assert job["id"] != "mine"
    assert (job["status"], job["manager_id"]) == ("", "")


def test_the_manager_is_looked_up_anew(zadig: Visitor, full: str) -> None:
    zadig.sandbox.edit(full, {"manager_id": "of somebody who is gone"})
    zadig.update(full)
    assert zadig.get(full)["manager_id"] == PATRICK
    zadig.update(full, manager="alice")
    assert zadig.get(full)["manager_id"] == ALICE


def test_a_display_name_that_was_read_is_no_account(zadig: Visitor, full: str) -> None:
    zadig.sandbox.add_user(User(uid="u9", account="ann", name="Ann Lee"))
    zadig.edit(full, "update_manager", {"manager_id": "u9", "manager": "Ann Lee"})
    read = zadig.get(full)["manager"]
    assert zadig.update(full, manager=read).error == (500, "User Ann Lee not found")


def test_the_definition_comes_before_jobs(zadig: Visitor, full: str) -> None:
    reply = zadig.update(full, approval={"type": "lark"}, jobs=[{"type": "text", "spec": 7}])
    assert reply.error == (500, "createLarkApprovalDefinition error: lark approval is nil")


def test_jobs_keep_the_order_of_the_request(zadig: Visitor, full: str) -> None:
    zadig.update(full, jobs=[{**TEXT, "name": name} for name in ("b", "c", "a")])
    zadig.update(full, jobs=[{**TEXT, "name": name} for name in ("c", "a", "b")])
    assert [job["name"] for job in zadig.get(full)["jobs"]] == ["c", "a", "b"]


def test_a_job_of_another_type_gets_a_new_id(zadig: Visitor, full: str) -> None:
    before = zadig.get(full)["jobs"][0]["id"]
    job = {"name": TEXT["name"], "type": "workflow", "spec": {"workflow_key": "deploy"}}
    assert zadig.update(full, jobs=[job]).status == 200
    assert zadig.get(full)["jobs"][0]["id"] != before


def test_wrong_type_in_a_workflow_spec(zadig: Visitor, full: str) -> None:
    reply = zadig.update(full, jobs=[{"type": "workflow", "spec": {"workflow_key": 7}}])
    assert reply.error == (
        500,
        (
            "invalid spec: unmarshal task error: json: cannot unmarshal number into Go struct "
            "field OpenAPIWorkflowReleaseJobSpec.workflow_key of type string"
        ),
    )


def test_unknown_members_of_a_text_spec_are_not_stored(zadig: Visitor, full: str) -> None:
    zadig.update(full, jobs=[{"type": "text", "spec": {"content": "c", "extra": 1}}])
    assert zadig.get(full)["jobs"][0]["spec"] == {"content": "c", "remark": ""}


def test_the_content_of_a_text_is_stored_verbatim(zadig: Visitor, full: str) -> None:
    content = "<p>a &amp; <b>b</b></p>\n\t ä"
    zadig.update(full, jobs=[{"type": "text", "spec": {"content": content}}])
    assert zadig.get(full)["jobs"][0]["spec"]["content"] == content
