"""The sandbox as an object and as a process: faults, control surface, other people's edits."""

import http.client
import threading
from collections.abc import Iterator
from typing import get_args

import pytest

from planops.sandbox.brpm import BrpmSandbox, Edited, Fault, Switches
from planops.sandbox.brpm.faults import Kind
from planops.sandbox.brpm.visitor import PLANS, XML, Visitor, visiting
from planops.sandbox.clock import Clock
from planops.sandbox.faults import WIRE_KINDS
from planops.sandbox.visits import MOMENT


@pytest.fixture
def brpm() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


def control(brpm: Visitor, target: str, body: object = None) -> object:
    method, rest = target.split(" ")
    reply = brpm.send(f"{method} /_sandbox{rest}", body)
    assert reply.status == 200
    return reply.json


def test_the_kinds_of_faults_are_those_of_the_wire() -> None:
    assert frozenset(get_args(Kind)) == WIRE_KINDS == BrpmSandbox.fault_kinds


@pytest.mark.parametrize(("kind", "plans"), [("drop-before", 1), ("drop-after", 2)])
def test_dropped_connections(brpm: Visitor, kind: Kind, plans: int) -> None:
    brpm.sandbox.faults.add(Fault(kind, path="create"))
    with pytest.raises(http.client.RemoteDisconnected):
        brpm.post()
    assert len(brpm.sandbox.plans()) == plans
    (received,) = brpm.sandbox.received
    assert (received.status, received.committed) == (None, plans == 2)


@pytest.mark.parametrize(("kind", "plans"), [("status-before", 1), ("status-after", 2)])
def test_other_answers(brpm: Visitor, kind: Kind, plans: int) -> None:
    headers = {"Retry-After": "7", "Content-Type": "text/html"}
    brpm.sandbox.faults.add(Fault(kind, method="POST", status=503, body=b"<p>", headers=headers))
    reply = brpm.post()
    assert (reply.status, reply.body, reply.headers["retry-after"]) == (503, b"<p>", "7")
    assert len(brpm.sandbox.plans()) == plans


def test_wire_faults_that_strike_after_the_commit(brpm: Visitor) -> None:
    brpm.sandbox.faults.add(Fault("truncate", path="create"))
    with pytest.raises(http.client.IncompleteRead):
        brpm.post(name="a")
    brpm.sandbox.faults.add(Fault("garbage-json", path="create"))
    with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
        _ = brpm.post(name="b").json
    assert len(brpm.sandbox.plans()) == 3


def test_wire_faults_that_strike_before_the_commit(brpm: Visitor) -> None:
    brpm.sandbox.faults.add(Fault("redirect", location="http://127.0.0.1:9/x"))
    assert brpm.post().headers["location"] == "http://127.0.0.1:9/x"
    brpm.sandbox.faults.add(Fault("html"))
    assert brpm.post().headers["content-type"].startswith("text/html")
    assert len(brpm.sandbox.plans()) == 1


def test_endless_body(brpm: Visitor) -> None:
    brpm.sandbox.faults.add(Fault("endless", path="list"))
    connection = http.client.HTTPConnection(brpm.host, timeout=20)
    connection.request("GET", "/brpm/v1/plans?token=sandbox-admin-token")
    assert len(connection.getresponse().read(1_000_000)) == 1_000_000
    connection.close()


def test_short_delays_end(brpm: Visitor) -> None:
    brpm.sandbox.faults.add(Fault("delay", seconds=0.01), Fault("delay-before", seconds=0.01))
    assert brpm.post().status == 201


def test_edits_land_before_and_after(brpm: Visitor) -> None:
    sandbox = brpm.sandbox
    sandbox.faults.add(
        Fault("edit-before", path="show", edit=lambda: sandbox.edit(1, {"description": "B"})),
        Fault("edit-after", path="show", edit=lambda: sandbox.edit(1, {"description": "A"})),
    )
    assert (brpm.get(1)["description"], brpm.get(1)["description"]) == ("B", "A")
    assert not any(received.committed for received in sandbox.received)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (f"GET {PLANS}", "list"),
        (f"GET {PLANS}/1.json", "show"),
        (f"POST {PLANS}", "create"),
        (f"PUT {PLANS}/1", "update"),
        (f"DELETE {PLANS}/1", "delete"),
        ("GET /v1/teams", "teams"),
        ("GET /v1/teams/1", "team"),
    ],
)
def test_names_of_routes(brpm: Visitor, target: str, name: str) -> None:
    brpm.sandbox.faults.add(Fault("status-before", path=name, status=599))
    assert brpm.call("GET /v1/elsewhere").status == 404
    assert brpm.call(target).status == 599


