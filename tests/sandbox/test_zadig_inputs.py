"""Workflow jobs: lookup, preset, variables, inputs (docs/servers/zadig.md §9)."""

from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.zadig.visitor import Visitor, visiting


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


REGISTRY = "https://reg.example.com/test"
DEMO = {"codehost_name": "gitlab", "repo_namespace": "team", "repo_name": "demo"}
REPORT = {**DEMO, "repo_name": "test-report"}


def stored(zadig: Visitor, **spec: Any) -> Any:
    """The workflow that one job's spec leaves behind, or the refusal."""
    plan = zadig.create()
    job = {"name": "w", "type": "workflow", "spec": {"workflow_key": "old-hook", **spec}}
    reply = zadig.update(plan, jobs=[job])
    if reply.status != 200:
        return reply.error
    return zadig.get(plan)["jobs"][0]["spec"]["workflow"]


def jobs_of(workflow: Any) -> dict[str, Any]:
    return {job["name"]: job for stage in workflow["stages"] for job in stage["jobs"]}


def one(zadig: Visitor, name: str, parameters: Any, **spec: Any) -> Any:
    """The spec of one job after its input, or the refusal."""
    given = [{"job_name": name, "job_type": "ignored", "parameters": parameters}]
    workflow = stored(zadig, inputs=given, **spec)
    return workflow if isinstance(workflow, tuple) else jobs_of(workflow)[name]["spec"]


def build(*services: dict[str, Any], registry: str = REGISTRY) -> dict[str, Any]:
    return {"registry": registry, "service_list": list(services)}


def service(name: str = "service1", module: str = "service1", **given: Any) -> dict[str, Any]:
    return {"service_name": name, "service_module": module, **given}


def test_unknown_workflow(zadig: Visitor) -> None:
    assert stored(zadig, workflow_key="absent") == (400, "mongo: no documents in result")


def test_preset_may_fail_for_a_job_nobody_named(zadig: Visitor) -> None:
    zadig.sandbox.fail_preset("old-hook", "build service1-build not found")
    plan = zadig.create()
    job = {"type": "workflow", "spec": {"workflow_key": "old-hook"}}
    reply = zadig.update(plan, jobs=[job])
    assert (reply.json["code"], reply.json["message"]) == (6545, "预配置workflow失败")
    assert reply.error == (400, "build service1-build not found")


def test_project_is_ignored(zadig: Visitor) -> None:
    assert stored(zadig, project_key="no such project")["project"] == "yaml"


def test_remark_is_kept(zadig: Visitor) -> None:
    assert stored(zadig, remark="see ticket")["remark"] == "see ticket"


def test_without_inputs_everything_is_skipped(zadig: Visitor) -> None:
    jobs = jobs_of(stored(zadig))
    assert {name: job["skipped"] for name, job in jobs.items()} == dict.fromkeys(jobs, True)


def test_named_jobs_run_and_unknown_names_are_ignored(zadig: Visitor) -> None:
    given = [{"job_name": "deploy"}, {"job_name": "nothing like it", "parameters": 7}]
    jobs = jobs_of(stored(zadig, inputs=given))
    assert [name for name, job in jobs.items() if not job["skipped"]] == ["deploy"]


def test_last_of_two_equal_names_wins(zadig: Visitor) -> None:
    given = [
        {"job_name": "deploy", "parameters": {"env_name": "dev"}},
        {"job_name": "deploy", "parameters": {"env_name": "prod"}},
    ]
    assert jobs_of(stored(zadig, inputs=given))["deploy"]["spec"]["env"] == "prod"


def test_null_input_crashes_the_handler(zadig: Visitor) -> None:
    assert stored(zadig, inputs=[None]) == (500, "")


def test_kind_without_inputs_fails_the_whole_update(zadig: Visitor) -> None:
    expected = (500, "undefined job type of type:notification")
    assert one(zadig, "notify", {}) == expected


def test_wrong_type_inside_parameters(zadig: Visitor) -> None:
    assert one(zadig, "deploy", {"env_name": 7}) == (
        500,
        (
            "unmarshal task error: json: cannot unmarshal number into Go struct field "
            "ZadigDeployJobInput.env_name of type string"
        ),
    )


@pytest.mark.parametrize("registry", ["", "reg.example.com/test", "https://reg.example.com"])
def test_build_needs_a_known_registry(zadig: Visitor, registry: str) -> None:
    assert one(zadig, "build", build(registry=registry)) == (
        500,
        "failed to update jobspec for job: build, err: didn't find the specified image registry",
    )


def test_build_sets_registry_repositories_and_keys(zadig: Visitor) -> None:
    source = {**DEMO, "branch": "fix", "pr": 3, "prs": [3], "enable_commit": True}
    given = service(repo_info=[source], inputs=[{"key": "gggg", "value": "abcd"}])
    spec = one(zadig, "build", build(given))
    assert spec["docker_registry_id"] == "64f1a00000000000000000a1"
    (chosen,) = spec["service_and_builds"]
    repository = chosen["repos"][0]
    assert [repository[key] for key in ("branch", "pr", "prs", "enable_commit", "commit_id")] == [
        "fix",
        3,
        [3],
        True,
        "",
    ]
    assert {entry["key"]: entry["value"] for entry in chosen["key_vals"]} == {
        "gggg": "abcd",
        "LEVEL": "",
    }


