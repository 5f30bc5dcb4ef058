"""The run: observe, diff, apply. Reads like prose; decides nothing that the core can decide.

There is no dry-run switch: a dry run is not calling :func:`apply`. Apply makes the steps that were
shown, one at a time, and makes a step only while a decision taken again from the live plan still
asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from planops.core.changes import Change, ChangeKind, ChangeSet
from planops.core.decide import Desired, decide
from planops.core.guards import guarded
from planops.core.lifecycle import Refusal, Route, Standing
from planops.core.model import JSON, Plan
from planops.core.report import TargetReport
from planops.errors import PlanopsError
from planops.execution import Work, may_run
from planops.ports import Inventory
from planops.reporting import shown, target_report
from planops.run import Progress, Run, Sight, Target


def observe(target: Target, plans: Sequence[Plan], run: Run) -> Sight:
    """Resolve the files' references and read the server, completely or not at all."""
    run.progress(Progress(target=target.name, what=f"reading {target.url}"))
    desired = target.backend.prepare(plans)
    inventory = target.backend.observe(plan.display_name for plan in plans)
    what = f"plans on the server: {len(inventory.stubs)}, in files: {len(plans)}"
    run.progress(Progress(target=target.name, what=what))
    return Sight(desired=desired, inventory=inventory)


def diff(target: Target, sight: Sight, run: Run) -> ChangeSet:
    """Say what would be done about every plan, and what stands against it."""
    changes = [_alone(target, wanted, sight.inventory, run) for wanted in sight.desired]
    return guarded(
        sorted(changes, key=lambda change: change.key),
        target=target.name,
        url=target.url,
        live=len(sight.inventory.stubs),
        selected=run.selected,
        limits=target.limits,
        allow=run.allow,
    )


def _alone(target: Target, wanted: Desired, inventory: Inventory, run: Run) -> Change:
    """Compare one plan; what goes wrong with it is not in the way of the others."""
    try:
        return _change(target, wanted, inventory, run)
    except PlanopsError as error:
        return _undecided(wanted, error=str(error))
    except Exception as error:  # noqa: BLE001  the other plans' report must not be lost
        return _undecided(
            wanted, error=f"bug in planops: {type(error).__name__}: {error}", bug=True
        )


def _change(target: Target, wanted: Desired, inventory: Inventory, run: Run) -> Change:
    rules = target.backend.rules
    documents = inventory.documents.get(wanted.plan.display_name, ())
    if len(documents) > 1:
        return _ambiguous(wanted, documents)
    if not documents:
        return decide(rules, wanted, None, run.circumstances())
    change = decide(rules, wanted, rules.view(documents[0], wanted), run.circumstances())
    return change if target.by_name else _not_ours(change)


def _ambiguous(wanted: Desired, documents: Sequence[Mapping[str, JSON]]) -> Change:
    ids = " and ".join(str(raw.get("id")) for raw in documents)
    message = (
        f"{len(documents)} plans on the server are named {wanted.plan.display_name!r}: {ids};"
        " rename or remove all but one there"
    )
    refusal = Refusal(guard="ambiguous", message=message)
    return replace(_undecided(wanted), refusals=(refusal,))


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


def _not_ours(change: Change) -> Change:
    id_ = change.live.id if change.live else ""
    message = (
        f"the server holds a plan of this name ({id_}), and nothing records that it is this file's"
    )
    refusal = Refusal(guard="adopt", message=message, lift="--adopt-by-name")
    return replace(change, refusals=(refusal, *change.refusals))


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
    wanted = {item.plan.key: item for item in sight.desired}
    stopped = run.stop.is_set()
    making = [c for c in changes.changes if may_run(c) and c.live is None and not stopped]
    creating = [change.plan.display_name for change in making]
    again = target.backend.observe(creating) if creating else sight.inventory
    work = [
        Work(target=target, run=run, desired=wanted[change.key], inventory=again)
        for change in changes.changes
    ]
    with ThreadPoolExecutor(target.concurrency, thread_name_prefix="planops-apply") as pool:
        done = list(pool.map(Work.carry_out, work, changes.changes))
    return target_report(target, sight, changes, done)
