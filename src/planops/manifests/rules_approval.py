"""What a Zadig server refuses in an approval, or what nobody could ever give (§6.2, §6.4).

The sections are those of ``docs/servers/zadig.md``. Only an enabled approval, and of it only the
block that its type names, is looked at closely: the server looks at no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from planops.core.model import Severity
from planops.manifests.findings import Finding
from planops.manifests.untyped import Rule, mapping, mappings, text
from planops.manifests.wording import code
from planops.manifests.yaml import Path

BLOCKS: Final[Mapping[str, str]] = {
    "native": "native_approval",
    "lark": "lark_approval",
    "lark_intl": "lark_approval",
    "dingtalk": "dingtalk_approval",
    "workwx": "workwx_approval",
}
"""Which block of an approval each type uses."""

MOST_NODES: Final = 20
"""How many steps an approval in DingTalk may have."""

_APPROVAL: Final[Path] = ("spec", "approval")
_USERS: Final[Path] = (*_APPROVAL, "native_approval", "approve_users")
_LARK: Final = ("lark", "lark_intl")
_ENDS: Final = ("START", "END")
_INFORMED: Final = 2  # the type of a WeCom step for people who are only informed


def approval_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the approval that a document declares."""
    return mapping(mapping(document.get("spec")).get("approval"))


