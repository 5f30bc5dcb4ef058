"""States and events: the table, its dialects, and events that do not do what they say (§5)."""

from collections.abc import Iterator, Mapping

import pytest

from planops.sandbox.brpm import TABLE
from planops.sandbox.brpm.visitor import Visitor, visiting

STATES = (
    "created",
    "planned",
    "started",
    "locked",
    "hold",
    "complete",
    "archived",
    "cancelled",
)
ALLOWED: Mapping[str, Mapping[str, str]] = {
    "plan_it": {"created": "planned"},
    "start": {"planned": "started", "hold": "started", "locked": "started"},
    "lock": {"planned": "locked", "started": "locked"},
    "put_on_hold": {"started": "hold"},
    "finish": {"started": "complete"},
    "archive": {"complete": "archived"},
    "cancel": dict.fromkeys(("created", "planned", "started", "hold"), "cancelled"),
    "delete": dict.fromkeys(("created", "cancelled", "archived"), "deleted"),
}


@pytest.fixture
def brpm() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


def put_into(brpm: Visitor, state: str) -> None:
    brpm.sandbox.edit(1, {"aasm_state": state})


def test_the_table_is_data() -> None:
    assert {one.event: dict.fromkeys(one.sources, one.target) for one in TABLE} == ALLOWED


@pytest.mark.parametrize("event", ALLOWED)
@pytest.mark.parametrize("state", STATES)
def test_each_event_in_each_state(brpm: Visitor, event: str, state: str) -> None:
    put_into(brpm, state)
    reply = brpm.move(1, event)
    if state in ALLOWED[event]:
        assert (reply.status, reply.json["aasm_state"]) == (202, ALLOWED[event][state])
        assert brpm.sandbox.received[-1].committed
    else:
        message = f"{event} is not allowed in the state {state}"
        assert (reply.status, reply.json) == (422, {"aasm_event": [message]})
        assert brpm.get(1)["aasm_state"] == state


@pytest.mark.parametrize("state", STATES)
def test_delete_in_each_state(brpm: Visitor, state: str) -> None:
    put_into(brpm, state)
    reply = brpm.delete(1)
    if state in ALLOWED["delete"]:
        assert reply.status == 200
        assert brpm.call("GET /v1/plans/1").status == 404
    else:
        message = f"Plan cannot be deleted in the state {state}"
        assert (reply.status, reply.json) == (422, {"base": [message]})
        assert brpm.get(1)["aasm_state"] == state


def test_the_first_state(brpm: Visitor) -> None:
    assert brpm.get(brpm.create())["aasm_state"] == "created"


def test_what_the_clients_own_tests_do(brpm: Visitor) -> None:
    assert brpm.move(1, "plan_it", "start").json["aasm_state"] == "started"
    assert brpm.move(1, "cancel").json["aasm_state"] == "cancelled"
    assert brpm.delete(1).status == 200
    second = brpm.create()
    brpm.move(second, "cancel")
    assert brpm.delete(second).status == 200
    assert brpm.list().status == 404


@pytest.mark.parametrize(
    ("plan_event", "known", "unknown"),
    [("plan_it", ["plan_it"], ["plan"]), ("plan", ["plan"], ["plan_it"]), ("both", [], [])],
)
def test_dialects_of_the_plan_event(plan_event: str, known: list[str], unknown: list[str]) -> None:
    with visiting(plan_event=plan_event) as brpm:
        for event in unknown:
            reply = brpm.move(1, event)
            assert (reply.status, reply.json) == (422, {"aasm_event": ["is not a known event"]})
            assert brpm.get(1)["aasm_state"] == "created"
        for event in known or ["plan_it", "plan"]:
            put_into(brpm, "created")
            assert brpm.move(1, event).json["aasm_state"] == "planned"


@pytest.mark.parametrize("event", ["explode", "PLAN_IT", "deleted", 5])
def test_unknown_events(brpm: Visitor, event: object) -> None:
    reply = brpm.put(1, aasm_event=event)
    assert (reply.status, reply.json) == (422, {"aasm_event": ["is not a known event"]})


