"""Release windows in words and as a diagram that no name can break."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from planops.core.model import JSON, Manage, PlanKey
from planops.core.report import ChangeReport
from planops.render.windows import MOST_ROWS, Window, gantt, lasting, rows, window
from render import cases, review_cases
from render.hostile import HOSTILE

START, END = cases.START, cases.END
# Mermaid's own rules for a gantt's lines, in their order, case-insensitive; the first one that
# matches at a place wins, whatever comes later would be longer.
TOKENS = (
    ("directive", r"%%\{"),
    ("access", r"acc(?:Title|Descr)\s*[:{]"),
    ("comment", r"%%(?!\{)[^\n]*|[^}]%%*[^\n]*|%%*[^\n]*\n*|#[^\n]*"),
    ("newline", r"\n+"),
    ("blank", r"\s+"),
    ("call", r"href\s+\"|call\s+|click\s+"),
    ("gantt", r"gantt"),
    ("dateFormat", r"dateFormat\s[^#\n;]+"),
    ("flag", r"inclusiveEndDates|topAxis"),
    ("axisFormat", r"axisFormat\s[^#\n;]+"),
    ("setting", r"(?:tickInterval|includes|excludes|todayMarker|weekday)\s[^#\n;]+"),
    ("date", r"\d\d\d\d-\d\d-\d\d"),
    ("title", r"title\s[^#\n;]+"),
    ("section", r"section\s[^#:\n;]+"),
    ("label", r"[^#:\n;]+"),
    ("data", r":[^#\n;]+"),
    ("invalid", r"."),
)
LEXER = re.compile("|".join(f"(?P<{name}>{rule})" for name, rule in TOKENS), re.IGNORECASE)


def lexed(diagram: str) -> list[str]:
    found = (str(match.lastgroup) for match in LEXER.finditer(diagram))
    return [name for name in found if name not in {"newline", "blank"}]


def named(name: str, target: str = "prod") -> ChangeReport:
    of = cases.plan("x", start_time=START, end_time=END)
    change = cases.change(of, cases.live("x", "planning"))
    return review_cases.shared(replace(change, key=PlanKey(target=target, name=name)), goal=True)


HEAD = ["gantt", "title", "dateFormat", "axisFormat"]


@pytest.mark.parametrize(
    "name",
    [
        HOSTILE,
        "gantt",
        "title x",
        "section x",
        "click p1 href",
        "2026-12-01",
        "a:crit, p9, 2026-01-01, 1d",
        'x\nclick p1 href "https://e.vil"',
        "%%{init: {}}%%",
        "%% comment",
        "a#b;c",
        "dateFormat X",
        "topAxis",
        "accTitle: x",
        "",
        "名前",
    ],
)
def test_a_name_is_a_label_and_nothing_else(name: str) -> None:
    diagram = gantt(rows([named(name, target=name)], []))
    assert lexed(diagram) == [*HEAD, "section", "label", "data"]
    assert diagram.count("\n") == 5


def test_the_rules_of_mermaid_find_what_is_wrong() -> None:
    assert lexed("gantt\n  click p1 href")[1] == "call"
    assert lexed("a b :p1, 2026")[0] == "label"
    assert lexed("2026-12-01 :p1")[0] == "date"


def test_plans_that_take_place_meanwhile_are_drawn_beside_those_concerned() -> None:
    ours = named("ours")
    meanwhile = replace(named("meanwhile"), share=None)
    later = replace(
        named("later"),
        change=replace(
            named("later").change, plan=cases.plan("l", start_time=END, end_time=END + 9)
        ),
    )
    found = rows([ours], [later, meanwhile])
    assert [item.change.key.name for item, _ in found] == ["ours", "meanwhile"]
    diagram = gantt(found)
    assert "▶ ours :active, p1, 2026-12-01 14:00, 2026-12-01 18:00" in diagram
    assert "· meanwhile :p2," in diagram


def test_a_diagram_is_bounded_and_parted_by_target() -> None:
    many = [named(f"p{n}", target=f"t{n > 9}") for n in range(80)]
    diagram = gantt(rows(many, []))
    assert diagram.count(":active, ") == MOST_ROWS
    assert diagram.count("    section ") == 2


def test_a_refused_plan_stands_out() -> None:
    blocked = named("blocked")
    change = replace(blocked.change, refusals=cases.refused().refusals)
    assert ":crit, " in gantt(rows([replace(blocked, change=change)], []))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, None),
        ({"start_time": 0, "end_time": None}, None),
        ({"start_time": START}, "from 2026-12-01 14:00Z"),
        ({"end_time": END}, "until 2026-12-01 18:00Z"),
        ({"start_time": START, "end_time": END}, "2026-12-01 14:00Z to 18:00Z"),
        (
            {"start_time": START, "end_time": END + 86_400},
            "2026-12-01 14:00Z to 2026-12-02 18:00Z",
        ),
        ({"schedule_execute_time": START}, "runs at 2026-12-01 14:00Z"),
        ({"start_time": True, "end_time": 1e300}, None),
        ({"release_date": "2026-12-01"}, "2026-12-01"),
        ({"release_date": "2026-13-01"}, None),
        ({"release_date": "0001-01-01"}, None),
        ({"release_date": None}, None),
    ],
)
def test_a_window_in_words(spec: dict[str, Any], said: str | None) -> None:
    found = window(cases.change(cases.plan("x", **spec), None))
    assert (str(found) if found else None) == said


def test_what_the_file_leaves_out_is_as_the_server_has_it() -> None:
    live = replace(cases.live("x", "planning"), spec={"start_time": START, "end_time": 1})
    found = window(cases.change(cases.plan("x", end_time=END), live))
    assert found == Window(start=START, end=END)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (START, START + 7200, "+2 h"),
        (START, START - 90_061, "-1 d 1 h 1 min 1 s"),
        (START, START, ""),
        (START, 0, ""),
        ("x", START, ""),
        (None, START, ""),
    ],
)
def test_how_much_later(old: JSON, new: JSON, said: str) -> None:
    assert lasting(old, new) == said


def test_a_window_is_the_one_that_the_plan_has_once_the_change_is_made() -> None:
    """What stays as it is on the server stays so in the window, and of an orphan everything."""
    of = cases.plan("x", start_time=START, end_time=END)
    there = replace(cases.live("x", "planning"), spec={"start_time": START, "end_time": END + 60})
    change = cases.change(of, there)
    left = replace(change, left=frozenset({"/spec/end_time"}))
    ignored = replace(change, plan=replace(of, manage=Manage(ignore=("/spec/end_time",))))
    gone = replace(change, orphan=review_cases.gone().orphan)
    assert window(change) == Window(start=START, end=END)
    for one in (left, ignored, gone):
        assert window(one) == Window(start=START, end=END + 60)
    assert window(replace(ignored, live=None)) == Window(start=START, end=END)
