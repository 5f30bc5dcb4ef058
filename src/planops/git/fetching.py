"""Fetching one commit that this clone lacks: a pull request's, which no branch of it holds."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from planops.errors import SettingsWrong, Unreachable
from planops.git import calls
from planops.git.repository import opened, said

if TYPE_CHECKING:
    from git import Repo

_SECONDS: Final = 120.0


def holds(folder: Path, commit: str) -> bool:
    """Tell whether this clone holds a commit."""
    with opened(folder) as repo:
        return repo is not None and _holds(repo, commit)


def _holds(repo: Repo, commit: str) -> bool:
    from git.exc import GitError

    try:
        calls.limited(repo, _SECONDS, "cat-file", "-e", f"{commit}^{{commit}}")
    except (GitError, TimeoutError):
        return False
    return True


def is_shallow(folder: Path) -> bool:
    """Tell whether a clone holds only a part of the history."""
    with opened(folder) as repo:
        return repo is not None and _is_shallow(repo)


def fetch(folder: Path, ref: str, commit: str, *, remote: str = "origin", token: str = "") -> None:
    """Fetch a ref with its history, without making a ref of it, and make sure that it is a commit.

    ``token`` is shown to an https remote only, in a header, and in no command line.

    Raises ``Unreachable`` where the remote does not give it, ``SettingsWrong`` where the ref has
    moved on, so that the commit did not come with it.
    """
    from git.exc import GitError

    with opened(folder) as repo:
        if repo is None or _holds(repo, commit):
            return
        words = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        deeper = ("--unshallow",) if _is_shallow(repo) else ()
        with repo.git.custom_environment(**_shown(repo, remote, token)):
            try:
                calls.limited(repo, _SECONDS, "fetch", *words, *deeper, remote, ref)
            except (GitError, TimeoutError) as error:
                why = said(error).replace(token, "***") if token else said(error)
                raise Unreachable(f"{remote} {ref}: it cannot be fetched: {why}") from error
        if not _holds(repo, commit):
            raise SettingsWrong(
                f"{remote} {ref}: commit {commit[:12]} did not come with it: it has moved on; the"
                " run of the newer commit speaks for it"
            )


def _is_shallow(repo: Repo) -> bool:
    return (Path(repo.common_dir) / "shallow").is_file()


def _shown(repo: Repo, remote: str, token: str) -> dict[str, str]:
    """Give the variables that show a token to an https remote."""
    from git.exc import GitError

    try:
        url = calls.limited(repo, _SECONDS, "remote", "get-url", remote)
    except (GitError, TimeoutError):
        return {}
    if not token or not url.startswith("https://") or "GIT_CONFIG_COUNT" in os.environ:
        return {}  # the job has told git already how to ask
    pair = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{url}.extraheader",
        "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {pair}",
    }
