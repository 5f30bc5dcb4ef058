"""What a fresh sandbox holds, and holding something else instead."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from planops.sandbox.brpm import FIXTURES, BrpmSandbox, facts
from planops.sandbox.brpm.visitor import visiting
from planops.sandbox.clock import Clock
from planops.sandbox.visits import MOMENT

ZOE = {"id": 9, "login": "zoe", "token": "sandbox-zoe-token"}
TEMPLATE = {"id": 1, "name": "Mine", "stages": [{"id": 1, "name": "One", "requests": ["R", "S"]}]}
PLAN = {"id": 5, "name": "Planted", "plan_template_id": 1}


def holding(fixtures: Mapping[str, Any]) -> BrpmSandbox:
    return BrpmSandbox(clock=Clock(MOMENT), fixtures=fixtures)


def test_the_default_fits_its_own_form() -> None:
    sandbox = holding(FIXTURES)
    assert sandbox.plans() == BrpmSandbox(clock=Clock(MOMENT)).plans()
    assert [user["login"] for user in sandbox.records("user")] == [
        "admin",
        "patrick",
        "alice",
        "bob",
    ]


def test_the_default_is_not_changed() -> None:
    before = json.dumps(FIXTURES)
    sandbox = holding({"extends": "default", "users": [ZOE]})
    sandbox.edit(1, {"name": "changed"})
    sandbox.reset()
    assert sandbox.plan(1)["name"] == "Sample Plan"
    assert json.dumps(FIXTURES) == before


def test_own_fixtures_take_the_place_of_the_default() -> None:
    sandbox = holding({"users": [ZOE]})
    assert sandbox.tokens == {"sandbox-zoe-token": "zoe"}
    assert sandbox.plans() == ()


def test_own_fixtures_extend_the_default() -> None:
    root = {**ZOE, "id": 1, "login": "root"}
    sandbox = holding({"extends": "default", "users": [root], "plans": [PLAN]})
    assert [user["login"] for user in sandbox.records("user")] == [
        "root",
        "patrick",
        "alice",
        "bob",
    ]
    assert [plan["name"] for plan in sandbox.plans()] == ["Sample Plan", "Planted"]


def test_what_is_left_out_is_filled_in() -> None:
    fixtures = {"users": [ZOE], "plan_templates": [TEMPLATE], "plans": [PLAN]}
    with visiting(holding(fixtures)) as brpm:
        shown = brpm.call("GET /v1/plans/5", who="zoe").json
        assert shown["created_at"] == "2023-11-14T18:13:20-04:00"
        assert shown["plan_template"]["stages"][0]["position"] == 1
        assert [one["request"]["name"] for one in shown["members"]] == ["R", "S"]
        body = {"plan": {"name": "next", "plan_template_id": 1}}
        created = brpm.call("POST /v1/plans", body, who="zoe").json
        assert created["id"] == 6
        assert created["plan_stage_instances"][0]["id"] == 2


def test_a_user_without_a_token_cannot_call() -> None:
    sandbox = holding({"users": [{"id": 1, "login": "mute"}]})
    assert sandbox.tokens == {}
    assert sandbox.records("user")[0] == {
        "id": 1,
        "login": "mute",
        "first_name": "",
        "last_name": "",
        "email": "",
    }


def test_facts_for_a_settings_file() -> None:
    known = facts("http://127.0.0.1:1")
    assert (known.url, known.token) == ("http://127.0.0.1:1/brpm", "sandbox-admin-token")
    assert known.logins == ("admin", "patrick", "alice", "bob")
    assert known.tokens["bob"] == "sandbox-bob-token"
    assert facts("http://x", "").url == "http://x"


def test_closing_lets_go() -> None:
    sandbox = BrpmSandbox()
    sandbox.close()
    assert sandbox.plans() == ()


@pytest.mark.parametrize(
    ("fixtures", "sentence"),
    [
        ({"extends": "nothing"}, "extends: is 'nothing': only 'default' can be extended"),
        ({"people": []}, "people: is not known: known are extends, users, teams, releases, "),
        ({"users": {}}, "users: is a map: a list belongs here"),
        ({"users": [7]}, "users[0]: is a whole number: a map belongs here"),
        ({"users": [{"id": 1}]}, "users[0].login: is missing: text belongs here"),
        ({"users": [{**ZOE, "id": "1"}]}, "users[0].id: is text: a whole number belongs here"),
        ({"users": [{**ZOE, "id": True}]}, "users[0].id: is true or false: a whole number "),
        ({"users": [{**ZOE, "id": None}]}, "users[0].id: is nothing: a whole number belongs here"),
        ({"users": [{**ZOE, "emial": "x"}]}, "users[0].emial: is not known: known are id, login, "),
        ({"users": [ZOE, ZOE]}, "users[1].id: is 9: another entry has it already"),
        ({"teams": [{"id": 1, "name": 2.5}]}, "teams[0].name: is 2.5: text belongs here"),
        ({"plans": [PLAN]}, "plans[0].plan_template_id: is 1: none of plan_templates has this id"),
        (
            {"extends": "default", "plans": [{**PLAN, "team_ids": [1, 99]}]},
            "plans[0].team_ids: is 99: none of teams has this id",
        ),
        (
            {"plans": [{**PLAN, "members": [{"position": 1}]}]},
            "plans[0].members[0].stage_id: is missing: a whole number belongs here",
        ),
        (
            {"plan_templates": [{**TEMPLATE, "stages": [{"id": 1, "name": 2}]}]},
            "plan_templates[0].stages[0].name: is a whole number: text belongs here",
        ),
        (
            {"plan_routes": [{"id": 1, "plan_id": 1, "route_id": 1}]},
            "plan_routes[0].plan_id: is 1: none of plans has this id",
        ),
    ],
)
def test_what_does_not_fit(fixtures: Mapping[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        holding(fixtures)
