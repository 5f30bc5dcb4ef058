"""What stands before the real thing, and lets everything pass: kinds of it change something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from planops.backends.exchange import Request, Response, Transport
from planops.core.changes import Step
from planops.core.decide import Desired, Proposal, Rules
from planops.core.lifecycle import Edge, Lifecycle, Move
from planops.core.model import ABSENT, JSON, Live, Value
from planops.core.shape import Shape

Item = TypeVar("Item")
Result = TypeVar("Result")


class Through:
    """A transport before the real one; what passes may be changed by the kinds of it."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner

    def read(self, request: Request) -> Response:
        return self.inner.read(request)

    def write(self, request: Request) -> Response:
        return self.inner.write(request)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> tuple[Result, ...]:
        return self.inner.map(function, items)


class ThroughRules:
    """Rules before the real ones; what passes may be changed by the kinds of it."""

    def __init__(self, inner: Rules) -> None:
        self.inner = inner

    @property
    def shape(self) -> Shape:
        return self.inner.shape

    @property
    def lifecycle(self) -> Lifecycle:
        return self.inner.lifecycle

    def view(self, raw: dict[str, JSON], desired: Desired | None, base: Value = ABSENT) -> Live:
        return self.inner.view(raw, desired, base)

    def reopened(self, live: Live, desired: Desired, base: Value = ABSENT) -> Live:
        return self.inner.reopened(live, desired, base)

    def empty(self) -> dict[str, JSON]:
        return self.inner.empty()

    def facts(self, spec: dict[str, JSON]) -> frozenset[str]:
        return self.inner.facts(spec)

    def closes_at(self, spec: dict[str, JSON]) -> int:
        return self.inner.closes_at(spec)

    def create(self, desired: Desired, spec: dict[str, JSON]) -> Proposal:
        return self.inner.create(desired, spec)

    def propose(
        self, desired: Desired, live: Live, spec: dict[str, JSON], moves: Sequence[Edge | Move]
    ) -> Proposal:
        return self.inner.propose(desired, live, spec, moves)

    def transition(self, edge: Edge, id_: str) -> Step:
        return self.inner.transition(edge, id_)

    def remove(self, live: Live) -> tuple[Step, ...]:
        return self.inner.remove(live)
