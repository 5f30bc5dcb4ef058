"""From a change set and what became of it to the report: masked, marked, fingerprinted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planops.core.attribution import NOTHING, asks_git, asks_server, blamed, touched
from planops.core.changes import Change, ChangeSet, Delta, fingerprint
from planops.core.masking import hidden, keyed_digest, masked_change, masked_text
from planops.core.model import JSON
from planops.core.report import ChangeReport, Outcome, StepResult, TargetReport
from planops.ports import Historian
from planops.run import Run, Sight, Target


def shown(target: Target, change: Change, run: Run) -> ChangeReport:
    """Report a change that is not, or not yet, made."""
    outcome, results = as_it_stands(change)
    return change_report(target, change, run, outcome=outcome, results=results)


def as_it_stands(change: Change) -> tuple[Outcome, tuple[StepResult, ...]]:
    """Say what is to be told of a change that is not, or not yet, made."""
    if change.error:
        outcome = Outcome.FAILED
    elif change.refusals:
        outcome = Outcome.REFUSED
    elif change.acts:
        outcome = Outcome.PENDING
    else:
        outcome = Outcome.PARKED if change.parked else Outcome.UNCHANGED
    return outcome, (StepResult.PENDING,) * len(change.steps)


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
        error=masked_text(change.error, hidden(change)),
        bug=change.bug,
    )


def told(  # noqa: PLR0913  each a fact of its own
    target: Target,
    change: Change,
    run: Run,
    *,
    outcome: Outcome,
    results: tuple[StepResult, ...],
    error: str = "",
    notices: tuple[str, ...] = (),
    bug: bool = False,
) -> ChangeReport:
    """Report a change of a run that makes calls, and what was said of it; raise nothing.

    What became of it is told whatever goes wrong here; then without any value of the plan.
    """
    secrets: frozenset[str] | None = None
    try:
        secrets = hidden(change)
        said = tuple(masked_text(notice, secrets) for notice in notices)
        report = change_report(target, change, run, outcome=outcome, results=results)
        return replace(report, error=masked_text(error, secrets), notices=said, bug=bug)
    except Exception as wrong:  # noqa: BLE001  what was done must be told, shown or not
        why = f"bug in planops: the change cannot be shown: {type(wrong).__name__}"
        known = masked_text(error, secrets) if secrets is not None else ""
        return ChangeReport(
            change=_bare(change),
            fingerprint="",
            outcome=outcome,
            results=results,
            digests=("",) * len(change.steps),
            id=change.live.id if change.live else None,
            error=f"{known}; {why}" if known else why,
            bug=True,
        )


def bug_of(error: Exception) -> str:
    """Say what is told of an exception that nobody expected."""
    return f"bug in planops: {type(error).__name__}: {error}"


def _bare(change: Change) -> Change:
    """Copy a change without any value of its plan: there is nothing in it to be masked."""
    steps = (
        replace(step, request=replace(step.request, body=None), fallback=None)
        for step in change.steps
    )
    spec: dict[str, JSON] = {"name": change.plan.display_name}
    plan = replace(change.plan, spec=spec)
    return replace(change, plan=plan, live=None, deltas=(), steps=tuple(steps))


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
