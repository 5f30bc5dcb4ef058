"""``planops review`` as people read it: text and Markdown of real shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.place import TEXT, Place
from planops.core.report import ExitCode

HOSTILE = "x | @team <img src=x> ![i](http://e.vil/i) `` </details> #1"


@pytest.fixture
def kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Applied plans on ``main``, one of them with an approval, and a branch to work on."""
    place.reviewable(monkeypatch)
    place.waiting("asked", description="one")
    place.commit()
    place.git("branch", "--move", "main")
    assert place.planops("apply", "--yes").code == ExitCode.OK
    place.git("checkout", "--quiet", "-b", "feature")
    return place


def reviewed(place: Place, *words: str) -> str:
    place.commit()
    return place.planops("review", "--base", "main", *words).out


def test_a_review_reads_as_what_merging_does(kept: Place) -> None:
    allow = 'manage: {allow: [{guard: reopen, reason: "moved"}]}\n'
    asked = kept.waiting("asked", description="two")
    asked.write_text(asked.read_text() + allow)
    kept.plan(description=HOSTILE, jobs=[TEXT])
    other = kept.folder / "plans/other.yaml"
    other.write_text("# only a comment\n" + other.read_text())
    found = reviewed(kept, "--format", "markdown")
    assert found.startswith("### planops review: ")
    assert "It cancels 1 approval." in found
    assert "cancels the approval that is being asked of Alice" in found
    assert "update → asks for approval again" in found
    assert "allowed by the file: reopen: moved" in found
    assert "plans/other.yaml" in found.partition("Changed files of which nothing comes")[2]
    assert "--expect " in found
    assert "@team" not in found.replace("\\", "").partition("```json")[0]


def test_drift_is_not_put_down_to_the_pull_request(kept: Place) -> None:
    plan = next(one for one in kept.zadig.plans() if one["name"] == "Plan other")
    kept.zadig.edit(str(plan["id"]), {"description": "theirs"}, "Bob")
    kept.plan(description="two", jobs=[TEXT])
    found = reviewed(kept, "--format", "markdown")
    caused, _, beside = found.partition("Not caused by this pull request")
    assert "prod/train" in caused
    assert "drift (description)" in beside
    assert "**Merging makes 1 call:" in found


def test_nothing_is_called_nothing(kept: Place) -> None:
    file = kept.folder / "plans/other.yaml"
    file.write_text("# only a comment\n" + file.read_text())
    for words in ((), ("--format", "markdown")):
        found = (
            reviewed(kept, *words)
            if not words
            else kept.planops("review", "--base", "main", *words).out
        )
        assert "Merging changes nothing on the server" in found
        assert "plans/other.yaml" in found


def test_files_alone_promise_nothing(kept: Place) -> None:
    kept.plan(description="two", jobs=[TEXT])
    found = reviewed(kept, "--offline")
    assert '/spec/description: "one" → "two"' in found
    assert "No server was asked" in found
    assert "Nothing to do" not in found
    assert (
        "--expect"
        not in kept.planops("review", "--base", "main", "--offline", "--format", "markdown").out
    )


def test_a_file_gets_the_same_comment(kept: Place, tmp_path: Path) -> None:
    kept.plan(description="two", jobs=[TEXT])
    shown = reviewed(kept, "--format", "markdown")
    file = tmp_path / "review.md"
    kept.planops("review", "--base", "main", "--format", f"markdown={file}")
    assert file.read_text() == shown
