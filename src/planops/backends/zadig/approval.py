"""Approvals on the wire: what may be sent, what the server owns, what nobody knows.

Zadig stores an approval exactly as it is sent, its runtime fields included: a body with
``status: passed`` would let a plan through without anybody's approval (docs/servers/zadig.md §6).
Bodies are therefore built by an allowlist of writable fields, never by copying what was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from planops.core.model import JSON, is_unset

Allow: TypeAlias = "Mapping[str, Allow | None]"
"""Writable fields; ``None`` for a scalar, a mapping for an object or for every object of a list."""

_USER: Allow = dict.fromkeys(
    ("id", "id_type", "name", "avatar", "is_executor", "is_stage_executor")
)
_GROUP: Allow = dict.fromkeys(("group_id", "group_name"))
_NATIVE_USER: Allow = dict.fromkeys(("type", "user_id", "user_name", "group_id", "group_name"))

WRITABLE: Allow = {
    "enabled": None,
    "type": None,
    "description": None,
    "native_approval": {
        "timeout": None,
        "needed_approvers": None,
        "approve_users": _NATIVE_USER,
    },
    "lark_approval": {
        "timeout": None,
        "approval_id": None,
        "default_approval_initiator": _USER,
        "approve_users": _USER,
        "approval_nodes": {
            "type": None,
            "approve_node_type": None,
            "approve_groups": _GROUP,
            "approve_users": _USER,
            "cc_users": _USER,
            "cc_groups": _GROUP,
        },
    },
    "dingtalk_approval": {
        "timeout": None,
        "approval_id": None,
        "default_approval_initiator": _USER,
        "approval_nodes": {"type": None, "approve_users": _USER},
    },
    "workwx_approval": {
        "timeout": None,
        "approval_id": None,
        "creator_user": _USER,
        "approval_nodes": {"type": None, "apv_rel": None, "userid": None, "users": _USER},
    },
}

RUNTIME = frozenset(
    {
        "status", "start_time", "end_time", "instance_code", "instance_id", "approval_instance",
        "approval_initiator", "task_list", "timeline", "reject_or_approve", "operation_time",
        "comment", "approval_node_details", "flat_approve_users", "sub_nodes",
    }
)  # fmt: skip


OWNERS: Mapping[str, tuple[str, ...]] = {
    "native_approval": ("native",),
    "lark_approval": ("lark", "lark_intl"),
    "dingtalk_approval": ("dingtalk",),
    "workwx_approval": ("workwx",),
}
BLOCKS = tuple(OWNERS)
"""The parts of an approval, one a type, and the types that use each."""


def pruned(value: JSON) -> JSON:
    """Copy a value without the members of objects that the server takes for absent."""
    if isinstance(value, list):
        return [pruned(item) for item in value]
    if isinstance(value, dict):
        return {name: pruned(sub) for name, sub in value.items() if not is_unset(sub)}
    return value


def writable(value: JSON, allow: Allow = WRITABLE) -> JSON:
    """Copy what may be sent back of an approval, or of a part of one, and nothing else."""
    if isinstance(value, list):
        return [writable(item, allow) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: sub if allow[name] is None else writable(sub, allow[name] or {})
        for name, sub in value.items()
        if name in allow
    }


def strangers(value: JSON, allow: Allow = WRITABLE, path: str = "approval") -> Iterator[str]:
    """Name the fields that are neither writable nor runtime and that hold something.

    What planops does not know it cannot send back, and an update would lose it.
    """
    if isinstance(value, list):
        for item in value:
            yield from strangers(item, allow, path)
    elif isinstance(value, dict):
        for name, sub in value.items():
            below = f"{path}.{name}"
            if name in RUNTIME or is_unset(sub):
                continue
            if name not in allow:
                yield below
            elif allow[name] is not None:
                yield from strangers(sub, allow[name] or {}, below)


def voted(approval: JSON) -> bool:
    """Tell whether the approvers' list was rewritten by a vote: groups are flattened into users."""
    native = approval.get("native_approval") if isinstance(approval, dict) else None
    users = native.get("approve_users") if isinstance(native, dict) else None
    return isinstance(users, list) and any(
        isinstance(user, dict) and not is_unset(user.get("reject_or_approve")) for user in users
    )
