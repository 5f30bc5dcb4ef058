"""Moves a plan from status to status: by hand, by a vote, by a callback (§6.4, §7, docs/servers).

Every rule of docs/servers/zadig.md §7.1 to §7.4 and §7.9 that changes ``status`` is here.
"""

from collections.abc import Mapping

from planops.sandbox.zadig import history
from planops.sandbox.zadig.answers import CRON_FAILED, CodedError, GoError
from planops.sandbox.zadig.approvals import check_object, clear_votes
from planops.sandbox.zadig.binding import Field, Struct, fields
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.lint import check_job, flattened
from planops.sandbox.zadig.openapi import bound_body
from planops.sandbox.zadig.realm import (
    Call,
    Realm,
    frozen_hooks,
    instance_code,
    new_uuid,
)
from planops.sandbox.zadig.webhooks import send

CHECKS = {
    "finish_planning": "wait_for_finish_planning_external_check",
    "start_execute": "wait_for_execute_external_check",
    "all_job_done": "wait_for_all_done_external_check",
}
REACHED = {
    "finish_planning": "finish_planning",
    "start_execute": "executing",
    "all_job_done": "success",
}
_BACK = frozenset({"planning", "cancel"})
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "planning": frozenset({"finish_planning"}),
    "finish_planning": frozenset(
        {
            "planning",
            "wait_for_approval",
            "executing",
            CHECKS["finish_planning"],
            CHECKS["start_execute"],
        }
    ),
    "wait_for_approval": _BACK | {"executing", CHECKS["all_job_done"]},
    "executing": _BACK | {"success", CHECKS["start_execute"]},
    "timeout": _BACK,
    "denied": _BACK,
    **dict.fromkeys(CHECKS.values(), _BACK),
    **{f"{check}_failed": _BACK for check in CHECKS.values()},
}
MILESTONES = (
    "finish_planning_time",
    "approval_time",
    "executing_time",
    "success_time",
    "wait_for_finish_planning_external_check_time",
    "wait_for_approve_external_check_time",
    "wait_for_execute_external_check_time",
    "wait_for_all_done_external_check_time",
)
_OUTCOMES = {
    "passed": "passed",
    "reject": "reject",
    "cancelled": "cancelled",
    "deleted": "cancelled",
}
_VERDICTS = {"passed": "approve", "reject": "reject"}
INSTANCES = {
    "native": ("native_approval", "instance_code"),
    "lark": ("lark_approval", "instance_code"),
    "lark_intl": ("lark_approval", "instance_code"),
    "dingtalk": ("dingtalk_approval", "instance_code"),
    "workwx": ("workwx_approval", "instance_id"),
}
_ANNOUNCED = frozenset({"finish_planning", "executing"})
_VOTE = Struct("ApproveRequest", fields(Field("approve", "bool"), "comment"), "service")


def change_status(realm: Realm, call: Call) -> object:
    """``POST /:id/status/:status``: the guards in order, then the effects (§7.3, §7.4)."""
    call.check_licence()
    target = call.params["status"]
    plan = realm.load_plan(call.plan_id)
    status = str(plan["status"])
    if status == target:
        raise GoError(f"current status can not equal to target status {target}")
    if call.caller.uid != plan["manager_id"] and not call.caller.is_admin:
        raise GoError("only manager can update plan status")
    if target not in TRANSITIONS.get(status, frozenset()):
        raise GoError(f"can't convert plan status {status} to {target}")
    if "user-service-down" in call.conditions:
        raise GoError("get user: dial tcp: connection refused")
    setting = realm.hook_setting()
    if status == "planning":
        if not plan["jobs"]:
            raise GoError("plan must not have no jobs")
        plan["planning_time"] = realm.clock.now()
    plan["status"] = target
    _enter(realm, plan, target, setting)
    realm.save_plan(plan)
    check_timer(call)
    arm_schedule(realm, plan)
    if target in _ANNOUNCED:
        announce(realm, plan)
    history.moved(realm, call, plan, status, target)
    return None


