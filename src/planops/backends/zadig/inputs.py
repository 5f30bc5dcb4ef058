"""Workflow inputs, read back: what a stored workflow says of the inputs that a file declares.

The server keeps no inputs. It merges them into a copy of the workflow and stores that
(docs/servers/zadig.md §9), so a file's inputs are compared by looking for each declared value where
the server put it. What a file does not declare there is not compared. One function a job type; a
type without one is *unseen*: a change to its parameters shows only where the file itself is looked
at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from planops.backends.trees import Tree, nothing, rows, text, tree
from planops.backends.zadig.references import Reading, named
from planops.backends.zadig.repositories import fresh_repositories, repositories
from planops.core.model import JSON

Projection: TypeAlias = Callable[[Tree, Tree, Reading], Tree]
"""Declared parameters and a stored job's spec go in; the same parameters as stored come out."""
Repositories: TypeAlias = Callable[[list[Tree], list[Tree], Reading], list[JSON]]
"""Declared and stored repositories go in; the declared ones as stored come out."""

SERVICE = ("service_name", "service_module")
WORKLOAD = ("workload_type", "workload_name", "container_name")
RESOURCE = ("resource_name", "resource_kind", "resource_group", "resource_version")


def project(job_type: str, declared: Tree, stored: Tree, reading: Reading) -> Tree | None:
    """Read declared parameters back from a stored job; ``None`` where there is no projection."""
    projection = PROJECTIONS.get(job_type)
    return None if projection is None else projection(declared, stored, reading)


def _build(declared: Tree, stored: Tree, reading: Reading) -> Tree:
    """zadig-build: `docker_registry_id` and `service_and_builds` (docs/servers/zadig.md §9.5)."""
    seen: Tree = {}
    if "registry" in declared:
        registry, known = declared["registry"], reading.names.registries
        held = named(stored.get("docker_registry_id"), registry, known)
        seen["registry"] = registry if reading.executed else held
    services = stored.get("service_and_builds")
    return seen | _list(declared, "service_list", services, SERVICE, reading)


def _deploy(declared: Tree, stored: Tree, reading: Reading) -> Tree:
    """zadig-deploy: `env`, and the modules of `services` (docs/servers/zadig.md §9.6)."""
    modules: list[JSON] = [
        {
            "service_name": service.get("service_name", ""),
            "service_module": module.get("service_module", ""),
            "image_name": module.get("image", ""),
            "value_merge_strategy": service.get("value_merge_strategy", ""),
        }
        for service in rows(stored.get("services"))
        for module in rows(service.get("modules"))
    ]
    return _environment(declared, stored) | _list(
        declared, "service_list", modules, SERVICE, reading
    )


def _vm_deploy(declared: Tree, stored: Tree, reading: Reading) -> Tree:
    """zadig-vm-deploy: `env`, and `service_and_vm_deploys` (docs/servers/zadig.md §9.15)."""
    services = stored.get("service_and_vm_deploys")
    return _environment(declared, stored) | _list(
        declared, "service_list", services, SERVICE[:1], reading
    )


def _environment(declared: Tree, stored: Tree) -> Tree:
    return {"env_name": stored.get("env", "")} if "env_name" in declared else {}


def _custom_deploy(declared: Tree, stored: Tree, reading: Reading) -> Tree:
    """custom-deploy: `targets`, named type/name/container (docs/servers/zadig.md §9.16)."""
    targets: list[JSON] = [
        {
            **dict(zip(WORKLOAD, text(one, "target").split("/", 2), strict=False)),
            "image_name": text(one, "image"),
        }
        for one in rows(stored.get("targets"))
    ]
    return _list(declared, "target_list", targets, WORKLOAD, reading)


def _test(declared: Tree, stored: Tree, reading: Reading) -> Tree:
    """zadig-test: `test_modules`, or `service_and_tests` (docs/servers/zadig.md §9.7, §9.14)."""
    modules = _modules(declared, "testing_list", stored.get("test_modules"), reading)
    services = stored.get("service_and_tests")
    return modules | _list(declared, "service_list", services, SERVICE, reading)


def _scanning(declared: Tree, stored: Tree, reading: Reading) -> Tree:
    """zadig-scanning: `scannings`, or `service_and_scannings` (docs/servers/zadig.md §9.14)."""
    modules = _modules(declared, "scanning_list", stored.get("scannings"), reading)
    services = stored.get("service_and_scannings")
    return modules | _list(declared, "service_list", services, SERVICE, reading)


def _modules(declared: Tree, field: str, stored: JSON, reading: Reading) -> Tree:
    """Tests or scans by name: the server keeps all of the workflow and updates those named."""
    name = field.replace("_list", "_name")
    modules: list[JSON] = [one | {name: text(one, "name")} for one in rows(stored)]
    return _list(declared, field, modules, (name,), reading, more=False)


def _plugin(declared: Tree, stored: Tree, _reading: Reading) -> Tree:
    """plugin: `plugin.inputs` (docs/servers/zadig.md §9.12)."""
    inputs = rows(_keyed(tree(stored.get("plugin")).get("inputs")))
    return {"kv": _variables(rows(declared["kv"]), inputs)} if "kv" in declared else {}


