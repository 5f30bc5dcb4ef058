"""Stored workflows meet the live ones (docs/servers/zadig.md §9.23, §5.6)."""

from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.visits import MOMENT
from planops.sandbox.zadig.visitor import Visitor, visiting

REGISTRY = "https://eu.reg.example.com/shop"
CART = {"service_name": "cart", "service_module": "cart"}
SOURCE = {
    "codehost_name": "gitlab",
    "repo_namespace": "team",
    "repo_name": "cart",
    "branch": "x",
    "prs": [3],
    "enable_commit": True,
    "commit_id": "abc",
}
VALUES = [{"key": "LEVEL", "value": "debug"}]
BUILD = {
    "registry": REGISTRY,
    "service_list": [{**CART, "repo_info": [SOURCE], "inputs": VALUES}],
}


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


def planned(zadig: Visitor, *inputs: tuple[str, Any], key: str = "everything", **spec: Any) -> str:
    """A plan in execution with one workflow job."""
    given = [{"job_name": name, "parameters": parameters} for name, parameters in inputs]
    plan = zadig.create()
    whole = {"workflow_key": key, "inputs": given, **spec}
    reply = zadig.update(plan, jobs=[{"name": "w", "type": "workflow", "spec": whole}])
    assert reply.status == 200, reply.error
    assert zadig.move(plan, "finish_planning", "executing").status == 200
    return plan


def execute(zadig: Visitor, plan: str) -> Any:
    """The workflow that the task runs, or the refusal."""
    job = zadig.get(plan)["jobs"][0]["id"]
    reply = zadig.inside(f"POST /{plan}/execute", {"id": job, "name": "w", "type": "workflow"})
    if reply.status != 200:
        return reply.error
    return zadig.get(plan)["jobs"][0]["spec"]["workflow"]


def change(zadig: Visitor, name: str, key: str = "everything") -> dict[str, Any]:
    """A job of a live workflow, to be changed and put back by ``keep``."""
    workflow = zadig.sandbox.workflow(key)
    return next(job for stage in workflow["stages"] for job in stage["jobs"] if job["name"] == name)


def keep(zadig: Visitor, changed: dict[str, Any], key: str = "everything") -> None:
    """Put a changed job back into its live workflow."""
    workflow = zadig.sandbox.workflow(key)
    for stage in workflow["stages"]:
        stage["jobs"] = [
            changed if job["name"] == changed["name"] else job for job in stage["jobs"]
        ]
    zadig.sandbox.put_workflow(workflow)


def jobs_of(workflow: Any) -> dict[str, Any]:
    return {job["name"]: job for stage in workflow["stages"] for job in stage["jobs"]}


def test_a_job_that_is_new_runs_and_one_that_is_gone_vanishes(zadig: Visitor) -> None:
    plan = planned(zadig, key="deploy")
    workflow = zadig.sandbox.workflow("deploy")
    new = {"name": "new", "type": "approval", "skipped": False, "spec": {}}
    workflow["stages"][0]["jobs"] = [new]
    zadig.sandbox.put_workflow(workflow)
    jobs = jobs_of(execute(zadig, plan))
    assert {name: job["skipped"] for name, job in jobs.items()} == {"new": False, "deploy": True}


def test_a_job_of_another_kind_is_a_new_one(zadig: Visitor) -> None:
    plan = planned(zadig, ("sign-off", {}))
    job = change(zadig, "sign-off")
    keep(zadig, {**job, "type": "notification", "skipped": False, "spec": {"content": "c"}})
    assert jobs_of(execute(zadig, plan))["sign-off"]["spec"] == {"content": "c"}


def test_variables_keep_the_plans_values_unless_they_are_fixed(zadig: Visitor) -> None:
    given = [{"name": "version", "value": "2"}, {"name": "owner", "value": "me"}]
    plan = planned(zadig, parameters=given)
    workflow = zadig.sandbox.workflow("everything")
    workflow["params"].append({"name": "late", "type": "string", "value": "default"})
    zadig.sandbox.put_workflow(workflow)
    values = {one["name"]: one["value"] for one in execute(zadig, plan)["params"]}
    assert [values[name] for name in ("version", "owner", "late")] == ["2", "shop-team", "default"]


