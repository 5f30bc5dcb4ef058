"""Every exit code by a real run, and the report that is written before it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import click
import pytest

from cli.place import TEXT, UIDS, Place
from planops.cli import group
from planops.core.report import ExitCode
from planops.sandbox.zadig.faults import Fault

PLANS = "/openapi/release_plan/v1"
PLANTED = "planted-secret-9c1f0b7e"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A situation, what is typed in it, and how that ends."""

    make: Callable[[Place], object]
    words: tuple[str, ...]
    code: ExitCode
    outcome: str


def _in_sync(at: Place) -> None:
    at.plan(description="as declared")
    at.plant(description="as declared")


def _changed(at: Place) -> None:
    at.plan(description="new")
    at.plant(description="old")


def _parked(at: Place) -> None:
    at.waiting()
    assert at.planops("apply", "--yes").code == 0


def _bad_file(at: Place) -> None:
    at.plan(description="new")
    at.write("plans/bad.yaml", "apiVersion: planops/v1\nkind: Nothing\n")


def _no(at: Place) -> None:
    _changed(at)
    at.zadig.faults.add(
        Fault("status-before", method="PATCH", status=403, body=b'{"code":403,"description":"no"}')
    )


def _partial(at: Place) -> None:
    at.plan(description="new", jobs=[TEXT])
    at.zadig.faults.add(
        Fault("status-before", method="PATCH", status=403, body=b'{"code":403,"description":"no"}')
    )


def _stale(at: Place) -> None:
    at.plan(description="new")
    id_ = at.plant(description="old")
    at.zadig.faults.add(
        Fault(
            "edit-before",
            method="GET",
            path=f"{PLANS}/{id_}",
            nth=2,
            edit=lambda: at.zadig.edit(id_, {"description": "somebody's"}, "Bob"),
        )
    )


def _lost(at: Place) -> None:
    _changed(at)
    at.zadig.faults.add(Fault("drop-before", method="PATCH"))


def _refused(at: Place) -> None:
    at.plan(**at.window(-7200, -3600))


def _unset(at: Place) -> None:
    at.write(
        "planops.yaml",
        (at.folder / "planops.yaml").read_text().replace("ZADIG_TOKEN", "NOWHERE_TOKEN"),
    )
    at.plan()


