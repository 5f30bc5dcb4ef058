"""Puts new files into a folder: all of them or none, and none over another unless told to.

Every file is written whole beside its place, on the same disk, before the first one gets its name;
what goes wrong after that is taken back.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from planops.errors import Refused, SettingsWrong
from planops.manifests.wording import plain
from planops.starter.files import StarterFile

_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What became of the files: written, there already with the same text, or left as they were."""

    written: tuple[StarterFile, ...]
    same: tuple[StarterFile, ...]
    kept: tuple[StarterFile, ...]


def place(root: Path, files: Sequence[StarterFile], *, overwrite: bool = False) -> Placed:
    """Write the files below a folder.

    Raises:
        Refused: files are in the way; all of them are named, and nothing was written.
        SettingsWrong: something cannot be written; nothing was written then either, but where it
            could not be taken back: then it says where each file is that was there before.
    """
    base = Path(os.path.realpath(root))
    for file in files:
        _reachable(base, file.path)
    there = [file for file in files if os.path.lexists(base / file.path)]
    same = [file for file in there if _holds(base / file.path, file.text)]
    kept = [file for file in there if file.theirs and file not in same]
    in_the_way = [file for file in there if file not in same and file not in kept]
    _refuse(base, in_the_way, overwrite=overwrite)
    new = [file for file in files if file not in same and file not in kept]
    try:
        _write(base, new, frozenset(file.path for file in there))
    except OSError as error:
        where = plain(os.path.relpath(str(error.filename2 or error.filename or base), base), 200)
        why = plain(error.strerror or "it cannot be written")
        raise SettingsWrong(f"{where}: {why}; nothing was written; mend that first") from None
    return Placed(written=tuple(new), same=tuple(same), kept=tuple(kept))


def _reachable(base: Path, path: str) -> None:
    """Make sure that a file's folder is in the repository, whatever links are on the way."""
    folder = (base / path).parent
    if not Path(os.path.realpath(folder)).is_relative_to(base):
        raise SettingsWrong(
            f"{path}: its folder is a symbolic link that leaves the repository; remove the link"
        )


def _holds(place: Path, text: str) -> bool:
    try:
        return place.is_file() and place.read_bytes() == text.encode()
    except OSError:
        return False


def _refuse(base: Path, files: Sequence[StarterFile], *, overwrite: bool) -> None:
    folders = [file.path for file in files if (base / file.path).is_dir()]
    if folders:
        raise Refused(
            f"{', '.join(folders)}: a folder is where a file would be; nothing was written; move it"
            " away"
        )
    if files and not overwrite:
        raise Refused(
            f"{', '.join(file.path for file in files)}: there already, with another text; nothing"
            " was written; move it away, or say --force to write over it"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What was done so far, so that it can be taken back."""

    folders: list[Path] = field(default_factory=list)
    named: list[Path] = field(default_factory=list)
    moved: list[tuple[Path, Path]] = field(default_factory=list)

    def take_back(self) -> dict[Path, Path]:
        """Undo what can be undone; give what could not be put back, and where it lies instead."""
        for place in self.named:
            with suppress(OSError):  # the folder takes nothing any more
                place.unlink(missing_ok=True)
        for place, aside in self.moved:
            with suppress(OSError):  # the same, or it had not been moved yet
                aside.replace(place)
        for folder in reversed(self.folders):
            with suppress(OSError):  # somebody put something into it meanwhile
                folder.rmdir()
        return {place: aside for place, aside in self.moved if os.path.lexists(aside)}


def _write(base: Path, files: Sequence[StarterFile], there: frozenset[str]) -> None:
    if not files:
        return
    done, lost = _Done(), dict[Path, Path]()
    staging = Path(tempfile.mkdtemp(dir=base, prefix=".planops-"))
    try:
        for number, file in enumerate(files):
            _stage(staging / f"{number}", file.text)
        for number, file in enumerate(files):
            _folders(base, Path(file.path).parent, done)
            if file.path in there:
                _aside(base / file.path, staging / f"{number}.before", done)
            _link(staging / f"{number}", base / file.path)
            done.named.append(base / file.path)
    except BaseException as error:
        lost = done.take_back()
        if lost:
            raise SettingsWrong(_told(base, lost)) from error
        raise
    finally:
        if not lost:
            shutil.rmtree(staging, ignore_errors=True)


def _told(base: Path, lost: Mapping[Path, Path]) -> str:
    """Say where files are that were moved aside and cannot be moved back."""
    pairs = [[plain(os.path.relpath(path, base), 200) for path in pair] for pair in lost.items()]
    names = ", ".join(f"{place} (now {aside})" for place, aside in pairs)
    return f"{names}: it could not be put back after a failure; move it back by hand"


def _stage(beside: Path, text: str) -> None:
    with beside.open("xb") as stream:
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())


def _folders(base: Path, folder: Path, done: _Done) -> None:
    for depth in range(1, len(folder.parts) + 1):
        below = base.joinpath(*folder.parts[:depth])
        with suppress(FileExistsError):
            below.mkdir()
            done.folders.append(below)


def _aside(place: Path, aside: Path, done: _Done) -> None:
    """Move aside what is to be written over."""
    done.moved.append((place, aside))
    place.replace(aside)


def _link(beside: Path, place: Path) -> None:
    """Link a file to its name, which fails where somebody has taken the name meanwhile."""
    try:
        os.link(beside, place)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        place.touch(exist_ok=False)  # no hard links here: take the name, then put the file there
        beside.replace(place)
