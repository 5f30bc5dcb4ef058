"""How the inputs of a workflow's jobs change their specs, a row for each kind of job.

A further kind is one more structure, one more function and one more row of ``KINDS``
(docs/servers/zadig.md §9.4 to §9.8). Functions change the spec in place. Until its row is there, a
kind is refused like one that the server does not know; tests/conformance lists what is to come.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from planops.sandbox.zadig.answers import GoError, panic
from planops.sandbox.zadig.binding import BindFault, Field, Slice, Struct, bind, fields, zero
from planops.sandbox.zadig.gojson import Document, numbered

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
_SOURCES = (Field("repo_info", Slice(REPOSITORY)), Field("inputs", Slice(KEY_VALUE)))
_SERVICE_BUILD = Struct(
    "OpenAPIServiceBuildArgs", fields("service_name", "service_module", *_SOURCES), "types"
)
_BUILD = Struct(
    "ZadigBuildJobInput",
    fields("registry", Field("service_list", Slice(_SERVICE_BUILD))),
    "workflow",
)
_SERVICE_DEPLOY = Struct(
    "ServiceDeployArgs",
    fields("service_module", "service_name", "image_name", "value_merge_strategy"),
    "workflow",
)
_DEPLOY = Struct(
    "ZadigDeployJobInput",
    fields("env_name", Field("service_list", Slice(_SERVICE_DEPLOY))),
    "workflow",
)
_TESTING = Struct("TestingArgs", fields("testing_name", *_SOURCES), "workflow")
_SERVICE_TESTING = Struct(
    "TestingJobServiceInfo", fields("service_name", "service_module", *_SOURCES), "workflow"
)
_TEST = Struct(
    "ZadigTestingJobInput",
    fields(Field("service_list", Slice(_SERVICE_TESTING)), Field("testing_list", Slice(_TESTING))),
    "workflow",
)
_CHOSEN = ("branch", "pr", "prs", "enable_commit", "commit_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What the system knows besides workflows: registries and code hosts."""

    registries: tuple[Document, ...]
    code_hosts: Mapping[str, int]
    filters_repositories: bool

    def registry_id(self, name: str) -> str:
        """The id of a registry by address and namespace."""
        for registry in self.registries:
            if f"{registry['reg_addr']}/{registry['namespace']}" == name:
                return str(registry["id"])
        raise GoError("didn't find the specified image registry")

    def code_host_id(self, name: str) -> int:
        """The id of a code host by alias."""
        if name not in self.code_hosts:
            raise GoError(f"failed to find code host with name:{name}")
        return self.code_hosts[name]


Update = Callable[[Catalogue, Document, Document], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """One kind of workflow job: the structure of its parameters and what they do to its spec."""

    parameters: Struct
    update: Update


def apply_input(catalogue: Catalogue, job: Document, parameters: object) -> None:
    """Apply ``parameters`` to one job of a workflow."""
    kind = KINDS.get(str(job["type"]))
    if kind is None:
        raise GoError(f"undefined job type of type:{job['type']}")
    try:
        bound = bind(kind.parameters, numbered(parameters))
    except BindFault as wrong:
        raise GoError(f"unmarshal task error: {wrong}") from None
    try:
        kind.update(catalogue, job["spec"], bound or zero(kind.parameters))
    except GoError as wrong:
        raise GoError(f"failed to update jobspec for job: {job['name']}, err: {wrong}") from None


def _build(catalogue: Catalogue, spec: Document, given: Document) -> None:
    spec["docker_registry_id"] = catalogue.registry_id(given["registry"])
    chosen: list[Document] = []
    for option in spec["service_and_builds_options"]:
        for service in _elements(given["service_list"]):
            if _same_service(option, service):
                for source in _elements(service["repo_info"]):
                    _choose(
                        option["repos"], source, catalogue.code_host_id(source["codehost_name"])
                    )
                _set_values(option["key_vals"], service["inputs"])
                chosen.append(option)
    spec["service_and_builds"] = chosen


def _deploy(_: Catalogue, spec: Document, given: Document) -> None:
    services: dict[str, Document] = {}
    for entry in _elements(given["service_list"]):
        name = entry["service_name"]
        service = services.setdefault(name, {"service_name": name, "modules": []})
        service["modules"].append(
            {"service_module": entry["service_module"], "image": entry["image_name"]}
        )
        service["value_merge_strategy"] = entry["value_merge_strategy"]
    spec["env"] = given["env_name"]
    spec["services"] = list(services.values())


def _test(catalogue: Catalogue, spec: Document, given: Document) -> None:
    if spec.get("test_type") == "service_test" and catalogue.filters_repositories:
        _test_services(catalogue, spec, given)
        return
    for module in spec["test_modules"]:
        for testing in _elements(given["testing_list"]):
            if testing["testing_name"] == module["name"]:
                _set_values(module["key_vals"], testing["inputs"])
                module["repos"] = _sources(catalogue, module["repos"], testing["repo_info"])


def _test_services(catalogue: Catalogue, spec: Document, given: Document) -> None:
    chosen: list[Document] = []
    for service in _elements(given["service_list"]):
        for configured in spec["service_and_tests"]:
            if _same_service(configured, service):
                configured["repos"] = _sources(catalogue, configured["repos"], service["repo_info"])
                _set_values(configured["key_vals"], service["inputs"])
                chosen.append(configured)
    spec["service_and_tests"] = chosen


def _same_service(one: Document, other: Document) -> bool:
    keys = ("service_name", "service_module")
    return all(one[key] == other[key] for key in keys)


def _sources(
    catalogue: Catalogue, configured: list[Document], given: list[Document | None] | None
) -> list[Document]:
    """The repositories of a test module after ``repo_info`` (§9.7)."""
    if not given:
        return configured
    matched: list[Document] = []
    for source in _elements(given):
        matched += _choose(configured, source, catalogue.code_host_id(source["codehost_name"]))
    return matched if catalogue.filters_repositories else configured


def _choose(configured: list[Document], source: Document, host: int) -> list[Document]:
    """Overwrite the references of the repositories that ``source`` names; those repositories."""
    matched = [
        repository
        for repository in configured
        if repository["codehost_id"] == host
        and repository["repo_namespace"] == source["repo_namespace"]
        and repository["repo_name"] == source["repo_name"]
    ]
    for repository in matched:
        repository.update({key: source[key] for key in _CHOSEN})
        repository["prs"] = source["prs"] or []
    return matched


def _set_values(configured: list[Document], given: list[Document | None] | None) -> None:
    values = {entry["key"]: entry["value"] for entry in _elements(given)}
    for variable in configured:
        if variable["key"] in values:
            variable["value"] = values[variable["key"]]


def _elements(given: Iterable[Document | None] | None) -> list[Document]:
    """The elements of a list; a null one crashes the handler."""
    found: list[Document] = []
    for element in given or ():
        if element is None:
            raise panic()
        found.append(element)
    return found


KINDS: Mapping[str, JobKind] = {
    "zadig-build": JobKind(parameters=_BUILD, update=_build),
    "zadig-deploy": JobKind(parameters=_DEPLOY, update=_deploy),
    "zadig-test": JobKind(parameters=_TEST, update=_test),
}
