"""A served BRPM, a target on it, and a plan: what every test of a run against BRPM starts from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from planops.backends.brpm.backend import BrpmBackend
from planops.backends.brpm.lifecycle import dialect
from planops.backends.exchange import Call, Endpoint, Timeouts, Transport
from planops.backends.http import Http
from planops.core.model import Manage, Plan, PlanKey, Source
from planops.manifests.schemas import shape
from planops.run import Target
from planops.sandbox.brpm import BrpmSandbox
from planops.sandbox.brpm.visitor import Visitor
from planops.sandbox.clock import Clock
from planops.sandbox.server import serve
from run.world import AT_EASE, NOW, StillClock, Write, said

ADMIN = "sandbox-admin-token"
PLANS = "/v1/plans"
TEMPLATE = "Sample Deploy Template"
SAMPLE: Mapping[str, Any] = {
    "name": "Sample Plan",
    "description": None,
    "plan_template_name": TEMPLATE,
    "release_name": None,
    "release_manager": "admin",
    "release_date": "2012-10-31",
    "teams": ["AllAccess"],
}
"""The plan of the documentation's samples, as a file would declare it (docs/servers/brpm.md)."""


def plan(
    name: str = "train",
    /,
    *,
    state: str | None = None,
    ignore: tuple[str, ...] = (),
    **spec: Any,
) -> Plan:
    """A plan as a file declares it; its names and its template may be left out."""
    made = {} if "plan_template_id" in spec else {"plan_template_name": TEMPLATE}
    return Plan(
        key=PlanKey(target="prod", name=name),
        kind="BrpmPlan",
        spec={"name": name, **made, **spec},
        state=state,
        manage=Manage(ignore=ignore),
        source=Source(file=f"plans/{name}.yaml"),
    )


def event(id_: str | int, name: str) -> Write:
    """The write that sends an event."""
    return ("PUT", f"{PLANS}/{id_}", {"plan": {"aasm_event": name}})


def attributes(id_: str | int, **fields: Any) -> Write:
    """The write that changes attributes, and no others."""
    return ("PUT", f"{PLANS}/{id_}", {"plan": fields})


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A sandbox, somebody who uses it too, and targets that planops runs against."""

    sandbox: BrpmSandbox
    visitor: Visitor
    clock: StillClock
    stack: contextlib.ExitStack

    @property
    def url(self) -> str:
        return self.visitor.url

    def target(
        self,
        *,
        token: str = ADMIN,
        url: str = "",
        concurrency: int = 1,
        by_name: bool = True,
        lifecycle: Mapping[str, Any] | None = None,
        through: Callable[[Transport], Transport] = lambda inner: inner,
        on_call: Callable[[Call], None] | None = None,
    ) -> Target:
        """A target as the command line would build it, with a clock that never waits."""
        endpoint = Endpoint(
            url=url or self.url,
            query=(("token", token),),
            secrets=(token,),
            concurrency=concurrency,
            max_body=4 * 1024 * 1024,
            timeouts=Timeouts(connect=20.0, read=20.0, total=20.0),
        )
        http = self.stack.enter_context(
            Http(endpoint, self.clock, on_call=on_call, jitter=lambda: 0.0)
        )
        spelt = dialect(lifecycle or {})
        return Target(
            name="prod",
            kind="brpm",
            url=endpoint.url,
            backend=BrpmBackend(through(http), shape("BrpmPlan"), dialect=spelt),
            by_name=by_name,
            limits=AT_EASE,
            concurrency=concurrency,
            digest_key=b"key",
        )

    def plant(self, name: str = "train", **document: Any) -> int:
        """A plan that somebody made in the web interface; its id."""
        return int(self.sandbox.insert_plan({"name": name, **document})["id"])

    def state(self, plan_id: int | str) -> str:
        """A plan's state as the table spells it."""
        return str(self.sandbox.plan(int(plan_id))["aasm_state"])

    def named(self, name: str) -> list[dict[str, Any]]:
        """The server's plans of a name."""
        return [one for one in self.sandbox.plans() if one["name"] == name]

    def writes(self, since: int = 0) -> list[Write]:
        """What the server was asked to write, below its context and without the token."""
        return [
            (one.method, one.path.removeprefix("/brpm").partition("?")[0], said(one))
            for one in self.sandbox.writes[since:]
        ]

    def calls(self) -> list[str]:
        """Every call, below the server's context and without the token."""
        found = [f"{one.method} {one.path.removeprefix('/brpm')}" for one in self.sandbox.received]
        return [one.replace(f"token={ADMIN}", "").rstrip("?&") for one in found]


@contextlib.contextmanager
def world(fixtures: Mapping[str, Any] | None = None, **switches: Any) -> Iterator[World]:
    """A fresh world. A defect of the sandbox raises at the end."""
    sandbox = BrpmSandbox(clock=Clock(NOW), fixtures=fixtures)
    sandbox.switch(**switches)
    with contextlib.ExitStack() as stack:
        stack.callback(sandbox.close)
        url = stack.enter_context(serve(sandbox.app)).url
        visitor = Visitor(sandbox, url)
        yield World(sandbox=sandbox, visitor=visitor, clock=StillClock(), stack=stack)
        if sandbox.defects:
            raise AssertionError(sandbox.defects[0])
