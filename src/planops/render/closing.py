"""What is said of a whole run in every format: the counts, whether all agrees, what to do next.

Nothing here is escaped: whoever renders escapes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from planops.core.changes import ChangeKind, StepKind
from planops.core.lifecycle import Standing
from planops.core.model import Problem, Severity
from planops.core.report import (
    ChangeReport,
    ExitCode,
    Outcome,
    Report,
    TargetReport,
    exit_code,
    summary,
)
from planops.render.wording import plural, quiet

_KINDS: Final = (
    ChangeKind.CREATE,
    ChangeKind.UPDATE,
    ChangeKind.TRANSITION,
    ChangeKind.DELETE,
    ChangeKind.ADOPT,
)
_WRITTEN: Final = (
    Outcome.APPLIED,
    Outcome.FAILED,
    Outcome.UNKNOWN,
    Outcome.STALE,
    Outcome.SKIPPED,
)
_IDLE: Final = (Outcome.UNCHANGED, Outcome.PARKED)
_NOTHING: Final = {
    "adopt": "nothing to adopt",
    "drift": "no drift: nothing that was applied was changed on the server",
}
_LEFT: Final = (Outcome.PARKED, Outcome.REFUSED)


def found(target: TargetReport) -> str:
    """Count what is shown of a target's plans, which need not be all that are declared."""
    return tally(target.changes) if target.changes or not target.managed else "none of them shown"


def tally(items: Iterable[ChangeReport]) -> str:
    """Count plans by what is or was done to them; every plan is counted once."""
    kinds: Counter[ChangeKind] = Counter()
    outcomes: Counter[Outcome] = Counter()
    for item in items:
        if item.outcome is Outcome.PENDING and item.change.kind in _KINDS:
            kinds[item.change.kind] += 1
        else:
            outcomes[item.outcome] += 1
    same = outcomes[Outcome.UNCHANGED] + outcomes[Outcome.PENDING]
    work = [f"{kinds[kind]} to {kind.value}" for kind in _KINDS if kinds[kind]]
    work += [f"{outcomes[o]} {o.value}" for o in _WRITTEN if outcomes[o]]
    rest = [f"{same} unchanged"] if same else []
    rest += [f"{outcomes[o]} {o.value}" for o in _LEFT if outcomes[o]]
    said = [", ".join(part) for part in (work, rest) if part]
    return "; ".join(said) or "no plans"


def calls(
    report: Report, only: Callable[[ChangeReport], bool] = lambda _: True
) -> dict[StepKind, int]:
    """Count the calls that an apply would make now, by kind; ``only`` selects changes."""
    counts = dict.fromkeys(StepKind, 0)
    for target in report.targets:
        for item in target.changes if not (target.error or target.refusals) else ():
            if item.outcome is Outcome.PENDING and only(item):
                for step in item.change.steps:
                    counts[step.kind] += 1
    return counts


def errors(report: Report) -> int:
    """Count the problems that stop something."""
    return sum(problem.severity is Severity.ERROR for problem in report.problems)


def stopped(target: TargetReport) -> bool:
    """Tell that a target could not be compared, or must not be written to."""
    return bool(target.error or target.refusals)


def agrees(report: Report) -> bool:
    """Tell that all was compared, and that nothing differs."""
    if errors(report) or any(t.unrecorded or stopped(t) for t in report.targets):
        return False
    return all(_same(item) for item in report.changes)


def _same(item: ChangeReport) -> bool:
    stuck = item.change.route.standing in {Standing.STOPPED, Standing.UNKNOWN}
    return quiet(item) and not stuck


def verdict(report: Report) -> str:
    """Say how a run stands, in one sentence without a full stop."""
    if exit_code(report) is ExitCode.BUG:
        return f"stopped by a bug in planops: {_counts(report)}"
    if report.changes:
        return _of_changes(report)
    if any(map(stopped, report.targets)):
        return _stops(report)
    if report.problems:
        return _problems(report)
    if report.targets:
        declared = any(target.managed for target in report.targets)
        idle = "nothing to do" if declared else "in sync: no plans declared, nothing to do"
        return _NOTHING.get(report.command, idle)
    if report.files:
        return f"{plural(report.files, 'file')} read, no problems"
    return "no plan files found"


def _of_changes(report: Report) -> str:
    if agrees(report):
        return f"in sync: {plural(len(report.changes), 'plan')} as declared, nothing to do"
    idle = all(item.outcome in _IDLE for item in report.changes)
    whole = not errors(report) and not any(map(stopped, report.targets))
    return f"{'nothing to do: ' if idle and whole else ''}{_counts(report)}"


