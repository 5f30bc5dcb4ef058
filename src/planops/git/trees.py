"""Files of a commit, read as blobs: nothing is checked out, and no filter or hook runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from planops.errors import SettingsWrong
from planops.git import blobs, calls
from planops.git.repository import below_top, opened, said

if TYPE_CHECKING:
    from git import Repo

MAX_FILES: Final = 100_000
_SECONDS: Final = 60.0
_CHUNK: Final = 1 << 20
_LONGEST: Final = 4096  # bytes of a link's target
_DOWN: Final = re.compile(r"(?:\.\./)*(?!\.\.?(?:/|$))[^/]+(?:/(?!\.\.?(?:/|$))[^/]+)*", re.DOTALL)
"""Up, and then down only: what goes up again may do so from behind another link."""
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
            words = ("--write-tree", "--no-messages", base, head)
            told = calls.limited(repo, _SECONDS, "merge-tree", *words)
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
    ``most`` bytes, and for a link or a submodule that is wanted, or that may be ``hiding`` others:
    a link to a file of the same tree hides none.

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
            elif wanted(path) or (hiding(path) and not _leads_to_file(repo, entries, path)):
                what = "a symbolic link" if entry.mode == _LINK else "a submodule"
                found[path] = f"it is {what}, and in a commit none is followed"
        held = blobs.read(repo, (entry.id for entry in plain.values()))
        for path, entry in plain.items():
            found[path] = held.get(entry.id, "this clone does not hold it; fetch it")
        return found


def altered(folder: Path, paths: Collection[str]) -> frozenset[str]:
    """Name the files below a folder whose bytes HEAD has otherwise, ends of lines apart.

    Git's own word is not enough: attributes of a commit (``working-tree-encoding``, ``ident``, a
    filter) make other bytes at a checkout, and git then calls the file clean.

    Raises ``SettingsWrong`` where HEAD cannot be read.
    """
    held = read(folder, "HEAD", frozenset(paths).__contains__)

    def same(path: str, data: bytes | str) -> bool:
        file = folder / path
        if isinstance(data, str) or not file.is_file():
            return True
        return file.read_bytes().replace(b"\r\n", b"\n") == data.replace(b"\r\n", b"\n")

    return frozenset(path for path, data in held.items() if not same(path, data))


def _leads_to_file(repo: Repo, entries: Mapping[str, _Entry], path: str) -> bool:
    """Tell whether what is at a path is a link to a regular file below the same folder."""
    link = entries[path]
    if link.mode != _LINK or link.size > _LONGEST:
        return False
    target = blobs.read(repo, [link.id]).get(link.id, b"").decode(errors="surrogateescape")
    if not _DOWN.fullmatch(target):
        return False
    found = entries.get(posixpath.normpath(posixpath.join(posixpath.dirname(path), target)))
    return found is not None and found.mode in _REGULAR


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

    below = PurePosixPath(below_top(folder, repo))
    try:
        told = _listed(repo, revision, below)
    except (GitError, ValueError, OSError) as error:
        raise SettingsWrong(
            f"{folder}: commit {revision!r} cannot be read: {said(error)}; fetch it"
        ) from error
    if told is None:
        raise SettingsWrong(f"{folder}: commit {revision!r} has more than {MAX_FILES} files")
    found: dict[str, _Entry] = {}
    for line in told.split(b"\0"):
        match = _ENTRY.fullmatch(line)
        if match is None:
            continue
        path = PurePosixPath(match[5].decode(errors="surrogateescape"))
        size = int(match[4]) if match[4] != b"-" else 0
        entry = _Entry(mode=match[1], id=match[3].decode(), size=size)
        found[path.relative_to(below).as_posix()] = entry
    return found


def _listed(repo: Repo, revision: str, below: PurePosixPath) -> bytes | None:
    """List a tree as git does, ``None`` where there is too much of it.

    A tree may hold the same one many times, and that one again: few bytes make more files than
    there is room for.
    """
    words = ("-r", "-z", "--long", "--full-tree", revision, "--", f"{below}/")
    process = repo.git.ls_tree(*words, as_process=True)
    told, files = bytearray(), 0
    while more := process.stdout.read(_CHUNK):
        told += more
        files += more.count(b"\0")
        if files > MAX_FILES:
            process.proc.kill()
            return None
    process.wait()
    return bytes(told)
