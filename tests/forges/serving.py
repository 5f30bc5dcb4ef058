"""A forge's server on loopback: reads a request, lets what was asked for go wrong, answers.

The classes of forges fill in ``answer``. Rate limits are those of the documentation: a secondary
one comes with ``Retry-After`` or without, a primary one with the time of its reset.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode

from planops.sandbox.server import serve

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer; ``raw`` instead of JSON where it is set."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    def encoded(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return b"" if self.status == 204 else json.dumps(self.body).encode()


@dataclass(slots=True)
class Fault:
    """Strikes so many times at requests of a method whose path holds a part.

    ``answer`` comes instead of the forge's; with ``done`` it comes after the work was done. No
    answer at all is a connection that is cut.
    """

    method: str
    part: str
    answer: Answer | None
    done: bool = False
    times: int = 1


@dataclass(slots=True)
class Meanwhile:
    """Something that somebody else does just before the n-th request of a kind is answered."""

    method: str
    part: str
    does: Callable[[], object]
    turn: int = 1


class Forge:
    """What the servers have in common."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.meanwhile: list[Meanwhile] = []
        self.faults: list[Fault] = []
        self.url = ""
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def fail(
        self, method: str, part: str, answer: Answer | None, *, done: bool = False, times: int = 1
    ) -> None:
        self.faults.append(Fault(method, part, answer, done=done, times=times))

    def writes(self) -> list[str]:
        """Name the calls that change something, in their order."""
        reads = {"GET"}
        return [str(a) for a in self.asked if a.method not in reads and "graphql" not in a.path]

    def page(self, asked: Asked, rows: Sequence[Any], path: str) -> Answer:
        """Give one page, and say by ``Link`` where the next one is."""
        size = min(int(asked.query.get("per_page", "30")), 100)
        page = int(asked.query.get("page", "1"))
        found = list(rows[(page - 1) * size : page * size])
        links = []
        if page > 1:
            links.append(self._link(asked, path, page - 1, "prev"))
        if page * size < len(rows):
            links.append(self._link(asked, path, page + 1, "next"))
        links.append(self._link(asked, path, 1, "first"))
        return Answer(body=found, headers={"Link": ", ".join(links)})

    def _link(self, asked: Asked, path: str, page: int, rel: str) -> str:
        query = urlencode({**asked.query, "page": str(page)})
        return f'<{self.url}{path}?{query}>; rel="{rel}"'

    def _serve(self, asked: Asked) -> Answer | None:
        with self._lock:
            self.asked.append(asked)
            for other in self.meanwhile:
                if other.method == asked.method and other.part in asked.path:
                    other.turn -= 1
                    if other.turn == 0:
                        other.does()
            for fault in self.faults:
                if fault.times and fault.method == asked.method and fault.part in asked.path:
                    fault.times -= 1
                    if fault.done:
                        self.answer(asked)
                    return fault.answer
            return self.answer(asked)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> object:
        if scope["type"] != "http":
            return None
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        asked = Asked(
            method=scope["method"],
            path=unquote(scope["raw_path"].decode().partition("?")[0]),
            query=dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
            headers={name.decode().lower(): value.decode() for name, value in scope["headers"]},
            body=json.loads(body) if body else None,
        )
        answer = self._serve(asked)
        if answer is None:
            return "closed"
        data = answer.encoded()
        kind = "text/html" if answer.raw is not None else "application/json"
        headers = {"Content-Type": kind, "Content-Length": str(len(data)), **answer.headers}
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        await send({"type": "http.response.body", "body": data})
        return None


@contextmanager
def serving(forge: Forge) -> Iterator[None]:
    with serve(forge) as server:
        forge.url = server.url
        yield
