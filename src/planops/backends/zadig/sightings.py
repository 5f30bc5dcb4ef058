"""What the web interface's list tells of a plan, and when that is enough.

The facts are in docs/servers/zadig.md §8.10.

Pure. The list shows a whole plan but its jobs. What a job holds is written by edits alone, which
raise the version, and while the plan is executed, which need not.
"""

from __future__ import annotations

from typing import Final

from planops.backends.trees import Tree, text
from planops.backends.zadig.approval import pruned
from planops.core import sighting as core
from planops.core.changes import digest
from planops.core.sighting import Sighting

HIDDEN: Final = frozenset({"jobs"})
RESTING: Final = frozenset(
    {"planning", "finish_planning", "wait_for_approval", "denied", "timeout", "cancel", "success"}
)
"""The states in which jobs change by an edit only; an unknown one is not among them."""


def listed(raw: Tree) -> Tree:
    """Give what the list shows of a plan that was read in full."""
    return raw | {"jobs": []}


def sighting(raw: Tree) -> Sighting | None:
    """Say what the list shows of a plan; ``None`` where its jobs may change and it show nothing.

    So it is before 5.0, which counts no versions: two edits within a second look like one there.
    """
    if text(raw, "status") not in RESTING:
        return None
    shown = pruned({name: raw[name] for name in raw if name not in HIDDEN})
    last = {name: raw.get(name) for name in ("version", "update_time", "updated_by", "status")}
    return core.sighting({**last, "listed": digest(shown)})