def vote(realm: Realm, call: Call) -> object:
    """``POST /:id/approve`` (§6.4)."""
    given = bound_body(_VOTE, call.body) or {"approve": False, "comment": ""}
    call.check_licence()
    plan = realm.load_plan(call.plan_id)
    if plan["status"] != "wait_for_approval":
        raise GoError(f"plan status is {plan['status']}, can not approve")
    approval = plan["approval"]
    if not approval or approval["type"] != "native" or not approval.get("native_approval"):
        raise GoError("plan approval is nil or not native approval")
    realm.hook_setting()
    native = approval["native_approval"]
    native["approve_users"] = flattened(realm.people, native["approve_users"] or ())
    _cast(realm, call, native["approve_users"], given)
    approvals = sum(user.get("reject_or_approve") == "approve" for user in native["approve_users"])
    if not given["approve"]:
        native["reject_or_approve"] = "reject"
        decide(realm, plan, "reject")
    elif approvals >= native["needed_approvers"]:
        native["reject_or_approve"] = "approve"
        decide(realm, plan, "passed")
    realm.save_plan(plan)
    if not timer_down(call):
        arm_schedule(realm, plan)
    announce(realm, plan)
    return None


def decide_outside(realm: Realm, plan: Document, outcome: str) -> None:
    """An approval in another messenger has ended, as the poller notices."""
    if outcome not in _OUTCOMES:
        raise ValueError(f"{outcome}: is no outcome: choose from {', '.join(_OUTCOMES)}")
    approval = plan["approval"]
    if plan["status"] != "wait_for_approval" or not approval or approval["type"] == "native":
        raise ValueError(
            f"plan {plan['id']}: no approval is decided outside: it is {plan['status']}"
        )
    inner = approval.get(INSTANCES[approval["type"]][0]) or {}
    for node in inner.get("approval_nodes") or ():
        if "reject_or_approve" in node and outcome in _VERDICTS:
            node["reject_or_approve"] = _VERDICTS[outcome]
    decide(realm, plan, _OUTCOMES[outcome])
    realm.save_plan(plan)
    arm_schedule(realm, plan)
    announce(realm, plan)


def decide(realm: Realm, plan: Document, outcome: str) -> None:
    """An approval has ended: on to execution, denied, or (cancelled elsewhere) stuck."""
    plan["approval"]["status"] = outcome
    now = realm.clock.now()
    if outcome == "passed":
        plan |= {"approval_time": now, "executing_time": now}
        _start_executing(realm, plan)
    elif outcome == "reject":
        plan["approval_time"] = now
        plan["status"] = "denied"
    if outcome in {"passed", "reject"}:
        history.decided(realm, plan, outcome)


def finish(realm: Realm, plan: Document) -> None:
    """All jobs have ended, well or badly: success, or the external check before it (§7.7)."""
    if diverted(plan, "all_job_done"):
        return
    plan["status"] = "success"
    plan["success_time"] = realm.clock.now()


def diverted(plan: Document, event: str) -> bool:
    """Whether an external check comes first; the plan then waits for its callback (§7.9)."""
    hooks = plan.get("hook_settings")
    if not hooks or not hooks["enable"] or not hooks["enable_call_back"]:
        return False
    if event not in hooks["hook_events"]:
        return False
    plan["status"] = CHECKS[event]
    return True


def announce(realm: Realm, plan: Document) -> None:
    """Tell the outside that a plan has reached a status, if its hooks want that (§7.11)."""
    hooks = plan.get("hook_settings")
    if not hooks or not hooks["enable"]:
        return
    reached = CHECKS if hooks["enable_call_back"] else REACHED
    for event in hooks["hook_events"]:
        if reached.get(event) == plan["status"]:
            send(realm, plan, event)


def prepare_jobs(plan: Document) -> None:
    """On entering execution: done and not updated stays done, the rest is to do (§7.6)."""
    for job in plan["jobs"]:
        if job["last_status"] == "done" and not job["updated"]:
            job["status"] = "done"
        else:
            job |= {"status": "todo", "executed_by": "", "executed_time": 0}


