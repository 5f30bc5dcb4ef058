"""The update example of Zadig's documentation, applied, compared, and changed on either side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planops.core.changes import Cause
from planops.core.model import Plan
from planops.manifests.yaml import parse
from planops.sandbox.zadig import Generation
from run.bench import Bench, benches, differing
from run.single_changes import at, changed_at, find

EXAMPLE = Path(__file__).parents[2] / "examples/plans/zadig/update-example.yaml"
INPUTS = ("jobs", 1, "spec", "inputs")
AT = "/spec/jobs/workflow:Workflow-1/spec/inputs"
TICKET = {"name": "ticket", "type": "string", "value": "OPS-1"}
BUILT = (*INPUTS, 0, "parameters", "service_list", 0, "repo_info", 0, "branch")
TESTED = (*INPUTS, 2, "parameters", "testing_list", 0, "repo_info", 0, "branch")
REPORT = "gitlab:team:test-report"
BRANCHES = {
    "build": (
        BUILT,
        f"{AT}/build/parameters/service_list/service1:service1/repo_info/gitlab:team:demo/branch",
    ),
    "test": (
        TESTED,
        f"{AT}/test/parameters/testing_list/static-html-report/repo_info/{REPORT}/branch",
    ),
}


def documented(generation: Generation) -> dict[str, Any]:
    """The project's copy of the example, with the variable that v4.1 overlooks (§12)."""
    (document,) = parse(EXAMPLE.read_bytes(), EXAMPLE.name).documents
    value: Any = document.value
    value["metadata"].pop("target", None)  # the settings here have one target only
    if generation != "4.1":
        value["spec"]["jobs"][1]["spec"]["parameters"] = [TICKET]
    return dict(value)


def store_branch(held: Any, job: str, branch: str) -> None:
    """Change a branch where the server keeps it (§9.5, §9.7)."""
    stages = held["jobs"][1]["spec"]["workflow"]["stages"]
    stored = find([one for stage in stages for one in stage["jobs"]], name=job)["spec"]
    if job == "build":
        row = find(stored["service_and_builds"], service_name="service1")
        find(row["repos"], repo_name="demo")["branch"] = branch
    else:
        row = find(stored["test_modules"], name="static-html-report")
        find(row["repos"], repo_name="test-report")["branch"] = branch


def made(bench: Bench, document: dict[str, Any]) -> Plan:
    plan = bench.load(document)
    assert bench.apply(plan) == ["POST", "PATCH"]
    return plan


def in_order(bench: Bench, plan: Plan) -> None:
    """Nothing differs, and nothing more is written."""
    since = len(bench.zadig.writes())
    _, change, _ = bench.look(plan)
    assert (change.deltas, change.steps, change.refusals) == ((), (), ())
    assert bench.zadig.writes(since) == []


@pytest.mark.parametrize("generation", ["5.0", "4.1"])
def test_the_documented_update_is_sent_as_documented_and_then_in_order(
    generation: Generation, tmp_path: Path
) -> None:
    with benches(generation, tmp_path) as bench:
        document = documented(generation)
        plan = made(bench, document)
        method, _, body = bench.zadig.writes()[-1]
        assert method == "PATCH"
        assert body["jobs"] == document["spec"]["jobs"]
        in_order(bench, plan)


@pytest.mark.parametrize("job", BRANCHES)
@pytest.mark.parametrize("generation", ["5.0", "4.1"])
def test_a_branch_changed_in_git_is_one_edit_and_one_patch(
    generation: Generation, job: str, tmp_path: Path
) -> None:
    tokens, path = BRANCHES[job]
    with benches(generation, tmp_path) as bench:
        document = documented(generation)
        before = at(document["spec"], tokens)
        made(bench, document)
        base, _, _ = bench.look(bench.load(document))
        plan = bench.load(changed_at(document, tokens, "hotfix/1"))
        desired, change, raw = bench.look(plan)
        for seen in (change, bench.decide(desired, raw, dict(base.spec))):
            (delta,) = seen.deltas
            assert (delta.path, delta.cause) == (path, Cause.EDIT)
            assert (delta.desired, delta.live) == ("hotfix/1", before)
        assert bench.apply(plan) == ["PATCH"]
        in_order(bench, plan)


@pytest.mark.parametrize("job", BRANCHES)
@pytest.mark.parametrize("generation", ["5.0", "4.1"])
def test_the_same_branch_changed_on_the_server_is_drift_of_just_that(
    generation: Generation, job: str, tmp_path: Path
) -> None:
    tokens, path = BRANCHES[job]
    with benches(generation, tmp_path) as bench:
        document = documented(generation)
        before = at(document["spec"], tokens)
        plan = made(bench, document)
        id_ = str(bench.zadig.sandbox.plans()[0]["id"])
        bench.zadig.sandbox.edit(id_, lambda held: store_branch(held, job, "hotfix/1"))
        base, change, raw = bench.look(plan)
        (delta,) = differing(bench.decide(base, raw, dict(base.spec)))
        assert (delta.path, delta.cause) == (path, Cause.DRIFT)
        assert (delta.base, delta.desired, delta.live) == (before, before, "hotfix/1")
        assert [one.path for one in change.deltas] == [path]
        assert bench.apply(plan) == ["PATCH"]
        in_order(bench, plan)
