"""How the promises act: one plan through the public run, what was written, what must hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from planops import reconcile
from planops.core.changes import NEW_ID, Change, ChangeSet, Request, Step
from planops.core.model import Plan
from planops.core.report import ChangeReport, Outcome
from planops.run import Run, Sight, Target
from planops.testing.case import Server, Write

SETTLED: Final = frozenset({Outcome.UNCHANGED, Outcome.PARKED})
"""Nothing is left for planops to do."""
LIFTED: Final[Mapping[str, int | None]] = {"reset": 9, "weaken": 9}
"""Guards that speak of an edit of one field, and are no matter of the contract."""


def expect(*, that: bool, why: str) -> None:
    """Break the promise with a sentence unless something is so."""
    if not that:
        raise AssertionError(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a run saw and would do, ready to be applied."""

    target: Target
    sight: Sight
    changes: ChangeSet
    run: Run

    @property
    def change(self) -> Change:
        """The change of the one plan."""
        (change,) = self.changes.changes
        return change

    def apply(self) -> ChangeReport:
        """Make what was shown."""
        report = reconcile.apply(self.target, self.sight, self.changes, self.run)
        (change,) = report.changes
        return change


def asked(server: Server) -> Run:
    """Give a run at the server's time in which no guard of the contract is lifted."""
    return Run(now=server.now, allow=LIFTED)


def look(server: Server, plan: Plan, target: Target | None = None) -> Look:
    """Observe and diff one plan, as a new process unless a target is given."""
    target, run = target or server.target(), asked(server)
    sight = reconcile.observe(target, [plan], run)
    return Look(target=target, sight=sight, changes=reconcile.diff(target, sight, run), run=run)


def applied(server: Server, plan: Plan) -> ChangeReport:
    """Observe, diff and apply one plan."""
    return look(server, plan).apply()


def made(server: Server, plan: Plan) -> str:
    """Make a plan that must come out as declared; give its id."""
    report = applied(server, plan)
    _succeeded(report)
    return check_one(server, plan.display_name)


def _succeeded(report: ChangeReport) -> None:
    fine = report.outcome in SETTLED | {Outcome.APPLIED}
    expect(that=fine, why=f"making a plan came to {told(report)}")


def told(report: ChangeReport) -> str:
    """Say in words what became of a change."""
    refused = [f"{refusal.guard}: {refusal.message}" for refusal in report.change.refusals]
    said = "; ".join((*refused, report.error))
    return f"{report.outcome} ({said})" if said else str(report.outcome)


def check_outcome(report: ChangeReport, *wanted: Outcome) -> None:
    """Break the promise unless a change came to one of these."""
    expected = " or ".join(wanted)
    expect(that=report.outcome in wanted, why=f"expected {expected}, and it was {told(report)}")


def check_settled(server: Server, plan: Plan) -> None:
    """Break the promise unless a new run finds nothing to do, and does nothing."""
    before, found = len(server.writes()), look(server, plan)
    left = ", ".join(delta.path for delta in found.change.deltas)
    expect(that=not found.change.deltas, why=f"the next run finds differences in {left}")
    steps = ", ".join(step.summary for step in found.change.steps)
    expect(that=not found.change.steps, why=f"the next run would {steps}")
    check_outcome(found.apply(), *SETTLED)
    check_writes(server, before, count=0)


def check_writes(server: Server, since: int, *, count: int) -> None:
    """Break the promise unless this many writes came since then."""
    came = server.writes()[since:]
    shown = ", ".join(f"{one.method} {one.path}" for one in came) or "none"
    expect(that=len(came) == count, why=f"expected {count} writes, and there came {shown}")


def check_one(server: Server, name: str) -> str:
    """Break the promise unless the server has exactly one plan of a name; give its id."""
    ids = server.ids(name)
    expect(that=len(ids) == 1, why=f"the server holds {len(ids)} plans named {name!r}")
    return ids[0]


def check_shown(steps: Sequence[Step], id_: str, writes: Sequence[Write]) -> None:
    """Break the promise unless the writes received are the steps shown, in their order.

    A step that has a second spelling may come in either, or in one that was refused and then the
    other.
    """
    left = list(writes)
    for step in steps:
        come = next((way for way in _ways(step, id_) if _begins(left, way)), None)
        if come is None:
            seen = _written(left[0]) if left else "nothing"
            told_ = _asked(step.request, id_)
            raise AssertionError(f"{step.summary} was shown as {told_}, and there came {seen}")
        left = left[len(come) :]
    extra = ", ".join(map(_written, left))
    expect(that=not left, why=f"what came was never shown: {extra}")


def _ways(step: Step, id_: str) -> list[list[str]]:
    first = _asked(step.request, id_)
    if step.fallback is None:
        return [[first]]
    second = _asked(step.fallback, id_)
    return [[first, second], [second, first], [first], [second]]


def _begins(writes: Sequence[Write], way: Sequence[str]) -> bool:
    come = writes[: len(way)]
    refused = all(write.refused and not write.made for write in come[:-1])
    return [_written(write) for write in come] == list(way) and refused


def _asked(request: Request, id_: str) -> str:
    path = request.path.replace(NEW_ID, id_)
    return f"{request.method} {path} {json.dumps(request.body, sort_keys=True)}"


def _written(write: Write) -> str:
    return f"{write.method} {write.path} {json.dumps(write.body, sort_keys=True)}"


def with_goal(plan: Plan, state: str | None) -> Plan:
    """Give the same plan with another goal."""
    return replace(plan, state=state)
