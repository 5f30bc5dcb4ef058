"""What git says of the place where a repository of plans is to begin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from planops.git.repository import opened

if TYPE_CHECKING:
    from git import Repo

_USUAL: Final = ("main", "master")
_ADDRESS: Final = re.compile(r"(?:[a-z+]+://)?(?:[^@/]*@)?(\[[^\]]+\]|[^/:]+)[:/]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The root of the work tree, the host of the remote ``origin``, and the default branch.

    ``host`` is empty without such a remote, or where it is a folder.
    """

    root: Path
    host: str
    branch: str
    shared: bool
    """Whether there is a remote ``origin``."""


def surroundings(folder: Path) -> Surroundings | None:
    """Look at the repository that a folder belongs to; ``None`` where it belongs to none.

    Raises ``SettingsWrong`` where git does not want the repository.
    """
    with opened(folder) as repo:
        if repo is None or repo.working_tree_dir is None:
            return None
        address = str(repo.git.config("--get", "remote.origin.url", with_exceptions=False))
        return Surroundings(
            root=Path(repo.working_tree_dir),
            host=_host(address),
            branch=_branch(repo),
            shared=bool(address),
        )


def _host(address: str) -> str:
    """Give the host of a remote's address: a URL, or ``git@host:path``.

    >>> _host("git@github.com:a/b.git"), _host("https://u@git.example.com:8443/a"), _host("/srv/a")
    ('github.com', 'git.example.com', '')
    """
    found = _ADDRESS.match(address)
    return found[1].casefold() if found else ""


def _branch(repo: Repo) -> str:
    """Name the default branch: the remote's, else a usual one that is there, else the one here."""
    head = _short(repo, "refs/remotes/origin/HEAD").removeprefix("origin/")
    if head:
        return head
    names = set(str(repo.git.for_each_ref("--format=%(refname:short)", "refs/heads")).splitlines())
    return next((name for name in _USUAL if name in names), "") or _short(repo, "HEAD")


def _short(repo: Repo, name: str) -> str:
    return str(repo.git.symbolic_ref("--quiet", "--short", name, with_exceptions=False))
