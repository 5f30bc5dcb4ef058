"""Which plan on the server is a file's: by the record's id where there is one, else by name.

Decides nothing about fields or states. What cannot be told apart, or is somebody else's, becomes a
refusal; a plan that a lost call of ours made is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from planops.core.allowances import usable
from planops.core.compare import overlay
from planops.core.decide import Circumstances, Desired, Memory
from planops.core.evidence import bears_out, led_back, unexplained
from planops.core.ledger import Book, Intent, Record
from planops.core.lifecycle import Refusal
from planops.core.model import JSON
from planops.core.records import OURS, memory
from planops.errors import PlanGone
from planops.ports import Inventory
from planops.run import Run, Sight, Target

Raw = dict[str, JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What was found for a file: its plan, what is remembered of it, and what stands against it.

    ``raw`` is ``None`` where there is no plan, ``origin`` the commit that was last applied, or that
    a run began to apply.
    ``return_to`` and ``complete`` carry on a change of ours that was cut short. ``used`` marks what
    the file allowed when it was last applied, ``None`` where nothing is recorded. ``undecided``
    means that nothing can be decided.
    """

    raw: Raw | None = None
    memory: Memory = field(default_factory=Memory)
    origin: str = ""
    return_to: str | None = None
    complete: bool = False
    used: tuple[str, ...] | None = None
    refusals: tuple[Refusal, ...] = ()
    undecided: bool = False


def claim(target: Target, wanted: Desired, sight: Sight, run: Run) -> Claim:
    """Find a file's plan. Raises ``ServerSaidNo`` where a plan that is missing cannot be read."""
    book = sight.book
    if book is None:
        return _by_name(target, wanted, sight)
    record = book.records.get(wanted.plan.key.name)
    found = _claim(target, wanted, sight, book, run)
    return replace(found, used=record.allowed if record else ())


def _claim(target: Target, wanted: Desired, sight: Sight, book: Book, run: Run) -> Claim:
    key = wanted.plan.key.name
    damage = next((one for one in book.damages if one.key == key), None)
    if damage is not None:
        message = f"its record cannot be used: {damage.path}: {damage.why}; restore it from history"
        return _stopped(Refusal(guard="ledger", message=message))
    record, intent = book.records.get(key), book.intents.get(key)
    gone = record is None or record.id not in sight.inventory.by_id
    made = born(intent, sight.inventory) if intent and not intent.id and gone else ()
    if intent is not None and made:  # it was to be made, or made again
        return _lost(target, wanted, intent, made, run)
    if record is None:
        return _by_name(target, wanted, sight)
    if record.url != target.url:
        message = f"its record is of another server, {record.url}; adopt the plan here"
        return _stopped(Refusal(guard="ledger", message=message))
    return _by_record(target, wanted, record, sight, run)


def circumstances(target: Target, wanted: Desired, found: Claim, run: Run) -> Circumstances:
    """Give what the decision about a claimed plan depends on."""
    at = run.circumstances(target)
    return replace(
        at,
        revive=at.revive or "reopen" in usable(wanted.plan.manage.allow, found.used, run.now),
        memory=found.memory,
        return_to=found.return_to,
        complete=found.complete,
    )


def owners(book: Book | None, url: str) -> Mapping[str, tuple[str, ...]]:
    """Say which keys' records name each plan of a server; of one plan it should be one."""
    found: dict[str, tuple[str, ...]] = {}
    for record in book.records.values() if book else ():
        if record.url == url:
            found[record.id] = (*found.get(record.id, ()), record.key)
    return found


def unanswered(book: Book | None) -> tuple[str, ...]:
    """Name the plans that calls of earlier runs may have made, and of which nothing is recorded."""
    intents = book.intents.values() if book else ()
    return tuple(one.name for one in intents if not one.id)


def _by_record(target: Target, wanted: Desired, record: Record, sight: Sight, run: Run) -> Claim:
    raw = sight.inventory.by_id.get(record.id) or missing(target, record.id)
    if raw is None:
        message = (
            f"the plan {record.id} that was made of this file is gone from the server;"
            " another one would be made"
        )
        again = Refusal(guard="recreate", message=message, lift="--allow recreate")
        adopt = f", or planops adopt {record.key} takes it over"
        return Claim(refusals=(again, *_taken(wanted, sight, adopt)))
    if why := _disowned(target, wanted, record, raw, sight, run):
        return _stopped(Refusal(guard="ledger", message=why))
    if not record.origin.file and (found := strange(target, wanted, raw)):
        message = (
            f"the plan {record.id} has this file's name, nothing else tells that it was made of it,"
            f" and it holds what the file does not say: {', '.join(found)}; write that into the"
            " file, or delete the plan on the server"
        )
        return _stopped(Refusal(guard="adopt", message=message))
    renames = str(raw.get("name")).strip() != wanted.plan.display_name.strip()
    intent = sight.book.intents.get(record.key) if sight.book else None
    begun = intent if intent is not None and intent.id == record.id else None
    meant = begun.return_to if begun else None
    return Claim(
        raw=raw,
        refusals=_taken(wanted, sight) if renames else (),
        memory=memory(record),
        origin=(begun.origin.commit if begun else "") or record.origin.commit,
        return_to=led_back(target.backend.rules.lifecycle, wanted.plan.state, meant),
    )