def test_what_was_received(brpm: Visitor) -> None:
    brpm.list(name="Sample Plan")
    brpm.put(1, description="d")
    brpm.call(f"POST {PLANS}", b"{}", who=None)
    seen = [(one.method, one.who, one.status, one.committed) for one in brpm.sandbox.received]
    assert seen == [
        ("GET", "admin", 200, False),
        ("PUT", "admin", 202, True),
        ("POST", None, 403, False),
    ]
    assert brpm.sandbox.received[0].path == (
        "/brpm/v1/plans?filters%5Bname%5D=Sample+Plan&token=sandbox-admin-token"
    )
    assert [one.body for one in brpm.sandbox.writes] == [b'{"plan": {"description": "d"}}', b"{}"]


def test_other_people(brpm: Visitor) -> None:
    sandbox = brpm.sandbox
    sandbox.clock.advance(60)
    sandbox.edit(1, {"name": "Renamed", "team_ids": [2]}, "alice")
    sandbox.edit(1, lambda plan: plan.update(aasm_state="started"))
    shown = brpm.get(1)
    assert (shown["name"], shown["aasm_state"], shown["teams"][0]["id"]) == (
        "Renamed",
        "started",
        2,
    )
    assert shown["updated_at"] == "2023-11-14T18:14:20-04:00"
    assert shown == sandbox.shown(1)
    assert sandbox.edited == (Edited(plan_id=1, by="alice"), Edited(plan_id=1, by="someone"))
    sandbox.remove_plan(1)
    assert brpm.list().status == 404
    with pytest.raises(KeyError):
        sandbox.edit(1, {})


def test_planted_plans(brpm: Visitor) -> None:
    planted = brpm.sandbox.insert_plan({"id": 7})
    assert (planted["name"], planted["plan_template_id"]) == ("Plan 7", 1)
    assert len(brpm.get(7)["plan_stage_instances"]) == 3
    assert brpm.create() == 8
    bare = brpm.sandbox.insert_plan({"stage_instances": [], "members": []})
    assert brpm.get(bare["id"])["members"] == []


@pytest.mark.parametrize("field", ["status", "teams", "plan_template_name"])
def test_fields_that_no_plan_has(brpm: Visitor, field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}: is no field of a stored plan"):
        brpm.sandbox.insert_plan({field: 1})
    with pytest.raises(ValueError, match=f"^{field}: is no field of a stored plan"):
        brpm.sandbox.edit(1, {field: 1})


def test_stored_plans_are_copies(brpm: Visitor) -> None:
    brpm.sandbox.plan(1)["team_ids"].append(2)
    brpm.sandbox.plans()[0]["name"] = "changed"
    assert (brpm.get(1)["name"], len(brpm.get(1)["teams"])) == ("Sample Plan", 1)


def test_tokens(brpm: Visitor) -> None:
    brpm.sandbox.issue_token("bob", "another")
    assert brpm.send("GET /brpm/v1/plans?token=another").status == 200
    assert brpm.sandbox.received[-1].who == "bob"
    assert brpm.sandbox.tokens["another"] == "bob"
    with pytest.raises(KeyError):
        brpm.sandbox.issue_token("nobody", "x")


def test_failing_deeds_are_defects(brpm: Visitor) -> None:
    brpm.sandbox.faults.add(Fault("edit-before", edit=lambda: brpm.sandbox.plan(99)))
    assert brpm.list().status == 200
    assert "KeyError" in brpm.sandbox.defects.pop()


def test_a_defect_of_the_sandbox_does_not_look_like_the_server(brpm: Visitor) -> None:
    brpm.sandbox.edit(1, {"members": None})
    assert brpm.call("GET /v1/plans/1").text.count("defect of the sandbox") == 1
    assert "TypeError" in brpm.sandbox.defects.pop()