def arm_schedule(realm: Realm, plan: Document) -> None:
    """Keep a timer exactly while the plan executes and has a schedule (§7.8)."""
    key = f"{plan['id']}-{plan['name']}-{plan['index']}-release_plan"
    at = int(plan["schedule_execute_time"])
    if plan["status"] != "executing" or not at:
        realm.store.delete("cron", key)
    elif realm.store.get("cron", key) is None:
        timer = {"id": realm.new_plan_id(), "key": key, "plan_id": plan["id"], "at": at}
        realm.store.put("cron", key, {**timer, "armed": at > realm.clock.now()})


def timer_down(call: Call) -> bool:
    """Whether timers fail on demand; a vote then goes on without one (§2.3)."""
    return "timer-down" in call.conditions


def check_timer(call: Call) -> None:
    """Fail where the server reaches for the timer (§2.3)."""
    if timer_down(call):
        raise CodedError(
            *CRON_FAILED,
            "failed to get release plan cron job, err: "
            "server selection error: context deadline exceeded",
        )


def refresh_hooks(realm: Realm, plan: Document) -> None:
    """Freeze the system's hook setting into the plan, and hash the plan anew (§1.6)."""
    plan["hook_settings"] = frozen_hooks(realm.hook_setting())
    plan["instance_code"] = instance_code(plan)


def _enter(realm: Realm, plan: Document, target: str, setting: Document) -> None:
    match target:
        case "planning":
            _reopen(realm, plan, setting)
        case "finish_planning":
            _finish_planning(realm, plan)
        case "wait_for_approval":
            _ask_for_approval(plan)
        case "executing":
            approval = plan["approval"]
            if approval and approval["enabled"] and approval["status"] != "passed":
                raise GoError(f"approval status is {approval['status']}, can not execute")
            _start_executing(realm, plan)
        case _:
            return


def _reopen(realm: Realm, plan: Document, setting: Document) -> None:
    """Back to planning: milestones and jobs as if nothing had happened."""
    plan |= dict.fromkeys(MILESTONES, 0)
    plan["planning_time"] = realm.clock.now()
    plan["external_check_failed_reason"] = ""
    for job in plan["jobs"]:
        job |= {
            "status": "todo",
            "last_status": "todo",
            "updated": False,
            "executed_by": "",
            "executed_time": 0,
        }
        if job["type"] == "workflow" and isinstance(job["spec"], dict):
            job["spec"] |= {"task_id": 0, "status": "prepare"}
    plan["hook_settings"] = frozen_hooks(setting)
    plan["instance_code"] = instance_code(plan)


def _finish_planning(realm: Realm, plan: Document) -> None:
    if realm.traits.lints_at_finish:
        for job in plan["jobs"]:
            try:
                check_job(str(job["type"]), job["spec"])
            except GoError as wrong:
                raise wrong.wrapped("failed to lint release job, err") from None
    if not diverted(plan, "finish_planning"):
        plan["finish_planning_time"] = realm.clock.now()


def _ask_for_approval(plan: Document) -> None:
    approval = plan["approval"]
    check_object(approval)
    clear_votes(approval)
    object_key, code_key = INSTANCES.get(approval["type"], ("", ""))
    if object_key:
        approval[object_key][code_key] = new_uuid()


def _start_executing(realm: Realm, plan: Document) -> None:
    plan["status"] = "executing"
    if not diverted(plan, "start_execute"):
        plan["executing_time"] = realm.clock.now()
    prepare_jobs(plan)


def _cast(realm: Realm, call: Call, voters: list[Document], given: Document) -> None:
    name = call.caller.name
    voter = next((user for user in voters if user.get("user_id") == call.caller.uid), None)
    if voter is None:
        raise GoError(f"do approval: user {name} has no authority to Approve")
    if voter.get("reject_or_approve"):
        raise GoError(f"do approval: {name} have {voter['reject_or_approve']} already")
    voter["reject_or_approve"] = "approve" if given["approve"] else "reject"
    voter["comment"] = given["comment"]
    voter["operation_time"] = realm.clock.now()
