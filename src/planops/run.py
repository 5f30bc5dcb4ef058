"""The values of a run: its targets, what it was asked for, what it saw, how it speaks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from planops.core.decide import Circumstances, Desired
from planops.core.guards import Limits
from planops.core.model import Mark, Plan
from planops.ports import Backend, Inventory

Locate = Callable[[Plan], Callable[[str], Mark | None]]
"""Finds, for a plan, the place in its file that a delta path speaks of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server as the run sees it.

    ``digest_key`` keys the digests of bodies; ``by_name`` says that names identify plans, since
    nothing else records which plans are ours.
    """

    name: str
    kind: str
    url: str
    backend: Backend
    by_name: bool = False
    limits: Limits = field(default_factory=Limits)
    concurrency: int = 8
    digest_key: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One line of progress: what happened to which plan, ``done`` of ``total``."""

    target: str
    what: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run was asked for, and how it speaks while it goes on.

    ``allow`` maps guards to how many plans they are lifted for (``None``: one). ``selected`` tells
    that only some of the files are looked at. ``stop`` is set when no further call may be begun.
    """

    now: int
    allow: Mapping[str, int | None] = field(default_factory=dict)
    selected: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Callable[[Progress], None] = lambda _: None
    locate: Locate = lambda _: lambda _: None

    def circumstances(self) -> Circumstances:
        """Give what every decision of this run depends on."""
        return Circumstances(now=self.now, revive="reopen" in self.allow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was found at a target: the plans that are wanted, and everything that is there."""

    desired: tuple[Desired, ...]
    inventory: Inventory
