"""The documented routes: list, detail, create, update, and the user search (§1.1, §3 to §5, §8)."""

import urllib.parse
from collections.abc import Mapping

from planops.sandbox.zadig import history
from planops.sandbox.zadig.answers import (
    COUNTER_FAILED,
    BadRequest,
    CodedError,
    GoError,
    forbidden,
    panic,
)
from planops.sandbox.zadig.approvals import APPROVAL
from planops.sandbox.zadig.binding import (
    BindFault,
    Field,
    Pointer,
    Slice,
    Struct,
    bind,
    fields,
    rebound,
)
from planops.sandbox.zadig.gojson import Document, JsonFault, read
from planops.sandbox.zadig.lint import (
    check_approval,
    check_definition,
    check_range,
    check_schedule,
)
from planops.sandbox.zadig.plans import complete, fresh_job, shown, summary
from planops.sandbox.zadig.realm import COUNTER, CREATED, UPDATED, Call, Realm, new_uuid
from planops.sandbox.zadig.workflows import WORKFLOW_SPEC, catalogue_of, stored_spec

_COMMON = (
    "name",
    "manager",
    "manager_identity_type",
    Field("start_time", "int64"),
    Field("end_time", "int64"),
    Field("schedule_execute_time", "int64"),
    "description",
    Field("approval", Pointer(APPROVAL)),
)
CREATE = Struct("OpenAPICreateReleasePlanArgs", fields(*_COMMON), "service")
_JOB = Struct("OpenAPIReleasePlanJob", fields("name", "type", Field("spec", "any")), "service")
UPDATE = Struct(
    "OpenAPIUpdateReleasePlanWithJobsArgs",
    fields(*_COMMON, Field("jobs", Slice(_JOB))),
    "service",
)
TEXT_SPEC = Struct("OpenAPITextReleaseJobSpec", fields("content", "remark"), "service")
_SCALARS = ("name", "manager", "start_time", "end_time", "schedule_execute_time", "description")
_CLOSED = frozenset({"success", "executing", "wait_for_approval"})


def bound_body(struct: Struct, body: bytes) -> Document | None:
    """The request's body as ``struct``; 400 when it does not fit (§1.5)."""
    try:
        return bind(struct, read(body))
    except (JsonFault, BindFault) as wrong:
        raise BadRequest(str(wrong)) from None


def paging(struct: str, query: Mapping[str, str]) -> tuple[int, int]:
    """``pageNum`` and ``pageSize``, both required and neither 0 (§8.2)."""
    numbers = [query_int(query.get(key, "")) for key in ("pageNum", "pageSize")]
    missing = [
        f"Key: '{struct}.{name}' Error:Field validation for '{name}' failed on the 'required' tag"
        for name, number in zip(("PageNum", "PageSize"), numbers, strict=True)
        if not number
    ]
    if missing:
        raise BadRequest("\n".join(missing))
    return numbers[0], numbers[1]


def window(page: int, size: int) -> tuple[int, int]:
    """Limit and offset of a page; a negative number means everything."""
    return (-1, 0) if page < 0 or size < 0 else (size, (page - 1) * size)


def list_plans(realm: Realm, call: Call) -> object:
    """``GET /openapi/release_plan/v1`` (§8.2)."""
    page, size = paging("OpenAPIListReleasePlanOption", call.query)
    call.check_licence()
    plans = realm.store.newest("plan", *window(page, size))
    return {"list": [summary(plan) for plan in plans], "total": realm.store.count("plan")}


def get_plan(realm: Realm, call: Call) -> object:
    """``GET /openapi/release_plan/v1/:id`` (§5.2)."""
    call.check_licence()
    return shown(realm.find_plan(call.plan_id), realm.traits)


def create_plan(realm: Realm, call: Call) -> object:
    """``POST /openapi/release_plan/v1`` (§3)."""
    args = bound_body(CREATE, call.body)
    call.check_licence()
    if args is None:
        raise panic()
    _check_required(args)
    manager_id = _checked(realm, call, args)
    plan_id = realm.new_plan_id()
    now, by = realm.clock.now(), call.caller.name
    plan = complete(
        {key: args[key] for key in _SCALARS}
        | {
            "id": plan_id,
            "index": next_index(realm, call),
            "manager_id": manager_id,
            "approval": args["approval"],
            "created_by": by,
            "create_time": now,
            "updated_by": by,
            "update_time": now,
        }
    )
    realm.save_plan(plan)
    history.wrote(realm, call, plan, CREATED)
    return {"id": plan_id}


def update_plan(realm: Realm, call: Call) -> object:
    """``PATCH /openapi/release_plan/v1/:id``: a replacement, whatever its name (§4)."""
    args = bound_body(UPDATE, call.body)
    call.check_licence()
    if args is None:
        raise panic()
    realm.lock_plan(call)
    plan = realm.load_plan(call.plan_id, "get release plan error")
    _check_required(args)
    if plan["status"] in _CLOSED:
        raise GoError("release plan status is success, executing or wait for approve, can't update")
    manager_id = _checked(realm, call, args)
    jobs = _jobs(realm, args["jobs"] or [], plan["jobs"])
    plan |= {key: args[key] for key in _SCALARS}
    plan |= {
        "manager_id": manager_id,
        "approval": args["approval"],
        "jobs": jobs,
        "status": "planning",
    }
    realm.touch(plan, call.caller.name)
    realm.bump(plan)
    realm.save_plan(plan)
    history.wrote(realm, call, plan, UPDATED)
    return None


