"""Repositories and key-values: what the inputs of several kinds of jobs share (§9.8).

A repository of an input matches one of the job's by code host, namespace and name.
"""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from planops.sandbox.zadig.answers import panic
from planops.sandbox.zadig.binding import Field, Slice, Struct, fields
from planops.sandbox.zadig.catalogue import Catalogue
from planops.sandbox.zadig.gojson import Document

REPOSITORY = Struct(
    "OpenAPIRepoInput",
    fields(
        "codehost_name",
        "repo_namespace",
        "repo_name",
        "branch",
        Field("pr", "int"),
        Field("prs", Slice("int")),
        Field("enable_commit", "bool"),
        "commit_id",
        "remote_name",
        "checkout_path",
        Field("submodules", "bool"),
        "stream",
        "view_mapping",
        Field("changelist_id", "int"),
        Field("shelve_id", "int"),
    ),
    "types",
)
KEY_VALUE = Struct(
    "KV",
    fields(
        "key", "value", "type", Field("is_credential", "bool"), "file_id", "file_name", "file_path"
    ),
    "types",
)
SOURCES = (Field("repo_info", Slice(REPOSITORY)), Field("inputs", Slice(KEY_VALUE)))
_CHOSEN = ("branch", "pr", "prs", "enable_commit", "commit_id")
_COPIED = ("repo_namespace", "repo_name", *_CHOSEN, "checkout_path", "submodules")
_PERFORCE = ("stream", "view_mapping", "changelist_id", "shelve_id")

Given = Iterable[Document | None] | None


def elements(given: Given) -> list[Document]:
    """The elements of a list; a null one crashes the handler."""
    found: list[Document] = []
    for element in given or ():
        if element is None:
            raise panic()
        found.append(element)
    return found


def listed(spec: Mapping[str, Any], key: str) -> list[Document]:
    """A list of a spec, empty when there is none."""
    found: list[Document] = spec.get(key) or []
    return found


def service_key(service: Mapping[str, Any]) -> tuple[str, str]:
    """What two mentions of a service are compared by."""
    return str(service.get("service_name", "")), str(service.get("service_module", ""))


def overwritten(catalogue: Catalogue, configured: list[Document], given: Given) -> None:
    """Overwrite the references of the repositories that are given; the others stay."""
    for source in elements(given):
        host = catalogue.code_host(source["codehost_name"])
        for repository in configured:
            if _same(repository, source, host):
                repository.update(_references(source))


def restricted(catalogue: Catalogue, configured: list[Document], given: Given) -> list[Document]:
    """The given repositories among the job's, with their references; all of them if none is."""
    sources = [(source, catalogue.code_host(source["codehost_name"])) for source in elements(given)]
    if not sources:
        return configured
    kept: list[Document] = []
    for repository in configured:
        for source, host in sources:
            if host.get("type") == "perforce" and repository.get("codehost_id") == host["id"]:
                kept.append(_perforce(source, host))
            elif _same(repository, source, host):
                repository.update(_references(source))
                kept.append(repository)
    return kept


def replaced(catalogue: Catalogue, configured: list[Document], given: Given) -> list[Document]:
    """New repositories in place of the job's; the job's if none is given."""
    made = [
        _fresh(source, catalogue.code_host(source["codehost_name"])) for source in elements(given)
    ]
    return made or configured


def with_values(configured: list[Document], given: Given, key: str = "key") -> list[Document]:
    """The configured variables with the given values; unknown ones are ignored."""
    values = {entry["key"]: entry["value"] for entry in elements(given)}
    variables = copy.deepcopy(configured)
    for variable in variables:
        if variable[key] in values:
            variable["value"] = values[variable[key]]
    return variables


def _same(repository: Document, source: Document, host: Document) -> bool:
    return repository.get("codehost_id") == host["id"] and all(
        repository.get(key) == source[key] for key in ("repo_namespace", "repo_name")
    )


def _references(source: Document) -> Document:
    return {**{key: source[key] for key in _CHOSEN}, "prs": source["prs"] or []}


def _fresh(source: Document, host: Document) -> Document:
    """A repository that knows nothing but what was given (§9.13)."""
    if host.get("type") == "perforce":
        return _perforce(source, host)
    return {
        "source": host.get("type", ""),
        "codehost_id": host["id"],
        "repo_owner": source["repo_namespace"],
        "remote_name": source["remote_name"] or "origin",
        **{key: source[key] for key in _COPIED},
        "prs": source["prs"] or [],
    }


def _perforce(source: Document, host: Document) -> Document:
    return {
        "source": "perforce",
        "codehost_id": host["id"],
        "depot_type": "stream" if source["stream"] else "local",
        **{key: source[key] for key in _PERFORCE},
    }
