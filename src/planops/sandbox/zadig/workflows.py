"""Turns a plan's workflow job into the workflow that is stored (docs/servers/zadig.md §9)."""

from collections.abc import Sequence
from typing import Any

from planops.sandbox.zadig.answers import (
    NO_DOCUMENT,
    PRESET_FAILED,
    WORKFLOW_NOT_FOUND,
    CodedError,
    GoError,
    panic,
)
from planops.sandbox.zadig.binding import Field, Pointer, Slice, Struct, fields
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.inputs import REPOSITORY, Catalogue, apply_input
from planops.sandbox.zadig.realm import Realm

_PARAMETER = Struct(
    "CreateCustomTaskParam",
    fields("name", "type", "value", Field("repo", Pointer(REPOSITORY))),
    "workflow",
)
_INPUT = Struct(
    "CreateCustomTaskJobInput",
    fields("job_name", "job_type", Field("parameters", "any")),
    "workflow",
)
WORKFLOW_SPEC = Struct(
    "OpenAPIWorkflowReleaseJobSpec",
    fields(
        "workflow_key",
        "project_key",
        Field("parameters", Slice(_PARAMETER)),
        Field("inputs", Slice(_INPUT)),
        "remark",
    ),
    "service",
)


def stored_spec(realm: Realm, spec: Document) -> Document:
    """The spec of a workflow job as it is stored. Raises what the server refuses."""
    workflow = realm.store.get("workflow", str(spec["workflow_key"]))
    if workflow is None:
        raise CodedError(*WORKFLOW_NOT_FOUND, NO_DOCUMENT)
    workflow["remark"] = spec["remark"]
    catalogue = _catalogue(realm)
    if realm.traits.parameters:
        for parameter in spec["parameters"] or ():
            if parameter is None:
                raise panic()
            _set_parameter(catalogue, workflow["params"], parameter)
    _preset(realm, workflow)
    given = _by_name(spec["inputs"] or ())
    for stage in workflow["stages"]:
        for job in stage["jobs"]:
            job["skipped"] = job["name"] not in given
            if not job["skipped"]:
                apply_input(catalogue, job, given[job["name"]])
    return {"workflow": workflow, "status": "", "task_id": 0}


def _by_name(inputs: Sequence[Document | None]) -> dict[str, Any]:
    """Parameters by job name; of two equal names the last one wins."""
    if None in inputs:
        raise panic()
    return {one["job_name"]: one["parameters"] for one in inputs if one is not None}


def _catalogue(realm: Realm) -> Catalogue:
    system = realm.store.get("setting", "system") or {}
    return Catalogue(
        registries=tuple(system.get("registries", ())),
        code_hosts={host["alias"]: host["id"] for host in system.get("code_hosts", ())},
        filters_repositories=realm.traits.filters_tests,
    )


def _preset(realm: Realm, workflow: Document) -> None:
    """Refresh every job from its project, which may fail and clears some selections (§9.1)."""
    failure = realm.store.get("setting", f"preset/{workflow['name']}")
    if failure is not None:
        raise CodedError(*PRESET_FAILED, str(failure["text"]))
    for stage in workflow["stages"]:
        for job in stage["jobs"]:
            if job["type"] == "zadig-build":
                job["spec"]["service_and_builds"] = []


def _set_parameter(catalogue: Catalogue, known: list[Document], given: Document) -> None:
    try:
        _set_known_parameter(catalogue, known, given)
    except GoError as wrong:
        raise wrong.wrapped("update workflow param error") from None


def _set_known_parameter(catalogue: Catalogue, known: list[Document], given: Document) -> None:
    """Kinds other than string, text, choice and repo keep their value (§9.3)."""
    name, value = given["name"], given["value"]
    found = next((one for one in known if one["name"] == name), None)
    if found is None:
        raise GoError(f"param {name} not found in workflow")
    if found["type"] == "choice" and value not in found["choice_option"]:
        raise GoError(f"invalid choice value {value} for param {name}")
    if found["type"] in {"string", "text", "choice"}:
        found["value"] = value
    elif found["type"] == "repo":
        _set_repository(catalogue, found["repo"], given["repo"])


def _set_repository(catalogue: Catalogue, known: Document, given: Document | None) -> None:
    if given is None:
        raise panic()
    host = catalogue.code_host_id(given["codehost_name"])
    if known["codehost_id"] != host:
        raise GoError(f"codehost {given['codehost_name']} (ID {host}) not found in workflow")
    if all(known[key] == given[key] for key in ("repo_namespace", "repo_name")):
        known["branch"] = given["branch"]
        known["prs"] = given["prs"] or []
