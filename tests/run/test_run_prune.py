"""Plans whose file is gone: forgotten, left, or deleted where all that must agree does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from planops import reconcile
from planops.backends.exchange import Request, Response, Transport
from planops.core.changes import ChangeKind
from planops.core.guards import Limits
from planops.core.model import Plan
from planops.core.report import Outcome, StepResult, TargetReport
from planops.errors import NotAllowed
from planops.run import Run, Target
from planops.sandbox.faults import Fault
from run import brpm_world
from run.ledgers import MemoryLedger, MovingClock, kept
from run.world import Through, World, applied, asked, guards, look, outcomes, plan, text, why

PRUNE = replace(asked(), prune=True, unproven=lambda _: "")
OTHER = plan("other", jobs=[text()])


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


def on(zadig: World, ledger: MemoryLedger, **more: Any) -> Target:
    return kept(zadig.target(by_name=False, **more), ledger, MovingClock())


def made(target: Target, *more: Plan, **how: Any) -> None:
    """Apply a plan, and others, whose file goes after that."""
    applied(target, [plan(jobs=[text()], **how), OTHER, *more])


def pruned(target: Target, run: Run = PRUNE, files: tuple[Plan, ...] = (OTHER,)) -> TargetReport:
    return applied(target, files, run)


def test_a_plan_whose_file_is_gone_is_deleted(zadig: World, ledger: MemoryLedger) -> None:
    target = on(zadig, ledger)
    made(target)
    (id_,) = (one["id"] for one in zadig.named("train"))
    since = len(zadig.sandbox.writes)
    report = pruned(target)
    assert outcomes(report) == {"other": Outcome.UNCHANGED, "train": Outcome.APPLIED}
    assert zadig.writes(since) == [("DELETE", f"/api/aslan/release_plan/v1/{id_}", None)]
    assert ledger.load().records.keys() == {"other"}
    assert (ledger.load().intents, ledger.load().lease) == ({}, None)


def test_without_being_asked_it_stays_and_that_is_said(zadig: World, ledger: MemoryLedger) -> None:
    target = on(zadig, ledger)
    made(target)
    before = list(ledger.history)
    (change,) = (c for c in pruned(target, asked()).changes if c.change.key.name == "train")
    assert (change.outcome, change.change.kind) == (Outcome.UNCHANGED, ChangeKind.UNCHANGED)
    assert change.change.notices == (
        "plans/train.yaml is gone, and the plan stays; --prune deletes it",
    )
    assert zadig.named("train")
    assert ledger.history == before


def test_a_part_of_the_files_says_nothing_of_the_others(zadig: World, ledger: MemoryLedger) -> None:
    target = on(zadig, ledger)
    made(target)
    assert outcomes(pruned(target, replace(PRUNE, selected=True))) == {"other": Outcome.UNCHANGED}
    assert zadig.named("train")


STATES = {
    "wait_for_approval": "people or jobs are at work; stop it there first",
    "executing": "people or jobs are at work; stop it there first",
    "wait_for_execute_external_check": "people or jobs are at work; stop it there first",
    "invented": "planops does not know the state invented, so it does not delete the plan",
}


@pytest.mark.parametrize("state", STATES)
def test_a_plan_that_somebody_works_on_is_not_deleted(
    zadig: World, ledger: MemoryLedger, state: str
) -> None:
    target = on(zadig, ledger)
    made(target)
    zadig.sandbox.edit(zadig.named("train")[0]["id"], {"status": state})
    report = pruned(target)
    assert outcomes(report)["train"] is Outcome.REFUSED
    assert STATES[state] in why(report.changes[1])
    assert zadig.named("train")
    assert "train" in ledger.load().records


@pytest.mark.parametrize("state", ["success", "cancel"])
@pytest.mark.parametrize("run", [PRUNE, asked()], ids=["prune", "plain"])
def test_a_plan_that_is_over_is_forgotten(
    zadig: World, ledger: MemoryLedger, state: str, run: Run
) -> None:
    target = on(zadig, ledger)
    made(target)
    zadig.sandbox.edit(zadig.named("train")[0]["id"], {"status": state})
    since = len(zadig.sandbox.writes)
    report = pruned(target, run)
    assert report.changes[1].change.kind is ChangeKind.FORGET
    assert len(zadig.sandbox.writes) == since
    assert zadig.named("train")
    assert ledger.load().records.keys() == {"other"}
    assert outcomes(pruned(target, run)) == {"other": Outcome.UNCHANGED}


def test_a_plan_that_is_gone_is_forgotten(zadig: World, ledger: MemoryLedger) -> None:
    target = on(zadig, ledger)
    made(target)
    zadig.sandbox.remove_plan(zadig.named("train")[0]["id"])
    assert pruned(target, asked()).changes[1].change.kind is ChangeKind.FORGET
    assert ledger.load().records.keys() == {"other"}


def test_protection_outlives_the_file(zadig: World, ledger: MemoryLedger) -> None:
    target = on(zadig, ledger)
    wanted = plan(jobs=[text()])
    applied(target, [replace(wanted, manage=replace(wanted.manage, protect=True)), OTHER])
    report = pruned(target)
    assert guards(report.changes[1]) == {"protected"}
    assert zadig.named("train")
    report = pruned(target, replace(PRUNE, allow={"protected": None}))
    assert outcomes(report)["train"] is Outcome.APPLIED
    assert not zadig.named("train")


def test_the_ledger_alone_authorises_nothing(zadig: World, ledger: MemoryLedger) -> None:
    target = on(zadig, ledger)
    made(target)
    report = pruned(target, replace(asked(), prune=True, unproven=Run(now=0).unproven))
    assert guards(report.changes[1]) == {"prune"}
    assert "git does not prove that a file declared it: git was not asked" in why(report.changes[1])
    assert zadig.named("train")


MANY = [plan(f"p{number}", jobs=[text()]) for number in range(4)]


@pytest.mark.parametrize(
    ("allow", "left"), [({}, 5), ({"delete": None}, 5), ({"delete": 4}, 5), ({"delete": 5}, 0)]
)
def test_more_deletions_than_the_limit_are_none(
    zadig: World, ledger: MemoryLedger, allow: dict[str, int | None], left: int
) -> None:
    target = on(zadig, ledger, limits=Limits(floor=1000, delete=3))
    made(target, *MANY)
    report = pruned(target, replace(PRUNE, allow=allow))
    assert len(zadig.sandbox.plans()) == left + 1
    if left:
        assert guards(report.changes[1]) == {"delete"}
        assert "5 plans would be deleted; the limit is" in why(report.changes[1])
        assert report.changes[1].change.refusals[0].lift == "--allow delete=5"


def test_a_name_that_a_deletion_frees_is_taken_in_the_same_run(
    zadig: World, ledger: MemoryLedger
) -> None:
    target = on(zadig, ledger)
    made(target)
    (old,) = (one["id"] for one in zadig.named("train"))
    heir = plan("heir", jobs=[text(content="new")])
    heir = replace(heir, spec=heir.spec | {"name": "train"})
    report = pruned(target, PRUNE, (OTHER, heir))
    assert outcomes(report) == dict.fromkeys(("heir", "train"), Outcome.APPLIED) | {
        "other": Outcome.UNCHANGED
    }
    (new,) = (one["id"] for one in zadig.named("train"))
    assert new != old
    assert {key: one.id for key, one in ledger.load().records.items()}["heir"] == new


def test_a_name_that_is_not_freed_after_all_is_not_taken(
    zadig: World, ledger: MemoryLedger
) -> None:
    """The deletion fails; the plan that wanted the name is not made beside it."""
    target = on(zadig, ledger)
    made(target)
    heir = plan("heir", jobs=[text()])
    heir = replace(heir, spec=heir.spec | {"name": "train"})
    sight, changes = look(target, [OTHER, heir], PRUNE)
    zadig.sandbox.edit(zadig.named("train")[0]["id"], {"description": "theirs"})
    report = reconcile.apply(target, sight, changes, PRUNE)
    assert outcomes(report)["train"] is outcomes(report)["heir"] is Outcome.STALE
    assert len(zadig.named("train")) == 1


def test_what_was_edited_since_it_was_shown_is_not_deleted(
    zadig: World, ledger: MemoryLedger
) -> None:
    target = on(zadig, ledger)
    made(target)
    sight, changes = look(target, [OTHER], PRUNE)
    zadig.sandbox.edit(zadig.named("train")[0]["id"], {"description": "theirs"}, "Bob")
    report = reconcile.apply(target, sight, changes, PRUNE)
    assert outcomes(report)["train"] is Outcome.STALE
    assert "last changed by Bob" in report.changes[1].error
    assert zadig.named("train")


def test_what_somebody_deleted_since_is_stale_and_then_forgotten(
    zadig: World, ledger: MemoryLedger
) -> None:
    target = on(zadig, ledger)
    made(target)
    sight, changes = look(target, [OTHER], PRUNE)
    zadig.sandbox.remove_plan(zadig.named("train")[0]["id"])
    report = reconcile.apply(target, sight, changes, PRUNE)
    assert outcomes(report)["train"] is Outcome.STALE
    pruned(target)
    assert ledger.load().records.keys() == {"other"}


def test_a_token_that_may_not_look_decides_nothing(zadig: World, ledger: MemoryLedger) -> None:
    """A plan that no list shows and that cannot be read is neither gone nor deleted."""
    target = on(zadig, ledger)
    made(target)
    record = ledger.load().records["train"]
    zadig.sandbox.remove_plan(record.id)
    report = pruned(on(zadig, ledger, through=lambda inner: Unreadable(inner, record.id)))
    assert report.changes[1].outcome is Outcome.FAILED
    assert "train" in ledger.load().records


class Unreadable(Through):
    """Refuses to show one plan."""

    def __init__(self, inner: Transport, id_: str) -> None:
        super().__init__(inner)
        self.id = id_

    def read(self, request: Request) -> Response:
        if request.path.endswith(self.id):
            raise NotAllowed(f"GET {request.path}: 403")
        return super().read(request)


@pytest.fixture
def brpm() -> Iterator[brpm_world.World]:
    with brpm_world.world() as found:
        yield found


@pytest.mark.parametrize(
    ("state", "events"), [("created", 0), ("planned", 1)], ids=["created", "planned"]
)
def test_brpm_cancels_where_the_state_needs_it(
    brpm: brpm_world.World, ledger: MemoryLedger, state: str, events: int
) -> None:
    target = kept(brpm.target(by_name=False), ledger, MovingClock())
    other = brpm_world.plan("other")
    applied(target, [brpm_world.plan(state=state), other])
    since = len(brpm.sandbox.writes)
    report = applied(target, [other], PRUNE)
    assert outcomes(report)["train"] is Outcome.APPLIED
    assert report.changes[1].results == (StepResult.DONE,) * (events + 1)
    assert [one.method for one in brpm.sandbox.writes[since:]] == ["PUT"] * events + ["DELETE"]
    assert not [one for one in brpm.sandbox.plans() if one["name"] == "train"]
    assert ledger.load().records.keys() == {"other"}


@pytest.mark.parametrize("state", ["started", "hold", "locked"])
def test_brpm_at_work_is_not_deleted(
    brpm: brpm_world.World, ledger: MemoryLedger, state: str
) -> None:
    target = kept(brpm.target(by_name=False), ledger, MovingClock())
    other = brpm_world.plan("other")
    applied(target, [brpm_world.plan(), other])
    (train,) = (one for one in brpm.sandbox.plans() if one["name"] == "train")
    brpm.sandbox.edit(train["id"], {"aasm_state": state})
    assert guards(applied(target, [other], PRUNE).changes[1]) == {"at-work"}


@pytest.mark.parametrize("state", ["complete", "archived", "cancelled"])
def test_brpm_that_is_over_is_forgotten(
    brpm: brpm_world.World, ledger: MemoryLedger, state: str
) -> None:
    target = kept(brpm.target(by_name=False), ledger, MovingClock())
    other = brpm_world.plan("other")
    applied(target, [brpm_world.plan(), other])
    (train,) = (one for one in brpm.sandbox.plans() if one["name"] == "train")
    brpm.sandbox.edit(train["id"], {"aasm_state": state})
    since = len(brpm.sandbox.writes)
    assert applied(target, [other], PRUNE).changes[1].change.kind is ChangeKind.FORGET
    assert len(brpm.sandbox.writes) == since


def test_what_a_run_cancelled_to_delete_it_is_not_forgotten_before_it_is_deleted(
    brpm: brpm_world.World, ledger: MemoryLedger
) -> None:
    target = kept(brpm.target(by_name=False), ledger, MovingClock())
    other = brpm_world.plan("other")
    applied(target, [brpm_world.plan(state="planned"), other])
    brpm.sandbox.faults.add(Fault("status-before", method="DELETE", status=403))
    report = applied(target, [other], PRUNE)
    assert outcomes(report)["train"] is Outcome.FAILED
    assert report.changes[1].results == (StepResult.DONE, StepResult.FAILED)
    since = len(brpm.sandbox.writes)
    report = applied(target, [other], replace(PRUNE, prune=False))
    assert guards(report.changes[1]) == {"prune"}
    assert "which is in cancelled; --prune goes on" in why(report.changes[1])
    assert len(brpm.sandbox.writes) == since
    assert ledger.load().records.keys() == {"other", "train"}
    report = applied(target, [other], PRUNE)
    assert outcomes(report)["train"] is Outcome.APPLIED
    assert not [one for one in brpm.sandbox.plans() if one["name"] == "train"]
    assert ledger.load().records.keys() == {"other"}
    assert not ledger.load().intents
