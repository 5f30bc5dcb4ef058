"""The ledger's values: what was applied to each plan, what is being done, and who is at it.

A ledger is a folder of JSON documents in a commit: ``plans/KEY.json`` is a record,
``intents/KEY.json`` a write that was begun and not yet settled, ``lease.json`` says who may write.
This module turns documents into values and back. Documents are hostile input: whatever is not of
the right form is a :class:`Damage`, and no call is ever made on the strength of it. A document has
exactly its fields: one that is missing, or that this version does not know, would be lost when the
document is next written. Only ``seen`` may be missing from a record.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, NoReturn

from planops.core.model import JSON
from planops.core.sighting import Seen, Sighting, seen
from planops.errors import PlanopsError

FORMAT: Final = 1
MAX_BYTES: Final = 4 * 1024 * 1024
"""The largest document that is read: a plan is at most a few hundred kilobytes."""
MAX_DEPTH: Final = 200
"""How many objects and lists may stand inside each other: a file has at most 40."""
MAX_NUMBER: Final = 10**18 - 1
"""The greatest time or ordinal: that of the longest id that is taken."""
MAX_LEASE: Final = 24 * 60 * 60
"""The longest that a lease may last, in seconds: a forged one must not lock everybody out."""
PLANS: Final = "plans/"
INTENTS: Final = "intents/"
LEASE: Final = "lease.json"

_KEY: Final = re.compile(r"[a-z0-9]([-.a-z0-9]{0,98}[a-z0-9])?")
_PLACE: Final = re.compile(rf"(?:{PLANS}|{INTENTS})({_KEY.pattern})\.json")
_ID: Final = re.compile(r"[0-9a-f]{24}|[1-9][0-9]{0,17}")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}|")
_URL: Final = re.compile(r"https?://[^\s\x00-\x20\x7f]{1,2000}")
_OPS: Final = frozenset({"create", "update", "transition", "delete", "adopt"})


class _WrongForm(PlanopsError):
    """A document is not of the form that it should have; becomes a :class:`Damage`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an applied plan came from: a commit (empty: none was known) and a file in it."""

    commit: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was last applied to one plan.

    ``spec`` is what the file declared, canonical; ``echo`` what the server then answered of the
    same fields. ``goal`` is the state that the file declared, ``reached`` the goal that was last
    seen reached. ``url`` is the target's address: a record is of no use at another. ``allowed``
    marks what the file allowed then, which is used up; ``seen`` is what a list then showed of it.
    """

    key: str
    kind: str
    url: str
    id: str
    name: str
    spec: dict[str, JSON]
    echo: dict[str, JSON]
    goal: str | None = None
    reached: str | None = None
    protect: bool = False
    allowed: tuple[str, ...] = ()
    origin: Origin = field(default_factory=Origin)
    seen: Seen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A change that was begun: enough to find out later how far it came.

    ``op`` is ``create``, ``update``, ``transition``, ``delete`` or ``adopt``; ``id`` is empty for
    a plan that is to be made, ``high_water`` the greatest ordinal that the server had before.
    ``ground`` digests what was there; ``steps`` are the digests of the writes in order;
    ``return_to`` is the state that a write threw the plan back from, ``origin`` the file.
    """

    key: str
    kind: str
    op: str
    name: str
    id: str = ""
    ground: str = ""
    steps: tuple[str, ...] = ()
    return_to: str | None = None
    high_water: int = 0
    at: int = 0
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who may write until when (unix seconds); ``link`` leads to the run, where there is one."""

    holder: str
    run: str
    until: int
    seconds: int
    link: str = ""

    def is_over(self, now: int) -> bool:
        """Tell whether it has run out; one that lasts longer than it may is as good as over."""
        return not now < self.until <= now + self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A document that is not what it should be: its path, and why; of its key when it has one."""

    path: str
    why: str

    @property
    def key(self) -> str:
        """The key that the path names, empty where it names none."""
        named = _PLACE.fullmatch(self.path)
        return named[1] if named else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A ledger as it was read; ``tip`` is its commit, empty where there is none yet."""

    tip: str = ""
    records: Mapping[str, Record] = field(default_factory=dict)
    intents: Mapping[str, Intent] = field(default_factory=dict)
    lease: Lease | None = None
    damages: tuple[Damage, ...] = ()

    def damage(self, path: str) -> Damage | None:
        """Say what is wrong with a document, where anything is."""
        return next((one for one in self.damages if one.path == path), None)


