"""What a workflow goes through before it is stored with a plan (§9.1, §9.21, §9.22).

Every job is refreshed from its project, which may fail and clears the selection of some kinds; and
what has no name in the database is lost.
"""

from collections.abc import Iterator, Mapping

from planops.sandbox.zadig.answers import PRESET_FAILED, CodedError
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.realm import Realm

CLEARED: Mapping[str, str] = {
    "zadig-build": "service_and_builds",
    "istio-release": "targets",
    "istio-rollback": "targets",
    "zadig-helm-chart-deploy": "deploy_helm_charts",
    "k8s-blue-green-deploy": "services",
    "k8s-canary-deploy": "targets",
    "k8s-gray-release": "targets",
    "apollo": "namespaceList",
}
_UNSTORED: Mapping[str, tuple[str, ...]] = {
    "zadig-deploy": ("env_options",),
    "zadig-vm-deploy": ("production", "env_alias", "env_options"),
    "zadig-helm-chart-deploy": ("env_alias", "env_options"),
    "zadig-restart": ("env_options",),
    "k8s-blue-green-deploy": ("env_options",),
    "sae-deploy": ("env_options",),
    "k8s-gray-rollback": ("target_options",),
    "istio-release": ("target_options",),
    "istio-rollback": ("target_options",),
}
_UNSTORED_INSIDE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "zadig-deploy": ("services", ("auto_sync", "updatable")),
    "k8s-gray-rollback": ("targets", ("origin_image", "origin_replica")),
}


def jobs_of(workflow: Document) -> Iterator[Document]:
    """Every job of a workflow, in order."""
    for stage in workflow["stages"]:
        yield from stage["jobs"]


def preset(realm: Realm, workflow: Document) -> None:
    """Refresh every job, named by the plan or not."""
    name = workflow["name"]
    _fail_if_asked(realm, f"preset/{name}")
    for job in jobs_of(workflow):
        _fail_if_asked(realm, f"preset/{name}/{job['name']}")
        if job["type"] in CLEARED:
            job["spec"][CLEARED[job["type"]]] = []


def storable(workflow: Document) -> Document:
    """A workflow as the database keeps it: some members exist only in answers (§9.22)."""
    workflow.pop("template_name", None)
    for job in jobs_of(workflow):
        spec, kind = job["spec"], job["type"]
        for key in _UNSTORED.get(kind, ()):
            spec.pop(key, None)
        inside, keys = _UNSTORED_INSIDE.get(kind, ("", ()))
        for entry in spec.get(inside) or ():
            for key in keys:
                entry.pop(key, None)
    return workflow


def _fail_if_asked(realm: Realm, key: str) -> None:
    failure = realm.store.get("setting", key)
    if failure is not None:
        raise CodedError(*PRESET_FAILED, str(failure["text"]))
