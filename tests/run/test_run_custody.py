"""The lease while a run writes: renewed in time, or nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from planops.core.ledger import lease_document
from planops.custody import Custody, Keeping
from planops.errors import Unreachable
from run.ledgers import MemoryLedger


@dataclass(slots=True)
class Slow:
    """A ledger each of whose writes takes some seconds, and the clock that shows it."""

    takes: float
    inner: MemoryLedger = field(default_factory=MemoryLedger)
    time: float = 0.0

    def load(self) -> Any:
        return self.inner.load()

    def write(self, *words: Any) -> str:
        self.time += self.takes
        return self.inner.write(*words)

    def now(self) -> int:
        return 1_800_000_000 + int(self.time)

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def custody(ledger: Slow) -> Custody:
    keeping = Keeping(
        ledger=ledger,
        clock=ledger,
        holder="me",
        run="here/1/x",
        seconds=300,
        call=100,
        monotonic=lambda: ledger.time,
    )
    path, data = lease_document(keeping.lease())
    tip = ledger.inner.write(ledger.inner.load().tip, {path: data}, "begin", ledger.now())
    return Custody(keeping=keeping, tip=tip, until=300)


@pytest.mark.parametrize(("takes", "good"), [(0, True), (199, True), (200, False), (400, False)])
def test_a_renewal_that_leaves_no_time_for_a_call_lets_none_be_made(
    takes: float,
    good: bool,  # noqa: FBT001 -- a table's column
) -> None:
    ledger = Slow(takes=takes)
    held = custody(ledger)
    ledger.time = 250
    if good:
        held.hold()
        return
    with pytest.raises(Unreachable, match="too little of it is left for a call"):
        held.hold()


def test_what_is_left_is_not_renewed() -> None:
    ledger = Slow(takes=1000)
    held = custody(ledger)
    ledger.time = 199
    held.hold()
    assert ledger.time == 199
