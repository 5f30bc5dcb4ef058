"""Who did it, from a plan's history: docs/servers/zadig.md §1.9 in both spellings."""

from __future__ import annotations

from typing import Any

import pytest

from planops.backends.zadig.history import lines, touches
from planops.core.changes import Cause, Change, ChangeKind, Delta
from planops.core.lifecycle import Route, Standing
from planops.core.model import JSON, Live, Plan, PlanKey, Source, Touch, Witness

KEYS = {
    "release_plan": "发布计划",
    "release_plan_status": "发布计划状态",
    "metadata": "元数据",
    "description": "需求关联",
    "approval": "审批",
    "release_job": "发布内容",
}


def change(
    *paths: str, state: str = "planning", by: str = "Bob", at: int = 100, **raw: Any
) -> Change:
    plan = Plan(
        key=PlanKey(target="prod", name="a"),
        kind="ZadigReleasePlan",
        spec={"name": "A"},
        source=Source(file="a.yaml"),
    )
    live = Live(id="1", name="A", state=state, spec={}, raw=raw, updated_by=by, updated_at=at)
    return Change(
        key=plan.key,
        kind=ChangeKind.UNCHANGED,
        plan=plan,
        live=live,
        deltas=tuple(Delta(path=path, cause=Cause.DRIFT) for path in paths),
        route=Route(standing=Standing.STOPPED, ends=state),
        steps=(),
    )


def line(by: str, at: JSON, kind: str, name: str = "", **more: JSON) -> JSON:
    return {
        "username": by,
        "account": by.lower(),
        "verb": "更新",
        "target_type": kind,
        "target_name": name,
        "created_at": at,
        **more,
    }


def who(found: Touch | None) -> str:
    return found.by if found else ""


def by_path(rows: list[JSON], *paths: str) -> list[str]:
    newest: Any = rows[-1]
    told = touches(
        lines({"list": rows}), change(*paths, by=newest["username"], at=newest["created_at"])
    )
    return [who(told.paths.get(path)) for path in paths]


@pytest.fixture(params=[False, True], ids=["keys", "chinese"])
def spell(request: pytest.FixtureRequest) -> Any:
    return (lambda key: KEYS[key]) if request.param else (lambda key: key)


def test_each_part_has_its_last_editor(spell: Any) -> None:
    rows = [
        line("Ada", 10, spell("metadata"), "发布窗口期"),
        line("Ben", 20, spell("metadata"), "发布负责人"),
        line("Cid", 30, spell("description"), "需求关联"),
        line("Dan", 40, spell("approval"), "审批"),
        line("Eve", 50, spell("release_job"), "Announce"),
        line("Fay", 60, spell("release_job"), "Deploy"),
        line("Gus", 70, spell("metadata"), "定时执行"),
        line("Hal", 80, spell("metadata"), "发布计划名称"),
    ]
    assert by_path(
        rows,
        "/spec/start_time",
        "/spec/end_time",
        "/spec/manager",
        "/spec/description",
        "/spec/approval/native_approval/timeout",
        "/spec/jobs/text:Announce/spec/content",
        "/spec/jobs/workflow:Deploy",
        "/spec/jobs",
        "/spec/schedule_execute_time",
        "/spec/name",
        "/spec/jobs/text:Other",
    ) == ["Ada", "Ada", "Ben", "Cid", "Dan", "Eve", "Fay", "Fay", "Gus", "Hal", ""]


def test_a_line_of_an_unknown_name_may_be_about_any_metadata(spell: Any) -> None:
    rows = [line("Ada", 10, spell("metadata"), "something newer")]
    paths = ("/spec/name", "/spec/start_time", "/spec/description", "/spec/approval", "/spec/jobs")
    assert by_path(rows, *paths) == ["Ada", "Ada", "", "", ""]


def test_a_write_of_the_whole_plan_is_named_only_as_the_last_edit(spell: Any) -> None:
    whole = line("Bot", 10, spell("release_plan"), "A")
    later = line("Ada", 20, spell("metadata"), "发布窗口期")
    assert by_path([whole], "/spec/description") == ["Bot"]
    assert by_path([whole, later], "/spec/description", "/spec/end_time") == ["", "Ada"]


