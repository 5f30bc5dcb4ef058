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

from planops.core.model import JSON

Tree: TypeAlias = dict[str, JSON]
Projection: TypeAlias = Callable[[Tree, Tree], Tree]
"""Declared parameters and a stored job's spec go in; the same parameters as stored come out."""
Repositories: TypeAlias = Callable[[list[Tree], list[Tree]], list[JSON]]
"""Declared and stored repositories go in; the declared ones as stored come out."""

REPO_FIELDS = (
    "branch", "pr", "prs", "enable_commit", "commit_id", "remote_name",
    "stream", "view_mapping", "changelist_id", "shelve_id",
)  # fmt: skip
FRESH_FIELDS = (*REPO_FIELDS, "checkout_path", "submodules")
ORIGIN = "origin"

SERVICE = ("service_name", "service_module")
WORKLOAD = ("workload_type", "workload_name", "container_name")
RESOURCE = ("resource_name", "resource_kind", "resource_group", "resource_version")


def project(job_type: str, declared: Tree, stored: Tree) -> Tree | None:
    """Read declared parameters back from a stored job; ``None`` where there is no projection."""
    projection = PROJECTIONS.get(job_type)
    return None if projection is None else projection(declared, stored)


def rows(value: JSON) -> list[Tree]:
    """Give the objects of a list, whatever else may be in it or instead of it."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def tree(value: JSON) -> Tree:
    """Give an object, empty where there is none."""
    return value if isinstance(value, dict) else {}


def text(row: Tree, name: str) -> str:
    """Give a text field, empty where there is none or something else."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def repositories(declared: list[Tree], stored: list[Tree]) -> list[JSON]:
    """Repositories by namespace and name; the code host is declared by alias and stored by id.

    Those that the job has besides the declared ones are the workflow's own, and not compared.
    """
    return [_repository(repo, there, REPO_FIELDS) for repo, there in _paired(declared, stored)]


def fresh_repositories(declared: list[Tree], stored: list[Tree]) -> list[JSON]:
    """Repositories that replaced the job's (docs/servers/zadig.md §9.13): all that there are."""
    pairs = _paired(declared, stored)
    kept = [there for _, there in pairs]
    more: list[JSON] = [
        {name: text(repo, name) for name in ("repo_namespace", "repo_name")}
        for repo in stored
        if declared and not any(repo is there for there in kept)
    ]
    return [_repository(repo, there, FRESH_FIELDS) for repo, there in pairs] + more


def _paired(declared: list[Tree], stored: list[Tree]) -> list[tuple[Tree, Tree]]:
    """Find each declared repository; of several of one name, the one that is most like it."""
    left, found = list(stored), list[tuple[Tree, Tree]]()
    for repo in declared:
        alike = [there for there in left if _repo_key(there) == _repo_key(repo)]
        if alike:
            there = max(alike, key=lambda held: _likeness(repo, held))
            left = [held for held in left if held is not there]
            found.append((repo, there))
    return found


def _repo_key(repo: Tree) -> tuple[str, str]:
    return text(repo, "repo_namespace"), text(repo, "repo_name")


def _likeness(repo: Tree, held: Tree) -> int:
    return sum(held.get(name) == repo[name] for name in REPO_FIELDS if name in repo)


def _repository(declared: Tree, stored: Tree, fields: Sequence[str]) -> JSON:
    seen = {
        name: (stored.get(name) or _nothing(value)) if name in fields else value
        for name, value in declared.items()
    }
    if seen.get("remote_name") == ORIGIN and not declared["remote_name"]:
        seen["remote_name"] = ""  # what the server says where nothing was said
    return seen


def _build(declared: Tree, stored: Tree) -> Tree:
    """zadig-build: `docker_registry_id` and `service_and_builds` (docs/servers/zadig.md §9.5).

    A registry is declared by address and stored by id, so planops sees only that there is one.
    """
    seen: Tree = {}
    if "registry" in declared:
        seen["registry"] = declared["registry"] if stored.get("docker_registry_id") else ""
    return seen | _list(declared, "service_list", stored.get("service_and_builds"), SERVICE)


def _deploy(declared: Tree, stored: Tree) -> Tree:
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
    return _environment(declared, stored) | _list(declared, "service_list", modules, SERVICE)


def _vm_deploy(declared: Tree, stored: Tree) -> Tree:
    """zadig-vm-deploy: `env`, and `service_and_vm_deploys` (docs/servers/zadig.md §9.15)."""
    services = stored.get("service_and_vm_deploys")
    return _environment(declared, stored) | _list(declared, "service_list", services, SERVICE[:1])


def _environment(declared: Tree, stored: Tree) -> Tree:
    return {"env_name": stored.get("env", "")} if "env_name" in declared else {}


def _custom_deploy(declared: Tree, stored: Tree) -> Tree:
    """custom-deploy: `targets`, named type/name/container (docs/servers/zadig.md §9.16)."""
    targets: list[JSON] = [
        {
            **dict(zip(WORKLOAD, text(one, "target").split("/", 2), strict=False)),
            "image_name": text(one, "image"),
        }
        for one in rows(stored.get("targets"))
    ]
    return _list(declared, "target_list", targets, WORKLOAD)


def _test(declared: Tree, stored: Tree) -> Tree:
    """zadig-test: `test_modules`, or `service_and_tests` (docs/servers/zadig.md §9.7, §9.14)."""
    modules = _modules(declared, "testing_list", stored.get("test_modules"), "testing_name")
    return modules | _list(declared, "service_list", stored.get("service_and_tests"), SERVICE)


