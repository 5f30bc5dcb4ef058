"""Inputs of the jobs that change what runs: deployments and releases (§9.6, §9.15 to §9.19)."""

from planops.sandbox.zadig.answers import GoError
from planops.sandbox.zadig.binding import Field, Slice, Struct, fields
from planops.sandbox.zadig.catalogue import Catalogue
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.sources import KEY_VALUE, elements, listed, with_values


def _list_of(name: str, key: str, entry: Struct, *more: str) -> Struct:
    return Struct(name, fields(*more, Field(key, Slice(entry))), "workflow")


_WORKLOAD = ("workload_type", "workload_name", "container_name", "image_name")
DEPLOY = _list_of(
    "ZadigDeployJobInput",
    "service_list",
    Struct(
        "ServiceDeployArgs",
        fields("service_module", "service_name", "image_name", "value_merge_strategy"),
        "workflow",
    ),
    "env_name",
)
VM_DEPLOY = _list_of(
    "ZadigVMDeployJobInput",
    "service_list",
    Struct("VMServiceDeployArgs", fields("service_name", "file_name"), "workflow"),
    "env_name",
)
CUSTOM_DEPLOY = _list_of(
    "CustomDeployJobInput",
    "target_list",
    Struct("CustomDeployTarget", fields(*_WORKLOAD), "workflow"),
)
_SERVICE_IMAGE = Struct("BlueGreenDeployArgs", fields("service_name", "image_name"), "workflow")
BLUE_GREEN = _list_of("BlueGreenDeployJobInput", "service_list", _SERVICE_IMAGE)
CANARY = _list_of("CanaryDeployJobInput", "service_list", _SERVICE_IMAGE)
_GRAY = Struct("GrayReleaseTarget", fields(*_WORKLOAD), "workflow")
GRAY_RELEASE = _list_of("GrayReleaseJobInput", "target_list", _GRAY)
GRAY_ROLLBACK = _list_of("GrayRollbackJobInput", "target_list", _GRAY)
_RESOURCE = ("resource_name", "resource_kind", "resource_group", "resource_version")
PATCH = _list_of(
    "K8sPatchJobInput",
    "target_list",
    Struct("K8sPatchTarget", fields(*_RESOURCE, Field("inputs", Slice(KEY_VALUE))), "workflow"),
)
_OLD_BLUE_GREEN = ("cluster_id", "namespace", "docker_registry_id")


def deploy(_: Catalogue, __: Document, spec: Document, given: Document) -> None:
    """``zadig-deploy``: nothing is checked; entries of one service are its modules."""
    services: dict[str, Document] = {}
    for entry in elements(given["service_list"]):
        name = entry["service_name"]
        service = services.setdefault(name, {"service_name": name, "modules": []})
        service["modules"].append(
            {"service_module": entry["service_module"], "image": entry["image_name"]}
        )
        service["value_merge_strategy"] = entry["value_merge_strategy"]
    spec["env"] = given["env_name"]
    spec["services"] = list(services.values())


def vm_deploy(catalogue: Catalogue, _: Document, spec: Document, given: Document) -> None:
    """``zadig-vm-deploy``: a file for each service, which must be a known artifact."""
    spec["env"] = given["env_name"]
    deployed: dict[str, Document] = {}
    for entry in elements(given["service_list"]):
        name, file = entry["service_name"], entry["file_name"]
        if name in deployed:
            raise GoError("cannot deploy 2 same service")
        artifact = catalogue.artifact(name, file)
        deployed[name] = {
            "repos": [],
            "service_name": name,
            "service_module": "",
            "artifact_url": "",
            "file_name": file,
            "image": "",
            "task_id": artifact.get("task_id", 0),
            "workflow_type": artifact.get("workflow_type", ""),
            "workflow_name": artifact.get("workflow_name", ""),
            "job_task_name": artifact.get("job_task_name", ""),
        }
    spec["service_and_vm_deploys"] = list(deployed.values())


def custom_deploy(_: Catalogue, __: Document, spec: Document, given: Document) -> None:
    """``custom-deploy``: new targets in place of the job's; an empty image is left out."""
    targets: list[Document] = []
    for entry in elements(given["target_list"]):
        target = "/".join(entry[key] for key in _WORKLOAD[:3])
        image = {"image": entry["image_name"]} if entry["image_name"] else {}
        targets.append({"target": target, **image})
    spec["targets"] = targets


def blue_green(_: Catalogue, __: Document, spec: Document, given: Document) -> None:
    """``k8s-blue-green-deploy``: the old form of the spec, so that today's settings are lost."""
    targets = _with_images(spec, given)
    old = {key: spec.get(key, "") for key in _OLD_BLUE_GREEN}
    spec.clear()
    spec.update(old, targets=targets)


def canary(_: Catalogue, __: Document, spec: Document, given: Document) -> None:
    """``k8s-canary-deploy``: images of the targets that the job still has."""
    spec["targets"] = _with_images(spec, given)


def gray_release(_: Catalogue, __: Document, spec: Document, given: Document) -> None:
    """``k8s-gray-release``: keeps the targets that are named, with their images."""
    kept: list[Document] = []
    for target in listed(spec, "targets"):
        for entry in elements(given["target_list"]):
            if target["workload_name"] == entry["workload_name"]:
                target["image"] = entry["image_name"]
                kept.append(target)
    spec["targets"] = kept


def gray_rollback(_: Catalogue, __: Document, spec: Document, given: Document) -> None:
    """``k8s-gray-rollback``: keeps the targets that are named."""
    spec["targets"] = [
        target
        for target in listed(spec, "targets")
        for entry in elements(given["target_list"])
        if target["workload_name"] == entry["workload_name"]
    ]


def resource_patch(_: Catalogue, __: Document, spec: Document, given: Document) -> None:
    """``k8s-resource-patch``: keeps the resources that are named by all four of their names."""
    kept: list[Document] = []
    for item in listed(spec, "patch_items"):
        for entry in elements(given["target_list"]):
            if all(item[key] == entry[key] for key in _RESOURCE):
                item["params"] = with_values(listed(item, "params"), entry["inputs"], "name")
                kept.append(item)
    spec["patch_items"] = kept


def _with_images(spec: Document, given: Document) -> list[Document]:
    entries = elements(given["service_list"])
    images = {entry["service_name"]: entry["image_name"] for entry in entries}
    targets = listed(spec, "targets")
    for target in targets:
        if target["k8s_service_name"] in images:
            target["image"] = images[target["k8s_service_name"]]
    return targets
