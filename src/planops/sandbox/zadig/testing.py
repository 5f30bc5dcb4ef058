"""Inputs of the jobs that test and scan, by name or by service (§9.7, §9.14)."""

from dataclasses import dataclass

from planops.sandbox.zadig.binding import Field, Slice, Struct, fields
from planops.sandbox.zadig.building import selected
from planops.sandbox.zadig.catalogue import Catalogue
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.sources import (
    SOURCES,
    elements,
    listed,
    overwritten,
    restricted,
    service_key,
    with_values,
)

_TESTING = Struct("TestingArgs", fields("testing_name", *SOURCES), "workflow")
_SERVICE_TESTING = Struct(
    "TestingJobServiceInfo", fields("service_name", "service_module", *SOURCES), "workflow"
)
TEST = Struct(
    "ZadigTestingJobInput",
    fields(Field("service_list", Slice(_SERVICE_TESTING)), Field("testing_list", Slice(_TESTING))),
    "workflow",
)
_SCANNING = Struct("ScanningArg", fields("scanning_name", *SOURCES), "workflow")
_SERVICE_SCANNING = Struct(
    "ZadigScanningJobServiceInfo", fields("service_name", "service_module", *SOURCES), "workflow"
)
SCAN = Struct(
    "ZadigScanningJobInput",
    fields(
        Field("service_list", Slice(_SERVICE_SCANNING)), Field("scanning_list", Slice(_SCANNING))
    ),
    "workflow",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What one kind calls its type, modules, services, candidates and inputs."""

    kind: str
    by_service: str
    modules: str
    services: str
    options: str
    given: str
    named: str
    whose: str
    values_always: bool


_TESTS = _Words(
    kind="test_type",
    by_service="service_test",
    modules="test_modules",
    services="service_and_tests",
    options="service_test_options",
    given="testing_list",
    named="testing_name",
    whose="ZadigTestingJob",
    values_always=True,
)
_SCANS = _Words(
    kind="scanning_type",
    by_service="service_scanning",
    modules="scannings",
    services="service_and_scannings",
    options="service_scanning_options",
    given="scanning_list",
    named="scanning_name",
    whose="ZadigScanningJob",
    values_always=False,
)


def test(catalogue: Catalogue, workflow: Document, spec: Document, given: Document) -> None:
    """``zadig-test``."""
    _apply(_TESTS, catalogue, workflow, spec, given)


def scan(catalogue: Catalogue, workflow: Document, spec: Document, given: Document) -> None:
    """``zadig-scanning``."""
    _apply(_SCANS, catalogue, workflow, spec, given)


def _apply(
    words: _Words, catalogue: Catalogue, workflow: Document, spec: Document, given: Document
) -> None:
    kind = spec.get(words.kind, "")
    if kind == words.by_service and catalogue.traits.service_inputs:
        spec[words.services] = _services(words, catalogue, workflow, spec, given)
    elif kind == "" or not catalogue.traits.service_inputs:
        _modules(words, catalogue, spec, given)


def _modules(words: _Words, catalogue: Catalogue, spec: Document, given: Document) -> None:
    """Every module stays; the named ones are changed."""
    for module in listed(spec, words.modules):
        for entry in elements(given[words.given]):
            if entry[words.named] == module["name"]:
                _change(words, catalogue, module, entry)


def _services(
    words: _Words, catalogue: Catalogue, workflow: Document, spec: Document, given: Document
) -> list[Document]:
    services = elements(given["service_list"])
    if spec.get("source") == "fromjob":
        targets = selected(workflow, str(spec.get("job_name", "")), words.whose)
        by_key = {service_key(service): service for service in services}
        wanted = [by_key[key] for one in targets if (key := service_key(one)) in by_key]
        candidates = listed(spec, words.options)
    else:
        wanted, candidates = services, listed(spec, words.services)
    chosen: list[Document] = []
    for service in wanted:
        for candidate in candidates:
            if service_key(candidate) == service_key(service):
                _change(words, catalogue, candidate, service)
                chosen.append(candidate)
    return chosen


def _change(words: _Words, catalogue: Catalogue, module: Document, entry: Document) -> None:
    """The repositories are restricted to those given; the older generation changes in place."""
    if catalogue.traits.filters_tests:
        module["repos"] = restricted(catalogue, listed(module, "repos"), entry["repo_info"])
    else:
        overwritten(catalogue, listed(module, "repos"), entry["repo_info"])
    if words.values_always or catalogue.traits.filters_tests:
        module["key_vals"] = with_values(listed(module, "key_vals"), entry["inputs"])
