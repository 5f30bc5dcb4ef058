"""What every emulator is: a clock, faults, a record of what it received, and plans.

The object may be used from any thread while it is being served.
"""

import abc
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from planops.sandbox.clock import Clock
from planops.sandbox.faults import WIRE_KINDS, Fault, Faults
from planops.sandbox.messages import Answer, Received, Request

Document = dict[str, Any]
Change: TypeAlias = Mapping[str, Any] | Callable[[Document], object]
PlanId = TypeVar("PlanId")


class Emulated(abc.ABC, Generic[PlanId]):
    """An emulated server, without a way to reach it over HTTP."""

    fault_kinds: ClassVar[frozenset[str]] = WIRE_KINDS

    def __init__(self, clock: Clock | None) -> None:
        self.clock = clock or Clock()
        self.faults = Faults()
        self.defects: list[str] = []  # tracebacks of what must never happen; tests look here
        self._received: list[Received] = []
        self._lock = threading.Lock()

    @abc.abstractmethod
    def caller(self, request: Request) -> str | None:
        """Whose token a request carries."""

    @abc.abstractmethod
    def route_name(self, request: Request) -> str:
        """The name of the route that a request meets, or nothing."""

    @abc.abstractmethod
    def answer(self, request: Request, faults: Sequence[Fault]) -> tuple[Answer, bool]:
        """Process a request; its answer, and whether it changed anything."""

    @abc.abstractmethod
    def plans(self) -> tuple[Document, ...]:
        """Every stored plan, oldest first."""

    @abc.abstractmethod
    def edit(self, plan_id: PlanId, change: Change, by: str = "someone") -> Document:
        """Another person edits a plan."""

    @abc.abstractmethod
    def insert_plan(self, document: Mapping[str, Any]) -> Document:
        """Plant a plan of any shape; what it lacks is filled in."""

    @abc.abstractmethod
    def remove_plan(self, plan_id: PlanId) -> None:
        """Another person deletes a plan."""

    @abc.abstractmethod
    def reset(self) -> None:
        """Back to the fixtures: no faults, nothing received."""

    @property
    def received(self) -> tuple[Received, ...]:
        """Every request in the order of arrival."""
        with self._lock:
            return tuple(self._received)

    @property
    def writes(self) -> tuple[Received, ...]:
        """Every request that is no GET."""
        return tuple(one for one in self.received if one.method != "GET")

    def arrive(self, request: Request) -> int:
        """Note a request; the number under which its end is noted."""
        who = self.caller(request)
        noted = Received(method=request.method, path=request.target, body=request.body, who=who)
        with self._lock:
            self._received.append(noted)
            return len(self._received) - 1

    def depart(self, number: int, *, status: int | None, committed: bool) -> None:
        """Note how a request ended."""
        with self._lock:
            if number < len(self._received):
                ended = replace(self._received[number], status=status, committed=committed)
                self._received[number] = ended

    def attempt(self, deed: Callable[[], object]) -> None:
        """Carry out another person's deed; when it fails, that is a defect of the test."""
        try:
            deed()
        except Exception:  # noqa: BLE001 - whatever a caller's function raises
            self.defects.append(traceback.format_exc())

    def forget(self) -> None:
        """No faults, nothing received."""
        self.faults.clear()
        with self._lock:
            self._received.clear()
