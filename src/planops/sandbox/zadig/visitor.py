"""Somebody who uses a served sandbox: knows its routes, and nothing of what they mean."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from planops.sandbox.clock import Clock
from planops.sandbox.server import serve
from planops.sandbox.visits import MOMENT, Reply, send
from planops.sandbox.zadig.routes import INTERNAL, OPENAPI
from planops.sandbox.zadig.sandbox import ZadigSandbox
from planops.sandbox.zadig.traits import Generation


class Visitor:
    """Calls a served sandbox, by default as the administrator."""

    def __init__(self, sandbox: ZadigSandbox, url: str) -> None:
        self.sandbox = sandbox
        self.url = url

    def call(
        self,
        target: str,
        body: object = None,
        *,
        who: str | None = "admin",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send ``METHOD /path``; bytes go as they are, anything else as JSON."""
        given = dict(headers or {})
        if who is not None:
            given.setdefault("Authorization", f"Bearer sandbox-{who}-token")
        return send(self.url.removeprefix("http://"), target, body, given)

    def create(self, **given: object) -> str:
        """Create a plan; its id."""
        body = {"name": "Train", "manager": "patrick", **given}
        return str(self.call(f"POST {OPENAPI}", body).json["id"])

    def update(self, plan_id: str, *, who: str = "admin", **given: object) -> Reply:
        """PATCH a plan."""
        body = {"name": "Train", "manager": "patrick", **given}
        return self.call(f"PATCH {OPENAPI}/{plan_id}", body, who=who)

    def get(self, plan_id: str) -> Any:  # noqa: ANN401 - any JSON value
        """A plan as the documented route shows it."""
        return self.call(f"GET {OPENAPI}/{plan_id}").json

    def list(self, query: str = "pageNum=1&pageSize=100") -> Reply:
        """The documented list."""
        return self.call(f"GET {OPENAPI}?{query}")

    def inside(self, target: str, body: object = None, *, who: str | None = "admin") -> Reply:
        """Call a route of the web interface: ``METHOD /rest``."""
        method, rest = target.split(" ", 1)
        return self.call(f"{method} {INTERNAL}{rest}", body, who=who)

    def move(self, plan_id: str, *targets: str, who: str = "admin") -> Reply:
        """Ask for one status after another; the last answer."""
        replies = [self.inside(f"POST /{plan_id}/status/{target}", who=who) for target in targets]
        return replies[-1]

    def edit(self, plan_id: str, verb: str, spec: object = None, *, who: str = "admin") -> Reply:
        """PUT with a verb."""
        return self.inside(f"PUT /{plan_id}", {"verb": verb, "spec": spec}, who=who)


@contextlib.contextmanager
def visiting(
    generation: Generation = "5.0", sandbox: ZadigSandbox | None = None
) -> Iterator[Visitor]:
    """A visitor of a fresh sandbox whose clock stands still. A defect of it raises at the end."""
    visited = sandbox or ZadigSandbox(generation=generation, clock=Clock(MOMENT))
    with contextlib.ExitStack() as stack:
        if sandbox is None:
            stack.callback(visited.close)
        yield Visitor(visited, stack.enter_context(serve(visited.app)).url)
        if visited.defects:
            raise AssertionError(visited.defects[0])
