"""The shape of an approval, as bound, stored and shown (docs/servers/zadig.md §6.1, §6.5).

Whatever fits the shape is stored verbatim, execution state included (§6.3); asking for the approval
forgets some of that state (§6.8).
"""

from collections.abc import Iterable

from planops.sandbox.zadig.answers import GoError, panic
from planops.sandbox.zadig.binding import Field, Pointer, Slice, Struct, fields
from planops.sandbox.zadig.gojson import Document

VOTE = ("reject_or_approve?", "comment?", Field("operation_time", "int64", optional=True))

USER = Struct("User", fields("type", "user_id?", "user_name?", "group_id?", "group_name?", *VOTE))
NATIVE = Struct(
    "NativeApproval",
    fields(
        Field("timeout", "int"),
        Field("approve_users", Slice(USER)),
        Field("flat_approve_users", Slice(USER)),
        Field("needed_approvers", "int"),
        "reject_or_approve",
        "instance_code",
    ),
)
LARK_USER = Struct(
    "LarkApprovalUser",
    fields(
        "id",
        "id_type",
        "name",
        "avatar?",
        Field("is_executor", "bool"),
        Field("is_stage_executor", "bool", optional=True),
        *VOTE,
    ),
)
LARK_GROUP = Struct("LarkApprovalGroup", fields("group_id", "group_name"))
LARK_NODE = Struct(
    "LarkApprovalNode",
    fields(
        "type",
        "approve_node_type",
        Field("approve_groups", Slice(LARK_GROUP)),
        Field("approve_users", Slice(LARK_USER)),
        Field("cc_users", Slice(LARK_USER)),
        Field("cc_groups", Slice(LARK_GROUP)),
        "reject_or_approve",
    ),
)
LARK = Struct(
    "LarkApproval",
    fields(
        Field("timeout", "int"),
        "approval_id",
        Field("default_approval_initiator", Pointer(LARK_USER)),
        Field("approval_initiator", Pointer(LARK_USER)),
        Field("approval_nodes", Slice(LARK_NODE)),
        "instance_code",
        Field("approval_instance", "any"),
        Field("approve_users", Slice(LARK_USER)),
    ),
)
DINGTALK_USER = Struct("DingTalkApprovalUser", fields("id", "name", "avatar", *VOTE))
DINGTALK_NODE = Struct(
    "DingTalkApprovalNode",
    fields(Field("approve_users", Slice(DINGTALK_USER)), "type", "reject_or_approve"),
)
DINGTALK = Struct(
    "DingTalkApproval",
    fields(
        Field("timeout", "int"),
        "approval_id",
        Field("default_approval_initiator", Pointer(DINGTALK_USER)),
        Field("approval_nodes", Slice(DINGTALK_NODE)),
        "instance_code",
    ),
)
WORKWX_USER = Struct("ApprovalUser", fields("name", "id"))
WORKWX_NODE = Struct(
    "ApprovalNode",
    fields(
        Field("type", "int"),
        Field("apv_rel", "int"),
        Field("users", Slice(WORKWX_USER)),
        Field("userid", Slice("string")),
        Field("status", "int", optional=True),
        Field("sub_nodes", "any", optional=True),
    ),
)
WORKWX = Struct(
    "WorkWXApproval",
    fields(
        Field("timeout", "int"),
        "approval_id",
        Field("creator_user", Pointer(WORKWX_USER)),
        Field("approval_nodes", Slice(WORKWX_NODE)),
        Field("approval_node_details", "any"),
        "instance_id",
    ),
)
APPROVAL = Struct(
    "Approval",
    fields(
        Field("enabled", "bool"),
        "status",
        "type",
        "description",
        Field("start_time", "int64", optional=True),
        Field("end_time", "int64", optional=True),
        Field("native_approval", Pointer(NATIVE), optional=True),
        Field("lark_approval", Pointer(LARK), optional=True),
        Field("dingtalk_approval", Pointer(DINGTALK), optional=True),
        Field("workwx_approval", Pointer(WORKWX), optional=True),
    ),
)

_OBJECTS = {
    "native": "native",
    "lark": "lark",
    "lark_intl": "lark",
    "dingtalk": "dingtalk",
    "workwx": "workwx",
}
_NO_VOTE = {"reject_or_approve": "", "comment": "", "operation_time": 0}


def check_object(approval: Document | None) -> None:
    """An approval whose votes are to be cleared needs the object of its kind (§6.8)."""
    if approval is None:
        raise GoError("clear approval data: nil approval")
    kind = _OBJECTS.get(str(approval["type"]))
    if kind is not None and approval[f"{kind}_approval"] is None:
        raise GoError(f"clear approval data: nil {kind} approval")


def clear_votes(approval: Document) -> None:
    """Forget what an earlier approval of this kind decided (§6.8)."""
    approval["status"] = ""
    kind = _OBJECTS.get(str(approval["type"]))
    inner = approval[f"{kind}_approval"] if kind is not None else None
    if inner is None:
        return
    match kind:
        case "native":
            inner["reject_or_approve"] = ""
            _clear(inner["approve_users"] or (), _NO_VOTE)
        case "lark":
            inner["approval_instance"] = None
        case "dingtalk":
            nodes = inner["approval_nodes"] or ()
            _clear(nodes, {"reject_or_approve": ""})
            for node in nodes:
                _clear(node["approve_users"] or (), _NO_VOTE)
        case _:
            inner["approval_node_details"] = None


def _clear(entries: Iterable[Document | None], nothing: Document) -> None:
    """Empty the same members of every entry; a null one crashes the handler."""
    for entry in entries:
        if entry is None:
            raise panic()
        entry.update(nothing)
