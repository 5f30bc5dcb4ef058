"""A BRPM plan's states: walked by editing ``state:``, shown before, and never against a person."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from planops.backends.brpm.lifecycle import STATES
from planops.backends.exchange import Request, Response
from planops.core.changes import Change
from planops.core.lifecycle import Standing
from planops.core.report import Outcome, StepResult
from planops.sandbox.brpm import Fault
from run.brpm_world import PLANS, TEMPLATE, World, attributes, event, plan, world
from run.ledgers import MemoryLedger, MovingClock, kept
from run.world import Through, applied, apply_one, asked, guards, look, outcomes, promised, why

WALK: tuple[tuple[str, list[str]], ...] = (
    ("created", []),
    ("planned", ["plan_it"]),
    ("started", ["start"]),
    ("hold", ["put_on_hold"]),
    ("started", ["start"]),
    ("complete", ["finish"]),
    ("archived", ["archive"]),
)
STRAIGHT = ("created", "planned", "started", "complete", "archived")
EVENTS = ("plan_it", "start", "finish", "archive")


@pytest.fixture
def brpm() -> Iterator[World]:
    with world() as made:
        yield made


def moved_before_a_put(brpm: World, id_: int, state: str) -> None:
    """Somebody else moves a plan just before the next PUT is processed."""
    brpm.sandbox.faults.add(
        Fault(
            "edit-before",
            method="PUT",
            edit=lambda: brpm.sandbox.edit(id_, {"aasm_state": state}),
        )
    )


def route(change: Change) -> list[str]:
    return [f"{edge.source} → {edge.target}" for edge in change.route.edges]


# --------------------------------------------------------------------------------------- walking


def test_a_plan_is_led_through_its_states_by_editing_the_goal(brpm: World) -> None:
    target, at = brpm.target(), "created"
    assert apply_one(target, plan()).outcome is Outcome.APPLIED
    for goal, events in WALK:
        since, run = len(brpm.writes()), asked(reopen=1)
        sight, changes = look(target, [plan(state=goal)], run)
        (change,) = changes.changes
        assert brpm.writes(since) == []
        assert route(change) == ([f"{at} → {goal}"] if events else [])
        assert promised(changes, {"train": "2"})["train"] == [event(2, name) for name in events]
        report = apply_one(target, plan(state=goal), run)
        assert report.outcome is (Outcome.APPLIED if events else Outcome.UNCHANGED)
        assert brpm.writes(since) == [event(2, name) for name in events]
        assert brpm.state(2) == goal
        assert look(target, [plan(state=goal)], run)[1].changes[0].steps == ()
        assert sight.desired[0].plan.state == goal
        at = goal


@pytest.mark.parametrize("goal", range(len(STRAIGHT)))
@pytest.mark.parametrize("begin", range(len(STRAIGHT)))
def test_a_goal_is_walked_to_one_event_a_call_and_never_backwards(
    brpm: World, begin: int, goal: int
) -> None:
    id_ = brpm.plant(aasm_state=STRAIGHT[begin])
    report = apply_one(brpm.target(), plan(state=STRAIGHT[goal]))
    assert brpm.writes() == [event(id_, name) for name in EVENTS[begin:goal]]
    assert brpm.state(id_) == STRAIGHT[max(begin, goal)]
    assert report.outcome is (Outcome.APPLIED if begin < goal else Outcome.UNCHANGED)
    standing = report.change.route.standing
    assert (
        standing
        is {
            -1: Standing.WALKING,
            0: Standing.REACHED,
            1: Standing.AHEAD,
        }[(begin > goal) - (begin < goal)]
    )


def test_a_new_plan_is_made_and_then_led_to_its_goal(brpm: World) -> None:
    report = apply_one(brpm.target(), plan(state="archived"))
    assert report.outcome is Outcome.APPLIED
    assert report.results == (StepResult.DONE,) * 5
    made = ("POST", PLANS, {"plan": {"name": "train", "plan_template_id": 1}})
    assert brpm.writes() == [made, *(event(2, name) for name in EVENTS)]


def test_fields_are_written_in_a_call_of_their_own_before_the_events(brpm: World) -> None:
    id_ = brpm.plant(aasm_state="planned")
    wanted = plan(state="complete", description="Hello", release_date="2026-12-01")
    assert apply_one(brpm.target(), wanted).outcome is Outcome.APPLIED
    assert brpm.writes() == [
        attributes(id_, description="Hello", release_date="2026-12-01"),
        event(id_, "start"),
        event(id_, "finish"),
    ]


def test_requests_of_a_plan_are_left_alone_by_its_transitions(brpm: World) -> None:
    wanted = plan("Sample Plan", state="complete")
    before = brpm.sandbox.records("request")
    assert apply_one(brpm.target(), wanted).outcome is Outcome.APPLIED
    assert brpm.sandbox.records("request") == before


@pytest.mark.parametrize("state", ["complete", "archived", "cancelled"])
def test_nothing_is_written_into_a_plan_that_is_over(brpm: World, state: str) -> None:
    brpm.plant(aasm_state=state)
    for goal in (None, state, "archived"):
        report = apply_one(
            brpm.target(), plan(state=goal, description="new"), asked(everything=True)
        )
        assert report.outcome is Outcome.REFUSED
        assert why(report) == f"nothing of a plan can be changed once it is {state}"
    assert brpm.writes() == []


# ---------------------------------------------------------------------------- off the path, stopped


@pytest.mark.parametrize("state", ["hold", "locked"])
def test_a_plan_that_somebody_stopped_is_reported_and_left(brpm: World, state: str) -> None:
    id_ = brpm.plant(aasm_state=state)
    report = apply_one(brpm.target(), plan(state="complete"))
    assert report.outcome is Outcome.PARKED
    (notice,) = report.change.notices
    assert notice == (
        f"the plan is in {state}, its goal is complete: somebody stopped it or put it back, so it"
        " is left alone; --allow reopen takes it up again"
    )
    assert brpm.writes() == []
    report = apply_one(brpm.target(), plan(state="complete", description="new"))
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"reopen"})
    assert brpm.writes() == []
    report = apply_one(brpm.target(), plan(state="complete", description="new"), asked(reopen=1))
    assert report.outcome is Outcome.APPLIED
    assert brpm.writes() == [
        attributes(id_, description="new"),
        event(id_, "start"),
        event(id_, "finish"),
    ]


@pytest.mark.parametrize("state", ["hold", "locked"])
def test_what_planops_stopped_itself_is_taken_up_only_when_allowed(brpm: World, state: str) -> None:
    id_, target = brpm.plant(aasm_state="started"), brpm.target()
    assert apply_one(target, plan(state=state)).outcome is Outcome.APPLIED
    since = len(brpm.writes())
    assert apply_one(target, plan(state="started")).outcome is Outcome.PARKED
    assert brpm.writes(since) == []
    sight, changes = look(target, [plan(state="started")], asked(reopen=1))
    assert route(changes.changes[0]) == [f"{state} → started"]
    assert changes.changes[0].refusals == ()
    assert sight.inventory.stubs
    report = apply_one(target, plan(state="started"), asked(reopen=1))
    assert report.outcome is Outcome.APPLIED
    assert brpm.writes(since) == [event(id_, "start")]


def test_allowing_one_plan_to_be_reopened_does_not_allow_two(brpm: World) -> None:
    plans = [plan(name, state="started") for name in ("a", "b")]
    for one in plans:
        brpm.plant(one.display_name, aasm_state="hold")
    report = applied(brpm.target(), plans, asked(reopen=1))
    assert set(outcomes(report).values()) == {Outcome.REFUSED}
    assert {refusal.lift for one in report.changes for refusal in one.change.refusals} == {
        "--allow reopen=2"
    }
    report = applied(brpm.target(), plans, asked(reopen=2))
    assert set(outcomes(report).values()) == {Outcome.APPLIED}


@pytest.mark.parametrize("goal", ["created", "planned"])
@pytest.mark.parametrize("state", ["hold", "locked"])
def test_a_stopped_plan_is_never_started_beyond_its_goal(
    brpm: World, state: str, goal: str
) -> None:
    brpm.plant(aasm_state=state)
    report = apply_one(brpm.target(), plan(state=goal), asked(reopen=1))
    assert report.outcome is Outcome.PARKED
    assert brpm.writes() == []


@pytest.mark.parametrize("state", ["hold", "locked"])
def test_fields_of_a_stopped_plan_are_written_where_its_state_is_not_managed(
    brpm: World, state: str
) -> None:
    id_ = brpm.plant(aasm_state=state)
    for goal in (None, state):
        report = apply_one(brpm.target(), plan(state=goal, description=f"new for {goal}"))
        assert report.outcome is Outcome.APPLIED
        assert brpm.writes()[-1] == attributes(id_, description=f"new for {goal}")
        assert brpm.state(id_) == state


@pytest.mark.parametrize("goal", [state for state in STATES if state != "cancelled"])
def test_cancelled_is_never_left(brpm: World, goal: str) -> None:
    brpm.plant(aasm_state="cancelled")
    report = apply_one(brpm.target(), plan(state=goal), asked(everything=True))
    assert report.outcome in {Outcome.PARKED, Outcome.REFUSED}
    assert brpm.writes() == []
    if report.outcome is Outcome.PARKED:
        (notice,) = report.change.notices
        assert notice.endswith("so it is left alone")


@pytest.mark.parametrize("state", ["created", "planned", "started", "hold"])
def test_cancelling_is_declared_and_allowed(brpm: World, state: str) -> None:
    id_ = brpm.plant(aasm_state=state)
    report = apply_one(brpm.target(), plan(state="cancelled"))
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"regress"})
    report = apply_one(brpm.target(), plan(state="cancelled"), asked(regress=1))
    assert report.outcome is Outcome.APPLIED
    assert brpm.writes() == [event(id_, "cancel")]
    assert apply_one(brpm.target(), plan(state="cancelled")).outcome is Outcome.UNCHANGED


@pytest.mark.parametrize(
    ("state", "goal"),
    [
        ("created", "hold"),
        ("planned", "hold"),
        ("locked", "hold"),
        ("complete", "hold"),
        ("created", "locked"),
        ("hold", "locked"),
        ("archived", "locked"),
        ("locked", "cancelled"),
        ("complete", "cancelled"),
        ("archived", "cancelled"),
    ],
)
def test_a_goal_off_the_path_that_no_single_event_leads_to_is_refused(
    brpm: World, state: str, goal: str
) -> None:
    brpm.plant(aasm_state=state)
    report = apply_one(brpm.target(), plan(state=goal), asked(everything=True))
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"lifecycle"})
    assert brpm.writes() == []


@pytest.mark.parametrize("state", ["planned", "started"])
def test_a_lock_is_set_where_it_is_declared(brpm: World, state: str) -> None:
    id_ = brpm.plant(aasm_state=state)
    assert apply_one(brpm.target(), plan(state="locked")).outcome is Outcome.APPLIED
    assert brpm.writes() == [event(id_, "lock")]


def test_a_state_that_no_table_knows_is_shown_and_left(brpm: World) -> None:
    brpm.plant(aasm_state="awaiting_audit")
    report = apply_one(brpm.target(), plan(state="started"), asked(everything=True))
    assert report.outcome is Outcome.PARKED
    assert report.change.notices == (
        "planops does not know the state awaiting_audit; the plan is left alone",
    )
    report = apply_one(brpm.target(), plan(description="new"), asked(everything=True))
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"state"})
    assert brpm.writes() == []


# -------------------------------------------------------------- a server that says yes and does no


@pytest.mark.parametrize(("state", "goal", "name"), [
    ("created", "planned", "plan_it"),
    ("planned", "started", "start"),
    ("started", "complete", "finish"),
    ("complete", "archived", "archive"),
    ("started", "hold", "put_on_hold"),
    ("started", "locked", "lock"),
])  # fmt: skip
def test_a_202_that_moved_nothing_is_a_failure_and_not_repeated(
    brpm: World, state: str, goal: str, name: str
) -> None:
    id_ = brpm.plant(aasm_state=state)
    brpm.sandbox.stick(id_, name)
    report = apply_one(brpm.target(), plan(state=goal))
    assert report.outcome is Outcome.FAILED
    assert report.error == (
        f"the server accepted '{state} → {goal}', and the plan is still in {state};"
        " look at the server"
    )
    assert brpm.writes() == [event(id_, name)]
    brpm.sandbox.unstick()
    assert apply_one(brpm.target(), plan(state=goal)).outcome is Outcome.APPLIED


@pytest.mark.parametrize("number", range(4))
def test_a_walk_ends_at_the_event_that_moved_nothing(brpm: World, number: int) -> None:
    id_ = brpm.plant()
    brpm.sandbox.stick(id_, EVENTS[number])
    report = apply_one(brpm.target(), plan(state="archived"))
    assert report.outcome is Outcome.FAILED
    assert brpm.writes() == [event(id_, name) for name in EVENTS[: number + 1]]
    assert brpm.state(id_) == STRAIGHT[number]
    assert report.results[number + 1 :] == (StepResult.SKIPPED,) * (3 - number)


def test_a_state_that_somebody_reached_before_is_no_failure(brpm: World) -> None:
    """A refused event whose goal is there all the same is a success (§5.7)."""
    id_ = brpm.plant(aasm_state="planned")
    moved_before_a_put(brpm, id_, "started")
    report = apply_one(brpm.target(), plan(state="complete"))
    assert report.outcome is Outcome.APPLIED
    assert brpm.writes() == [event(id_, "start"), event(id_, "finish")]


def test_an_event_that_the_state_forbids_meanwhile_is_told(brpm: World) -> None:
    id_ = brpm.plant(aasm_state="planned")
    moved_before_a_put(brpm, id_, "cancelled")
    report = apply_one(brpm.target(), plan(state="complete"))
    assert report.outcome is Outcome.FAILED
    assert report.error == (
        f"PUT {PLANS}/{id_}: the plan's state forbids it: aasm_event start is not allowed in the"
        " state cancelled; run diff again"
    )
    assert brpm.writes() == [event(id_, "start")]


def test_a_plan_held_between_two_events_is_left_there(brpm: World) -> None:
    id_ = brpm.plant(aasm_state="planned")
    brpm.sandbox.faults.add(
        Fault(
            "edit-after",
            method="PUT",
            edit=lambda: brpm.sandbox.edit(id_, {"aasm_state": "hold"}),
        )
    )
    report = apply_one(brpm.target(), plan(state="complete"))
    assert brpm.writes() == [event(id_, "start")]
    assert brpm.state(id_) == "hold"
    assert report.outcome in {Outcome.PARKED, Outcome.STALE}


# --------------------------------------------------------------------------- the two plan events


def puts(brpm: World) -> int:
    return sum(method == "PUT" for method, _, _ in brpm.writes())


def test_the_other_spelling_is_sent_only_after_a_422_about_the_event() -> None:
    with world(plan_event="plan") as brpm:
        id_ = brpm.plant()
        report = apply_one(brpm.target(), plan(state="started"))
        assert report.outcome is Outcome.APPLIED
        assert brpm.writes() == [event(id_, "plan_it"), event(id_, "plan"), event(id_, "start")]


@pytest.mark.parametrize("spelling", ["plan_it", "both"])
def test_the_usual_spelling_is_the_first(spelling: str) -> None:
    with world(plan_event=spelling) as brpm:
        id_ = brpm.plant()
        assert apply_one(brpm.target(), plan(state="planned")).outcome is Outcome.APPLIED
        assert brpm.writes() == [event(id_, "plan_it")]


@pytest.mark.parametrize("number", [1, 5])
def test_the_fall_over_is_remembered_for_the_run(number: int) -> None:
    with world(plan_event="plan") as brpm:
        plans = [plan(f"p{index}", state="planned") for index in range(number)]
        for one in plans:
            brpm.plant(one.display_name)
        report = applied(brpm.target(), plans)
        assert set(outcomes(report).values()) == {Outcome.APPLIED}
        assert puts(brpm) == number + 1


def test_many_workers_may_each_fall_over_once_and_no_more() -> None:
    with world(plan_event="plan") as brpm:
        plans = [plan(f"p{index}", state="planned") for index in range(24)]
        for one in plans:
            brpm.plant(one.display_name)
        target = brpm.target(concurrency=8)
        report = applied(target, plans)
        assert set(outcomes(report).values()) == {Outcome.APPLIED}
        assert 24 < puts(brpm) <= 24 + 8
        since = puts(brpm)
        brpm.plant("late")
        assert apply_one(target, plan("late", state="planned")).outcome is Outcome.APPLIED
        assert puts(brpm) == since + 1


def test_a_server_that_changes_its_mind_is_followed() -> None:
    with world(plan_event="plan") as brpm:
        target = brpm.target()
        for spelling, calls in (("plan", 2), ("plan_it", 2), ("plan_it", 1), ("plan", 2)):
            brpm.sandbox.switch(plan_event=spelling)
            since, id_ = puts(brpm), brpm.plant(f"p{len(brpm.sandbox.plans())}")
            wanted = plan(brpm.sandbox.plan(id_)["name"], state="planned")
            assert apply_one(target, wanted).outcome is Outcome.APPLIED
            assert puts(brpm) == since + calls
            assert brpm.writes()[-1] == event(id_, spelling)


class Together(Through):
    """Lets the second spelling out only when two workers have been refused the first."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.barrier = threading.Barrier(2, timeout=20)
        self.refused = 0

    def write(self, request: Request) -> Response:
        said: Any = request.body
        if said == {"plan": {"aasm_event": "plan"}} and self.refused < 2:
            self.refused += 1
            self.barrier.wait()
        return super().write(request)


