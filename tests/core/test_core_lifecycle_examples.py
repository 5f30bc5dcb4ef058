"""Routes by example: each sentence about Zadig's lifecycle once, and tables of other servers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.values import edge
from planops.backends.zadig.lifecycle import LIFECYCLE
from planops.core.lifecycle import (
    Actor,
    Edge,
    EditRule,
    Lifecycle,
    Move,
    Situation,
    Standing,
    route,
)

BOTH = frozenset({"approval", "jobs"})
JOBS = frozenset({"jobs"})
NONE = frozenset[str]()


def at(state: str, goal: str | None, facts: frozenset[str] = BOTH, **more: bool) -> Situation:
    return Situation(
        state=state,
        goal=goal,
        facts=facts,
        edited=more.get("edited", False),
        put_back=more.get("put_back", False),
        revive=more.get("revive", False),
    )


def way(situation: Situation, table: Lifecycle = LIFECYCLE) -> str:
    """A route in one line: ``WALKING: >finish_planning WRITE; next approver; guards regress``."""
    found = route(table, situation)
    moves = [f">{m.target}" if isinstance(m, Edge) else m.name for m in found.moves]
    parts = [" ".join([f"{found.standing.name}:", *moves])]
    parts += [f"next {found.next_actor}"] if found.next_actor else []
    parts += [f"guards {' '.join(r.guard for r in found.tripped)}"] if found.tripped else []
    return "; ".join(parts)


TO_APPROVAL = ">finish_planning >wait_for_approval"


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        # walking forward, one edge after the other, as far as planops may
        (at("planning", "planning"), "REACHED:"),
        (at("planning", "finish_planning"), "WALKING: >finish_planning"),
        (at("planning", "wait_for_approval"), f"WALKING: {TO_APPROVAL}; next approver"),
        (at("planning", "executing"), f"WAITING: {TO_APPROVAL}; next approver"),
        (at("planning", "success"), f"WAITING: {TO_APPROVAL}; next approver"),
        (at("planning", "executing", JOBS), "WALKING: >finish_planning >executing; next server"),
        (at("planning", "success", JOBS), "WAITING: >finish_planning >executing; next server"),
        (at("finish_planning", "executing"), "WAITING: >wait_for_approval; next approver"),
        (at("wait_for_approval", "success"), "WAITING:; next approver"),
        (at("wait_for_approval", "executing", JOBS), "WAITING:; next approver"),
        (at("executing", "success"), "WAITING:; next server"),
        (at("planning", "finish_planning", NONE), "BLOCKED:; guards lifecycle"),
        (at("planning", "wait_for_approval", JOBS), "BLOCKED:; guards lifecycle"),
        # at the goal or beyond it: satisfied
        (at("wait_for_approval", "wait_for_approval"), "REACHED:; next approver"),
        (at("executing", "executing"), "REACHED:; next server"),
        (at("success", "success"), "REACHED:"),
        (at("executing", "wait_for_approval"), "AHEAD:; next server"),
        (at("success", "planning"), "AHEAD:"),
        # not managed
        (at("executing", None), "UNMANAGED:"),
        (at("denied", None), "UNMANAGED:"),
        # stopped by somebody: left alone, unless revived
        (at("denied", "executing"), "STOPPED:"),
        (at("timeout", "success"), "STOPPED:"),
        (at("cancel", "success"), "STOPPED:"),
        (at("cancel", "success", revive=True), "STOPPED:"),
        (at("planning", "executing", put_back=True), "STOPPED:"),
        (at("planning", "planning", put_back=True), "REACHED:"),
        (
            at("planning", "wait_for_approval", put_back=True, revive=True),
            f"WALKING: {TO_APPROVAL}; next approver; guards reopen",
        ),
        (
            at("denied", "wait_for_approval", revive=True),
            f"WALKING: >planning {TO_APPROVAL}; next approver; guards reopen",
        ),
        (at("wait_for_execute_external_check_failed", "success"), "STOPPED:"),
        # external checks: the server works
        (at("wait_for_execute_external_check", "success"), "WAITING:; next server"),
        (at("wait_for_execute_external_check", "planning"), "WAITING:; next server"),
        # cancelling: one direct edge or nothing
        (at("wait_for_approval", "cancel"), "WALKING: >cancel; guards regress"),
        (at("executing", "cancel"), "WALKING: >cancel; guards regress interrupt"),
        (at("denied", "cancel"), "WALKING: >cancel; guards regress"),
        (at("cancel", "cancel"), "REACHED:"),
        (at("planning", "cancel"), "BLOCKED:; guards lifecycle"),
        (at("finish_planning", "cancel"), "BLOCKED:; guards lifecycle"),
        (at("success", "cancel"), "BLOCKED:; guards lifecycle"),
        (at("cancel", "cancel", edited=True), "BLOCKED:; guards finished"),
        # edits, by state
        (at("planning", None, edited=True), "UNMANAGED: WRITE"),
        (at("planning", "finish_planning", edited=True), "WALKING: WRITE >finish_planning"),
        (at("finish_planning", None, edited=True), "UNMANAGED: WRITE >finish_planning"),
        (at("finish_planning", "planning", edited=True), "WALKING: WRITE >finish_planning"),
        (
            at("finish_planning", "executing", JOBS, edited=True),
            "WALKING: WRITE >finish_planning >executing; next server",
        ),
        (at("finish_planning", None, NONE, edited=True), "UNMANAGED: WRITE; guards lifecycle"),
        (
            at("wait_for_approval", "wait_for_approval", edited=True),
            f"WALKING: >planning WRITE {TO_APPROVAL}; next approver; guards reopen",
        ),
        (
            at("wait_for_approval", "finish_planning", edited=True),
            "WALKING: >planning WRITE >finish_planning; guards reopen regress",
        ),
        (at("wait_for_approval", None, edited=True), "UNMANAGED: >planning WRITE; guards reopen"),
        (at("timeout", None, edited=True), "UNMANAGED: >planning WRITE; guards reopen"),
        (at("denied", "planning", edited=True), "REACHED: >planning WRITE; guards reopen"),
        (
            at("wait_for_all_done_external_check_failed", "finish_planning", edited=True),
            "WALKING: >planning WRITE >finish_planning; guards reopen",
        ),
        (
            at("executing", "success", edited=True),
            f"WAITING: >planning WRITE {TO_APPROVAL}; next approver; guards interrupt",
        ),
        (
            at("executing", "planning", edited=True),
            "REACHED: >planning WRITE; guards interrupt regress",
        ),
        (
            at("planning", "executing", edited=True, put_back=True),
            f"WAITING: WRITE {TO_APPROVAL}; next approver; guards reopen",
        ),
        (at("success", "success", edited=True), "BLOCKED:; guards finished"),
        (at("cancel", "executing", edited=True), "BLOCKED:; guards finished"),
        # a state that no table knows
        (at("reviewing", "success"), "UNKNOWN:"),
        (at("reviewing", "cancel"), "UNKNOWN:"),
        (at("reviewing", None, edited=True), "UNKNOWN:; guards state"),
    ],
)
def test_route_by_example(situation: Situation, expected: str) -> None:
    assert way(situation) == expected


def test_a_refusal_says_what_would_be_undone_and_what_lifts_it() -> None:
    undone = ("cancels the running workflow tasks", "finished jobs may run again")
    found = route(LIFECYCLE, at("executing", "planning", edited=True))
    assert [(refusal.message, refusal.lift) for refusal in found.tripped] == [
        (f"the plan is in executing: {'; '.join(undone)}", "--allow interrupt"),
        (
            "the plan would go from executing to planning, which is not forward",
            "--allow regress",
        ),
    ]
    (put_back,) = route(LIFECYCLE, at("planning", "success", put_back=True, revive=True)).tripped
    assert put_back.message == "the plan is in planning: somebody returned it there"
    (blocked,) = route(LIFECYCLE, at("planning", "wait_for_approval", JOBS)).tripped
    assert blocked.message == "wait_for_approval needs approval, which this plan lacks"


def test_a_led_back_plan_is_followed_up_where_its_first_step_ended() -> None:
    followed = replace(at("planning", None), return_to="finish_planning")
    assert way(followed) == "WALKING: >finish_planning"
    assert way(replace(followed, state="finish_planning")) == "REACHED:"
    assert way(replace(followed, goal="planning")) == "WALKING: >finish_planning"


# -------------------------------------------------------------------------------- other servers

FERRY = Lifecycle(
    path=("draft", "ready", "sailing"),
    edges=(edge("draft", "ready"), edge("ready", "sailing"), edge("ready", "docked", "ties up")),
    edits={"draft": EditRule(lands="draft"), "sailing": EditRule(via="draft", lands="draft")},
    off_path=frozenset({"docked", "sunk"}),
)


def test_a_table_without_an_edge_that_it_needs_is_a_mistake_in_the_table() -> None:
    with pytest.raises(LookupError, match="no edge sailing -> draft"):
        route(FERRY, at("sailing", None, edited=True))


def test_a_goal_that_no_edges_lead_to_is_refused() -> None:
    """A table may be a target's own, and so may its holes."""
    found = route(replace(FERRY, edges=FERRY.edges[1:]), at("draft", "sailing"))
    assert found.standing is Standing.BLOCKED
    assert found.tripped[0].message == "no event leads from draft to ready"


