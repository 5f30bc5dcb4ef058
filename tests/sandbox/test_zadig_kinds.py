"""Inputs of each kind of workflow job (docs/servers/zadig.md §9.11 to §9.20)."""

from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.zadig.catalogue import Catalogue
from planops.sandbox.zadig.inputs import KINDS, apply_input
from planops.sandbox.zadig.traits import traits_of
from planops.sandbox.zadig.visitor import Visitor, visiting

REGISTRY = "https://reg.example.com/test"
CART = {"codehost_name": "gitlab", "repo_namespace": "team", "repo_name": "cart"}
SCRIPTS = {**CART, "repo_name": "scripts"}
SHARED = {"codehost_name": "github", "repo_namespace": "team", "repo_name": "shared"}
LINT = {**CART, "repo_name": "lint"}


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


@pytest.fixture
def older() -> Iterator[Visitor]:
    with visiting("4.1") as visitor:
        yield visitor


def stored(zadig: Visitor, *inputs: tuple[str, Any], workflow: str = "everything") -> Any:
    """The jobs that inputs leave behind, by name, or the refusal."""
    given = [{"job_name": name, "parameters": parameters} for name, parameters in inputs]
    plan = zadig.create()
    spec = {"workflow_key": workflow, "inputs": given}
    reply = zadig.update(plan, jobs=[{"name": "w", "type": "workflow", "spec": spec}])
    if reply.status != 200:
        return reply.error
    stages = zadig.get(plan)["jobs"][0]["spec"]["workflow"]["stages"]
    return {job["name"]: job for stage in stages for job in stage["jobs"]}


def spec_of(zadig: Visitor, name: str, parameters: Any, *before: tuple[str, Any]) -> Any:
    """The spec of one job after its input, or the refusal."""
    jobs = stored(zadig, *before, (name, parameters))
    return jobs if isinstance(jobs, tuple) else jobs[name]["spec"]


def refused(name: str, text: str) -> tuple[int, str]:
    return 500, f"failed to update jobspec for job: {name}, err: {text}"


def values(entries: list[dict[str, Any]], key: str = "key") -> dict[str, str]:
    return {entry[key]: entry["value"] for entry in entries}


def kv(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value}


def direct(kind: str, spec: dict[str, Any], parameters: Any) -> dict[str, Any]:
    """What an input does to a spec by itself, without the refreshing that comes before."""
    catalogue = Catalogue(system={}, traits=traits_of("5.0"))
    job = {"name": "j", "type": kind, "spec": spec}
    apply_input(catalogue, {"stages": [{"jobs": [job]}]}, job, parameters)
    return spec


def test_every_accepted_kind_is_in_the_fixtures(zadig: Visitor) -> None:
    jobs = stored(zadig)
    assert {job["type"] for job in jobs.values()} == KINDS.keys()


@pytest.mark.parametrize("generation", ["zadig", "older"])
@pytest.mark.parametrize(
    "kind",
    [
        "ai-release-specialist",
        "ai-task",
        "nacos",
        "apollo",
        "jenkins",
        "workflow-trigger",
        "notification",
        "zadig-restart",
        "zadig-helm-chart-deploy",
        "zadig-distribute-image",
        "jira",
        "grafana",
        "dms",
        "sae-deploy",
    ],
)
def test_kinds_that_cannot_be_listed(
    request: pytest.FixtureRequest, generation: str, kind: str
) -> None:
    zadig: Visitor = request.getfixturevalue(generation)
    job = {"name": "odd", "type": kind, "spec": {}}
    stages = [{"name": "s", "jobs": [job]}]
    zadig.sandbox.put_workflow({"name": "odd", "params": [], "stages": stages})
    expected = (500, f"undefined job type of type:{kind}")
    assert stored(zadig, ("odd", {}), workflow="odd") == expected
    assert stored(zadig, workflow="odd")["odd"]["skipped"] is True


def test_plugin_values_are_set_by_name(zadig: Visitor) -> None:
    given = {"kv": [kv("channel", "#ops"), kv("unknown", "x")]}
    inputs = spec_of(zadig, "plugin", given)["plugin"]["inputs"]
    assert values(inputs, "name") == {"channel": "#ops", "token": "t0ken"}


def test_a_job_that_does_not_run_by_default_runs_when_listed(zadig: Visitor) -> None:
    job = stored(zadig, ("plugin", {}))["plugin"]
    assert (job["skipped"], job["run_policy"]) == (False, "default_not_run")
    assert stored(zadig)["plugin"]["skipped"] is True


def test_a_job_that_does_not_run_by_default_runs_when_listed_in_4_1(older: Visitor) -> None:
    assert stored(older, ("plugin", {}))["plugin"]["skipped"] is False


def test_plugin_without_a_plugin_crashes_the_handler(zadig: Visitor) -> None:
    stages = [{"name": "s", "jobs": [{"name": "p", "type": "plugin", "spec": {}}]}]
    zadig.sandbox.put_workflow({"name": "odd", "params": [], "stages": stages})
    assert stored(zadig, ("p", {}), workflow="odd") == (500, "")


