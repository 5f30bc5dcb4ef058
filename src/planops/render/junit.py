"""The report as JUnit XML, which every CI system shows: a test case a plan, and one a file.

Of a file it says whether it has problems; of a plan what became of it. There is one failure a test
case, since readers take the first and no other, and no time, since nobody measured any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, assert_never

from planops.core.model import Problem, Severity
from planops.core.report import ChangeReport, Outcome, Report, TargetReport, refuses
from planops.render import closing, wording
from planops.render.escape import cut, xml
from planops.render.remarks import from_top
from planops.render.shares import NOT_CAUSED

_SENTENCE: Final = 1000
_NAME: Final = 200
_NOWHERE: Final = "(no file)"
_TARGET: Final = "(the whole target)"
"""Names of test cases that no file and no plan can have, since every name is used once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One test case: ``verdict`` is the element that it failed with, empty where it passed."""

    suite: str
    name: str
    file: str = ""
    verdict: str = ""
    why: str = ""
    details: tuple[str, ...] = ()
    output: tuple[str, ...] = ()


def text(report: Report) -> str:
    """Render a report as XML that ends in a newline."""
    top = report.git.folder if report.git else ""
    suites = [("files", [*_of_files(report, top)])]
    suites += [(target.name, [*_of_target(report, target, top)]) for target in report.targets]
    cases = [case for _, found in suites for case in found]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<testsuites name="planops {xml(cut(report.command, _NAME))}"{_counts(cases)}>')
    for name, found in suites:
        if found or name != "files":
            lines += _suite(name, found)
    return "\n".join([*lines, "</testsuites>", ""])


# --------------------------------------------------------------------------------- what is said


def _of_files(report: Report, top: str) -> Iterator[_Case]:
    """Say of each file that was read whether it is right; beside validate only of wrong ones."""
    found = dict(closing.by_file(report.problems))
    read = report.paths if report.command == "validate" else ()
    for file in dict.fromkeys((*read, *found)):
        problems = found.get(file, [])
        errors = [one for one in problems if one.severity is Severity.ERROR]
        yield _Case(
            suite="files",
            name=file or _NOWHERE,
            file=from_top(top, file),
            verdict="failure" if errors else "",
            why=wording.plural(len(errors), "error"),
            details=tuple(line for one in errors for line in _problem(one)),
            output=tuple(line for one in problems if one not in errors for line in _problem(one)),
        )


def _problem(problem: Problem) -> Iterator[str]:
    at = f"{problem.mark}: " if problem.mark else ""
    yield f"{at}{problem.severity.value}: {problem.message} [{problem.code}]"
    if problem.hint:
        yield f"  hint: {problem.hint}"


def _of_target(report: Report, target: TargetReport, top: str) -> Iterator[_Case]:
    wrong = [said for said in (target.error, target.unrecorded) if said]
    stands = target.refusals if refuses(target) else ()
    refused = [_refusal(one.guard, one.message, one.lift) for one in stands]
    if wrong or refused:
        yield _Case(
            suite=target.name,
            name=_TARGET,
            verdict="error" if wrong else "failure",
            why=(wrong or refused)[0],
            details=(*wrong, *refused),
        )
    for item in target.changes:
        yield _of_plan(item, report.command, top)


def _of_plan(item: ChangeReport, command: str, top: str) -> _Case:
    change = item.change
    ours = item.share is None or item.share.causes
    verdict = _verdict(item.outcome) if ours else ""
    if command == "drift" and not verdict:
        verdict = "failure"
    refused = [_refusal(one.guard, one.message, one.lift) for one in change.refusals]
    reasons = [said for said in (wording.verdict(item.outcome), item.error, *refused) if said]
    notices = dict.fromkeys((*change.notices, *item.notices))
    return _Case(
        suite=change.key.target,
        name=change.key.name,
        file=from_top(top, change.plan.source.file),
        verdict=verdict,
        why="; ".join(reasons) or wording.what(item),
        details=(wording.place(change), *reasons),
        output=(
            *(() if ours else (f"{NOT_CAUSED}: {one}" for one in reasons)),
            *(wording.what(item), *wording.hazards(change), *notices),
        ),
    )


def _verdict(outcome: Outcome) -> str:
    """Choose the element that says what became of a plan; none where nothing went wrong."""
    match outcome:
        case Outcome.UNCHANGED | Outcome.PENDING | Outcome.APPLIED | Outcome.PARKED:
            return ""
        case Outcome.REFUSED | Outcome.FAILED | Outcome.STALE:
            return "failure"
        case Outcome.UNKNOWN:
            return "error"
        case Outcome.SKIPPED:
            return "skipped"
        case _ as never:
            assert_never(never)


def _refusal(guard: str, message: str, lift: str) -> str:
    lifts = f"lifted by {lift}" if lift else "no flag lifts this"
    return f"refused by {guard}: {message} ({lifts})"


# ------------------------------------------------------------------------------------ as XML


def _counts(cases: list[_Case]) -> str:
    met = Counter(case.verdict for case in cases)
    named = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    counts = {"tests": len(cases), **{name: met[verdict] for name, verdict in named.items()}}
    return "".join(f' {name}="{number}"' for name, number in counts.items())


def _suite(name: str, cases: list[_Case]) -> Iterator[str]:
    yield f'  <testsuite name="{xml(cut(name, _NAME))}"{_counts(cases)}>'
    for case in cases:
        yield from _case(case)
    yield "  </testsuite>"


def _case(case: _Case) -> Iterator[str]:
    file = f' file="{xml(case.file)}"' if case.file else ""
    yield f'    <testcase classname="{xml(case.suite)}" name="{xml(case.name)}"{file}>'
    if case.verdict:
        why = f'<{case.verdict} message="{xml(cut(case.why, _SENTENCE))}"'
        details = "" if case.verdict == "skipped" else _lines(case.details)
        yield f"      {why}>{details}</{case.verdict}>" if details else f"      {why}/>"
    if output := _lines(case.output):
        yield f"      <system-out>{output}</system-out>"
    yield "    </testcase>"


def _lines(said: tuple[str, ...]) -> str:
    return "\n".join(xml(cut(line, _SENTENCE)) for line in said)
