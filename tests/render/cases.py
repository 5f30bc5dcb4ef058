"""Reports to render: small builders, and the cases that the golden files show."""

from __future__ import annotations

from dataclasses import replace

from planops.core.changes import (
    Cause,
    Change,
    ChangeKind,
    Delta,
    Request,
    Step,
    StepKind,
    fingerprint,
)
from planops.core.lifecycle import Actor, Edge, Move, Refusal, Route, Standing
from planops.core.model import (
    ABSENT,
    JSON,
    Blame,
    Live,
    Mark,
    Plan,
    PlanKey,
    Problem,
    Settled,
    Severity,
    Source,
    Touch,
    Value,
    Witness,
)
from planops.core.report import ChangeReport, GitFacts, Outcome, Report, StepResult, TargetReport
from render.hostile import hostile

TIMES = frozenset({"start_time", "end_time", "schedule_execute_time"})
URL = "https://zadig.example.com"
BASE = "/openapi/release_plan/v1"
START, END = 1796133600, 1796148000

FINISH = Edge(source="planning", target="finish_planning", event="finish_planning")
ASK = Edge(
    source="finish_planning",
    target="wait_for_approval",
    event="wait_for_approval",
    hazards=("asks the approvers and notifies them",),
)
REOPEN = Edge(
    source="wait_for_approval",
    target="planning",
    event="planning",
    hazards=("cancels the approval: votes already given are lost", "notifies the watchers"),
)

ANN = Blame(
    commit="5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d1a2b3c4d",
    author="Ann Ellis",
    at=1793620800,
    subject="Plan the checkout's release",
    line=8,
)
BOB = replace(ANN, commit="9c0d1a2b" * 5, author="Bob", at=1795600000, subject="Warm the caches")
NOBODY = Blame(settled=Settled.UNCOMMITTED, line=22)
OLD = Blame(settled=Settled.BEFORE_HISTORY, line=21)
GONE = replace(BOB, line=0)
WANG = Touch(by="wang", at=1795600000, witness=Witness.HISTORY)
LAST = replace(WANG, witness=Witness.LAST_EDIT)


def plan(name: str, *, state: str | None = None, line: int = 1, **spec: JSON) -> Plan:
    return Plan(
        key=PlanKey(target="zadig-prod", name=name),
        kind="ZadigReleasePlan",
        spec={"name": name.replace("-", " ").title(), "manager": "patrick", **spec},
        state=state,
        source=Source(file=f"plans/{name}.yaml", line=line),
    )


def live(name: str, state: str) -> Live:
    return Live(
        id="66f0c1d2e3a4b5c6d7e8f901",
        name=name.replace("-", " ").title(),
        state=state,
        spec={},
        raw={},
        version=7,
        updated_at=1795600000,
        updated_by="wang",
    )


def delta(
    path: str,
    old: Value = ABSENT,
    new: Value = ABSENT,
    *,
    cause: Cause = Cause.EDIT,
    line: int | None = None,
    note: str = "",
    blame: Blame | None = None,
) -> Delta:
    mark = None if line is None else Mark(file="plans/any.yaml", line=line, column=3)
    found = Delta(path=path, cause=cause, base=old, desired=new, live=old, mark=mark, note=note)
    return replace(found, blame=blame)


def step(kind: StepKind, path: str, body: JSON = None, edge: Edge | None = None) -> Step:
    methods = {StepKind.CREATE: "POST", StepKind.UPDATE: "PUT", StepKind.DELETE: "DELETE"}
    request = Request(method=methods.get(kind, "POST"), path=f"{BASE}{path}", body=body)
    return Step(kind=kind, request=request, summary=f"{kind.value} the plan", edge=edge)


def walk(plan_id: str, edge: Edge) -> Step:
    return step(StepKind.TRANSITION, f"/{plan_id}/status/{edge.target}", None, edge)


def change(
    of: Plan,
    found: Live | None,
    route: Route | None = None,
    *,
    kind: ChangeKind = ChangeKind.UNCHANGED,
    deltas: tuple[Delta, ...] = (),
    steps: tuple[Step, ...] = (),
    refusals: tuple[Refusal, ...] = (),
) -> Change:
    return Change(
        key=of.key,
        kind=kind,
        plan=of,
        live=found,
        deltas=deltas,
        route=route or Route(standing=Standing.UNMANAGED, ends=found.state if found else ""),
        steps=steps,
        refusals=refusals,
    )


def item(
    of: Change,
    outcome: Outcome = Outcome.PENDING,
    *,
    results: tuple[StepResult, ...] = (),
    error: str = "",
    notices: tuple[str, ...] = (),
) -> ChangeReport:
    return ChangeReport(
        change=of,
        fingerprint=fingerprint(URL, of),
        outcome=outcome,
        results=results,
        digests=tuple(one.request.digest() for one in of.steps),
        id=of.live.id if of.live else None,
        error=error,
        notices=notices,
    )


