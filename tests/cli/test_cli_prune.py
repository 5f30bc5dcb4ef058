"""Deleting plans whose file is gone, from the command line: what git must prove first."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cli.place import TEXT, Place
from planops.core.report import ExitCode


@pytest.fixture
def kept(place: Place) -> Place:
    """A repository with two plans applied, of which the file of one is gone since."""
    place.ledgered()
    place.plan(jobs=[TEXT])
    place.plan("other", jobs=[TEXT])
    place.commit()
    assert place.planops("apply", "--yes").code == ExitCode.OK
    return place


def drop(place: Place) -> None:
    place.git("rm", "--quiet", "plans/train.yaml")
    place.git("commit", "--quiet", "--message", "drop")


def names(place: Place) -> set[str]:
    return {str(one["name"]) for one in place.zadig.plans()}


def test_a_plan_is_deleted_where_an_ancestor_declares_it(kept: Place) -> None:
    before = names(kept)
    drop(kept)
    shown = kept.planops("diff", "--prune")
    assert "- delete" in shown.out
    assert "plans/train.yaml" in shown.out
    assert "! hazard: the plan is deleted from the server" in shown.out
    ended = kept.json("apply", "--yes", "--prune")
    assert ended.code == ExitCode.OK
    assert ended.json["summary"]["delete"] == 1
    assert len(before - names(kept)) == 1
    assert kept.planops("ledger", "show").out == "prod: 1 record, lease free\n"
    assert "delete train" in kept.git("log", "--format=%B", "refs/planops/ledger/prod")


def test_without_prune_it_is_said_and_nothing_is_done(kept: Place) -> None:
    before = names(kept)
    drop(kept)
    ended = kept.planops("apply", "--yes")
    assert ended.code == ExitCode.OK
    assert "plans/train.yaml is gone, and the plan stays; --prune deletes it" in ended.out
    assert names(kept) == before


def test_without_prune_it_is_not_promised_what_prune_refuses(kept: Place) -> None:
    with kept.plan(jobs=[TEXT]).open("a") as file:
        file.write("manage: {protect: true}\n")
    kept.commit()
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    drop(kept)
    lost = "plans/train.yaml is gone, and the plan stays; --prune is refused by protected\n"
    assert lost in kept.planops("diff").out
    assert "! refused by protected: " in kept.planops("diff", "--prune").out


def test_a_file_that_no_glob_finds_any_more_is_not_gone(kept: Place) -> None:
    """A slip in the settings must not read as the removal of every plan."""
    before, lost = (
        names(kept),
        "plans/train.yaml declares the plan, and no glob of `plans` finds it",
    )
    settings = kept.folder / "planops.yaml"
    settings.write_text(settings.read_text().replace("plans/**", "plan/**"))
    kept.commit()
    assert f"{lost}, and the plan stays; --prune is refused by prune\n" in kept.planops("diff").out
    ended = kept.planops("apply", "--prune", "--yes")
    assert ended.code == ExitCode.REFUSED
    assert f"refused by prune: {lost}; correct `plans` in planops.yaml, or remove" in ended.out
    assert names(kept) == before
    (gone,) = (one["id"] for one in kept.zadig.plans() if one["name"] == "Plan train")
    kept.zadig.remove_plan(str(gone))
    assert f"{lost}, and the plan is gone, but its record stays: " in kept.planops("diff").out
    drop(kept)
    assert "is closed" in kept.planops("apply", "--yes").out


def test_of_a_file_that_is_there_it_is_not_said_that_it_is_gone(kept: Place) -> None:
    """It was given another key, or another document of it was taken out."""
    before, file = names(kept), kept.folder / "plans/train.yaml"
    text = file.read_text()
    file.write_text(text.replace("name: train,", "name: other-train,").replace("train", "new"))
    kept.commit()
    lost = "plans/train.yaml does not declare it any more"
    assert f"{lost}, and the plan stays; --prune deletes it" in kept.planops("diff").out
    (gone,) = (one["id"] for one in kept.zadig.plans() if one["name"] == "Plan train")
    kept.zadig.remove_plan(str(gone))
    ended = kept.planops("apply", "--yes")
    assert f"{lost}, and the plan is gone: its record is closed" in ended.out
    assert len(names(kept)) == len(before)


def test_a_plan_whose_file_moved_to_another_target_of_the_server_is_not_deleted(
    place: Place,
) -> None:
    place.ledgered()
    settings = (place.folder / "planops.yaml").read_text()
    other = settings[settings.index("  prod:") :].replace("  prod:", "  other:")
    place.write("planops.yaml", settings + other)
    for name in ("train", "bus"):
        place.plan(name, target="prod", jobs=[TEXT])
    place.commit()
    assert place.planops("apply", "--yes").code == ExitCode.OK
    before = names(place)
    place.plan("train", target="other", jobs=[TEXT])
    place.commit()
    assert place.planops("adopt", "train", "--target", "other", "--yes").code == ExitCode.OK
    ended = place.planops("apply", "--yes", "--prune", "--target", "prod")
    assert ended.code == ExitCode.OK
    said = "plans/train.yaml does not declare it any more, and the plan is that of target other"
    assert f"{said}: its record is closed" in ended.out
    assert place.planops("apply", "--yes", "--prune").code == ExitCode.OK
    assert place.planops("diff", "--exit-code").code == ExitCode.OK
    assert names(place) == before


def test_a_namesake_key_of_another_target_keeps_no_plan_from_being_deleted(place: Place) -> None:
    place.ledgered()
    settings = (place.folder / "planops.yaml").read_text()
    other = settings[settings.index("  prod:") :].replace("  prod:", "  other:")
    place.write("planops.yaml", settings + other)
    for target in ("prod", "other"):
        text = place.plan("train", target=target).read_text()
        place.write(f"plans/{target}.yaml", text.replace("Plan train", f"Train of {target}"))
    (place.folder / "plans/train.yaml").unlink()
    place.plan("bus", target="prod")
    place.commit()
    assert place.planops("apply", "--yes").code == ExitCode.OK
    (place.folder / "plans/prod.yaml").unlink()
    place.commit()
    assert place.planops("apply", "--yes", "--prune").code == ExitCode.OK
    assert names(place) == {"Train of other", "Plan bus"}


def test_a_file_that_named_no_target_says_nothing_once_there_are_two(place: Place) -> None:
    place.ledgered()
    place.plan(jobs=[TEXT])
    place.commit()
    assert place.planops("apply", "--yes").code == ExitCode.OK
    (place.folder / "plans/train.yaml").unlink()
    settings = (place.folder / "planops.yaml").read_text()
    more = settings[settings.index("  prod:") :].replace("  prod:", "  other:")
    place.write("planops.yaml", settings + more)
    place.plan("bus", target="prod")
    place.commit()
    words = ("apply", "--yes", "--target", "prod")
    ended = place.planops(*words, "--prune")
    assert ended.code == ExitCode.REFUSED
    assert (
        "git does not prove that a file declared it: plans/train.yaml names no target, and the"
        " settings have 2 by now; put it back with target: prod, apply that, and delete it then"
    ) in " ".join(ended.out.split())
    assert "history" not in ended.out
    place.plan(target="prod", jobs=[TEXT])
    place.commit()
    assert place.planops(*words).code == ExitCode.OK
    (place.folder / "plans/train.yaml").unlink()
    place.commit()
    assert place.planops(*words, "--prune").code == ExitCode.OK
    assert names(place) == {"Plan bus"}


def test_an_older_commit_that_never_had_the_file_proves_nothing(kept: Place) -> None:
    """A branch from before: its history holds no file of that plan."""
    before = names(kept)
    kept.git("checkout", "--quiet", "--orphan", "elsewhere")
    kept.git("rm", "--quiet", "--cached", "plans/train.yaml")
    (kept.folder / "plans/train.yaml").unlink()
    kept.git("commit", "--quiet", "--message", "another history")
    ended = kept.planops("apply", "--yes", "--prune")
    assert ended.code == ExitCode.REFUSED
    assert "git does not prove that a file declared it: no ancestor of this commit" in ended.out
    assert names(kept) == before


def test_a_shallow_clone_that_lacks_the_commit_proves_nothing(kept: Place, tmp_path: Path) -> None:
    before = names(kept)
    drop(kept)
    kept.write("README.md", "x\n")
    kept.git("add", "--all")
    kept.git("commit", "--quiet", "--message", "more")
    shallow = tmp_path / "shallow"
    words = ("clone", "--quiet", "--depth", "1", f"file://{kept.folder}", str(shallow))
    subprocess.run(["git", *words], check=True)  # noqa: S603, S607
    ref = "refs/planops/ledger/prod"
    subprocess.run(  # noqa: S603
        ["git", "-C", str(shallow), "fetch", "--quiet", "origin", f"{ref}:{ref}"],  # noqa: S607
        check=True,
    )
    ended = kept.planops("apply", "--yes", "--prune", "--chdir", str(shallow))
    assert ended.code == ExitCode.REFUSED
    assert "fetch the whole history" in ended.out
    assert names(kept) == before


def test_a_file_that_was_moved_and_squashed_is_found_by_its_removal(kept: Place) -> None:
    """The recorded commit is on a branch that was squashed; the removal is in this history."""
    base = kept.git("rev-parse", "HEAD~0").strip()
    kept.git("checkout", "--quiet", "-b", "work")
    kept.plan(description="changed", jobs=[TEXT])
    kept.commit()
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    kept.git("checkout", "--quiet", base)
    kept.git("merge", "--quiet", "--squash", "work")
    kept.git("commit", "--quiet", "--message", "squashed")
    before = names(kept)
    drop(kept)
    ended = kept.planops("apply", "--yes", "--prune")
    assert ended.code == ExitCode.OK
    assert len(before - names(kept)) == 1


@pytest.mark.parametrize("how", [("plans/other.yaml",), ("--selector", "team=a")])
def test_a_part_of_the_files_cannot_be_pruned_by(kept: Place, how: tuple[str, ...]) -> None:
    ended = kept.planops("diff", "--prune", *how)
    assert ended.code == ExitCode.USAGE
    assert "nobody knows which are gone" in ended.err


def test_all_files_of_a_target_are_looked_at_where_it_is_named(kept: Place) -> None:
    drop(kept)
    assert "the plan stays; --prune deletes it" in kept.planops("diff", "--target", "prod").out
    before = names(kept)
    assert kept.planops("apply", "--yes", "--prune", "--target", "prod").code == ExitCode.OK
    assert before - names(kept) == {"Plan train"}


def test_a_file_that_a_sparse_checkout_leaves_out_is_not_gone(kept: Place) -> None:
    kept.git("sparse-checkout", "set", "--no-cone", "/*", "!/plans/train.yaml")
    assert not (kept.folder / "plans/train.yaml").exists()
    ended = kept.planops("apply", "--yes", "--prune")
    assert ended.code == ExitCode.USAGE
    assert "this work tree leaves out plans/train.yaml (a sparse checkout)" in ended.err
    before = names(kept)
    (train,) = (one["id"] for one in kept.zadig.plans() if one["name"] == "Plan train")
    kept.zadig.edit(train, {"status": "success"})
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    assert names(kept) == before
    assert kept.planops("ledger", "show").out == "prod: 2 records, lease free\n"


def test_an_invalid_file_deletes_nothing(kept: Place) -> None:
    before = names(kept)
    drop(kept)
    kept.write("plans/bad.yaml", "apiVersion: planops/v1\nkind: ZadigReleasePlan\n")
    ended = kept.planops("apply", "--yes", "--prune")
    assert ended.code == ExitCode.FAILED
    assert names(kept) == before
