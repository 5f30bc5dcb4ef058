"""Faults: each kind, when it strikes, what it leaves behind (docs/servers/zadig.md §2)."""

import http.client
import socket
import urllib.request
from collections.abc import Iterator

import pytest

from planops.sandbox.zadig import Fault
from planops.sandbox.zadig.faults import Kind
from planops.sandbox.zadig.visitor import Visitor, visiting

CREATE = "POST /openapi/release_plan/v1"
BODY = {"name": "n", "manager": "admin"}


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


@pytest.mark.parametrize(("kind", "plans"), [("drop-before", 0), ("drop-after", 1)])
def test_dropped_connections(zadig: Visitor, kind: Kind, plans: int) -> None:
    zadig.sandbox.faults.add(Fault(kind, method="POST"))
    with pytest.raises(http.client.RemoteDisconnected):
        zadig.call(CREATE, BODY)
    assert len(zadig.sandbox.plans()) == plans
    (received,) = zadig.sandbox.received
    assert (received.status, received.committed) == (None, plans == 1)


@pytest.mark.parametrize(("kind", "plans"), [("status-before", 0), ("status-after", 1)])
def test_other_answers(zadig: Visitor, kind: Kind, plans: int) -> None:
    headers = {"Retry-After": "7", "Content-Type": "text/html"}
    fault = Fault(kind, status=429, body=b"<h1>slow</h1>", headers=headers)
    zadig.sandbox.faults.add(fault)
    reply = zadig.call(CREATE, BODY)
    assert (reply.status, reply.body) == (429, b"<h1>slow</h1>")
    assert (reply.headers["retry-after"], reply.headers["content-type"]) == ("7", "text/html")
    assert len(zadig.sandbox.plans()) == plans
    assert zadig.sandbox.received[0].status == 429


def test_truncated_body_comes_after_the_commit(zadig: Visitor) -> None:
    zadig.sandbox.faults.add(Fault("truncate"))
    with pytest.raises(http.client.IncompleteRead):
        zadig.call(CREATE, BODY)
    assert len(zadig.sandbox.plans()) == 1


def test_page_instead_of_an_answer(zadig: Visitor) -> None:
    zadig.sandbox.faults.add(Fault("html"))
    reply = zadig.call(CREATE, BODY)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert zadig.sandbox.plans() == ()


def test_cut_json(zadig: Visitor) -> None:
    zadig.sandbox.faults.add(Fault("garbage-json"))
    reply = zadig.call(CREATE, BODY)
    assert reply.status == 200
    with pytest.raises(ValueError, match=r"delimiter|Unterminated"):
        _ = reply.json
    assert len(zadig.sandbox.plans()) == 1


