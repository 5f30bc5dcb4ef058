"""From what was done to the next record: what only half happened claims nothing more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.values import NUMBER, TEXT, an_object, keyed
from planops.core.ledger import Origin, Record
from planops.core.model import JSON
from planops.core.records import noted, partly
from planops.core.shape import Kind, Shape
from planops.core.sighting import Seen, Sighting

SHAPE = an_object(
    description=TEXT,
    approval=an_object(by=TEXT, needed=NUMBER),
    jobs=keyed(an_object(name=TEXT, text=TEXT, note=TEXT), "name"),
    steps=Shape(kind=Kind.LIST, type="array", item=an_object(text=TEXT, note=TEXT)),
    people=Shape(kind=Kind.SET, type="array", item=TEXT),
)
BEFORE = Record(
    key="train",
    kind="ZadigReleasePlan",
    url="https://zadig.example.com",
    id="1",
    name="Train",
    spec={"description": "one"},
    echo={"description": "one"},
    goal="planning",
    reached="planning",
    origin=Origin(commit="a" * 40, file="train.yaml"),
)
WHOLE = replace(
    BEFORE,
    spec={"description": "two"},
    echo={"description": "two "},
    goal="executing",
    reached="executing",
    origin=Origin(commit="b" * 40, file="train.yaml"),
)


def test_what_was_not_written_is_not_recorded_as_applied() -> None:
    found = partly(WHOLE, BEFORE, updated=False)
    assert (found.spec, found.echo) == (BEFORE.spec, BEFORE.echo)
    assert (found.goal, found.reached) == ("planning", "planning")
    assert found.origin == WHOLE.origin


def test_fields_that_were_written_are_recorded_though_the_state_was_not_reached() -> None:
    found = partly(WHOLE, BEFORE, updated=True)
    assert (found.spec, found.echo) == (WHOLE.spec, WHOLE.echo)
    assert (found.goal, found.reached) == ("planning", "planning")


@pytest.mark.parametrize("before", [None, replace(BEFORE, id="2")])
def test_of_another_plan_nothing_is_remembered(before: Record | None) -> None:
    found = partly(WHOLE, before, updated=False)
    assert (found.spec, found.echo, found.goal, found.reached) == ({}, {}, None, None)
    assert found.id == "1"


def test_a_new_commit_alone_is_no_news() -> None:
    again = replace(BEFORE, origin=WHOLE.origin, echo={"description": "one "})
    assert noted(BEFORE, again, settled=True, shape=SHAPE) is BEFORE
    assert noted(BEFORE, WHOLE, settled=True, shape=SHAPE) is WHOLE


def sighted(version: int) -> Seen:
    shown = Sighting(version=version, update_time=1, updated_by="a", status="b", listed="0" * 64)
    return Seen(sighting=shown, ground="0" * 64, read_at=9)


def test_what_a_list_shows_now_is_news_and_that_it_shows_nothing_is_none() -> None:
    before = replace(BEFORE, seen=sighted(1))
    assert noted(before, BEFORE, settled=True, shape=SHAPE) is before
    assert noted(before, replace(BEFORE, seen=sighted(1)), settled=True, shape=SHAPE) is before
    found = noted(before, replace(BEFORE, seen=sighted(2)), settled=True, shape=SHAPE)
    assert found.seen == sighted(2)
    assert noted(BEFORE, before, settled=True, shape=SHAPE) is before


@pytest.mark.parametrize("seen", [None, sighted(1)])
def test_of_what_is_not_settled_the_run_says_what_is_still_known(seen: Seen | None) -> None:
    found = noted(
        replace(BEFORE, seen=sighted(1)), replace(WHOLE, seen=seen), settled=False, shape=SHAPE
    )
    assert found.seen == seen


def test_of_what_is_only_half_done_nothing_is_known() -> None:
    found = partly(replace(WHOLE, seen=sighted(1)), replace(BEFORE, seen=sighted(1)), updated=True)
    assert found.seen is None


def test_what_is_not_settled_leaves_what_was_applied() -> None:
    found = noted(BEFORE, replace(WHOLE, protect=True), settled=False, shape=SHAPE)
    assert found.spec == BEFORE.spec
    assert (found.goal, found.reached, found.protect) == ("executing", "executing", True)


JOB: JSON = {"name": "A", "text": "x", "note": "y"}
GIVEN_UP: dict[str, tuple[dict[str, JSON], dict[str, JSON], dict[str, JSON]]] = {
    "a field": ({"description": "one", "people": ["a"]}, {"people": ["b"]}, {"people": ["a"]}),
    "a field of a field": (
        {"approval": {"by": "ann", "needed": 1}},
        {"approval": {"needed": 2}},
        {"approval": {"needed": 1}},
    ),
    "a field of an item": (
        {"jobs": [JOB]},
        {"jobs": [{"name": "B"}, {"name": "A", "text": "z"}]},
        {"jobs": [{"name": "A", "text": "x"}]},
    ),
    "not an item: it is wanted gone": ({"jobs": [JOB]}, {"jobs": []}, {"jobs": [JOB]}),
    "a field at a place": (
        {"steps": [{"text": "x", "note": "y"}]},
        {"steps": [{"text": "z"}]},
        {"steps": [{"text": "x"}]},
    ),
    "not a place": ({"steps": [{"text": "x"}]}, {"steps": []}, {"steps": [{"text": "x"}]}),
    "not what has another form": ({"approval": None}, {"approval": {}}, {"approval": None}),
}


@pytest.mark.parametrize("what", GIVEN_UP)
def test_what_is_declared_no_more_is_forgotten_though_something_else_differs(what: str) -> None:
    was, now, left = GIVEN_UP[what]
    before = replace(BEFORE, spec=was, echo=was)
    found = noted(before, replace(WHOLE, spec=now, echo={}), settled=False, shape=SHAPE)
    assert found.spec == left
    assert found.echo.keys() == left.keys()
