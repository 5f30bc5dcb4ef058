"""What is said of plans that are taken over: no call is made, and the next deed is another one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from planops.core.changes import Cause, ChangeKind, Delta
from planops.core.lifecycle import Refusal
from planops.core.model import Problem, Severity
from planops.core.report import ChangeReport, ExitCode, Outcome, Report, exit_code
from planops.render import closing
from planops.render import json as as_json
from planops.render.text import text
from planops.render.wording import deed
from render import cases

EDIT = Delta(path="/spec/description", cause=Cause.EDIT, desired="ours", live="theirs")


def adoptee(name: str, outcome: Outcome, *deltas: Delta, error: str = "") -> ChangeReport:
    made = cases.change(
        cases.plan(name), cases.live(name, "planning"), kind=ChangeKind.ADOPT, deltas=deltas
    )
    if outcome is Outcome.REFUSED:
        made = replace(made, refusals=(Refusal(guard="adopt", message="no file can say that"),))
    return cases.item(made, outcome, error=error)


def adopting(*items: ChangeReport) -> Report:
    return cases.report(*items, command="adopt")


def test_a_plan_to_adopt_has_a_symbol_a_word_and_no_call() -> None:
    found = text(adopting(adoptee("a", Outcome.PENDING), adoptee("b", Outcome.APPLIED)))
    assert '  @ adopt       a  "A"  plans/a.yaml:1\n' in found
    assert '  @ adopt       b  "B"  plans/b.yaml:1  applied\n' in found
    assert "1 to adopt, 1 applied" in found
    assert "call" not in found


def test_the_document_counts_what_is_adopted() -> None:
    said = json.loads(as_json.text(adopting(adoptee("a", Outcome.APPLIED)), version="1"))
    assert (said["command"], said["outcome"], said["exit_code"]) == ("adopt", "applied", 0)
    assert (said["summary"]["adopt"], said["summary"]["applied"]) == (1, 1)
    assert said["changes"][0]["kind"] == "adopt"


def test_what_differs_of_a_file_that_was_there_is_named() -> None:
    assert deed(adoptee("a", Outcome.APPLIED).change) == "adopt the plan"
    said = deed(adoptee("a", Outcome.APPLIED, EDIT).change)
    assert said == "adopt the plan; 1 field differs (description)"
    assert '/spec/description: "theirs" ≠ "ours"' in text(
        adopting(adoptee("a", Outcome.APPLIED, EDIT))
    )


def test_nothing_to_adopt_is_said() -> None:
    assert closing.verdict(adopting()) == "nothing to adopt"
    assert closing.next_steps(adopting()) == ()


WRONG = Problem(severity=Severity.ERROR, code="x", message="m")


@pytest.mark.parametrize(
    ("report", "code", "said"),
    [
        (
            adopting(adoptee("a", Outcome.APPLIED)),
            ExitCode.OK,
            ("commit the files that were written",),
        ),
        (
            adopting(adoptee("a", Outcome.REFUSED)),
            ExitCode.REFUSED,
            ("1 plan refused: each says what to do by hand",),
        ),
        (
            adopting(adoptee("a", Outcome.FAILED)),
            ExitCode.FAILED,
            ("mend what failed and run planops adopt again: it goes on from where it stands",),
        ),
        (
            adopting(adoptee("a", Outcome.FAILED), adoptee("b", Outcome.APPLIED)),
            ExitCode.PARTIAL,
            (
                "mend what failed and run planops adopt again: it goes on from where it stands",
                "commit the files that were written",
            ),
        ),
        (
            replace(adopting(), problems=(WRONG,)),
            ExitCode.FAILED,
            ("mend 1 error in the files; their targets are not called",),
        ),
        (
            replace(adopting(), targets=(replace(cases.target(), unrecorded="no"),)),
            ExitCode.UNKNOWN,
            ("see to the ledger, and run planops adopt again: it records what is there",),
        ),
        (
            replace(adopting(), targets=(replace(cases.target(), error="no"),)),
            ExitCode.FAILED,
            ("mend what failed and run planops adopt again: it goes on from where it stands",),
        ),
    ],
)
def test_the_next_deed_and_the_code(report: Report, code: ExitCode, said: tuple[str, ...]) -> None:
    assert closing.next_steps(report) == said
    assert exit_code(report) is code