_ORIGIN: Final = frozenset(one.name for one in fields(Origin))
_RECORD: Final = frozenset(one.name for one in fields(Record)) - {"seen"} | {"format"}
_INTENT: Final = frozenset(one.name for one in fields(Intent)) | {"format"}
_LEASE: Final = frozenset(one.name for one in fields(Lease)) | {"format"}


def book(tip: str, documents: Mapping[str, bytes]) -> Book:
    """Read the documents of one commit; a damaged one hides no other."""
    records: dict[str, Record] = {}
    intents: dict[str, Intent] = {}
    damages: list[Damage] = []
    lease: Lease | None = None
    for path, data in documents.items():
        try:
            if path.startswith(PLANS):
                record = _record(_key_of(path, PLANS), _loaded(data))
                records[record.key] = record
            elif path.startswith(INTENTS):
                intent = _intent(_key_of(path, INTENTS), _loaded(data))
                intents[intent.key] = intent
            elif path == LEASE:
                lease = _lease(_loaded(data))
            else:
                _not_a_folders_place(path)
        except _WrongForm as error:
            damages.append(Damage(path=path, why=str(error)))
    return Book(tip=tip, records=records, intents=intents, lease=lease, damages=tuple(damages))


def record_document(record: Record) -> tuple[str, bytes]:
    """Give the path and the text of a record."""
    return f"{PLANS}{record.key}.json", _dumped(record)


def intent_document(intent: Intent) -> tuple[str, bytes]:
    """Give the path and the text of an intent."""
    return f"{INTENTS}{intent.key}.json", _dumped(intent)


def lease_document(lease: Lease) -> tuple[str, bytes]:
    """Give the path and the text of a lease."""
    return LEASE, _dumped(lease)


def _dumped(value: Record | Intent | Lease) -> bytes:
    """One form only, with a line a field, so that people can read the history."""
    document = {"format": FORMAT, **_fields(value)}
    # Half a surrogate pair is no UTF-8; what this handler writes for it is JSON's escape too.
    text = json.dumps(
        document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False, default=_fields
    )
    return f"{text}\n".encode(errors="backslashreplace")


def _fields(value: Record | Intent | Lease | Origin | Seen | Sighting) -> dict[str, Any]:
    found = {one.name: getattr(value, one.name) for one in fields(value)}
    return {name: each for name, each in found.items() if name != "seen" or each is not None}


