"""The bare lines that are left where no format can be drawn."""

from __future__ import annotations

from dataclasses import replace

from planops.core.model import Mark, Problem, Severity
from planops.core.report import Outcome, StepResult
from planops.render import bare
from render.cases import created, item, report, same, target, updated


def test_every_plan_of_which_there_is_something_to_say_has_its_line() -> None:
    done = item(created(), Outcome.APPLIED)
    results = (StepResult.DONE, *(StepResult.SKIPPED,) * (len(updated().steps) - 1))
    half = replace(item(updated(), Outcome.FAILED), results=results, id="64f1", error="no; look")
    whole = replace(report(done, half, same("quiet")), problems=(
        Problem(severity=Severity.ERROR, code="x", message="no key",
                mark=Mark(file="plans/a.yaml", line=3, column=1)),
        Problem(severity=Severity.WARNING, code="y", message="no files"),
    ))  # fmt: skip
    lines = list(bare.lines(whole))
    assert lines[0] == "plans/a.yaml:3:1: error: no key"
    assert lines[1] == "files: warning: no files"
    assert lines[2].startswith(f"{created().key}: applied")
    assert (
        lines[3]
        == f"{updated().key}: failed (the plan 64f1), 1 of {len(results)} calls made: no; look"
    )
    assert len(lines) == 4


def test_a_target_says_what_ails_it() -> None:
    wrong = replace(target(), error="it is gone", unrecorded="the ledger is gone")
    plain = replace(item(created(), Outcome.STALE), results=(), id=None)
    whole = replace(report(), targets=(wrong, target(plain)))
    assert list(bare.lines(whole)) == [
        "zadig-prod: error: it is gone",
        "zadig-prod: not recorded: the ledger is gone",
        f"{created().key}: stale",
    ]