def test_build_drops_unknown_services_keys_and_repositories(zadig: Visitor) -> None:
    other = {**DEMO, "repo_name": "elsewhere", "branch": "x"}
    given = service(repo_info=[other], inputs=[{"key": "unknown", "value": "v"}])
    spec = one(zadig, "build", build(service("ghost"), given))
    (chosen,) = spec["service_and_builds"]
    assert chosen["repos"][0]["branch"] == "main"
    assert all(entry["key"] != "unknown" for entry in chosen["key_vals"])


def test_unknown_code_host(zadig: Visitor) -> None:
    given = service(repo_info=[{**DEMO, "codehost_name": "svn"}])
    assert one(zadig, "build", build(given)) == (
        500,
        "failed to update jobspec for job: build, err: failed to find code host with name:svn",
    )


def test_repository_of_another_code_host_is_ignored(zadig: Visitor) -> None:
    given = service(repo_info=[{**DEMO, "codehost_name": "github", "branch": "x"}])
    spec = one(zadig, "build", build(given))
    assert spec["service_and_builds"][0]["repos"][0]["branch"] == "main"


def test_null_service_crashes_the_handler(zadig: Visitor) -> None:
    assert one(zadig, "build", {"registry": REGISTRY, "service_list": [None]}) == (500, "")


def test_deploy_checks_nothing_and_merges_services(zadig: Visitor) -> None:
    entries = [
        service("s", "one", image_name="i1", value_merge_strategy="override"),
        service("s", "two", image_name="i2", value_merge_strategy="reuse-values"),
        service("ghost", "x", image_name="i3"),
    ]
    spec = one(zadig, "deploy", {"env_name": "nowhere", "service_list": entries})
    assert spec["env"] == "nowhere"
    assert spec["services"] == [
        {
            "service_name": "s",
            "modules": [
                {"service_module": "one", "image": "i1"},
                {"service_module": "two", "image": "i2"},
            ],
            "value_merge_strategy": "reuse-values",
        },
        {
            "service_name": "ghost",
            "modules": [{"service_module": "x", "image": "i3"}],
            "value_merge_strategy": "",
        },
    ]


@pytest.mark.parametrize("parameters", [None, {}])
def test_deploy_without_parameters_is_empty(zadig: Visitor, parameters: object) -> None:
    spec = one(zadig, "deploy", parameters)
    assert (spec["env"], spec["services"]) == ("", [])


def test_test_keeps_every_module_and_the_matched_repositories(zadig: Visitor) -> None:
    entry = {
        "testing_name": "static-html-report",
        "repo_info": [{**REPORT, "branch": "fix"}],
        "inputs": [{"key": "SUITE", "value": "full"}],
    }
    first, second = one(zadig, "test", {"testing_list": [entry]})["test_modules"]
    assert [(repo["repo_name"], repo["branch"]) for repo in first["repos"]] == [
        ("test-report", "fix")
    ]
    assert first["key_vals"][0]["value"] == "full"
    assert second["name"] == "api-report"


def test_test_without_repositories_keeps_them_all(zadig: Visitor) -> None:
    entry = {"testing_name": "static-html-report"}
    first, _ = one(zadig, "test", {"testing_list": [entry]})["test_modules"]
    assert len(first["repos"]) == 2


def test_service_tests_are_chosen_by_service(zadig: Visitor) -> None:
    repos = [{**DEMO, "codehost_id": 1, "branch": "main"}]
    tests = [service(name, name, repos=repos, key_vals=[]) for name in ("a", "b")]
    spec = {"test_type": "service_test", "test_modules": [], "service_and_tests": tests}
    job = {"name": "t", "type": "zadig-test", "skipped": False, "spec": spec}
    stages = [{"name": "s", "jobs": [job]}]
    zadig.sandbox.put_workflow({"_id": "1", "name": "svc", "params": [], "stages": stages})
    given = {"service_list": [service("b", "b", repo_info=[{**DEMO, "branch": "fix"}])]}
    (chosen,) = one(zadig, "t", given, workflow_key="svc")["service_and_tests"]
    assert (chosen["service_name"], chosen["repos"][0]["branch"]) == ("b", "fix")


def test_documented_example_applies(zadig: Visitor) -> None:
    testing = {"testing_name": "static-html-report", "repo_info": [{**REPORT, "branch": "main"}]}
    image = f"{REGISTRY}/service1:main"
    source = {**DEMO, "branch": "patrick-01"}
    workflow = stored(
        zadig,
        project_key="yaml",
        remark="remark-2",
        inputs=[
            {
                "job_name": "build",
                "job_type": "zadig-build",
                "parameters": build(
                    service(repo_info=[source], inputs=[{"key": "gggg", "value": "abcd"}])
                ),
            },
            {
                "job_name": "deploy",
                "job_type": "zadig-deploy",
                "parameters": {"env_name": "dev", "service_list": [service(image_name=image)]},
            },
            {
                "job_name": "test",
                "job_type": "zadig-test",
                "parameters": {"testing_list": [testing]},
            },
        ],
    )
    skipped = {name: job["skipped"] for name, job in jobs_of(workflow).items()}
    assert skipped == {"build": False, "deploy": False, "test": False, "notify": True}


