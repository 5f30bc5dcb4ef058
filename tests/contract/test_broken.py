"""The contract is strict: no backend that is wrong in any of these ways keeps it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_plus

import pytest

from contract import broken, brpm, zadig
from contract.emulated import TOKEN
from contract.known import KNOWN
from planops.backends.brpm.backend import BrpmBackend
from planops.backends.brpm.wire import PLANS
from planops.backends.zadig.backend import ZadigBackend
from planops.backends.zadig.wire import OPEN
from planops.manifests.schemas import shape
from planops.ports import Backend
from planops.sandbox.brpm import Switches
from planops.testing import Case, Check, contract

USUAL, DOCUMENTED = brpm.HABITS["as-usual"], brpm.HABITS["as-documented"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A case with a broken backend: the check that notices, and some of what it says."""

    case: Case
    check: str
    says: str


def of_zadig(spoil: broken.Spoil, check: str, says: str = "") -> Broken:
    case = zadig.zadig(build=lambda http: spoil(zadig.sound(http)))
    return Broken(case=case, check=check, says=says)


def by_zadig(kind: type[ZadigBackend], check: str, says: str = "") -> Broken:
    form = shape("ZadigReleasePlan")
    case = zadig.zadig(build=lambda http: kind(http, form, token=TOKEN))
    return Broken(case=case, check=check, says=says)


def of_brpm(spoil: broken.Spoil, check: str, says: str = "", habits: Switches = USUAL) -> Broken:
    case = brpm.brpm(habits, build=lambda http: spoil(brpm.sound(http)))
    return Broken(case=case, check=check, says=says)


def by_brpm(
    kind: type[BrpmBackend], check: str, says: str = "", habits: Switches = USUAL
) -> Broken:
    form = shape("BrpmPlan")
    case = brpm.brpm(habits, build=lambda http: kind(http, form))
    return Broken(case=case, check=check, says=says)


def shared(
    of: Callable[[broken.Spoil, str, str], Broken], *, working: str, repeated: str
) -> dict[str, Broken]:
    return {
        name: of(spoil, check.format(working=working), says.format(repeated=repeated))
        for name, (spoil, check, says) in broken.SHARED.items()
    }


def probing(path: str) -> broken.Spoil:
    return lambda inner: broken.Probing(inner, path)


def believing(field: str) -> broken.Spoil:
    return lambda inner: broken.Believing(inner, field)


def alike(form: Callable[[str], str]) -> broken.Spoil:
    return lambda inner: broken.Alike(inner, form)


def composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


