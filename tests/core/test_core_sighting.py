"""What is remembered of a list: how it is read from the ledger, and for how long it is of use."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from core.ledgers import RECORD, SHOWN, only, spoilt
from planops.core.ledger import book, record_document
from planops.core.sighting import MARGIN, MOST, Seen, seen, sighting

SEEN = Seen(sighting=SHOWN, ground="b" * 64, read_at=2000)
SIGHTING: dict[str, Any] = {
    "version": 3,
    "update_time": 1000,
    "updated_by": "Alice",
    "status": "planning",
    "listed": "a" * 64,
}
DOCUMENT: dict[str, Any] = {"sighting": SIGHTING, "ground": "b" * 64, "read_at": 2000}
WRONG = "seen is nothing that a list shows of a plan"


def test_it_is_read_as_it_was() -> None:
    assert seen(DOCUMENT) == SEEN
    assert sighting(SIGHTING) == SHOWN


@pytest.mark.parametrize("value", [None, 1, "a", [], True, {}, DOCUMENT | {"else": 1}])
def test_it_has_exactly_its_fields(value: Any) -> None:
    assert seen(value) is None
    assert book("t", spoilt("record", {"seen": value})).damages[0].why == WRONG


@pytest.mark.parametrize("name", DOCUMENT)
def test_none_of_its_fields_may_be_missing(name: str) -> None:
    assert seen({key: value for key, value in DOCUMENT.items() if key != name}) is None


@pytest.mark.parametrize("value", [None, 1, "a", [], {}, SIGHTING | {"else": 1}])
def test_a_sighting_has_exactly_its_fields(value: Any) -> None:
    assert sighting(value) is None
    assert seen(DOCUMENT | {"sighting": value}) is None


@pytest.mark.parametrize("name", SIGHTING)
def test_none_of_a_sightings_fields_may_be_missing(name: str) -> None:
    assert sighting({key: value for key, value in SIGHTING.items() if key != name}) is None


@pytest.mark.parametrize("value", [None, True, False, 1.0, "1", -1, MOST + 1, [], {}])
def test_numbers_are_whole_and_not_too_large(value: Any) -> None:
    assert sighting(SIGHTING | {"version": value}) is None
    assert sighting(SIGHTING | {"update_time": value}) is None
    assert seen(DOCUMENT | {"read_at": value}) is None


@pytest.mark.parametrize("value", [None, 1, True, [], {}])
def test_author_and_state_are_text(value: Any) -> None:
    assert sighting(SIGHTING | {"updated_by": value}) is None
    assert sighting(SIGHTING | {"status": value}) is None


@pytest.mark.parametrize("value", [None, 1, "", "a" * 63, "a" * 65, "A" * 64, "g" * 64, []])
def test_digests_are_digests(value: Any) -> None:
    assert sighting(SIGHTING | {"listed": value}) is None
    assert seen(DOCUMENT | {"ground": value}) is None


def test_a_record_keeps_it_and_one_without_it_is_as_it_was_before() -> None:
    record = replace(RECORD, seen=SEEN)
    document = record_document(record)
    assert book("t", only(document)).records == {"summer": record}
    assert json.loads(document[1])["seen"] == DOCUMENT
    assert "seen" not in json.loads(record_document(RECORD)[1])


@pytest.mark.parametrize(("later", "usable"), [(-1, False), (MARGIN - 1, False), (MARGIN, True)])
def test_the_last_edit_must_be_older_than_the_read(later: int, *, usable: bool) -> None:
    found = replace(SEEN, read_at=SHOWN.update_time + later)
    assert found.is_usable is usable
    assert SEEN.says_the_same(found) is usable


def test_a_later_read_alone_says_nothing_new() -> None:
    assert SEEN.says_the_same(replace(SEEN, read_at=9000))
    assert not SEEN.says_the_same(None)
    assert not SEEN.says_the_same(replace(SEEN, ground="c" * 64))
    assert not SEEN.says_the_same(replace(SEEN, sighting=replace(SHOWN, version=4)))
