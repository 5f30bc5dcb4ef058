"""Guards: what trips them, what lifts them, one at a time and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.values import URL, change, live, step
from planops.core.changes import Change, ChangeSet
from planops.core.guards import (
    BY_HAND,
    IN_FILES,
    NAMES,
    PER_PLAN,
    PER_TARGET,
    Limits,
    guarded,
)
from planops.core.lifecycle import Refusal

LOOSE = Limits(floor=1000)


def held(
    changes: Sequence[Change],
    allow: Mapping[str, int | None] | None = None,
    *,
    limits: Limits = LOOSE,
    on_server: int = 0,
    selected: bool = False,
) -> ChangeSet:
    return guarded(
        changes,
        target="harbour",
        url=URL,
        live=on_server,
        selected=selected,
        limits=limits,
        allow=allow or {},
    )


def several(count: int, *guards: str) -> list[Change]:
    return [change(step(), name=f"p{number}", refused=guards) for number in range(count)]


def idle(count: int) -> list[Change]:
    return [change(name=f"q{number}") for number in range(count)]


def left(changes: ChangeSet) -> list[list[str]]:
    return [[refusal.guard for refusal in change.refusals] for change in changes.changes]


def test_every_guard_has_one_name() -> None:
    assert sorted({*PER_PLAN, *PER_TARGET, "delete"}) == list(NAMES)
    assert len(NAMES) == len(PER_PLAN) + len(PER_TARGET) + 1
    assert set(IN_FILES) | set(BY_HAND) == set(PER_PLAN)


def test_a_change_set_is_what_was_handed_in() -> None:
    changes = several(2)
    assert held(changes) == ChangeSet(target="harbour", url=URL, changes=tuple(changes))


@pytest.mark.parametrize("guard", PER_PLAN)
@pytest.mark.parametrize(
    ("plans", "allowed", "lifted"),
    [
        (1, None, True),
        (2, None, False),
        (1, 1, True),
        (2, 1, False),
        (2, 2, True),
        (2, 3, True),
        (3, 2, False),
    ],
)
def test_a_guard_is_lifted_for_as_many_plans_as_were_named(
    guard: str, plans: int, allowed: int | None, *, lifted: bool
) -> None:
    found = held(several(plans, guard), {guard: allowed})
    assert left(found) == [[] if lifted else [guard]] * plans
    notice = f"{guard} is allowed: {guard} stands against it"
    assert [c.notices for c in found.changes] == [(notice,) if lifted else ()] * plans


@pytest.mark.parametrize("guard", PER_PLAN)
def test_lifting_one_guard_lifts_no_other(guard: str) -> None:
    everything = several(1, *PER_PLAN)
    (stay,) = left(held(everything, {guard: None}))
    assert stay == [name for name in PER_PLAN if name != guard]
    assert left(held(everything, dict.fromkeys(PER_PLAN))) == [[]]
    assert left(held(everything, dict.fromkeys(PER_TARGET))) == [list(PER_PLAN)]


@pytest.mark.parametrize("guard", ["frame", "lifecycle", "identity", "finished", "people", "adopt"])
def test_what_is_no_guard_is_never_lifted(guard: str) -> None:
    assert left(held(several(1, guard), {guard: None})) == [[guard]]


def test_the_number_that_lifts_a_guard_can_be_copied() -> None:
    (one,) = held(several(1, "reopen")).changes
    assert one.refusals[0].lift == "--allow reopen"
    for found in held(several(3, "reopen")).changes:
        assert found.refusals[0].lift == "--allow reopen=3"


@pytest.mark.parametrize("lift", ["", "--adopt-by-name"])
def test_what_is_lifted_in_another_way_or_in_none_gets_no_number(lift: str) -> None:
    refusal = Refusal(guard="adopt", message="not ours", lift=lift)
    changes = [replace(one, refusals=(refusal,)) for one in several(2)]
    assert {c.refusals for c in held(changes).changes} == {(refusal,)}


def test_a_plan_counts_once_however_often_it_trips_a_guard() -> None:
    assert left(held(several(1, "weaken", "weaken"), {"weaken": 1})) == [[]]


def test_plans_that_would_write_nothing_are_not_counted() -> None:
    still = change(name="still", refused=("reopen",))
    assert left(held([*several(1, "reopen"), still], {"reopen": 1})) == [[], []]
    (found,) = held([still]).changes
    assert found.refusals[0].lift == "--allow reopen"


@given(
    tripped=st.lists(st.sets(st.sampled_from(PER_PLAN)), max_size=6),
    allow=st.dictionaries(st.sampled_from(NAMES), st.none() | st.integers(1, 4)),
)
def test_a_refusal_stays_unless_its_own_guard_was_lifted_for_enough_plans(
    tripped: list[set[str]], allow: dict[str, int | None]
) -> None:
    changes = [
        change(step(), name=f"p{n}", refused=tuple(sorted(g))) for n, g in enumerate(tripped)
    ]
    for before, after in zip(tripped, left(held(changes, allow)), strict=True):
        count = {guard: sum(guard in guards for guards in tripped) for guard in before}
        assert after == sorted(g for g in before if g not in allow or count[g] > (allow[g] or 1))


# ----------------------------------------------------------------------------------- mass change


@pytest.mark.parametrize(
    ("acting", "total", "limits", "refused"),
    [
        (5, 5, Limits(), False),  # at the floor, whatever the share
        (6, 6, Limits(), True),
        (6, 20, Limits(), False),  # at the share
        (7, 20, Limits(), True),
        (6, 21, Limits(), False),
        (30, 100, Limits(), False),
        (31, 100, Limits(), True),
        (0, 0, Limits(), False),
        (0, 5, Limits(share=0.0, floor=0), False),
        (1, 100, Limits(share=0.0, floor=0), True),
        (1, 1, Limits(share=0.0, floor=1), False),
        (7, 100, Limits(share=0.07, floor=0), False),
        (9, 30, Limits(share=0.3, floor=0), False),
        (100, 100, Limits(share=1.0, floor=0), False),
    ],
)
def test_too_many_changes_at_once_are_refused(
    acting: int, total: int, limits: Limits, *, refused: bool
) -> None:
    found = held([*several(acting), *idle(total - acting)], limits=limits)
    assert [r.guard for r in found.refusals] == (["mass-change"] if refused else [])


def test_a_mass_change_says_its_numbers() -> None:
    (found,) = held([*several(8), *idle(12)], limits=Limits()).refusals
    assert found.message == "8 of 20 plans would change (40%; the limit is 30% above 5 plans)"
    assert found.lift == "--allow mass-change=8"


@pytest.mark.parametrize(
    ("allow", "refused"),
    [
        ({"mass-change": None}, False),
        ({"mass-change": 7}, True),
        ({"mass-change": 8}, False),
        ({"mass-change": 9}, False),
        ({"empty": None, "reopen": 8}, True),
    ],
)
def test_a_mass_change_is_lifted_by_number_or_for_the_whole_target(
    allow: Mapping[str, int | None], *, refused: bool
) -> None:
    assert bool(held(several(8), allow, limits=Limits()).refusals) is refused


def test_refused_plans_are_no_part_of_a_mass_but_lifted_ones_are() -> None:
    some = [*several(5), change(step(), name="more", refused=("reopen",))]
    assert held(some, limits=Limits()).refusals == ()
    assert held(some, {"reopen": None}, limits=Limits()).refusals != ()


# -------------------------------------------------------------------------------- empty, unmanaged


@pytest.mark.parametrize(
    ("changes", "on_server", "selected", "allow", "refused"),
    [
        ([], 3, False, {}, True),
        ([], 3, False, {"empty": None}, False),
        ([], 3, False, {"empty": 1}, False),
        ([], 3, False, {"mass-change": None}, True),
        ([], 3, True, {}, False),
        ([], 0, False, {}, False),
        (several(1), 3, False, {}, False),
    ],
)
def test_a_target_whose_files_are_all_gone_is_refused(
    changes: list[Change],
    on_server: int,
    allow: Mapping[str, int | None],
    *,
    selected: bool,
    refused: bool,
) -> None:
    found = held(changes, allow, on_server=on_server, selected=selected)
    assert [r.guard for r in found.refusals] == (["empty"] if refused else [])
    assert all("holds 3" in r.message for r in found.refusals)


def test_plans_that_no_file_declares_are_counted() -> None:
    changes = [change(step(), name="made"), change(name="there", there=live())]
    assert held(changes, on_server=5).unmanaged == 4
    assert held(changes, on_server=0).unmanaged == 0
