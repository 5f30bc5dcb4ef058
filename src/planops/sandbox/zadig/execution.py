"""Runs a plan's jobs: execute, skip, retry, the timer, and the poller (§7.5 to §7.8)."""

from collections.abc import Callable
from dataclasses import dataclass

from planops.sandbox.zadig.answers import GoError
from planops.sandbox.zadig.binding import Field, Struct, bind, fields
from planops.sandbox.zadig.gojson import Document, numbered
from planops.sandbox.zadig.lifecycle import announce, arm_schedule, finish
from planops.sandbox.zadig.merging import merged
from planops.sandbox.zadig.openapi import bound_body
from planops.sandbox.zadig.realm import EXECUTED, RETRIED, SKIPPED, SYSTEM_USER, Call, Realm

_ARGS = Struct(
    "ExecuteReleaseJobArgs", fields("id", "name", "type", Field("spec", "any")), "service"
)
_REMARK = Struct("TextReleaseJobSpec", fields("remark"), "service")
_ENDED = frozenset({"done", "skipped", "failed"})
_TASK_FAILED = frozenset({"failed", "timeout", "cancelled", "reject"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    """One of the three actions on a job."""

    word: str
    refused: str
    agent: str
    verb: str
    statuses: frozenset[str]
    times_out: bool
    run: Callable[[Realm, Call, Document, Document], None]


def execute_job(realm: Realm, call: Call) -> object:
    """``POST /:id/execute``."""
    return _act(realm, call, _EXECUTE)


def skip_job(realm: Realm, call: Call) -> object:
    """``POST /:id/skip``."""
    return _act(realm, call, _SKIP)


def retry_job(realm: Realm, call: Call) -> object:
    """``POST /:id/retry``."""
    return _act(realm, call, _RETRY)


def run_schedule(realm: Realm, call: Call) -> object:
    """``POST /:id/schedule_execute?jobID=``: what the timer calls."""
    call.check_licence()
    fire_schedule(realm, call.plan_id, call.query.get("jobID", ""))
    return None


def fire_schedule(realm: Realm, plan_id: str, timer_id: str) -> None:
    """Start every workflow job that still waits, in order; never a text job (§7.8)."""
    timer = next((one for one in realm.store.all("cron") if one["id"] == timer_id), None)
    if timer is None:
        raise GoError(f"Release job schedule job {timer_id} not found")
    realm.store.delete("cron", str(timer["key"]))
    plan = realm.load_plan(plan_id)
    _check_schedule(realm, plan)
    for job in plan["jobs"]:
        if job["type"] == "workflow" and job["status"] not in {"done", "skipped", "running"}:
            _start_task(realm, job, SYSTEM_USER)
            realm.touch(plan, SYSTEM_USER)
    realm.save_plan(plan)


def _check_schedule(realm: Realm, plan: Document) -> None:
    which = f"plan ID is {plan['id']}, name is {plan['name']}, index is {plan['index']}"
    if plan["status"] != "executing":
        raise GoError(f"{which}, status is {plan['status']}, can not execute")
    if not _in_window(realm, plan):
        raise GoError(f"{which}, it's not in the release time range")
    approval = plan["approval"]
    if approval and approval["enabled"] and approval["status"] != "passed":
        raise GoError(f"{which}, it's approval status is {approval['status']}, can not execute")


def poll(realm: Realm) -> None:
    """One pass of the pollers: timers that are due, tasks that have ended, windows (§7.7)."""
    now = realm.clock.now()
    for timer in realm.store.all("cron"):
        if timer["armed"] and timer["at"] <= now:
            _fire_quietly(realm, timer)
    for plan in realm.store.all("plan"):
        if plan["status"] == "executing" and _poll_plan(realm, plan):
            realm.save_plan(plan)
            announce(realm, plan)


def _fire_quietly(realm: Realm, timer: Document) -> None:
    try:
        fire_schedule(realm, str(timer["plan_id"]), str(timer["id"]))
    except GoError:
        return  # the timer has nobody to tell


def _poll_plan(realm: Realm, plan: Document) -> bool:
    changed = False
    for job in plan["jobs"]:
        if job["status"] != "running":
            continue
        task = realm.store.get("task", str(job["spec"]["task_id"])) or {"status": "prepare"}
        if task["status"] == "passed" or task["status"] in _TASK_FAILED:
            job["spec"]["status"] = task["status"]
            job["status"] = "done" if task["status"] == "passed" else "failed"
            changed = True
    if all(job["status"] in _ENDED for job in plan["jobs"]):
        finish(realm, plan)
        changed = True
    if plan["end_time"] != 0 and realm.clock.now() > plan["end_time"]:
        plan["status"] = "timeout"
        changed = True
    return changed


def _act(realm: Realm, call: Call, action: _Action) -> object:
    args = bound_body(_ARGS, call.body) or {"id": "", "name": "", "type": "", "spec": None}
    call.check_licence()
    plan = realm.load_plan(call.plan_id)
    if plan["status"] not in action.statuses:
        raise GoError(f"plan status is {plan['status']}, can not {action.refused}")
    manages = call.caller.is_admin or call.caller.uid == plan["manager_id"]
    if not realm.traits.job_managers and not manages:
        raise GoError(f"only manager can {action.word}")
    _check_window(realm, plan, times_out=action.times_out)
    job = next((one for one in plan["jobs"] if one["id"] == args["id"]), None)
    if job is None:
        raise GoError(
            f"find release job before {action.word}: "
            f"failed to find release plan job with id: {args['id']}. Job does not exist"
        )
    kinds = {"workflow"} if action.word == "retry" else {"text", "workflow"}
    if args["type"] not in kinds:
        raise GoError(f"new release job {action.agent}: invalid release job type: {args['type']}")
    try:
        _check_manager(call, plan, job, manages=manages)
        action.run(realm, call, job, args)
    except GoError as wrong:
        raise wrong.wrapped(action.word) from None
    realm.touch(plan, call.caller.name)
    _after(realm, plan, action)
    realm.log(plan, call.caller.name, call.caller.account, action.verb, str(args["name"]))
    return None


def _after(realm: Realm, plan: Document, action: _Action) -> None:
    if action.word == "retry":
        plan |= {"status": "executing", "success_time": 0}
    elif all(job["status"] in _ENDED for job in plan["jobs"]):
        finish(realm, plan)
        announce(realm, plan)
    realm.save_plan(plan)
    arm_schedule(realm, plan)


def _check_window(realm: Realm, plan: Document, *, times_out: bool) -> None:
    if _in_window(realm, plan):
        return
    if times_out and realm.clock.now() > plan["end_time"]:
        plan["status"] = "timeout"
        realm.save_plan(plan)
    raise GoError("plan is not in the release time range")


def _in_window(realm: Realm, plan: Document) -> bool:
    start, end = int(plan["start_time"]), int(plan["end_time"])
    return (not start and not end) or start <= realm.clock.now() <= end


def _check_manager(call: Call, plan: Document, job: Document, *, manages: bool) -> None:
    if manages or job.get("manager_id") == call.caller.uid:
        return
    whose = ("job", job["name"]) if job.get("manager_id") else ("plan", plan["name"])
    raise GoError(f"user {call.caller.name} is not the manager of the {whose[0]} {whose[1]}")


def _execute(realm: Realm, call: Call, job: Document, args: Document) -> None:
    if args["type"] == "workflow":
        _workflow_spec(job)
        if job["status"] not in {"todo", "failed"}:
            raise GoError(f"job {job['name']} status {job['status']} can't execute")
        _start_task(realm, job, call.caller.name)
        return
    _close_text(realm, call, job, args, "done")


def _skip(realm: Realm, call: Call, job: Document, args: Document) -> None:
    if args["type"] == "text":
        _close_text(realm, call, job, args, "skipped")
        return
    _workflow_spec(job)
    if job["status"] != "todo":
        raise GoError(f"job {job['name']} status {job['status']} can't skip")
    job |= {"status": "skipped", "executed_by": call.caller.account}
    job["executed_time"] = realm.clock.now()


def _retry(realm: Realm, call: Call, job: Document, _: Document) -> None:
    spec = _workflow_spec(job)
    if not spec.get("task_id"):
        raise GoError("workflow task not found")
    if job["status"] != "failed":
        raise GoError(f"job {job['name']} status {job['status']} can't retry")
    realm.store.put("task", str(spec["task_id"]), {"status": "prepare"})
    spec["status"] = "prepare"
    job |= {"status": "running", "executed_by": call.caller.name}
    job["executed_time"] = realm.clock.now()


def _close_text(realm: Realm, call: Call, job: Document, args: Document, status: str) -> None:
    """A text job ends; its remark becomes the executor's, "" when there is none."""
    _check_todo(job)
    given = bind(_REMARK, numbered(args["spec"])) or {"remark": ""}
    content = job["spec"].get("content", "") if isinstance(job["spec"], dict) else ""
    job["spec"] = {"content": content, "remark": given["remark"]}
    job |= {"status": status, "executed_by": call.caller.name}
    job["executed_time"] = realm.clock.now()


def _check_todo(job: Document) -> None:
    if job["status"] != "todo":
        raise GoError(f"job {job['name']} status is not todo")


def _start_task(realm: Realm, job: Document, by: str) -> None:
    """Start what the workflow has become since it was stored, with the plan's choices (§9.23)."""
    workflow = job["spec"]["workflow"]
    try:
        job["spec"]["workflow"] = merged(realm, workflow)
    except GoError as wrong:
        raise GoError(
            f"cannot merge workflow {workflow['name']}'s input with the latest workflow settings, "
            f"the error is: {wrong}"
        ) from None
    task_id = realm.store.increment("task")
    realm.store.put("task", str(task_id), {"status": "prepare"})
    job["spec"] |= {"task_id": task_id, "status": "prepare"}
    job |= {"status": "running", "executed_by": by, "executed_time": realm.clock.now()}


def _workflow_spec(job: Document) -> Document:
    """The spec of a workflow job, which holds a workflow; a text job's does not."""
    spec = job["spec"] if isinstance(job["spec"], dict) else {}
    if not spec.get("workflow"):
        raise GoError("workflow is nil")
    return spec


_EXECUTE = _Action(
    word="execute",
    refused="execute",
    agent="executor",
    verb=EXECUTED,
    statuses=frozenset({"executing"}),
    times_out=True,
    run=_execute,
)
_SKIP = _Action(
    word="skip",
    refused="skip",
    agent="skipper",
    verb=SKIPPED,
    statuses=frozenset({"executing"}),
    times_out=False,
    run=_skip,
)
_RETRY = _Action(
    word="retry",
    refused="execute",
    agent="retryer",
    verb=RETRIED,
    statuses=frozenset({"executing", "success"}),
    times_out=True,
    run=_retry,
)
