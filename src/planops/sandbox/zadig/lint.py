"""The server's own checks of times, jobs and approvals (docs/servers/zadig.md §3.3, §6.2, §7.4)."""

from collections.abc import Sequence
from typing import Any

from planops.sandbox.zadig.answers import NO_DOCUMENT, GoError, panic
from planops.sandbox.zadig.binding import BindFault, Field, Pointer, Slice, Struct, fields, rebound
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.people import People

ID_LENGTH = 24
_GROUPS = frozenset({"user_group", "user_dynamic_group"})
LARK = frozenset({"lark", "lark_intl"})
MAX_DINGTALK_NODES = 20
_TEXT = Struct("TextReleaseJobSpec", fields("content", "remark"))
# Of a workflow's members these are checked, the rest is taken as it is.
_JOB = Struct("Job", fields("name", "type", Field("skipped", "bool")))
_STAGE = Struct("WorkflowStage", fields("name", Field("jobs", Slice(_JOB))))
_WORKFLOW = Struct(
    "WorkflowV4",
    fields("name", "display_name", "project", "remark", Field("stages", Slice(_STAGE))),
)
_WORKFLOW_JOB = Struct(
    "WorkflowReleaseJobSpec",
    fields(Field("workflow", Pointer(_WORKFLOW)), "status", Field("task_id", "int64")),
)


def check_range(start: int, end: int) -> None:
    """A window is wrong when either bound is set and it starts after it ends."""
    if (start or end) and start > end:
        raise GoError(
            "lint release time range error: start time should not be greater than end time"
        )


def check_schedule(schedule: int, start: int, end: int) -> None:
    """A schedule lies within the window, bounds included, unless there is no window."""
    if schedule and (start or end) and not start <= schedule <= end:
        raise GoError(
            "lint schedule execute time error: schedule execute time should be in the range "
            "of start time and end time"
        )


def check_approval(people: People, approval: Document, *, reachable: bool = True) -> None:
    """An enabled approval must be able to happen.

    Nobody is found in a native one while the user service is not ``reachable``.
    """
    if not approval["enabled"]:
        return
    match approval["type"]:
        case "native":
            _check_native(people, approval["native_approval"], reachable=reachable)
        case "lark" | "lark_intl":
            _check_lark(approval["lark_approval"])
        case "dingtalk":
            _check_dingtalk(approval["dingtalk_approval"])
        case "workwx":
            return
        case other:
            raise GoError(f"invalid approval type {other}")


def check_definition(approval: Document, apps: Sequence[Document] | None) -> None:
    """Lark approvals, enabled or not, need their object and the app that their definition is in.

    ``apps`` are the system's apps; ``None`` stands for a system that has every app (§6.6).
    """
    if approval["type"] not in LARK:
        return
    if approval["lark_approval"] is None:
        raise GoError("lark approval is nil")
    if apps is None:
        return
    app_id = str(approval["lark_approval"]["approval_id"])
    flaw = object_id_flaw(app_id)
    app = next((one for one in apps if one["id"] == app_id), None)
    if flaw or app is None:
        raise GoError(f"get lark app {app_id}: {flaw or NO_DOCUMENT}")
    if app["type"] not in LARK:
        raise GoError(f"lark app {app_id} is not lark approval")


def object_id_flaw(text: str) -> str:
    """Why a text is no identifier of a document; nothing when it is one (§8.3)."""
    if len(text) != ID_LENGTH:
        return "the provided hex string is not a valid ObjectID"
    for character in text:
        if character not in "0123456789abcdefABCDEF":
            return f"encoding/hex: invalid byte: U+{ord(character):04X} {character!r}"
    return ""


def check_job(kind: str, spec: object) -> None:
    """A job must be of a known kind and its spec fit; a workflow, even an empty one, be there."""
    match kind:
        case "text":
            _decoded(_TEXT, spec, "invalid text spec")
        case "workflow":
            if _decoded(_WORKFLOW_JOB, spec, "invalid workflow spec")["workflow"] is None:
                raise GoError("workflow cannot be empty")
        case other:
            raise GoError(f"invalid release job type: {other}")


def workflow_spec(job: Document, fault: str = "invalid spec") -> Document:
    """The spec of a job to be run or shown as a workflow, even an empty one; the job is left."""
    if _decoded(_WORKFLOW_JOB, job["spec"], fault)["workflow"] is None:
        raise GoError("workflow is nil")
    workflow = job["spec"].get("workflow") or {}
    held = {"name": workflow.get("name") or "", "stages": workflow.get("stages") or []}
    return {**job["spec"], "workflow": {**workflow, **held}}


def _decoded(struct: Struct, spec: object, fault: str) -> Document:
    try:
        return rebound(struct, spec)
    except BindFault as wrong:
        raise GoError(f"{fault}: {wrong}") from None


def flattened(people: People, users: Sequence[Document | None]) -> list[Document]:
    """The people behind a list of users and groups; a null entry crashes the handler."""
    flat: list[Document] = []
    for user in users:
        if user is None:
            raise panic()
        match user["type"]:
            case "group":
                flat += [
                    _approver(member.uid, member.name)
                    for member in people.members(str(user["group_id"]))
                ]
            case "" | "user":
                flat.append(dict(user))
            case _:
                continue
    return flat


def _approver(uid: str, name: str) -> Document:
    return {"type": "user", "user_id": uid, "user_name": name}


def _check_native(people: People, native: Document | None, *, reachable: bool) -> None:
    given = _present(native)
    flat = flattened(people, given["approve_users"] or ())
    if (len(flat) if reachable else 0) < given["needed_approvers"]:
        raise GoError("all approve users should not less than needed approvers")


def _present(approval: Document | None) -> Document:
    if approval is None:
        raise GoError("approval not found")
    return approval


def _nodes(approval: Document | None, most: int | None = None) -> list[Any]:
    nodes: list[Any] = _present(approval)["approval_nodes"] or []
    if most is not None and len(nodes) > most:
        raise GoError(f"num of approval-node should not exceed {most}")
    if not nodes:
        raise GoError("num of approval-node is 0")
    if None in nodes:
        raise panic()
    return nodes


def _check_lark(approval: Document | None) -> None:
    for position, node in enumerate(_nodes(approval)):
        if node["type"] in {"START", "END"}:
            continue
        if node["approve_node_type"] not in _GROUPS:
            _check_node_people(node, position)
        _check_node_type(node, position)


def _check_dingtalk(approval: Document | None) -> None:
    seen: set[str] = set()
    for position, node in enumerate(_nodes(approval, MAX_DINGTALK_NODES)):
        _check_node_people(node, position)
        for user in node["approve_users"]:
            if user is None:
                raise panic()
            if user["id"] in seen:
                raise GoError(
                    f"Duplicate approvers {user['name']} should not appear "
                    "in a complete approval process"
                )
            seen.add(user["id"])
        _check_node_type(node, position)


def _check_node_people(node: Document, position: int) -> None:
    if not node["approve_users"]:
        raise GoError(f"num of approval-node {position} approver is 0")


def _check_node_type(node: Document, position: int) -> None:
    if node["type"] not in {"AND", "OR"}:
        raise GoError(f"approval-node {position} type should be AND or OR")
