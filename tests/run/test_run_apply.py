"""Apply: stale ground, other people, interrupts, bugs of our own, and applying twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from planops import reconcile
from planops.backends.exchange import Request, Response, Transport
from planops.core.changes import Step, StepKind
from planops.core.decide import Desired, Proposal, Rules
from planops.core.drafts import Draft
from planops.core.guards import Limits
from planops.core.lifecycle import Edge, Lifecycle, Move
from planops.core.model import ABSENT, JSON, Live, Plan, Value
from planops.core.report import ExitCode, Outcome, Report, StepResult, TargetReport, exit_code
from planops.core.shape import Shape
from planops.manifests.load import load_config, load_plans
from planops.ports import NOTHING, Backend, Inventory, Specs
from planops.run import Run, Target
from planops.sandbox.zadig import Fault, Generation
from run.world import (
    NOW,
    OPEN,
    UIDS,
    Through,
    World,
    applied,
    apply_one,
    asked,
    held_text,
    look,
    native,
    outcomes,
    plan,
    text,
    world,
)

EXAMPLES = Path(__file__).parents[2] / "examples"


# ------------------------------------------------------------------------------------ twice


@pytest.mark.parametrize("generation", ["4.1", "5.0"])
def test_the_examples_are_applied_once(generation: Generation) -> None:
    config = load_config(EXAMPLES / "planops.yaml")
    loaded = load_plans(EXAMPLES, config, targets=["zadig-sandbox"])
    assert loaded.problems == ()
    with world(generation) as zadig:
        target = zadig.target()
        report = applied(target, loaded.plans)
        assert set(outcomes(report).values()) == {Outcome.APPLIED}
        since = len(zadig.writes())
        report = applied(target, loaded.plans)
        assert set(outcomes(report).values()) <= {Outcome.UNCHANGED, Outcome.PARKED}
        assert zadig.writes(since) == []
        assert all(one.change.deltas == () for one in report.changes)
        assert len(zadig.sandbox.plans()) == len(loaded.plans)


def test_variables_that_v4_1_overlooks_fail_with_what_to_do() -> None:
    spec: JSON = {"workflow_key": "deploy", "parameters": [{"name": "version", "value": "4.2"}]}
    with world("4.1") as zadig:
        job: JSON = {"name": "Deploy", "type": "workflow", "spec": spec}
        report = apply_one(zadig.target(), plan(jobs=[job]))
        assert report.outcome is Outcome.FAILED
        assert "keeps something else in /spec/jobs/workflow:Deploy/spec/parameters" in report.error
        assert set(report.results) == {StepResult.DONE}


# ------------------------------------------------------------------------------- other people


EDITS: dict[str, dict[str, Any]] = {
    "an undeclared field": {"end_time": NOW + 9},
    "a declared field": {"description": "theirs"},
    "the state": {"status": "finish_planning"},
    "the jobs": {"jobs": [held_text(), held_text("Another")]},
    "nothing but the version": {},
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_moved_since_it_was_shown_is_stale(zadig: World, edit: str) -> None:
    id_ = zadig.plant()
    target, run = zadig.target(), asked()
    sight, changes = look(target, [plan(description="new")], run)
    change = EDITS[edit]
    zadig.sandbox.faults.add(
        Fault("edit-before", path="get", edit=lambda: zadig.sandbox.edit(id_, change, "Alice"))
    )
    (ended,) = reconcile.apply(target, sight, changes, run).changes
    assert (ended.outcome, ended.results) == (Outcome.STALE, (StepResult.SKIPPED,))
    assert "no longer what was shown" in ended.error
    assert "last changed by Alice" in ended.error
    assert zadig.writes() == []
    assert apply_one(target, plan(description="new")).outcome is Outcome.APPLIED


def test_a_plan_that_is_gone_since_it_was_shown_fails(zadig: World) -> None:
    id_ = zadig.plant()
    target, run = zadig.target(), asked()
    sight, changes = look(target, [plan(description="new"), plan("b")], run)
    zadig.sandbox.remove_plan(id_)
    report = reconcile.apply(target, sight, changes, run)
    assert outcomes(report) == {"train": Outcome.FAILED, "b": Outcome.APPLIED}
    assert "there is no such plan" in report.changes[1].error
    assert report.changes[1].results == (StepResult.SKIPPED,)
    assert zadig.named("train") == []


def at_update(zadig: World, kind: Any, change: dict[str, Any]) -> TargetReport:
    """Somebody's edit lands right before or after our PATCH."""
    target, run = zadig.target(), asked()
    files = [plan(description="new", jobs=[text()], state="finish_planning")]
    id_ = zadig.plant()
    sight, changes = look(target, files, run)
    zadig.sandbox.faults.add(
        Fault(kind, path="update", edit=lambda: zadig.sandbox.edit(id_, change, "Alice"))
    )
    return reconcile.apply(target, sight, changes, run)


