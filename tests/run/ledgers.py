"""A ledger in memory, as strict as the one in git: what the tests of the run keep records in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from planops.core.ledger import Book, book
from planops.custody import Keeping
from planops.errors import LedgerMoved, PlanopsError
from planops.run import Target
from run.world import StillClock


@dataclass(slots=True)
class MemoryLedger:
    """Documents with a tip; ``before_write`` may raise, or change the ledger, before a write."""

    documents: dict[str, bytes] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    before_write: list[Callable[[], None]] = field(default_factory=list)
    after_write: list[Callable[[], None]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def tip(self) -> str:
        return f"{len(self.history):040x}" if self.history else ""

    def load(self) -> Book:
        with self.lock:
            return book(self.tip, dict(self.documents))

    def write(self, tip: str, changes: Mapping[str, bytes | None], message: str, now: int) -> str:
        assert now >= 0
        for step in self.before_write[:1]:
            self.before_write.pop(0)
            step()
        with self.lock:
            made = self._swap(tip, changes, message)
        for step in self.after_write[:1]:
            self.after_write.pop(0)
            step()
        return made

    def _swap(self, tip: str, changes: Mapping[str, bytes | None], message: str) -> str:
        if tip != self.tip:
            raise LedgerMoved("another run wrote into the ledger first; run again")
        for path, data in changes.items():
            if data is None:
                self.documents.pop(path, None)
            else:
                self.documents[path] = data
        self.history.append(message)
        return self.tip


def failing(error: PlanopsError) -> Callable[[], None]:
    """A step that raises."""

    def fail() -> None:
        raise error

    return fail


def kept(target: Target, ledger: MemoryLedger, clock: StillClock, run: str = "one") -> Target:
    """The same target, with a ledger."""
    keeping = Keeping(
        ledger=ledger,
        clock=clock,
        holder="tester@here",
        run=run,
        seconds=300,
        call=60.0,
        monotonic=lambda: float(clock.now()),
    )
    return replace(target, keeping=keeping)


@dataclass(slots=True)
class MovingClock(StillClock):
    """A clock that only sleeping moves."""

    def now(self) -> int:
        return StillClock.now(self) + round(sum(self.slept))
