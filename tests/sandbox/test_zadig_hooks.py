"""Messages to the outside, which are written down (docs/servers/zadig.md §7.11)."""

from collections.abc import Iterator

import pytest

from planops.sandbox.visits import MOMENT
from planops.sandbox.zadig.visitor import Visitor, visiting

TEXT = {"name": "t", "type": "text", "spec": {"content": "c", "remark": "r"}}
PATRICK = "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0001"
EVENTS = ["finish_planning", "start_execute", "all_job_done"]


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


def hooked(zadig: Visitor, *, back: bool = False, events: list[str] | None = None) -> str:
    """A plan whose hooks are the system's."""
    setting = {
        "enable": True,
        "enable_call_back": back,
        "hook_address": "https://hooks.example.com/in",
        "hook_secret": "h00k",
        "hook_events": EVENTS if events is None else events,
    }
    assert zadig.inside("PUT /hook/setting", setting).status == 200
    plan = zadig.create()
    zadig.update(plan, jobs=[TEXT])
    assert zadig.edit(plan, "update_description", {"description": "d"}).status == 200
    return plan


def told(zadig: Visitor) -> list[tuple[str, str]]:
    """Events and statuses of every message."""
    bodies = [one.body["release_plan"] for one in zadig.sandbox.hooks_sent]
    return [(body["event_name"], body["status"]) for body in bodies]


def finish(zadig: Visitor, plan: str) -> None:
    job = zadig.get(plan)["jobs"][0]["id"]
    zadig.inside(f"POST /{plan}/execute", {"id": job, "type": "text", "spec": {"remark": "ok"}})


def test_every_event_is_told_once(zadig: Visitor) -> None:
    plan = hooked(zadig)
    zadig.move(plan, "finish_planning", "executing")
    finish(zadig, plan)
    assert told(zadig) == [
        ("finish_planning", "finish_planning"),
        ("start_execute", "executing"),
        ("all_job_done", "success"),
    ]


def test_only_chosen_events_are_told(zadig: Visitor) -> None:
    plan = hooked(zadig, events=["all_job_done"])
    zadig.move(plan, "finish_planning", "executing")
    finish(zadig, plan)
    assert told(zadig) == [("all_job_done", "success")]


def test_a_plan_that_waits_is_told_about(zadig: Visitor) -> None:
    plan = hooked(zadig, back=True)
    zadig.move(plan, "finish_planning")
    assert told(zadig) == [("finish_planning", "wait_for_finish_planning_external_check")]


def test_plans_of_the_documented_interface_tell_nothing(zadig: Visitor) -> None:
    hooked(zadig)
    plan = zadig.create()
    zadig.update(plan, jobs=[TEXT])
    zadig.move(plan, "finish_planning")
    assert told(zadig) == []


def test_nothing_is_told_when_hooks_are_off(zadig: Visitor) -> None:
    plan = hooked(zadig)
    zadig.sandbox.edit(plan, lambda document: document["hook_settings"].update(enable=False))
    zadig.move(plan, "finish_planning")
    assert told(zadig) == []


def test_a_vote_that_starts_execution_is_told(zadig: Visitor) -> None:
    plan = hooked(zadig, events=["start_execute"])
    native = {"needed_approvers": 1, "approve_users": [{"type": "user", "user_id": PATRICK}]}
    approval = {"enabled": True, "type": "native", "native_approval": native}
    zadig.edit(plan, "update_approval", {"approval": approval})
    zadig.move(plan, "finish_planning", "wait_for_approval")
    zadig.inside(f"POST /{plan}/approve", {"approve": True}, who="patrick")
    assert told(zadig) == [("start_execute", "executing")]


def test_a_success_by_hand_is_not_told(zadig: Visitor) -> None:
    plan = hooked(zadig)
    zadig.move(plan, "finish_planning", "executing", "success")
    assert zadig.get(plan)["status"] == "success"
    assert told(zadig) == [
        ("finish_planning", "finish_planning"),
        ("start_execute", "executing"),
    ]


def test_a_check_that_is_entered_by_hand_is_not_told(zadig: Visitor) -> None:
    plan = hooked(zadig, back=True, events=["start_execute"])
    zadig.move(plan, "finish_planning", "wait_for_execute_external_check")
    assert zadig.get(plan)["status"] == "wait_for_execute_external_check"
    assert told(zadig) == []


def test_the_poller_tells_of_success(zadig: Visitor) -> None:
    plan = hooked(zadig, events=["all_job_done"])
    zadig.move(plan, "finish_planning", "executing")
    zadig.sandbox.edit(plan, lambda document: document["jobs"][0].update(status="done"))
    zadig.sandbox.tick()
    assert told(zadig) == [("all_job_done", "success")]


def test_what_a_message_says(zadig: Visitor) -> None:
    plan = hooked(zadig)
    zadig.move(plan, "finish_planning")
    (message,) = zadig.sandbox.hooks_sent
    assert message.address == "https://hooks.example.com/in"
    headers = dict(message.headers)
    assert headers.pop("X-Zadig-Event-UUID") != headers.pop("X-Zadig-Webhook-UUID")
    assert headers == {
        "X-Zadig-Token": "h00k",
        "X-Zadig-Instance": "https://zadig.example.com",
        "X-Zadig-Event": "release_plan",
    }
    stored = zadig.get(plan)
    body = dict(message.body)
    told_plan = body.pop("release_plan")
    assert body == {"object_kind": "release_plan", "event": "release_plan", "workflow": None}
    assert list(told_plan) == [
        "id",
        "index",
        "event_name",
        "name",
        "manager",
        "manager_id",
        "start_time",
        "end_time",
        "schedule_execute_time",
        "description",
        "created_by",
        "create_time",
        "updated_by",
        "update_time",
        "instance_code",
        "jobs",
        "status",
        "planning_time",
        "approval_time",
        "executing_time",
        "success_time",
    ]
    assert told_plan["jobs"] == [
        {
            "id": stored["jobs"][0]["id"],
            "name": "t",
            "type": "text",
            "status": "",
            "executed_by": "",
            "executed_time": 0,
            "spec": {"content": "c", "remark": "r"},
        }
    ]
    assert (told_plan["instance_code"], told_plan["planning_time"]) == (
        stored["instance_code"],
        MOMENT,
    )


def test_a_workflow_is_told_without_skipped_jobs(zadig: Visitor) -> None:
    plan = hooked(zadig)
    given = [{"job_name": "deploy", "parameters": {"env_name": "dev"}}]
    spec = {"workflow_key": "deploy", "inputs": given}
    zadig.update(plan, jobs=[{"name": "w", "type": "workflow", "spec": spec}])
    zadig.move(plan, "finish_planning")
    (job,) = zadig.sandbox.hooks_sent[0].body["release_plan"]["jobs"]
    stages = job["spec"]["workflow"]["stages"]
    assert [[one["name"] for one in stage["jobs"]] for stage in stages] == [[], ["deploy"]]


def test_messages_are_seen_from_another_process(zadig: Visitor) -> None:
    plan = hooked(zadig)
    zadig.move(plan, "finish_planning")
    (message,) = zadig.call("GET /_sandbox/hooks").json
    assert message["body"]["release_plan"]["id"] == plan


def test_reset_forgets_messages(zadig: Visitor) -> None:
    plan = hooked(zadig)
    zadig.move(plan, "finish_planning")
    zadig.sandbox.reset()
    assert zadig.sandbox.hooks_sent == ()
