"""What is read of a BRPM plan and what is written of it: the pure codec, shape by shape."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planops.backends.brpm.lifecycle import STATES, Dialect
from planops.backends.brpm.references import KINDS, matching, mentioned, resolved
from planops.backends.brpm.wire import BrpmRules
from planops.core.changes import Change, StepKind
from planops.core.decide import Circumstances, Desired, decide
from planops.core.model import Live, Plan, PlanKey, Source
from planops.errors import Garbled
from planops.manifests.schemas import schema, shape

SHAPE = shape("BrpmPlan")
RULES = BrpmRules(shape=SHAPE)
POISON = "POISON"
MOMENT = 1_351_036_361
FOUND: dict[tuple[str, str], tuple[int, ...] | None] = {
    ("plan_template_name", "Sample"): (1,),
    ("release_name", "R1"): (11,),
    ("release_manager", "patrick"): (2,),
    ("teams", "Core"): (21,),
    ("teams", "Batch"): (22,),
}
HELD: dict[str, Any] = {
    "id": 7,
    "name": "Train",
    "description": "theirs",
    "aasm_state": "created",
    "plan_template_id": 1,
    "plan_template": {"id": 1, "name": "Sample", "is_automatic": False, "stages": []},
    "release_id": 11,
    "release": {"id": 11, "name": "R1"},
    "release_manager_id": 2,
    "release_date": "2012-10-31",
    "teams": [{"id": 21, "name": "Core"}, {"id": 22, "name": "Batch"}],
    "foreign_id": None,
    "project_server_id": None,
    "plan_routes": [],
    "plan_stage_instances": [],
    "created_at": "2012-10-23T19:52:41-04:00",
    "updated_at": "2012-10-23T19:52:41-04:00",
}
DECLARED: dict[str, Any] = {
    "name": "Train",
    "description": "theirs",
    "plan_template_name": "Sample",
    "release_name": "R1",
    "release_manager": "patrick",
    "release_date": "2012-10-31",
    "teams": ["Batch", "Core"],
}


def plan(state: str | None = None, **spec: Any) -> Plan:
    return Plan(
        key=PlanKey(target="prod", name="train"),
        kind="BrpmPlan",
        spec={"name": "Train", **spec},
        state=state,
        source=Source(file="plans/train.yaml"),
    )


def desired(state: str | None = None, **spec: Any) -> Desired:
    return resolved(plan(state, **spec), FOUND, SHAPE)


def seen(wanted: Desired | None = None, **changes: Any) -> Live:
    return RULES.view({**copy.deepcopy(HELD), **changes}, wanted)


def decided(wanted: Desired, live: Live | None) -> Change:
    return decide(RULES, wanted, live, Circumstances(now=MOMENT))


# ------------------------------------------------------------------------------------ reading


def test_a_plan_is_read_into_one_form() -> None:
    live = seen(desired(**DECLARED))
    assert (live.id, live.name, live.state, live.updated_at) == ("7", "Train", "created", MOMENT)
    assert live.spec == {
        "name": "Train",
        "description": "theirs",
        "plan_template_id": 1,
        "plan_template_name": "Sample",
        "release_id": 11,
        "release_name": "R1",
        "release_manager_id": 2,
        "release_manager": "patrick",
        "release_date": "2012-10-31",
        "team_ids": [21, 22],
        "teams": ["Core", "Batch"],
    }
    assert (live.unseen, live.version, live.put_back) == ({}, None, False)
    assert seen(None).spec == {**live.spec, "release_manager": "2"}


def test_every_field_of_the_schema_is_read() -> None:
    """What would be read as something else than empty where it was never set is not comparable."""
    runtime = {"release_attributes"}
    assert seen(None).spec.keys() == schema("brpm-plan")["properties"].keys() - runtime
    assert RULES.empty() == RULES.view({"id": 7, "aasm_state": "created"}, None).spec


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"description": None}, "description", ""),
        ({"description": " x\n"}, "description", "x"),
        ({"name": " Train "}, "name", "Train"),
        ({"release_id": None, "release": None}, "release_id", 0),
        ({"release_id": None, "release": {}}, "release_name", ""),
        ({"release_id": None, "release": {"id": 12, "name": "R2"}}, "release_id", 12),
        ({"release": {}}, "release_name", "11"),
        ({"plan_template_id": None}, "plan_template_id", 1),
        ({"plan_template": None}, "plan_template_name", "1"),
        ({"release_manager_id": None}, "release_manager", ""),
        ({"release_date": None}, "release_date", ""),
        ({"teams": None}, "team_ids", []),
        ({"teams": []}, "teams", []),
    ],
)
def test_what_is_empty_or_absent_is_one_thing(
    changes: dict[str, Any], field: str, value: Any
) -> None:
    assert seen(None, **changes).spec[field] == value


def test_lists_and_records_are_read_alike() -> None:
    """The two shapes differ in the template and in the members (§4.8)."""
    template = {**HELD["plan_template"], "archived_at": None, "template_type": "deploy"}
    stages = [{"id": 1, "name": "Dev", "position": 1, "auto_start": False}]
    whole = {"plan_template": {**template, "stages": stages}, "members": [{"position": 1}]}
    assert seen(None, **whole).spec == seen(None).spec


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"release_date": 20121031}, "/spec/release_date is no string"),
        ({"release_id": "x"}, "/spec/release_id is no integer"),
        ({"release_id": True}, "/spec/release_id is no integer"),
        ({"plan_template_id": "1"}, "/spec/plan_template_id is no integer"),
        ({"release_manager_id": "2"}, "/spec/release_manager_id is no integer"),
        ({"teams": [{"id": "x", "name": "Core"}]}, "/spec/team_ids/0 is no integer"),
        ({"aasm_state": None}, "no state"),
        ({"aasm_state": ""}, "no state"),
        ({"aasm_state": 1}, "no state"),
    ],
)
def test_what_is_no_plan_is_not_understood(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Garbled) as caught:
        seen(None, **changes)
    assert str(caught.value) == (
        f"GET /v1/plans/7: {why}; this is no plan as BRPM gives it; check url in planops.yaml"
    )


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2012-10-23T19:52:41-04:00", MOMENT),
        ("2012-10-23T23:52:41Z", MOMENT),
        ("2012-10-23T23:52:41", 0),
        ("yesterday", 0),
        ("", 0),
        (None, 0),
        (7, 0),
    ],
)
def test_the_time_of_the_last_edit(written: Any, seconds: int) -> None:
    assert seen(None, updated_at=written).updated_at == seconds


def test_what_was_applied_says_too_how_far_a_plan_is_read() -> None:
    """A manager that the file no longer names is compared by the name that it had there."""
    wanted = desired(description="theirs")
    live = RULES.view(copy.deepcopy(HELD), wanted, {"release_manager": "patrick"})
    assert live.spec["release_manager"] == "2"
    assert [*live.unseen] == ["/spec/release_manager"]
    assert RULES.view(copy.deepcopy(HELD), wanted).unseen == {}


def test_states_are_read_as_the_server_spells_them() -> None:
    rules = BrpmRules(shape=SHAPE, dialect=Dialect(states={"open": "started"}))
    assert rules.view({**HELD, "aasm_state": "open"}, None).state == "started"
    assert rules.view({**HELD, "aasm_state": "shut"}, None).state == "shut"


# -------------------------------------------------------------------------------- references


def test_names_are_collected_once_and_in_order() -> None:
    plans = [plan(**DECLARED), plan(**DECLARED), plan(teams=["Core"], release_name=None)]
    assert mentioned(one.spec for one in plans) == (
        ("plan_template_name", "Sample"),
        ("release_manager", "patrick"),
        ("release_name", "R1"),
        ("teams", "Batch"),
        ("teams", "Core"),
    )
    nobody = plan(plan_template_id=1, team_ids=[1], teams=None, release_manager="")
    assert mentioned([nobody.spec]) == ()


@pytest.mark.parametrize(
    ("name", "ids"),
    [("core", (1, 4)), ("CORE", (1, 4)), ("c@x", (1,)), ("co", ()), (" core", ())],
)
def test_people_are_found_by_login_or_address_whatever_the_case(
    name: str, ids: tuple[int, ...]
) -> None:
    users: list[dict[str, Any]] = [
        {"id": 1, "login": "Core", "email": "C@x"},
        {"id": 2, "login": "corey", "email": ""},
        {"id": 3, "first_name": "core", "email": None},
        {"id": 4, "login": "other", "email": " core "},
    ]
    assert matching(KINDS[2], name, users) == ids


def test_other_things_are_found_by_their_exact_name() -> None:
    teams: list[dict[str, Any]] = [
        {"id": 3, "name": "Core"},
        {"id": 1, "name": "Core "},
        {"id": 2, "name": "core"},
        {"id": 4},
        {"id": 3, "name": "Core"},
    ]
    assert matching(KINDS[3], "Core", teams) == (1, 3)


def test_a_spec_is_made_canonical_and_undeclared_fields_stay_absent() -> None:
    wanted = desired(description=" x ", release_name=None, team_ids=None, release_manager_id=None)
    assert wanted.spec == {
        "name": "Train",
        "description": "x",
        "release_name": "",
        "team_ids": [],
        "release_manager_id": 0,
    }


# -------------------------------------------------------------------------------- writing


def test_a_creation_names_ids_and_leaves_out_what_is_empty() -> None:
    wanted = desired(**{**DECLARED, "description": None, "release_date": None})
    (step,) = decided(wanted, None).steps
    assert (step.kind, step.summary) == (StepKind.CREATE, "create the plan")
    assert (step.request.method, step.request.path) == ("POST", "/v1/plans")
    assert step.request.body == {
        "plan": {
            "name": "Train",
            "plan_template_id": 1,
            "release_id": 11,
            "release_manager_id": 2,
            "team_ids": [22, 21],
        }
    }


def test_an_update_says_what_it_writes() -> None:
    wanted = desired(**{**DECLARED, "description": "ours", "teams": []})
    (step,) = decided(wanted, seen(wanted)).steps
    assert step.summary == "write description, teams"
    assert step.request.body == {"plan": {"description": "ours", "team_ids": []}}


def test_nothing_is_decided_by_a_day_or_by_facts() -> None:
    """A plan has a day and no window, and none of BRPM's edges asks for anything."""
    assert RULES.closes_at(DECLARED) == 0
    assert RULES.facts(DECLARED) == frozenset()
    wanted = desired(**DECLARED)
    live = seen(wanted)
    assert RULES.reopened(live, wanted) is live


