"""``POST``: how the web interface creates a plan, jobs included (docs/servers/zadig.md §1.7)."""

from planops.sandbox.zadig import history
from planops.sandbox.zadig.answers import GoError, panic
from planops.sandbox.zadig.approvals import APPROVAL
from planops.sandbox.zadig.binding import Field, Pointer, Slice, Struct, fields, zero
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.lifecycle import refresh_hooks
from planops.sandbox.zadig.lint import check_job, check_range, check_schedule
from planops.sandbox.zadig.openapi import accept_approval, bound_body, next_index
from planops.sandbox.zadig.plans import complete, fresh_job
from planops.sandbox.zadig.realm import CREATED, Call, Realm, new_uuid

_JOB = Struct(
    "ReleaseJob", fields("name", "type", "manager", "manager_id", Field("spec", "any")), "models"
)
_PLAN = Struct(
    "ReleasePlan",
    fields(
        "name",
        "manager",
        "manager_id",
        Field("start_time", "int64"),
        Field("end_time", "int64"),
        Field("schedule_execute_time", "int64"),
        "description",
        Field("jira_sprint_association", "any"),
        Field("approval", Pointer(APPROVAL)),
        Field("jobs", Slice(_JOB)),
    ),
    "models",
)


def draft_plan(realm: Realm, call: Call) -> object:
    """Create a plan of a display name and a uid; the answer does not tell its id."""
    given = bound_body(_PLAN, call.body) or zero(_PLAN)
    call.check_licence()
    _check(realm, given)
    jobs = [_job(realm, job) for job in given["jobs"] or ()]
    accept_approval(realm, given["approval"])
    now, by = realm.clock.now(), call.caller.name
    stamps = {"created_by": by, "create_time": now, "updated_by": by, "update_time": now}
    plan = complete({**given, **stamps, "jobs": jobs})
    plan |= {"id": realm.new_plan_id(), "index": next_index(realm, call)}
    refresh_hooks(realm, plan)
    realm.save_plan(plan)
    history.wrote(realm, call, plan, CREATED)
    return None


def _check(realm: Realm, given: Document) -> None:
    if not given["name"] or not given["manager_id"]:
        raise GoError("Required parameters are missing")
    check_range(given["start_time"], given["end_time"])
    check_schedule(given["schedule_execute_time"], given["start_time"], given["end_time"])
    user = realm.people.by_uid(str(given["manager_id"]))
    if user is None:
        raise panic()
    if given["manager"] != user.name:
        raise GoError(
            f"Manager {given['manager']} is not consistent with the user name {user.name}"
        )


def _job(realm: Realm, job: Document | None) -> Document:
    """A job as it is kept: checked at once only where nothing checks it later."""
    if job is None:
        raise panic()
    if not realm.traits.lints_at_finish:
        try:
            check_job(str(job["type"]), job["spec"])
        except GoError as wrong:
            raise wrong.wrapped(f"lintReleaseJob {job['name']} error") from None
    managers = {key: job[key] for key in ("manager", "manager_id")}
    return fresh_job(new_uuid(), job["name"], job["type"], job["spec"]) | managers
