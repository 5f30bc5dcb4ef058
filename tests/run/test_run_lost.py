"""Lost answers: at every write, in every way; never twice, never lost, others never touched."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from planops import reconcile
from planops.backends.exchange import Endpoint, Request, Response, Transport
from planops.backends.http import Http
from planops.core.model import Plan
from planops.core.report import ExitCode, Outcome, Report, StepResult, TargetReport, exit_code
from planops.sandbox.wire import Behaviour, misbehaving
from planops.sandbox.zadig import Fault
from run.world import (
    OPEN,
    UIDS,
    Through,
    World,
    applied,
    apply_one,
    asked,
    look,
    native,
    outcomes,
    plan,
    promised,
    text,
)

HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
PAGE: dict[str, Any] = {"status": 502, "body": HTML, "headers": {"Content-Type": "text/html"}}
MADE: dict[str, dict[str, Any]] = {
    "dropped after": {"kind": "drop-after"},
    "empty 500 after": {"kind": "status-after"},
    "HTML 502 after": {"kind": "status-after", **PAGE},
    "truncated": {"kind": "truncate"},
    "cut JSON": {"kind": "garbage-json"},
    "endless": {"kind": "endless"},
    "a list": {"kind": "status-after", "status": 200, "body": b"[]"},
}
NOT_MADE: dict[str, dict[str, Any]] = {
    "dropped before": {"kind": "drop-before"},
    "empty 500 before": {"kind": "status-before"},
    "HTML 502 before": {"kind": "status-before", **PAGE},
    "a page instead": {"kind": "html"},
}
PLANS: list[Plan] = [
    plan("a", jobs=[text()], approval=native("alice"), state="wait_for_approval"),
    plan("b", jobs=[text()], description="new", state="finish_planning"),
    plan("c", jobs=[text()], state="finish_planning"),
    plan("d", jobs=[text()]),
]
OWNER = "aaaabbc"  # which plan each write of the run belongs to


@dataclass(frozen=True, slots=True)
class AtWrite(Fault):
    """Strikes at the nth request that is no GET."""

    def matches(self, method: str, path: str, route: str) -> bool:  # noqa: ARG002
        return method != "GET"


def at_write(number: int | None, how: dict[str, Any]) -> Fault:
    return AtWrite(nth=None if number is None else number + 1, **how)


def prepare(zadig: World) -> str:
    """Plans b, c and d, and one that nobody manages; its document."""
    applied(
        zadig.target(),
        [plan("b", jobs=[text()], state="finish_planning"), plan("c", jobs=[text()]), PLANS[3]],
    )
    return repr(zadig.sandbox.plan(zadig.plant("unmanaged")))


def check_others(zadig: World, unmanaged: str) -> None:
    (held,) = zadig.named("unmanaged")
    assert repr(held) == unmanaged
    names = Counter(one["name"] for one in zadig.sandbox.plans())
    assert set(names.values()) == {1}


def posts(zadig: World, since: int) -> Counter[str]:
    return Counter(body["name"] for _, path, body in zadig.writes(since) if path == OPEN)


def code(report: TargetReport) -> ExitCode:
    return exit_code(Report(command="apply", targets=(report,)))


@pytest.mark.parametrize("how", MADE)
@pytest.mark.parametrize("number", range(len(OWNER)))
def test_a_write_whose_answer_is_lost_is_found(zadig: World, number: int, how: str) -> None:
    unmanaged = prepare(zadig)
    since, target, run = len(zadig.writes()), zadig.target(max_body=100_000), asked()
    sight, changes = look(target, PLANS, run)
    zadig.sandbox.faults.add(at_write(number, MADE[how]))
    report = reconcile.apply(target, sight, changes, run)
    ids = {one.change.key.name: one.id for one in report.changes}
    assert [write for each in promised(changes, ids).values() for write in each] == zadig.writes(
        since
    )
    assert outcomes(report) == dict.fromkeys("abc", Outcome.APPLIED) | {"d": Outcome.UNCHANGED}
    assert code(report) is ExitCode.OK
    assert len(zadig.sandbox.faults.struck) == 1
    check_others(zadig, unmanaged)
    assert set(outcomes(applied(target, PLANS)).values()) <= {Outcome.UNCHANGED, Outcome.PARKED}


@pytest.mark.parametrize("how", NOT_MADE)
@pytest.mark.parametrize("number", range(len(OWNER)))
def test_a_write_that_never_arrived_is_unknown_and_not_repeated(
    zadig: World, number: int, how: str
) -> None:
    unmanaged = prepare(zadig)
    since, target, run = len(zadig.writes()), zadig.target(), asked()
    sight, changes = look(target, PLANS, run)
    zadig.sandbox.faults.add(at_write(number, NOT_MADE[how]))
    report = reconcile.apply(target, sight, changes, run)
    struck = OWNER[number]
    expected = dict.fromkeys("abc", Outcome.APPLIED) | {"d": Outcome.UNCHANGED}
    assert outcomes(report) == expected | {struck: Outcome.UNKNOWN}
    assert code(report) is ExitCode.UNKNOWN
    (ended,) = (one for one in report.changes if one.change.key.name == struck)
    done = number - OWNER.index(struck)
    left = OWNER.count(struck) - done - 1
    assert ended.results == (
        *[StepResult.DONE] * done,
        StepResult.UNKNOWN,
        *[StepResult.SKIPPED] * left,
    )
    assert len(zadig.writes(since)) == len(OWNER) - left
    assert posts(zadig, since) == {"a": 1}
    assert ended.error
    check_others(zadig, unmanaged)
    again = applied(target, PLANS, asked(reopen=1))
    settled = {"a": Outcome.PARKED, **dict.fromkeys("bcd", Outcome.UNCHANGED)}
    assert outcomes(again) == settled | {struck: Outcome.APPLIED}
    check_others(zadig, unmanaged)
    since = len(zadig.writes())
    assert outcomes(applied(target, PLANS)) == settled
    assert zadig.writes(since) == []


@pytest.mark.parametrize(
    "body", [b"{}", b'{"id":null}', b'{"id":"../x"}', b'{"message":"success"}']
)
def test_a_creation_that_names_no_id_is_looked_for(zadig: World, body: bytes) -> None:
    zadig.sandbox.faults.add(Fault("status-after", method="POST", status=200, body=body))
    report = apply_one(zadig.target(), plan(jobs=[text()]))
    assert (report.outcome, report.id) == (Outcome.APPLIED, zadig.named("train")[0]["id"])
    assert len(zadig.writes()) == 2


def test_every_answer_of_many_plans_is_lost(zadig: World) -> None:
    target = zadig.target(concurrency=8)
    plans = [plan(f"p{number}", jobs=[text()], state="finish_planning") for number in range(12)]
    zadig.sandbox.faults.add(at_write(None, MADE["dropped after"]))
    report = applied(target, plans)
    assert set(outcomes(report).values()) == {Outcome.APPLIED}
    assert len(zadig.writes()) == 3 * len(plans)
    assert set(posts(zadig, 0).values()) == {1}
    assert len(zadig.sandbox.plans()) == len(plans)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_looking_fails_too(zadig: World, number: int) -> None:
    target, run = zadig.target(), asked()
    sight, changes = look(target, PLANS[:1], run)

    def silence() -> None:
        zadig.sandbox.faults.add(Fault("status-before", method="GET", status=503, nth=None))

    zadig.sandbox.faults.add(
        at_write(number, {"kind": "edit-after", "edit": silence}),
        at_write(number, MADE["dropped after"]),
    )
    report = reconcile.apply(target, sight, changes, run)
    (ended,) = report.changes
    assert ended.outcome is Outcome.UNKNOWN
    assert ended.results[number] is StepResult.UNKNOWN
    assert "and looking failed: " in ended.error
    assert "503" in ended.error
    assert len(zadig.writes()) == number + 1
    zadig.sandbox.faults.clear()
    assert apply_one(target, PLANS[0]).outcome in {
        Outcome.APPLIED,
        Outcome.UNCHANGED,
        Outcome.PARKED,
    }
    assert len(zadig.sandbox.plans()) == 1


@pytest.mark.parametrize(
    ("theirs", "outcome"),
    [({"description": "theirs"}, Outcome.APPLIED), ({"approval": None}, Outcome.UNKNOWN)],
)
def test_somebody_makes_the_same_plan_at_the_same_moment(
    zadig: World, theirs: dict[str, Any], outcome: Outcome
) -> None:
    """Ours is known by its content; where both look alike nobody is touched."""
    target, run = zadig.target(), asked()
    wanted = plan(description="ours" if "description" in theirs else "")
    sight, changes = look(target, [wanted], run)
    document = {"manager": "patrick", "manager_id": UIDS["patrick"], "jobs": [], **theirs}
    zadig.sandbox.faults.add(
        Fault("edit-after", method="POST", edit=lambda: zadig.plant(**document)),
        Fault("drop-after", method="POST"),
    )
    report = reconcile.apply(target, sight, changes, run)
    assert report.changes[0].outcome is outcome
    assert len(zadig.writes()) == 1
    assert len(zadig.named("train")) == 2


def test_an_old_plan_of_the_name_is_not_taken_for_the_new_one(zadig: World) -> None:
    """What was there before the write lies below the high water."""
    target, run = zadig.target(), asked()
    sight, changes = look(target, [plan()], run)
    zadig.sandbox.faults.add(
        Fault("edit-before", method="POST", edit=lambda: zadig.plant(index=1, jobs=[])),
        Fault("drop-before", method="POST"),
    )
    zadig.plant("other", index=5)
    report = reconcile.apply(target, sight, changes, run)
    assert report.changes[0].outcome is Outcome.UNKNOWN
    assert report.changes[0].id is None


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"kind": "user-service-down"}, "Failed to get user"),
        ({"kind": "licence"}, "enterprise licence"),
        ({"kind": "licence-down"}, "failed to validate zadig license"),
        ({"kind": "status-before", "status": 401}, "token is not accepted"),
        ({"kind": "status-before", "status": 403}, "lacks the right"),
        ({"kind": "status-before", "status": 429}, "429"),
        ({"kind": "redirect"}, "redirects to 127.0.0.1"),
    ],
)
def test_a_clear_refusal_fails_one_plan_and_no_other(
    zadig: World, how: dict[str, Any], says: str
) -> None:
    check_refusal(zadig, how, says)


def test_a_lock_that_is_not_had_fails_one_plan_and_no_other(newest: World) -> None:
    check_refusal(newest, {"kind": "lock"}, "lock release plan")


def check_refusal(zadig: World, how: dict[str, Any], says: str) -> None:
    prepare(zadig)
    since, target, run = len(zadig.writes()), zadig.target(), asked()
    sight, changes = look(target, PLANS, run)
    zadig.sandbox.faults.add(Fault(method="PATCH", nth=2, path=f"{OPEN}/*", **how))
    report = reconcile.apply(target, sight, changes, run)
    expected = dict.fromkeys("abc", Outcome.APPLIED) | {"d": Outcome.UNCHANGED}
    assert outcomes(report) == expected | {"b": Outcome.FAILED}
    failed = report.changes[1]
    assert failed.results == (StepResult.FAILED, StepResult.SKIPPED)
    assert says in failed.error
    assert code(report) is ExitCode.PARTIAL
    assert len(zadig.writes(since)) == len(OWNER) - 1
    assert outcomes(applied(target, PLANS))["b"] is Outcome.APPLIED


class Elsewhere(Through):
    """Sends one write to a server that misbehaves below HTTP, before or after the real one."""

    def __init__(self, inner: Transport, wrong: Transport, *, number: int, made: bool) -> None:
        super().__init__(inner)
        self.wrong, self.left, self.made = wrong, number, made

    def write(self, request: Request) -> Response:
        self.left -= 1
        if self.left != -1:
            return super().write(request)
        if self.made:
            super().write(request)
        return self.wrong.write(request)


@pytest.mark.parametrize("behaviour", ["reset", "close-mid-header", "garbage-status"])
@pytest.mark.parametrize("number", range(len(OWNER)))
@pytest.mark.parametrize("made", [True, False])
def test_a_connection_that_breaks(
    zadig: World, behaviour: Behaviour, number: int, *, made: bool
) -> None:
    unmanaged = prepare(zadig)
    since = len(zadig.writes())
    with misbehaving(behaviour) as wire, Http(Endpoint(url=wire.url), zadig.clock) as wrong:
        target = zadig.target(
            through=lambda inner: Elsewhere(inner, wrong, number=number, made=made)
        )
        report = applied(target, PLANS)
        assert len(wire.requests) == 1
    expected = dict.fromkeys("abc", Outcome.APPLIED) | {"d": Outcome.UNCHANGED}
    if not made:
        expected[OWNER[number]] = Outcome.UNKNOWN
    assert outcomes(report) == expected
    assert set(posts(zadig, since).values()) <= {1}
    check_others(zadig, unmanaged)


def test_nothing_was_sent_where_no_connection_was_made(zadig: World) -> None:
    prepare(zadig)
    with misbehaving("refuse") as wire, Http(Endpoint(url=wire.url), zadig.clock) as wrong:
        target = zadig.target(through=lambda inner: Elsewhere(inner, wrong, number=0, made=False))
        report = applied(target, PLANS)
    assert outcomes(report)["a"] is Outcome.FAILED
    assert report.changes[0].results[0] is StepResult.FAILED
    assert "nothing was sent" in report.changes[0].error
    assert outcomes(applied(zadig.target(), PLANS))["a"] is Outcome.APPLIED
