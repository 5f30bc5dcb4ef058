"""Formats, token, envelope, headers, blank and empty answers, routes (§1, §2, §7)."""

import hashlib
import http.client
from collections.abc import Iterator, Mapping

import pytest

from planops.sandbox.brpm import FAILED_PAGE, BrpmSandbox, Fault
from planops.sandbox.brpm.visitor import JSON, XML, Visitor, visiting

JSON_TYPE = "application/json;charset=utf-8"
XML_TYPE = "application/xml;charset=utf-8"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
FORBIDDEN = f"{HEAD}<hash>\n  <error>Token is invalid</error>\n</hash>\n"


@pytest.fixture
def brpm() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("/v1/plans", JSON, JSON_TYPE),
        ("/v1/plans", XML, XML_TYPE),
        ("/v1/plans", "text/xml", XML_TYPE),
        ("/v1/plans", None, XML_TYPE),
        ("/v1/plans", "", XML_TYPE),
        ("/v1/plans", "*/*", XML_TYPE),
        ("/v1/plans", "text/html, application/json;q=0.9, */*;q=0.1", JSON_TYPE),
        ("/v1/plans", "application/xml;q=0.2, application/json; q=0.8", JSON_TYPE),
        ("/v1/plans", "application/json;q=none, application/xml", XML_TYPE),
        ("/v1/plans.json", None, JSON_TYPE),
        ("/v1/plans.json", XML, JSON_TYPE),
        ("/v1/plans.xml", JSON, XML_TYPE),
        ("/v1/plans/1.json", None, JSON_TYPE),
        ("/v1/plans/1.xml", JSON, XML_TYPE),
        ("/v1/plans/", JSON, JSON_TYPE),
    ],
)
def test_formats(brpm: Visitor, path: str, accept: str | None, kind: str) -> None:
    reply = brpm.call(f"GET {path}", accept=accept)
    assert (reply.status, reply.headers["content-type"]) == (200, kind)


@pytest.mark.parametrize(("path", "accept"), [("/v1/plans", "text/html"), ("/v1/plans.yaml", JSON)])
def test_other_formats_are_406(brpm: Visitor, path: str, accept: str) -> None:
    assert brpm.call(f"GET {path}", accept=accept).status == 406


def test_an_xml_list_has_a_root_of_its_own(brpm: Visitor) -> None:
    lines = brpm.call("GET /v1/plans", accept=XML).text.splitlines()
    assert lines[1:4] == [
        '<plans type="array">',
        "  <plan>",
        "    <aasm-state>created</aasm-state>",
    ]
    assert lines[-2:] == ["  </plan>", "</plans>"]


def test_xml_of_what_is_empty_or_odd(brpm: Visitor) -> None:
    plan = brpm.create(name='a <b> & "c" é \x01', description="")
    text = brpm.call(f"GET /v1/plans/{plan}", accept=XML).text
    assert '<name>a &lt;b&gt; &amp; "c" é *</name>' in text
    assert "<description></description>" in text
    assert '<teams type="array"/>' in text
    assert '<release-date type="date" nil="true"></release-date>' in text


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?Token=sandbox-admin-token"])
@pytest.mark.parametrize("accept", [JSON, XML, None])
def test_every_call_needs_the_token_in_its_query(
    brpm: Visitor, method: str, query: str, accept: str | None
) -> None:
    headers = {"Authorization": "Bearer sandbox-admin-token"}
    reply = brpm.call(f"{method} /v1/plans/1{query}", who=None, accept=accept, headers=headers)
    assert (reply.status, reply.text) == (403, FORBIDDEN)
    assert reply.headers["content-type"] == XML_TYPE
    assert brpm.sandbox.received[-1].who is None


def test_creating_needs_the_token(brpm: Visitor) -> None:
    reply = brpm.call("POST /v1/plans", {"plan": {"name": "n", "plan_template_id": 1}}, who=None)
    assert reply.status == 403
    assert len(brpm.sandbox.plans()) == 1


def test_a_revoked_token_is_403(brpm: Visitor) -> None:
    brpm.sandbox.revoke_token("sandbox-bob-token")
    assert brpm.call("GET /v1/plans", who="bob").status == 403
    assert brpm.call("GET /v1/plans", who="alice").status == 200


def test_status_of_success(brpm: Visitor) -> None:
    assert brpm.list().status == 200
    created = brpm.post()
    plan = created.json["id"]
    assert (created.status, brpm.put(plan, description="d").status) == (201, 202)
    deleted = brpm.delete(plan)
    assert (deleted.status, deleted.body.strip()) == (200, b"")


