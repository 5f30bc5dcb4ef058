"""What a run writes into the ledger: the next record of every plan, and what is closed.

Pure: from what was there, what was done and what was last seen to documents; the writing itself is
``custody.py``'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from planops.core.changes import Cause, Change, ChangeKind, StepKind
from planops.core.decide import Desired
from planops.core.ledger import INTENTS, PLANS, Book, Intent, Origin, Record, record_document
from planops.core.masking import secrets_of
from planops.core.model import ABSENT, JSON, Live, Value
from planops.core.records import applied, noted, partly, says_as_much
from planops.core.report import ChangeReport, Outcome, StepResult
from planops.errors import PlanopsError
from planops.ownership import as_begun, born, strange
from planops.ports import Inventory
from planops.run import Run, Sight, Target
from planops.sightings import doubted, remembered

Documents = Mapping[str, "bytes | None"]

_ENDED = {Outcome.APPLIED, Outcome.PARKED, Outcome.UNCHANGED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What became of one change: its report, and the plan as it was last seen.

    ``begun`` tells that an intent of it was written down; ``echo`` is what the server kept of the
    fields, where they were written. ``crossed`` tells that somebody moved the plan while it was
    written to, so that nothing of the change is to be taken up again.
    """

    change: Change
    report: ChangeReport
    live: Live | None = None
    begun: bool = False
    echo: Value = ABSENT
    crossed: bool = False


def settled(
    target: Target,
    sight: Sight,
    book: Book,
    run: Run,
    carried: Sequence[Carried],
    again: Inventory,
) -> dict[str, bytes | None]:
    """Give the documents that the ledger must hold after a run, those that change only."""
    wanted = {item.plan.key: item for item in sight.desired}
    found: dict[str, bytes | None] = {}
    for one in carried:
        desired = wanted.get(one.change.key)
        found |= _of(target, book, run, desired, one) if desired else _orphaned(book, one)
    known = {one.change.key.name for one in carried}
    for key, intent in () if run.selected else book.intents.items():
        found |= {} if key in known else _begun(target, intent, again, run)
    return found


def _orphaned(book: Book, one: Carried) -> Documents:
    """Close the record of a plan whose file is gone, once the plan is gone or finished too."""
    key = one.change.key.name
    closed = one.change.kind is ChangeKind.FORGET or one.report.outcome is Outcome.APPLIED
    documents: dict[str, bytes | None] = {}
    if closed and not one.change.error:
        documents[f"{PLANS}{key}.json"] = None
    return {**documents, **_closed(book, one)}


def is_clear(intent: Intent, inventory: Inventory) -> bool:
    """Tell whether it can be said what came of a change whose file is gone: no two could be it."""
    return bool(intent.id) or len(born(intent, inventory)) <= 1


def _begun(target: Target, intent: Intent, again: Inventory, run: Run) -> Documents:
    """Close what was begun for a file that is gone; a plan that was made of it is recorded.

    Of one that holds what the file never said, its origin is not: it may be somebody else's.
    """
    closed = {f"{INTENTS}{intent.key}.json": None}
    if intent.id:
        return closed
    made = born(intent, again)
    if len(made) != 1:
        return {} if made else closed
    try:
        then = as_begun(target, intent, run)
        is_its = then is not None and not strange(target, then, made[0])
    except PlanopsError:
        return {}  # it stays open for a run that can look
    record = Record(
        key=intent.key,
        kind=intent.kind,
        url=target.url,
        id=str(made[0].get("id")),
        name=intent.name,
        spec={},
        echo={},
        origin=intent.origin if is_its else Origin(),
        protect=then is not None and then.plan.manage.protect,
    )
    return closed | dict((record_document(record),))


def _of(target: Target, book: Book, run: Run, desired: Desired, one: Carried) -> Documents:
    key = one.change.key.name
    documents: dict[str, bytes | None] = {}
    record = _next(target, run, desired, one, book.records.get(key))
    if record is not None and record != book.records.get(key):
        path, data = record_document(record)
        documents[path] = data
    return {**documents, **_closed(book, one)}


def _closed(book: Book, one: Carried) -> Documents:
    """Close the intent of a change that has ended, or of which nothing was done."""
    key, outcome = one.change.key.name, one.report.outcome
    ended = (outcome in _ENDED or one.crossed) and not one.change.refusals
    nothing = not _wrote(one) and outcome is not Outcome.UNKNOWN
    if (ended or (nothing and key not in book.intents)) and (one.begun or key in book.intents):
        return {f"{INTENTS}{key}.json": None}
    return {}


def _next(
    target: Target, run: Run, desired: Desired, one: Carried, before: Record | None
) -> Record | None:
    """The record after a change, ``None`` where the one that there is stays as it is."""
    live, ended = one.live, one.report.outcome in _ENDED
    if live is None or live.listed or one.change.error or (not _wrote(one) and one.change.refusals):
        return None
    rules = target.backend.rules
    whole = applied(
        desired=desired,
        live=live,
        echo=_echo(one, live, before),
        url=target.url,
        origin=run.origin(desired.plan),
        before=before,
        table=rules.lifecycle,
        shape=rules.shape,
        secrets=secrets_of(dict(desired.plan.spec), dict(live.raw)),
        ignored=_not_compared(one, desired, live),
    )
    stands = _wrote(one) or _in_order(one.change)
    if ended and stands:
        whole = replace(whole, seen=remembered(target, run, desired, live, whole, before))
    if one.crossed and before is None:
        return None  # where nothing is recorded the plan itself tells that it was put back
    if _wrote(one):
        return whole if ended else partly(whole, before, updated=_updated(one))
    if not ended:
        return None
    if before is None:
        return whole if stands else partly(whole, None, updated=False)
    whole = whole if stands else replace(whole, seen=doubted(target, live, before))
    after = noted(before, whole, settled=stands, shape=rules.shape)
    if after == before or run.follows(before, desired.plan.source.file):
        return after
    if says_as_much(before, after):
        return replace(after, origin=before.origin)
    return before if stands else replace(before, seen=after.seen)


def _not_compared(one: Carried, desired: Desired, live: Live) -> tuple[str, ...]:
    """Name what the server holds without anybody having asked for it, as far as it is known."""
    hidden = () if _written(one) else tuple(live.unseen)
    return (*desired.plan.manage.ignore, *hidden) if one.change.live else ()


def _echo(one: Carried, live: Live, before: Record | None) -> dict[str, JSON]:
    """What the server keeps of the declared fields: it stays what it was where none was written."""
    if isinstance(one.echo, dict):
        return one.echo
    known = before is not None and before.id == live.id and not _written(one)
    return before.echo if before is not None and known and not _in_order(one.change) else live.spec


def _wrote(one: Carried) -> bool:
    return StepResult.DONE in one.report.results


def _updated(one: Carried) -> bool:
    return StepKind.UPDATE in _done(one)


def _written(one: Carried) -> bool:
    """Tell whether fields were written: a transition alone keeps none."""
    return bool({StepKind.CREATE, StepKind.UPDATE} & _done(one))


def _done(one: Carried) -> set[StepKind]:
    pairs = zip(one.change.steps, one.report.results, strict=True)
    return {step.kind for step, result in pairs if result is StepResult.DONE}


def _in_order(change: Change) -> bool:
    """Tell whether nothing differs that a write could settle."""
    return all(delta.cause in (Cause.UNKNOWN, Cause.RELEASED) for delta in change.deltas)
