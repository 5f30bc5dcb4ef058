"""An older commit, or a file that is not committed, takes nothing back: nor in the ledger alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cli.place import TEXT, Place
from planops.core.ledger import Intent, Record, intent_document, record_document
from planops.core.report import ExitCode
from planops.git.ledger import GitLedger

REF = "refs/planops/ledger/prod"


@pytest.fixture
def kept(place: Place) -> Place:
    """A repository whose first commit lacks the file of a plan, and whose second one is applied."""
    place.ledgered()
    place.plan("other", jobs=[TEXT])
    place.commit()
    place.git("tag", "zero")
    place.plan(jobs=[TEXT])
    applied_as(place, "one")
    return place


def applied_as(place: Place, tag: str) -> None:
    place.commit()
    place.git("tag", tag)
    assert place.planops("apply", "--yes").code == ExitCode.OK


def run_of(place: Place, tag: str) -> str:
    """Apply what an older commit says; give what is told."""
    place.git("checkout", "--quiet", tag)
    return place.planops("apply", "--yes").out


def record(place: Place) -> Record:
    return GitLedger(root=place.folder, ref=REF, remote=None).load().records["train"]


def train(place: Place) -> list[dict[str, Any]]:
    return [one for one in place.zadig.plans() if one["name"] == "Plan train"]


def protect(place: Place) -> None:
    file = place.plan(jobs=[TEXT])
    file.write_text(file.read_text() + "manage: {protect: true}\n")


def test_a_plan_that_is_gone_is_not_forgotten_by_a_commit_that_had_no_file_yet(kept: Place) -> None:
    kept.zadig.remove_plan(train(kept)[0]["id"])
    said = run_of(kept, "zero")
    assert "and the plan is gone, but its record stays: it was last applied from" in said
    kept.git("checkout", "--quiet", "one")
    ended = kept.planops("apply", "--yes")
    assert (ended.code, train(kept)) == (ExitCode.REFUSED, [])
    assert "refused by recreate" in ended.out


def test_a_plan_that_is_over_is_not_forgotten_by_it_either(kept: Place) -> None:
    kept.zadig.edit(train(kept)[0]["id"], {"status": "success"})
    assert "the plan is in success, but its record stays" in run_of(kept, "zero")
    kept.git("checkout", "--quiet", "one")
    assert kept.planops("apply", "--yes").code == ExitCode.OK


def test_a_file_that_comes_again_later_is_not_pruned_by_a_commit_without_it(kept: Place) -> None:
    kept.git("rm", "--quiet", "plans/train.yaml")
    kept.commit()
    kept.git("tag", "without")
    kept.plan(jobs=[TEXT], description="again")
    applied_as(kept, "again")
    kept.git("checkout", "--quiet", "without")
    ended = kept.planops("apply", "--yes", "--prune")
    assert ended.code == ExitCode.REFUSED
    assert "and this commit is older" in ended.out
    assert train(kept)


def test_a_plan_that_somebody_put_back_is_not_taken_up_again(kept: Place) -> None:
    """The older file names no goal: were that recorded, the next run would find a new one."""
    kept.plan(jobs=[TEXT], state="finish_planning")
    applied_as(kept, "two")
    kept.zadig.edit(train(kept)[0]["id"], {"status": "planning"})
    before = record(kept)
    run_of(kept, "one")
    assert record(kept) == before
    run_of(kept, "two")
    assert train(kept)[0]["status"] == "planning"


def test_protection_is_not_lifted_by_an_older_commit_unless_that_is_allowed(kept: Place) -> None:
    protect(kept)
    applied_as(kept, "two")
    run_of(kept, "one")
    assert record(kept).protect
    kept.planops("apply", "--yes", "--allow", "rewind")
    assert not record(kept).protect


def test_what_an_older_commit_sees_is_noted_and_is_not_where_the_plan_came_from(
    kept: Place,
) -> None:
    for tag, words in (("two", "first"), ("three", "second"), ("four", "first")):
        kept.plan(jobs=[TEXT], description=words, state="success")
        applied_as(kept, tag)
        kept.zadig.edit(train(kept)[0]["id"], {"status": "planning"})
    kept.zadig.edit(train(kept)[0]["id"], {"status": "success"})
    before = record(kept)
    run_of(kept, "two")
    assert (before.reached, record(kept).reached) == (None, "success")
    assert record(kept).origin == before.origin


def test_protection_is_not_lifted_by_what_is_not_committed_in_ci(
    kept: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    protect(kept)
    applied_as(kept, "two")
    kept.plan(jobs=[TEXT])
    monkeypatch.setenv("CI", "true")
    kept.planops("apply", "--yes")
    assert record(kept).protect
    monkeypatch.setenv("CI", "")
    kept.planops("apply", "--yes")
    assert not record(kept).protect


@pytest.mark.parametrize("over", [False, True])
def test_a_file_that_is_only_removed_from_the_work_tree_is_not_gone_in_ci(
    kept: Place, monkeypatch: pytest.MonkeyPatch, *, over: bool
) -> None:
    if over:
        kept.zadig.edit(train(kept)[0]["id"], {"status": "success"})
    (kept.folder / "plans/train.yaml").unlink()
    monkeypatch.setenv("CI", "true")
    ended = kept.planops("apply", "--yes", "--prune")
    assert ended.code == (ExitCode.OK if over else ExitCode.REFUSED)
    assert "the commit still has" in ended.out
    assert train(kept)
    assert record(kept).id == train(kept)[0]["id"]


def ignored(place: Place) -> None:
    place.write(".gitignore", "plans/new.yaml\n")
    place.commit()
    place.plan("new", jobs=[TEXT])


def elsewhere(place: Place) -> None:
    """A repository of its own inside, of which git looks at nothing."""
    file = place.plan("new", jobs=[TEXT])
    inner = place.folder / "plans/inner"
    place.git("init", "--quiet", str(inner))
    file.rename(inner / "new.yaml")
    who = ("-c", "user.name=M", "-c", "user.email=m@example.com")
    place.git("-C", str(inner), "add", "--all")
    place.git("-C", str(inner), *who, "commit", "--quiet", "--message", "inner")


def submodule(place: Place) -> None:
    elsewhere(place)
    place.git("submodule", "--quiet", "add", "./plans/inner", "plans/inner")
    place.commit()


def changed_submodule(place: Place) -> None:
    submodule(place)
    file = place.folder / "plans/inner/new.yaml"
    file.write_text(file.read_text() + "# changed\n")


def unwatched(place: Place) -> None:
    place.plan("new", jobs=[TEXT])
    place.commit()
    place.git("update-index", "--assume-unchanged", "plans/new.yaml")
    place.plan("new", jobs=[TEXT], description="changed")


def linked(place: Place) -> None:
    file = place.plan("new", jobs=[TEXT])
    place.write("held/x.txt", file.read_text())
    file.unlink()
    file.symlink_to("../held/x.txt")
    place.commit()


def changed_behind_a_link(place: Place) -> None:
    linked(place)
    file = place.folder / "held/x.txt"
    file.write_text(file.read_text() + "# changed\n")


@pytest.mark.parametrize(
    ("how", "is_fit"),
    [
        (ignored, False),
        (elsewhere, False),
        (submodule, True),
        (changed_submodule, False),
        (unwatched, False),
        (linked, True),
        (changed_behind_a_link, False),
    ],
)
def test_a_file_that_git_does_not_look_at_is_not_applied_in_ci(
    kept: Place, monkeypatch: pytest.MonkeyPatch, how: Callable[[Place], None], *, is_fit: bool
) -> None:
    how(kept)
    monkeypatch.setenv("CI", "true")
    ended = kept.planops("apply", "--yes")
    assert ended.code == (ExitCode.OK if is_fit else ExitCode.REFUSED), ended.both
    assert ("is not as the commit has it, and this is CI" in ended.out) is not is_fit
    assert len(kept.zadig.plans()) == 2 + is_fit


def test_what_a_newer_run_began_is_not_taken_back_by_an_older_commit(kept: Place) -> None:
    """The newer run made its call, and died before it could record it."""
    kept.plan(jobs=[TEXT], description="old")
    applied_as(kept, "two")
    before, ledger = record(kept), GitLedger(root=kept.folder, ref=REF, remote=None)
    kept.plan(jobs=[TEXT], description="new")
    applied_as(kept, "three")
    after = record(kept)
    begun = Intent(
        key="train", kind=after.kind, op="update", name=after.name, id=after.id, origin=after.origin
    )
    documents = dict((record_document(before), intent_document(begun)))
    ledger.write(ledger.tip(), documents, "as it was before the run ended", 1)
    assert "refused by rewind" in run_of(kept, "two")
    assert train(kept)[0]["description"] == "new"
    assert "refused" not in run_of(kept, "three")
    assert (record(kept).origin, ledger.load().intents) == (after.origin, {})
