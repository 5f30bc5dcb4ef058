"""Turns a plan's workflow job into the workflow that is stored (docs/servers/zadig.md §9)."""

from collections.abc import Sequence
from typing import Any

from planops.sandbox.zadig.answers import (
    NO_DOCUMENT,
    WORKFLOW_NOT_FOUND,
    CodedError,
    GoError,
    panic,
)
from planops.sandbox.zadig.binding import Field, Pointer, Slice, Struct, fields
from planops.sandbox.zadig.catalogue import Catalogue
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.inputs import apply_input
from planops.sandbox.zadig.presets import jobs_of, preset, storable
from planops.sandbox.zadig.realm import Realm
from planops.sandbox.zadig.sources import REPOSITORY

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
    catalogue = catalogue_of(realm)
    if realm.traits.parameters:
        for parameter in spec["parameters"] or ():
            if parameter is None:
                raise panic()
            _set_parameter(catalogue, workflow["params"], parameter)
    preset(realm, workflow)
    given = _by_name(spec["inputs"] or ())
    for job in jobs_of(workflow):
        job["skipped"] = job["name"] not in given
        if not job["skipped"]:
            apply_input(catalogue, workflow, job, given[job["name"]])
    return {"workflow": storable(workflow), "status": "", "task_id": 0}


def _by_name(inputs: Sequence[Document | None]) -> dict[str, Any]:
    """Parameters by job name; of two equal names the last one wins."""
    if None in inputs:
        raise panic()
    return {one["job_name"]: one["parameters"] for one in inputs if one is not None}


def catalogue_of(realm: Realm) -> Catalogue:
    """What workflow jobs may refer to."""
    return Catalogue(system=realm.store.get("setting", "system") or {}, traits=realm.traits)


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


def _set_repository(catalogue: Catalogue, known: Document | None, given: Document | None) -> None:
    if given is None:
        raise panic()
    host = catalogue.code_host(given["codehost_name"])["id"]
    if known is None:
        raise panic()
    if known["codehost_id"] != host:
        raise GoError(f"codehost {given['codehost_name']} (ID {host}) not found in workflow")
    if all(known[key] == given[key] for key in ("repo_namespace", "repo_name")):
        known["branch"] = given["branch"]
        known["prs"] = given["prs"] or []
