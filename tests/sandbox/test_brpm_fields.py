"""What may be written of a plan, and what the server makes of it (§2.2, §2.3, §4, §8)."""

from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.brpm.visitor import Visitor, visiting
from planops.sandbox.visits import MOMENT

NOW = "2023-11-14T18:13:20-04:00"
LATER = "2023-11-14T18:14:20-04:00"


@pytest.fixture
def brpm() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


def test_a_new_plan(brpm: Visitor) -> None:
    plan = brpm.post(name="New", plan_template_id=2).json
    assert {key: value for key, value in plan.items() if not isinstance(value, dict | list)} == {
        "aasm_state": "created",
        "created_at": NOW,
        "description": None,
        "foreign_id": None,
        "id": 2,
        "name": "New",
        "plan_template_id": 2,
        "project_server_id": None,
        "release_date": None,
        "release_id": None,
        "release_manager_id": None,
        "updated_at": NOW,
    }
    assert (plan["teams"], plan["plan_routes"]) == ([], [])
    assert plan == brpm.get(2)


def test_every_writable_field_at_once(brpm: Visitor) -> None:
    plan = brpm.post(
        name="All",
        description="text",
        plan_template_id=1,
        release_id=2,
        release_manager_id=3,
        release_date="2026-12-01",
        team_ids=[3, 1],
    ).json
    assert plan["release"] == {"id": 2, "name": "E-Finance 1.1"}
    assert plan["teams"] == [{"id": 1, "name": "AllAccess"}, {"id": 3, "name": "Checkout"}]
    assert [plan[key] for key in ("description", "release_manager_id", "release_date")] == [
        "text",
        3,
        "2026-12-01",
    ]


def test_put_changes_what_it_names_and_nothing_else(brpm: Visitor) -> None:
    before = brpm.get(1)
    brpm.sandbox.clock.advance(60)
    after = brpm.put(1, description="new").json
    assert after == {**before, "description": "new", "updated_at": LATER}
    assert brpm.get(1) == after


def test_put_that_changes_nothing_leaves_the_time(brpm: Visitor) -> None:
    before = brpm.get(1)
    brpm.sandbox.clock.advance(60)
    reply = brpm.put(1, name="Sample Plan", team_ids=[1], release_date="2012-10-31")
    assert (reply.status, reply.json) == (202, before)
    assert not brpm.sandbox.received[-1].committed


def test_null_clears(brpm: Visitor) -> None:
    plan = brpm.create(
        description="d",
        release_id=1,
        release_manager_id=1,
        release_date="2026-12-01",
        team_ids=[1],
    )
    cleared = brpm.put(
        plan,
        description=None,
        release_id=None,
        release_manager_id=None,
        release_date=None,
        team_ids=None,
    ).json
    for key in ("description", "release_id", "release_manager_id", "release_date"):
        assert cleared[key] is None
    assert cleared["teams"] == []
    assert "release" not in cleared


@pytest.mark.parametrize("given", [{}, {"name": None}, {"name": ""}, {"name": "  "}])
def test_a_name_is_required(brpm: Visitor, given: dict[str, Any]) -> None:
    reply = brpm.call("POST /v1/plans", {"plan": {"plan_template_id": 1, **given}})
    assert (reply.status, reply.json) == (422, {"name": ["can't be blank"]})
    if given:
        assert brpm.put(1, **given).json == {"name": ["can't be blank"]}


def test_names_are_unique_and_may_be_kept(brpm: Visitor) -> None:
    plan = brpm.create(name="sample plan")
    assert brpm.put(plan, name="Sample Plan").json == {"name": ["has already been taken"]}
    assert brpm.put(plan, name="sample plan").status == 202
    assert brpm.put(plan, name="Renamed").json["name"] == "Renamed"


def test_a_deleted_plans_name_is_free(brpm: Visitor) -> None:
    brpm.delete(1)
    assert brpm.post(name="Sample Plan").json["id"] == 2


