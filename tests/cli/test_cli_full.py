"""Observation by the ledger as a user meets it: what is read, and ``--full``."""

from __future__ import annotations

import json

import pytest

from cli.place import TEXT, Place
from planops.core.report import ExitCode
from planops.core.sighting import MARGIN

OPEN = "/openapi/release_plan/v1"
INTERNAL = "/api/aslan/release_plan/v1"
COMMANDS = (("diff",), ("apply", "--yes"), ("drift",), ("status",))


@pytest.fixture
def kept(place: Place) -> Place:
    """A repository with a ledger, and plans on the server that were applied an hour ago."""
    place.zadig.clock.advance(-3600)
    place.settings()
    with (place.folder / "planops.yaml").open("a", encoding="utf-8") as file:
        file.write("    ledger: {mode: local}\n")
    for name in ("one", "two"):
        place.plan(name, jobs=[TEXT])
    place.commit()
    ended = place.planops("apply", "--yes")
    assert ended.code == ExitCode.OK, ended.both
    return place


def reads(place: Place, *words: str) -> tuple[list[str], int]:
    """Which lists a command reads, and how many plans."""
    before = len(place.zadig.received)
    ended = place.planops(*words)
    assert ended.code == ExitCode.OK, ended.both
    paths = [one.path for one in place.zadig.received[before:] if "release_plan" in one.path]
    lists = [path.partition("?")[0] for path in paths if "?" in path]
    return lists, len(paths) - len(lists)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_plans_are_not_read_again_until_it_is_asked_for(
    kept: Place, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reads(kept, *words) == ([INTERNAL], 0)
    assert reads(kept, *words, "--full") == ([OPEN], 2)
    monkeypatch.setenv("PLANOPS_FULL", "1")
    assert reads(kept, *words) == ([OPEN], 2)


def test_the_progress_says_how_many_are_as_they_were(kept: Place) -> None:
    assert "plans on the server: 2, in files: 2, as they were when last read: 2\n" in (
        kept.planops("diff").err
    )
    assert "when last read" not in kept.planops("diff", "--full").err


def test_the_reports_are_the_same(kept: Place) -> None:
    for words in COMMANDS:
        short, full = (
            kept.planops(*words, "--format", "json", *more).json for more in ((), ("--full",))
        )
        assert json.dumps(short, sort_keys=True) == json.dumps(full, sort_keys=True)
        assert len(full["changes"]) == (0 if words == ("drift",) else 2)


def test_the_ledger_holds_what_was_seen(kept: Place) -> None:
    shown = kept.git("show", "refs/planops/ledger/prod:plans/one.json")
    seen = json.loads(shown)["seen"]
    assert (seen["sighting"]["version"], seen["sighting"]["updated_by"]) == (2, "admin")
    assert seen["read_at"] - seen["sighting"]["update_time"] >= MARGIN


@pytest.mark.parametrize("name", ["diff", "apply", "drift", "status"])
def test_the_help_says_so(kept: Place, name: str) -> None:
    shown = " ".join(kept.planops(name, "--help").out.split())
    assert "--full" in shown
    assert "Read every plan in full, also those that by ledger and list are as they were." in shown
