"""Approvals: checks, what is stored, votes (docs/servers/zadig.md §6)."""

from collections.abc import Iterator

import pytest

from planops.sandbox.visits import MOMENT
from planops.sandbox.zadig.visitor import Visitor, visiting


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


PATRICK = "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0001"
ALICE = "0a6f1f0e-5b0f-4a57-9d6c-5d3c1b0f0002"
TEXT = {"name": "Notes", "type": "text"}
TEN = [{"approve_users": [{"id": str(n)}], "type": "AND"} for n in range(21)]


def native(*users: object, needed: int = 1) -> dict[str, object]:
    inner = {"needed_approvers": needed, "approve_users": list(users)}
    return {"enabled": True, "type": "native", "native_approval": inner}


def by_uid(uid: str) -> dict[str, str]:
    return {"type": "user", "user_id": uid}


def waiting(zadig: Visitor, approval: dict[str, object]) -> str:
    plan = zadig.create()
    assert zadig.update(plan, approval=approval, jobs=[TEXT]).status == 200
    assert zadig.move(plan, "finish_planning", "wait_for_approval").status == 200
    return plan


def vote(zadig: Visitor, plan: str, who: str, *, approve: bool = True) -> tuple[int, str]:
    body = {"approve": approve, "comment": f"by {who}"}
    return zadig.inside(f"POST /{plan}/approve", body, who=who).error


@pytest.mark.parametrize(
    ("approval", "description"),
    [
        ({"enabled": True}, "invalid approval type "),
        ({"enabled": True, "type": "pigeon"}, "invalid approval type pigeon"),
        ({"enabled": True, "type": "native"}, "approval not found"),
        (native(), "all approve users should not less than needed approvers"),
        (
            native({"type": "task_creator"}),
            "all approve users should not less than needed approvers",
        ),
        ({"enabled": True, "type": "dingtalk"}, "approval not found"),
        (
            {"enabled": True, "type": "dingtalk", "dingtalk_approval": {}},
            "num of approval-node is 0",
        ),
        (
            {"enabled": True, "type": "dingtalk", "dingtalk_approval": {"approval_nodes": TEN}},
            "num of approval-node should not exceed 20",
        ),
        (
            {
                "enabled": True,
                "type": "lark",
                "lark_approval": {"approval_nodes": [{"type": "AND", "approve_users": []}]},
            },
            "num of approval-node 0 approver is 0",
        ),
        (
            {
                "enabled": True,
                "type": "lark",
                "lark_approval": {"approval_nodes": [{"type": "X", "approve_users": [{}]}]},
            },
            "approval-node 0 type should be AND or OR",
        ),
    ],
)
def test_enabled_approvals_are_checked(
    zadig: Visitor, approval: dict[str, object], description: str
) -> None:
    reply = zadig.update(zadig.create(), approval=approval)
    assert reply.error == (500, f"lintApproval error: {description}")


def test_same_dingtalk_user_in_two_nodes(zadig: Visitor) -> None:
    node = {"approve_users": [{"id": "1", "name": "Ann"}], "type": "OR"}
    approval = {
        "enabled": True,
        "type": "dingtalk",
        "dingtalk_approval": {"approval_nodes": [node, node]},
    }
    assert zadig.update(zadig.create(), approval=approval).error[1] == (
        "lintApproval error: Duplicate approvers Ann should not appear "
        "in a complete approval process"
    )


@pytest.mark.parametrize(
    "approval",
    [
        {"enabled": False, "type": "pigeon"},
        {"enabled": True, "type": "workwx"},
        native(needed=0),
        native(by_uid("nobody at all")),
        native(by_uid(PATRICK), by_uid(PATRICK), needed=2),
        native({"type": "group", "group_id": "approvers"}, needed=2),
    ],
)
def test_what_passes_the_check(zadig: Visitor, approval: dict[str, object]) -> None:
    assert zadig.update(zadig.create(), approval=approval).status == 200


def test_null_approver_crashes_the_handler(zadig: Visitor) -> None:
    reply = zadig.update(zadig.create(), approval=native(None))
    assert (reply.status, reply.body) == (500, b"")


def test_lark_needs_its_object_even_when_disabled(zadig: Visitor) -> None:
    reply = zadig.update(zadig.create(), approval={"enabled": False, "type": "lark"})
    assert reply.error == (500, "createLarkApprovalDefinition error: lark approval is nil")


def test_approval_is_stored_verbatim_with_its_execution_state(zadig: Visitor) -> None:
    sent = native({**by_uid(PATRICK), "reject_or_approve": "approve", "operation_time": 3})
    plan = zadig.create(approval={**sent, "status": "passed", "start_time": 4})
    stored = zadig.get(plan)["approval"]
    assert (stored["status"], stored["start_time"]) == ("passed", 4)
    assert stored["native_approval"]["approve_users"] == [
        {
            "type": "user",
            "user_id": PATRICK,
            "reject_or_approve": "approve",
            "operation_time": 3,
        }
    ]


