"""Inputs of every type of workflow job: applied, then compared; a change shows as just that."""

from __future__ import annotations

from typing import Any

import pytest

from planops import reconcile
from planops.backends.zadig.inputs import PROJECTIONS, project
from planops.backends.zadig.references import Reading
from planops.core.changes import Cause
from planops.core.model import Plan
from planops.core.report import Outcome
from planops.manifests.rules_inputs import JOB_TYPES
from planops.sandbox.zadig import Generation
from run.kinds import (
    AT,
    FILES,
    Steps,
    at,
    changed,
    deltas,
    given,
    made,
    paths,
    put,
    release,
    stored,
    workflow,
)
from run.world import World, applied, apply_one, asked, look, outcomes, world

NEWEST = ("ai-release-specialist", "ai-task")
"""Newer than any generation of the sandbox."""
NAMES = sorted(FILES.keys() - set(NEWEST))
BY_SERVICE = ("service-script", "service-scan", "service-test")
"""Jobs whose inputs are newer than v4.1."""
UNREAD = ("k8s-blue-green-deploy", "k8s-canary-deploy", "k8s-gray-release")
SHOWS_UNKNOWN = ("k8s-canary-deploy", "k8s-canary-release", "k8s-gray-release")


@pytest.fixture
def zadig(newest: World) -> World:
    """What is here is newer than 4.1, or tried on both generations in test_run_generated.py."""
    return newest


# ------------------------------------------------------------------------------------------- once


@pytest.mark.parametrize(
    ("generation", "name"),
    [("5.0", name) for name in NAMES] + [("4.1", name) for name in NAMES if name != "variables"],
)
def test_an_example_is_applied_once(name: str, generation: Generation, example: Any) -> None:
    wanted = example(name)
    if generation == "4.1":
        spec = workflow(wanted)
        spec["inputs"] = [one for one in spec["inputs"] if one["job_name"] not in BY_SERVICE]
    with world(generation) as zadig:
        made(zadig, wanted)
        since = len(zadig.writes())
        (change,) = look(zadig.target(), [wanted], asked())[1].changes
        assert change.steps == ()
        causes = {Cause.UNKNOWN} if name in SHOWS_UNKNOWN else set()
        assert {delta.cause for delta in change.deltas} == causes
        assert set(outcomes(applied(zadig.target(), [wanted])).values()) == {Outcome.UNCHANGED}
        assert zadig.writes(since) == []


@pytest.mark.parametrize("name", ["freestyle", "zadig-scanning", "zadig-test", "variables"])
def test_what_v4_1_overlooks_is_said(name: str, example: Any) -> None:
    with world("4.1") as zadig:
        report = apply_one(zadig.target(), example(name))
        assert report.outcome is Outcome.FAILED
        assert f"keeps something else in {AT}" in report.error


def test_every_type_can_be_read_back_but_those_that_lose_their_inputs() -> None:
    assert PROJECTIONS.keys() == JOB_TYPES - set(UNREAD)


@pytest.mark.parametrize("kind", sorted(PROJECTIONS))
def test_what_is_not_declared_is_not_read(kind: str) -> None:
    stored: Any = {"env": "x", "sql": "x", "services": [{"service_name": "a"}]}
    assert project(kind, {}, stored, Reading()) == {}


# ----------------------------------------------------------------------------------- in the file