def test_two_workers_that_fall_over_at_once_both_remember_it() -> None:
    with world(plan_event="plan") as brpm:
        plans = [plan(name, state="planned") for name in ("a", "b")]
        for name in ("a", "b", "c"):
            brpm.plant(name)
        target = brpm.target(concurrency=2, through=Together)
        assert set(outcomes(applied(target, plans)).values()) == {Outcome.APPLIED}
        assert puts(brpm) == 4
        assert apply_one(target, plan("c", state="planned")).outcome is Outcome.APPLIED
        assert puts(brpm) == 5


@pytest.mark.parametrize("state", ["locked", "cancelled", "awaiting_audit"])
def test_a_refused_last_event_of_a_plan_that_was_stopped_meanwhile_is_not_done(
    brpm: World, state: str
) -> None:
    id_, target = brpm.plant(), brpm.target()
    for _ in range(2):  # the refusal of both spellings teaches nothing
        moved_before_a_put(brpm, id_, state)
        report = apply_one(target, plan(state="planned"))
        assert brpm.writes()[-2:] == [event(id_, "plan_it"), event(id_, "plan")]
        assert report.outcome is Outcome.FAILED
        assert report.error == (
            f"PUT {PLANS}/{id_}: the plan's state forbids it: aasm_event plan_it is not allowed in"
            f" the state {state}; run diff again"
        )
        brpm.sandbox.edit(id_, {"aasm_state": "created"})