def target(*items: ChangeReport, name: str = "zadig-prod") -> TargetReport:
    return TargetReport(
        name=name, backend="zadig", url=URL, live=12, managed=len(items), changes=items
    )


def report(*items: ChangeReport, command: str = "diff") -> Report:
    return Report(
        command=command,
        targets=(target(*items),),
        git=GitFacts(head="1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d", branch="main"),
        files=len(items),
    )


def same(name: str) -> ChangeReport:
    of = change(plan(name), live(name, "planning"))
    return item(of, Outcome.UNCHANGED)


def created() -> Change:
    of = plan(
        "checkout-2026-12",
        state="wait_for_approval",
        start_time=START,
        end_time=END,
        description="Roll out the new checkout.\nWatch the error rate.\n",
        jobs=[{"name": "Announce", "type": "text", "spec": {"content": "Hello", "remark": ""}}],
    )
    route = Route(
        standing=Standing.WAITING,
        moves=(Move.WRITE, FINISH, ASK),
        ends="wait_for_approval",
        next_actor=Actor.APPROVER,
    )
    body: JSON = {**of.spec, "approval": {"enabled": True}}
    deltas = tuple(
        delta(f"/spec/{name}", new=value, line=at, blame=ANN)
        for at, (name, value) in enumerate(of.spec.items(), start=8)
    )
    steps = (step(StepKind.CREATE, "", body), walk("{id}", FINISH), walk("{id}", ASK))
    return change(of, None, route, kind=ChangeKind.CREATE, deltas=deltas, steps=steps)


def updated() -> Change:
    of = plan("search-7-1", state="finish_planning", line=14)
    old = "Search 7.1\n\n1. migrate the index\n2. switch the alias\n3. tell support\n"
    new = "Search 7.1\n\n1. migrate the index\n2. warm the caches\n3. switch the alias\n"
    deltas = (
        delta("/spec/description", old, new, line=18, blame=BOB),
        delta("/spec/end_time", START, END, line=20, blame=ANN),
        delta("/spec/schedule_execute_time", 0, None, line=21, blame=OLD),
        delta(
            "/spec/jobs",
            ["text:Announce", "workflow:Deploy"],
            ["workflow:Deploy", "text:Announce"],
            line=22,
            blame=NOBODY,
            note="the same jobs in another order",
        ),
        delta("/spec/jobs/text:Announce/spec/content", "x" * 300, "", line=25, blame=BOB),
        delta("/spec/jobs/text:Announce/spec/remark", ABSENT, "soon", line=26),
        Delta(
            path="/spec/jobs/workflow:Deploy/spec/inputs",
            cause=Cause.DRIFT,
            base=[],
            desired=[],
            live=[{"job_name": "build"}],
            mark=Mark(file="plans/search-7-1.yaml", line=30, column=7),
            blame=ANN,
            touch=WANG,
        ),
        Delta(
            path="/spec/token",
            cause=Cause.EDIT,
            base="***",
            desired="*** (after)",
            live="*** (before)",
            sensitive=True,
        ),
        delta("/spec/manager", "zhou", "patrick", cause=Cause.UNKNOWN),
        delta("/spec/jira", "SHOP-1", cause=Cause.RELEASED, note="stays as it is", blame=GONE),
    )
    found = live("search-7-1", "finish_planning")
    route = Route(standing=Standing.REACHED, moves=(Move.WRITE, FINISH), ends="finish_planning")
    steps = (
        step(StepKind.UPDATE, f"/{found.id}", {"name": "Search 7.1", "description": new}),
        walk(found.id, FINISH),
    )
    return change(of, found, route, kind=ChangeKind.UPDATE, deltas=deltas, steps=steps)


def moved() -> Change:
    of = plan("billing-3", state="wait_for_approval")
    found = live("billing-3", "finish_planning")
    route = Route(
        standing=Standing.WAITING,
        moves=(ASK,),
        ends="wait_for_approval",
        next_actor=Actor.APPROVER,
    )
    asked = walk(found.id, ASK)
    other = Request(method="PUT", path=f"{BASE}/{found.id}", body={"plan": {"event": "ask"}})
    steps = (replace(asked, fallback=other),)
    made = change(of, found, route, kind=ChangeKind.TRANSITION, steps=steps)
    return replace(made, goal=replace(ANN, line=4))