def test_a_template_is_required(brpm: Visitor) -> None:
    reply = brpm.call("POST /v1/plans", {"plan": {"name": "n"}})
    assert (reply.status, reply.json) == (422, {"plan_template_id": ["can't be blank"]})


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"plan_template_id": 99}, {"plan_template_id": ["is invalid"]}),
        ({"plan_template_id": "x"}, {"plan_template_id": ["is invalid"]}),
        ({"plan_template_name": "none"}, {"plan_template_name": ["was not found"]}),
        ({"release_id": 99}, {"release_id": ["is invalid"]}),
        ({"release_name": "none"}, {"release_name": ["was not found"]}),
        ({"team_ids": [1, 99]}, {"team_ids": ["is invalid"]}),
        ({"team_ids": ["x"]}, {"team_ids": ["is invalid"]}),
        ({"release_attributes": {"id": 99}}, {"release": ["is invalid"]}),
        ({"release_attributes": {}}, {"release.name": ["can't be blank"]}),
        ({"release_attributes": {"id": 1, "name": ""}}, {"release.name": ["can't be blank"]}),
    ],
)
def test_unknown_names_and_ids(
    brpm: Visitor, given: dict[str, Any], errors: dict[str, list[str]]
) -> None:
    releases = brpm.sandbox.records("release")
    assert (brpm.post(**given).status, brpm.post(**given).json) == (422, errors)
    assert (brpm.put(1, **given).status, brpm.put(1, **given).json) == (422, errors)
    assert len(brpm.sandbox.plans()) == 1
    assert brpm.sandbox.records("release") == releases


def test_templates_by_name(brpm: Visitor) -> None:
    both = brpm.post(plan_template_name="Hotfix Template", plan_template_id=1).json
    assert (both["plan_template_id"], both["plan_template"]["name"]) == (2, "Hotfix Template")
    blank = brpm.post(name="other", plan_template_name="", plan_template_id=1).json
    assert blank["plan_template_id"] == 1


def test_stages_and_members_come_from_the_template(brpm: Visitor) -> None:
    plan = brpm.post(plan_template_id=2).json
    assert [one["plan_stage"] for one in plan["plan_stage_instances"]] == [
        {"id": 5, "name": "Ship"},
        {"id": 4, "name": "Build"},
    ]
    assert [one["id"] for one in plan["plan_stage_instances"]] == [5, 4]
    assert {one["aasm_state"] for one in plan["plan_stage_instances"]} == {"compliant"}
    assert plan["members"] == [
        {
            "position": 1,
            "stage": {"id": 4, "name": "Build", "position": 1},
            "request": {"aasm_state": "created", "name": "Build Hotfix", "number": 1006},
        }
    ]


def test_another_template_is_a_replacement(brpm: Visitor) -> None:
    plan = brpm.put(1, plan_template_id=2).json
    assert [one["plan_stage"]["name"] for one in plan["plan_stage_instances"]] == ["Ship", "Build"]
    assert [one["request"]["number"] for one in plan["members"]] == [1006]
    old = brpm.call("GET /v1/requests/3").json
    assert "plan_member" not in old
    assert brpm.put(1, plan_template_id=None).json == {"plan_template_id": ["can't be blank"]}


def test_releases_by_name(brpm: Visitor) -> None:
    plan = brpm.create(release_name="E-Finance 1.1")
    assert brpm.get(plan)["release"] == {"id": 2, "name": "E-Finance 1.1"}
    brpm.put(plan, release_name="E-Finance 1.0", release_id=2)
    assert brpm.get(plan)["release_id"] == 1


@pytest.mark.parametrize("blank", [None, "", " "])
def test_a_blank_release_name_is_ignored(brpm: Visitor, blank: str | None) -> None:
    plan = brpm.create(release_id=1)
    assert brpm.put(plan, release_name=blank).json["release_id"] == 1
    assert brpm.put(plan, release_name=blank, release_id=None).json["release_id"] is None