@pytest.mark.parametrize("state", ["hold", "cancelled"])
def test_a_last_event_that_never_arrived_is_not_taken_for_done_since_somebody_stopped_the_plan(
    brpm: World, state: str
) -> None:
    id_ = brpm.plant(aasm_state="started")
    stop = Fault(
        "edit-before",
        path="show",
        nth=2,  # the look after the write
        edit=lambda: brpm.sandbox.edit(id_, {"aasm_state": state}),
    )
    brpm.sandbox.faults.add(Fault("drop-before", method="PUT"), stop)
    report = apply_one(brpm.target(), plan(state="complete"))
    assert brpm.writes() == [event(id_, "finish")]
    assert brpm.state(id_) == state
    assert report.outcome is Outcome.UNKNOWN


def test_a_second_spelling_whose_answer_is_a_failure_is_told_as_that() -> None:
    with world(plan_event="plan") as brpm:
        id_ = brpm.plant()
        brpm.sandbox.faults.add(Fault("status-before", method="PUT", nth=2, status=403))
        report = apply_one(brpm.target(), plan(state="planned"))
        assert report.outcome is Outcome.FAILED
        assert report.error.startswith(f"PUT {PLANS}/{id_}: the token is not accepted")
        assert puts(brpm) == 2


@pytest.mark.parametrize("done", [True, False])
def test_a_second_spelling_whose_answer_is_lost_is_looked_up(done: bool) -> None:  # noqa: FBT001 -- a table's column
    with world(plan_event="plan") as brpm:
        id_ = brpm.plant()
        lost = Fault("drop-after" if done else "drop-before", method="PUT", nth=2)
        brpm.sandbox.faults.add(lost)
        report = apply_one(brpm.target(), plan(state="planned"))
        assert report.outcome is (Outcome.APPLIED if done else Outcome.UNKNOWN)
        assert brpm.state(id_) == ("planned" if done else "created")
        assert puts(brpm) == 2


