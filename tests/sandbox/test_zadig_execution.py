"""Execute, skip, retry, timers, pollers (docs/servers/zadig.md §7.5 to §7.8)."""

from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.visits import MOMENT
from planops.sandbox.zadig.visitor import Visitor, visiting


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


TEXT = {"name": "Notes", "type": "text", "spec": {"content": "Do it", "remark": "planned"}}
WORKFLOW = {"name": "Roll", "type": "workflow", "spec": {"workflow_key": "deploy"}}
ALICE = "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0002"
NO_JOB = "failed to find release plan job with id: no. Job does not exist"
OUTSIDE = (500, "plan is not in the release time range")


def executing(zadig: Visitor, *jobs: dict[str, Any], **given: Any) -> str:
    plan = zadig.create()
    assert zadig.update(plan, jobs=list(jobs), **given).status == 200
    assert zadig.move(plan, "finish_planning", "executing").status == 200
    return plan


def job_of(zadig: Visitor, plan: str, position: int = 0) -> Any:
    return zadig.get(plan)["jobs"][position]


def act(
    zadig: Visitor, action: str, plan: str, position: int = 0, who: str = "admin", **given: Any
) -> tuple[int, str]:
    job = zadig.sandbox.plan(plan)["jobs"][position]
    body = {"id": job["id"], "name": job["name"], "type": job["type"], **given}
    return zadig.inside(f"POST /{plan}/{action}", body, who=who).error


OK = (200, '{"message":"success"}')


@pytest.mark.parametrize(("action", "status"), [("execute", "done"), ("skip", "skipped")])
def test_text_job_ends_and_takes_the_remark(zadig: Visitor, action: str, status: str) -> None:
    plan = executing(zadig, TEXT, TEXT)
    assert act(zadig, action, plan, who="patrick", spec={"remark": "by hand"}) == OK
    job = job_of(zadig, plan)
    assert job["spec"] == {"content": "Do it", "remark": "by hand"}
    assert (job["status"], job["executed_by"], job["executed_time"]) == (status, "Patrick", MOMENT)
    act(zadig, action, plan, 1)
    assert job_of(zadig, plan, 1)["spec"]["remark"] == ""


def test_skipped_workflow_job_names_the_account(zadig: Visitor) -> None:
    plan = executing(zadig, WORKFLOW, TEXT)
    act(zadig, "skip", plan, who="patrick")
    assert job_of(zadig, plan)["executed_by"] == "patrick"


def test_jobs_run_in_any_order(zadig: Visitor) -> None:
    plan = executing(zadig, TEXT, TEXT)
    assert act(zadig, "execute", plan, 1) == OK


def test_last_text_job_ends_the_plan(zadig: Visitor) -> None:
    plan = executing(zadig, TEXT)
    act(zadig, "execute", plan)
    read = zadig.get(plan)
    assert (read["status"], read["success_time"]) == ("success", MOMENT)


@pytest.mark.parametrize(
    ("action", "word"), [("execute", "execute"), ("skip", "skip"), ("retry", "execute")]
)
def test_only_while_executing(zadig: Visitor, action: str, word: str) -> None:
    plan = zadig.create()
    zadig.update(plan, jobs=[TEXT])
    assert act(zadig, action, plan) == (500, f"plan status is planning, can not {word}")


@pytest.mark.parametrize("action", ["execute", "skip", "retry"])
def test_unknown_job(zadig: Visitor, action: str) -> None:
    plan = executing(zadig, TEXT)
    assert act(zadig, action, plan, id="no") == (
        500,
        f"find release job before {action}: {NO_JOB}",
    )


@pytest.mark.parametrize(
    ("action", "agent", "kind"),
    [
        ("execute", "executor", "shell"),
        ("skip", "skipper", "shell"),
        ("retry", "retryer", "text"),
    ],
)
def test_wrong_type(zadig: Visitor, action: str, agent: str, kind: str) -> None:
    plan = executing(zadig, TEXT)
    expected = (500, f"new release job {agent}: invalid release job type: {kind}")
    assert act(zadig, action, plan, type=kind) == expected


@pytest.mark.parametrize(
    ("action", "agent", "kind", "spec", "fault"),
    [
        (
            "execute",
            "executor",
            "text",
            {"remark": 7},
            "number into Go struct field TextReleaseJobSpec.remark of type string",
        ),
        (
            "skip",
            "skipper",
            "workflow",
            [],
            "array into Go value of type service.WorkflowReleaseJobSpec",
        ),
    ],
)
def test_what_the_body_says_about_a_job_must_fit(
    zadig: Visitor, action: str, agent: str, kind: str, spec: object, fault: str
) -> None:
    plan = executing(zadig, TEXT, WORKFLOW)
    assert act(zadig, action, plan, type=kind, spec=spec) == (
        500,
        (
            f"new release job {agent}: invalid spec: unmarshal task error: json: cannot unmarshal "
            f"{fault}"
        ),
    )


