"""SARIF and GitLab's Code Quality: valid, bounded, and every entry with a name of its own.

The schema is that of OASIS for SARIF 2.1.0 in the edition that SchemaStore publishes
(2.1.0-rtm.5, Apache License 2.0), its line breaks made those of this repository.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planops.core.model import Mark, Problem, Severity
from planops.core.report import ExitCode, GitFacts, Report
from planops.render import gitlab, sarif
from planops.render.remarks import remarks
from render import cases
from render.test_render_properties import harmless, reports, slow, words

SCHEMA = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA)
RELATIVE = re.compile(r"(?!/)(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})*")
SEVERITIES = ["blocker", "critical", "major", "minor", "info"]
LEVELS = ["error", "warning", "note"]


def run(report: Report) -> Any:
    """Render, validate, and give the one run with what holds of every run checked."""
    rendered = sarif.text(report, version="1.2.3")
    assert harmless(rendered)
    assert "##[" not in rendered
    found = json.loads(rendered.encode())
    VALIDATOR.validate(found)
    (only,) = found["runs"]
    rules = [rule["id"] for rule in only["tool"]["driver"]["rules"]]
    assert len({*rules}) == len(rules)
    assert {result["ruleId"] for result in only["results"]} == {*rules}
    names = [result["partialFingerprints"]["planops/v1"] for result in only["results"]]
    assert len({*names}) == len(names)
    for result in only["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert RELATIVE.fullmatch(place(result)["artifactLocation"]["uri"])
        text = result["message"]["text"]
        assert "](" not in text
        assert not {"{", "}"} & {*text.replace("{{", "").replace("}}", "")}
    order = [LEVELS.index(result["level"]) for result in only["results"]]
    assert order == sorted(order)
    return only


def place(result: Any) -> Any:
    return result["locations"][0]["physicalLocation"]


def entries(report: Report) -> Any:
    """Render for GitLab, and check what GitLab asks of every entry."""
    rendered = gitlab.text(report)
    assert harmless(rendered)
    assert "##[" not in rendered
    found = json.loads(rendered.encode())
    names = [entry["fingerprint"] for entry in found]
    assert len({*names}) == len(names)
    for entry in found:
        assert entry.keys() == {
            "description", "check_name", "fingerprint", "severity", "location",
        }  # fmt: skip
        assert entry["severity"] in SEVERITIES
        assert entry["location"]["path"]
        assert entry["location"]["lines"]["begin"] >= 1
        assert harmless(entry["description"])
    return found


def of(*problems: Problem, **more: Any) -> Report:
    return replace(Report(command="validate", problems=problems), **more)


def problem(file: str = "plans/a.yaml", message: str = "wrong", code: str = "bad") -> Problem:
    mark = Mark(file=file, line=3, column=5) if file else None
    return Problem(severity=Severity.ERROR, code=code, message=message, mark=mark)


# --------------------------------------------------------------------------------------- SARIF


def test_the_schema_is_one_and_can_say_no() -> None:
    jsonschema.Draft4Validator.check_schema(SCHEMA)
    found = json.loads(sarif.text(cases.problems(), version="1"))
    found["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(found)


@pytest.mark.parametrize("case", cases.CASES)
def test_every_case_is_valid(case: str) -> None:
    run(cases.CASES[case]())


def test_a_problem_is_a_result_of_its_rule_at_its_place() -> None:
    found = run(cases.problems())
    first = found["results"][0]
    assert first["ruleId"] == "duplicate-key"
    assert first["level"] == "error"
    assert place(first) == {
        "artifactLocation": {"uri": "plans/a.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 5, "startColumn": 3},
    }
    assert found["tool"]["driver"]["version"] == "1.2.3"
    assert found["automationDetails"]["id"] == "planops/validate/"
    assert found["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]


def test_guards_hazards_and_drift_are_rules_too() -> None:
    rules = run(cases.mixed())["tool"]["driver"]["rules"]
    assert {rule["id"]: rule["defaultConfiguration"]["level"] for rule in rules} == {
        "drift": "note",
        "hazard": "warning",
        "refused/conflict": "error",
        "refused/reopen": "error",
    }
    assert rules[0]["shortDescription"]["text"] == "a field that somebody changed on the server"
    assert rules[2]["shortDescription"]["text"] == "refused conflict"


def test_what_has_no_file_is_placed_in_the_settings() -> None:
    git = GitFacts(head="1" * 40, folder="ops/x y")
    (result,) = run(of(problem(""), git=git))["results"]
    assert place(result) == {
        "artifactLocation": {"uri": "ops/x%20y/planops.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 1},
    }


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("a b/ü%.yaml", "a%20b/%C3%BC%25.yaml"),
        ("http://e.vil/x", "http%3A/e.vil/x"),
        ("//e.vil/x", "e.vil/x"),
        ("./a#b?c", "a%23b%3Fc"),
        ("a\\b\ud800", "a%5Cb%ED%A0%80"),
    ],
)
def test_a_file_is_a_relative_reference(file: str, uri: str) -> None:
    assert sarif.uri(file) == uri


def test_no_link_and_no_placeholder_comes_of_a_message() -> None:
    (result,) = run(of(problem(message="[here](http://e.vil) {0} ${env:A}")))["results"]
    assert result["message"]["text"] == "bad: [here] (http://e.vil) {{0}} ${{env:A}}"


def test_results_are_capped_the_worst_kept_and_the_others_counted() -> None:
    mild = Severity.WARNING
    many = [replace(problem(message=f"{n:x}g"), severity=mild) for n in range(sarif.MOST + 2)]
    found = run(of(*many, problem()))
    assert len(found["results"]) == sarif.MOST
    assert found["results"][0]["level"] == "error"
    (notice,) = found["invocations"][0]["toolExecutionNotifications"]
    assert notice["message"]["text"].startswith("3 results left out: ")


def test_a_run_that_was_halted_says_so() -> None:
    halted = replace(cases.in_sync(), ended=ExitCode.INTERRUPTED)
    assert run(halted)["invocations"] == [{"executionSuccessful": False, "exitCode": 130}]
    unseen = Report(command="diff", targets=(replace(cases.target(), error="no answer"),))
    assert not run(unseen)["invocations"][0]["executionSuccessful"]


def test_a_rule_without_a_name_is_a_problem() -> None:
    (rule,) = run(of(problem(code="")))["tool"]["driver"]["rules"]
    assert rule["shortDescription"]["text"] == "problem"


@slow
@given(reports)
def test_whatever_a_report_says_it_is_valid_sarif(report: Report) -> None:
    assert len(run(report)["results"]) == len(remarks(report))


@slow
@given(st.lists(words, max_size=4), words)
def test_a_reference_never_leaves_the_repository_by_a_scheme_or_host(
    parts: list[str], name: str
) -> None:
    assert RELATIVE.fullmatch(sarif.uri("/".join([*parts, name])))


# -------------------------------------------------------------------------------------- GitLab


def test_an_entry_says_what_gitlab_asks_for() -> None:
    first = entries(cases.problems())[0]
    assert re.fullmatch("[0-9a-f]{32}", first.pop("fingerprint"))
    assert first == {
        "description": (
            "duplicate-key: name stands twice in this mapping, first in line 3; remove one of them"
        ),
        "check_name": "duplicate-key",
        "severity": "critical",
        "location": {"path": "plans/a.yaml", "lines": {"begin": 5}},
    }
    assert entries(cases.in_sync()) == []


def test_an_entry_weighs_what_it_means() -> None:
    found = [*entries(cases.applied()), *entries(cases.problems())]
    weights = {entry["check_name"]: entry["severity"] for entry in found}
    assert weights["outcome/failed"] == "blocker"
    assert weights["refused/reopen"] == "critical"
    assert weights["hazard"] == "major"
    assert weights["window-over"] == "minor"
    assert weights["drift"] == "info"


def test_an_entry_without_a_file_is_placed_in_the_settings() -> None:
    (entry,) = entries(of(problem("")))
    assert entry["location"] == {"path": "planops.yaml", "lines": {"begin": 1}}


@slow
@given(reports)
def test_whatever_a_report_says_gitlab_can_read_it(report: Report) -> None:
    assert len(entries(report)) == len(remarks(report))