SERVICE = ("service_list", 0)
PATCHED = "target_list/Deployment:apps:v1:cart"
SCRIPTS = "repo_info/gitlab:team:scripts"
CART = "service_list/cart:cart"
SHARED = {
    "codehost_name": "github",
    "repo_namespace": "team",
    "repo_name": "shared",
    "branch": "dev",
}
FILE_CHANGES: list[tuple[str, str, Steps, Any, str]] = [
    ("plugin", "plugin", ("kv", 0, "value"), "#other", "kv/channel/value"),
    ("freestyle", "script", ("kv", 0, "value"), "2", "kv/VERSION/value"),
    ("freestyle", "script", ("repo_info", 0, "branch"), "dev", f"{SCRIPTS}/branch"),
    ("freestyle", "script", ("repo_info", 0, "commit_id"), "0" * 40, f"{SCRIPTS}/commit_id"),
    ("freestyle", "script", ("repo_info", 0, "enable_commit"), False, f"{SCRIPTS}/enable_commit"),
    ("freestyle", "script", ("repo_info", 0, "checkout_path"), "src", f"{SCRIPTS}/checkout_path"),
    ("freestyle", "script", ("repo_info", 0, "submodules"), True, f"{SCRIPTS}/submodules"),
    ("freestyle", "script", ("repo_info", 0, "remote_name"), "up", f"{SCRIPTS}/remote_name"),
    ("freestyle", "script", ("repo_info", 1), SHARED, "repo_info/github:team:shared"),
    (
        "freestyle",
        "service-script",
        ("services", 0, "inputs", 0, "value"),
        "info",
        "services/cart:cart/inputs/LEVEL/value",
    ),
    ("zadig-vm-deploy", "vm-deploy", ("env_name",), "other", "env_name"),
    (
        "zadig-vm-deploy",
        "vm-deploy",
        ("service_list", 1),
        {"service_name": "checkout", "file_name": "checkout-1.4.0.tar.gz"},
        "service_list/checkout",
    ),
    (
        "custom-deploy",
        "custom-deploy",
        ("target_list", 0, "image_name"),
        "cart:2",
        "target_list/deployment:cart:cart/image_name",
    ),
    (
        "zadig-scanning",
        "scan",
        ("scanning_list", 0, "repo_info", 0, "branch"),
        "dev",
        "scanning_list/lint/repo_info/gitlab:team:lint/branch",
    ),
    (
        "zadig-scanning",
        "service-scan",
        (*SERVICE, "inputs", 0, "value"),
        "info",
        f"{CART}/inputs/LEVEL/value",
    ),
    (
        "zadig-test",
        "service-test",
        (*SERVICE, "inputs", 0, "value"),
        "2",
        f"{CART}/inputs/VERSION/value",
    ),
    (
        "zadig-test",
        "service-test",
        ("service_list", 1),
        {"service_name": "checkout", "service_module": "checkout"},
        "service_list/checkout:checkout",
    ),
    (
        "zadig-build",
        "build",
        (*SERVICE, "repo_info", 0, "prs"),
        [7],
        f"{CART}/repo_info/gitlab:team:cart/prs",
    ),
    (
        "zadig-build",
        "build",
        (*SERVICE, "inputs", 2, "value"),
        "safe",
        f"{CART}/inputs/FLAGS/value",
    ),
    ("zadig-deploy", "deploy", ("env_name",), "dev", "env_name"),
    ("zadig-deploy", "deploy", (*SERVICE, "image_name"), "cart:2", f"{CART}/image_name"),
    (
        "k8s-gray-rollback",
        "gray-rollback",
        ("target_list", 1),
        {"workload_type": "deployment", "workload_name": "checkout"},
        "target_list/deployment:checkout",
    ),
    (
        "k8s-resource-patch",
        "patch",
        ("target_list", 0, "inputs", 0, "value"),
        "5",
        f"{PATCHED}/inputs/replicas/value",
    ),
    ("sql", "migrate", ("sql",), "SELECT 1;\n", "sql"),
    ("tapd", "iterations", ("status",), "open", "status"),
    ("tapd", "iterations", ("iteration_ids", 1), None, "iteration_ids"),
]


@pytest.mark.parametrize(
    ("name", "job", "path", "value", "shown"),
    FILE_CHANGES,
    ids=[f"{one[1]}-{one[-1]}" for one in FILE_CHANGES],
)
def test_a_change_in_the_file_shows_its_path(
    zadig: World, example: Any, name: str, job: str, path: Steps, value: Any, shown: str
) -> None:
    before = example(name)
    made(zadig, before)
    since = len(zadig.writes())
    wanted = changed(before, job, path, value)
    assert paths(zadig, wanted) == [at(job, shown)]
    made(zadig, wanted)
    assert [method for method, *_ in zadig.writes(since)] == ["PATCH"]
    assert paths(zadig, wanted) == []


