"""The contract: every promise of a backend as a check with a name.

A check opens a server of its own, plants a plan there that is nobody's business, does what the
promise speaks of, and looks whether that plan is still as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias, TypeVar

from planops.errors import PlanopsError
from planops.testing import comparing, finding, hushing, keeping, losing, moving
from planops.testing.acting import expect
from planops.testing.case import Case, Lost, Server

Promise: TypeAlias = Callable[[Case, Server], None]
Item = TypeVar("Item")

BYSTANDER: Final = "Somebody else's plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One promise, about one thing: its name, the promise in words, and how it is kept."""

    name: str
    promise: str
    case: Case
    keep: Promise

    def run(self) -> None:
        """Raise ``AssertionError`` where the promise is broken."""
        with self.case.open() as server:
            other = server.insert(BYSTANDER)
            kept = server.document(other)
            try:
                self.keep(self.case, server)
            except PlanopsError as error:
                raise AssertionError(f"{self.name}: {type(error).__name__}: {error}") from error
            except AssertionError as error:
                raise AssertionError(f"{self.name}: {error}") from error
            touched = server.document(other) != kept
            expect(that=not touched, why=f"{self.name}: a plan that is nobody's was touched")


PLAIN: Final[tuple[Promise, ...]] = (
    comparing.a_creation_is_what_was_shown,
    comparing.a_walk_is_what_was_shown,
    comparing.looking_writes_nothing,
    comparing.what_is_equal_is_not_written,
    comparing.an_ignored_field_is_sent_once,
    comparing.what_others_change_is_seen,
    comparing.plans_are_prepared_in_order,
    comparing.a_document_is_only_read,
    losing.a_lost_answer_without_a_look_is_unknown,
    losing.a_refusal_is_told,
    losing.a_failure_is_not_an_absence,
    finding.two_plans_of_one_name_are_refused,
    finding.the_inventory_is_whole,
    finding.a_plan_is_found_by_its_id,
    finding.a_name_has_all_of_its_plans,
    finding.a_list_in_pieces_is_put_together,
    finding.what_is_no_id_is_not_asked_for,
    moving.a_goal_is_walked_to,
    moving.a_new_plan_is_walked_to_its_goal,
    moving.a_transition_is_sent_once,
    moving.being_there_already_is_success,
    moving.beyond_the_goal_is_satisfied,
    moving.an_unknown_state_is_shown,
    moving.who_stops_a_plan_on_its_way_is_heard,
    keeping.other_plans_are_untouched,
    keeping.equal_ground_has_one_fingerprint,
    keeping.a_plan_made_meanwhile_is_not_made_again,
)
"""Promises that are about nothing in particular."""


def contract(case: Case) -> tuple[Check, ...]:
    """Give every check of a backend, each with a name of its own; nothing is run yet.

    Usable with any runner: call ``run`` of each. With pytest::

        @pytest.mark.parametrize("check", contract(case), ids=lambda check: check.name)
        def test_the_contract(check):
            check.run()
    """
    return tuple(_checks(case))


def _checks(case: Case) -> Iterator[Check]:
    samples = {"minimal": case.minimal, "full": case.full, **case.others}
    lost = {str(how): how for how in Lost}
    pairs = {f"{ours} not {theirs}": (ours, theirs) for ours, theirs in finding.ALIKE}
    edits = {**case.edits, **case.clears}
    for promise in (*PLAIN, *([keeping.an_edit_at_the_same_moment_is_told] if case.counts else ())):
        yield _check(case, promise, promise, "")
    yield from _each(case, comparing.a_created_plan_compares_empty, samples)
    yield from _each(case, comparing.an_edit_converges, edits)
    yield from _each(case, comparing.an_edit_leaves_the_rest_alone, edits)
    yield from _each(case, comparing.two_spellings_are_one_wish, case.spellings)
    yield from _each(case, comparing.what_cannot_be_changed_is_refused, case.refused)
    yield from _each(case, losing.a_lost_creation_makes_one_plan, lost)
    yield from _each(case, losing.a_lost_update_is_looked_up, lost)
    yield from _each(case, losing.a_lost_transition_is_looked_up, lost)
    yield from _each(case, finding.a_name_is_found_again, _by_itself(finding.NAMES))
    yield from _each(case, finding.names_are_compared_exactly, pairs)
    yield from _each(case, finding.a_part_is_no_inventory, _by_itself(case.hidings))
    yield from _each(case, finding.a_wrong_reference_is_refused, case.wrong)
    stops = {" then ".join(states): states for states in case.stops}
    yield from _each(case, moving.what_was_stopped_is_left_alone, stops)
    yield from _each(case, keeping.moved_ground_has_another_fingerprint, keeping.DEEDS)
    yield from _each(case, keeping.a_stale_change_is_not_applied, keeping.DEEDS)
    yield from _each(case, keeping.a_removed_plan_is_gone, _by_itself(case.removable))
    yield from _each(case, keeping.what_cannot_be_removed_has_no_steps, _by_itself(case.kept))
    yield from _each(case, hushing.the_token_is_never_shown, _by_itself(hushing.WAYS))


def _by_itself(names: Iterable[str]) -> Mapping[str, str]:
    return {name: name for name in names}


def _each(
    case: Case, promise: Callable[[Case, Server, Item], None], about: Mapping[str, Item]
) -> Iterator[Check]:
    """Give a promise as one check for each thing that it is about."""
    for name, item in about.items():
        yield _check(case, promise, partial(_keep, promise, item), f"[{name}]")


def _keep(
    promise: Callable[[Case, Server, Item], None], item: Item, case: Case, server: Server
) -> None:
    promise(case, server, item)


def _check(case: Case, promise: Callable[..., None], keep: Promise, about: str) -> Check:
    return Check(
        name=f"{promise.__name__}{about}", promise=promise.__doc__ or "", case=case, keep=keep
    )
