"""What both emulated servers have in common, as the contract sees them.

Everything is said out of the sandbox's own store and its record of requests; nothing is asked of
the client.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from planops.backends.exchange import Endpoint, Request, Response, Timeouts, Transport
from planops.backends.http import Http
from planops.core.guards import Limits
from planops.core.model import Manage, Plan, PlanKey, Source
from planops.ports import Backend
from planops.run import Target
from planops.sandbox.emulated import Emulated
from planops.sandbox.faults import Fault
from planops.testing import Lost, Write

NOW = 1_790_000_000
SOON, LATER = NOW + 3_600, NOW + 7_200
TOKEN = "open+sesame/&=%41"
ANY_NUMBER = Limits(share=1.0, floor=1_000)
WAITS = Timeouts(connect=20.0, read=20.0, total=20.0)
PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"

Item = TypeVar("Item")
Result = TypeVar("Result")


class StillClock:
    """A clock that stands, and never waits."""

    def now(self) -> int:
        return NOW

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0


class Through:
    """A transport before the real one."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner

    def read(self, request: Request) -> Response:
        return self.inner.read(request)

    def write(self, request: Request) -> Response:
        return self.inner.write(request)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> tuple[Result, ...]:
        return self.inner.map(function, items)


@dataclass(frozen=True, slots=True)
class AtWrite(Fault):
    """Strikes at the nth request that is no GET."""

    def matches(self, method: str, path: str, route: str) -> bool:  # noqa: ARG002
        return method != "GET"


LOST: dict[Lost, dict[str, Any]] = {
    Lost.BEFORE: {"kind": "drop-before"},
    Lost.AFTER: {"kind": "drop-after"},
    Lost.FAILED: {"kind": "status-after", "status": 502, "body": PAGE},
    Lost.TRUNCATED: {"kind": "truncate"},
}


class Emulation:
    """An emulated server, somebody who uses it, and a backend before it."""

    kind = ""

    def __init__(self, sandbox: Emulated[Any], url: str, stack: contextlib.ExitStack) -> None:
        self.emulated, self.url, self.stack = sandbox, url, stack
        self.http: Http | None = None

    @property
    def now(self) -> int:
        return NOW

    @property
    def token(self) -> str:
        return TOKEN

    def endpoint(self) -> Endpoint:
        raise NotImplementedError

    def backend(self, http: Http) -> Backend:
        raise NotImplementedError

    def target(self) -> Target:
        """A backend that remembers nothing; only the connections are those of the last one."""
        if self.http is None:
            http = Http(self.endpoint(), StillClock(), jitter=lambda: 0.0)
            self.http = self.stack.enter_context(http)
        return Target(
            name="prod",
            kind=self.kind,
            url=self.url,
            backend=self.backend(self.http),
            by_name=True,
            limits=ANY_NUMBER,
            concurrency=1,
            digest_key=b"key",
        )

    def ids(self, name: str) -> tuple[str, ...]:
        return tuple(str(plan["id"]) for plan in self.emulated.plans() if plan["name"] == name)

    def document(self, id_: str) -> object:
        return next(plan for plan in self.emulated.plans() if str(plan["id"]) == id_)

    def calls(self) -> int:
        return len(self.emulated.received)

    def below(self, path: str) -> str:
        """A received path as it is below the target's address."""
        return path

    def writes(self) -> tuple[Write, ...]:
        return tuple(
            Write(
                method=one.method,
                path=self.below(one.path),
                body=json.loads(one.body) if one.body else None,
                made=one.committed,
                refused=one.status is not None and one.status >= 400,
            )
            for one in self.emulated.writes
        )

    def meanwhile(self, deed: Callable[[], object], *, nth: int = 1, after: bool = False) -> None:
        self.fault(AtWrite("edit-after" if after else "edit-before", nth=nth, edit=deed))

    def lose(self, how: Lost, nth: int = 1) -> None:
        self.fault(AtWrite(nth=nth, **LOST[how]))

    def silence(self) -> None:
        self.fault(Fault("status-before", method="GET", status=503, nth=None))

    def heal(self) -> None:
        self.emulated.faults.clear()

    def fault(self, *faults: Fault) -> None:
        self.emulated.faults.add(*faults)

    def answer_lists(self, kind: str = "status-before", **how: Any) -> None:
        """Answer the list of plans like this from now on."""
        self.fault(Fault(kind, path="list", nth=None, **how))

    def fail_lists_after_the_first(self) -> None:
        def begin() -> None:
            self.answer_lists(status=500, body=PAGE)

        self.fault(Fault("edit-after", path="list", edit=begin))


def plan(kind: str, name: str, spec: dict[str, Any]) -> Plan:
    """A plan as a file declares it."""
    return Plan(
        key=PlanKey(target="prod", name="plan"),
        kind=kind,
        spec={"name": name, **spec},
        manage=Manage(),
        source=Source(file="plans/plan.yaml"),
    )
