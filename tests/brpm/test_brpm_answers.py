"""What BRPM's answers mean, each with its exact sentence (docs/servers/brpm.md §1, §7)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planops.backends.brpm.answers import (
    complaints,
    listed,
    record,
    refusal,
    succeeded,
    write_refusal,
)
from planops.backends.exchange import Response
from planops.backends.redaction import Redactor
from planops.errors import (
    Garbled,
    NotAllowed,
    OutcomeUnknown,
    PlanGone,
    PlanopsError,
    ServerSaidNo,
    StateConflict,
)

WHERE = "PUT /v1/plans/7"
SECRET = "planted/s3cr3t+token"
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sorry</title></head></html>"
XML = b"<?xml version='1.0'?><hash><error>Token is invalid</error></hash>"
GONE = f"{WHERE}: there is no such plan on the server"


def answer(status: int, body: Any = b"") -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, body=raw, where=WHERE, redactor=Redactor((SECRET,)))


def said(error: PlanopsError) -> tuple[type[PlanopsError], str]:
    return type(error), str(error)


def caught(wanted: type[PlanopsError], function: Any, response: Response) -> str:
    with pytest.raises(wanted) as found:
        function(response, WHERE)
    assert type(found.value) is wanted
    return str(found.value)


@pytest.mark.parametrize(
    ("status", "good"), [(199, False), (200, True), (201, True), (202, True), (204, True)]
)
def test_any_2xx_is_success(status: int, good: bool) -> None:  # noqa: FBT001 -- a table's column
    assert succeeded(answer(status)) is good
    assert not succeeded(answer(status + 101))


# ------------------------------------------------------------------------------------------ lists


@pytest.mark.parametrize(
    "response",
    [
        answer(404),
        answer(404, PAGE),
        answer(404, b" "),
        answer(200),
        answer(200, b" \n"),
        answer(204),
        answer(200, b"null"),
        answer(200, b"[]"),
    ],
)
def test_an_empty_list_has_many_forms(response: Response) -> None:
    assert listed(response, WHERE) == []


def test_a_list_is_its_rows() -> None:
    assert listed(answer(200, [{"id": 1}, {}]), WHERE) == [{"id": 1}, {}]


@pytest.mark.parametrize("body", [{}, {"plans": []}, [1], [{"id": 1}, None], "x", 1, False])
def test_what_is_no_list_is_not_understood(body: Any) -> None:
    sentence = caught(Garbled, listed, answer(200, body))
    assert sentence == f"{WHERE}: the answer is no list; check url in planops.yaml"


def test_a_page_instead_of_a_list_is_not_understood() -> None:
    assert caught(Garbled, listed, answer(200, PAGE)).startswith(
        f"{WHERE}: an answer that is not understood (status 200): an HTML or XML page came"
    )


def test_a_list_that_is_refused_is_no_empty_list() -> None:
    for status in (400, 401, 403, 422, 500):
        with pytest.raises(ServerSaidNo):
            listed(answer(status, b"[]"), WHERE)


# ---------------------------------------------------------------------------------------- records


def test_a_record_is_its_document() -> None:
    assert record(answer(201, {"id": 7}), WHERE) == {"id": 7}


@pytest.mark.parametrize(
    "response", [answer(404, PAGE), answer(200, b" "), answer(204), answer(200, b"null")]
)
def test_a_record_that_is_not_there(response: Response) -> None:
    assert caught(PlanGone, record, response) == GONE


@pytest.mark.parametrize("body", [[], [{"id": 7}], "x", 1, True])
def test_what_is_no_record_is_not_understood(body: Any) -> None:
    sentence = caught(Garbled, record, answer(200, body))
    assert sentence == f"{WHERE}: the answer is no plan; check url in planops.yaml"


def test_a_record_that_is_refused() -> None:
    assert caught(NotAllowed, record, answer(403, XML)).startswith(f"{WHERE}: the token is not")


# --------------------------------------------------------------------------------------- refusals


REFUSALS: list[tuple[str, Response, type[PlanopsError], str]] = [
    (
        "403",
        answer(403, XML),
        NotAllowed,
        (
            "the token is not accepted, or lacks the right (403);"
            " check the token that the settings name"
        ),
    ),
    ("404", answer(404, PAGE), PlanGone, "there is no such plan on the server"),
    (
        "422 of a field",
        answer(422, {"name": ["has already been taken"]}),
        ServerSaidNo,
        "the server refused: name has already been taken; mend the file",
    ),
    (
        "422 of fields",
        answer(422, {"name": ["can't be blank"], "team_ids": ["is invalid", "is odd"]}),
        ServerSaidNo,
        (
            "the server refused: name can't be blank; team_ids is invalid, is odd;"
            " mend the file"
        ),
    ),
    (
        "422 of the event",
        answer(422, {"name": ["is odd"], "aasm_event": ["start is not allowed"]}),
        StateConflict,
        "the plan's state forbids it: aasm_event start is not allowed; run diff again",
    ),
    (
        "422 of the whole",
        answer(422, {"base": ["Plan cannot be deleted in the state started"]}),
        StateConflict,
        (
            "the plan's state forbids it: base Plan cannot be deleted in the state started;"
            " run diff again"
        ),
    ),
    (
        "422 in XML",
        answer(422, b"<errors><error>Name is taken</error></errors>"),
        ServerSaidNo,
        'the server refused: saying "<errors><error>Name is taken</error></errors>"; mend the file',
    ),
    (
        "422 without a word",
        answer(422),
        ServerSaidNo,
        "the server refused: without a word; mend the file",
    ),
    (
        "422 with something else",
        answer(422, ["x"]),
        ServerSaidNo,
        'the server refused: saying "["x"]"; mend the file',
    ),
    (
        "422 without lists",
        answer(422, {"name": "taken"}),
        ServerSaidNo,
        'the server refused: saying "{"name": "taken"}"; mend the file',
    ),
    (
        "406",
        answer(406, b" "),
        ServerSaidNo,
        "the server answered 406, without a word; try again later",
    ),
    (
        "401 with a page",
        answer(401, b"<html>\x1b[2J"),
        ServerSaidNo,
        'the server answered 401, saying "<html>\\x1b[2J"; try again later',
    ),
]  # fmt: skip
FAILURES = [
    (500, PAGE, 'saying "<!DOCTYPE html>\\n<html><head><title>Sorry</title></head></h…"'),
    (502, b"", "without a word"),
    (503, b" ", "without a word"),
    (599, b'{"error": "x"}', 'saying "{"error": "x"}"'),
]


@pytest.mark.parametrize(
    ("response", "wanted", "sentence"),
    [one[1:] for one in REFUSALS],
    ids=[one[0] for one in REFUSALS],
)
def test_a_refusal_says_why_and_what_to_do(
    response: Response, wanted: type[PlanopsError], sentence: str
) -> None:
    assert said(refusal(response, WHERE)) == (wanted, f"{WHERE}: {sentence}")
    assert said(write_refusal(response, WHERE)) == (wanted, f"{WHERE}: {sentence}")


@pytest.mark.parametrize(("status", "body", "word"), FAILURES)
def test_a_write_may_have_been_made_after_a_server_error(
    status: int, body: bytes, word: str
) -> None:
    assert said(refusal(answer(status, body), WHERE)) == (
        ServerSaidNo,
        f"{WHERE}: the server answered {status}, {word}; try again later",
    )
    assert said(write_refusal(answer(status, body), WHERE)) == (
        OutcomeUnknown,
        (
            f"{WHERE}: the server answered {status}, {word}, so it may have written or not;"
            " the next run looks first"
        ),
    )


# ------------------------------------------------------------------------------------- complaints


@pytest.mark.parametrize("body", [b"", b"<errors/>", b"[]", b"null", b'{"a": "b"}', b"{", b"\xff"])
def test_complaints_that_are_none(body: bytes) -> None:
    assert complaints(answer(422, body)) == {}


def test_complaints_are_text_by_attribute() -> None:
    found = complaints(answer(422, {"name": ["is odd", 7, None], "x": {}, "y": []}))
    assert found == {"name": ["is odd", "7", "None"], "y": []}


def test_a_long_or_unprintable_complaint_is_bounded() -> None:
    message = str(refusal(answer(422, {"na\x1bme": ["a\nb\u202e" + "x" * 5000]}), WHERE))
    assert message.isprintable()
    assert len(message) < 300
    assert message.startswith(f"{WHERE}: the server refused: na me a b xxx")


@pytest.mark.parametrize(
    "body",
    [
        {"name": [f"no {SECRET}"]},
        {"aasm_event": [f"no {SECRET}"]},
        {f"token {SECRET}": ["is odd"]},
        {"base": [{"url": f"?token={SECRET}"}]},
        f"<a href='/v1/plans?token={SECRET}'>".encode(),
        b'["planted%2Fs3cr3t%2Btoken"]',
    ],
)
@pytest.mark.parametrize("status", [422, 401, 500])
def test_a_secret_that_the_server_quotes_is_not_shown(body: Any, status: int) -> None:
    for error in (refusal, write_refusal):
        message = str(error(answer(status, body), WHERE))
        assert SECRET not in message
        assert "s3cr3t" not in message
    assert SECRET not in repr(complaints(answer(status, body)))
