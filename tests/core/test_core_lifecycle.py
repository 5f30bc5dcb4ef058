"""Routes over Zadig's table: every situation there can be, held against rules that stand alone.

No rule looks at how a route is found. Each counts the situations it speaks of, so that none holds
because it speaks of nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product

import pytest

from planops.backends.zadig.lifecycle import LIFECYCLE
from planops.core.lifecycle import Actor, Edge, Move, Refusal, Route, Situation, Standing, route

PATH = ("planning", "finish_planning", "wait_for_approval", "executing", "success")
CHECKS = (
    "wait_for_finish_planning_external_check",
    "wait_for_execute_external_check",
    "wait_for_all_done_external_check",
)
FAILED_CHECKS = tuple(f"{check}_failed" for check in CHECKS)
STRAY = ("cancel", "denied", "timeout", *FAILED_CHECKS)
STRANGE = "reviewing"
STATES = (*PATH, *STRAY, *CHECKS, STRANGE)
GOALS = (None, *PATH, "cancel")
REOPENED = {"wait_for_approval", "denied", "timeout", *CHECKS, *FAILED_CHECKS}
EITHER = (False, True)
TOTAL = 15 * 7 * 2**5 * 2

# What the server lets a caller do, from docs/servers/zadig.md §7.2, and who does it.
OURS = {
    *((state, "planning") for state in ("finish_planning", "executing", *REOPENED)),
    *((state, "cancel") for state in ("executing", *REOPENED)),
    ("planning", "finish_planning"),
    ("finish_planning", "wait_for_approval"),
    ("finish_planning", "executing"),
}
# The same, §6.7, §7.5, §7.7 and §7.9: what approvers, the server and its release hooks do.
THEIRS = {
    ("wait_for_approval", "executing"),
    ("wait_for_approval", "denied"),
    ("executing", "success"),
    ("executing", "timeout"),
    ("success", "executing"),
    ("planning", "wait_for_finish_planning_external_check"),
    ("finish_planning", "wait_for_execute_external_check"),
    ("wait_for_approval", "wait_for_execute_external_check"),
    ("executing", "wait_for_all_done_external_check"),
    ("wait_for_finish_planning_external_check", "finish_planning"),
    ("wait_for_finish_planning_external_check", "executing"),
    ("wait_for_execute_external_check", "executing"),
    ("wait_for_all_done_external_check", "success"),
    *((check, f"{check}_failed") for check in CHECKS),
}


@cache
def cases() -> tuple[tuple[Situation, Route], ...]:
    found = tuple(
        Situation(
            state=state,
            goal=goal,
            edited=edited,
            facts=frozenset(name for name, has in (("approval", a), ("jobs", j)) if has),
            put_back=put_back,
            revive=revive,
            return_to=back,
        )
        for state, goal, edited, a, j, put_back, revive, back in product(
            STATES, GOALS, EITHER, EITHER, EITHER, EITHER, EITHER, (None, "finish_planning")
        )
    )
    return tuple((at, route(LIFECYCLE, at)) for at in found)


def pairs(way: Route) -> list[tuple[str, str]]:
    return [(edge.source, edge.target) for edge in way.edges]


def guards(way: Route) -> list[str]:
    return [refusal.guard for refusal in way.tripped]


def behind(state: str, goal: str) -> bool:
    """Tell whether both are on the forward path, and the state comes first."""
    return state in PATH and goal in PATH and PATH.index(state) < PATH.index(goal)


def stopped(at: Situation) -> bool:
    if at.goal not in PATH:
        return False
    return at.state in STRAY or (at.put_back and behind(at.state, at.goal))


def plain() -> Iterator[tuple[Situation, Route]]:
    """Where nothing is written, nothing led back, and the goal is none or on the path."""
    for at, way in cases():
        if not at.edited and at.return_to is None and at.goal != "cancel" and at.state != STRANGE:
            yield at, way


def test_the_table_of_situations_is_complete() -> None:
    assert len(cases()) == len({at for at, _ in cases()}) == TOTAL == 6720
    assert set(STATES) - {STRANGE} == {s for s in STATES if LIFECYCLE.knows(s)}


def test_the_lifecycles_edges_are_those_that_the_server_has() -> None:
    found = {(edge.source, edge.target): edge.actor for edge in LIFECYCLE.edges}
    assert len(found) == len(LIFECYCLE.edges)
    assert {pair for pair, actor in found.items() if actor is Actor.PLANOPS} == OURS
    assert {pair for pair, actor in found.items() if actor is not Actor.PLANOPS} == THEIRS
    assert found["wait_for_approval", "executing"] is Actor.APPROVER
    assert found["executing", "success"] is Actor.SERVER


def test_every_move_follows_from_where_the_plan_then_stands() -> None:
    moved = 0
    for at, way in cases():
        state = at.state
        for move in way.moves:
            if isinstance(move, Edge):
                assert move.source == state, at
                state = move.target
            else:
                assert state in {"planning", "finish_planning"}, at
                state = "planning"
            moved += 1
        assert way.ends == state, at
    assert moved > 5000


def test_no_move_is_anothers_to_make() -> None:
    for at, way in cases():
        assert set(pairs(way)) <= OURS, at
        assert all(edge.actor is Actor.PLANOPS for edge in way.edges), at


def test_a_cancellation_is_one_direct_edge_or_nothing() -> None:
    """Never through states that start jobs or ask approvers."""
    ways = [(at, way) for at, way in cases() if at.goal == "cancel" and at.state != STRANGE]
    assert len(ways) == 14 * 64
    for at, way in ways:
        direct = [(at.state, "cancel")] if (at.state, "cancel") in OURS else []
        assert pairs(way) == direct, at
        assert Move.WRITE not in way.moves, at
        if direct:
            assert (way.standing, way.ends) == (Standing.WALKING, "cancel"), at
            wanted = {"regress"} | ({"interrupt"} if at.state == "executing" else set())
            assert set(guards(way)) == wanted, at
        elif at.state == "cancel" and not at.edited:
            assert way == Route(standing=Standing.REACHED, ends="cancel"), at
        else:
            (refusal,) = way.tripped
            assert (way.standing, refusal.lift) == (Standing.BLOCKED, ""), at


def test_at_the_goal_or_beyond_it_nothing_moves() -> None:
    met = [(at, way) for at, way in plain() if at.state in PATH and at.goal in PATH]
    met = [(at, way) for at, way in met if not behind(at.state, str(at.goal))]
    assert len(met) == 15 * 16
    for at, way in met:
        assert (way.moves, way.tripped, way.ends) == ((), (), at.state), at
        assert way.standing is (Standing.REACHED if at.state == at.goal else Standing.AHEAD), at


def test_an_unmanaged_state_is_left_alone() -> None:
    ways = [(at, way) for at, way in plain() if at.goal is None]
    assert len(ways) == 14 * 16
    for at, way in ways:
        assert way == Route(standing=Standing.UNMANAGED, ends=at.state), at


def test_a_stopped_plan_is_left_alone_unless_it_is_revived() -> None:
    ways = [(at, way) for at, way in plain() if stopped(at) and not at.revive]
    assert len(ways) == (6 * 5 * 2 + 10) * 4
    for at, way in ways:
        assert way == Route(standing=Standing.STOPPED, ends=at.state), at


def test_a_revived_plan_begins_anew_and_trips_reopen() -> None:
    ways = [(at, way) for at, way in plain() if stopped(at) and at.revive]
    for at, way in ways:
        if at.state == "cancel":
            assert way == Route(standing=Standing.STOPPED, ends="cancel"), at
            continue
        assert guards(way)[0] == "reopen", at
        if at.state in STRAY:
            assert pairs(way)[0] == (at.state, "planning"), at
    assert len(ways) == (6 * 5 * 2 + 10) * 4


def test_where_the_server_checks_planops_waits() -> None:
    ways = [(at, way) for at, way in plain() if at.state in CHECKS and at.goal is not None]
    assert len(ways) == 3 * 5 * 16
    for at, way in ways:
        assert way == Route(standing=Standing.WAITING, ends=at.state, next_actor=Actor.SERVER), at


def test_edits_in_planning_are_written_first() -> None:
    ways = [
        (at, way)
        for at, way in cases()
        if at.edited and at.goal != "cancel" and at.state in {"planning", "finish_planning"}
    ]
    assert len(ways) == 2 * 6 * 32
    for at, way in ways:
        assert way.moves[0] is Move.WRITE, at
        assert ("reopen" in guards(way)) == stopped(at), at
        assert "interrupt" not in guards(way), at


def test_a_plan_thrown_back_by_a_write_is_led_back() -> None:
    """Unless it cannot be: then the whole change is refused."""
    ways = [
        (at, way)
        for at, way in cases()
        if at.edited and at.goal != "cancel" and at.state == "finish_planning"
    ]
    assert len(ways) == 6 * 32
    for at, way in ways:
        assert way.return_to == "finish_planning", at
        assert "regress" not in guards(way), at
        if "jobs" in at.facts and (at.goal != "wait_for_approval" or "approval" in at.facts):
            assert pairs(way)[0] == ("planning", "finish_planning"), at
        else:
            assert (way.moves, guards(way)[-1]) == ((Move.WRITE,), "lifecycle"), at


def test_only_a_plan_thrown_back_has_a_state_to_return_to() -> None:
    for at, way in cases():
        if way.return_to is not None:
            assert Move.WRITE in way.moves, at
            assert way.return_to == (at.return_to or at.state), at


@pytest.mark.parametrize(
    ("guard", "states"), [("reopen", sorted(REOPENED)), ("interrupt", ["executing"])]
)
def test_edits_while_others_are_at_work_reopen_first(guard: str, states: list[str]) -> None:
    ways = [
        (at, way) for at, way in cases() if at.edited and at.goal != "cancel" and at.state in states
    ]
    assert len(ways) == len(states) * 6 * 32
    for at, way in ways:
        assert pairs(way)[0] == (at.state, "planning"), at
        assert way.moves[1] is Move.WRITE, at
        assert guards(way)[0] == guard, at
        assert way.tripped[0].lift == f"--allow {guard}", at
        assert {"reopen", "interrupt"} & set(guards(way)) == {guard}, at


def test_a_finished_plan_is_never_written() -> None:
    ways = [
        (at, way)
        for at, way in cases()
        if at.edited and at.state in {"success", "cancel"} and (at.state, at.goal)[1] != "cancel"
    ]
    assert len(ways) == 2 * 6 * 32
    for at, way in ways:
        assert (way.standing, way.moves, guards(way)) == (Standing.BLOCKED, (), ["finished"]), at
        assert way.tripped[0].lift == "", at


def test_a_state_that_nobody_knows_is_shown_and_never_acted_on() -> None:
    ways = [(at, way) for at, way in cases() if at.state == STRANGE]
    assert len(ways) == 7 * 64
    for at, way in ways:
        assert (way.standing, way.moves, way.ends) == (Standing.UNKNOWN, (), STRANGE), at
        assert guards(way) == (["state"] if at.edited else []), at
        assert all(STRANGE in refusal.message for refusal in way.tripped), at


def test_a_plan_without_an_approval_never_waits_for_one() -> None:
    """And a goal that cannot be reached is not passed by either."""
    asked = 0
    for at, way in cases():
        if "approval" in at.facts:
            continue
        targets = {target for _, target in pairs(way)}
        assert "wait_for_approval" not in targets, at
        if at.goal == "wait_for_approval":
            asked += 1
            assert "executing" not in targets, at
    assert asked == TOTAL / 7 / 2


def test_an_approval_is_never_gone_around() -> None:
    for at, way in cases():
        if "approval" in at.facts:
            assert ("finish_planning", "executing") not in pairs(way), at


def test_a_plan_without_jobs_never_leaves_planning() -> None:
    blocked = 0
    for at, way in cases():
        if "jobs" not in at.facts:
            assert ("planning", "finish_planning") not in pairs(way), at
            blocked += way.standing is Standing.BLOCKED and way.ends == "planning"
    assert blocked > 100


def test_no_route_goes_further_than_asked() -> None:
    """Not beyond the goal, and beyond it only back to where the plan stood before the write."""
    for at, way in cases():
        if at.goal == "cancel" or not way.moves:
            continue
        limits = [goal for goal in (at.goal, at.return_to, way.return_to) if goal is not None]
        reached = [target for _, target in pairs(way) if target != "planning"]
        assert all(
            any(PATH.index(target) <= PATH.index(limit) for limit in limits) for target in reached
        ), at


def test_every_walk_ends_at_the_goal_or_says_why_not() -> None:
    for at, way in cases():
        match way.standing:
            case Standing.REACHED | Standing.WALKING if (
                at.goal != "cancel" and at.return_to is None
            ):
                assert way.ends in {at.goal, way.return_to, *([] if at.goal else PATH)}, at
            case Standing.WAITING:
                assert way.next_actor in {Actor.APPROVER, Actor.SERVER}, at
            case Standing.BLOCKED:
                assert any(not refusal.lift for refusal in way.tripped), at
            case Standing.STOPPED | Standing.UNKNOWN:
                assert way.moves == (), at
            case _:
                pass


def test_who_is_next_is_who_the_lifecycle_says() -> None:
    for at, way in cases():
        if way.next_actor is Actor.APPROVER:
            assert way.ends == "wait_for_approval", at
        if way.next_actor is Actor.SERVER:
            assert way.ends in {"executing", *CHECKS}, at
        assert way.next_actor is not Actor.PLANOPS, at


def test_nothing_that_people_or_jobs_are_at_is_undone_without_a_guard() -> None:
    undone = 0
    for at, way in cases():
        if any(source in {"executing", *REOPENED} for source, _ in pairs(way)):
            undone += 1
            assert {"reopen", "interrupt", "regress"} & set(guards(way)), at
    assert undone > 2000


def test_going_back_behind_a_goal_passed_is_regress() -> None:
    for at, way in cases():
        if at.goal not in PATH or not at.edited or at.state not in PATH[:4]:
            continue
        goal = str(at.goal)
        kept = at.return_to or way.return_to
        further = kept if kept is not None and behind(goal, kept) else goal
        back = behind(goal, at.state) and further != at.state
        assert ("regress" in guards(way)) == back, at


def test_each_next_decision_asks_for_the_rest_of_the_first() -> None:
    """Walk one move, look, decide again: the moves left are those that were shown."""
    walked = 0
    for at, way in cases():
        if at.goal == "cancel":
            continue
        now, left = at, way
        while left.moves:
            move = left.moves[0]
            made = move is Move.WRITE
            now = replace(
                now,
                state="planning" if not isinstance(move, Edge) else move.target,
                edited=now.edited and not made,
                put_back=False,
                return_to=way.return_to or at.return_to,
            )
            again = route(LIFECYCLE, now)
            assert again.moves == left.moves[1:], (at, now)
            assert again.ends == way.ends, (at, now)
            left = again
            walked += 1
    assert walked > 5000


def test_routes_are_values() -> None:
    for at, way in cases()[::97]:
        assert route(LIFECYCLE, at) == way
        assert all(isinstance(refusal, Refusal) for refusal in way.tripped)