@pytest.mark.parametrize("action", ["execute", "skip"])
def test_text_job_must_be_to_do(zadig: Visitor, action: str) -> None:
    plan = executing(zadig, TEXT, TEXT)
    act(zadig, "execute", plan)
    assert act(zadig, action, plan) == (500, f"{action}: job Notes status is not todo")


def test_running_workflow_job_cannot_be_executed(zadig: Visitor) -> None:
    plan = executing(zadig, WORKFLOW)
    act(zadig, "execute", plan)
    expected = (500, "execute: job Roll status running can't execute")
    assert act(zadig, "execute", plan) == expected


def test_managers_of_jobs_and_plans(zadig: Visitor) -> None:
    plan = executing(zadig, TEXT, TEXT)
    zadig.sandbox.edit(plan, lambda document: document["jobs"][0].update(manager_id=ALICE))
    assert act(zadig, "execute", plan, 1, who="alice") == (
        500,
        "execute: user Alice is not the manager of the plan Train",
    )
    assert act(zadig, "execute", plan, 0, who="bob") == (
        500,
        "execute: user Bob is not the manager of the job Notes",
    )
    assert act(zadig, "execute", plan, 0, who="alice") == OK
    assert act(zadig, "execute", plan, 1, who="patrick") == OK


def test_workflow_job_starts_a_task(zadig: Visitor) -> None:
    plan = executing(zadig, WORKFLOW)
    act(zadig, "execute", plan)
    job = job_of(zadig, plan)
    assert (job["status"], job["executed_by"]) == ("running", "admin")
    assert (job["spec"]["status"], job["spec"]["task_id"]) == ("prepare", 1)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("passed", "done"),
        ("failed", "failed"),
        ("timeout", "failed"),
        ("cancelled", "failed"),
        ("reject", "failed"),
    ],
)
def test_poller_ends_tasks_and_failures_end_in_success(
    zadig: Visitor, outcome: str, status: str
) -> None:
    plan = executing(zadig, WORKFLOW)
    act(zadig, "execute", plan)
    zadig.sandbox.tick()
    assert job_of(zadig, plan)["status"] == "running"
    zadig.sandbox.finish_task(plan, zadig.sandbox.plan(plan)["jobs"][0]["id"], outcome)
    zadig.sandbox.tick()
    assert job_of(zadig, plan)["status"] == status
    assert zadig.get(plan)["status"] == "success"


def test_retry_brings_a_successful_plan_back(zadig: Visitor) -> None:
    plan = executing(zadig, WORKFLOW)
    act(zadig, "execute", plan)
    zadig.sandbox.finish_task(plan, zadig.sandbox.plan(plan)["jobs"][0]["id"], "failed")
    zadig.sandbox.tick()
    assert act(zadig, "retry", plan) == OK
    read = zadig.get(plan)
    assert (read["status"], read["success_time"]) == ("executing", 0)
    assert read["jobs"][0]["status"] == "running"


def test_retry_wants_a_failed_job(zadig: Visitor) -> None:
    plan = executing(zadig, WORKFLOW)
    assert act(zadig, "retry", plan) == (500, "retry: workflow task not found")
    act(zadig, "execute", plan)
    assert act(zadig, "retry", plan) == (500, "retry: job Roll status running can't retry")
    assert act(zadig, "skip", plan) == (500, "skip: job Roll status running can't skip")


def test_the_type_in_the_body_is_trusted(zadig: Visitor) -> None:
    plan = executing(zadig, TEXT, WORKFLOW)
    expected = (500, "execute: workflow is nil")
    assert act(zadig, "execute", plan, type="workflow") == expected
    assert act(zadig, "execute", plan, 1, type="text") == OK
    assert job_of(zadig, plan, 1)["status"] == "done"


def test_before_the_window_nothing_changes(zadig: Visitor) -> None:
    plan = executing(zadig, TEXT, start_time=MOMENT + 10, end_time=MOMENT + 20)
    assert act(zadig, "execute", plan) == OUTSIDE
    assert zadig.get(plan)["status"] == "executing"


