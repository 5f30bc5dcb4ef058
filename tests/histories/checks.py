"""What must be true after every run of a history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from crash.accidents import Fate
from histories.servers import Document, Fields
from planops.core.changes import Cause, Change, ChangeKind, ChangeSet
from planops.core.decide import Drift
from planops.core.report import Outcome
from planops.run import Run

if TYPE_CHECKING:
    from histories.walk import Walk

GONE = object()
NOT_COMPARED = {"version", "update_time", "updated_by", "updated_at"}


def cause(base: Any, desired: Any, live: Any) -> Cause | None:
    """The table of design: who changed a field since it was last in order."""
    if desired == live:
        return None
    if base is GONE or live == base:
        return Cause.EDIT
    return Cause.DRIFT if desired == base else Cause.CONFLICT


def expected(base: Fields | None, desired: Fields, live: Fields) -> dict[str, Cause]:
    """The cause of every field, item for item in lists, that differs."""
    before = base or {}
    return {
        path: one
        for name, value in desired.items()
        for path, one in _parts(name, before.get(name, GONE), value, live[name])
        if one is not None
    }


def _parts(name: str, was: Any, value: Any, live: Any) -> Iterator[tuple[str, Cause | None]]:
    if name != "jobs":
        yield f"/spec/{name}", cause(was, value, live)
        return
    managed = was is not GONE
    sides = [dict(side) if side is not GONE else {} for side in (was, value, live)]
    for item in sorted({*sides[0], *sides[1], *sides[2]}):
        first = item in sides[1] and item not in sides[0]  # managed for the first time
        base = GONE if first or not managed else sides[0].get(item)
        yield f"/spec/jobs/text:{item}", cause(base, sides[1].get(item), sides[2].get(item))


def check_causes(walk: Walk, changes: ChangeSet, before: Mapping[str, Document]) -> None:
    """What git changed is an edit, what people changed is drift, and nothing is left out."""
    for change in changes.changes:
        key = change.key.name
        known = walk.applied.get(key)
        if change.orphan is not None or change.live is None or change.error:
            continue
        if known is not None and not known.certain:
            continue
        if change.live.id not in before or {r.guard for r in change.refusals} & {"adopt"}:
            continue
        live = walk.server.read(before[change.live.id])
        told = {
            _short(delta.path): delta.cause
            for delta in change.deltas
            if delta.cause is not Cause.RELEASED and not _order(delta.path, delta.desired)
        }
        wanted = expected(known.fields if known else None, walk.files[key].fields, live)
        walk.seen.update(one.value for one in told.values())
        assert told == wanted, (key, known)


def _short(path: str) -> str:
    return "/".join(path.split("/")[:4])


def _order(path: str, desired: Any) -> bool:
    """Tell whether a delta says that items are in another order only."""
    return path == "/spec/jobs" and isinstance(desired, list)


def check_shown(walk: Walk, changes: ChangeSet, since: int, *, only_diff: bool) -> None:
    """No call is made that was not shown, and none of a plan that is refused."""
    shown = [
        (request.method, request.path)
        for change in changes.changes
        if not change.refusals
        for step in change.steps
        for request in (step.request, step.fallback)
        if request is not None
    ]
    made = walk.server.sandbox.writes[since:]
    assert not (only_diff and made)
    assert len(made) <= len(shown)
    for one in made:
        path = one.path.removeprefix("/brpm").partition("?")[0]
        assert any(_fits(path, pattern) and one.method == method for method, pattern in shown), path


def _fits(path: str, pattern: str) -> bool:
    head, marked, tail = pattern.partition("{id}")
    return path == pattern if not marked else path.startswith(head) and path.endswith(tail)


def check_frame(walk: Walk, before: Mapping[str, Document]) -> None:
    """What no file declares is as it was, on every plan; what nobody manages is untouched."""
    after = walk.server.documents()
    records = walk.ledger.load().records
    owners = {one.id: key for key, one in records.items()}
    for id_, was in before.items():
        now = after.get(id_)
        if id_ in walk.strangers:
            assert now == was, "a stranger's plan"
            continue
        key = owners.get(id_)
        if now is None or key is None:
            continue  # whether it might go is held by `check_rest` and the tables of plans
        declared = walk.files[key].fields if key in walk.files else {}
        read = walk.server.read
        kept = {name: value for name, value in read(was).items() if name not in declared}
        assert {name: read(now)[name] for name in kept} == kept, (key, "undeclared")


def check_stopped(walk: Walk, before: Mapping[str, Document], run: Run) -> None:
    """Nothing that a person stopped goes on, unless somebody says so."""
    if "reopen" in run.allow:
        walk.stopped.clear()
        return
    after, records = walk.server.documents(), walk.ledger.load().records
    for key in walk.stopped & records.keys() & walk.files.keys():
        id_, state = records[key].id, walk.server.state
        if id_ in before and id_ in after:
            assert after[id_][state] == before[id_][state], (key, "was stopped")


def check_rest(walk: Walk) -> None:
    """Nothing is left but what waits for a person, and it stays so."""
    writes, history = len(walk.server.sandbox.writes), list(walk.ledger.history)
    walk.run(Fate(), Drift.CORRECT, walk.asked({}, prune=True))
    noted = walk.ledger.history[len(history) :]
    assert [one.partition("\n")[0] for one in noted] in ([], ["note prod: what was seen"])
    report = walk.run(Fate(), Drift.CORRECT, walk.asked({}, prune=True))
    assert report is not None
    left = [one for one in report.changes if one.change.acts and not one.change.refusals]
    assert left == [], [(one.change.key.name, one.outcome, one.change.deltas) for one in left]
    assert len(walk.server.sandbox.writes) == writes
    assert walk.ledger.history == history + noted
    book, documents = walk.ledger.load(), walk.server.documents()
    refused = {one.change.key.name for one in report.changes if one.outcome is Outcome.REFUSED}
    assert not book.intents.keys() - refused
    assert book.lease is None or refused  # a dead holder's, which the next run that writes takes
    ids = [one.id for one in book.records.values()]
    assert len(ids) == len(set(ids))
    for one in report.changes:
        in_order = not one.change.deltas and not one.change.refusals
        if in_order and one.change.kind is ChangeKind.UNCHANGED and one.change.orphan is None:
            _equal(walk, one.change, documents)
    _one_each(walk, documents, refused)


def _equal(walk: Walk, change: Change, documents: Mapping[str, Document]) -> None:
    """A plan in order is as its file wants it, and its record says so."""
    key = change.key.name
    record = walk.ledger.load().records[key]
    held = walk.server.read(documents[record.id])
    wanted = walk.files[key].fields
    assert {name: held[name] for name in wanted} == wanted, key
    assert record.goal == walk.files[key].state
    assert record.spec.keys() >= wanted.keys()


def _one_each(walk: Walk, documents: Mapping[str, Document], refused: AbstractSet[str]) -> None:
    """No file has two plans: whatever planops made and still runs has a record.

    Or an intent, where somebody wrote into it before it was recorded: that is theirs to settle.
    """
    book, over = walk.ledger.load(), walk.server.over
    owned = {one.id for one in book.records.values()}
    lost = [
        one["name"]
        for id_, one in documents.items()
        if id_ not in owned | walk.strangers and one[walk.server.state] not in over
    ]
    begun = [one.name for one in book.intents.values() if not one.id and one.key in refused]
    assert not Counter(lost) - Counter(begun)