def test_sent_status_bypasses_the_approval(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan, approval={**native(by_uid(PATRICK)), "status": "passed"}, jobs=[TEXT])
    assert zadig.move(plan, "finish_planning", "executing").status == 200


def test_vote_needs_a_plan_that_waits(zadig: Visitor) -> None:
    plan = zadig.create(approval=native(by_uid(PATRICK)))
    assert vote(zadig, plan, "patrick") == (500, "plan status is planning, can not approve")


def test_vote_needs_a_native_approval(zadig: Visitor) -> None:
    plan = waiting(zadig, {"enabled": True, "type": "workwx", "workwx_approval": {}})
    expected = (500, "plan approval is nil or not native approval")
    assert vote(zadig, plan, "patrick") == expected


def test_only_listed_people_vote_administrators_included(zadig: Visitor) -> None:
    plan = waiting(zadig, native(by_uid(PATRICK)))
    expected = (500, "do approval: user admin has no authority to Approve")
    assert vote(zadig, plan, "admin") == expected


def test_second_vote_is_refused(zadig: Visitor) -> None:
    plan = waiting(zadig, native(by_uid(PATRICK), by_uid(ALICE), needed=2))
    vote(zadig, plan, "patrick")
    expected = (500, "do approval: Patrick have approve already")
    assert vote(zadig, plan, "patrick") == expected


def test_first_vote_flattens_groups(zadig: Visitor) -> None:
    plan = waiting(zadig, native({"type": "group", "group_id": "approvers"}, needed=2))
    vote(zadig, plan, "patrick")
    first, second = zadig.get(plan)["approval"]["native_approval"]["approve_users"]
    assert (first["user_id"], first["reject_or_approve"]) == (PATRICK, "approve")
    assert (first["comment"], first["operation_time"]) == ("by patrick", MOMENT)
    assert (second["user_id"], "reject_or_approve" in second) == (ALICE, False)
    assert zadig.get(plan)["status"] == "wait_for_approval"


def test_enough_votes_start_execution(zadig: Visitor) -> None:
    plan = waiting(zadig, native(by_uid(PATRICK), by_uid(ALICE), needed=2))
    vote(zadig, plan, "patrick")
    vote(zadig, plan, "alice")
    read = zadig.get(plan)
    assert (read["status"], read["approval"]["status"]) == ("executing", "passed")
    assert (read["approval_time"], read["executing_time"]) == (MOMENT, MOMENT)
    assert read["jobs"][0]["status"] == "todo"


def test_one_rejection_denies(zadig: Visitor) -> None:
    plan = waiting(zadig, native(by_uid(PATRICK), by_uid(ALICE)))
    vote(zadig, plan, "alice", approve=False)
    read = zadig.get(plan)
    assert (read["status"], read["approval"]["status"]) == ("denied", "reject")


def test_native_approval_never_times_out(zadig: Visitor) -> None:
    plan = waiting(zadig, native(by_uid(PATRICK)))
    zadig.sandbox.clock.advance(10**7)
    zadig.sandbox.tick()
    assert vote(zadig, plan, "patrick") == (200, '{"message":"success"}')


def test_asking_again_clears_votes(zadig: Visitor) -> None:
    plan = waiting(zadig, native(by_uid(PATRICK), by_uid(ALICE), needed=2))
    vote(zadig, plan, "patrick")
    zadig.move(plan, "planning", "finish_planning", "wait_for_approval")
    assert vote(zadig, plan, "patrick") == (200, '{"message":"success"}')


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("passed", "executing"), ("reject", "denied"), ("cancelled", "wait_for_approval")],
)
def test_approvals_elsewhere_are_polled(zadig: Visitor, outcome: str, status: str) -> None:
    plan = waiting(zadig, {"enabled": True, "type": "workwx", "workwx_approval": {}})
    zadig.sandbox.decide(plan, outcome)
    read = zadig.get(plan)
    assert (read["status"], read["approval"]["status"]) == (status, outcome)


def test_names_are_stored_as_they_are_sent(zadig: Visitor) -> None:
    users = [
        {"type": "user", "user_id": PATRICK, "user_name": "Somebody else"},
        {"type": "group", "group_id": "approvers", "group_name": "Not their name"},
    ]
    plan = zadig.create(approval=native(*users))
    assert zadig.get(plan)["approval"]["native_approval"]["approve_users"] == users


def test_expanded_approvers_that_are_sent_are_ignored(zadig: Visitor) -> None:
    approval = native(by_uid(PATRICK))
    inner = {"needed_approvers": 1, "approve_users": [by_uid(PATRICK)]}
    sent = {**approval, "native_approval": {**inner, "flat_approve_users": [by_uid(ALICE)]}}
    plan = zadig.create(approval=sent)
    assert zadig.get(plan)["approval"]["native_approval"]["flat_approve_users"] == []
    stored = zadig.sandbox.plan(plan)["approval"]["native_approval"]
    assert stored["flat_approve_users"] == []
