"""Runs a plan's jobs: execute, skip, retry, the timer, and the poller (§7.5 to §7.8)."""

from collections.abc import Callable
from dataclasses import dataclass

from planops.sandbox.zadig import history
from planops.sandbox.zadig.answers import GoError
from planops.sandbox.zadig.binding import Field, Struct, fields
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.lifecycle import announce, arm_schedule, finish
from planops.sandbox.zadig.lint import workflow_spec
from planops.sandbox.zadig.merging import merged
from planops.sandbox.zadig.openapi import bound_body, bound_spec
from planops.sandbox.zadig.realm import EXECUTED, RETRIED, SKIPPED, SYSTEM_USER, Call, Realm

_ARGS = Struct(
    "ExecuteReleaseJobArgs", fields("id", "name", "type", Field("spec", "any")), "service"
)
_SPECS = {
    "text": Struct("TextReleaseJobSpec", fields("remark"), "service"),
    "workflow": Struct("WorkflowReleaseJobSpec", (), "service"),
}
_TODO = frozenset({"todo"})
_FAILED = frozenset({"failed"})
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
    kinds: frozenset[str]
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
    """Start every workflow job that still waits, in order; never a text job (§7.8).

    Each is saved once it is started, so that one that cannot be leaves the earlier ones running.
    """
    timer = next((one for one in realm.store.all("cron") if one["id"] == timer_id), None)
    if timer is None:
        raise GoError(f"Release job schedule job {timer_id} not found")
    realm.store.delete("cron", str(timer["key"]))
    plan = realm.load_plan(plan_id)
    _check_schedule(realm, plan)
    for job in plan["jobs"]:
        if job["type"] == "workflow" and job["status"] not in {"done", "skipped", "running"}:
            try:
                _run_workflow(realm, job, SYSTEM_USER)
            except GoError as wrong:
                raise wrong.wrapped("execute") from None
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
    args["spec"] = _spec(action, args)
    try:
        _check_manager(call, plan, job, manages=manages)
        action.run(realm, call, job, args)
    except GoError as wrong:
        raise wrong.wrapped(action.word) from None
    realm.touch(plan, call.caller.name)
    _after(realm, plan, action)
    history.executed(realm, call, plan, action.verb, str(args["name"]))
    return None


def _spec(action: _Action, args: Document) -> Document:
    """What the body says about a job of the type that it says the job has."""
    failed = f"new release job {action.agent}"
    if args["type"] not in action.kinds:
        raise GoError(f"{failed}: invalid release job type: {args['type']}")
    try:
        return bound_spec(_SPECS[args["type"]], args["spec"])
    except GoError as wrong:
        raise wrong.wrapped(failed) from None


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
    if args["type"] == "text":
        _close_text(job, args)
        _mark(realm, job, "done", call.caller.name)
    else:
        _run_workflow(realm, job, call.caller.name)


def _skip(realm: Realm, call: Call, job: Document, args: Document) -> None:
    """Skipping a text names the person, skipping a workflow the account."""
    if args["type"] == "text":
        _close_text(job, args)
        _mark(realm, job, "skipped", call.caller.name)
    else:
        workflow_spec(job)
        _check_status(job, _TODO, "skip")
        _mark(realm, job, "skipped", call.caller.account)


def _retry(realm: Realm, call: Call, job: Document, _: Document) -> None:
    spec = workflow_spec(job)
    if not spec.get("task_id"):
        raise GoError("workflow task not found")
    _check_status(job, _FAILED, "retry")
    _prepare(realm, job, int(spec["task_id"]), call.caller.name)


def _close_text(job: Document, args: Document) -> None:
    """A text job's remark becomes the executor's, "" when there is none."""
    if job["status"] != "todo":
        raise GoError(f"job {job['name']} status is not todo")
    content = job["spec"].get("content", "") if isinstance(job["spec"], dict) else ""
    given = args["spec"]
    job["spec"] = {"content": content, "remark": given["remark"]}


def _run_workflow(realm: Realm, job: Document, by: str) -> None:
    """Start what the workflow has become since it was stored, with the plan's choices (§9.23)."""
    spec = workflow_spec(job)
    _check_status(job, _TODO | _FAILED, "execute")
    try:
        job["spec"] = {**spec, "workflow": merged(realm, spec["workflow"])}
    except GoError as wrong:
        raise GoError(
            f"cannot merge workflow {spec['workflow']['name']}'s input with the latest workflow "
            f"settings, the error is: {wrong}"
        ) from None
    _prepare(realm, job, realm.store.increment("task"), by)


def _prepare(realm: Realm, job: Document, task_id: int, by: str) -> None:
    """A task is about to run, for the first time or again."""
    realm.store.put("task", str(task_id), {"status": "prepare"})
    job["spec"] |= {"task_id": task_id, "status": "prepare"}
    _mark(realm, job, "running", by)


def _mark(realm: Realm, job: Document, status: str, by: str) -> None:
    job |= {"status": status, "executed_by": by, "executed_time": realm.clock.now()}


def _check_status(job: Document, allowed: frozenset[str], word: str) -> None:
    if job["status"] not in allowed:
        raise GoError(f"job {job['name']} status {job['status']} can't {word}")


_EXECUTE = _Action(
    word="execute",
    refused="execute",
    agent="executor",
    verb=EXECUTED,
    statuses=frozenset({"executing"}),
    kinds=frozenset(_SPECS),
    times_out=True,
    run=_execute,
)
_SKIP = _Action(
    word="skip",
    refused="skip",
    agent="skipper",
    verb=SKIPPED,
    statuses=frozenset({"executing"}),
    kinds=frozenset(_SPECS),
    times_out=False,
    run=_skip,
)
_RETRY = _Action(
    word="retry",
    refused="execute",
    agent="retryer",
    verb=RETRIED,
    statuses=frozenset({"executing", "success"}),
    kinds=frozenset({"workflow"}),
    times_out=True,
    run=_retry,
)