def test_a_state_that_changes_before_our_write_is_a_clear_no(zadig: World) -> None:
    (ended,) = at_update(zadig, "edit-before", {"status": "executing"}).changes
    assert (ended.outcome, ended.results) == (
        Outcome.FAILED,
        (StepResult.FAILED, StepResult.SKIPPED),
    )
    assert "the plan's state forbids it: release plan status is" in ended.error
    assert zadig.named("train")[0]["status"] == "executing"


def test_an_edit_that_our_write_overwrote_is_told(newest: World) -> None:
    """Only a server that counts its edits shows this."""
    (ended,) = at_update(newest, "edit-before", {"end_time": NOW + 99}).changes
    told = " ".join((ended.error, *ended.notices))
    assert "somebody else wrote at the same moment" in told


@pytest.mark.parametrize(
    ("change", "outcome", "says", "state"),
    [
        ({"end_time": NOW + 9}, Outcome.APPLIED, "", "finish_planning"),
        ({"status": "finish_planning"}, Outcome.APPLIED, "", "finish_planning"),
        ({"status": "executing"}, Outcome.APPLIED, "", "executing"),
        ({"status": "denied"}, Outcome.PARKED, "", "denied"),
        ({"status": "made_up"}, Outcome.PARKED, "", "made_up"),
        ({"description": "theirs"}, Outcome.STALE, "last changed by", "planning"),
    ],
)
def test_an_edit_between_two_of_our_steps(
    newest: World, change: dict[str, Any], outcome: Outcome, says: str, state: str
) -> None:
    (ended,) = at_update(newest, "edit-after", change).changes
    assert ended.outcome is outcome
    assert says in ended.error
    held = newest.named("train")[0]
    assert held["status"] == state
    assert all(held[name] == value for name, value in change.items())
    went_on = len(newest.writes()) == 2
    assert ended.results[0] is StepResult.DONE
    assert ended.results[1] is (StepResult.DONE if went_on else StepResult.SKIPPED)
    assert went_on is ("end_time" in change)


@pytest.mark.parametrize(
    ("there", "outcome"),
    [("finish_planning", Outcome.APPLIED), ("wait_for_approval", Outcome.FAILED)],
)
def test_somebody_makes_the_transition_that_we_are_about_to_ask_for(
    zadig: World, there: str, outcome: Outcome
) -> None:
    """Being there already is success; being elsewhere is the server's no."""
    id_ = zadig.plant()
    target, run = zadig.target(), asked()
    wanted = plan(jobs=[text()], approval=native("alice"), state="wait_for_approval")
    sight, changes = look(target, [wanted], run)
    zadig.sandbox.faults.add(
        Fault(
            "edit-before",
            path="*/status/finish_planning",
            edit=lambda: zadig.sandbox.edit(id_, {"status": there}),
        )
    )
    (ended,) = reconcile.apply(target, sight, changes, run).changes
    assert ended.outcome is outcome
    assert zadig.named("train")[0]["status"] == "wait_for_approval"
    last = (
        [StepResult.DONE] * 2
        if outcome is Outcome.APPLIED
        else [StepResult.FAILED, StepResult.SKIPPED]
    )
    assert ended.results == (StepResult.DONE, *last)


