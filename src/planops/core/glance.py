"""Whether a plan must be read again, where a server's list shows the most of it.

A plan may stay unread only where nothing changed on either side since it was last read in full and
found in order: not on the server, as far as the list shows and its edits are counted, and not in
git. What the list hides is then what was recorded, so that the decision is the same as after a full
read. That is not hoped: it is tried when the plan is read in full, and only then remembered.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from planops.core.allowances import mark
from planops.core.changes import Change, canonical, digest
from planops.core.decide import Circumstances, Desired, Rules, decide
from planops.core.ledger import Record
from planops.core.model import JSON, Live
from planops.core.records import memory
from planops.core.sighting import Sighting


def ground(desired: Desired, footing: JSON) -> str:
    """Digest what a comparison rests on beside the plan and its record.

    That is who and what the file's names stand for on the server (``footing``: things, beside the
    people that are in ``desired``), and what the file says is not to be compared.
    """
    return digest([dict(desired.ids), list(desired.plan.manage.ignore), footing])


def known(desired: Desired, record: Record, ground: str) -> Sighting | None:
    """Give what the list must show of a plan that need not be read; ``None`` where it must be.

    The file must ask for exactly what is recorded as applied.
    """
    seen, plan = record.seen, desired.plan
    if seen is None or not seen.is_usable or seen.ground != ground:
        return None
    asked = (
        canonical(desired.spec),
        plan.kind,
        plan.display_name,
        plan.state,
        plan.manage.protect,
        tuple(map(mark, plan.manage.allow)),
    )
    applied = (
        canonical(record.spec),
        record.kind,
        record.name,
        record.goal,
        record.protect,
        record.allowed,
    )
    return seen.sighting if asked == applied else None


def unread(live: Live, record: Record, hidden: Collection[str]) -> Live:
    """Complete what a list shows of a plan by what is recorded of the fields that it hides."""
    kept = {name: record.echo[name] for name in hidden if name in record.echo}
    return replace(live, spec=live.spec | kept, listed=True)


def in_order(change: Change) -> bool:
    """Tell whether a decision by the list alone may stand: nothing differs, and nothing is done."""
    return not (change.acts or change.deltas or change.refusals)


def alike(
    *, rules: Rules, desired: Desired, live: Live, listed: Live, record: Record, at: Circumstances
) -> bool:
    """Tell whether a plan is in order, and the list alone leads to the same decision."""
    then = replace(at, memory=memory(record))
    one, other = (decide(rules, desired, seen, then) for seen in (live, listed))
    same = replace(one, live=None) == replace(other, live=None) and live.spec == listed.spec
    return same and in_order(one)