@pytest.mark.parametrize(("status", "body"), [(200, b" "), (202, b" "), (204, b"")])
def test_a_delete_is_blank(status: int, body: bytes) -> None:
    with visiting(delete_status=status) as brpm:
        reply = brpm.delete(1)
        assert (reply.status, reply.body) == (status, body)
        assert brpm.sandbox.plans() == ()


@pytest.mark.parametrize("body", [{"name": "n"}, [], {"plan": 5}, {"plan": None}, {"Plan": {}}])
def test_a_body_without_the_envelope_is_ignored(brpm: Visitor, body: object) -> None:
    created = brpm.call("POST /v1/plans", body)
    assert (created.status, created.json) == (
        422,
        {"name": ["can't be blank"], "plan_template_id": ["can't be blank"]},
    )
    before = brpm.sandbox.plan(1)
    updated = brpm.call("PUT /v1/plans/1", body)
    assert (updated.status, updated.json["name"]) == (202, "Sample Plan")
    assert brpm.sandbox.plan(1) == before
    assert not brpm.sandbox.received[-1].committed


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/octet-stream"])
def test_a_body_of_another_type_is_not_read(brpm: Visitor, kind: str) -> None:
    body = {"plan": {"name": "other"}}
    assert brpm.call("PUT /v1/plans/1", body, headers={"Content-Type": kind}).status == 202
    assert brpm.sandbox.plan(1)["name"] == "Sample Plan"


def test_a_form_is_read(brpm: Visitor) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = b"plan[name]=From+a+form&plan[plan_template_id]=1&plan%5Bteam_ids%5D%5B%5D=2"
    reply = brpm.call("POST /v1/plans", body, headers=headers)
    assert (reply.status, reply.json["name"]) == (201, "From a form")
    assert reply.json["teams"] == [{"id": 2, "name": "Payments"}]


def test_json_that_is_none_is_500_and_a_page(brpm: Visitor) -> None:
    reply = brpm.call("POST /v1/plans", b'{"plan": ')
    assert (reply.status, reply.body) == (500, FAILED_PAGE)
    assert reply.headers["content-type"].startswith("text/html")


def test_a_server_that_fails_answers_a_page(brpm: Visitor) -> None:
    page = {"Content-Type": "text/html"}
    brpm.sandbox.faults.add(
        Fault("status-after", path="create", status=500, body=FAILED_PAGE, headers=page)
    )
    reply = brpm.post(name="made all the same")
    assert (reply.status, reply.body) == (500, FAILED_PAGE)
    assert len(brpm.sandbox.plans()) == 2


@pytest.mark.parametrize(
    ("empty", "json", "xml"),
    [
        ("404", (404, b" "), (404, b" ")),
        ("null", (200, b"null"), (200, f'{HEAD}<nil-classes type="array"/>\n'.encode())),
        ("[]", (200, b"[]"), (200, f'{HEAD}<nil-classes type="array"/>\n'.encode())),
    ],
)
@pytest.mark.parametrize("resource", ["plans", "plan_templates", "users", "requests"])
def test_an_empty_list(
    empty: str, json: tuple[int, bytes], xml: tuple[int, bytes], resource: str
) -> None:
    with visiting(BrpmSandbox(fixtures={}), empty=empty) as brpm:
        brpm.sandbox.put_record("user", {"id": 1, "login": "root"})
        brpm.sandbox.issue_token("root", "sandbox-admin-token")
        target = f"GET /v1/{resource}?filters[email]=nobody"
        for accept, expected in ((JSON, json), (XML, xml)):
            reply = brpm.call(target, accept=accept)
            assert (reply.status, reply.body) == expected


def test_headers(brpm: Visitor) -> None:
    first, second = brpm.list(), brpm.list()
    digest = hashlib.md5(first.body, usedforsecurity=False).hexdigest()
    assert first.headers["etag"] == f'"{digest}"' == second.headers["etag"]
    assert first.headers["cache-control"] == "max-age=0, private, must-revalidate"
    assert first.headers["server"] == "Apache-Coyote/1.1"
    assert first.headers["x-ua-compatible"] == "IE=Edge"
    assert len(first.headers["x-request-id"]) == 32
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert float(first.headers["x-runtime"]) > 0


@pytest.mark.parametrize(
    ("target", "status"),
    [("GET /v1/plans/99", 404), ("POST /v1/plans", 422), ("GET /v1/elsewhere", 404)],
)
def test_every_answer_has_a_tag(brpm: Visitor, target: str, status: int) -> None:
    reply = brpm.call(target)
    assert reply.status == status
    assert reply.headers["etag"].strip('"')