def test_faults_over_http(brpm: Visitor) -> None:
    control(brpm, "POST /faults", {"kind": "status-before", "path": "list", "status": 502})
    assert brpm.list().status == 502
    edit = {"plan": 1, "set": {"description": "theirs"}}
    control(brpm, "POST /faults", {"kind": "edit-before", "path": "show", "edit": edit})
    assert brpm.get(1)["description"] == "theirs"


def test_edits_and_plans_over_http(brpm: Visitor) -> None:
    control(brpm, "POST /edit", {"insert": {"name": "Planted"}})
    control(brpm, "POST /edit", {"plan": 1, "set": {"aasm_state": "hold"}})
    plans = control(brpm, "GET /plans")
    assert isinstance(plans, list)
    assert [(one["name"], one["aasm_state"]) for one in plans] == [
        ("Sample Plan", "hold"),
        ("Planted", "created"),
    ]
    control(brpm, "POST /edit", {"remove": 2})
    assert len(brpm.sandbox.plans()) == 1


def test_switches_over_http(brpm: Visitor) -> None:
    states = {"created": "new"}
    set_ = control(brpm, "PUT /switches", {"empty": "null", "states": states})
    assert set_ == control(brpm, "GET /switches")
    assert brpm.sandbox.switches == Switches(empty="null", states=states)
    assert brpm.get(1)["aasm_state"] == "new"


def test_stuck_events_over_http(brpm: Visitor) -> None:
    assert control(brpm, "POST /stick", {"plan": 1, "event": "plan_it"}) == {
        "plan": 1,
        "event": "plan_it",
    }
    assert brpm.move(1, "plan_it").json["aasm_state"] == "created"
    control(brpm, "DELETE /stick")
    assert brpm.move(1, "plan_it").json["aasm_state"] == "planned"


def test_tokens_over_http(brpm: Visitor) -> None:
    control(brpm, "POST /token", {"login": "bob", "token": "sandbox-second-token"})
    control(brpm, "POST /token", {"revoke": "sandbox-bob-token"})
    assert brpm.call("GET /v1/plans", who="bob").status == 403
    assert brpm.call("GET /v1/plans", who="second").status == 200


def test_reset_over_http(brpm: Visitor) -> None:
    brpm.create()
    brpm.delete(1)
    brpm.sandbox.stick(2)
    brpm.sandbox.revoke_token("sandbox-admin-token")
    assert control(brpm, "POST /reset") == {"plans": 1}
    assert brpm.sandbox.received == ()
    assert brpm.get(1)["name"] == "Sample Plan"
    assert brpm.create() == 2
    assert brpm.move(2, "plan_it").json["aasm_state"] == "planned"


@pytest.mark.parametrize(
    ("target", "body", "status"),
    [
        ("POST /_sandbox/faults", {"kind": "licence"}, 400),
        ("PUT /_sandbox/switches", {"empty": "500"}, 400),
        ("PUT /_sandbox/switches", {"colour": "red"}, 400),
        ("POST /_sandbox/edit", {"plan": 99, "set": {}}, 400),
        ("GET /_sandbox/elsewhere", None, 404),
    ],
)
def test_mistakes_in_commands(brpm: Visitor, target: str, body: object, status: int) -> None:
    assert brpm.send(target, body).status == status
    assert brpm.sandbox.received == ()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"empty": "500"}, "empty: is '500': must be one of '404', 'null', '\\[\\]'"),
        ({"filters": "no"}, "filters: is 'no': must be one of 'exact', 'loose', 'ignored'"),
        ({"delete_status": 201}, "delete_status: is 201: must be one of 200, 202, 204"),
        ({"colour": "red"}, "colour: is no switch: known are empty, filters, "),
    ],
)
def test_switches_that_there_are_not(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}"):
        BrpmSandbox().switch(**changes)


def test_many_threads_create_one_plan_of_a_name() -> None:
    with visiting(BrpmSandbox(clock=Clock(MOMENT))) as brpm:
        statuses: list[int] = []

        def create() -> None:
            statuses.append(brpm.post(name="Once").status)

        threads = [threading.Thread(target=create) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [201, *[422] * 7]
        ids = [one["id"] for one in brpm.sandbox.plans()]
        assert len(set(ids)) == len(ids) == 2


def test_xml_faults_are_cut_too(brpm: Visitor) -> None:
    brpm.sandbox.faults.add(Fault("garbage-json"))
    assert not brpm.call("GET /v1/plans/1", accept=XML).body.rstrip().endswith(b"</plan>")