ZADIG: dict[str, Broken] = {
    **shared(of_zadig, working="executing", repeated="holds 2 plans"),
    "a field dropped from the body": of_zadig(
        broken.bodies(broken.without("end_time")),
        "a_created_plan_compares_empty[full]",
        "making a plan came to",
    ),
    "an approval dropped from the body": of_zadig(
        broken.bodies(broken.without("approval")), "an_edit_leaves_the_rest_alone[content]"
    ),
    "an undeclared field sent empty": of_zadig(
        broken.bodies(broken.emptied(description="")),
        "an_edit_leaves_the_rest_alone[end_time]",
        "/spec/description went from 'All of it' to ''",
    ),
    "an update made of the file alone": of_zadig(
        broken.ruled(broken.Overlaid),
        "an_edit_leaves_the_rest_alone[approval timeout]",
        "what no file changed has changed",
    ),
    "approvers appended": of_zadig(
        broken.bodies(broken.approvers_appended), "an_edit_converges[an approver less]"
    ),
    "an accepted transition believed": of_zadig(
        believing("status"), "a_transition_is_sent_once", "expected failed"
    ),
    "a state guessed": of_zadig(
        broken.seeing(broken.in_state(quiescing="planning")), "an_unknown_state_is_shown"
    ),
    "a plan at work taken for a new one": of_zadig(
        broken.seeing(broken.in_state(executing="planning")), "beyond_the_goal_is_satisfied"
    ),
    "a state believed that somebody has left": of_zadig(
        believing("status"), "who_stops_a_plan_on_its_way_is_heard", "never shown"
    ),
    "edits of others not counted": of_zadig(
        broken.seeing(broken.ageless), "an_edit_at_the_same_moment_is_told", "is not told"
    ),
    "what would be lost kept quiet": of_zadig(
        broken.seeing(broken.faithful),
        "what_cannot_be_changed_is_refused[inputs that cannot be read back]",
        "expected refused",
    ),
    "a cancelled plan taken for a new one": of_zadig(
        broken.seeing(broken.in_state(cancel="planning")), "what_was_stopped_is_left_alone[cancel]"
    ),
    "a plan that was put back taken for a new one": of_zadig(
        broken.seeing(broken.never_put_back),
        "what_was_stopped_is_left_alone[finish_planning then planning]",
    ),
    "the first page taken for the list": by_zadig(
        broken.FirstPage, "a_list_in_pieces_is_put_together", "read in part"
    ),
    "an empty list believed": by_zadig(
        broken.FirstPage,
        "a_part_is_no_inventory[an empty list beside a count]",
        "taken for the whole list were 0 plans",
    ),
    "one pass taken for a snapshot": by_zadig(
        broken.OnePass, "a_part_is_no_inventory[a list that moves]", "taken for the whole list"
    ),
    "whatever is given asked for": by_zadig(
        broken.AnyZadigId, "what_is_no_id_is_not_asked_for", "a call was made"
    ),
    "names decoded before they are compared": of_zadig(
        alike(unquote_plus), "names_are_compared_exactly[a%20b not a b]", "the inventory holds"
    ),
    "names composed before they are compared": of_zadig(
        alike(composed), "names_are_compared_exactly[caf\u00e9 not cafe\u0301]"
    ),
    "a write to find out": of_zadig(probing(OPEN), "looking_writes_nothing", "expected 0 writes"),
}
BRPM: dict[str, Broken] = {
    **shared(of_brpm, working="started", repeated="is taken by"),
    "a field dropped from the body": of_brpm(
        broken.bodies(broken.without("release_date")),
        "a_created_plan_compares_empty[full]",
        "making a plan came to",
    ),
    "an undeclared field sent empty": of_brpm(
        broken.bodies(broken.emptied(release_date=None)),
        "an_edit_leaves_the_rest_alone[description]",
        "/spec/release_date went from '2026-12-01' to None",
    ),
    "an undeclared set sent empty": of_brpm(
        broken.bodies(broken.emptied(team_ids=[])),
        "an_edit_leaves_the_rest_alone[release_name]",
        "/spec/team_ids went from",
    ),
    "teams appended": of_brpm(
        broken.bodies(broken.teams_appended), "an_edit_converges[a team less]"
    ),
    "an accepted transition believed": of_brpm(
        believing("aasm_state"), "a_transition_is_sent_once", "never shown"
    ),
    "a state guessed": of_brpm(
        broken.seeing(broken.in_state(quiescing="created")), "an_unknown_state_is_shown"
    ),
    "a complete plan taken for a new one": of_brpm(
        broken.seeing(broken.in_state(complete="created")), "beyond_the_goal_is_satisfied"
    ),
    "a state believed that somebody has left": of_brpm(
        believing("aasm_state"), "who_stops_a_plan_on_its_way_is_heard", "never shown"
    ),
    "another template written": of_brpm(
        broken.ruled(broken.Mutable),
        "what_cannot_be_changed_is_refused[template by name]",
        "expected refused",
    ),
    "a cancelled plan taken for a new one": of_brpm(
        broken.seeing(broken.in_state(cancelled="created")),
        "what_was_stopped_is_left_alone[cancelled]",
    ),
    "a plan on hold taken for a planned one": of_brpm(
        broken.seeing(broken.in_state(hold="planned")), "what_was_stopped_is_left_alone[hold]"
    ),
    "a removal without a cancellation": of_brpm(
        broken.ruled(broken.RemovingAtOnce), "a_removed_plan_is_gone[started]", "StateConflict"
    ),
    "a removal where there is none": of_brpm(
        broken.ruled(broken.RemovingAlways), "what_cannot_be_removed_has_no_steps[locked]"
    ),
    "archived plans left out": by_brpm(
        broken.Unarchived, "a_list_in_pieces_is_put_together", "read in part"
    ),
    "a 404 taken for no plans": by_brpm(
        broken.Unproven,
        "a_part_is_no_inventory[a wrong address]",
        "taken for the whole list were 0 plans",
    ),
    "an error page taken for an empty list": by_brpm(
        broken.Lenient, "a_part_is_no_inventory[a failure]", "taken for the whole list"
    ),
    "archived plans that failed taken for none": by_brpm(
        broken.Lenient, "a_part_is_no_inventory[archived plans that fail]"
    ),
    "a filter believed": by_brpm(
        broken.Unfiltered, "a_wrong_reference_is_refused[team's case]", habits=DOCUMENTED
    ),
    "a keyword believed": by_brpm(
        broken.Unfiltered, "a_wrong_reference_is_refused[part of a manager]"
    ),
    "only one spelling of an event": of_brpm(
        broken.OneSpelling, "a_goal_is_walked_to", "it was failed", DOCUMENTED
    ),
    "whatever is given asked for": by_brpm(
        broken.AnyBrpmId, "what_is_no_id_is_not_asked_for", "a call was made"
    ),
    "names decoded before they are compared": of_brpm(
        alike(unquote_plus), "names_are_compared_exactly[a%20b not a b]", "the inventory holds"
    ),
    "names composed before they are compared": of_brpm(
        alike(composed), "names_are_compared_exactly[caf\u00e9 not cafe\u0301]"
    ),
    "a write to find out": of_brpm(probing(PLANS), "looking_writes_nothing", "expected 0 writes"),
}
BROKEN = [
    pytest.param(one, id=f"{server}-{name}")
    for server, faults in (("zadig", ZADIG), ("brpm", BRPM))
    for name, one in faults.items()
]


