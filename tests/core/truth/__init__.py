"""The tables of the three-way comparison, written out: 216 rows each, read from the files here.

``field.txt``, ``item.txt`` and ``member.txt`` follow, row by row, from the rules of the comparison
that stand at their heads; no row comes from the code that they test.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from planops.core.changes import Cause
from planops.core.model import JSON

NAMES = ("absent", "a", "b", "c", "null", "empty")
SCALARS: dict[str, JSON] = {"a": "a", "b": "b", "c": "c", "null": None, "empty": ""}
LISTS: dict[str, JSON] = {
    "a": ["1", "2", "3"], "b": ["1", "2"], "c": ["4"], "null": None, "empty": [],
}  # fmt: skip
FREELY: dict[str, JSON] = {
    "a": {"x": [1]}, "b": {"x": [2], "y": 0}, "c": ["x"], "null": None, "empty": {},
}  # fmt: skip


class When(enum.StrEnum):
    """When apply sends what stands in a row."""

    ALWAYS = "always"
    SAFE = "safe"  # where drift is corrected
    ALLOWED = "allowed"  # where the conflict is
    NEVER = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: three sides, why they differ (if they do), and what is sent then."""

    base: str
    desired: str
    live: str
    cause: Cause | None
    written: str
    when: When

    def __str__(self) -> str:
        return f"{self.base}/{self.desired}/{self.live}"


@cache
def rows(table: str) -> tuple[Row, ...]:
    """Read a table; it has every row, once."""
    lines = (Path(__file__).parent / f"{table}.txt").read_text("utf-8").splitlines()
    found = tuple(_row(line.split()) for line in lines if line and not line.startswith("#"))
    every = [(b, d, v) for b in NAMES for d in NAMES for v in NAMES]
    assert [(row.base, row.desired, row.live) for row in found] == every
    return found


def _row(words: list[str]) -> Row:
    base, desired, live, cause, written, when = words
    return Row(
        base=base,
        desired=desired,
        live=live,
        cause=None if cause == "-" else Cause(cause),
        written="" if written == "-" else written,
        when=When(when),
    )


def at(table: str, base: str, desired: str, live: str) -> Row:
    """Look one row up."""
    place = [NAMES.index(name) for name in (base, desired, live)]
    return rows(table)[place[0] * 36 + place[1] * 6 + place[2]]
