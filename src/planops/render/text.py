"""The report as a person reads it on a terminal or in a CI log.

The order is that of a reviewer's questions: which server, which plans, what changes, what is
undone or started by it, which calls, what is refused, what is wrong in the files, what to do next.
Colour only adds to symbols and words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planops.core.model import Problem, Severity
from planops.core.report import ChangeReport, Report, TargetReport
from planops.core.review import Review
from planops.render import closing, text_review, wording
from planops.render.lines import Line, Style, line, text_of
from planops.render.text_change import change_lines, refusal_lines, sentence
from planops.render.values import Look

_COMMIT: Final = 12


def text(
    report: Report,
    *,
    colour: bool = False,
    width: int = 100,
    verbose: bool = False,
    times: frozenset[str] = frozenset(),
) -> str:
    """Render a report; ``times`` are the names of fields that hold unix seconds."""
    offline = report.review is not None and report.review.offline
    sides = ("base", "head") if offline else ("live", "desired")
    look = Look(width=width, verbose=verbose, times=times, before=sides[0], after=sides[1])
    return text_of(_report(report, look), colour=colour)


def _report(report: Report, look: Look) -> Iterator[Line]:
    yield _title(report)
    yield line()
    if report.review:
        yield from text_review.head(report, report.review)
    for target in report.targets:
        yield from _target(target, look, report.review)
        yield line()
    if report.problems:
        yield from _problems(report.problems, look)
        yield line()
    if report.review:
        yield from text_review.closing_lines(report, report.review)
        return
    style = Style.GOOD if closing.agrees(report) else Style.HEAD
    said = closing.verdict(report)
    yield line((style, said[:1].upper() + said[1:] + "."))
    for advice in closing.next_steps(report):
        yield line("Next: ", advice, ".")


def _title(report: Report) -> Line:
    git = report.git
    if git is None:
        return line((Style.HEAD, f"planops {report.command}"))
    branch = f"{git.branch} at " if git.branch else ""
    dirty = ", with changes not committed" if git.dirty else ""
    return line((Style.HEAD, f"planops {report.command}"), f"  {branch}{git.head[:_COMMIT]}{dirty}")


def _target(target: TargetReport, look: Look, review: Review | None) -> Iterator[Line]:
    yield line((Style.HEAD, target.name), f"  {target.backend}  {target.url}")
    if target.error:
        yield line("  ", (Style.BAD, "error: "), sentence(target.error, look))
    elif review:
        yield text_review.tally(target, review)
    else:
        counts = wording.counted(target, "on the server")
        yield line(f"  {counts}: ", closing.found(target))
    if target.unrecorded:
        yield line("  ", (Style.BAD, "not recorded: "), sentence(target.unrecorded, look))
    for refusal in target.refusals:
        yield from refusal_lines(refusal, look, "  ")
    for notice in target.notices:
        yield line("  note: ", sentence(notice, look))
    ours, others = text_review.parted(target, review)
    for item in ours:
        yield from _change(item, look)
    if any(not wording.quiet(item) for item in others):
        yield line()
        yield line("  ", (Style.HEAD, f"{text_review.OTHERS}:"))
    for item in others:
        yield from _change(item, look)


def _change(item: ChangeReport, look: Look) -> Iterator[Line]:
    if not wording.quiet(item):
        yield line()
        yield from change_lines(item, look)
    elif look.verbose:
        yield from change_lines(item, look)


def _problems(problems: tuple[Problem, ...], look: Look) -> Iterator[Line]:
    for file, found in closing.by_file(problems):
        yield line((Style.HEAD, file or "not in a file"))
        for problem in found:
            yield from _problem(problem, look)


def _problem(problem: Problem, look: Look) -> Iterator[Line]:
    style = Style.BAD if problem.severity is Severity.ERROR else Style.WARN
    at = f"{problem.mark}: " if problem.mark else ""
    yield line(
        f"  {at}",
        (style, f"{problem.severity.value}: "),
        sentence(problem.message, look),
        (Style.DIM, f" [{problem.code}]"),
    )
    if problem.hint:
        yield line("    hint: ", sentence(problem.hint, look))
    if problem.target and problem.severity is Severity.ERROR:
        yield line(f"    no call is made to {problem.target} because of it")