# --------------------------------------------------------------------------------- on the server

VM = {"service_name": "checkout", "service_module": "", "file_name": "x"}
ITERATION = {"iteration_id": "9", "iteration_name": "Sprint 9"}
SERVER_CHANGES: list[tuple[str, str, Steps, Any, str]] = [
    ("plugin", "plugin", ("plugin", "inputs", 0, "value"), "#x", "kv/channel/value"),
    ("plugin", "plugin", ("plugin", "inputs", 0), None, "kv/channel"),
    ("freestyle", "script", ("envs", 0, "value"), "x", "kv/VERSION/value"),
    ("freestyle", "script", ("repos", 0, "branch"), "x", f"{SCRIPTS}/branch"),
    ("freestyle", "script", ("repos", 0, "commit_id"), "x", f"{SCRIPTS}/commit_id"),
    ("freestyle", "script", ("repos", 0), None, SCRIPTS),
    ("freestyle", "script", ("repos", 1), SHARED, "repo_info/team:shared"),
    (
        "freestyle",
        "service-script",
        ("services", 0, "key_vals", 1, "value"),
        "x",
        "services/cart:cart/inputs/LEVEL/value",
    ),
    ("freestyle", "service-script", ("services", 0), None, "services/cart:cart"),
    (
        "freestyle",
        "service-script",
        ("services", 1),
        {"service_name": "a", "service_module": "b"},
        "services/a:b",
    ),
    ("zadig-vm-deploy", "vm-deploy", ("env",), "x", "env_name"),
    (
        "zadig-vm-deploy",
        "vm-deploy",
        ("service_and_vm_deploys", 0, "file_name"),
        "x",
        "service_list/cart/file_name",
    ),
    ("zadig-vm-deploy", "vm-deploy", ("service_and_vm_deploys", 1), VM, "service_list/checkout"),
    (
        "custom-deploy",
        "custom-deploy",
        ("targets", 0, "image"),
        None,
        "target_list/deployment:cart:cart/image_name",
    ),
    (
        "custom-deploy",
        "custom-deploy",
        ("targets", 1),
        {"target": "deployment/a/b", "image": "x"},
        "target_list/deployment:a:b",
    ),
    (
        "zadig-scanning",
        "scan",
        ("scannings", 0, "repos", 0, "branch"),
        "x",
        "scanning_list/lint/repo_info/gitlab:team:lint/branch",
    ),
    ("zadig-scanning", "scan", ("scannings", 0), None, "scanning_list/lint"),
    (
        "zadig-scanning",
        "service-scan",
        ("service_and_scannings", 0, "key_vals", 1, "value"),
        "x",
        f"{CART}/inputs/LEVEL/value",
    ),
    ("zadig-scanning", "service-scan", ("service_and_scannings", 0), None, CART),
    (
        "zadig-test",
        "service-test",
        ("service_and_tests", 0, "key_vals", 0, "value"),
        "x",
        f"{CART}/inputs/VERSION/value",
    ),
    ("zadig-test", "service-test", ("service_and_tests", 0), None, CART),
    ("zadig-build", "build", ("service_and_builds", 0), None, CART),
    ("zadig-build", "build", ("docker_registry_id",), "", "registry"),
    (
        "zadig-deploy",
        "deploy",
        ("services", 0, "modules", 0, "image"),
        "x",
        f"{CART}/image_name",
    ),
    ("k8s-gray-rollback", "gray-rollback", ("targets", 0), None, "target_list/deployment:cart"),
    (
        "k8s-gray-rollback",
        "gray-rollback",
        ("targets", 1),
        {"workload_type": "deployment", "workload_name": "a"},
        "target_list/deployment:a",
    ),
    (
        "k8s-resource-patch",
        "patch",
        ("patch_items", 0, "params", 0, "value"),
        "1",
        f"{PATCHED}/inputs/replicas/value",
    ),
    ("k8s-resource-patch", "patch", ("patch_items", 0), None, PATCHED),
    ("sql", "migrate", ("sql",), "DROP TABLE orders;", "sql"),
    ("sql", "migrate", ("id",), "", "database_name"),
    ("tapd", "iterations", ("status",), "open", "status"),
    ("tapd", "iterations", ("project_id",), "1", "project_id"),
    ("tapd", "iterations", ("iterations", 0), None, "iteration_ids"),
    ("tapd", "iterations", ("iterations", 2), ITERATION, "iteration_ids"),
]


