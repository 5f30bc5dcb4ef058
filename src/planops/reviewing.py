"""A review: the files of two commits against one observation of the server.

Decides nothing that the run or the core can decide: it compares twice, and splits what comes of it.
Nothing is written anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from planops import reconcile
from planops.core.changes import Change, ChangeSet
from planops.core.masking import masked_change
from planops.core.model import Plan
from planops.core.report import ChangeReport, Outcome, TargetReport
from planops.core.review import in_files, share
from planops.core.shape import Shape
from planops.run import Locate, Run, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The plans of both commits for one target.

    ``touched`` tells whether a file is changed, ``locate`` finds places in what merging makes.
    """

    before: tuple[Plan, ...]
    after: tuple[Plan, ...]
    touched: Callable[[str], bool]
    locate: Locate

    def changed(self, plan: Plan, declared: Plan | None) -> bool:
        """Tell whether the pull request changes, makes or moves the file of a plan."""
        moved = declared is not None and declared.source.file != plan.source.file
        return declared is None or moved or self.touched(plan.source.file)


def reviewed(target: Target, sides: Sides, run: Run) -> TargetReport:
    """Compare both commits with the server as it is now, and report what merging causes.

    The report's refusals are those that stop the whole target once it is merged. Raises as
    :func:`planops.reconcile.observe`.
    """
    run = replace(run, full=True)
    sight = reconcile.observe(target, [*sides.before, *sides.after], run)
    cut = len(sides.before)
    earlier = reconcile.compared(target, replace(sight, desired=sight.desired[:cut]), run)
    sight = replace(sight, desired=sight.desired[cut:])
    changes = reconcile.diff(target, sight, run)
    report = reconcile.show(target, sight, changes, run)
    return replace(report, changes=_shared(report.changes, earlier, changes, sides))


def offline(name: str, backend: str, url: str, shape: Shape, sides: Sides) -> TargetReport:
    """Compare both commits' files of a target with each other, and ask nobody else."""
    known = {plan.key: plan for plan in sides.before}
    found = []
    for plan in sides.after:
        change = in_files(shape, known.get(plan.key), plan)
        touched = sides.changed(plan, known.get(plan.key))
        told = share(None, change, known.get(plan.key), touched=touched)
        found.append(
            ChangeReport(
                change=masked_change(_located(change, sides), shape),
                fingerprint="",
                outcome=Outcome.UNCHANGED,
                share=told,
            )
        )
    return TargetReport(
        name=name, backend=backend, url=url, managed=len(sides.after), changes=tuple(found)
    )


def _located(change: Change, sides: Sides) -> Change:
    """Put to each delta its line in the file."""
    find = sides.locate(change.plan)
    return replace(change, deltas=tuple(replace(d, mark=find(d.path)) for d in change.deltas))


def _shared(
    reports: Sequence[ChangeReport], earlier: ChangeSet, changes: ChangeSet, sides: Sides
) -> tuple[ChangeReport, ...]:
    before = {change.key: change for change in earlier.changes}
    declared = {plan.key: plan for plan in sides.before}
    return tuple(
        replace(
            report,
            share=share(
                before.get(change.key),
                change,
                declared.get(change.key),
                touched=sides.changed(change.plan, declared.get(change.key)),
            ),
        )
        for report, change in zip(reports, changes.changes, strict=True)
    )
