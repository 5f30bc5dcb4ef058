"""What may happen to a run: its process dies, a call goes wrong, something comes in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, TypeVar

from planops.backends.exchange import Request, Response, Transport
from planops.core.ledger import Book
from planops.errors import OutcomeUnknown
from planops.sandbox.faults import Fault
from run.ledgers import MemoryLedger, MovingClock
from run.world import Through

Item = TypeVar("Item")
Result = TypeVar("Result")
Place = Literal["call", "push", "look"]
When = Literal["before", "after"]


class Killed(BaseException):
    """The process is gone: nothing of it runs any more, no handler, no end of a block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A moment of a run: before or after its nth call that writes, or its nth push of the ledger.

    A ``look`` is a call that reads.
    """

    place: Place
    number: int
    when: When = "before"

    def __str__(self) -> str:
        return f"{self.when} {self.place} {self.number}"


@dataclass(slots=True, kw_only=True)
class Fate:
    """What befalls a run at a point of it: by default it dies, and everything of it with it."""

    point: Point | None = None
    deed: Callable[[], object] | None = None
    dead: bool = False
    come: bool = False
    seen: Counter[Place] = field(default_factory=Counter)

    def step(self, place: Place, when: When) -> None:
        """Pass a moment of the run."""
        self.live()
        if when == "before":
            self.seen[place] += 1
        at = self.point
        if at is None or self.come or (at.place, at.when) != (place, when):
            return
        if self.seen[place] == at.number + 1:
            self.come = True
            (self.deed or self.die)()

    def die(self) -> NoReturn:
        """End the process."""
        self.dead = True
        raise Killed

    def live(self) -> None:
        """Let nothing run in a process that is gone."""
        if self.dead:
            raise Killed


class _Fated(Through):
    """A transport whose run has a fate."""

    def __init__(self, inner: Transport, fate: Fate) -> None:
        super().__init__(inner)
        self.fate = fate

    def read(self, request: Request) -> Response:
        self.fate.step("look", "before")
        response = super().read(request)
        self.fate.step("look", "after")
        return response

    def write(self, request: Request) -> Response:
        self.fate.step("call", "before")
        response = super().write(request)
        self.fate.step("call", "after")
        return response

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> tuple[Result, ...]:
        return tuple(map(function, items))  # in order, so that the nth look is always the same


def fated(inner: Transport, fate: Fate) -> Transport:
    """The same transport, with a fate."""
    return _Fated(inner, fate)


@dataclass(frozen=True, slots=True, kw_only=True)
class FatedLedger:
    """A ledger whose run has a fate."""

    inner: MemoryLedger
    fate: Fate

    def load(self) -> Book:
        self.fate.live()
        return self.inner.load()

    def write(self, tip: str, changes: Mapping[str, bytes | None], message: str, now: int) -> str:
        self.fate.step("push", "before")
        made = self.inner.write(tip, changes, message, now)
        self.fate.step("push", "after")
        return made


@dataclass(frozen=True, slots=True)
class AtWrite(Fault):
    """Strikes at the nth request that is no GET, from 0."""

    def matches(self, method: str, path: str, route: str) -> bool:  # noqa: ARG002
        return method != "GET"


def at_write(number: int, kind: str, **how: Any) -> AtWrite:
    """A fault of the nth call that writes, from 0."""
    return AtWrite(kind, nth=number + 1, **how)


class Reset(Through):
    """Resets the connection of one write, before or after the server has it."""

    def __init__(self, inner: Transport, wrong: Transport, *, number: int, made: bool) -> None:
        super().__init__(inner)
        self.wrong, self.left, self.made = wrong, number, made

    def write(self, request: Request) -> Response:
        self.left -= 1
        if self.left != -1:
            return super().write(request)
        if self.made:
            super().write(request)
        return self.wrong.write(request)


@dataclass(slots=True)
class WakingClock(MovingClock):
    """A clock that only sleeping moves, and on which something happens at a time."""

    alarms: list[tuple[int, Callable[[], object]]] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        MovingClock.sleep(self, seconds)
        due = [alarm for alarm in self.alarms if alarm[0] <= self.now()]
        self.alarms = [alarm for alarm in self.alarms if alarm not in due]
        for _, deed in due:
            deed()


class Late(Through):
    """Holds one write back that is under way, until it is delivered; its sender hears nothing."""

    def __init__(self, inner: Transport, *, number: int, sent: Callable[[], None]) -> None:
        super().__init__(inner)
        self.left, self.sent = number, sent
        self.held: list[Request] = []

    def write(self, request: Request) -> Response:
        self.left -= 1
        if self.left == -1:
            self.held.append(request)
            self.sent()
            raise OutcomeUnknown(f"{request.method}: no answer")
        return super().write(request)

    def deliver(self) -> None:
        """Let the server have it."""
        for request in self.held:
            super().write(request)
