"""What planops needs from outside, as protocols: a server, a ledger, a forge, a clock.

Adapters implement these; the run and its tests know nothing else of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias, runtime_checkable

from planops.core.attribution import Touches
from planops.core.changes import Change, Step
from planops.core.decide import Desired, Rules
from planops.core.drafts import Draft
from planops.core.forge import Marker, Post, Pull
from planops.core.ledger import Book
from planops.core.model import JSON, Plan
from planops.core.sighting import Sighting
from planops.core.sticky import Act

Specs: TypeAlias = Mapping[str, JSON]
"""A spec, by field."""
NOTHING: Final[Mapping[str, Specs]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stub:
    """A plan as the inventory lists it. ``ordinal`` grows with every plan the server ever makes."""

    id: str
    name: str
    ordinal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Every plan of a server, proven complete, and the documents of those that were asked for.

    ``documents`` maps an asked-for name to all plans of that name, oldest first; ``by_id`` an
    asked-for id to its plan, where it is there. ``listed`` names by id the plans that were not read
    in full: their document is what the list shows.
    """

    stubs: tuple[Stub, ...]
    documents: Mapping[str, tuple[dict[str, JSON], ...]]
    by_id: Mapping[str, dict[str, JSON]] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()

    @property
    def high_water(self) -> int:
        """The greatest ordinal: whatever is made later has a greater one, no clock needed."""
        return max((stub.ordinal for stub in self.stubs), default=0)


class Backend(Protocol):
    """One server. Every method may raise ``ServerSaidNo`` and its kinds."""

    def prepare(
        self, plans: Sequence[Plan], applied: Mapping[str, Specs] = NOTHING
    ) -> tuple[Desired, ...]:
        """Resolve what the files refer to (accounts), once a run; the order is kept.

        ``applied`` are specs as they were last applied, by key: what they refer to is resolved as
        well, so that what the server still holds of it can be told from what somebody changed.
        """
        ...

    @property
    def rules(self) -> Rules:
        """The pure half: schema, lifecycle, wire format."""
        ...

    def describe(self, documents: Sequence[dict[str, JSON]]) -> tuple[Draft, ...]:
        """Say what files would declare of these plans, as far as files can; the order is kept."""
        ...

    def observe(self, names: Iterable[str], ids: Collection[str] = ()) -> Inventory:
        """List every plan, and read those of these names and ids in full.

        Never takes a part of the list for the whole: raises instead.
        """
        ...

    def read(self, id_: str) -> dict[str, JSON]:
        """Read one plan in full. Raises ``PlanGone`` where the server says that there is none."""
        ...

    def send(self, step: Step, id_: str | None) -> str:
        """Make one write, once, and give the plan's id (a new one for a creation).

        Raises ``OutcomeUnknown`` where it may or may not have happened.
        """
        ...


@runtime_checkable
class Historian(Protocol):
    """A backend whose server keeps a history of each plan, and lets it be read."""

    def touches(self, changes: Sequence[Change]) -> Sequence[Touches]:
        """Say, change by change, who did on the server what shows there. Raises nothing."""
        ...


@runtime_checkable
class Lister(Protocol):
    """A backend whose server's list shows enough of a plan to tell whether it must be read again.

    ``hidden`` names the fields of a spec that the list leaves out.
    """

    @property
    def hidden(self) -> frozenset[str]:
        """The fields that only a full read shows."""
        ...

    def glance(
        self, names: Iterable[str], ids: Collection[str], known: Mapping[str, Sighting]
    ) -> Inventory:
        """Observe, but read no plan of which the list shows exactly what is known, by id.

        As complete as ``observe``. Raises ``ServerSaidNo`` where this list cannot be used.
        """
        ...

    def listed(self, raw: dict[str, JSON]) -> dict[str, JSON]:
        """Give what the list would show of a plan that was read in full."""
        ...

    def sighting(self, raw: dict[str, JSON]) -> Sighting | None:
        """Say what the list shows of a plan; ``None`` where more may change than it shows."""
        ...

    def footing(self, desired: Desired) -> JSON:
        """Give what the things that a file names stand for on the server, as they are now."""
        ...


class Ledger(Protocol):
    """Where what was applied is recorded, and which run may write."""

    def load(self) -> Book:
        """Read the ledger as it is now."""
        ...

    def write(self, tip: str, changes: Mapping[str, bytes | None], message: str, now: int) -> str:
        """Set documents on top of ``tip`` and give the new tip; all of them or none.

        Raises ``LedgerMoved`` where the ledger is no longer at ``tip``.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What became of a comment: ``before`` is the marker that was there, ``why`` a clause."""

    act: Act
    before: Marker | None
    why: str = ""


class Forge(Protocol):
    """Where pull requests are reviewed. Every method may raise ``ForgeFailed`` and its kinds.

    ``ForgeRefused`` says that the token may not do this: the caller does without.
    """

    @property
    def limit(self) -> int:
        """The greatest number of characters (code points) of a text, its marker included."""
        ...

    def pull(self, number: int) -> Pull:
        """Read a pull request."""
        ...

    def tip(self, branch: str) -> str:
        """Give the commit that a branch is at now."""
        ...

    def pulls_of(self, commit: str) -> tuple[Pull, ...]:
        """Read the merged pull requests that brought a commit to its branch."""
        ...

    def pulls_from(self, owner: str, branch: str) -> tuple[Pull, ...]:
        """Read the open pull requests from a branch of somebody's repository."""
        ...

    def upsert(self, post: Post, notice: str = "") -> Posted:
        """Write the one comment of a pull request, unless a later run has or its head moved on.

        ``notice`` is one line that is written as a comment of its own, where the risk of a review
        has risen: an edit tells nobody.
        """
        ...

    def notice(self, post: Post) -> bool:
        """Write a comment of its own, and tell whether it was new; the same words come once."""
        ...

    def label(self, number: int, wanted: Collection[str], ours: Collection[str]) -> None:
        """Make a pull request carry the wanted ones of our labels, and no other ones of them.

        Raises ``ValueError`` for a label without our prefix; other labels are left alone.
        """
        ...

    def issue(self, title: str, post: Post, *, wanted: bool) -> Act:
        """Open, rewrite or (where it is not wanted) rewrite and close the one issue."""
        ...


class Clock(Protocol):
    """The time of day, in unix seconds, and a way to wait."""

    def now(self) -> int:
        """Give the time of day in unix seconds."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...
