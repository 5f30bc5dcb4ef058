"""Inputs of workflow jobs that a file would declare: what a stored workflow says of them.

The inverse of ``inputs.py``: one function a job type. Whole, not minimal: an update makes the
workflow anew, and gives back its own value to whatever a file does not say (docs/servers/zadig.md
§9.1). A job is listed exactly where it is not skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from planops.backends.trees import Tree, rows, text, tree
from planops.backends.zadig.inputs import PROJECTIONS, RESOURCE, SERVICE, WORKLOAD
from planops.backends.zadig.references import Known, Names
from planops.backends.zadig.repositories import FRESH_FIELDS, ORIGIN, REPO_FIELDS
from planops.core.drafts import Notes
from planops.core.model import JSON

CHOSEN: Mapping[str, tuple[str, ...]] = {
    "k8s-blue-green-deploy": ("services", "targets"),
    "k8s-canary-deploy": ("targets",),
    "k8s-gray-release": ("targets",),
}
"""Where jobs whose inputs cannot be read back keep what was chosen, which an update empties."""
_FILE = ("file_id", "file_name", "file_path")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What inputs are drafted from, beside the job; ``old``: the server has none by service."""

    names: Names
    notes: Notes
    old: bool = False

    def secret(self, what: str, kept: str) -> None:
        """Say that a secret is not written down."""
        self.notes.notices.append(f"the value of {what} is a credential, and left out; {kept}")

    def refuse(self, why: str) -> None:
        """Say what no file can say."""
        self.notes.refusals.append(why)

    def name(self, id_: JSON, known: Known | None, title: str, at: str) -> str:
        """Give the name of an id, which is what files have; none is a refusal."""
        if known is not None and str(id_) in known:
            return known[str(id_)]
        why = "the token may not list them" if known is None else "the server has none of that id"
        self.refuse(f"{at} uses the {title} {id_}, and files need its name: {why}")
        return ""

    def repository(self, held: Tree, at: str, fields: Sequence[str] = REPO_FIELDS) -> Tree:
        """Declare a repository by its names, and whatever was chosen of it."""
        if held.get("tag"):
            self.refuse(
                f"{at} uses the tag {held['tag']} of {text(held, 'repo_name')}, and inputs know"
                " branches, pull requests and commits only; choose one of these on the server"
            )
        host = self.name(held.get("codehost_id"), self.names.code_hosts, "code host", at)
        declared: Tree = {"codehost_name": host}
        return declared | {
            name: held[name]
            for name in ("repo_namespace", "repo_name", *fields)
            if held.get(name) and not (name == "remote_name" and held[name] == ORIGIN)
        }

    def variables(self, held: JSON, at: str, key: str = "key") -> list[JSON]:
        """Declare variables by key, secrets aside."""
        found: list[JSON] = []
        for pair in rows(held):
            name = text(pair, key)
            if pair.get("is_credential"):
                if pair.get("value"):
                    self.secret(f"{name} of {at}", "an update gives it the workflow's own value")
                continue
            file: Tree = {field: pair[field] for field in _FILE if pair.get(field)}
            found.append({"key": name, "value": pair.get("value", "")} | file)
        return found

    def source(self, held: Tree, names: Tree, at: str) -> JSON:
        """Declare one service, test or scan: its repositories and its variables."""
        repos: list[JSON] = [self.repository(repo, at) for repo in rows(held.get("repos"))]
        pairs = self.variables(held.get("key_vals"), at)
        return names | _there({"repo_info": repos, "inputs": pairs})


Drafter: TypeAlias = Callable[[Tree, str, Sources], Tree]
"""A stored job's spec goes in; the parameters that a file would give it come out."""


def drafted_input(job: Tree, at: str, sources: Sources) -> JSON:
    """Declare one job of a workflow that is not skipped."""
    name, kind, stored = text(job, "name"), text(job, "type"), tree(job.get("spec"))
    where = f"input {name} of {at}"
    declared: Tree = {"job_name": name, "job_type": kind}
    if kind in CHOSEN:
        if any(stored.get(field) for field in CHOSEN[kind]):
            sources.refuse(
                f"{where} has chosen what a {kind} job works on, which every update empties; write"
                " the file by hand, with the parameters that the job shall be given"
            )
        return declared
    if kind not in PROJECTIONS:
        sources.refuse(
            f"{where} is a {kind} job, which updates can neither keep nor be given; skip that job"
            " on the server"
        )
        return declared
    parameters = DRAFTERS[kind](stored, where, sources) if kind in DRAFTERS else {}
    return declared | {"parameters": parameters} if parameters else declared


def _there(parameters: Tree) -> Tree:
    """Leave out lists and texts that are empty."""
    return {name: value for name, value in parameters.items() if value not in (None, "", [])}


def _named(row: Tree, names: Sequence[str]) -> Tree:
    return {name: text(row, name) for name in names}


def _services(stored: JSON, at: str, sources: Sources) -> list[JSON]:
    """Services with what each is made from; a server of 4.1 takes none."""
    if sources.old:
        return []
    return [sources.source(row, _named(row, SERVICE), at) for row in rows(stored)]


def _build(stored: Tree, at: str, sources: Sources) -> Tree:
    registry = sources.name(
        stored.get("docker_registry_id"), sources.names.registries, "image registry", at
    )
    services: list[JSON] = [
        sources.source(row, _named(row, SERVICE), at)
        for row in rows(stored.get("service_and_builds"))
    ]
    return {"registry": registry} | _there({"service_list": services})