def variable(workflow: Any, name: str) -> str:
    return str(next(param["value"] for param in workflow["params"] if param["name"] == name))


@pytest.mark.parametrize(
    ("name", "value"), [("ticket", "OPS-1"), ("notes", "a\nb"), ("region", "us")]
)
def test_variables_are_set(zadig: Visitor, name: str, value: str) -> None:
    given = [{"name": name, "type": "ignored", "value": value}]
    assert variable(stored(zadig, parameters=given), name) == value


@pytest.mark.parametrize(
    ("given", "description"),
    [
        ({"name": "ghost", "value": "x"}, "param ghost not found in workflow"),
        ({"name": "region", "value": "mars"}, "invalid choice value mars for param region"),
    ],
)
def test_variables_that_do_not_fit(zadig: Visitor, given: dict[str, str], description: str) -> None:
    expected = (500, f"update workflow param error: {description}")
    assert stored(zadig, parameters=[given]) == expected


REPO_WORKFLOW = {
    "_id": "1",
    "name": "r",
    "stages": [],
    "params": [
        {
            "name": "code",
            "type": "repo",
            "value": "",
            "repo": {"codehost_id": 1, "repo_namespace": "team", "repo_name": "demo"},
        }
    ],
}


@pytest.mark.parametrize(
    ("repo", "expected"),
    [
        ({**DEMO, "branch": "b"}, "b"),
        (
            {**DEMO, "codehost_name": "github"},
            (
                500,
                "update workflow param error: codehost github (ID 2) not found in workflow",
            ),
        ),
        (None, (500, "")),
    ],
)
def test_repository_variables(zadig: Visitor, repo: object, expected: object) -> None:
    zadig.sandbox.put_workflow(REPO_WORKFLOW)
    result = stored(zadig, workflow_key="r", parameters=[{"name": "code", "repo": repo}])
    found = result if isinstance(result, tuple) else result["params"][0]["repo"]["branch"]
    assert found == expected


def only(zadig: Visitor, job: dict[str, Any], **more: Any) -> None:
    """Plant a workflow of one job."""
    stages = [{"name": "s", "jobs": [job]}]
    zadig.sandbox.put_workflow({"name": "one", "params": [], "stages": stages, **more})


@pytest.mark.parametrize("policy", ["", "default_not_run", "force_run"])
def test_a_job_that_is_not_named_is_skipped_whatever_its_policy(
    zadig: Visitor, policy: str
) -> None:
    job = {"name": "j", "type": "approval", "skipped": False, "run_policy": policy, "spec": {}}
    only(zadig, job)
    assert jobs_of(stored(zadig, workflow_key="one"))["j"]["skipped"] is True


def test_the_type_of_an_input_is_ignored(zadig: Visitor) -> None:
    given = {"job_name": "deploy", "job_type": "zadig-build", "parameters": {"env_name": "qa"}}
    assert jobs_of(stored(zadig, inputs=[given]))["deploy"]["spec"]["env"] == "qa"


def test_a_remark_that_is_not_sent_is_emptied(zadig: Visitor) -> None:
    only(zadig, {"name": "j", "type": "approval", "spec": {}}, remark="the workflow's own")
    assert stored(zadig, workflow_key="one")["remark"] == ""


def test_inputs_are_not_stored(zadig: Visitor) -> None:
    plan = zadig.create()
    given = [{"job_name": "deploy", "job_type": "zadig-deploy", "parameters": {"env_name": "dev"}}]
    spec = {"workflow_key": "old-hook", "project_key": "yaml", "inputs": given, "parameters": []}
    zadig.update(plan, jobs=[{"name": "w", "type": "workflow", "spec": spec}])
    shown = zadig.get(plan)["jobs"][0]["spec"]
    assert list(shown) == ["workflow"]
    assert not {"inputs", "parameters", "project_key"} & shown["workflow"].keys()
    assert "job_type" not in jobs_of(shown["workflow"])["deploy"]


def test_unknown_members_of_parameters_are_ignored(zadig: Visitor) -> None:
    plain, more = ({"env_name": "qa", **extra} for extra in ({}, {"extra": 1}))
    assert one(zadig, "deploy", more) == one(zadig, "deploy", plain)


def test_variables_that_are_credentials_are_shown_in_clear_text(zadig: Visitor) -> None:
    given = [{"name": "password", "value": "n3w"}]
    before = stored(zadig, workflow_key="everything")
    after = stored(zadig, workflow_key="everything", parameters=given)
    assert [variable(one, "password") for one in (before, after)] == ["s3cret", "n3w"]
