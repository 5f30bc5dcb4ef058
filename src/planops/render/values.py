"""How one value reads: quoted, cut with a count, with a time beside a time's number.

Absent, null and empty are told apart: ``(absent)``, ``(null)``, ``""``, ``[]``, ``{}``.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from planops.core.changes import Delta
from planops.core.model import ABSENT, JSON, Value, unescape
from planops.render.escape import cut, in_json, split

_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z
_MOST_LINES: Final = 1_000
_CONTEXT: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How much is shown; ``times`` are the field names that hold unix seconds.

    ``before`` and ``after`` name the two sides of a difference: what the server has and what the
    file wants, or, where no server was asked (``offline``), base and head.
    """

    width: int
    verbose: bool
    times: frozenset[str]
    before: str = "live"
    after: str = "file"
    offline: bool = False


def shown(value: Value, limit: int | None = None, *, sensitive: bool = False) -> str:
    """Say a value on one line, not yet escaped for any format."""
    if value is ABSENT:
        return "(absent)"
    if value is None:
        return "(null)"
    if isinstance(value, str):
        head, left = split(value, limit)
        return f"{head if sensitive else one_line(head)}{left}"
    return cut(one_line(value), limit)


def one_line(value: JSON) -> str:
    """Serialise JSON on one line for people."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def pretty(value: JSON) -> str:
    """Serialise JSON on many lines, every character of it visible."""
    return in_json(json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2))


def moment(value: Value) -> str:
    """Say unix seconds as RFC 3339 in UTC, or nothing where the value is no time."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if not 0 < value <= _LAST_SECOND:
        return ""
    return datetime.fromtimestamp(int(value), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def field(path: str) -> str:
    """Name the field that a delta's path ends in."""
    return unescape(path.rsplit("/", 1)[-1])


def timed(value: Value, path: str, look: Look, limit: int | None, *, sensitive: bool) -> str:
    """Say a value, with the time beside it where the path is that of a time."""
    said = shown(value, limit, sensitive=sensitive)
    when = moment(value) if field(path) in look.times else ""
    return f"{said} ({when})" if when else said


def window(spec: Mapping[str, JSON], times: AbstractSet[str]) -> str:
    """Say the times that a spec declares at its top: when the plan takes place."""
    said = [(name, moment(value)) for name, value in spec.items() if name in times]
    return ", ".join(f"{name} {when}" for name, when in said if when)


def lines_changed(delta: Delta) -> tuple[str, ...]:
    """Give the unified line difference of a text of several lines; none for other values.

    Each line starts with ``-``, ``+``, a blank or ``@@`` and is not yet escaped.
    """
    old, new = (_text(delta.live), _text(delta.desired))
    if delta.sensitive or old is None or new is None or "\n" not in old + new:
        return ()
    ends = not old or not new or old.endswith("\n") == new.endswith("\n")
    before, after = (_lines(text, ends=ends) for text in (old, new))
    if max(len(before), len(after)) > _MOST_LINES:
        return ()
    return tuple(difflib.unified_diff(before, after, n=_CONTEXT, lineterm=""))[2:]


def size(value: Value) -> str:
    """Say how large a text of several lines is; what is no text is said as it is."""
    if not isinstance(value, str) or not value:
        return shown(value)
    number = len(_lines(value, ends=True))
    return f"{number} line" if number == 1 else f"{number} lines"


def _lines(text: str, *, ends: bool) -> list[str]:
    """Split into lines; ``ends`` says that a newline at the end makes no difference."""
    if not text:
        return []
    return (text.removesuffix("\n") if ends else text).split("\n")


def _text(value: Value) -> str | None:
    """A string as it is; nothing as the empty text; anything else is no text."""
    if value is ABSENT or value is None:
        return ""
    return value if isinstance(value, str) else None
