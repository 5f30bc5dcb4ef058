"""What the look after a write shows: whether it took effect, and what others did beside it.

Neither server has conditional writes, so that nothing can keep somebody else's from falling between
our look and our write. Pure: what is done about it is decided elsewhere.
"""

from __future__ import annotations

from planops.core.changes import Change, Step, StepKind
from planops.core.lifecycle import Edge
from planops.core.model import Live


def last_seen(change: Change) -> str:
    """Say how a plan was last seen, for whoever must look at it."""
    live = change.live
    if live is None:
        return "it is gone"
    return f"it is in {live.state}, last changed by {live.updated_by or 'somebody'}"


def stands_still(now: Change, made: Edge) -> bool:
    """Tell whether a transition that the server accepted did not take place."""
    return now.live is not None and now.live.state == made.source and not now.live.put_back


def others_wrote(made: Step, before: int | None, now: int | None) -> bool:
    """Tell by the version, where the server counts, whether another edit fell beside ours."""
    if made.kind is StepKind.CREATE:
        before = 0
    if made.kind is StepKind.TRANSITION or before is None or now is None:
        return False
    return now > before + 1


def crossed(made: Step, before: Live | None, now: Live | None) -> bool:
    """Tell whether our update took back what somebody moved since the plan had been looked at."""
    if made.kind is not StepKind.UPDATE or before is None or now is None:
        return False
    return now.put_back and now.moves != before.moves
