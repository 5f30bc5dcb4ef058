"""Guards: what a change set would do too much of, or to whom, unless somebody says so by name.

Each guard is lifted one at a time and counted: ``--allow reopen=2`` lifts it for up to two plans,
and for none if more than two trip it. A dry run shows a refused change in full, with the reason.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from planops.core.changes import Change, ChangeKind, ChangeSet
from planops.core.lifecycle import Refusal

PER_PLAN = (
    "conflict",
    "interrupt",
    "past",
    "protected",
    "recreate",
    "regress",
    "reopen",
    "replace",
    "reset",
    "rewind",
    "weaken",
)
PER_TARGET = ("empty", "mass-change")
NAMES = tuple(sorted((*PER_PLAN, *PER_TARGET, "delete")))
BY_HAND = ("protected", "rewind")
"""What no file can allow: it is lifted on the command line only."""
IN_FILES = tuple(name for name in PER_PLAN if name not in BY_HAND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may change at once.

    More than ``floor`` plans *and* more than ``share`` of them is too much; ``share`` is a fraction
    (0.3 is 30 %). More deletions than ``delete`` are too many.
    """

    share: float = 0.30
    floor: int = 5
    delete: int = 3


def guarded(
    changes: Sequence[Change],
    *,
    target: str,
    url: str,
    live: int,
    selected: bool,
    limits: Limits,
    allow: Mapping[str, int | None],
) -> ChangeSet:
    """Hold changes against the guards.

    ``live`` counts the plans on the server; ``selected`` says that only some files were looked at,
    so that an empty selection means nothing. ``allow`` maps a guard's name to how many plans it is
    lifted for; ``None`` means one plan, or the whole target for a guard of targets.
    """
    kept = [_allowed(change) for change in changes]
    tripped = Counter(
        name for change in kept if change.acts for name in {r.guard for r in change.refusals}
    )
    lifted = {name for name in PER_PLAN if name in allow and tripped[name] <= (allow[name] or 1)}
    kept = _deleting([_lift(change, tripped, lifted) for change in kept], limits, allow)
    return ChangeSet(
        target=target,
        url=url,
        changes=tuple(kept),
        unmanaged=max(0, live - sum(change.live is not None for change in changes)),
        refusals=(
            *_empty(changes, live, selected=selected, allow=allow),
            *_mass(kept, limits, allow),
        ),
    )


def _allowed(change: Change) -> Change:
    """Lift what the file itself allows; say of what it no longer does why that is."""
    stay = tuple(r for r in change.refusals if r.guard not in change.allowed)
    said = [
        f"{r.guard} is allowed by the file ({change.allowed[r.guard].reason}): {r.message}"
        for r in change.refusals
        if r.guard in change.allowed
    ]
    said += [
        f"what the file allows of {guard} {why}"
        for guard, why in change.lapsed.items()
        if guard in {r.guard for r in stay}
    ]
    return replace(change, refusals=stay, notices=(*change.notices, *said))


def _deleting(
    changes: Sequence[Change], limits: Limits, allow: Mapping[str, int | None]
) -> list[Change]:
    """Refuse all deletions where there are more than may be made in one run."""
    many = sum(_deletes(change) for change in changes)
    most = max(limits.delete, (allow["delete"] or 1) if "delete" in allow else 0)
    if many <= most:
        return list(changes)
    message = f"{many} plan{'s' * (many != 1)} would be deleted; the limit is {most}"
    refusal = Refusal(guard="delete", message=message, lift=f"--allow delete={many}")
    return [
        replace(change, refusals=(*change.refusals, refusal)) if _deletes(change) else change
        for change in changes
    ]


def _deletes(change: Change) -> bool:
    return change.kind is ChangeKind.DELETE and not change.refusals


def _lift(change: Change, tripped: Mapping[str, int], lifted: set[str]) -> Change:
    stay = tuple(
        _numbered(refusal, tripped) for refusal in change.refusals if refusal.guard not in lifted
    )
    off = [refusal for refusal in change.refusals if refusal.guard in lifted]
    notices = (f"{refusal.guard} is allowed: {refusal.message}" for refusal in off)
    return replace(
        change,
        refusals=stay,
        notices=(*change.notices, *notices),
        lifted=tuple(dict.fromkeys(refusal.guard for refusal in off)),
    )


def _numbered(refusal: Refusal, tripped: Mapping[str, int]) -> Refusal:
    """Put the number of plans into what lifts a guard: the flag can be copied as it stands."""
    count = tripped.get(refusal.guard, 1)
    if count <= 1 or refusal.lift != f"--allow {refusal.guard}":
        return refusal
    return replace(refusal, lift=f"--allow {refusal.guard}={count}")


def _empty(
    changes: Sequence[Change], live: int, *, selected: bool, allow: Mapping[str, int | None]
) -> tuple[Refusal, ...]:
    if changes or selected or not live or "empty" in allow:
        return ()
    message = f"no file declares a plan of this target, but the server holds {live}"
    return (Refusal(guard="empty", message=message, lift="--allow empty"),)


def _mass(
    changes: Sequence[Change], limits: Limits, allow: Mapping[str, int | None]
) -> tuple[Refusal, ...]:
    acting = sum(change.acts and not change.refusals for change in changes)
    share = acting / len(changes) if changes else 0.0
    if acting <= limits.floor or share <= limits.share:
        return ()
    if "mass-change" in allow and acting <= (allow["mass-change"] or math.inf):
        return ()
    message = (
        f"{acting} of {len(changes)} plans would change ({share:.0%};"
        f" the limit is {limits.share:.0%} above {limits.floor} plans)"
    )
    return (Refusal(guard="mass-change", message=message, lift=f"--allow mass-change={acting}"),)
