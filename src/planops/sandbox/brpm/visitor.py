"""Somebody who uses a served sandbox: knows its routes, and nothing of what they mean."""

import contextlib
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

from planops.sandbox.brpm.sandbox import BrpmSandbox
from planops.sandbox.clock import Clock
from planops.sandbox.server import serve
from planops.sandbox.visits import MOMENT, Reply, send

PLANS = "/v1/plans"
JSON = "application/json"
XML = "application/xml"


class Visitor:
    """Calls a served sandbox below its context, by default as the administrator, in JSON."""

    def __init__(self, sandbox: BrpmSandbox, url: str) -> None:
        self.sandbox = sandbox
        self.host = url.removeprefix("http://")
        self.url = f"{url}{sandbox.context}"

    def call(
        self,
        target: str,
        body: object = None,
        *,
        who: str | None = "admin",
        accept: str | None = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send ``METHOD /v1/…`` with a user's token; bytes go as they are, the rest as JSON."""
        method, path = target.split(" ", 1)
        if who is not None:
            path += f"{'&' if '?' in path else '?'}token=sandbox-{who}-token"
        given = {} if accept is None else {"Accept": accept}
        if body is not None:
            given["Content-Type"] = JSON
        return self.send(
            f"{method} {self.sandbox.context}{path}", body, {**given, **(headers or {})}
        )

    def send(
        self, target: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send ``METHOD /path`` exactly as it is spelt, with these headers and no token."""
        return send(self.host, target, body, headers)

    def list(self, **filters: str) -> Reply:
        """The plans that these filters leave."""
        pairs = {f"filters[{key}]": value for key, value in filters.items()}
        return self.call(f"GET {PLANS}?{urllib.parse.urlencode(pairs)}")

    def get(self, plan_id: int) -> Any:  # noqa: ANN401 - any JSON value
        """A plan in the show shape."""
        return self.call(f"GET {PLANS}/{plan_id}").json

    def post(self, **given: object) -> Reply:
        """Create a plan, by default named Train and of the sample template."""
        plan = {"name": "Train", **given}
        if not {"plan_template_id", "plan_template_name"} & plan.keys():
            plan["plan_template_id"] = 1
        return self.call(f"POST {PLANS}", {"plan": plan})

    def create(self, **given: object) -> int:
        """Create a plan; its id."""
        return int(self.post(**given).json["id"])

    def put(self, plan_id: int, **given: object) -> Reply:
        """Change a plan."""
        return self.call(f"PUT {PLANS}/{plan_id}", {"plan": given})

    def move(self, plan_id: int, *events: str) -> Reply:
        """Send one event after another; the last answer."""
        return [self.put(plan_id, aasm_event=event) for event in events][-1]

    def delete(self, plan_id: int) -> Reply:
        """Delete a plan."""
        return self.call(f"DELETE {PLANS}/{plan_id}")


@contextlib.contextmanager
def visiting(sandbox: BrpmSandbox | None = None, **switches: Any) -> Iterator[Visitor]:  # noqa: ANN401 - each switch has its own type
    """A visitor of a fresh sandbox whose clock stands still. A defect of it raises at the end."""
    visited = sandbox or BrpmSandbox(clock=Clock(MOMENT))
    visited.switch(**switches)
    with contextlib.ExitStack() as stack:
        if sandbox is None:
            stack.callback(visited.close)
        yield Visitor(visited, stack.enter_context(serve(visited.app)).url)
        if visited.defects:
            raise AssertionError(visited.defects[0])
