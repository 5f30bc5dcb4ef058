"""Reviews to render: what a pull request causes of the changes that the other cases hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from planops.core.changes import Cause, Change, ChangeKind, Delta, StepKind
from planops.core.forge import Risk
from planops.core.ledger import Origin, Record
from planops.core.lifecycle import ASKED, Move, Refusal, Route, Standing
from planops.core.model import JSON, Allowance, Manage, PlanKey
from planops.core.report import ChangeReport, Outcome, Report, TargetReport
from planops.core.review import Review, Share
from render import cases
from render.hostile import HOSTILE, hostile

HEAD, BASE = "5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d1a2b3c4d", "9c0d1a2b" * 5
REOPEN = replace(cases.REOPEN, hazards=(f"cancels {ASKED}", "notifies the watchers"))
APPROVAL: JSON = {
    "enabled": True,
    "native_approval": {
        "needed_approvers": 1,
        "approve_users": [{"user_name": "alice"}, {"user_id": "u-7"}, {"group_name": "ops"}],
    },
}


def shared(
    change: Change, outcome: Outcome = Outcome.PENDING, *, touched: bool = True, **given: Any
) -> ChangeReport:
    """A change with its share; every field is caused where nothing else is said."""
    caused = {"caused": frozenset(d.path for d in change.deltas), "calls": bool(change.steps)}
    found = Share(touched=touched, **{**caused, **given})
    return replace(cases.item(change, outcome), share=found)


def reopened() -> Change:
    """A change that cancels an approval and is allowed to, over an edit made on the server."""
    of = cases.plan(
        "payments-2026-10",
        state="wait_for_approval",
        start_time=cases.START,
        end_time=cases.END + 3600,
        approval=APPROVAL,
    )
    allow = Allowance(guard="reopen", reason="the window moved", until="2026-12-01")
    late = Allowance(guard="conflict", reason="agreed with wang")
    of = replace(of, manage=Manage(protect=True, ignore=("/spec/jira",), allow=(allow, late)))
    live = cases.live("payments-2026-10", "wait_for_approval")
    live = replace(live, spec={"approval": APPROVAL})
    route = replace(cases.refused().route, moves=(REOPEN, Move.WRITE, cases.FINISH, cases.ASK))
    drift = Delta(
        path="/spec/description",
        cause=Cause.DRIFT,
        base="as agreed",
        desired="as agreed",
        live="edited by hand",
        touch=cases.WANG,
    )
    moved = cases.delta("/spec/end_time", cases.END, cases.END + 3600, line=9)
    pending = cases.delta("/spec/jobs/text:Announce/spec/content", "Hello", "Good-bye", line=21)
    base = replace(cases.refused(), plan=of, live=live, route=route, refusals=())
    return replace(
        base,
        deltas=(moved, drift, pending),
        steps=(cases.walk(live.id, REOPEN), *base.steps[1:]),
        allowed={"reopen": allow},
        lapsed={"conflict": "used up"},
    )


def gone() -> Change:
    """A plan whose file is removed, and that stays where it is."""
    record = Record(
        key="old-1",
        kind="ZadigReleasePlan",
        url=cases.URL,
        id="66f0c1d2e3a4b5c6d7e8f901",
        name="Old 1",
        spec={},
        echo={},
        origin=Origin(file="plans/old-1.yaml"),
    )
    of = cases.change(cases.plan("old-1"), cases.live("old-1", "planning"))
    notice = "plans/old-1.yaml is gone, and the plan stays; --prune deletes it"
    return replace(of, orphan=record, notices=(notice,))


def ruled() -> Change:
    """A plan of which only planops' own rules change."""
    return cases.change(cases.plan("rules-4", state="planning"), cases.live("rules-4", "planning"))


def settled() -> Change:
    """A plan that merging brings back to what the server has, with another goal."""
    of = cases.plan("back-3", release_date="2026-12-01")
    return cases.change(of, cases.live("back-3", "planning"))


def online(*items: ChangeReport, **given: Any) -> Report:
    facts = Review(base=BASE, head=HEAD, **given)
    return replace(cases.report(*items, command="review"), review=facts)


def review() -> Report:
    """Everything that a review may hold, at once."""
    blocked = shared(cases.refused(), Outcome.REFUSED, guards=True, risk=Risk.BLOCKED)
    lost = replace(cases.change(cases.plan("lost-8"), None), error="no such user: zhou")
    some = reopened()
    return replace(
        online(
            shared(
                some,
                caused=frozenset({"/spec/end_time"}),
                there=frozenset({"/spec/description", "/spec/jobs/text:Announce/spec/content"}),
                manages=("protect", "ignore", "allow"),
                risk=Risk.ATTENTION,
            ),
            shared(replace(cases.updated(), refusals=()), risk=Risk.ROUTINE),
            shared(cases.created(), goal=False),
            shared(cases.moved(), touched=False, goal=True, risk=Risk.ATTENTION),
            shared(cases.deleted(), removed=True, risk=Risk.ATTENTION),
            shared(gone(), Outcome.UNCHANGED, removed=True),
            shared(ruled(), Outcome.UNCHANGED, manages=("protect", "ignore", "allow")),
            shared(settled(), Outcome.UNCHANGED, settled=("/spec/end_time",), goal=True),
            shared(lost, Outcome.FAILED, guards=True, risk=Risk.BLOCKED),
            replace(
                blocked,
                change=replace(blocked.change, key=PlanKey(target="zadig-prod", name="blocked-2")),
            ),
            replace(cases.same("quiet-6"), share=Share(touched=True)),
            replace(cases.item(cases.drifted(), Outcome.UNCHANGED), share=Share()),
            replace(cases.item(cases.stopped(), Outcome.PARKED), share=Share()),
            replace(cases.item(cases.parked(), Outcome.PARKED), share=Share()),
            cases.same("alpha-1"),
        ),
        problems=cases.problems().problems,
        review=Review(
            base=BASE,
            head=HEAD,
            number=12,
            clean=False,
            settings=("planops.yaml", "certs/internal-ca.pem"),
            dropped=(PlanKey(target="zadig-prod", name="never-1"),),
        ),
    )


