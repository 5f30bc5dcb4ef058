"""The report: exit codes by a written table, counts, and the word for a run's outcome."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from core.values import URL, change, refusal, step
from planops.core.changes import Cause, Change, Delta, StepKind
from planops.core.lifecycle import Actor, Standing
from planops.core.model import Problem, Severity
from planops.core.report import (
    SUMMARY,
    ChangeReport,
    ExitCode,
    Outcome,
    Report,
    StepResult,
    TargetReport,
    exit_code,
    has_changes,
    outcome,
    summary,
)

IDLE = change()
ACTING = change(step())


def item(
    result: Outcome, shown: Change | None = None, *, bug: bool = False, wrote: bool = False
) -> ChangeReport:
    acts = result not in {Outcome.UNCHANGED, Outcome.PARKED}
    return ChangeReport(
        change=shown or (ACTING if acts else IDLE),
        fingerprint="0" * 16,
        outcome=result,
        results=(StepResult.DONE,) if wrote or result is Outcome.APPLIED else (),
        bug=bug,
    )


def target(*changes: ChangeReport, error: str = "", refused: bool = False) -> TargetReport:
    return TargetReport(
        name="harbour",
        backend="ferry",
        url=URL,
        changes=changes,
        error=error,
        refusals=(refusal("empty"),) if refused else (),
    )


def problem(severity: Severity) -> Problem:
    return Problem(severity=severity, code="any", message="something")


def report(*targets: TargetReport, command: str = "apply", exit_on_changes: bool = False) -> Report:
    return Report(command=command, targets=targets, exit_on_changes=exit_on_changes)


# ------------------------------------------------------------------------------------- exit codes
#
# What may come of a run, each by itself: the letter, what it is made of, its code under apply,
# under diff, and under diff --exit-code.
PARTS: dict[str, ChangeReport] = {
    "unchanged": item(Outcome.UNCHANGED),
    "parked": item(Outcome.PARKED),
    "pending": item(Outcome.PENDING),
    "applied": item(Outcome.APPLIED),
    "refused": item(Outcome.REFUSED),
    "stale": item(Outcome.STALE),
    "failed": item(Outcome.FAILED),
    "unknown": item(Outcome.UNKNOWN),
    "skipped": item(Outcome.SKIPPED),
    "bug": item(Outcome.UNKNOWN, bug=True),
    "half": item(Outcome.FAILED, wrote=True),
}
ALONE = """
            apply  diff  --exit-code
