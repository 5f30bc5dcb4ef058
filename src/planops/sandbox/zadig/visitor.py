"""Talks to a served sandbox over plain ``http.client``: for tests and demonstrations.

It knows the routes and nothing of what they mean; planops' own client is not used, so that the two
can be compared. Redirects are not followed and nothing is retried.
"""

import contextlib
import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from planops.sandbox.clock import Clock
from planops.sandbox.server import serve
from planops.sandbox.zadig.routes import INTERNAL, OPENAPI
from planops.sandbox.zadig.sandbox import ZadigSandbox
from planops.sandbox.zadig.traits import Generation

MOMENT = 1_700_000_000
_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        """Status and description of a refusal; the body itself when it is no JSON."""
        if not self.body.startswith(b"{"):
            return self.status, self.body.decode()
        return self.status, str(self.json.get("description", self.body.decode()))


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
        method, path = target.split(" ", 1)
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        given = dict(headers or {})
        if who is not None:
            given.setdefault("Authorization", f"Bearer sandbox-{who}-token")
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, sent, given)
            answer = connection.getresponse()
            return Reply(
                status=answer.status,
                headers={key.lower(): value for key, value in answer.getheaders()},
                body=answer.read(),
            )

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
