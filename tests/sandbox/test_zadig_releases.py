"""Inputs of the jobs that release (docs/servers/zadig.md §9.17 to §9.19)."""

from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.zadig.catalogue import Catalogue
from planops.sandbox.zadig.inputs import apply_input
from planops.sandbox.zadig.traits import traits_of
from planops.sandbox.zadig.visitor import Visitor, visiting


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


def stored(zadig: Visitor, *inputs: tuple[str, Any]) -> Any:
    """The jobs that inputs leave behind, by name, or the refusal."""
    given = [{"job_name": name, "parameters": parameters} for name, parameters in inputs]
    plan = zadig.create()
    spec = {"workflow_key": "everything", "inputs": given}
    reply = zadig.update(plan, jobs=[{"name": "w", "type": "workflow", "spec": spec}])
    if reply.status != 200:
        return reply.error
    stages = zadig.get(plan)["jobs"][0]["spec"]["workflow"]["stages"]
    return {job["name"]: job for stage in stages for job in stage["jobs"]}


def spec_of(zadig: Visitor, name: str, parameters: Any) -> Any:
    """The spec of one job after its input, or the refusal."""
    jobs = stored(zadig, (name, parameters))
    return jobs if isinstance(jobs, tuple) else jobs[name]["spec"]


def kv(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value}


def direct(kind: str, spec: dict[str, Any], parameters: Any) -> dict[str, Any]:
    """What an input does to a spec by itself, without the refreshing that comes before."""
    job = {"name": "j", "type": kind, "spec": spec}
    catalogue = Catalogue(system={}, traits=traits_of("5.0"))
    apply_input(catalogue, {"stages": [{"jobs": [job]}]}, job, parameters)
    return spec


@pytest.mark.parametrize("name", ["blue-green-release", "canary-release", "sign-off"])
def test_listing_is_all_that_some_kinds_need(zadig: Visitor, name: str) -> None:
    jobs = stored(zadig, (name, {}))
    assert [one for one, job in jobs.items() if not job["skipped"]] == [name]
    specs = [stored(zadig, *inputs)[name]["spec"] for inputs in ((), ((name, None),))]
    assert specs == [jobs[name]["spec"]] * 2


def test_parameters_of_an_approval_are_not_looked_at(zadig: Visitor) -> None:
    assert stored(zadig, ("sign-off", 7))["sign-off"]["skipped"] is False
    expected = (
        500,
        (
            "unmarshal task error: json: cannot unmarshal number "
            "into Go value of type workflow.EmptyInput"
        ),
    )
    assert stored(zadig, ("canary-release", 7)) == expected


def test_blue_green_inputs_erase_todays_settings(zadig: Visitor) -> None:
    given = {"service_list": [{"service_name": "cart", "image_name": "i:2"}]}
    assert spec_of(zadig, "blue-green-deploy", given) == {
        "cluster_id": "",
        "docker_registry_id": "",
        "namespace": "",
        "targets": [],
    }


def test_blue_green_without_inputs_keeps_its_settings(zadig: Visitor) -> None:
    spec = stored(zadig)["blue-green-deploy"]["spec"]
    assert (spec["version"], spec["env"], spec["services"]) == ("v2", "prod", [])


def test_canary_has_no_targets_left_to_set(zadig: Visitor) -> None:
    given = {"service_list": [{"service_name": "cart", "image_name": "i:2"}]}
    assert spec_of(zadig, "canary-deploy", given)["targets"] == []


def test_canary_would_set_images_by_service() -> None:
    targets = [{"k8s_service_name": name, "image": "i:1"} for name in ("cart", "stock")]
    given = {"service_list": [{"service_name": "cart", "image_name": "i:2"}]}
    spec = direct("k8s-canary-deploy", {"targets": targets}, given)
    assert [target["image"] for target in spec["targets"]] == ["i:2", "i:1"]


def test_gray_release_has_no_targets_left_to_keep(zadig: Visitor) -> None:
    given = {"target_list": [{"workload_name": "cart", "image_name": "i:2"}]}
    assert spec_of(zadig, "gray-release", given)["targets"] == []


def test_gray_release_would_keep_targets_by_workload() -> None:
    targets = [{"workload_name": name, "image": "i:1"} for name in ("cart", "stock")]
    given = {"target_list": [{"workload_name": "cart", "image_name": "i:2"}]}
    spec = direct("k8s-gray-release", {"targets": targets}, given)
    assert spec["targets"] == [{"workload_name": "cart", "image": "i:2"}]


def test_gray_rollback_keeps_targets_by_workload(zadig: Visitor) -> None:
    spec = spec_of(zadig, "gray-rollback", {"target_list": [{"workload_name": "checkout"}]})
    expected = [{"workload_type": "deployment", "workload_name": "checkout"}]
    assert spec["targets"] == expected


PATCHED = {
    "resource_name": "cart",
    "resource_kind": "Deployment",
    "resource_group": "apps",
    "resource_version": "v1",
}


def test_resource_patch_sets_parameters(zadig: Visitor) -> None:
    given = {"target_list": [{**PATCHED, "inputs": [kv("replicas", "3"), kv("unknown", "x")]}]}
    (item,) = spec_of(zadig, "patch", given)["patch_items"]
    assert (item["resource_name"], {one["name"]: one["value"] for one in item["params"]}) == (
        "cart",
        {"replicas": "3"},
    )


@pytest.mark.parametrize("key", PATCHED)
def test_resource_patch_matches_by_four_names(zadig: Visitor, key: str) -> None:
    given = {"target_list": [{**PATCHED, key: "other"}]}
    assert spec_of(zadig, "patch", given)["patch_items"] == []
