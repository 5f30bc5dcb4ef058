"""What a report has to say: which rule, at which line, and under which name run after run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planops.core.changes import Cause, Change, ChangeKind, StepKind
from planops.core.lifecycle import Move, Refusal, Route, Standing
from planops.core.model import Mark, Problem, Severity
from planops.core.report import GitFacts, Outcome, Report
from planops.render.remarks import Level, Remark, fingerprints, from_top, remarks
from render import cases


def said(*of: Change, outcome: Outcome = Outcome.PENDING, command: str = "diff") -> list[Remark]:
    return [*remarks(cases.report(*(cases.item(one, outcome) for one in of), command=command))]


def lines(found: list[Remark], rule: str) -> list[tuple[str, int]]:
    return [(one.text, one.line) for one in found if one.rule == rule]


def edited(*paths: str, refusals: tuple[Refusal, ...] = (), cause: Cause = Cause.EDIT) -> Change:
    """An update of fields, each on the line of its number in the list, counted from 11."""
    deltas = tuple(
        cases.delta(path, 1, 2, cause=cause, line=at) for at, path in enumerate(paths, start=11)
    )
    steps = (cases.step(StepKind.UPDATE, "/1", {}),)
    return cases.change(
        cases.plan("any", line=3),
        cases.live("any", "planning"),
        kind=ChangeKind.UPDATE,
        deltas=deltas,
        steps=steps,
        refusals=refusals,
    )


def refused(guard: str, message: str = "because") -> Refusal:
    return Refusal(guard=guard, message=message, lift=f"--allow {guard}")


@pytest.mark.parametrize(
    ("refusal", "line"),
    [
        (refused("replace", "/spec/b would go from 1 to 2"), 12),
        (refused("reopen"), 11),
        (refused("conflict", "1 field"), 3),
    ],
)
def test_a_refusal_stands_at_the_field_that_it_is_about(refusal: Refusal, line: int) -> None:
    change = edited("/spec/a", "/spec/b", refusals=(refusal,))
    (found,) = said(change, outcome=Outcome.REFUSED)
    assert (found.level, found.line) == (Level.ERROR, line)
    assert found.rule == f"refused/{refusal.guard}"
    assert found.text == f"{refusal.message} (lifted by --allow {refusal.guard})"


def test_a_refused_new_plan_is_refused_as_a_whole() -> None:
    change = replace(cases.created(), refusals=(Refusal(guard="past", message="it is over"),))
    (found,) = said(change, outcome=Outcome.REFUSED)
    assert (found.file, found.line) == ("plans/checkout-2026-12.yaml", 1)
    assert found.text == "it is over (no flag lifts this)"


def test_a_hazard_stands_at_what_brings_it_about() -> None:
    route = Route(
        standing=Standing.WAITING,
        moves=(cases.REOPEN, Move.WRITE, cases.FINISH, cases.ASK),
        ends="wait_for_approval",
    )
    change = replace(edited("/spec/a"), route=route, goal=replace(cases.ANN, line=44))
    assert lines(said(change), "hazard") == [
        ("wait_for_approval → planning: cancels the approval: votes already given are lost", 11),
        ("wait_for_approval → planning: notifies the watchers", 11),
        ("finish_planning → wait_for_approval: asks the approvers and notifies them", 44),
    ]


def test_a_conflict_that_is_allowed_warns_at_its_own_line() -> None:
    both = edited("/spec/a", "/spec/b")
    second = replace(both.deltas[1], cause=Cause.CONFLICT)
    change = replace(both, deltas=(both.deltas[0], second))
    assert lines(said(change), "hazard") == [("overwrites an edit made on the server", 12)]


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.SKIPPED, Outcome.STALE])
def test_what_is_not_done_endangers_nothing(outcome: Outcome) -> None:
    assert lines(said(cases.moved(), outcome=outcome), "hazard") == []


def test_drift_is_told_where_it_is_overwritten() -> None:
    change = edited("/spec/a", "/spec/b", cause=Cause.DRIFT)
    found = said(replace(change, left=frozenset({"/spec/b"})))
    assert lines(found, "drift") == [
        ("a was changed on the server to 1; the file says 2, and the file overwrites that", 11)
    ]
    assert said(replace(change, steps=())) == []


@pytest.mark.parametrize("command", ["drift", "status"])
def test_who_asks_for_drift_is_told_all_of_it(command: str) -> None:
    found = said(cases.drifted(), cases.stopped(), outcome=Outcome.UNCHANGED, command=command)
    assert [(one.level, one.rule, one.line) for one in found] == [
        (Level.NOTICE, "drift", 7),
        (Level.NOTICE, "stopped", 1),
    ]
    assert found[0].text == (
        'description was changed on the server to "edited by hand"'
        ' (server by wang, 2026-11-25 09:46Z); the file says "as agreed", and it is left as it is'
    )
    assert found[1].text == (
        "denied: somebody stopped it before its goal wait_for_approval; left alone"
        " (server by wang, 2026-11-25 09:46Z (vote))"
    )
    nobody = replace(cases.stopped(), touch=None)
    assert said(nobody, command=command)[0].text.endswith("left alone")


def test_what_went_wrong_weighs_most() -> None:
    found = remarks(cases.applied())
    assert [(one.rule, one.grave) for one in found][:4] == [
        ("outcome/failed", True),
        ("outcome/unknown", True),
        ("outcome/stale", True),
        ("refused/reopen", False),
    ]
    skipped = next(one for one in found if one.rule == "outcome/skipped")
    assert (skipped.level, skipped.text) == (Level.WARNING, "not attempted")
    assert found[0].text.startswith("zadig-prod: finish planning of search-7-1: 403")
    assert found[1].text == (
        "what became of the last call could not be established:"
        " no answer within 30 s; the next run looks at the server first"
    )


def test_a_target_that_is_stopped_says_so_without_a_place() -> None:
    target = replace(
        cases.target(),
        error="it does not answer",
        unrecorded="the push was refused",
        refusals=(refused("mass-change", "6 of 7 plans would change"),),
    )
    found = remarks(Report(command="apply", targets=(target,)))
    assert [(one.rule, one.grave, one.file, one.line) for one in found] == [
        ("not-recorded", True, "", 0),
        ("not-compared", False, "", 0),
        ("refused/mass-change", False, "", 0),
    ]


def test_the_same_is_said_once() -> None:
    assert len(remarks(replace(cases.problems(), problems=cases.problems().problems * 2))) == 4


def problem(message: str, line: int, file: str = "plans/a.yaml") -> Problem:
    mark = Mark(file=file, line=line, column=1)
    return Problem(severity=Severity.WARNING, code="past", message=message, mark=mark)


def names(*found: Problem) -> tuple[str, ...]:
    return fingerprints(remarks(Report(command="validate", problems=found)))


def test_a_name_stays_when_lines_move_and_numbers_go_on() -> None:
    before = names(problem("it ended 2 days ago", 4), problem("see 3f2a9c0d11e4b875", 9))
    assert before == names(problem("it ended 3 days ago", 7), problem("see 0d11e4b8753f2a9c", 19))
    assert len({*before}) == 2


def test_names_differ_where_nothing_but_the_place_does() -> None:
    same = [problem("it is empty", line) for line in (1, 5, 9)]
    assert len({*names(*same), *names(problem("it is empty", 1, "plans/b.yaml"))}) == 4
    assert names(*same)[:2] == names(*same[:2])


def test_a_refusal_keeps_its_name_when_its_numbers_change() -> None:
    def of(message: str) -> tuple[str, ...]:
        change = edited("/spec/a", refusals=(refused("past", message),))
        return fingerprints(said(change, outcome=Outcome.REFUSED))

    assert of("it ended at 2026-11-01T00:00:00Z") == of("it ended at 2026-11-02T09:30:00Z")


@pytest.mark.parametrize(
    ("folder", "file", "named"),
    [("", "a", "a"), ("x/y", "a", "x/y/a"), ("x", "", ""), ("", "", "")],
)
def test_a_file_is_named_from_the_top(folder: str, file: str, named: str) -> None:
    assert from_top(folder, file) == named


def test_a_change_is_placed_from_the_top() -> None:
    git = GitFacts(head="1" * 40, folder="ops")
    found = remarks(replace(cases.report(cases.item(cases.deleted())), git=git))
    assert [one.file for one in found] == ["ops/plans/old-1.yaml"]
