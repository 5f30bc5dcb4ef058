"""Reviews of several targets: what one of them does depends on what is declared for the others."""

from __future__ import annotations

from typing import Any

import pytest

from cli.place import TEXT, Ended, Place
from planops.core.report import ExitCode

REVIEW = ("review", "--base", "main", "--head", "feature")


@pytest.fixture
def both(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Two targets of one server, each with a ledger; plans of the first are applied."""
    monkeypatch.setenv("PLANOPS_SECRETS", "ZADIG_TOKEN")
    lines = ["apiVersion: planops/v1", "kind: Config", "plans: [plans/**/*.yaml]", "targets:"]
    for name in ("prod", "other"):
        lines += [
            f"  {name}: {{backend: zadig, url: '{place.url}', token: '${{env:ZADIG_TOKEN}}',",
            "    concurrency: 1, adopt-by-name: true, ledger: {mode: local}}",
        ]
    place.write("planops.yaml", "\n".join(lines) + "\n")
    place.plan(target="prod", jobs=[TEXT])
    place.plan("kept", target="prod", jobs=[TEXT])
    place.commit()
    assert place.planops("apply", "--yes").code == ExitCode.OK
    return place


def branch(place: Place) -> None:
    """Commit what there is, and begin the pull request."""
    place.git("add", "--all")
    place.git("commit", "--quiet", "--allow-empty", "--message", "The base")
    place.git("checkout", "--quiet", "-b", "feature")


def reviewed(place: Place, *words: str) -> tuple[Ended, str]:
    """Commit the pull request, go back, and review it: as JSON, and as Markdown."""
    place.commit()
    place.git("checkout", "--quiet", "main")
    told = place.planops(*REVIEW, *words, "--format", "markdown")
    return place.json(*REVIEW, *words), told.out


def share(ended: Ended, key: str, target: str = "prod") -> Any:
    named = {(one["target"], one["key"]): one for one in ended.json["changes"]}
    return named[target, key]["review"]


def test_a_deletion_of_a_plan_that_the_base_moves_to_another_target_is_caused(both: Place) -> None:
    both.plan("there", target="other")
    both.plan(target="other", jobs=[TEXT])
    branch(both)
    (both.folder / "plans/train.yaml").unlink()
    ended, told = reviewed(both, "--prune")
    assert (share(ended, "train")["causes"], share(ended, "train")["calls"]) == (True, True)
    assert "**Merging makes 1 call: " in told
    assert "1 more call is pending without this pull request" in told
    since = len(both.zadig.writes)
    both.git("merge", "--quiet", "--no-ff", "--no-edit", "feature")
    assert both.planops("apply", "--yes", "--prune").code == ExitCode.OK
    assert len(both.zadig.writes) == since + 2


def test_a_file_that_declares_another_plan_now_is_not_said_to_be_removed(both: Place) -> None:
    branch(both)
    both.plan(target="other", jobs=[TEXT])
    text = (both.folder / "plans/kept.yaml").read_text()
    both.write("plans/kept.yaml", text.replace("name: kept", "name: anew", 1))
    _, told = reviewed(both)
    assert "is removed" not in told
    assert told.count("does not declare it any more") > 1


def test_a_file_that_is_removed_is_named_as_the_base_has_it(both: Place) -> None:
    (both.folder / "plans/kept.yaml").rename(both.folder / "plans/moved.yaml")
    branch(both)
    (both.folder / "plans/moved.yaml").unlink()
    _, told = reviewed(both)
    assert "<code>plans/moved.yaml</code> is removed by this pull request" in told
    assert "<code>plans/kept.yaml</code> is removed" not in told