def nothing() -> Report:
    """A pull request of which nothing comes: white space, and a comment."""
    idle = replace(cases.same("alpha-1"), share=Share(touched=True))
    waits = replace(cases.item(cases.updated()), share=Share())
    return online(idle, replace(cases.same("beta-2"), share=Share()), waits)


def offline() -> Report:
    """The files alone."""
    edited = replace(
        cases.change(cases.plan("search-7-1", state="planning"), None, kind=ChangeKind.UPDATE),
        deltas=cases.updated().deltas[:2],
    )
    moves = cases.change(
        cases.plan("billing-3", state="executing"), None, kind=ChangeKind.TRANSITION
    )
    made = replace(cases.created(), steps=(), route=Route(standing=Standing.UNMANAGED))
    report = online(
        *(
            replace(one, fingerprint="", digests=())
            for one in (
                shared(edited, Outcome.UNCHANGED),
                shared(moves, Outcome.UNCHANGED, goal=True),
                shared(made, Outcome.UNCHANGED),
                shared(ruled(), Outcome.UNCHANGED, manages=("protect",), risk=Risk.ATTENTION),
            )
        ),
        offline=True,
        dropped=(PlanKey(target="zadig-prod", name="old-1"),),
    )
    return replace(report, targets=(replace(report.targets[0], live=0),))


def hostile_review() -> Report:
    """Hostile text in every field that a review shows."""
    bad, report = HOSTILE, hostile()
    allow = Allowance(guard=bad, reason=bad, until=bad)
    first = report.targets[0].changes[0]
    approval: JSON = {"enabled": True, "x": {"approve_users": [{"name": bad}]}}
    change = replace(
        first.change,
        plan=replace(
            first.change.plan,
            spec={**first.change.plan.spec, "start_time": 1796133600, "end_time": 1796148000},
            manage=Manage(ignore=(bad,), allow=(allow,)),
        ),
        live=replace(first.change.live, spec={"approval": approval}) if first.change.live else None,
        route=replace(first.change.route, moves=(replace(REOPEN, hazards=(f"{ASKED} {bad}",)),)),
        allowed={bad: allow},
        lapsed={bad: bad},
    )
    share = Share(
        touched=False,
        goal=True,
        manages=("protect", "ignore", "allow"),
        caused=frozenset({bad}),
        settled=(bad,),
        risk=Risk.BLOCKED,
    )
    ours = replace(first, change=change, share=share)
    free = replace(
        ours,
        change=replace(change, refusals=(), error=""),
        share=replace(share, caused=frozenset()),
    )
    others = replace(ours, share=Share())
    alone = replace(change.plan, source=replace(change.plan.source, file=f"{bad} "))
    idle = replace(ours, change=replace(change, plan=alone), share=Share(touched=True))
    target = replace(report.targets[0], changes=(ours, free, others, idle))
    facts = Review(
        base=bad,
        head=bad,
        clean=False,
        number=1,
        settings=(bad,) * 12,
        dropped=(PlanKey(target="", name=bad),),
    )
    return replace(report, targets=(target, *report.targets[1:]), command="review", review=facts)


def broken() -> Report:
    """A target that could not be read, and one that refuses everything."""
    refusal = Refusal(guard="mass-change", message="9 of 10 plans change", lift="--allow x=9")
    bad = TargetReport(
        name="other", backend="brpm", url="https://brpm.example.com", error="no answer in 30 s"
    )
    report = online(shared(cases.updated()))
    stopped = replace(report.targets[0], refusals=(refusal,))
    dropped = (PlanKey(target="other", name="unknown-1"),)
    facts = Review(base=BASE, head=HEAD, dropped=dropped)
    return replace(report, targets=(stopped, bad), review=facts)


def many(number: int) -> Report:
    """Many plans of different size, each with a window."""

    def one(index: int) -> ChangeReport:
        of = cases.plan(f"plan-{index}", start_time=cases.START, end_time=cases.END)
        step = cases.step(StepKind.UPDATE, f"/{index}", {"text": "x" * 20 * index})
        delta = cases.delta("/spec/description", "a", "b", line=3)
        live = cases.live(of.key.name, "planning")
        made = cases.change(of, live, kind=ChangeKind.UPDATE, steps=(step,), deltas=(delta,))
        return shared(made)

    return online(*(one(index) for index in range(number)))


CASES = {
    "review": review,
    "review_nothing": nothing,
    "review_offline": offline,
    "review_hostile": hostile_review,
    "review_broken": broken,
}
