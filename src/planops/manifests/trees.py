"""Where files are read from: the work tree, or the blobs of a commit.

Files of a commit are data: nothing is checked out, no link is followed, nothing runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from planops.core.model import Problem
from planops.manifests import files
from planops.manifests.files import Found


class Tree(Protocol):
    """A set of files, by their paths from the settings' folder."""

    def find(self, globs: tuple[str, ...]) -> Found:
        """Find the files that globs name."""
        ...

    def read(self, path: str) -> bytes | Problem:
        """Read a file, or say why it cannot be read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTree:
    """The files as they lie in a folder."""

    root: Path

    def find(self, globs: tuple[str, ...]) -> Found:
        """Find the files that globs name, each once however many ways lead to it."""
        return files.find(self.root, globs)

    def read(self, path: str) -> bytes | Problem:
        """Read a file, or say why it cannot be read."""
        return files.read(self.root, path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """The files of a commit: their bytes, or why there are none."""

    files: Mapping[str, bytes | str]

    def find(self, globs: tuple[str, ...]) -> Found:
        """Find the files that globs name; what is no plain file hides what may be behind it."""
        hides = (path for path, data in self.files.items() if isinstance(data, str))
        named = (path for path in self.files if concerns(path, globs))
        found = sorted({*hides, *named})
        return Found(
            files=tuple(path for path in found if path.isprintable()),
            problems=tuple(files.unseen(path) for path in found if not path.isprintable()),
        )

    def read(self, path: str) -> bytes | Problem:
        """Read a file, or say why it cannot be read."""
        data = self.files.get(path, "the commit has no such file")
        if isinstance(data, bytes):
            return data
        hint = "put the file itself there"
        return files.file_problem(path, "unreadable", f"the file cannot be read: {data}", hint)


def concerns(path: str, globs: tuple[str, ...], *, folder: bool = False) -> bool:
    """Tell whether globs name a file, or, of a folder, might name one behind it.

    Hidden files and folders are passed over, but for those that a glob itself names.
    """
    return any(_named(path, glob, folder=folder) for glob in globs)


def _named(path: str, glob: str, *, folder: bool) -> bool:
    start = files.fixed(glob)
    below = path.removeprefix(f"{start}/") if start else path
    if folder and f"{start}/".startswith(f"{path}/"):
        return True
    if start and below == path:
        return False
    if any(part.startswith(".") for part in below.split("/")):
        return False
    return folder or files.glob_pattern(glob).fullmatch(path) is not None