def _loaded(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise _WrongForm(f"it has {len(data)} bytes; at most {MAX_BYTES} are read")
    try:
        value = json.loads(
            data.decode(),
            object_pairs_hook=_members,
            parse_constant=_constant,
            parse_float=_finite,
        )
    except (ValueError, RecursionError):
        raise _WrongForm("it is no JSON document") from None
    if not isinstance(value, dict):
        raise _WrongForm("it is no JSON object")
    form = value.get("format")
    if not isinstance(form, int) or isinstance(form, bool) or form < 1:
        raise _WrongForm("it says no format")
    if form > FORMAT:
        raise _WrongForm(f"its format is newer than {FORMAT}; upgrade planops")
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        _not_too_deep(value)
    return value


def _members(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    """Of two values for one name readers take this one or that; planops takes neither."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _WrongForm("an object in it has a name twice")
    return made


def _constant(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _not_too_deep(value: JSON) -> None:
    layer = [value]
    for _ in range(MAX_DEPTH):
        layer = [inner for one in layer for inner in _inside(one)]
    if any(isinstance(one, (dict, list)) for one in layer):
        raise _WrongForm(f"it has more than {MAX_DEPTH} objects and lists inside each other")


def _inside(value: JSON) -> Collection[JSON]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _not_a_folders_place(path: str) -> None:
    if f"{path}/" in (PLANS, INTENTS):
        raise _WrongForm("it is no folder")


def _key_of(path: str, folder: str) -> str:
    name = path.removeprefix(folder)
    key = name.removesuffix(".json")
    if key == name or not _KEY.fullmatch(key):
        raise _WrongForm("its name is no plan's key")
    return key


def _record(key: str, value: Mapping[str, Any]) -> Record:
    _complete({name: each for name, each in value.items() if name != "seen"}, _RECORD)
    was_seen = seen(value["seen"]) if "seen" in value else None
    if "seen" in value and was_seen is None:
        raise _WrongForm("seen is nothing that a list shows of a plan")
    url = _text(value, "url")
    if not _URL.fullmatch(url):
        raise _WrongForm("url is no http address")
    return Record(
        key=_same_key(value, key),
        kind=_text(value, "kind"),
        url=url,
        id=_id(value),
        name=_text(value, "name"),
        spec=_object(value, "spec"),
        echo=_object(value, "echo"),
        goal=_text_or_none(value, "goal"),
        reached=_text_or_none(value, "reached"),
        protect=_flag(value, "protect"),
        allowed=_texts(value, "allowed"),
        origin=_origin(value),
        seen=was_seen,
    )


def _intent(key: str, value: Mapping[str, Any]) -> Intent:
    _complete(value, _INTENT)
    op = _text(value, "op")
    if op not in _OPS:
        raise _WrongForm("op is nothing that is done to a plan")
    return Intent(
        key=_same_key(value, key),
        kind=_text(value, "kind"),
        op=op,
        name=_text(value, "name"),
        id="" if op == "create" and value["id"] == "" else _id(value),
        ground=_text(value, "ground"),
        steps=_texts(value, "steps"),
        return_to=_text_or_none(value, "return_to"),
        high_water=_number(value, "high_water"),
        at=_number(value, "at"),
        origin=_origin(value),
    )


def _origin(value: Mapping[str, Any]) -> Origin:
    origin = _object(value, "origin")
    _complete(origin, _ORIGIN, "origin.")
    commit, file = (_text(origin, name, "origin.") for name in ("commit", "file"))
    if not _COMMIT.fullmatch(commit):
        raise _WrongForm("origin.commit is no commit id")
    return Origin(commit=commit, file=file)


def _lease(value: Mapping[str, Any]) -> Lease:
    _complete(value, _LEASE)
    return Lease(
        holder=_text(value, "holder"),
        run=_text(value, "run"),
        until=_number(value, "until"),
        seconds=_number(value, "seconds", MAX_LEASE),
        link=_text(value, "link"),
    )


def _complete(value: Mapping[str, Any], names: frozenset[str], within: str = "") -> None:
    for name in sorted(names - value.keys()):
        raise _WrongForm(f"{within}{name} is missing")
    if value.keys() != names:
        raise _WrongForm("it has a field that this version does not know; upgrade planops")


def _same_key(value: Mapping[str, Any], key: str) -> str:
    if value["key"] != key:
        raise _WrongForm("it is filed under another key than its own")
    return key


def _id(value: Mapping[str, Any]) -> str:
    id_ = _text(value, "id")
    if not _ID.fullmatch(id_):
        raise _WrongForm("id is no plan's id")
    return id_


def _text(value: Mapping[str, Any], name: str, within: str = "") -> str:
    found = value[name]
    if not isinstance(found, str):
        raise _WrongForm(f"{within}{name} is no text")
    return found


def _text_or_none(value: Mapping[str, Any], name: str) -> str | None:
    return None if value[name] is None else _text(value, name)


def _texts(value: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = value[name]
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _WrongForm(f"{name} is no list of digests")
    return tuple(found)


def _flag(value: Mapping[str, Any], name: str) -> bool:
    found = value[name]
    if not isinstance(found, bool):
        raise _WrongForm(f"{name} is neither true nor false")
    return found


def _number(value: Mapping[str, Any], name: str, most: int = MAX_NUMBER) -> int:
    found = value[name]
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= most:
        raise _WrongForm(f"{name} is no whole number from 0 to {most}")
    return found


def _object(value: Mapping[str, Any], name: str) -> dict[str, JSON]:
    found = value[name]
    if not isinstance(found, dict):
        raise _WrongForm(f"{name} is no object")
    return found
