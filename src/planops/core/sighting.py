"""What a server's list shows of a plan, and what is remembered of it from the last full read.

Values, and how they are read from the ledger; ``glance.py`` says what follows from them. Nothing
here knows which server it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Final

MARGIN: Final = 2
"""How many seconds older than a full read the last edit must be.

Servers count whole seconds: an edit in the second of the read, or in the one before it by a clock
that is a little behind, would show the same time as the one that was read.
"""
MOST: Final = 10**18 - 1
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A plan as a list shows it: the count, time and author of its last edit, and its state.

    ``listed`` digests everything that the list shows of the plan, its approval among it.
    """

    version: int
    update_time: int
    updated_by: str
    status: str
    listed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the list showed of a plan when it was last read in full and found in order.

    ``ground`` digests what the comparison rested on beside the plan and its record, ``read_at`` is
    when that was, by our clock, in unix seconds.
    """

    sighting: Sighting
    ground: str
    read_at: int

    @property
    def is_usable(self) -> bool:
        """Tell whether any later edit must show another time than the one that was read."""
        return self.sighting.update_time <= self.read_at - MARGIN

    def says_the_same(self, other: Seen | None) -> bool:
        """Tell whether another says as much; a later time of reading alone is nothing new."""
        if other is None or not other.is_usable:
            return False
        return (other.sighting, other.ground) == (self.sighting, self.ground)


_SEEN: Final = frozenset(one.name for one in fields(Seen))
_SIGHTING: Final = frozenset(one.name for one in fields(Sighting))


def seen(value: object) -> Seen | None:
    """Read what a record says was seen; ``None`` where it is not exactly of that form."""
    if not isinstance(value, dict) or value.keys() != _SEEN:
        return None
    shown = sighting(value["sighting"])
    if shown is None or not _is_digest(value["ground"]) or not _is_number(value["read_at"]):
        return None
    return Seen(sighting=shown, ground=value["ground"], read_at=value["read_at"])


def sighting(value: object) -> Sighting | None:
    """Read what a list shows of a plan; ``None`` where it is not exactly of that form."""
    if not isinstance(value, dict) or value.keys() != _SIGHTING:
        return None
    texts = isinstance(value["updated_by"], str) and isinstance(value["status"], str)
    numbers = _is_number(value["version"]) and _is_number(value["update_time"])
    return Sighting(**value) if texts and numbers and _is_digest(value["listed"]) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and bool(_DIGEST.fullmatch(value))