@pytest.mark.parametrize(
    ("name", "job", "path", "value", "shown"),
    SERVER_CHANGES,
    ids=[f"{one[1]}-{'.'.join(map(str, one[2]))}" for one in SERVER_CHANGES],
)
def test_a_change_on_the_server_shows_its_path(
    zadig: World, example: Any, name: str, job: str, path: Steps, value: Any, shown: str
) -> None:
    wanted = example(name)
    id_ = made(zadig, wanted)
    zadig.sandbox.edit(id_, lambda held: put(stored(held, job), path, value))
    since = len(zadig.writes())
    assert paths(zadig, wanted) == [at(job, shown)]
    made(zadig, wanted)
    assert [method for method, *_ in zadig.writes(since)] == ["PATCH"]
    assert paths(zadig, wanted) == []


UNDECLARED: list[tuple[str, str, Steps, Any]] = [
    ("plugin", "plugin", ("plugin", "version"), "v9"),
    ("plugin", "plugin", ("plugin", "inputs", 1, "value"), "x"),
    ("freestyle", "script", ("envs", 1, "value"), "x"),
    ("freestyle", "script", ("repos", 0, "checkout_path"), "x"),
    ("freestyle", "service-script", ("repos", 0, "branch"), "x"),
    ("zadig-vm-deploy", "vm-deploy", ("service_and_vm_deploys", 0, "task_id"), 9),
    ("custom-deploy", "custom-deploy", ("timeout",), 99),
    ("zadig-scanning", "scan", ("scannings", 1, "repos", 0, "branch"), "x"),
    ("k8s-resource-patch", "patch", ("patch_items", 0, "patch_content"), "x"),
    ("k8s-gray-rollback", "gray-rollback", ("rollback_timeout",), 1),
    ("tapd", "iterations", ("iterations", 0, "iteration_name"), "x"),
    ("sql", "migrate", ("type",), "x"),
]


@pytest.mark.parametrize(("name", "job", "path", "value"), UNDECLARED)
def test_what_no_file_declares_is_not_compared(
    zadig: World, example: Any, name: str, job: str, path: Steps, value: Any
) -> None:
    wanted = example(name)
    id_ = made(zadig, wanted)
    zadig.sandbox.edit(id_, lambda held: put(stored(held, job), path, value))
    assert paths(zadig, wanted) == []


# ------------------------------------------------------------------------------- what is not seen


def test_a_name_that_the_server_takes_from_elsewhere_is_not_compared(
    zadig: World, example: Any
) -> None:
    before = example("tapd")
    made(zadig, before)
    assert paths(zadig, changed(before, "iterations", ("project_name",), "Another")) == []


LOST: list[tuple[str, str, Steps]] = [
    ("k8s-canary-deploy", "canary-deploy", ("service_list", 0, "image_name")),
    ("k8s-gray-release", "gray-release", ("target_list", 0, "image_name")),
]


@pytest.mark.parametrize(("name", "job", "path"), LOST)
def test_what_the_server_empties_is_unknown_and_alone_no_reason_to_write(
    zadig: World, example: Any, name: str, job: str, path: Steps
) -> None:
    before = example(name)
    made(zadig, before)
    wanted = changed(before, job, path, "cart:2")
    (delta,) = deltas(zadig, wanted)
    assert (delta.path, delta.cause) == (f"{AT}/inputs/{job}/parameters", Cause.UNKNOWN)
    assert "cannot read the parameters" in delta.note
    assert outcomes(applied(zadig.target(), [wanted])) == {before.key.name: Outcome.UNCHANGED}


