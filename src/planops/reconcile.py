"""The run: observe, diff, apply. Reads like prose; decides nothing that the core can decide.

There is no dry-run switch: a dry run is not calling :func:`apply`. Apply makes the steps that were
shown, one at a time, and makes a step only while a decision taken again from the live plan still
asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from planops import settling
from planops.bookkeeping import Carried
from planops.core.allowances import lapsed, usable
from planops.core.changes import Change, ChangeKind, ChangeSet
from planops.core.decide import Desired, decide
from planops.core.glance import in_order
from planops.core.guards import guarded
from planops.core.lifecycle import Refusal, Route, Standing
from planops.core.model import Plan, PlanKey
from planops.core.report import TargetReport
from planops.custody import Custody
from planops.errors import PlanopsError
from planops.execution import Work, may_run
from planops.ownership import Claim, circumstances, claim, owners, unanswered
from planops.ports import Inventory
from planops.pruning import orphans, removal, removed, without
from planops.reporting import attributed, bug_of, shown, target_report
from planops.run import Progress, Run, Sight, Target
from planops.sightings import in_full, known, listed, observed, view


def observe(target: Target, plans: Sequence[Plan], run: Run) -> Sight:
    """Resolve the files' references and read ledger and server, completely or not at all."""
    run.progress(Progress(target=target.name, what=f"reading {target.url}"))
    book = target.keeping.ledger.load() if target.keeping else None
    records = book.records.values() if book else ()
    ours = [record for record in records if record.url == target.url]
    desired = target.backend.prepare(plans, {record.key: record.spec for record in ours})
    inventory = observed(
        target,
        [*(plan.display_name for plan in plans), *unanswered(book)],
        [record.id for record in ours],
        known(target, desired, book, run),
        run,
    )
    declared = {item.plan.key for item in desired}  # a review has each of them twice
    what = f"plans on the server: {len(inventory.stubs)}, in files: {len(declared)}"
    if inventory.listed:
        what += f", as they were when last read: {len(inventory.listed)}"
    run.progress(Progress(target=target.name, what=what))
    return Sight(desired=desired, inventory=inventory, book=book, owners=owners(book, target.url))


def diff(target: Target, sight: Sight, run: Run) -> ChangeSet:
    """Say what would be done about every plan, what stands against it, and who did what."""
    return attributed(target, compared(target, sight, run), run)


def compared(target: Target, sight: Sight, run: Run) -> ChangeSet:
    """Say what would be done about every plan, and what stands against it."""
    gone = orphans(target, sight, run)
    sight = without(sight, gone)
    changes = [*gone, *(_alone(target, wanted, sight, run) for wanted in sight.desired)]
    return guarded(
        sorted(changes, key=lambda change: change.key),
        target=target.name,
        url=target.url,
        live=len(sight.inventory.stubs),
        selected=run.selected,
        limits=target.limits,
        allow=run.allow,
    )


def _alone(target: Target, wanted: Desired, sight: Sight, run: Run) -> Change:
    """Compare one plan; what goes wrong with it is not in the way of the others."""
    try:
        return _change(target, wanted, sight, run)
    except PlanopsError as error:
        return _undecided(wanted, error=str(error))
    except Exception as error:  # noqa: BLE001  the other plans' report must not be lost
        return _undecided(wanted, error=bug_of(error), bug=True)


def _change(target: Target, wanted: Desired, sight: Sight, run: Run) -> Change:
    """Decide by what the list shows, where that is enough to find nothing to say, else in full."""
    if id_ := listed(wanted, sight):
        with suppress(PlanopsError):
            change = _decided(target, wanted, sight, run)
            if change.live is not None and in_order(change):
                return change
        sight = in_full(target, sight, id_)
    return _decided(target, wanted, sight, run)


def _decided(target: Target, wanted: Desired, sight: Sight, run: Run) -> Change:
    found = claim(target, wanted, sight, run)
    if found.undecided:
        return replace(_undecided(wanted), refusals=found.refusals)
    rules, at = target.backend.rules, circumstances(target, wanted, found, run)
    live = None if found.raw is None else view(target, wanted, sight, found.raw, at)
    change = decide(rules, wanted, live, at)
    allow = wanted.plan.manage.allow
    return replace(
        change,
        refusals=(*found.refusals, *_rewound(target, found, change, run), *change.refusals),
        allowed=usable(allow, found.used, run.now),
        lapsed={one.guard: why for one in allow if (why := lapsed(one, found.used, run.now))},
    )


