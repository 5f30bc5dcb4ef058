"""Files of the repository: which ones globs name, and their bytes.

Nothing outside the repository is ever read: a symbolic link that leaves it is a problem, not a way.
Hidden files and folders are passed over, and so is whatever is no regular file.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from planops.core.model import Mark, Problem, Severity
from planops.manifests.text import MAX_BYTES
from planops.manifests.wording import code, plain

MAX_FOLDERS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Files, by their path from the root, sorted; and what stands in the way of others."""

    files: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """A walk through the folders below a root."""

    root: Path
    patterns: tuple[re.Pattern[str], ...]
    found: dict[str, str] = field(default_factory=dict)  # real path → path from the root
    seen: set[str] = field(default_factory=set)  # real paths of folders
    problems: list[Problem] = field(default_factory=list)

    def matches(self, path: str) -> bool:
        """Say whether a path from the root is wanted."""
        return any(pattern.fullmatch(path) for pattern in self.patterns)

    def problem(self, path: str, name: str, message: str, hint: str) -> None:
        """Note a path that cannot be used."""
        self.problems.append(file_problem(path, name, message, hint))


def file_problem(
    path: str, name: str, message: str, hint: str, severity: Severity = Severity.ERROR
) -> Problem:
    """Say what is wrong with a whole file."""
    mark = Mark(file=plain(path, 300), line=1, column=1)
    return Problem(severity=severity, code=name, message=message, mark=mark, hint=hint)


def unseen(path: str) -> Problem:
    """Say that a file's name is not what it looks like."""
    message = "the file's name holds characters that nobody can see"
    return file_problem(path, "file-name", message, "rename it")


def glob_pattern(glob: str) -> re.Pattern[str]:
    """Turn a glob into a pattern; ``**`` stands for any folders, ``*`` and ``?`` stay in one.

    >>> bool(glob_pattern("plans/**/*.yaml").fullmatch("plans/a.yaml"))
    True
    """
    parts: list[str] = []
    pieces = glob.removeprefix("./").split("/")
    for position, piece in enumerate(pieces):
        last = position == len(pieces) - 1
        if piece == "**":
            parts.append(".*" if last else "(?:[^/]+/)*")
        else:
            parts.append(_piece(piece) + ("" if last else "/"))
    return re.compile("".join(parts), re.DOTALL)


def _piece(piece: str) -> str:
    words = {"*": "[^/]*", "?": "[^/]"}
    return "".join(words.get(part) or re.escape(part) for part in re.split(r"([*?])", piece))


def find(root: Path, globs: tuple[str, ...]) -> Found:
    """Find the files that globs name, each once however many ways lead to it."""
    base = root.resolve()
    search = _Search(root=base, patterns=tuple(glob_pattern(glob) for glob in globs))
    for start in sorted({fixed(glob) for glob in globs}):
        _walk(search, start)
    return Found(files=tuple(sorted(search.found.values())), problems=tuple(search.problems))


def fixed(glob: str) -> str:
    """Take the folders of a glob before its first wildcard: the search begins there."""
    folders: list[str] = []
    for piece in glob.removeprefix("./").split("/")[:-1]:
        if "*" in piece or "?" in piece:
            break
        folders.append(piece)
    return "/".join(folders)


def _walk(search: _Search, start: str) -> None:
    waiting = [start] if _enter(search, start) else []
    while waiting and len(search.seen) < MAX_FOLDERS:
        waiting += reversed(list(_folders(search, waiting.pop())))


def _enter(search: _Search, start: str) -> bool:
    """Say whether a search may begin in a folder."""
    place = search.root / start
    try:
        real = place.resolve(strict=True)
    except (OSError, RuntimeError):
        return False
    if not _inside(search, str(real)):
        search.problem(start, "outside", *_outside(start))
        return False
    if str(real) in search.seen:
        return False
    search.seen.add(str(real))
    return real.is_dir()


def _inside(search: _Search, real: str) -> bool:
    return real == str(search.root) or real.startswith(f"{search.root}{os.sep}")


def _outside(path: str) -> tuple[str, str]:
    message = f"{code(path)} is a symbolic link that leaves the repository"
    return message, "copy what it points to into the repository"


def _folders(search: _Search, folder: str) -> Iterator[str]:
    """Note the wanted files of a folder; yield the folders to look into."""
    try:
        real = os.path.realpath(search.root / folder, strict=True)
        entries = sorted(os.scandir(real), key=lambda entry: (entry.is_symlink(), entry.name))
    except OSError as error:
        message = f"the folder cannot be read: {plain(error.strerror or '')}"
        search.problem(folder, "unreadable", message, "")
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = f"{folder}/{entry.name}" if folder else entry.name
        if _take(search, entry, path):
            yield path


def _take(search: _Search, entry: os.DirEntry[str], path: str) -> bool:
    """Note one entry; say whether it is a folder to look into."""
    wanted = search.matches(path)
    try:
        real = os.path.realpath(entry.path, strict=True) if entry.is_symlink() else entry.path
        folder = entry.is_dir()
        regular = entry.is_file()
    except OSError as error:
        if wanted:
            message = f"the file cannot be found: {plain(error.strerror or '')}"
            search.problem(path, "unreadable", message, "mend or remove the symbolic link")
        return False
    if not _inside(search, real):
        if wanted or folder:
            search.problem(path, "outside", *_outside(path))
        return False
    if not folder:
        if wanted and regular and path.isprintable():
            search.found.setdefault(real, path)
        elif wanted and regular:
            search.problems.append(unseen(path))
        return False
    if wanted:
        warning = file_problem(
            path, "folder", "this is a folder", "give it another name", Severity.WARNING
        )
        search.problems.append(warning)
    new = real not in search.seen
    search.seen.add(real)
    return new


def read(root: Path, path: str) -> bytes | Problem:
    """Read a file of the repository, or say why it cannot be read."""
    base = os.path.realpath(root)
    if "\0" in path:
        return _unreadable(path, "its name holds a NUL byte")
    try:
        real = os.path.realpath(f"{base}{os.sep}{path}", strict=True)
        if not real.startswith(f"{base}{os.sep}"):
            return file_problem(path, "outside", *_outside(path))
        return _bytes(real)
    except (OSError, RuntimeError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        return _unreadable(path, plain(why or ""))


def _unreadable(path: str, why: str) -> Problem:
    message = f"the file cannot be read: {why}"
    return file_problem(path, "unreadable", message, "check that it is still there, and its rights")


def _bytes(place: str) -> bytes:
    """Read at most one byte more than allowed, and never wait for a pipe."""
    descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no regular file")
        return stream.read(MAX_BYTES + 1)
