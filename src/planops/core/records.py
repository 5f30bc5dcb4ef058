"""From a plan's record to what a decision remembers, and from what was done to the next record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from planops.core.allowances import mark
from planops.core.changes import Change, fingerprint
from planops.core.compare import overlay
from planops.core.decide import Desired, Memory
from planops.core.ledger import Intent, Origin, Record
from planops.core.lifecycle import Lifecycle
from planops.core.masking import without_secrets
from planops.core.model import JSON, Live, Value
from planops.core.shape import FREE, Kind, Shape, item_keys


def memory(record: Record) -> Memory:
    """Give what a decision remembers of a plan."""
    return Memory(spec=record.spec, echo=record.echo, goal=record.goal, reached=record.reached)


OURS = Memory(spec={}, echo={})
"""What a decision remembers of a plan that a lost call of ours made: that it is ours, no more."""


def intent(
    change: Change, url: str, high_water: int, now: int, table: Lifecycle, origin: Origin
) -> Intent:
    """Say what is about to be done, so that it can be found out later how far it came."""
    live, found = change.live, change.route
    taken_back = any(edge.target == table.path[0] for edge in found.edges)
    return Intent(
        key=change.key.name,
        kind=change.plan.kind,
        op=change.kind.value,
        name=change.plan.display_name,
        id=live.id if live else "",
        ground=fingerprint(url, change),
        steps=tuple(step.request.digest() for step in change.steps),
        return_to=found.return_to or (found.ends if taken_back else None),
        high_water=high_water,
        at=now,
        origin=origin,
    )


def applied(  # noqa: PLR0913  each a fact of its own
    *,
    desired: Desired,
    live: Live,
    echo: Mapping[str, JSON],
    url: str,
    origin: Origin,
    before: Record | None,
    table: Lifecycle,
    shape: Shape,
    secrets: AbstractSet[str],
    ignored: Sequence[str] = (),
) -> Record:
    """Record a plan as it stands: what its file declares is applied, and was kept so.

    Not so what is ``ignored``: whatever the server holds there was never asked for.
    """
    plan = desired.plan
    spec = without_secrets(dict(desired.spec), shape, secrets)
    known = before if before is not None and before.id == live.id else None
    kept = _as_asked_for(shape, desired.spec, echo, known, ignored)
    earlier = known.reached if known else None
    return Record(
        key=plan.key.name,
        kind=plan.kind,
        url=url,
        id=live.id,
        name=plan.display_name,
        spec=spec if isinstance(spec, dict) else {},
        echo=_tree(without_secrets(kept, shape, secrets)),
        goal=plan.state,
        reached=_reached(table, live.state, plan.state) or earlier,
        protect=plan.manage.protect,
        allowed=tuple(map(mark, plan.manage.allow)),
        origin=origin,
    )


def kept_echo(
    shape: Shape, now: Mapping[str, JSON], before: Value, left: AbstractSet[str]
) -> dict[str, JSON]:
    """Say what the server keeps of the fields; of those left drifted what it kept before."""
    earlier = before if isinstance(before, dict) else {}
    return overlay(shape, earlier, dict(now), sorted(left)) if left else dict(now)


def _as_asked_for(
    shape: Shape,
    spec: dict[str, JSON],
    echo: Mapping[str, JSON],
    before: Record | None,
    ignored: Sequence[str],
) -> dict[str, JSON]:
    """Give what the server keeps of declared fields; of ignored ones what it kept when written."""
    kept = {name: echo[name] for name in spec if name in echo}
    if not ignored:
        return kept
    earlier = overlay(shape, spec, before.echo) if before else spec
    return kept_echo(shape, kept, {name: earlier[name] for name in kept}, frozenset(ignored))


def partly(whole: Record, before: Record | None, *, updated: bool) -> Record:
    """Record a plan of which only a part was done: it is ours, and its fields may be in."""
    known = before is not None and before.id == whole.id
    return replace(
        whole,
        seen=None,
        spec=whole.spec if updated else (before.spec if before and known else {}),
        echo=whole.echo if updated else (before.echo if before and known else {}),
        goal=before.goal if before and known else None,
        reached=before.reached if before and known else None,
        allowed=before.allowed if before and known else (),
    )


def noted(before: Record, after: Record, *, settled: bool, shape: Shape) -> Record:
    """Record what a run saw of a plan without writing to it.

    ``settled``: nothing differs, so that what the file declares now is what was applied. Where
    something does, the goal is acted upon all the same: were it not, whoever puts the plan back
    later would not be heard. And what the file gave up is: it may come back as an edit.
    """
    if settled:
        return after if _told(before, after) else before
    return replace(
        before,
        spec=_tree(_still_declared(shape, before.spec, after.spec)),
        echo={name: kept for name, kept in before.echo.items() if name in after.spec},
        goal=after.goal,
        reached=after.reached,
        protect=after.protect,
        allowed=after.allowed,
        seen=after.seen,
    )


def _still_declared(shape: Shape, was: JSON, now: JSON) -> JSON:
    """Leave out of what was declared the fields that are declared no more.

    An item that a list lacks now is not given up: it is wanted gone.
    """
    item = shape.item or FREE
    if shape.kind is Kind.OBJECT and isinstance(was, dict) and isinstance(now, dict):
        return {
            name: _still_declared(shape.fields.get(name, FREE), value, now[name])
            for name, value in was.items()
            if name in now
        }
    if not isinstance(was, list) or not isinstance(now, list):
        return was
    if shape.key:
        wanted = dict(zip(item_keys(shape, now), now, strict=True))
        return [
            _still_declared(item, value, wanted.get(key, value))
            for key, value in zip(item_keys(shape, was), was, strict=True)
        ]
    if shape.kind is Kind.LIST and len(was) == len(now):
        return [_still_declared(item, *pair) for pair in zip(was, now, strict=True)]
    return was


def says_as_much(before: Record, after: Record) -> bool:
    """Tell whether two records say the same of a file, whatever was seen of the plan since."""
    return replace(after, origin=before.origin, seen=before.seen, reached=before.reached) == before


def _told(before: Record, after: Record) -> bool:
    """Tell whether the next record says anything new; where it came from alone is not news.

    Nor is what the server keeps of the same fields: nothing differs from it. Nor that its list
    shows nothing that could be remembered now.
    """
    echo = before.echo if after.spec == before.spec else after.echo
    seen = after.seen or before.seen
    return replace(after, origin=before.origin, echo=echo, seen=seen) != before


def _reached(table: Lifecycle, state: str, goal: str | None) -> str | None:
    if goal is None:
        return None
    if state == goal:
        return goal
    if state in table.path and goal in table.path:
        return goal if table.path.index(state) >= table.path.index(goal) else None
    return None


def _tree(value: JSON | Mapping[str, JSON]) -> dict[str, JSON]:
    return dict(value) if isinstance(value, Mapping) else {}