def _rewound(target: Target, found: Claim, change: Change, run: Run) -> Iterator[Refusal]:
    """An old commit applied again would take back newer work, and what has no commit is nobody's.

    Both matter only where it is recorded what was applied, and from where.
    """
    if target.keeping is None or not change.acts:
        return
    file = change.plan.source.file
    if run.unfit(file):
        message = f"{file} is not as the commit has it, and this is CI; commit it"
        yield Refusal(guard="rewind", message=message, lift="--allow rewind")
    if found.origin and not run.descends(found.origin):
        message = (
            f"it was last applied from {found.origin[:12]}, which this commit does not descend"
            " from, or which this clone does not hold; apply a commit that does, and fetch the"
            " whole history where this clone is shallow"
        )
        yield Refusal(guard="rewind", message=message, lift="--allow rewind")


def _undecided(wanted: Desired, *, error: str = "", bug: bool = False) -> Change:
    """Give the change of a plan about which nothing can be decided."""
    return Change(
        key=wanted.plan.key,
        kind=ChangeKind.UNCHANGED,
        plan=wanted.plan,
        live=None,
        deltas=(),
        route=Route(standing=Standing.BLOCKED),
        steps=(),
        error=error,
        bug=bug,
    )


def only_begun(sight: Sight, changes: ChangeSet) -> ChangeSet:
    """Keep the changes that an earlier run began and left open.

    What stands against the whole set does not stand against them: they were counted in that run.
    """
    intents = sight.book.intents if sight.book else {}
    begun = tuple(change for change in changes.changes if change.key.name in intents)
    return replace(changes, changes=begun, refusals=())


def show(target: Target, sight: Sight, changes: ChangeSet, run: Run) -> TargetReport:
    """Report a change set as it stands, without making any of it."""
    return target_report(
        target, sight, changes, [shown(target, change, run) for change in changes.changes]
    )


def apply(target: Target, sight: Sight, changes: ChangeSet, run: Run) -> TargetReport:
    """Make the changes of a set, each plan on its own; one plan's failure stops no other.

    The set is the one that was shown: what has moved since then is reported as stale and left
    alone.
    """
    if changes.refusals:
        refused = [replace(c, refusals=(*c.refusals, *changes.refusals)) for c in changes.changes]
        return target_report(
            target, sight, changes, [shown(target, change, run) for change in refused]
        )
    sight = without(sight, [change for change in changes.changes if may_run(change)])
    custody = settling.begin(target, sight, changes, run)
    try:
        again = _look_again(target, sight, changes, run)
        work = _work(target, sight, changes, run, again, custody)
    except Exception:
        if custody is not None:
            settling.abandon(sight, custody)
        raise
    done = _carried_out(target, changes, work, again)
    report = target_report(target, sight, changes, [one.report for one in done])
    return settling.settle(target, sight, run, done, custody, again, report)


def _carried_out(
    target: Target, changes: ChangeSet, work: Mapping[PlanKey, Work], again: Inventory
) -> list[Carried]:
    """Make changes side by side: deletions last, but first those that free a wanted name."""
    making = {c.plan.display_name for c in changes.changes if may_run(c) and c.live is None}
    phases: list[list[Change]] = [[], [], []]
    for change in changes.changes:
        frees = change.live is not None and change.live.name in making
        phases[(0 if frees else 2) if change.kind is ChangeKind.DELETE else 1].append(change)
    done: dict[PlanKey, Carried] = {}
    with ThreadPoolExecutor(target.concurrency, thread_name_prefix="planops-apply") as pool:
        for phase in phases:
            inventory = removed(again, done.values())
            jobs = [replace(work[change.key], inventory=inventory) for change in phase]
            done |= zip((c.key for c in phase), pool.map(Work.carry_out, jobs, phase), strict=True)
    return [done[change.key] for change in changes.changes]


def _look_again(target: Target, sight: Sight, changes: ChangeSet, run: Run) -> Inventory:
    """Look once more for what is to be made, or may have been made, just before the calls."""
    making = [c for c in changes.changes if may_run(c) and c.live is None]
    names = [*(change.plan.display_name for change in making), *unanswered(sight.book)]
    return sight.inventory if run.stop.is_set() or not names else target.backend.observe(names)


def _work(
    target: Target,
    sight: Sight,
    changes: ChangeSet,
    run: Run,
    again: Inventory,
    custody: Custody | None,
) -> dict[PlanKey, Work]:
    wanted = {item.plan.key: item for item in sight.desired}
    left = settling.left_open(sight, changes, run)
    found: dict[PlanKey, Work] = {}
    for change in changes.changes:
        concerned = may_run(change) or change.key.name in left
        lease = custody if concerned else None
        if change.orphan is not None:
            found[change.key] = removal(target, sight, run, change.orphan, change, again, lease)
            continue
        desired = wanted[change.key]
        found[change.key] = Work(
            target=target,
            run=run,
            desired=desired,
            inventory=again,
            claim=claim(target, desired, sight, run) if concerned else Claim(),
            custody=lease,
        )
    return found