def test_a_spelling_that_the_settings_give_is_the_only_one() -> None:
    with world(plan_event="plan") as brpm:
        id_ = brpm.plant()
        target = brpm.target(lifecycle={"events": {"plan_it": "plan"}})
        _, changes = look(target, [plan(state="planned")], asked())
        assert [step.fallback for step in changes.changes[0].steps] == [None]
        assert apply_one(target, plan(state="planned")).outcome is Outcome.APPLIED
        assert brpm.writes() == [event(id_, "plan")]


# --------------------------------------------------------------------------------------- settings


def spelt(prefix: str) -> dict[str, str]:
    return {state: f"{prefix}{state}" for state in STATES}


@pytest.mark.parametrize(
    "states",
    [
        spelt("plan_"),
        spelt("on_"),
        {"complete": "completed", "cancelled": "canceled", "hold": "on_hold"},
        {"complete": "finished", "hold": "plan_on_hold"},
    ],
)
def test_spellings_that_are_known_need_no_settings(states: dict[str, str]) -> None:
    with world(states=states) as brpm:
        target = brpm.target()
        for goal in ("started", "hold", "complete"):
            report = apply_one(target, plan(state=goal), asked(reopen=1))
            assert report.outcome is Outcome.APPLIED
            assert brpm.state(2) == goal
            assert apply_one(target, plan(state=goal)).outcome is Outcome.UNCHANGED


