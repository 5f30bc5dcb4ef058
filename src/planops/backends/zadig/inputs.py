"""Workflow inputs, read back: what a stored workflow says of the inputs that a file declares.

The server keeps no inputs. It merges them into a copy of the workflow and stores that
(docs/servers/zadig.md §9), so a file's inputs are compared by looking for each declared value where
the server put it. What a file does not declare there is not compared. One function a job type; a
type without one is *unseen*: a change to its parameters shows only where the file itself is looked
at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from planops.core.model import JSON

Tree: TypeAlias = dict[str, JSON]
Projection: TypeAlias = Callable[[Tree, Tree], Tree]
"""Declared parameters and a stored job's spec go in; the same parameters as stored come out."""

REPO_FIELDS = ("branch", "pr", "prs", "enable_commit", "commit_id", "remote_name")


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


def _build(declared: Tree, stored: Tree) -> Tree:
    """zadig-build: services with their repositories and variables; the registry only as an id.

    A registry is declared by address and stored by id, so planops sees only that there is one.
    """
    seen: Tree = {}
    if "registry" in declared:
        seen["registry"] = declared["registry"] if stored.get("docker_registry_id") else ""
    if "service_list" in declared:
        seen["service_list"] = _listed(
            rows(declared["service_list"]), rows(stored.get("service_and_builds")), _module_key
        )
    return seen


def _deploy(declared: Tree, stored: Tree) -> Tree:
    """zadig-deploy: the environment, and an image for each module of each service."""
    seen: Tree = {}
    if "env_name" in declared:
        seen["env_name"] = stored.get("env", "")
    if "service_list" in declared:
        modules = [
            {
                "service_name": service.get("service_name", ""),
                "service_module": module.get("service_module", ""),
                "image_name": module.get("image", ""),
                "value_merge_strategy": service.get("value_merge_strategy", ""),
            }
            for service in rows(stored.get("services"))
            for module in rows(service.get("modules"))
        ]
        seen["service_list"] = _listed(rows(declared["service_list"]), modules, _module_key)
    return seen


def _test(declared: Tree, stored: Tree) -> Tree:
    """zadig-test: the server keeps every test of the workflow and updates those that are named."""
    seen: Tree = {}
    if "testing_list" in declared:
        held = {text(test, "name"): test for test in rows(stored.get("test_modules"))}
        seen["testing_list"] = [
            _row(row, held[text(row, "testing_name")] | {"testing_name": row["testing_name"]})
            for row in rows(declared["testing_list"])
            if text(row, "testing_name") in held
        ]
    if "service_list" in declared:
        seen["service_list"] = _listed(
            rows(declared["service_list"]), rows(stored.get("service_and_tests")), _module_key
        )
    return seen


PROJECTIONS: Mapping[str, Projection] = {
    "zadig-build": _build,
    "zadig-deploy": _deploy,
    "zadig-test": _test,
}


def _module_key(row: Tree) -> tuple[str, str]:
    return text(row, "service_name"), text(row, "service_module")


def _listed(
    declared: list[Tree], stored: list[Tree], key: Callable[[Tree], tuple[str, str]]
) -> list[JSON]:
    """Rows that the server holds: declared ones in the file's order, then what it has more."""
    held = {key(row): row for row in stored}
    wanted = [key(row) for row in declared]
    more: list[JSON] = [
        {"service_name": name, "service_module": module}
        for name, module in held
        if (name, module) not in wanted
    ]
    return [_row(row, held[key(row)]) for row in declared if key(row) in held] + more


def _row(declared: Tree, stored: Tree) -> JSON:
    """One row with the fields that the file declares, as the server holds them."""
    seen: Tree = {}
    for name, value in declared.items():
        match name:
            case "repo_info":
                seen[name] = repositories(rows(value), rows(stored.get("repos")))
            case "inputs":
                seen[name] = _variables(rows(value), rows(stored.get("key_vals")))
            case _:
                seen[name] = stored.get(name) if name in stored else _nothing(value)
    return seen


def repositories(declared: list[Tree], stored: list[Tree]) -> list[JSON]:
    """Repositories by namespace and name; the code host is declared by alias and stored by id."""
    held = {_repo_key(repo): repo for repo in stored}
    found: list[JSON] = []
    for repo in declared:
        there = held.get(_repo_key(repo))
        if there is not None:
            found.append(
                {
                    name: (there.get(name) or _nothing(value)) if name in REPO_FIELDS else value
                    for name, value in repo.items()
                }
            )
    return found


def _repo_key(repo: Tree) -> tuple[str, str]:
    return text(repo, "repo_namespace"), text(repo, "repo_name")


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
