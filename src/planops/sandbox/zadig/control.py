"""The control surface ``/_sandbox/…``: steers a sandbox in another process, without a token.

It is not part of the emulated server. Bodies and answers are JSON; a mistake answers 400.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, cast

from planops.sandbox.zadig.answers import JSON_TYPE, Answer
from planops.sandbox.zadig.faults import KINDS, Fault, Kind
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.routes import Request
from planops.sandbox.zadig.state import ZadigState

PREFIX = "/_sandbox"
_PLAIN = ("method", "path", "nth", "status", "headers", "seconds", "location")


def answer(sandbox: ZadigState, request: Request) -> Answer:
    """Carry out one command."""
    command = _COMMANDS.get(f"{request.method} {request.path.removeprefix(PREFIX)}")
    if command is None:
        return _json(404, {"error": f"no such command: {request.method} {request.path}"})
    try:
        given = json.loads(request.body or b"{}")
        return _json(200, command(sandbox, given))
    except (ValueError, KeyError, TypeError, StopIteration) as wrong:
        return _json(400, {"error": f"{type(wrong).__name__}: {wrong}"})


def fault_from(sandbox: ZadigState, given: Mapping[str, Any]) -> Fault:
    """A fault from its JSON form: ``{"kind":…,"method":…,"path":…,"nth":1|null,"edit":{…},…}``."""
    if given["kind"] not in KINDS:
        raise ValueError(f"no such kind of fault: {given['kind']}")
    plain = {key: given[key] for key in _PLAIN if key in given}
    body = str(given.get("body", "")).encode()
    edit = _edit_from(sandbox, given["edit"]) if "edit" in given else None
    return Fault(cast("Kind", given["kind"]), body=body, edit=edit, **plain)


def _edit_from(sandbox: ZadigState, given: Mapping[str, Any]) -> Callable[[], object]:
    """Another person's deed: ``{"plan","set","by"}``, ``{"insert":{…}}`` or ``{"remove":id}``."""
    if "insert" in given:
        return lambda: sandbox.insert_plan(given["insert"])
    if "remove" in given:
        return lambda: sandbox.remove_plan(given["remove"])
    return lambda: sandbox.edit(given["plan"], given["set"], given.get("by", "someone"))


def _add_fault(sandbox: ZadigState, given: Document) -> object:
    sandbox.faults.add(fault_from(sandbox, given))
    return {"pending": len(sandbox.faults.pending)}


def _list_faults(sandbox: ZadigState, _: Document) -> object:
    keys = ("kind", "method", "path", "nth")
    return {
        state: [{key: getattr(fault, key) for key in keys} for fault in faults]
        for state, faults in (
            ("pending", sandbox.faults.pending),
            ("struck", sandbox.faults.struck),
        )
    }


def _clear_faults(sandbox: ZadigState, _: Document) -> object:
    sandbox.faults.clear()
    return {"pending": 0}


def _clock(sandbox: ZadigState, given: Document) -> object:
    if "set" in given:
        sandbox.clock.set(int(given["set"]))
    if "advance" in given:
        sandbox.clock.advance(int(given["advance"]))
    return {"now": sandbox.clock.now()}


def _received(sandbox: ZadigState, _: Document) -> object:
    return [
        {**asdict(one), "body": one.body.decode("utf-8", "replace")} for one in sandbox.received
    ]


def _plans(sandbox: ZadigState, _: Document) -> object:
    return list(sandbox.plans())


def _timers(sandbox: ZadigState, _: Document) -> object:
    return list(sandbox.timers())


def _reset(sandbox: ZadigState, _: Document) -> object:
    sandbox.reset()
    return {"plans": 0}


def _edit(sandbox: ZadigState, given: Document) -> object:
    return _edit_from(sandbox, given)()


def _tick(sandbox: ZadigState, _: Document) -> object:
    sandbox.tick()
    return {"now": sandbox.clock.now()}


def _finish_task(sandbox: ZadigState, given: Document) -> object:
    sandbox.finish_task(given["plan"], given["job"], given["outcome"])
    return {"outcome": given["outcome"]}


def _hooks(sandbox: ZadigState, _: Document) -> object:
    return [asdict(one) for one in sandbox.hooks_sent]


def _decide(sandbox: ZadigState, given: Document) -> object:
    sandbox.decide(given["plan"], given["outcome"])
    return {"outcome": given["outcome"]}


def _put_workflow(sandbox: ZadigState, given: Document) -> object:
    sandbox.put_workflow(given)
    return {"name": given["name"]}


def _permit(sandbox: ZadigState, given: Document) -> object:
    sandbox.permit(given["account"], given["permissions"])
    return {"account": given["account"]}


def _token(sandbox: ZadigState, given: Document) -> object:
    if "revoke" in given:
        sandbox.revoke_token(given["revoke"])
        return {"revoked": given["revoke"]}
    return {"issued": sandbox.issue_token(given["account"], given["token"])}


def _json(status: int, value: object) -> Answer:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status=status, body=body, content_type=JSON_TYPE)


_COMMANDS: Mapping[str, Callable[[ZadigState, Document], object]] = {
    "GET /faults": _list_faults,
    "POST /faults": _add_fault,
    "DELETE /faults": _clear_faults,
    "GET /clock": _clock,
    "PUT /clock": _clock,
    "GET /received": _received,
    "GET /plans": _plans,
    "GET /timers": _timers,
    "GET /hooks": _hooks,
    "POST /reset": _reset,
    "POST /edit": _edit,
    "POST /tick": _tick,
    "POST /finish-task": _finish_task,
    "POST /decide": _decide,
    "PUT /workflow": _put_workflow,
    "POST /permit": _permit,
    "POST /token": _token,
}
