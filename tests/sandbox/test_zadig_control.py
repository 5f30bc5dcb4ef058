"""The sandbox as an object and as a process: control surface, storage, fixtures."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from planops.sandbox.clock import Clock
from planops.sandbox.visits import MOMENT
from planops.sandbox.zadig import FIXTURES, Fault, User, ZadigSandbox, facts
from planops.sandbox.zadig.visitor import Visitor, visiting


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


def control(zadig: Visitor, target: str, body: object = None) -> object:
    method, rest = target.split(" ")
    reply = zadig.call(f"{method} /_sandbox{rest}", body, who=None)
    assert reply.status == 200
    return reply.json


def test_faults_over_http(zadig: Visitor) -> None:
    fault = {"kind": "status-before", "path": "list", "status": 502, "body": "<h1>Bad</h1>"}
    control(zadig, "POST /faults", {**fault, "nth": None, "headers": {"Server": "proxy"}})
    reply = zadig.list()
    assert (reply.status, reply.body, reply.headers["server"]) == (502, b"<h1>Bad</h1>", "proxy")
    listed = control(zadig, "GET /faults")
    assert listed == {
        "pending": [{"kind": "status-before", "method": "*", "path": "list", "nth": None}],
        "struck": [{"kind": "status-before", "method": "*", "path": "list", "nth": None}],
    }
    control(zadig, "DELETE /faults")
    assert zadig.list().status == 200


def test_edits_as_faults_over_http(zadig: Visitor) -> None:
    plan = zadig.create()
    edit = {"plan": plan, "set": {"description": "theirs"}, "by": "Alice"}
    control(zadig, "POST /faults", {"kind": "edit-before", "path": "get", "edit": edit})
    read = zadig.get(plan)
    assert (read["description"], read["updated_by"]) == ("theirs", "Alice")


def test_edit_insert_and_remove_over_http(zadig: Visitor) -> None:
    plan = zadig.create()
    control(zadig, "POST /edit", {"plan": plan, "set": {"name": "Renamed"}})
    control(zadig, "POST /edit", {"insert": {"name": "Planted"}})
    plans = control(zadig, "GET /plans")
    assert isinstance(plans, list)
    assert [one["name"] for one in plans] == ["Renamed", "Planted"]
    control(zadig, "POST /edit", {"remove": plan})
    assert len(zadig.sandbox.plans()) == 1


def test_clock_over_http(zadig: Visitor) -> None:
    assert control(zadig, "PUT /clock", {"advance": 60}) == {"now": MOMENT + 60}
    assert control(zadig, "PUT /clock", {"set": 5}) == {"now": 5}
    assert control(zadig, "GET /clock") == {"now": 5}


def test_tick_and_tasks_over_http(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan, jobs=[{"type": "workflow", "spec": {"workflow_key": "deploy"}}])
    zadig.move(plan, "finish_planning", "executing")
    job = zadig.get(plan)["jobs"][0]["id"]
    zadig.inside(f"POST /{plan}/execute", {"id": job, "type": "workflow"})
    control(zadig, "POST /finish-task", {"plan": plan, "job": job, "outcome": "passed"})
    control(zadig, "POST /tick")
    assert zadig.get(plan)["status"] == "success"


def test_permissions_and_tokens_over_http(zadig: Visitor) -> None:
    control(zadig, "POST /permit", {"account": "bob", "permissions": ["Create"]})
    control(zadig, "POST /token", {"account": "bob", "token": "sandbox-second-token"})
    control(zadig, "POST /token", {"revoke": "sandbox-bob-token"})
    body = {"name": "n", "manager": "admin"}
    target = "POST /openapi/release_plan/v1"
    assert zadig.call(target, body, who="bob").status == 401
    assert zadig.call(target, body, who="second").status == 200


def test_received_and_reset_over_http(zadig: Visitor) -> None:
    zadig.create()
    received = control(zadig, "GET /received")
    assert isinstance(received, list)
    assert [(one["method"], one["who"], one["committed"]) for one in received] == [
        ("POST", "admin", True)
    ]
    control(zadig, "POST /reset")
    assert zadig.sandbox.plans() == ()
    assert zadig.sandbox.received == ()
    assert zadig.get(zadig.create())["index"] == 1


@pytest.mark.parametrize(
    ("target", "body", "status"),
    [
        ("POST /_sandbox/faults", {"kind": "earthquake"}, 400),
        ("POST /_sandbox/edit", {"plan": "none", "set": {}}, 400),
        ("POST /_sandbox/faults", b"{", 400),
        ("GET /_sandbox/elsewhere", None, 404),
    ],
)
def test_mistakes_in_commands(zadig: Visitor, target: str, body: object, status: int) -> None:
    assert zadig.call(target, body).status == status


def test_commands_are_not_received(zadig: Visitor) -> None:
    control(zadig, "POST /tick")
    assert zadig.sandbox.received == ()


def test_a_file_survives_a_restart(tmp_path: Path) -> None:
    database = tmp_path / "zadig.sqlite"
    first = ZadigSandbox(database=database, clock=Clock(MOMENT))
    with visiting(sandbox=first) as zadig:
        plan = zadig.create(description="kept")
    first.close()
    second = ZadigSandbox(database=database, clock=Clock(MOMENT))
    with visiting(sandbox=second) as zadig:
        assert zadig.get(plan)["description"] == "kept"
        assert zadig.get(zadig.create())["index"] == 2
    second.close()


def test_facts_for_a_settings_file(zadig: Visitor) -> None:
    known = facts(zadig.url)
    assert (known.url, known.token) == (zadig.url, "sandbox-admin-token")
    assert known.accounts == ("admin", "patrick", "alice", "bob")
    assert known.tokens["bob"] == "sandbox-bob-token"
    names = [workflow["name"] for workflow in FIXTURES["workflows"]]
    assert names == ["old-hook", "deploy", "everything"]


def test_planted_index_moves_the_counter(zadig: Visitor) -> None:
    zadig.sandbox.insert_plan({"index": 40})
    assert zadig.get(zadig.create())["index"] == 41


def test_stored_plans_are_copies(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.sandbox.plan(plan)["name"] = "changed"
    assert zadig.sandbox.plan(plan)["name"] == "Train"


def test_users_and_tokens(zadig: Visitor) -> None:
    assert {user.account for user in zadig.sandbox.users} == {"admin", "patrick", "alice", "bob"}
    zadig.sandbox.add_user(User(uid="u9", account="eve", name="Eve"), token="sandbox-eve-token")
    zadig.sandbox.revoke_token("sandbox-bob-token")
    assert zadig.sandbox.tokens == {
        f"sandbox-{account}-token": account for account in ("admin", "alice", "eve", "patrick")
    }
    zadig.sandbox.people.remove("u9")
    assert zadig.list().status == 200
    assert zadig.call("GET /openapi/users", who="eve").status == 401


def test_failing_deeds_are_defects(zadig: Visitor) -> None:
    zadig.sandbox.faults.add(Fault("edit-before", edit=lambda: zadig.sandbox.plan("none")))
    assert zadig.list().status == 200
    assert "KeyError" in zadig.sandbox.defects.pop()