def test_a_plan_put_back_between_two_of_our_steps_is_stale(zadig: World) -> None:
    target = zadig.target()
    wanted = plan(jobs=[text()], approval=native("alice"), state="wait_for_approval")
    sight, changes = look(target, [wanted], asked())

    def put_back() -> None:
        zadig.sandbox.edit(zadig.named("train")[0]["id"], {"status": "planning"}, "Alice")

    zadig.sandbox.faults.add(Fault("edit-after", path="*/status/finish_planning", edit=put_back))
    (ended,) = reconcile.apply(target, sight, changes, asked()).changes
    assert ended.outcome is Outcome.STALE
    assert "last changed by Alice" in ended.error
    assert ended.results == (*[StepResult.DONE] * 3, StepResult.SKIPPED)
    assert zadig.named("train")[0]["status"] == "planning"


def test_a_plan_that_goes_between_two_of_our_steps_is_not_made_again(zadig: World) -> None:
    target = zadig.target()
    sight, changes = look(target, [plan(jobs=[text()])], asked())

    def remove() -> None:
        zadig.sandbox.remove_plan(zadig.named("train")[0]["id"])

    zadig.sandbox.faults.add(Fault("edit-after", path="create", edit=remove))
    (ended,) = reconcile.apply(target, sight, changes, asked()).changes
    assert ended.outcome is Outcome.FAILED
    assert ended.results == (StepResult.DONE, StepResult.SKIPPED)
    assert len(zadig.writes()) == 1


def test_the_last_write_cannot_be_looked_at(zadig: World) -> None:
    zadig.plant()
    target, run = zadig.target(), asked()
    sight, changes = look(target, [plan(description="new")], run)
    zadig.sandbox.faults.add(Fault("status-before", path="get", nth=2, status=401))
    (ended,) = reconcile.apply(target, sight, changes, run).changes
    assert (ended.outcome, ended.results) == (Outcome.APPLIED, (StepResult.DONE,))
    assert "the last write was accepted, but could not be looked at" in ended.notices[0]


def test_a_file_with_the_old_name_finds_its_plan_no_more(zadig: World) -> None:
    """Without a ledger the name identifies a plan: somebody's renaming makes it another one."""
    id_ = zadig.plant()
    zadig.sandbox.edit(id_, {"name": "renamed"})
    assert apply_one(zadig.target(), plan()).outcome is Outcome.APPLIED
    assert zadig.sandbox.plan(id_)["description"] == ""
    assert len(zadig.sandbox.plans()) == 2


# ------------------------------------------------------------------------ guards of the whole


def test_too_many_changes_at_once_make_none(zadig: World) -> None:
    target = zadig.target(limits=Limits(share=0.5, floor=2))
    files = [plan(name) for name in "abc"]
    report = applied(target, files)
    assert set(outcomes(report).values()) == {Outcome.REFUSED}
    assert [one.lift for one in report.refusals] == ["--allow mass-change=3"]
    assert zadig.sandbox.plans() == ()
    report = applied(target, files, asked(mass_change=3))
    assert set(outcomes(report).values()) == {Outcome.APPLIED}


def test_no_files_at_all_is_told(zadig: World) -> None:
    zadig.plant()
    report = applied(zadig.target(), [])
    assert [one.guard for one in report.refusals] == ["empty"]
    assert (report.live, report.managed, report.changes) == (1, 0, ())
    assert applied(zadig.target(), [], replace(asked(), selected=True)).refusals == ()


# --------------------------------------------------------------------------------- interrupts


class Counting(Through):
    """Sets an event once so many writes have been answered, and counts what begins after."""

    def __init__(self, inner: Transport, writes: int, stop: threading.Event) -> None:
        super().__init__(inner)
        self.left, self.stop, self.late = writes, stop, list[str]()

    def read(self, request: Request) -> Response:
        self._note(request)
        return super().read(request)

    def write(self, request: Request) -> Response:
        self._note(request)
        answer = super().write(request)
        self.left -= 1
        if not self.left:
            self.stop.set()
        return answer

    def _note(self, request: Request) -> None:
        if self.stop.is_set():
            self.late.append(f"{request.method} {request.path}")