def test_script_sets_variables(zadig: Visitor) -> None:
    given = {"kv": [kv("LEVEL", "debug"), kv("FLAGS", "fast,safe"), kv("unknown", "x")]}
    spec = spec_of(zadig, "script", given)
    assert values(spec["envs"]) == {
        "VERSION": "1.4.0",
        "LEVEL": "debug",
        "FLAGS": "fast,safe",
        "PASSWORD": "s3cret",
    }
    assert [repo["repo_name"] for repo in spec["repos"]] == ["scripts", "shared"]


def test_script_gets_new_repositories(zadig: Visitor) -> None:
    other = {**SCRIPTS, "repo_name": "elsewhere", "branch": "x", "enable_commit": True}
    (made,) = spec_of(zadig, "script", {"repo_info": [other]})["repos"]
    assert made == {
        "source": "gitlab",
        "codehost_id": 1,
        "repo_owner": "team",
        "repo_namespace": "team",
        "repo_name": "elsewhere",
        "remote_name": "origin",
        "branch": "x",
        "pr": 0,
        "prs": [],
        "enable_commit": True,
        "commit_id": "",
        "checkout_path": "",
        "submodules": False,
    }


def test_script_keeps_its_own_repositories_in_4_1(older: Visitor) -> None:
    other = {**SCRIPTS, "repo_name": "elsewhere"}
    given = {"repo_info": [{**SCRIPTS, "branch": "x"}, other]}
    (kept,) = spec_of(older, "script", given)["repos"]
    assert (kept["repo_name"], kept["branch"]) == ("scripts", "x")


def test_perforce_repositories_have_streams(zadig: Visitor) -> None:
    given = {"codehost_name": "depot", "stream": "//depot/main", "changelist_id": 7}
    (made,) = spec_of(zadig, "script", {"repo_info": [given]})["repos"]
    assert made == {
        "source": "perforce",
        "codehost_id": 3,
        "depot_type": "stream",
        "stream": "//depot/main",
        "view_mapping": "",
        "changelist_id": 7,
        "shelve_id": 0,
    }


def test_script_of_another_type_is_refused(zadig: Visitor) -> None:
    job = {"name": "f", "type": "freestyle", "spec": {"freestyle_type": "odd"}}
    workflow = {"name": "odd", "params": [], "stages": [{"name": "s", "jobs": [job]}]}
    zadig.sandbox.put_workflow(workflow)
    expected = refused("f", "freestyle job type odd not supported")
    assert stored(zadig, ("f", {}), workflow="odd") == expected


def test_script_wants_known_code_hosts(zadig: Visitor) -> None:
    given = {"repo_info": [{**SCRIPTS, "codehost_name": "svn"}]}
    expected = refused("script", "failed to find code host with name:svn")
    assert spec_of(zadig, "script", given) == expected


def test_vm_deploy_wants_an_artifact(zadig: Visitor) -> None:
    entry = {"service_name": "cart", "file_name": "cart-1.4.0.tar.gz"}
    spec = spec_of(zadig, "vm-deploy", {"env_name": "vms", "service_list": [entry]})
    assert spec["env"] == "vms"
    assert spec["service_and_vm_deploys"] == [
        {
            "repos": [],
            "service_name": "cart",
            "service_module": "",
            "artifact_url": "",
            "file_name": "cart-1.4.0.tar.gz",
            "image": "",
            "task_id": 7,
            "workflow_type": "workflow_v4",
            "workflow_name": "deploy",
            "job_task_name": "job-0-0-0-build",
        }
    ]


@pytest.mark.parametrize(
    ("files", "text"),
    [
        (["cart-1.4.0.tar.gz"] * 2, "cannot deploy 2 same service"),
        (
            ["ghost.zip"],
            (
                "failed to validate given file: ghost.zip, "
                "error: artifact not found in zadig artifact list"
            ),
        ),
    ],
)
def test_vm_deploy_refuses(zadig: Visitor, files: list[str], text: str) -> None:
    entries = [{"service_name": "cart", "file_name": file} for file in files]
    given = {"env_name": "vms", "service_list": entries}
    assert spec_of(zadig, "vm-deploy", given) == refused("vm-deploy", text)


def test_custom_deploy_replaces_the_targets(zadig: Visitor) -> None:
    first = {
        "workload_type": "statefulset",
        "workload_name": "stock",
        "container_name": "main",
        "image_name": "i:2",
    }
    spec = spec_of(zadig, "custom-deploy", {"target_list": [first, {**first, "image_name": ""}]})
    assert spec["targets"] == [
        {"target": "statefulset/stock/main", "image": "i:2"},
        {"target": "statefulset/stock/main"},
    ]


def test_sql_finds_its_database(zadig: Visitor) -> None:
    spec = spec_of(zadig, "migrate", {"database_name": "stock", "sql": "SELECT 1"})
    assert spec == {
        "id": "64f1a00000000000000000d2",
        "type": "mariadb",
        "sql": "SELECT 1",
        "source": "runtime",
    }


