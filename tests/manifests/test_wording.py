"""How the user's own words are quoted: hostile text never reaches a terminal as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planops.manifests.wording import choice, code, did_you_mean, nearest, plain, quoted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("manager", "`manager`"),
        ("", "``"),
        ("a`b", "`a'b`"),
        ("\x1b[31mred", "`\\u001b[31mred`"),
        ("line\nbreak\ttab", "`line\\nbreak\\ttab`"),
        ("\u202eabc\u2066", "`\\u202eabc\\u2066`"),
        ("\U000e0041tag", "`\\U000e0041tag`"),
        ("发布计划", "`发布计划`"),
        ("x" * 61, "`" + "x" * 60 + "…`"),
    ],
)
def test_a_quoted_word(text: str, expected: str) -> None:
    assert code(text) == expected


@given(st.text())
def test_a_quoted_word_is_printable_and_short(text: str) -> None:
    for said in (plain(text), code(text), quoted(text)):
        assert said.isprintable()
        assert len(said) < 700
    assert code(text).count("`") == 2


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("mangaer", "manager"),
        ("startTime", "start_time"),
        ("START-TIME", "start_time"),
        ("xyz", ""),
        ("", ""),
    ],
)
def test_a_near_miss(word: str, meant: str) -> None:
    assert nearest(word, ["manager", "start_time", "jobs"]) == meant
    assert did_you_mean(word, ["manager", "start_time"]) == (
        f"did you mean `{meant}`?" if meant else ""
    )


def test_a_choice() -> None:
    assert choice([]) == ""
    assert choice(["a"]) == "`a`"
    assert choice(["a", "b", "c"]) == "`a`, `b` or `c`"