@pytest.mark.parametrize("writes", range(1, 8))
def test_an_interrupt_begins_no_further_call(zadig: World, writes: int) -> None:
    ids = {name: zadig.plant(name) for name in ("b", "c")}
    stop, gates = threading.Event(), list[Counting]()

    def gate(inner: Transport) -> Counting:
        gates.append(Counting(inner, writes, stop))
        return gates[0]

    target = zadig.target(through=gate)
    run = replace(asked(), stop=stop)
    files = [
        plan("a", jobs=[text()], state="finish_planning"),
        plan("b", description="new", jobs=[text()], state="finish_planning"),
        plan("c", description="new", jobs=[text()], state="finish_planning"),
    ]
    sight, changes = look(target, files, run)
    report = reconcile.apply(target, sight, changes, run)
    assert len(zadig.writes()) == writes
    made = zadig.writes()[-1][1].split("/")
    busy = next((id_ for id_ in ids.values() if id_ in made), report.changes[0].id)
    assert gates[0].late == [f"GET {OPEN}/{busy}"]
    results = [result for one in report.changes for result in one.results]
    assert results == [StepResult.DONE] * writes + [StepResult.SKIPPED] * (7 - writes)
    done = {"a": 3, "b": 5, "c": 7}
    assert outcomes(report) == {
        name: Outcome.APPLIED if writes >= last else Outcome.SKIPPED for name, last in done.items()
    }
    assert all(
        (one.outcome is Outcome.SKIPPED) == ("interrupted" in one.error) for one in report.changes
    )


def test_an_interrupt_before_the_first_call_makes_none(zadig: World) -> None:
    zadig.plant("b")
    target, run = zadig.target(), asked()
    sight, changes = look(target, [plan("b", description="new")], run)
    seen = len(zadig.sandbox.received)
    run.stop.set()
    report = reconcile.apply(target, sight, changes, run)
    assert outcomes(report) == {"b": Outcome.SKIPPED}
    assert len(zadig.sandbox.received) == seen


# --------------------------------------------------------------------------------------- bugs


@dataclass(frozen=True)
class Broken:
    """A backend with a bug in it, for one plan."""

    inner: Backend
    on_send: Callable[[Step, str | None], None] = lambda _, __: None
    on_read: Callable[[str], None] = lambda _: None
    on_rules: Callable[[Rules], Rules] = lambda rules: rules

    def prepare(
        self, plans: Sequence[Plan], applied: Mapping[str, Specs] = NOTHING
    ) -> tuple[Desired, ...]:
        return self.inner.prepare(plans, applied)

    def describe(self, documents: Sequence[dict[str, JSON]]) -> tuple[Draft, ...]:
        return self.inner.describe(documents)

    @property
    def rules(self) -> Rules:
        return self.on_rules(self.inner.rules)

    def observe(self, names: Iterable[str], ids: Collection[str] = ()) -> Inventory:
        return self.inner.observe(names, ids)

    def read(self, id_: str) -> dict[str, JSON]:
        self.on_read(id_)
        return self.inner.read(id_)

    def send(self, step: Step, id_: str | None) -> str:
        made = self.inner.send(step, id_)
        self.on_send(step, id_)
        return made


class BrokenRules:
    """Rules with a bug: a plan of one description cannot be viewed."""

    def __init__(self, inner: Rules, bad: str) -> None:
        self.inner, self.bad = inner, bad

    @property
    def shape(self) -> Shape:
        return self.inner.shape

    @property
    def lifecycle(self) -> Lifecycle:
        return self.inner.lifecycle

    def view(self, raw: dict[str, JSON], desired: Desired | None, base: Value = ABSENT) -> Live:
        if raw.get("description") == self.bad:
            raise ZeroDivisionError(self.bad)
        return self.inner.view(raw, desired, base)

    def reopened(self, live: Live, desired: Desired, base: Value = ABSENT) -> Live:
        return self.inner.reopened(live, desired, base)

    def empty(self) -> dict[str, JSON]:
        return self.inner.empty()

    def implied(self, spec: dict[str, JSON]) -> frozenset[str]:
        return self.inner.implied(spec)

    def facts(self, spec: dict[str, JSON]) -> frozenset[str]:
        return self.inner.facts(spec)

    def closes_at(self, spec: dict[str, JSON]) -> int:
        return self.inner.closes_at(spec)

    def create(self, desired: Desired, spec: dict[str, JSON]) -> Proposal:
        return self.inner.create(desired, spec)

    def propose(
        self, desired: Desired, live: Live, spec: dict[str, JSON], moves: Sequence[Edge | Move]
    ) -> Proposal:
        return self.inner.propose(desired, live, spec, moves)

    def remove(self, live: Live) -> tuple[Step, ...]:
        return self.inner.remove(live)

    def transition(self, edge: Edge, id_: str) -> Step:
        return self.inner.transition(edge, id_)


