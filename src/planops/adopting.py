"""Taking plans over: files written, whose they are recorded, and a last look at what that came to.

Files come first, one commit of the ledger after them: killed in between, the next run finds the
file and records it. Nothing is ever written to a server, and no file is overwritten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from planops import reconcile
from planops.adoptees import Survey
from planops.adoption import Adoptee
from planops.core.changes import Cause, Change
from planops.core.ledger import Book, Record, record_document
from planops.core.model import Plan
from planops.core.report import ChangeReport, ExitCode, Outcome, TargetReport
from planops.custody import Keeping, free
from planops.errors import Busy, LedgerMoved, PlanopsError, SettingsWrong
from planops.manifests import planting
from planops.reporting import change_report
from planops.run import Run, Target

_UNOWNED = frozenset({"adopt", "ambiguous", "ledger", "recreate"})
"""The guards that say that a plan is not its file's."""


def taken_over(of: Survey, found: Sequence[Adoptee], run: Run, root: Path) -> TargetReport:
    """Write the files, then record whose the plans are; what cannot be written is told."""
    target, seen = of.target, of.book
    try:
        if target.keeping is not None and seen is not None and any(one.record for one in found):
            _free(target.keeping, seen)
    except PlanopsError as error:
        return _told(of, _skipped(found), run, error=error)
    done = [_planted(one, root) for one in found]
    records = [one.record for one in done if one.record and one.outcome is Outcome.APPLIED]
    try:
        if target.keeping is not None and seen is not None and records:
            recorded(target.keeping, seen, records, target.name, run.commit)
    except (Busy, LedgerMoved) as error:
        return _told(of, _skipped(done), run, error=error)
    except PlanopsError as error:
        return replace(_told(of, done, run), unrecorded=str(error))
    except Exception as error:  # noqa: BLE001  what was written must be told
        why = f"bug in planops: {type(error).__name__}"
        return replace(_told(of, done, run), unrecorded=why, code=ExitCode.BUG)
    return _told(of, done, run)


def _planted(one: Adoptee, root: Path) -> Adoptee:
    if one.outcome is not Outcome.PENDING:
        return one
    try:
        if one.text:
            planting.plant(root, one.file, one.text)
    except SettingsWrong as error:
        return replace(one, outcome=Outcome.FAILED, error=str(error))
    return replace(one, outcome=Outcome.APPLIED)


def _skipped(found: Sequence[Adoptee]) -> list[Adoptee]:
    open_ = (Outcome.PENDING, Outcome.APPLIED)
    return [replace(o, outcome=Outcome.SKIPPED) if o.outcome in open_ else o for o in found]


def recorded(
    keeping: Keeping, seen: Book, records: Sequence[Record], target: str, commit: str
) -> None:
    """Write all records in one commit, while nobody holds the lease.

    Raises ``Busy``, or ``LedgerMoved`` where a record has come that was not there when we looked.
    """
    book = _free(keeping, seen)
    keys = ", ".join(record.key for record in records)
    origin = f"\n\nFrom: {commit}\nBy: {keeping.holder}" if commit else ""
    documents: dict[str, bytes | None] = dict(map(record_document, records))
    message = f"adopt {target}: {keys}{origin}"
    keeping.ledger.write(book.tip, documents, message, keeping.clock.now())


def _free(keeping: Keeping, seen: Book) -> Book:
    """Read the ledger anew, when nobody holds the lease; whose plans are must be as it was."""
    now = keeping.ledger.load()
    book = free(keeping, now)
    if (book.records, book.intents) != (seen.records, seen.intents):
        raise LedgerMoved(
            "another run wrote into the ledger meanwhile, and nothing was recorded; run planops"
            " adopt again: it records the files that are there"
        )
    return book


def shown(of: Survey, found: Sequence[Adoptee], run: Run) -> TargetReport:
    """Report what would be done."""
    return _told(of, found, run)


def _told(
    of: Survey, found: Sequence[Adoptee], run: Run, error: PlanopsError | None = None
) -> TargetReport:
    codes = {Busy: ExitCode.BUSY, LedgerMoved: ExitCode.STALE}
    return TargetReport(
        name=of.target.name,
        backend=of.target.kind,
        url=of.target.url,
        live=len(of.stubs),
        managed=len(of.plans),
        changes=tuple(_reported(of.target, one, run) for one in found),
        error=str(error) if error else "",
        code=codes.get(type(error)) if error else None,
    )


def _reported(target: Target, one: Adoptee, run: Run) -> ChangeReport:
    made = change_report(target, one.change, run, outcome=one.outcome, results=())
    return replace(made, id=one.id or made.id, error=one.error)


def verified(
    target: Target, plans: Sequence[Plan], found: Sequence[Adoptee], report: TargetReport, run: Run
) -> TargetReport:
    """Look once more as the next diff will, and say whether there is anything left to say."""
    keys = [item.change.key for item in report.changes if item.outcome is Outcome.APPLIED]
    if not keys or report.unrecorded:
        return report
    known, run = {plan.key: plan for plan in plans}, replace(run, selected=True, full=True)
    sight = reconcile.observe(target, [known[key] for key in keys if key in known], run)
    changes = {one.key: one for one in reconcile.diff(target, sight, run).changes}
    new = {one.change.key for one in found if one.text}
    items = tuple(
        _checked(item, changes.get(item.change.key), new=item.change.key in new)
        if item.outcome is Outcome.APPLIED
        else item
        for item in report.changes
    )
    said = (f"the next diff of what was adopted is empty ({len(keys)})",)
    empty = all(key in changes and _is_empty(changes[key]) for key in keys)
    notices = (*report.notices, *(said if empty else ()))
    return replace(report, changes=items, notices=notices)


def _is_empty(change: Change) -> bool:
    """Tell that nothing differs, as far as can be seen, and nothing stands against it."""
    differs = any(delta.cause is not Cause.UNKNOWN for delta in change.deltas)
    return not (differs or change.acts or change.error or change.refusals)


def _checked(item: ChangeReport, change: Change | None, *, new: bool) -> ChangeReport:
    if change is None:
        why = f"{item.change.plan.source.file} is written, but the settings' globs do not find it"
    elif change.error or any(refusal.guard in _UNOWNED for refusal in change.refusals):
        why = change.error or "; ".join(refusal.message for refusal in change.refusals)
    elif new and not _is_empty(change):
        paths = ", ".join(delta.path for delta in change.deltas) or "its state"
        why = f"adopted, but the next diff is not empty: {paths}; run planops diff"
    else:
        return item
    return replace(item, outcome=Outcome.FAILED, error=why)
