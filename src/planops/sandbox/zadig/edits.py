"""``PUT /:id`` with a verb: how the web interface edits a plan (docs/servers/zadig.md §1.6)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from planops.sandbox.zadig.answers import GoError, forbidden
from planops.sandbox.zadig.approvals import APPROVAL
from planops.sandbox.zadig.binding import Field, Pointer, Slice, Struct, fields
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.lifecycle import clear_votes, refresh_hooks
from planops.sandbox.zadig.lint import (
    check_approval,
    check_definition,
    check_job,
    check_range,
    check_schedule,
)
from planops.sandbox.zadig.openapi import bound_body, bound_spec
from planops.sandbox.zadig.plans import fresh_job
from planops.sandbox.zadig.realm import UPDATED, Call, Realm, new_uuid

_ARGS = Struct("UpdateReleasePlanArgs", fields("verb", Field("spec", "any")), "service")
_JOB = ("name", "type", "manager", "manager_id", Field("spec", "any"))
_WINDOW = (Field("start_time", "int64"), Field("end_time", "int64"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verb:
    """One verb: the permission it needs, the structure of its spec, and its effect."""

    flag: str
    spec: Struct
    apply: Callable[[Realm, Document, Document], None]


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
    verb.apply(realm, plan, bound_spec(verb.spec, args["spec"]))
    if plan == before and realm.traits.versions:
        return None
    refresh_hooks(realm, plan)
    realm.touch(plan, call.caller.name)
    realm.bump(plan)
    realm.save_plan(plan)
    realm.log(plan, call.caller.name, call.caller.account, UPDATED, str(args["verb"]))
    return None


def _name(_: Realm, plan: Document, spec: Document) -> None:
    if not spec["name"]:
        raise GoError("name cannot be empty")
    plan["name"] = spec["name"]


def _description(_: Realm, plan: Document, spec: Document) -> None:
    plan["description"] = spec["description"]


def _time_range(_: Realm, plan: Document, spec: Document) -> None:
    check_range(spec["start_time"], spec["end_time"])
    plan |= {"start_time": spec["start_time"], "end_time": spec["end_time"]}


def _schedule(_: Realm, plan: Document, spec: Document) -> None:
    """The window that the schedule is checked against is the caller's, not the plan's."""
    check_schedule(spec["schedule_execute_time"], spec["start_time"], spec["end_time"])
    plan["schedule_execute_time"] = spec["schedule_execute_time"]


def _manager(realm: Realm, plan: Document, spec: Document) -> None:
    user = realm.people.by_uid(str(spec["manager_id"]))
    if user is None:
        raise GoError("user not found")
    if user.name != spec["manager"]:
        raise GoError("name not match")
    plan |= {"manager_id": user.uid, "manager": user.name}


def _sprint(_: Realm, plan: Document, spec: Document) -> None:
    plan["jira_sprint_association"] = spec["jira_sprint_association"]


def _create_job(realm: Realm, plan: Document, spec: Document) -> None:
    if not spec["name"]:
        raise GoError("name cannot be empty")
    _check_job(realm, spec)
    job = fresh_job(new_uuid(), spec["name"], spec["type"], spec["spec"])
    job |= {"manager": spec["manager"], "manager_id": spec["manager_id"]}
    plan["jobs"].append(job)


def _check_job(realm: Realm, spec: Document) -> None:
    """Jobs are checked when saved only where they are not checked later (§1.6)."""
    if not realm.traits.lints_at_finish:
        check_job(str(spec["type"]), spec["spec"])


def _update_job(realm: Realm, plan: Document, spec: Document) -> None:
    job = next((one for one in plan["jobs"] if one["id"] == spec["id"]), None)
    if job is None:
        raise GoError(f"job {spec['id']} not found")
    if job["type"] != spec["type"]:
        raise GoError("job type cannot be changed")
    _check_job(realm, spec)
    job |= {key: spec[key] for key in ("name", "manager", "manager_id", "spec")}
    job["updated"] = True


def _delete_job(_: Realm, plan: Document, spec: Document) -> None:
    plan["jobs"] = [job for job in plan["jobs"] if job["id"] != spec["id"]]


def _reorder(_: Realm, plan: Document, spec: Document) -> None:
    """Jobs that the new order leaves out are lost."""
    jobs = {job["id"]: job for job in plan["jobs"]}
    plan["jobs"] = [jobs[one] for one in spec["job_ids"] or () if one in jobs]


def _approval(realm: Realm, plan: Document, spec: Document) -> None:
    approval = spec["approval"]
    if approval is None:
        raise GoError("approval is nil")
    check_approval(realm.people, approval)
    try:
        check_definition(approval, realm.im_apps())
    except GoError as wrong:
        raise wrong.wrapped("create lark approval definition") from None
    clear_votes(approval)
    plan["approval"] = approval


def _no_approval(_: Realm, plan: Document, __: Document) -> None:
    plan["approval"] = None


_METADATA, _SUBTASKS = "EditMetadata", "EditSubtasks"


def _verb(
    flag: str, apply: Callable[[Realm, Document, Document], None], *spec: str | Field
) -> _Verb:
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
