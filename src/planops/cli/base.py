"""Settings in a pull request's build: as the base commit has them.

A pull request is a stranger's text until it is merged. What it changes of the settings, or of files
that they name, is pointed out and never used: it reaches no other server and lifts no limit.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from planops.core.model import Mark, Problem, Severity
from planops.errors import SettingsWrong

if TYPE_CHECKING:
    from planops.manifests.settings import Config, Target

SECRETS = "PLANOPS_SECRETS"
CHANGED = "settings-changed"
PULLS = "refs/pull/"
"""What GitHub checks out in a pull request's build, whatever event it is for."""
Read = tuple["Config | None", tuple[Problem, ...]]


def settings(
    chdir: Path,
    base: str,
    *,
    calls: bool,
    head: str = "",
    since: str = "",
    marked: Collection[str] = (),
) -> Read:
    """Read the settings of the work tree or, in a pull request's build, of its base.

    ``calls`` tells that servers are called: where the base has no settings nothing is then.
    ``head`` is the commit or tree that is reviewed, where that is not the work tree, and ``since``
    what it is compared with, where that is not the base; ``marked`` are paths from the top that
    hold the marks of a conflict there.

    Raises ``SettingsWrong`` where there are none, or the base cannot be read.
    """
    from planops.manifests.settings import check_config, check_text, find_config

    if not base:
        return check_config(find_config(chdir))
    path, data = _at(chdir, base)
    if path is None:
        if calls:
            raise SettingsWrong(
                f"planops.yaml: the base {base[:12]} has none, and what a pull request brings is"
                " used once it is merged; add the settings by themselves first"
            )
        return check_config(find_config(chdir))
    config, problems = check_text(path, data)
    names = [*_changed(config, path, since or base, head, chdir.resolve())]
    told = (*problems, *(changed(path, name, base) for name in names))
    if config is None or not {_inside(path)}.difference(marked) & {*names}:
        return config, told
    new, wrong = _coming(path, head)
    config = replace(config, coming=frozenset(new.targets if new else ()))
    return config, (*told, *wrong)


def _coming(path: Path, head: str) -> Read:
    """Check settings that are used once they are merged: if they are wrong nothing is called then.

    Of what they say nothing is used before.
    """
    from planops.git.trees import named
    from planops.manifests.settings import check_config, check_text

    if not head:
        return check_config(path) if path.is_file() else (None, ())
    name = _inside(path)
    data = named(_root(path), head, (name,)).get(name)
    return check_text(path, data) if isinstance(data, bytes) else (None, ())


def _inside(path: Path) -> str:
    """Name a file from the top of the repository."""
    return path.relative_to(_root(path)).as_posix()


def _root(path: Path) -> Path:
    """Give the top of the repository that a file is in; outside of any, its folder."""
    from planops.git.repository import top

    return top(path.parent) or path.parent


def _changed(config: Config | None, path: Path, base: str, head: str, here: Path) -> Iterator[str]:
    """Name every file of the operator that a pull request changes.

    Settings that are nearer to ``here`` take the place of the base's once they are merged.
    """
    from planops.git.trees import named

    root = _root(path)
    nearer = (folder / path.name for folder in (here, *here.parents))
    files = [path, *takewhile(path.__ne__, nearer), *(_named(config) if config else ())]
    files = [Path(os.path.normpath(file)) for file in files]
    inside = {f.relative_to(root).as_posix(): f for f in files if f.is_relative_to(root)}
    known = named(root, base, inside)
    now = named(root, head, inside) if head else {}
    for name, file in inside.items():
        there = now.get(name) if head else (file.read_bytes() if file.is_file() else None)
        if there != known.get(name):
            yield name


def _named(config: Config) -> Iterator[Path]:
    """Name the files that the settings name: secrets and certificates."""
    for target in config.targets.values():
        yield from _files_of(config, target)


def _files_of(config: Config, target: Target) -> Iterator[Path]:
    from planops.manifests.settings import named_by

    kind, name = named_by(target.token)
    if kind == "file":
        yield config.root / name
    if target.ca_file:
        yield target.ca_file


def base_of(environ: Mapping[str, str]) -> str:
    """Name the base commit of the pull request that this job builds; empty in any other.

    Raises ``SettingsWrong`` where the CI speaks of a pull request and does not say its base: its
    own settings must not be used in their place.
    """
    if named := environ.get("PLANOPS_BASE"):
        return named
    if not {"GITHUB_ACTIONS", "GITLAB_CI"} & environ.keys():
        return ""
    from planops.forges.detect import detect
    from planops.forges.events import Trigger

    event = detect(environ)
    about = event is not None and event.trigger in {Trigger.PULL, Trigger.RUN}
    if event is None or not (about or environ.get("GITHUB_REF", "").startswith(PULLS)):
        return ""
    if not event.base:
        raise SettingsWrong(
            "this is a pull request's build, and the CI does not say its base; set PLANOPS_BASE"
        )
    return event.base


def changed(settings: Path, file: str, base: str) -> Problem:
    """Point out a file of the operator that a pull request changes, by its path from the top.

    The place of a problem is named from the settings' folder.
    """
    place = posixpath.relpath(file, posixpath.dirname(_inside(settings)) or ".")
    return Problem(
        severity=Severity.WARNING,
        code=CHANGED,
        message=f"{file} is not as the base {base[:12]} has it, whose settings are used",
        mark=Mark(file=place, line=1, column=1),
        hint="they take effect once this is merged; who merges decides about them, too",
    )


def _at(chdir: Path, base: str) -> tuple[Path | None, bytes]:
    """Find the settings in a folder or above it, as a commit has them."""
    from planops.git.repository import top
    from planops.git.trees import named
    from planops.manifests.settings import NAME

    root, here = top(chdir), chdir.resolve()
    if root is None:
        raise SettingsWrong(f"{chdir}: this is no git repository; a base is a commit of one")
    folders = [here, *(folder for folder in here.parents if folder.is_relative_to(root))]
    wanted = {(folder / NAME).relative_to(root).as_posix(): folder / NAME for folder in folders}
    held = named(root, base, wanted)
    for inside, path in wanted.items():
        data = held.get(inside)
        if isinstance(data, bytes):
            return path, data
    return None, b""


def check_trusted(config: Config, target: Target, base: str, environ: Mapping[str, str]) -> None:
    """Make sure that a target's secret and certificates are the operator's own.

    Raises ``SettingsWrong`` for a variable that the operator did not list, and for a file in the
    repository that the pull request changes.
    """
    if not base:
        return
    from planops.manifests.settings import named_by

    kind, name = named_by(target.token)
    listed = environ.get(SECRETS, "").replace(",", " ").split()
    if kind == "env" and name not in listed:
        raise SettingsWrong(
            f"{target.token}: in a review, and in a pull request's build, only variables that the"
            f" operator lists are read; set {SECRETS}={name} where this runs"
        )
    for file in _files_of(config, target):
        _same(config.root, file, base)


def _same(root: Path, file: Path, base: str) -> None:
    """Make sure that a file is outside of the repository, or as the base has it."""
    from planops.git.repository import top
    from planops.git.trees import named

    inside, repository = file.resolve(), top(root)
    if repository is None or not inside.is_relative_to(repository):
        return
    name = inside.relative_to(repository).as_posix()
    held = named(repository, base, (name,)).get(name)
    if not inside.is_file() or inside.read_bytes() != held:
        raise SettingsWrong(
            f"{name}: it is not as the base {base[:12]} has it, so it is not used before this is"
            " merged"
        )
