"""What a plan looks like when read (docs/servers/zadig.md §5, §8.3)."""

from collections.abc import Iterator

import pytest

from planops.sandbox.zadig.visitor import Visitor, visiting


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


SERVED = "/openapi/release_plan/v1"


def test_text_job_and_native_approval_byte_for_byte(zadig: Visitor) -> None:
    native = {
        "timeout": 60,
        "needed_approvers": 1,
        "approve_users": [{"user_id": "u1", "user_name": "admin"}],
    }
    plan = zadig.create()
    zadig.update(
        plan,
        approval={"enabled": True, "type": "native", "native_approval": native},
        jobs=[{"name": "Text-1", "type": "text", "spec": {"content": "Hello", "remark": "abc"}}],
    )
    job = zadig.sandbox.plan(plan)["jobs"][0]["id"]
    expected = (
        '"approval":{"enabled":true,"status":"","type":"native","description":"",'
        '"native_approval":{"timeout":60,"approve_users":'
        '[{"type":"","user_id":"u1","user_name":"admin"}],"flat_approve_users":[],'
        '"needed_approvers":1,"reject_or_approve":"","instance_code":""}},'
        f'"jobs":[{{"id":"{job}","name":"Text-1","manager":"","manager_id":"","type":"text",'
        '"spec":{"content":"Hello","remark":"abc"},"status":"","last_status":"",'
        '"updated":false,"executed_by":"","executed_time":0}]'
    )
    assert expected in zadig.call(f"GET {SERVED}/{plan}").body.decode()


def test_workflow_spec_has_sorted_keys_and_no_nulls_outside_lists(zadig: Visitor) -> None:
    plan = zadig.create()
    spec = {"workflow_key": "old-hook", "inputs": []}
    zadig.update(plan, jobs=[{"name": "w", "type": "workflow", "spec": spec}])
    stored = zadig.sandbox.plan(plan)["jobs"][0]["spec"]["workflow"]
    shown = zadig.get(plan)["jobs"][0]["spec"]["workflow"]
    assert list(shown) == sorted(shown)
    assert "custom_field" in stored
    assert "custom_field" not in shown
    assert shown["stages"][0]["approval"] is None
    assert shown["_id"] == "64f1a0000000000000000001"


def test_empty_task_state_is_left_out(zadig: Visitor) -> None:
    plan = zadig.create()
    jobs = [{"name": "w", "type": "workflow", "spec": {"workflow_key": "deploy"}}]
    zadig.update(plan, jobs=jobs)
    assert list(zadig.get(plan)["jobs"][0]["spec"]) == ["workflow"]


def test_unknown_keys_and_strange_shapes_are_shown(zadig: Visitor) -> None:
    planted = zadig.sandbox.insert_plan({"name": "UI", "custom_fields": [1], "manager": "Alice"})
    assert zadig.get(planted["id"])["custom_fields"] == [1]


@pytest.mark.parametrize(
    ("plan", "description"),
    [
        ("short", "the provided hex string is not a valid ObjectID"),
        ("z" * 24, "encoding/hex: invalid byte: U+007A 'z'"),
        ("0" * 24, "mongo: no documents in result"),
    ],
)
def test_there_is_no_404_for_a_plan(zadig: Visitor, plan: str, description: str) -> None:
    assert zadig.call(f"GET {SERVED}/{plan}").error == (500, description)
    assert zadig.update(plan).error == (500, f"get release plan error: {description}")


def test_web_interface_leaves_workflow_specs_out(zadig: Visitor) -> None:
    plan = zadig.create()
    jobs = [
        {"name": "t", "type": "text"},
        {"name": "w", "type": "workflow", "spec": {"workflow_key": "deploy"}},
    ]
    zadig.update(plan, jobs=jobs)
    shown = zadig.inside(f"GET /{plan}").json["jobs"]
    assert ["spec" in job for job in shown] == [True, False]


def test_web_interface_expands_approvers(zadig: Visitor) -> None:
    users = [{"type": "group", "group_id": "approvers"}]
    native = {"needed_approvers": 2, "approve_users": users}
    plan = zadig.create(approval={"enabled": True, "type": "native", "native_approval": native})
    shown = zadig.inside(f"GET /{plan}").json["approval"]["native_approval"]
    assert [user["user_name"] for user in shown["flat_approve_users"]] == ["Patrick", "Alice"]
    documented = zadig.get(plan)["approval"]["native_approval"]
    assert documented["flat_approve_users"] == []


def test_manager_is_a_display_name_after_an_edit_in_the_web_interface(zadig: Visitor) -> None:
    plan = zadig.create()
    uid = "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0002"
    zadig.edit(plan, "update_manager", {"manager_id": uid, "manager": "Alice"})
    assert [zadig.get(plan)[key] for key in ("manager", "manager_id")] == ["Alice", uid]


def test_history_is_newest_first(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan)
    log = zadig.inside(f"GET /{plan}/logs").json
    assert [line["verb"] for line in log["list"]] == ["更新", "新建"]
    assert sorted(log["i18n"]) == [
        "detail_i18_map",
        "target_type_i18_map",
        "user_name_i18_map",
        "verb_i18_map",
    ]


def test_a_job_without_a_spec_is_shown_without_it(zadig: Visitor) -> None:
    planted = zadig.sandbox.insert_plan({"name": "x", "jobs": [{"id": "j", "type": "text"}]})
    (job,) = zadig.get(planted["id"])["jobs"]
    assert list(job) == [
        "id",
        "name",
        "manager",
        "manager_id",
        "type",
        "status",
        "last_status",
        "updated",
        "executed_by",
        "executed_time",
    ]


@pytest.mark.parametrize(
    ("target", "prefix"),
    [
        ("GET /{}", "GetReleasePlan"),
        ("DELETE /{}", "get plan"),
        ("POST /{}/status/planning", "get plan"),
        ("POST /{}/approve", "get plan"),
        ("POST /{}/execute", "get plan"),
        ("POST /{}/skip", "get plan"),
        ("POST /{}/retry", "get plan"),
    ],
)
def test_each_route_has_its_own_beginning(zadig: Visitor, target: str, prefix: str) -> None:
    reply = zadig.inside(target.format("0" * 24), {})
    assert reply.error == (500, f"{prefix}: mongo: no documents in result")
