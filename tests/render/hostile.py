"""A report with hostile text in every field that holds text."""

from __future__ import annotations

from dataclasses import replace

from planops.core.changes import Cause, Change, ChangeKind, Delta, Request, Step, StepKind
from planops.core.lifecycle import Edge, Move, Refusal, Route, Standing
from planops.core.model import (
    JSON,
    Blame,
    Live,
    Mark,
    Plan,
    PlanKey,
    Problem,
    Severity,
    Source,
    Touch,
    Witness,
)
from planops.core.report import ChangeReport, GitFacts, Outcome, Report, TargetReport

HOSTILE = (
    "::error file=x::owned ##[error]x \x1b[2J\x1b]8;;http://e.vil\x07 \u202egnp.exe\u202c \u200b"
    "\r\n::add-mask::x\n# h1\n- item\n</details></summary><script>alert(1)</script> @team #1 !2 "
    "octo/repo#3 https://evil.example www.evil.example a@b.example ![i](http://x) [l](http://y) "
    "``` ~~~ ` | || \\| $x$ &lt; <!-- \u2028\u2029\x00\x7f\x85\u0378\ud800 :bomb: *b* _i_ 名前"
)


def hostile() -> Report:
    bad = HOSTILE
    edge = Edge(source=bad, target=bad, event=bad, hazards=(bad,))
    mark = Mark(file=bad, line=1, column=1)
    refusal = Refusal(guard=bad, message=bad, lift=bad)
    of = Plan(
        key=PlanKey(target=bad, name=bad),
        kind=bad,
        spec={"name": bad, bad: bad},
        state=bad,
        source=Source(file=bad),
    )
    found = Live(id=bad, name=bad, state=bad, spec={}, raw={}, updated_by=bad)
    blame = Blame(commit=bad, author=bad, subject=bad, line=1)
    touch = Touch(by=bad, at=-1, witness=Witness.HISTORY)
    deltas = (
        Delta(
            path=bad, cause=Cause.EDIT, base=bad, desired=f"x\n{bad}", live=bad, note=bad, mark=mark
        ),
        Delta(
            path=bad,
            cause=Cause.CONFLICT,
            base=[bad],
            desired={bad: bad},
            live=7,
            sensitive=True,
            blame=blame,
            touch=touch,
        ),
        Delta(
            path=bad,
            cause=Cause.RELEASED,
            live=bad,
            sensitive=True,
            blame=replace(blame, line=0),
        ),
    )
    body: JSON = {bad: [bad, {bad: None}]}
    request = Request(method=bad, path=bad, query=((bad, bad),), body=body)
    hurt = Change(
        key=of.key,
        kind=ChangeKind.UPDATE,
        plan=of,
        live=found,
        deltas=deltas,
        route=Route(standing=Standing.WAITING, moves=(edge, Move.WRITE, edge), ends=bad),
        steps=(
            Step(kind=StepKind.UPDATE, request=request, summary=bad, edge=edge, fallback=request),
        ),
        refusals=(refusal,),
        notices=(bad,),
        goal=blame,
        touch=Touch(by=bad, at=0, witness=Witness.VOTE),
    )
    entry = ChangeReport(
        change=hurt,
        fingerprint=bad,
        outcome=Outcome.PENDING,
        digests=(bad,),
        id=bad,
        error=bad,
        notices=(bad,),
    )
    trouble = Problem(
        severity=Severity.ERROR, code=bad, message=bad, mark=mark, hint=bad, target=bad
    )
    place = TargetReport(name=bad, backend=bad, url=bad, changes=(entry,), notices=(bad,))
    broken = TargetReport(name=bad, backend=bad, url=bad, refusals=(refusal,), error=bad)
    return Report(
        command=bad,
        targets=(place, broken),
        problems=(trouble,),
        git=GitFacts(head=bad, branch=bad, dirty=True),
    )
