"""What a fresh sandbox holds, and holding something else instead."""

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from planops.cli.group import run
from planops.sandbox.clock import Clock
from planops.sandbox.visits import MOMENT
from planops.sandbox.zadig import FIXTURES, ZadigSandbox
from planops.sandbox.zadig.visitor import Visitor, visiting

ZOE = {"uid": "u9", "account": "zoe", "token": "sandbox-zoe-token", "is_admin": True}
DEPLOY = {"name": "d", "type": "zadig-deploy", "spec": {"env": "dev"}}
MINE = {"name": "mine", "stages": [{"name": "one", "jobs": [DEPLOY]}]}


def holding(fixtures: Mapping[str, Any]) -> ZadigSandbox:
    return ZadigSandbox(clock=Clock(MOMENT), fixtures=fixtures)


def test_the_default_fits_its_own_form() -> None:
    with closing(holding(FIXTURES)) as sandbox:
        assert {user.account for user in sandbox.users} == {"admin", "patrick", "alice", "bob"}


def test_the_default_is_not_changed() -> None:
    before = json.dumps(FIXTURES)
    with closing(holding({"extends": "default", "users": [ZOE]})):
        assert json.dumps(FIXTURES) == before


def test_every_kind_of_variable_is_in_the_default() -> None:
    everything = FIXTURES["workflows"][2]
    kinds = {one["type"] for one in everything["params"]}
    assert kinds == {"string", "text", "choice", "repo", "multi-select", "file"}
    assert any(one["is_credential"] for one in everything["params"])
    assert everything["project"] == "shop"


def test_own_fixtures_take_the_place_of_the_default() -> None:
    with closing(holding({"users": [ZOE]})) as sandbox:
        assert [user.account for user in sandbox.users] == ["zoe"]
        assert sandbox.tokens == {"sandbox-zoe-token": "zoe"}
        with pytest.raises(KeyError):
            sandbox.workflow("deploy")


def test_own_fixtures_extend_the_default() -> None:
    admin = {**ZOE, "uid": FIXTURES["users"][0]["uid"], "account": "root"}
    with closing(holding({"extends": "default", "users": [admin, ZOE]})) as sandbox:
        accounts = {user.account for user in sandbox.users}
    assert accounts == {"root", "patrick", "alice", "bob", "zoe"}


def test_what_is_left_out_is_filled_in() -> None:
    with closing(holding({"users": [ZOE], "workflows": [MINE]})) as sandbox:
        assert sandbox.users[0].name == "zoe"
        workflow = sandbox.workflow("mine")
    assert (workflow["_id"], workflow["params"]) == (f"{1:024x}", [])
    assert workflow["stages"][0]["jobs"][0]["skipped"] is False


def test_own_fixtures_are_served() -> None:
    fixtures = {
        "users": [ZOE],
        "registries": [{"id": "r", "reg_addr": "https://r", "namespace": "n"}],
        "workflows": [MINE],
        "plans": [{"name": "Planted", "manager": "zoe", "jobs": [{"name": "t", "type": "text"}]}],
        "settings": {"address": "https://z", "hook": {"enable": True}},
    }
    with closing(holding(fixtures)) as sandbox, visiting(sandbox=sandbox) as zadig:
        plan = planted(zadig)
        assert (plan["manager_id"], plan["index"], plan["create_time"]) == ("u9", 1, MOMENT)
        assert len(plan["jobs"][0]["id"]) == 36
        registries = zadig.call("GET /openapi/system/registry", who="zoe").json
        assert [one["registry_id"] for one in registries] == ["r"]
        assert zadig.inside("GET /hook/setting", who="zoe").json["enable"] is True
        sandbox.reset()
        assert planted(zadig)["name"] == "Planted"


def planted(zadig: Visitor) -> Any:
    """The only plan."""
    (summary,) = zadig.call("GET /openapi/release_plan/v1?pageNum=1&pageSize=9", who="zoe").json[
        "list"
    ]
    return zadig.call(f"GET /openapi/release_plan/v1/{summary['id']}", who="zoe").json


def test_plans_keep_their_own_index_and_the_counter_follows() -> None:
    plans = [{"name": "a", "index": 7}, {"name": "b"}]
    with closing(holding({"extends": "default", "plans": plans})) as sandbox:
        assert [plan["index"] for plan in sandbox.plans()] == [7, 8]