def test_a_variable_that_is_gone_vanishes(zadig: Visitor) -> None:
    plan = planned(zadig, parameters=[{"name": "version", "value": "2"}])
    zadig.sandbox.put_workflow({**zadig.sandbox.workflow("everything"), "params": []})
    assert execute(zadig, plan)["params"] == []


def test_commits_are_not_carried_over(zadig: Visitor) -> None:
    plan = planned(zadig, ("build", BUILD))
    (service,) = jobs_of(execute(zadig, plan))["build"]["spec"]["service_and_builds"]
    repo = service["repos"][0]
    assert [repo[key] for key in ("branch", "prs", "enable_commit", "commit_id")] == [
        "x",
        [3],
        False,
        "",
    ]


def test_the_registry_is_the_workflows_own_again(zadig: Visitor) -> None:
    plan = planned(zadig, ("build", BUILD))
    before = zadig.get(plan)["jobs"][0]["spec"]["workflow"]
    after = execute(zadig, plan)
    registries = [
        jobs_of(workflow)["build"]["spec"]["docker_registry_id"] for workflow in (before, after)
    ]
    assert registries == ["64f1a00000000000000000a2", "64f1a00000000000000000a1"]


def test_a_service_that_is_gone_is_not_built(zadig: Visitor) -> None:
    plan = planned(zadig, ("build", BUILD))
    job = change(zadig, "build")
    job["spec"]["service_and_builds_options"] = []
    keep(zadig, job)
    assert jobs_of(execute(zadig, plan))["build"]["spec"]["service_and_builds"] == []


def test_variables_of_a_job_follow_the_live_ones(zadig: Visitor) -> None:
    plan = planned(zadig, ("script", {"kv": VALUES}))
    job = change(zadig, "script")
    job["spec"]["envs"] = [
        {"key": "LEVEL", "value": "info"},
        {"key": "NEW", "value": "n"},
    ]
    keep(zadig, job)
    envs = jobs_of(execute(zadig, plan))["script"]["spec"]["envs"]
    assert envs == [{"key": "LEVEL", "value": "debug"}, {"key": "NEW", "value": "n"}]


def test_a_fixed_variable_of_a_job_keeps_the_live_value(zadig: Visitor) -> None:
    plan = planned(zadig, ("script", {"kv": VALUES}))
    job = change(zadig, "script")
    job["spec"]["envs"] = [{"key": "LEVEL", "value": "info", "source": "fixed"}]
    keep(zadig, job)
    assert jobs_of(execute(zadig, plan))["script"]["spec"]["envs"][0]["value"] == "info"


def test_services_of_a_script_follow_its_own_repositories(zadig: Visitor) -> None:
    plan = planned(zadig, ("service-script", {"services": [{**CART, "inputs": VALUES}]}))
    (service,) = jobs_of(execute(zadig, plan))["service-script"]["spec"]["services"]
    assert [repo["repo_name"] for repo in service["repos"]] == ["scripts", "shared"]
    assert next(one["value"] for one in service["key_vals"] if one["key"] == "LEVEL") == "debug"


def test_a_plugin_is_the_live_one_with_the_plans_inputs(zadig: Visitor) -> None:
    plan = planned(zadig, ("plugin", {"kv": [{"key": "channel", "value": "#ops"}]}))
    job = change(zadig, "plugin")
    job["spec"]["plugin"]["version"] = "v0.2"
    keep(zadig, job)
    plugin = jobs_of(execute(zadig, plan))["plugin"]["spec"]["plugin"]
    assert (plugin["version"], plugin["inputs"][0]["value"]) == ("v0.2", "#ops")


@pytest.mark.parametrize(
    ("name", "given", "modules"),
    [
        ("test", {"testing_list": [{"testing_name": "smoke", "inputs": VALUES}]}, "test_modules"),
        ("scan", {"scanning_list": [{"scanning_name": "lint", "inputs": VALUES}]}, "scannings"),
    ],
)
def test_modules_are_the_live_ones(
    zadig: Visitor, name: str, given: dict[str, Any], modules: str
) -> None:
    plan = planned(zadig, (name, given))
    job = change(zadig, name)
    job["spec"][modules].pop()
    keep(zadig, job)
    (module,) = jobs_of(execute(zadig, plan))[name]["spec"][modules]
    assert next(one["value"] for one in module["key_vals"] if one["key"] == "LEVEL") == "debug"


