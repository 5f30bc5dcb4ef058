"""How much text there is room for, and what is left out where there is not enough.

GitHub takes 65,536 characters in a comment, and counts some as several bytes; GitLab takes
1,000,000 characters. Whatever is cut is cut by whole rows and whole plans, and counted.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


class Unit(enum.StrEnum):
    """What a platform counts."""

    BYTES = "bytes"  # of UTF-8: a text that keeps to so many has no more characters
    CHARACTERS = "characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The most that a text may be."""

    number: int
    unit: Unit = Unit.BYTES

    def size(self, text: str) -> int:
        """Measure a text in the limit's unit."""
        return len(text.encode()) if self.unit is Unit.BYTES else len(text)

    def holds(self, text: str) -> bool:
        """Tell whether a text keeps to the limit."""
        return self.size(text) <= self.number

    def rows(self, found: Sequence[str], room: int, ending: str) -> list[str]:
        """Keep the rows that there is room for, and say at the ``{}`` how many are left out."""
        left = room
        for index, row in enumerate(found):
            left -= self.size(row) + 1
            if left < 0:
                return [*found[:index], ending.format(len(found) - index)]
        return [*found]


ENDLESS: Final = Limit(number=1 << 62, unit=Unit.CHARACTERS)
GITHUB: Final = Limit(number=60_000)
"""A comment of GitHub's, with room for what is put around it."""
GITLAB: Final = Limit(number=990_000, unit=Unit.CHARACTERS)
"""A comment of GitLab's, with room for what is put around it."""
SUMMARY: Final = Limit(number=900 * 1024)
"""A step's summary: of more than 1 MiB GitHub shows nothing."""


def fitting(costs: Sequence[int], room: int) -> list[int]:
    """Give the indexes of what is kept: the largest are left out until the others fit."""
    kept = dict(enumerate(costs))
    total = sum(costs)
    for largest in sorted(kept, key=lambda index: -costs[index]):
        if total <= room:
            break
        total -= kept.pop(largest)
    return [*kept]


def join(parts: Sequence[str]) -> str:
    """Put blocks of Markdown one below the other; empty ones are left out."""
    return "\n\n".join(part for part in parts if part)
