"""What a reviewed file allows for one plan: which guards it lifts now, and when that is used up.

An allowance is for the change that it came with. It is used up as soon as the file that holds it
has been applied, whether a guard asked for it or not: one that stayed over would lift the guard for
somebody else's doing later on. Without a record nobody knows that, so that only one with an end
counts then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Final

from planops.core.changes import digest
from planops.core.model import Allowance

_DAY: Final = 24 * 60 * 60


def mark(allowance: Allowance) -> str:
    """Name an allowance by all that it says: another reason is another allowance."""
    return digest([allowance.guard, allowance.reason, allowance.until])[:16]


def usable(
    allow: Sequence[Allowance], used: Collection[str] | None, now: int
) -> Mapping[str, Allowance]:
    """Give the allowances that count now, by guard; ``used`` is ``None`` where nothing records."""
    return {one.guard: one for one in allow if not lapsed(one, used, now)}


def lapsed(allowance: Allowance, used: Collection[str] | None, now: int) -> str:
    """Say why an allowance does not count; empty where it does."""
    if allowance.until and now >= _after(allowance.until):
        return f"ran out at the end of {allowance.until}"
    if used is None:
        return "" if allowance.until else "has no end, and no ledger records when it is used up"
    return "was used up when the file was applied" if mark(allowance) in used else ""


def _after(day: str) -> int:
    """Give the first second after a day, in UTC."""
    return int(datetime.combine(date.fromisoformat(day), time(), UTC).timestamp()) + _DAY
