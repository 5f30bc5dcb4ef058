"""Faults to order: what shall go wrong with which request, and when.

A fault counts the requests that match it from the moment it is added. With ``nth`` it strikes at
that one and is spent; with ``nth=None`` it strikes at every one. A server adds kinds of its own.
"""

import fnmatch
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

WireKind = Literal[
    "drop-before",
    "drop-after",
    "delay-before",
    "delay",
    "status-before",
    "status-after",
    "redirect",
    "html",
    "truncate",
    "garbage-json",
    "endless",
    "edit-before",
    "edit-after",
]
WIRE_KINDS: frozenset[str] = frozenset(get_args(WireKind))
BEFORE = frozenset({"drop-before", "status-before", "redirect", "html"})
AFTER = frozenset({"drop-after", "status-after", "truncate", "garbage-json", "endless"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; ``path`` is a pattern of the path or the name of a route.

    Before anything is processed: ``drop-before``, ``delay-before`` (waits ``seconds``, then all is
    well), ``status-before``, ``redirect`` (to ``location``), ``html`` (200 and a page),
    ``edit-before`` (``edit`` runs first). After it is processed and stored: ``drop-after``,
    ``delay`` (the answer comes ``seconds`` late), ``status-after``, ``truncate`` (fewer bytes than
    announced), ``garbage-json`` (cut JSON), ``endless`` (a body without end), ``edit-after``.
    """

    kind: str
    method: str = field(default="*", kw_only=True)
    path: str = field(default="*", kw_only=True)
    nth: int | None = field(default=1, kw_only=True)
    status: int = field(default=500, kw_only=True)
    body: bytes = field(default=b"", kw_only=True)
    headers: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    seconds: float = field(default=0.0, kw_only=True)
    location: str = field(default="http://127.0.0.1:9/elsewhere", kw_only=True)
    edit: Callable[[], object] | None = field(default=None, kw_only=True)

    def matches(self, method: str, path: str, route: str) -> bool:
        """Whether a request is one of those that the fault counts."""
        if self.method not in {"*", method}:
            return False
        return self.path == route or fnmatch.fnmatchcase(path, self.path)


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Fault, int]] = []
        self._struck: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        """Put faults in force."""
        with self._lock:
            self._waiting += [(fault, 0) for fault in faults]

    def clear(self) -> None:
        """Call every fault off."""
        with self._lock:
            self._waiting.clear()
            self._struck.clear()

    @property
    def pending(self) -> tuple[Fault, ...]:
        """Faults that can still strike."""
        with self._lock:
            return tuple(fault for fault, _ in self._waiting)

    @property
    def struck(self) -> tuple[Fault, ...]:
        """Faults that have struck, in order."""
        with self._lock:
            return tuple(self._struck)

    def take(self, method: str, path: str, route: str) -> tuple[Fault, ...]:
        """The faults that strike at this request, in the order in which they were added."""
        taken: list[Fault] = []
        with self._lock:
            waiting: list[tuple[Fault, int]] = []
            for fault, seen in self._waiting:
                matched = fault.matches(method, path, route)
                strikes = matched and fault.nth in {None, seen + 1}
                if strikes:
                    taken.append(fault)
                if not strikes or fault.nth is None:
                    waiting.append((fault, seen + matched))
            self._waiting = waiting
            self._struck += taken
        return tuple(taken)
