"""A review: the files of two commits against one observation of the server.

Decides nothing that the run or the core can decide: it compares twice, and splits what comes of it.
Nothing is written anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from planops import reconcile
from planops.core.changes import Change, ChangeSet
from planops.core.masking import masked_change
from planops.core.model import Plan
from planops.core.report import ChangeReport, Outcome, TargetReport
from planops.core.review import in_files, share
from planops.core.shape import Shape
from planops.run import Locate, Run, Target

_STANDS: Final = "this stands without the pull request, too"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The plans of both commits for one target.

    ``touched`` tells whether a file is changed, ``locate`` finds places in what merging makes,
    ``broken`` that files of the base are wrong, so that it makes no call. ``elsewhere`` maps the
    plans that the base declares for other targets of this server to the target.
    """

    before: tuple[Plan, ...]
    after: tuple[Plan, ...]
    touched: Callable[[str], bool]
    locate: Locate
    broken: bool = False
    elsewhere: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def changed(self, change: Change, declared: Plan | None) -> bool:
        """Tell whether the pull request changes, makes, moves or removes the file of a plan."""
        if declared is None:
            return change.orphan is None
        file = change.plan.source.file
        return declared.source.file != file or self.touched(file)


def reviewed(target: Target, sides: Sides, run: Run) -> TargetReport:
    """Compare both commits with the server as it is now, and report what merging causes.

    The report's refusals are those that stop the whole target once it is merged. Raises as
    :func:`planops.reconcile.observe`.
    """
    run = replace(run, full=True)
    sight = reconcile.observe(target, [*sides.before, *sides.after], run)
    cut = len(sides.before)
    alone = replace(run, elsewhere=sides.elsewhere)
    earlier = reconcile.compared(target, replace(sight, desired=sight.desired[:cut]), alone)
    sight = replace(sight, desired=sight.desired[cut:])
    changes = reconcile.diff(target, sight, run)
    report = reconcile.show(target, sight, changes, run)
    held = "" if changes.refusals else _held(earlier, sides)
    stands = {one.guard for one in changes.refusals} <= {one.guard for one in earlier.refusals}
    there = stands and bool(changes.refusals)
    return replace(
        report,
        there=there,
        notices=(*report.notices, *_freed(changes, held), *([_STANDS] if there else [])),
        changes=_shared(report.changes, earlier, changes, sides, run.files, stopped=bool(held)),
    )


def _held(earlier: ChangeSet, sides: Sides) -> str:
    """Say why the base alone makes no call at all; nothing where it makes its calls."""
    if sides.broken:
        return "files of it are wrong in the base"
    guards = ", ".join(sorted({refusal.guard for refusal in earlier.refusals}))
    return f"the base alone is refused by {guards}" if guards else ""


def _freed(changes: ChangeSet, held: str) -> Iterator[str]:
    if held and any(change.steps and not change.refusals for change in changes.changes):
        yield f"{held}, so that nothing is called here before this is merged"


def offline(name: str, backend: str, url: str, shape: Shape, sides: Sides) -> TargetReport:
    """Compare both commits' files of a target with each other, and ask nobody else."""
    known = {plan.key: plan for plan in sides.before}
    found = []
    for plan in sides.after:
        change = in_files(shape, known.get(plan.key), plan)
        touched = sides.changed(change, known.get(plan.key))
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
    reports: Sequence[ChangeReport],
    earlier: ChangeSet,
    changes: ChangeSet,
    sides: Sides,
    files: Collection[str],
    *,
    stopped: bool,
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
                touched=sides.changed(change, declared.get(change.key)),
                stopped=stopped,
                files=files,
            ),
        )
        for report, change in zip(reports, changes.changes, strict=True)
    )
