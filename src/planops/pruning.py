"""Plans whose file is gone: the record is closed, the plan deleted, or it is left as it is.

Decides nothing about plans that a file declares. A record alone authorises nothing: a plan is
deleted only where it is asked for, where git proves that a file declared it, where nobody is at
work on it, and where nothing protects it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from planops.bookkeeping import Carried
from planops.core.changes import Change, ChangeKind, Step
from planops.core.decide import Circumstances, Desired
from planops.core.evidence import bears_out
from planops.core.ledger import Record
from planops.core.lifecycle import Lifecycle, Refusal, Route, Standing
from planops.core.model import Live, Manage, Plan, PlanKey, Source
from planops.core.report import Outcome
from planops.custody import Custody
from planops.errors import PlanGone, PlanopsError, Stale
from planops.execution import Work
from planops.ownership import missing
from planops.ports import Inventory
from planops.run import Run, Sight, Target

_UNREAD = "correct `plans` in planops.yaml, or remove the file"


def orphans(target: Target, sight: Sight, run: Run) -> tuple[Change, ...]:
    """Decide about every recorded plan of this server whose file is gone.

    None where only some of the files are looked at: then nobody knows which are gone.
    """
    if sight.book is None or run.selected:
        return ()
    files = {item.plan.key.name for item in sight.desired}
    return tuple(
        _alone(target, sight, record, run)
        for key, record in sight.book.records.items()
        if key not in files and record.url == target.url
    )


def without(sight: Sight, changes: Iterable[Change]) -> Sight:
    """The same sight, with the plans that these changes delete as good as gone."""
    going = frozenset(
        change.live.id
        for change in changes
        if change.kind is ChangeKind.DELETE and not change.refusals and change.live is not None
    )
    return replace(sight, going=going)


def removed(inventory: Inventory, done: Iterable[Carried]) -> Inventory:
    """The same inventory without the plans that have been deleted since."""
    gone = {
        one.report.id
        for one in done
        if one.change.kind is ChangeKind.DELETE and one.report.outcome is Outcome.APPLIED
    }
    if not gone:
        return inventory
    documents = {
        name: tuple(raw for raw in found if str(raw.get("id")) not in gone)
        for name, found in inventory.documents.items()
    }
    return replace(inventory, documents=documents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal(Work):
    """The deletion of one plan on its way: looked at again before and after every call.

    ``shown`` is the plan as it was shown.
    """

    sight: Sight
    record: Record
    shown: Live | None

    def look(self, id_: str, at: Circumstances) -> Change:
        """Read the plan in full and decide about it; one that is gone needs nothing any more."""
        target, rules = self.target, self.target.backend.rules
        try:
            live = rules.view(target.backend.read(id_), None)
        except PlanGone:
            return _change(target, self.record, None, ChangeKind.FORGET)
        if at.ours:  # what an earlier step of this very deletion did is no reason against it
            if self.shown is None or live.spec != self.shown.spec:
                who = live.updated_by or "somebody else"
                raise Stale(f"somebody else wrote into the plan meanwhile ({who}); run diff again")
            return _change(target, self.record, live, ChangeKind.DELETE, steps=rules.remove(live))
        return decided(target, self.sight, self.record, live, self.run)


def removal(
    target: Target,
    sight: Sight,
    run: Run,
    record: Record,
    change: Change,
    again: Inventory,
    custody: Custody | None,
) -> Removal:
    """Prepare the deletion of a plan whose file is gone."""
    return Removal(
        target=target,
        run=run,
        desired=Desired(plan=change.plan, spec=record.spec),
        inventory=again,
        custody=custody,
        sight=sight,
        record=record,
        shown=change.live,
    )


def _alone(target: Target, sight: Sight, record: Record, run: Run) -> Change:
    try:
        return orphan(target, sight, record, run)
    except PlanopsError as error:
        return _change(target, record, None, ChangeKind.UNCHANGED, error=str(error))


def orphan(target: Target, sight: Sight, record: Record, run: Run) -> Change:
    """Decide about one. Raises ``ServerSaidNo`` where a plan that is missing cannot be read."""
    raw = sight.inventory.by_id.get(record.id) or missing(target, record.id)
    if raw is None:
        return _forgotten(target, record, None, run)
    return decided(target, sight, record, target.backend.rules.view(raw, None), run)


def decided(target: Target, sight: Sight, record: Record, live: Live, run: Run) -> Change:
    """Decide about one as it is on the server now."""
    rules = target.backend.rules
    over, begun = _is_over(rules.lifecycle, live.state), _begun(sight, record)
    if (over or _moved(record, live, run)) and not begun:
        return _forgotten(target, record, live, run)
    steps = rules.remove(live)
    if over and not run.prune:
        half = f"an earlier run began to delete the plan, which is in {live.state}; --prune goes on"
        refusal = Refusal(guard="prune", message=half, lift="--prune")
        return _change(target, record, live, ChangeKind.DELETE, steps=steps, refusals=(refusal,))
    if not run.prune:
        found = _against(target, sight, record, live, run)
        against = ", ".join(dict.fromkeys(refusal.guard for refusal in found))
        fate = f"--prune is refused by {against}" if against else "--prune deletes it"
        left = f"{_without(record, run)}, and the plan stays; {fate}"
        return _change(target, record, live, ChangeKind.UNCHANGED, notices=(left,))
    refusals = tuple(_refusals(target, sight, record, live, run)) or _no_way(live, steps)
    return _change(target, record, live, ChangeKind.DELETE, steps=steps, refusals=refusals)


def _forgotten(target: Target, record: Record, live: Live | None, run: Run) -> Change:
    """Close a record, where git shows that its file is gone, and not only not there yet."""
    how = f"the plan is in {live.state}" if live else "the plan is gone"
    if live is not None and (other := _moved(record, live, run)):
        how = f"the plan is that of target {other}"
    if record.origin.file and (why := _kept(record, run)):
        left = f"{_without(record, run, 'is not here')}, and {how}, but its record stays: {why}"
        return _change(target, record, live, ChangeKind.UNCHANGED, notices=(left,))
    done = f"{_without(record, run)}, and {how}: its record is closed"
    return _change(target, record, live, ChangeKind.FORGET, notices=(done,))


def _moved(record: Record, live: Live, run: Run) -> str:
    """Name the other target of this server for which a file declares the plan now."""
    return run.elsewhere.get((record.key, live.name.strip()), "")


def _kept(record: Record, run: Run) -> str:
    if run.unread(record):
        return _UNREAD
    if record.origin.file and run.unfit(record.origin.file):
        return "the commit still has the file, and this is CI"
    return run.unproven(record)


def _refusals(
    target: Target, sight: Sight, record: Record, live: Live, run: Run
) -> Iterator[Refusal]:
    yield from _against(target, sight, record, live, run)
    if record.origin.file and run.unfit(record.origin.file):
        message = f"the commit still has {record.origin.file}, and this is CI; commit its removal"
        yield Refusal(guard="rewind", message=message, lift="--allow rewind")
    if why := run.unproven(record):
        yield Refusal(guard="prune", message=f"git does not prove that a file declared it: {why}")


def _against(
    target: Target, sight: Sight, record: Record, live: Live, run: Run
) -> Iterator[Refusal]:
    """Say what stands against a deletion, whatever git says of the file."""
    table = target.backend.rules.lifecycle
    if run.unread(record):
        yield Refusal(guard="prune", message=f"{_without(record, run)}; {_UNREAD}")
    if len(sight.owners.get(record.id, ())) > 1:
        message = f"more than one record names the plan {record.id}; restore the ledger"
        yield Refusal(guard="ledger", message=message)
    if not _is_borne_out(target, record, live):
        message = (
            f"its record names the plan {record.id}, which the server calls {live.name!r} and which"
            f" is not what was applied as {record.name!r}; restore the ledger from its history"
        )
        yield Refusal(guard="ledger", message=message)
    if not table.knows(live.state):
        message = f"planops does not know the state {live.state}, so it does not delete the plan"
        yield Refusal(guard="state", message=message)
    if live.state in table.busy | table.checks:
        message = f"the plan is in {live.state}: people or jobs are at work; stop it there first"
        yield Refusal(guard="at-work", message=message)
    if record.protect:
        message = f"{_file(record)} protected the plan, and deleting the file does not lift that"
        yield Refusal(guard="protected", message=message, lift="--allow protected")


def _is_borne_out(target: Target, record: Record, live: Live) -> bool:
    """Tell whether a plan is as its record says, also where that takes looking up names.

    Without a file nothing was looked up, and what the record names the server may show by its id.
    """
    rules = target.backend.rules
    if bears_out(rules.shape, record, live):
        return True
    bare = replace(_recorded(target, record), spec={"name": record.name})
    (named,) = target.backend.prepare((bare,), {record.key: record.spec})
    return bears_out(rules.shape, record, rules.view(dict(live.raw), named, record.spec))


def _begun(sight: Sight, record: Record) -> bool:
    """Tell whether an earlier run began to delete the plan, which may be why it is over."""
    intent = sight.book.intents.get(record.key) if sight.book else None
    return intent is not None and intent.op == ChangeKind.DELETE and intent.id == record.id


def _is_over(table: Lifecycle, state: str) -> bool:
    """Tell whether nothing can be written to a plan in this state any more."""
    rule = table.edits.get(state)
    return state in table.finished or (rule is not None and bool(rule.refusal))


def _no_way(live: Live, steps: tuple[Step, ...]) -> tuple[Refusal, ...]:
    if steps:
        return ()
    return (Refusal(guard="lifecycle", message=f"no plan can be deleted in {live.state}"),)


def _without(record: Record, run: Run, how: str = "is gone") -> str:
    """Say where the declaration went: the file is gone, or says it no more."""
    if run.unread(record):
        return f"{record.origin.file} declares the plan, and no glob of `plans` finds it"
    if record.origin.file in run.files:
        return f"{record.origin.file} does not declare it any more"
    return f"{_file(record)} {how}"


def _file(record: Record) -> str:
    return record.origin.file or "its file"


def _change(  # noqa: PLR0913  each a fact of its own
    target: Target,
    record: Record,
    live: Live | None,
    kind: ChangeKind,
    *,
    steps: tuple[Step, ...] = (),
    refusals: tuple[Refusal, ...] = (),
    notices: tuple[str, ...] = (),
    error: str = "",
) -> Change:
    """Give the change of a plan without a file; the plan is what was last applied."""
    plan = _recorded(target, record)
    return Change(
        key=plan.key,
        kind=kind,
        plan=plan,
        live=live,
        deltas=(),
        route=Route(standing=Standing.UNMANAGED, ends=live.state if live else ""),
        steps=steps,
        refusals=refusals,
        notices=notices,
        error=error,
        orphan=record,
    )


def _recorded(target: Target, record: Record) -> Plan:
    """Give the plan as it was last applied."""
    return Plan(
        key=PlanKey(target=target.name, name=record.key),
        kind=record.kind,
        spec=record.spec | {"name": record.name},
        manage=Manage(protect=record.protect),
        source=Source(file=record.origin.file),
    )
