"""The hidden first line: what is written can be read, and nothing else can."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planops.core.forge import (
    Author,
    Kind,
    Marker,
    Post,
    Risk,
    is_sha,
    marker_of,
    room,
    same,
)

HEAD = "a1" * 20
MARKER = Marker(
    repository="acme/plans", number=7, head=HEAD, seq=(30, 2), risk=Risk.ROUTINE, kind=Kind.REVIEW
)
LINE = (
    '<!-- planops:v1 {"repo":"acme/plans","number":7,"head":"' + HEAD + '","run":30,"attempt":2,'
    '"risk":"routine","kind":"review"} -->'
)
NUMBERS = st.integers(0, 2**63 - 1)
MARKERS = st.builds(
    Marker,
    repository=st.from_regex(r"[A-Za-z0-9_.\-]{1,40}(/[A-Za-z0-9_.\-]{1,40}){1,3}", fullmatch=True),
    number=NUMBERS,
    head=st.from_regex(r"[0-9a-f]{40}([0-9a-f]{24})?", fullmatch=True),
    seq=st.tuples(NUMBERS, NUMBERS),
    risk=st.sampled_from(Risk),
    kind=st.sampled_from(Kind),
    scope=st.from_regex(r"[a-z0-9.,\-]{0,40}", fullmatch=True),
)


def test_the_line_is_as_it_is_written() -> None:
    assert MARKER.line == LINE


@given(marker=MARKERS, body=st.text())
def test_what_is_written_can_be_read(marker: Marker, body: str) -> None:
    text = Post(marker=marker, body=body).text
    assert marker_of(text) == marker
    assert marker_of(text.replace("\n", "\r\n")) == marker
    inner = marker.line.removeprefix("<!--").removesuffix("-->")
    assert not {">", "<", "`", "\n"} & {*inner}
    assert "--" not in inner


@given(marker=MARKERS, at=st.integers(0, 400), put=st.text(max_size=3), cut=st.integers(0, 2))
def test_a_line_that_was_touched_is_not_ours_or_says_so(
    marker: Marker, at: int, put: str, cut: int
) -> None:
    line = marker.line
    at = min(at, len(line))
    found = marker_of(line[:at] + put + line[at + cut :])
    assert found is None or found.line == (line[:at] + put + line[at + cut :]).split("\n")[
        0
    ].rstrip("\r")


@given(text=st.text() | st.text().map(lambda inner: f"<!-- planops:v1 {{{inner}}} -->"))
def test_any_text_is_read_without_a_crash(text: str) -> None:
    found = marker_of(text)
    assert found is None or text.startswith(found.line)


HELD = json.loads(LINE.removeprefix("<!-- planops:v1 ").removesuffix(" -->"))


def written(**changed: object) -> str:
    held = {name: value for name, value in {**HELD, **changed}.items() if value != "gone"}
    return f"<!-- planops:v1 {json.dumps(held, separators=(',', ':'))} -->"


def test_the_hostile_lines_start_from_one_that_is_ours() -> None:
    assert written() == LINE


@pytest.mark.parametrize(
    "line",
    [
        "",
        " " + LINE,
        LINE + " ",
        LINE + "x",
        "\ufeff" + LINE,
        "\n" + LINE,
        "> " + LINE,
        LINE.replace("v1", "v2"),
        LINE.replace("v1", "V1"),
        LINE.replace('"number":7', '"number": 7'),
        LINE.replace('"number":7', '"number":7,"number":7'),
        LINE.replace('"number":7', '"number":07'),
        LINE.replace("review", "r\\u0065view"),
        LINE.replace("acme", "acmé"),
        LINE.replace("-->", "--!>"),
        LINE.replace("{", "[").replace("}", "]"),
        "<!-- planops:v1 {} -->",
        '<!-- planops:v1 {"' + "[" * 900 + '"} -->',
        "<!-- planops:v1 {" + '"a":{' * 300 + "}" * 300 + "} -->",
        "<!-- planops:v1 {" + " " * 9000 + "} -->",
        written(number=True),
        written(number=7.0),
        written(number="7"),
        written(number=None),
        written(number=-1),
        written(number=2**63),
        written(run=-1),
        written(attempt=False),
        written(attempt=[1]),
        written(head=HEAD.upper()),
        written(head=HEAD[:12]),
        written(head=None),
        written(head=HEAD + "\n"),
        written(repo="acme"),
        written(repo="acme/plans x"),
        written(repo="acme/plans -->"),
        written(repo="acme/" + "x" * 500),
        written(repo=["acme/plans"]),
        written(risk="Routine"),
        written(risk=None),
        written(kind="comment"),
        written(kind="gone"),
        written(extra=1),
    ],
)
def test_a_line_that_we_would_not_write_is_not_ours(line: str) -> None:
    assert marker_of(line + "\nbody") is None


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"repository": "acme"}, "owner/name"),
        ({"repository": "a/" + "b" * 499}, "owner/name"),
        ({"head": "main"}, "whole commit id"),
        ({"number": -1}, "at least 0"),
        ({"number": True}, "at least 0"),
        ({"seq": (1, 2**63)}, "below 2"),
    ],
)
def test_no_marker_is_made_that_could_not_be_read(changed: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(MARKER, **changed)  # type: ignore[arg-type]


def test_risks_have_an_order() -> None:
    assert [risk.rank for risk in (Risk.ROUTINE, Risk.ATTENTION, Risk.BLOCKED)] == [0, 1, 2]


def test_room_is_what_the_marker_leaves() -> None:
    body = "x" * room(1000, MARKER)
    assert len(Post(marker=MARKER, body=body).text) == 1000


ID, OTHER = Author(id=7, login="alice"), Author(id=8, login="alice")
BOT, NAMELESS = Author(id=9, login="x[bot]", bot=True), Author(id=None, login="x[bot]", bot=True)


@pytest.mark.parametrize(
    ("me", "author", "mine"),
    [
        (ID, Author(id=7, login="renamed"), True),
        (ID, OTHER, False),
        (BOT, NAMELESS, True),
        (NAMELESS, BOT, True),
        (NAMELESS, Author(id=1, login="y[bot]", bot=True), False),
        (NAMELESS, Author(id=1, login="x[bot]"), False),
        (Author(id=None, login="alice"), ID, False),
    ],
)
def test_an_author_is_known_by_id_or_by_a_bot_s_login(
    me: Author, author: Author, mine: object
) -> None:
    assert me.wrote(author) is mine


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [("a\r\nb\n", "a\nb", True), (" a", "a\n\n", True), ("a\nb", "a b", False)],
)
def test_texts_are_compared_as_forges_keep_them(one: str, other: str, equal: object) -> None:
    assert same(one, other) is equal


@pytest.mark.parametrize(
    ("text", "whole"), [("a" * 40, True), ("0" * 64, True), ("a" * 41, False), ("A" * 40, False)]
)
def test_a_commit_id_is_whole(text: str, whole: object) -> None:
    assert is_sha(text) is whole


@pytest.mark.parametrize("scope", [1, ["a"], "a b", "<b>", "a" * 501])
def test_a_scope_is_names_of_targets(scope: object) -> None:
    assert marker_of(written(scope="prod,stage")) == replace(MARKER, scope="prod,stage")
    assert marker_of(written(scope=scope)) is None