def test_an_execution_only_writes_remarks(spell: Any) -> None:
    rows = [
        line("Ada", 10, spell("release_job"), "Announce"),
        line("Bob", 20, spell("release_job"), "Announce", verb="执行"),
    ]
    paths = ("/spec/jobs/text:Announce/spec/content", "/spec/jobs/text:Announce/spec/remark")
    assert by_path(rows, *paths) == ["Ada", "Bob"]


def test_the_order_of_the_answer_is_no_matter(spell: Any) -> None:
    rows = [
        line("Ada", 10, spell("description"), id="2"),
        line("Bob", 10, spell("description"), id="3"),
        line("Eve", 9, spell("description"), id="9"),
    ]
    for order in (rows, rows[::-1]):
        told = touches(lines({"list": order}), change("/spec/description", at=10))
        assert told.paths["/spec/description"] == Touch(by="Bob", at=10, witness=Witness.HISTORY)


@pytest.mark.parametrize(("by", "at"), [("Zoe", 100), ("Ada", 111), ("Ada", 80)])
def test_a_history_without_the_last_edit_tells_nothing_of_fields(by: str, at: int) -> None:
    found = lines({"list": [line("Ada", 91, "description")]})
    path = "/spec/description"
    assert touches(found, change(path, by=by, at=at)).paths == {}
    assert who(touches(found, change(path, by="Ada", at=100)).paths.get(path)) == "Ada"


@pytest.mark.parametrize("state", ["cancel", "planning"])
def test_who_moved_a_plan_to_its_state(state: str, spell: Any) -> None:
    status = spell("release_plan_status")
    rows = [
        line("Ada", 10, status, after="executing"),
        line("Bob", 20, status, before=state, after=state),
        line("Eve", 30, spell("metadata"), "发布窗口期"),
    ]
    assert who(touches(lines({"list": rows}), change(state=state)).state) == "Bob"
    later = line("Zoe", 40, status, after="finish_planning")
    assert touches(lines({"list": [*rows, later]}), change(state=state)).state is None


def test_a_write_takes_a_plan_back_to_planning(spell: Any) -> None:
    rows = [
        line("Ada", 10, spell("release_plan_status"), after="denied"),
        line("Bob", 20, spell("release_plan"), "A"),
    ]
    assert who(touches(lines({"list": rows}), change(state="planning")).state) == "Bob"
    assert who(touches(lines({"list": rows}), change(state="denied")).state) == "Ada"
    assert touches((), change(state="denied")).state is None


def test_a_rejection_is_the_voters() -> None:
    users = [
        {"user_name": "Ada", "reject_or_approve": "approve", "operation_time": 50},
        {"user_name": "Bob", "reject_or_approve": "reject", "operation_time": 60},
        "odd",
    ]
    approval = {"native_approval": {"approve_users": users}}
    history = lines({"list": [line("系统", 60, "release_plan_status", after="denied")]})
    denied = change(state="denied", approval=approval)
    bob = Touch(by="Bob", at=60, witness=Witness.VOTE)
    assert touches(history, denied).state == bob
    assert touches((), denied).state == bob
    assert touches((), change(state="cancel", approval=approval)).state is None
    for odd in (None, {}, {"native_approval": 7}, {"native_approval": {"approve_users": "x"}}):
        assert who(touches(history, change(state="denied", approval=odd)).state) == "系统"


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        [],
        {"list": None},
        {"list": {}},
        {"list": [None, 7, "x", []]},
        {"list": [{}]},
        {"list": [{"username": 7, "target_type": [], "created_at": "now"}]},
    ],
)
def test_what_is_no_history_tells_nothing(value: JSON) -> None:
    found = touches(lines(value), change("/spec/description"))
    assert (found.state, found.paths) == (None, {})


@pytest.mark.parametrize("at", [True, -1, 0, 10**18, 1.5, "7", None])
def test_a_time_that_is_none_is_0(at: JSON) -> None:
    (found,) = lines([line("Ada", at, "description")])
    assert found.at == 0


def test_names_are_bounded_and_values_are_not_kept() -> None:
    (found,) = lines(
        [line("x" * 10_000, 10, "description", before="secret", after={"s": "secret"})]
    )
    assert len(found.by) == 200
    assert "secret" not in repr(found)
