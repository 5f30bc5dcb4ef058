"""What a review says, beyond its golden files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from planops.backends.zadig.lifecycle import LIFECYCLE
from planops.core.changes import Cause, Change, ChangeKind, Delta
from planops.core.forge import Risk
from planops.core.lifecycle import ASKED, Actor, Route, Standing
from planops.core.model import ABSENT, JSON, PlanKey, Problem, Severity, Value
from planops.core.report import ChangeReport, Outcome, Report
from planops.core.review import Review, Share
from planops.render import markdown, merging, outcome, review, shares, text
from planops.render.values import Look
from render import cases, review_cases
from render.cases import TIMES
from render.review_cases import online, shared

LOOK = Look(width=0, verbose=False, times=TIMES)


def comment(report: Report) -> str:
    return review.text(report, times=TIMES)


def test_the_blocked_come_first_then_what_needs_attention() -> None:
    found = comment(review_cases.review())
    table = found[found.index("| plan |") : found.index("#### Problems")]
    signs = [line.split(" | ")[4][0] for line in table.split("\n")[2:] if line]
    assert signs == sorted(signs, key="⛔⚠✅".index)
    assert {*signs} == {*"⛔⚠✅"}


def test_errors_come_before_warnings() -> None:
    found = comment(review_cases.review())
    assert found.rindex("**error**") < found.index("**warning**")


def test_what_is_caused_stands_apart_from_what_is_there() -> None:
    found = comment(review_cases.review())
    fold = found[found.index("payments-2026-10</code> update") :]
    ours, rest = fold.split("**Already there, not caused by this pull request:**")
    assert "/spec/end&#95;time" in ours
    assert "/spec/description" not in ours
    assert "/spec/description" in rest.split("**Route:**")[0]
    for said in (found, text.text(review_cases.review(), times=TIMES, width=400)):
        assert "merging overwrites it" in said
        assert "in the base already, and not applied yet; merging writes it as well" in said


def test_neither_existing_drift_nor_pending_edits_count_as_caused() -> None:
    found = comment(review_cases.nothing())
    assert "**Merging changes nothing on the server.**" in found
    assert "2 more calls are pending without this pull request." in found
    assert "Not caused by this pull request (1)" in found
    assert "an edit that is not applied yet" in found
    assert "Fingerprints" not in found
    assert "plans/alpha-1.yaml" in found


def test_an_approval_that_is_cancelled_is_said_with_those_who_were_asked() -> None:
    found = comment(review_cases.review())
    assert "update → asks for approval again" in found
    assert "cancels the approval that is being asked of alice, <code>u-7</code>, ops" in found
    assert "It cancels 1 approval." in found


def test_hazards_of_zadig_name_the_approval_as_reviews_look_for_it() -> None:
    cancelling = [e for e in LIFECYCLE.edges if any(ASKED in hazard for hazard in e.hazards)]
    assert {(e.source, e.target) for e in cancelling} == {
        ("wait_for_approval", "planning"),
        ("wait_for_approval", "cancel"),
    }


@pytest.mark.parametrize(
    ("approval", "said"),
    [
        (None, ""),
        ({"enabled": False, "a": {"approve_users": [{"name": "x"}]}}, ""),
        ({"enabled": True, "a": {"approve_users": [{"name": "x"}, {"name": "x"}, {}, "y"]}}, "x"),
        (
            {"enabled": True, "n": {"approval_nodes": [{"users": [{"id": n} for n in "abcdef"]}]}},
            "a, b, c, d and 2 more",
        ),
    ],
)
def test_approvers_of_every_kind_of_approval(approval: JSON, said: str) -> None:
    assert shares.approvers({"approval": approval}) == said


def test_nothing_can_be_approved_offline_or_from_a_stopped_target() -> None:
    for report in (review_cases.offline(), review_cases.broken()):
        assert "--expect" not in comment(report)
    pretending = replace(review_cases.review(), review=Review(base="a", head="b", offline=True))
    assert "--expect" not in comment(pretending)


def test_offline_says_that_no_server_was_asked_in_every_format() -> None:
    report = review_cases.offline()
    for said in (comment(report), text.text(report, times=TIMES)):
        assert "No server was asked" in said
        assert "not asked, 4 in files" in said
        assert "plans on the server" not in said
        assert "Nothing to do" not in said
        assert "othing can be approved" in said
    assert "/spec/end_time: 1796133600 (2026-12-01T14:00:00Z) → 1796148000" in text.text(
        report, times=TIMES, width=200
    )


def test_offline_names_what_is_removed_and_what_is_not_changed() -> None:
    removed = online(offline=True, dropped=(PlanKey(target="t", name="gone"),))
    assert "1 plan removed" in comment(removed).split("\n")[0]
    assert "1 removal" in comment(removed)
    assert "no plan is changed" in comment(online(offline=True)).split("\n")[0]
    assert "The pull request changes no plan" in comment(online(offline=True))


def test_of_a_target_that_could_not_be_read_no_file_is_said_to_go() -> None:
    report = review_cases.broken()
    assert report.review is not None
    assert report.review.dropped
    assert "unknown-1" not in comment(report)
    assert "unknown-1" not in text.text(report)


def test_what_is_not_certain_is_not_called_nothing() -> None:
    wrong = Problem(severity=Severity.ERROR, code="x", message="is wrong")
    report = replace(online(cases.same("alpha-1")), problems=(wrong,))
    assert "**No call is known that merging makes.**" in comment(report)
    assert "changes nothing" not in comment(report)


@pytest.mark.parametrize(("number", "said"), [(1, "1 plan is kept"), (2, "2 plans are kept")])
def test_rules_that_change_are_told_where_no_call_is_made(number: int, said: str) -> None:
    one = shared(review_cases.ruled(), Outcome.UNCHANGED, manages=("protect",))
    assert f"changes how {said}" in comment(online(*[one] * number))


def test_a_bug_is_said_to_be_reported() -> None:
    broken = replace(cases.same("alpha-1"), bug=True)
    assert "report the bug in planops" in comment(online(broken))


def item(given: dict[str, Any]) -> ChangeReport:
    of = replace(cases.created(), **given)
    return replace(cases.item(of), share=Share(touched=True, goal=True))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"kind": ChangeKind.FORGET, "route": Route(standing=Standing.UNMANAGED)},
            "close the record",
        ),
        ({"error": "x"}, "cannot be compared"),
        ({"steps": (), "refusals": cases.refused().refusals}, "blocked"),
        ({"route": Route(standing=Standing.UNMANAGED)}, "create"),
        (
            {
                "route": Route(
                    standing=Standing.WAITING, moves=(review_cases.REOPEN,), ends="planning"
                )
            },
            "create → cancels the approval",
        ),
        (
            {"route": Route(standing=Standing.WALKING, moves=(cases.FINISH,), ends="done")},
            "create → moves to done",
        ),
    ],
)
def test_what_is_done_to_a_plan(given: dict[str, Any], said: str) -> None:
    assert shares.action(item(given)) == said


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (Standing.UNMANAGED, ""),
        (Standing.WALKING, "the goal"),
        (Standing.REACHED, "the goal; ⏸ an approver is next"),
        (Standing.WAITING, "⏸ an approver is next; the goal is wait_for_approval"),
        (Standing.AHEAD, "beyond the goal wait_for_approval"),
        (Standing.STOPPED, "⏸ somebody stopped it before its goal wait_for_approval; left alone"),
        (Standing.UNKNOWN, "a state that planops does not know; left alone"),
        (Standing.BLOCKED, "and no further"),
    ],
)
def test_how_a_way_ends(standing: Standing, said: str) -> None:
    actor = Actor.APPROVER if standing in {Standing.REACHED, Standing.WAITING} else None
    route = Route(standing=standing, ends="planning", next_actor=actor)
    change = replace(cases.created(), route=route)
    assert shares.ending(change) == said
    assert shares.drawn(change) == ([("", "planning")] if said else [])


def test_of_a_plan_that_nobody_can_tell_no_way_is_said() -> None:
    change = replace(cases.created(), route=Route(standing=Standing.BLOCKED))
    assert shares.ending(change) == ""


def test_a_plan_that_somebody_stopped_is_said_to_be() -> None:
    assert "somebody stopped this plan" in shares.risks(shared(cases.stopped()))


@pytest.mark.parametrize(
    ("old", "new", "path", "said"),
    [
        ("a", "b", "/spec/description", "changes description"),
        ("", "b", "/spec/description", "sets description"),
        (None, "b", "/spec/description", "sets description"),
        ("a", "", "/spec/description", "clears description"),
        ("a", None, "/spec/description", "clears description"),
        (ABSENT, {}, "/spec/jobs/text:A", "adds text:A in jobs"),
        ({}, ABSENT, "/spec/jobs/text:A", "removes text:A in jobs"),
        ("a", "b", "/spec/jobs/text:A/spec/content", "changes content in text:A"),
        ("a", "b", "/spec", "changes /spec"),
        (cases.START, cases.END, "/spec/end_time", "end_time +4 h"),
        (0, cases.END, "/spec/end_time", "changes end_time"),
        (0, 1, "/spec/a~1b", "changes a/b"),
    ],
)
def test_what_changes_in_words(old: Value, new: Value, path: str, said: str) -> None:
    change = replace(cases.drifted(), deltas=(cases.delta(path, old, new),))
    assert shares.what(shared(change), LOOK) == said


def test_what_changes_where_no_field_does() -> None:
    change = cases.moved()
    assert shares.what(shared(change), LOOK) == "other calls, or other guards, for the same fields"
    many = tuple(cases.delta(f"/spec/f{n}", 1, 2) for n in range(6))
    told = shares.what(shared(replace(change, deltas=many)), LOOK)
    assert told.endswith("changes f3 and 2 more")


@pytest.mark.parametrize(
    ("cause", "given", "said"),
    [
        (Cause.EDIT, {}, "in the base already, and not applied yet; merging writes it as well"),
        (Cause.DRIFT, {}, "drift: changed on the server; merging overwrites it"),
        (Cause.CONFLICT, {}, "conflict: changed in git and on the server; merging overwrites it"),
        (Cause.RELEASED, {}, "released: the file no longer declares it; merging leaves it"),
        (Cause.UNKNOWN, {}, "the server does not let us compare it; merging leaves it"),
        (Cause.DRIFT, {"left": frozenset({"/spec/a"})}, "merging leaves it"),
        (Cause.DRIFT, {"steps": ()}, "merging leaves it"),
        (
            Cause.EDIT,
            {"refusals": cases.refused().refusals},
            "writes nothing while this is refused",
        ),
    ],
)
def test_what_merging_does_about_what_is_there(
    cause: Cause, given: dict[str, Any], said: str
) -> None:
    found = Delta(path="/spec/a", cause=cause, live=1, desired=2)
    change = replace(cases.updated(), deltas=(found,), **given)
    assert shares.there(shared(change), found).endswith(said)


def test_every_matter_beside_the_pull_request_is_named() -> None:
    deltas = tuple(Delta(path=f"/spec/{c.value}", cause=c, live=1) for c in Cause)
    change = replace(cases.stopped(), deltas=deltas, refusals=cases.refused().refusals, error="e")
    told = shares.remaining(replace(cases.item(change, Outcome.FAILED), share=Share()))
    for said in ("drift (drift)", "a conflict (conflict)", "refused by reopen", "; e;", "denied:"):
        assert said in told
    gone = replace(cases.item(review_cases.gone(), Outcome.UNCHANGED), share=Share())
    assert "--prune deletes it" in shares.remaining(gone)
    assert shares.beside([gone]) == [gone]


def test_a_plan_folds_open_where_it_must_be_read() -> None:
    found = comment(review_cases.review())
    heads = [line for line in found.split("\n") if line.startswith("<details")]
    opened = [line for line in heads if line.startswith("<details open>")]
    for name in ("blocked-2", "lost-8", "billing-3", "payments-2026-10"):
        assert any(name in line for line in opened), name
    assert not any(name in line for line in opened for name in ("checkout", "rules-4", "back-3"))


def test_a_review_without_facts_is_still_a_comment() -> None:
    assert comment(cases.mixed()).startswith("### planops review: ")


def test_counts_agree_with_their_number() -> None:
    one = shared(cases.moved(), risk=Risk.ATTENTION)
    two = replace(one, change=replace(one.change, key=PlanKey(target="t", name="x")))
    assert merging.counted([one], offline=False) == [("⚠", "1 needs attention")]
    assert merging.counted([one, two], offline=False) == [("⚠", "2 need attention")]


def test_a_calm_review_ends_well() -> None:
    report = online(replace(cases.same("alpha-1"), share=Share(touched=True)))
    assert merging.calm(report)
    assert "Nothing changes on the server." in text.text(report)
    assert not merging.calm(review_cases.review())


def test_an_outcome_says_who_is_next_and_where_the_run_is() -> None:
    found = outcome.text(cases.applied(), address="https://ci.example.com/1")
    assert "[the run](<https://ci.example.com/1>)" in found
    assert "an approver is next" in found
    assert "not attempted" in found
    assert "**Exit code 6** (unknown)" in found


def test_an_outcome_that_went_well_says_so() -> None:
    found = outcome.text(replace(cases.in_sync(), command="apply", git=None))
    assert "**All went well**, exit code 0." in found
    assert outcome.text(Report(command="apply")).startswith("### planops apply: nothing to do")


def test_an_outcome_names_what_could_not_be_done_or_recorded() -> None:
    target = replace(cases.target(cases.item(cases.refused(), Outcome.REFUSED)), unrecorded="no")
    bad = replace(target, error="no answer", changes=())
    found = outcome.text(Report(command="apply", targets=(target, bad)))
    assert "**not recorded:** no" in found
    assert "**error:** no answer" in found
    assert "refused by reopen; refused by conflict" in found
    waits = shared(review_cases.reopened(), Outcome.APPLIED)
    assert "(alice, <code>u-7</code>, ops)" in outcome.text(online(waits))


def test_a_record_that_is_closed_is_said_to_be() -> None:
    closed = replace(review_cases.gone(), kind=ChangeKind.FORGET)
    found = text.text(online(shared(closed, Outcome.UNCHANGED, removed=True)))
    assert "o forget" in found
    assert shares.action(shared(closed, removed=True)) == "close the record"
    assert "close the plan's record" in outcome_and_difference(closed)


def outcome_and_difference(change: Change) -> str:
    report = cases.report(cases.item(change))
    unrecorded = replace(report.targets[0], unrecorded="the remote said no")
    report = replace(report, targets=(unrecorded,))
    assert "not recorded: the remote said no" in text.text(report)
    return markdown.text(report) + outcome.text(report)
