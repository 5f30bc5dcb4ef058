"""The control surface ``/_sandbox/…``: steers a sandbox in another process, without a token.

It is not part of any emulated server. Bodies and answers are JSON; a mistake answers 400. These
commands every sandbox has; each adds its own.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from planops.sandbox.emulated import Document, Emulated
from planops.sandbox.faults import Fault
from planops.sandbox.messages import JSON_TYPE, Answer, Request

PREFIX = "/_sandbox"
_PLAIN = ("method", "path", "nth", "status", "headers", "seconds", "location")
Sandbox = TypeVar("Sandbox")


def answer(
    sandbox: Sandbox,
    commands: Mapping[str, Callable[[Sandbox, Document], object]],
    request: Request,
) -> Answer:
    """Carry out one command."""
    command = commands.get(f"{request.method} {request.path.removeprefix(PREFIX)}")
    if command is None:
        return _json(404, {"error": f"no such command: {request.method} {request.path}"})
    try:
        given = json.loads(request.body or b"{}")
        return _json(200, command(sandbox, given))
    except (ValueError, KeyError, TypeError, StopIteration) as wrong:
        return _json(400, {"error": f"{type(wrong).__name__}: {wrong}"})


def fault_from(sandbox: Emulated[Any], given: Mapping[str, Any]) -> Fault:
    """A fault from its JSON form: ``{"kind":…,"method":…,"path":…,"nth":1|null,"edit":{…},…}``."""
    if given["kind"] not in sandbox.fault_kinds:
        raise ValueError(f"no such kind of fault: {given['kind']}")
    plain = {key: given[key] for key in _PLAIN if key in given}
    body = str(given.get("body", "")).encode()
    edit = _edit_from(sandbox, given["edit"]) if "edit" in given else None
    return Fault(str(given["kind"]), body=body, edit=edit, **plain)


def _edit_from(sandbox: Emulated[Any], given: Mapping[str, Any]) -> Callable[[], object]:
    """Another person's deed: ``{"plan","set","by"}``, ``{"insert":{…}}`` or ``{"remove":id}``."""
    if "insert" in given:
        return lambda: sandbox.insert_plan(given["insert"])
    if "remove" in given:
        return lambda: sandbox.remove_plan(given["remove"])
    return lambda: sandbox.edit(given["plan"], given["set"], given.get("by", "someone"))


def _add_fault(sandbox: Emulated[Any], given: Document) -> object:
    sandbox.faults.add(fault_from(sandbox, given))
    return {"pending": len(sandbox.faults.pending)}


def _list_faults(sandbox: Emulated[Any], _: Document) -> object:
    keys = ("kind", "method", "path", "nth")
    return {
        state: [{key: getattr(fault, key) for key in keys} for fault in faults]
        for state, faults in (
            ("pending", sandbox.faults.pending),
            ("struck", sandbox.faults.struck),
        )
    }


def _clear_faults(sandbox: Emulated[Any], _: Document) -> object:
    sandbox.faults.clear()
    return {"pending": 0}


def _clock(sandbox: Emulated[Any], given: Document) -> object:
    if "set" in given:
        sandbox.clock.set(int(given["set"]))
    if "advance" in given:
        sandbox.clock.advance(int(given["advance"]))
    return {"now": sandbox.clock.now()}


def _received(sandbox: Emulated[Any], _: Document) -> object:
    return [
        {**asdict(one), "body": one.body.decode("utf-8", "replace")} for one in sandbox.received
    ]


def _plans(sandbox: Emulated[Any], _: Document) -> object:
    return list(sandbox.plans())


def _reset(sandbox: Emulated[Any], _: Document) -> object:
    sandbox.reset()
    return {"plans": len(sandbox.plans())}


def _edit(sandbox: Emulated[Any], given: Document) -> object:
    return _edit_from(sandbox, given)()


def _json(status: int, value: object) -> Answer:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status=status, body=body, content_type=JSON_TYPE)


COMMANDS: Mapping[str, Callable[[Emulated[Any], Document], object]] = {
    "GET /faults": _list_faults,
    "POST /faults": _add_fault,
    "DELETE /faults": _clear_faults,
    "GET /clock": _clock,
    "PUT /clock": _clock,
    "GET /received": _received,
    "GET /plans": _plans,
    "POST /reset": _reset,
    "POST /edit": _edit,
}
