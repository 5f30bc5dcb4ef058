"""What became of a run in one bare line a plan: what is left to say where no format can be drawn.

It is drawn from as little of the report as can be: what ails a format must not ail this too.
Nothing here is escaped: whoever says it escapes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from planops.core.report import ChangeReport, Outcome, Report, StepResult


def lines(report: Report) -> Iterator[str]:
    """Say what was done, target by target; plans that are as declared are left out."""
    for problem in report.problems:
        yield f"{problem.mark or 'files'}: {problem.severity.value}: {problem.message}"
    for target in report.targets:
        if target.error:
            yield f"{target.name}: error: {target.error}"
        if target.unrecorded:
            yield f"{target.name}: not recorded: {target.unrecorded}"
        for item in target.changes:
            if item.outcome is not Outcome.UNCHANGED:
                yield _of(item)


def _of(item: ChangeReport) -> str:
    made = item.results.count(StepResult.DONE)
    where = f" (the plan {item.id})" if item.id else ""
    why = f": {item.error}" if item.error else ""
    calls = f", {made} of {len(item.results)} calls made" if item.results else ""
    return f"{item.change.key}: {item.outcome.value}{where}{calls}{why}"