REMOVALS = {
    "created": ["DELETE"],
    "planned": ["cancel", "DELETE"],
    "started": ["cancel", "DELETE"],
    "hold": ["cancel", "DELETE"],
    "cancelled": ["DELETE"],
    "archived": ["DELETE"],
    "locked": [],
    "complete": [],
    "made_up": [],
}


@pytest.mark.parametrize("state", [*STATES, "made_up"])
def test_a_plan_is_cancelled_where_that_is_needed_and_then_deleted(state: str) -> None:
    steps = RULES.remove(seen(None, aasm_state=state))
    said = [step.edge.event if step.edge is not None else step.request.method for step in steps]
    assert said == REMOVALS[state]
    assert all(step.request.path == "/v1/plans/7" for step in steps)
    assert [step.request.body for step in steps if step.kind is StepKind.DELETE] == [None] * bool(
        steps
    )


# ------------------------------------------------------------------------------- properties


def poisoned(value: Any) -> Any:
    """A document in which everything that no file may declare is poison."""
    ours = {"name", "description", "release_date"}
    if isinstance(value, dict):
        return {
            key: value[key]
            if key.endswith("id") or key in {*ours, "aasm_state"}
            else poisoned(value[key])
            for key in value
        } | {f"{POISON}_key": POISON}
    return [poisoned(one) for one in value] if isinstance(value, list) else POISON


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "description": st.none() | st.text(max_size=6),
        "release_date": st.sampled_from([None, "2012-10-31", "2026-12-01"]),
        "release_name": st.sampled_from([None, "R1"]),
        "release_manager": st.sampled_from([None, "patrick"]),
        "teams": st.none() | st.lists(st.sampled_from(["Core", "Batch"]), unique=True),
        "plan_template_name": st.just("Sample"),
    },
)


