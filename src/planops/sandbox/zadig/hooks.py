"""The hook setting and the callbacks of external checks (docs/servers/zadig.md §7.9)."""

from planops.sandbox.zadig.answers import GoError
from planops.sandbox.zadig.binding import Field, Slice, Struct, fields, zero
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.lifecycle import CHECKS, arm_schedule, check_timer, prepare_jobs
from planops.sandbox.zadig.openapi import bound_body
from planops.sandbox.zadig.realm import Call, Realm

SETTING = Struct(
    "ReleasePlanHookSettings",
    fields(
        Field("enable", "bool"),
        Field("enable_call_back", "bool"),
        "hook_address",
        "hook_secret",
        Field("hook_events", Slice("string")),
    ),
)
_CALLBACK = Struct(
    "ReleasePlanCallBackBody",
    fields(
        "release_plan_id", "instance_code", "hook_event", "result", "failed_reason", "description"
    ),
    "service",
)


def get_setting(realm: Realm, call: Call) -> object:
    """``GET /hook/setting``."""
    call.check_licence()
    return realm.hook_setting()


def put_setting(realm: Realm, call: Call) -> object:
    """``PUT /hook/setting``."""
    setting = bound_body(SETTING, call.body)
    call.check_licence()
    realm.store.put("setting", "hook", _complete(setting))
    return None


def default_setting() -> Document:
    """The setting of a system that never configured hooks."""
    return _complete(None)


def call_back(realm: Realm, call: Call) -> object:
    """``POST /hook/callback``: the outside has checked."""
    given = bound_body(_CALLBACK, call.body) or zero(_CALLBACK)
    call.check_licence()
    setting = realm.hook_setting()
    if not setting["enable"] or not setting["enable_call_back"]:
        return None
    plan = _plan_of(realm, given)
    waiting = str(plan["status"])
    if CHECKS.get(str(given["hook_event"])) != waiting or (
        given["hook_event"] not in setting["hook_events"]
    ):
        raise GoError(f"release plan's status is not correct, status: {waiting}")
    match given["result"]:
        case "success":
            plan[f"{waiting}_time"] = realm.clock.now()
            _passed(realm, plan, str(given["hook_event"]))
        case "failed":
            plan[f"{waiting}_time"] = realm.clock.now()
            plan["status"] = f"{waiting}_failed"
            plan["external_check_failed_reason"] = given["failed_reason"]
        case "executing" if realm.traits.callback_description:
            plan["callback_description"] = given["description"]
        case other:
            raise GoError(f"release plan callback result is not correct, result: {other}")
    realm.save_plan(plan)
    check_timer(call)
    arm_schedule(realm, plan)
    return None


def _plan_of(realm: Realm, given: Document) -> Document:
    plan_id, code = str(given["release_plan_id"]), given["instance_code"]
    try:
        plan = realm.find_plan(plan_id)
    except GoError as missing:
        raise GoError(f"failed get release plan, id: {plan_id}, err: {missing}") from None
    if code != plan["instance_code"]:
        raise GoError(
            f"release plan instance code is not correct, name: {plan['name']}, "
            f"instance code: {code}, expected: {plan['instance_code']}"
        )
    return plan


def _passed(realm: Realm, plan: Document, event: str) -> None:
    now, approval = realm.clock.now(), plan["approval"]
    enabled = bool(approval and approval["enabled"])
    if event == "finish_planning":
        plan |= {"status": "finish_planning", "finish_planning_time": now}
        if realm.traits.callback_executes and not enabled:
            plan |= {"status": "executing", "executing_time": now}
            prepare_jobs(plan)
    elif event == "start_execute":
        if enabled and approval["status"] != "passed":
            raise GoError(f"approval status is {approval['status']}, can not execute")
        plan |= {"status": "executing", "executing_time": now}
        prepare_jobs(plan)
    else:
        plan |= {"status": "success", "success_time": now}


def _complete(setting: Document | None) -> Document:
    bound = setting or zero(SETTING)
    return {**bound, "hook_events": bound["hook_events"] or []}
