"""Who and when, in words and in the JSON document."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from planops.core.changes import Cause, Change
from planops.core.model import Blame, Settled, Touch, Witness
from planops.render.attribution import blame, touch, who
from planops.render.document import document
from render import cases
from render.cases import ANN, BOB, GONE, LAST, NOBODY, OLD, WANG, delta


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (ANN, "git 5e6f7a8b by Ann Ellis, 2026-11-02 (Plan the checkout's release)"),
        (replace(ANN, at=0), "git 5e6f7a8b by Ann Ellis (Plan the checkout's release)"),
        (replace(ANN, at=0, author="", subject=""), "git 5e6f7a8b"),
        (NOBODY, "git: not committed"),
        (OLD, "git: older than the history of this clone"),
    ],
)
def test_a_commit_is_said_as_far_as_it_is_known(told: Blame, said: str) -> None:
    assert blame(told) == said


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (WANG, "server by wang, 2026-11-25 09:46Z"),
        (LAST, "server by wang, 2026-11-25 09:46Z (last edit)"),
        (replace(WANG, witness=Witness.VOTE, at=0), "server by wang (vote)"),
        (replace(WANG, by=""), "server, 2026-11-25 09:46Z"),
    ],
)
def test_a_hand_is_said_as_far_as_it_is_known(told: Touch, said: str) -> None:
    assert touch(told) == said


def of(*blames: Blame | None, cause: Cause = Cause.EDIT) -> Change:
    deltas = tuple(
        delta(f"/spec/f{n}", 1, 2, cause=cause, line=n or None, blame=told)
        for n, told in enumerate(blames)
    )
    return cases.change(cases.plan("a"), cases.live("a", "planning"), deltas=deltas)


def test_what_all_deltas_share_is_said_once() -> None:
    assert who(of(ANN, replace(ANN, line=99), ANN)) == (blame(ANN),)


def test_commits_are_told_apart_by_their_lines() -> None:
    at_0 = replace(ANN, line=40)
    assert who(of(at_0, BOB, ANN, ANN)) == (
        f"{blame(ANN)}: lines 2, 3, 40",
        f"{blame(BOB)}: line 1",
    )


def test_what_only_some_deltas_have_is_told_with_its_lines() -> None:
    assert who(of(None, ANN)) == (f"{blame(ANN)}: line 1",)


def test_very_many_lines_are_counted() -> None:
    assert who(of(BOB, *[ANN] * 9))[1] == f"{blame(ANN)}: lines 1, 2, 3, 4, 5, 6 and 3 more"


@pytest.mark.parametrize("cause", [Cause.DRIFT, Cause.UNKNOWN])
def test_what_git_did_not_change_is_not_laid_to_it(cause: Cause) -> None:
    assert who(of(ANN, cause=cause)) == ()


@pytest.mark.parametrize("cause", [Cause.EDIT, Cause.RELEASED])
def test_what_the_file_has_lost_is_told_with_its_last_change(cause: Cause) -> None:
    lost = f"{blame(BOB)}: last change of the file, which has lost"
    assert who(of(GONE, GONE, cause=cause)) == (f"{lost} f0, f1",)
    assert who(of(GONE, ANN, cause=cause)) == (f"{blame(ANN)}: line 1", f"{lost} f0")


def test_hands_are_told_apart_by_their_fields() -> None:
    drifted = of(None, None, cause=Cause.DRIFT)
    first, second = drifted.deltas
    zhou = replace(WANG, by="zhou")
    both = replace(drifted, deltas=(replace(first, touch=WANG), replace(second, touch=WANG)))
    assert who(both) == (touch(WANG),)
    apart = replace(drifted, deltas=(replace(first, touch=WANG), replace(second, touch=zhou)))
    assert who(apart) == (f"{touch(WANG)}: f0", f"{touch(zhou)}: f1")


def test_who_stopped_a_plan_is_said_where_it_is_known() -> None:
    stopped = cases.stopped()
    assert who(stopped) == ("server by wang, 2026-11-25 09:46Z (vote): moved to denied",)
    assert who(replace(stopped, touch=LAST)) == (touch(LAST),)
    drifted = replace(cases.drifted(), touch=WANG)
    assert who(drifted) == (f"{touch(WANG)}: moved to executing",)
    assert who(replace(drifted, live=None)) == (touch(WANG),)


def shown(change: Change) -> Any:
    report: Any = document(cases.report(cases.item(change)), version="0")
    return report["changes"][0]


def test_the_document_holds_both_sides() -> None:
    found = shown(cases.drifted())
    assert found["deltas"][0]["git"] == {
        "settled": "committed",
        "line": 8,
        "commit": ANN.commit,
        "author": "Ann Ellis",
        "at": "2026-11-02T12:00:00Z",
        "subject": "Plan the checkout's release",
    }
    server = {"by": "wang", "at": "2026-11-25T09:46:40Z", "witness": "history"}
    assert found["deltas"][0]["server"] == server
    assert "git" not in found["state"]
    assert shown(cases.stopped())["state"]["server"] == {**server, "witness": "vote"}
    assert shown(cases.moved())["state"]["git"]["line"] == 4


def test_the_document_holds_no_commit_that_is_not_known() -> None:
    git = [d["git"] for d in shown(of(OLD, NOBODY, replace(ANN, at=-1)))["deltas"]]
    assert git[:2] == [
        {"settled": Settled.BEFORE_HISTORY.value, "line": 21},
        {"settled": Settled.UNCOMMITTED.value, "line": 22},
    ]
    assert git[2]["at"] is None
    touched = replace(cases.stopped(), touch=replace(WANG, at=0))
    assert shown(touched)["state"]["server"]["at"] is None