def test_a_database_that_is_not_new_keeps_what_it_has(tmp_path: Path) -> None:
    file = tmp_path / "zadig.sqlite"
    with closing(ZadigSandbox(database=file)):
        pass
    with closing(ZadigSandbox(database=file, fixtures={"users": [ZOE]})) as sandbox:
        assert "zoe" not in {user.account for user in sandbox.users}


@pytest.mark.parametrize(
    ("fixtures", "sentence"),
    [
        ({"extends": "nothing"}, "extends: is 'nothing': only 'default' can be extended"),
        ({"people": []}, "people: is not known: known are extends, settings, users, groups, "),
        ({"users": {}}, "users: is a map: a list belongs here"),
        ({"users": [7]}, "users[0]: is a whole number: a map belongs here"),
        ({"users": [{"uid": "u"}]}, "users[0].account: is missing: text belongs here"),
        (
            {"users": [{**ZOE, "nmae": "x"}]},
            "users[0].nmae: is not known: known are uid, account, name, ",
        ),
        ({"users": [{**ZOE, "uid": 7}]}, "users[0].uid: is a whole number: text belongs here"),
        (
            {"users": [{**ZOE, "last_login_time": True}]},
            "users[0].last_login_time: is true or false: a whole number belongs here",
        ),
        ({"users": [ZOE, ZOE]}, "users[1].uid: is 'u9': another entry has it already"),
        ({"groups": [{"group_id": "g"}]}, "groups[0].name: is missing: text belongs here"),
        ({"code_hosts": [{"id": "1"}]}, "code_hosts[0].alias: is missing: text belongs here"),
        (
            {"code_hosts": [{"id": "1", "alias": "a"}]},
            "code_hosts[0].id: is text: a whole number belongs here",
        ),
        ({"workflows": [{"name": "w"}]}, "workflows[0].stages: is missing: a list belongs here"),
        (
            {"workflows": [{"name": "w", "stages": [{"name": "s"}]}]},
            "workflows[0].stages[0].jobs: is missing: a list belongs here",
        ),
        (
            {"workflows": [{"name": "w", "stages": [{"name": "s", "jobs": [{"name": "j"}]}]}]},
            "workflows[0].stages[0].jobs[0].type: is missing: text belongs here",
        ),
        (
            {"workflows": [{**MINE, "params": [{}]}]},
            "workflows[0].params[0].name: is missing: text belongs here",
        ),
        ({"workflows": [{**MINE, "params": {}}]}, "workflows[0].params: is a map: a list"),
        ({"plans": [{}]}, "plans[0].name: is missing: text belongs here"),
        (
            {"plans": [{"name": "p", "manager": "zoe"}]},
            "plans[0].manager: is 'zoe': no user has this account",
        ),
        (
            {"plans": [{"name": "p", "approval": {"enabled": 1}}]},
            "plans[0].approval: does not fit: json: cannot unmarshal number",
        ),
        ({"plans": [{"name": "p", "jobs": [7]}]}, "plans[0].jobs: does not fit"),
        ({"settings": {"hooks": {}}}, "settings.hooks: is not known: known are address, hook"),
        ({"settings": []}, "settings: is a list: a map belongs here"),
    ],
)
def test_what_does_not_fit_is_said_with_its_place(
    fixtures: Mapping[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        holding(fixtures)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("users:\n  - uid: x\n", "users[0].account: is missing: text belongs here; correct it"),
        ('{"users": [}', ":1: "),
        ("[]", "is not one map of lists"),
        ("--- {}\n--- {}\n", "is not one map of lists"),
    ],
)
def test_the_command_says_what_does_not_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    file = tmp_path / "zadig.yaml"
    file.write_text(text, encoding="utf-8")
    assert run(("sandbox", "--port", "0", "--fixtures", str(file))) == 1
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"planops: error: sandbox: {file}")
    assert said in complaint


def test_the_command_says_that_a_file_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(("sandbox", "--port", "0", "--fixtures", str(tmp_path / "absent"))) == 1
    assert "cannot be read: No such file or directory" in capsys.readouterr().err
