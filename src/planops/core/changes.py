"""What is to be done: steps with their exact requests, changes, change sets, fingerprints.

A step's request is the request that is sent: nothing later may add to it but the id of a plan that
the same change creates (``{id}`` in a path).
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from planops.core.ledger import Record
from planops.core.lifecycle import Edge, Refusal, Route, Standing
from planops.core.model import (
    ABSENT,
    JSON,
    Allowance,
    Blame,
    Live,
    Mark,
    Plan,
    PlanKey,
    Touch,
    Value,
)

NEW_ID = "{id}"


class Cause(enum.StrEnum):
    """Why a field differs."""

    EDIT = "edit"  # git changed it, or manages it for the first time
    DRIFT = "drift"  # the server changed it
    CONFLICT = "conflict"  # both did
    RELEASED = "released"  # git no longer declares it
    UNKNOWN = "unknown"  # the server does not let us see; never alone a reason to write


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One field that differs: its path, why, the three values; ``mark`` is its line in the file.

    ``blame`` is who set it there, ``touch`` who set it on the server.
    """

    path: str
    cause: Cause
    base: Value = ABSENT
    desired: Value = ABSENT
    live: Value = ABSENT
    sensitive: bool = False
    note: str = ""
    mark: Mark | None = None
    blame: Blame | None = None
    touch: Touch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request as it is sent; the path is below the target's address."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: JSON | None = None

    def digest(self) -> str:
        """Digest the whole request, canonically: equal digests are equal writes."""
        query: list[JSON] = [list(pair) for pair in self.query]
        return digest([self.method, self.path, query, self.body])


class StepKind(enum.StrEnum):
    """What a single write does."""

    CREATE = "create"
    UPDATE = "update"
    TRANSITION = "transition"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One server write inside a change.

    ``fallback`` is the same write in another spelling, made only where the server refuses the first
    for its spelling, and so without having done anything.
    """

    kind: StepKind
    request: Request
    summary: str
    edge: Edge | None = None
    fallback: Request | None = None

    @property
    def hazards(self) -> tuple[str, ...]:
        """What the step undoes or starts, in words."""
        return self.edge.hazards if self.edge else ()


class ChangeKind(enum.StrEnum):
    """What a change is, by its most telling step."""

    CREATE = "create"
    UPDATE = "update"
    TRANSITION = "transition"
    DELETE = "delete"
    FORGET = "forget"
    ADOPT = "adopt"  # no call: the plan is on the server, and becomes a file's
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Everything to be done to one plan, and why some of it is not.

    ``refusals`` stop the whole change. ``notices`` are sentences for people (who is next, what was
    left alone). ``live`` is what was observed, ``None`` for a plan to be created. ``error`` is why
    nothing could be decided at all, ``bug`` that planops itself is at fault. ``left`` is what drift
    is about that is not written back (``compare.about``). ``goal`` is who set the goal that it
    moves to, ``touch`` who stopped the plan on the server. ``allowed`` is what the file itself
    allows now, by guard, and ``lapsed`` what it no longer does, with the reason; ``lifted`` are the
    guards that stood against it and that the command line lifts. ``orphan`` is the record of a plan
    whose file is gone; ``plan`` is then what was last applied.
    """

    key: PlanKey
    kind: ChangeKind
    plan: Plan
    live: Live | None
    deltas: tuple[Delta, ...]
    route: Route
    steps: tuple[Step, ...]
    refusals: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()
    error: str = ""
    bug: bool = False
    left: frozenset[str] = frozenset()
    allowed: Mapping[str, Allowance] = field(default_factory=dict)
    lapsed: Mapping[str, str] = field(default_factory=dict)
    lifted: tuple[str, ...] = ()
    orphan: Record | None = None
    goal: Blame | None = None
    touch: Touch | None = None

    @property
    def parked(self) -> bool:
        """Nothing is left for planops, and somebody else is next or stopped it."""
        waits = self.route.standing is Standing.REACHED and self.route.next_actor is not None
        stays = self.route.standing in {Standing.WAITING, Standing.STOPPED, Standing.UNKNOWN}
        return not self.steps and (waits or stays)

    @property
    def acts(self) -> bool:
        """Tell whether the change would write anything."""
        return bool(self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """All changes of one target, in the order of their keys; ``refusals`` stop all of them."""

    target: str
    url: str
    changes: tuple[Change, ...]
    unmanaged: int = 0
    refusals: tuple[Refusal, ...] = ()


def kind_of(steps: tuple[Step, ...]) -> ChangeKind:
    """Name a change after its most telling step."""
    kinds = {step.kind for step in steps}
    for kind in (StepKind.DELETE, StepKind.CREATE, StepKind.UPDATE, StepKind.TRANSITION):
        if kind in kinds:
            return ChangeKind(kind.value)
    return ChangeKind.UNCHANGED


def canonical(value: JSON) -> bytes:
    """Serialise JSON in one form only: sorted keys, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        errors="surrogatepass"
    )


def digest(value: JSON) -> str:
    """Digest a JSON value by its canonical form (hexadecimal SHA-256)."""
    return hashlib.sha256(canonical(value)).hexdigest()


def writes(steps: Sequence[Step], id_: str = NEW_ID) -> list[str]:
    """Digest steps for comparison, a new plan's id filled in."""
    return [
        replace(step.request, path=step.request.path.replace(NEW_ID, id_)).digest()
        for step in steps
    ]


def _edition(live: Live) -> JSON:
    return [live.updated_at, live.updated_by] if live.version is None else live.version


def fingerprint(url: str, change: Change) -> str:
    """Name a change by what it depends on and what it does.

    Covers the target's address, the plan that was observed (id, state, version or, where the server
    counts none, time and author of its last edit, every writable field) and the steps. Equal
    fingerprints: the same writes onto the same ground. 16 hexadecimal digits.
    """
    live = change.live
    ground: JSON = [live.id, live.state, _edition(live), digest(live.spec)] if live else None
    steps: list[JSON] = [
        request.digest()
        for step in change.steps
        for request in (step.request, step.fallback)
        if request is not None
    ]
    return digest([url, str(change.key), ground, steps])[:16]
