"""What a body may set of a plan: casting, look-ups, validation (docs/servers/brpm.md §4, §8.4).

Nothing is stored here. Attributes that are not writable are not looked at (§2.3).
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from planops.sandbox.brpm.answers import Unprocessable
from planops.sandbox.brpm.store import Kind, Store
from planops.sandbox.emulated import Document

_BLANK, _INVALID, _UNKNOWN = "can't be blank", "is invalid", "was not found"
_TAKEN = "has already been taken"
_DATE = re.compile(r"\s*(\d{4}-\d{2}-\d{2})(?:[ T].*)?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a body asks for, checked: columns to set, and a release to write (new without an id)."""

    columns: Document = field(default_factory=dict)
    release: Document | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """A body being read: ``current`` is the plan to change, or ``None`` for a new one."""

    store: Store
    given: Mapping[str, Any]
    current: Document | None
    columns: Document = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)

    def refuse(self, attribute: str, message: str) -> None:
        self.errors.setdefault(attribute, []).append(message)


def drafted(store: Store, given: Mapping[str, Any], current: Document | None = None) -> Draft:
    """What ``given`` asks for; ``Unprocessable`` with every flaw."""
    reading = _Reading(store=store, given=given, current=current)
    _read_name(reading)
    _read_template(reading)
    release = _read_release(reading)
    for attribute, cast in _PLAIN.items():
        if attribute in given:
            reading.columns[attribute] = cast(given[attribute])
    _read_teams(reading)
    if reading.errors:
        raise Unprocessable(reading.errors)
    return Draft(columns=reading.columns, release=release)


def text(value: object) -> str | None:
    """Anything as text."""
    return None if value is None else str(value)


def integer(value: object) -> int | None:
    """An integer, also one sent as text; anything else is null."""
    match value:
        case bool():
            return None
        case int():
            return value
        case str() if re.fullmatch(r"\s*-?\d+\s*", value, re.ASCII):
            return int(value)
        case _:
            return None


def date(value: object) -> str | None:
    """The date of what was sent: no time of day, and null for another spelling (§4.5)."""
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    try:
        return dt.date.fromisoformat(found[1]).isoformat() if found else None
    except ValueError:
        return None


_PLAIN: Mapping[str, Callable[[object], object]] = {
    "description": text,
    "release_date": date,
    "release_manager_id": integer,
}


def _blank(value: object) -> bool:
    return value is None or not str(value).strip()


def _read_name(reading: _Reading) -> None:
    """Required, and unique among all plans, archived ones included (§4.1, §8.6)."""
    if "name" not in reading.given and reading.current is not None:
        return
    name = text(reading.given.get("name"))
    if _blank(name):
        reading.refuse("name", _BLANK)
        return
    holder = reading.store.named("plan", name)
    if holder is not None and (reading.current is None or holder["id"] != reading.current["id"]):
        reading.refuse("name", _TAKEN)
    reading.columns["name"] = name


def _read_template(reading: _Reading) -> None:
    """By name or by id; a new plan needs one (§4.2, §8.7)."""
    found = _looked_up(reading, "plan_template", required=reading.current is None)
    if found is not None:
        reading.columns["plan_template_id"] = found["id"]


def _read_release(reading: _Reading) -> Document | None:
    """By name, by id, or written along with the plan (§4.3, §4.4)."""
    attributes = reading.given.get("release_attributes")
    if isinstance(attributes, dict):
        return _written_release(reading, attributes)
    found = _looked_up(reading, "release", required=False)
    if found is not None:
        reading.columns["release_id"] = found["id"]
    elif _blank(reading.given.get("release_name")) and _blank(
        reading.given.get("release_id", "absent")
    ):
        reading.columns["release_id"] = None
    return None


def _looked_up(reading: _Reading, kind: Kind, *, required: bool) -> Document | None:
    name, key = reading.given.get(f"{kind}_name"), f"{kind}_id"
    if not _blank(name):
        found = reading.store.named(kind, name)
        if found is None:
            reading.refuse(f"{kind}_name", _UNKNOWN)
        return found
    given = reading.given.get(key)
    if _blank(given):
        if required or (kind == "plan_template" and key in reading.given):
            reading.refuse(key, _BLANK)
        return None
    found = reading.store.get(kind, integer(given))
    if found is None:
        reading.refuse(key, _INVALID)
    return found


def _written_release(reading: _Reading, attributes: Document) -> Document | None:
    if _blank(attributes.get("id")):
        if _blank(attributes.get("name")):
            reading.refuse("release.name", _BLANK)
        return {"name": text(attributes.get("name"))}
    release = reading.store.get("release", integer(attributes["id"]))
    if release is None:
        reading.refuse("release", _INVALID)
        return None
    if "name" in attributes:
        if _blank(attributes["name"]):
            reading.refuse("release.name", _BLANK)
        release["name"] = text(attributes["name"])
    return release


def _read_teams(reading: _Reading) -> None:
    """The whole set (§4.6); blanks are dropped."""
    if "team_ids" not in reading.given:
        return
    given = reading.given["team_ids"]
    listed = given if isinstance(given, list) else [given]
    wanted = {integer(one) for one in listed if not _blank(one)}
    if any(reading.store.get("team", one) is None for one in wanted):
        reading.refuse("team_ids", _INVALID)
        return
    reading.columns["team_ids"] = sorted(one for one in wanted if one is not None)