@pytest.mark.parametrize("event", [None, ""])
def test_a_blank_event_is_none(brpm: Visitor, event: str | None) -> None:
    assert brpm.put(1, aasm_event=event).json["aasm_state"] == "created"


def test_repeating_an_event_is_422_and_the_state_is_there(brpm: Visitor) -> None:
    brpm.move(1, "plan_it", "start")
    assert brpm.move(1, "start").status == 422
    assert brpm.get(1)["aasm_state"] == "started"


def test_the_event_delete_answers_once_and_the_plan_is_gone(brpm: Visitor) -> None:
    brpm.move(1, "cancel")
    reply = brpm.move(1, "delete")
    assert (reply.status, reply.json["aasm_state"]) == (202, "deleted")
    assert brpm.call("GET /v1/plans/1").status == 404
    assert brpm.sandbox.plans() == ()


def test_an_event_in_a_post_is_ignored(brpm: Visitor) -> None:
    assert brpm.post(aasm_event="plan_it").json["aasm_state"] == "created"
    assert brpm.post(name="other", aasm_event="explode").status == 201


def test_attributes_and_event_together_or_not_at_all(brpm: Visitor) -> None:
    moved = brpm.put(1, description="new", aasm_event="plan_it").json
    assert (moved["description"], moved["aasm_state"]) == ("new", "planned")
    refused = brpm.put(1, description="other", aasm_event="finish")
    assert refused.status == 422
    wrong = brpm.put(1, team_ids=[99], aasm_event="start")
    assert wrong.status == 422
    after = brpm.get(1)
    assert (after["description"], after["aasm_state"]) == ("new", "planned")


def test_transitions_do_not_touch_requests(brpm: Visitor) -> None:
    brpm.move(1, "plan_it", "start", "finish")
    states = {one["request"]["aasm_state"] for one in brpm.get(1)["members"]}
    assert states == {"created"}


def test_an_event_that_is_stuck(brpm: Visitor) -> None:
    brpm.sandbox.stick(1, "start")
    brpm.move(1, "plan_it")
    before = brpm.get(1)
    reply = brpm.move(1, "start")
    assert (reply.status, reply.json) == (202, before)
    assert not brpm.sandbox.received[-1].committed
    assert brpm.move(1, "finish").status == 422
    brpm.sandbox.unstick()
    assert brpm.move(1, "start").json["aasm_state"] == "started"


def test_every_event_of_one_plan_stuck(brpm: Visitor) -> None:
    second = brpm.create()
    brpm.sandbox.stick(1)
    assert brpm.move(1, "plan_it").json["aasm_state"] == "created"
    assert brpm.move(1, "delete").json["aasm_state"] == "created"
    assert brpm.delete(1).status == 200
    assert brpm.get(1)["aasm_state"] == "created"
    assert brpm.move(second, "plan_it").json["aasm_state"] == "planned"


def test_states_may_be_spelt_otherwise() -> None:
    states = {"complete": "completed", "created": "plan_created", "cancelled": "canceled"}
    with visiting(states=states) as brpm:
        assert brpm.get(1)["aasm_state"] == "plan_created"
        assert brpm.sandbox.plan(1)["aasm_state"] == "created"
        assert brpm.move(1, "plan_it", "start").json["aasm_state"] == "started"
        assert brpm.move(1, "finish").json["aasm_state"] == "completed"
        message = "finish is not allowed in the state completed"
        assert brpm.move(1, "finish").json == {"aasm_event": [message]}
        second = brpm.create()
        assert brpm.move(second, "cancel").json["aasm_state"] == "canceled"
        assert brpm.list(aasm_state="completed").json[0]["id"] == 1


def test_a_state_that_no_table_knows_allows_nothing(brpm: Visitor) -> None:
    put_into(brpm, "pending_approval")
    assert brpm.get(1)["aasm_state"] == "pending_approval"
    assert {brpm.move(1, event).status for event in ALLOWED} == {422}
    assert brpm.delete(1).status == 422