def three(zadig: World, broken: Callable[[Target], Target], run: Run) -> TargetReport:
    for name in "abc":
        zadig.plant(name)
    files = [plan(name, description=f"new {name}") for name in "abc"]
    target = broken(zadig.target())
    sight, changes = look(target, files, run)
    return reconcile.apply(target, sight, changes, run)


def check_bug(
    zadig: World, report: TargetReport, what: str, outcome: Outcome = Outcome.FAILED
) -> None:
    assert outcomes(report) == {
        "a": Outcome.APPLIED,
        "b": outcome,
        "c": Outcome.APPLIED,
    }
    assert [one.bug for one in report.changes] == [False, True, False]
    assert f"bug in planops: {what}" in report.changes[1].error
    assert exit_code(Report(command="apply", targets=(report,))) is ExitCode.BUG
    assert zadig.named("c")[0]["description"] == "new c"


def test_a_bug_after_a_write_loses_no_report(zadig: World) -> None:
    def fail(step: Step, _: str | None) -> None:
        assert step.kind is StepKind.UPDATE
        if isinstance(step.request.body, dict) and step.request.body["name"] == "b":
            raise KeyError("oops")

    report = three(zadig, lambda t: replace(t, backend=Broken(t.backend, on_send=fail)), asked())
    check_bug(zadig, report, "KeyError: 'oops'", Outcome.UNKNOWN)
    assert report.changes[1].results == (StepResult.UNKNOWN,)


def test_a_bug_while_looking_loses_no_report(zadig: World) -> None:
    def fail(id_: str) -> None:
        if zadig.sandbox.plan(id_)["name"] == "b":
            raise RecursionError("deep")

    report = three(zadig, lambda t: replace(t, backend=Broken(t.backend, on_read=fail)), asked())
    check_bug(zadig, report, "RecursionError: deep")
    assert len(zadig.writes()) == 2


def test_a_bug_in_the_rules_loses_no_report(zadig: World) -> None:
    def broken(target: Target) -> Target:
        rules: Callable[[Rules], Rules] = lambda inner: BrokenRules(inner, "new b")  # noqa: E731
        return replace(target, backend=Broken(target.backend, on_rules=rules))

    report = three(zadig, broken, asked())
    check_bug(zadig, report, "ZeroDivisionError: new b")
    assert report.changes[1].results == (StepResult.DONE,)


def test_a_bug_while_comparing_loses_no_other_plan(zadig: World) -> None:
    for name in "abc":
        zadig.plant(name, description=f"old {name}")
    rules: Callable[[Rules], Rules] = lambda inner: BrokenRules(inner, "old b")  # noqa: E731
    target = zadig.target()
    target = replace(target, backend=Broken(target.backend, on_rules=rules))
    files = [plan(name, description=f"new {name}") for name in "abc"]
    report = applied(target, files)
    assert [one.bug for one in report.changes] == [False, True, False]


# ---------------------------------------------------------------------------------- the owner


def test_the_manager_is_written_where_it_differs(zadig: World) -> None:
    zadig.plant(manager="bob", manager_id=UIDS["bob"])
    report = apply_one(zadig.target(), plan())
    assert [delta.path for delta in report.change.deltas] == ["/spec/manager"]
    assert report.outcome is Outcome.APPLIED
    assert zadig.named("train")[0]["manager_id"] == UIDS["patrick"]
