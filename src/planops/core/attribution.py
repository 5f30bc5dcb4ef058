"""Who and when: what git says of a value in a file, and what a server says of an edit made there.

Values, and how they are put to a change. Nothing is guessed: where neither git nor the server
tells, there is no attribution, and what only tells who wrote last says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from planops.core.changes import Cause, Change, Delta
from planops.core.lifecycle import Standing
from planops.core.model import ABSENT, Blame, Live, Touch, Witness

THEIRS = frozenset({Cause.DRIFT, Cause.CONFLICT})
"""What somebody did on the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touches:
    """What a server tells of one plan beyond its last edit.

    ``state`` is who brought it to where it stands, ``paths`` who last set the fields of a delta.
    """

    state: Touch | None = None
    paths: Mapping[str, Touch] = field(default_factory=dict)


NOTHING = Touches()


def asks_server(change: Change) -> bool:
    """Tell whether somebody else's hand shows on the server, so that it is worth asking whose."""
    return change.live is not None and (_stopped(change) or any(map(_theirs, change.deltas)))


def touched(change: Change, told: Touches = NOTHING) -> Change:
    """Put to a change who did on the server what shows there; the last edit where no more is told.

    A value that the server changed and a state that somebody brought about are not the same deed:
    each has its own.
    """
    if change.live is None or not asks_server(change):
        return change
    last = _last(change.live)
    return replace(
        change,
        touch=(told.state or last) if _stopped(change) else None,
        deltas=tuple(
            replace(d, touch=told.paths.get(d.path, last)) if _theirs(d) else d
            for d in change.deltas
        ),
    )


def blamed(change: Change, found: Mapping[str, Blame]) -> Change:
    """Put to a change who set in its file what it is about; ``found`` is by delta path."""
    return replace(
        change,
        goal=found.get("/state"),
        deltas=tuple(replace(d, blame=found.get(d.path)) for d in change.deltas),
    )


def asks_git(change: Change) -> dict[str, bool]:
    """Name the paths that a change is about, and tell whether the file asks for a value there.

    Empty where nothing is to be told.
    """
    moves = change.plan.state is not None and bool(change.route.edges)
    found = {delta.path: delta.desired is not ABSENT for delta in change.deltas}
    return found | ({"/state": True} if moves else {})


def _theirs(delta: Delta) -> bool:
    return delta.cause in THEIRS


def _stopped(change: Change) -> bool:
    return change.route.standing is Standing.STOPPED


def _last(live: Live) -> Touch | None:
    if not live.updated_by and not live.updated_at:
        return None
    return Touch(by=live.updated_by, at=live.updated_at, witness=Witness.LAST_EDIT)