STRANGE = {"started": "in_progress", "complete": "done", "hold": "paused", "archived": "gone"}


def test_a_spelling_that_nobody_knows_is_a_matter_of_the_settings() -> None:
    with world(states=STRANGE) as brpm:
        id_ = brpm.plant(aasm_state="started")
        report = apply_one(brpm.target(), plan(state="complete"))
        assert report.outcome is Outcome.PARKED
        assert report.change.notices == (
            "planops does not know the state in_progress; the plan is left alone",
        )
        assert brpm.writes() == []
        target = brpm.target(lifecycle={"states": {v: k for k, v in STRANGE.items()}})
        assert apply_one(target, plan(state="hold")).outcome is Outcome.APPLIED
        report = apply_one(target, plan(state="complete"), asked(reopen=1))
        assert report.outcome is Outcome.APPLIED
        assert brpm.writes() == [event(id_, name) for name in ("put_on_hold", "start", "finish")]
        assert apply_one(target, plan(state="complete")).outcome is Outcome.UNCHANGED


@pytest.mark.parametrize(
    ("states", "lifecycle"),
    [({}, {}), (STRANGE, {"states": {v: k for k, v in STRANGE.items()}}), (spelt("plan_"), {})],
    ids=["as usual", "by settings", "with a prefix"],
)
@pytest.mark.parametrize("hidden", [True, False])
def test_an_archived_plan_is_found_again_however_its_state_is_spelt(
    states: dict[str, str],
    lifecycle: dict[str, Any],
    hidden: bool,  # noqa: FBT001 -- a table's column
) -> None:
    """A list may leave archived plans out unless it asks for their state, as it spells it."""
    with world(states=states, hide_archived=hidden) as brpm:
        target = brpm.target(lifecycle=lifecycle)
        assert apply_one(target, plan(state="archived")).outcome is Outcome.APPLIED
        since = len(brpm.writes())
        assert apply_one(target, plan(state="archived")).outcome is Outcome.UNCHANGED
        assert brpm.writes(since) == []


