"""The ledger's documents: values that come back as they were, in a form that people can read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ledgers import INTENT, LEASED, RECORD, only
from planops.core.changes import canonical
from planops.core.ledger import (
    FORMAT,
    INTENTS,
    LEASE,
    MAX_LEASE,
    MAX_NUMBER,
    PLANS,
    Book,
    Damage,
    Intent,
    Lease,
    Origin,
    Record,
    book,
    intent_document,
    lease_document,
    record_document,
)
from planops.core.model import JSON
from planops.core.sighting import Seen, Sighting

T = TypeVar("T")


def as_json(value: T) -> T:
    """The same text as JSON has it: two halves of a pair that stand together are one character."""
    read: T = json.loads(json.dumps(value))
    return read


# Every character, halves of surrogate pairs among them.
CHARACTERS = st.characters(exclude_categories=())
TEXTS = st.text(CHARACTERS, max_size=8).map(as_json)
ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**60), max_value=10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES: st.SearchStrategy[JSON] = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
SPECS: st.SearchStrategy[dict[str, JSON]] = st.dictionaries(TEXTS, VALUES, max_size=3)
KEYS = st.from_regex(r"[a-z0-9]([-.a-z0-9]{0,98}[a-z0-9])?", fullmatch=True)
IDS = st.from_regex(r"[0-9a-f]{24}|[1-9][0-9]{0,17}", fullmatch=True)
COMMITS = st.from_regex(r"[0-9a-f]{40}|[0-9a-f]{64}|", fullmatch=True)
NUMBERS = st.integers(min_value=0, max_value=MAX_NUMBER)
DIGESTS = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
SEEN = st.builds(
    Seen,
    sighting=st.builds(
        Sighting,
        version=NUMBERS,
        update_time=NUMBERS,
        updated_by=TEXTS,
        status=TEXTS,
        listed=DIGESTS,
    ),
    ground=DIGESTS,
    read_at=NUMBERS,
)
RECORDS = st.builds(
    Record,
    key=KEYS,
    kind=TEXTS,
    url=st.sampled_from(["https://zadig.example.com", "http://127.0.0.1:8080/brpm"]),
    id=IDS,
    name=TEXTS,
    spec=SPECS,
    echo=SPECS,
    goal=st.none() | TEXTS,
    reached=st.none() | TEXTS,
    protect=st.booleans(),
    allowed=st.lists(TEXTS, max_size=3).map(tuple),
    origin=st.builds(Origin, commit=COMMITS, file=TEXTS),
    seen=st.none() | SEEN,
)
CREATIONS = st.builds(
    Intent,
    key=KEYS,
    kind=TEXTS,
    op=st.just("create"),
    name=TEXTS,
    id=IDS | st.just(""),
    ground=TEXTS,
    steps=st.lists(TEXTS, max_size=3).map(tuple),
    return_to=st.none() | TEXTS,
    high_water=NUMBERS,
    at=NUMBERS,
)
OTHERS = st.builds(
    lambda intent, op, id_: replace(intent, op=op, id=id_),
    CREATIONS,
    st.sampled_from(["update", "transition", "delete", "adopt"]),
    IDS,
)
LEASES = st.builds(
    Lease, holder=TEXTS, run=TEXTS, until=NUMBERS, seconds=st.integers(0, MAX_LEASE), link=TEXTS
)  # fmt: skip


# ------------------------------------------------------------------------------- round trips


@settings(deadline=None)
@given(RECORDS)
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    document = record_document(record)
    assert book("t", only(document)) == Book(tip="t", records={record.key: record})
    assert identical(book("t", only(document)).records[record.key], record)


@settings(deadline=None)
@given(CREATIONS | OTHERS)
def test_an_intent_comes_back_as_it_was(intent: Intent) -> None:
    assert book("t", only(intent_document(intent))) == Book(tip="t", intents={intent.key: intent})


@settings(deadline=None)
@given(LEASES)
def test_a_lease_comes_back_as_it_was(lease: Lease) -> None:
    assert book("t", only(lease_document(lease))) == Book(tip="t", lease=lease)


def identical(one: Record, other: Record) -> bool:
    """Equal to the type: 1, 1.0 and true are equal for ``==``, and are three values."""
    return canonical([one.spec, one.echo]) == canonical([other.spec, other.echo])


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("\ud800", id="the first half of a pair"),
        pytest.param("a\udc80b", id="the second half of a pair"),
        pytest.param("\\\ud800", id="a backslash before it"),
        pytest.param("\x00\x01\x1b[31m\x7f\x9b", id="control characters"),
        pytest.param("\u2028\u2029\x85", id="what some take for line ends"),
        pytest.param("发布\U0001f680", id="beyond the first plane"),
        pytest.param(10**4000, id="a huge integer"),
        pytest.param(-(2**63) - 1, id="beyond 64 bits"),
        pytest.param(1e308, id="a large float"),
        pytest.param(5e-324, id="the smallest float"),
        pytest.param(1.0, id="a float that is whole"),
        pytest.param({"": {"": [[], {}, None]}}, id="empty names"),
    ],
)
def test_whatever_json_can_say_is_kept(value: JSON) -> None:
    spec: dict[str, JSON] = {"a": value}
    record = replace(RECORD, spec=spec, echo={str(value)[:40]: spec})
    found = book("t", only(record_document(record)))
    assert found.damages == ()
    assert identical(found.records[RECORD.key], record)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_json_cannot_say_is_not_written(number: float) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        record_document(replace(RECORD, spec={"a": number}))


def test_a_whole_ledger_is_read_at_once() -> None:
    other = replace(RECORD, key="winter", id="5f2b6c7d8e9fa0b1c2d3e4f5")
    documents = dict(
        [
            record_document(RECORD),
            record_document(other),
            intent_document(INTENT),
            lease_document(LEASED),
        ]
    )
    assert book("0" * 40, documents) == Book(
        tip="0" * 40,
        records={"summer": RECORD, "winter": other},
        intents={"summer": INTENT},
        lease=LEASED,
    )
    assert book("", {}) == Book()


# ------------------------------------------------------------------------------- for people


def test_a_record_reads_well() -> None:
    path, data = record_document(RECORD)
    assert path == "plans/summer.json"
    assert data.decode() == (
        "{\n"
        ' "allowed": [\n'
        '  "cc"\n'
        " ],\n"
        ' "echo": {\n'
        '  "name": "Sömmer"\n'
        " },\n"
        f' "format": {FORMAT},\n'
        ' "goal": "ready",\n'
        ' "id": "12",\n'
        ' "key": "summer",\n'
        ' "kind": "FerryPlan",\n'
        ' "name": "Sömmer",\n'
        ' "origin": {\n'
        '  "commit": "",\n'
        '  "file": "plans/summer.yaml"\n'
        " },\n"
        ' "protect": true,\n'
        ' "reached": null,\n'
        ' "spec": {\n'
        '  "name": "Sömmer",\n'
        '  "stops": [\n'
        "   1,\n"
        "   2\n"
        "  ]\n"
        " },\n"
        ' "url": "https://release.example.com"\n'
        "}\n"
    )


def test_an_intent_reads_well() -> None:
    path, data = intent_document(INTENT)
    assert path == "intents/summer.json"
    assert data.decode() == (
        "{\n"
        ' "at": 1700000000,\n'
        f' "format": {FORMAT},\n'
        ' "ground": "0123456789abcdef",\n'
        ' "high_water": 41,\n'
        ' "id": "12",\n'
        ' "key": "summer",\n'
        ' "kind": "FerryPlan",\n'
        ' "name": "Sömmer",\n'
        ' "op": "update",\n'
        ' "origin": {\n'
        f'  "commit": "{"a" * 40}",\n'
        '  "file": "plans/summer.yaml"\n'
        " },\n"
        ' "return_to": "ready",\n'
        ' "steps": [\n'
        '  "aa",\n'
        '  "bb"\n'
        " ]\n"
        "}\n"
    )


def test_a_lease_reads_well() -> None:
    path, data = lease_document(LEASED)
    assert path == "lease.json"
    assert data.decode() == (
        "{\n"
        f' "format": {FORMAT},\n'
        ' "holder": "captain@harbour",\n'
        ' "link": "https://ci.example.com/1",\n'
        ' "run": "harbour/1/abc",\n'
        ' "seconds": 300,\n'
        ' "until": 1700000300\n'
        "}\n"
    )


@settings(deadline=None)
@given(RECORDS)
def test_a_document_is_text_with_sorted_names_and_one_line_end_at_the_end(record: Record) -> None:
    _, data = record_document(record)
    assert data.endswith(b"}\n")
    assert not data.endswith(b"\n\n")
    names: list[list[str]] = []

    def noted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names.append([name for name, _ in pairs])
        return dict(pairs)

    json.loads(data.decode("utf-8", errors="strict"), object_pairs_hook=noted)
    assert names == [sorted(row) for row in names]


@settings(deadline=None)
@given(RECORDS)
def test_equal_records_have_equal_documents(record: Record) -> None:
    turned = replace(record, spec=dict(reversed(record.spec.items())))
    assert record_document(turned) == record_document(record)


def test_one_field_more_is_one_line_more() -> None:
    before = record_document(RECORD)[1].splitlines()
    after = record_document(replace(RECORD, spec={**RECORD.spec, "note": "x"}))[1].splitlines()
    assert [line for line in after if line not in before] == [b'  "note": "x",']


# ----------------------------------------------------------------------------- names of files

PATHS: list[tuple[str, str]] = [
    ("plans/a.json", "a"),
    ("intents/a.json", "a"),
    ("plans/2026.12-a.json", "2026.12-a"),
    ("plans/a.json.json", "a.json"),
    (f"plans/{'a' * 100}.json", "a" * 100),
    (f"plans/{'a' * 101}.json", ""),
    ("plans/../a.json", ""),
    ("plans/a/b.json", ""),
    ("plans/.json", ""),
    ("plans/..json", ""),
    ("plans/a", ""),
    ("plans/A.json", ""),
    ("plans/a.json\n", ""),
    ("plans/a\n.json", ""),
    ("plans/ä.json", ""),
    ("plans//a.json", ""),
    ("lease.json", ""),
    ("a.json", ""),
    ("else/a.json", ""),
    ("", ""),
]


@pytest.mark.parametrize(("path", "key"), PATHS)
def test_a_damage_is_of_the_plan_that_its_path_names(path: str, key: str) -> None:
    assert Damage(path=path, why="").key == key


@pytest.mark.parametrize("make", [record_document, intent_document])
def test_documents_are_filed_under_their_keys(make: Callable[[Any], tuple[str, bytes]]) -> None:
    path, _ = make(RECORD if make is record_document else INTENT)
    assert re.fullmatch(rf"({PLANS}|{INTENTS})summer\.json", path)
    assert lease_document(LEASED)[0] == LEASE