def test_targets_of_a_release_stay_and_its_cluster_is_the_live_one(zadig: Visitor) -> None:
    plan = planned(zadig, ("canary-deploy", {}))
    job = change(zadig, "canary-deploy")
    job["spec"]["namespace"] = "elsewhere"
    keep(zadig, job)
    spec = jobs_of(execute(zadig, plan))["canary-deploy"]["spec"]
    assert (spec["targets"], spec["namespace"]) == ([], "elsewhere")


def test_blue_green_inputs_fail_at_execution(zadig: Visitor) -> None:
    plan = planned(zadig, ("blue-green-deploy", {}))
    assert execute(zadig, plan) == (
        500,
        (
            "execute: cannot merge workflow everything's input with the latest workflow "
            "settings, the error is: given env:  does not match job definition: prod"
        ),
    )
    assert zadig.get(plan)["jobs"][0]["status"] == "todo"


def test_policies_are_the_live_ones(zadig: Visitor) -> None:
    plan = planned(zadig, ("plugin", {}))
    keep(zadig, {**change(zadig, "plugin"), "run_policy": "", "error_policy": {"policy": "stop"}})
    job = jobs_of(execute(zadig, plan))["plugin"]
    assert (job["run_policy"], job["error_policy"]) == ("", {"policy": "stop"})


def test_a_workflow_that_is_gone_cannot_be_executed(zadig: Visitor) -> None:
    plan = planned(zadig, key="deploy")
    zadig.sandbox.remove_workflow("deploy")
    status, text = execute(zadig, plan)
    assert (status, text) == (
        500,
        (
            "execute: cannot merge workflow deploy's input with the latest workflow settings, "
            "the error is: cannot find workflow [deploy]'s latest setting, "
            "error: mongo: no documents in result"
        ),
    )


def test_the_timer_merges_too(zadig: Visitor) -> None:
    plan = zadig.create()
    spec = {"workflow_key": "deploy"}
    job = {"name": "w", "type": "workflow", "spec": spec}
    zadig.update(plan, schedule_execute_time=MOMENT + 10, jobs=[job])
    zadig.move(plan, "finish_planning", "executing")
    zadig.sandbox.put_workflow({**zadig.sandbox.workflow("deploy"), "params": []})
    zadig.sandbox.clock.advance(10)
    zadig.sandbox.tick()
    started = zadig.get(plan)["jobs"][0]
    assert (started["status"], started["spec"]["workflow"]["params"]) == ("running", [])


def test_a_job_is_shown_as_it_would_run_now(zadig: Visitor) -> None:
    plan = planned(zadig, key="deploy")
    zadig.sandbox.put_workflow({**zadig.sandbox.workflow("deploy"), "params": []})
    job = zadig.get(plan)["jobs"][0]
    shown = zadig.inside(f"GET /{plan}/job/{job['id']}").json
    assert shown["spec"]["workflow"]["params"] == []
    assert zadig.get(plan)["jobs"][0] == job


def test_a_text_job_is_shown_as_it_is(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan, jobs=[{"name": "t", "type": "text", "spec": {"content": "c"}}])
    job = zadig.get(plan)["jobs"][0]
    assert zadig.inside(f"GET /{plan}/job/{job['id']}").json == job


@pytest.mark.parametrize(
    ("job", "description"),
    [
        ("nothing", "failed to find release plan job with id: nothing. Job does not exist"),
        ("empty", "workflow is nil"),
    ],
)
def test_a_job_that_cannot_be_shown(zadig: Visitor, job: str, description: str) -> None:
    planted = zadig.sandbox.insert_plan(
        {"name": "x", "jobs": [{"id": "empty", "type": "workflow"}]}
    )
    reply = zadig.inside(f"GET /{planted['id']}/job/{job}")
    assert reply.error == (500, description)


def test_a_job_of_a_workflow_that_is_gone_is_6545(zadig: Visitor) -> None:
    plan = planned(zadig, key="deploy")
    zadig.sandbox.remove_workflow("deploy")
    job = zadig.get(plan)["jobs"][0]["id"]
    assert zadig.inside(f"GET /{plan}/job/{job}").json["code"] == 6545


def test_showing_a_job_needs_its_permission(zadig: Visitor) -> None:
    plan = planned(zadig, key="deploy")
    job = zadig.get(plan)["jobs"][0]["id"]
    zadig.sandbox.permit("bob", [])
    assert zadig.inside(f"GET /{plan}/job/{job}", who="bob").status == 403
