"""Plans made in the web interface (docs/servers/zadig.md §1.7)."""

from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.visits import MOMENT
from planops.sandbox.zadig.visitor import Visitor, visiting

PATRICK = "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0001"
TEXT = {"name": "t", "type": "text", "spec": {"content": "c"}, "manager_id": PATRICK}
GOOD = {"name": "UI", "manager": "Patrick", "manager_id": PATRICK}


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


@pytest.fixture
def older() -> Iterator[Visitor]:
    with visiting("4.1") as visitor:
        yield visitor


def draft(zadig: Visitor, who: str = "admin", **given: Any) -> tuple[int, str]:
    return zadig.inside("POST ", {**GOOD, **given}, who=who).error


def test_the_answer_does_not_tell_the_id(zadig: Visitor) -> None:
    assert draft(zadig) == (200, '{"message":"success"}')
    (plan,) = zadig.list().json["list"]
    assert (plan["name"], plan["manager"], plan["index"]) == ("UI", "Patrick", 1)


def test_jobs_and_their_managers_are_kept(zadig: Visitor) -> None:
    draft(zadig, jobs=[{**TEXT, "status": "done", "id": "mine"}])
    (job,) = zadig.sandbox.plans()[0]["jobs"]
    assert (job["name"], job["manager_id"], job["status"]) == ("t", PATRICK, "")
    assert job["id"] != "mine"


def test_hooks_and_instance_code_are_filled(zadig: Visitor) -> None:
    setting = {"enable": True, "enable_call_back": False, "hook_events": ["start_execute"]}
    zadig.inside("PUT /hook/setting", setting)
    draft(zadig)
    plan = zadig.sandbox.plans()[0]
    assert plan["hook_settings"] == setting
    assert len(plan["instance_code"]) == 16
    assert (plan["create_time"], plan["status"], plan["version"]) == (MOMENT, "planning", 1)


@pytest.mark.parametrize(
    ("given", "description"),
    [
        ({"name": ""}, "Required parameters are missing"),
        ({"manager_id": ""}, "Required parameters are missing"),
        (
            {"start_time": 2, "end_time": 1},
            "lint release time range error: start time should not be greater than end time",
        ),
        (
            {"start_time": 1, "end_time": 2, "schedule_execute_time": 3},
            (
                "lint schedule execute time error: "
                "schedule execute time should be in the range of start time and end time"
            ),
        ),
        (
            {"manager": "patrick"},
            "Manager patrick is not consistent with the user name Patrick",
        ),
        ({"approval": {"enabled": True}}, "lintApproval error: invalid approval type "),
        (
            {"approval": {"type": "lark"}},
            "createLarkApprovalDefinition error: lark approval is nil",
        ),
    ],
)
def test_refusals(zadig: Visitor, given: dict[str, Any], description: str) -> None:
    assert draft(zadig, **given) == (500, description)
    assert zadig.sandbox.plans() == ()


def test_an_unknown_manager_crashes_the_handler(zadig: Visitor) -> None:
    assert draft(zadig, manager_id="nobody") == (500, "")


def test_a_null_job_crashes_the_handler(zadig: Visitor) -> None:
    assert draft(zadig, jobs=[None]) == (500, "")


def test_it_needs_its_permission(zadig: Visitor) -> None:
    assert draft(zadig, "bob") == (403, "")


def test_jobs_are_not_checked_yet(zadig: Visitor) -> None:
    assert draft(zadig, jobs=[{"name": "x", "type": "shell"}])[0] == 200


@pytest.mark.parametrize(
    ("job", "text"),
    [
        ({"name": "x", "type": "shell"}, "invalid release job type: shell"),
        ({"name": "x", "type": "workflow", "spec": {}}, "workflow cannot be empty"),
    ],
)
def test_jobs_are_checked_when_saved_in_4_1(older: Visitor, job: dict[str, Any], text: str) -> None:
    assert draft(older, jobs=[job]) == (500, f"lintReleaseJob x error: {text}")
    plan = older.create()
    assert older.edit(plan, "create_release_job", job).error == (500, text)


def test_the_registries_are_listed_for_anybody(zadig: Visitor) -> None:
    zadig.sandbox.permit("bob", [])
    reply = zadig.call("GET /openapi/system/registry", who="bob")
    assert reply.body == (
        b'[{"registry_id":"64f1a00000000000000000a1","address":"https://reg.example.com",'
        b'"provider":"native","region":"","namespace":"test","is_default":true},'
        b'{"registry_id":"64f1a00000000000000000a2","address":"https://eu.reg.example.com",'
        b'"provider":"aliyun","region":"eu-central-1","namespace":"shop","is_default":false}]'
    )
    assert zadig.call("GET /openapi/system/registry", who=None).status == 401


@pytest.mark.parametrize("generation", ["zadig", "older"])
@pytest.mark.parametrize("route", ["check_update?verb=update_name&version=1", "custom_fields"])
def test_routes_of_later_revisions_are_missing(
    request: pytest.FixtureRequest, generation: str, route: str
) -> None:
    zadig: Visitor = request.getfixturevalue(generation)
    reply = zadig.inside(f"GET /{zadig.create()}/{route}")
    assert reply.status == 404
    assert reply.body.startswith(b"Invalid path: ")
