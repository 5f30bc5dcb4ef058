"""Times: RFC 3339 with an offset to unix seconds, and why a time is refused.

A release window must mean one moment to everybody: no missing offset, no fraction that the server
would drop, no 24:00 and no leap second, which unix time does not have.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from planops.manifests.wording import code

MILLISECONDS: Final = 10**11
"""Above this a number of seconds lies past the year 5000: it counts milliseconds."""

_FULL = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(\.[0-9]+)?([Zz]|[-+][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_NO_SECONDS = re.compile(r"([0-9-]{10}[Tt][0-9]{2}:[0-9]{2})([Zz]|[-+][0-9:]+)?", re.ASCII)
_EXAMPLE: Final = "2026-12-01T22:00:00+08:00"


class BadTime(ValueError):
    """A time that does not name one second; ``hint`` says how to write it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@lru_cache(maxsize=4096)
def epoch(value: str | int) -> int:
    """Turn a time of a file into unix seconds.

    >>> epoch("2026-12-01T22:00:00+08:00")
    1796133600

    Raises:
        BadTime: it does not name one second.
    """
    if isinstance(value, int):
        if value > MILLISECONDS:
            raise BadTime(f"{value} are milliseconds", f"write the seconds, {value // 1000}")
        return value
    match = _FULL.fullmatch(value)
    if match is None:
        raise BadTime(f"{code(value)} is no RFC 3339 time", _how_to_write(value))
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if match[7] is not None:
        whole = value.replace(match[7], "", 1)
        raise BadTime(f"{code(value)} has fractions of a second", f"write {code(whole)}")
    if match[8] is None:
        hint = f"append the offset: {code(value + 'Z')} or {code(value + '+08:00')}"
        raise BadTime(f"{code(value)} has no offset, so it means another moment elsewhere", hint)
    if hour == 24:  # noqa: PLR2004 -- the hour that ISO 8601 has and RFC 3339 has not
        raise BadTime(f"{code(value)} has the hour 24", "write 00:00:00 of the next day")
    if second == 60:  # noqa: PLR2004 -- the leap second
        raise BadTime(
            f"{code(value)} is a leap second, which unix time does not have", "write second 59"
        )
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=_zone(match[8]))
        seconds = int(moment.timestamp())
    except (ValueError, OverflowError):
        raise BadTime(f"{code(value)} is in no calendar", "check day, hour and offset") from None
    if seconds < 0:
        raise BadTime(f"{code(value)} lies before 1970", "release plans lie ahead")
    return seconds


def _zone(offset: str) -> timezone:
    if offset in ("Z", "z"):
        return UTC
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    if hours > 23 or minutes > 59:  # noqa: PLR2004 -- the last hour and minute
        raise ValueError(offset)
    size = timedelta(hours=hours, minutes=minutes)
    return timezone(-size if offset[0] == "-" else size)


def _how_to_write(value: str) -> str:
    if value.isdecimal() and value.isascii():
        return "remove the quotes: unix seconds are a number"
    if _DATE.fullmatch(value):
        return f"add the time and the offset, such as {code(value + 'T22:00:00+08:00')}"
    unspaced = re.sub(r"(?<=[0-9]) +(?=[0-9])", "T", value, count=1).replace(" ", "")
    if unspaced != value and _FULL.fullmatch(unspaced):
        return f"write {code(unspaced)}"
    short = _NO_SECONDS.fullmatch(value)
    if short is not None:
        return f"add the seconds: {code(short[1] + ':00' + (short[2] or 'Z'))}"
    return f"write it as {code(_EXAMPLE)} or as integer unix seconds"
