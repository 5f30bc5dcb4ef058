"""BRPM as the contract sees it: plans of its kind, and the sandbox as a server."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode

from contract.emulated import (
    NOW,
    PAGE,
    TOKEN,
    WAITS,
    AtWrite,
    Emulation,
    plan,
)
from planops.backends.brpm.backend import BrpmBackend
from planops.backends.exchange import Endpoint, Transport
from planops.backends.http import Http
from planops.core.model import JSON, Plan
from planops.manifests.schemas import shape
from planops.ports import Backend
from planops.sandbox.brpm import BrpmSandbox, Switches
from planops.sandbox.clock import Clock
from planops.sandbox.faults import Fault
from planops.sandbox.server import serve
from planops.testing import Case, Edit, Held, Sample, Server

TEMPLATE = "Sample Deploy Template"
HABITS: Mapping[str, Switches] = {
    "as-usual": Switches(),
    "as-documented": Switches(
        plan_event="plan",
        empty="null",
        filters="loose",
        delete_status=202,
        states={
            "created": "plan_created",
            "complete": "completed",
            "cancelled": "canceled",
            "hold": "on_hold",
        },
    ),
    "without-filters": Switches(
        plan_event="both", empty="[]", filters="ignored", hide_archived=False, delete_status=204
    ),
}
"""Switches of the sandbox: what the sources leave open (docs/servers/brpm.md §8.1)."""
COLUMNS = ("name", "description", "plan_template_id", "release_id", "release_manager_id")

file = partial(plan, "BrpmPlan")


# ----------------------------------------------------------------------------------------- plans

MINIMAL = file("Minimal", {"plan_template_name": TEMPLATE})
FULL = file(
    "Full",
    {
        "description": "All of it",
        "plan_template_name": TEMPLATE,
        "release_name": "E-Finance 1.0",
        "release_manager": "patrick",
        "release_date": "2026-12-01",
        "teams": ["Payments", "AllAccess"],
    },
)
BY_ID = replace(
    FULL,
    spec={
        "name": "Full",
        "description": "All of it",
        "plan_template_id": 1,
        "release_id": 1,
        "release_manager_id": 2,
        "release_date": "2026-12-01",
        "team_ids": [2, 1],
    },
)
HELD: dict[str, JSON] = {
    "/spec/name": "Full",
    "/spec/description": "All of it",
    "/spec/plan_template_id": 1,
    "/spec/release_id": 1,
    "/spec/release_manager_id": 2,
    "/spec/release_date": "2026-12-01",
    "/spec/team_ids": [1, 2],
}
HELD_MINIMAL: dict[str, JSON] = {
    "/spec/name": "Minimal",
    "/spec/description": None,
    "/spec/plan_template_id": 1,
    "/spec/release_id": None,
    "/spec/release_manager_id": None,
    "/spec/release_date": None,
    "/spec/team_ids": [],
}


def with_(before: Plan = FULL, /, **spec: JSON) -> Plan:
    return replace(before, spec=before.spec | spec)


def edit(name: str, value: JSON, held: JSON, at: str = "", before: Plan = FULL) -> Edit:
    """One field changed; ``at`` is the field that the server keeps it in."""
    alone: dict[str, JSON] = {"name": "Full", "plan_template_id": 1, name: value}
    return Edit(
        before=before,
        after=with_(before, **{name: value}),
        paths=(f"/spec/{name}",),
        holds={f"/spec/{at or name}": held},
        alone=replace(before, spec=alone),
    )


EDITS: dict[str, Edit] = {
    "description": edit("description", "Some of it & <b>more</b>", "Some of it & <b>more</b>"),
    "release_date": edit("release_date", "2027-01-31", "2027-01-31"),
    "release_name": edit("release_name", "E-Finance 1.1", 2, "release_id"),
    "release_manager": edit("release_manager", "alice", 3, "release_manager_id"),
    "other teams": edit("teams", ["Checkout", "Payments"], [2, 3], "team_ids"),
    "a team more": edit("teams", ["Payments", "Checkout", "AllAccess"], [1, 2, 3], "team_ids"),
    "a team less": edit("teams", ["Payments"], [2], "team_ids"),
    "release_id": edit("release_id", 2, 2, before=BY_ID),
    "release_manager_id": edit("release_manager_id", 4, 4, before=BY_ID),
    "team_ids": edit("team_ids", [3], [3], before=BY_ID),
}
CLEARS: dict[str, Edit] = {
    "description null": edit("description", None, None),
    "description empty": edit("description", "", None),
    "release_date null": edit("release_date", None, None),
    "release_name null": edit("release_name", None, None, "release_id"),
    "release_manager null": edit("release_manager", None, None, "release_manager_id"),
    "teams null": edit("teams", None, [], "team_ids"),
    "teams empty": edit("teams", [], [], "team_ids"),
    "release_id null": edit("release_id", None, None, before=BY_ID),
    "release_manager_id null": edit("release_manager_id", None, None, before=BY_ID),
    "team_ids empty": edit("team_ids", [], [], before=BY_ID),
}


# ---------------------------------------------------------------------------------------- server


class BrpmServer(Emulation):
    """A sandbox of BRPM."""

    kind = "brpm"

    def __init__(
        self, sandbox: BrpmSandbox, url: str, stack: contextlib.ExitStack, build: Build
    ) -> None:
        super().__init__(sandbox, url, stack)
        self.sandbox, self.build = sandbox, build

    def endpoint(self) -> Endpoint:
        return Endpoint(
            url=self.url,
            query=(("token", TOKEN),),
            secrets=(TOKEN,),
            concurrency=1,
            timeouts=WAITS,
        )

    def backend(self, http: Http) -> Backend:
        return self.build(http)

    def below(self, path: str) -> str:
        way, _, query = path.removeprefix(self.sandbox.context).partition("?")
        asked = [pair for pair in parse_qsl(query) if pair != ("token", TOKEN)]
        return f"{way}?{urlencode(asked)}" if asked else way

    def held(self, id_: str) -> Held:
        stored = self.sandbox.plan(int(id_))
        held: dict[str, JSON] = {f"/spec/{name}": stored[name] for name in COLUMNS}
        held["/spec/release_date"] = stored["release_date"]
        held["/spec/team_ids"] = sorted(stored["team_ids"])
        held["/spec/description"] = stored["description"] or None
        return held

    def state(self, id_: str) -> str:
        return str(self.sandbox.plan(int(id_))["aasm_state"])

    def insert(self, name: str) -> str:
        document = {
            "name": name,
            "description": "Theirs",
            "plan_template_id": 2,
            "release_id": 2,
            "release_manager_id": 3,
            "release_date": "2026-11-11",
            "team_ids": [3],
        }
        return str(self.sandbox.insert_plan(document)["id"])

    def change(self, id_: str, change: Mapping[str, Any]) -> None:
        self.sandbox.clock.advance(60)
        self.sandbox.edit(int(id_), change)

    def edit(self, id_: str, path: str) -> None:
        theirs = {
            "/spec/description": "Edited in the browser",
            "/spec/release_date": "2028-02-29",
        }
        self.change(id_, {path.removeprefix("/spec/"): theirs[path]})

    def touch(self, id_: str) -> None:
        self.change(id_, {})

    def move(self, id_: str, state: str) -> None:
        self.change(id_, {"aasm_state": state})

    def refuse(self, text: str) -> None:
        body = json.dumps({"release_date": [text]}).encode()
        self.fault(AtWrite("status-before", status=422, body=body))

    def stick(self, id_: str) -> None:
        self.sandbox.stick(int(id_))

    def hide(self, how: str) -> None:
        HIDINGS[how](self)

    def scatter(self, id_: str) -> None:
        self.move(id_, "archived")

    def heal(self) -> None:
        super().heal()
        self.sandbox.unstick()


def _all(**how: Any) -> Callable[[BrpmServer], None]:
    """Every list answers like this, that of users too."""
    return lambda server: server.fault(Fault("status-before", method="GET", nth=None, **how))


def _rows(*rows: JSON) -> Callable[[BrpmServer], None]:
    body = json.dumps(rows).encode()
    return lambda server: server.answer_lists(status=200, body=body)


HIDINGS: Mapping[str, Callable[[BrpmServer], None]] = {
    "a wrong address": _all(status=404, body=PAGE),
    "null everywhere": _all(status=200, body=b"null"),
    "nothing everywhere": _all(status=200, body=b"[]"),
    "no right": _all(status=403, body=b"<errors/>"),
    "no right to list plans": lambda server: server.answer_lists(status=403),
    "a page for people": lambda server: server.answer_lists("html"),
    "a failure": lambda server: server.answer_lists(status=500, body=PAGE),
    "a proxy's error": lambda server: server.answer_lists(status=502, body=PAGE),
    "cut JSON": lambda server: server.answer_lists("garbage-json"),
    "a cut answer": lambda server: server.answer_lists("truncate"),
    "archived plans that fail": lambda server: server.fail_lists_after_the_first(),
    "no list": lambda server: server.answer_lists(status=200, body=b'{"plans":[]}'),
    "a list of numbers": _rows(1, 2),
    "a row without an id": _rows({"name": "Minimal"}),
    "a row without a name": _rows({"id": 77}),
}


Build: TypeAlias = Callable[[Transport], Backend]
"""Makes a backend on a transport; a broken one, where that is wanted."""


def sound(http: Transport) -> Backend:
    """The backend as it is."""
    return BrpmBackend(http, shape("BrpmPlan"))


@contextlib.contextmanager
def _opened(switches: Switches, build: Build) -> Iterator[Server]:
    sandbox = BrpmSandbox(clock=Clock(NOW), switches=switches)
    sandbox.issue_token("admin", TOKEN)
    with contextlib.ExitStack() as stack:
        stack.callback(sandbox.close)
        url = stack.enter_context(serve(sandbox.app)).url
        yield BrpmServer(sandbox, f"{url}{sandbox.context}", stack, build)
        assert not sandbox.defects, sandbox.defects[0]


def brpm(switches: Switches | None = None, build: Build = sound) -> Case:
    """The case of a server with these habits, with a backend that may be broken."""
    habits = switches or Switches()
    wrong: dict[str, dict[str, JSON]] = {
        "template": {"plan_template_name": "No Template"},
        "template's case": {"plan_template_name": TEMPLATE.lower()},
        "release": {"plan_template_name": TEMPLATE, "release_name": "E-Finance"},
        "release's case": {"plan_template_name": TEMPLATE, "release_name": "e-finance 1.0"},
        "manager": {"plan_template_name": TEMPLATE, "release_manager": "patric"},
        "part of a manager": {"plan_template_name": TEMPLATE, "release_manager": "example"},
        "team": {"plan_template_name": TEMPLATE, "teams": ["Payments", "Billing"]},
        "team's case": {"plan_template_name": TEMPLATE, "teams": ["payments"]},
    }
    return Case(
        open=lambda: _opened(habits, build),
        minimal=Sample(plan=MINIMAL, holds=HELD_MINIMAL),
        full=Sample(plan=FULL, holds=HELD),
        others={"by ids": Sample(plan=BY_ID, holds=HELD)},
        edits=EDITS,
        clears=CLEARS,
        spellings={
            "names and ids": (FULL, BY_ID),
            "ids and names": (BY_ID, FULL),
            "the teams' order": (FULL, with_(teams=["AllAccess", "Payments"])),
            "a login and an address": (FULL, with_(release_manager="Patrick@Example.com")),
            "blanks": (FULL, with_(description="  All of it\n")),
            "null and empty": (with_(description=None), with_(description="")),
        },
        refused={
            "template by name": Edit(
                before=FULL,
                after=with_(plan_template_name="Hotfix Template"),
                paths=("/spec/plan_template_name",),
                holds=HELD,
            ),
            "template by id": Edit(
                before=BY_ID,
                after=with_(BY_ID, plan_template_id=2),
                paths=("/spec/plan_template_id",),
                holds=HELD,
            ),
        },
        wrong={name: file("Wrong", spec) for name, spec in wrong.items()},
        walker=file("Walker", {"plan_template_name": TEMPLATE}),
        goal="started",
        ahead="complete",
        stops=(("hold",), ("planned", "locked"), ("cancelled",)),
        removable=("created", "planned", "started", "hold", "archived", "cancelled"),
        kept=("locked", "complete"),
        hidings=tuple(HIDINGS),
    )
