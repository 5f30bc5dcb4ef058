"""The resources that names are resolved with (§6)."""

from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.brpm.visitor import XML, Visitor, visiting

FILLED = "2023-11-14T18:13:20-04:00"


@pytest.fixture
def brpm() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


def found(brpm: Visitor, target: str) -> Any:
    reply = brpm.call(f"GET /v1/{target}")
    return reply.json if reply.status == 200 else reply.status


def test_templates(brpm: Visitor) -> None:
    (template,) = found(brpm, "plan_templates?filters[name]=Hotfix%20Template")
    assert template == {
        "id": 2,
        "is_automatic": False,
        "name": "Hotfix Template",
        "template_type": "release_plan",
        "stages": [{"id": 4, "name": "Build"}, {"id": 5, "name": "Ship"}],
    }
    assert found(brpm, "plan_templates/1") == brpm.get(1)["plan_template"]


def test_stages(brpm: Visitor) -> None:
    assert [one["name"] for one in found(brpm, "plan_stages?filters[plan_template_id]=2")] == [
        "Build",
        "Ship",
    ]
    assert found(brpm, "plan_stages/3") == {
        "auto_start": False,
        "created_at": "2012-10-23T19:51:11-04:00",
        "id": 3,
        "name": "Prod",
        "plan_template_id": 1,
        "position": 3,
        "requestor_access": True,
        "updated_at": "2012-10-23T19:51:11-04:00",
    }


@pytest.mark.parametrize(
    ("resource", "name", "key"),
    [("releases", "E-Finance%201.1", 2), ("teams", "Payments", 2)],
)
def test_releases_and_teams(brpm: Visitor, resource: str, name: str, key: int) -> None:
    (listed,) = found(brpm, f"{resource}?filters[name]={name}")
    assert listed["id"] == key
    assert listed == found(brpm, f"{resource}/{key}")


@pytest.mark.parametrize(
    ("query", "logins"),
    [
        ("", ["admin", "patrick", "alice", "bob"]),
        ("filters[keyword]=a", ["admin", "patrick", "alice", "bob"]),
        ("filters[keyword]=ALICE", ["alice"]),
        ("filters[keyword]=ada", ["alice"]),
        ("filters[keyword]=ad", ["admin", "alice"]),
        ("filters[keyword]=nobody", []),
        ("filters[email]=bob@example.com", ["bob"]),
        ("filters[first_name]=Bob&filters[last_name]=Brown", ["bob"]),
        ("filters[first_name]=Bob&filters[last_name]=Adams", []),
        ("filters[keyword]=ad&filters[first_name]=Alice", ["alice"]),
        ("filters[login]=bob", ["admin", "patrick", "alice", "bob"]),
    ],
)
def test_users(brpm: Visitor, query: str, logins: list[str]) -> None:
    users = found(brpm, f"users?{query}")
    assert ([] if users == 404 else [one["login"] for one in users]) == logins


def test_one_user_without_secrets(brpm: Visitor) -> None:
    assert found(brpm, "users/2") == {
        "email": "patrick@example.com",
        "first_name": "Patrick",
        "id": 2,
        "last_name": "Planner",
        "login": "patrick",
    }


def test_routes(brpm: Visitor) -> None:
    route = {
        "description": "This is production route",
        "id": 2,
        "name": "Production Route",
        "route_type": "open",
    }
    shown = found(brpm, "routes/2")
    gates = shown.pop("route_gates")
    assert shown == route == brpm.get(1)["plan_routes"][0]["route"]
    assert gates[0] == {"id": 1, "position": 1, "environment": {"id": 1, "name": "Dev"}}
    assert found(brpm, "plan_routes?filters[plan_id]=1&filters[app_id]=1") == [
        {"app_id": 1, "id": 1, "plan": {"id": 1, "name": "Sample Plan"}, "route": route}
    ]
    assert found(brpm, "plan_routes?filters[plan_id]=1&filters[app_id]=2") == 404
    assert found(brpm, "plan_routes/1")["route"] == route


def test_requests(brpm: Visitor) -> None:
    assert found(brpm, "requests/3") == {
        "aasm_state": "created",
        "id": 3,
        "name": "Sample Request",
        "number": 1003,
        "plan_member": {
            "plan": {"id": 1, "name": "Sample Plan"},
            "stage": {"id": 1, "name": "Dev"},
        },
    }
    assert "plan_member" not in found(brpm, "requests/1")
    for query in ("name]=Sample%20Request", "plan_id]=1", "aasm_state]=created"):
        assert [one["id"] for one in found(brpm, f"requests?filters[{query}")] == [3, 4, 5]
    assert [one["id"] for one in found(brpm, "requests?filters[app_id]=2")] == [2]


def test_requests_outlive_their_plan(brpm: Visitor) -> None:
    brpm.delete(1)
    assert "plan_member" not in found(brpm, "requests/3")
    assert found(brpm, "plan_routes") == 404


def test_filters_are_no_more_certain_here(brpm: Visitor) -> None:
    assert found(brpm, "teams?filters[name]=payments") == 404
    brpm.sandbox.switch(filters="loose")
    assert [one["name"] for one in found(brpm, "teams?filters[name]=payments")] == ["Payments"]
    brpm.sandbox.switch(filters="ignored")
    assert len(found(brpm, "teams?filters[name]=payments")) == 3
    assert len(found(brpm, "users?filters[keyword]=alice")) == 4


@pytest.mark.parametrize(
    "resource",
    [
        "plan_templates",
        "releases",
        "teams",
        "users",
        "plan_stages",
        "plan_routes",
        "routes",
        "requests",
    ],
)
def test_the_same_conventions(brpm: Visitor, resource: str) -> None:
    assert brpm.call(f"GET /v1/{resource}", who=None).status == 403
    root = resource.replace("_", "-")
    lines = brpm.call(f"GET /v1/{resource}", accept=XML).text.splitlines()
    assert lines[1] == f'<{root} type="array">'
    one = brpm.call(f"GET /v1/{resource}/1.xml").text.splitlines()
    assert one[1] == f"<{root.removesuffix('s')}>" == lines[2].strip()
    assert found(brpm, f"{resource}/99") == 404
    assert found(brpm, f"{resource}/x") == 404
    assert brpm.call(f"DELETE /v1/{resource}/1").status == 404


def test_records_may_come_and_go(brpm: Visitor) -> None:
    brpm.sandbox.put_record("team", {"id": 9, "name": "Late"})
    assert found(brpm, "teams/9") == {
        "created_at": FILLED,
        "id": 9,
        "name": "Late",
        "updated_at": FILLED,
    }
    brpm.put(1, team_ids=[9])
    brpm.sandbox.remove_record("team", 9)
    assert brpm.get(1)["teams"] == []
    with pytest.raises(ValueError, match=r"teams\[0\]\.nmae: is not known"):
        brpm.sandbox.put_record("team", {"id": 9, "name": "Late", "nmae": "x"})
    with pytest.raises(ValueError, match="not put but inserted"):
        brpm.sandbox.put_record("plan", {"id": 9, "name": "n", "plan_template_id": 1})
