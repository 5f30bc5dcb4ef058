"""What answers mean: every beginning of docs/servers/zadig.md §11, in every envelope of §2."""

from __future__ import annotations

import json

import pytest

from planops.backends.exchange import Response
from planops.backends.redaction import Redactor
from planops.backends.zadig.answers import is_id, payload, refusal, write_refusal
from planops.errors import (
    Garbled,
    NotAllowed,
    OutcomeUnknown,
    PlanGone,
    PlanopsError,
    ServerSaidNo,
    StateConflict,
    Unreachable,
)

WHERE = "PATCH /openapi/release_plan/v1/x"
HEX = "encoding/hex: invalid byte: U+0078 'x'"
NO_DOCUMENT = "mongo: no documents in result"
NOT_HEX = "the provided hex string is not a valid ObjectID"
PREFIXES = ("", "get release plan error: ", "get plan: ", "GetReleasePlan: ")

GONE = [f"{prefix}{text}" for prefix in PREFIXES for text in (NO_DOCUMENT, NOT_HEX, HEX)]
FILE = [
    "Required parameters are missing",
    "lint release time range error: start time should not be greater than end time",
    "lint schedule execute time error: schedule execute time should be in the range",
    "User nobody not found",
    "User alice search failed",
    "lintApproval error: all approve users should not less than needed approvers",
    "createLarkApprovalDefinition error: lark approval is nil",
    "invalid spec: unmarshal task error: json: cannot unmarshal string",
    "update workflow param error: param x not found in workflow",
    "failed to update jobspec for job: build, err: didn't find the registry",
    "undefined job type of type:notification",
    "failed to find code host with name:x",
    "plan must not have no jobs",
    "failed to lint release job, err: workflow is nil",
    "something that nobody has seen yet",
    "",
]
STATE = [
    "release plan status is success, executing or wait for approve, can't update",
    "current status can not equal to target status planning",
    "can't convert plan status success to planning",
    "can't update status",
    "approval status is reject, can not execute",
    "plan status is executing, can not update",
    "plan is not in the release time range",
    "clear approval data: nil approval",
]
PERSON = [
    "only manager can update plan status",
    "only manager can execute",
    "user Bob is not the manager of the job",
    "do approval: user Bob has no authority to Approve",
]
PASSING = [
    "lock release plan: lock already taken, locked nodes: [0]",
    "Failed to get user admin, error: dial tcp: connection refused",
    "get user: dial tcp: connection refused",
    "failed to validate zadig license status, error: timeout",
    "persist release plan: timeout",
    "create release plan: timeout",
    "failed get release plan hook setting, err: mongo: no documents in result",
]
TABLE: list[tuple[str, type[PlanopsError]]] = [
    *((text, PlanGone) for text in GONE),
    *((text, ServerSaidNo) for text in FILE),
    *((text, StateConflict) for text in STATE),
    *((text, NotAllowed) for text in PERSON),
    *((text, Unreachable) for text in PASSING),
]


def answer(status: int, body: bytes | str | object) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Response(status=status, body=raw, redactor=Redactor(("s3cr3t",)))


def ordinary(text: str) -> Response:
    return answer(500, {"code": 500, "message": "Internal Error: ", "description": text})


def coded(code: int, text: str) -> Response:
    document = {"type": "error", "code": code, "message": "m", "description": text, "extra": {}}
    return answer(400, document)


@pytest.mark.parametrize(("text", "kind"), TABLE, ids=[text or "mute" for text, _ in TABLE])
def test_every_description(text: str, kind: type[PlanopsError]) -> None:
    error = refusal(ordinary(text), WHERE)
    assert type(error) is kind
    wrote = text.startswith(("persist release plan", "create release plan"))
    assert type(write_refusal(ordinary(text), WHERE)) is (OutcomeUnknown if wrote else kind)
    assert str(error).startswith(f"{WHERE}: ")
    assert text.removeprefix(next(p for p in PREFIXES[::-1] if text.startswith(p))) in str(error)


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (6542, ServerSaidNo, "the workflow is not there: because (6542); mend the job's spec"),
        (6545, ServerSaidNo, "the workflow cannot be prepared: because (6545)"),
        (7050, NotAllowed, "enterprise licence (7050)"),
        (400, ServerSaidNo, "because"),
        (6190, ServerSaidNo, "because"),
    ],
)
def test_every_code(code: int, kind: type[PlanopsError], says: str) -> None:
    error = write_refusal(coded(code, "because"), WHERE)
    assert type(error) is kind
    assert says in str(error)


def test_the_code_counts_where_descriptions_were_mixed_up() -> None:
    assert type(refusal(coded(6542, "only manager can execute"), WHERE)) is ServerSaidNo
    assert type(refusal(coded(7050, NO_DOCUMENT), WHERE)) is NotAllowed


@pytest.mark.parametrize(("status", "says"), [(401, "token is not accepted"), (403, "lacks the")])
def test_no_token_and_no_right(status: int, says: str) -> None:
    for error in (refusal(answer(status, b""), WHERE), write_refusal(answer(status, b""), WHERE)):
        assert type(error) is NotAllowed
        assert says in str(error)
        assert f"({status})" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<h1>502</h1>",
        b"[]",
        b"null",
        b"{}",
        b'{"code":"500"}',
        b'{"code":500,"descr',
        b"\xff",
    ],
)
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_mute_answer_to_a_write_leaves_it_unknown(status: int, body: bytes) -> None:
    error = write_refusal(answer(status, body), WHERE)
    assert type(error) is OutcomeUnknown
    assert str(status) in str(error)
    assert type(refusal(answer(status, body), WHERE)) is ServerSaidNo


@pytest.mark.parametrize("status", [400, 404, 405, 413, 429])
def test_a_mute_refusal_below_500_wrote_nothing(status: int) -> None:
    error = write_refusal(answer(status, b"Invalid path: /x"), WHERE)
    assert type(error) is ServerSaidNo
    todo = "check url in planops.yaml, and that" if status == 404 else "try again later"
    assert f"the server answered {status} without saying why; {todo}" in str(error)


def test_quotes_are_one_line_cut_and_redacted() -> None:
    error = str(refusal(ordinary("User \x1b[31m\ns3cr3t " + "x" * 500), WHERE))
    assert error.isprintable()
    assert "s3cr3t" not in error
    assert "more)" in error
    assert len(error) < 400


def test_a_good_answer_holds_an_object() -> None:
    assert payload(answer(200, {"id": "x"}), WHERE) == {"id": "x"}
    with pytest.raises(Garbled, match="an object was expected, not list"):
        payload(answer(200, []), WHERE)
    with pytest.raises(PlanGone):
        payload(ordinary(NO_DOCUMENT), WHERE)
    for status in (201, 204, 206):
        with pytest.raises(ServerSaidNo, match=str(status)):
            payload(answer(status, b""), WHERE)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("64f1a0000000000000000001", True),
        ("64F1A0000000000000000001", False),
        ("64f1a000000000000000000", False),
        ("64f1a0000000000000000001\n", False),
        ("../64f1a000000000000000000", False),
        ("", False),
    ],
)
def test_ids_are_24_hexadecimal_digits(text: str, good: bool) -> None:  # noqa: FBT001
    assert is_id(text) is good
