"""GitHub's event file: what of it is used, and that it is what it must be.

https://docs.github.com/en/webhooks/webhook-events-and-payloads has the forms. A number that a
``workflow_run`` carries is not used: it is empty for forks, and the API knows better.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from planops.core.forge import is_sha
from planops.core.model import JSON
from planops.errors import SettingsWrong
from planops.forges.events import Event, Trigger
from planops.forges.rows import at, words
from planops.forges.variables import BRANCH

MOST: Final = 32 * 1024 * 1024
"""Bytes of an event file: GitHub caps a payload at 25 MB."""
_OWNER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}")
_HEADS: Final = "refs/heads/"
_WHERE: Final = "GITHUB_EVENT_PATH"


def read(event: Event, named: str, path: Path | None) -> Event:
    """Fill an event from its file. Raises ``SettingsWrong`` for one that cannot be used."""
    reader = _READERS.get(named)
    if reader is None:
        return event
    held = _load(path)
    told = words(held, "repository", "full_name")
    if told.casefold() != event.repository.casefold():
        raise _wrong("repository.full_name is another repository than GITHUB_REPOSITORY")
    return reader(event, held)


def _load(path: Path | None) -> JSON:
    try:
        if path is None:
            raise _wrong("it is not set")
        with path.open("rb") as file:
            data = file.read(MOST + 1)
    except OSError as error:
        raise _wrong(f"it cannot be read: {error.strerror}") from None
    if len(data) > MOST:
        raise _wrong(f"it is larger than {MOST} bytes")
    try:
        return json.loads(data.decode())  # type: ignore[no-any-return]
    except (ValueError, RecursionError):
        raise _wrong("it is no JSON") from None


def _pull(event: Event, held: JSON) -> Event:
    pull = at(held, "pull_request")
    number = at(pull, "number")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise _wrong("pull_request.number is no number")
    return replace(
        event,
        trigger=Trigger.PULL,
        number=number,
        head=_sha(pull, "head", "sha"),
        base=_sha(pull, "base", "sha"),
        branch=_text(BRANCH, pull, "base", "ref"),
    )


def _run(event: Event, held: JSON) -> Event:
    """Only a run for a pull request has one; its branch is the pull request's own."""
    run = at(held, "workflow_run")
    if words(run, "event") not in {"pull_request", "pull_request_target"}:
        return event
    return replace(
        event,
        trigger=Trigger.RUN,
        head=_sha(run, "head_sha"),
        owner=_text(_OWNER, run, "head_repository", "owner", "login"),
        source=_text(BRANCH, run, "head_branch"),
    )


def _push(event: Event, held: JSON) -> Event:
    ref = words(held, "ref")
    if not ref.startswith(_HEADS) or at(held, "deleted") is True:
        return event
    before = words(held, "before")
    return replace(
        event,
        trigger=Trigger.PUSH,
        head=_sha(held, "after"),
        before=before if is_sha(before) and {*before} != {"0"} else "",
        branch=_text(BRANCH, {"ref": ref.removeprefix(_HEADS)}, "ref"),
    )


def _schedule(event: Event, held: JSON) -> Event:
    del held
    return replace(event, trigger=Trigger.SCHEDULE)


def _sha(row: JSON, *path: str) -> str:
    found = words(row, *path)
    if not is_sha(found):
        raise _wrong(f"{'.'.join(path)} is no whole commit id")
    return found


def _text(form: re.Pattern[str], row: JSON, *path: str) -> str:
    found = words(row, *path)
    if not form.fullmatch(found):
        raise _wrong(f"{'.'.join(path)} is not what it must be")
    return found


def _wrong(why: str) -> SettingsWrong:
    return SettingsWrong(f"{_WHERE}: the event cannot be used: {why}; it is written by the forge")


_READERS: Final[Mapping[str, Callable[[Event, JSON], Event]]] = MappingProxyType(
    {
        "pull_request": _pull,
        "pull_request_target": _pull,
        "pull_request_review": _pull,
        "pull_request_review_comment": _pull,
        "workflow_run": _run,
        "push": _push,
        "schedule": _schedule,
    }
)
