"""What a person reads on a terminal, case by case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planops.core.changes import Cause, ChangeKind, Delta, StepKind
from planops.core.lifecycle import Actor, Edge, Move, Refusal, Route, Standing
from planops.core.model import ABSENT, Value
from planops.core.report import ChangeReport, Outcome, Report, StepResult, TargetReport
from planops.render import text
from render import cases


def shown(*items: ChangeReport, command: str = "diff", width: int = 100) -> str:
    return text.text(cases.report(*items, command=command), width=width, times=cases.TIMES)


def standing(route: Route, *, goal: str | None = "executing", state: str = "planning") -> str:
    change = cases.change(cases.plan("a", state=goal), cases.live("a", state), route)
    refusal = Refusal(guard="g", message="m")
    return shown(cases.item(replace(change, refusals=(refusal,)), Outcome.REFUSED))


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (Route(standing=Standing.AHEAD, ends="success"), "state: success, beyond the goal exec"),
        (Route(standing=Standing.UNKNOWN, ends="new"), "state: new: planops does not know this st"),
        (Route(standing=Standing.BLOCKED, ends="planning"), "state: planning, and no further"),
        (
            Route(standing=Standing.STOPPED, ends="planning"),
            "state: planning: somebody stopped it before its goal executing; left alone",
        ),
        (
            Route(standing=Standing.STOPPED, ends="planning", away=True),
            "state: planning: somebody took it away from its goal executing; left alone",
        ),
        (Route(standing=Standing.WALKING, ends="planning"), "state: planning, the goal"),
        (
            Route(standing=Standing.WALKING, moves=(cases.FINISH,), ends="finish_planning"),
            "route: planning → finish_planning, the goal",
        ),
        (
            Route(standing=Standing.WAITING, ends="planning", next_actor=Actor.SERVER),
            "state: planning, the server is next; the goal is executing",
        ),
        (
            Route(standing=Standing.WAITING, ends="executing", next_actor=Actor.PLANOPS),
            "state: executing, planops is next\n",
        ),
        (
            Route(standing=Standing.WAITING, ends="executing"),
            "state: executing, somebody else is next\n",
        ),
    ],
)
def test_where_a_plan_stands_and_who_is_next(route: Route, said: str) -> None:
    assert said in standing(route)


def test_a_plan_whose_state_is_no_matter_or_not_known_shows_none() -> None:
    blocked = Route(standing=Standing.BLOCKED)
    for kind in (Standing.UNMANAGED, Standing.REACHED, Standing.BLOCKED):
        route = blocked if kind is blocked.standing else Route(standing=kind, ends="planning")
        found = standing(route, goal=None)
        assert "state:" not in found
        assert "route:" not in found


def test_a_transition_from_elsewhere_names_where_it_starts() -> None:
    far = Edge(source="denied", target="planning", event="planning")
    route = Route(standing=Standing.WALKING, moves=(cases.FINISH, far), ends="planning")
    assert "route: planning → finish_planning → denied → planning" in standing(route)


def test_a_write_that_moves_nothing_is_no_route() -> None:
    route = Route(standing=Standing.REACHED, moves=(Move.WRITE,), ends="planning")
    assert "route:" not in standing(route)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (ABSENT, None, "/spec/x: (absent) → (null)"),
        (None, "", '/spec/x: (null) → ""'),
        ("", [], '/spec/x: "" → []'),
        ([], {}, "/spec/x: [] → {}"),
        (False, 0, "/spec/x: false → 0"),
        ("null", "(null)", '/spec/x: "null" → "(null)"'),
        ("1", 1, '/spec/x: "1" → 1'),
        ("a\n", "a", "/spec/x: 1 line → 1 line"),
        ("a\nb", [1], '/spec/x: "a\\nb" → [1]'),
    ],
)
def test_absent_null_and_empty_are_told_apart(old: Value, new: Value, said: str) -> None:
    assert said in _update(cases.delta("/spec/x", old, new))


def _update(*deltas: Delta, width: int = 100, verbose: bool = False) -> str:
    steps = (cases.step(StepKind.UPDATE, "/1", {}),)
    change = cases.change(
        cases.plan("a"), cases.live("a", "planning"), kind=ChangeKind.UPDATE, deltas=deltas,
        steps=steps,
    )  # fmt: skip
    report = cases.report(cases.item(change))
    return text.text(report, width=width, verbose=verbose, times=cases.TIMES)


def test_a_text_that_only_loses_its_last_newline_shows_that() -> None:
    found = _update(cases.delta("/spec/x", "a\nb\n", "a\nb"))
    assert "      |  a\n      |  b\n      | -\n" in found


@pytest.mark.parametrize("value", [True, "1", 0, -1, 10**15, 2.5e300])
def test_what_is_no_time_gets_no_date(value: Value) -> None:
    assert "Z)" not in _update(cases.delta("/spec/end_time", None, value))


def test_a_time_deep_in_a_plan_is_found_by_its_last_name() -> None:
    found = _update(cases.delta("/spec/jobs/text:a/end_time", None, 1.0))
    assert "(null) → 1.0 (1970-01-01T00:00:01Z)" in found


def test_long_values_are_cut_with_a_count_and_whole_when_verbose() -> None:
    long = cases.delta("/spec/x", "y" * 500, ["z" * 500])
    brief = _update(long)
    assert f'live     "{"y" * 61}"… (+439 characters)' in brief
    assert '["zzz' in brief
    assert max(map(len, brief.split("\n"))) <= 100
    assert f'"{"y" * 500}" → ["{"z" * 500}"]' in _update(long, width=2000, verbose=True)
    assert '"' + "y" * 500 + '"' in _update(long, verbose=True)


def test_a_long_difference_is_cut_with_a_count() -> None:
    change = cases.delta("/spec/x", "", "\n".join("abc"[i % 3] for i in range(60)))
    assert "| … 21 more lines" in _update(change)
    assert "more lines" not in _update(change, verbose=True)


def test_texts_of_very_many_lines_are_not_compared_line_by_line() -> None:
    change = cases.delta("/spec/x", "a\n" * 2000, "b\n" * 2000)
    assert "@@" not in _update(change)


def test_a_conflict_over_several_lines_shows_all_three_values() -> None:
    clash = Delta(path="/spec/x", cause=Cause.CONFLICT, base="a\nb", desired="a\nc", live="a\nd")
    found = _update(clash)
    assert "/spec/x: 2 lines → 2 lines  [conflict" in found
    assert "| -d" in found
    assert 'base     "a\\nb"' in found


def test_verbose_shows_unchanged_plans_and_whole_bodies() -> None:
    report = cases.report(cases.same("alpha-1"), cases.item(cases.created()))
    found = text.text(report, verbose=True)
    assert '. unchanged   alpha-1  "Alpha 1"' in found
    assert '"content": "Hello",\n' in found
    assert "unchanged   alpha-1" not in text.text(report)


def test_the_id_of_a_plan_just_created_is_said() -> None:
    item = replace(cases.item(cases.created(), Outcome.APPLIED), id="42")
    assert "outcome: applied, id 42\n" in shown(item, command="apply")


def test_every_step_says_what_became_of_it() -> None:
    results = (StepResult.DONE, StepResult.FAILED, StepResult.UNKNOWN, StepResult.SKIPPED)
    found = shown(cases.item(cases.refused(), Outcome.FAILED, results=results), command="apply")
    for number, result in enumerate(results, start=1):
        assert f"{number}. {result.value} " in found


def test_a_plan_that_no_file_names_is_called_by_what_the_server_calls_it() -> None:
    change = cases.deleted()
    unnamed = replace(change, plan=replace(change.plan, spec={}))
    assert '"Old 1"' in shown(cases.item(unnamed))
    assert '"old-1"' in shown(cases.item(replace(unnamed, live=None)))


def test_a_query_is_part_of_the_call() -> None:
    change = cases.deleted()
    step = change.steps[0]
    asked = replace(step, request=replace(step.request, query=(("a b", "&"),)))
    assert "?a+b=%26" in shown(cases.item(replace(change, steps=(asked,))))


def test_a_call_without_a_known_digest_shows_none() -> None:
    assert "digest" not in shown(replace(cases.item(cases.deleted()), digests=()))


def test_a_step_whose_edge_is_not_on_the_route_still_warns() -> None:
    change = replace(cases.moved(), route=Route(standing=Standing.REACHED, ends="x"))
    assert "! hazard: finish_planning → wait_for_approval: asks" in shown(cases.item(change))


def test_reading_goes_on_in_a_narrow_terminal() -> None:
    assert "checkout-2026-12" in shown(cases.item(cases.created()), width=1)


LAST = {
    "stopped by a bug in planops: 1 failed": (replace(
        cases.item(cases.moved(), Outcome.FAILED), bug=True),),
    "nothing to do: 1 unchanged, 1 parked": (
        cases.same("a"), cases.item(cases.parked(), Outcome.PARKED)),
    "1 unchanged; drift in 1 plan": (cases.item(cases.drifted(), Outcome.UNCHANGED),),
    "1 refused; conflict in 1 plan": (cases.item(cases.refused(), Outcome.REFUSED),),
    "in sync: 1 plan as declared": (cases.same("a"),),
}  # fmt: skip


@pytest.mark.parametrize("said", LAST)
def test_the_last_lines_sum_up(said: str) -> None:
    assert said in shown(*LAST[said]).lower()


def _bare(*targets: TargetReport, files: int = 0, command: str = "diff") -> str:
    return text.text(Report(command=command, targets=targets, files=files))


def test_runs_without_changes_say_why() -> None:
    target = cases.target()
    assert "In sync: no plans declared, nothing to do." in _bare(target)
    assert "2 files read, no problems." in _bare(files=2, command="validate")
    kept = _bare(replace(target, live=3, managed=2), command="drift")
    assert "3 plans on the server, 2 in files: none of them shown\n" in kept
    assert "No drift: nothing that was applied was changed on the server." in kept
    broken = _bare(replace(target, error="no answer from the server"))
    assert "1 target stopped." in broken
    assert "error: no answer" in broken
    refusal = Refusal(guard="empty", message="the server shows no plan", lift="--allow empty")
    closed = _bare(replace(target, refusals=(refusal,)), cases.target(cases.same("a")))
    assert "\n1 unchanged; 1 target stopped." in closed
    assert "Next: 1 target refused" in closed
    assert "In sync" not in closed


def test_a_warning_alone_leaves_the_rest_in_sync() -> None:
    warning = cases.problems().problems[1]
    report = replace(cases.in_sync(), problems=(warning,))
    assert "In sync" in text.text(report)
    assert "1 file read, 1 warning." in text.text(
        Report(command="validate", files=1, problems=(warning,))
    )


def test_calls_of_a_stopped_target_are_not_promised() -> None:
    target = replace(cases.target(cases.item(cases.moved())), error="no answer")
    assert "run planops apply" not in _bare(target)


def test_git_facts_are_said_as_far_as_they_are_known() -> None:
    report = cases.in_sync()
    assert report.git is not None
    dirty = replace(report, git=replace(report.git, branch="", dirty=True))
    first = text.text(dirty).split("\n")[0]
    assert first == "planops diff  1a2b3c4d5e6f, with changes not committed"


def test_an_arrow_is_for_what_is_written() -> None:
    drift = Delta(path="/spec/description", cause=Cause.DRIFT, base="a", desired="a", live="b")
    change = replace(cases.updated(), deltas=(drift,), refusals=())
    assert '"b" → "a"' in shown(cases.item(change))
    assert '"b" ≠ "a"' in shown(cases.item(replace(change, left=frozenset({drift.path}))))