def named(case: Case, name: str) -> Check:
    """The one check of a name."""
    (check,) = (check for check in contract(case) if check.name == name)
    return check


@pytest.mark.parametrize("one", BROKEN)
def test_a_broken_backend_is_caught(one: Broken) -> None:
    with pytest.raises(AssertionError) as raised:
        named(one.case, one.check).run()
    assert str(raised.value).startswith(f"{one.check}: ")
    assert one.says in str(raised.value)


def unspoilt(inner: Backend) -> Backend:
    """Something before the backend, and before its rules, that spoils nothing."""
    return broken.ruled(broken.SpoiltRules)(broken.Spoilt(inner))


@pytest.mark.parametrize(
    "case",
    [
        zadig.zadig(build=lambda http: unspoilt(zadig.sound(http))),
        brpm.brpm(build=lambda http: unspoilt(brpm.sound(http))),
    ],
    ids=["zadig", "brpm"],
)
def test_what_spoils_nothing_is_not_caught(case: Case) -> None:
    """It is the fault that is caught, and not that something stands before the backend."""
    caught = {one.check for one in (ZADIG | BRPM).values()} & {c.name for c in contract(case)}
    assert len(caught) > 16
    for name in sorted(caught - KNOWN.keys()):
        named(case, name).run()


@pytest.mark.parametrize(
    ("case", "faults"), [(zadig.zadig(), ZADIG), (brpm.brpm(), BRPM)], ids=["zadig", "brpm"]
)
def test_every_promise_is_shown_to_be_broken(case: Case, faults: dict[str, Broken]) -> None:
    promises = {check.name.partition("[")[0] for check in contract(case)}
    assert {one.check.partition("[")[0] for one in faults.values()} == promises


def test_every_check_has_a_promise_and_a_name_of_its_own() -> None:
    for case in (zadig.zadig(), brpm.brpm()):
        checks = contract(case)
        assert len({check.name for check in checks}) == len(checks)
        assert all(check.promise.strip().endswith((".", "``")) for check in checks)
