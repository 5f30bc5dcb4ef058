"""How a server spells its lifecycle, and the routes through BRPM's table by example."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planops.backends.brpm.lifecycle import (
    ASIDE,
    EVENTS,
    LIFECYCLE,
    PATH,
    PLAN,
    PLAN_IT,
    REMOVABLE,
    STATES,
    Dialect,
    dialect,
    lifecycle,
)
from planops.core.lifecycle import Actor, Edge, Situation, route
from planops.sandbox.brpm import TABLE

USUAL = Dialect()
SPELT = [
    ("completed", "complete"),
    ("finished", "complete"),
    ("canceled", "cancelled"),
    ("on_hold", "hold"),
    ("plan_on_hold", "hold"),
    ("plan_canceled", "cancelled"),
    ("on_locked", "locked"),
    ("plan_created", "created"),
]


@pytest.mark.parametrize("state", STATES)
def test_a_state_of_the_table_is_itself(state: str) -> None:
    assert USUAL.state(state) == state
    for prefix in ("plan_", "on_"):
        assert USUAL.state(f"{prefix}{state}") == state


@pytest.mark.parametrize(("spelt", "meant"), SPELT)
def test_other_spellings_that_are_known(spelt: str, meant: str) -> None:
    assert USUAL.state(spelt) == meant


@pytest.mark.parametrize(
    "spelt", ["", "deleted", "Created", "in_progress", "plan_", "plan_plan_created", "unplanned"]
)
def test_a_state_that_nobody_knows_stays_as_it_is(spelt: str) -> None:
    assert USUAL.state(spelt) == spelt


@given(st.text(max_size=20))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_reading_a_state_twice_changes_nothing(spelt: str) -> None:
    once = USUAL.state(spelt)
    assert USUAL.state(once) == once
    assert once in STATES or once == spelt


def test_the_settings_go_before_what_is_known() -> None:
    made = dialect({"states": {"created": "started", "finished": "archived", "odd": "hold"}})
    assert [made.state(one) for one in ("created", "finished", "odd", "complete")] == [
        "started",
        "archived",
        "hold",
        "complete",
    ]


def test_the_events_of_the_settings_have_no_other_spelling() -> None:
    assert (USUAL.event(PLAN_IT), USUAL.alternative(PLAN_IT)) == (PLAN_IT, PLAN)
    assert [USUAL.alternative(event) for event, *_ in EVENTS[1:]] == [None] * 6
    made = dialect({"events": {PLAN_IT: "release", "start": "go"}})
    assert (made.event(PLAN_IT), made.alternative(PLAN_IT)) == ("release", None)
    assert (made.event("start"), made.event("finish")) == ("go", "finish")


def test_the_edges_of_the_settings_take_the_place_of_all_others() -> None:
    made = dialect({"edges": [{"event": "go", "from": ["created", "hold"], "to": "started"}]})
    assert [(one.source, one.target, one.event) for one in lifecycle(made).edges] == [
        ("created", "started", "go"),
        ("hold", "started", "go"),
    ]
    assert dialect({}) == USUAL


# -------------------------------------------------------------------------------------- the table


def test_the_table_is_the_servers() -> None:
    """The emulated server was written from the facts alone; both tables must agree."""
    ours = {(edge.source, edge.target, edge.event) for edge in LIFECYCLE.edges}
    theirs = {
        (source, one.target, one.event)
        for one in TABLE
        for source in one.sources
        if one.event != "delete"
    }
    assert ours == theirs
    (removal,) = [one for one in TABLE if one.event == "delete"]
    assert set(REMOVABLE) == removal.sources
    assert {edge.actor for edge in LIFECYCLE.edges} == {Actor.PLANOPS}


def test_every_state_says_how_a_change_of_fields_gets_in() -> None:
    assert LIFECYCLE.edits.keys() == set(STATES) == {*PATH, *ASIDE}
    writable = {state for state, rule in LIFECYCLE.edits.items() if not rule.refusal}
    assert writable == {"created", "planned", "started", "hold", "locked"}
    assert all(LIFECYCLE.edits[state].lands == state for state in writable)
    assert all(edge.hazards for edge in LIFECYCLE.edges)


def at(state: str, goal: str | None, **more: Any) -> Situation:
    given_ = {"edited": False, "facts": frozenset(), **more}
    return Situation(state=state, goal=goal, **given_)


def way(situation: Situation) -> str:
    found = route(LIFECYCLE, situation)
    moves = [f">{move.target}" if isinstance(move, Edge) else move.name for move in found.moves]
    parts = [" ".join([f"{found.standing.name}:", *moves])]
    parts += [f"guards {' '.join(r.guard for r in found.tripped)}"] if found.tripped else []
    return "; ".join(parts)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (at("created", "archived"), "WALKING: >planned >started >complete >archived"),
        (at("planned", "started"), "WALKING: >started"),
        (at("started", "started"), "REACHED:"),
        (at("complete", "planned"), "AHEAD:"),
        (at("archived", "created"), "AHEAD:"),
        (at("started", None), "UNMANAGED:"),
        (at("hold", None), "UNMANAGED:"),
        # off the path, as a goal
        (at("started", "hold"), "WALKING: >hold"),
        (at("hold", "hold"), "REACHED:"),
        (at("started", "locked"), "WALKING: >locked"),
        (at("planned", "locked"), "WALKING: >locked"),
        (at("planned", "hold"), "BLOCKED:; guards lifecycle"),
        (at("hold", "locked"), "BLOCKED:; guards lifecycle"),
        (at("started", "cancelled"), "WALKING: >cancelled; guards regress"),
        (at("locked", "cancelled"), "BLOCKED:; guards lifecycle"),
        (at("archived", "cancelled"), "BLOCKED:; guards lifecycle"),
        # stopped by somebody
        (at("hold", "started"), "STOPPED:"),
        (at("locked", "complete"), "STOPPED:"),
        (at("cancelled", "started"), "STOPPED:"),
        (at("hold", "started", revive=True), "REACHED: >started; guards reopen"),
        (
            at("locked", "archived", revive=True),
            "WALKING: >started >complete >archived; guards reopen",
        ),
        (at("hold", "planned", revive=True), "STOPPED:"),
        (at("cancelled", "started", revive=True), "STOPPED:"),
        # with fields to be written
        (at("created", None, edited=True), "UNMANAGED: WRITE"),
        (at("created", "started", edited=True), "WALKING: WRITE >planned >started"),
        (at("started", "hold", edited=True), "WALKING: WRITE >hold"),
        (at("hold", "hold", edited=True), "REACHED: WRITE"),
        (at("locked", None, edited=True), "UNMANAGED: WRITE"),
        (at("hold", "complete", edited=True), "STOPPED: WRITE; guards reopen"),
        (
            at("hold", "complete", edited=True, revive=True),
            "WALKING: WRITE >started >complete; guards reopen",
        ),
        (at("started", "planned", edited=True), "AHEAD: WRITE; guards regress"),
        (at("complete", "archived", edited=True), "BLOCKED:; guards finished"),
        (at("archived", None, edited=True), "BLOCKED:; guards finished"),
        (at("cancelled", "cancelled", edited=True), "BLOCKED:; guards finished"),
        # a state that no table knows
        (at("deleted", "started"), "UNKNOWN:"),
        (at("deleted", None, edited=True), "UNKNOWN:; guards state"),
    ],
)  # fmt: skip
def test_route_by_example(situation: Situation, expected: str) -> None:
    assert way(situation) == expected