def test_inputs_that_erase_a_job_are_not_said_to_be_in_order(zadig: World) -> None:
    services = [{"service_name": "cart", "image_name": "cart:2"}]
    wanted = release(given("blue-green-deploy", "k8s-blue-green-deploy", service_list=services))
    made(zadig, wanted)
    assert [delta.cause for delta in deltas(zadig, wanted)] == [Cause.UNKNOWN]


# ----------------------------------------------------------------------- services of another job

BUILT = given(
    "build",
    "zadig-build",
    registry="https://reg.example.com/test",
    service_list=[
        {"service_name": name, "service_module": name, "inputs": [{"key": "VERSION", "value": "2"}]}
        for name in ("cart", "checkout")
    ],
)
LEVEL = {
    "service_name": "cart",
    "service_module": "cart",
    "inputs": [{"key": "LEVEL", "value": "debug"}],
}


@pytest.mark.parametrize(
    ("job", "kind", "field"),
    [
        ("script-of-build", "freestyle", "services"),
        ("test-of-build", "zadig-test", "service_list"),
        ("scan-of-build", "zadig-scanning", "service_list"),
    ],
)
def test_services_of_another_job_are_compared_as_far_as_the_file_names_them(
    zadig: World, job: str, kind: str, field: str
) -> None:
    wanted = release(BUILT, given(job, kind, **{field: [LEVEL]}))
    made(zadig, wanted)
    assert paths(zadig, wanted) == []
    other = changed(wanted, job, (field, 0, "inputs", 0, "value"), "info")
    assert paths(zadig, other) == [at(job, f"{field}/cart:cart/inputs/LEVEL/value")]
    made(zadig, other)
    assert paths(zadig, other) == []


# ------------------------------------------------------------------------------------ repositories

DEPOT = {"codehost_name": "depot", "stream": "//cart/main", "changelist_id": 7}
MIRRORS = [
    {"codehost_name": host, "repo_namespace": "team", "repo_name": "cart", "branch": branch}
    for host, branch in (("gitlab", "main"), ("github", "next"))
]


def script(*repos: dict[str, Any]) -> Plan:
    return release(given("script", "freestyle", repo_info=list(repos)))


def test_repositories_of_one_name_on_two_hosts_are_told_apart(zadig: World) -> None:
    wanted = script(*MIRRORS)
    id_ = made(zadig, wanted)
    assert paths(zadig, wanted) == []
    other = changed(wanted, "script", ("repo_info", 0, "branch"), "dev")
    assert paths(zadig, other) == [at("script", "repo_info/gitlab:team:cart/branch")]
    zadig.sandbox.edit(id_, lambda held: stored(held, "script")["repos"].reverse())
    assert paths(zadig, wanted) == []
    made(zadig, other)
    made(zadig, wanted)
    zadig.sandbox.edit(id_, lambda held: put(stored(held, "script"), ("repos", 1, "branch"), "x"))
    assert paths(zadig, wanted) == [at("script", "repo_info/github:team:cart/branch")]


def test_a_perforce_repository_is_compared(zadig: World) -> None:
    wanted = script(DEPOT, MIRRORS[0])
    made(zadig, wanted)
    assert paths(zadig, wanted) == []
    for field, value in (("stream", "//cart/dev"), ("changelist_id", 8)):
        other = changed(wanted, "script", ("repo_info", 0, field), value)
        assert paths(zadig, other) == [at("script", f"repo_info/depot/{field}")]


@pytest.mark.parametrize("remote", ["", None, "origin", "upstream"])
def test_a_remote_that_is_not_named_is_origin(zadig: World, remote: str | None) -> None:
    wanted = script({**MIRRORS[0], "remote_name": remote})
    made(zadig, wanted)
    assert paths(zadig, wanted) == []


@pytest.mark.parametrize("empty", [[], None])
def test_no_repositories_given_are_the_jobs_own(zadig: World, empty: Any) -> None:
    wanted = release(given("script", "freestyle", repo_info=empty, kv=None))
    made(zadig, wanted)
    assert paths(zadig, wanted) == []


