"""Which change asks whom, and what is put to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core import values
from planops.core.attribution import NOTHING, Touches, asks_git, asks_server, blamed, touched
from planops.core.changes import Cause, Change, Delta
from planops.core.lifecycle import Route, Standing
from planops.core.model import Blame, Live, Touch, Witness

ALICE = Touch(by="Alice", at=7, witness=Witness.HISTORY)
BOB = Touch(by="Bob", at=9, witness=Witness.LAST_EDIT)
BLAME = Blame(commit="c" * 40, author="Ann", line=3)


def of(
    *causes: Cause, standing: Standing = Standing.REACHED, by: str = "Bob", at: int = 9
) -> Change:
    live = replace(values.live(), updated_by=by, updated_at=at)
    deltas = tuple(Delta(path=f"/spec/{n}", cause=cause) for n, cause in enumerate(causes))
    return replace(
        values.change(), live=live, deltas=deltas, route=Route(standing=standing, ends="draft")
    )


@pytest.mark.parametrize("cause", Cause)
def test_the_server_is_asked_about_what_was_done_there(cause: Cause) -> None:
    assert asks_server(of(cause)) is (cause in {Cause.DRIFT, Cause.CONFLICT})


@pytest.mark.parametrize("standing", Standing)
def test_the_server_is_asked_who_stopped_a_plan(standing: Standing) -> None:
    assert asks_server(of(standing=standing)) is (standing is Standing.STOPPED)


def test_nothing_is_asked_of_a_plan_that_is_not_there() -> None:
    gone = replace(of(Cause.DRIFT), live=None)
    assert not asks_server(gone)
    assert touched(gone) == gone


def test_each_delta_of_theirs_gets_its_hand_and_else_the_last_edit() -> None:
    change = of(Cause.EDIT, Cause.DRIFT, Cause.CONFLICT, Cause.RELEASED)
    found = touched(change, Touches(state=ALICE, paths={"/spec/1": ALICE, "/spec/0": ALICE}))
    assert [delta.touch for delta in found.deltas] == [None, ALICE, BOB, None]
    assert found.touch is None  # nobody stopped it


def test_a_change_of_ours_stays_as_it_is() -> None:
    change = of(Cause.EDIT)
    assert touched(change, Touches(state=ALICE)) is change


def test_who_stopped_a_plan_is_put_to_the_change() -> None:
    stopped = of(standing=Standing.STOPPED)
    assert touched(stopped, Touches(state=ALICE)).touch == ALICE
    assert touched(stopped, NOTHING).touch == BOB
    nobody: Live = replace(values.live(), updated_by="", updated_at=0)
    assert touched(replace(stopped, live=nobody)).touch is None


def test_a_name_or_a_time_alone_is_told() -> None:
    for by, at in (("Bob", 0), ("", 9)):
        (delta,) = touched(of(Cause.DRIFT, by=by, at=at)).deltas
        assert delta.touch == replace(BOB, by=by, at=at)


def test_git_is_asked_about_deltas_and_about_a_goal_that_moves_the_plan() -> None:
    change = of(Cause.EDIT, Cause.DRIFT)
    wanted, gone = change.deltas
    change = replace(change, deltas=(replace(wanted, desired=None), gone))
    assert asks_git(change) == {"/spec/0": True, "/spec/1": False}
    assert asks_git(of()) == {}
    moving = replace(of(), route=Route(standing=Standing.WALKING, moves=(values.edge("a", "b"),)))
    assert asks_git(replace(moving, plan=values.plan(state=None))) == {}
    assert asks_git(replace(moving, plan=values.plan(state="done"))) == {"/state": True}


def test_what_git_says_is_put_where_it_belongs() -> None:
    found = blamed(of(Cause.EDIT, Cause.EDIT), {"/spec/1": BLAME, "/state": replace(BLAME, line=9)})
    assert [delta.blame for delta in found.deltas] == [None, BLAME]
    assert found.goal == replace(BLAME, line=9)
