"""What the emulated server remembers: records by kind and id, in memory.

Values handed out and taken in are copies. Every change counts in ``changes``, which is how the
sandbox knows whether a request changed anything.
"""

import copy
import threading
from typing import Literal

from planops.sandbox.emulated import Document

Kind = Literal["plan", "plan_template", "plan_route", "release", "request", "route", "team", "user"]
Counted = Literal[Kind, "plan_stage_instance"]


class Store:
    """Records by kind, and a counter for the ids of each; no id is given out twice."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changes = 0
        self._records: dict[tuple[Kind, int], Document] = {}
        self._highest: dict[Counted, int] = {}

    def get(self, kind: Kind, key: object) -> Document | None:
        """One record, or ``None``."""
        if not isinstance(key, int):
            return None
        with self.lock:
            return copy.deepcopy(self._records.get((kind, key)))

    def put(self, kind: Kind, record: Document) -> None:
        """Store a record under its id, replacing what is there."""
        key = int(record["id"])
        with self.lock:
            self.changes += 1
            self._records[kind, key] = copy.deepcopy(record)
            self.raise_counter(kind, key)

    def delete(self, kind: Kind, key: int) -> None:
        """Remove a record, if there is one."""
        with self.lock:
            if self._records.pop((kind, key), None) is not None:
                self.changes += 1

    def all(self, kind: Kind) -> list[Document]:
        """Every record of a kind, by id."""
        with self.lock:
            keys = sorted(key for of, key in self._records if of == kind)
            return [copy.deepcopy(self._records[kind, key]) for key in keys]

    def named(self, kind: Kind, name: object) -> Document | None:
        """The first record of a kind with this name."""
        return next((one for one in self.all(kind) if one["name"] == name), None)

    def next_id(self, counted: Counted) -> int:
        """An id that was never given out."""
        with self.lock:
            self._highest[counted] = self._highest.get(counted, 0) + 1
            return self._highest[counted]

    def raise_counter(self, counted: Counted, value: int) -> None:
        """Make sure that ``next_id`` is above ``value``."""
        with self.lock:
            self._highest[counted] = max(self._highest.get(counted, 0), value)

    def clear(self) -> None:
        """Forget everything, counters included."""
        with self.lock:
            self.changes += 1
            self._records.clear()
            self._highest.clear()
