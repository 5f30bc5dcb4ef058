"""What the server writes into a plan's history, in its own words (docs/servers/zadig.md §1.9)."""

from collections.abc import Mapping
from typing import Literal

from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.realm import CREATED, DELETED, SYSTEM_USER, UPDATED, Call, Realm

Part = Literal[
    "release_plan", "release_plan_status", "metadata", "description", "approval", "release_job"
]

_CHINESE: Mapping[Part, str] = {
    "release_plan": "发布计划",
    "release_plan_status": "发布计划状态",
    "metadata": "元数据",
    "description": "需求关联",
    "approval": "审批",
    "release_job": "发布内容",
}
_DESCRIPTION, _APPROVAL = "需求关联", "审批"
_EDITS: Mapping[str, tuple[str, Part, str]] = {
    "update_name": (UPDATED, "metadata", "发布计划名称"),
    "update_description": (UPDATED, "description", _DESCRIPTION),
    "update_time_range": (UPDATED, "metadata", "发布窗口期"),
    "update_schedule_execute_time": (UPDATED, "metadata", "定时执行"),
    "update_manager": (UPDATED, "metadata", "发布负责人"),
    "update_jira_sprint": (UPDATED, "metadata", "Jira"),
    "create_release_job": (CREATED, "release_job", ""),
    "update_release_job": (UPDATED, "release_job", ""),
    "delete_release_job": (DELETED, "release_job", ""),
    "reorder_release_job": (UPDATED, "release_job", ""),
    "update_approval": (UPDATED, "approval", _APPROVAL),
    "delete_approval": (DELETED, "approval", _APPROVAL),
}
_VOTES = {"passed": "审批通过", "reject": "审批被拒绝"}


def wrote(realm: Realm, call: Call, plan: Document, verb: str) -> None:
    """The plan was made, or replaced as a whole."""
    _log(realm, plan, _by(call), verb, "release_plan", str(plan["name"]))


def edited(realm: Realm, call: Call, before: Document, plan: Document, spec: Document) -> None:
    """One part was edited; a job is named as it is called now, or was called when it went."""
    verb, part, name = _EDITS[str(spec["verb"])]
    if part == "release_job":
        name = _job_name(before, plan, spec["spec"])
    _log(realm, plan, _by(call), verb, part, name)


def executed(realm: Realm, call: Call, plan: Document, verb: str, job: str) -> None:
    """A job was executed, skipped or tried again."""
    _log(realm, plan, _by(call), verb, "release_job", job)


def moved(realm: Realm, call: Call, plan: Document, before: str, asked: str) -> None:
    """The status was changed by hand; v4.1 writes the new one as the old one, too."""
    now = str(plan["status"])
    if realm.traits.history_keys:
        detail = f"状态从 {before} 变更为 {now}"
        _status(realm, plan, _by(call), detail, (before, now))
    else:
        _status(realm, plan, _by(call), "", (now, asked))


def decided(realm: Realm, plan: Document, outcome: str) -> None:
    """An approval has ended; of a rejection v4.1 says little."""
    system = (SYSTEM_USER, "")
    if outcome == "reject" and not realm.traits.history_keys:
        realm.log(plan, {"detail": _VOTES[outcome]})
    else:
        sides = ("wait_for_approval", str(plan["status"]))
        known = sides if realm.traits.history_keys else (None, "executing")
        _status(realm, plan, system, _VOTES[outcome], known)


def _by(call: Call) -> tuple[str, str]:
    return call.caller.name, call.caller.account


def _status(
    realm: Realm,
    plan: Document,
    by: tuple[str, str],
    detail: str,
    sides: tuple[str | None, str],
) -> None:
    said = {"detail": detail, "before": sides[0], "after": sides[1]}
    part: Part = "release_plan_status"
    _log(realm, plan, by, UPDATED, part, _CHINESE[part], said)


def _log(
    realm: Realm,
    plan: Document,
    by: tuple[str, str],
    verb: str,
    part: Part,
    name: str,
    said: Document | None = None,
) -> None:
    kind = part if realm.traits.history_keys else _CHINESE[part]
    line = {"username": by[0], "account": by[1], "verb": verb}
    realm.log(plan, {**line, "target_name": name, "target_type": kind, **(said or {})})


def _job_name(before: Document, plan: Document, spec: Document) -> str:
    if spec.get("name"):
        return str(spec["name"])
    jobs = {job["id"]: job["name"] for job in (*before["jobs"], *plan["jobs"])}
    return str(jobs.get(spec.get("id"), ""))