def refused() -> Change:
    of = plan("payments-2026-10", state="wait_for_approval")
    found = live("payments-2026-10", "wait_for_approval")
    reason = Refusal(
        guard="reopen",
        message="the plan is in wait_for_approval: cancels the approval",
        lift="--allow reopen",
    )
    clash = Refusal(guard="conflict", message="1 field was changed in git and on the server")
    route = Route(
        standing=Standing.WAITING,
        moves=(REOPEN, Move.WRITE, FINISH, ASK),
        ends="wait_for_approval",
        next_actor=Actor.APPROVER,
        tripped=(reason,),
    )
    mine = delta("/spec/description", "window C", "window B", cause=Cause.CONFLICT, line=9)
    conflict = replace(mine, base="window A", blame=BOB, touch=LAST)
    steps = (
        walk(found.id, REOPEN),
        step(StepKind.UPDATE, f"/{found.id}", {"description": "window B"}),
        walk(found.id, FINISH),
        walk(found.id, ASK),
    )
    return change(
        of,
        found,
        route,
        kind=ChangeKind.UPDATE,
        deltas=(conflict,),
        steps=steps,
        refusals=(reason, clash),
    )


def parked() -> Change:
    of = plan("mobile-9", state="success")
    route = Route(standing=Standing.WAITING, ends="wait_for_approval", next_actor=Actor.APPROVER)
    return change(of, live("mobile-9", "wait_for_approval"), route)


def stopped() -> Change:
    of = plan("legacy-5", state="wait_for_approval")
    found = live("legacy-5", "denied")
    vote = replace(WANG, witness=Witness.VOTE)
    return replace(change(of, found, Route(standing=Standing.STOPPED, ends="denied")), touch=vote)


def drifted() -> Change:
    of = plan("infra-2", state="executing")
    found = live("infra-2", "executing")
    deltas = (
        Delta(
            path="/spec/description",
            cause=Cause.DRIFT,
            base="as agreed",
            desired="as agreed",
            live="edited by hand",
            mark=Mark(file="plans/infra-2.yaml", line=7, column=3),
            blame=ANN,
            touch=WANG,
        ),
    )
    route = Route(standing=Standing.REACHED, ends="executing")
    return change(of, found, route, deltas=deltas)


def deleted() -> Change:
    of = plan("old-1")
    found = live("old-1", "planning")
    steps = (step(StepKind.DELETE, f"/{found.id}"),)
    return change(of, found, kind=ChangeKind.DELETE, steps=steps)


def empty_report() -> Report:
    return Report(command="diff")


def in_sync() -> Report:
    return report(same("alpha-1"), same("beta-2"), same("gamma-3"))


def mixed() -> Report:
    return report(
        item(moved()),
        item(created()),
        item(drifted(), Outcome.UNCHANGED, notices=("drift is only reported for this target",)),
        item(stopped(), Outcome.PARKED),
        item(parked(), Outcome.PARKED),
        item(deleted()),
        item(refused(), Outcome.REFUSED),
        item(updated()),
        same("alpha-1"),
        same("beta-2"),
    )


def applied() -> Report:
    done, failed, unknown = StepResult.DONE, StepResult.FAILED, StepResult.UNKNOWN
    pending, skipped = StepResult.PENDING, StepResult.SKIPPED
    return report(
        item(created(), Outcome.APPLIED, results=(done, done, done)),
        item(
            updated(),
            Outcome.FAILED,
            results=(done, failed),
            error="zadig-prod: finish planning of search-7-1: 403: only the manager may; ask zhou",
        ),
        item(
            moved(),
            Outcome.UNKNOWN,
            results=(unknown,),
            error="no answer within 30 s; the next run looks at the server first",
        ),
        item(deleted(), Outcome.STALE, results=(skipped,)),
        item(refused(), Outcome.SKIPPED, results=(pending,)),
        item(parked(), Outcome.PARKED),
        same("alpha-1"),
        command="apply",
    )


def problems() -> Report:
    return Report(
        command="validate",
        files=3,
        problems=(
            Problem(
                severity=Severity.ERROR,
                code="unknown-key",
                message="descripton is no field of a plan",
                mark=Mark(file="plans/b.yaml", line=12, column=5),
                hint="did you mean description?",
                target="zadig-prod",
            ),
            Problem(
                severity=Severity.WARNING,
                code="window-over",
                message="the window ended 2 days ago",
                mark=Mark(file="plans/b.yaml", line=4, column=1),
            ),
            Problem(severity=Severity.ERROR, code="no-settings", message="planops.yaml is missing"),
            Problem(
                severity=Severity.ERROR,
                code="duplicate-key",
                message="name stands twice in this mapping, first in line 3",
                mark=Mark(file="plans/a.yaml", line=5, column=3),
                hint="remove one of them",
            ),
        ),
    )


CASES = {
    "empty": empty_report,
    "in_sync": in_sync,
    "mixed": mixed,
    "applied": applied,
    "problems": problems,
    "hostile": hostile,
}
