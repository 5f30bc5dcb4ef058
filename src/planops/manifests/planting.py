"""A new plan file: its key, its place, its text, and how it gets there.

Decides nothing about what a plan holds. A file is written whole or not at all, never over another
one, never outside the repository, and only where the settings' globs find it again.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
import unicodedata
from pathlib import Path
from typing import Final

from planops.core.model import JSON
from planops.errors import SettingsWrong, UsageWrong
from planops.manifests.files import fixed, glob_pattern
from planops.manifests.settings import Config
from planops.manifests.wording import choice, code, plain
from planops.manifests.writing import written

KEY: Final = re.compile(r"[a-z0-9](?:[-.a-z0-9]{0,98}[a-z0-9])?", re.ASCII)
WANTED: Final = (
    "1 to 100 lower-case letters, digits, dots and hyphens, a letter or digit first and last"
)
_LONGEST: Final = 80
_TAIL: Final = 6
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def slug(name: str, id_: str) -> str:
    """Make a key of a plan's name; of its id where the name has no Latin letter.

    >>> slug("Train 2026.12 - Größe", "64f1a00000000000000000b1")
    'train-2026.12-grosse'
    """
    latin = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9.]+", "-", latin)
    found = re.sub(r"-*\.[-.]*", ".", words)[:_LONGEST].strip("-.")
    if re.search("[a-z]", found):
        return found
    return f"plan-{found or id_[-_TAIL:]}"


def keys_for(name: str, id_: str) -> tuple[str, ...]:
    """Make keys of a plan, the best first; the last one is no other plan's."""
    made = slug(name, id_)
    return made, f"{made}-{id_[-_TAIL:]}", f"plan-{id_}"


def folder(config: Config, here: Path, into: str | None) -> str:
    """Name the folder for new files, from the settings': the one asked for, or the first glob's.

    Raises:
        UsageWrong: it is not in the repository, is no folder, or is hidden.
    """
    root = Path(os.path.realpath(config.root))
    if into is None:
        return fixed(config.plans[0])
    place = Path(os.path.realpath(here / into))
    if not place.is_relative_to(root):
        raise UsageWrong(
            f"--into {code(into)}: it is outside of the repository; name a folder in it"
        )
    if place.exists() and not place.is_dir():
        raise UsageWrong(f"--into {code(into)}: it is no folder; name one")
    found = place.relative_to(root).as_posix()
    return "" if found == "." else found


def file_for(config: Config, below: str, key: str) -> str:
    """Name the file of a key, from the settings' folder.

    Raises:
        UsageWrong: no glob of the settings would find it there.
    """
    stem = f"{below}/{key}" if below else key
    names = [f"{stem}.{ending}" for ending in ("yaml", "yml")]
    patterns = [glob_pattern(glob) for glob in config.plans]
    for name in names:
        hidden = any(part.startswith(".") for part in name.split("/"))
        if not hidden and any(pattern.fullmatch(name) for pattern in patterns):
            return name
    raise UsageWrong(
        f"{names[0]}: `plans` in planops.yaml would not find a file there, it has"
        f" {choice(config.plans)}; choose another folder with --into, or add a glob"
    )


def text(config: Config, file: str, kind: str, key: tuple[str, str], spec: dict[str, JSON]) -> str:
    """Give the whole text of a file; ``key`` is target and name.

    Raises:
        FilesWrong: the spec holds what no file can hold.
    """
    target, name = key
    metadata: dict[str, JSON] = {"name": name}
    if len(config.targets) > 1:
        metadata["target"] = target
    document: dict[str, JSON] = {
        "apiVersion": "planops/v1",
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }
    above = "../" * file.count("/")
    head = f"# yaml-language-server: $schema={above}schemas/plan.schema.json\n"
    return head + written(document)


def there(root: Path, file: str) -> bool:
    """Tell whether something has a file's place already, be it a link to nowhere."""
    return os.path.lexists(root / file)


def plant(root: Path, file: str, content: str) -> None:
    """Write a new file, whole or not at all.

    Raises:
        SettingsWrong: it cannot be written, or something is in its place.
    """
    place = root / file
    base = Path(os.path.realpath(root))
    try:
        if not Path(os.path.realpath(place.parent)).is_relative_to(base):
            raise SettingsWrong(
                f"{file}: its folder is a symbolic link that leaves the repository; choose another"
                " with --into"
            )
        place.parent.mkdir(parents=True, exist_ok=True)
        _linked(place, content)
    except FileExistsError:
        raise SettingsWrong(f"{file}: something is there already, and stays") from None
    except OSError as error:
        why = plain(error.strerror or "")
        raise SettingsWrong(
            f"{file}: it cannot be written: {why}; mend that, or use --into"
        ) from None


def _linked(place: Path, content: str) -> None:
    """Write beside the place, then give it the name, which fails where the name is taken."""
    handle, beside = tempfile.mkstemp(dir=place.parent, prefix=".planops-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode())
            stream.flush()
            os.fsync(stream.fileno())
        Path(beside).chmod(0o666 & ~_umask())
        try:
            os.link(beside, place)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            place.touch(
                exist_ok=False
            )  # no hard links here: take the name, then put the file there
            Path(beside).replace(place)
    finally:
        Path(beside).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