CASES = {
    "validate": Case(make=_changed, words=("validate",), code=ExitCode.OK, outcome="in-sync"),
    "in sync": Case(make=_in_sync, words=("diff",), code=ExitCode.OK, outcome="in-sync"),
    "in sync, strictly": Case(
        make=_in_sync, words=("diff", "--exit-code"), code=ExitCode.OK, outcome="in-sync"
    ),
    "changes": Case(make=_changed, words=("diff",), code=ExitCode.OK, outcome="changes"),
    "changes, strictly": Case(
        make=_changed, words=("diff", "--exit-code"), code=ExitCode.CHANGES, outcome="changes"
    ),
    "refused, shown": Case(make=_refused, words=("diff",), code=ExitCode.OK, outcome="changes"),
    "applied": Case(make=_changed, words=("apply", "--yes"), code=ExitCode.OK, outcome="applied"),
    "parked": Case(make=_parked, words=("apply", "--yes"), code=ExitCode.OK, outcome="parked"),
    "status": Case(make=_changed, words=("status",), code=ExitCode.OK, outcome="changes"),
    "bad file": Case(make=_bad_file, words=("diff",), code=ExitCode.FAILED, outcome="failed"),
    "bad file, validated": Case(
        make=_bad_file, words=("validate",), code=ExitCode.FAILED, outcome="failed"
    ),
    "bad file, applied": Case(
        make=_bad_file, words=("apply", "--yes"), code=ExitCode.FAILED, outcome="failed"
    ),
    "the server says no": Case(
        make=_no, words=("apply", "--yes"), code=ExitCode.FAILED, outcome="failed"
    ),
    "no token": Case(make=_unset, words=("diff",), code=ExitCode.FAILED, outcome="failed"),
    "refused": Case(
        make=_refused, words=("apply", "--yes"), code=ExitCode.REFUSED, outcome="refused"
    ),
    "stale": Case(make=_stale, words=("apply", "--yes"), code=ExitCode.STALE, outcome="stale"),
    "partial": Case(
        make=_partial, words=("apply", "--yes"), code=ExitCode.PARTIAL, outcome="partial"
    ),
    "unknown": Case(make=_lost, words=("apply", "--yes"), code=ExitCode.UNKNOWN, outcome="unknown"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_run_ends_with_its_code_and_its_report(name: str, place: Place) -> None:
    case = CASES[name]
    case.make(place)
    ended = place.planops(*case.words, "-f", "json", "-f", "json=again.json", "-f", "text=a.txt")
    assert ended.code == case.code
    assert ended.json["exit_code"] == case.code
    assert ended.json["outcome"] == case.outcome
    assert json.loads((place.folder / "again.json").read_text()) == ended.json
    assert (place.folder / "a.txt").read_text().startswith(f"planops {case.words[0]}")
    assert "\x1b" not in ended.both
    if case.words[0] in {"diff", "apply"} and case.make not in {_bad_file, _unset}:
        assert "prod: reading http://127.0.0.1:" in ended.err


@pytest.mark.parametrize("name", CASES)
def test_the_token_is_nowhere(name: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    place.zadig.issue_token("admin", PLANTED)
    monkeypatch.setenv("ZADIG_TOKEN", PLANTED)
    monkeypatch.setenv("PLANOPS_DEBUG", "1")
    case.make(place)
    ended = place.planops(*case.words, "-vv", "-f", "text", "-f", "json=a.json", "-f", "markdown")
    assert ended.code == case.code
    assert PLANTED not in ended.both + (place.folder / "a.json").read_text()
    if case.words[0] != "validate" and case.make is not _bad_file and case.make is not _unset:
        assert "GET /openapi/" in ended.err


def test_a_refused_token_is_not_shown(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZADIG_TOKEN", PLANTED)
    _changed(place)
    body = json.dumps({"code": 401, "description": f"bad token {PLANTED} (Bearer {PLANTED})"})
    place.zadig.faults.add(Fault("status-before", nth=None, status=401, body=body.encode()))
    for words in (("diff",), ("apply", "--yes"), ("status",)):
        ended = place.planops(*words, "-vv", "-f", "json", "-f", "text=a.txt")
        assert ended.code == ExitCode.FAILED
        assert PLANTED not in ended.both + (place.folder / "a.txt").read_text()


def test_quiet_says_nothing_beside_the_report(place: Place) -> None:
    _changed(place)
    assert place.planops("apply", "--yes", "--quiet").err == ""


def test_verbose_shows_bodies_and_unchanged_plans_and_twice_shows_calls(place: Place) -> None:
    _in_sync(place)
    place.plan("other", description="x" * 200)
    plain = place.planops("diff")
    wordy = place.planops("diff", "-v")
    wordiest = place.planops("diff", "-vv")
    assert "plans/train.yaml" not in plain.out
    assert "plans/train.yaml" in wordy.out
    assert "x" * 200 in wordy.out
    assert wordy.out == wordiest.out
    assert "GET /openapi" not in wordy.err
    assert "GET /openapi/release_plan/v1" in wordiest.err
    assert "200" in wordiest.err


def test_a_bug_is_told_without_a_traceback_unless_asked_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("planops.cli.broken")

    @click.command()
    def command() -> int:
        try:
            return {"": 1}[PLANTED]
        except KeyError as error:
            raise ZeroDivisionError(f"Bearer {PLANTED}") from error

    vars(module)["command"] = command
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(group.COMMANDS, "broken", "Fail.")
    ended = place.planops("broken")
    assert ended.code == ExitCode.BUG
    assert ended.out == ""
    assert ended.err.startswith("planops: bug in planops: ZeroDivisionError; please report")
    assert ended.err.count("\n") == 1
    monkeypatch.setenv("PLANOPS_DEBUG", "1")
    said = place.planops("broken").err
    assert said.count("Traceback") == 2
    assert said.index("\nKeyError\n") < said.index("\nZeroDivisionError\n")
    assert f'File "{__file__}", line ' in said
    assert PLANTED not in said


def test_every_code_that_is_used_is_met_here_or_by_a_signal() -> None:
    met = {case.code for case in CASES.values()} | {ExitCode.BUG, ExitCode.USAGE}
    by_signal = {ExitCode.INTERRUPTED, ExitCode.TERMINATED}
    assert set(ExitCode) - met - by_signal == {ExitCode.BUSY}


def test_of_several_endings_the_worst_counts(place: Place) -> None:
    place.plan("late", **place.window(-7200, -3600))
    place.plan("first", description="new")
    place.plant("first", description="old")
    place.zadig.faults.add(Fault("drop-before", method="PATCH"))
    place.write("plans/bad.yaml", "kind: [\n")
    assert place.json("apply", "--yes").code == ExitCode.FAILED  # not called: the file may be of it
    (place.folder / "plans/bad.yaml").unlink()
    assert place.json("apply", "--yes").json["exit_code"] == ExitCode.UNKNOWN


def test_an_account_that_nobody_has_is_refused(place: Place) -> None:
    assert "nobody-at-all" not in UIDS
    place.plan(manager="nobody-at-all")
    ended = place.json("apply", "--yes")
    assert ended.code in {ExitCode.REFUSED, ExitCode.FAILED}
    assert "nobody-at-all" in ended.out
    assert place.zadig.writes == ()
