"""What git says about the files: the commit they are at, and whether they differ from it."""

from __future__ import annotations

import os
from pathlib import Path

from planops.core.report import GitFacts


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
            repo.git.update_environment(GIT_OPTIONAL_LOCKS="0", GIT_TERMINAL_PROMPT="0")
            head = repo.git.rev_parse("--verify", "--end-of-options", "HEAD^{commit}")
            branch = "" if repo.head.is_detached else repo.active_branch.name
            dirty = bool(repo.git.status("--porcelain", "-z", "--", str(folder)))
    except (GitError, OSError, ValueError):
        return None
    return GitFacts(head=head, branch=branch, dirty=dirty)
