"""The strict reader: several documents, places, everything wrong at once, and limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from planops.manifests import thorough
from planops.manifests.text import decode
from planops.manifests.yaml import Parsed, _quick, default_parser, parse, spots

PLAN = """\
# A comment.
apiVersion: planops/v1
metadata: {name: a, labels: {team: "payments"}}   # flow
spec:
  content: |
    one
    two
  folded: >-
    three
    four
  list:
  - 1
  - {x: 1.10, z: 'single'}
  -
  - - nested
    - true
  empty:
  text: a b  # not the comment
"""


def codes(parsed: Parsed) -> list[str]:
    return [
        f"{problem.mark.line}:{problem.mark.column} {problem.code}"
        for problem in parsed.problems
        if problem.mark
    ]


def test_an_ordinary_document() -> None:
    [document] = parse(PLAN.encode(), "f.yaml").documents
    assert (document.index, document.line) == (0, 2)
    assert document.value == {
        "apiVersion": "planops/v1",
        "metadata": {"name": "a", "labels": {"team": "payments"}},
        "spec": {
            "content": "one\ntwo\n",
            "folded": "three four",
            "list": [1, {"x": 1.1, "z": "single"}, None, ["nested", True]],
            "empty": None,
            "text": "a b",
        },
    }


def test_the_place_and_the_spelling_of_everything() -> None:
    found = spots(PLAN.encode())[0]
    said = {
        "/".join(map(str, path)): (
            spot.line,
            spot.column,
            spot.key_line,
            spot.key_column,
            spot.text,
        )
        for path, spot in found.items()
    }
    assert said == {
        "": (2, 1, 2, 1, ""),
        "apiVersion": (2, 13, 2, 1, "planops/v1"),
        "metadata": (3, 11, 3, 1, ""),
        "metadata/name": (3, 18, 3, 12, "a"),
        "metadata/labels": (3, 29, 3, 21, ""),
        "metadata/labels/team": (3, 36, 3, 30, '"payments"'),
        "spec": (5, 3, 4, 1, ""),
        "spec/content": (5, 12, 5, 3, "|\n    one\n    two\n"),
        "spec/folded": (8, 11, 8, 3, ">-\n    three\n    four\n"),
        "spec/list": (12, 3, 11, 3, ""),
        "spec/list/0": (12, 5, 12, 5, "1"),
        "spec/list/1": (13, 5, 13, 5, ""),
        "spec/list/1/x": (13, 9, 13, 6, "1.10"),
        "spec/list/1/z": (13, 18, 13, 15, "'single'"),
        "spec/list/2": (14, 4, 14, 4, ""),
        "spec/list/3": (15, 5, 15, 5, ""),
        "spec/list/3/0": (15, 7, 15, 7, "nested"),
        "spec/list/3/1": (16, 7, 16, 7, "true"),
        "spec/empty": (17, 3, 17, 3, ""),
        "spec/text": (18, 9, 18, 3, "a b"),
    }


def test_places_after_a_byte_order_mark_an_emoji_and_carriage_returns() -> None:
    found = spots("\ufeffa: 🚀 x\r\nb: {c: 1}\r\n".encode())[0]
    assert (found["a",].line, found["a",].column, found["a",].text) == (1, 4, "🚀 x")
    assert (found["b", "c"].line, found["b", "c"].column, found["b", "c"].text) == (2, 8, "1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("# only a comment\n", []),
        ("---\n", []),
        ("---\n---\n...\n---\n# x\n", []),
        ("a: 1\n---\na: 2\n", [(0, 1, {"a": 1}), (1, 3, {"a": 2})]),
        ("---\n---\na: 2\n...\n---\nb: 3\n", [(1, 3, {"a": 2}), (2, 6, {"b": 3})]),
        ("--- 1\n--- [x]\n", [(0, 1, 1), (1, 2, ["x"])]),
    ],
)
def test_several_documents(text: str, expected: list[Any]) -> None:
    for parser in (default_parser(), yaml.SafeLoader):
        parsed = parse(text.encode(), "f.yaml", parser)
        assert [(each.index, each.line, each.value) for each in parsed.documents] == expected
        assert parsed.problems == ()


def test_everything_wrong_is_said_at_once() -> None:
    text = "a: yes\na: 1\n1: 010\nb: &x 1\nc: *x\nd: !t 2\n<<: {}\n"
    parsed = parse(text.encode(), "f.yaml")
    assert codes(parsed) == [
        "1:4 ambiguous-boolean",
        "2:1 duplicate-key",
        "3:1 key-not-text",
        "3:4 leading-zero",
        "4:4 anchor",
        "5:4 alias",
        "6:4 tag",
        "7:1 merge-key",
    ]
    assert parsed.documents[0].value == {"a": "yes", "1": "010", "b": 1, "c": None, "d": 2}


def test_a_mistake_of_syntax_ends_its_document_only() -> None:
    text = "a: 1\n---\nb: [\n---\nc: yes\n---\nd: @\n--- \ne: 5\n"
    for parser in (default_parser(), yaml.SafeLoader):
        parsed = parse(text.encode(), "f.yaml", parser)
        assert codes(parsed) == ["4:1 syntax", "5:4 ambiguous-boolean", "7:4 syntax"]
        assert [each.value for each in parsed.documents] == [{"a": 1}, {"c": "yes"}, {"e": 5}]
        assert [each.line for each in parsed.documents] == [1, 5, 9]


def test_too_deep_ends_its_document_only() -> None:
    text = "a: " + "[" * 41 + "]" * 41 + "\n---\nb: 1\n"
    parsed = parse(text.encode(), "f.yaml")
    assert codes(parsed) == ["1:43 too-deep"]
    assert [each.value for each in parsed.documents] == [{"b": 1}]
    assert parse(("a: " + "[" * 39 + "]" * 39).encode(), "f.yaml").problems == ()


def test_no_file_drowns_the_reader_in_problems() -> None:
    assert len(parse(b"- yes\n" * 1000, "f.yaml").problems) == thorough.MAX_FLAWS
    assert len(parse(b"---\n@\n" * 1000, "f.yaml").problems) == thorough.MAX_RESTARTS
    assert len(parse(b"---\n- &a 1\n- @\n" * 1000, "f.yaml").problems) <= thorough.MAX_FLAWS


def test_documents_are_counted() -> None:
    assert len(parse(b"---\na: 1\n" * 1000, "f.yaml").documents) == 1000
    parsed = parse(b"---\na: 1\n" * 100_000, "f.yaml")
    assert codes(parsed) == ["2001:1 too-many-documents"]
    assert codes(parse(b"---\n- @\n" + b"---\na: 1\n" * 1000, "f.yaml"))[-1].startswith("2001:1")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[" + b"1," * 500_000 + b"1]", "too-many-values"),
        (b"a: [" + b"x, " * 100_001 + b"x]", "too-many-values"),
        (b"".join(b"k%d: 1\n" % i for i in range(100_001))[: 2**20], "too-many-values"),
        (b"[" * (2**20), "too-deep"),
        (b"{a: " * (2**18), "too-deep"),
        (b"- " * (2**19), "too-deep"),
        (b"a: " + b"9" * (2**20 - 3), "number-too-long"),
        (b"&a " * 300_000, "anchor"),
        (b'"' + b"\\x41" * 260_000, "syntax"),
        (b"? " * 500_000, "key-not-text"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_large_hostile_file_is_a_problem_with_a_place(data: bytes, code: str) -> None:
    problems = parse(data[: 2**20], "f.yaml").problems
    assert problems[0].code == code
    assert all(problem.mark is not None and len(problem.message) < 300 for problem in problems)


def test_a_large_honest_file_is_read() -> None:
    data = b"a:\n" + b"  - some words of a list\n" * 40_000
    [document] = parse(data[: 2**20], "f.yaml").documents
    assert isinstance(document.value, dict)


def test_the_pure_parser_serves_where_libyaml_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = parse(PLAN.encode(), "f.yaml")
    places = spots(PLAN.encode())
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert default_parser() is yaml.SafeLoader
    assert parse(PLAN.encode(), "f.yaml") == expected
    assert spots(PLAN.encode()) == places


def test_a_secret_is_not_quoted() -> None:
    [problem] = parse(b"token: 0123456", "f.yaml").problems
    assert "0123456" not in problem.message + problem.hint


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Cn", "Co"]))
)
TREES = st.recursive(
    SCALARS,
    lambda tree: (
        st.lists(tree, max_size=4) | st.dictionaries(st.text("abcyon~1_", min_size=1), tree)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text("abcxyz", min_size=1), TREES, min_size=1))
def test_json_is_read_as_json(value: dict[str, Any]) -> None:
    for text in (
        json.dumps(value, ensure_ascii=False),
        json.dumps(value, indent=2, ensure_ascii=False),
    ):
        parsed = parse(text.encode(), "f.yaml")
        assert parsed.problems == ()
        assert [each.value for each in parsed.documents] == [value]


WORDS = st.text("abc deé-:#1,0.'\"\\[]{}&*!|>%@`~yno\n\t", max_size=12)
BLOCKS = st.recursive(
    WORDS, lambda tree: st.lists(tree) | st.dictionaries(WORDS, tree), max_leaves=12
)


def spelled(ours: Any, theirs: Any) -> bool:
    """Compare with a reader that takes every scalar for text."""
    if isinstance(ours, dict):
        return list(ours) == list(theirs) and all(spelled(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(spelled, ours, theirs))
    if isinstance(ours, str):
        return bool(ours == theirs)
    return theirs in ("", "~") if ours is None and theirs != "null" else json.loads(theirs) == ours


@given(BLOCKS)
def test_what_another_emitter_writes_is_read_alike(value: Any) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    parsed = parse(text.encode(), "f.yaml")
    if parsed.problems:
        return  # an ambiguous word, which the emitter does not quote
    theirs = [each for each in _base(text) if each not in ("", "~", "null")]
    assert all(map(spelled, [each.value for each in parsed.documents], theirs))


def _base(text: str) -> list[Any]:
    return list(yaml.load_all(text, yaml.BaseLoader))


@given(st.binary(max_size=200))
def test_any_bytes_give_values_or_places(data: bytes) -> None:
    _values_or_places(data)


PIECES = st.sampled_from(
    [*"a1:-?[]{},&*!|>'\"%@#\n\t\\~é\x85\x00", "b:", "---", "...", "yes", "010", "<<", "\r\n", ""]
)


@given(st.lists(PIECES, max_size=30).map(" ".join))
@settings(max_examples=300)
def test_any_tokens_give_values_or_places(text: str) -> None:
    _values_or_places(text.encode())


@given(st.data())
@settings(max_examples=300)
def test_a_mutated_document_gives_values_or_places(data: st.DataObject) -> None:
    text = PLAN.encode()
    at = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 6))
    _values_or_places(text[:at] + data.draw(st.binary(max_size=4)) + text[at + length :])


def _values_or_places(data: bytes) -> None:
    for parser in (default_parser(), yaml.SafeLoader):
        parsed = parse(data, "f.yaml", parser)
        found = spots(data, parser)
        for problem in parsed.problems:
            assert problem.mark is not None
            assert problem.mark.line >= 1
            assert problem.mark.column >= 1
            assert problem.message.isprintable()
        for document in parsed.documents:
            assert () in found[document.index]
        _both_readers_agree(data, parsed, parser)


def _both_readers_agree(data: bytes, parsed: Parsed, parser: Any) -> None:
    """What the quick reader takes, the thorough one takes too, and reads alike."""
    text = decode(data)
    if isinstance(text, str) and not parsed.problems:
        quick = list(_quick(text, parser))
        trees = [tree for tree in thorough.read(text, parser).trees if tree.value is not None]
        assert [(each.index, each.line, repr(each.value)) for each in quick] == [
            (tree.index, tree.line, repr(tree.value)) for tree in trees
        ]
