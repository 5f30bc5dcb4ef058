"""What a workflow goes through before it is stored (docs/servers/zadig.md §9.1, §9.21, §9.22)."""

from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.zadig.presets import CLEARED
from planops.sandbox.zadig.visitor import Visitor, visiting


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


def patched(zadig: Visitor, key: str = "everything", **spec: Any) -> Any:
    """The stored workflow, or the refusal."""
    plan = zadig.create()
    job = {"name": "w", "type": "workflow", "spec": {"workflow_key": key, **spec}}
    reply = zadig.update(plan, jobs=[job])
    return zadig.get(plan)["jobs"][0]["spec"]["workflow"] if reply.status == 200 else reply.error


def put(zadig: Visitor, kind: str, spec: dict[str, Any], **more: Any) -> None:
    job = {"name": "j", "type": kind, "spec": spec}
    stages = [{"name": "s", "jobs": [job]}]
    zadig.sandbox.put_workflow({"name": "one", "params": [], "stages": stages, **more})


def only_spec(workflow: Any) -> Any:
    return workflow["stages"][0]["jobs"][0]["spec"]


@pytest.mark.parametrize(("kind", "key"), CLEARED.items())
def test_selections_are_cleared(zadig: Visitor, kind: str, key: str) -> None:
    put(zadig, kind, {key: [{"chosen": True}], "other": [1]})
    assert only_spec(patched(zadig, "one")) == {key: [], "other": [1]}


@pytest.mark.parametrize("kind", ["zadig-deploy", "zadig-test", "custom-deploy", "plugin"])
def test_other_selections_stay(zadig: Visitor, kind: str) -> None:
    put(zadig, kind, {"targets": [{"chosen": True}], "services": [{"chosen": True}]})
    spec = only_spec(patched(zadig, "one"))
    assert spec == {"targets": [{"chosen": True}], "services": [{"chosen": True}]}


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("zadig-deploy", ["env_options"]),
        ("zadig-vm-deploy", ["production", "env_alias", "env_options"]),
        ("zadig-helm-chart-deploy", ["env_alias", "env_options"]),
        ("zadig-restart", ["env_options"]),
        ("k8s-blue-green-deploy", ["env_options"]),
        ("sae-deploy", ["env_options"]),
        ("k8s-gray-rollback", ["target_options"]),
        ("istio-release", ["target_options"]),
        ("istio-rollback", ["target_options"]),
    ],
)
def test_some_members_are_not_stored(zadig: Visitor, kind: str, keys: list[str]) -> None:
    put(zadig, kind, {**{key: [] for key in keys}, "kept": 1})
    assert not set(only_spec(patched(zadig, "one"))) & set(keys)


def test_some_members_of_services_and_targets_are_not_stored(zadig: Visitor) -> None:
    service = {"service_name": "cart", "auto_sync": True, "updatable": True}
    put(zadig, "zadig-deploy", {"services": [service]})
    assert only_spec(patched(zadig, "one"))["services"] == [{"service_name": "cart"}]
    target = {"workload_name": "cart", "origin_image": "i", "origin_replica": 2}
    put(zadig, "k8s-gray-rollback", {"targets": [target]})
    assert only_spec(patched(zadig, "one"))["targets"] == [{"workload_name": "cart"}]


def test_the_template_of_a_workflow_is_not_stored(zadig: Visitor) -> None:
    put(zadig, "approval", {}, template_name="t")
    assert "template_name" not in patched(zadig, "one")


def test_the_web_interface_stores_what_it_is_sent(zadig: Visitor) -> None:
    plan = zadig.create()
    deploy = {"name": "d", "type": "zadig-deploy", "spec": {"env_options": [1]}}
    workflow = {"id": "x", "name": "w", "template_name": "t", "stages": [{"jobs": [deploy]}]}
    spec = {"name": "w", "type": "workflow", "spec": {"workflow": workflow}}
    assert zadig.edit(plan, "create_release_job", spec).status == 200
    shown = zadig.get(plan)["jobs"][0]["spec"]["workflow"]
    assert (shown["id"], shown["template_name"]) == ("x", "t")
    assert only_spec(shown) == {"env_options": [1]}


def test_one_job_may_fail_to_refresh(zadig: Visitor) -> None:
    zadig.sandbox.fail_preset("everything", "environment dev not found", job="deploy")
    assert patched(zadig, inputs=[]) == (400, "environment dev not found")
    assert isinstance(patched(zadig, "deploy"), dict)


def test_failures_come_in_the_order_of_the_jobs(zadig: Visitor) -> None:
    zadig.sandbox.fail_preset("everything", "second", job="deploy")
    zadig.sandbox.fail_preset("everything", "first", job="build")
    assert patched(zadig) == (400, "first")


def test_variables_fail_before_jobs_do(zadig: Visitor) -> None:
    zadig.sandbox.fail_preset("everything", "preset")
    given = [{"name": "ghost"}]
    expected = (500, "update workflow param error: param ghost not found in workflow")
    assert patched(zadig, parameters=given) == expected


def test_jobs_fail_before_inputs_do(zadig: Visitor) -> None:
    zadig.sandbox.fail_preset("everything", "preset")
    given = [{"job_name": "build", "parameters": {"registry": "none"}}]
    assert patched(zadig, inputs=given) == (400, "preset")


def variables(workflow: Any) -> dict[str, Any]:
    return {one["name"]: one for one in workflow["params"]}


@pytest.mark.parametrize(
    ("name", "key", "kept"),
    [("channels", "choice_value", ["mail"]), ("settings", "file_id", "")],
)
def test_some_variables_keep_their_values(
    zadig: Visitor, name: str, key: str, kept: object
) -> None:
    given = [{"name": name, "value": "chat", "file_id": "f"}]
    variable = variables(patched(zadig, parameters=given))[name]
    assert (variable[key], variable["value"]) == (kept, "")


def test_a_repository_variable_takes_branch_and_pull_requests(zadig: Visitor) -> None:
    repo = {
        "codehost_name": "gitlab",
        "repo_namespace": "team",
        "repo_name": "cart",
        "branch": "x",
        "prs": [4],
        "enable_commit": True,
    }
    given = [{"name": "code", "repo": repo}]
    stored = variables(patched(zadig, parameters=given))["code"]["repo"]
    assert [stored[key] for key in ("branch", "prs", "enable_commit")] == ["x", [4], False]


def test_another_repository_leaves_the_variable_alone(zadig: Visitor) -> None:
    repo = {"codehost_name": "gitlab", "repo_namespace": "team", "repo_name": "other"}
    given = [{"name": "code", "repo": {**repo, "branch": "x"}}]
    assert variables(patched(zadig, parameters=given))["code"]["repo"]["branch"] == "main"


def test_a_repository_variable_of_an_unknown_code_host(zadig: Visitor) -> None:
    given = [{"name": "code", "repo": {"codehost_name": "svn"}}]
    expected = (
        500,
        "update workflow param error: failed to find code host with name:svn",
    )
    assert patched(zadig, parameters=given) == expected


def test_a_repository_variable_without_a_repository_crashes(zadig: Visitor) -> None:
    workflow = {"name": "one", "params": [{"name": "r", "type": "repo", "repo": None}]}
    zadig.sandbox.put_workflow({**workflow, "stages": []})
    given = [{"name": "r", "repo": {"codehost_name": "gitlab"}}]
    assert patched(zadig, "one", parameters=given) == (500, "")


def test_a_null_variable_crashes_the_handler(zadig: Visitor) -> None:
    assert patched(zadig, parameters=[None]) == (500, "")