def _disowned(
    target: Target, wanted: Desired, record: Record, raw: Raw, sight: Sight, run: Run
) -> str:
    """Say why a record does not make this plan the file's; nothing where it does."""
    shared = sight.owners.get(record.id, ())
    if len(shared) > 1:
        return (
            f"the records of {' and '.join(sorted(shared))} name one plan, {record.id};"
            " restore the ledger from its history"
        )
    if record.kind != wanted.plan.kind:
        return f"its record is of a {record.kind}; restore the ledger from its history"
    names = {record.name.strip(), wanted.plan.display_name.strip()}
    if str(raw.get("name")).strip() == wanted.plan.display_name.strip():
        return ""
    rules = target.backend.rules
    listed = record.id in sight.inventory.listed
    whole = target.backend.read(record.id) if listed else raw
    live = rules.view(whole, wanted, record.spec)
    if not bears_out(rules.shape, record, live, wanted.plan.manage.ignore):
        return (
            f"its record names the plan {record.id}, which the server calls {live.name!r} and which"
            f" is not what was applied as {' or '.join(map(repr, sorted(names)))}; restore the"
            " ledger from its history, or give that plan its name back on the server"
        )
    if len(names) > 1 and (why := run.unproven(record)):
        return f"git does not prove that the file was called {record.name!r}: {why}"
    return ""


def _taken(wanted: Desired, sight: Sight, adopt: str = "") -> tuple[Refusal, ...]:
    """A plan gets no name that another one has: names say which plan people mean.

    ``adopt`` says how the other is taken over, where it may be the one that is meant.
    """
    named = sight.inventory.documents.get(wanted.plan.display_name, ())
    others = [str(raw.get("id")) for raw in named if str(raw.get("id")) not in sight.going]
    if not others:
        return ()
    free = len(others) == 1 and others[0] not in sight.owners
    message = (
        f"the name {wanted.plan.display_name!r} is taken by {' and '.join(others)};"
        f" choose another, or rename that plan on the server{adopt if free else ''}"
    )
    return (Refusal(guard="ambiguous", message=message),)


def missing(target: Target, id_: str) -> Raw | None:
    """Read what the inventory lacks: a plan is gone only where the server says so itself."""
    try:
        return target.backend.read(id_)
    except PlanGone:
        return None


def _by_name(target: Target, wanted: Desired, sight: Sight) -> Claim:
    named = sight.inventory.documents.get(wanted.plan.display_name, ())
    documents = tuple(raw for raw in named if str(raw.get("id")) not in sight.going)
    if len(documents) > 1:
        return _stopped(_several(wanted.plan.display_name, documents))
    if not documents:
        return Claim()
    owner = " and ".join(sight.owners.get(str(documents[0].get("id")), ()))
    if target.by_name and not owner:
        return Claim(raw=documents[0])
    return Claim(raw=documents[0], refusals=(_not_ours(documents[0], wanted.plan.key.name, owner),))


def born(intent: Intent, inventory: Inventory) -> tuple[Raw, ...]:
    """Find what a call made of which no answer is known: plans above the ordinal that was noted."""
    ordinals = {stub.id: stub.ordinal for stub in inventory.stubs}
    documents = inventory.documents.get(intent.name, ())
    return tuple(
        raw for raw in documents if ordinals.get(str(raw.get("id")), 0) > intent.high_water
    )


def _lost(
    target: Target, wanted: Desired, intent: Intent, made: tuple[Raw, ...], run: Run
) -> Claim:
    """Take a plan that a lost call made for ours, where the file says what it holds."""
    if len(made) > 1:
        return _stopped(_several(intent.name, made))
    if intent.kind != wanted.plan.kind:
        message = f"a run began to make a {intent.kind} of it; restore the ledger from its history"
        return _stopped(Refusal(guard="ledger", message=message))
    found = strange(target, wanted, made[0])
    before = as_begun(target, intent, run) if found else None
    if before is not None and before.plan.key == wanted.plan.key:
        found = strange(target, before, made[0])
    if found:
        message = (
            f"a run began to make this plan, and {made[0].get('id')} may be it, but holds what the"
            f" file does not say: {', '.join(found)}; planops adopt {wanted.plan.key.name} takes"
            " it over as it is, or delete it on the server"
        )
        return _stopped(Refusal(guard="adopt", message=message))
    return Claim(
        raw=made[0],
        memory=OURS,
        origin=intent.origin.commit,
        return_to=led_back(target.backend.rules.lifecycle, wanted.plan.state, intent.return_to),
        complete=True,
    )


def as_begun(target: Target, intent: Intent, run: Run) -> Desired | None:
    """Give a plan as its file was when a run began to make it; ``None`` where git lacks that.

    Raises ``ServerSaidNo`` where what the file names cannot be looked up.
    """
    then = run.earlier(intent)
    return target.backend.prepare((then,))[0] if then is not None else None


def strange(target: Target, wanted: Desired, raw: Raw) -> tuple[str, ...]:
    """Name what a plan holds that one just made of a file would not."""
    rules = target.backend.rules
    live, made = rules.view(raw, wanted), overlay(rules.shape, rules.empty(), wanted.spec)
    return unexplained(rules.shape, made, live, rules.implied(wanted.spec))


def _several(name: str, documents: tuple[Raw, ...]) -> Refusal:
    ids = " and ".join(str(raw.get("id")) for raw in documents)
    message = (
        f"{len(documents)} plans on the server are named {name!r}: {ids};"
        " rename or remove all but one there"
    )
    return Refusal(guard="ambiguous", message=message)


def _not_ours(raw: Mapping[str, JSON], key: str, owner: str) -> Refusal:
    if owner:
        message = (
            f"the plan of this name ({raw.get('id')}) is that of {owner} by the ledger; choose"
            f" another name, or, if this file's metadata.name was {owner}, give it that back"
        )
        return Refusal(guard="adopt", message=message)
    message = (
        f"the server holds a plan of this name ({raw.get('id')}), and nothing records that it is"
        f" this file's; planops adopt {key} records it"
    )
    return Refusal(guard="adopt", message=message, lift="--adopt-by-name")


def _stopped(refusal: Refusal) -> Claim:
    return Claim(refusals=(refusal,), undecided=True)
