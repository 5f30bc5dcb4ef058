"""The look after a write: what took effect, and what somebody else did at the same moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.values import change, live, step
from planops.core.aftermath import crossed, last_seen, others_wrote, stands_still
from planops.core.changes import StepKind
from planops.core.lifecycle import Edge

EDGE = Edge(source="draft", target="ready", event="ready")


def test_how_a_plan_was_last_seen() -> None:
    assert last_seen(change()) == "it is gone"
    assert last_seen(change(there=live())) == "it is in draft, last changed by somebody"
    found = replace(live("ready"), updated_by="Alice")
    assert last_seen(change(there=found)) == "it is in ready, last changed by Alice"


@pytest.mark.parametrize(
    ("state", "put_back", "still"),
    [("draft", False, True), ("draft", True, False), ("ready", False, False)],
)
def test_a_transition_that_did_not_take_place(state: str, *, put_back: bool, still: bool) -> None:
    found = replace(live(state), put_back=put_back)
    assert stands_still(change(there=found), EDGE) is still
    assert not stands_still(change(), EDGE)


@pytest.mark.parametrize(
    ("kind", "before", "now", "others"),
    [
        (StepKind.UPDATE, 4, 5, False),
        (StepKind.UPDATE, 4, 6, True),
        (StepKind.UPDATE, None, 6, False),
        (StepKind.UPDATE, 4, None, False),
        (StepKind.CREATE, None, 1, False),
        (StepKind.CREATE, None, 2, True),
        (StepKind.TRANSITION, 4, 6, False),
    ],
)
def test_a_version_tells_of_other_edits(
    kind: StepKind, before: int | None, now: int | None, *, others: bool
) -> None:
    assert others_wrote(step(kind), before, now) is others


@pytest.mark.parametrize(
    ("kind", "put_back", "moves", "told"),
    [
        (StepKind.UPDATE, True, (9, 0), True),
        (StepKind.UPDATE, True, (5, 0), False),
        (StepKind.UPDATE, False, (9, 0), False),
        (StepKind.TRANSITION, True, (9, 0), False),
    ],
)
def test_times_of_moves_tell_of_a_move_that_our_update_took_back(
    kind: StepKind, moves: tuple[int, ...], *, put_back: bool, told: bool
) -> None:
    before, now = replace(live(), moves=(5, 0)), replace(live(), put_back=put_back, moves=moves)
    assert crossed(step(kind), before, now) is told
    assert not crossed(step(kind), None, now)
    assert not crossed(step(kind), before, None)
