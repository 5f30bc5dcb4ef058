"""Go's binding of JSON bodies (docs/servers/zadig.md §1.5)."""

from collections.abc import Iterator

import pytest

from planops.sandbox.zadig.visitor import Visitor, visiting


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


CREATE = "POST /openapi/release_plan/v1"
ARGS = "OpenAPICreateReleasePlanArgs"
FIELD = "into Go struct field"
BIG = "9223372036854775808"
USERS = "NativeApproval.approval.native_approval.approve_users"
NESTED = "NativeApproval.approval.native_approval.timeout"


@pytest.mark.parametrize(
    ("body", "description"),
    [
        (b"", "EOF"),
        (b"  \n", "EOF"),
        (b'{"name":', "unexpected EOF"),
        (b'{"name":"x', "unexpected EOF"),
        (b"nonsense", "invalid character 'o' in literal null (expecting 'u')"),
        (b"{name:1}", "invalid character 'n' looking for beginning of object key string"),
        (b'{"name" 1}', "invalid character '1' after object key"),
        (b'{"name":"a" "b":1}', "invalid character '\"' after object key:value pair"),
        (b'{"approval":[1 2]}', "invalid character '2' after array element"),
        (
            b'{"start_time":1.0}',
            f"json: cannot unmarshal number 1.0 {FIELD} {ARGS}.start_time of type int64",
        ),
        (
            b'{"start_time":"1"}',
            f"json: cannot unmarshal string {FIELD} {ARGS}.start_time of type int64",
        ),
        (
            b'{"end_time":9223372036854775808}',
            f"json: cannot unmarshal number {BIG} {FIELD} {ARGS}.end_time of type int64",
        ),
        (
            b'{"name":7}',
            f"json: cannot unmarshal number into Go struct field {ARGS}.name of type string",
        ),
        (
            b'{"approval":{"native_approval":{"timeout":"5"}}}',
            f"json: cannot unmarshal string {FIELD} {NESTED} of type int",
        ),
        (b'{"start_time":NaN}', "invalid character 'N' looking for beginning of value"),
        (b"{'name':1}", r"invalid character '\'' looking for beginning of object key string"),
        (b"tru", "unexpected EOF"),
        (b"[" * 200_000, "exceeded max depth"),
        (
            b'{"approval":7}',
            f"json: cannot unmarshal number {FIELD} {ARGS}.approval of type models.Approval",
        ),
        (
            b'{"approval":{"enabled":1,"status":2}}',
            f"json: cannot unmarshal number {FIELD} Approval.approval.enabled of type bool",
        ),
        (
            b'{"approval":{"native_approval":{"approve_users":{}}}}',
            f"json: cannot unmarshal object {FIELD} {USERS} of type []*models.User",
        ),
        (b"[]", f"json: cannot unmarshal array into Go value of type service.{ARGS}"),
    ],
)
def test_what_does_not_fit_is_400_with_gos_text(
    zadig: Visitor, body: bytes, description: str
) -> None:
    assert zadig.call(CREATE, body).error == (400, description)


def test_keys_match_whatever_their_case(zadig: Visitor) -> None:
    plan = zadig.call(CREATE, b'{"NAME":"n","Manager":"admin","eXtra":1}').json["id"]
    assert zadig.get(plan)["name"] == "n"


def test_null_scalars_are_zero(zadig: Visitor) -> None:
    body = b'{"name":"n","manager":"admin","description":null,"start_time":null,"approval":null}'
    plan = zadig.get(zadig.call(CREATE, body).json["id"])
    assert (plan["description"], plan["start_time"], "approval" in plan) == ("", 0, False)


def test_bytes_after_the_first_value_are_ignored(zadig: Visitor) -> None:
    assert zadig.call(CREATE, b'{"name":"n","manager":"admin"}]] trailing').status == 200


def test_answers_escape_html_as_go_does(zadig: Visitor) -> None:
    plan = zadig.create(description="<p>a & b</p>")
    reply = zadig.call(f"GET /openapi/release_plan/v1/{plan}")
    assert rb'"description":"\u003cp\u003ea \u0026 b\u003c/p\u003e"' in reply.body
    assert reply.json["description"] == "<p>a & b</p>"


def test_lone_surrogates_become_replacement_characters(zadig: Visitor) -> None:
    plan = zadig.call(CREATE, b'{"name":"\\ud800","manager":"admin"}').json["id"]
    assert zadig.get(plan)["name"] == "�"


def test_numbers_inside_free_values_keep_their_value(zadig: Visitor) -> None:
    plan = zadig.create()
    sprint = b'{"a":1,"b":1.5,"c":2e3,"d":[true,null],"e":"x"}'
    body = b'{"verb":"update_jira_sprint","spec":{"jira_sprint_association":%s}}' % sprint
    assert zadig.inside(f"PUT /{plan}", body).status == 200
    assert zadig.get(plan)["jira_sprint_association"] == {
        "a": 1,
        "b": 1.5,
        "c": 2000,
        "d": [True, None],
        "e": "x",
    }
