"""Who the token is, who the files name, and what cannot be looked up."""

from __future__ import annotations

from typing import Any

import pytest

from planops.core.changes import Cause
from planops.core.model import JSON
from planops.core.report import Outcome, StepResult
from planops.errors import Garbled
from planops.sandbox.zadig import Fault, User
from run.world import (
    ALICE,
    OPEN,
    PATRICK,
    UIDS,
    World,
    applied,
    apply_one,
    asked,
    guards,
    jwt,
    look,
    native,
    outcomes,
    plan,
    text,
    why,
)

WALK = plan(jobs=[text()], state="finish_planning")


def by_id(*accounts: str) -> JSON:
    users: list[JSON] = [{"user_id": UIDS[one]} for one in accounts]
    return {
        "enabled": True,
        "type": "native",
        "native_approval": {"needed_approvers": 1, "approve_users": users},
    }


def token(zadig: World, account: str) -> str:
    return zadig.sandbox.issue_token(account, jwt(account))


def test_a_token_of_somebody_else_is_refused_up_front(zadig: World) -> None:
    zadig.plant()
    report = apply_one(zadig.target(token=token(zadig, "alice")), WALK)
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"identity"})
    assert f"only its manager ({UIDS['patrick']}) or an administrator" in why(report)
    assert f"the token belongs to {UIDS['alice']}" in why(report)
    assert zadig.writes() == []


@pytest.mark.parametrize("account", ["patrick", "admin"])
def test_the_manager_and_an_administrator_may(zadig: World, account: str) -> None:
    zadig.plant()
    assert apply_one(zadig.target(token=token(zadig, account)), WALK).outcome is Outcome.APPLIED


def test_somebody_else_may_edit(zadig: World) -> None:
    zadig.plant()
    target = zadig.target(token=token(zadig, "alice"))
    assert apply_one(target, plan(description="new")).outcome is Outcome.APPLIED


def test_an_edit_that_must_be_led_back_needs_the_right_too(zadig: World) -> None:
    zadig.plant(status="finish_planning")
    report = apply_one(zadig.target(token=token(zadig, "alice")), plan(description="new"))
    assert (guards(report), zadig.writes()) == ({"identity"}, [])


def test_an_opaque_token_of_somebody_else_fails_clearly(zadig: World) -> None:
    zadig.plant()
    zadig.plant("other")
    report = applied(zadig.target(token=ALICE), [WALK, plan("other", description="new")])
    assert outcomes(report) == {"train": Outcome.FAILED, "other": Outcome.APPLIED}
    failed = report.changes[1]
    assert failed.results == (StepResult.FAILED,)
    assert "only manager can update plan status" in failed.error
    assert "only the plan's manager or an administrator" in failed.error


def test_a_token_of_somebody_else_makes_a_plan_and_then_fails_clearly(zadig: World) -> None:
    """Before there is a plan nobody can say whose it will be: that needs the right to look up."""
    target = zadig.target(token=token(zadig, "alice"))
    report = apply_one(target, WALK)
    assert report.results == (StepResult.DONE, StepResult.DONE, StepResult.FAILED)
    assert "only manager can update plan status" in report.error
    assert guards(apply_one(target, WALK)) == {"identity"}
    assert len(zadig.sandbox.plans()) == 1


def test_a_token_without_rights_fails_clearly(zadig: World) -> None:
    zadig.plant()
    bob = zadig.target(token="sandbox-bob-token")
    report = applied(bob, [plan(description="new"), plan("new")])
    assert set(outcomes(report).values()) == {Outcome.FAILED}
    assert all("the token lacks the right (403)" in one.error for one in report.changes)


@pytest.mark.parametrize("role", ["manager", "approver"])
@pytest.mark.parametrize("count", [0, 2])
def test_an_account_of_nobody_or_of_several(zadig: World, role: str, count: int) -> None:
    for number in range(count):
        uid = f"00000000-0000-0000-0000-00000000000{number}"
        zadig.sandbox.add_user(User(uid=uid, account="Carol" if number else "carol", name="C"))
    spec: dict[str, Any] = {"manager": "carol"}
    if role == "approver":
        spec = {"approval": native("carol")}
    zadig.plant()
    for name in ("train", "new"):
        report = apply_one(zadig.target(), plan(name, **spec))
        assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"identity"})
        how_many = f"{count} users of the server have" if count else "nobody on the server has"
        assert f"{how_many} the account carol, named as {role}" in why(report)
    assert zadig.writes() == []


def test_a_name_that_is_not_the_ids(zadig: World) -> None:
    users: list[JSON] = [{"user_id": UIDS["alice"], "user_name": "patrick"}]
    approval: JSON = {
        "enabled": True,
        "type": "native",
        "native_approval": {"needed_approvers": 1, "approve_users": users},
    }
    report = apply_one(zadig.target(), plan(approval=approval))
    assert guards(report) == {"identity"}
    assert f"the account patrick has the id {UIDS['patrick']}, not {UIDS['alice']}" in why(report)


