"""What a forge holds, whichever it is: pull requests, comments, labels, issues, tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

NOW = 1_800_000_000
WRITER = "token-that-writes-0123456789"
READER = "token-that-only-reads-987654"
APP = "token-of-another-app-55555555"
PERSON = "token-of-a-person-4444444444"


@dataclass(frozen=True, slots=True)
class User:
    id: int
    login: str
    bot: bool = False


OURS = User(41898282, "github-actions[bot]", bot=True)
OTHER_APP = User(4_000_001, "other-app[bot]", bot=True)
MALLORY = User(666, "mallory")
ALICE = User(7, "alice")
TOKENS = {WRITER: OURS, READER: OURS, APP: OTHER_APP, PERSON: ALICE}


@dataclass(slots=True)
class Note:
    id: int
    user: User
    text: str
    system: bool = False


@dataclass(slots=True)
class Pull:
    number: int
    head: str
    base: str
    owner: str = "acme"
    source: str = "change"
    branch: str = "main"
    open: bool = True
    merge: str = ""
    draft: bool = False
    fork: bool = False
    gone: bool = False  # the fork was deleted
    labels: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class Ticket:
    number: int
    user: User
    title: str
    text: str
    open: bool = True
    updated: int = 0


def sha(text: object) -> str:
    return hashlib.sha1(str(text).encode(), usedforsecurity=False).hexdigest()


class Store:
    """A repository on a forge, and what people do there."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.ids = count(1001)
        self.pulls: dict[int, Pull] = {}
        self.tickets: dict[int, Ticket] = {}
        self.tips: dict[str, str] = {}  # what branches are at

    def open_pull(self, *, fork: bool = False, owner: str = "acme", source: str = "change") -> Pull:
        number = next(self.numbers)
        pull = Pull(
            number=number,
            head=sha(f"head {number}"),
            base=sha("base"),
            fork=fork,
            owner="mallory" if fork else owner,
            source=source,
        )
        self.pulls[number] = pull
        return pull

    def push(self, pull: Pull) -> str:
        pull.head = sha(f"after {pull.head}")
        return pull.head

    def merge(self, pull: Pull) -> str:
        pull.open, pull.merge = False, sha(f"merge {pull.number}")
        return pull.merge

    def say(self, pull: Pull, user: User, text: str, *, system: bool = False) -> Note:
        note = Note(next(self.ids), user, text, system)
        pull.notes.append(note)
        return note

    def open_ticket(self, user: User, title: str, text: str) -> Ticket:
        ticket = Ticket(next(self.numbers), user, title, text)
        self.tickets[ticket.number] = ticket
        self.touch(ticket)
        return ticket

    def touch(self, ticket: Ticket) -> None:
        ticket.updated = next(self.ids)

    def note(self, id_: int) -> tuple[Pull, Note] | None:
        for pull in self.pulls.values():
            for note in pull.notes:
                if note.id == id_:
                    return pull, note
        return None

    def of_commit(self, commit: str) -> Iterator[Pull]:
        for pull in self.pulls.values():
            if commit in {pull.merge, pull.head}:
                yield pull
