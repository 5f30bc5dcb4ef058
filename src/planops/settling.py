"""What a run writes into the ledger before its first call and after its last one.

Before: the lease, and an intent for every change. After: what came of it, and the lease given back.
Decides which intents of earlier runs this run can settle, and how long a call of a run that died
may still be under way; never what becomes of a plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from planops.bookkeeping import Carried, is_clear, settled
from planops.core.changes import Change, ChangeSet
from planops.core.ledger import INTENTS, LEASE, PLANS, Book, Intent, intent_document
from planops.core.records import intent
from planops.core.report import ExitCode, Outcome, StepResult, TargetReport
from planops.custody import POLL, Custody, Keeping, note, take
from planops.errors import PlanopsError
from planops.execution import may_run
from planops.ports import Inventory
from planops.run import Progress, Run, Sight, Target


def left_open(sight: Sight, changes: ChangeSet, run: Run) -> frozenset[str]:
    """Name the plans of which this run can settle what an earlier one began and left open.

    Those that are refused, or of which nothing can be decided, stay as they are: nothing is written
    for their sake.
    """
    book = sight.book or Book()
    intents = book.intents.keys()
    clear = {one.key.name for one in changes.changes if not one.refusals and not one.error}
    known = {one.key.name for one in changes.changes}
    alone = () if run.selected else intents - known
    orphans = {key for key in alone if is_clear(book.intents[key], sight.inventory)}
    return frozenset(intents & clear) | orphans


def begin(target: Target, sight: Sight, changes: ChangeSet, run: Run) -> Custody | None:
    """Take the lease and write down what is about to be done; nothing where nothing is.

    Waits until no call of an earlier run can arrive any more. Raises ``Busy`` while another run
    holds the lease, ``LedgerMoved`` where the ledger moved; nothing is called then.
    """
    keeping, book = target.keeping, sight.book
    if keeping is None or book is None or run.stop.is_set():
        return None
    acting = [change for change in changes.changes if may_run(change)]
    left = left_open(sight, changes, run)
    if not acting and not (left and keeping.is_left(book.lease)):
        return None
    opened = [_intent(target, sight, book, change, run) for change in acting]
    named = ", ".join(f"{one.op} {one.key}" for one in opened) or "what was left open"
    killed = book.lease is not None and keeping.is_dead(book.lease)
    custody = take(keeping, book, opened, f"begin {target.name}: {named}")
    if left:
        _wait(keeping, keeping.late() if killed else _latest(keeping, book, left), target, run)
    return custody


def _intent(target: Target, sight: Sight, book: Book, change: Change, run: Run) -> Intent:
    """Say what is about to be done, and what an earlier run had begun of it."""
    table = target.backend.rules.lifecycle
    origin = run.origin(change.plan)
    new = intent(change, target.url, sight.inventory.high_water, run.now, table, origin)
    old = book.intents.get(new.key)
    if old is None:
        return new
    new = replace(new, return_to=new.return_to or old.return_to)
    record = book.records.get(new.key)
    if old.id or (record is not None and record.id == new.id):
        return new
    # Nothing but the ordinal tells that the plan is ours, until there is a record of it.
    return replace(
        new,
        op=old.op,
        id="",
        high_water=min(old.high_water, new.high_water),
        origin=old.origin,
    )


def _latest(keeping: Keeping, book: Book, left: Collection[str]) -> int:
    """Say until when a call of what was left open may arrive: it was sent before now, if ever.

    An intent of a later time is one of a clock that is ahead, or forged.
    """
    now = keeping.clock.now()
    return keeping.late() - now + min(now, max(book.intents[key].at for key in left))


def _wait(keeping: Keeping, until: int, target: Target, run: Run) -> None:
    """Wait for calls that were sent and never answered: they may still be under way."""
    clock = keeping.clock
    if until > clock.now():
        what = "a call of an earlier run may still arrive; waiting"
        run.progress(Progress(target=target.name, what=f"{what} {until - clock.now()} s"))
    while (rest := until - clock.now()) > 0 and not run.stop.is_set():
        clock.sleep(min(rest, POLL))


def settle(
    target: Target,
    sight: Sight,
    run: Run,
    done: Sequence[Carried],
    custody: Custody | None,
    again: Inventory,
    report: TargetReport,
) -> TargetReport:
    """Write down what came of it; what cannot be written down is for the next run to find.

    ``again`` is what was there just before the calls. Raises nothing: calls were made.
    """
    try:
        told = _settle(target, sight, run, done, custody, again)
    except PlanopsError as error:
        return _unrecorded(report, str(error), begun=custody is not None)
    except Exception as error:  # noqa: BLE001  the report of the calls must not be lost
        why = f"bug in planops: {type(error).__name__}"
        return replace(_unrecorded(report, why, begun=custody is not None), code=ExitCode.BUG)
    return replace(report, notices=(*report.notices, *told))


def _unrecorded(report: TargetReport, why: str, *, begun: bool) -> TargetReport:
    """Say that it is not recorded what was done or, where nothing was begun, what was seen."""
    if begun:
        return replace(report, unrecorded=why)
    return replace(report, notices=(*report.notices, f"not recorded: {why}"))


def _settle(
    target: Target,
    sight: Sight,
    run: Run,
    done: Sequence[Carried],
    custody: Custody | None,
    again: Inventory,
) -> tuple[str, ...]:
    """Write it down, and say what was settled of an earlier run without a call."""
    keeping, book = target.keeping, sight.book
    if keeping is None or book is None:
        return ()
    documents = settled(target, sight, book, run, done, again)
    wrote = [c.change.key.name for c in done if StepResult.DONE in c.report.results]
    done_here = "; ".join([*([", ".join(wrote)] if wrote else ()), *_noted(book, wrote, documents)])
    message = f"{'apply' if wrote else 'note'} {target.name}: {done_here or 'what was seen'}"
    if run.commit:
        message += f"\n\nFrom: {run.commit}\nBy: {keeping.holder}"
    if custody is not None:
        told = tuple(_settled_alone(book, done, documents))
        custody.settle(documents | _lost(keeping, custody, done), message)
        return told
    seen = {path: data for path, data in documents.items() if path.startswith(PLANS)}
    if seen and book.lease is None and book.damage(LEASE) is None:
        note(keeping, book, seen, message)
    return ()


def _noted(
    book: Book, wrote: Collection[str], documents: Mapping[str, bytes | None]
) -> Iterator[str]:
    """Say which records a run opened or closed without a call, for the log."""
    keys = {path: path.removeprefix(PLANS).removesuffix(".json") for path in documents}
    ours = {key: documents[path] for path, key in keys.items() if path.startswith(PLANS)}
    others = {key: data for key, data in ours.items() if key not in wrote}
    for word, found in (
        ("record", [k for k, data in others.items() if data is not None and k not in book.records]),
        ("close", [k for k, data in others.items() if data is None]),
    ):
        if found:
            yield f"{word} {', '.join(sorted(found))}"


def _settled_alone(
    book: Book, done: Sequence[Carried], documents: Mapping[str, bytes | None]
) -> Iterator[str]:
    """Tell what became of changes that an earlier run began and whose file is gone."""
    known = {one.change.key.name for one in done}
    for key, old in book.intents.items():
        if key not in known and f"{INTENTS}{key}.json" in documents:
            made = "; its plan is recorded" if f"{PLANS}{key}.json" in documents else ""
            yield f"an earlier run began to {old.op} {key}, whose file is gone: settled{made}"


def _lost(keeping: Keeping, custody: Custody, done: Sequence[Carried]) -> dict[str, bytes]:
    """Restamp the intents of calls whose answer was lost: from now on they may still arrive."""
    lost = {one.change.key.name for one in done if one.report.outcome is Outcome.UNKNOWN}
    now = keeping.clock.now()
    return dict(
        intent_document(replace(one, at=now)) for key, one in custody.intents.items() if key in lost
    )


def abandon(sight: Sight, custody: Custody) -> None:
    """Take back the intents of a run that was ended before its first call."""
    before = sight.book.intents if sight.book else {}
    new = [key for key in custody.intents if key not in before]
    custody.settle({f"{INTENTS}{key}.json": None for key in new}, "end")
