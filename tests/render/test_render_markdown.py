"""What stands in a comment or a job summary, beyond the golden files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planops.core.changes import ChangeKind, StepKind
from planops.core.report import ChangeReport, Outcome, Report
from planops.render import markdown
from planops.render.escape import code, cut, fence, in_json, terminal
from planops.render.escape import markdown as escaped_sentence
from render import cases
from render.markdown_rules import check


def many(number: int) -> Report:
    def one(index: int) -> ChangeReport:
        plan = cases.plan(f"plan-{index}")
        step = cases.step(StepKind.UPDATE, f"/{index}", {"text": "x" * 20 * index})
        live = cases.live(plan.key.name, "planning")
        return cases.item(cases.change(plan, live, kind=ChangeKind.UPDATE, steps=(step,)))

    return cases.report(*(one(index) for index in range(number)))


def test_whole_plans_are_left_out_to_keep_to_a_size_and_with_them_their_approval() -> None:
    report = many(30)
    short = markdown.text(report, limit=15_000)
    assert len(short.encode()) <= 15_000
    check(short)
    assert "plans are left out to keep this short" in short
    largest, smallest = report.changes[-1], report.changes[0]
    assert short.count(largest.fingerprint) == 0
    assert short.count(smallest.fingerprint) == 2
    assert code(str(largest.change.key)) in short  # the table still names it
    assert "left out" not in markdown.text(report)


def test_rows_and_problems_are_counted_where_they_do_not_fit() -> None:
    report = replace(many(60), problems=cases.problems().problems * 20)
    short = markdown.text(report, limit=9_000)
    assert len(short.encode()) <= 9_000
    check(short)
    assert "| … and " in short
    assert "- … and " in short


def test_of_what_was_not_compared_no_call_is_known() -> None:
    quiet = cases.report(cases.item(cases.change(cases.plan("a"), cases.live("a", "planning"))))
    (target,) = quiet.targets
    away = replace(target, name="away", error="no answer")
    blind = (
        replace(quiet, targets=(target, away)),
        replace(quiet, problems=cases.problems().problems),
    )
    for report in blind:
        found = markdown.text(report)
        check(found)
        assert "No call to make is known: not everything could be compared." in found
        assert "No calls to make" not in found
    assert "No calls to make." in markdown.text(quiet)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.STALE, Outcome.SKIPPED])
def test_calls_that_were_not_made_are_not_said_to_be_none(outcome: Outcome) -> None:
    change = cases.change(cases.plan("a"), cases.live("a", "planning"))
    report = replace(cases.report(cases.item(change, outcome=outcome)), command="apply")
    assert "Not all calls were made, as far as is known." in markdown.text(report)
    adopting = replace(report, command="adopt")
    assert "Not all calls" not in markdown.text(adopting)


def test_what_cannot_be_shortened_is_left_to_the_whole_report() -> None:
    short = markdown.text(many(20), limit=300)
    assert "too large to be shown here" in short
    assert len(short.encode()) <= 300


def test_the_urgent_comes_first() -> None:
    found = markdown.text(cases.applied(), times=cases.TIMES)
    names = ("billing-3", "search-7-1", "old-1", "checkout-2026-12", "payments-2026-10", "mobile-9")
    places = [found.index(f"**<code>zadig-prod/{name}</code>**") for name in names]
    assert places == sorted(places)


def test_long_differences_are_cut_with_a_count() -> None:
    delta = cases.delta("/spec/x", "a", "\n".join("abc"[i % 3] for i in range(90)))
    change = replace(cases.drifted(), deltas=(delta,))
    found = markdown.text(cases.report(cases.item(change, Outcome.UNCHANGED)))
    assert "more lines @@" in found
    check(found)


@pytest.mark.parametrize(
    ("said", "escaped"),
    [
        ("two plain words, and more.", "two plain words, and more."),
        ("don't re-run (yet)", "don't re-run (yet)"),
        ("ask @team", "ask <code>&#64;<wbr>team</code>"),
        ("1. first", "<code>1</code>. first"),
        ("12 plans", "12 plans"),
        ("see #1.", "see <code>&#35;1</code>."),
        ("::error::x", "<code>&#58;&#58;error&#58;&#58;x</code>"),
        ("at www.x.example", "at <code>www&#46;x.example</code>"),
        ("a  b", "a b"),
        ('"', "<code>&#34;</code>"),
        ("a\nb", "<code>a&#92;nb</code>"),
        ("", ""),
    ],
)
def test_a_sentence_stays_readable_in_markdown(said: str, escaped: str) -> None:
    assert escaped_sentence(said) == escaped


@pytest.mark.parametrize(
    ("said", "escaped"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("\u202eabc\u2066", r"\u202eabc\u2066"),
        ("a\r\n\tb", r"a\r\n\tb"),
        ("\u200b\u2028\ufeff\u200f", r"\u200b\u2028\ufeff\u200f"),
        ("\U000e0041\U000e0100\u3164", r"\U000e0041\U000e0100\u3164"),
        ("\ud800\u0378", r"\ud800\u0378"),
        ("名前 é 🚀", "名前 é 🚀"),
        ("  ::error::", r"  \x3a:error::"),
        ("x ##[group] ##vso[task]", r"x #\x23[group] #\x23vso[task]"),
        ("## heading", "## heading"),
    ],
)
def test_a_terminal_shows_what_is_invisible(said: str, escaped: str) -> None:
    assert terminal(said) == escaped


def test_a_fence_is_longer_than_any_run_of_backticks() -> None:
    assert fence("a ```` b", "json") == "`````json\na ```` b\n`````"
    assert fence("a") == "```\na\n```"


def test_json_escapes_are_units_of_utf_16() -> None:
    assert in_json('"\x7f\U000e0001"') == '"\\u007f\\udb40\\udc01"'
    assert in_json('"##[x]"') == '"#\\u0023[x]"'


def test_a_cut_keeps_to_its_limit_and_counts() -> None:
    assert cut("x" * 100, 100) == "x" * 100
    assert cut("x" * 101, 100) == "x" * 80 + "… (+21 characters)"
    assert cut("x" * 30, 4) == "xx… (+28 characters)"
    assert cut("x" * 30, None) == "x" * 30