@pytest.mark.parametrize(("action", "status"), [("execute", "timeout"), ("skip", "executing")])
def test_after_the_window(zadig: Visitor, action: str, status: str) -> None:
    plan = executing(zadig, TEXT, end_time=MOMENT + 20)
    zadig.sandbox.clock.advance(21)
    assert act(zadig, action, plan) == OUTSIDE
    assert zadig.get(plan)["status"] == status
    assert zadig.sandbox.writes[-1].committed is (action == "execute")


def test_window_bounds_are_inside(zadig: Visitor) -> None:
    plan = executing(zadig, TEXT, TEXT, start_time=MOMENT, end_time=MOMENT + 20)
    assert act(zadig, "execute", plan) == OK
    zadig.sandbox.clock.advance(20)
    assert act(zadig, "execute", plan, 1) == OK


def test_open_end_with_a_negative_start_times_out(zadig: Visitor) -> None:
    plan = executing(zadig, TEXT, start_time=-5)
    assert act(zadig, "execute", plan) == OUTSIDE
    assert zadig.get(plan)["status"] == "timeout"


def test_timeout_overrides_success_in_the_same_pass(zadig: Visitor) -> None:
    plan = executing(zadig, WORKFLOW, end_time=MOMENT + 20)
    act(zadig, "execute", plan)
    zadig.sandbox.finish_task(plan, zadig.sandbox.plan(plan)["jobs"][0]["id"], "passed")
    zadig.sandbox.clock.advance(21)
    zadig.sandbox.tick()
    read = zadig.get(plan)
    assert (read["status"], read["success_time"]) == ("timeout", MOMENT + 21)


def test_timer_starts_workflow_jobs_and_no_text_job(zadig: Visitor) -> None:
    plan = executing(zadig, TEXT, WORKFLOW, WORKFLOW, schedule_execute_time=MOMENT + 9)
    zadig.sandbox.tick()
    assert job_of(zadig, plan, 1)["status"] == "todo"
    zadig.sandbox.clock.advance(9)
    zadig.sandbox.tick()
    jobs = zadig.get(plan)["jobs"]
    assert [job["status"] for job in jobs] == ["todo", "running", "running"]
    assert zadig.get(plan)["updated_by"] == "系统"


def test_a_job_that_the_timer_cannot_start_leaves_the_earlier_ones_running(zadig: Visitor) -> None:
    zadig.sandbox.put_workflow({**zadig.sandbox.workflow("deploy"), "name": "short-lived"})
    gone = {**WORKFLOW, "spec": {"workflow_key": "short-lived"}}
    plan = executing(zadig, WORKFLOW, gone, WORKFLOW, schedule_execute_time=MOMENT + 9)
    zadig.sandbox.remove_workflow("short-lived")
    (timer,) = zadig.sandbox.timers()
    status, text = zadig.inside(f"POST /{plan}/schedule_execute?jobID={timer['id']}").error
    assert (status, text.partition(", ")[0]) == (
        500,
        "execute: cannot merge workflow short-lived's input with the latest workflow settings",
    )
    read = zadig.get(plan)
    assert [job["status"] for job in read["jobs"]] == ["running", "todo", "todo"]
    assert (read["updated_by"], read["jobs"][0]["spec"]["task_id"]) == ("系统", 1)
    zadig.sandbox.finish_task(plan, read["jobs"][0]["id"], "passed")
    zadig.sandbox.tick()
    assert job_of(zadig, plan)["status"] == "done"


def test_timer_may_be_called_by_hand(zadig: Visitor) -> None:
    plan = executing(zadig, WORKFLOW, schedule_execute_time=MOMENT + 9)
    (timer,) = zadig.sandbox.timers()
    target = f"POST /{plan}/schedule_execute?jobID={timer['id']}"
    assert zadig.inside(target).status == 200
    assert job_of(zadig, plan)["executed_by"] == "系统"
    assert zadig.inside(target).status == 500


def test_timer_outside_the_window_tells_nobody(zadig: Visitor) -> None:
    window = {"start_time": MOMENT, "end_time": MOMENT + 9}
    plan = executing(zadig, WORKFLOW, schedule_execute_time=MOMENT + 9, **window)
    zadig.sandbox.clock.advance(10)
    zadig.sandbox.tick()
    read = zadig.get(plan)
    assert (read["status"], read["jobs"][0]["status"]) == ("timeout", "todo")


def test_timer_of_the_past_is_dropped(zadig: Visitor) -> None:
    plan = executing(zadig, WORKFLOW, schedule_execute_time=MOMENT - 9)
    zadig.sandbox.tick()
    assert job_of(zadig, plan)["status"] == "todo"


