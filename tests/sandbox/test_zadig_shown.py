"""What the web interface's list shows, and which writes do (docs/servers/zadig.md §8.6, §8.10)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from planops.sandbox.visits import MOMENT
from planops.sandbox.zadig.traits import Generation
from planops.sandbox.zadig.visitor import Visitor, visiting


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


TEXT = {"name": "Notes", "type": "text", "spec": {"content": "Do it", "remark": "planned"}}
ROLL = {"name": "Roll", "type": "workflow", "spec": {"workflow_key": "deploy"}}
UIDS = {"admin": "c565c7eb-e273-11ed-bef9-a659ed9f1ed1"}
NATIVE = {
    "enabled": True,
    "type": "native",
    "native_approval": {
        "timeout": 60,
        "needed_approvers": 1,
        "approve_users": [{"type": "user", "user_id": UIDS["admin"], "user_name": "admin"}],
    },
}
EVERYTHING = "GET ?pageNum=1&pageSize=9&type=name&keyword="


def shown(zadig: Visitor, plan: str) -> Any:
    rows = zadig.inside(EVERYTHING).json["list"]
    return next(row for row in rows if row["id"] == plan)


@pytest.mark.parametrize("generation", ["4.1", "5.0"])
def test_a_name_without_a_keyword_gives_every_plan_but_its_jobs(generation: Generation) -> None:
    with visiting(generation) as zadig:
        plans = [zadig.create(name=name) for name in ("a\nb", "(", "c")]
        zadig.update(plans[0], approval=NATIVE, jobs=[TEXT, ROLL])
        read = zadig.inside(EVERYTHING).json
        assert [row["id"] for row in read["list"]] == plans[::-1]
        assert read["total"] == 3
        assert read["list"] == [zadig.get(plan) | {"jobs": []} for plan in plans[::-1]]
        assert zadig.inside("GET ?pageNum=2&pageSize=2&type=name").json["list"] == [
            zadig.get(plans[0]) | {"jobs": []}
        ]


def job(zadig: Visitor, plan: str, position: int) -> dict[str, Any]:
    held = zadig.sandbox.plan(plan)["jobs"][position]
    return {"id": held["id"], "name": held["name"], "type": held["type"]}


def execute(position: int, action: str = "execute") -> Callable[[Visitor, str], object]:
    return lambda zadig, plan: zadig.inside(f"POST /{plan}/{action}", job(zadig, plan, position))


def run(zadig: Visitor, plan: str) -> None:
    zadig.move(plan, "wait_for_approval")
    zadig.inside(f"POST /{plan}/approve", {"approve": True})


def poll(zadig: Visitor, plan: str) -> None:
    running = zadig.sandbox.plan(plan)["jobs"][1]
    zadig.sandbox.finish_task(plan, running["id"], "failed")
    zadig.sandbox.tick()


READY, RUNNING, ENDED = "finish_planning", "executing", "success"
WRITES: dict[str, tuple[str, Callable[[Visitor, str], object], tuple[bool, bool]]] = {
    "PATCH": (
        "planning",
        lambda zadig, plan: zadig.update(plan, approval=NATIVE, jobs=[TEXT, ROLL]),
        (True, True),
    ),
    "PUT": (
        "planning",
        lambda zadig, plan: zadig.edit(plan, "update_description", {"description": "new"}),
        (True, True),
    ),
    "PUT of a job": (
        "planning",
        lambda zadig, plan: zadig.edit(
            plan, "update_release_job", {**job(zadig, plan, 0), "spec": {"content": "New"}}
        ),
        (True, True),
    ),
    "a status": (READY, lambda zadig, plan: zadig.move(plan, "planning"), (False, False)),
    "asking for approval": (
        READY,
        lambda zadig, plan: zadig.move(plan, "wait_for_approval"),
        (False, False),
    ),
    "a vote": (
        "wait_for_approval",
        lambda zadig, plan: zadig.inside(f"POST /{plan}/approve", {"approve": True}),
        (False, False),
    ),
    "execute": (RUNNING, execute(0), (False, True)),
    "execute a workflow": (RUNNING, execute(1), (False, True)),
    "skip": (RUNNING, execute(0, "skip"), (False, True)),
}


def reach(zadig: Visitor, plan: str, state: str) -> None:
    """Bring a plan into a state."""
    if state != "planning":
        zadig.move(plan, READY)
    if state == "wait_for_approval":
        zadig.move(plan, state)
    if state == RUNNING:
        run(zadig, plan)
    assert zadig.sandbox.plan(plan)["status"] == state


def counted(row: Any) -> tuple[Any, Any]:
    return row["version"], (row["update_time"], row["updated_by"])


@pytest.mark.parametrize("what", WRITES)
def test_which_writes_raise_the_version_and_which_set_the_time(zadig: Visitor, what: str) -> None:
    state, write, expected = WRITES[what]
    plan = zadig.create()
    zadig.update(plan, approval=NATIVE, jobs=[TEXT, ROLL])
    reach(zadig, plan, state)
    before = shown(zadig, plan)
    zadig.sandbox.clock.advance(1)
    write(zadig, plan)
    after = shown(zadig, plan)
    assert after != before
    found = tuple(x != y for x, y in zip(counted(after), counted(before), strict=True))
    assert found == expected


def test_the_poller_writes_into_jobs_and_the_list_does_not_show_it(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan, approval=NATIVE, jobs=[TEXT, ROLL])
    reach(zadig, plan, RUNNING)
    execute(1)(zadig, plan)
    before, full = shown(zadig, plan), zadig.get(plan)
    zadig.sandbox.clock.advance(1)
    poll(zadig, plan)
    assert shown(zadig, plan) == before
    assert zadig.get(plan) != full
    assert before["status"] == RUNNING


def test_a_retry_leaves_success_and_sets_the_time(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan, approval=NATIVE, jobs=[TEXT, ROLL])
    reach(zadig, plan, RUNNING)
    for position in (0, 1):
        execute(position)(zadig, plan)
    poll(zadig, plan)
    before = shown(zadig, plan)
    assert before["status"] == ENDED
    zadig.sandbox.clock.advance(1)
    execute(1, "retry")(zadig, plan)
    after = shown(zadig, plan)
    assert (after["status"], after["update_time"]) == (RUNNING, MOMENT + 1)
    assert after["version"] == before["version"]


def test_two_edits_within_a_second_look_like_one_where_nothing_counts_them() -> None:
    seen: dict[str, bool] = {}
    generations: tuple[Generation, ...] = ("4.1", "5.0")
    for generation in generations:
        with visiting(generation) as zadig:
            plan = zadig.create()
            zadig.update(plan, jobs=[TEXT])
            before = shown(zadig, plan)
            zadig.update(plan, jobs=[{**TEXT, "spec": {"content": "Else"}}])
            seen[generation] = shown(zadig, plan) != before
    assert seen == {"4.1": False, "5.0": True}
