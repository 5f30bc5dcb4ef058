"""What BRPM's answers mean (docs/servers/brpm.md §1, §7).

Any 2xx is success; the body of an error need not be JSON, and is never trusted to be.
"""

from __future__ import annotations

from planops.backends.exchange import Response
from planops.backends.trees import Tree
from planops.core.model import JSON
from planops.errors import (
    Garbled,
    NotAllowed,
    OutcomeUnknown,
    PlanGone,
    PlanopsError,
    ServerSaidNo,
    StateConflict,
)

OK_FROM, OK_TO = 200, 300
FORBIDDEN, NOT_FOUND, UNPROCESSABLE, SERVER_ERRORS = 403, 404, 422, 500
EVENT, NAME, BASE = "aasm_event", "name", "base"
TAKEN = "already been taken"


def succeeded(response: Response) -> bool:
    """Tell whether an answer is a 2xx."""
    return OK_FROM <= response.status < OK_TO


def listed(response: Response, where: str) -> list[Tree]:
    """Give the rows of a list: 404, ``null`` and ``[]`` are all an empty one (§1.6).

    Raises whatever :func:`refusal` makes of a bad answer, ``Garbled`` for one that is no list.
    """
    if response.status == NOT_FOUND:
        return []
    if not succeeded(response):
        raise refusal(response, where)
    if not response.body.strip():
        return []
    value = response.json()
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise Garbled(f"{where}: the answer is no list; check url in planops.yaml")
    return [row for row in value if isinstance(row, dict)]


def record(response: Response, where: str) -> Tree:
    """Give one record. Raises as :func:`listed` does, and ``PlanGone`` where there is none."""
    if response.status == NOT_FOUND:
        raise PlanGone(f"{where}: there is no such plan on the server")
    if not succeeded(response):
        raise refusal(response, where)
    value: JSON = response.json() if response.body.strip() else None
    if value is None:
        raise PlanGone(f"{where}: there is no such plan on the server")
    if not isinstance(value, dict):
        raise Garbled(f"{where}: the answer is no plan; check url in planops.yaml")
    return value


def complaints(response: Response) -> dict[str, list[str]]:
    """Read a 422: what is wrong, by attribute; empty where it does not say (§7.3)."""
    try:
        value = response.json()
    except Garbled:
        return {}
    if not isinstance(value, dict):
        return {}
    return {
        response.redactor.text(name): [response.redactor.text(str(one)) for one in said]
        for name, said in value.items()
        if isinstance(said, list)
    }


def refusal(response: Response, where: str) -> PlanopsError:
    """Say what a bad answer means, as the exception for it."""
    if response.status == FORBIDDEN:
        return NotAllowed(
            f"{where}: the token is not accepted, or lacks the right (403); check the token that"
            " the settings name"
        )
    if response.status == UNPROCESSABLE:
        return _unprocessable(response, where)
    if response.status == NOT_FOUND:
        return PlanGone(f"{where}: there is no such plan on the server")
    return ServerSaidNo(
        f"{where}: the server answered {response.status}, {_quoted(response)}; try again later"
    )


def write_refusal(response: Response, where: str) -> PlanopsError:
    """Say what a bad answer to a write means; after a 5xx it may have been made."""
    if response.status >= SERVER_ERRORS:
        return OutcomeUnknown(
            f"{where}: the server answered {response.status}, {_quoted(response)}, so it may have"
            " written or not; the next run looks first"
        )
    return refusal(response, where)


def _unprocessable(response: Response, where: str) -> PlanopsError:
    said = complaints(response)
    if EVENT in said or BASE in said:
        why = _sentence({name: said[name] for name in (EVENT, BASE) if name in said})
        return StateConflict(f"{where}: the plan's state forbids it: {why}; run diff again")
    why = _sentence(said) if said else _quoted(response)
    return ServerSaidNo(f"{where}: the server refused: {why}; mend the file")


def _sentence(said: dict[str, list[str]]) -> str:
    shown = "; ".join(f"{name} {', '.join(why)}" for name, why in said.items())
    return "".join(char if char.isprintable() else " " for char in shown)[:200]


def _quoted(response: Response) -> str:
    shown = response.redactor.quote(response.body.strip())
    return f'saying "{shown}"' if shown else "without a word"
