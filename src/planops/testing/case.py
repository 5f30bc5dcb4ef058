"""What a backend's author brings along: plans of the kind, and a server to run them against.

A ``Case`` is data and can be made while tests are collected; nothing is started before its ``open``
is called. Whatever a ``Server`` says about a plan must come from the server itself, never from the
backend that is tested: the two are compared.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from planops.core.model import ABSENT, JSON, Plan, Value
from planops.run import Target

Held: TypeAlias = "Mapping[str, Value]"
"""What a server holds of a plan's writable fields, by the paths that deltas have.

``ABSENT`` in what is expected says that nothing may be there.
"""


class Lost(enum.StrEnum):
    """How the answer to a write is lost; all but the first lose it after the write was made."""

    BEFORE = "dropped before"
    AFTER = "dropped after"
    FAILED = "a 5xx after"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write as the server received it.

    ``path`` is below the target's address and has no token in it. ``made`` tells whether it changed
    anything, ``refused`` whether the server answered no.
    """

    method: str
    path: str
    body: JSON
    made: bool
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A plan as a file declares it, and what the server must hold once it is in force."""

    plan: Plan
    holds: Held


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change to a plan's file: the file before and after, and what it must come to.

    ``paths`` are those of the deltas, all of them. ``holds`` is everything that the server must
    hold at and below these paths afterwards, and whatever else changes along with them. ``alone``
    is a file that declares no more than what changed; without it, that is worked out by top-level
    fields.
    """

    before: Plan
    after: Plan
    paths: tuple[str, ...]
    holds: Held
    alone: Plan | None = None

    @property
    def changed(self) -> dict[str, JSON]:
        """The top-level fields that the edit changes, as they are afterwards."""
        before, after = self.before.spec, self.after.spec
        return {name: after[name] for name in after if after[name] != before.get(name, ABSENT)}


NO_IDS: Final = (
    "", " ", ".", "..", "../users", "1/../2", "1/2", "1?x=1", "1#x", "%2e%2e", "a b", "1\n", "-1",
    "1e3", "\uff11", "\u0661", "null", "{id}", "1;2", "x" * 5_000,
)  # fmt: skip
"""What can be no id of any server that numbers or hashes its plans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that the contract needs to know of one kind of server.

    ``minimal`` declares as little as may be, ``full`` every field; ``others`` are further plans
    worth making (by ids instead of names, another form of a field). ``edits`` change one field of a
    plan, and the first two of them scalars of one file that others may edit as well; ``clears`` set
    fields to ``null`` or empty. ``spellings`` are two files that mean the same. ``refused`` are
    edits that the server cannot make, or not without losing something. ``wrong`` are plans that
    name what the server does not have.

    ``goal`` is a state that planops reaches from the first one by itself, in two steps or more,
    with the plan ``walker``, and ``ahead`` a state beyond it. ``stops`` are states that somebody
    takes a plan through to stop it, the last of each being where it stays. ``removable`` are the
    states in which a plan can be removed, ``kept`` those in which it cannot.

    ``hidings`` name the ways in which ``Server.hide`` can withhold part of the list of plans.
    ``counts`` tells that the server counts the edits of a plan.
    """

    open: Callable[[], AbstractContextManager[Server]]
    minimal: Sample
    full: Sample
    edits: Mapping[str, Edit]
    clears: Mapping[str, Edit]
    wrong: Mapping[str, Plan]
    walker: Plan
    goal: str
    ahead: str
    stops: tuple[tuple[str, ...], ...]
    removable: tuple[str, ...]
    hidings: tuple[str, ...]
    kept: tuple[str, ...] = ()
    others: Mapping[str, Sample] = field(default_factory=dict)
    spellings: Mapping[str, tuple[Plan, Plan]] = field(default_factory=dict)
    refused: Mapping[str, Edit] = field(default_factory=dict)
    counts: bool = False
    unknown: str = "quiescing"
    no_ids: tuple[str, ...] = NO_IDS


class Server(Protocol):
    """A server of its own for one check, a backend for it, and somebody else who uses it."""

    @property
    def now(self) -> int:
        """The time of day at the server, in unix seconds."""
        ...

    @property
    def token(self) -> str:
        """The secret that every call carries."""
        ...

    def target(self) -> Target:
        """Give a target with a backend of its own, as a new process would build it.

        It goes by names, and its clock never waits.
        """
        ...

    # What can be seen from outside.

    def ids(self, name: str) -> tuple[str, ...]:
        """Give the ids of the plans of exactly this name, oldest first."""
        ...

    def held(self, id_: str) -> Held:
        """Say what the server holds of a plan's writable fields."""
        ...

    def state(self, id_: str) -> str:
        """Name a plan's state as the lifecycle's table spells it."""
        ...

    def document(self, id_: str) -> object:
        """Give all that the server stores of a plan: it changes with every write, however small."""
        ...

    def calls(self) -> int:
        """Count the calls that were received, reads included."""
        ...

    def writes(self) -> tuple[Write, ...]:
        """Give every write that was received, in the order of arrival."""
        ...

    # What somebody else does.

    def insert(self, name: str) -> str:
        """Make a plan with every field set, in its first state; give its id.

        The server's own rule about equal names does not hold here.
        """
        ...

    def edit(self, id_: str, path: str) -> None:
        """Change the scalar field at this path to something else than it is, or any file says."""
        ...

    def touch(self, id_: str) -> None:
        """Save a plan as it is: only its version, or the time of its last edit, is another."""
        ...

    def move(self, id_: str, state: str) -> None:
        """Take a plan to a state, by whatever way; to ``Case.unknown`` as well."""
        ...

    def meanwhile(self, deed: Callable[[], object], *, nth: int = 1, after: bool = False) -> None:
        """Do something right before, or right after, the nth write from now is processed."""
        ...

    # What goes wrong.

    def lose(self, how: Lost, nth: int = 1) -> None:
        """Lose the answer to the nth write from now."""
        ...

    def refuse(self, text: str) -> None:
        """Refuse the next write without making it, and give this text as the reason."""
        ...

    def stick(self, id_: str) -> None:
        """Accept every transition of a plan from now on, and make none."""
        ...

    def hide(self, how: str) -> None:
        """Withhold part of the list, so that nobody can tell whether it is all."""
        ...

    def scatter(self, id_: str) -> None:
        """Give the list of plans in pieces from now on, this plan not in the first of them."""
        ...

    def silence(self) -> None:
        """Answer every read with a failure of the server from now on."""
        ...

    def heal(self) -> None:
        """Call off all of the above that has not happened yet."""
        ...


def named(plan: Plan, name: str) -> Plan:
    """Give the same plan with another display name."""
    return Plan(
        key=plan.key,
        kind=plan.kind,
        spec=plan.spec | {"name": name},
        state=plan.state,
        labels=plan.labels,
        manage=plan.manage,
        source=plan.source,
    )


def below(path: str, above: str) -> bool:
    """Tell whether a path is another one, or leads into it."""
    return path == above or path.startswith(f"{above}/")
