"""What the history of HEAD holds of a file that may be gone: proof that it was declared once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from planops.git.repository import below_top, descends, opened

if TYPE_CHECKING:
    from git import Repo


def texts(
    folder: Path, commit: str, file: str, heads: Sequence[str] = ("HEAD",)
) -> Iterator[bytes]:
    """Give a file as ancestors of a head hold it: at a commit, and just before it was removed.

    ``file`` is below ``folder``. Nothing where there is no repository or no such commit, where no
    head descends from it, or where this clone does not hold it.
    """
    if not file or PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
        return
    with opened(folder) as repo:
        if repo is None:
            return
        path = (PurePosixPath(below_top(folder, repo)) / file).as_posix()
        if commit and descends(folder, commit, heads):
            yield from _blob(repo, commit, path)
        for parent in (one for head in heads for one in _before_removal(repo, path, head)):
            yield from _blob(repo, parent, path)


def is_older(folder: Path, commit: str, heads: Sequence[str] = ("HEAD",)) -> bool:
    """Tell whether every head lies in the history of a commit, before it."""
    if not commit or descends(folder, commit, heads):
        return False
    return all(descends(folder, head, (commit,)) for head in heads)


def _before_removal(repo: Repo, path: str, head: str) -> list[str]:
    """Name the parents of the commit that last touched a path: if it is gone, of its removal."""
    from git.exc import GitError

    try:
        told = repo.git.rev_list("--max-count=1", "--parents", head, "--", f":(literal,top){path}")
    except (GitError, OSError, ValueError):
        return []
    return str(told).split()[1:]


def _blob(repo: Repo, commit: str, path: str) -> Iterator[bytes]:
    from git.exc import GitError

    try:
        found: bytes = repo.git.cat_file(
            "blob", f"{commit}:{path}", stdout_as_string=False, strip_newline_in_stdout=False
        )
    except (GitError, OSError, ValueError):
        return
    yield found
