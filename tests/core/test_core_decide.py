"""The decision about one plan, on an imaginary server: what is done, refused, and said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from core.ferry import CREATED, FerryRules
from core.values import live, plan, refusal
from planops.core.changes import Cause, Change, ChangeKind
from planops.core.decide import Circumstances, Desired, Drift, Memory, decide
from planops.core.lifecycle import Standing
from planops.core.model import ABSENT, JSON, Live, Value

RULES = FerryRules()
NOW = 1000
LATER = Circumstances(now=NOW)
FULL: dict[str, JSON] = {"name": "Summer", "captain": "ahab", "closes": 0, "note": "", "jobs": []}


def desired(state: str | None = None, *, ignore: tuple[str, ...] = (), **spec: JSON) -> Desired:
    named: dict[str, JSON] = {"name": "Summer"}
    named |= spec
    return Desired(plan=plan(named, state=state, ignore=ignore), spec=named)


def there(state: str = "draft", *, put_back: bool = False, **spec: JSON) -> Live:
    return Live(id="7", name="Summer", state=state, spec=FULL | spec, raw={}, put_back=put_back)


def calls(change: Change) -> list[str]:
    return [f"{step.request.method} {step.request.path}" for step in change.steps]


def guards(change: Change) -> list[str]:
    return [found.guard for found in change.refusals]


# -------------------------------------------------------------------------------------- creation


def test_a_plan_that_is_not_there_is_made_and_walked_to_its_goal() -> None:
    wanted = desired("sailing", captain="ahab", jobs=[{"type": "t", "name": "load"}])
    change = decide(RULES, wanted, None, LATER)
    assert (change.kind, change.live, change.plan) == (ChangeKind.CREATE, None, wanted.plan)
    assert calls(change) == ["POST /ferries", f"POST {CREATED}/announce", f"POST {CREATED}/sail"]
    assert change.steps[0].request.body == FULL | {"jobs": [{"type": "t", "name": "load"}]}
    assert {delta.path: delta.desired for delta in change.deltas} == {
        "/spec/name": "Summer",
        "/spec/captain": "ahab",
        "/spec/jobs/t:load": {"type": "t", "name": "load"},
    }
    assert {delta.cause for delta in change.deltas} == {Cause.EDIT}
    assert (change.refusals, change.notices) == ((), ("in sailing the server is next",))


def test_ignored_fields_are_sent_when_a_plan_is_made() -> None:
    change = decide(RULES, desired(note="x", ignore=("/spec/note",)), None, LATER)
    assert change.steps[0].request.body == FULL | {"captain": "", "note": "x"}


def test_what_the_file_could_not_resolve_stands_against_a_creation_and_an_update() -> None:
    wanted = replace(desired(captain="nemo"), refusals=(refusal("people"),))
    for found in (None, there()):
        change = decide(RULES, wanted, found, LATER)
        assert change.acts
        assert guards(change) == ["people"]


def test_a_goal_that_a_new_plan_cannot_reach_is_refused() -> None:
    assert guards(decide(RULES, desired("boarding"), None, LATER)) == ["lifecycle"]
    assert guards(decide(RULES, desired("scrapped"), None, LATER)) == ["lifecycle"]


# ---------------------------------------------------------------------------------------- update


def test_a_plan_that_is_as_its_file_wants_it_is_left_alone() -> None:
    change = decide(RULES, desired("draft", captain="ahab"), there(), LATER)
    assert (change.kind, change.acts, change.parked) == (ChangeKind.UNCHANGED, False, False)
    assert (change.deltas, change.steps, change.refusals, change.notices) == ((), (), (), ())
    assert change.route.standing is Standing.REACHED


def test_an_edit_is_written_over_what_is_live() -> None:
    change = decide(RULES, desired(captain="nemo"), there(note="theirs"), LATER)
    assert (change.kind, calls(change)) == (ChangeKind.UPDATE, ["PUT /ferries/7"])
    assert change.steps[0].request.body == FULL | {"captain": "nemo", "note": "theirs"}
    assert [delta.path for delta in change.deltas] == ["/spec/captain"]


def test_a_goal_ahead_alone_is_a_transition() -> None:
    change = decide(RULES, desired("ready"), there(), LATER)
    assert (change.kind, calls(change)) == (ChangeKind.TRANSITION, ["POST /ferries/7/announce"])


def test_an_edit_is_written_first_and_the_plan_led_back() -> None:
    change = decide(RULES, desired(captain="nemo"), there("ready"), LATER)
    assert calls(change) == ["PUT /ferries/7", "POST /ferries/7/announce"]
    assert change.route.return_to == "ready"
    after = decide(
        RULES,
        desired(captain="nemo"),
        there("draft", captain="nemo", put_back=True),
        Circumstances(now=NOW, ours=True, return_to="ready"),
    )
    assert calls(after) == ["POST /ferries/7/announce"]


def test_an_edit_that_must_be_let_in_trips_its_guard() -> None:
    change = decide(RULES, desired("boarding", note="passengers"), there("boarding"), LATER)
    assert calls(change) == [
        "POST /ferries/7/recall", "PUT /ferries/7", "POST /ferries/7/announce",
        "POST /ferries/7/call",
    ]  # fmt: skip
    assert guards(change) == ["reopen"]
    assert change.notices == ("in boarding an approver is next",)


def test_facts_are_those_of_the_plan_as_it_will_be() -> None:
    with_passengers = decide(RULES, desired("sailing", note="passengers"), there(), LATER)
    assert calls(with_passengers)[-1] == "POST /ferries/7/call"
    without = decide(RULES, desired("sailing", note=""), there(note="passengers"), LATER)
    assert calls(without)[-1] == "POST /ferries/7/sail"


def test_what_the_backend_cannot_do_faithfully_is_refused() -> None:
    change = decide(FerryRules(unwilling="no"), desired(captain="nemo"), there(), LATER)
    assert (guards(change), change.refusals[0].message) == (["frame"], "no")
    assert guards(decide(FerryRules(unwilling="no"), desired("ready"), there(), LATER)) == []


# ---------------------------------------------------------------------------- ignored and unseen


def test_ignored_fields_alone_are_no_reason_to_write_and_keep_their_live_value() -> None:
    ignore = ("/spec/note",)
    held = there(note="theirs")
    assert not decide(RULES, desired(note="ours", ignore=ignore), held, LATER).acts
    change = decide(RULES, desired(note="ours", captain="nemo", ignore=ignore), held, LATER)
    assert change.steps[0].request.body == FULL | {"captain": "nemo", "note": "theirs"}


def test_ignored_fields_are_written_while_the_plan_is_still_being_made() -> None:
    wanted = desired(note="ours", ignore=("/spec/note",))
    change = decide(RULES, wanted, there(), Circumstances(now=NOW, complete=True))
    assert change.steps[0].request.body == FULL | {"note": "ours"}


def test_what_the_server_hides_is_never_alone_a_reason_to_write() -> None:
    held = replace(there(), unseen={"/spec/captain": "hidden"})
    change = decide(RULES, desired(captain="nemo"), held, LATER)
    assert [delta.cause for delta in change.deltas] == [Cause.UNKNOWN]
    assert not change.acts
    also = decide(RULES, desired(captain="nemo", note="x"), held, LATER)
    assert also.steps[0].request.body == FULL | {"captain": "nemo", "note": "x"}


# --------------------------------------------------------------------------------------- causes


@pytest.mark.parametrize(
    ("base", "held", "cause", "refused"),
    [
        (ABSENT, "old", Cause.EDIT, []),
        ({"name": "Summer", "note": "old"}, "old", Cause.EDIT, []),
        ({"name": "Summer", "note": "new"}, "old", Cause.DRIFT, []),
        ({"name": "Summer", "note": "first"}, "old", Cause.CONFLICT, ["conflict"]),
    ],
)
def test_a_conflict_is_refused(base: Value, held: str, cause: Cause, refused: list[str]) -> None:
    change = decide(
        RULES, desired(note="new"), there(note=held), replace(LATER, memory=Memory(spec=base))
    )
    assert [delta.cause for delta in change.deltas] == [cause]
    assert (guards(change), change.acts) == (refused, True)


@pytest.mark.parametrize(
    ("edited", "told"),
    [
        ({"note": "1"}, "1 field was changed both in git and on the server: /spec/note"),
        (
            {"note": "1", "captain": "1"},
            "2 fields were changed both in git and on the server: /spec/captain, /spec/note",
        ),
    ],
)
def test_a_conflict_names_its_fields(edited: Mapping[str, Any], told: str) -> None:
    base: JSON = {"name": "Summer", "note": "0", "captain": "0"}
    change = decide(
        RULES,
        desired(**{"captain": "0", **edited}),
        there(note="2", captain="0" if len(edited) == 1 else ""),
        replace(LATER, memory=Memory(spec=base)),
    )
    (found,) = change.refusals
    assert (found.lift, found.message) == ("--allow conflict", told)


def test_a_released_field_is_said_and_keeps_its_value() -> None:
    base: JSON = {"name": "Summer", "note": "old"}
    change = decide(RULES, desired(), there(note="old"), replace(LATER, memory=Memory(spec=base)))
    assert [delta.cause for delta in change.deltas] == [Cause.RELEASED]
    assert not change.acts


# ------------------------------------------------------------------------------------- the window


@pytest.mark.parametrize(
    ("closes", "refused"), [(0, False), (NOW + 1, False), (NOW, False), (NOW - 1, True)]
)
def test_after_its_window_a_plan_is_neither_made_nor_moved_forward(
    closes: int, *, refused: bool
) -> None:
    expected = ["past"] if refused else []
    wanted = desired("ready", closes=closes)
    assert guards(decide(RULES, wanted, None, LATER)) == expected
    assert guards(decide(RULES, replace(wanted, plan=plan()), None, LATER)) == expected
    assert guards(decide(RULES, wanted, there(closes=closes), LATER)) == expected
    assert guards(decide(RULES, desired("ready"), there(closes=closes), LATER)) == expected


def test_past_says_when_and_what() -> None:
    wanted = desired("ready", closes=NOW - 60)
    (made,) = decide(RULES, wanted, None, LATER).refusals
    ended = "its release window ended at 1970-01-01T00:15:40Z"
    assert made.message == f"{ended}, and it would be created"
    (moved,) = decide(RULES, wanted, there(), LATER).refusals
    assert moved.message == f"{ended}, and it would go forward"
    assert made.lift == moved.lift == "--allow past"


def test_after_the_window_fields_are_still_written_and_a_plan_may_still_be_scrapped() -> None:
    assert guards(decide(RULES, desired(note="x", closes=1), there(), LATER)) == []
    scrapped = decide(RULES, desired("scrapped", closes=1), there("boarding", closes=1), LATER)
    assert (calls(scrapped), guards(scrapped)) == (["POST /ferries/7/scrap"], ["regress"])


def test_an_edit_that_moves_the_windows_end_counts_and_not_what_was() -> None:
    longer = decide(RULES, desired("ready", closes=NOW + 1), there(closes=1), LATER)
    assert (calls(longer)[0], guards(longer)) == ("PUT /ferries/7", [])
    shorter = decide(RULES, desired("ready", closes=1), there(closes=NOW + 1), LATER)
    assert guards(shorter) == ["past"]


def test_being_led_back_after_the_window_is_forward() -> None:
    change = decide(RULES, desired(note="x", closes=1), there("ready", closes=1), LATER)
    assert guards(change) == ["past"]


# --------------------------------------------------------------------------------------- notices


STOPPED = (
    "the plan is in scrapped, its goal is ready: somebody stopped it or put it back, so it is left"
    " alone"
)
STRANGE = "planops does not know the state adrift; the plan is left alone"


@pytest.mark.parametrize(
    ("state", "goal", "note", "notice", "parked"),
    [
        ("boarding", "sailing", "passengers", "in boarding an approver is next", True),
        ("boarding", "boarding", "passengers", "in boarding an approver is next", True),
        ("sailing", "arrived", "", "in sailing the server is next", True),
        ("boarding", "sailing", "", "in boarding an approver is next", True),
        ("draft", "boarding", "passengers", "in boarding an approver is next", False),
        ("sailing", "ready", "", "the plan is in sailing, beyond its goal ready", False),
        ("adrift", "ready", "", STRANGE, True),
        ("scrapped", "ready", "", STOPPED, True),
        ("arrived", "arrived", "", "", False),
        ("ready", None, "", "", False),
        ("draft", "scrapped", "", "", False),
    ],
)
def test_people_are_told_who_is_next_and_what_is_left_alone(
    state: str, goal: str | None, note: str, notice: str, *, parked: bool
) -> None:
    change = decide(RULES, desired(goal), there(state, note=note), LATER)
    assert change.notices == ((notice,) if notice else ())
    assert change.parked is parked


def test_a_plan_put_back_is_stopped_unless_this_change_put_it_there_or_reopen_is_allowed() -> None:
    held = there("draft", put_back=True)
    assert decide(RULES, desired("ready"), held, LATER).route.standing is Standing.STOPPED
    ours = decide(RULES, desired("ready"), held, Circumstances(now=NOW, ours=True))
    assert (calls(ours), guards(ours)) == (["POST /ferries/7/announce"], [])
    revived = decide(RULES, desired("ready"), held, Circumstances(now=NOW, revive=True))
    assert (calls(revived), guards(revived)) == (["POST /ferries/7/announce"], ["reopen"])


def test_deciding_is_a_function() -> None:
    for found in (None, there("boarding")):
        change = decide(RULES, desired("sailing", note="x"), found, LATER)
        assert decide(RULES, desired("sailing", note="x"), found, LATER) == change


def test_an_edit_inside_a_list_whose_order_drifted_and_is_left_is_written() -> None:
    """The order is a place of its own: leaving it alone must not leave alone what is inside."""

    def ordered(**texts: str) -> JSON:
        return [{"type": "text", "name": at, "spec": {"text": text}} for at, text in texts.items()]

    base: dict[str, JSON] = {"name": "Summer", "jobs": ordered(a="1", b="1")}
    wanted: dict[str, JSON] = {"name": "Summer", "jobs": ordered(a="2", b="1", c="3")}
    held: dict[str, JSON] = {**base, "jobs": ordered(b="1", a="1")}
    at = Circumstances(now=0, memory=Memory(spec=base, echo=base), drift=Drift.REPORT)
    there = replace(live(), spec={"captain": "", "closes": 0, "note": "", **held})
    change = decide(FerryRules(), Desired(plan=plan(wanted), spec=wanted), there, at)
    assert change.left == {"/spec/jobs~order"}
    assert "left as it is, the order of /spec/jobs: drift: report" in change.notices[-1]
    (step,) = change.steps
    assert isinstance(step.request.body, dict)
    assert step.request.body["jobs"] == ordered(b="1", a="2", c="3")
