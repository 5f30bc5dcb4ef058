"""The report: change sets, outcomes and problems, masked; all that a renderer ever sees.

Its JSON form is the contract that every other output is drawn from
(``schemas/report.schema.json``). Changes in a report are already masked (``core/masking.py``): no
renderer ever holds a secret.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from planops.core.changes import Cause, Change, ChangeKind
from planops.core.lifecycle import Refusal, Standing
from planops.core.model import Problem, Severity
from planops.core.review import Review, Share

FORMAT_VERSION = "1.0"


class Outcome(enum.StrEnum):
    """What became of one change."""

    UNCHANGED = "unchanged"  # nothing to do, and nothing was done
    PENDING = "pending"  # shown, not asked to be applied
    APPLIED = "applied"
    PARKED = "parked"  # nothing left for us; a person or the server is next
    REFUSED = "refused"
    STALE = "stale"  # live moved since it was shown
    FAILED = "failed"
    UNKNOWN = "unknown"  # a write's outcome could not be established
    SKIPPED = "skipped"  # not attempted: the run ended, or was interrupted, before it


class StepResult(enum.StrEnum):
    """What became of one step."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class ExitCode(enum.IntEnum):
    """What a process says at its end (design: stable, tested one by one)."""

    OK = 0
    FAILED = 1
    CHANGES = 2
    REFUSED = 3
    STALE = 4
    PARTIAL = 5
    UNKNOWN = 6
    USAGE = 64
    BUG = 70
    BUSY = 75
    INTERRUPTED = 130
    TERMINATED = 143


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReport:
    """One change with what became of it.

    ``results`` has one entry a step, and so has ``digests``: keyed digests of the real bodies,
    since the change that is shown is masked. ``id`` is the plan's id on the server, also of a plan
    just created; ``error`` the sentence of what went wrong. ``share`` is what of it a pull request
    causes, in a review.
    """

    change: Change
    fingerprint: str
    outcome: Outcome
    results: tuple[StepResult, ...] = ()
    digests: tuple[str, ...] = ()
    id: str | None = None
    error: str = ""
    notices: tuple[str, ...] = ()
    bug: bool = False
    share: Share | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReport:
    """One target: what was found there, or why it could not be compared.

    ``live`` counts the plans on the server, which nobody knows where it was not ``asked``;
    ``managed`` those that files declare. ``error`` says why the target could not be observed;
    ``refusals`` stop every change of it, ``there`` tells in a review that they do so without the
    pull request, too; ``unrecorded`` says why what was done could not be written into the ledger.
    ``code`` is the exit code that the error asks for, where
    it is not plain failure: another run holds the ledger, or moved it, or there is a bug.
    """

    name: str
    backend: str
    url: str
    asked: bool = True
    live: int = 0
    managed: int = 0
    changes: tuple[ChangeReport, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    there: bool = False
    error: str = ""
    notices: tuple[str, ...] = ()
    unrecorded: str = ""
    code: ExitCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GitFacts:
    """Where the files come from: the commit, and whether the work tree differs from it.

    ``folder`` is where the settings lie below the top of the repository, empty for the top itself:
    forges name files from there, everything else from the settings.
    """

    head: str
    branch: str = ""
    dirty: bool = False
    folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run: what every renderer draws from.

    ``files`` counts the plan files that were read, and ``paths`` names them. ``ended`` is the exit
    code of a command that ends otherwise than what it found says: it was interrupted, or an
    approved change is not there any more. ``review`` holds a review's facts.
    """

    command: str
    targets: tuple[TargetReport, ...] = ()
    problems: tuple[Problem, ...] = ()
    git: GitFacts | None = None
    files: int = 0
    paths: tuple[str, ...] = ()
    exit_on_changes: bool = False
    ended: ExitCode | None = None
    review: Review | None = None

    @property
    def changes(self) -> tuple[ChangeReport, ...]:
        """All changes of all targets."""
        return tuple(change for target in self.targets for change in target.changes)


SUMMARY = (
    "create", "update", "transition", "delete", "forget", "adopt", "unchanged", "drift", "conflict",
    "refused", "parked", "applied", "failed", "unknown", "stale", "skipped",
)  # fmt: skip


def summary(report: Report) -> dict[str, int]:
    """Count the changes by kind, cause and outcome; every name of ``SUMMARY`` is there."""
    counts = dict.fromkeys(SUMMARY, 0)
    for item in report.changes:
        if item.change.kind is ChangeKind.UNCHANGED:
            counts["unchanged"] += item.outcome is Outcome.UNCHANGED
        else:
            counts[item.change.kind.value] += 1
        if item.outcome.value in counts and item.outcome is not Outcome.UNCHANGED:
            counts[item.outcome.value] += 1
        causes = {delta.cause for delta in item.change.deltas}
        counts["drift"] += Cause.DRIFT in causes or item.change.route.standing is Standing.STOPPED
        counts["conflict"] += Cause.CONFLICT in causes
    return counts


def exit_code(report: Report) -> ExitCode:
    """Give the one exit code of a run; where several apply: 70, 6, 5, 1, 4, 3, 2."""
    return _found(report) if report.ended is None else report.ended


def _found(report: Report) -> ExitCode:
    codes = {target.code for target in report.targets}
    if ExitCode.BUG in codes or any(item.bug for item in report.changes):
        return ExitCode.BUG
    outcomes = {item.outcome for item in report.changes}
    failed = Outcome.FAILED in outcomes or _went_wrong(report)
    if Outcome.UNKNOWN in outcomes or any(target.unrecorded for target in report.targets):
        return ExitCode.UNKNOWN
    if failed:
        return ExitCode.PARTIAL if _wrote(report) else ExitCode.FAILED
    if ExitCode.BUSY in codes:
        return ExitCode.BUSY
    if Outcome.STALE in outcomes or ExitCode.STALE in codes:
        return ExitCode.STALE
    if _refused(report):
        return ExitCode.REFUSED
    if report.exit_on_changes and has_changes(report):
        return ExitCode.CHANGES
    return ExitCode.OK


def _refused(report: Report) -> bool:
    """Tell whether something was refused; in a review, something that the pull request causes."""
    if not report.review and report.command not in {"apply", "adopt"}:
        return False
    refused = (item for item in report.changes if item.outcome is Outcome.REFUSED)
    counts = any(item.share is None or item.share.causes for item in refused)
    return counts or any(map(refuses, report.targets))


def refuses(target: TargetReport) -> bool:
    """Tell whether a whole target is refused; in a review, because of what is reviewed or with it.

    What stood against the target before stands against nothing of a pull request that causes
    nothing there.
    """
    ours = any(item.share is None or item.share.causes for item in target.changes)
    return bool(target.refusals) and (ours or not target.there)


def _wrote(report: Report) -> bool:
    return any(StepResult.DONE in item.results or adopted(item) for item in report.changes)


def adopted(item: ChangeReport) -> bool:
    """Tell that a plan was taken over, which no call shows."""
    return item.change.kind is ChangeKind.ADOPT and item.outcome is Outcome.APPLIED


def _went_wrong(report: Report) -> bool:
    return any(t.error and t.code is None for t in report.targets) or any(
        p.severity is Severity.ERROR for p in report.problems
    )


def has_changes(report: Report) -> bool:
    """Tell whether the run would write, or was refused to write, anything."""
    return any(item.change.acts for item in report.changes)


def outcome(report: Report) -> str:
    """Name the outcome of a whole run in one word."""
    code = exit_code(report)
    return _calm(report) if code is ExitCode.OK else _WORDS.get(code, "failed")


_WORDS = {
    ExitCode.CHANGES: "changes",
    ExitCode.REFUSED: "refused",
    ExitCode.STALE: "stale",
    ExitCode.PARTIAL: "partial",
    ExitCode.UNKNOWN: "unknown",
    ExitCode.BUG: "bug",
    ExitCode.BUSY: "busy",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.TERMINATED: "interrupted",
}


def _calm(report: Report) -> str:
    outcomes = {item.outcome for item in report.changes}
    if Outcome.SKIPPED in outcomes:
        return "interrupted"
    if Outcome.APPLIED in outcomes:
        return "applied"
    if any(map(refuses, report.targets)):
        return "refused"
    if outcomes & {Outcome.PENDING, Outcome.REFUSED}:
        return "changes"
    return "parked" if Outcome.PARKED in outcomes else "in-sync"
