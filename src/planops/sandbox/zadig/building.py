"""Inputs of the jobs that run code: builds, plugins and scripts (§9.5, §9.12, §9.13)."""

from planops.sandbox.zadig.answers import GoError, panic
from planops.sandbox.zadig.binding import Field, Slice, Struct, fields
from planops.sandbox.zadig.catalogue import Catalogue
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.sources import (
    KEY_VALUE,
    REPOSITORY,
    SOURCES,
    Given,
    elements,
    listed,
    overwritten,
    replaced,
    restricted,
    service_key,
    with_values,
)

_SERVICE_BUILD = Struct(
    "OpenAPIServiceBuildArgs", fields("service_name", "service_module", *SOURCES), "types"
)
BUILD = Struct(
    "ZadigBuildJobInput",
    fields("registry", Field("service_list", Slice(_SERVICE_BUILD))),
    "workflow",
)
PLUGIN = Struct("PluginJobInput", fields(Field("kv", Slice(KEY_VALUE))), "workflow")
_SERVICE_SCRIPT = Struct(
    "FreestyleJobServiceInfo", fields("service_name", "service_module", *SOURCES), "workflow"
)
FREESTYLE = Struct(
    "FreestyleJobInput",
    fields(
        Field("services", Slice(_SERVICE_SCRIPT)),
        Field("kv", Slice(KEY_VALUE)),
        Field("repo_info", Slice(REPOSITORY)),
    ),
    "workflow",
)
SERVICE_FREESTYLE = "service_freestyle"
SELECTIONS = {
    "zadig-build": "service_and_builds",
    "zadig-test": "service_and_tests",
    "zadig-scanning": "service_and_scannings",
    "freestyle": "services",
}


def build(catalogue: Catalogue, _: Document, spec: Document, given: Document) -> None:
    """``zadig-build``: the chosen ones of the services that the job offers."""
    spec["docker_registry_id"] = catalogue.registry_id(given["registry"])
    chosen: list[Document] = []
    for option in listed(spec, "service_and_builds_options"):
        for service in elements(given["service_list"]):
            if service_key(option) == service_key(service):
                overwritten(catalogue, listed(option, "repos"), service["repo_info"])
                option["key_vals"] = with_values(listed(option, "key_vals"), service["inputs"])
                chosen.append(option)
    spec["service_and_builds"] = chosen


def plugin(_: Catalogue, __: Document, spec: Document, given: Document) -> None:
    """``plugin``: values of the plugin's inputs, by name."""
    if not spec.get("plugin"):
        raise panic()
    spec["plugin"]["inputs"] = with_values(listed(spec["plugin"], "inputs"), given["kv"], "name")


def freestyle(catalogue: Catalogue, workflow: Document, spec: Document, given: Document) -> None:
    """``freestyle``: variables and repositories, of the job or of each of its services."""
    kind = spec.get("freestyle_type", "")
    if kind not in {"", SERVICE_FREESTYLE}:
        raise GoError(f"freestyle job type {kind} not supported")
    if kind == SERVICE_FREESTYLE and catalogue.traits.service_inputs:
        spec["services"] = _services(catalogue, workflow, spec, given)
        return
    spec["envs"] = with_values(listed(spec, "envs"), given["kv"])
    spec["repos"] = _repositories(catalogue, listed(spec, "repos"), given["repo_info"])


def selected(workflow: Document, job_name: str, whose: str) -> list[Document]:
    """The services that an earlier job of the workflow has chosen; ``whose`` begins the refusal."""
    for stage in workflow["stages"]:
        for job in stage["jobs"]:
            if job["name"] == job_name and job["type"] in SELECTIONS:
                return listed(job["spec"], SELECTIONS[job["type"]])
    raise GoError(f"{whose}: refered job {job_name} not found")


def _services(
    catalogue: Catalogue, workflow: Document, spec: Document, given: Document
) -> list[Document]:
    services = elements(given["services"])
    if spec.get("source") != "fromjob":
        return [_service(catalogue, spec, service, service) for service in services]
    by_key = {service_key(service): service for service in services}
    targets = selected(workflow, str(spec.get("job_name", "")), "FreeStyleJob")
    return [_service(catalogue, spec, one, by_key.get(service_key(one))) for one in targets]


def _service(
    catalogue: Catalogue, spec: Document, service: Document, given: Document | None
) -> Document:
    """One service to run the script for; one that nothing is given for has no variables."""
    name, module = service_key(service)
    made: Document = {"service_name": name, "service_module": module, "repos": [], "key_vals": []}
    if given is not None:
        repositories = _repositories(catalogue, listed(spec, "repos"), given["repo_info"])
        made |= {
            "repos": repositories,
            "key_vals": with_values(listed(spec, "envs"), given["inputs"]),
        }
    return made


def _repositories(catalogue: Catalogue, configured: list[Document], given: Given) -> list[Document]:
    if catalogue.traits.fresh_repositories:
        return replaced(catalogue, configured, given)
    return restricted(catalogue, configured, given)
