"""From a change set and what became of it to the report: masked, marked, fingerprinted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planops.core.attribution import NOTHING, asks_git, asks_server, blamed, touched
from planops.core.changes import Change, ChangeSet, Delta, fingerprint
from planops.core.masking import keyed_digest, masked_change
from planops.core.model import JSON
from planops.core.report import ChangeReport, Outcome, StepResult, TargetReport
from planops.ports import Historian
from planops.run import Run, Sight, Target


def shown(target: Target, change: Change, run: Run) -> ChangeReport:
    """Report a change that is not, or not yet, made."""
    if change.error:
        outcome = Outcome.FAILED
    elif change.refusals:
        outcome = Outcome.REFUSED
    elif change.acts:
        outcome = Outcome.PENDING
    else:
        outcome = Outcome.PARKED if change.parked else Outcome.UNCHANGED
    pending = (StepResult.PENDING,) * len(change.steps)
    return change_report(target, change, run, outcome=outcome, results=pending)


def change_report(
    target: Target,
    change: Change,
    run: Run,
    *,
    outcome: Outcome,
    results: tuple[StepResult, ...],
) -> ChangeReport:
    """Report a change with what became of it; secrets are masked from here on."""
    masked = masked_change(_marked(change, run), target.backend.rules.shape)
    return ChangeReport(
        change=masked,
        fingerprint=fingerprint(target.url, change),
        outcome=outcome,
        results=results,
        digests=tuple(
            _digest(target, real.request.body, seen.request.body)
            for real, seen in zip(change.steps, masked.steps, strict=True)
        ),
        id=change.live.id if change.live else None,
        error=change.error,
        bug=change.bug,
    )


def _digest(target: Target, real: JSON, seen: JSON) -> str:
    """Digest a body that is not shown as it is."""
    return "" if real == seen else keyed_digest(target.digest_key, real)


def _marked(change: Change, run: Run) -> Change:
    """Put to each delta the line of the file that it comes from, and who set it there."""
    paths = asks_git(change)
    if not paths:
        return change
    find = run.locate(change.plan)
    deltas: tuple[Delta, ...] = tuple(replace(d, mark=find(d.path)) for d in change.deltas)
    return blamed(replace(change, deltas=deltas), run.blame(change.plan, paths))


def attributed(target: Target, changes: ChangeSet, run: Run) -> ChangeSet:
    """Put to each change who did on the server what shows there.

    The server's history is asked before anything is written, and only about plans that another hand
    has touched.
    """
    backend = target.backend
    asked = [c for c in changes.changes if asks_server(c)]
    if not asked or run.stop.is_set() or not isinstance(backend, Historian):
        return replace(changes, changes=tuple(touched(c) for c in changes.changes))
    told = dict(zip((c.key for c in asked), backend.touches(asked), strict=True))
    return replace(
        changes, changes=tuple(touched(c, told.get(c.key, NOTHING)) for c in changes.changes)
    )


def target_report(
    target: Target, sight: Sight, changes: ChangeSet, reports: Sequence[ChangeReport]
) -> TargetReport:
    """Report one target."""
    return TargetReport(
        name=target.name,
        backend=target.kind,
        url=target.url,
        live=len(sight.inventory.stubs),
        managed=len(sight.desired),
        changes=tuple(reports),
        refusals=changes.refusals,
    )
