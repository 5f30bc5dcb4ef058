"""The web interface's routes that read, copy and delete plans (docs/servers/zadig.md §1.2, §8)."""

import re

from planops.sandbox.zadig.answers import PRESET_FAILED, BadRequest, CodedError, GoError
from planops.sandbox.zadig.binding import Struct, fields
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.lifecycle import MILESTONES, clear_votes
from planops.sandbox.zadig.lint import flattened
from planops.sandbox.zadig.merging import merged
from planops.sandbox.zadig.openapi import bound_body, paging, window
from planops.sandbox.zadig.plans import fresh_job, shown, shown_internally, shown_job
from planops.sandbox.zadig.realm import COUNTER, CREATED, DELETED, Call, Realm, new_uuid
from planops.sandbox.zadig.workflows import catalogue_of

_NAME = Struct("CopyReleasePlanArgs", fields("name"), "service")
_MASKED = "********"
_RANGED = frozenset({"success_time", "update_time"})


def list_plans(realm: Realm, call: Call) -> object:
    """``GET``: the list with a filter; an unknown filter finds nothing (§8.6)."""
    page, size = paging("ListReleasePlanOption", call.query)
    kind = call.query.get("type", "")
    if not kind:
        raise BadRequest(
            "Key: 'ListReleasePlanOption.Type' Error:Field validation for 'Type' failed "
            "on the 'required' tag"
        )
    call.check_licence()
    found = _filtered(realm, call, kind)
    limit, offset = window(page, size)
    part = found if limit < 0 else found[offset : offset + limit]
    plans = [shown({**plan, "jobs": []}, realm.traits) for plan in part]
    return {"list": plans, "total": len(found)}


def get_plan(realm: Realm, call: Call) -> object:
    """``GET /:id``: without the specs of workflow jobs, with the expanded approvers (§5.5)."""
    call.check_licence()
    plan = _named(realm, call, "GetReleasePlan")
    native = (plan["approval"] or {}).get("native_approval")
    flat = flattened(realm.people, native["approve_users"] or ()) if native else []
    return shown_internally(plan, realm.traits, flat)


def get_job(realm: Realm, call: Call) -> object:
    """``GET /:id/job/:jobID``: a workflow is shown as it would run now; nothing is stored."""
    call.check_licence()
    plan = _named(realm, call, "GetReleasePlan")
    wanted = call.params["jobID"]
    job = next((one for one in plan["jobs"] if one["id"] == wanted), None)
    if job is None:
        raise GoError(f"failed to find release plan job with id: {wanted}. Job does not exist")
    if job["type"] == "workflow":
        spec = job["spec"] if isinstance(job["spec"], dict) else {}
        if not spec.get("workflow"):
            raise GoError("workflow is nil")
        try:
            job["spec"] = {**spec, "workflow": merged(realm, spec["workflow"])}
        except GoError as wrong:
            raise CodedError(*PRESET_FAILED, str(wrong)) from None
    return shown_job(job, realm.traits)


def get_logs(realm: Realm, call: Call) -> object:
    """``GET /:id/logs``: newest first."""
    call.check_licence()
    lines = [line for line in realm.store.newest("log") if line["plan_id"] == call.plan_id]
    maps = ("verb", "target_type", "detail", "user_name")
    return {"i18n": {f"{name}_i18_map": {} for name in maps}, "list": lines}


def delete_plan(realm: Realm, call: Call) -> object:
    """``DELETE /:id``: whatever its status; the history stays (§8.4)."""
    call.check_licence()
    plan = realm.load_plan(call.plan_id)
    realm.store.delete("plan", str(plan["id"]))
    for timer in realm.store.all("cron"):
        if timer["plan_id"] == plan["id"]:
            realm.store.delete("cron", str(timer["key"]))
    realm.log(plan, call.caller.name, call.caller.account, DELETED)
    return None


def copy_plan(realm: Realm, call: Call) -> object:
    """``POST /:id/copy``: the same content as a new plan in planning."""
    given = bound_body(_NAME, call.body) or {"name": ""}
    call.check_licence()
    plan = realm.load_plan(call.plan_id)
    if not given["name"]:
        raise GoError("name cannot be empty")
    now, by = realm.clock.now(), call.caller.name
    plan |= dict.fromkeys(MILESTONES, 0) | {"planning_time": 0}
    plan |= {"created_by": by, "create_time": now, "updated_by": by, "update_time": now}
    plan |= {
        "id": realm.new_plan_id(),
        "index": realm.store.increment(COUNTER),
        "version": 1,
        "name": given["name"],
        "status": "planning",
        "jobs": [
            fresh_job(new_uuid(), job["name"], job["type"], job["spec"]) for job in plan["jobs"]
        ],
    }
    if plan["approval"]:
        clear_votes(plan["approval"])
    realm.save_plan(plan)
    realm.log(plan, by, call.caller.account, CREATED)
    return None


def list_code_hosts(realm: Realm, _: Call) -> object:
    """``GET /api/aslan/code/codehost``: for any token, without a licence; secrets masked (§8.8)."""
    return [
        {
            "id": host["id"],
            "address": host.get("address", ""),
            "type": host.get("type", ""),
            "alias": host["alias"],
            **dict.fromkeys(("access_token", "application_id", "client_secret"), _MASKED),
        }
        for host in catalogue_of(realm).system.get("code_hosts", ())
    ]


def list_databases(realm: Realm, _: Call) -> object:
    """``GET /api/aslan/system/dbinstance``: without a licence, passwords left out (§8.9)."""
    return [
        {"id": one["id"], "name": one["name"], "type": one.get("type", ""), "password": ""}
        for one in catalogue_of(realm).system.get("databases", ())
    ]


def _named(realm: Realm, call: Call, prefix: str) -> Document:
    return realm.load_plan(call.plan_id, prefix)


def _filtered(realm: Realm, call: Call, kind: str) -> list[Document]:
    plans, keyword = realm.store.newest("plan"), call.query.get("keyword", "")
    if kind in _RANGED:
        bounds = [int(bound) for bound in keyword.split("-") if bound.isdecimal()]
        if len(bounds) != len(("from", "to")):
            raise GoError("invalid time range")
        inside = [plan for plan in plans if bounds[0] <= plan[kind] <= bounds[1]]
        return sorted(inside, key=lambda plan: int(plan["update_time"]), reverse=True)
    if kind == "status":
        return [plan for plan in plans if plan["status"] == keyword]
    if kind in {"name", "manager"}:
        pattern = _pattern(keyword)
        return [plan for plan in _in_window(realm, call, plans) if pattern.search(plan[kind])]
    return []


def _in_window(realm: Realm, call: Call, plans: list[Document]) -> list[Document]:
    """The plans made within ``startTime`` and ``endTime``, where the list knows them."""
    bounds = [call.query.get(key, "") for key in ("startTime", "endTime")]
    if not realm.traits.list_window or not all(bound.isdecimal() for bound in bounds):
        return plans
    low, high = (int(bound) for bound in bounds)
    return [plan for plan in plans if low <= plan["create_time"] <= high]


def _pattern(keyword: str) -> re.Pattern[str]:
    """The keyword goes into a regular expression unescaped."""
    try:
        return re.compile(f".*{keyword}.*", re.IGNORECASE)
    except re.error as wrong:
        raise GoError(f"(Location51091) Regular expression is invalid: {wrong}") from None
