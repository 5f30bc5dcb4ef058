"""What goes wrong while a report is published: the report is there, and so is everything else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, NoReturn

import pytest

from cli.place import TEXT
from planops.backends.exchange import Request, Response
from planops.backends.http import Http
from planops.cli.publish import Publisher
from planops.core.report import ExitCode, Report
from planops.errors import SettingsWrong
from planops.forges import outbox
from planops.render import markdown, outcome, review
from publishing.jobs import Jobs

AWKWARD = "p%:,\"<&'{x}9-token"


def broken(*_words: object, **_more: object) -> NoReturn:
    raise KeyError("oops")


def unwritable(*_words: object) -> NoReturn:
    raise SettingsWrong("GITHUB_STEP_SUMMARY: no")


def changed(jobs: Jobs) -> None:
    """Change a plan in git."""
    jobs.place.plan(description="two", jobs=[TEXT])


def drifted(jobs: Jobs) -> None:
    """Change a plan on the server."""
    plans = {str(one["name"]): str(one["id"]) for one in jobs.place.zadig.plans()}
    jobs.place.zadig.edit(plans["Plan train"], {"description": "theirs"})


def test_a_text_that_cannot_be_drawn_takes_nothing_else(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(jobs)
    pull = jobs.open()
    for module in (review, outcome, markdown):
        monkeypatch.setattr(module, "text", broken)
    ended = jobs.review(pull)
    assert (ended.code, ended.json["exit_code"]) == (ExitCode.OK, 0)
    assert "planops: bug in planops: publish: no comment: KeyError; please report it" in ended.err
    assert jobs.outputs()["has_changes"] == "true"
    jobs.merge(pull)
    ended = jobs.apply()
    assert (ended.code, ended.json["summary"]["applied"]) == (ExitCode.OK, 1)
    assert "publish: no comment: KeyError" in ended.err
    assert jobs.outputs()["has_changes"] == "true"
    drifted(jobs)
    ended = jobs.drift()
    assert (ended.code, ended.json["outcome"]) == (ExitCode.CHANGES, "changes")
    assert "publish: no issue: KeyError" in ended.err


def test_the_report_is_written_before_anything_is_published(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(jobs)
    pull = jobs.open()
    file, seen = jobs.place.folder / "report.json", list[str]()

    def publishing(_self: Publisher, report: Report, *_more: object) -> None:
        seen.append(json.loads(file.read_text())["command"])
        assert report.command == seen[-1]
        file.unlink()

    for name in ("review", "outcome", "drift"):
        monkeypatch.setattr(Publisher, name, publishing)
    jobs.review(pull, "--format", f"json={file}")
    jobs.merge(pull)
    jobs.apply("--format", f"json={file}")
    jobs.drift("--format", f"json={file}")
    assert seen == ["review", "apply", "drift"]


def test_a_number_beyond_all_bounds_is_a_wrong_answer_and_no_bug(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(jobs)
    pull = jobs.open()
    jobs.merge(pull)
    really = Http.read

    def read(self: Http, request: Request) -> Response:
        answer = really(self, request)
        whole: Any = answer.json()
        if isinstance(whole, dict) and {"number", "iid"} & whole.keys():
            name = "number" if "number" in whole else "iid"
            return replace(answer, body=json.dumps({**whole, name: 2**64}).encode())
        return answer

    monkeypatch.setattr(Http, "read", read)
    ended = jobs.apply()
    assert (ended.code, ended.json["summary"]["applied"]) == (ExitCode.OK, 1)
    assert " is no number; check the API's address" in ended.err
    assert "bug" not in ended.err


def test_one_file_that_cannot_be_written_keeps_no_other_from_it(jobs: Jobs) -> None:
    changed(jobs)
    pull = jobs.open()
    jobs.monkeypatch.setattr(outbox, "write_summary", unwritable)
    ended = jobs.review(pull)
    assert ended.code == ExitCode.OK
    assert jobs.outputs()["has_changes"] == "true"
    said = "publish: the job's own outputs were not written: GITHUB_STEP_SUMMARY: no"
    assert (said in ended.err) == jobs.is_github


def test_a_token_in_a_plan_is_masked_however_a_comment_spells_it(jobs: Jobs) -> None:
    jobs.place.zadig.issue_token("admin", AWKWARD)
    jobs.set({"ZADIG_TOKEN": AWKWARD})
    jobs.place.plan(description=f"see {AWKWARD} there", jobs=[TEXT])
    pull = jobs.open()
    assert jobs.review(pull).code == ExitCode.OK
    assert "***" in jobs.sticky(pull)
    jobs.merge(pull)
    assert jobs.apply().code == ExitCode.OK
    texts = [*jobs.ours(pull), *([jobs.summary.read_text()] if jobs.is_github else [])]
    assert [text for text in texts if "token" in text or "p&#37;" in text or "{x}9" in text] == []
