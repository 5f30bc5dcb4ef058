"""What the server writes into a plan's history (docs/servers/zadig.md §1.9)."""

from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.zadig.traits import Generation
from planops.sandbox.zadig.visitor import Visitor, visiting

TEXT = {"name": "Announce", "type": "text", "spec": {"content": "Hello", "remark": ""}}
ALICE = "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0002"
FIELDS = [
    "id",
    "plan_id",
    "username",
    "account",
    "verb",
    "target_name",
    "target_type",
    "before",
    "after",
    "detail",
    "created_at",
]


@pytest.fixture(params=["4.1", "5.0"])
def generation(request: pytest.FixtureRequest) -> Generation:
    found: Generation = request.param
    return found


@pytest.fixture
def zadig(generation: Generation) -> Iterator[Visitor]:
    with visiting(generation) as visitor:
        yield visitor


def newest(zadig: Visitor, plan: str) -> Any:
    return zadig.inside(f"GET /{plan}/logs").json["list"][0]


def about(line: Any) -> tuple[str, str, str]:
    return line["verb"], line["target_type"], line["target_name"]


def spelt(generation: Generation, chinese: str, key: str) -> str:
    return chinese if generation == "4.1" else key


def test_an_edit_names_its_part(zadig: Visitor, generation: Generation) -> None:
    plan = zadig.create()
    metadata = spelt(generation, "元数据", "metadata")
    for verb, spec, expected in (
        ("update_name", {"name": "B"}, (metadata, "发布计划名称")),
        ("update_time_range", {"start_time": 1, "end_time": 2}, (metadata, "发布窗口期")),
        ("update_schedule_execute_time", {"schedule_execute_time": 1}, (metadata, "定时执行")),
        ("update_manager", {"manager_id": ALICE, "manager": "Alice"}, (metadata, "发布负责人")),
        (
            "update_description",
            {"description": "x"},
            (spelt(generation, "需求关联", "description"), "需求关联"),
        ),
    ):
        zadig.sandbox.clock.advance(60)
        assert zadig.edit(plan, verb, spec, who="alice").status == 200
        line = newest(zadig, plan)
        assert list(line) == FIELDS
        assert about(line) == ("更新", *expected)
        assert [line[key] for key in ("username", "account")] == ["Alice", "alice"]
        assert line["plan_id"] == plan
        assert line["created_at"] == zadig.sandbox.clock.now() == zadig.get(plan)["update_time"]


def test_a_line_about_a_job_names_it(zadig: Visitor, generation: Generation) -> None:
    plan = zadig.create()
    part = spelt(generation, "发布内容", "release_job")
    zadig.edit(plan, "create_release_job", TEXT)
    assert about(newest(zadig, plan)) == ("新建", part, "Announce")
    (job,) = zadig.get(plan)["jobs"]
    zadig.edit(plan, "update_release_job", {**TEXT, "id": job["id"], "name": "Tell"})
    assert about(newest(zadig, plan)) == ("更新", part, "Tell")
    zadig.edit(plan, "delete_release_job", {"id": job["id"]})
    assert about(newest(zadig, plan)) == ("删除", part, "Tell")


def test_a_patch_is_about_the_whole_plan(zadig: Visitor, generation: Generation) -> None:
    plan = zadig.create()
    part = spelt(generation, "发布计划", "release_plan")
    assert about(newest(zadig, plan)) == ("新建", part, "Train")
    zadig.update(plan, description="x", who="patrick")
    line = newest(zadig, plan)
    assert about(line) == ("更新", part, "Train")
    assert line["username"] == "Patrick"


def test_a_change_of_status_is_only_in_the_history(zadig: Visitor, generation: Generation) -> None:
    plan = zadig.create()
    zadig.update(plan, jobs=[TEXT])
    before = zadig.get(plan)
    zadig.sandbox.clock.advance(60)
    assert zadig.move(plan, "finish_planning", who="patrick").status == 200
    line = newest(zadig, plan)
    part = spelt(generation, "发布计划状态", "release_plan_status")
    assert about(line) == ("更新", part, "发布计划状态")
    assert line["after"] == "finish_planning"
    assert line["before"] == spelt(generation, "finish_planning", "planning")
    assert line["username"] == "Patrick"
    after = zadig.get(plan)
    for key in ("updated_by", "update_time"):
        assert after[key] == before[key]


@pytest.mark.parametrize("approve", [True, False])
def test_the_end_of_an_approval_is_the_systems(
    zadig: Visitor, generation: Generation, *, approve: bool
) -> None:
    native = {"needed_approvers": 1, "approve_users": [{"user_id": ALICE, "user_name": "Alice"}]}
    approval = {"enabled": True, "type": "native", "native_approval": native}
    plan = zadig.create()
    zadig.update(plan, jobs=[TEXT], approval=approval)
    zadig.move(plan, "finish_planning", "wait_for_approval")
    reply = zadig.inside(f"POST /{plan}/approve", {"approve": approve, "comment": ""}, who="alice")
    assert reply.status == 200
    line = newest(zadig, plan)
    assert line["detail"] == ("审批通过" if approve else "审批被拒绝")
    if generation == "4.1" and not approve:
        assert [line[key] for key in ("username", "target_type", "after")] == ["", "", None]
    else:
        assert line["username"] == "系统"
        assert line["after"] == ("executing" if approve else "denied")
    (user,) = zadig.get(plan)["approval"]["native_approval"]["approve_users"]
    assert user["user_name"] == "Alice"
    assert user["reject_or_approve"] == ("approve" if approve else "reject")


def test_the_history_wants_the_permission_to_view(zadig: Visitor) -> None:
    plan = zadig.create()
    assert zadig.inside(f"GET /{plan}/logs", who="bob").status == 200
    zadig.sandbox.permit("bob", ())
    reply = zadig.inside(f"GET /{plan}/logs", who="bob")
    assert (reply.status, reply.body) == (403, b"")
