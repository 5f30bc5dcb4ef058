"""The plan document: fresh, stored and as each route shows it (docs/servers/zadig.md §5)."""

from collections.abc import Mapping
from typing import Any

from planops.sandbox.zadig.approvals import APPROVAL
from planops.sandbox.zadig.binding import bind, presented
from planops.sandbox.zadig.gojson import Document, numbered
from planops.sandbox.zadig.traits import Traits

FRESH: Mapping[str, Any] = {
    "id": "",
    "index": 0,
    "version": 1,
    "name": "",
    "manager": "",
    "manager_id": "",
    "approver_id": "",
    "start_time": 0,
    "end_time": 0,
    "schedule_execute_time": 0,
    "description": "",
    "created_by": "",
    "create_time": 0,
    "updated_by": "",
    "update_time": 0,
    "jira_sprint_association": None,
    "approval": None,
    "jobs": [],
    "status": "planning",
    "planning_time": 0,
    "finish_planning_time": 0,
    "approval_time": 0,
    "executing_time": 0,
    "success_time": 0,
    "instance_code": "",
    "hook_settings": None,
    "wait_for_finish_planning_external_check_time": 0,
    "wait_for_approve_external_check_time": 0,
    "wait_for_execute_external_check_time": 0,
    "wait_for_all_done_external_check_time": 0,
    "external_check_failed_reason": "",
    "callback_description": "",
}
_FRESH_JOB: Mapping[str, Any] = {
    "id": "",
    "name": "",
    "manager": "",
    "manager_id": "",
    "type": "",
    "spec": None,
    "status": "",
    "last_status": "",
    "updated": False,
    "executed_by": "",
    "executed_time": 0,
}
SUMMARY = ("id", "index", "name", "manager", "description", "created_by", "create_time")


def complete(document: Mapping[str, Any]) -> Document:
    """``document`` with every key of a plan and its jobs; foreign keys stay, at the end."""
    jobs = [{**_FRESH_JOB, **job} for job in document.get("jobs") or ()]
    return {**FRESH, **document, "jobs": jobs}


def stored(document: Mapping[str, Any]) -> Document:
    """A plan of any shape as the server would hold it; ``BindFault`` for a misshapen approval."""
    plan = complete(document)
    plan["approval"] = bind(APPROVAL, numbered(plan["approval"]))
    return plan


def fresh_job(job_id: str, name: str, kind: str, spec: object) -> Document:
    """A job that has never run."""
    return {**_FRESH_JOB, "id": job_id, "name": name, "type": kind, "spec": spec}


def summary(plan: Mapping[str, Any]) -> Document:
    """A plan in the documented list."""
    return {key: plan[key] for key in SUMMARY}


def shown(plan: Mapping[str, Any], traits: Traits) -> Document:
    """A plan as the documented detail route returns it."""
    document = complete(plan)
    if document["approval"] is None:
        del document["approval"]
    else:
        document["approval"] = presented(APPROVAL, document["approval"])
        native, lark = (document["approval"].get(f"{kind}_approval") for kind in ("native", "lark"))
        if native is not None:
            native["flat_approve_users"] = []
        if lark is not None and not traits.lark_initiators:
            del lark["approval_initiator"]
    document["jobs"] = [shown_job(job, traits) for job in document["jobs"]]
    if not traits.versions:
        del document["version"]
    if not traits.callback_description:
        del document["callback_description"]
    return document


def shown_internally(plan: Mapping[str, Any], traits: Traits, flat: list[Document]) -> Document:
    """A plan as the web interface's detail route returns it (§5.5)."""
    document = shown(plan, traits)
    for job in document["jobs"]:
        if job["type"] == "workflow":
            job["spec"] = None
            if traits.versions:
                del job["spec"]
    native = document.get("approval", {}).get("native_approval")
    if native is not None:
        native["flat_approve_users"] = flat
    return document


def shown_job(job: Mapping[str, Any], traits: Traits) -> Document:
    """One job of a plan, as every route shows it."""
    document: Document = dict(job)
    if not traits.job_managers:
        del document["manager"], document["manager_id"]
    spec = document["spec"]
    if isinstance(spec, dict):
        document["spec"] = _shown_spec(spec, str(document["type"]), traits)
    elif spec is None and traits.versions:
        del document["spec"]
    return document


def _shown_spec(spec: Document, kind: str, traits: Traits) -> object:
    if kind == "workflow":
        task = {"status": spec.get("status") or "", "task_id": spec.get("task_id") or 0}
        kept = {key: value for key, value in task.items() if value or traits.always_shows_task}
        rest = {key: value for key, value in spec.items() if key not in task}
        spec = {**rest, **kept}
    return _sorted(_without_nulls(spec))


def _without_nulls(value: Document) -> Document:
    """Nulls of objects are dropped, but lists are not entered (§5.3)."""
    return {
        key: _without_nulls(member) if isinstance(member, dict) else member
        for key, member in value.items()
        if member is not None
    }


def _sorted(value: object) -> object:
    match value:
        case dict():
            return {key: _sorted(value[key]) for key in sorted(value)}
        case list():
            return [_sorted(element) for element in value]
        case _:
            return value
