"""A counter and a timer that fail, and what is stored then (docs/servers/zadig.md §2.3)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.clock import Clock
from planops.sandbox.messages import Request
from planops.sandbox.visits import MOMENT
from planops.sandbox.zadig.fixtures import FIXTURES, plant
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.people import People
from planops.sandbox.zadig.realm import Realm
from planops.sandbox.zadig.routes import INTERNAL, OPENAPI, dispatch
from planops.sandbox.zadig.store import Store
from planops.sandbox.zadig.traits import traits_of

COUNTER, TIMER = "counter-down", "timer-down"
PATRICK = "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0001"
NATIVE = {"needed_approvers": 1, "approve_users": [{"user_id": PATRICK}]}
APPROVAL = {"enabled": True, "type": "native", "native_approval": NATIVE}
LATER = MOMENT + 9


class Server:
    """The inside of a sandbox, with the conditions of each request named."""

    def __init__(self, store: Store) -> None:
        traits = traits_of("5.0")
        people = People(store, traits)
        self.realm = Realm(store=store, clock=Clock(MOMENT), traits=traits, people=people)
        plant(self.realm, FIXTURES)

    def call(
        self, target: str, body: object = None, *conditions: str, who: str = "admin"
    ) -> tuple[int, Document]:
        method, path = target.split(" ")
        request = Request(
            method=method,
            path=path,
            headers={"authorization": f"Bearer sandbox-{who}-token"},
            body=json.dumps(body).encode(),
        )
        answer = dispatch(self.realm, request, frozenset(conditions), None)
        document: Document = json.loads(answer.body)
        return answer.status, document

    def planned(self, **given: Any) -> str:
        """A plan that a timer would start."""
        common = {"name": "Train", "manager": "patrick"}
        plan = str(self.call(f"POST {OPENAPI}", common)[1]["id"])
        jobs = [{"name": "t", "type": "text"}]
        body = {**common, "jobs": jobs, "schedule_execute_time": LATER, **given}
        assert self.call(f"PATCH {OPENAPI}/{plan}", body)[0] == 200
        return plan

    def move(self, plan: str, target: str, *conditions: str) -> tuple[int, Document]:
        return self.call(f"POST {INTERNAL}/{plan}/status/{target}", None, *conditions)

    def status(self, plan: str) -> str:
        return str(self.realm.find_plan(plan)["status"])

    @property
    def timers(self) -> list[int]:
        return [timer["at"] for timer in self.realm.store.all("cron")]


@pytest.fixture
def server() -> Iterator[Server]:
    store = Store(":memory:")
    yield Server(store)
    store.close()


def coded(code: int, message: str, description: str) -> tuple[int, Document]:
    answer = {"type": "error", "code": code, "message": message, "description": description}
    return 400, {**answer, "extra": {}}


NO_COUNTER = coded(6190, "获取计数器失败", "server selection error: context deadline exceeded")
NO_TIMER = coded(
    6810,
    "更新定时器失败",
    "failed to get release plan cron job, err: server selection error: context deadline exceeded",
)


def test_a_counter_that_fails_stores_nothing_and_counts_nothing(server: Server) -> None:
    body = {"name": "Train", "manager": "patrick"}
    assert server.call(f"POST {OPENAPI}", body, COUNTER) == NO_COUNTER
    assert (server.realm.store.count("plan"), server.realm.store.count("log")) == (0, 0)
    plan = server.call(f"POST {OPENAPI}", body)[1]["id"]
    assert server.realm.find_plan(plan)["index"] == 1


def test_a_counter_that_fails_comes_after_the_checks(server: Server) -> None:
    status, refusal = server.call(f"POST {OPENAPI}", {"name": "n", "manager": "ghost"}, COUNTER)
    assert (status, refusal["description"]) == (500, "User ghost not found")


def test_a_copy_needs_the_counter(server: Server) -> None:
    target = f"POST {INTERNAL}/{server.planned()}/copy"
    assert server.call(target, {"name": "Copy"}, COUNTER) == NO_COUNTER
    assert server.realm.store.count("plan") == 1


def test_an_update_needs_neither_counter_nor_timer(server: Server) -> None:
    plan = server.planned()
    body = {"name": "New", "manager": "patrick"}
    assert server.call(f"PATCH {OPENAPI}/{plan}", body, COUNTER, TIMER)[0] == 200
    assert server.realm.find_plan(plan)["name"] == "New"


def test_a_timer_that_fails_comes_after_the_change_of_status(server: Server) -> None:
    plan = server.planned()
    assert server.move(plan, "finish_planning", TIMER) == NO_TIMER
    assert server.status(plan) == "finish_planning"
    assert server.move(plan, "executing", TIMER) == NO_TIMER
    assert (server.status(plan), server.timers) == ("executing", [])


def test_a_timer_that_fails_comes_after_the_guards(server: Server) -> None:
    status, refusal = server.move(server.planned(), "cancel", TIMER)
    assert (status, refusal["description"]) == (
        500,
        "can't convert plan status planning to cancel",
    )


def test_a_timer_that_fails_keeps_the_status_from_being_told(server: Server) -> None:
    setting = {"enable": True, "hook_events": ["finish_planning"]}
    server.call(f"PUT {INTERNAL}/hook/setting", setting)
    plan = server.planned()
    edit = {"verb": "update_name", "spec": {"name": "New"}}
    assert server.call(f"PUT {INTERNAL}/{plan}", edit)[0] == 200
    before = server.realm.store.count("log")
    server.move(plan, "finish_planning", TIMER)
    assert (server.realm.store.count("hook"), server.realm.store.count("log")) == (0, before)


def test_a_timer_that_fails_comes_after_a_callback(server: Server) -> None:
    setting = {"enable": True, "enable_call_back": True, "hook_events": ["start_execute"]}
    server.call(f"PUT {INTERNAL}/hook/setting", setting)
    plan = server.planned()
    server.call(f"PUT {INTERNAL}/{plan}", {"verb": "update_name", "spec": {"name": "New"}})
    server.move(plan, "finish_planning")
    server.move(plan, "executing")
    assert server.status(plan) == "wait_for_execute_external_check"
    body = {
        "release_plan_id": plan,
        "instance_code": server.realm.find_plan(plan)["instance_code"],
        "hook_event": "start_execute",
        "result": "success",
    }
    assert server.call(f"POST {INTERNAL}/hook/callback", body, TIMER) == NO_TIMER
    assert (server.status(plan), server.timers) == ("executing", [])


def test_a_vote_goes_on_without_its_timer(server: Server) -> None:
    plan = server.planned(approval=APPROVAL)
    server.move(plan, "finish_planning")
    server.move(plan, "wait_for_approval")
    target = f"POST {INTERNAL}/{plan}/approve"
    assert server.call(target, {"approve": True}, TIMER, who="patrick")[0] == 200
    assert (server.status(plan), server.timers) == ("executing", [])


def test_a_timer_that_fails_keeps_the_plan_from_being_deleted(server: Server) -> None:
    plan = server.planned()
    server.move(plan, "finish_planning")
    server.move(plan, "executing")
    assert server.call(f"DELETE {INTERNAL}/{plan}", None, TIMER) == NO_TIMER
    assert (server.status(plan), server.timers) == ("executing", [LATER])