def _freestyle(declared: Tree, stored: Tree, reading: Reading) -> Tree:
    """freestyle: `envs` and `repos`, or `services` (docs/servers/zadig.md §9.13).

    Where the source is `fromjob`, which services there are is the other job's choice: those that a
    file does not name are not shown.
    """
    seen: Tree = {}
    if "kv" in declared:
        seen["kv"] = _variables(rows(declared["kv"]), rows(stored.get("envs")))
    if "repo_info" in declared:
        repos = rows(stored.get("repos"))
        seen["repo_info"] = fresh_repositories(rows(declared["repo_info"]), repos, reading)
    own = stored.get("source") != "fromjob"
    services = stored.get("services")
    return seen | _list(
        declared, "services", services, SERVICE, reading, fresh_repositories, more=own
    )


def _gray_rollback(declared: Tree, stored: Tree, reading: Reading) -> Tree:
    """k8s-gray-rollback: `targets`, found by name alone (docs/servers/zadig.md §9.18)."""
    kinds = {text(row, "workload_name"): row for row in rows(declared.get("target_list"))}
    targets: list[JSON] = [
        one | {"workload_type": text(kinds.get(text(one, "workload_name"), one), "workload_type")}
        for one in rows(stored.get("targets"))
    ]
    return _list(declared, "target_list", targets, WORKLOAD[:2], reading)


def _resource_patch(declared: Tree, stored: Tree, reading: Reading) -> Tree:
    """k8s-resource-patch: `patch_items`, their `params` (docs/servers/zadig.md §9.19)."""
    items: list[JSON] = [
        {name: text(item, name) for name in RESOURCE} | {"key_vals": _keyed(item.get("params"))}
        for item in rows(stored.get("patch_items"))
    ]
    return _list(declared, "target_list", items, RESOURCE, reading)


def _sql(declared: Tree, stored: Tree, reading: Reading) -> Tree:
    """sql: `sql`, and `id` (docs/servers/zadig.md §9.20)."""
    seen: Tree = {}
    if "database_name" in declared:
        known = reading.names.databases
        seen["database_name"] = named(stored.get("id"), declared["database_name"], known)
    if "sql" in declared:
        seen["sql"] = stored.get("sql", "")
    return seen


def _tapd(declared: Tree, stored: Tree, _reading: Reading) -> Tree:
    """tapd: `project_id`, `status` and `iterations` (docs/servers/zadig.md §9.20).

    The server takes the project's name from Tapd. Iterations of the workflow's own stay beside
    those given, and cannot be told from them.
    """
    seen = {
        name: value if name == "project_name" else stored.get(name) or nothing(value)
        for name, value in declared.items()
    }
    if "iteration_ids" in declared:
        held = (text(one, "iteration_id") for one in rows(stored.get("iterations")))
        seen["iteration_ids"] = list(dict.fromkeys(held))
    return seen


def _bare(_declared: Tree, _stored: Tree, _reading: Reading) -> Tree:
    """Types without parameters: being listed is all that the server keeps of them."""
    return {}


# Three types have none. The server's own refresh empties the targets of k8s-canary-deploy and
# k8s-gray-release before it applies inputs, so nothing of these is stored (docs/servers/zadig.md
# §9.21); inputs of k8s-blue-green-deploy erase the job's settings, and what is left breaks when it
# is executed (§9.17): a projection would show as in order what does not run.
PROJECTIONS: Mapping[str, Projection] = {
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
    "approval": _bare,
    "k8s-blue-green-release": _bare,
    "k8s-canary-release": _bare,
    "ai-release-specialist": _bare,
    "ai-task": _bare,
}


def _list(
    declared: Tree,
    field: str,
    stored: JSON,
    key: Sequence[str],
    reading: Reading,
    repos: Repositories = repositories,
    *,
    more: bool = True,
) -> Tree:
    """A declared list as the server holds it: declared rows in the file's order, then any more."""
    if field not in declared:
        return {}
    held = {_key(row, key): row for row in rows(stored)}
    wanted = {_key(row, key): row for row in rows(declared[field])}
    found = [_row(row, held[name], repos, reading) for name, row in wanted.items() if name in held]
    others: list[JSON] = [
        {name: text(row, name) for name in key}
        for identity, row in held.items()
        if more and identity not in wanted
    ]
    return {field: found + others}


def _key(row: Tree, key: Sequence[str]) -> tuple[str, ...]:
    return tuple(text(row, name) for name in key)


def _row(declared: Tree, stored: Tree, repos: Repositories, reading: Reading) -> JSON:
    """One row with the fields that the file declares, as the server holds them."""
    seen: Tree = {}
    for name, value in declared.items():
        match name:
            case "repo_info":
                seen[name] = repos(rows(value), rows(stored.get("repos")), reading)
            case "inputs":
                seen[name] = _variables(rows(value), rows(stored.get("key_vals")))
            case _:
                seen[name] = stored.get(name) if name in stored else nothing(value)
    return seen


def _keyed(params: JSON) -> list[JSON]:
    """Variables that the server calls by name, as those that it calls by key."""
    return [param | {"key": text(param, "name")} for param in rows(params)]


def _variables(declared: list[Tree], stored: list[Tree]) -> list[JSON]:
    """Variables by key; those that the job does not define are dropped by the server."""
    held = {text(pair, "key"): pair for pair in stored}
    return [
        dict(pair) | {"value": held[text(pair, "key")].get("value", "")}
        for pair in declared
        if text(pair, "key") in held
    ]
