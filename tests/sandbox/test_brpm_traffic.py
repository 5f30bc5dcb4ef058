"""What the Ruby client was recorded sending, byte for byte over a raw socket (§9)."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from planops.sandbox.brpm.visitor import Visitor, visiting

TEMPLATE = "Sample Deploy Template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One raw answer."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@pytest.fixture
def brpm() -> Iterator[Visitor]:
    with visiting() as visitor:
        visitor.sandbox.issue_token("admin", "tok")
        visitor.sandbox.insert_plan({"id": 7, "name": "Seven"})
        yield visitor


def said(brpm: Visitor, line: str, body: str = "") -> Heard:
    """Send a request exactly as the Ruby client does, and close."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    head = (
        f"{line} HTTP/1.1\r\nHost: {brpm.host}\r\nAccept: application/json\r\n"
        f"Content-Type: application/json\r\n{length}Connection: close\r\n\r\n"
    )
    host, port = brpm.host.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode() + body.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    top, _, rest = answer.partition(b"\r\n\r\n")
    received = brpm.sandbox.received[-1]
    assert (f"{received.method} {received.path}", received.body) == (line, body.encode())
    assert received.who == "admin"
    return Heard(status=int(top.split(b" ")[1]), body=rest)


def test_template_by_name(brpm: Visitor) -> None:
    line = "GET /brpm/v1/plan_templates?filters[name]=Sample%20Deploy%20Template&token=tok"
    heard = said(brpm, line)
    assert (heard.status, [one["name"] for one in heard.json]) == (200, [TEMPLATE])


def test_create(brpm: Visitor) -> None:
    body = (
        '{"plan":{"plan_template_name":"Sample Deploy Template",'
        '"name":"Release E-Finance v1.0.1","description":null}}'
    )
    heard = said(brpm, "POST /brpm/v1/plans?token=tok", body)
    assert (heard.status, heard.json["name"]) == (201, "Release E-Finance v1.0.1")
    assert (heard.json["plan_template_id"], heard.json["description"]) == (1, None)


def test_create_with_a_date(brpm: Visitor) -> None:
    body = (
        '{"plan":{"plan_template_name":"Sample Deploy Template","name":"Release E-Finance v1.0.1",'
        '"release_date":"2012-10-31 14:00:00 UTC","description":"hello"}}'
    )
    heard = said(brpm, "POST /brpm/v1/plans?token=tok", body)
    assert heard.status == 201
    assert (heard.json["release_date"], heard.json["description"]) == ("2012-10-31", "hello")


def test_create_with_a_name_that_is_taken(brpm: Visitor) -> None:
    brpm.sandbox.insert_plan({"name": "dupname"})
    body = (
        '{"plan":{"plan_template_name":"Sample Deploy Template",'
        '"name":"dupname","description":null}}'
    )
    refused = said(brpm, "POST /brpm/v1/plans?token=tok", body)
    assert (refused.status, refused.body) == (422, b'{"name":["has already been taken"]}')
    heard = said(brpm, "GET /brpm/v1/plans?filters[name]=dupname&token=tok")
    assert (heard.status, heard.json[0]["id"], heard.json[0]["name"]) == (200, 8, "dupname")


def test_plan_start_and_cancel(brpm: Visitor) -> None:
    for event, state in (("plan_it", "planned"), ("start", "started"), ("cancel", "cancelled")):
        body = f'{{"plan":{{"aasm_event":"{event}"}}}}'
        heard = said(brpm, "PUT /brpm/v1/plans/7?token=tok", body)
        assert (heard.status, heard.json["aasm_state"]) == (202, state)


def test_delete(brpm: Visitor) -> None:
    heard = said(brpm, "DELETE /brpm/v1/plans/7?token=tok")
    assert (heard.status // 100, heard.body.strip()) == (2, b"")
    assert said(brpm, "GET /brpm/v1/plans/7?token=tok").status == 404


def test_by_id(brpm: Visitor) -> None:
    heard = said(brpm, "GET /brpm/v1/plans/7?token=tok")
    assert (heard.status, heard.json["id"], heard.json["name"]) == (200, 7, "Seven")


def test_by_name(brpm: Visitor) -> None:
    heard = said(brpm, "GET /brpm/v1/plans?filters[name]=Sample%20Plan&token=tok")
    assert (heard.status, [one["id"] for one in heard.json]) == (200, [1])


def test_by_attribute_with_a_doubled_ampersand(brpm: Visitor) -> None:
    brpm.sandbox.insert_plan({"name": "other", "plan_template_id": 2})
    heard = said(brpm, "GET /brpm/v1/plans?filters[plan_template_id]=1&&token=tok")
    assert (heard.status, [one["id"] for one in heard.json]) == (200, [1, 7])


def test_all(brpm: Visitor) -> None:
    heard = said(brpm, "GET /brpm/v1/plans?&token=tok")
    assert (heard.status, [one["id"] for one in heard.json]) == (200, [1, 7])


def test_extra_attributes(brpm: Visitor) -> None:
    body = (
        '{"plan":{"name":"rest_api_test_plan_from_template",'
        '"plan_template_name":"Sample Deploy Template",'
        '"deployment_coordinator_id":1,"environment":"aws_cloud","app_ids":[1]}}'
    )
    heard = said(brpm, "POST /brpm/v1/plans?token=tok", body)
    assert heard.status == 201
    assert not heard.json.keys() & {"deployment_coordinator_id", "environment", "app_ids"}