def test_events_are_sent_as_the_settings_spell_them(brpm: World) -> None:
    id_ = brpm.plant(aasm_state="planned")
    lifecycle = {"events": {"start": "finish", "finish": "archive"}}
    report = apply_one(brpm.target(lifecycle=lifecycle), plan(state="started"))
    assert report.outcome is Outcome.FAILED
    assert "finish is not allowed in the state planned" in report.error
    assert brpm.writes() == [event(id_, "finish")]


EDGES = [
    {"event": "plan_it", "from": ["created"], "to": "planned"},
    {"event": "start", "from": ["planned"], "to": "started"},
    {"event": "finish", "from": ["started"], "to": "complete"},
    {"event": "archive", "from": ["complete"], "to": "archived"},
]


def test_edges_of_the_settings_take_the_place_of_the_table(brpm: World) -> None:
    id_, target = brpm.plant(), brpm.target(lifecycle={"edges": EDGES})
    assert apply_one(target, plan(state="started")).outcome is Outcome.APPLIED
    report = apply_one(target, plan(state="hold"), asked(everything=True))
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"lifecycle"})
    report = apply_one(target, plan(state="archived"))
    assert report.outcome is Outcome.APPLIED
    assert brpm.writes() == [event(id_, name) for name in EVENTS]
    brpm.plant("held", aasm_state="hold")
    report = apply_one(target, plan("held", state="started"), asked(reopen=1))
    assert report.outcome is Outcome.PARKED


