"""What a file allows: when it counts, when it is used up, what is said of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.values import URL, change, step
from planops.core.allowances import lapsed, mark, usable
from planops.core.changes import Change
from planops.core.guards import IN_FILES, Limits, guarded
from planops.core.model import Allowance

REOPEN = Allowance(guard="reopen", reason="moved")
DAY = replace(REOPEN, until="2026-12-01")
LAST = int(datetime(2026, 12, 1, 23, 59, 59, tzinfo=UTC).timestamp())


def test_an_allowance_is_named_by_all_that_it_says() -> None:
    others = [
        replace(REOPEN, guard="past"),
        replace(REOPEN, reason="again"),
        DAY,
        replace(DAY, until="2026-12-02"),
    ]
    assert len({mark(one) for one in (REOPEN, *others)}) == 5
    assert mark(REOPEN) == mark(replace(REOPEN))


@pytest.mark.parametrize(
    ("allowance", "used", "now", "why"),
    [
        (REOPEN, (), 0, ""),
        (REOPEN, (mark(DAY),), 0, ""),
        (REOPEN, (mark(REOPEN),), 0, "was used up when the file was applied"),
        (REOPEN, None, 0, "has no end, and no ledger records when it is used up"),
        (DAY, (), LAST, ""),
        (DAY, None, LAST, ""),
        (DAY, (), LAST + 1, "ran out at the end of 2026-12-01"),
        (DAY, None, LAST + 1, "ran out at the end of 2026-12-01"),
        (replace(REOPEN, until="9999-12-31"), (), 2**40 // 10, ""),
    ],
)
def test_when_an_allowance_counts(
    allowance: Allowance, used: tuple[str, ...] | None, now: int, why: str
) -> None:
    assert lapsed(allowance, used, now) == why
    assert ("reopen" in usable([allowance], used, now)) == (why == "")


def test_another_reason_allows_it_anew() -> None:
    again = replace(REOPEN, reason="again")
    assert usable([REOPEN, again], (mark(REOPEN),), 0) == {"reopen": again}


def held(one: Change, **allow: int | None) -> Change:
    (found,) = guarded(
        [one],
        target="harbour",
        url=URL,
        live=0,
        selected=False,
        limits=Limits(floor=1000),
        allow=allow,
    ).changes
    return found


@pytest.mark.parametrize("guard", IN_FILES)
def test_a_file_lifts_its_guard_and_no_other(guard: str) -> None:
    asked = replace(
        change(step(), refused=(guard, "adopt")),
        allowed={guard: Allowance(guard=guard, reason="moved")},
    )
    found = held(asked)
    assert [refusal.guard for refusal in found.refusals] == ["adopt"]
    assert found.notices[-1].startswith(f"{guard} is allowed by the file (moved): ")


def test_what_a_file_allows_is_not_counted() -> None:
    """``--allow reopen`` is for one plan more."""
    lifted = replace(change(step(), refused=("reopen",)), allowed={"reopen": REOPEN})
    other = change(step(), name="other", refused=("reopen",))
    found = guarded(
        [lifted, other],
        target="harbour",
        url=URL,
        live=0,
        selected=False,
        limits=Limits(floor=1000),
        allow={"reopen": None},
    )
    assert [one.refusals for one in found.changes] == [(), ()]


def test_why_it_no_longer_counts_is_said_where_the_guard_refuses() -> None:
    asked = replace(
        change(step(), refused=("reopen",)), lapsed={"reopen": "was used up", "past": "x"}
    )
    found = held(asked)
    assert found.notices == ("what the file allows of reopen was used up",)
    assert [refusal.guard for refusal in found.refusals] == ["reopen"]
