"""Creating plans: rules, order, what is set (docs/servers/zadig.md §3)."""

from collections.abc import Iterator

import pytest

from planops.sandbox.visits import MOMENT
from planops.sandbox.zadig import User
from planops.sandbox.zadig.visitor import Visitor, visiting


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


CREATE = "POST /openapi/release_plan/v1"
RANGE = "lint release time range error: start time should not be greater than end time"
SCHEDULE = (
    "lint schedule execute time error: schedule execute time should be in the range of "
    "start time and end time"
)


def test_fresh_plan_byte_for_byte(zadig: Visitor) -> None:
    plan = zadig.call(CREATE, {"name": "n", "manager": "admin"}).json["id"]
    assert zadig.call(f"GET /openapi/release_plan/v1/{plan}").body.decode() == (
        f'{{"id":"{plan}","index":1,"version":1,"name":"n","manager":"admin",'
        '"manager_id":"c565c7eb-e273-11ed-bef9-a659ed9f1ed1","approver_id":"",'
        '"start_time":0,"end_time":0,"schedule_execute_time":0,"description":"",'
        f'"created_by":"admin","create_time":{MOMENT},"updated_by":"admin",'
        f'"update_time":{MOMENT},"jira_sprint_association":null,"jobs":[],'
        '"status":"planning","planning_time":0,"finish_planning_time":0,"approval_time":0,'
        '"executing_time":0,"success_time":0,"instance_code":"","hook_settings":null,'
        '"wait_for_finish_planning_external_check_time":0,'
        '"wait_for_approve_external_check_time":0,'
        '"wait_for_execute_external_check_time":0,'
        '"wait_for_all_done_external_check_time":0,'
        '"external_check_failed_reason":"","callback_description":""}'
    )


def test_success_is_200_with_the_id_only(zadig: Visitor) -> None:
    reply = zadig.call(CREATE, {"name": "n", "manager": "admin"})
    assert reply.status == 200
    assert reply.body.decode() == f'{{"id":"{zadig.sandbox.plans()[0]["id"]}"}}'


@pytest.mark.parametrize("given", [{"name": ""}, {"manager": ""}, {"name": None}])
def test_name_and_manager_are_required(zadig: Visitor, given: dict[str, object]) -> None:
    body = {"name": "n", "manager": "admin", **given}
    assert zadig.call(CREATE, body).error == (500, "Required parameters are missing")


@pytest.mark.parametrize(
    ("start", "end", "refused"),
    [
        (0, 0, False),
        (5, 0, True),
        (0, 5, False),
        (5, 5, False),
        (6, 5, True),
        (-9, -5, False),
        (-5, 0, False),
        (1, 1_700_000_000_000, False),
    ],
)
def test_time_range(zadig: Visitor, start: int, end: int, refused: bool) -> None:  # noqa: FBT001 - a column
    body = {"name": "n", "manager": "admin", "start_time": start, "end_time": end}
    reply = zadig.call(CREATE, body)
    assert reply.error == (500, RANGE) if refused else reply.status == 200


@pytest.mark.parametrize(
    ("schedule", "start", "end", "refused"),
    [
        (0, 10, 20, False),
        (15, 0, 0, False),
        (10, 10, 20, False),
        (20, 10, 20, False),
        (9, 10, 20, True),
        (21, 10, 20, True),
    ],
)
def test_schedule(zadig: Visitor, schedule: int, start: int, end: int, refused: bool) -> None:  # noqa: FBT001 - a column
    body = {"name": "n", "manager": "admin", "start_time": start, "end_time": end}
    reply = zadig.call(CREATE, {**body, "schedule_execute_time": schedule})
    assert reply.error == (500, SCHEDULE) if refused else reply.status == 200


def test_jobs_are_not_read(zadig: Visitor) -> None:
    plan = zadig.create(jobs=[{"name": "t", "type": "text", "spec": {}}])
    assert zadig.get(plan)["jobs"] == []


def test_unknown_manager(zadig: Visitor) -> None:
    body = {"name": "n", "manager": "nobody"}
    assert zadig.call(CREATE, body).error == (500, "User nobody not found")


def test_manager_of_another_identity_type_is_not_found(zadig: Visitor) -> None:
    body = {"name": "n", "manager": "patrick", "manager_identity_type": "ldap"}
    assert zadig.call(CREATE, body).error == (500, "User patrick not found")


def test_several_managers_of_one_account(zadig: Visitor) -> None:
    zadig.sandbox.add_user(User(uid="u9", account="patrick", name="P", identity_type="ldap"))
    body = {"name": "n", "manager": "patrick", "manager_identity_type": "*"}
    assert zadig.call(CREATE, body).error == (500, "User patrick search failed")


def test_manager_keeps_the_spelling_and_the_identity_type_is_lost(zadig: Visitor) -> None:
    plan = zadig.get(zadig.create(manager="PATRICK", manager_identity_type="system"))
    assert plan["manager"] == "PATRICK"
    assert plan["manager_id"] == "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0001"
    assert "manager_identity_type" not in plan


def test_authors_are_display_names(zadig: Visitor) -> None:
    body = {"name": "n", "manager": "admin"}
    plan = zadig.get(zadig.call(CREATE, body, who="patrick").json["id"])
    assert (plan["created_by"], plan["updated_by"]) == ("Patrick", "Patrick")


def test_checks_come_in_order(zadig: Visitor) -> None:
    body: dict[str, object] = {
        "manager": "nobody",
        "start_time": 6,
        "end_time": 5,
        "schedule_execute_time": 9,
        "approval": {"enabled": True, "type": "no"},
    }
    seen = [zadig.call(CREATE, body).error[1]]
    for better in (
        {"name": "n"},
        {"start_time": 4},
        {"schedule_execute_time": 5},
        {"manager": "admin"},
    ):
        body |= better
        seen.append(zadig.call(CREATE, body).error[1])
    assert seen == [
        "Required parameters are missing",
        RANGE,
        SCHEDULE,
        "User nobody not found",
        "lintApproval error: invalid approval type no",
    ]


def test_refused_creates_use_up_no_index(zadig: Visitor) -> None:
    zadig.call(CREATE, {"name": "n", "manager": "nobody"})
    assert zadig.get(zadig.create())["index"] == 1


def test_names_are_not_unique_and_create_is_not_idempotent(zadig: Visitor) -> None:
    assert zadig.create(name="twin") != zadig.create(name="twin")
    assert [plan["index"] for plan in zadig.sandbox.plans()] == [1, 2]
