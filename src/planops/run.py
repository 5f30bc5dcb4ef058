"""The values of a run: its targets, what it was asked for, what it saw, how it speaks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from planops.core.decide import Circumstances, Desired, Drift
from planops.core.guards import Limits
from planops.core.ledger import Book, Intent, Origin, Record
from planops.core.model import Blame, Mark, Plan
from planops.custody import Keeping
from planops.ports import Backend, Inventory

Locate = Callable[[Plan], Callable[[str], Mark | None]]
"""Finds, for a plan, the place in its file that a delta path speaks of."""

Blaming = Callable[[Plan, Mapping[str, bool]], Mapping[str, Blame]]
"""Tells, for a plan and delta paths, who set the values in its file, or took them out of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server as the run sees it.

    ``digest_key`` keys the digests of bodies; ``by_name`` says that a plan of the file's name may
    be taken for the file's. ``keeping`` is how what was applied is recorded, ``None`` where it is
    not.
    """

    name: str
    kind: str
    url: str
    backend: Backend
    by_name: bool = False
    limits: Limits = field(default_factory=Limits)
    concurrency: int = 8
    digest_key: bytes = field(default=b"", repr=False)
    keeping: Keeping | None = None
    drift: Drift = Drift.SAFE


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One line of progress: what happened to which plan, ``done`` of ``total``."""

    target: str
    what: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run was asked for, and how it speaks while it goes on.

    ``commit`` is where the files come from, empty where that is not known, and ``descends`` tells
    whether it descends from another; ``unfit`` tells of files that may differ from it, where nobody
    would know what was applied. ``files`` are those that were read, and ``elsewhere`` maps key and
    name of the plans that they declare for other targets of this server to the target.
    ``allow`` maps guards to how many plans they are lifted for (``None``: one). ``selected`` tells
    that only some of the files are looked at. ``prune``: plans whose file is gone are deleted.
    ``unproven`` says why git does not prove that a file declared a recorded plan, and nothing
    where it does; ``unread`` tells that the file still declares it, and that no glob finds the file
    any more; ``earlier`` gives a plan as its file was when an earlier run began to make it,
    ``None`` where git does not hold that. ``full``: every plan is read, whatever the server's list
    shows of it. ``stop`` is set when no further call may be begun.
    """

    now: int
    commit: str = ""
    allow: Mapping[str, int | None] = field(default_factory=dict)
    selected: bool = False
    prune: bool = False
    full: bool = False
    files: Collection[str] = ()
    elsewhere: Mapping[tuple[str, str], str] = field(default_factory=dict)
    unfit: Callable[[str], bool] = lambda _: False
    unproven: Callable[[Record], str] = lambda _: "git was not asked"
    unread: Callable[[Record], bool] = lambda _: False
    earlier: Callable[[Intent], Plan | None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)
    descends: Callable[[str], bool] = lambda _: True
    progress: Callable[[Progress], None] = lambda _: None
    locate: Locate = lambda _: lambda _: None
    blame: Blaming = lambda _plan, _paths: {}

    def circumstances(self, target: Target) -> Circumstances:
        """Give what every decision of this run depends on."""
        return Circumstances(now=self.now, revive="reopen" in self.allow, drift=target.drift)

    def follows(self, record: Record, file: str) -> bool:
        """Tell whether what a file says comes after what is recorded, or is taken for it.

        It does not from an older commit, nor where the file is not as the commit has it.
        """
        if "rewind" in self.allow:
            return True
        before = record.origin.commit
        return not self.unfit(file) and (not before or self.descends(before))

    def origin(self, plan: Plan) -> Origin:
        """Say where a plan's file comes from."""
        return Origin(commit=self.commit, file=plan.source.file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was found at a target: the plans that are wanted, and everything that is there.

    ``owners`` maps a plan's id to the keys whose records name it; ``going`` are the ids of plans
    that this run deletes, whose names are free then.
    """

    desired: tuple[Desired, ...]
    inventory: Inventory
    book: Book | None = None
    owners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    going: frozenset[str] = frozenset()
