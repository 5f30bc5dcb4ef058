"""Commands to GitHub's runner: what becomes an annotation, where, and how many there are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planops.core.model import Mark, Problem, Severity
from planops.core.report import GitFacts, Report
from planops.render import github
from planops.render.escape import terminal
from planops.render.remarks import remarks
from render import cases, runner
from render.test_render_properties import harmless, reports, slow, words

MORE = re.compile(r"\+(\d+) more (?:error|warning|notice)s? ")


def problem(
    file: str, line: int = 1, *, severity: Severity = Severity.ERROR, message: str = "it is wrong"
) -> Problem:
    mark = Mark(file=file, line=line, column=2) if file else None
    return Problem(severity=severity, code="some-code", message=message, mark=mark)


def told(report: Report) -> list[runner.Command]:
    """What the runner makes of a report; everything in it must be an annotation."""
    found = [runner.command(line) for line in runner.lines(github.text(report))]
    commands = [each for each in found if each is not None]
    assert len(commands) == len(found)
    assert {each.name for each in commands} <= {"error", "warning", "notice"}
    return commands


def of(*problems: Problem) -> Report:
    return Report(command="validate", problems=problems)


def places(report: Report) -> list[tuple[str, str, str]]:
    return [
        (each.name, each.properties.get("file", ""), each.properties.get("line", ""))
        for each in told(report)
    ]


def test_nothing_to_say_is_no_line() -> None:
    assert github.text(cases.in_sync()) == ""


def test_every_remark_stands_at_its_place_the_worst_first() -> None:
    assert places(cases.problems()) == [
        ("error", "plans/a.yaml", "5"),
        ("error", "plans/b.yaml", "12"),
        ("error", "", ""),
        ("warning", "plans/b.yaml", "4"),
    ]
    first = told(cases.problems())[0]
    assert first.properties["col"] == "3"
    assert first.properties["title"] == "duplicate-key"
    assert first.data == "name stands twice in this mapping, first in line 3; remove one of them"


def test_a_percent_a_colon_and_a_comma_arrive_as_they_are() -> None:
    (found,) = told(of(problem("100%,a:b%0A.yaml", message="50 %, 1:2 and %0A")))
    assert found.properties["file"] == "100%,a:b%0A.yaml"
    assert found.data == "50 %, 1:2 and %0A"


@pytest.mark.parametrize(
    "said",
    [
        "a\n::stop-commands::x",
        "a\r::add-mask::x",
        "a\r\n::set-env name=PATH::x",
        "::error::x",
        "a ##[add-mask]x",
        "%0A::stop-commands::x",
        "%0a::stop-commands::x",
        "%250A::stop-commands::x",
        "a\u2028::stop-commands::x",
        "a\x85::stop-commands::x",
    ],
)
def test_no_text_starts_a_command_of_its_own(said: str) -> None:
    file = f"{said}.yaml"
    found = told(of(problem(file, message=said)))
    assert len(found) == 1
    assert found[0].properties["file"] == terminal(file)
    assert found[0].data == terminal(said)
    assert [each for each in found[0].data.split("\n") if runner.command(each)] == []
    assert [key for key in found[0].properties if key not in {"file", "line", "col", "title"}] == []


def test_ten_stand_alone_and_more_are_merged_by_file() -> None:
    ten = [problem("plans/a.yaml", line) for line in range(1, 11)]
    assert len(told(of(*ten))) == 10
    found = told(of(*ten, *(problem("plans/b.yaml", line) for line in range(1, 6))))
    assert len(found) == 10
    alone, merged = found[:8], found[8:]
    assert [each.properties["line"] for each in alone] == [str(line) for line in range(1, 9)]
    assert [each.properties["title"] for each in merged] == [
        "+2 more errors in plans/a.yaml",
        "+5 more errors in plans/b.yaml",
    ]
    assert merged[0].properties["line"] == "9"
    assert merged[0].data == ("line 9: some-code: it is wrong\nline 10: some-code: it is wrong")


def test_the_last_one_counts_what_is_left_of_too_many_files() -> None:
    found = told(of(*(problem(f"plans/{n:02}.yaml", n + 1) for n in range(40))))
    assert len(found) == 10
    assert found[-1].properties["title"] == "+31 more errors in 31 files"
    assert found[-1].data.startswith("plans/09.yaml:10: some-code: it is wrong\nplans/10.yaml:11: ")


def test_a_merged_message_that_is_too_long_says_how_many_are_left_out() -> None:
    many = [problem("plans/a.yaml", n + 1, message="x" * 500) for n in range(60)]
    last = told(of(*many))[-1]
    assert runner.length(last.data) <= runner.MESSAGE
    said = last.data.split("\n")
    assert said[-1] == f"+{51 - len(said) + 1} more: see the whole report"


def test_problems_without_a_file_are_merged_as_well() -> None:
    found = told(of(*(problem("", message=f"wrong {n}") for n in range(12))))
    assert len(found) == 10
    assert found[-1].properties == {"title": "+3 more errors without a file"}
    assert found[-1].data.startswith("some-code: wrong 9\nsome-code: wrong 10")
    mixed = [problem(f"{n:02}", n + 1) for n in range(11)] + [problem("")]
    assert told(of(*mixed))[-1].data.endswith(
        "10:11: some-code: it is wrong\nsome-code: it is wrong"
    )


def test_files_are_named_from_the_top_of_the_repository() -> None:
    below = Report(
        command="validate",
        problems=(problem("plans/a.yaml"), problem("")),
        git=GitFacts(head="1" * 40, folder="ops/releases"),
    )
    assert [file for _, file, _ in places(below)] == ["ops/releases/plans/a.yaml", ""]


files = st.integers(0, 14).map(lambda n: f"plans/{n}.yaml" if n else "")
many = st.lists(
    st.builds(problem, files, st.integers(1, 90), severity=st.sampled_from(Severity)), max_size=80
)


@slow
@given(many)
def test_every_remark_is_told_or_counted(found: list[Problem]) -> None:
    report = of(*found)
    for level in ("error", "warning"):
        mine = [each for each in told(report) if each.name == level]
        counts = [MORE.match(each.properties["title"]) for each in mine]
        asked = [each for each in remarks(report) if each.level == level]
        assert sum(int(count[1]) if count else 1 for count in counts) == len(asked)
        assert len(mine) <= runner.ANNOTATIONS


@slow
@given(reports)
def test_whatever_a_report_says_it_is_annotations_within_the_limits(report: Report) -> None:
    rendered = github.text(report)
    assert harmless(rendered)
    assert "##[" not in rendered
    found = told(report)
    assert bool(found) == bool(remarks(report))
    order = [("error", "warning", "notice").index(each.name) for each in found]
    assert order == sorted(order)
    for each in found:
        assert order.count(("error", "warning", "notice").index(each.name)) <= runner.ANNOTATIONS
        assert each.properties.keys() <= {"file", "line", "col", "title"}
        assert runner.length(each.data) <= runner.MESSAGE
        assert not any(runner.command(line) for line in each.data.split("\n"))


@slow
@given(words, words)
def test_what_is_said_arrives_visible_and_whole(message: str, file: str) -> None:
    for each in told(of(problem(file, message=message))):
        assert harmless(each.data)
        assert each.properties.get("file", "") == terminal(file)
        assert each.data == terminal(message)
        assert not {"\n", "\r"} & set(each.data)
        assert each.properties.get("line", "1") == "1"