def test_what_no_rule_lets_in_is_not_written() -> None:
    found = route(FERRY, at("ready", "sailing", edited=True))
    assert found.standing is Standing.BLOCKED
    assert found.tripped[0].message == "nothing can be written in state ready"


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (at("ready", "docked"), "WALKING: >docked"),
        (at("ready", "docked", edited=True), "WALKING: >docked"),  # nothing can be written there
        (at("docked", "sailing"), "STOPPED:"),
        (at("docked", "sailing", revive=True), "STOPPED:"),  # no edge leads back from there
        (at("docked", "docked"), "REACHED:"),
        (at("sunk", "docked"), "BLOCKED:; guards lifecycle"),
    ],
)
def test_a_goal_off_the_path_is_declared_like_any_other(
    situation: Situation, expected: str
) -> None:
    assert way(situation, FERRY) == expected


def test_an_edge_of_anothers_is_never_taken_even_to_a_goal_off_the_path() -> None:
    theirs = replace(edge("ready", "docked"), actor=Actor.SERVER)
    table = replace(FERRY, edges=(*FERRY.edges[:2], theirs))
    assert way(at("ready", "docked"), table) == "BLOCKED:; guards lifecycle"


def test_the_table_answers_about_itself() -> None:
    assert LIFECYCLE.edge("planning", "success") is None
    assert LIFECYCLE.path_for(NONE) == ("planning", "finish_planning", "executing", "success")
    assert LIFECYCLE.path_for(BOTH) == LIFECYCLE.path
    assert not LIFECYCLE.knows("")
    assert route(LIFECYCLE, at("planning", None, edited=True)).moves == (Move.WRITE,)
