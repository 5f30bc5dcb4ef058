"""The router, the error bodies and the gateway, byte for byte (§1, §2, §10)."""

from collections.abc import Iterator

import pytest

from planops.sandbox.zadig.visitor import Visitor, visiting


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


PLANS = "/openapi/release_plan/v1"
JSON = "application/json; charset=utf-8"


def test_ordinary_error_is_500_with_the_odd_message(zadig: Visitor) -> None:
    reply = zadig.call(f"POST {PLANS}", {})
    assert reply.status == 500
    assert reply.headers["content-type"] == JSON
    assert reply.body == (
        b'{"code":500,"message":"Internal Error: ","description":"Required parameters are missing"}'
    )


def test_bind_failure_is_400_with_the_coded_shape(zadig: Visitor) -> None:
    assert zadig.call(f"POST {PLANS}", b"").body == (
        b'{"type":"error","code":400,"message":"Bad Request","description":"EOF","extra":{}}'
    )


def test_coded_error_is_400_with_its_own_code(zadig: Visitor) -> None:
    jobs = [{"name": "w", "type": "workflow", "spec": {"workflow_key": "absent"}}]
    reply = zadig.update(zadig.create(), jobs=jobs)
    assert reply.status == 400
    assert reply.body.decode() == (
        '{"type":"error","code":6542,"message":"查询workflow失败",'
        '"description":"mongo: no documents in result","extra":{}}'
    )


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("sandbox-admin-token", 401),
        ("Bearer  sandbox-admin-token", 401),
        ("Bearer nobody", 401),
        ("Bearer sandbox-admin-token", 200),
        ("Anything sandbox-admin-token", 200),
    ],
)
def test_gateway_wants_two_words_and_a_known_token(
    zadig: Visitor, header: str | None, status: int
) -> None:
    headers = {} if header is None else {"Authorization": header}
    reply = zadig.call(f"GET {PLANS}?pageNum=1&pageSize=1", who=None, headers=headers)
    assert reply.status == status
    assert status == 200 or reply.body == b""


def test_revoked_token_is_401(zadig: Visitor) -> None:
    zadig.sandbox.revoke_token("sandbox-patrick-token")
    reply = zadig.call(f"GET {PLANS}?pageNum=1&pageSize=1", who="patrick")
    assert (reply.status, reply.body) == (401, b"")


def test_token_in_the_query_overrides_the_header(zadig: Visitor) -> None:
    target = f"GET {PLANS}?pageNum=1&pageSize=1&token="
    assert zadig.call(f"{target}nobody").status == 401
    assert zadig.call(f"{target}sandbox-bob-token", who=None).status == 200


def test_missing_permission_is_403_and_empty(zadig: Visitor) -> None:
    reply = zadig.call(f"POST {PLANS}", b"not even JSON", who="bob")
    assert (reply.status, reply.body) == (403, b"")


def test_list_and_detail_need_no_permission(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.sandbox.permit("bob", [])
    assert zadig.call(f"GET {PLANS}/{plan}", who="bob").status == 200
    assert zadig.call(f"GET {PLANS}?pageNum=1&pageSize=1", who="bob").status == 200


@pytest.mark.parametrize("missing", ["EditMetadata", "EditApproval", "EditSubtasks"])
def test_update_needs_every_edit_permission(zadig: Visitor, missing: str) -> None:
    plan = zadig.create()
    zadig.sandbox.permit("alice", {"EditMetadata", "EditApproval", "EditSubtasks"} - {missing})
    assert zadig.update(plan, who="alice").status == 403


@pytest.mark.parametrize("body", [b"null", b" null "])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_null_body_crashes_the_handler(zadig: Visitor, method: str, body: bytes) -> None:
    target = PLANS if method == "POST" else f"{PLANS}/{zadig.create()}"
    reply = zadig.call(f"{method} {target}", body)
    assert (reply.status, reply.body) == (500, b"")


def test_unknown_path_is_404_in_plain_text(zadig: Visitor) -> None:
    reply = zadig.call("GET /openapi/release_plans")
    assert (reply.status, reply.body) == (404, b"Invalid path: /openapi/release_plans")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("method", ["DELETE", "PUT"])
def test_wrong_method_is_405_in_plain_text(zadig: Visitor, method: str) -> None:
    path = f"{PLANS}/64f1a7cd1b7bd46ec353b50c"
    reply = zadig.call(f"{method} {path}")
    assert (reply.status, reply.body.decode()) == (405, f"Method not allowed: {method} {path}")


@pytest.mark.parametrize(("method", "status"), [("GET", 301), ("POST", 307)])
def test_trailing_slash_redirects(zadig: Visitor, method: str, status: int) -> None:
    reply = zadig.call(f"{method} {PLANS}/?pageNum=1", b"{}")
    assert reply.status == status
    assert reply.headers["location"] == f"{PLANS}?pageNum=1"


def test_operation_without_a_value_answers_success(zadig: Visitor) -> None:
    reply = zadig.update(zadig.create())
    assert (reply.status, reply.body) == (200, b'{"message":"success"}')


def test_user_search_is_for_administrators(zadig: Visitor) -> None:
    target = "GET /openapi/users?account=PATRICK"
    assert zadig.call(target).json == {
        "users": [
            {
                "uid": "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0001",
                "account": "patrick",
                "name": "Patrick",
                "identity_type": "system",
                "last_login_time": 1693558721,
            }
        ],
        "total_count": 1,
    }
    assert zadig.call(target, who="patrick").status == 403
