"""What the web interface's list tells of a plan, and what its names stand for: pure."""

from __future__ import annotations

from typing import Any

import pytest

from planops.backends.zadig.lifecycle import CHECKS, FAILED_CHECKS
from planops.backends.zadig.references import Names, meant
from planops.backends.zadig.sightings import HIDDEN, RESTING, listed, sighting
from planops.core.model import JSON, Plan, PlanKey, Source

PLAN: dict[str, Any] = {
    "id": "64f1a7cd1b7bd46ec353b50c",
    "name": "n",
    "version": 3,
    "update_time": 1000,
    "updated_by": "Alice",
    "status": "planning",
    "approval": {"enabled": True, "native_approval": {"approve_users": [{"user_id": "1"}]}},
    "jobs": [{"name": "a", "spec": {"content": "x"}}],
}


def test_a_plan_is_seen_alike_in_the_list_and_in_full() -> None:
    found = sighting(PLAN)
    assert found is not None
    assert (found.version, found.update_time, found.updated_by) == (3, 1000, "Alice")
    assert sighting(listed(PLAN)) == found == sighting(PLAN | {"jobs": None})
    assert {name for name in PLAN if listed(PLAN)[name] != PLAN[name]} == HIDDEN


@pytest.mark.parametrize(
    "change",
    [
        {"version": 4},
        {"update_time": 1001},
        {"updated_by": "Bob"},
        {"status": "denied"},
        {"approval": None},
        {"approval": {"enabled": True}},
        {"name": "m"},
        {"success_time": 1},
        {"what nobody knows": {"a": [1]}},
    ],
)
def test_whatever_else_changes_is_seen(change: dict[str, Any]) -> None:
    assert sighting(PLAN | change) not in (None, sighting(PLAN))


@pytest.mark.parametrize("empty", [None, "", 0, False, [], {}])
def test_what_the_server_takes_for_absent_is_no_change(empty: JSON) -> None:
    approval = PLAN["approval"]
    native = approval["native_approval"] | {"flat_approve_users": empty}
    shown = PLAN | {"else": empty, "approval": approval | {"native_approval": native}}
    assert sighting(shown) == sighting(PLAN)


@pytest.mark.parametrize("state", ["executing", *CHECKS, *FAILED_CHECKS, "", "newer", None, 1])
def test_where_jobs_may_change_unseen_nothing_is_told(state: JSON) -> None:
    assert sighting(PLAN | {"status": state}) is None
    assert state not in RESTING


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", None),
        ("version", "3"),
        ("version", True),
        ("version", -1),
        ("version", 10**18),
        ("update_time", None),
        ("update_time", 1.5),
        ("updated_by", None),
        ("updated_by", 1),
    ],
)
def test_what_counts_no_edits_tells_nothing(name: str, value: Any) -> None:
    assert sighting(PLAN | {name: value}) is None
    assert sighting({key: one for key, one in PLAN.items() if key != name}) is None


def plan(*jobs: JSON) -> Plan:
    return Plan(
        key=PlanKey(target="prod", name="train"),
        kind="ZadigReleasePlan",
        spec={"name": "train", "jobs": list(jobs)},
        source=Source(file="train.yaml"),
    )


NAMES = Names(registries={"1": "a", "2": "b", "3": "a"}, code_hosts={"7": "gitlab"})


def test_of_names_only_those_that_are_mentioned_count() -> None:
    build: JSON = {"spec": {"inputs": [{"parameters": {"registry": "a"}}]}}
    assert meant(plan(), NAMES) == {}
    assert meant(plan(build), NAMES) == {"registries": {"1": "a", "3": "a"}}
    assert meant(plan({"database_name": "x"}), NAMES) == {"databases": None}
    assert meant(plan(build, {"codehost_name": "else"}), NAMES) == {
        "registries": {"1": "a", "3": "a"},
        "code_hosts": {},
    }