# ---------------------------------------------------------------------------------- odds and ends


def test_lists_that_a_file_leaves_empty_are_wanted_empty(zadig: World) -> None:
    wanted = release(
        given("custom-deploy", "custom-deploy", target_list=[]),
        given("patch", "k8s-resource-patch", target_list=None),
        given("gray-rollback", "k8s-gray-rollback", target_list=[]),
        given("vm-deploy", "zadig-vm-deploy", env_name="vms", service_list=[]),
        given("service-scan", "zadig-scanning", service_list=[]),
    )
    id_ = made(zadig, wanted)
    assert paths(zadig, wanted) == []
    zadig.sandbox.edit(
        id_, lambda held: put(stored(held, "custom-deploy"), ("targets", 0), {"target": "a/b/c"})
    )
    assert paths(zadig, wanted) == [at("custom-deploy", "target_list/a:b:c")]


@pytest.mark.parametrize(
    "wanted",
    [
        given("plugin", "plugin", kv=[{"key": "nowhere", "value": "x"}]),
        given("script", "freestyle", kv=[{"key": "nowhere", "value": "x"}]),
        given("scan", "zadig-scanning", scanning_list=[{"scanning_name": "nowhere"}]),
        given(
            "patch",
            "k8s-resource-patch",
            target_list=[
                {
                    "resource_kind": "Job",
                    "resource_group": "batch",
                    "resource_version": "v1",
                    "resource_name": "nowhere",
                }
            ],
        ),
        given(
            "gray-rollback",
            "k8s-gray-rollback",
            target_list=[{"workload_type": "deployment", "workload_name": "nowhere"}],
        ),
    ],
    ids=lambda one: one["job_name"],
)
def test_what_the_server_drops_is_said(zadig: World, wanted: Any) -> None:
    report = apply_one(zadig.target(), release(wanted))
    assert report.outcome is Outcome.FAILED
    assert "nowhere" in report.error


def test_the_spelling_of_a_rolled_back_kind_does_not_matter(zadig: World) -> None:
    target = {"workload_type": "Deployment", "workload_name": "cart"}
    wanted = release(given("gray-rollback", "k8s-gray-rollback", target_list=[target]))
    made(zadig, wanted)
    assert paths(zadig, wanted) == []


def test_iterations_of_the_workflows_own_are_shown_until_they_are_declared(zadig: World) -> None:
    held = zadig.sandbox.workflow("everything")
    own = {"iteration_id": "1155014084001000093", "iteration_name": "Sprint 1"}
    next(job for stage in held["stages"] for job in stage["jobs"] if job["name"] == "iterations")[
        "spec"
    ]["iterations"] = [own]
    zadig.sandbox.put_workflow(held)
    ids = ["1155014084001000094"]
    wanted = release(given("iterations", "tapd", project_id="55014084", iteration_ids=ids))
    report = apply_one(zadig.target(), wanted)
    assert report.outcome is Outcome.FAILED
    assert at("iterations", "iteration_ids") in report.error
    wanted = changed(wanted, "iterations", ("iteration_ids", 1), own["iteration_id"])
    assert paths(zadig, wanted) == []
    made(zadig, changed(wanted, "iterations", ("status",), "done"))


def test_a_secret_that_a_plugin_holds_is_not_shown(zadig: World) -> None:
    wanted = release(given("plugin", "plugin", kv=[{"key": "token", "value": "declared"}]))
    id_ = made(zadig, wanted)
    zadig.sandbox.edit(
        id_,
        lambda held: put(stored(held, "plugin"), ("plugin", "inputs", 1, "value"), "s3cr3t-of-it"),
    )
    target, run = zadig.target(), asked()
    sight, changes = look(target, [wanted], run)
    (delta,) = reconcile.show(target, sight, changes, run).changes[0].change.deltas
    assert delta.path == at("plugin", "kv/token/value")
    assert "s3cr3t" not in repr(delta)
