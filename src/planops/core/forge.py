"""What a forge (GitHub, GitLab) has of a pull request, and what planops writes there.

A comment of ours begins with a hidden line, the marker. Anybody can write such a line: a marker
counts only in a comment of our own author, and only if it is exactly what would be written.
"""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

Seq: TypeAlias = tuple[int, int]
"""Which run, which attempt of it: a later run has the greater pair, in one repository."""

_REPOSITORY: Final = re.compile(r"[A-Za-z0-9_.\-]+(?:/[A-Za-z0-9_.\-]+)+")
_SCOPE: Final = re.compile(r"[A-Za-z0-9_.,\-]{0,500}")
_SHA: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LINE: Final = re.compile(r"<!-- planops:v1 (\{[\x20-\x7e]{1,2500}\}) -->")
_LONGEST: Final = 500
GREATEST: Final = 2**63
"""No number of a forge is as great as this."""
_KEYS: Final = ("repo", "number", "head", "run", "attempt", "risk", "kind")


class Kind(enum.StrEnum):
    """What a text of ours is: only the first two share the one sticky comment."""

    REVIEW = "review"  # what merging would do
    OUTCOME = "outcome"  # what merging did; stays, whatever review comes later
    DRIFT = "drift"  # the one issue of scheduled runs
    NOTICE = "notice"  # one line, so that somebody is told


class Risk(enum.StrEnum):
    """How much a reviewer has to look."""

    ROUTINE = "routine"
    ATTENTION = "attention"
    BLOCKED = "blocked"

    @property
    def rank(self) -> int:
        """The greater, the riskier."""
        return [*Risk].index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who wrote something. ``id`` is ``None`` where only the login is known.

    ``bot`` says that the forge made the account for an app; people cannot have such logins.
    """

    id: int | None
    login: str
    bot: bool = False

    def wrote(self, other: Author) -> bool:
        """Tell whether the author of something is this one: by id, else by a bot's login."""
        if self.id is not None and other.id is not None:
            return self.id == other.id
        return self.bot and other.bot and self.login == other.login


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment on a pull request."""

    id: int
    author: Author
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An issue of the repository; ``number`` is what people call it by."""

    number: int
    author: Author
    title: str
    text: str
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull request, or merge request, as the forge has it now.

    ``head`` and ``base`` are commits, ``branch`` is the base branch's name; ``base`` is empty where
    the forge has not worked it out yet. ``merge`` is the commit on the base branch, once merged.
    """

    number: int
    head: str
    base: str
    branch: str
    open: bool
    merged: bool
    merge: str
    draft: bool
    fork: bool
    author: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """The hidden first line: what a text of ours is about, and which run wrote it.

    ``number`` is the pull request's, 0 for none. ``scope`` names the targets of a run that was
    about some of them only, so that what is said of others stays. Raises ``ValueError`` for what no
    marker holds.
    """

    repository: str
    number: int
    head: str
    seq: Seq
    risk: Risk
    kind: Kind
    scope: str = ""

    def __post_init__(self) -> None:
        if not _REPOSITORY.fullmatch(self.repository) or len(self.repository) > _LONGEST:
            raise ValueError("a marker's repository must be owner/name")
        if not is_sha(self.head):
            raise ValueError("a marker's head must be a whole commit id")
        numbers = (self.number, *self.seq)
        if not all(type(each) is int and 0 <= each < GREATEST for each in numbers):
            raise ValueError("a marker's numbers must be at least 0, and below 2^63")
        if not _SCOPE.fullmatch(self.scope):
            raise ValueError("a marker's scope must be names of targets")

    @property
    def line(self) -> str:
        """The line as it is written; no value in it can end the HTML comment."""
        values = (self.repository, self.number, self.head, *self.seq, self.risk, self.kind)
        named = dict(zip(_KEYS, values, strict=True))
        if self.scope:
            named["scope"] = self.scope
        held = json.dumps(named, separators=(",", ":"))
        return f"<!-- planops:v1 {held.replace('--', '-' + chr(92) + 'u002d')} -->"

    @property
    def rank(self) -> tuple[bool, Seq]:
        """The greater one stays: an outcome outlives every review, then the later run."""
        return self.kind is Kind.OUTCOME, self.seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A text to be written, with its marker."""

    marker: Marker
    body: str

    @property
    def text(self) -> str:
        """The whole text, marker first."""
        return f"{self.marker.line}\n{self.body}"


def room(limit: int, marker: Marker) -> int:
    """Say how many characters a body may have where a whole text may have ``limit``."""
    return limit - len(marker.line) - 1


def is_sha(text: str) -> bool:
    """Tell whether a text is a whole commit id, by SHA-1 or SHA-256."""
    return _SHA.fullmatch(text) is not None


def marker_of(text: str) -> Marker | None:
    """Read the marker of a hostile text: ``None`` for anything that we would not have written."""
    line = text.partition("\n")[0].removesuffix("\r")
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    try:
        held = json.loads(found[1])
        marker = Marker(
            repository=held["repo"],
            number=held["number"],
            head=held["head"],
            seq=(held["run"], held["attempt"]),
            risk=Risk(held["risk"]),
            kind=Kind(held["kind"]),
            scope=held.get("scope", ""),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return marker if marker.line == line else None


def same(one: str, other: str) -> bool:
    """Tell whether two texts are one, whatever a forge does to line ends and outer space."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
