"""What git says about the files: the commit they are at, and whether they differ from it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from planops.core.report import GitFacts

if TYPE_CHECKING:
    from git import Repo


def facts(folder: Path) -> GitFacts | None:
    """Give the commit, branch and dirtiness of the work tree that a folder belongs to.

    ``None`` where it belongs to none, where git is missing, or where git will not say (an owner
    that it does not trust, a repository without a commit): a report can do without.
    """
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    try:
        from git import Repo
        from git.exc import GitError
    except ImportError:
        return None
    try:
        with Repo(folder, search_parent_directories=True) as repo:
            repo.git.update_environment(
                GIT_OPTIONAL_LOCKS="0", GIT_TERMINAL_PROMPT="0", **_place(repo)
            )
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