def test_endless_body(zadig: Visitor) -> None:
    zadig.sandbox.faults.add(Fault("endless"))
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{zadig.url}/openapi/release_plan/v1?pageNum=1&pageSize=1",
        headers={"Authorization": "Bearer sandbox-admin-token"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - loopback
        assert len(answer.read(3_000_000)) == 3_000_000


def test_redirect_to_another_host(zadig: Visitor) -> None:
    zadig.sandbox.faults.add(Fault("redirect", location="http://127.0.0.1:9/x"))
    reply = zadig.call(CREATE, BODY)
    assert (reply.status, reply.headers["location"]) == (302, "http://127.0.0.1:9/x")


def test_delayed_answer_has_taken_effect(zadig: Visitor) -> None:
    zadig.sandbox.faults.add(Fault("delay", seconds=3600.0))
    host, port = zadig.url.removeprefix("http://").split(":")
    raw = b'{"name":"n","manager":"admin"}'
    head = (
        "POST /openapi/release_plan/v1 HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer sandbox-admin-token\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=0.3) as connection:
        connection.sendall(head.encode() + raw)
        for _ in range(60):
            with pytest.raises(TimeoutError):
                connection.recv(1)
            if zadig.sandbox.plans():
                break
    assert len(zadig.sandbox.plans()) == 1


def test_short_delays_end(zadig: Visitor) -> None:
    zadig.sandbox.faults.add(Fault("delay", seconds=0.01), Fault("delay-before", seconds=0.01))
    assert zadig.call(CREATE, BODY).status == 200


def test_edits_land_before_and_after(zadig: Visitor) -> None:
    plan = zadig.create()
    sandbox = zadig.sandbox
    sandbox.faults.add(
        Fault("edit-before", path="get", edit=lambda: sandbox.edit(plan, {"description": "B"})),
        Fault("edit-after", path="get", edit=lambda: sandbox.edit(plan, {"description": "A"})),
    )
    first, second = zadig.get(plan), zadig.get(plan)
    assert (first["description"], second["description"]) == ("B", "A")
    assert (second["version"], second["updated_by"]) == (3, "someone")
    assert not any(received.committed for received in sandbox.received[1:])


def test_plans_come_and_go_between_two_pages(zadig: Visitor) -> None:
    ids = [zadig.create() for _ in range(4)]
    sandbox = zadig.sandbox
    sandbox.faults.add(
        Fault("edit-before", path="list", nth=2, edit=lambda: sandbox.remove_plan(ids[3])),
        Fault("edit-before", path="list", nth=3, edit=lambda: sandbox.insert_plan({"name": "x"})),
    )
    pages = [zadig.list(f"pageNum={page}&pageSize=2").json for page in (1, 2, 2)]
    assert [[plan["index"] for plan in page["list"]] for page in pages] == [[4, 3], [1], [2, 1]]


@pytest.mark.parametrize("target", ["update", "ui-edit"])
def test_lock_that_cannot_be_taken(zadig: Visitor, target: str) -> None:
    plan = zadig.create()
    zadig.sandbox.faults.add(Fault("lock", path=target))
    if target == "update":
        reply = zadig.update(plan)
    else:
        reply = zadig.edit(plan, "update_name", {"name": "n"})
    assert reply.error[1].startswith("lock release plan: ")


def test_status_ignores_the_lock(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan, jobs=[{"type": "text"}])
    zadig.sandbox.faults.add(Fault("lock"))
    assert zadig.move(plan, "finish_planning").status == 200


def test_v4_1_takes_no_lock() -> None:
    with visiting("4.1") as zadig:
        plan = zadig.create()
        zadig.sandbox.faults.add(Fault("lock"))
        assert zadig.update(plan).status == 200


def test_no_licence(zadig: Visitor) -> None:
    zadig.sandbox.faults.add(Fault("licence", nth=None))
    assert zadig.list().body.decode() == (
        '{"type":"error","code":7050,"message":"用户许可证不可用，请检查许可证后重试",'  # noqa: RUF001 - the server's own
        '"description":"","extra":{}}'
    )
    assert zadig.list("").error[1].startswith("Key:")
    assert zadig.call(CREATE, b"").error == (400, "EOF")
    assert zadig.call(CREATE, b"null").json["code"] == 7050
    assert zadig.call(CREATE, BODY, who="bob").status == 403


def test_licence_service_down(zadig: Visitor) -> None:
    zadig.sandbox.faults.add(Fault("licence-down"))
    status, text = zadig.list().error
    assert status == 500
    assert text.startswith("failed to validate zadig license status, error: ")


def test_user_service_down(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan, jobs=[{"type": "text"}])
    zadig.sandbox.faults.add(Fault("user-service-down", nth=None))
    assert zadig.call(CREATE, BODY).error[1].startswith("Failed to get user admin, error: ")
    assert zadig.update(plan).error[1].startswith("Failed to get user patrick, error: ")
    assert zadig.move(plan, "finish_planning").error[1].startswith("get user: ")


def test_descriptions_get_mixed_up_but_codes_do_not(zadig: Visitor) -> None:
    zadig.sandbox.faults.add(Fault("description-mixup", path="update", body=b"of another"))
    job = {"type": "workflow", "spec": {"workflow_key": "absent"}}
    reply = zadig.update(zadig.create(), jobs=[job])
    assert (reply.json["code"], reply.json["description"]) == (6542, "of another")


def test_nth_counts_from_when_the_fault_was_added(zadig: Visitor) -> None:
    zadig.list()
    zadig.sandbox.faults.add(
        Fault("status-before", path="/openapi/*", nth=2, status=502),
        Fault("status-before", path="/openapi/*", nth=3, status=503),
    )
    assert [zadig.list().status for _ in range(4)] == [200, 502, 503, 200]
    assert zadig.sandbox.faults.pending == ()
    assert [fault.status for fault in zadig.sandbox.faults.struck] == [502, 503]


def test_every_time_until_cleared(zadig: Visitor) -> None:
    zadig.sandbox.faults.add(Fault("status-before", nth=None, status=503))
    assert [zadig.list().status for _ in range(3)] == [503, 503, 503]
    zadig.sandbox.faults.clear()
    assert zadig.list().status == 200


def test_what_was_received(zadig: Visitor) -> None:
    zadig.list("pageNum=1&pageSize=2")
    zadig.call(CREATE, b"{}", who="patrick")
    zadig.call(CREATE, BODY, who=None)
    seen = [
        (one.method, one.path, one.body, one.who, one.status, one.committed)
        for one in zadig.sandbox.received
    ]
    path = "/openapi/release_plan/v1"
    body = b'{"name": "n", "manager": "admin"}'
    assert seen == [
        ("GET", f"{path}?pageNum=1&pageSize=2", b"", "admin", 200, False),
        ("POST", path, b"{}", "patrick", 500, False),
        ("POST", path, body, None, 401, False),
    ]
    assert len(zadig.sandbox.writes) == 2


def test_the_lock_comes_before_the_plan(zadig: Visitor) -> None:
    zadig.sandbox.faults.add(Fault("lock", path="update"))
    assert zadig.update("0" * 24, name="").error[1].startswith("lock release plan: ")


def test_votes_jobs_and_deletion_ignore_the_lock(zadig: Visitor) -> None:
    user = {"user_id": "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0001"}
    native = {"needed_approvers": 1, "approve_users": [user]}
    approval = {"enabled": True, "type": "native", "native_approval": native}
    plan = zadig.create()
    zadig.update(plan, approval=approval, jobs=[{"type": "text"}, {"type": "text"}])
    zadig.sandbox.faults.add(Fault("lock", nth=None))
    assert zadig.move(plan, "finish_planning", "wait_for_approval").status == 200
    assert zadig.inside(f"POST /{plan}/approve", {"approve": True}, who="patrick").status == 200
    for job, action in zip(zadig.get(plan)["jobs"], ("execute", "skip"), strict=True):
        reply = zadig.inside(f"POST /{plan}/{action}", {"id": job["id"], "type": "text"})
        assert reply.status == 200
    assert zadig.inside(f"DELETE /{plan}").status == 200