def next_index(realm: Realm, call: Call) -> int:
    """The ``index`` of a new plan; the counter fails on demand, and then counts nothing (§2.3)."""
    if "counter-down" in call.conditions:
        raise CodedError(*COUNTER_FAILED, "server selection error: context deadline exceeded")
    return realm.store.increment(COUNTER)


def search_users(realm: Realm, call: Call) -> object:
    """``GET /openapi/users`` for system administrators (§8.5)."""
    if not call.caller.is_admin:
        raise forbidden()
    query = call.query
    found = realm.people.search(query.get("account", ""), query.get("identity_type", ""))
    keys = ("uid", "account", "name", "identity_type", "last_login_time")
    return {
        "users": [{key: getattr(user, key) for key in keys} for user in found],
        "total_count": len(found),
    }


def list_registries(realm: Realm, _: Call) -> object:
    """``GET /openapi/system/registry``: for any token, without a licence (§8.7)."""
    return [
        {
            "registry_id": registry["id"],
            "address": registry["reg_addr"],
            "provider": registry.get("reg_provider", ""),
            "region": registry.get("region", ""),
            "namespace": registry["namespace"],
            "is_default": registry.get("is_default", False),
        }
        for registry in catalogue_of(realm).system.get("registries", ())
    ]


def query_int(text: str) -> int:
    """A number of the query, 0 when it is absent; 400 when it is none (§8.2)."""
    if not text:
        return 0
    digits = text[1:] if text[0] in "+-" else text
    if not digits.isdecimal() or not digits.isascii():
        quoted = urllib.parse.unquote(text).replace('"', '\\"')
        raise BadRequest(f'strconv.ParseInt: parsing "{quoted}": invalid syntax')
    return int(text)


def _check_required(args: Document) -> None:
    if not args["name"] or not args["manager"]:
        raise GoError("Required parameters are missing")


def _checked(realm: Realm, call: Call, args: Document) -> str:
    """Check times, manager and approval in the server's order; the manager's uid."""
    check_range(args["start_time"], args["end_time"])
    check_schedule(args["schedule_execute_time"], args["start_time"], args["end_time"])
    manager_id = _manager_id(realm, call, args["manager"], args["manager_identity_type"])
    accept_approval(realm, args["approval"])
    return manager_id


def accept_approval(realm: Realm, approval: Document | None) -> None:
    """Check an approval in the server's order, before it is stored (§6.2)."""
    if approval is not None:
        try:
            check_approval(realm.people, approval)
        except GoError as wrong:
            raise wrong.wrapped("lintApproval error") from None
        try:
            check_definition(approval, realm.im_apps())
        except GoError as wrong:
            raise wrong.wrapped("createLarkApprovalDefinition error") from None
        _store_lists(approval)


def _store_lists(approval: Document) -> None:
    """The expanded list of a native approval is never stored."""
    if approval["native_approval"] is not None:
        approval["native_approval"]["flat_approve_users"] = []


def _manager_id(realm: Realm, call: Call, manager: str, identity_type: str) -> str:
    if "user-service-down" in call.conditions:
        raise GoError(
            f"Failed to get user {manager}, error: "
            'Post "http://user/api/v1/users/search": dial tcp: connection refused'
        )
    match realm.people.search(manager, identity_type):
        case ():
            raise GoError(f"User {manager} not found")
        case (user,):
            return user.uid
        case _:
            raise GoError(f"User {manager} search failed")


def _jobs(realm: Realm, given: list[Document | None], old: list[Document]) -> list[Document]:
    """The new list of jobs; kinds that do not exist are dropped without a word (§4.5)."""
    unused: dict[tuple[str, str], list[str]] = {}
    if realm.traits.keeps_job_ids:
        for before in old:
            unused.setdefault((before["type"], before["name"]), []).append(before["id"])
    jobs: list[Document] = []
    for wanted in given:
        if wanted is None:
            raise panic()
        name, kind, spec = wanted["name"], wanted["type"], _stored_spec(realm, wanted)
        if spec is not None:
            ids = unused.get((kind, name)) or [new_uuid()]
            jobs.append(fresh_job(ids.pop(0), name, kind, spec))
    return jobs


def _stored_spec(realm: Realm, job: Document) -> Document | None:
    if job["type"] == "text":
        return bound_spec(TEXT_SPEC, job["spec"])
    if job["type"] == "workflow":
        return stored_spec(realm, bound_spec(WORKFLOW_SPEC, job["spec"]))
    return None


def bound_spec(struct: Struct, value: object) -> Document:
    """A value bound anywhere, bound again as ``struct``; 500 when it does not fit."""
    try:
        return rebound(struct, value)
    except BindFault as wrong:
        raise GoError(f"invalid spec: {wrong}") from None
