"""A plan whose creation was never recorded, and whose file is gone when the next run looks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cli.place import TEXT, Place
from planops.core.ledger import Book, Intent, Origin, intent_document
from planops.core.report import ExitCode
from planops.git.ledger import GitLedger

LOST = Intent(key="train", kind="ZadigReleasePlan", op="create", name="Plan train", at=1)


@pytest.fixture
def kept(place: Place) -> Place:
    """A run died while it made a plan, and the file was removed after that."""
    place.ledgered()
    place.plan("other", jobs=[TEXT])
    file = place.plan(jobs=[TEXT], description="ours")
    file.write_text(file.read_text() + "manage: {protect: true}\n")
    place.commit()
    origin = Origin(commit=place.git("rev-parse", "HEAD").strip(), file="plans/train.yaml")
    path, document = intent_document(replace(LOST, origin=origin))
    ledger(place).write("", {path: document}, "begin", 1)
    place.git("rm", "--quiet", "plans/train.yaml")
    place.commit()
    return place


def ledger(place: Place) -> GitLedger:
    return GitLedger(root=place.folder, ref="refs/planops/ledger/prod", remote=None)


def settled(place: Place) -> Book:
    """Run without the file; what the ledger holds then."""
    assert place.planops("apply", "--yes").code == ExitCode.OK
    book = ledger(place).load()
    assert not book.intents
    return book


def train(place: Place) -> list[dict[str, Any]]:
    return [one for one in place.zadig.plans() if one["name"] == "Plan train"]


def test_a_namesake_that_somebody_made_since_is_not_taken_for_it(kept: Place) -> None:
    kept.plant("train", description="theirs", jobs=[])
    assert settled(kept).records["train"].origin == Origin()
    ended = kept.planops("apply", "--yes", "--prune", "--allow", "protected")
    assert ended.code == ExitCode.REFUSED
    kept.plan(jobs=[TEXT], description="ours")
    kept.commit()
    ended = kept.planops("apply", "--yes")
    assert (ended.code, train(kept)[0]["description"]) == (ExitCode.REFUSED, "theirs")
    assert "it holds what the file does not say: /spec/description; write that" in ended.out
    kept.plan(jobs=[TEXT], description="theirs")
    kept.commit()
    assert kept.planops("apply", "--yes").code == ExitCode.OK


def test_what_was_really_made_can_be_pruned_as_its_file_allowed(kept: Place) -> None:
    kept.plant("train", description="ours", jobs=[])
    assert settled(kept).records["train"].protect
    ended = kept.planops("apply", "--yes", "--prune")
    assert ended.code == ExitCode.REFUSED
    assert "plans/train.yaml protected the plan" in ended.out
    assert kept.planops("apply", "--yes", "--prune", "--allow", "protected").code == ExitCode.OK
    assert train(kept) == []
