"""Jobs on the wire: how they are written, how they are read back, what an update would lose.

Written, a workflow job names a workflow and gives inputs; read, it holds the whole stored workflow
(docs/servers/zadig.md §5 and §9). Runtime fields of a job are never compared and never sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from planops.backends.trees import Tree, rows, text, tree
from planops.backends.zadig.inputs import project
from planops.backends.zadig.parameters import kept_parameters
from planops.backends.zadig.references import Names, Reading
from planops.backends.zadig.repositories import repositories
from planops.core.model import JSON, escape

DONE = frozenset({"done", "skipped"})
EXECUTED = frozenset({"running", "done", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A delta path, and where it is noted that something below it cannot be compared."""

    path: str
    unseen: dict[str, str]

    def below(self, path: str) -> _Place:
        return replace(self, path=f"{self.path}/{path}")

    def hide(self, name: str, why: str) -> None:
        self.unseen[f"{self.path}/{name}"] = why


def view_jobs(
    raw: JSON, declared: Sequence[Tree], unseen: dict[str, str], reading: Reading
) -> list[JSON]:
    """Read jobs back in the form in which files declare them.

    ``declared`` are the file's jobs: inputs are read back only as far as they ask. ``unseen``
    collects the delta paths that cannot be compared, with the reason.
    """
    wanted = {job_key(job): tree(job.get("spec")) for job in declared}
    return [_view_job(job, wanted.get(job_key(job), {}), unseen, reading) for job in rows(raw)]


def _view_job(job: Tree, declared: Tree, unseen: dict[str, str], reading: Reading) -> JSON:
    spec = tree(job.get("spec"))
    kind, name = job.get("type", ""), job.get("name", "")
    path = f"/spec/jobs/{escape(f'{kind}:{name}')}/spec"
    if kind == "workflow":
        at = replace(reading, executed=was_executed(job))
        seen = _view_workflow(
            tree(spec.get("workflow")), declared, _Place(path=path, unseen=unseen), at
        )
    else:
        seen = {"content": spec.get("content", ""), "remark": spec.get("remark", "")}
    if was_done(job) and "remark" in declared:
        # The executor's remark replaced the file's: it is theirs now (docs/servers/zadig.md §5).
        seen["remark"] = declared["remark"]
    return {"name": name, "type": kind, "spec": seen}


def job_key(job: Tree) -> tuple[str, str]:
    """Give what tells a job from its neighbours: type and name."""
    return text(job, "type"), text(job, "name")


def was_done(job: Tree) -> bool:
    """Tell whether somebody has executed or skipped the job."""
    return bool(DONE & {text(job, "status"), text(job, "last_status")})


def was_executed(job: Tree) -> bool:
    """Tell whether the job was ever started: its stored workflow was then merged (§9.23)."""
    return bool(EXECUTED & {text(job, "status"), text(job, "last_status")})


def _view_workflow(workflow: Tree, declared: Tree, place: _Place, reading: Reading) -> Tree:
    seen: Tree = {
        "workflow_key": workflow.get("name", ""),
        "project_key": workflow.get("project", ""),
        "remark": workflow.get("remark", ""),
    }
    if "parameters" in declared:
        seen["parameters"] = _view_parameters(rows(declared["parameters"]), workflow, reading)
    if "inputs" in declared:
        seen["inputs"] = _view_inputs(rows(declared["inputs"]), workflow, place, reading)
    return seen


def _view_parameters(declared: list[Tree], workflow: Tree, reading: Reading) -> list[JSON]:
    held = {text(param, "name"): param for param in rows(workflow.get("params"))}
    return [
        _view_parameter(param, held[text(param, "name")], reading)
        for param in declared
        if text(param, "name") in held
    ]


def _view_parameter(declared: Tree, held: Tree, reading: Reading) -> JSON:
    seen = dict(declared)
    if "value" in declared:
        seen["value"] = held.get("value", "")
    if declared.get("repo"):
        found = repositories([tree(declared["repo"])], [tree(held.get("repo"))], reading)
        seen["repo"] = found[0] if found else {}
    return seen


def _view_inputs(
    declared: list[Tree], workflow: Tree, place: _Place, reading: Reading
) -> list[JSON]:
    """A job of the workflow is listed exactly where it is not skipped."""
    wanted = {str(item.get("job_name", "")): item for item in declared}
    held = {
        str(job.get("name", "")): job
        for stage in rows(workflow.get("stages"))
        for job in rows(stage.get("jobs"))
        if not job.get("skipped")
    }
    seen = [
        _view_input(item, held[name], place.below(f"inputs/{escape(name)}"), reading)
        for name, item in wanted.items()
        if name in held
    ]
    more: list[JSON] = [
        {"job_name": name, "job_type": job.get("type", "")}
        for name, job in held.items()
        if name not in wanted
    ]
    return seen + more