unchanged   0      0     0
parked      0      0     0
pending     0      0     2
applied     0      0     2
skipped     0      0     2
refused     3      0     2
stale       4      4     4
failed      1      1     1
half        5      5     5
unknown     6      6     6
bug         70     70    70
"""
# Two of them in one run under apply; what is not listed gives the greater rank of the two.
RANK = (70, 6, 5, 1, 4, 3, 2, 0)
TOGETHER = """
applied failed   5
applied half     5
half failed      5
applied unknown  6
failed unknown   6
half unknown     6
unknown bug      70
failed bug       70
stale failed     1
stale half       5
refused failed   1
refused stale    4
refused unknown  6
applied refused  3
applied stale    4
applied skipped  0
parked refused   3
failed skipped   1
"""


def columns(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


@pytest.mark.parametrize(("name", "applying", "showing", "asking"), columns(ALONE)[1:], ids=str)
def test_exit_code_of_each_outcome(name: str, applying: str, showing: str, asking: str) -> None:
    held = target(PARTS[name])
    assert exit_code(report(held)) == int(applying)
    assert exit_code(report(held, command="diff")) == int(showing)
    assert exit_code(report(held, command="diff", exit_on_changes=True)) == int(asking)


def test_the_table_of_exit_codes_speaks_of_every_outcome() -> None:
    assert {row[0] for row in columns(ALONE)[1:]} == set(PARTS)
    assert {part.outcome for part in PARTS.values()} == set(Outcome)


@pytest.mark.parametrize(("one", "other", "code"), columns(TOGETHER))
def test_exit_code_of_two_outcomes_in_one_target_or_two(one: str, other: str, code: str) -> None:
    first, second = PARTS[one], PARTS[other]
    for run in (
        report(target(first, second)),
        report(target(second, first)),
        report(target(first), target(second)),
        report(target(PARTS["unchanged"], second), target(PARTS["parked"]), target(first)),
    ):
        assert exit_code(run) == int(code)


def test_of_any_outcomes_together_the_first_code_in_order_is_given() -> None:
    """Every pair; the one sum that is more than its parts is written plus failed: partial."""
    alone = {row[0]: int(row[1]) for row in columns(ALONE)[1:]}
    told = 0
    for one, other in product(PARTS, PARTS):
        code = min(alone[one], alone[other], key=RANK.index)
        if code == ExitCode.FAILED and "applied" in {one, other}:
            code = ExitCode.PARTIAL
        assert exit_code(report(target(PARTS[one], PARTS[other]))) == code, (one, other)
        told += 1
    assert told == 121


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (report(), 0),
        (report(target()), 0),
        (report(target(error="unreachable")), 1),
        (report(target(error="unreachable"), command="diff"), 1),
        (report(target(error="unreachable"), target(item(Outcome.APPLIED))), 5),
        (report(target(error="unreachable"), target(item(Outcome.UNKNOWN))), 6),
        (report(target(refused=True)), 3),
        (report(target(refused=True), command="diff"), 0),
        (report(target(item(Outcome.STALE), refused=True)), 4),
        (replace(report(target()), problems=(problem(Severity.ERROR),)), 1),
        (replace(report(target()), problems=(problem(Severity.WARNING),)), 0),
        (replace(report(target(item(Outcome.APPLIED))), problems=(problem(Severity.ERROR),)), 5),
        (replace(report(target(item(Outcome.REFUSED))), problems=(problem(Severity.ERROR),)), 1),
        (report(target(item(Outcome.SKIPPED, IDLE)), exit_on_changes=True), 0),
    ],
)
def test_exit_code_of_targets_and_files(run: Report, code: int) -> None:
    assert exit_code(run) == code


def test_codes_are_what_the_documents_say() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "OK": 0, "FAILED": 1, "CHANGES": 2, "REFUSED": 3, "STALE": 4, "PARTIAL": 5, "UNKNOWN": 6,
        "USAGE": 64, "BUG": 70, "BUSY": 75, "INTERRUPTED": 130, "TERMINATED": 143,
    }  # fmt: skip


def test_a_run_has_changes_where_anything_would_be_written() -> None:
    assert has_changes(report(target(item(Outcome.UNCHANGED), item(Outcome.REFUSED))))
    assert not has_changes(report(target(item(Outcome.UNCHANGED), item(Outcome.PARKED))))


# ------------------------------------------------------------------------------- the outcome's word


@pytest.mark.parametrize(
    ("run", "word"),
    [
        (report(), "in-sync"),
        (report(target(PARTS["unchanged"])), "in-sync"),
        (report(target(PARTS["unchanged"], PARTS["parked"])), "parked"),
        (report(target(PARTS["applied"], PARTS["parked"])), "applied"),
        (report(target(PARTS["applied"], PARTS["skipped"])), "interrupted"),
        (report(target(PARTS["failed"])), "failed"),
        (report(target(PARTS["half"])), "partial"),
        (report(target(PARTS["stale"])), "stale"),
        (report(target(PARTS["refused"])), "refused"),
        (report(target(PARTS["unknown"])), "unknown"),
        (report(target(PARTS["bug"])), "bug"),
        (report(target(PARTS["pending"], PARTS["parked"]), command="diff"), "changes"),
        (report(target(PARTS["refused"]), command="diff"), "changes"),
        (report(target(PARTS["pending"]), command="diff", exit_on_changes=True), "changes"),
        (report(target(refused=True), command="diff"), "refused"),
        (report(target(PARTS["pending"], refused=True), command="diff"), "refused"),
    ],
)
def test_a_run_is_named_in_one_word(run: Report, word: str) -> None:
    assert outcome(run) == word


# -------------------------------------------------------------------------------------- the counts

DRIFT, CONFLICT, EDIT = (
    Delta(path=f"/spec/{cause}", cause=cause) for cause in (Cause.DRIFT, Cause.CONFLICT, Cause.EDIT)
)


@pytest.mark.parametrize(
    ("changes", "counted"),
    [
        ((), {}),
        ((PARTS["unchanged"],), {"unchanged": 1}),
        ((PARTS["parked"],), {"parked": 1}),
        ((PARTS["pending"],), {"update": 1}),
        ((PARTS["applied"],), {"update": 1, "applied": 1}),
        ((PARTS["failed"], PARTS["half"]), {"update": 2, "failed": 2}),
        ((PARTS["unknown"], PARTS["bug"]), {"update": 2, "unknown": 2}),
        ((PARTS["stale"], PARTS["skipped"]), {"update": 2, "stale": 1, "skipped": 1}),
        ((item(Outcome.REFUSED),), {"update": 1, "refused": 1}),
        ((item(Outcome.REFUSED, IDLE),), {"refused": 1}),
        ((item(Outcome.PENDING, change(step(StepKind.CREATE), step())),), {"create": 1}),
        ((item(Outcome.PENDING, change(step(StepKind.TRANSITION))),), {"transition": 1}),
        ((item(Outcome.PENDING, change(step(StepKind.DELETE))),), {"delete": 1}),
        (
            (item(Outcome.PENDING, change(step(), deltas=(DRIFT, DRIFT, EDIT))),),
            {"update": 1, "drift": 1},
        ),
        (
            (item(Outcome.REFUSED, change(step(), deltas=(CONFLICT, DRIFT))),),
            {"update": 1, "drift": 1, "conflict": 1, "refused": 1},
        ),
        (
            (item(Outcome.PARKED, change(standing=Standing.STOPPED)),),
            {"parked": 1, "drift": 1},
        ),
        (
            (item(Outcome.PARKED, change(standing=Standing.WAITING, next_actor=Actor.SERVER)),),
            {"parked": 1},
        ),
    ],
)
def test_changes_are_counted_by_kind_cause_and_outcome(
    changes: tuple[ChangeReport, ...], counted: dict[str, int]
) -> None:
    found = summary(report(target(*changes)))
    assert tuple(found) == SUMMARY
    assert {name: count for name, count in found.items() if count} == counted
    split = summary(report(*(target(one) for one in changes)))
    assert split == found


def test_a_reports_changes_are_those_of_all_targets_in_order() -> None:
    first, second = PARTS["applied"], PARTS["parked"]
    assert report(target(first), target(), target(second)).changes == (first, second)
