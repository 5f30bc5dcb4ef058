"""What the control surface of the emulated Zadig can do besides what every sandbox's can."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

from planops.sandbox import control
from planops.sandbox.messages import Answer, Request
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.state import ZadigState


def answer(sandbox: ZadigState, request: Request) -> Answer:
    """Carry out one command."""
    return control.answer(sandbox, _COMMANDS, request)


def _timers(sandbox: ZadigState, _: Document) -> object:
    return list(sandbox.timers())


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


_COMMANDS: Mapping[str, Callable[[ZadigState, Document], object]] = {
    **control.COMMANDS,
    "GET /timers": _timers,
    "GET /hooks": _hooks,
    "POST /tick": _tick,
    "POST /finish-task": _finish_task,
    "POST /decide": _decide,
    "PUT /workflow": _put_workflow,
    "POST /permit": _permit,
    "POST /token": _token,
}
