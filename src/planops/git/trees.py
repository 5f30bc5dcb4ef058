"""Files of a commit, read as blobs: nothing is checked out, and no filter or hook runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from planops.errors import SettingsWrong
from planops.git import blobs, calls
from planops.git.repository import opened, said

if TYPE_CHECKING:
    from git import Repo

MAX_FILES: Final = 100_000
_SECONDS: Final = 60.0
_ENTRY: Final = re.compile(
    rb"([0-7]{6}) (blob|commit) ([0-9a-f]{40,64}) +([0-9]+|-)\t(.+)", re.DOTALL
)
_REGULAR: Final = frozenset({b"100644", b"100755", b"100664"})
_LINK: Final = b"120000"
_FULL: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    mode: bytes
    id: str
    size: int


def resolved(folder: Path, revision: str) -> str:
    """Give the full id of the commit that a revision names.

    Raises ``SettingsWrong`` where this clone does not hold it.
    """
    with _repository(folder) as repo:
        return _commit(repo, folder, revision)


def merged(folder: Path, base: str, head: str) -> str:
    """Give the tree that merging a head into a base makes, empty where it cannot be told.

    That is where they conflict, and where git is older than 2.38. Nothing is changed but that the
    tree's objects are written.
    """
    from git.exc import GitError

    with _repository(folder) as repo:
        try:
            told = calls.limited(
                repo, 60, "merge-tree", "--write-tree", "--no-messages", base, head
            )
        except (GitError, TimeoutError):
            return ""
        tree = told.partition("\n")[0]
        return tree if _FULL.fullmatch(tree) else ""


def fork_point(folder: Path, base: str, head: str) -> str:
    """Give the commit at which a head left its base, empty where this clone does not hold one."""
    from git.exc import GitError

    with _repository(folder) as repo:
        try:
            return calls.limited(repo, _SECONDS, "merge-base", base, head).partition("\n")[0]
        except (GitError, TimeoutError):
            return ""


def names(folder: Path, revision: str) -> frozenset[str]:
    """Name the regular files of a commit or tree below a folder."""
    with _repository(folder) as repo:
        entries = _entries(repo, folder, revision)
        return frozenset(path for path, entry in entries.items() if entry.mode in _REGULAR)


def read(
    folder: Path,
    revision: str,
    wanted: Callable[[str], bool],
    hiding: Callable[[str], bool] = lambda _: False,
    *,
    most: int = 1 << 62,
) -> Mapping[str, bytes | str]:
    """Read files of a commit or tree below a folder, by their path from there.

    ``wanted`` chooses by path. Instead of the bytes there is the reason for a file of more than
    ``most`` bytes, and for a link or a submodule that is wanted, or that may be ``hiding`` others.

    Raises ``SettingsWrong`` where this clone does not hold the revision.
    """
    with _repository(folder) as repo:
        entries = _entries(repo, folder, revision)
        found: dict[str, bytes | str] = {}
        plain: dict[str, _Entry] = {}
        for path, entry in entries.items():
            if entry.mode in _REGULAR:
                if wanted(path) and entry.size > most:
                    found[path] = f"it has {entry.size} bytes; at most {most} are read"
                elif wanted(path):
                    plain[path] = entry
            elif wanted(path) or hiding(path):
                what = "a symbolic link" if entry.mode == _LINK else "a submodule"
                found[path] = f"it is {what}, and in a commit none is followed"
        held = blobs.read(repo, (entry.id for entry in plain.values()))
        for path, entry in plain.items():
            found[path] = held.get(entry.id, "this clone does not hold it; fetch it")
        return found


@contextmanager
def _repository(folder: Path) -> Iterator[Repo]:
    with opened(folder) as repo:
        if repo is None:
            raise SettingsWrong(
                f"{folder}: this is no git repository, or git is missing; files of a commit are"
                " read from one"
            )
        yield repo


def _commit(repo: Repo, folder: Path, revision: str) -> str:
    from git.exc import GitError

    try:
        words = ("--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return calls.limited(repo, _SECONDS, "rev-parse", *words)
    except (GitError, TimeoutError, ValueError) as error:
        raise SettingsWrong(
            f"{folder}: commit {revision!r}: this clone does not hold it; fetch it with its history"
        ) from error


def _entries(repo: Repo, folder: Path, revision: str) -> dict[str, _Entry]:
    """List a tree below a folder, by path from there."""
    from git.exc import GitError

    top = Path(repo.working_tree_dir or "").resolve()
    below = PurePosixPath(folder.resolve().relative_to(top))
    try:
        told: bytes = repo.git.ls_tree(
            "-r", "-z", "--long", "--full-tree", revision, "--", f"{below}/",
            stdout_as_string=False, strip_newline_in_stdout=False,
        )  # fmt: skip
    except (GitError, ValueError, OSError) as error:
        raise SettingsWrong(
            f"{folder}: commit {revision!r} cannot be read: {said(error)}; fetch it"
        ) from error
    found: dict[str, _Entry] = {}
    for line in told.split(b"\0"):
        match = _ENTRY.fullmatch(line)
        if match is None:
            continue
        path = PurePosixPath(match[5].decode(errors="surrogateescape"))
        size = int(match[4]) if match[4] != b"-" else 0
        entry = _Entry(mode=match[1], id=match[3].decode(), size=size)
        found[path.relative_to(below).as_posix()] = entry
        if len(found) > MAX_FILES:
            raise SettingsWrong(f"{folder}: commit {revision!r} has more than {MAX_FILES} files")
    return found
