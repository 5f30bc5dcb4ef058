"""What a report has to say about lines of files: the source of every annotation.

A problem, a refusal, a hazard, drift, and what went wrong each become a remark at one place, the
worst first. Nothing here is escaped: whoever renders escapes it.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from planops.core.changes import Cause, Change, ChangeKind, Delta
from planops.core.compare import about
from planops.core.lifecycle import Edge, Move, Refusal, Standing
from planops.core.model import Problem, Severity
from planops.core.report import ChangeReport, Outcome, Report, TargetReport, refuses
from planops.render import attribution, closing, wording
from planops.render.escape import cut
from planops.render.values import field, shown

SETTINGS: Final = "planops.yaml"
"""Where a remark is shown that has no file, by a format that must have one."""

_VALUE: Final = 60
_BEGUN: Final = frozenset({Outcome.PENDING, Outcome.APPLIED, Outcome.FAILED, Outcome.UNKNOWN})
"""Of these changes it is worth saying what they undo: of the others nothing is made."""
_WRONG: Final = frozenset({Outcome.FAILED, Outcome.UNKNOWN, Outcome.STALE})
_WATCHING: Final = frozenset({"drift", "status"})
"""Commands that ask what happened on the servers, not only what a file would do there."""
_VARYING: Final = re.compile(r"[0-9a-f]{8,}|[0-9]+")
"""What may differ from run to run in a sentence that says the same: numbers, times, digests."""


class Level(enum.StrEnum):
    """How much a remark weighs, in GitHub's words."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


