"""The server's own checks of times and approvals (docs/servers/zadig.md §3.3, §6.2)."""

from collections.abc import Sequence
from typing import Any

from planops.sandbox.zadig.answers import NO_DOCUMENT, GoError, panic
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.people import People

ID_LENGTH = 24
LARK = frozenset({"lark", "lark_intl"})
MAX_DINGTALK_NODES = 20


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


def check_approval(people: People, approval: Document) -> None:
    """An enabled approval must be able to happen."""
    if not approval["enabled"]:
        return
    match approval["type"]:
        case "native":
            _check_native(people, approval["native_approval"])
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
    """A plan's job must be of a known kind, and a workflow job must hold a workflow."""
    if kind not in {"text", "workflow"}:
        raise GoError(f"invalid release job type: {kind}")
    if kind == "workflow" and not (isinstance(spec, dict) and spec.get("workflow")):
        raise GoError("workflow cannot be empty")


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


def _check_native(people: People, native: Document | None) -> None:
    if native is None:
        raise GoError("approval not found")
    flat = flattened(people, native["approve_users"] or ())
    if len(flat) < native["needed_approvers"]:
        raise GoError("all approve users should not less than needed approvers")


def _nodes(approval: Document | None) -> list[Any]:
    if approval is None:
        raise GoError("approval not found")
    nodes: list[Any] = approval["approval_nodes"] or []
    if not nodes:
        raise GoError("num of approval-node is 0")
    if None in nodes:
        raise panic()
    return nodes


def _check_lark(approval: Document | None) -> None:
    for position, node in enumerate(_nodes(approval)):
        if node["type"] in {"START", "END"}:
            continue
        by_users = node["approve_node_type"] != "user_group"
        if by_users and not node["approve_users"]:
            raise GoError(f"num of approval-node {position} approver is 0")
        _check_node_type(node, position)


def _check_dingtalk(approval: Document | None) -> None:
    if approval is not None and len(approval["approval_nodes"] or ()) > MAX_DINGTALK_NODES:
        raise GoError(f"num of approval-node should not exceed {MAX_DINGTALK_NODES}")
    seen: set[str] = set()
    for position, node in enumerate(_nodes(approval)):
        if not node["approve_users"]:
            raise GoError(f"num of approval-node {position} approver is 0")
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


def _check_node_type(node: Document, position: int) -> None:
    if node["type"] not in {"AND", "OR"}:
        raise GoError(f"approval-node {position} type should be AND or OR")