def _view_input(declared: Tree, job: Tree, place: _Place, reading: Reading) -> JSON:
    kind = str(job.get("type", ""))
    seen = dict(declared)
    if "job_type" in declared:
        seen["job_type"] = kind
    parameters = tree(declared.get("parameters"))
    if parameters:
        found = project(kind, parameters, tree(job.get("spec")), reading)
        if found is None:
            place.hide(
                "parameters",
                f"planops cannot read the parameters of a {kind} job back from the server",
            )
        seen["parameters"] = {} if found is None else found
    return seen


def job_bodies(
    jobs: JSON, declared: Sequence[Tree], live: Sequence[Tree], names: Names
) -> list[JSON]:
    """Write jobs as PATCH takes them: name, type and spec, and nothing that the server owns.

    Inputs are those of the file, as ``declared`` has them, since none can be read back whole.
    Variables of a workflow that no file declares keep the values that ``live`` holds.
    """
    wanted = {job_key(job): tree(job.get("spec")) for job in declared}
    held = {job_key(job): tree(job.get("spec")) for job in live}
    return [
        _job_body(job, wanted.get(job_key(job), {}), held.get(job_key(job), {}), names)
        for job in rows(jobs)
    ]


def _job_body(job: Tree, declared: Tree, live: Tree, names: Names) -> JSON:
    spec = tree(job.get("spec"))
    if job.get("type") != "workflow":
        body: Tree = {name: spec.get(name, "") for name in ("content", "remark")}
    else:
        body = {name: spec.get(name, "") for name in ("workflow_key", "project_key", "remark")}
        parameters = rows(spec.get("parameters"))
        named = {text(param, "name") for param in parameters}
        workflow = tree(live.get("workflow"))
        if workflow.get("name") == body["workflow_key"]:
            kept = kept_parameters(workflow, names)
            parameters += (p for p in kept if text(p, "name") not in named)
        if parameters:
            body["parameters"] = list(parameters)
        body["inputs"] = list(rows(declared.get("inputs")))
    return {"name": job.get("name", ""), "type": job.get("type", ""), "spec": body}


def unfaithful_jobs(raw: JSON, *, declared: bool, ignore: Sequence[str]) -> Iterator[str]:
    """Say what an update of the whole list would lose, each with what to do about it.

    ``declared`` tells whether the file declares the jobs, ``ignore`` which paths it leaves alone.
    """
    seen: set[tuple[str, str]] = set()
    for job in rows(raw):
        kind, name = job_key(job)
        where = f"job {kind}:{name}"
        if (kind, name) in seen:
            yield f"{where} is there twice, and they cannot be told apart; rename one on the server"
        seen.add((kind, name))
        if job.get("manager_id") or job.get("manager"):
            yield (
                f"{where} has a manager of its own ({job.get('manager') or job.get('manager_id')}),"
                " which no update can keep; remove it on the server"
            )
        if kind not in ("text", "workflow"):
            yield f"{where} is of a type that updates drop in silence; change it on the server"
        elif kind == "workflow" and (not declared or _is_ignored(kind, name, ignore)):
            yield (
                f"{where} runs a workflow whose inputs cannot be read back whole;"
                " declare the jobs, and ignore none of their inputs"
            )


def _is_ignored(kind: str, name: str, ignore: Sequence[str]) -> bool:
    """Tell whether an ignored path holds a job's inputs, or lies within them."""
    inputs = f"/spec/jobs/{escape(f'{kind}:{name}')}/spec/inputs"
    return any(f"{inputs}/".startswith(f"{p}/") or p.startswith(f"{inputs}/") for p in ignore)


def rerun(raw: JSON) -> list[str]:
    """Name the jobs that were already done and that an update makes run again."""
    return [str(job.get("name", "")) for job in rows(raw) if was_done(job)]


def stored_workflows(raw: JSON) -> dict[str, Tree]:
    """Give the stored workflow of every workflow job, by the job's name."""
    return {
        text(job, "name"): tree(tree(job.get("spec")).get("workflow"))
        for job in rows(raw)
        if text(job, "type") == "workflow"
    }


def declared_jobs(spec: Mapping[str, JSON]) -> list[Tree]:
    """Give the jobs that a file declares, none where it declares no list."""
    return rows(spec.get("jobs"))
