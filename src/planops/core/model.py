"""The nouns that everything else speaks of: plans as files declare them and as servers hold them.

Values only. JSON trees inside are treated as read-only by everyone who receives them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

JSON: TypeAlias = "None | bool | int | float | str | list[JSON] | dict[str, JSON]"


class Absent(enum.Enum):
    """The value of a field that is not there, which is neither null nor empty."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT
Value: TypeAlias = "JSON | Absent"


class Severity(enum.StrEnum):
    """How bad a problem is: an error stops its target, a warning only speaks."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in a file: path as the user wrote it, line and column counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong that a person must mend: what, where, what to do.

    ``code`` is a stable kebab-case name (``duplicate-key``); ``message`` is one sentence without
    the place; ``hint`` says what to do; ``target`` is the target that must not be called because
    of it, where that is known.
    """

    severity: Severity
    code: str
    message: str
    mark: Mark | None = None
    hint: str = ""
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PlanKey:
    """What identifies a plan in git: the target's name and ``metadata.name``."""

    target: str
    name: str

    def __str__(self) -> str:
        return f"{self.target}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A guard that the file itself lifts, and why; ``until`` is the last day, ``2026-12-01``."""

    guard: str
    reason: str
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manage:
    """Planops' own rules for one plan. ``ignore`` holds delta paths (``/spec/description``)."""

    protect: bool = False
    ignore: tuple[str, ...] = ()
    allow: tuple[Allowance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a plan was declared: file, document (from 0), and that document's first line."""

    file: str
    document: int = 0
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A release plan as a file declares it, after validation.

    ``spec`` holds the file's own fields and values; only times are already unix seconds. A field
    that the file leaves out is not in it. ``state`` is the goal, or ``None`` where the state is not
    managed.
    """

    key: PlanKey
    kind: str
    spec: dict[str, JSON]
    state: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    manage: Manage = field(default_factory=Manage)
    source: Source

    @property
    def display_name(self) -> str:
        """The name that people see on the server, ``spec.name``."""
        return str(self.spec["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A plan as the server holds it, at one moment.

    ``spec`` is canonical (every writable field present, empties in one form); ``raw`` is the
    server's own document. ``put_back`` says that the plan had left its first state and was returned
    to it, which only a person or a rewrite does; ``moves`` are the times by which its moves can be
    told, which no write of fields changes. ``version`` is whatever the server counts edits with, or
    ``None``. ``unfaithful`` lists what an update could not rebuild, each a sentence with
    what to do. ``notices`` are sentences about what happened to the plan on the server. ``listed``
    says that it was not read in full: what the server's list hides is taken from the record.
    """

    id: str
    name: str
    state: str
    spec: dict[str, JSON]
    raw: dict[str, JSON]
    version: int | None = None
    updated_at: int = 0
    updated_by: str = ""
    put_back: bool = False
    moves: tuple[int, ...] = ()
    unfaithful: tuple[str, ...] = ()
    unseen: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    listed: bool = False


class Settled(enum.StrEnum):
    """How far git knows who set a line."""

    COMMITTED = "committed"
    UNCOMMITTED = "uncommitted"  # only in the work tree
    BEFORE_HISTORY = "before-history"  # older than what this clone holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """Who set a value in a file, as git says: the commit that last touched ``line`` of it.

    ``line`` is 0 for a value that the file no longer has: then it is the commit that last changed
    the file, which need not be the one that took the value away.

    ``commit`` is a full id, ``at`` the author's time in unix seconds; both and ``author`` are empty
    where the line is not settled by a commit that is known.
    """

    settled: Settled = Settled.COMMITTED
    commit: str = ""
    author: str = ""
    at: int = 0
    subject: str = ""
    line: int = 0


class Witness(enum.StrEnum):
    """What tells who did something on a server."""

    HISTORY = "history"  # the server's own, of the plan
    VOTE = "vote"  # the vote in the plan's approval
    LAST_EDIT = "last-edit"  # only who wrote last, which need not be who did this


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """Who did something on a server, and when; ``by`` is empty where the server does not say."""

    by: str
    at: int
    witness: Witness


def is_unset(value: Value) -> bool:
    """Tell whether a value says nothing: absent, null, empty, zero, or only such inside."""
    if isinstance(value, Mapping):
        return all(is_unset(sub) for sub in value.values())
    if isinstance(value, list):
        return all(is_unset(sub) for sub in value)
    return value is ABSENT or value in (None, "", 0)


def escape(token: str) -> str:
    """Escape one token of a path as RFC 6901 says."""
    return token.replace("~", "~0").replace("/", "~1")


def unescape(token: str) -> str:
    """Undo :func:`escape`."""
    return token.replace("~1", "/").replace("~0", "~")


def overlap(one: str, other: str) -> bool:
    """Tell whether one of two paths is the other, or below it."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
