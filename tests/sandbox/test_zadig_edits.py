"""Edits of the web interface: PUT with a verb (docs/servers/zadig.md §1.6)."""

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


ALICE = "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0002"
SPRINT = {"jira_id": "j", "sprints": []}
WINDOW = {"start_time": 10, "end_time": 20}


@pytest.mark.parametrize(
    ("verb", "spec", "changed"),
    [
        ("update_name", {"name": "New"}, {"name": "New"}),
        ("update_description", {"description": "d"}, {"description": "d"}),
        ("update_time_range", WINDOW, WINDOW),
        (
            "update_schedule_execute_time",
            {**WINDOW, "schedule_execute_time": 15},
            {"schedule_execute_time": 15, "start_time": 0},
        ),
        (
            "update_manager",
            {"manager_id": ALICE, "manager": "Alice"},
            {"manager_id": ALICE, "manager": "Alice"},
        ),
        (
            "update_jira_sprint",
            {"jira_sprint_association": SPRINT},
            {"jira_sprint_association": SPRINT},
        ),
    ],
)
def test_metadata(zadig: Visitor, verb: str, spec: dict[str, Any], changed: dict[str, Any]) -> None:
    plan = zadig.create()
    assert zadig.edit(plan, verb, spec).status == 200
    read = zadig.get(plan)
    assert {key: read[key] for key in changed} == changed


@pytest.mark.parametrize(
    ("verb", "spec", "description"),
    [
        ("update_name", {"name": ""}, "name cannot be empty"),
        (
            "update_time_range",
            {"start_time": 9, "end_time": 1},
            "lint release time range error: start time should not be greater than end time",
        ),
        ("update_manager", {"manager_id": ALICE, "manager": "alice"}, "name not match"),
        ("create_release_job", {"name": ""}, "name cannot be empty"),
    ],
)
def test_refusals(zadig: Visitor, verb: str, spec: dict[str, Any], description: str) -> None:
    assert zadig.edit(zadig.create(), verb, spec).error == (500, description)


def test_only_in_planning(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.sandbox.edit(plan, {"status": "denied"})
    reply = zadig.edit(plan, "update_name", {"name": "n"})
    assert reply.error == (500, "plan status is denied, can not update")


def test_an_edit_raises_the_version_and_refreshes_the_hooks(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.sandbox.clock.advance(7)
    zadig.edit(plan, "update_name", {"name": "New"}, who="alice")
    read = zadig.get(plan)
    assert (read["version"], read["updated_by"], read["update_time"]) == (2, "Alice", MOMENT + 7)
    assert read["hook_settings"] == {"enable": False, "enable_call_back": False, "hook_events": []}
    assert len(read["instance_code"]) == 16


def test_an_edit_that_changes_nothing_is_no_edit(zadig: Visitor) -> None:
    plan = zadig.create(name="Same")
    assert zadig.edit(plan, "update_name", {"name": "Same"}).status == 200
    assert zadig.get(plan)["version"] == 1


def test_jobs_are_created_updated_reordered_and_deleted(zadig: Visitor) -> None:
    plan = zadig.create()
    for name in "abc":
        job = {"name": name, "type": "text", "manager_id": ALICE, "manager": "Alice"}
        zadig.edit(plan, "create_release_job", {**job, "spec": {"content": name}})
    first, second, third = (job["id"] for job in zadig.get(plan)["jobs"])
    zadig.edit(plan, "reorder_release_job", {"job_ids": [third, first]})
    zadig.edit(plan, "update_release_job", {"id": first, "name": "A", "type": "text"})
    jobs = zadig.get(plan)["jobs"]
    assert [(job["name"], job["updated"]) for job in jobs] == [("c", False), ("A", True)]
    assert jobs[0]["manager_id"] == ALICE
    assert second not in {job["id"] for job in jobs}
    zadig.edit(plan, "delete_release_job", {"id": third})
    assert [job["name"] for job in zadig.get(plan)["jobs"]] == ["A"]


def test_the_type_of_a_job_stays(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.edit(plan, "create_release_job", {"name": "a", "type": "text"})
    job = zadig.get(plan)["jobs"][0]["id"]
    spec = {"id": job, "name": "a", "type": "workflow"}
    assert zadig.edit(plan, "update_release_job", spec).status == 500


def test_approval_loses_its_votes_and_goes(zadig: Visitor) -> None:
    plan = zadig.create()
    users = [{"user_id": ALICE, "reject_or_approve": "approve"}]
    approval = {
        "enabled": True,
        "type": "native",
        "status": "passed",
        "native_approval": {"needed_approvers": 1, "approve_users": users},
    }
    zadig.edit(plan, "update_approval", {"approval": approval})
    stored = zadig.get(plan)["approval"]
    assert stored["status"] == ""
    assert stored["native_approval"]["approve_users"] == [{"type": "", "user_id": ALICE}]
    zadig.edit(plan, "delete_approval")
    assert "approval" not in zadig.get(plan)


def test_nobody_is_found_while_the_user_service_is_down(zadig: Visitor) -> None:
    zadig.sandbox.faults.add(Fault("user-service-down", path="ui-edit", nth=None))
    plan = zadig.create()
    group = {"type": "group", "group_id": "approvers"}
    native = {"needed_approvers": 1, "approve_users": [{"user_id": ALICE}, group]}
    approval = {"enabled": True, "type": "native", "native_approval": native}
    assert zadig.edit(plan, "update_approval", {"approval": approval}).error == (
        500,
        "all approve users should not less than needed approvers",
    )
    person = {"manager_id": ALICE, "manager": "Alice"}
    assert zadig.edit(plan, "update_manager", person).error == (500, "user not found")
    assert (zadig.get(plan)["version"], "approval" in zadig.get(plan)) == (1, False)
    elsewhere = {"enabled": True, "type": "workwx", "workwx_approval": {}}
    for unasked in ({**approval, "enabled": False}, elsewhere):
        assert zadig.edit(plan, "update_approval", {"approval": unasked}).status == 200


@pytest.mark.parametrize(
    ("verb", "flag"),
    [
        ("update_name", "EditMetadata"),
        ("create_release_job", "EditSubtasks"),
        ("delete_approval", "EditApproval"),
    ],
)
def test_each_verb_needs_its_own_permission(zadig: Visitor, verb: str, flag: str) -> None:
    plan = zadig.create()
    zadig.sandbox.permit("bob", [flag])
    assert zadig.edit(plan, verb, {"name": "n"}, who="bob").status == 200
    zadig.sandbox.permit("bob", {"EditMetadata", "EditSubtasks", "EditApproval"} - {flag})
    assert zadig.edit(plan, verb, {"name": "n"}, who="bob").status == 403
