"""Files of a commit, read as blobs: nothing is checked out, and no filter or hook runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
_NAMES: Final = 250
_ANY: Final = 1 << 62
_DOWN: Final = re.compile(
    r"(?:\.\./)*(?!\.\.?(?:/|$))[^/\0]+(?:/(?!\.\.?(?:/|$))[^/\0]+)*", re.DOTALL
)
"""Up, and then down only: what goes up again may do so from behind another link."""
_ENTRY: Final = re.compile(
    rb"([0-7]{6}) (blob|commit) ([0-9a-f]{40,64}) +([0-9]+|-)\t(.+)", re.DOTALL
)
_STAGE: Final = re.compile(r"[0-7]{6} ([0-9a-f]{40,64}) ([123])\t(.+)", re.DOTALL)
_THEIRS: Final = "3"
_REGULAR: Final = frozenset({b"100644", b"100755", b"100664"})
_LINK: Final = b"120000"
_FULL: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    mode: bytes
    id: str
    size: int

    @property
    def is_file(self) -> bool:
        return self.mode in _REGULAR


def resolved(folder: Path, revision: str) -> str:
    """Give the full id of the commit that a revision names.

    Raises ``SettingsWrong`` where this clone does not hold it.
    """
    with _repository(folder) as repo:
        return _commit(repo, folder, revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """What merging makes: a tree, and what conflicts in it, by path from the top.

    Files that conflict hold the marks of both sides there.
    """

    tree: str = ""
    conflicts: frozenset[str] = frozenset()


def merged(folder: Path, base: str, head: str) -> Merge:
    """Give what merging a head into a base makes; without a tree where that cannot be told.

    That is where they have nothing in common, where a file that conflicts has another name in the
    head, and where git is older than 2.38. Nothing is changed but that the tree's objects are
    written. ``folder`` is the top.
    """
    from git.exc import GitError

    with _repository(folder) as repo:
        try:
            words = ("--write-tree", "--no-messages", "-z", base, head)
            told = calls.limited(repo, _SECONDS, "merge-tree", *words, fine=(0, 1))
        except (GitError, TimeoutError):
            return Merge()
        tree, *rows = told.split("\0")
        if not _FULL.fullmatch(tree):
            return Merge()
        stages = [match for row in rows if (match := _STAGE.fullmatch(row))]
        paths = frozenset(match[3] for match in stages)
        held = _Tree(repo=repo, folder=folder, revision=head).entries(paths)
        theirs = {match[3]: match[1] for match in stages if match[2] == _THEIRS}
        known = all(path in held and held[path].id == id_ for path, id_ in theirs.items())
        return Merge(tree=tree, conflicts=paths) if known else Merge()


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
    hiding: Callable[[str], bool],
    *,
    below: Collection[str],
    most: int,
    instead: tuple[str, Collection[str]] = ("", ()),
) -> Mapping[str, bytes | str]:
    """Read files of a commit or tree below a folder, by their path from there.

    Only what is ``below`` these folders is listed; ``wanted`` chooses by path. ``instead`` is a
    commit, and paths from the folder that are taken as it has them. Instead of the bytes
    there is the reason for a file of more than ``most`` bytes, and for a link or a submodule that
    is wanted, or that may be ``hiding`` others: a link to a file of the same tree hides none.

    Raises ``SettingsWrong`` where this clone does not hold the revision, or there is too much.
    """
    with _repository(folder) as repo:
        tree = _Tree(repo=repo, folder=folder, revision=revision)
        above = {str(one) for start in below for one in PurePosixPath(start).parents} - {"."}
        entries = tree.entries(below, "-r") | tree.entries(above)
        entries = _taken(entries, replace(tree, revision=instead[0]), instead[1])
        chosen = {path for path in entries if wanted(path)}
        others = entries.keys() - chosen
        maybe = {path for path in others if not entries[path].is_file and hiding(path)}
        chosen |= maybe - _leading(tree, entries, maybe)
        return _contents(repo, {path: entries[path] for path in chosen}, most)


def _taken(
    entries: Mapping[str, _Entry], other: _Tree, paths: Collection[str]
) -> dict[str, _Entry]:
    """Take some paths as another commit has them."""
    taken = other.entries(entries.keys() & {*paths})
    kept = {path: entry for path, entry in entries.items() if path not in paths}
    return kept | {path: entry for path, entry in taken.items() if path in paths}


def named(folder: Path, revision: str, paths: Collection[str]) -> Mapping[str, bytes | str]:
    """Read a few files of a commit or tree, by their path from a folder.

    As :func:`read`, without a limit of bytes.
    """
    with _repository(folder) as repo:
        entries = _Tree(repo=repo, folder=folder, revision=revision).entries(paths)
        return _contents(repo, {path: entries[path] for path in paths if path in entries}, _ANY)


def altered(folder: Path, paths: Collection[str]) -> frozenset[str]:
    """Name the files below a folder whose bytes HEAD has otherwise, ends of lines apart.

    Git's own word is not enough: attributes of a commit (``working-tree-encoding``, ``ident``, a
    filter) make other bytes at a checkout, and git then calls the file clean.

    Raises ``SettingsWrong`` where HEAD cannot be read.
    """
    folders = {posixpath.dirname(path) for path in paths}
    held = read(
        *(folder, "HEAD", frozenset(paths).__contains__, lambda _: False), below=folders, most=_ANY
    )

    def same(path: str, data: bytes | str) -> bool:
        file = folder / path
        if isinstance(data, str) or not file.is_file():
            return True
        return file.read_bytes().replace(b"\r\n", b"\n") == data.replace(b"\r\n", b"\n")

    return frozenset(path for path, data in held.items() if not same(path, data))


def _contents(repo: Repo, entries: Mapping[str, _Entry], most: int) -> dict[str, bytes | str]:
    """Read files, or say why one is not read."""
    files = (entry for entry in entries.values() if entry.is_file and entry.size <= most)
    held = blobs.read(repo, (entry.id for entry in files))

    def content(entry: _Entry) -> bytes | str:
        if not entry.is_file:
            what = "a symbolic link" if entry.mode == _LINK else "a submodule"
            return f"it is {what}, and in a commit none is followed"
        if entry.size > most:
            return f"it has {entry.size} bytes; at most {most} are read"
        return held.get(entry.id, "this clone does not hold it; fetch it")

    return {path: content(entry) for path, entry in entries.items()}


def _leading(tree: _Tree, entries: Mapping[str, _Entry], paths: Collection[str]) -> frozenset[str]:
    """Name the links among these that lead to a regular file below the same folder."""
    links = {path: entries[path] for path in paths if entries[path].mode == _LINK}
    ids = [entry.id for entry in links.values() if entry.size <= _LONGEST]
    texts = blobs.read(tree.repo, ids)
    aims: dict[str, str] = {}
    for path, entry in links.items():
        text = texts.get(entry.id, b"").decode(errors="surrogateescape")
        aim = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
        if _DOWN.fullmatch(text) and not aim.startswith("../"):
            aims[path] = aim
    known = {**tree.entries({*aims.values()}.difference(entries)), **entries}
    return frozenset(path for path, aim in aims.items() if aim in known and known[aim].is_file)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tree:
    """The tree of a commit, below a folder."""

    repo: Repo
    folder: Path
    revision: str

    def entries(self, names: Collection[str], *words: str) -> dict[str, _Entry]:
        """List what is at these paths, with ``-r`` all that is below them; by path.

        For very many paths that is everything: git looks at each path for each file.
        """
        from git.exc import GitError

        top = PurePosixPath(below_top(self.folder, self.repo))
        if len(names) > _NAMES:
            names, words = ("",), ("-r",)
        try:
            told = self._listed([str(top / name) for name in sorted(names)], words)
        except (GitError, ValueError, OSError) as error:
            raise SettingsWrong(
                f"{self.folder}: commit {self.revision!r} cannot be read: {said(error)}; fetch it"
            ) from error
        if told is None:
            raise SettingsWrong(
                f"{self.folder}: commit {self.revision!r} has more than {MAX_FILES} files where the"
                " globs begin; let the globs in planops.yaml name a folder of plans only"
            )
        found: dict[str, _Entry] = {}
        for line in told.split(b"\0"):
            match = _ENTRY.fullmatch(line)
            if match is None:
                continue
            path = PurePosixPath(match[5].decode(errors="surrogateescape"))
            size = int(match[4]) if match[4] != b"-" else 0
            entry = _Entry(mode=match[1], id=match[3].decode(), size=size)
            found[path.relative_to(top).as_posix()] = entry
        return found

    def _listed(self, names: Sequence[str], words: Sequence[str]) -> bytes | None:
        """List as git does, ``None`` where there is too much of it.

        A tree may hold the same one many times, and that one again: few bytes make more files than
        there is room for.
        """
        if not names:
            return b""
        process = self.repo.git.ls_tree(
            *("-z", "--long", "--full-tree", *words, self.revision, "--", *names),
            as_process=True,
            env={"GIT_LITERAL_PATHSPECS": "1"},
        )
        told, files = bytearray(), 0
        while more := process.stdout.read(_CHUNK):
            told += more
            files += more.count(b"\0")
            if files > MAX_FILES:
                process.proc.kill()
                return None
        process.wait()
        return bytes(told)
