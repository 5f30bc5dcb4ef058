"""What git says about the files: the commit they are at, and whether they differ from it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from planops.core.report import GitFacts

if TYPE_CHECKING:
    from git import Repo


@contextmanager
def opened(folder: Path) -> Iterator[Repo | None]:
    """Open the repository that a folder belongs to; ``None`` where there is none, or no git.

    Nothing ever waits for a password or disturbs an index.
    """
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    try:
        from git import Repo
        from git.exc import GitError
    except ImportError:
        yield None
        return
    try:
        repo = Repo(folder, search_parent_directories=True)
    except (GitError, OSError, ValueError):
        yield None
        return
    with repo:
        repo.git.update_environment(
            GIT_OPTIONAL_LOCKS="0",
            GIT_TERMINAL_PROMPT="0",
            LC_ALL="C",
            **_place(repo),
        )
        yield repo


def descends(folder: Path, commit: str) -> bool:
    """Tell whether HEAD descends from a commit; false too where this clone does not hold it."""
    with opened(folder) as repo:
        if repo is None:
            return False
        from git.exc import GitError

        try:
            full = repo.git.rev_parse("--verify", "--end-of-options", f"{commit}^{{commit}}")
            repo.git.merge_base("--is-ancestor", full, "HEAD")
        except (GitError, OSError, ValueError):
            return False
        return True


def said(error: Exception) -> str:
    """Give what git said, on one line and printable."""
    parts = (getattr(error, "stdout", ""), getattr(error, "stderr", ""))
    words = " ".join(" ".join(map(str, parts)).split()) or str(error)
    return "".join(char if char.isprintable() else " " for char in words)[:300]


def facts(folder: Path) -> GitFacts | None:
    """Give the commit, branch and dirtiness of the work tree that a folder belongs to.

    ``None`` where it belongs to none, where git is missing, or where git will not say (an owner
    that it does not trust, a repository without a commit): a report can do without.
    """
    with opened(folder) as repo:
        if repo is None:
            return None
        from git.exc import GitError

        try:
            head = repo.git.rev_parse("--verify", "--end-of-options", "HEAD^{commit}")
            branch = "" if repo.head.is_detached else repo.active_branch.name
            dirty = bool(repo.git.status("--porcelain", "-z", "--", str(folder)))
        except (GitError, OSError, ValueError):
            return None
    return GitFacts(head=head, branch=branch, dirty=dirty)


def _place(repo: Repo) -> dict[str, str]:
    """Name this repository, since in a hook git's own variables may name another one."""
    place = {"GIT_DIR": str(repo.git_dir), "GIT_INDEX_FILE": str(Path(repo.git_dir) / "index")}
    tree = repo.working_tree_dir
    return place if tree is None else place | {"GIT_WORK_TREE": str(tree)}
