"""Every format of every case, compared with the golden files; what is JSON, with its schema.

Run ``python -c 'from render.test_render_golden import regenerate; regenerate()'`` from ``tests/``
to write them anew, and read what changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import jsonschema
import pytest

from planops.core.report import Report
from planops.render import github, gitlab, junit, markdown, outcome, review, sarif, text
from planops.render import json as as_json
from render import cases, review_cases
from render.cases import TIMES

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = Path(__file__).parents[2] / "schemas" / "report.schema.json"
VERSION = "0.0.0-test"
CASES = {**cases.CASES, **review_cases.CASES}
OUTCOMES = ("applied", "hostile", "in_sync", "mixed")

FORMATS: Mapping[str, Callable[[Report], str]] = {
    "txt": lambda report: text.text(report, times=TIMES),
    "verbose.txt": lambda report: text.text(report, times=TIMES, verbose=True),
    "ansi": lambda report: text.text(report, times=TIMES, colour=True),
    "md": lambda report: (
        review.text(report, times=TIMES) if report.review else markdown.text(report, times=TIMES)
    ),
    "json": lambda report: as_json.text(report, version=VERSION),
    "github": github.text,
    "gitlab.json": gitlab.text,
    "sarif": lambda report: sarif.text(report, version=VERSION),
    "junit.xml": junit.text,
}


def regenerate() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for case, make in CASES.items():
        for suffix, render in FORMATS.items():
            (GOLDEN / f"{case}.{suffix}").write_text(render(make()), encoding="utf-8", newline="\n")
    for case in OUTCOMES:
        path = GOLDEN / f"{case}.outcome.md"
        path.write_text(outcome.text(CASES[case]()), encoding="utf-8", newline="\n")


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("case", CASES)
def test_a_report_reads_as_its_golden_file(case: str, suffix: str) -> None:
    rendered = FORMATS[suffix](CASES[case]())
    assert rendered == (GOLDEN / f"{case}.{suffix}").read_bytes().decode("utf-8")


@pytest.mark.parametrize("case", OUTCOMES)
def test_an_outcome_reads_as_its_golden_file(case: str) -> None:
    rendered = outcome.text(CASES[case]())
    assert rendered == (GOLDEN / f"{case}.outcome.md").read_bytes().decode("utf-8")


@pytest.mark.parametrize("case", CASES)
def test_a_json_report_is_what_its_schema_says(case: str) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    found = json.loads(as_json.text(CASES[case](), version=VERSION))
    jsonschema.Draft202012Validator(schema).validate(found)


def test_there_is_no_golden_file_of_a_case_that_is_gone() -> None:
    wanted = {f"{c}.{s}" for c in CASES for s in FORMATS} | {f"{c}.outcome.md" for c in OUTCOMES}
    assert {path.name for path in GOLDEN.iterdir()} == wanted
