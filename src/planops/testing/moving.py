"""What is promised about states: forward, one transition at a time, and never against a person."""

from __future__ import annotations

from dataclasses import replace

from planops.core.changes import StepKind
from planops.core.lifecycle import Edge
from planops.core.model import Plan
from planops.core.report import ChangeReport, Outcome
from planops.testing.acting import (
    SETTLED,
    Look,
    applied,
    check_outcome,
    check_settled,
    check_shown,
    check_writes,
    expect,
    look,
    made,
    with_goal,
)
from planops.testing.case import Case, Server


def a_goal_is_walked_to(case: Case, server: Server) -> None:
    """A plan is led to its goal, each transition sent once, and then is left there."""
    id_, found = _setting_out(case, server)
    since, edges = len(server.writes()), _edges(found)
    expect(that=len(edges) > 1, why="Case.goal must be two transitions away or more")
    check_outcome(found.apply(), Outcome.APPLIED, Outcome.PARKED)
    check_shown(found.change.steps, id_, server.writes()[since:])
    _stands(server, id_, case.goal)
    check_settled(server, found.change.plan)


def a_new_plan_is_walked_to_its_goal(case: Case, server: Server) -> None:
    """A plan that is created with a goal is led there by the same run."""
    plan = with_goal(case.walker, case.goal)
    _stands(server, made(server, plan), case.goal)
    check_settled(server, plan)


def _setting_out(case: Case, server: Server) -> tuple[str, Look]:
    id_ = made(server, case.walker)
    return id_, look(server, with_goal(case.walker, case.goal))


def _edges(found: Look) -> list[Edge]:
    steps = found.change.steps
    only = all(step.kind is StepKind.TRANSITION for step in steps)
    expect(that=only, why="the change is more than a walk")
    return [step.edge for step in steps if step.edge is not None]


def _stands(server: Server, id_: str, state: str) -> None:
    at = server.state(id_)
    expect(that=at == state, why=f"the plan is in {at}, and not in {state}")


def a_transition_is_sent_once(case: Case, server: Server) -> None:
    """A transition that the server accepts without moving is a failure, and no loop."""
    id_, found = _setting_out(case, server)
    start, since = server.state(id_), len(server.writes())
    server.stick(id_)
    report = found.apply()
    check_outcome(report, Outcome.FAILED)
    check_shown(found.change.steps[:1], id_, server.writes()[since:])
    _stands(server, id_, start)
    expect(that=start in report.error, why=f"where the plan stands is not told: {report.error}")
    server.heal()
    check_outcome(applied(server, found.change.plan), Outcome.APPLIED, Outcome.PARKED)
    _stands(server, id_, case.goal)


def being_there_already_is_success(case: Case, server: Server) -> None:
    """Where somebody else has just made the transition, the walk goes on as if it were ours."""
    id_, found = _setting_out(case, server)
    first = _edges(found)[0]
    since = len(server.writes())
    server.meanwhile(lambda: server.move(id_, first.target))
    check_outcome(found.apply(), Outcome.APPLIED, Outcome.PARKED)
    _stands(server, id_, case.goal)
    made_ = sum(write.made for write in server.writes()[since:])
    ours = len(found.change.steps) - 1
    expect(that=made_ == ours, why=f"{made_} transitions were made, and {ours} were left to make")


def beyond_the_goal_is_satisfied(case: Case, server: Server) -> None:
    """A plan that is further than its goal is not taken back."""
    id_ = made(server, case.walker)
    server.move(id_, case.ahead)
    check_settled(server, with_goal(case.walker, case.goal))
    _stands(server, id_, case.ahead)


def what_was_stopped_is_left_alone(case: Case, server: Server, states: tuple[str, ...]) -> None:
    """A plan that somebody stopped is neither moved on nor written to, unless that is allowed."""
    id_ = made(server, case.walker)
    for state in states:
        server.move(id_, state)
    _left_alone(case, server, id_)


def an_unknown_state_is_shown(case: Case, server: Server) -> None:
    """A state that no table knows is shown as it is, and never acted on."""
    id_ = made(server, case.walker)
    server.move(id_, case.unknown)
    report = _left_alone(case, server, id_)
    told = case.unknown in " ".join((*report.change.notices, *report.notices))
    expect(that=told, why=f"the state {case.unknown} is not shown")


def _left_alone(case: Case, server: Server, id_: str) -> ChangeReport:
    kept, since = server.document(id_), len(server.writes())
    report = applied(server, with_goal(case.walker, case.goal))
    check_outcome(report, *SETTLED)
    check_outcome(applied(server, with_goal(_edited(case), case.goal)), Outcome.REFUSED)
    check_writes(server, since, count=0)
    expect(that=server.document(id_) == kept, why="the plan was touched")
    return report


def _edited(case: Case) -> Plan:
    """The walker's file with a field changed."""
    edit = next(iter(case.edits.values()))
    return replace(case.walker, spec=case.walker.spec | edit.changed)


def who_stops_a_plan_on_its_way_is_heard(case: Case, server: Server) -> None:
    """Every transition is asked for again before it is sent: a plan stopped half-way stays so."""
    id_, found = _setting_out(case, server)
    since, state = len(server.writes()), case.stops[0][-1]
    server.meanwhile(lambda: server.move(id_, state), after=True)
    report = found.apply()
    check_shown(found.change.steps[:1], id_, server.writes()[since:])
    _stands(server, id_, state)
    expect(that=report.outcome is not Outcome.APPLIED, why="the walk is said to be at its end")
