"""Approvals in other messengers, and votes of groups (docs/servers/zadig.md §6.5 to §6.7)."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from planops.sandbox.clock import Clock
from planops.sandbox.visits import MOMENT
from planops.sandbox.zadig import ZadigSandbox
from planops.sandbox.zadig.visitor import Visitor, visiting

APP = "64f1a00000000000000000b1"
DING = "64f1a00000000000000000b2"
TEXT = {"name": "t", "type": "text"}
LARK_USER = {"id": "ou_1", "id_type": "user_id", "name": "Lee", "is_executor": False}
SHOWN_LARK: dict[str, Any] = {
    "timeout": 60,
    "approval_id": APP,
    "default_approval_initiator": None,
    "approval_initiator": None,
    "approval_nodes": [
        {
            "type": "AND",
            "approve_node_type": "",
            "approve_groups": [],
            "approve_users": [LARK_USER],
            "cc_users": [],
            "cc_groups": [],
            "reject_or_approve": "",
        }
    ],
    "instance_code": "",
    "approval_instance": None,
    "approve_users": [],
}
SHOWN_DINGTALK: dict[str, Any] = {
    "timeout": 60,
    "approval_id": DING,
    "default_approval_initiator": {"id": "d0", "name": "Ding", "avatar": ""},
    "approval_nodes": [
        {
            "approve_users": [{"id": "d1", "name": "Dong", "avatar": ""}],
            "type": "OR",
            "reject_or_approve": "",
        }
    ],
    "instance_code": "",
}
SHOWN_WORKWX = {
    "timeout": 60,
    "approval_id": "w",
    "creator_user": {"name": "W", "id": "w1"},
    "approval_nodes": [
        {"type": 1, "apv_rel": 2, "users": [{"name": "X", "id": "w2"}], "userid": ["w2"]}
    ],
    "approval_node_details": None,
    "instance_id": "",
}
SHOWN: Mapping[str, tuple[str, dict[str, Any]]] = {
    "lark": ("lark_approval", SHOWN_LARK),
    "lark_intl": ("lark_approval", SHOWN_LARK),
    "dingtalk": ("dingtalk_approval", SHOWN_DINGTALK),
    "workwx": ("workwx_approval", SHOWN_WORKWX),
}


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    """A system that has two apps."""
    apps = [{"id": APP, "type": "lark"}, {"id": DING, "type": "dingtalk"}]
    sandbox = ZadigSandbox(clock=Clock(MOMENT), fixtures={"extends": "default", "im_apps": apps})
    with visiting(sandbox=sandbox) as visitor:
        yield visitor
    sandbox.close()


def approval_of(kind: str) -> dict[str, Any]:
    key, inner = SHOWN[kind]
    return {"enabled": True, "type": kind, key: inner}


def waiting(zadig: Visitor, approval: dict[str, Any]) -> str:
    plan = zadig.create()
    assert zadig.update(plan, approval=approval, jobs=[TEXT]).status == 200
    assert zadig.move(plan, "finish_planning", "wait_for_approval").status == 200
    return plan


@pytest.mark.parametrize("kind", SHOWN)
def test_every_kind_is_shown_as_it_was_sent(zadig: Visitor, kind: str) -> None:
    key, inner = SHOWN[kind]
    plan = zadig.create(approval=approval_of(kind))
    shown = zadig.get(plan)["approval"]
    expected = {"enabled": True, "status": "", "type": kind, "description": "", key: inner}
    assert shown == expected
    assert list(shown[key]) == list(inner)


def test_lists_that_are_missing_are_shown_empty(zadig: Visitor) -> None:
    approval = {"enabled": False, "type": "lark", "lark_approval": {"approval_id": APP}}
    shown = zadig.get(zadig.create(approval=approval))["approval"]["lark_approval"]
    assert (shown["approval_nodes"], shown["approve_users"]) == ([], [])


def test_votes_of_other_messengers_are_shown(zadig: Visitor) -> None:
    voted = {**LARK_USER, "reject_or_approve": "approve", "comment": "ok", "operation_time": 3}
    node = {**SHOWN_LARK["approval_nodes"][0], "approve_users": [voted]}
    approval = {**approval_of("lark"), "lark_approval": {**SHOWN_LARK, "approval_nodes": [node]}}
    shown = zadig.get(zadig.create(approval=approval))["approval"]["lark_approval"]
    assert shown["approval_nodes"][0]["approve_users"] == [voted]


def test_4_1_has_no_initiator_of_an_approval() -> None:
    with visiting("4.1") as older:
        shown = older.get(older.create(approval=approval_of("lark")))["approval"]
    assert "approval_initiator" not in shown["lark_approval"]
    assert "default_approval_initiator" in shown["lark_approval"]


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("kind", ["lark", "lark_intl"])
@pytest.mark.parametrize(
    ("app", "text"),
    [
        ("x", "get lark app x: the provided hex string is not a valid ObjectID"),
        ("z" * 24, f"get lark app {'z' * 24}: encoding/hex: invalid byte: U+007A 'z'"),
        ("0" * 24, f"get lark app {'0' * 24}: mongo: no documents in result"),
        (DING, f"lark app {DING} is not lark approval"),
    ],
)
def test_a_lark_approval_needs_its_app(
    zadig: Visitor, kind: str, app: str, text: str, *, enabled: bool
) -> None:
    approval = approval_of(kind) | {"enabled": enabled}
    approval["lark_approval"] = {**SHOWN_LARK, "approval_id": app}
    body = {"name": "n", "manager": "admin", "approval": approval}
    reply = zadig.call("POST /openapi/release_plan/v1", body)
    assert reply.error == (500, f"createLarkApprovalDefinition error: {text}")
    edited = zadig.edit(zadig.create(), "update_approval", {"approval": approval})
    assert edited.error == (500, f"create lark approval definition: {text}")


def test_the_check_comes_before_the_definition(zadig: Visitor) -> None:
    approval = {"enabled": True, "type": "lark", "lark_approval": {"approval_id": "x"}}
    reply = zadig.update(zadig.create(), approval=approval)
    assert reply.error == (500, "lintApproval error: num of approval-node is 0")


def test_a_system_without_named_apps_has_every_app() -> None:
    with visiting() as visitor:
        approval = {**SHOWN_LARK, "approval_id": "x"}
        given = {"enabled": True, "type": "lark", "lark_approval": approval}
        assert visitor.update(visitor.create(), approval=given).status == 200


LINTED = [
    ("lark", {"type": "START"}, None),
    ("lark", {"type": "END"}, None),
    ("lark", {"type": "OR"}, "num of approval-node 0 approver is 0"),
    ("lark", {"type": "AND", "approve_node_type": "user_group"}, None),
    (
        "lark",
        {"type": "SEQUENTIAL", "approve_node_type": "user_group"},
        "approval-node 0 type should be AND or OR",
    ),
    (
        "lark_intl",
        {"type": "SEQUENTIAL", "approve_users": [LARK_USER]},
        "approval-node 0 type should be AND or OR",
    ),
    ("dingtalk", {"type": "AND"}, "num of approval-node 0 approver is 0"),
    (
        "dingtalk",
        {"type": "SEQUENTIAL", "approve_users": [{"id": "d1"}]},
        "approval-node 0 type should be AND or OR",
    ),
    (
        "dingtalk",
        {"type": "AND", "approve_users": [{"id": "d1", "name": "A"}, {"id": "d1", "name": "B"}]},
        "Duplicate approvers B should not appear in a complete approval process",
    ),
    ("workwx", {"type": 9}, None),
]


@pytest.mark.parametrize(("kind", "node", "text"), LINTED)
def test_nodes_are_checked(
    zadig: Visitor, kind: str, node: dict[str, Any], text: str | None
) -> None:
    key, inner = SHOWN[kind]
    approval = {**approval_of(kind), key: {**inner, "approval_nodes": [node]}}
    reply = zadig.update(zadig.create(), approval=approval)
    expected = (500, f"lintApproval error: {text}") if text else (200, '{"message":"success"}')
    assert reply.error == expected


@pytest.mark.parametrize("kind", ["lark", "lark_intl", "dingtalk", "workwx"])
def test_a_disabled_approval_is_not_checked(zadig: Visitor, kind: str) -> None:
    key, inner = SHOWN[kind]
    approval = {"enabled": False, "type": kind, key: {**inner, "approval_nodes": [{}]}}
    assert zadig.update(zadig.create(), approval=approval).status == 200


@pytest.mark.parametrize("kind", ["lark", "dingtalk"])
def test_null_nodes_crash_the_handler(zadig: Visitor, kind: str) -> None:
    key, inner = SHOWN[kind]
    approval = {**approval_of(kind), key: {**inner, "approval_nodes": [None]}}
    reply = zadig.update(zadig.create(), approval=approval)
    assert (reply.status, reply.body) == (500, b"")


def test_a_null_dingtalk_user_crashes_the_handler(zadig: Visitor) -> None:
    nodes = [{"type": "AND", "approve_users": [None]}]
    inner = {**SHOWN_DINGTALK, "approval_nodes": nodes}
    approval = {"enabled": True, "type": "dingtalk", "dingtalk_approval": inner}
    assert zadig.update(zadig.create(), approval=approval).error == (500, "")


@pytest.mark.parametrize("kind", SHOWN)
def test_asking_makes_an_instance(zadig: Visitor, kind: str) -> None:
    plan = waiting(zadig, approval_of(kind))
    inner = zadig.get(plan)["approval"][SHOWN[kind][0]]
    assert len(inner["instance_id" if kind == "workwx" else "instance_code"]) == 36


VOTE = {"reject_or_approve": "approve", "comment": "ok", "operation_time": 3}
LARK_NODE = SHOWN_LARK["approval_nodes"][0]
VOTED_LARK = {**LARK_NODE, "approve_users": [{**LARK_USER, **VOTE}], "reject_or_approve": "reject"}
DINGTALK_NODE: dict[str, Any] = SHOWN_DINGTALK["approval_nodes"][0]
VOTED_DINGTALK = {
    **DINGTALK_NODE,
    "approve_users": [{**DINGTALK_NODE["approve_users"][0], **VOTE}],
    "reject_or_approve": "approve",
}
CLEARED = [
    ("lark", {"approval_instance": {"a": 1}}, {"approval_instance": None}),
    # Votes in the nodes of lark stay.
    ("lark_intl", {"approval_nodes": [VOTED_LARK]}, {"approval_nodes": [VOTED_LARK]}),
    ("dingtalk", {"approval_nodes": [VOTED_DINGTALK]}, {"approval_nodes": [DINGTALK_NODE]}),
    ("workwx", {"approval_node_details": [{"a": 1}]}, {"approval_node_details": None}),
]


@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize(("kind", "sent", "left"), CLEARED)
def test_asking_and_saving_forget_what_was_decided(
    zadig: Visitor, kind: str, sent: dict[str, Any], left: dict[str, Any], *, asks: bool
) -> None:
    key, inner = SHOWN[kind]
    approval = {**approval_of(kind), "status": "passed", key: {**inner, **sent}}
    if asks:
        plan = waiting(zadig, approval)
    else:
        plan = zadig.create()
        assert zadig.edit(plan, "update_approval", {"approval": approval}).status == 200
    shown = zadig.get(plan)["approval"]
    assert {name: shown[key][name] for name in left} == left
    assert shown["status"] == ""


@pytest.mark.parametrize("kind", ["native", "lark", "lark_intl", "dingtalk", "workwx"])
def test_clearing_wants_the_object_even_of_a_disabled_approval(zadig: Visitor, kind: str) -> None:
    plan = zadig.create()
    zadig.update(plan, jobs=[TEXT])
    bare = {"enabled": False, "type": kind}
    zadig.sandbox.edit(plan, {"approval": bare})
    name = "lark" if kind == "lark_intl" else kind
    expected = (500, f"clear approval data: nil {name} approval")
    assert zadig.move(plan, "finish_planning", "wait_for_approval").error == expected
    assert zadig.get(plan)["status"] == "finish_planning"
    if name != "lark":  # whose definition is missed first
        edited = zadig.edit(zadig.create(), "update_approval", {"approval": bare})
        assert edited.error == expected


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("native", {"approve_users": [None]}),
        ("dingtalk", {"approval_nodes": [None]}),
        ("dingtalk", {"approval_nodes": [{"approve_users": [None]}]}),
    ],
)
def test_clearing_null_entries_crashes_the_handler(
    zadig: Visitor, kind: str, state: dict[str, Any]
) -> None:
    plan = zadig.create()
    approval = {"enabled": False, "type": kind, f"{kind}_approval": state}
    assert zadig.update(plan, approval=approval, jobs=[TEXT]).status == 200
    reply = zadig.move(plan, "finish_planning", "wait_for_approval")
    assert reply.error == (500, "")
    assert zadig.get(plan)["status"] == "finish_planning"


@pytest.mark.parametrize("kind", SHOWN)
@pytest.mark.parametrize(
    ("outcome", "status", "verdict"),
    [
        ("passed", "executing", "approve"),
        ("reject", "denied", "reject"),
        ("cancelled", "wait_for_approval", ""),
        ("deleted", "wait_for_approval", ""),
    ],
)
def test_decisions_outside(
    zadig: Visitor, kind: str, outcome: str, status: str, verdict: str
) -> None:
    plan = waiting(zadig, approval_of(kind))
    zadig.sandbox.decide(plan, outcome)
    read = zadig.get(plan)
    noted = "cancelled" if outcome == "deleted" else outcome
    assert (read["status"], read["approval"]["status"]) == (status, noted)
    node = read["approval"][SHOWN[kind][0]]["approval_nodes"][0]
    assert node.get("reject_or_approve", verdict) == verdict


def test_only_approvals_outside_are_decided_outside(zadig: Visitor) -> None:
    group = {"type": "group", "group_id": "approvers"}
    native = {"needed_approvers": 1, "approve_users": [group]}
    plan = waiting(zadig, {"enabled": True, "type": "native", "native_approval": native})
    with pytest.raises(ValueError, match="no approval is decided outside"):
        zadig.sandbox.decide(plan, "passed")
    reply = zadig.call("POST /_sandbox/decide", {"plan": plan, "outcome": "passed"})
    assert reply.status == 400


GROUP = {"type": "group", "group_id": "approvers", "group_name": "Approvers"}
PATRICK = {"type": "user", "user_id": "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0001"}


def native(*users: dict[str, str], needed: int) -> dict[str, Any]:
    inner = {"needed_approvers": needed, "approve_users": list(users)}
    return {"enabled": True, "type": "native", "native_approval": inner}


def vote(zadig: Visitor, plan: str, who: str, *, approve: bool = True) -> tuple[int, str]:
    return zadig.inside(f"POST /{plan}/approve", {"approve": approve}, who=who).error


def test_members_of_a_group_vote(zadig: Visitor) -> None:
    plan = waiting(zadig, native(GROUP, needed=2))
    assert vote(zadig, plan, "bob") == (
        500,
        "do approval: user Bob has no authority to Approve",
    )
    assert vote(zadig, plan, "patrick")[0] == 200
    assert vote(zadig, plan, "alice")[0] == 200
    assert zadig.get(plan)["status"] == "executing"


def test_a_member_may_deny(zadig: Visitor) -> None:
    plan = waiting(zadig, native(GROUP, needed=2))
    vote(zadig, plan, "alice", approve=False)
    assert zadig.get(plan)["status"] == "denied"
    assert vote(zadig, plan, "patrick")[1] == "plan status is denied, can not approve"


def test_who_is_listed_twice_votes_once(zadig: Visitor) -> None:
    plan = waiting(zadig, native(PATRICK, GROUP, needed=3))
    assert vote(zadig, plan, "patrick")[0] == 200
    assert vote(zadig, plan, "patrick")[1] == "do approval: Patrick have approve already"


def test_the_members_of_the_moment_count(zadig: Visitor) -> None:
    plan = waiting(zadig, native(GROUP, needed=1))
    zadig.sandbox.people.add_group("approvers", "Approvers", [])
    assert vote(zadig, plan, "patrick")[1].endswith("has no authority to Approve")


@pytest.mark.parametrize("kind", ["lark", "lark_intl", "dingtalk"])
def test_an_enabled_approval_needs_its_object(zadig: Visitor, kind: str) -> None:
    reply = zadig.update(zadig.create(), approval={"enabled": True, "type": kind})
    assert reply.error == (500, "lintApproval error: approval not found")


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("lark", {"instance_code": "i", "approval_instance": {"a": 1}}),
        ("lark", {"approval_initiator": LARK_USER}),
        ("dingtalk", {"instance_code": "i"}),
        ("workwx", {"instance_id": "i", "approval_node_details": [{"a": 1}]}),
    ],
)
def test_execution_state_of_other_messengers_is_stored(
    zadig: Visitor, kind: str, state: dict[str, Any]
) -> None:
    key, inner = SHOWN[kind]
    plan = zadig.create()
    approval = {**approval_of(kind), "start_time": 4, "end_time": 5, key: {**inner, **state}}
    assert zadig.update(plan, approval=approval).status == 200
    shown = zadig.get(plan)["approval"]
    assert (shown["start_time"], shown["end_time"]) == (4, 5)
    assert {name: shown[key][name] for name in state} == state