def test_release_attributes_create_every_time(brpm: Visitor) -> None:
    plan = brpm.create(release_attributes={"name": "Autumn"})
    assert brpm.get(plan)["release"] == {"id": 3, "name": "Autumn"}
    brpm.put(plan, release_attributes={"name": "Autumn"}, release_id=1)
    assert brpm.get(plan)["release"] == {"id": 4, "name": "Autumn"}
    names = [one["name"] for one in brpm.sandbox.records("release")]
    assert names == ["E-Finance 1.0", "E-Finance 1.1", "Autumn", "Autumn"]


def test_release_attributes_with_an_id_update(brpm: Visitor) -> None:
    brpm.put(1, release_attributes={"id": 2, "name": "Renamed"})
    assert brpm.get(1)["release"] == {"id": 2, "name": "Renamed"}
    before = brpm.sandbox.records("release")
    brpm.put(1, release_attributes={"id": 2})
    assert brpm.sandbox.records("release") == before
    assert not brpm.sandbox.received[-1].committed


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-12-01", "2026-12-01"),
        ("2012-10-31 14:00:00 UTC", "2012-10-31"),
        ("2026-12-01T23:59:59+08:00", "2026-12-01"),
        (" 2026-12-01", "2026-12-01"),
        ("12/01/2026", None),
        ("1 December 2026", None),
        ("2026-02-30", None),
        ("2026-12", None),
        ("", None),
        (1796083200, None),
        (None, None),
    ],
)
def test_dates(brpm: Visitor, sent: object, kept: str | None) -> None:
    brpm.put(1, release_date="2000-01-01")
    reply = brpm.put(1, release_date=sent)
    assert (reply.status, reply.json["release_date"]) == (202, kept)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ([3, 2], [2, 3]),
        ([2, 2], [2]),
        (["2"], [2]),
        (["", None, 3], [3]),
        (2, [2]),
        ([], []),
        (None, []),
    ],
)
def test_team_ids_replace_the_set(brpm: Visitor, sent: object, kept: list[int]) -> None:
    assert [one["id"] for one in brpm.put(1, team_ids=sent).json["teams"]] == kept


@pytest.mark.parametrize(
    ("sent", "kept"), [(3, 3), ("3", 3), ("x", None), ("", None), (True, None), (999, 999)]
)
def test_release_manager_is_not_checked(brpm: Visitor, sent: object, kept: int | None) -> None:
    assert brpm.put(1, release_manager_id=sent).json["release_manager_id"] == kept


def test_scalars_become_text(brpm: Visitor) -> None:
    plan = brpm.put(1, name=2026, description=1.5).json
    assert (plan["name"], plan["description"]) == ("2026", "1.5")


@pytest.mark.parametrize(
    "given",
    [
        {"id": 9},
        {"aasm_state": "complete"},
        {"foreign_id": "CRQ1", "project_server_id": 7},
        {"created_at": "2000-01-01", "updated_at": "2000-01-01"},
        {"members": [], "plan_stage_instances": [], "plan_routes": []},
        {"plan_template": {"id": 2}, "release": {"id": 1}, "teams": []},
        {"deployment_coordinator_id": 1, "environment": "aws_cloud", "app_ids": [1]},
        {"colour": "red"},
    ],
)
def test_what_is_not_writable_is_ignored(brpm: Visitor, given: dict[str, Any]) -> None:
    before = brpm.get(1)
    reply = brpm.put(1, **given)
    assert (reply.status, reply.json) == (202, before)
    assert brpm.post(**given).status == 201
    assert brpm.get(2)["aasm_state"] == "created"


def test_times_have_an_offset(brpm: Visitor) -> None:
    plan = brpm.create()
    assert brpm.sandbox.clock.now() == MOMENT
    assert brpm.get(plan)["created_at"] == NOW


def test_a_missing_association_is_absent(brpm: Visitor) -> None:
    assert "release" not in brpm.get(1)
    assert "release" not in brpm.list().json[0]
    brpm.put(1, release_id=1)
    assert brpm.list().json[0]["release"] == {"id": 1, "name": "E-Finance 1.0"}
