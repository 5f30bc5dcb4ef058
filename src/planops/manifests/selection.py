"""Which of the plans a run is about: by path, by target, by label.

A selection narrows a run and never widens it; asking for what does not exist is the caller's
mistake.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from planops.errors import UsageWrong
from planops.manifests.wording import code, did_you_mean

_TERM = re.compile(r"\s*([-_./A-Za-z0-9]+)\s*(?:(!=|==?)\s*([-_./A-Za-z0-9]*))?\s*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One condition on labels; without a value, the label only has to be there."""

    key: str
    value: str | None = None
    negated: bool = False

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Say whether labels fulfil it; ``key!=value`` holds where there is no such label."""
        if self.value is None:
            return self.key in labels
        return (labels.get(self.key) == self.value) is not self.negated


def terms(selectors: Iterable[str]) -> tuple[Term, ...]:
    """Read label selectors: ``key``, ``key=value``, ``key!=value``; a comma means "and".

    Raises:
        UsageWrong: a selector is none.
    """
    found: list[Term] = []
    for selector in selectors:
        for text in selector.split(","):
            match = _TERM.fullmatch(text)
            if match is None:
                raise UsageWrong(
                    f"label selector {code(selector)}: {code(text)} is no condition;"
                    " write key, key=value or key!=value"
                )
            found.append(Term(key=match[1], value=match[3], negated=match[2] == "!="))
    return tuple(found)


def check_targets(wanted: Iterable[str], known: Iterable[str]) -> None:
    """Check that the wanted targets are there.

    Raises:
        UsageWrong: one is not.
    """
    names = sorted(known)
    for name in wanted:
        if name not in names:
            hint = did_you_mean(name, names) or f"there are {', '.join(names)}"
            raise UsageWrong(f"target {code(name)}: planops.yaml has no such target; {hint}")


def narrow(files: Sequence[str], root: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """Keep the files that the paths name: themselves, or folders above them.

    Raises:
        UsageWrong: a path names no plan file.
    """
    if not paths:
        return tuple(files)
    chosen: set[str] = set()
    for path in paths:
        inside = _from_root(root, path)
        below = "" if inside == "." else f"{inside}/"
        named = {file for file in files if file == inside or file.startswith(below)}
        if not named:
            raise UsageWrong(
                f"path {code(path)}: no plan file is there; `plans` in planops.yaml says where"
            )
        chosen |= named
    return tuple(file for file in files if file in chosen)


def _from_root(root: Path, path: str) -> str:
    """Say a path as one from the root; a relative one is meant from the root already."""
    base = os.path.realpath(root)
    joined = os.path.normpath(os.path.join(base, path))  # noqa: PTH118 -- pathlib cannot undo `..`
    inside = os.path.relpath(joined, base)
    if os.path.isabs(path) and inside.startswith(".."):  # noqa: PTH117 -- a string, not a Path
        inside = os.path.relpath(os.path.realpath(path), base)
    return inside.replace(os.sep, "/")
