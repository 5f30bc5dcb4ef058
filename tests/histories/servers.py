"""Two servers as a history sees them: fields by name, states, and what people do there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from planops.core.model import Plan
from planops.run import Target
from planops.sandbox.emulated import Emulated
from run import brpm_world, world
from run.world import LATER

Document = dict[str, Any]
Fields = dict[str, Any]
TEAMS = {"AllAccess": 1, "Payments": 2}
MANAGERS = {"alice": 3, "bob": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One kind of server.

    ``values`` are what a field may be, in files and on the server alike; ``forward`` the states
    that a file may want, in order; ``moves`` those that people move a plan to. ``read`` gives the
    fields of a document, ``held`` makes a document's fields of them, ``plan`` a file of them.
    """

    name: str
    sandbox: Emulated[Any]
    target: Callable[[contextlib.ExitStack, Callable[[Any], Any]], Target]
    values: Mapping[str, Sequence[Any]]
    forward: tuple[str, ...]
    moves: tuple[str, ...]
    stopped: frozenset[str]
    over: frozenset[str]
    busy: frozenset[str]
    state: str
    read: Callable[[Document], Fields]
    held: Callable[[Fields], Document]
    plan: Callable[[str, Fields, str | None], Plan]

    def documents(self) -> dict[str, Document]:
        """The plans by id."""
        return {str(one["id"]): one for one in self.sandbox.plans()}

    def edit(self, document: Document, fields: Fields) -> None:
        """Somebody writes into a plan."""
        self.sandbox.edit(document["id"], self.held(fields), "Bob")

    def move(self, document: Document, state: str) -> None:
        """Somebody moves a plan."""
        self.sandbox.edit(document["id"], {self.state: state}, "Bob")


JOBS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("Announce", "a"),),
    (("Announce", "b"),),
    (("Announce", "a"), ("Deploy", "a")),
    (("Announce", "a"), ("Deploy", "b")),
    (("Deploy", "a"),),
    (("Announce", "c"), ("Deploy", "b"), ("More", "a")),
)


def on_zadig(served: world.World) -> Server:
    """A Zadig: text, times, and text jobs."""

    def read(document: Document) -> Fields:
        jobs = tuple((job["name"], job["spec"]["content"]) for job in document["jobs"] or ())
        names = ("name", "description", "end_time")
        return {name: document[name] for name in names} | {"jobs": jobs}

    def held(fields: Fields) -> Document:
        jobs = [world.held_text(name, content) for name, content in fields.get("jobs", ())]
        return fields | ({"jobs": jobs} if "jobs" in fields else {})

    def plan(key: str, fields: Fields, state: str | None) -> Plan:
        jobs: Any = [world.text(name, content=content) for name, content in fields.get("jobs", ())]
        made = world.plan(key, state=state)
        spec = made.spec | fields | ({"jobs": jobs} if "jobs" in fields else {})
        return replace(made, spec=spec)

    return Server(
        name=f"zadig {served.sandbox.generation}",
        sandbox=served.sandbox,
        target=lambda stack, through: replace(served, stack=stack).target(
            by_name=False, through=through
        ),
        values={
            "description": ("", "a", "b", "c"),
            "end_time": (LATER, LATER + 60, LATER + 120),
            "jobs": JOBS,
        },
        forward=("finish_planning", "executing"),
        moves=("planning", "finish_planning", "cancel", "success", "denied"),
        stopped=frozenset({"cancel", "denied"}),
        over=frozenset({"success", "cancel"}),
        busy=frozenset({"executing", "wait_for_approval"}),
        state="status",
        read=read,
        held=held,
        plan=plan,
    )


def on_brpm(served: brpm_world.World) -> Server:
    """A BRPM: text, a day, a person, teams."""
    managers = {id_: name for name, id_ in MANAGERS.items()}
    teams = {id_: name for name, id_ in TEAMS.items()}

    def read(document: Document) -> Fields:
        return {
            "name": document["name"],
            "description": document["description"] or "",
            "release_date": document["release_date"] or "",
            "release_manager": managers.get(document["release_manager_id"], ""),
            "teams": tuple(sorted(teams[id_] for id_ in document["team_ids"])),
        }

    def held(fields: Fields) -> Document:
        made = dict(fields)
        if "release_manager" in made:
            made["release_manager_id"] = MANAGERS[made.pop("release_manager")]
        if "teams" in made:
            made["team_ids"] = [TEAMS[name] for name in made.pop("teams")]
        return made

    def plan(key: str, fields: Fields, state: str | None) -> Plan:
        made = brpm_world.plan(key, state=state)
        spec = fields | ({"teams": [*fields["teams"]]} if "teams" in fields else {})
        return replace(made, spec=made.spec | spec)

    return Server(
        name="brpm",
        sandbox=served.sandbox,
        target=lambda stack, through: replace(served, stack=stack).target(
            by_name=False, through=through
        ),
        values={
            "description": ("", "a", "b", "c"),
            "release_date": ("2026-12-01", "2026-12-24", "2027-01-01"),
            "release_manager": ("alice", "bob"),
            "teams": (("AllAccess",), ("Payments",), ("AllAccess", "Payments")),
        },
        forward=("planned", "started"),
        moves=("created", "planned", "hold", "locked", "cancelled", "complete"),
        stopped=frozenset({"hold", "locked", "cancelled"}),
        over=frozenset({"complete", "cancelled", "archived"}),
        busy=frozenset({"started", "hold", "locked"}),
        state="aasm_state",
        read=read,
        held=held,
        plan=plan,
    )