def _deploy(stored: Tree, at: str, sources: Sources) -> Tree:
    services: list[JSON] = []
    for service in rows(stored.get("services")):
        name, modules = text(service, "service_name"), rows(service.get("modules"))
        strategy = {"value_merge_strategy": service.get("value_merge_strategy")}
        if not modules and stored.get("source") != "fromjob":
            sources.refuse(
                f"{at} deploys {name} without naming a module, which inputs cannot; choose its"
                " modules on the server"
            )
        for module in modules:
            row: Tree = {"service_name": name, "service_module": text(module, "service_module")}
            services.append(row | _there({"image_name": module.get("image"), **strategy}))
    return {"env_name": text(stored, "env")} | _there({"service_list": services})


def _vm_deploy(stored: Tree, _at: str, _sources: Sources) -> Tree:
    services: list[JSON] = [
        _named(row, SERVICE[:1]) | _there({"file_name": row.get("file_name")})
        for row in rows(stored.get("service_and_vm_deploys"))
    ]
    return {"env_name": text(stored, "env")} | _there({"service_list": services})


def _custom_deploy(stored: Tree, _at: str, _sources: Sources) -> Tree:
    targets: list[JSON] = []
    for row in rows(stored.get("targets")):
        parts = zip(WORKLOAD, text(row, "target").split("/", 2), strict=False)
        target: Tree = dict(parts)
        targets.append(target | _there({"image_name": row.get("image")}))
    return _there({"target_list": targets})


def _test(stored: Tree, at: str, sources: Sources) -> Tree:
    return _modules(stored, at, sources, ("testing", "test_modules", "service_and_tests"))


def _scanning(stored: Tree, at: str, sources: Sources) -> Tree:
    return _modules(stored, at, sources, ("scanning", "scannings", "service_and_scannings"))


def _modules(stored: Tree, at: str, sources: Sources, fields: tuple[str, str, str]) -> Tree:
    what, modules, services = fields
    named: list[JSON] = [
        sources.source(row, {f"{what}_name": text(row, "name")}, at)
        for row in rows(stored.get(modules))
    ]
    by_service = _services(stored.get(services), at, sources)
    return _there({f"{what}_list": named, "service_list": by_service})


def _plugin(stored: Tree, at: str, sources: Sources) -> Tree:
    inputs = tree(stored.get("plugin")).get("inputs")
    return _there({"kv": sources.variables(inputs, at, "name")})


def _freestyle(stored: Tree, at: str, sources: Sources) -> Tree:
    """A job of services keeps beside them what each began with, which no input changes (§9.13)."""
    if text(stored, "freestyle_type") == "service_freestyle" and not sources.old:
        rows_ = rows(stored.get("services"))
        services: list[JSON] = [_fresh(row, _named(row, SERVICE), at, sources) for row in rows_]
        return _there({"services": services})
    fields = REPO_FIELDS if sources.old else FRESH_FIELDS
    repos: list[JSON] = [sources.repository(row, at, fields) for row in rows(stored.get("repos"))]
    return _there({"kv": sources.variables(stored.get("envs"), at), "repo_info": repos})


def _fresh(row: Tree, names: Tree, at: str, sources: Sources) -> JSON:
    held = rows(row.get("repos"))
    repos: list[JSON] = [sources.repository(repo, at, FRESH_FIELDS) for repo in held]
    return names | _there(
        {"repo_info": repos, "inputs": sources.variables(row.get("key_vals"), at)}
    )


def _gray_rollback(stored: Tree, _at: str, _sources: Sources) -> Tree:
    targets: list[JSON] = [_named(row, WORKLOAD[:2]) for row in rows(stored.get("targets"))]
    return _there({"target_list": targets})


def _resource_patch(stored: Tree, at: str, sources: Sources) -> Tree:
    targets: list[JSON] = [
        _named(row, RESOURCE) | _there({"inputs": sources.variables(row.get("params"), at, "name")})
        for row in rows(stored.get("patch_items"))
    ]
    return _there({"target_list": targets})


def _sql(stored: Tree, at: str, sources: Sources) -> Tree:
    declared = _there({"sql": stored.get("sql")})
    if text(stored, "source") != "runtime" or not stored.get("id"):
        return declared
    database = sources.name(stored["id"], sources.names.databases, "database instance", at)
    return {"database_name": database} | declared


def _tapd(stored: Tree, _at: str, _sources: Sources) -> Tree:
    named = {name: stored.get(name) for name in ("project_id", "project_name", "status")}
    held = dict.fromkeys(text(row, "iteration_id") for row in rows(stored.get("iterations")))
    return _there({**named, "iteration_ids": list(held)})


DRAFTERS: Mapping[str, Drafter] = {
    "plugin": _plugin,
    "freestyle": _freestyle,
    "zadig-build": _build,
    "zadig-deploy": _deploy,
    "zadig-vm-deploy": _vm_deploy,
    "custom-deploy": _custom_deploy,
    "zadig-test": _test,
    "zadig-scanning": _scanning,
    "k8s-gray-rollback": _gray_rollback,
    "k8s-resource-patch": _resource_patch,
    "sql": _sql,
    "tapd": _tapd,
}
