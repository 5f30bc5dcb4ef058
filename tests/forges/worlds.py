"""Either forge with its client, so that one test is told of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from forges import github, gitlab
from forges.serving import Answer, serving
from forges.store import NOW, OURS, WRITER, Pull, Store
from planops.backends.exchange import Call
from planops.core.forge import Kind, Marker, Post, Risk, Seq
from planops.forges.connect import connect
from planops.forges.events import Event, Name, Trigger
from planops.ports import Forge


@dataclass(slots=True)
class Clock:
    """Moves only when somebody waits."""

    time: float = NOW
    slept: list[float] = field(default_factory=list)

    def now(self) -> int:
        return int(self.time)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@dataclass(slots=True)
class World:
    """A forge that runs, and what a CI job there knows."""

    name: Name
    server: github.GitHub | gitlab.GitLab
    clock: Clock = field(default_factory=Clock)
    calls: list[Call] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.server.store

    @property
    def repository(self) -> str:
        return github.REPOSITORY if self.name is Name.GITHUB else gitlab.REPOSITORY

    def event(self, pull: Pull | None = None, seq: Seq = (1, 1)) -> Event:
        return Event(
            name=self.name,
            trigger=Trigger.OTHER if pull is None else Trigger.PULL,
            repository=self.repository,
            project=gitlab.PROJECT,
            api=self.server.api,
            seq=seq,
            run="https://forge.example/run/1",
            number=pull.number if pull else 0,
            head=pull.head if pull else "",
        )

    @contextmanager
    def client(self, token: str = WRITER, *, patience: float = 300.0) -> Iterator[Forge]:
        with connect(
            self.event(), token, self.clock, on_call=self.calls.append, patience=patience
        ) as forge:
            yield forge

    def limited(self, seconds: int | None) -> Answer:
        """Give the answer by which this forge asks for a pause."""
        if self.name is Name.GITHUB:
            return github.secondary(seconds)
        return gitlab.limited(seconds)

    def post(
        self,
        pull: Pull,
        body: str,
        *,
        seq: Seq = (1, 1),
        head: str = "",
        risk: Risk = Risk.ROUTINE,
        kind: Kind = Kind.REVIEW,
    ) -> Post:
        marker = Marker(
            repository=self.repository,
            number=pull.number,
            head=head or pull.head,
            seq=seq,
            risk=risk,
            kind=kind,
        )
        return Post(marker=marker, body=body)

    def ours(self, pull: Pull) -> list[str]:
        """Give what our comments say, without their markers."""
        return [note.text.partition("\n")[2] for note in pull.notes if note.user == OURS]


SERVERS: dict[str, tuple[Name, Callable[[], github.GitHub | gitlab.GitLab]]] = {
    "github": (Name.GITHUB, github.GitHub),
    "enterprise": (Name.GITHUB, lambda: github.GitHub(prefix="/api/v3")),
    "gitlab": (Name.GITLAB, gitlab.GitLab),
}


@contextmanager
def world(which: str) -> Iterator[World]:
    name, make = SERVERS[which]
    server = make()
    with serving(server):
        yield World(name, server)