def _native(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(approval_of(document).get("native_approval"))


def _finding(path: Path, message: str, hint: str, *, on_key: bool = False) -> Finding:
    return Finding(path=path, code="approvers", message=message, hint=hint, on_key=on_key)


def unused(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Settings of a messenger that the approval does not go through have no effect."""
    approval = approval_of(document)
    kind = text(approval.get("type"))
    for name in dict.fromkeys(BLOCKS.values()):
        if kind in BLOCKS and name != BLOCKS[kind] and approval.get(name):
            yield Finding(
                path=(*_APPROVAL, name),
                code="unused",
                message=f"{code(name)} is not used, since the approval's `type` is {code(kind)}",
                hint="remove it",
                on_key=True,
                severity=Severity.WARNING,
            )


# ------------------------------------------------------------------------------------- Zadig's own


def approvers(document: Mapping[str, Any]) -> Iterator[Finding]:
    """An enabled approval has enough approvers for as many approvals as it needs."""
    approval, native = approval_of(document), _native(document)
    users = native.get("approve_users")
    if approval.get("enabled") is not True or not isinstance(users, list):
        return
    if BLOCKS.get(text(approval.get("type")), "native_approval") != "native_approval":
        return
    if not users:
        message = "`approve_users` is empty, so nobody could approve"
        yield _finding(_USERS, message, "list an approver")
        return
    needed = native.get("needed_approvers")
    listed = [user for _, user in mappings(users)]
    if isinstance(needed, bool) or not isinstance(needed, int) or len(listed) != len(users):
        return
    if any(user.get("type") == "group" for user in listed):
        return
    voters = [user for user in listed if user.get("type") != "task_creator"]
    distinct = len({_identity(user) for user in voters})
    if needed > distinct:
        yield _finding(
            (*_USERS[:-1], "needed_approvers"),
            f"`needed_approvers` is {needed}, but only {distinct} can approve",
            "list more approvers, or need fewer",
        )


def _identity(user: Mapping[str, Any]) -> tuple[str, str]:
    if user.get("type") == "group":
        return "group", text(user.get("group_id"))
    account, user_id = text(user.get("account")), text(user.get("user_id"))
    return ("account", account.casefold()) if account else ("user_id", user_id)


def unique_approvers(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Nobody is listed twice: the second vote would never count."""
    seen: dict[tuple[str, str], int] = {}
    for index, user in mappings(_native(document).get("approve_users")):
        identity = _identity(user)
        first = seen.setdefault(identity, index)
        if identity[1] and first != index:
            message = f"the approver {code(identity[1])} is listed twice, first as item {first + 1}"
            yield _finding((*_USERS, index), message, "remove one of them")


def approver_identity(document: Mapping[str, Any]) -> Iterator[Finding]:
    """An approver is a user by account or by id, or a group by id; never a mixture."""
    for index, user in mappings(_native(document).get("approve_users")):
        path = (*_USERS, index)
        match user.get("type", "user"):
            case "group":
                yield from _group(path, user)
            case "user":
                yield from _user(path, user)
            case "task_creator":
                yield from _task_creator(path, user)
            case _:
                pass  # the schema's to say


def _group(path: Path, user: Mapping[str, Any]) -> Iterator[Finding]:
    for name in ("account", "user_id", "user_name"):
        if name in user:
            message = f"{code(name)} does not belong to an approver of type `group`"
            yield _finding((*path, name), message, "remove it", on_key=True)
    if "group_id" not in user:
        message = "an approver of type `group` needs `group_id`"
        yield _finding(path, message, "add it")


def _user(path: Path, user: Mapping[str, Any]) -> Iterator[Finding]:
    for name in ("group_id", "group_name"):
        if name in user:
            hint = "write `type: group`, or remove it"
            message = f"{code(name)} does not belong to an approver of type `user`"
            yield _finding((*path, name), message, hint, on_key=True)
    both = "account" in user and "user_id" in user
    if both:
        message = "an approver has both `account` and `user_id`"
        yield _finding((*path, "user_id"), message, "keep one of them", on_key=True)
    elif "account" not in user and "user_id" not in user and "group_id" not in user:
        message = "an approver has neither `account` nor `user_id`"
        yield _finding(path, message, "add one of them")


def _task_creator(path: Path, user: Mapping[str, Any]) -> Iterator[Finding]:
    """Only tasks of workflows have a creator; a plan's approval skips such an approver."""
    extra = [name for name in ("account", "user_id", "user_name", "group_id") if name in user]
    for name in extra:
        message = f"{code(name)} does not belong to an approver of type `task_creator`"
        hint = "write `type: group`, or remove it" if name == "group_id" else "remove the `type`"
        yield _finding((*path, name), message, hint, on_key=True)
    if not extra:
        yield Finding(
            path=path,
            code="approvers",
            message="Zadig ignores an approver of type `task_creator` in a release plan",
            hint="remove it, or name the user",
            severity=Severity.WARNING,
        )


# -------------------------------------------------------------------------------------- messengers


def _nodes(document: Mapping[str, Any], *kinds: str) -> tuple[Path, Any]:
    """Give the steps of an enabled approval of these types, with their path; else no path."""
    approval = approval_of(document)
    kind = text(approval.get("type"))
    block = approval.get(BLOCKS[kind]) if kind in kinds else None
    if approval.get("enabled") is not True or not isinstance(block, dict):
        return (), None
    return (*_APPROVAL, BLOCKS[kind], "approval_nodes"), block.get("approval_nodes")


def nodes(document: Mapping[str, Any]) -> Iterator[Finding]:
    """An approval in a messenger has steps, and in DingTalk not too many."""
    path, found = _nodes(document, *_LARK, "dingtalk", "workwx")
    if path and found in (None, []):
        yield _finding(path, "`approval_nodes` is empty, so nobody could approve", "add a node")
    path, found = _nodes(document, "dingtalk")
    if isinstance(found, list) and len(found) > MOST_NODES:
        message = f"`approval_nodes` has {len(found)} items; Zadig takes at most {MOST_NODES}"
        yield _finding(path, message, "put approvers of several nodes into one")


def lark_nodes(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A step in Feishu or Lark has somebody to approve it, but for the ends of the flow."""
    path, found = _nodes(document, *_LARK)
    listed = list(mappings(found))
    steps = [(index, node) for index, node in listed if node.get("type") not in _ENDS]
    for index, node in steps:
        match node.get("approve_node_type"):
            case "user_group" | "user_dynamic_group":
                yield from _empty((*path, index), "approve_groups", node.get("approve_groups"))
            case "user" | "" | None:
                yield from _empty((*path, index), "approve_users", node.get("approve_users"))
            case _:
                pass  # the schema's to say
    if listed and not steps:
        message = "all nodes are of type `START` or `END`, so nobody could approve"
        yield _finding(path, message, "add a node of type `AND` or `OR`")


def lark_users(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A user in Feishu or Lark has an id, or stands for whoever executes."""
    path, found = _nodes(document, *_LARK)
    for index, node in mappings(found):
        for field in ("approve_users", "cc_users"):
            for place, user in mappings(node.get(field)):
                stands_in = user.get("is_executor") or user.get("is_stage_executor")
                if "id" not in user and not stands_in:
                    message = "a user has neither `id` nor `is_executor`"
                    yield _finding((*path, index, field, place), message, "add the `id`")


def dingtalk_nodes(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A step in DingTalk has approvers, and nobody approves in two steps."""
    path, found = _nodes(document, "dingtalk")
    seen: dict[str, int] = {}
    for index, node in mappings(found):
        yield from _empty((*path, index), "approve_users", node.get("approve_users"))
        for place, user in mappings(node.get("approve_users")):
            name = text(user.get("id"))
            if name and name in seen:
                message = (
                    f"the approver {code(name)} is listed twice, first in {_node((seen[name],))}"
                )
                at = (*path, index, "approve_users", place)
                yield _finding(at, message, "remove one of them: DingTalk asks nobody twice")
            seen.setdefault(name, index)


def workwx_nodes(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A step in WeCom has people, and one of the steps is an approval."""
    path, found = _nodes(document, "workwx")
    listed = list(mappings(found))
    for index, node in listed:
        yield from _empty((*path, index), "users", node.get("users") or node.get("userid"))
    if listed and all(node.get("type") == _INFORMED for _, node in listed):
        message = "all nodes are of type 2, so nobody could approve"
        yield _finding(path, message, "add a node of type 1")


def _empty(path: Path, field: str, listed: Any) -> Iterator[Finding]:  # noqa: ANN401 -- any JSON
    if not listed:
        who = "groups" if field == "approve_groups" else "users"
        message = f"{_node(path)} lists no {who}, so nobody could approve there"
        yield _finding(path, message, f"fill {code(field)}")


def _node(path: Path) -> str:
    return f"node {int(path[-1]) + 1}"


_LISTS: Final = (
    ("approve_users", "id"),
    ("approve_groups", "group_id"),
    ("cc_users", "id"),
    ("cc_groups", "group_id"),
    ("users", "id"),
)
"""The lists of a step whose items have identity, and by what."""


def unique_people(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Nobody is listed twice in one list of a step in Feishu, Lark or WeCom."""
    path, found = _nodes(document, *_LARK, "workwx")
    for index, node in mappings(found):
        for field, key in _LISTS:
            seen: dict[str, int] = {}
            for place, each in mappings(node.get(field)):
                name = text(each.get(key))
                first = seen.setdefault(name, place)
                if name and first != place:
                    message = (
                        f"{code(name)} is listed twice in {code(field)}, first as item {first + 1}"
                    )
                    at = (*path, index, field, place)
                    yield _finding(at, message, "remove one of them")


RULES: Final[tuple[Rule, ...]] = (
    unused,
    approvers,
    unique_approvers,
    approver_identity,
    nodes,
    lark_nodes,
    lark_users,
    dingtalk_nodes,
    workwx_nodes,
    unique_people,
)
