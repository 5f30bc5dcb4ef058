"""The right to write at one target: a lease in the ledger, taken, kept, and given back.

Before the first call the lease and the intents are committed; a run that finds somebody else's
lease waits or ends. A write is begun only while more of the lease is left than the write may take.
When the calls are made, records, intents and lease are settled in one commit.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from planops.core.ledger import LEASE, Book, Intent, Lease, intent_document, lease_document
from planops.errors import Busy, LedgerMoved, Refused, Unreachable
from planops.ports import Clock, Ledger

POLL = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How a target's ledger is kept, and by whom.

    ``holder`` and ``link`` are for people, ``run`` is this run's own name; ``seconds`` is how long
    a lease lasts, ``call`` how long one call may take at most, ``patience`` how long somebody
    else's lease is waited for. ``is_dead`` tells of a holder that is known not to run any more.
    """

    ledger: Ledger
    clock: Clock
    holder: str
    run: str
    link: str = ""
    seconds: int = 300
    call: float = 120.0
    patience: int = 0
    is_dead: Callable[[Lease], bool] = lambda _: False
    monotonic: Callable[[], float] = time.monotonic

    def is_left(self, lease: Lease | None) -> bool:
        """Tell whether a lease protects nobody any more: its holder is dead, or let it run out."""
        return lease is None or self.is_dead(lease) or lease.is_over(self.clock.now())

    def late(self) -> int:
        """Say until when, in unix seconds, a call that is sent now may still arrive."""
        return self.clock.now() + math.ceil(self.call)

    def lease(self) -> Lease:
        """Give a lease from now on."""
        return Lease(
            holder=self.holder,
            run=self.run,
            until=self.clock.now() + self.seconds,
            seconds=self.seconds,
            link=self.link,
        )


@dataclass(slots=True, kw_only=True)
class Custody:
    """A lease that this run holds; safe to use from every worker.

    ``intents`` is what it was taken for, by key.
    """

    keeping: Keeping
    tip: str
    until: float
    intents: Mapping[str, Intent] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, calls: int = 1) -> None:
        """Make sure that what is begun now ends within the lease; renew it if not.

        ``calls`` is how many calls may be made before this is asked again. Nothing may be written
        where this raises: ``LedgerMoved`` where somebody else took over, ``Unreachable`` where
        renewing took too long.
        """
        with self.lock:
            if self.until - self.keeping.monotonic() > calls * self.keeping.call:
                return
            begun = self.keeping.monotonic()
            path, data = lease_document(self.keeping.lease())
            self.tip = self._write({path: data}, "renew the lease")
            self.until = begun + self.keeping.seconds
            if self.until - self.keeping.monotonic() <= calls * self.keeping.call:
                raise Unreachable(
                    "the ledger took so long to renew the lease that too little of it is left for a"
                    " call; run again later, or set a longer ledger.lease"
                )

    def settle(self, documents: Mapping[str, bytes | None], message: str) -> None:
        """Write what came of it all, and give the lease back."""
        with self.lock:
            self.tip = self._write({**documents, LEASE: None}, message)

    def _write(self, documents: Mapping[str, bytes | None], message: str) -> str:
        keeping = self.keeping
        return keeping.ledger.write(self.tip, documents, message, keeping.clock.now())


def take(keeping: Keeping, seen: Book, intents: Sequence[Intent], message: str) -> Custody:
    """Take the lease and write down the intents, or raise and have written nothing.

    ``seen`` is the ledger on which the decisions rest. Raises ``Busy`` while somebody else holds
    the lease, ``LedgerMoved`` where the ledger says something else by now, ``Refused`` where
    nobody can tell who holds it.
    """
    book = free(keeping, seen)
    begun = keeping.monotonic()
    documents = dict(map(intent_document, intents))
    path, data = lease_document(keeping.lease())
    tip = keeping.ledger.write(book.tip, {**documents, path: data}, message, keeping.clock.now())
    return Custody(
        keeping=keeping,
        tip=tip,
        until=begun + keeping.seconds,
        intents={one.key: one for one in intents},
    )


def note(keeping: Keeping, seen: Book, documents: Mapping[str, bytes | None], message: str) -> None:
    """Write documents that no call stands behind, once nobody holds the lease.

    Raises as :func:`take`. What a dead holder left open stays open, its lease with it.
    """
    book = free(keeping, seen)
    keeping.ledger.write(book.tip, documents, message, keeping.clock.now())


def free(keeping: Keeping, seen: Book) -> Book:
    """Wait until nobody holds the lease, or until its holder must be gone.

    Gives the ledger as it is then; raises as :func:`take`.
    """
    book, waited, unmoved = seen, 0, 0
    while (lease := _lease(book)) is not None and not keeping.is_dead(lease):
        over = lease.is_over(keeping.clock.now())
        if over and unmoved >= lease.seconds:
            return book  # seen by ourselves: nobody moved for as long as the lease lasts
        if waited >= max(keeping.patience, lease.seconds if over else 0):
            raise Busy(_busy(lease))
        keeping.clock.sleep(POLL)
        waited += POLL
        book, unmoved = _again(keeping, book, unmoved)
    if (book.records, book.intents) != (seen.records, seen.intents):
        raise LedgerMoved("another run has written into the ledger since it was read; run again")
    return book


def _lease(book: Book) -> Lease | None:
    """Give who holds the lease: one that cannot be read is somebody's, nobody knows whose."""
    damage = book.damage(LEASE)
    if damage is None:
        return book.lease
    raise Refused(
        f"{LEASE}: the ledger's lease cannot be read: {damage.why}; if no other run is writing,"
        " planops ledger unlock"
    )


def _again(keeping: Keeping, before: Book, unmoved: int) -> tuple[Book, int]:
    now = keeping.ledger.load()
    return now, unmoved + POLL if now.tip == before.tip else 0


def _busy(lease: Lease) -> str:
    where = f", {lease.link}" if lease.link else ""
    return (
        f"{lease.holder} is writing (run {lease.run}{where}), for at most {lease.seconds} seconds"
        " at a time; try again later, wait with --lock-timeout, or, if that run is dead,"
        " planops ledger unlock"
    )
