"""JUnit XML, read back by two readers: Python's own and junitparser."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from planops.core.lifecycle import Refusal
from planops.core.report import GitFacts, Outcome, Report
from planops.render import junit
from render import cases
from render.test_render_properties import harmless, reports, slow

KINDS = {Failure: "failure", Error: "error", Skipped: "skipped"}


def read(report: Report) -> list[TestCase]:
    """Read a report with both readers, which must agree, and give its test cases."""
    rendered = junit.text(report)
    found = JUnitXml.fromstring(rendered.encode())
    assert isinstance(found, JUnitXml)
    suites: list[TestSuite] = [*found]
    read_cases = [case for suite in suites for case in suite]
    root = ET.fromstring(rendered)  # noqa: S314 - it is our own
    assert [each.get("name") for each in root.iter("testcase")] == [c.name for c in read_cases]
    groups: list[tuple[JUnitXml | TestSuite, list[TestCase]]] = [(found, read_cases)]
    groups += [(suite, [*suite]) for suite in suites]
    for counted, of in groups:
        kinds = [verdict(case) for case in of]
        assert counted.tests == len(of)
        assert counted.failures == kinds.count("failure")
        assert counted.errors == kinds.count("error")
        assert counted.skipped == kinds.count("skipped")
    return read_cases


def verdict(case: TestCase) -> str:
    """Say what became of a test case; there is one verdict at most."""
    found = [KINDS[type(result)] for result in case.result]
    assert len(found) <= 1
    return found[0] if found else "passed"


def told(report: Report) -> Iterator[tuple[str, str, str]]:
    return ((case.classname, case.name, verdict(case)) for case in read(report))


def test_a_file_is_a_test_case_and_fails_by_its_errors() -> None:
    report = replace(cases.problems(), paths=("plans/a.yaml", "plans/b.yaml", "plans/c.yaml"))
    assert [*told(report)] == [
        ("files", "plans/a.yaml", "failure"),
        ("files", "plans/b.yaml", "failure"),
        ("files", "plans/c.yaml", "passed"),
        ("files", "(no file)", "failure"),
    ]
    second = read(report)[1]
    assert second.result[0].message == "1 error"
    assert second.result[0].text == (
        "plans/b.yaml:12:5: error: descripton is no field of a plan [unknown-key]\n"
        "  hint: did you mean description?"
    )
    warned = "plans/b.yaml:4:1: warning: the window ended 2 days ago [window-over]"
    assert second.system_out == warned


def test_only_validate_tells_of_files_that_are_right() -> None:
    report = replace(cases.problems(), command="diff", paths=("plans/c.yaml",))
    assert "plans/c.yaml" not in [name for _, name, _ in told(report)]
    assert [*told(replace(report, problems=()))] == []


def test_a_warning_fails_nothing() -> None:
    problems = tuple(one for one in cases.problems().problems if one.severity.value == "warning")
    assert [*told(replace(cases.problems(), problems=problems))] == [
        ("files", "plans/b.yaml", "passed")
    ]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.UNCHANGED, "passed"),
        (Outcome.PENDING, "passed"),
        (Outcome.APPLIED, "passed"),
        (Outcome.PARKED, "passed"),
        (Outcome.REFUSED, "failure"),
        (Outcome.FAILED, "failure"),
        (Outcome.STALE, "failure"),
        (Outcome.UNKNOWN, "error"),
        (Outcome.SKIPPED, "skipped"),
    ],
)
def test_an_outcome_is_a_verdict(outcome: Outcome, expected: str) -> None:
    item = cases.item(cases.moved(), outcome)
    assert [*told(cases.report(item, command="apply"))] == [("zadig-prod", "billing-3", expected)]


def test_every_outcome_is_one_of_those() -> None:
    shown = test_an_outcome_is_a_verdict.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {outcome for outcome, _ in shown} == {*Outcome}


def test_a_failure_says_why_and_a_plan_who_is_next() -> None:
    found = {case.name: case for case in read(cases.applied())}
    failed = found["search-7-1"].result[0]
    assert failed.message == (
        "failed; zadig-prod: finish planning of search-7-1: 403: only the manager may; ask zhou"
    )
    assert failed.text.startswith("plans/search-7-1.yaml:14\nfailed\nzadig-prod: ")
    assert found["mobile-9"].system_out == (
        "nothing to do; wait_for_approval, an approver is next; the goal is success"
    )
    assert found["payments-2026-10"].result[0].message.startswith("skipped: not attempted; ")


def test_no_time_is_told() -> None:
    assert "time=" not in junit.text(cases.applied())


def test_drift_fails_where_drift_is_asked_for() -> None:
    item = cases.item(cases.drifted(), Outcome.UNCHANGED)
    assert next(iter(told(cases.report(item))))[2] == "passed"
    (case,) = read(cases.report(item, command="drift"))
    assert verdict(case) == "failure"
    assert case.result[0].message == "nothing to do, but 1 field differs (description)"


def test_a_target_that_is_stopped_is_a_test_case_of_its_own() -> None:
    refusal = Refusal(guard="mass-change", message="6 of 7 plans", lift="--allow mass-change=6")
    refused = replace(cases.target(), refusals=(refusal,))
    broken = replace(cases.target(name="other"), error="no answer", unrecorded="no push")
    report = Report(command="apply", targets=(refused, broken))
    assert [*told(report)] == [
        ("zadig-prod", "(the whole target)", "failure"),
        ("other", "(the whole target)", "error"),
    ]
    lifted = "refused by mass-change: 6 of 7 plans (lifted by --allow mass-change=6)"
    assert [case.result[0].text for case in read(report)] == [lifted, "no answer\nno push"]


def test_files_are_named_from_the_top_of_the_repository() -> None:
    git = GitFacts(head="1" * 40, folder="ops")
    report = replace(cases.applied(), git=git, problems=cases.problems().problems)
    found = ET.fromstring(junit.text(report)).iter("testcase")  # noqa: S314 - it is our own
    files = {each.get("name"): each.get("file") for each in found}
    assert files["mobile-9"] == "ops/plans/mobile-9.yaml"
    assert files["plans/a.yaml"] == "ops/plans/a.yaml"
    assert files["(no file)"] is None


@slow
@given(reports)
def test_whatever_a_report_says_both_readers_read_it(report: Report) -> None:
    rendered = junit.text(report)
    assert harmless(rendered)
    assert "##[" not in rendered
    assert not any(line.lstrip().startswith("::") for line in rendered.split("\n"))
    plans = sum(len(target.changes) for target in report.targets)
    assert len(read(report)) >= plans
