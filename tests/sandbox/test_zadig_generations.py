"""What v4.1 does differently (docs/servers/zadig.md §12)."""

from collections.abc import Iterator

import pytest

from planops.sandbox.zadig.visitor import Visitor, visiting

TEXT = {"name": "t", "type": "text"}
ALICE = "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0002"


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting("4.1") as visitor:
        yield visitor


def test_plans_have_no_version_and_no_callback_description(zadig: Visitor) -> None:
    plan = zadig.get(zadig.create())
    assert not {"version", "callback_description"} & plan.keys()


def test_job_ids_are_new_at_every_update(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan, jobs=[TEXT])
    before = zadig.get(plan)["jobs"][0]["id"]
    zadig.update(plan, jobs=[TEXT])
    assert zadig.get(plan)["jobs"][0]["id"] != before


def test_jobs_have_no_managers(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan, jobs=[TEXT])
    assert not {"manager", "manager_id"} & zadig.get(plan)["jobs"][0].keys()


def test_one_flag_allows_every_edit(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.sandbox.permit("bob", ["EditMetadata"])
    assert zadig.update(plan, who="bob").status == 403
    zadig.sandbox.permit("bob", ["Edit"])
    assert zadig.update(plan, who="bob").status == 200
    assert zadig.edit(plan, "delete_approval", who="bob").status == 200


def test_workflow_variables_are_ignored(zadig: Visitor) -> None:
    plan = zadig.create()
    spec = {"workflow_key": "old-hook", "parameters": [{"name": "ghost", "value": "x"}]}
    assert zadig.update(plan, jobs=[{"type": "workflow", "spec": spec}]).status == 200


def test_empty_task_state_is_present(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan, jobs=[{"type": "workflow", "spec": {"workflow_key": "deploy"}}])
    spec = zadig.get(plan)["jobs"][0]["spec"]
    assert (list(spec), spec["status"], spec["task_id"]) == (
        ["status", "task_id", "workflow"],
        "",
        0,
    )


def test_web_interface_shows_a_null_spec(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan, jobs=[{"type": "workflow", "spec": {"workflow_key": "deploy"}}])
    assert zadig.inside(f"GET /{plan}").json["jobs"][0]["spec"] is None


def test_jobs_are_not_checked_at_finish_planning(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.sandbox.edit(plan, {"jobs": [{"type": "shell"}]})
    assert zadig.move(plan, "finish_planning").status == 200


@pytest.mark.parametrize("action", ["execute", "skip"])
def test_only_the_manager_executes(zadig: Visitor, action: str) -> None:
    plan = zadig.create()
    zadig.update(plan, jobs=[TEXT])
    zadig.sandbox.edit(plan, lambda document: document["jobs"][0].update(manager_id=ALICE))
    zadig.move(plan, "finish_planning", "executing")
    body = {"id": zadig.get(plan)["jobs"][0]["id"], "type": "text"}
    reply = zadig.inside(f"POST /{plan}/{action}", body, who="alice")
    assert reply.error == (500, f"only manager can {action}")
    assert zadig.inside(f"POST /{plan}/{action}", body, who="patrick").status == 200


@pytest.mark.parametrize("route", ["retry", "copy"])
def test_later_routes_are_missing(zadig: Visitor, route: str) -> None:
    assert zadig.inside(f"POST /{zadig.create()}/{route}", {}).status == 404


def test_test_modules_keep_all_repositories(zadig: Visitor) -> None:
    source = {"codehost_name": "gitlab", "repo_namespace": "team", "repo_name": "test-report"}
    entry = {"testing_name": "static-html-report", "repo_info": [{**source, "branch": "fix"}]}
    given = [{"job_name": "test", "parameters": {"testing_list": [entry]}}]
    spec = {"workflow_key": "old-hook", "inputs": given}
    plan = zadig.create()
    zadig.update(plan, jobs=[{"type": "workflow", "spec": spec}])
    stages = zadig.get(plan)["jobs"][0]["spec"]["workflow"]["stages"]
    module = stages[2]["jobs"][0]["spec"]["test_modules"][0]
    assert [repo["branch"] for repo in module["repos"]] == ["fix", "main"]


def test_a_passed_check_does_not_start_execution(zadig: Visitor) -> None:
    hook = {"enable": True, "enable_call_back": True, "hook_events": ["finish_planning"]}
    zadig.inside("PUT /hook/setting", hook)
    plan = zadig.create()
    zadig.update(plan, jobs=[TEXT])
    zadig.edit(plan, "update_description", {"description": "d"})
    zadig.move(plan, "finish_planning")
    code = zadig.get(plan)["instance_code"]
    body = {"release_plan_id": plan, "instance_code": code, "hook_event": "finish_planning"}
    zadig.inside("POST /hook/callback", {**body, "result": "success"})
    assert zadig.get(plan)["status"] == "finish_planning"


def test_any_identity_type_is_not_known(zadig: Visitor) -> None:
    body = {"name": "n", "manager": "patrick", "manager_identity_type": "*"}
    reply = zadig.call("POST /openapi/release_plan/v1", body)
    assert reply.error == (500, "User patrick not found")


def test_a_callback_cannot_say_that_it_goes_on(zadig: Visitor) -> None:
    hook = {"enable": True, "enable_call_back": True, "hook_events": ["finish_planning"]}
    zadig.inside("PUT /hook/setting", hook)
    plan = zadig.create()
    zadig.update(plan, jobs=[TEXT])
    zadig.edit(plan, "update_description", {"description": "d"})
    zadig.move(plan, "finish_planning")
    code = zadig.get(plan)["instance_code"]
    body = {"release_plan_id": plan, "instance_code": code, "hook_event": "finish_planning"}
    reply = zadig.inside("POST /hook/callback", {**body, "result": "executing"})
    assert reply.error == (
        500,
        "release plan callback result is not correct, result: executing",
    )
