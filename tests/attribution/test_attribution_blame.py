"""Git's blame of the values of plan files, on real repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from attribution.repository import START, Repository
from planops.core.model import Blame, Settled
from planops.git.blame import blame

FILE = "plans/a.yaml"
HOSTILE = "Ann \x1b]8;;http://e.vil\x07\x1b[2J \u202egnp.exe ::error::x"


def test_each_line_has_its_own_commit(repository: Repository) -> None:
    repository.write(FILE, "a: 1", "b: 1", "c: 1")
    first = repository.commit("Plan it")
    repository.write(FILE, "a: 1", "b: 2", "c: 1")
    second = repository.commit("Move the window", author="Bob", at=START + 60)
    found = repository.blame(FILE, 1, 2)
    assert found == {
        1: Blame(commit=first, author="Ann", at=START, subject="Plan it", line=1),
        2: Blame(commit=second, author="Bob", at=START + 60, subject="Move the window", line=2),
    }


def test_a_value_of_several_lines_is_its_newest_commits(repository: Repository) -> None:
    repository.write(FILE, "a: |", "  x", "  y", "b: 1")
    first = repository.commit("One")
    repository.write(FILE, "a: |", "  x", "  z", "b: 1")
    second = repository.commit("Two")  # in the same second: the order of commits tells, no clock
    repository.write(FILE, "a: |", "  x", "  z", "b: 2")
    repository.commit("Three")
    found = blame(repository.folder, FILE, {"/a": range(1, 4), "/x": range(1, 3)})
    assert {name: (told.commit, told.line) for name, told in found.items()} == {
        "/a": (second, 3),
        "/x": (first, 1),
    }


def test_an_edit_that_is_not_committed_is_told(repository: Repository) -> None:
    repository.write(FILE, "a: 1", "b: 1")
    first = repository.commit("One")
    repository.write(FILE, "a: 2", "b: 1")
    assert repository.commits(FILE, 1, 2) == ["uncommitted", first]
    assert repository.blame(FILE, 1)[1] == Blame(settled=Settled.UNCOMMITTED, line=1)


def test_new_indentation_does_not_take_the_blame(repository: Repository) -> None:
    repository.write(FILE, "jobs:", "- name: a", "  type: text")
    first = repository.commit("One")
    repository.write(FILE, "jobs:", "  - name: a", "    type: text\r")
    repository.commit("Reformat", author="Bot")
    assert repository.commits(FILE, 1, 2, 3) == [first] * 3
    repository.write(FILE, "jobs:", "    - name: a", "      type: text")
    assert repository.commits(FILE, 1, 2, 3) == [first] * 3


def test_white_space_within_a_text_does(repository: Repository) -> None:
    repository.write(FILE, "a: one two", "b: 1")
    repository.commit("One")
    repository.write(FILE, "a: onetwo", "  b: 1")
    second = repository.commit("Two", author="Bob")
    assert repository.commits(FILE, 1)[0] == second
    assert repository.blame(FILE, 2)[2].author == "Ann"


def test_an_older_line_beside_a_reformatted_one_is_ranked_by_the_clock(
    repository: Repository,
) -> None:
    repository.write(FILE, "a: |", "  x", "  y")
    repository.commit("One", at=START)
    repository.write(FILE, "a: |", "  x", "  z")
    second = repository.commit("Two", at=START + 60)
    repository.write(FILE, "a: |", "    x", "    z")
    repository.commit("Reformat", at=START + 120)
    found = blame(repository.folder, FILE, {"/a": range(1, 4)})
    assert (found["/a"].commit, found["/a"].line) == (second, 3)


def test_a_moved_file_keeps_its_lines(repository: Repository) -> None:
    lines = [f"key-{n}: {n}" for n in range(20)]
    repository.write(FILE, *lines)
    first = repository.commit("One")
    repository.git("mv", FILE, "plans/b.yaml")
    repository.write("plans/b.yaml", "key-0: changed", *lines[1:])
    moved = repository.commit("Move")
    assert repository.commits("plans/b.yaml", 1, 2) == [moved, first]


def test_a_revert_is_named_and_not_what_it_restores(repository: Repository) -> None:
    repository.write(FILE, "a: 1", "b: 1")
    repository.commit("One")
    repository.write(FILE, "a: 2", "b: 1")
    repository.commit("Two")
    repository.git("revert", "--no-edit", "HEAD", author="Carl")
    assert repository.commits(FILE, 1) == [repository.head()]
    assert repository.blame(FILE, 1)[1].author == "Carl"


@pytest.mark.parametrize("name", ["-L1.yaml", "--contents=x.yaml", "a b.yaml", ":(top)x.yaml"])
def test_a_files_name_is_only_a_name(name: str, repository: Repository) -> None:
    repository.write(name, "a: 1", "b: x y")
    first = repository.commit("One")
    repository.write(name, "  a: 1", "b: xy")
    second = repository.commit("Two")
    assert repository.commits(name, 1, 2) == [first, second]


@pytest.mark.parametrize("name", [b"\xff\xfe.yaml", b'a"\\b\t\n.yaml', "名前.yaml".encode()])
def test_a_name_that_git_quotes_is_read_back(name: bytes, repository: Repository) -> None:
    file = os.fsdecode(name)
    repository.write(file, "a: 1")
    first = repository.commit("One")
    repository.write(file, "   a: 1")
    repository.commit("Two")
    assert repository.commits(file, 1) == [first]


def test_hostile_authors_and_subjects_are_only_data(repository: Repository) -> None:
    repository.write(FILE, "a: 1")
    repository.git("add", "--all")
    tree = repository.git("write-tree")
    long = "x" * 100_000
    head = f"author {HOSTILE}{long} <a@b> {START} +0000\ncommitter C <a@b> {START} +0000\n"
    text = f"tree {tree}\n{head}\n{'0' * 40} 1 1 1\n\nfilename /etc/passwd\n"
    made = repository.raw_commit(text.encode())
    (told,) = repository.blame(FILE, 1).values()
    assert told.commit == made
    assert told.author.startswith(HOSTILE)
    assert len(told.author) == 200
    assert told.subject == f"{'0' * 40} 1 1 1"


def test_a_clock_that_is_none_is_no_time(repository: Repository) -> None:
    repository.write(FILE, "a: 1")
    repository.git("add", "--all")
    tree = repository.git("write-tree")
    text = f"tree {tree}\nauthor A <a@b> {'9' * 18} +0000\ncommitter C <a@b> -5 +0000\n\nOne\n"
    made = repository.raw_commit(text.encode())
    (told,) = repository.blame(FILE, 1).values()
    assert (told.commit, told.at) == (made, 0)


def test_what_is_older_than_the_clone_is_nobodys(repository: Repository, tmp_path: Path) -> None:
    repository.write(FILE, "a: 1", "b: 1")
    repository.commit("One")
    repository.write(FILE, "a: 2", "b: 1")
    repository.commit("Two")
    repository.write(FILE, "a: 3", "b: 1")
    third = repository.commit("Three")
    clone = tmp_path / "clone"
    url = repository.folder.as_uri()
    repository.git("clone", "--quiet", "--depth=2", url, str(clone))
    shallow = Repository(folder=clone)
    assert shallow.commits(FILE, 1, 2) == [third, "before-history"]
    assert shallow.blame(FILE, 2)[2] == Blame(settled=Settled.BEFORE_HISTORY, line=2)


def test_a_first_commit_is_a_commit_like_any_other(repository: Repository) -> None:
    repository.write(FILE, "a: 1")
    first = repository.commit("One")
    assert repository.commits(FILE, 1) == [first]


def test_a_second_work_tree_is_asked_for_its_own_files(
    repository: Repository, tmp_path: Path
) -> None:
    repository.write(FILE, "a: 1")
    first = repository.commit("One")
    repository.git("worktree", "add", "--quiet", str(tmp_path / "other"), "-b", "other")
    other = Repository(folder=tmp_path / "other")
    other.write(FILE, "a: 2", "b: 1")
    second = other.commit("Two")
    assert other.commits(FILE, 1) == [second]
    assert repository.commits(FILE, 1) == [first]


def test_a_link_is_followed_within_the_repository(repository: Repository) -> None:
    repository.write(FILE, "a: 1")
    (repository.folder / "plans" / "link.yaml").symlink_to("a.yaml")
    first = repository.commit("One")
    assert repository.commits("plans/link.yaml", 1) == [first]


def nothing(root: Path, file: str = FILE) -> bool:
    return blame(root, file, {"/a": range(1, 2)}) == {}


def test_where_git_says_nothing_there_is_nothing(repository: Repository, tmp_path: Path) -> None:
    folder = repository.folder
    repository.write(FILE, "a: 1")
    assert nothing(folder)  # no commit yet
    repository.commit("One")
    repository.write("new.yaml", "a: 1")
    assert nothing(folder, "new.yaml")  # git does not know it
    assert nothing(folder, "gone.yaml")
    assert nothing(folder, "plans")
    assert nothing(folder, "a\0b")
    (tmp_path / "outside.yaml").write_text("a: 1\n")
    assert nothing(folder, "../outside.yaml")
    assert nothing(tmp_path, "outside.yaml")  # no repository
    assert blame(folder, FILE, {"/a": range(7, 9)}) == {}  # a line that the file does not have
    assert blame(folder, FILE, {}) == {}
    repository.git("clone", "--quiet", "--bare", str(folder), str(tmp_path / "bare"))
    (tmp_path / "bare" / "a.yaml").write_text("a: 1\n")
    assert nothing(tmp_path / "bare", "a.yaml")


def test_without_git_there_is_nothing(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write(FILE, "a: 1")
    repository.commit("One")
    monkeypatch.setenv("PATH", str(repository.folder))
    assert nothing(repository.folder)


SETTINGS = """
[blame]
\tshowEmail = true
\tcoloring = highlightRecent
\tdate = relative
\tblankBoundary = true
\tmarkIgnoredLines = true
\tmarkUnblamableLines = true
\tignoreRevsFile = {ignored}
[color]
\tui = always
[core]
\tquotePath = false
\tabbrev = 4
[log]
\tdate = relative
\tshowRoot = false
[i18n]
\tlogOutputEncoding = UTF-16
[diff "yaml"]
\ttextconv = sort -r
"""


def test_settings_of_a_user_change_nothing(
    repository: Repository, isolated: Path, tmp_path: Path
) -> None:
    ignored = tmp_path / "ignored"
    isolated.write_text(SETTINGS.format(ignored=ignored))
    repository.write(".gitattributes", "*.yaml diff=yaml")
    repository.write(FILE, "a: 1", "b: 1")
    ignored.write_text("")
    first = repository.commit("Ünë", author="Änn")
    repository.write(FILE, "a: 2", "b: 1")
    second = repository.commit("Two")
    ignored.write_text(f"{second}\n")
    assert repository.commits(FILE, 1, 2) == [second, first]
    assert repository.blame(FILE, 2)[2].author == "Änn"


def test_a_setting_with_which_git_itself_fails_leaves_nothing(
    repository: Repository, isolated: Path
) -> None:
    repository.write(FILE, "a: 1")
    repository.commit("One")
    isolated.write_text("[blame]\n\tignoreRevsFile = /nowhere\n")
    assert nothing(repository.folder)


def test_very_many_lines_are_asked_for_at_once(repository: Repository) -> None:
    repository.write(FILE, *(f"k{n}: {n}" for n in range(1_000)))
    first = repository.commit("One")
    found = repository.blame(FILE, *range(1, 1_001, 2))
    assert len(found) == 500
    assert {told.commit for told in found.values()} == {first}


def test_hooks_variables_of_another_repository_are_not_heard(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write(FILE, "a: 1")
    first = repository.commit("One")
    other = tmp_path / "other"
    subprocess.run(["git", "init", "--quiet", str(other)], check=True)  # noqa: S603, S607
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert repository.commits(FILE, 1) == [first]


def test_longer_ids_are_ids_too(tmp_path: Path) -> None:
    folder = tmp_path / "sha256"
    folder.mkdir()
    repository = Repository(folder=folder)
    repository.git("init", "--quiet", "--object-format=sha256", "--initial-branch=main")
    repository.write(FILE, "a: 1")
    first = repository.commit("One")
    repository.write(FILE, "a: 1", "b: 1")
    assert len(first) == 64
    assert repository.commits(FILE, 1, 2) == [first, "uncommitted"]


def gone(root: Path, file: str = FILE) -> Blame | None:
    return blame(root, file, {"/a": range(0)}).get("/a")


@pytest.mark.parametrize("name", [FILE, "-x.yaml", ":(glob)**.yaml", "[a]*?.yaml"])
def test_what_is_gone_is_laid_to_the_files_last_change(name: str, repository: Repository) -> None:
    repository.write(name, "a: 1", "b: 1")
    repository.write("a.yaml", "a: 1")
    repository.commit("One")
    repository.write(name, "b: 1")
    second = repository.commit("Let it go", author="Bob")
    repository.write("a.yaml", "a: 2")
    repository.commit("Another file")
    found = gone(repository.folder, name)
    assert found == Blame(commit=second, author="Bob", at=START, subject="Let it go")
    repository.write("a.yaml", "a: 3")
    assert gone(repository.folder, name) == found
    repository.write(name, "c: 1")
    assert gone(repository.folder, name) == Blame(settled=Settled.UNCOMMITTED)


def test_what_is_gone_from_where_git_says_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.write(FILE, "a: 1")
    assert gone(repository.folder) is None  # no commit
    repository.commit("One")
    repository.write("new.yaml", "a: 1")
    assert gone(repository.folder, "new.yaml") is None  # git does not know it
    (tmp_path / "outside.yaml").write_text("a: 1\n")
    assert gone(repository.folder, "../outside.yaml") is None
    assert blame(repository.folder, FILE, {}) == {}


def test_what_went_before_the_clone_is_nobodys(repository: Repository, tmp_path: Path) -> None:
    repository.write(FILE, "a: 1")
    repository.commit("One")
    repository.write(FILE, "b: 1")
    repository.commit("Two")
    repository.git("clone", "-q", "--depth=1", repository.folder.as_uri(), str(tmp_path / "clone"))
    assert gone(tmp_path / "clone") == Blame(settled=Settled.BEFORE_HISTORY)