def _counts(report: Report) -> str:
    counted = summary(report)
    said = [tally(report.changes)]
    said += [
        f"{name} in {plural(counted[name], 'plan')}"
        for name in ("drift", "conflict")
        if counted[name]
    ]
    said += [_stops(report)] if any(map(stopped, report.targets)) else []
    return "; ".join(said)


def _stops(report: Report) -> str:
    return f"{plural(sum(map(stopped, report.targets)), 'target')} stopped"


def _problems(report: Report) -> str:
    wrong = errors(report)
    warned = len(report.problems) - wrong
    said = [plural(wrong, "error")] if wrong else []
    said += [plural(warned, "warning")] if warned else []
    return f"{plural(report.files, 'file')} read, {', '.join(said)}"


def next_steps(report: Report) -> tuple[str, ...]:
    """Say what to do next, the most pressing first; nothing where nothing is to be done."""
    if report.command == "adopt" and exit_code(report) is not ExitCode.BUG:
        return tuple(_after_adopting(report))
    return _after_applying(report)


def _after_applying(report: Report) -> tuple[str, ...]:
    outcomes = Counter(item.outcome for item in report.changes)
    said = ["report the bug in planops; what it had begun, the next run goes on with"]
    said = said if exit_code(report) is ExitCode.BUG else []
    if any(target.unrecorded for target in report.targets):
        said.append("see to the ledger, and run planops apply again: it records what it finds")
    if outcomes[Outcome.UNKNOWN]:
        said.append("run planops apply again: it finds out first what became of the unknown calls")
    if wrong := errors(report):
        said.append(f"mend {plural(wrong, 'error')} in the files; their targets are not called")
    if any(target.error for target in report.targets):
        said.append("see to the targets that could not be compared, and run again")
    if outcomes[Outcome.FAILED]:
        said.append("mend what failed and run planops apply again: it goes on from where it stands")
    if outcomes[Outcome.STALE]:
        said.append("run planops diff to see what moved on the server")
    if outcomes[Outcome.SKIPPED]:
        said.append("run planops apply again for what was skipped")
    if refused := _refused(report):
        said.append(f"{refused} refused: read why before lifting a guard")
    if pending := sum(calls(report).values()):
        these = "this" if pending == 1 else "these"
        said.append(f"run planops apply to make {these} {plural(pending, 'call')}")
    return tuple(said)


def _after_adopting(report: Report) -> Iterator[str]:
    """Say what to do after plans were taken over, or were not."""
    outcomes = Counter(item.outcome for item in report.changes)
    if any(target.unrecorded for target in report.targets):
        yield "see to the ledger, and run planops adopt again: it records what is there"
    if wrong := errors(report):
        yield f"mend {plural(wrong, 'error')} in the files; their targets are not called"
    if outcomes[Outcome.FAILED] or any(target.error for target in report.targets):
        yield "mend what failed and run planops adopt again: it goes on from where it stands"
    if refused := _refused(report):
        yield f"{refused} refused: each says what to do by hand"
    if any(map(_is_new(report), report.changes)):
        yield "commit the files that were written"


def _is_new(report: Report) -> Callable[[ChangeReport], bool]:
    """Tell of adopted plans whose file may not be committed yet: it was not there, or altered."""
    known = () if report.git is not None and report.git.dirty else report.paths
    return lambda item: (
        item.outcome is Outcome.APPLIED and item.change.plan.source.file not in known
    )


def _refused(report: Report) -> str:
    plans = sum(item.outcome is Outcome.REFUSED for item in report.changes)
    targets = sum(bool(target.refusals) for target in report.targets)
    said = [plural(plans, "plan")] if plans else []
    said += [plural(targets, "target")] if targets else []
    return " and ".join(said)


def by_file(problems: Iterable[Problem]) -> list[tuple[str, list[Problem]]]:
    """Group problems by file, in the order of their places; those without a place come last."""
    groups: dict[str, list[Problem]] = {}
    for problem in problems:
        groups.setdefault(problem.mark.file if problem.mark else "", []).append(problem)
    return [
        (file, sorted(groups[file], key=_order))
        for file in sorted(groups, key=lambda file: (not file, file))
    ]


def _order(problem: Problem) -> tuple[int, int]:
    return (problem.mark.line, problem.mark.column) if problem.mark else (0, 0)