def _scanning(declared: Tree, stored: Tree) -> Tree:
    """zadig-scanning: `scannings`, or `service_and_scannings` (docs/servers/zadig.md §9.14)."""
    modules = _modules(declared, "scanning_list", stored.get("scannings"), "scanning_name")
    return modules | _list(declared, "service_list", stored.get("service_and_scannings"), SERVICE)


def _modules(declared: Tree, field: str, stored: JSON, name: str) -> Tree:
    """Tests or scans by name: the server keeps all of the workflow and updates those named."""
    named: list[JSON] = [one | {name: text(one, "name")} for one in rows(stored)]
    return _list(declared, field, named, (name,), more=False)


def _plugin(declared: Tree, stored: Tree) -> Tree:
    """plugin: `plugin.inputs` (docs/servers/zadig.md §9.12)."""
    inputs = rows(_keyed(tree(stored.get("plugin")).get("inputs")))
    return {"kv": _variables(rows(declared["kv"]), inputs)} if "kv" in declared else {}


def _freestyle(declared: Tree, stored: Tree) -> Tree:
    """freestyle: `envs` and `repos`, or `services` (docs/servers/zadig.md §9.13).

    Where the source is `fromjob`, which services there are is the other job's choice: those that a
    file does not name are not shown.
    """
    seen: Tree = {}
    if "kv" in declared:
        seen["kv"] = _variables(rows(declared["kv"]), rows(stored.get("envs")))
    if "repo_info" in declared:
        repos = rows(stored.get("repos"))
        seen["repo_info"] = fresh_repositories(rows(declared["repo_info"]), repos)
    own = stored.get("source") != "fromjob"
    services = stored.get("services")
    return seen | _list(declared, "services", services, SERVICE, fresh_repositories, more=own)


def _gray_rollback(declared: Tree, stored: Tree) -> Tree:
    """k8s-gray-rollback: `targets`, found by name alone (docs/servers/zadig.md §9.18)."""
    kinds = {text(row, "workload_name"): row for row in rows(declared.get("target_list"))}
    targets: list[JSON] = [
        one | {"workload_type": text(kinds.get(text(one, "workload_name"), one), "workload_type")}
        for one in rows(stored.get("targets"))
    ]
    return _list(declared, "target_list", targets, WORKLOAD[:2])


def _resource_patch(declared: Tree, stored: Tree) -> Tree:
    """k8s-resource-patch: `patch_items`, their `params` (docs/servers/zadig.md §9.19)."""
    items: list[JSON] = [
        {name: text(item, name) for name in RESOURCE} | {"key_vals": _keyed(item.get("params"))}
        for item in rows(stored.get("patch_items"))
    ]
    return _list(declared, "target_list", items, RESOURCE)


def _sql(declared: Tree, stored: Tree) -> Tree:
    """sql: `sql`, and `id` (docs/servers/zadig.md §9.20).

    An instance is declared by name and stored by id, so planops sees only that there is one.
    """
    seen: Tree = {}
    if "database_name" in declared:
        seen["database_name"] = declared["database_name"] if stored.get("id") else ""
    if "sql" in declared:
        seen["sql"] = stored.get("sql", "")
    return seen


def _tapd(declared: Tree, stored: Tree) -> Tree:
    """tapd: `project_id`, `status` and `iterations` (docs/servers/zadig.md §9.20).

    The server takes the project's name from Tapd. Iterations of the workflow's own stay beside
    those given, and cannot be told from them.
    """
    seen = {
        name: value if name == "project_name" else stored.get(name) or _nothing(value)
        for name, value in declared.items()
    }
    if "iteration_ids" in declared:
        held = (text(one, "iteration_id") for one in rows(stored.get("iterations")))
        seen["iteration_ids"] = list(dict.fromkeys(held))
    return seen


def _bare(_declared: Tree, _stored: Tree) -> Tree:
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
    repos: Repositories = repositories,
    *,
    more: bool = True,
) -> Tree:
    """A declared list as the server holds it: declared rows in the file's order, then any more."""
    if field not in declared:
        return {}
    held = {_key(row, key): row for row in rows(stored)}
    wanted = {_key(row, key): row for row in rows(declared[field])}
    found = [_row(row, held[name], repos) for name, row in wanted.items() if name in held]
    others: list[JSON] = [
        {name: text(row, name) for name in key}
        for identity, row in held.items()
        if more and identity not in wanted
    ]
    return {field: found + others}


def _key(row: Tree, key: Sequence[str]) -> tuple[str, ...]:
    return tuple(text(row, name) for name in key)


def _row(declared: Tree, stored: Tree, repos: Repositories) -> JSON:
    """One row with the fields that the file declares, as the server holds them."""
    seen: Tree = {}
    for name, value in declared.items():
        match name:
            case "repo_info":
                seen[name] = repos(rows(value), rows(stored.get("repos")))
            case "inputs":
                seen[name] = _variables(rows(value), rows(stored.get("key_vals")))
            case _:
                seen[name] = stored.get(name) if name in stored else _nothing(value)
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


def _nothing(value: JSON) -> JSON:
    """Give the empty value of a declared value's type: absent and empty are one thing there."""
    match value:
        case bool():
            return False
        case int() | float():
            return 0
        case list():
            return []
        case dict():
            return {}
        case _:
            return ""
