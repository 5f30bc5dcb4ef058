"""What is promised when answers are lost: never twice, never lost, and never a guess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from planops.core.changes import StepKind
from planops.core.model import Plan
from planops.core.report import ChangeReport, Outcome, StepResult
from planops.errors import PlanGone, PlanopsError, ServerSaidNo
from planops.testing.acting import (
    Look,
    check_one,
    check_outcome,
    check_settled,
    check_shown,
    check_writes,
    expect,
    look,
    made,
    with_goal,
)
from planops.testing.case import Case, Lost, Server


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loss:
    """A run at one of whose steps the answer is lost."""

    found: Look
    since: int
    at: int
    before: int

    @property
    def name(self) -> str:
        return self.found.change.plan.display_name


def _creating(case: Case, server: Server) -> Look:
    return look(server, case.full.plan)


def _updating(case: Case, server: Server) -> Look:
    edit = next(iter(case.edits.values()))
    made(server, edit.before)
    return look(server, edit.after)


def _walking(case: Case, server: Server) -> Look:
    made(server, case.walker)
    return look(server, with_goal(case.walker, case.goal))


def _losing(server: Server, found: Look, kind: StepKind, how: Lost) -> _Loss:
    kinds = [step.kind for step in found.change.steps]
    expect(that=kind in kinds, why=f"no step of the change is of the kind {kind}")
    at, since = kinds.index(kind), len(server.writes())
    before = len(server.ids(found.change.plan.display_name))
    server.lose(how, nth=at + 1)
    return _Loss(found=found, since=since, at=at, before=before)


def a_lost_creation_makes_one_plan(case: Case, server: Server, how: Lost) -> None:
    """A creation whose answer is lost is looked for and never repeated: one plan comes of it."""
    _found_again(case, server, _creating, StepKind.CREATE, how)


def a_lost_update_is_looked_up(case: Case, server: Server, how: Lost) -> None:
    """An update whose answer is lost is looked up and never repeated."""
    _found_again(case, server, _updating, StepKind.UPDATE, how)


def a_lost_transition_is_looked_up(case: Case, server: Server, how: Lost) -> None:
    """A transition whose answer is lost is looked up, never repeated, and the walk goes on."""
    _found_again(case, server, _walking, StepKind.TRANSITION, how)


def _found_again(
    case: Case,
    server: Server,
    begin: Callable[[Case, Server], Look],
    kind: StepKind,
    how: Lost,
) -> None:
    loss = _losing(server, begin(case, server), kind, how)
    report = loss.found.apply()
    lost = server.writes()[loss.since + loss.at]
    if not lost.made:
        refused = loss.found.change.steps[loss.at].fallback is not None
        expect(that=how is Lost.BEFORE or refused, why=f"{lost.method} {lost.path} was not made")
        _never_arrived(server, loss, report)
        return
    check_outcome(report, Outcome.APPLIED, Outcome.PARKED)
    id_ = check_one(server, loss.name)
    check_shown(loss.found.change.steps, id_, server.writes()[loss.since :])
    check_settled(server, loss.found.change.plan)


def _never_arrived(server: Server, loss: _Loss, report: ChangeReport) -> None:
    """What may or may not have happened is said to be unknown, and the next run does it."""
    check_outcome(report, Outcome.UNKNOWN)
    check_writes(server, loss.since, count=loss.at + 1)
    unknown = report.results[loss.at] is StepResult.UNKNOWN
    expect(that=unknown, why=f"the step is said to be {report.results[loss.at]}")
    there = len(server.ids(loss.name))
    expect(that=there == loss.before, why=f"there are {there} plans, after {loss.before}")
    plan = loss.found.change.plan
    check_outcome(look(server, plan).apply(), Outcome.APPLIED, Outcome.PARKED)
    check_one(server, plan.display_name)
    check_settled(server, plan)


def a_lost_answer_without_a_look_is_unknown(case: Case, server: Server) -> None:
    """Where looking fails too, the outcome is unknown, and nothing more is written."""
    found = _creating(case, server)
    server.lose(Lost.AFTER)
    server.meanwhile(server.silence, after=True)
    check_outcome(found.apply(), Outcome.UNKNOWN)
    check_writes(server, 0, count=1)
    server.heal()
    check_one(server, case.full.plan.display_name)


def a_refusal_is_told(case: Case, server: Server) -> None:
    """A write that the server refuses fails with its reason, and is not made again."""
    found = look(server, case.minimal.plan)
    server.refuse("the moon is in the wrong quarter")
    report = found.apply()
    check_outcome(report, Outcome.FAILED)
    told = "the moon is in the wrong quarter" in report.error
    expect(that=told, why=f"the server's reason is not told: {report.error}")
    check_writes(server, 0, count=1)
    check_outcome(look(server, case.minimal.plan).apply(), Outcome.APPLIED)


def a_failure_is_not_an_absence(case: Case, server: Server) -> None:
    """A plan that cannot be read just now is not gone, and nothing is written because of it."""
    id_ = made(server, case.minimal.plan)
    target, since = server.target(), len(server.writes())
    target.backend.prepare([case.minimal.plan])
    server.silence()
    error = _raised(lambda: target.backend.read(id_))
    expect(that=not isinstance(error, PlanGone), why=f"the plan is said to be gone: {error}")
    error = _raised(lambda: _run(server, case.minimal.plan))
    expect(that=not isinstance(error, PlanGone), why=f"the plan is said to be gone: {error}")
    check_writes(server, since, count=0)


def _run(server: Server, plan: Plan) -> None:
    look(server, plan).apply()


def _raised(deed: Callable[[], object]) -> PlanopsError:
    try:
        deed()
    except ServerSaidNo as error:
        return error
    raise AssertionError("a server that fails at every read was taken for a healthy one")
