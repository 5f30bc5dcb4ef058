"""What a server keeps in another form than it was sent is nobody's change, whatever git does."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from planops.backends.exchange import Request, Response
from planops.core.changes import Cause
from planops.core.decide import Drift
from planops.core.model import JSON, Manage, Plan
from planops.core.report import Outcome, TargetReport
from planops.run import Target
from run.ledgers import MemoryLedger, MovingClock, kept
from run.world import Through, World, applied, asked, guards, look, plan, text


class AsHtml(Through):
    """A server that keeps the words of a plan, and of its second job, as HTML."""

    def write(self, request: Request) -> Response:
        body: Any = copy.deepcopy(request.body)
        if isinstance(body, dict):
            words = [job["spec"] for job in body.get("jobs", ()) if job["name"] == "B"]
            for held, name in [*((each, "content") for each in words), (body, "description")]:
                if held.get(name):
                    held[name] = f"<p>{held[name]}</p>"
        return super().write(replace(request, body=body))


@pytest.fixture
def target(newest: World) -> Target:
    return kept(newest.target(by_name=False, through=AsHtml), MemoryLedger(), MovingClock())


def causes(target: Target, wanted: Plan) -> dict[str, Cause]:
    (change,) = look(target, [wanted], asked())[1].changes
    return {delta.path: delta.cause for delta in change.deltas}


def outcome(report: TargetReport) -> Outcome:
    return report.changes[0].outcome


def test_an_edit_in_git_of_what_is_kept_otherwise_is_no_conflict(
    newest: World, target: Target
) -> None:
    assert outcome(applied(target, [plan(description="one", jobs=[text()])])) is Outcome.APPLIED
    assert causes(target, plan(description="two", jobs=[text()])) == {
        "/spec/description": Cause.EDIT
    }
    assert outcome(applied(target, [plan(description="two", jobs=[text()])])) is Outcome.APPLIED
    assert newest.named("train")[0]["description"] == "<p>two</p>"
    assert outcome(applied(target, [plan(description="two", jobs=[text()])])) is Outcome.UNCHANGED


def test_what_somebody_changed_of_it_is_still_a_conflict(newest: World, target: Target) -> None:
    id_ = applied(target, [plan(description="one", jobs=[text()])]).changes[0].id or ""
    newest.sandbox.edit(id_, {"description": "<p>theirs</p>"})
    report = applied(target, [plan(description="two", jobs=[text()])])
    assert guards(report.changes[0]) == {"conflict"}


def test_drift_that_is_left_beside_it_leaves_it_alone(newest: World, target: Target) -> None:
    """Both are in one list of jobs: of one the older echo counts, of the other the newer."""

    def wanted(words: str) -> Plan:
        return plan(jobs=[text("A"), text("B", content=words)], state="finish_planning")

    id_ = applied(target, [wanted("one")]).changes[0].id or ""
    newest.sandbox.edit(id_, lambda held: held["jobs"][0]["spec"].update(content="theirs"))
    assert outcome(applied(target, [wanted("two")])) is Outcome.APPLIED
    assert causes(target, wanted("two")) == {"/spec/jobs/text:A/spec/content": Cause.DRIFT}


def test_what_a_new_plan_keeps_otherwise_is_said_once_and_written_once(
    newest: World, target: Target
) -> None:
    """Also where one call makes the whole of it."""
    wanted = plan(description="one")
    report = applied(target, [wanted])
    assert (outcome(report), report.changes[0].notices) == (
        Outcome.APPLIED,
        ("the server kept something else in /spec/description; that is recorded",),
    )
    assert outcome(applied(target, [wanted])) is Outcome.UNCHANGED
    assert len(newest.sandbox.writes) == 1


@pytest.mark.parametrize("drift", list(Drift))
@pytest.mark.parametrize("meanwhile", ["nothing", "the file is protected"])
def test_what_a_vote_made_of_a_group_is_nothing_that_the_server_keeps(
    newest: World, meanwhile: str, drift: Drift
) -> None:
    """What could not be compared when the record was written is compared later all the same."""
    target = kept(newest.target(by_name=False), MemoryLedger(), MovingClock())
    target = replace(target, drift=drift)
    users: list[JSON] = [{"type": "group", "group_id": "approvers", "group_name": "Approvers"}]
    native: JSON = {"needed_approvers": 1, "approve_users": users}
    asks: JSON = {"enabled": True, "type": "native", "native_approval": native}
    file = plan(state="wait_for_approval", jobs=[text()], approval=asks)
    id_ = applied(target, [file]).changes[0].id or ""
    vote = newest.visitor.inside(f"POST /{id_}/approve", {"approve": False}, who="alice")
    assert vote.status == 200
    if meanwhile != "nothing":
        file = replace(file, manage=Manage(protect=True))
        assert outcome(applied(target, [file])) is Outcome.PARKED
    assert outcome(applied(target, [file], asked(reopen=1, weaken=1))) is Outcome.APPLIED
    (held,) = newest.named("train")
    asked_now = held["approval"]["native_approval"]["approve_users"]
    assert (held["status"], [user["type"] for user in asked_now]) == (
        "wait_for_approval",
        ["group"],
    )
