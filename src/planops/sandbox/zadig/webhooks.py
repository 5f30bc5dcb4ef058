"""Messages to the outside: written down, never sent (docs/servers/zadig.md §7.11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.realm import Realm, new_uuid

_BEFORE = ("id", "index")
_AFTER = (
    "name",
    "manager",
    "manager_id",
    "start_time",
    "end_time",
    "schedule_execute_time",
    "description",
    "created_by",
    "create_time",
    "updated_by",
    "update_time",
    "instance_code",
)
_LAST = ("status", "planning_time", "approval_time", "executing_time", "success_time")
_JOB = ("id", "name", "type", "status", "executed_by", "executed_time")
_WORKFLOW = (
    "name",
    "display_name",
    "disabled",
    "category",
    "params",
    "project",
    "description",
    "created_by",
    "create_time",
    "updated_by",
    "update_time",
    "remark",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSent:
    """One message: where it would have gone, with which headers, saying what."""

    address: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


def send(realm: Realm, plan: Document, event: str) -> None:
    """Write down the message that a plan has reached an event."""
    setting = realm.store.get("setting", "hook") or {"hook_address": "", "hook_secret": ""}
    system = realm.store.get("setting", "system") or {}
    number = realm.store.increment("hook")
    message = {
        "address": setting["hook_address"],
        "headers": {
            "X-Zadig-Token": setting["hook_secret"],
            "X-Zadig-Instance": system.get("address", ""),
            "X-Zadig-Event": "release_plan",
            "X-Zadig-Event-UUID": new_uuid(),
            "X-Zadig-Webhook-UUID": new_uuid(),
        },
        "body": {
            "object_kind": "release_plan",
            "event": "release_plan",
            "workflow": None,
            "release_plan": _body(plan, event),
        },
    }
    realm.store.put("hook", str(number), message, number)


def hooks_sent(realm: Realm) -> tuple[HookSent, ...]:
    """Every message so far."""
    return tuple(HookSent(**message) for message in realm.store.all("hook"))


def _body(plan: Document, event: str) -> Document:
    return {
        **_of(plan, _BEFORE),
        "event_name": event,
        **_of(plan, _AFTER),
        "jobs": [{**_of(job, _JOB), "spec": _spec(job)} for job in plan["jobs"]],
        **_of(plan, _LAST),
    }


def _spec(job: Document) -> Document:
    """A workflow is told with the jobs that will run."""
    spec = job["spec"] if isinstance(job["spec"], dict) else {}
    if job["type"] != "workflow":
        return {"content": spec.get("content", ""), "remark": spec.get("remark", "")}
    workflow = spec.get("workflow") or {}
    return {
        "workflow": {**_of(workflow, _WORKFLOW), "stages": _stages(workflow)},
        "status": spec.get("status", ""),
        "task_id": spec.get("task_id", 0),
    }


def _stages(workflow: Document) -> list[Document]:
    keys = ("name", "type", "spec", "run_policy")
    return [
        {
            "name": stage["name"],
            "jobs": [_of(job, keys) for job in stage["jobs"] if not job.get("skipped")],
        }
        for stage in workflow.get("stages", ())
    ]


def _of(document: Document, keys: tuple[str, ...]) -> Document:
    return {key: document[key] for key in keys if key in document}