def test_an_edge_of_the_settings_is_walked(brpm: World) -> None:
    edges = [*EDGES, {"event": "put_on_hold", "from": ["started"], "to": "hold"}]
    id_, target = brpm.plant(aasm_state="started"), brpm.target(lifecycle={"edges": edges})
    assert apply_one(target, plan(state="hold")).outcome is Outcome.APPLIED
    assert brpm.writes() == [event(id_, "put_on_hold")]


@pytest.mark.parametrize("missing", range(len(EDGES)))
def test_edges_that_leave_a_hole_in_the_path_are_no_bug_in_planops(
    brpm: World, missing: int
) -> None:
    edges = [edge for place, edge in enumerate(EDGES) if place != missing]
    brpm.plant()
    report = apply_one(brpm.target(lifecycle={"edges": edges}), plan(state="archived"))
    assert not report.bug, report.error
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"lifecycle"})
    assert brpm.writes() == []


def test_a_template_and_a_state_are_changed_together_only_when_allowed(brpm: World) -> None:
    id_ = brpm.plant(aasm_state="planned", plan_template_id=2)
    wanted = plan(state="started", plan_template_name=TEMPLATE)
    report = apply_one(brpm.target(), wanted)
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"replace"})
    assert brpm.writes() == []
    assert apply_one(brpm.target(), wanted, asked(replace=1)).outcome is Outcome.APPLIED
    assert brpm.writes() == [attributes(id_, plan_template_id=1), event(id_, "start")]


