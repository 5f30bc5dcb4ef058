"""Where the values of plans come from: their places in the files, and who set them there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from planops.core.model import Blame, Mark, Plan, Source
from planops.run import Blaming, Locate

if TYPE_CHECKING:
    from planops.manifests.places import Places
    from planops.manifests.trees import Tree

_AT_HAND = 64  # files are asked about more than once, and at most a few at the same time


def finders(tree: Tree, root: Path) -> tuple[Locate, Blaming]:
    """Give what finds places in the files of a tree, and what asks git about them.

    Nothing is read, and no process started, before somebody asks about a plan. Git is asked about
    the files as they lie below ``root``.
    """

    @lru_cache(_AT_HAND)
    def places(source: Source, kind: str) -> Places:
        from planops.manifests import places, schemas

        return places.read(tree, source, schemas.shape(kind))

    def locate(plan: Plan) -> Callable[[str], Mark | None]:
        return cache(places(plan.source, plan.kind).mark)

    def blame(plan: Plan, paths: Mapping[str, bool]) -> Mapping[str, Blame]:
        from planops.git import blame

        lines = places(plan.source, plan.kind).lines
        found = {path: lines(path) if asked else range(0) for path, asked in paths.items()}
        known = {path: at for path, at in found.items() if at or not paths[path]}
        return blame.blame(root, plan.source.file, known)

    return locate, blame