def test_leaving_execution_disarms_the_timer(zadig: Visitor) -> None:
    plan = executing(zadig, WORKFLOW, schedule_execute_time=MOMENT + 9)
    zadig.move(plan, "planning")
    assert zadig.sandbox.timers() == ()
    zadig.move(plan, "finish_planning")
    zadig.sandbox.clock.advance(9)
    zadig.sandbox.tick()
    assert job_of(zadig, plan)["status"] == "todo"


def test_unknown_timer(zadig: Visitor) -> None:
    reply = zadig.inside(f"POST /{zadig.create()}/schedule_execute?jobID=nope")
    assert reply.error == (500, "Release job schedule job nope not found")


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"status": "timeout"}, "status is timeout, can not execute"),
        ({"start_time": MOMENT + 1}, "it's not in the release time range"),
        (
            {"approval": {"enabled": True, "type": "native"}},
            "it's approval status is , can not execute",
        ),
    ],
)
def test_timer_checks_status_window_and_approval(
    zadig: Visitor, changed: dict[str, Any], refusal: str
) -> None:
    plan = executing(zadig, WORKFLOW, schedule_execute_time=MOMENT + 9)
    timer = zadig.call("GET /_sandbox/timers").json[0]["id"]
    zadig.sandbox.edit(plan, changed)
    reply = zadig.inside(f"POST /{plan}/schedule_execute?jobID={timer}")
    assert reply.error == (500, f"plan ID is {plan}, name is Train, index is 1, {refusal}")
    assert zadig.call("GET /_sandbox/timers").json == []


def failed(zadig: Visitor, plan: str) -> None:
    """The first job's task has failed, and the poller has noticed."""
    act(zadig, "execute", plan)
    zadig.sandbox.finish_task(plan, zadig.sandbox.plan(plan)["jobs"][0]["id"], "failed")
    zadig.sandbox.tick()
    assert job_of(zadig, plan)["status"] == "failed"


def test_a_failed_workflow_job_may_be_executed_again(zadig: Visitor) -> None:
    plan = executing(zadig, WORKFLOW, TEXT)
    failed(zadig, plan)
    assert act(zadig, "execute", plan) == OK
    job = job_of(zadig, plan)
    assert (job["status"], job["spec"]["task_id"]) == ("running", 2)


def test_retry_after_the_window_times_the_plan_out(zadig: Visitor) -> None:
    plan = executing(zadig, WORKFLOW, TEXT, end_time=MOMENT + 20)
    failed(zadig, plan)
    zadig.sandbox.clock.advance(21)
    assert act(zadig, "retry", plan) == OUTSIDE
    assert zadig.get(plan)["status"] == "timeout"


def test_execution_does_not_raise_the_version(zadig: Visitor) -> None:
    plan = executing(zadig, TEXT, TEXT)
    before = zadig.get(plan)["version"]
    act(zadig, "execute", plan, who="patrick")
    act(zadig, "skip", plan, 1)
    assert zadig.get(plan)["version"] == before


def timer_keys(zadig: Visitor) -> list[str]:
    return [timer["key"] for timer in zadig.sandbox.timers()]


def test_a_timer_is_known_by_id_name_and_index(zadig: Visitor) -> None:
    plan = executing(zadig, WORKFLOW, schedule_execute_time=MOMENT + 9)
    assert timer_keys(zadig) == [f"{plan}-Train-1-release_plan"]


def test_a_timeout_leaves_the_timer(zadig: Visitor) -> None:
    plan = executing(zadig, TEXT, end_time=MOMENT + 9, schedule_execute_time=MOMENT + 9)
    zadig.sandbox.clock.advance(10)
    assert act(zadig, "execute", plan) == OUTSIDE
    assert zadig.get(plan)["status"] == "timeout"
    assert timer_keys(zadig) == [f"{plan}-Train-1-release_plan"]


def test_an_update_leaves_the_timer(zadig: Visitor) -> None:
    plan = executing(zadig, WORKFLOW, schedule_execute_time=MOMENT + 9)
    zadig.sandbox.edit(plan, {"status": "timeout"})
    assert zadig.update(plan, name="Other", jobs=[WORKFLOW]).status == 200
    assert timer_keys(zadig) == [f"{plan}-Train-1-release_plan"]
    zadig.sandbox.clock.advance(9)
    zadig.sandbox.tick()
    assert timer_keys(zadig) == []
    assert job_of(zadig, plan)["status"] == ""
