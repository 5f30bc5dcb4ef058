"""Repositories of jobs and variables, read back (docs/servers/zadig.md §9.8, §9.11, §9.13)."""

from __future__ import annotations

from collections.abc import Sequence

from planops.backends.trees import Tree, nothing, text
from planops.backends.zadig.references import Reading, named
from planops.core.model import JSON

REPO_FIELDS = (
    "branch", "pr", "prs", "enable_commit", "commit_id",
    "stream", "view_mapping", "changelist_id", "shelve_id",
)  # fmt: skip
FRESH_FIELDS = (*REPO_FIELDS, "remote_name", "checkout_path", "submodules")
MERGED_AWAY = frozenset({"enable_commit", "commit_id"})
ORIGIN = "origin"


def repositories(declared: list[Tree], stored: list[Tree], reading: Reading) -> list[JSON]:
    """Repositories by code host, namespace and name; hosts are declared by alias, stored by id.

    Those that the job has besides the declared ones are the workflow's own, and not compared.
    """
    pairs = _paired(declared, stored, reading)
    return [_repository(repo, there, REPO_FIELDS, reading) for repo, there in pairs]


def fresh_repositories(declared: list[Tree], stored: list[Tree], reading: Reading) -> list[JSON]:
    """Repositories that replaced the job's (docs/servers/zadig.md §9.13): all that there are."""
    pairs = _paired(declared, stored, reading)
    kept = [there for _, there in pairs]
    more: list[JSON] = [
        {"codehost_name": host, "repo_namespace": namespace, "repo_name": name}
        for repo in stored
        if declared and not any(repo is there for there in kept)
        for host, namespace, name in (_stored_key(repo, reading),)
    ]
    return [_repository(repo, there, FRESH_FIELDS, reading) for repo, there in pairs] + more


def _paired(declared: list[Tree], stored: list[Tree], reading: Reading) -> list[tuple[Tree, Tree]]:
    """Find each declared repository; of several of one name, the one that is most like it."""
    left, found = list(stored), list[tuple[Tree, Tree]]()
    for repo in declared:
        alike = [there for there in left if _is_that(repo, there, reading)]
        if alike:
            there = max(alike, key=lambda held: _likeness(repo, held))
            left = [held for held in left if held is not there]
            found.append((repo, there))
    return found


def _is_that(declared: Tree, stored: Tree, reading: Reading) -> bool:
    host = text(declared, "codehost_name")
    if named(stored.get("codehost_id"), host, reading.names.code_hosts) not in (host, ""):
        return False
    return all(
        text(declared, name) == text(stored, name) for name in ("repo_namespace", "repo_name")
    )


def _stored_key(stored: Tree, reading: Reading) -> tuple[str, str, str]:
    host = named(stored.get("codehost_id"), "", reading.names.code_hosts)
    return host, text(stored, "repo_namespace"), text(stored, "repo_name")


def _likeness(repo: Tree, held: Tree) -> int:
    return sum(held.get(name) == repo[name] for name in REPO_FIELDS if name in repo)


def _repository(declared: Tree, stored: Tree, fields: Sequence[str], reading: Reading) -> JSON:
    lost = MERGED_AWAY if reading.executed else frozenset[str]()
    seen = {
        name: (stored.get(name) or nothing(value)) if name in fields and name not in lost else value
        for name, value in declared.items()
    }
    if "remote_name" in fields and "remote_name" in seen:
        seen["remote_name"] = seen["remote_name"] or ORIGIN  # the server's own word for none
    return seen


def with_remotes(value: JSON) -> JSON:
    """Call every remote that was left to the server what the server calls it (§9.13)."""
    if isinstance(value, list):
        return [with_remotes(item) for item in value]
    if isinstance(value, dict):
        return {
            name: (sub or ORIGIN) if name == "remote_name" else with_remotes(sub)
            for name, sub in value.items()
        }
    return value
