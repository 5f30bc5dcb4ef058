"""The web interface's routes that read, copy and delete plans (docs/servers/zadig.md §1.2, §8)."""

import re

from planops.sandbox.zadig import history
from planops.sandbox.zadig.answers import PRESET_FAILED, BadRequest, CodedError, GoError
from planops.sandbox.zadig.approvals import clear_votes
from planops.sandbox.zadig.binding import Struct, fields
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.lifecycle import MILESTONES, check_timer
from planops.sandbox.zadig.lint import flattened, workflow_spec
from planops.sandbox.zadig.merging import merged
from planops.sandbox.zadig.openapi import bound_body, next_index, paging, query_int, window
from planops.sandbox.zadig.plans import fresh_job, shown, shown_internally, shown_job
from planops.sandbox.zadig.realm import CREATED, DELETED, Call, Realm, new_uuid
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
    within = _query_window(realm, call)
    call.check_licence()
    found = _filtered(realm.store.newest("plan"), kind, call.query.get("keyword", ""), within)
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
        spec = workflow_spec(job, f"invalid spec for job: {job['name']}. decode error")
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
    check_timer(call)
    realm.store.delete("plan", str(plan["id"]))
    for timer in realm.store.all("cron"):
        if timer["plan_id"] == plan["id"]:
            realm.store.delete("cron", str(timer["key"]))
    history.wrote(realm, call, plan, DELETED)
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
        "index": next_index(realm, call),
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
    history.wrote(realm, call, plan, CREATED)
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


def _filtered(
    plans: list[Document], kind: str, keyword: str, within: tuple[int, int]
) -> list[Document]:
    """The plans that a filter finds; the one by status alone has no window (§8.6)."""
    if kind == "status":
        return [plan for plan in plans if plan["status"] == keyword]
    inside = [plan for plan in plans if _overlaps(plan, within)]
    if kind in _RANGED:
        bounds = _range(kind, keyword)
        inside = [plan for plan in inside if _between(plan[kind], bounds)]
        return sorted(inside, key=lambda plan: int(plan["update_time"]), reverse=True)
    if kind in {"name", "manager"}:
        pattern = _pattern(keyword)
        return [plan for plan in inside if pattern.search(plan[kind])]
    return []


def _query_window(realm: Realm, call: Call) -> tuple[int, int]:
    """``startTime`` and ``endTime``, where the list knows them."""
    if not realm.traits.list_window:
        return 0, 0
    return query_int(call.query.get("startTime", "")), query_int(call.query.get("endTime", ""))


def _overlaps(plan: Document, bounds: tuple[int, int]) -> bool:
    """Whether a plan's own window begins or ends within the bounds."""
    return any(_between(plan[key], bounds) for key in ("start_time", "end_time"))


def _between(moment: int, bounds: tuple[int, int]) -> bool:
    """Bounds that are not both above 0 bound nothing."""
    low, high = bounds
    return min(low, high) <= 0 or low <= moment <= high


def _range(kind: str, keyword: str) -> tuple[int, int]:
    words, parts = kind.replace("_", " "), keyword.split("-")
    if len(parts) != len(("start", "end")):
        raise GoError(f"invalid {words} range")
    return _bound(parts[0], f"invalid {words} start"), _bound(parts[1], f"invalid {words} end")


def _bound(text: str, fault: str) -> int:
    digits = text.removeprefix("+")
    if not digits.isascii() or not digits.isdecimal():
        raise GoError(f'{fault}: strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(digits)


def _pattern(keyword: str) -> re.Pattern[str]:
    """The keyword goes into a regular expression unescaped."""
    try:
        return re.compile(f".*{keyword}.*", re.IGNORECASE)
    except re.error as wrong:
        raise GoError(f"(Location51091) Regular expression is invalid: {wrong}") from None
