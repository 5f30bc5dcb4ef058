"""What files say only together: each key and each display name once for a target.

Decides nothing about one file alone. Both places are named, because either may be the mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from planops.core.model import Mark, Plan, Problem, Severity, Source
from planops.core.shape import FREE
from planops.manifests.places import read
from planops.manifests.trees import Tree
from planops.manifests.wording import code

_KEY = "/metadata/name"
_NAME = "/spec/name"


def twice(tree: Tree, plans: Iterable[Plan]) -> Iterator[Problem]:
    """Find plans that claim the same key, or the same name on the server."""
    listed = sorted(plans, key=lambda plan: (plan.source.file, plan.source.document))
    yield from _clashes(tree, listed, _KEY, lambda plan: str(plan.key))
    yield from _clashes(tree, listed, _NAME, lambda plan: plan.display_name)


def _clashes(
    tree: Tree, plans: list[Plan], path: str, called: Callable[[Plan], str]
) -> Iterator[Problem]:
    first: dict[tuple[str, str], Plan] = {}
    for plan in plans:
        known = first.setdefault((plan.key.target, called(plan)), plan)
        if known is plan or (path == _NAME and known.key == plan.key):
            continue
        what = "the key" if path == _KEY else "the display name"
        yield Problem(
            severity=Severity.ERROR,
            code="duplicate-key-of-plan" if path == _KEY else "duplicate-name",
            message=f"{what} {code(called(plan))} is already taken by"
            f" {_place(tree, known.source, path)}",
            mark=_place(tree, plan.source, path),
            hint="rename one of the two plans",
            target=plan.key.target,
        )


def _place(tree: Tree, source: Source, path: str) -> Mark:
    found = read(tree, source, FREE).mark(path)
    return found or Mark(file=source.file, line=source.line, column=1)
