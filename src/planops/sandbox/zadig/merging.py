"""Merges a stored workflow into the live one, as happens when it is executed or looked at (§9.23).

What the plan chose is carried into what the workflow has become; jobs that the plan has never seen
run, those that are gone vanish.
"""

import copy
from collections.abc import Callable, Iterable, Mapping

from planops.sandbox.zadig.answers import NO_DOCUMENT, GoError
from planops.sandbox.zadig.building import SERVICE_FREESTYLE
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.presets import jobs_of
from planops.sandbox.zadig.realm import Realm
from planops.sandbox.zadig.sources import listed, service_key

_REFERENCES = ("branch", "tag", "pr", "prs", "filter_regexp")
_OWN = frozenset({"fixed", "reference"})
_POLICIES = ("run_policy", "error_policy", "execute_policy")
_BUILD = ("docker_registry_id", "default_service_and_builds", "service_and_builds_options")
_CLUSTER = ("cluster_id", "namespace", "docker_registry_id", "target_options")


def merged(realm: Realm, stored: Document) -> Document:
    """The live workflow with the choices of the stored one. Raises the bare reason."""
    name = stored["name"]
    live = realm.store.get("workflow", name)
    if live is None:
        raise GoError(f"cannot find workflow [{name}]'s latest setting, error: {NO_DOCUMENT}")
    workflow = copy.deepcopy(stored)
    workflow["params"] = _parameters(listed(live, "params"), listed(workflow, "params"))
    known = {job["name"]: job for job in jobs_of(workflow)}
    for stage in live["stages"]:
        stage["jobs"] = [_job(job, known.get(job["name"])) for job in stage["jobs"]]
    workflow["stages"] = live["stages"]
    return workflow


def _job(live: Document, stored: Document | None) -> Document:
    if stored is None or stored["type"] != live["type"]:
        return live
    merge = _MERGES.get(live["type"])
    if merge is not None:
        merge(stored["spec"], live["spec"])
    return {**stored, **_taken(live, _POLICIES)}


def _parameters(live: list[Document], stored: list[Document]) -> list[Document]:
    """Variables of the live workflow; values are the plan's, unless the workflow fixes them."""
    values = {one["name"]: one for one in stored}
    for variable in live:
        chosen = values.get(variable["name"])
        if chosen is not None and variable.get("source") not in _OWN:
            variable.update(_taken(chosen, ("value", "repo", "choice_value")))
    return live


def _build(spec: Document, live: Document) -> None:
    """The registry becomes the workflow's own again, whatever was given."""
    options = {service_key(one): one for one in listed(live, "service_and_builds_options")}
    kept = [one for one in listed(spec, "service_and_builds") if service_key(one) in options]
    for service in kept:
        _carry(service, options[service_key(service)])
    spec["service_and_builds"] = kept
    spec |= _taken(live, _BUILD)


def _freestyle(spec: Document, live: Document) -> None:
    spec["repos"] = _repositories(listed(live, "repos"), listed(spec, "repos"))
    spec["envs"] = _values(listed(live, "envs"), listed(spec, "envs"))
    if spec.get("freestyle_type") == SERVICE_FREESTYLE:
        for service in listed(spec, "services"):
            service["repos"] = _repositories(spec["repos"], listed(service, "repos"))
            service["key_vals"] = _values(spec["envs"], listed(service, "key_vals"))


def _plugin(spec: Document, live: Document) -> None:
    chosen = listed(spec["plugin"], "inputs")
    spec["plugin"] = live["plugin"]
    spec["plugin"]["inputs"] = _parameters(listed(live["plugin"], "inputs"), chosen)


def _modules(key: str, services: str) -> Callable[[Document, Document], None]:
    def merge(spec: Document, live: Document) -> None:
        chosen = {one["name"]: one for one in listed(spec, key)}
        spec[key] = [_carry(chosen.get(one["name"], one), one) for one in listed(live, key)]
        by_key = {service_key(one): one for one in listed(live, services)}
        for service in listed(spec, services):
            _carry(service, by_key.get(service_key(service), service))

    return merge


def _blue_green(spec: Document, live: Document) -> None:
    """Fails for a spec in the old form, which has no environment."""
    given, defined = spec.get("env", ""), live.get("env", "")
    if given != defined:
        raise GoError(f"given env: {given} does not match job definition: {defined}")


def _targets(*more: str) -> Callable[[Document, Document], None]:
    def merge(spec: Document, live: Document) -> None:
        spec |= _taken(live, (*_CLUSTER, *more))

    return merge


def _tapd(spec: Document, live: Document) -> None:
    spec |= _taken(live, ("tapd_id", "type"))


def _carry(chosen: Document, live: Document) -> Document:
    """What was chosen for one service or module, carried into what is there now."""
    chosen["repos"] = _repositories(listed(live, "repos"), listed(chosen, "repos"))
    chosen["key_vals"] = _values(listed(live, "key_vals"), listed(chosen, "key_vals"))
    return chosen


def _repositories(live: list[Document], chosen: list[Document]) -> list[Document]:
    """Branch, tag and pull requests are carried over; ``enable_commit`` is not."""
    by_key = {_repository_key(one): one for one in chosen}
    carried: list[Document] = []
    for repository in copy.deepcopy(live):
        source = by_key.get(_repository_key(repository))
        if source is not None:
            repository.update(_taken(source, _REFERENCES))
        carried.append(repository)
    return carried


def _repository_key(repository: Document) -> tuple[object, ...]:
    return tuple(repository.get(key) for key in ("codehost_id", "repo_namespace", "repo_name"))


def _values(live: list[Document], chosen: list[Document]) -> list[Document]:
    by_key = {one["key"]: one for one in chosen}
    carried = copy.deepcopy(live)
    for variable in carried:
        source = by_key.get(variable["key"])
        if source is not None and variable.get("source") not in _OWN:
            variable["value"] = source["value"]
    return carried


def _taken(source: Document, keys: Iterable[str]) -> Document:
    return {key: source[key] for key in keys if key in source}


_MERGES: Mapping[str, Callable[[Document, Document], None]] = {
    "zadig-build": _build,
    "freestyle": _freestyle,
    "plugin": _plugin,
    "zadig-test": _modules("test_modules", "service_and_tests"),
    "zadig-scanning": _modules("scannings", "service_and_scannings"),
    "k8s-blue-green-deploy": _blue_green,
    "k8s-canary-deploy": _targets(),
    "k8s-gray-release": _targets("from_job", "deploy_timeout", "gray_scale"),
    "tapd": _tapd,
}
