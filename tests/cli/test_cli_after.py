"""What is left when something goes wrong after the first call was made: the report, always."""

from __future__ import annotations

import importlib
import json
from typing import NoReturn

import pytest

from cli.place import TEXT, TOKEN, Ended, Place
from planops.cli import apply
from planops.core.report import ExitCode
from planops.sandbox.zadig.faults import Fault

FORMATS = ("text", "json", "markdown", "github", "gitlab", "sarif", "junit")


def broken(*_words: object, **_more: object) -> NoReturn:
    raise KeyError(f"oops {TOKEN}")


def undrawable(monkeypatch: pytest.MonkeyPatch, *kinds: str) -> None:
    """Let formats have a bug."""
    for kind in kinds:
        monkeypatch.setattr(importlib.import_module(f"planops.render.{kind}"), "text", broken)


def told(ended: Ended, outcome: str = "applied") -> bool:
    """Tell whether standard error says in a bare line what became of the plan."""
    return f"planops: prod/train: {outcome} (the plan " in ended.err


# ----------------------------------------------------------------------------------- the formats


@pytest.mark.parametrize("kind", FORMATS)
def test_a_format_that_cannot_be_drawn_takes_no_other_with_it(
    kind: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.plan()
    undrawable(monkeypatch, kind)
    others = [each for each in FORMATS if each != kind]
    files = [word for each in others for word in ("-f", f"{each}=out/{each}")]
    ended = place.planops("apply", "--yes", "-f", f"{kind}=out/{kind}", *files, "-f", others[0])
    assert ended.code == ExitCode.BUG
    assert len(place.zadig.plans()) == 1
    assert sorted(path.name for path in (place.folder / "out").iterdir()) == sorted(others)
    assert ended.out == (place.folder / "out" / others[0]).read_text()
    assert f"planops: bug in planops: the report cannot be drawn as {kind}: KeyError;" in ended.err
    assert told(ended)
    assert TOKEN not in ended.both


def test_where_no_format_can_be_drawn_it_is_still_said_what_was_done(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZADIG_TOKEN", "p%:,\"<&'{x}9")
    place.zadig.issue_token("admin", "p%:,\"<&'{x}9")
    place.plan(jobs=[TEXT])
    place.zadig.faults.add(
        Fault("status-before", method="PATCH", status=403, body=b'{"description":"{x}9 no"}')
    )
    undrawable(monkeypatch, *FORMATS)
    ended = place.planops("apply", "--yes", "-f", "json=a.json", "-f", "text")
    assert (ended.code, ended.out) == (ExitCode.BUG, "")
    assert told(ended, "failed")
    assert "), 1 of 2 calls made: PATCH " in ended.err
    assert not (place.folder / "a.json").exists()
    assert place.planops("diff", "-f", "sarif").code == ExitCode.BUG


def test_what_cannot_be_shown_is_not_asked_about(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.plan()
    undrawable(monkeypatch, "text")
    monkeypatch.setattr(apply, "can_ask", lambda: True)
    ended = place.planops("apply")
    assert ended.code == ExitCode.BUG
    assert ended.err.endswith("planops: nothing was applied: it could not be shown\n")
    assert place.zadig.plans() == ()


def test_a_link_that_leads_to_itself_is_no_bug(place: Place) -> None:
    place.plan()
    (place.folder / "loop").symlink_to("loop")
    ended = place.planops("apply", "--yes", "-f", "json=loop", "-f", "text")
    assert ended.code == ExitCode.OK
    assert '"Plan train"' in ended.out
    assert json.loads((place.folder / "loop").read_text())["exit_code"] == 0
