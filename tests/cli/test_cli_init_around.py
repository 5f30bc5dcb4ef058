"""What `planops init` makes of the place: remote, branches, what is there, and what goes wrong."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from cli.beginning import JOBS, PLAIN, everything, files
from cli.place import Place
from planops.core.report import ExitCode


def origin(place: Place, address: str) -> None:
    place.git("remote", "add", "origin", address)


@pytest.mark.parametrize(
    ("address", "forge"),
    [
        ("git@github.com:acme/plans.git", "github"),
        ("https://github.com/acme/plans", "github"),
        ("https://github.acme.example/plans.git", "github"),
        ("ssh://git@gitlab.acme.example:2222/team/plans.git", "gitlab"),
        ("https://oauth2:hidden@gitlab.com/team/plans", "gitlab"),
        ("https://git.example.com/github/gitlab.git", "none"),
        ("../github", "none"),
    ],
)
def test_the_forge_is_guessed_by_the_remote_s_host(address: str, forge: str, empty: Place) -> None:
    origin(empty, address)
    ended = empty.planops("init")
    assert ended.code == ExitCode.OK
    assert set(files(empty.folder)) == PLAIN | JOBS[forge]
    assert "hidden" not in ended.both


@pytest.mark.parametrize(
    ("there", "forge"), [(".github/CODEOWNERS", "github"), (".gitlab-ci.yml", "gitlab")]
)
def test_without_a_remote_it_is_guessed_by_what_is_there(
    there: str, forge: str, empty: Place
) -> None:
    empty.write(there, "# mine\n")
    assert empty.planops("init").code == ExitCode.OK
    assert set(files(empty.folder)) == PLAIN | JOBS[forge] | {there}


def test_without_a_remote_the_ledger_is_local(empty: Place) -> None:
    alone = "planops.yaml: there is no remote, so the ledger is in this clone alone; write"
    assert alone in empty.planops("init").out
    assert "ledger: {mode: local}  #" in files(empty.folder)["planops.yaml"]
    origin(empty, "/srv/plans.git")
    assert alone not in empty.planops("init", "--force").out
    assert "ledger: {mode: git}  #" in files(empty.folder)["planops.yaml"]
    assert empty.planops("validate").code == ExitCode.OK


@pytest.mark.parametrize(
    ("branches", "here", "expected"),
    [
        ((), "trunk", "trunk"),
        (("main", "feature"), "feature", "main"),
        (("master", "main"), "master", "main"),
        (("master", "feature"), "feature", "master"),
        (("a'b",), "a'b", "main"),
    ],
)
def test_the_workflows_apply_the_default_branch(
    branches: tuple[str, ...], here: str, expected: str, empty: Place
) -> None:
    empty.git("symbolic-ref", "HEAD", f"refs/heads/{here}")
    if branches:
        empty.git("commit", "--quiet", "--allow-empty", "--message", "A start")
        for name in {*branches} - {here}:
            empty.git("branch", name)
    ended = empty.planops("init", "--forge", "github")
    assert f"merging to {expected} applies" in ended.out
    workflow = files(empty.folder)[".github/workflows/planops-apply.yml"]
    assert f'branches: ["{expected}"]' in workflow


def test_the_remote_s_own_word_for_its_default_branch_goes_first(empty: Place) -> None:
    empty.git("commit", "--quiet", "--allow-empty", "--message", "A start")
    empty.git("update-ref", "refs/remotes/origin/release/next", "HEAD")
    empty.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/release/next")
    assert "merging to release/next applies" in empty.planops("init", "--forge", "github").out


def test_outside_of_a_repository_it_says_to_make_one(empty: Place, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    ended = empty.planops("init", "-C", str(folder))
    assert ended.code == ExitCode.OK
    assert "- git init: " in ended.out
    assert set(files(folder)) == PLAIN


def test_jobs_are_written_at_the_root_only(empty: Place) -> None:
    below = empty.folder / "release"
    below.mkdir()
    ended = empty.planops("init", "--forge", "github", "-C", "release")
    assert (ended.code, everything(empty.folder)) == (ExitCode.USAGE, ["release"])
    assert f"say -C {empty.folder}, or --forge none" in ended.err
    assert empty.planops("init", "--forge", "none", "-C", "release").code == ExitCode.OK
    assert empty.planops("validate", "-C", "release").code == ExitCode.OK


# ---------------------------------------------------------------------------------- what goes wrong


class Disk:
    """`os.link`, failing from some call on."""

    def __init__(self, good: int, error: BaseException) -> None:
        self.good = good
        self.error = error
        self.link = os.link

    def __call__(self, source: Path, place: Path) -> None:
        if self.good == 0:
            raise self.error
        self.good -= 1
        self.link(source, place)


@pytest.mark.parametrize("good", range(0, 12, 3))
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), ExitCode.FAILED),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
    ],
    ids=["full", "interrupted"],
)
def test_whenever_it_ends_nothing_is_half_written(
    good: int,
    error: BaseException,
    code: ExitCode,
    empty: Place,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty.write("planops.yaml", "mine\n")
    empty.write("schemas/config.schema.json", "mine\n")
    before = everything(empty.folder)
    monkeypatch.setattr(os, "link", Disk(good, error))
    ended = empty.planops("init", "--forge", "github", "--force")
    assert (ended.code, ended.out) == (code, "")
    assert everything(empty.folder) == before
    assert set(files(empty.folder).values()) == {"mine\n"}


@pytest.mark.parametrize("how", ["the folder is gone", "a file is in its place"])
def test_what_cannot_be_put_back_is_kept_and_named(
    how: str, empty: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty.write("planops.yaml", "mine\n")
    mine = "schemas/config.schema.json"
    empty.write(mine, "mine\n")
    folder, link = empty.folder / "schemas", os.link

    def meanwhile(source: Path, place: Path) -> None:
        link(source, place)
        if place == empty.folder / mine:
            folder.rename(empty.folder / "elsewhere")
            if how == "a file is in its place":
                folder.write_text("theirs\n")
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", meanwhile)
    ended = empty.planops("init", "--force")
    assert (ended.code, ended.out) == (ExitCode.FAILED, "")
    found = re.fullmatch(
        rf"planops: error: {mine} \(now (\.planops-.*)\): it could not be put back after a failure;"
        r" move it back by hand\n",
        ended.err,
    )
    assert found is not None
    assert (empty.folder / found[1]).read_text() == "mine\n"
    assert (empty.folder / "planops.yaml").read_text() == "mine\n"


def test_a_disk_without_hard_links_will_do(empty: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", Disk(0, OSError(errno.EPERM, "Operation not permitted")))
    assert empty.planops("init").code == ExitCode.OK
    assert set(files(empty.folder)) == PLAIN
    assert empty.planops("validate").code == ExitCode.OK
