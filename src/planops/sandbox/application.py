"""The ASGI application: reads a request, lets faults strike, answers.

To close the connection without a (complete) answer it returns a value, as ``server.serve`` wants.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest

from planops.sandbox.control import PREFIX
from planops.sandbox.emulated import Emulated
from planops.sandbox.faults import AFTER, BEFORE, Fault
from planops.sandbox.messages import HTML_TYPE, JSON_TYPE, Answer, Request

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

CLOSED = "closed"
_PAGE = b"<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>\n"
_CHUNK = b" " * 65536
_BODILESS = frozenset({204, 304})


class Application:
    """Serves one sandbox, and its control surface."""

    def __init__(self, sandbox: Emulated[Any], control: Callable[[Request], Answer]) -> None:
        self._sandbox = sandbox
        self._control = control

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> object:
        """One ASGI connection; a value returned means: close without more."""
        if scope["type"] != "http":
            return None
        try:
            request = await _read(scope, receive)
        except ClientDisconnect:
            return CLOSED
        if request.path.startswith(PREFIX):
            return await _send(send, self._control(request))
        number = self._sandbox.arrive(request)
        return await self._serve(request, number, receive, send)

    async def _serve(
        self, request: Request, number: int, receive: "Receive", send: "Send"
    ) -> object:
        route = self._sandbox.route_name(request)
        faults = self._sandbox.faults.take(request.method, request.path, route)
        await _wait(faults, "delay-before")
        first = _first(faults, BEFORE)
        if first is not None:
            instead = _instead(first)
            status = None if instead is None else instead.status
            self._sandbox.depart(number, status=status, committed=False)
            return CLOSED if instead is None else await _send(send, instead)
        answer, committed = self._process(request, faults)
        last = _first(faults, AFTER)
        status = _status_after(last, answer)
        self._sandbox.depart(number, status=status, committed=committed)
        await _wait(faults, "delay")
        if last is None:
            return await _send(send, answer)
        return await _strike(last, answer, receive, send)

    def _process(self, request: Request, faults: Sequence[Fault]) -> tuple[Answer, bool]:
        self._edit(faults, "edit-before")
        processed = self._sandbox.answer(request, faults)
        self._edit(faults, "edit-after")
        return processed

    def _edit(self, faults: Sequence[Fault], kind: str) -> None:
        for fault in faults:
            if fault.kind == kind and fault.edit is not None:
                self._sandbox.attempt(fault.edit)


async def _read(scope: "Scope", receive: "Receive") -> Request:
    http = HttpRequest(scope, receive)
    return Request(
        method=http.method,
        path=str(scope["path"]),
        raw_path=bytes(scope["raw_path"]).decode("latin-1"),
        query_text=bytes(scope["query_string"]).decode("latin-1"),
        headers={key.lower(): value for key, value in http.headers.items()},
        body=await http.body(),
    )


def _first(faults: Sequence[Fault], kinds: frozenset[str]) -> Fault | None:
    return next((fault for fault in faults if fault.kind in kinds), None)


async def _wait(faults: Sequence[Fault], kind: str) -> None:
    for fault in faults:
        if fault.kind == kind:
            await asyncio.sleep(fault.seconds)


def _instead(fault: Fault) -> Answer | None:
    """The answer in place of the server's, before anything is processed."""
    match fault.kind:
        case "drop-before":
            return None
        case "redirect":
            return Answer(status=302, headers=(("Location", fault.location),))
        case "html":
            return Answer(body=fault.body or _PAGE, content_type=HTML_TYPE)
        case _:
            return _forged(fault)


def _forged(fault: Fault) -> Answer:
    headers = {key: value for key, value in fault.headers.items() if key.lower() != "content-type"}
    kinds = [value for key, value in fault.headers.items() if key.lower() == "content-type"]
    return Answer(
        status=fault.status,
        body=fault.body,
        content_type=kinds[0] if kinds else "",
        headers=tuple(headers.items()),
    )


def _status_after(fault: Fault | None, answer: Answer) -> int | None:
    match fault:
        case None:
            return answer.status
        case Fault(kind="drop-after"):
            return None
        case Fault(kind="status-after"):
            return fault.status
        case _:
            return 200 if fault.kind in {"garbage-json", "endless"} else answer.status


async def _strike(fault: Fault, answer: Answer, receive: "Receive", send: "Send") -> object:
    """What becomes of an answer after the request took effect."""
    match fault.kind:
        case "status-after":
            return await _send(send, _forged(fault))
        case "truncate":
            return await _send(send, answer, missing=16)
        case "garbage-json":
            body = answer.body[:-2] or b'{"list":[{"id"'
            return await _send(send, Answer(body=body, content_type=JSON_TYPE))
        case "endless":
            return await _pour(receive, send)
        case _:
            return CLOSED


async def _send(send: "Send", answer: Answer, missing: int = 0) -> object:
    """Send an answer; ``missing`` bytes are announced and never come."""
    headers: list[tuple[bytes, bytes]] = []
    if answer.status not in _BODILESS:
        headers.append((b"content-length", str(len(answer.body) + missing).encode()))
    if answer.content_type:
        headers.append((b"content-type", answer.content_type.encode()))
    headers += [(key.encode(), value.encode()) for key, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    more = missing > 0
    await send({"type": "http.response.body", "body": answer.body, "more_body": more})
    return CLOSED if more else None


async def _pour(receive: "Receive", send: "Send") -> object:
    """A body without end, until the client has had enough."""
    headers = [(b"content-type", JSON_TYPE.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    gone = asyncio.ensure_future(receive())
    try:
        while not gone.done():
            await send({"type": "http.response.body", "body": _CHUNK, "more_body": True})
            await asyncio.wait({gone}, timeout=0.001)
    finally:
        gone.cancel()
    return CLOSED
