"""BRPM's plan lifecycle as data (docs/servers/brpm.md §5).

From which state an event leads where is documented nowhere, so the table is a default that a
target's settings may change: the spelling of states, the names of events, the edges themselves.
Every event is checked by looking at the plan after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from planops.core.lifecycle import Edge, EditRule, Lifecycle

PATH = ("created", "planned", "started", "complete", "archived")
ASIDE = ("hold", "locked", "cancelled")
STATES = (*PATH, *ASIDE)
PLAN_IT, PLAN = "plan_it", "plan"
"""The first event as every known client sends it, and as the documentation has it (§5.2)."""

SPELLINGS: Mapping[str, str] = {
    "canceled": "cancelled",
    "completed": "complete",
    "finished": "complete",
    "on_hold": "hold",
}
_PREFIXES = ("plan_", "on_")

EVENTS: Sequence[tuple[str, tuple[str, ...], str]] = (
    (PLAN_IT, ("created",), "planned"),
    ("start", ("planned", "hold", "locked"), "started"),
    ("lock", ("planned", "started"), "locked"),
    ("put_on_hold", ("started",), "hold"),
    ("finish", ("started",), "complete"),
    ("archive", ("complete",), "archived"),
    ("cancel", ("created", "planned", "started", "hold"), "cancelled"),
)
REMOVABLE = ("created", "cancelled", "archived")
"""The states in which a plan can be deleted (§5.3, §5.4)."""

_HAZARDS = {
    "planned": ("opens the plan's requests for planning",),
    "started": ("opens the plan: people may run its requests",),
    "locked": ("locks the plan: its requests can no longer be run",),
    "hold": ("stops the plan until it is started again",),
    "complete": ("closes the plan: nothing of it can be changed afterwards",),
    "archived": ("takes the plan out of the lists for good",),
    "cancelled": ("cancels the plan for good",),
}
_OVER = "nothing of a plan can be changed once it is {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one server spells the lifecycle, where it differs from the default.

    ``states`` maps the server's spellings to those of the table, ``events`` the table's events to
    the server's, ``edges`` replaces the table of events: event, states that it leads from, state
    that it leads to.
    """

    states: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    edges: Sequence[tuple[str, tuple[str, ...], str]] = EVENTS

    def state(self, spelt: str) -> str:
        """Give a state as the table spells it; one that it does not know stays as it is (§5.5)."""
        if spelt in self.states:
            return self.states[spelt]
        for known in (spelt, SPELLINGS.get(spelt, "")):
            if known in STATES:
                return known
        for prefix in _PREFIXES:
            bare = spelt.removeprefix(prefix)
            known = SPELLINGS.get(bare, bare)
            if bare != spelt and known in STATES:
                return known
        return spelt

    def spellings(self, state: str, seen: Iterable[str]) -> tuple[str, ...]:
        """Give the ways in which this server may spell a state, by the settings and by its others.

        A server that spells its other states with a prefix spells this one so (§5.5).
        """
        prefixes = {
            prefix
            for spelt in seen
            for prefix in _PREFIXES
            if spelt not in self.states and spelt.startswith(prefix) and self.state(spelt) != spelt
        }
        given = (spelt for spelt, meant in self.states.items() if meant == state)
        return tuple(dict.fromkeys((state, *given, *(f"{one}{state}" for one in sorted(prefixes)))))

    def event(self, event: str) -> str:
        """Give an event as this server spells it."""
        return self.events.get(event, event)

    def alternative(self, event: str) -> str | None:
        """Give the other spelling of an event, where the settings do not say which it is (§5.2)."""
        return PLAN if event == PLAN_IT and PLAN_IT not in self.events else None


def dialect(settings: Mapping[str, Any]) -> Dialect:
    """Read a dialect from the ``lifecycle`` of a target's checked settings."""
    edges = tuple(
        (edge["event"], tuple(edge["from"]), edge["to"]) for edge in settings.get("edges", ())
    )
    return Dialect(
        states=settings.get("states", {}),
        events=settings.get("events", {}),
        edges=edges or EVENTS,
    )


def lifecycle(spelt: Dialect) -> Lifecycle:
    """Build the lifecycle of one server."""
    over = {state: EditRule(refusal=_OVER.format(state)) for state in ("complete", "archived")}
    return Lifecycle(
        path=PATH,
        edges=tuple(
            Edge(source=source, target=target, event=event, hazards=_HAZARDS.get(target, ()))
            for event, sources, target in spelt.edges
            for source in sources
        ),
        edits={
            **{state: EditRule(lands=state) for state in (*PATH[:3], "hold", "locked")},
            **over,
            "cancelled": EditRule(refusal=_OVER.format("cancelled")),
        },
        off_path=frozenset(ASIDE),
        finished=frozenset({"archived", "cancelled"}),
        busy=frozenset({"started", "hold", "locked"}),
    )


LIFECYCLE = lifecycle(Dialect())
