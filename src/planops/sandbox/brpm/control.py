"""What the control surface of the emulated BRPM can do besides what every sandbox's can."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

from planops.sandbox import control
from planops.sandbox.brpm.realm import ANY_EVENT
from planops.sandbox.brpm.state import BrpmState
from planops.sandbox.emulated import Document
from planops.sandbox.messages import Answer, Request


def answer(sandbox: BrpmState, request: Request) -> Answer:
    """Carry out one command."""
    return control.answer(sandbox, _COMMANDS, request)


def _switches(sandbox: BrpmState, given: Document) -> object:
    return asdict(sandbox.switch(**given))


def _stick(sandbox: BrpmState, given: Document) -> object:
    plan, event = int(given["plan"]), str(given.get("event", ANY_EVENT))
    sandbox.stick(plan, event)
    return {"plan": plan, "event": event}


def _unstick(sandbox: BrpmState, _: Document) -> object:
    sandbox.unstick()
    return {}


def _token(sandbox: BrpmState, given: Document) -> object:
    if "revoke" in given:
        sandbox.revoke_token(given["revoke"])
        return {"revoked": given["revoke"]}
    return {"issued": sandbox.issue_token(given["login"], given["token"])}


_COMMANDS: Mapping[str, Callable[[BrpmState, Document], object]] = {
    **control.COMMANDS,
    "GET /switches": _switches,
    "PUT /switches": _switches,
    "POST /stick": _stick,
    "DELETE /stick": _unstick,
    "POST /token": _token,
}