def test_sql_of_an_unknown_database(zadig: Visitor) -> None:
    text = "failed to find database instance x, error: mongo: no documents in result"
    expected = refused("migrate", text)
    assert spec_of(zadig, "migrate", {"database_name": "x"}) == expected


def test_sql_with_a_fixed_database_needs_none() -> None:
    spec = direct("sql", {"source": "fixed", "id": "d"}, {"sql": "SELECT 2"})
    assert spec == {"source": "fixed", "id": "d", "sql": "SELECT 2"}


SPRINT = {
    "iteration_id": "1155014084001000093",
    "iteration_name": "Sprint 1",
    "start_date": "2023-11-06",
    "end_date": "2023-11-17",
}


def test_tapd_tells_names_and_dates(zadig: Visitor) -> None:
    given = {
        "project_id": "55014084",
        "project_name": "ignored",
        "status": "done",
        "iteration_ids": [SPRINT["iteration_id"]],
    }
    spec = spec_of(zadig, "iterations", given)
    assert (spec["project_name"], spec["status"]) == ("Shop", "done")
    assert spec["iterations"] == [SPRINT]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"project_id": "1"}, "failed to get project info: project not found"),
        (
            {"project_id": "55014084", "iteration_ids": ["9"]},
            "failed to get iteration 9 info",
        ),
    ],
)
def test_tapd_refuses(zadig: Visitor, given: dict[str, Any], text: str) -> None:
    assert spec_of(zadig, "iterations", given) == refused("iterations", text)


def test_unknown_tapd(zadig: Visitor) -> None:
    job = {"name": "t", "type": "tapd", "spec": {"tapd_id": "none"}}
    workflow = {"name": "odd", "params": [], "stages": [{"name": "s", "jobs": [job]}]}
    zadig.sandbox.put_workflow(workflow)
    expected = refused("t", "failed to get tapd info, error: mongo: no documents in result")
    assert stored(zadig, ("t", {}), workflow="odd") == expected


def test_scan_keeps_every_module_and_the_matched_repositories(zadig: Visitor) -> None:
    entry = {
        "scanning_name": "lint",
        "repo_info": [{**LINT, "branch": "x"}],
        "inputs": [kv("LEVEL", "debug")],
    }
    first, second = spec_of(zadig, "scan", {"scanning_list": [entry]})["scannings"]
    assert [(repo["repo_name"], repo["branch"]) for repo in first["repos"]] == [("lint", "x")]
    assert values(first["key_vals"])["LEVEL"] == "debug"
    assert (second["name"], len(second["repos"])) == ("licences", 2)


def test_scan_is_changed_in_place_in_4_1(older: Visitor) -> None:
    entry = {
        "scanning_name": "lint",
        "repo_info": [{**LINT, "branch": "x"}],
        "inputs": [kv("LEVEL", "debug")],
    }
    first, _ = spec_of(older, "scan", {"scanning_list": [entry]})["scannings"]
    assert [repo["branch"] for repo in first["repos"]] == ["x", "main"]
    assert values(first["key_vals"])["LEVEL"] == "info"


def test_credentials_are_shown_in_clear_text(zadig: Visitor) -> None:
    jobs = stored(zadig)
    (secret,) = [one for one in jobs["script"]["spec"]["envs"] if one["is_credential"]]
    assert secret["value"] == "s3cret"


@pytest.mark.parametrize(
    ("name", "parameters", "where"),
    [
        ("plugin", {"kv": {}}, "PluginJobInput.kv of type []*types.KV"),
        ("script", {"kv": [{"value": 1}]}, "KV.kv.value of type string"),
        ("vm-deploy", {"env_name": 1}, "ZadigVMDeployJobInput.env_name of type string"),
        ("iterations", {"iteration_ids": [1]}, "TapdJobInput.iteration_ids of type string"),
        ("migrate", {"sql": []}, "SQLJobInput.sql of type string"),
    ],
)
def test_wrong_types_are_refused_with_gos_text(
    zadig: Visitor, name: str, parameters: Any, where: str
) -> None:
    status, text = stored(zadig, (name, parameters))
    assert status == 500
    assert text.startswith("unmarshal task error: json: cannot unmarshal ")
    assert text.endswith(f" into Go struct field {where}")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("build", {"registry": REGISTRY, "service_list": [None]}),
        ("plugin", {"kv": [None]}),
        ("script", {"repo_info": [None]}),
        ("vm-deploy", {"service_list": [None]}),
        ("custom-deploy", {"target_list": [None]}),
        ("gray-rollback", {"target_list": [None]}),
        ("patch", {"target_list": [None]}),
        ("scan", {"scanning_list": [None]}),
    ],
)
def test_null_entries_crash_the_handler(zadig: Visitor, name: str, parameters: Any) -> None:
    assert stored(zadig, (name, parameters)) == (500, "")