RANK: Final = tuple(Level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing to be said at one place.

    ``rule`` is a stable name of what is said, ``title`` a few words, ``text`` a sentence. ``file``
    is named from the top of the repository and empty where there is none; ``line`` and ``column``
    count from 1, and 0 is unknown. ``about`` is what tells it from its like, run after run.
    ``grave``: something was done, or may have been, and not to its end.
    """

    level: Level
    rule: str
    title: str
    text: str
    file: str = ""
    line: int = 0
    column: int = 0
    about: str = ""
    grave: bool = False


def remarks(report: Report) -> tuple[Remark, ...]:
    """Say what a report has to say, the worst first, in the order of the report within a level.

    Of a review that is what the pull request causes.
    """
    found = [*_of_targets(report), *_of_problems(report)]
    for item in (one for one in report.changes if one.share is None or one.share.causes):
        found += _of_change(item, watching=report.command in _WATCHING)
    top = report.git.folder if report.git else ""
    found.sort(key=lambda remark: (RANK.index(remark.level), not remark.grave))
    return tuple(replace(one, file=from_top(top, one.file)) for one in dict.fromkeys(found))


def from_top(folder: str, file: str) -> str:
    """Name a file from the top of the repository; the settings name it from their own folder."""
    while folder and file.startswith("../"):
        folder, file = folder.rpartition("/")[0], file.removeprefix("../")
    return f"{folder}/{file}" if folder and file else file


def fingerprints(found: Iterable[Remark]) -> tuple[str, ...]:
    """Name remarks so that each has its own name, and the same one in the next run.

    A line that moved and a number that went on make no other remark (32 hexadecimal digits).
    """
    met: Counter[tuple[str, ...]] = Counter()
    names = []
    for one in found:
        what = (one.rule, one.file, one.about or _VARYING.sub("0", one.text))
        met[what] += 1
        told = "\0".join((*what, str(met[what])))
        names.append(hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()[:32])
    return tuple(names)


# ----------------------------------------------------------------------- targets and their files


def _of_targets(report: Report) -> Iterator[Remark]:
    for target in report.targets:
        yield from _of_target(target)


def _of_target(target: TargetReport) -> Iterator[Remark]:
    said = [(target.error, "not-compared", "not compared", False)]
    said += [(target.unrecorded, "not-recorded", "not recorded", True)]
    for text, rule, title, grave in said:
        if text:
            yield Remark(
                level=Level.ERROR,
                rule=rule,
                title=f"{target.name}: {title}",
                text=text,
                about=target.name,
                grave=grave,
            )
    for refusal in target.refusals if refuses(target) else ():
        yield _refused(target.name, refusal)


def _of_problems(report: Report) -> Iterator[Remark]:
    for _, found in closing.by_file(report.problems):
        for problem in found:
            yield _problem(problem)


def _problem(problem: Problem) -> Remark:
    mark = problem.mark
    hint = f"; {problem.hint}" if problem.hint else ""
    return Remark(
        level=Level.ERROR if problem.severity is Severity.ERROR else Level.WARNING,
        rule=problem.code,
        title=problem.code,
        text=f"{problem.message}{hint}",
        file=mark.file if mark else "",
        line=mark.line if mark else 0,
        column=mark.column if mark else 0,
    )


def _refused(name: str, refusal: Refusal) -> Remark:
    lifts = f"lifted by {refusal.lift}" if refusal.lift else "no flag lifts this"
    return Remark(
        level=Level.ERROR,
        rule=f"refused/{refusal.guard}",
        title=f"{name}: refused by {refusal.guard}",
        text=f"{refusal.message} ({lifts})",
        about=f"{name}: {_VARYING.sub('0', refusal.message)}",
    )


# ----------------------------------------------------------------------------------- the changes


def _of_change(item: ChangeReport, *, watching: bool) -> Iterator[Remark]:
    change = item.change
    key = str(change.key)
    yield from _went_wrong(item, key)
    for refusal in change.refusals:
        yield _at(change, _cause_of(change, refusal), _refused(key, refusal))
    if item.outcome in _BEGUN and change.acts:
        for text, delta, moves in _hazards(change):
            told = Remark(
                level=Level.WARNING,
                rule="hazard",
                title=f"{key}: {wording.deed(change)}",
                text=text,
                about=f"{key}: {text}",
            )
            yield _at(change, delta, told, moves=moves)
    yield from _drift(item, key, watching=watching)


def _went_wrong(item: ChangeReport, key: str) -> Iterator[Remark]:
    outcome = item.outcome
    wrong = outcome in _WRONG or bool(item.error)
    if wrong or outcome is Outcome.SKIPPED:
        said = wording.verdict(outcome) or outcome.value
        told = Remark(
            level=Level.ERROR if wrong else Level.WARNING,
            rule=f"outcome/{outcome.value}",
            title=f"{key}: {said.partition(':')[0]}",
            text=": ".join(part for part in (said.partition(": ")[2], item.error) if part) or said,
            about=key,
            grave=wrong,
        )
        yield _at(item.change, None, told, moves=True)


def _cause_of(change: Change, refusal: Refusal) -> Delta | None:
    """Find the field that a refusal is about: one that it names, or the first that is written."""
    if refusal.guard == "conflict":
        return _first(change, Cause.CONFLICT)
    named = [d for d in change.deltas if d.mark and d.path and d.path in refusal.message]
    return named[0] if named else _written(change)


def _written(change: Change) -> Delta | None:
    """Find the first field whose line makes planops write; a new plan is written as a whole."""
    if change.kind is ChangeKind.CREATE:
        return None
    return _first(change, *(cause for cause in Cause if cause is not Cause.DRIFT))


def _first(change: Change, *causes: Cause) -> Delta | None:
    return next((d for d in change.deltas if d.mark and d.cause in causes), None)


def _hazards(change: Change) -> Iterator[tuple[str, Delta | None, bool]]:
    """Say each hazard with the field that brings it about, or that the goal does.

    What lets a write in comes of the fields; what comes after it comes of the goal.
    """
    moves = change.route.moves
    first = moves.index(Move.WRITE) if Move.WRITE in moves else 0
    opening = [move for move in moves[:first] if isinstance(move, Edge)]
    lets_in = {text for edge in opening for text in wording.edge_hazards(edge)}
    for text in wording.hazards(change):
        if text == wording.OVERWRITES:
            yield text, _first(change, Cause.CONFLICT), False
        else:
            yield text, _written(change) if text in lets_in else None, text not in lets_in


def _drift(item: ChangeReport, key: str, *, watching: bool) -> Iterator[Remark]:
    """Say what the server changed and the file would change back; to who asks, also the rest."""
    change = item.change
    overwrites = change.acts and item.outcome in _BEGUN
    for delta in change.deltas:
        written = overwrites and about(delta) not in change.left
        if delta.cause is Cause.DRIFT and (written or watching):
            told = Remark(
                level=Level.NOTICE,
                rule="drift",
                title=f"{key}: drift",
                text=_drifted(delta, written=written),
                about=f"{key}: {delta.path}",
            )
            yield _at(change, delta, told)
    if watching and change.route.standing is Standing.STOPPED:
        by = f" ({attribution.touch(change.touch)})" if change.touch else ""
        told = Remark(
            level=Level.NOTICE,
            rule="stopped",
            title=f"{key}: stopped",
            text=f"{wording.route(change)}{by}",
            about=key,
        )
        yield _at(change, None, told, moves=True)


def _drifted(delta: Delta, *, written: bool) -> str:
    by = f" ({attribution.touch(delta.touch)})" if delta.touch else ""
    live, desired = (
        cut(shown(value, _VALUE, sensitive=delta.sensitive), _VALUE)
        for value in (delta.live, delta.desired)
    )
    then = "the file overwrites that" if written else "it is left as it is"
    name = field(delta.path)
    return f"{name} was changed on the server to {live}{by}; the file says {desired}, and {then}"


def _at(change: Change, delta: Delta | None, told: Remark, *, moves: bool = False) -> Remark:
    """Put a remark to a field's line, else to that of the goal, else to the plan's first."""
    source = change.plan.source
    if delta is not None and delta.mark is not None:
        mark = delta.mark
        return replace(told, file=mark.file, line=mark.line, column=mark.column)
    goal = change.goal.line if moves and change.goal else 0
    return replace(told, file=source.file, line=goal or source.line)