def test_an_account_and_an_id_are_the_same_approver(zadig: World) -> None:
    assert apply_one(zadig.target(), plan(approval=native("alice"))).outcome is Outcome.APPLIED
    assert apply_one(zadig.target(), plan(approval=by_id("alice"))).outcome is Outcome.UNCHANGED
    held = zadig.named("train")[0]["approval"]["native_approval"]["approve_users"]
    assert [(one["user_id"], one["user_name"]) for one in held] == [(UIDS["alice"], "Alice")]


# --------------------------------------------------------------------- without the right to look


def test_without_the_right_managers_are_told_apart_by_spelling(zadig: World) -> None:
    zadig.plant(manager="Patrick")
    zadig.plant("other", manager="bob", manager_id=UIDS["bob"])
    report = applied(zadig.target(token=PATRICK), [plan(), plan("other", manager="BOB")])
    assert set(outcomes(report).values()) == {Outcome.UNCHANGED}
    assert all(one.change.deltas == () for one in report.changes)


def test_without_the_right_another_spelling_is_shown_and_not_written(zadig: World) -> None:
    zadig.plant(manager="Patrick the Second")
    report = apply_one(zadig.target(token=PATRICK), plan())
    assert (report.outcome, zadig.writes()) == (Outcome.UNCHANGED, [])
    (delta,) = report.change.deltas
    assert (delta.path, delta.cause) == ("/spec/manager", Cause.UNKNOWN)
    assert "may not look up users" in delta.note


def test_without_the_right_an_edit_is_written_once(zadig: World) -> None:
    zadig.plant(manager="Patrick the Second")
    target, file = zadig.target(token=PATRICK), plan(description="new")
    assert apply_one(target, file).outcome is Outcome.APPLIED
    assert zadig.writes()[0][2]["manager"] == "patrick"
    assert apply_one(target, file).outcome is Outcome.UNCHANGED
    assert len(zadig.writes()) == 1


def test_without_the_right_approvers_are_declared_by_id(zadig: World) -> None:
    target = zadig.target(token=PATRICK)
    report = apply_one(target, plan(approval=native("alice")))
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"identity"})
    assert "declare user_id instead of account" in why(report)
    assert "alice" in why(report)
    assert zadig.writes() == []
    assert apply_one(target, plan(approval=by_id("alice"))).outcome is Outcome.APPLIED
    assert apply_one(target, plan(approval=by_id("alice"))).outcome is Outcome.UNCHANGED


def test_the_right_is_asked_for_once(zadig: World) -> None:
    look(zadig.target(token=PATRICK), [plan(manager=one) for one in UIDS], asked())
    asked_for = [one.path for one in zadig.sandbox.received if "/users" in one.path]
    assert len(asked_for) == 2  # the second time because a 403 can be passing


def test_each_account_is_looked_up_once(zadig: World) -> None:
    files = [plan(f"p{n}", approval=native("alice", "bob"), manager="alice") for n in range(5)]
    look(zadig.target(concurrency=4), files, asked())
    paths = sorted(one.path for one in zadig.sandbox.received if "/users" in one.path)
    assert paths == ["/openapi/users?account=alice", "/openapi/users?account=bob"]


def test_a_user_service_that_is_away_is_no_lack_of_right(zadig: World) -> None:
    """One 403 passes (docs/servers/zadig.md §10.3)."""
    zadig.sandbox.faults.add(Fault("status-before", path="users", status=403))
    assert apply_one(zadig.target(), plan(approval=native("alice"))).outcome is Outcome.APPLIED


@pytest.mark.parametrize("body", [b"{}", b'{"users":null}', b'{"users":"x"}'])
def test_a_look_up_that_answers_otherwise(zadig: World, body: bytes) -> None:
    zadig.sandbox.faults.add(Fault("status-before", path="users", status=200, body=body))
    with pytest.raises(Garbled, match="holds no list of users"):
        look(zadig.target(), [plan()], asked())


def test_a_manager_of_another_identity_type(zadig: World) -> None:
    uid = "00000000-0000-0000-0000-0000000000aa"
    zadig.sandbox.add_user(User(uid=uid, account="patrick", name="P", identity_type="ldap"))
    file = plan(manager_identity_type="ldap")
    assert apply_one(zadig.target(), file).outcome is Outcome.APPLIED
    assert zadig.named("train")[0]["manager_id"] == uid
    assert apply_one(zadig.target(), file).outcome is Outcome.UNCHANGED
    assert apply_one(zadig.target(), plan()).outcome is Outcome.APPLIED
    assert zadig.named("train")[0]["manager_id"] == UIDS["patrick"]
    assert {path for _, path, _ in zadig.writes()} == {
        OPEN,
        f"{OPEN}/{zadig.named('train')[0]['id']}",
    }
