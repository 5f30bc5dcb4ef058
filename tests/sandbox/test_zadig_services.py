"""Workflow jobs that run once for each service (docs/servers/zadig.md §9.13, §9.14)."""

from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.zadig.visitor import Visitor, visiting

CART = {"service_name": "cart", "service_module": "cart"}
CHECKOUT = {"service_name": "checkout", "service_module": "checkout"}
BUILD = {"registry": "https://reg.example.com/test", "service_list": [CART, CHECKOUT]}
SCRIPTS = {"codehost_name": "gitlab", "repo_namespace": "team", "repo_name": "scripts"}
SMOKE = {**SCRIPTS, "repo_name": "smoke"}
DEBUG = [{"key": "LEVEL", "value": "debug"}]


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


@pytest.fixture
def older() -> Iterator[Visitor]:
    with visiting("4.1") as visitor:
        yield visitor


def spec_of(zadig: Visitor, name: str, parameters: Any, *, build: Any = None) -> Any:
    """The spec of a job after its input (and the build's), or the refusal."""
    given = [{"job_name": name, "parameters": parameters}]
    if build is not None:
        given.append({"job_name": "build", "parameters": build})
    plan = zadig.create()
    spec = {"workflow_key": "everything", "inputs": given}
    reply = zadig.update(plan, jobs=[{"name": "w", "type": "workflow", "spec": spec}])
    if reply.status != 200:
        return reply.error
    stages = zadig.get(plan)["jobs"][0]["spec"]["workflow"]["stages"]
    return next(job for stage in stages for job in stage["jobs"] if job["name"] == name)["spec"]


def names(services: list[dict[str, Any]]) -> list[str]:
    return [service["service_name"] for service in services]


def level(service: dict[str, Any]) -> str:
    found = [one["value"] for one in service["key_vals"] if one["key"] == "LEVEL"]
    return str(found[0]) if found else ""


def test_script_of_services(zadig: Visitor) -> None:
    repo = {**SCRIPTS, "branch": "x"}
    given = {"services": [{**CART, "repo_info": [repo], "inputs": DEBUG}, CHECKOUT]}
    cart, checkout = spec_of(zadig, "service-script", given)["services"]
    assert [one["branch"] for one in cart["repos"]] == ["x"]
    assert [one["repo_name"] for one in checkout["repos"]] == ["scripts", "shared"]
    assert (level(cart), level(checkout)) == ("debug", "info")


def test_script_of_any_service(zadig: Visitor) -> None:
    ghost = {"service_name": "ghost", "service_module": "x"}
    services = spec_of(zadig, "service-script", {"services": [ghost]})["services"]
    assert names(services) == ["ghost"]


def test_script_of_services_is_a_plain_script_in_4_1(older: Visitor) -> None:
    given = {"services": [CART], "kv": DEBUG}
    spec = spec_of(older, "service-script", given)
    assert (spec["services"], level({"key_vals": spec["envs"]})) == ([], "debug")


def test_script_of_a_builds_services(zadig: Visitor) -> None:
    given = {"services": [{**CART, "inputs": DEBUG}]}
    cart, checkout = spec_of(zadig, "script-of-build", given, build=BUILD)["services"]
    assert (level(cart), len(cart["repos"])) == ("debug", 2)
    assert checkout == {**CHECKOUT, "key_vals": [], "repos": []}


def test_script_of_a_build_that_is_not_listed(zadig: Visitor) -> None:
    spec = spec_of(zadig, "script-of-build", {"services": [CART]})
    assert spec["services"] == []


@pytest.mark.parametrize(
    ("name", "kind", "whose"),
    [
        ("script-of-build", "services", "FreeStyleJob"),
        ("test-of-build", "service_list", "ZadigTestingJob"),
        ("scan-of-build", "service_list", "ZadigScanningJob"),
    ],
)
def test_the_other_job_must_be_there(zadig: Visitor, name: str, kind: str, whose: str) -> None:
    workflow = zadig.sandbox.workflow("everything")
    workflow["stages"] = workflow["stages"][1:]
    zadig.sandbox.put_workflow(workflow)
    expected = (
        500,
        (f"failed to update jobspec for job: {name}, err: {whose}: refered job build not found"),
    )
    assert spec_of(zadig, name, {kind: [CART]}) == expected


def test_a_deployment_has_no_services_to_copy(zadig: Visitor) -> None:
    workflow = zadig.sandbox.workflow("everything")
    for job in workflow["stages"][1]["jobs"]:
        if job["name"] == "script-of-build":
            job["spec"]["job_name"] = "deploy"
    zadig.sandbox.put_workflow(workflow)
    status, text = spec_of(zadig, "script-of-build", {})
    assert (status, text.endswith("refered job deploy not found")) == (500, True)


@pytest.mark.parametrize(
    ("name", "services", "repo"),
    [
        ("service-test", "service_and_tests", SMOKE),
        ("service-scan", "service_and_scannings", {**SMOKE, "repo_name": "lint"}),
    ],
)
def test_tests_and_scans_of_services(
    zadig: Visitor, name: str, services: str, repo: dict[str, str]
) -> None:
    given = {**CHECKOUT, "repo_info": [{**repo, "branch": "x"}], "inputs": DEBUG}
    ghost = {"service_name": "ghost", "service_module": "x"}
    (chosen,) = spec_of(zadig, name, {"service_list": [given, ghost]})[services]
    assert (chosen["service_name"], level(chosen)) == ("checkout", "debug")
    assert [one["branch"] for one in chosen["repos"]] == ["x"]


@pytest.mark.parametrize(
    ("name", "services"),
    [("test-of-build", "service_and_tests"), ("scan-of-build", "service_and_scannings")],
)
def test_tests_and_scans_of_a_builds_services(zadig: Visitor, name: str, services: str) -> None:
    ghost = {"service_name": "ghost", "service_module": "x"}
    given = {"service_list": [{**CHECKOUT, "inputs": DEBUG}, ghost]}
    (chosen,) = spec_of(zadig, name, given, build=BUILD)[services]
    assert (chosen["service_name"], level(chosen)) == ("checkout", "debug")


@pytest.mark.parametrize(
    ("name", "services"),
    [("test-of-build", "service_and_tests"), ("scan-of-build", "service_and_scannings")],
)
def test_services_that_the_build_left_out_are_not_tested(
    zadig: Visitor, name: str, services: str
) -> None:
    only_cart = {**BUILD, "service_list": [CART]}
    given = {"service_list": [CHECKOUT]}
    assert spec_of(zadig, name, given, build=only_cart)[services] == []


@pytest.mark.parametrize(
    ("name", "services"),
    [("service-test", "service_and_tests"), ("service-scan", "service_and_scannings")],
)
def test_service_lists_are_ignored_in_4_1(older: Visitor, name: str, services: str) -> None:
    spec = spec_of(older, name, {"service_list": [CHECKOUT]})
    assert names(spec[services]) == ["cart", "checkout"]
