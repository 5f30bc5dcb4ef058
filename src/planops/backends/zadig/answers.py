"""What Zadig's answers mean, decided by code and description, never by the status alone.

Validation, missing plans and wrong states all arrive as HTTP 500 (docs/servers/zadig.md §2, §11).
"""

from __future__ import annotations

import re

from planops.backends.exchange import Response
from planops.core.model import JSON
from planops.errors import (
    Garbled,
    NotAllowed,
    OutcomeUnknown,
    PlanGone,
    PlanopsError,
    ServerSaidNo,
    StateConflict,
    Unreachable,
)

OK = 200
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
SERVER_ERRORS = 500

_ID = re.compile(r"[0-9a-f]{24}")
_PREFIX = re.compile(r"^(?:get release plan error|get plan|GetReleasePlan): ")
_GONE = (
    "mongo: no documents in result",
    "mongo: no documents",
    "the provided hex string is not a valid ObjectID",
    "encoding/hex:",
)
_STATE = (
    "release plan status is ",
    "current status can not equal",
    "can't convert plan status",
    "can't update status",
    "approval status is ",
    "plan status is ",
    "plan is not in the release time range",
    "clear approval data",
)
_IDENTITY = re.compile(
    r"^(?:only manager can|user .* is not the manager of|do approval: user .* has no authority)"
)
_PASSING = (
    "lock release plan",
    "Failed to get user",
    "get user:",
    "failed to validate zadig license status",
    "persist release plan",
    "create release plan",
    "failed get release plan hook setting",
)
_WHILE_WRITING = ("persist release plan", "create release plan", "upsert release plan cron")
_AFTER_ALL = frozenset({6810})  # the timer, which is set after the plan is saved
_LICENCE = 7050
_CODED = {6542: "the workflow is not there", 6545: "the workflow cannot be prepared"}


def is_id(text: str) -> bool:
    """Tell whether a text is a plan's id: 24 hexadecimal digits, and so safe in an address."""
    return bool(_ID.fullmatch(text))


def payload(response: Response, where: str) -> dict[str, JSON]:
    """Give the object that a good answer holds.

    Raises whatever :func:`refusal` makes of a bad one, and ``Garbled`` for an answer that is no
    object.
    """
    if response.status != OK:
        raise refusal(response, where)
    value = response.json()
    if not isinstance(value, dict):
        raise Garbled(f"{where}: an object was expected, not {type(value).__name__}")
    return value


def refusal(response: Response, where: str) -> PlanopsError:
    """Say what an answer other than 200 means, as the exception for it."""
    if response.status == UNAUTHORIZED:
        return NotAllowed(
            f"{where}: the token is not accepted (401); check the token that the settings name"
        )
    if response.status == FORBIDDEN:
        rights = "to edit metadata, approval and subtasks (before 4.2: to edit)"
        what = rights if where.startswith("PATCH") else "for release plans"
        return NotAllowed(
            f"{where}: the token lacks the right (403); give its user the permission {what}"
        )
    code, description = _read(response)
    if description is None:
        todo = "check url in planops.yaml, and that a Zadig of 4.1 or newer is there"
        return ServerSaidNo(
            f"{where}: the server answered {response.status} without saying why;"
            f" {todo if response.status == NOT_FOUND else 'try again later'}"
        )
    return _classified(where, code, description)


def write_refusal(response: Response, where: str) -> PlanopsError:
    """Say what a bad answer to a write means; one that may come after it leaves it unknown."""
    code, description = _read(response)
    said = description or ""
    if code in _AFTER_ALL or said.startswith(_WHILE_WRITING):
        return OutcomeUnknown(
            f"{where}: the server failed while it wrote: {_quoted(said)} ({code}), so it may have"
            " written or not; the next run looks first"
        )
    if response.status >= SERVER_ERRORS and description is None:
        return OutcomeUnknown(
            f"{where}: the server answered {response.status} without a word, so it may have written"
            " or not; the next run looks first"
        )
    return refusal(response, where)


def _read(response: Response) -> tuple[int, str | None]:
    """Read the error envelope; the description is ``None`` where there is none."""
    try:
        value = response.json()
    except Garbled:
        return response.status, None
    if not isinstance(value, dict):
        return response.status, None
    code, description = value.get("code"), value.get("description")
    if not isinstance(code, int):
        return response.status, None
    return code, response.redactor.text(str(description or ""))


def _classified(where: str, code: int, description: str) -> PlanopsError:
    bare = _PREFIX.sub("", description)
    said = _quoted(bare)
    if code == _LICENCE:
        return NotAllowed(f"{where}: release plans need a valid Zadig enterprise licence ({code})")
    if code in _CODED:
        return ServerSaidNo(f"{where}: {_CODED[code]}: {said} ({code}); mend the job's spec")
    if bare.startswith(_GONE):
        return PlanGone(f"{where}: there is no such plan on the server: {said}")
    if bare.startswith(_STATE):
        return StateConflict(f"{where}: the plan's state forbids it: {said}; run diff again")
    if _IDENTITY.match(bare):
        return NotAllowed(
            f"{where}: the token's user may not do this: {said}; only the plan's manager or an"
            " administrator may change its state"
        )
    if bare.startswith(_PASSING):
        return Unreachable(f"{where}: the server could not do it just now: {said}; try again")
    return ServerSaidNo(f"{where}: the server refused: {said}; mend the file")


def _quoted(text: str, limit: int = 200) -> str:
    """Quote a server's text: one line, printable, cut."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    return shown if len(shown) <= limit else f"{shown[:limit]}… ({len(shown) - limit} more)"
