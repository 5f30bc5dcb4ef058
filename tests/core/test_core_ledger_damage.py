"""The ledger's documents as an enemy, an accident or a newer planops writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ledgers import DOCUMENTS, INTENT, LEASED, RECORD, fields, only, spoilt, written
from planops.core.ledger import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_LEASE,
    MAX_NUMBER,
    Book,
    Damage,
    Lease,
    book,
)

KINDS = ("record", "intent", "lease")


def why(documents: dict[str, bytes]) -> str:
    """What is said of the one document, of which nothing else may be left."""
    found = book("t", documents)
    [path] = documents
    [damage] = found.damages
    assert found == Book(tip="t", damages=(damage,))
    assert damage.path == path
    assert damage.why
    return damage.why


# ------------------------------------------------------------------------------ no document

NO_JSON: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n",
    "text": b"summer",
    "truncated": DOCUMENTS["record"][1][:-20],
    "two": b"{} {}",
    "a comment": b"{} // x",
    "a trailing comma": b'{"format": 1,}',
    "single quotes": b"{'format': 1}",
    "not a number": b'{"format": 1, "spec": {"a": NaN}}',
    "infinity": b'{"format": 1, "spec": {"a": -Infinity}}',
    "infinity by size": b'{"format": 1, "spec": {"a": 1e999}}',
    "too many digits": b'{"format": 1, "spec": {"a": 1%b}}' % (b"0" * 5000),
    "a control character": b'{"format": 1, "name": "a\nb"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "Latin-1": '{"name": "ä"}'.encode("latin-1"),
    "half a pair": b'{"name": "\xed\xa0\x80"}',
    "bottomless lists": b"[" * 200_000,
    "bottomless objects": b'{"a":' * 200_000,
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("data", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json(kind: str, data: bytes) -> None:
    assert why({DOCUMENTS[kind][0]: data}) == "it is no JSON document"


@pytest.mark.parametrize("data", [b"[]", b"1", b"null", b"true", b'"{}"', b"[{}]"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_object(kind: str, data: bytes) -> None:
    assert why({DOCUMENTS[kind][0]: data}) == "it is no JSON object"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_too_large_is_not_even_parsed(kind: str) -> None:
    data = DOCUMENTS[kind][1]
    path = DOCUMENTS[kind][0]
    full = data + b" " * (MAX_BYTES - len(data))
    assert not book("t", {path: full}).damages
    assert why({path: full + b" "}) == "it has 4194305 bytes; at most 4194304 are read"


@pytest.mark.parametrize("inner", ["[]", "{}"])
def test_what_is_nested_too_deep(inner: str) -> None:
    def ledger(depth: int) -> dict[str, bytes]:
        text = json.dumps({**fields("record"), "spec": {"a": "here"}})
        deep = "[" * (depth - 3) + inner + "]" * (depth - 3)
        return {DOCUMENTS["record"][0]: text.replace('"here"', deep).encode()}

    assert not book("t", ledger(MAX_DEPTH)).damages
    assert why(ledger(MAX_DEPTH + 1)) == "it has more than 200 objects and lists inside each other"
    assert why(ledger(500)) == "it has more than 200 objects and lists inside each other"


def test_much_that_is_not_deep_is_read() -> None:
    wide = spoilt("record", {"spec": {"a": [[[]] for _ in range(5 * MAX_DEPTH)]}})
    assert not book("t", wide).damages


@pytest.mark.parametrize(
    "text",
    [
        '{"format": 1, "format": 1}',
        '{"format": 1, "id": "1", "id": "2"}',
        '{"format": 1, "spec": {"a": 1, "a": 1}}',
        '{"format": 1, "spec": {"a": [{"b": 1, "\\u0062": 2}]}}',
    ],
)
def test_a_name_that_stands_twice(text: str) -> None:
    assert why({"plans/summer.json": text.encode()}) == "an object in it has a name twice"


# ------------------------------------------------------------------------------- its format


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["1", None, True, False, 1.0, [], {}, 0, -1])
def test_a_format_that_there_never_was(kind: str, form: Any) -> None:
    assert why(spoilt(kind, {"format": form})) == "it says no format"


@pytest.mark.parametrize("kind", KINDS)
def test_a_format_that_is_left_out(kind: str) -> None:
    value = fields(kind)
    del value["format"]
    assert why({DOCUMENTS[kind][0]: written(value)}) == "it says no format"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", [2, 10**4000])
def test_a_format_of_the_future(kind: str, form: int) -> None:
    """Whatever else it holds: this version cannot tell."""
    newer = {DOCUMENTS[kind][0]: written({"format": form, "else": 1})}
    assert why(newer) == "its format is newer than 1; upgrade planops"


# -------------------------------------------------------------------------------- its fields

TEXT = ("record name", "record kind", "record url", "record id", "intent name", "intent op")
TEXTS = (*TEXT, "intent id", "intent ground", "lease holder", "lease run", "lease link")
MAYBE = ("record goal", "record reached", "intent return_to")
NUMBERS = ("intent high_water", "intent at", "lease until", "lease seconds")
OBJECTS = ("record spec", "record echo", "record origin")


@pytest.mark.parametrize("field", [*TEXTS, *MAYBE])
@pytest.mark.parametrize("value", [0, 1, True, False, 1.5, [], ["a"], {}])
def test_what_should_be_text(field: str, value: Any) -> None:
    kind, name = field.split()
    assert why(spoilt(kind, {name: value})) == f"{name} is no text"


@pytest.mark.parametrize("field", TEXTS)
def test_text_that_is_null(field: str) -> None:
    kind, name = field.split()
    assert why(spoilt(kind, {name: None})) == f"{name} is no text"


@pytest.mark.parametrize("field", NUMBERS)
@pytest.mark.parametrize(
    "value", ["1", None, True, False, 1.0, 1.5, [], {}, -1, MAX_NUMBER + 1, 10**4000]
)
def test_what_should_be_a_number(field: str, value: Any) -> None:
    kind, name = field.split()
    most = 86400 if field == "lease seconds" else 999999999999999999
    expected = f"{name} is no whole number from 0 to {most}"
    assert why(spoilt(kind, {name: value})) == expected


def test_a_lease_lasts_a_day_at_most() -> None:
    assert why(spoilt("lease", {"seconds": MAX_LEASE + 1})).startswith("seconds is no whole number")
    assert book("", spoilt("lease", {"seconds": MAX_LEASE})).lease is not None


@pytest.mark.parametrize(
    ("until", "over"), [(99, True), (100, True), (101, False), (160, False), (161, True)]
)
def test_a_lease_that_is_over(until: int, *, over: bool) -> None:
    """One that lasts longer than it may was not written by planops, or long ago."""
    assert Lease(holder="", run="", until=until, seconds=60).is_over(100) is over


@pytest.mark.parametrize("field", OBJECTS)
@pytest.mark.parametrize("value", ["a", None, True, 1, [], [["a", 1]]])
def test_what_should_be_an_object(field: str, value: Any) -> None:
    kind, name = field.split()
    assert why(spoilt(kind, {name: value})) == f"{name} is no object"


@pytest.mark.parametrize("value", ["true", None, 1, 0, "", [], {}])
def test_protection_is_never_guessed(value: Any) -> None:
    assert why(spoilt("record", {"protect": value})) == "protect is neither true nor false"


@pytest.mark.parametrize("value", ["aa", None, 1, {}, [1], ["aa", None], [["aa"]]])
def test_what_should_be_steps(value: Any) -> None:
    assert why(spoilt("intent", {"steps": value})) == "steps is no list of digests"
    assert why(spoilt("record", {"allowed": value})) == "allowed is no list of digests"


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_is_missing(kind: str) -> None:
    for name in fields(kind).keys() - {"format"}:
        value = fields(kind)
        del value[name]
        assert why({DOCUMENTS[kind][0]: written(value)}) == f"{name} is missing"


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_nobody_knows(kind: str) -> None:
    expected = "it has a field that this version does not know; upgrade planops"
    assert why(spoilt(kind, {"else": None})) == expected
    assert why(spoilt(kind, {"": 1})) == expected


ORIGINS: list[tuple[Any, str]] = [
    ({}, "origin.commit is missing"),
    ({"commit": ""}, "origin.file is missing"),
    (
        {"commit": "", "file": "a", "else": 1},
        "it has a field that this version does not know; upgrade planops",
    ),
    ({"commit": 1, "file": "a"}, "origin.commit is no text"),
    ({"commit": None, "file": "a"}, "origin.commit is no text"),
    ({"commit": "", "file": None}, "origin.file is no text"),
    *(
        ({"commit": commit, "file": "a"}, "origin.commit is no commit id")
        for commit in (
            "HEAD",
            "--upload-pack=x",
            "a" * 39,
            "a" * 41,
            "A" * 40,
            "g" * 40,
            "a" * 40 + "\n",
            "a" * 63,
            "a" * 40 + "^{tree}",
            "refs/heads/main",
            " ",
        )
    ),
]


@pytest.mark.parametrize(("origin", "expected"), ORIGINS)
def test_an_origin_that_is_none(origin: Any, expected: str) -> None:
    assert why(spoilt("record", {"origin": origin})) == expected


IDS = (
    "",
    "0",
    "012",
    "-1",
    "+1",
    "1.0",
    "1e3",
    " 1",
    "1\n",
    "1/../2",
    "../1",
    "1?a=b",
    "1#",
    "1%2f2",
    "1" * 19,
    "a" * 23,
    "a" * 25,
    "A" * 24,
    "g" * 24,
    "\N{ARABIC-INDIC DIGIT ONE}",
    "\N{FULLWIDTH DIGIT ONE}",
    "a" * 23 + "\n",
    "null",
)


@pytest.mark.parametrize("value", IDS)
@pytest.mark.parametrize("kind", ["record", "intent"])
def test_an_id_that_no_server_gave(kind: str, value: str) -> None:
    assert why(spoilt(kind, {"id": value})) == "id is no plan's id"


def test_only_a_creation_may_have_no_id_yet() -> None:
    assert not book("t", spoilt("intent", {"op": "create", "id": ""})).damages
    assert not book("t", spoilt("intent", {"op": "create", "id": "12"})).damages
    assert why(spoilt("intent", {"op": "create", "id": "x"})) == "id is no plan's id"
    for op in ("update", "transition", "delete", "adopt"):
        assert not book("t", spoilt("intent", {"op": op})).damages
        assert why(spoilt("intent", {"op": op, "id": ""})) == "id is no plan's id"


@pytest.mark.parametrize("op", ["", "unchanged", "CREATE", "approve", "create\n", "purge"])
def test_an_op_that_nobody_does(op: str) -> None:
    assert why(spoilt("intent", {"op": op})) == "op is nothing that is done to a plan"


URLS = (
    "",
    "release.example.com",
    "//release.example.com",
    "ftp://release.example.com",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "HTTPS://release.example.com",
    " https://release.example.com",
    "https://release.example.com\n",
    "https://release example.com",
    "https://release.example.com\x00",
    "https://\x7f",
    "https://",
    "https://" + "a" * 2001,
)


@pytest.mark.parametrize("url", URLS)
def test_an_address_of_another_kind(url: str) -> None:
    assert why(spoilt("record", {"url": url})) == "url is no http address"


# ----------------------------------------------------------------------------- where it stands


@pytest.mark.parametrize("kind", ["record", "intent"])
@pytest.mark.parametrize("key", ["winter", "", None, 1, "Summer", "../summer", ["summer"]])
def test_a_document_under_another_key(kind: str, key: Any) -> None:
    assert why(spoilt(kind, {"key": key})) == "it is filed under another key than its own"


NAMES = (
    "../summer.json",
    "a/b.json",
    "summer",
    "summer.JSON",
    "summer.json/",
    "Summer.json",
    "-summer.json",
    "summer-.json",
    ".json",
    ".summer.json",
    "..json",
    "sum mer.json",
    "summer.json\n",
    "sömmer.json",
    "sum\\mer.json",
    "x" * 101 + ".json",
    "README.md",
    "",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["record", "intent"])
def test_a_name_that_is_no_key(kind: str, name: str) -> None:
    path, data = DOCUMENTS[kind]
    assert why({f"{path.split('/')[0]}/{name}": data}) == "its name is no plan's key"


@pytest.mark.parametrize("path", ["plans", "intents"])
def test_a_file_where_a_folder_should_be(path: str) -> None:
    assert why({path: b"{}"}) == "it is no folder"


@pytest.mark.parametrize(
    "path", ["README.md", "plan/summer.json", "Plans/summer.json", "lease", "lease.json/x", "x/y"]
)
def test_what_is_no_documents_place_is_not_read(path: str) -> None:
    assert book("t", {path: b"\xff"}) == Book(tip="t")


def test_a_record_is_no_intent_and_no_lease() -> None:
    data = DOCUMENTS["record"][1]
    assert why({"intents/summer.json": data}) == "at is missing"
    assert why({"lease.json": data}) == "holder is missing"
    assert why({"plans/summer.json": DOCUMENTS["intent"][1]}) == "allowed is missing"


# ------------------------------------------------------------------------------ and the others


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b" " * (MAX_BYTES + 1)])
def test_a_damaged_document_hides_no_other(data: bytes) -> None:
    sound = dict(DOCUMENTS.values())
    bad = ["plans/a.json", "plans/../b.json", "intents/zz.json", "plans/zz.json", "intents"]
    found = book("t", dict.fromkeys(bad[:2], data) | sound | dict.fromkeys(bad[2:], data))
    assert found.records == {"summer": RECORD}
    assert found.intents == {"summer": INTENT}
    assert found.lease == LEASED
    assert [damage.path for damage in found.damages] == bad
    assert [damage.key for damage in found.damages] == ["a", "", "zz", "zz", ""]


def test_a_damaged_lease_is_told_and_is_nobodys() -> None:
    found = book("t", {"lease.json": b""})
    assert found.lease is None
    assert found.damages == (Damage(path="lease.json", why="it is no JSON document"),)


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(deadline=None)
@given(kind=st.sampled_from(KINDS), value=JUNK, data=st.data())
def test_whatever_a_field_holds_nothing_is_raised(
    kind: str, value: Any, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(fields(kind))))
    found = book("t", spoilt(kind, {name: value}))
    read = [*found.records.values(), *found.intents.values()]
    read += [found.lease] if found.lease else []
    assert len(read) + len(found.damages) == 1


@settings(deadline=None)
@given(kind=st.sampled_from(KINDS), at=st.integers(min_value=0), byte=st.binary(max_size=3))
def test_whatever_bytes_are_spoilt_nothing_is_raised(kind: str, at: int, byte: bytes) -> None:
    path, data = DOCUMENTS[kind]
    at %= len(data)
    found = book("t", only((path, data[:at] + byte + data[at + len(byte) :])))
    assert len(found.records) + len(found.intents) + len(found.damages) + bool(found.lease) == 1
