"""Workflow inputs read back: unchanged shows nothing, one change shows exactly its own path."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from planops import reconcile
from planops.core.changes import Delta
from planops.core.model import JSON, Plan
from planops.core.report import Outcome
from run.world import World, applied, apply_one, asked, look, outcomes, plan, text

AT = "/spec/jobs/workflow:Deploy/spec"
BUILD = f"{AT}/inputs/build/parameters"
DEPLOY = f"{AT}/inputs/deploy/parameters"
TEST = f"{AT}/inputs/test/parameters"
Path = Sequence[str | int]

DEMO = {"codehost_name": "gitlab", "repo_namespace": "team", "repo_name": "demo", "branch": "b"}
REPORT = {**DEMO, "repo_name": "test-report", "branch": "main"}
WORKFLOW: dict[str, Any] = {
    "workflow_key": "old-hook",
    "project_key": "yaml",
    "remark": "r",
    "parameters": [
        {"name": "ticket", "type": "string", "value": "SHOP-1"},
        {"name": "region", "type": "choice", "value": "us"},
    ],
    "inputs": [
        {
            "job_name": "build",
            "job_type": "zadig-build",
            "parameters": {
                "registry": "https://reg.example.com/test",
                "service_list": [
                    {
                        "service_name": "service1",
                        "service_module": "service1",
                        "repo_info": [{**DEMO, "pr": 7, "enable_commit": True, "commit_id": "abc"}],
                        "inputs": [{"key": "gggg", "value": "abcd"}],
                    },
                    {"service_name": "service2", "service_module": "service2"},
                ],
            },
        },
        {
            "job_name": "deploy",
            "job_type": "zadig-deploy",
            "parameters": {
                "env_name": "dev",
                "service_list": [
                    {"service_name": "a", "service_module": "m", "image_name": "img:1"},
                    {"service_name": "a", "service_module": "n", "image_name": "img:2"},
                    {
                        "service_name": "b",
                        "service_module": "m",
                        "image_name": "img:3",
                        "value_merge_strategy": "override",
                    },
                ],
            },
        },
        {
            "job_name": "test",
            "job_type": "zadig-test",
            "parameters": {
                "testing_list": [
                    {
                        "testing_name": "static-html-report",
                        "repo_info": [REPORT],
                        "inputs": [{"key": "SUITE", "value": "full"}],
                    }
                ]
            },
        },
    ],
}


def declared(spec: dict[str, Any] | None = None) -> Plan:
    job: JSON = {"name": "Deploy", "type": "workflow", "spec": spec or WORKFLOW}
    return plan(jobs=[text(), job])


def changed(path: Path, value: Any) -> dict[str, Any]:
    spec = copy.deepcopy(WORKFLOW)
    put(spec, path, value)
    return spec


def put(tree: Any, path: Path, value: Any) -> None:
    for token in path[:-1]:
        tree = tree[token]
    tree[path[-1]] = value


def job_of(document: Any, name: str) -> Any:
    stages = document["jobs"][1]["spec"]["workflow"]["stages"]
    return next(job for stage in stages for job in stage["jobs"] if job["name"] == name)


def deltas(zadig: World, wanted: Plan) -> tuple[Delta, ...]:
    return look(zadig.target(), [wanted], asked())[1].changes[0].deltas


def paths(zadig: World, wanted: Plan) -> list[str]:
    return [delta.path for delta in deltas(zadig, wanted)]


FILE_CHANGES: list[tuple[Path, Any, str]] = [
    (("remark",), "other", f"{AT}/remark"),
    (("parameters", 0, "value"), "SHOP-2", f"{AT}/parameters/ticket/value"),
    (("parameters", 1, "value"), "eu", f"{AT}/parameters/region/value"),
    (
        ("inputs", 0, "parameters", "service_list", 0, "repo_info", 0, "branch"),
        "other",
        f"{BUILD}/service_list/service1:service1/repo_info/gitlab:team:demo/branch",
    ),
    (
        ("inputs", 0, "parameters", "service_list", 0, "repo_info", 0, "pr"),
        8,
        f"{BUILD}/service_list/service1:service1/repo_info/gitlab:team:demo/pr",
    ),
    (
        ("inputs", 0, "parameters", "service_list", 0, "repo_info", 0, "enable_commit"),
        False,
        f"{BUILD}/service_list/service1:service1/repo_info/gitlab:team:demo/enable_commit",
    ),
    (
        ("inputs", 0, "parameters", "service_list", 0, "repo_info", 0, "commit_id"),
        "def",
        f"{BUILD}/service_list/service1:service1/repo_info/gitlab:team:demo/commit_id",
    ),
    (
        ("inputs", 0, "parameters", "service_list", 0, "inputs", 0, "value"),
        "x",
        f"{BUILD}/service_list/service1:service1/inputs/gggg/value",
    ),
    (("inputs", 1, "parameters", "env_name"), "prod", f"{DEPLOY}/env_name"),
    (
        ("inputs", 1, "parameters", "service_list", 1, "image_name"),
        "img:9",
        f"{DEPLOY}/service_list/a:n/image_name",
    ),
    (
        ("inputs", 1, "parameters", "service_list", 2, "value_merge_strategy"),
        "reuse",
        f"{DEPLOY}/service_list/b:m/value_merge_strategy",
    ),
    (
        ("inputs", 2, "parameters", "testing_list", 0, "repo_info", 0, "branch"),
        "dev",
        f"{TEST}/testing_list/static-html-report/repo_info/gitlab:team:test-report/branch",
    ),
    (
        ("inputs", 2, "parameters", "testing_list", 0, "inputs", 0, "value"),
        "smoke",
        f"{TEST}/testing_list/static-html-report/inputs/SUITE/value",
    ),
]

BUILT = ("spec", "service_and_builds", 0)
SERVER_CHANGES: list[tuple[str, Path, Any, str]] = [
    ("build", ("spec", "docker_registry_id"), "", f"{BUILD}/registry"),
    (
        "build",
        (*BUILT, "repos", 0, "branch"),
        "x",
        f"{BUILD}/service_list/service1:service1/repo_info/gitlab:team:demo/branch",
    ),
    (
        "build",
        (*BUILT, "repos", 0, "pr"),
        0,
        f"{BUILD}/service_list/service1:service1/repo_info/gitlab:team:demo/pr",
    ),
    (
        "build",
        (*BUILT, "key_vals", 0, "value"),
        "x",
        f"{BUILD}/service_list/service1:service1/inputs/gggg/value",
    ),
    ("deploy", ("spec", "env"), "prod", f"{DEPLOY}/env_name"),
    (
        "deploy",
        ("spec", "services", 0, "modules", 1, "image"),
        "x",
        f"{DEPLOY}/service_list/a:n/image_name",
    ),
    (
        "deploy",
        ("spec", "services", 1, "value_merge_strategy"),
        "",
        f"{DEPLOY}/service_list/b:m/value_merge_strategy",
    ),
    (
        "test",
        ("spec", "test_modules", 0, "repos", 0, "branch"),
        "x",
        f"{TEST}/testing_list/static-html-report/repo_info/gitlab:team:test-report/branch",
    ),
    (
        "test",
        ("spec", "test_modules", 0, "key_vals", 0, "value"),
        "x",
        f"{TEST}/testing_list/static-html-report/inputs/SUITE/value",
    ),
    ("test", ("skipped",), True, f"{AT}/inputs/test"),
    ("notify", ("skipped",), False, f"{AT}/inputs/notify"),
]
UNDECLARED: list[tuple[str, Path, Any]] = [
    ("build", (*BUILT, "build_name"), "x"),
    ("build", (*BUILT, "key_vals", 1, "value"), "x"),
    ("build", (*BUILT, "repos", 0, "remote_name"), "x"),
    ("deploy", ("spec", "production"), True),
    ("test", ("spec", "test_modules", 1, "repos", 0, "branch"), "x"),
    ("build", ("run_policy",), "x"),
]


@pytest.fixture
def zadig(newest: World) -> World:
    """What is here is newer than 4.1, or tried on both generations in test_run_generated.py."""
    return newest


def test_unchanged_inputs_show_nothing(zadig: World) -> None:
    assert apply_one(zadig.target(), declared()).outcome is Outcome.APPLIED
    assert paths(zadig, declared()) == []
    assert outcomes(applied(zadig.target(), [declared()])) == {"train": Outcome.UNCHANGED}
    assert len(zadig.writes()) == 2


@pytest.mark.parametrize(
    ("path", "value", "shown"), FILE_CHANGES, ids=[one[-1] for one in FILE_CHANGES]
)
def test_a_change_in_the_file_shows_its_path(
    zadig: World, path: Path, value: Any, shown: str
) -> None:
    apply_one(zadig.target(), declared())
    wanted = declared(changed(path, value))
    assert paths(zadig, wanted) == [shown]
    assert apply_one(zadig.target(), wanted).outcome is Outcome.APPLIED
    assert paths(zadig, wanted) == []


@pytest.mark.parametrize(
    ("job", "path", "value", "shown"), SERVER_CHANGES, ids=[one[-1] for one in SERVER_CHANGES]
)
def test_a_change_on_the_server_shows_its_path(
    zadig: World, job: str, path: Path, value: Any, shown: str
) -> None:
    made = apply_one(zadig.target(), declared()).id or ""
    zadig.sandbox.edit(made, lambda held: put(job_of(held, job), path, value))
    assert paths(zadig, declared()) == [shown]
    assert apply_one(zadig.target(), declared()).outcome is Outcome.APPLIED
    assert paths(zadig, declared()) == []


@pytest.mark.parametrize(("job", "path", "value"), UNDECLARED)
def test_what_no_file_declares_is_not_compared(
    zadig: World, job: str, path: Path, value: Any
) -> None:
    made = apply_one(zadig.target(), declared()).id or ""
    zadig.sandbox.edit(made, lambda held: put(job_of(held, job), path, value))
    assert paths(zadig, declared()) == []


def edited(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    spec = copy.deepcopy(WORKFLOW)
    change(spec)
    return spec


def test_an_input_that_goes_is_wanted_skipped(zadig: World) -> None:
    apply_one(zadig.target(), declared())
    wanted = declared(edited(lambda spec: spec["inputs"].pop(1)))
    assert paths(zadig, wanted) == [f"{AT}/inputs/deploy"]
    assert apply_one(zadig.target(), wanted).outcome is Outcome.APPLIED
    assert job_of(zadig.named("train")[0], "deploy")["skipped"]
    assert paths(zadig, wanted) == []


def test_an_input_that_comes_is_shown(zadig: World) -> None:
    apply_one(zadig.target(), declared(edited(lambda spec: spec["inputs"].pop(2))))
    assert paths(zadig, declared()) == [f"{AT}/inputs/test"]


def test_a_service_that_goes_is_shown(zadig: World) -> None:
    apply_one(zadig.target(), declared())
    wanted = declared(edited(lambda spec: spec["inputs"][0]["parameters"]["service_list"].pop(1)))
    assert all(path.startswith(f"{BUILD}/service_list") for path in paths(zadig, wanted))
    assert paths(zadig, wanted)
    assert apply_one(zadig.target(), wanted).outcome is Outcome.APPLIED
    assert paths(zadig, wanted) == []


def test_inputs_left_out_run_nothing(zadig: World) -> None:
    bare = {"workflow_key": "old-hook", "project_key": "yaml"}
    apply_one(zadig.target(), declared(bare))
    assert paths(zadig, declared(bare)) == []
    held = zadig.named("train")[0]["jobs"][1]["spec"]["workflow"]["stages"]
    assert all(job["skipped"] for stage in held for job in stage["jobs"])


def test_variables_that_no_file_declares_keep_their_value(zadig: World) -> None:
    made = apply_one(zadig.target(), declared()).id or ""

    def set_notes(held: Any) -> None:
        held["jobs"][1]["spec"]["workflow"]["params"][1]["value"] = "typed by hand"

    zadig.sandbox.edit(made, set_notes)
    assert paths(zadig, declared()) == []
    apply_one(zadig.target(), declared(changed(("remark",), "other")))
    held = zadig.named("train")[0]["jobs"][1]["spec"]["workflow"]["params"]
    assert [one["value"] for one in held] == ["SHOP-1", "typed by hand", "us"]


def test_another_workflow_gets_no_variables_of_the_old_one(zadig: World) -> None:
    apply_one(zadig.target(), declared({"workflow_key": "old-hook"}))
    wanted = declared({"workflow_key": "deploy"})
    assert paths(zadig, wanted) == [f"{AT}/workflow_key"]
    assert apply_one(zadig.target(), wanted).outcome is Outcome.APPLIED
    assert "parameters" not in zadig.writes()[-1][2]["jobs"][1]["spec"]
    assert paths(zadig, wanted) == []


def test_what_the_server_drops_is_said_once_and_not_written_for_ever(zadig: World) -> None:
    unknown = changed(("inputs", 0, "parameters", "service_list", 0, "inputs", 0, "key"), "UNKNOWN")
    report = apply_one(zadig.target(), declared(unknown))
    assert report.outcome is Outcome.FAILED
    assert f"{BUILD}/service_list/service1:service1/inputs/UNKNOWN" in report.error
    assert "manage.ignore" in report.error
    assert len(zadig.writes()) == 2


def test_a_repository_variable_is_compared(zadig: World) -> None:
    held = {
        "source": "gitlab",
        "codehost_id": 1,
        "repo_namespace": "team",
        "repo_name": "demo",
        "branch": "main",
        "prs": [],
    }
    source = {
        "name": "source",
        "type": "repo",
        "value": "",
        "repo": held,
        "choice_option": [],
        "is_credential": False,
    }
    zadig.sandbox.put_workflow(
        {"name": "w", "project": "yaml", "params": [source], "stages": [], "remark": ""}
    )

    def wanted(branch: str) -> Plan:
        parameter = {"name": "source", "type": "repo", "repo": {**DEMO, "branch": branch}}
        return declared({"workflow_key": "w", "project_key": "yaml", "parameters": [parameter]})

    assert apply_one(zadig.target(), wanted("one")).outcome is Outcome.APPLIED
    assert paths(zadig, wanted("one")) == []
    assert paths(zadig, wanted("two")) == [f"{AT}/parameters/source/repo/branch"]
    assert apply_one(zadig.target(), wanted("two")).outcome is Outcome.APPLIED
    assert paths(zadig, wanted("two")) == []


def with_secret(held: Any) -> None:
    params = held["jobs"][1]["spec"]["workflow"]["params"]
    params[0] |= {"value": "s3cr3t-of-a-person", "is_credential": True}
    (build,) = (job for job in held["jobs"][1]["spec"]["workflow"]["stages"][0]["jobs"])
    build["spec"]["service_and_builds"][0]["key_vals"][0] |= {
        "value": "s3cr3t-of-a-person",
        "is_credential": True,
    }


def test_a_credential_that_is_kept_is_sent_and_not_shown(zadig: World) -> None:
    bare = edited(lambda spec: spec.pop("parameters"))
    del bare["inputs"][0]["parameters"]["service_list"][0]["inputs"]
    made = apply_one(zadig.target(), declared(bare)).id or ""
    zadig.sandbox.edit(made, with_secret)
    report = apply_one(zadig.target(), declared(bare | {"remark": "other"}))
    assert report.outcome is Outcome.APPLIED
    assert "s3cr3t" not in repr(replace(report.change, live=None))
    sent = zadig.writes()[-1][2]["jobs"][1]["spec"]["parameters"]
    assert sent[0]["value"] == "s3cr3t-of-a-person"


def test_a_credential_on_the_server_is_not_shown_where_the_file_differs(zadig: World) -> None:
    made = apply_one(zadig.target(), declared()).id or ""
    zadig.sandbox.edit(made, with_secret)
    target, run = zadig.target(), asked()
    sight, changes = look(target, [declared()], run)
    shown = reconcile.show(target, sight, changes, run).changes[0].change
    assert len(shown.deltas) == 2
    assert "s3cr3t" not in repr(shown.deltas)
