"""``PUT /:id`` with a verb: how the web interface edits a plan (docs/servers/zadig.md §1.6)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from planops.sandbox.zadig import history
from planops.sandbox.zadig.answers import GoError, forbidden
from planops.sandbox.zadig.approvals import APPROVAL, check_object, clear_votes
from planops.sandbox.zadig.binding import Field, Pointer, Slice, Struct, fields
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.lifecycle import refresh_hooks
from planops.sandbox.zadig.lint import (
    check_approval,
    check_definition,
    check_job,
    check_range,
    check_schedule,
)
from planops.sandbox.zadig.openapi import bound_body, bound_spec
from planops.sandbox.zadig.plans import fresh_job
from planops.sandbox.zadig.realm import Call, Realm, new_uuid

_ARGS = Struct("UpdateReleasePlanArgs", fields("verb", Field("spec", "any")), "service")
_JOB = ("name", "type", "manager", "manager_id", Field("spec", "any"))
_WINDOW = (Field("start_time", "int64"), Field("end_time", "int64"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edit:
    """One edit in progress; ``reachable`` says whether the user service answers."""

    realm: Realm
    plan: Document
    spec: Document
    reachable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verb:
    """One verb: the permission it needs, the structure of its spec, and its effect."""

    flag: str
    spec: Struct
    apply: Callable[[_Edit], None]


def edit_plan(realm: Realm, call: Call) -> object:
    """Edit one aspect of a plan, in ``planning`` only."""
    args = bound_body(_ARGS, call.body) or {"verb": "", "spec": None}
    verb = VERBS.get(str(args["verb"]))
    flags = realm.traits.edit_flags
    if verb is not None and verb.flag in flags:
        flags = (verb.flag,)
    if not call.caller.may(flags):
        raise forbidden()
    call.check_licence()
    if verb is None:
        raise GoError(f"invalid verb: {args['verb']}")
    realm.lock_plan(call)
    plan = realm.load_plan(call.plan_id)
    if plan["status"] != "planning":
        raise GoError(f"plan status is {plan['status']}, can not update")
    before = realm.find_plan(call.plan_id)
    reachable = "user-service-down" not in call.conditions
    spec = bound_spec(verb.spec, args["spec"])
    verb.apply(_Edit(realm=realm, plan=plan, spec=spec, reachable=reachable))
    if plan == before and realm.traits.versions:
        return None
    refresh_hooks(realm, plan)
    realm.touch(plan, call.caller.name)
    realm.bump(plan)
    realm.save_plan(plan)
    history.edited(realm, call, before, plan, {"verb": args["verb"], "spec": spec})
    return None


def _name(edit: _Edit) -> None:
    if not edit.spec["name"]:
        raise GoError("name cannot be empty")
    edit.plan["name"] = edit.spec["name"]


def _description(edit: _Edit) -> None:
    edit.plan["description"] = edit.spec["description"]


def _time_range(edit: _Edit) -> None:
    start, end = edit.spec["start_time"], edit.spec["end_time"]
    check_range(start, end)
    edit.plan.update(start_time=start, end_time=end)


def _schedule(edit: _Edit) -> None:
    """The window that the schedule is checked against is the caller's, not the plan's."""
    spec = edit.spec
    check_schedule(spec["schedule_execute_time"], spec["start_time"], spec["end_time"])
    edit.plan["schedule_execute_time"] = spec["schedule_execute_time"]


def _manager(edit: _Edit) -> None:
    user = edit.realm.people.by_uid(str(edit.spec["manager_id"]))
    if user is None or not edit.reachable:
        raise GoError("user not found")
    if user.name != edit.spec["manager"]:
        raise GoError("name not match")
    edit.plan.update(manager_id=user.uid, manager=user.name)


def _sprint(edit: _Edit) -> None:
    edit.plan["jira_sprint_association"] = edit.spec["jira_sprint_association"]


def _create_job(edit: _Edit) -> None:
    spec = edit.spec
    if not spec["name"]:
        raise GoError("name cannot be empty")
    _check_job(edit)
    job = fresh_job(new_uuid(), spec["name"], spec["type"], spec["spec"])
    job |= {"manager": spec["manager"], "manager_id": spec["manager_id"]}
    edit.plan["jobs"].append(job)


def _check_job(edit: _Edit) -> None:
    """Jobs are checked when saved only where they are not checked later (§1.6)."""
    if not edit.realm.traits.lints_at_finish:
        check_job(str(edit.spec["type"]), edit.spec["spec"])


def _update_job(edit: _Edit) -> None:
    spec = edit.spec
    job = next((one for one in edit.plan["jobs"] if one["id"] == spec["id"]), None)
    if job is None:
        raise GoError(f"job {spec['id']} not found")
    if job["type"] != spec["type"]:
        raise GoError("job type cannot be changed")
    _check_job(edit)
    job |= {key: spec[key] for key in ("name", "manager", "manager_id", "spec")}
    job["updated"] = True


def _delete_job(edit: _Edit) -> None:
    plan = edit.plan
    plan["jobs"] = [job for job in plan["jobs"] if job["id"] != edit.spec["id"]]


def _reorder(edit: _Edit) -> None:
    """Jobs that the new order leaves out are lost."""
    jobs = {job["id"]: job for job in edit.plan["jobs"]}
    edit.plan["jobs"] = [jobs[one] for one in edit.spec["job_ids"] or () if one in jobs]


def _approval(edit: _Edit) -> None:
    approval = edit.spec["approval"]
    if approval is None:
        raise GoError("approval is nil")
    check_approval(edit.realm.people, approval, reachable=edit.reachable)
    try:
        check_definition(approval, edit.realm.im_apps())
    except GoError as wrong:
        raise wrong.wrapped("create lark approval definition") from None
    check_object(approval)
    clear_votes(approval)
    edit.plan["approval"] = approval


def _no_approval(edit: _Edit) -> None:
    edit.plan["approval"] = None


_METADATA, _SUBTASKS = "EditMetadata", "EditSubtasks"


def _verb(flag: str, apply: Callable[[_Edit], None], *spec: str | Field) -> _Verb:
    return _Verb(flag=flag, spec=Struct("Updater", fields(*spec), "service"), apply=apply)


VERBS: Mapping[str, _Verb] = {
    "update_name": _verb(_METADATA, _name, "name"),
    "update_description": _verb(_METADATA, _description, "description"),
    "update_time_range": _verb(_METADATA, _time_range, *_WINDOW),
    "update_schedule_execute_time": _verb(
        _METADATA, _schedule, *_WINDOW, Field("schedule_execute_time", "int64")
    ),
    "update_manager": _verb(_METADATA, _manager, "manager_id", "manager"),
    "update_jira_sprint": _verb(_METADATA, _sprint, Field("jira_sprint_association", "any")),
    "create_release_job": _verb(_SUBTASKS, _create_job, *_JOB),
    "update_release_job": _verb(_SUBTASKS, _update_job, "id", *_JOB),
    "delete_release_job": _verb(_SUBTASKS, _delete_job, "id"),
    "reorder_release_job": _verb(_SUBTASKS, _reorder, Field("job_ids", Slice("string"))),
    "update_approval": _verb("EditApproval", _approval, Field("approval", Pointer(APPROVAL))),
    "delete_approval": _verb("EditApproval", _no_approval),
}
