"""Observation by the ledger: which plans need not be read, and what is remembered for the next run.

Decides nothing by itself: what follows from a list is in ``core/glance.py``, what a list shows is
the backend's. A plan that is to be written is read in full, here as everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from planops.core import glance
from planops.core.decide import Circumstances, Desired
from planops.core.ledger import Book, Record
from planops.core.model import JSON, Live
from planops.core.sighting import Seen, Sighting
from planops.errors import PlanopsError, ServerSaidNo, Unreachable
from planops.ports import Inventory, Lister
from planops.run import Progress, Run, Sight, Target


def known(
    target: Target, desired: Sequence[Desired], book: Book | None, run: Run
) -> Mapping[str, Sighting]:
    """Say by id what the list must show of the plans that need not be read.

    While a change is open, or where stopped plans are to be taken up again, everything is read.
    """
    backend, found = target.backend, dict[str, Sighting]()
    if book is None or book.intents or run.full or "reopen" in run.allow:
        return found
    if not isinstance(backend, Lister):
        return found
    owned = Counter(one.id for one in book.records.values() if one.url == target.url)
    for wanted in desired:
        record = book.records.get(wanted.plan.key.name)
        if record is None or record.url != target.url or owned[record.id] > 1:
            continue
        shown = glance.known(wanted, record, glance.ground(wanted, backend.footing(wanted)))
        found |= {record.id: shown} if shown is not None else {}
    return found


def observed(
    target: Target,
    names: Iterable[str],
    ids: Collection[str],
    known: Mapping[str, Sighting],
    run: Run,
) -> Inventory:
    """Observe a server: by what its list shows, where that may be enough, else in full."""
    backend, names = target.backend, tuple(names)
    if known and isinstance(backend, Lister):
        try:
            return backend.glance(names, ids, known)
        except Unreachable:
            raise
        except ServerSaidNo as error:
            what = f"every plan is read in full: {error}"
            run.progress(Progress(target=target.name, what=what))
    return backend.observe(names, ids)


def listed(wanted: Desired, sight: Sight) -> str:
    """Name the plan of a file of which only what the list shows was read; empty where all was."""
    record = sight.book.records.get(wanted.plan.key.name) if sight.book else None
    return record.id if record is not None and record.id in sight.inventory.listed else ""


def view(
    target: Target, wanted: Desired, sight: Sight, raw: dict[str, JSON], at: Circumstances
) -> Live:
    """Read a plan's document; what the list hides of one that was not read is as recorded."""
    live = target.backend.rules.view(raw, wanted, at.base)
    record = sight.book.records.get(wanted.plan.key.name) if sight.book else None
    if record is None or raw.get("id") not in sight.inventory.listed:
        return live
    hidden = target.backend.hidden if isinstance(target.backend, Lister) else ()
    return glance.unread(live, record, hidden)


def in_full(target: Target, sight: Sight, id_: str) -> Sight:
    """Give the same sight, in which a plan was read after all."""
    raw, found = target.backend.read(id_), sight.inventory
    documents = {
        name: tuple(raw if one.get("id") == id_ else one for one in several)
        for name, several in found.documents.items()
    }
    return replace(
        sight,
        inventory=replace(
            found,
            documents=documents,
            by_id={**found.by_id, id_: raw},
            listed=found.listed - {id_},
        ),
    )


def remembered(
    target: Target, run: Run, wanted: Desired, live: Live, record: Record, before: Record | None
) -> Seen | None:
    """Say what to remember of a plan that was read in full, and is in order as recorded.

    Nothing, where more may change of it than the list shows, or where by the list alone the
    decision would be another.
    """
    backend, was = target.backend, before.seen if before else None
    if not isinstance(backend, Lister) or (sighting := backend.sighting(live.raw)) is None:
        return None
    ground = glance.ground(wanted, backend.footing(wanted))
    seen = Seen(sighting=sighting, ground=ground, read_at=run.now)
    if not seen.is_usable:
        return None
    if before is not None and seen.says_the_same(was) and _stands(record, before):
        return was
    shown = _unread(target, wanted, record, live.raw)
    at = replace(run.circumstances(target), revive=False)
    enough = shown is not None and glance.alike(
        rules=backend.rules, desired=wanted, live=live, listed=shown, record=record, at=at
    )
    return seen if enough else None


def _stands(record: Record, before: Record) -> bool:
    """Tell whether a record says the same of the plan as the one before it."""
    return (record.spec, record.echo, record.goal) == (before.spec, before.echo, before.goal)


def doubted(target: Target, live: Live, before: Record) -> Seen | None:
    """Forget what was seen of a plan that is not in order, though the list shows it as it was."""
    backend, was = target.backend, before.seen
    if was is None or not isinstance(backend, Lister):
        return was
    return None if backend.sighting(live.raw) == was.sighting else was


def _unread(target: Target, wanted: Desired, record: Record, raw: dict[str, JSON]) -> Live | None:
    """Read a plan as the list shows it; ``None`` where that makes no plan."""
    backend = target.backend
    if not isinstance(backend, Lister):
        return None
    try:
        shown = backend.rules.view(backend.listed(raw), wanted, record.spec)
    except PlanopsError:
        return None
    return glance.unread(shown, record, backend.hidden)
