"""Which files globs name, and that nothing outside the repository is ever read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from planops.core.model import Problem
from planops.manifests.files import find, glob_pattern, read


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("plans/*.yaml", "plans/a.yaml", True),
        ("plans/*.yaml", "plans/b/a.yaml", False),
        ("plans/**/*.yaml", "plans/a.yaml", True),
        ("plans/**/*.yaml", "plans/b/c/a.yaml", True),
        ("plans/**/*.yaml", "plans/a.yml", False),
        ("./plans/**", "plans/b/a.yaml", True),
        ("**/plan.yaml", "plan.yaml", True),
        ("**/plan.yaml", "a/plan.yaml", True),
        ("**/plan.yaml", "a/xplan.yaml", False),
        ("plans/?.yaml", "plans/a.yaml", True),
        ("plans/?.yaml", "plans/ab.yaml", False),
        ("plans/a[1].yaml", "plans/a[1].yaml", True),
        ("plans/a[1].yaml", "plans/a1.yaml", False),
        ("a.b", "axb", False),
        ("plans/*.yaml", "plans/a\nb.yaml", True),
    ],
)
def test_a_glob(glob: str, path: str, matches: bool) -> None:  # noqa: FBT001 -- a table's column
    assert bool(glob_pattern(glob).fullmatch(path)) is matches


def test_files_are_sorted_and_hidden_ones_passed_over(tmp_path: Path) -> None:
    make(tmp_path, "p/b.yaml", "p/a/z.yaml", "p/.hidden.yaml", "p/.git/c.yaml", "q/a.yaml")
    make(tmp_path, "p/a.yaml", "p/readme.md")
    found = find(tmp_path, ("p/**/*.yaml", "p/*.yaml"))
    assert found.files == ("p/a.yaml", "p/a/z.yaml", "p/b.yaml")
    assert found.problems == ()
    assert find(tmp_path, ("**/*.yaml",)).files == (*found.files, "q/a.yaml")
    assert find(tmp_path, ("nowhere/*.yaml",)).files == ()


def test_a_link_inside_the_repository_is_followed_once(tmp_path: Path) -> None:
    make(tmp_path, "p/a.yaml", "other/b.yaml")
    (tmp_path / "p" / "copy.yaml").symlink_to("a.yaml")
    (tmp_path / "p" / "0.yaml").symlink_to("a.yaml")
    (tmp_path / "p" / "more").symlink_to("../other")
    (tmp_path / "p" / "loop").symlink_to(".")
    found = find(tmp_path, ("p/**/*.yaml",))
    assert found.files == ("p/a.yaml", "p/more/b.yaml")
    assert found.problems == ()
    assert read(tmp_path, "p/more/b.yaml") == b"x"


def test_a_link_out_of_the_repository_is_a_problem(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    make(tmp_path, "secret/a.yaml", "repo/p/a.yaml", "repository/b.yaml")
    (root / "p" / "b.yaml").symlink_to(tmp_path / "secret" / "a.yaml")
    (root / "p" / "folder").symlink_to(tmp_path / "secret")
    (root / "p" / "near.yaml").symlink_to(tmp_path / "repository" / "b.yaml")
    (root / "p" / "unwanted.txt").symlink_to("/etc/hostname")
    found = find(root, ("p/**/*.yaml",))
    assert found.files == ("p/a.yaml",)
    assert [(problem.mark.file, problem.code) for problem in found.problems if problem.mark] == [
        ("p/b.yaml", "outside"),
        ("p/folder", "outside"),
        ("p/near.yaml", "outside"),
    ]
    for path in ("p/b.yaml", "../secret/a.yaml", "p/near.yaml", "p/folder/a.yaml"):
        answer = read(root, path)
        assert isinstance(answer, Problem)
        assert answer.code == "outside"
    (root / "out").symlink_to(tmp_path / "secret")
    assert [problem.code for problem in find(root, ("out/*.yaml",)).problems] == ["outside"]


def test_what_is_no_file_is_no_traceback(tmp_path: Path) -> None:
    make(tmp_path, "p/x.yaml/inner.yaml")
    os.mkfifo(tmp_path / "p" / "pipe.yaml")
    (tmp_path / "p" / "gone.yaml").symlink_to("nowhere")
    (tmp_path / "p" / "self.yaml").symlink_to("self.yaml")
    found = find(tmp_path, ("p/**/*.yaml",))
    assert found.files == ("p/x.yaml/inner.yaml",)
    said = [
        f"{problem.mark.file}: {problem.severity}: {problem.message}"
        for problem in found.problems
        if problem.mark
    ]
    assert said == [
        "p/x.yaml: warning: this is a folder",
        "p/gone.yaml: error: the file cannot be found: No such file or directory",
        "p/self.yaml: error: the file cannot be found: Too many levels of symbolic links",
    ]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("gone.yaml", "the file cannot be read: No such file or directory"),
        ("pipe.yaml", "the file cannot be read: it is no regular file"),
        ("folder", "the file cannot be read: Is a directory"),
        ("nul\x00", "the file cannot be read: its name holds a NUL byte"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, path: str, message: str) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder").mkdir()
    answer = read(tmp_path, path)
    assert isinstance(answer, Problem)
    assert answer.message == message


def test_a_huge_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "huge.yaml").open("wb") as stream:
        stream.truncate(1 << 33)
    data = read(tmp_path, "huge.yaml")
    assert isinstance(data, bytes)
    assert len(data) == 2**20 + 1