@pytest.mark.parametrize("form", ["{tag}", '"x", {tag}', "*"])
def test_a_known_tag_is_304_without_a_body(brpm: Visitor, form: str) -> None:
    tag = brpm.call("GET /v1/plans/1").headers["etag"]
    known = {"If-None-Match": form.format(tag=tag)}
    reply = brpm.call("GET /v1/plans/1", headers=known)
    assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", tag)
    assert "content-type" not in reply.headers


def test_another_tag_is_answered_in_full(brpm: Visitor) -> None:
    tag = brpm.call("GET /v1/plans/1").headers["etag"]
    brpm.put(1, description="changed")
    assert brpm.call("GET /v1/plans/1", headers={"If-None-Match": tag}).status == 200


def test_tags_do_not_guard_writes(brpm: Visitor) -> None:
    tag = brpm.call("GET /v1/plans/1").headers["etag"]
    brpm.put(1, description="theirs")
    late: Mapping[str, str] = {"If-Match": tag, "If-None-Match": "*"}
    reply = brpm.call("PUT /v1/plans/1", {"plan": {"description": "mine"}}, headers=late)
    assert (reply.status, reply.json["description"]) == (202, "mine")


def test_a_list_has_no_pages(brpm: Visitor) -> None:
    for number in range(120):
        brpm.sandbox.insert_plan({"name": f"Plan no. {number}"})
    listed = brpm.call("GET /v1/plans?page=2&per_page=10").json
    assert [one["id"] for one in listed] == list(range(1, 122))


@pytest.mark.parametrize(
    "target",
    [
        "GET /v1/plans/99",
        "PUT /v1/plans/99",
        "DELETE /v1/plans/99",
        "GET /v1/plans/abc",
        "GET /v1/plans?filters[name]=nobody",
    ],
)
def test_not_found_has_no_json(brpm: Visitor, target: str) -> None:
    reply = brpm.call(target, None if target.startswith("GET") else {"plan": {}})
    assert (reply.status, reply.body.strip()) == (404, b"")


@pytest.mark.parametrize(
    "target",
    ["PATCH /v1/plans/1", "POST /v1/plans/1", "PUT /v1/plans", "GET /v2/plans", "POST /v1/teams"],
)
def test_other_routes_are_404_and_a_page(brpm: Visitor, target: str) -> None:
    reply = brpm.call(target)
    assert reply.status == 404
    assert reply.headers["content-type"].startswith("text/html")


def test_outside_the_context_is_404(brpm: Visitor) -> None:
    for path in ("/v1/plans", "/brpmx/v1/plans", "/"):
        reply = brpm.send(f"GET {path}?token=sandbox-admin-token")
        assert (reply.status, "etag" in reply.headers) == (404, False)


@pytest.mark.parametrize("context", ["", "/", "/rpm/", "/a/b"])
def test_the_context_may_be_chosen(context: str) -> None:
    with visiting(BrpmSandbox(context=context)) as brpm:
        assert brpm.call("GET /v1/plans/1").status == 200
        assert brpm.sandbox.received[0].path.startswith(f"{context.rstrip('/')}/v1/plans/1?")


def test_validation_errors_by_attribute(brpm: Visitor) -> None:
    reply = brpm.post(name="Sample Plan", plan_template_name="none")
    assert (reply.status, reply.headers["content-type"]) == (422, JSON_TYPE)
    assert reply.json == {
        "name": ["has already been taken"],
        "plan_template_name": ["was not found"],
    }


def test_validation_errors_in_xml(brpm: Visitor) -> None:
    body = {"plan": {"name": "Sample Plan"}}
    reply = brpm.call("POST /v1/plans", body, accept=XML)
    assert (reply.status, reply.headers["content-type"]) == (422, XML_TYPE)
    assert reply.text == (
        f"{HEAD}<errors>\n  <error>Name has already been taken</error>\n"
        "  <error>Plan template can't be blank</error>\n</errors>\n"
    )


def test_base_errors_have_no_attribute_in_xml(brpm: Visitor) -> None:
    brpm.move(1, "plan_it")
    reply = brpm.call("DELETE /v1/plans/1", accept=XML)
    assert "<error>Plan cannot be deleted in the state planned</error>" in reply.text


def test_a_lost_answer_and_a_second_create_refused_by_name(brpm: Visitor) -> None:
    brpm.sandbox.faults.add(Fault("drop-after", path="create"))
    with pytest.raises(http.client.RemoteDisconnected):
        brpm.post(name="Once")
    assert brpm.post(name="Once").json == {"name": ["has already been taken"]}
