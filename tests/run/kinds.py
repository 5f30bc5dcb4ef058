"""Plans with inputs of every kind of workflow job, as the examples have them, and varied."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from planops.core.changes import Cause, Delta
from planops.core.model import Plan
from planops.core.report import Outcome
from run.world import World, apply_one, asked, look, plan

ROOT = Path(__file__).parents[2]
FILES = {path.stem: path for path in (ROOT / "examples").glob("plans*/zadig/inputs/*.yaml")}
AT = "/spec/jobs/workflow:Release/spec"
Steps = Sequence[str | int]


def workflow(wanted: Plan) -> Any:
    """The spec of a plan's workflow job."""
    jobs: Any = wanted.spec["jobs"]
    return jobs[0]["spec"]


def release(*inputs: dict[str, Any]) -> Plan:
    """A plan with these inputs of the workflow that has a job of every type."""
    spec: Any = {"workflow_key": "everything", "project_key": "shop", "inputs": list(inputs)}
    return plan(jobs=[{"name": "Release", "type": "workflow", "spec": spec}])


def given(job: str, kind: str, **parameters: Any) -> dict[str, Any]:
    return {"job_name": job, "job_type": kind, "parameters": parameters}


def changed(wanted: Plan, job: str, path: Steps, value: Any) -> Plan:
    """The same plan with one value of one job's parameters changed; ``None`` takes an item out."""
    spec = copy.deepcopy(wanted.spec)
    inputs = workflow(replace(wanted, spec=spec))["inputs"]
    put(next(one for one in inputs if one["job_name"] == job)["parameters"], path, value)
    return replace(wanted, spec=spec)


def put(tree: Any, path: Steps, value: Any) -> None:
    for token in path[:-1]:
        tree = tree[token]
    if value is None:
        del tree[path[-1]]
    elif isinstance(tree, list) and path[-1] == len(tree):
        tree.append(value)
    else:
        tree[path[-1]] = value


def stored(document: Any, name: str) -> Any:
    """The spec of one job of the stored workflow."""
    stages = document["jobs"][0]["spec"]["workflow"]["stages"]
    return next(job for stage in stages for job in stage["jobs"] if job["name"] == name)["spec"]


def deltas(zadig: World, wanted: Plan) -> tuple[Delta, ...]:
    return look(zadig.target(), [wanted], asked())[1].changes[0].deltas


def paths(zadig: World, wanted: Plan) -> list[str]:
    found = deltas(zadig, wanted)
    assert all(delta.cause is not Cause.UNKNOWN for delta in found)
    return [delta.path for delta in found]


def made(zadig: World, wanted: Plan) -> str:
    report = apply_one(zadig.target(), wanted)
    assert (report.outcome, report.error) == (Outcome.APPLIED, "")
    return report.id or ""


def at(job: str, below: str) -> str:
    return f"{AT}/inputs/{job}/parameters/{below}"