# ------------------------------------------------------------------------------- with a ledger


def test_with_a_ledger_a_new_goal_needs_no_allowance_to_leave_a_hold(brpm: World) -> None:
    target = kept(brpm.target(by_name=False), MemoryLedger(), MovingClock())
    id_ = str(apply_one(target, plan()).id)
    for goal, events in WALK:
        wanted, since = plan(state=goal), len(brpm.sandbox.writes)
        (change,) = look(target, [wanted], asked())[1].changes
        assert [edge.event for edge in change.route.edges] == events, goal
        report = apply_one(target, wanted)
        assert brpm.writes(since) == [event(id_, name) for name in events]
        assert report.outcome is (Outcome.APPLIED if events else Outcome.UNCHANGED)
        assert brpm.state(id_) == goal


def test_a_hold_that_somebody_else_set_is_left_with_a_ledger_too(brpm: World) -> None:
    target = kept(brpm.target(by_name=False), MemoryLedger(), MovingClock())
    id_ = apply_one(target, plan(state="started")).id
    assert id_ is not None
    brpm.sandbox.edit(int(id_), {"aasm_state": "hold"})
    since = len(brpm.sandbox.writes)
    report = apply_one(target, plan(state="started"))
    assert (report.outcome, brpm.writes(since)) == (Outcome.PARKED, [])
    assert brpm.state(id_) == "hold"


AWAY = [("hold", "started"), ("hold", "complete"), ("hold", "cancelled"), ("locked", "planned")]


@pytest.mark.parametrize(("goal", "state"), AWAY)
def test_a_plan_that_somebody_took_on_from_its_goal_is_left_alone(
    brpm: World, goal: str, state: str
) -> None:
    target = kept(brpm.target(by_name=False), MemoryLedger(), MovingClock())
    id_ = str(apply_one(target, plan(state="started")).id)
    assert apply_one(target, plan(state=goal)).outcome is Outcome.APPLIED
    brpm.sandbox.edit(int(id_), {"aasm_state": state})
    since = len(brpm.sandbox.writes)
    for _ in range(2):
        report = apply_one(target, plan(state=goal))
        assert (report.outcome, brpm.writes(since)) == (Outcome.PARKED, [])
        (notice,) = report.change.notices
        assert notice.startswith(
            f"the plan is in {state}, its goal is {goal}: somebody took it on from there, so it is"
            " left alone"
        )
        assert ("; --allow reopen leads it back" in notice) is (state != "cancelled")


def test_it_is_led_back_where_that_is_allowed_or_the_goal_is_declared_anew(brpm: World) -> None:
    target = kept(brpm.target(by_name=False), MemoryLedger(), MovingClock())
    id_ = str(apply_one(target, plan(state="started")).id)
    apply_one(target, plan(state="hold"))
    brpm.sandbox.edit(int(id_), {"aasm_state": "started"})
    since = len(brpm.sandbox.writes)
    edited = plan(state="hold", description="new")
    report = apply_one(target, edited)
    assert guards(report) == {"reopen"}
    assert "the plan is in started: somebody took it on from hold" in why(report)
    assert brpm.writes(since) == []
    assert apply_one(target, edited, asked(reopen=1)).outcome is Outcome.APPLIED
    assert brpm.writes(since) == [attributes(id_, description="new"), event(id_, "put_on_hold")]
    brpm.sandbox.edit(int(id_), {"aasm_state": "started"})
    since = len(brpm.sandbox.writes)
    assert apply_one(target, edited, asked(reopen=1)).outcome is Outcome.APPLIED
    brpm.sandbox.edit(int(id_), {"aasm_state": "started"})
    for goal in ("started", "hold"):
        assert apply_one(target, plan(state=goal, description="new")).outcome in {
            Outcome.APPLIED,
            Outcome.UNCHANGED,
        }
    assert brpm.writes(since) == [event(id_, "put_on_hold"), event(id_, "put_on_hold")]