@given(spec=FIELDS, held=FIELDS, state=st.sampled_from([None, *STATES]))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_nothing_that_a_get_returned_is_ever_sent_back(
    spec: dict[str, Any], held: dict[str, Any], state: str | None
) -> None:
    wanted = desired(state, **spec)
    raw = poisoned({**HELD, **{k: v for k, v in held.items() if k in HELD}})
    raw["teams"] = HELD["teams"][: len(held.get("teams") or ())]
    for step in decided(wanted, RULES.view(raw, wanted)).steps:
        assert POISON not in json.dumps(step.request.body)


@given(spec=FIELDS)
@settings(max_examples=200, derandomize=True, deadline=None)
def test_what_was_made_is_as_it_was_wanted(spec: dict[str, Any]) -> None:
    """A server that stores what it is sent shows a plan of which nothing is left to write."""
    wanted = desired(**spec)
    (step,) = decided(wanted, None).steps
    body: Any = step.request.body
    sent = body["plan"]
    teams = {team["id"]: team for team in HELD["teams"]}
    stored = {
        "id": 7,
        "aasm_state": "created",
        "plan_template": HELD["plan_template"],
        "release": HELD["release"] if sent.get("release_id") else None,
        "teams": [teams[id_] for id_ in sent.get("team_ids", [])],
        **sent,
    }
    assert decided(wanted, RULES.view(stored, wanted)).steps == ()
