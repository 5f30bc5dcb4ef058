"""Writing documents: whatever can be read can be written, is read back as it was, in one form."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from planops.errors import FilesWrong
from planops.manifests.text import control_character
from planops.manifests.writing import MAX_KEY, MOMENT, written
from planops.manifests.yaml import parse

ODD = (
    "", " ", "\n", "\n\n", "a\n", "a\n\n", "\na", " a\nb", "a\n  b", "a\n ", "a\n\n\nb\n", "\ta\nb",
    "a\tb\nc", "line \nline\n", "yes", "No", "ON", "y", "null", "Null", "~", "true", "TRUE", "1.10",
    "007", "1e3", "0x1f", "0o7", "12:30", "2026-12-01", "2026-12-01T22:00:00Z", "2026-12-01T22:00Z",
    "-", "---", "...", "- a", "? a", "a: b", "a:", ":a", "a #b", "#a", "a#b", "a,b", "[a]", "{a}",
    "*a", "&a", "!a", "%a", "@a", "`a`", "|", ">-", "'a'", '"a"', "a\\b", "a\rb", "a\r\nb",
    "\u2028", "a\u2028b\n", "\u2029", "\u00a0", "\u6c49\u5b57", "\u00e9", "\U0001f6a2", "a b",
    "a ", " a", "<<", "=", "<b>&amp;</b>", "${env:HOME}", "x" * 500, "x\n" * 50, "\u0663",
    "https://reg.example.com/test/cart:1.5.0", "a:\nb", "#\nb", "---\na\n", "...\na", "\u200b",
    "\u3000a", "a\u0301",
)  # fmt: skip

TEXTS = st.one_of(
    st.sampled_from(ODD),
    st.text(max_size=12).filter(lambda text: not control_character(text)),
    st.text("ab \n\t:#-'\"{}[]&*!|>%@`~0\u00e9\u6c49\r\u2028", max_size=10),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
)
NAMES = TEXTS.filter(lambda text: len(text) <= MAX_KEY)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


def read(text: str) -> Any:
    found = parse(text.encode(), "a.yaml")
    assert found.problems == (), (found.problems, text)
    (document,) = found.documents
    return document.value


@given(st.dictionaries(NAMES, TREES, min_size=1, max_size=4))
@example({"a": [[["x\n"], {"b": "c\nd"}], [], {}], "d": {"e": {}, "f": "g\n\n"}})
@example({"a": list(ODD), **{text: text for text in ODD if len(text) <= MAX_KEY}})
def test_what_is_written_is_read_back_and_written_the_same(value: dict[str, Any]) -> None:
    text = written(value)
    back = read(text)
    assert repr(back) == repr(value)
    assert written(back) == text


@given(st.dictionaries(st.text("ab", min_size=1), st.lists(TEXTS, max_size=3) | TEXTS, min_size=1))
def test_other_readers_of_yaml_read_the_same_texts(value: dict[str, Any]) -> None:
    """A moment aside, which YAML 1.1 has a type of its own for, and which files have unquoted."""
    plain = {k: [v] if isinstance(v, str) else v for k, v in value.items()}
    if not any(MOMENT.fullmatch(text) for texts in plain.values() for text in texts):
        assert yaml.SafeLoader(written(value)).get_single_data() == value


def test_the_form_is_that_of_the_examples() -> None:
    value: dict[str, Any] = {
        "start_time": "2026-12-01T22:00:00Z",
        "release_date": "2026-12-01",
        "version": "1.10",
        "flags": ["yes", "main", 7],
        "jobs": [{"name": "Announce", "spec": {"content": "one\ntwo\n"}}],
        "empty": {},
    }
    assert written(value) == (
        "start_time: 2026-12-01T22:00:00Z\n"
        'release_date: "2026-12-01"\n'
        'version: "1.10"\n'
        "flags:\n"
        '  - "yes"\n'
        "  - main\n"
        "  - 7\n"
        "jobs:\n"
        "  - name: Announce\n"
        "    spec:\n"
        "      content: |\n"
        "        one\n"
        "        two\n"
        "empty: {}\n"
    )


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"a": {"b": "x\x07"}}, "/a/b: the text holds the character U+0007, which no plan file"),
        ({"a": ["x\ny\x85"]}, "/a/0: the text holds the character U+0085"),
        ({"a": "\ud800"}, "/a: the text holds the character U+D800"),
        ({"a\x00": 1}, "the text holds the character U+0000"),
        ({"a": 2**63}, "/a: the number 9223372036854775808 does not fit into 64 bits"),
        ({"a": float("nan")}, "/a: nan is no number that a file can hold"),
        ({"a": {"b" * 201: 1}}, "/a: the name"),
    ],
)
def test_what_no_file_can_hold_is_refused(value: dict[str, Any], why: str) -> None:
    with pytest.raises(FilesWrong) as caught:
        written(value)
    assert why in str(caught.value)
