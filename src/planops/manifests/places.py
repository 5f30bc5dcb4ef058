"""Where in a file a delta is declared: from a delta path to line and column, and to its lines.

Good files are read without positions; the one file that somebody asks about is read again here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from planops.core.model import JSON, Mark, Problem, Source, unescape
from planops.core.shape import Kind, Shape, item_keys
from planops.manifests import findings
from planops.manifests.thorough import Spot
from planops.manifests.trees import Tree
from planops.manifests.yaml import Path, parse, spots

_FIELD: Final = 2  # the depth of /spec/name


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """A plan's file, read for its places."""

    source: Source
    shape: Shape
    value: JSON
    spots: Mapping[Path, Spot]

    def mark(self, path: str) -> Mark | None:
        """Find a delta path; what the file does not have at its nearest ancestor that it has."""
        where = file_path(self.value, path, self.shape)
        return findings.mark(self.spots, where, self.source.file, on_key=True)

    def lines(self, path: str) -> range:
        """Give the lines that a value takes up, from its key on.

        A value that was filled in, and is not in the file, has those of what it was filled in to;
        none where that is no field, but the whole plan.
        """
        where = file_path(self.value, path, self.shape)
        spot = self.spots.get(where)
        depth = len(where)
        if spot is None or depth < min(path.count("/"), _FIELD):
            return range(0)
        last = max(at.last_line for sub, at in self.spots.items() if sub[:depth] == where)
        return range(spot.key_line, last + 1)


def read(tree: Tree, source: Source, shape: Shape) -> Places:
    """Read a plan's file again, for its places; ``shape`` is that of the plan's ``spec``."""
    data = tree.read(source.file)
    if isinstance(data, Problem):
        return Places(source=source, shape=shape, value=None, spots={})
    documents = parse(data, source.file).documents
    value = next((each.value for each in documents if each.index == source.document), None)
    places = spots(data).get(source.document, {})
    return Places(source=source, shape=shape, value=value, spots=places)


def file_path(document: JSON, path: str, shape: Shape) -> Path:
    """Translate a delta path into keys and positions, as far as the document has it."""
    found: list[str | int] = []
    at: Any = document
    of: Shape | None = None
    for number, token in enumerate(path.split("/")[1:]):
        step = _step(at, unescape(token), of)
        if step is None:
            break
        found.append(step)
        at = at[step]
        of = shape if number == 0 and token == "spec" else _below(of, step)  # noqa: S105 -- a path's token
    return tuple(found)


def _below(shape: Shape | None, step: str | int) -> Shape | None:
    if shape is None:
        return None
    return shape.item if isinstance(step, int) else shape.fields.get(step)


def _step(at: Any, token: str, shape: Shape | None) -> str | int | None:  # noqa: ANN401 -- any JSON
    if isinstance(at, Mapping):
        return token if token in at else None
    if not isinstance(at, list):
        return None
    if shape is not None and shape.kind in (Kind.KEYED, Kind.SET):
        return _item(at, token, shape)
    return int(token) if token.isdecimal() and token.isascii() and int(token) < len(at) else None


def _item(items: list[JSON], token: str, shape: Shape) -> int | None:
    """Find the item of a name; a field with a default counts as written out."""
    names = item_keys(shape, [_completed(item, shape) for item in items])
    return names.index(token) if token in names else None


def _completed(item: JSON, shape: Shape) -> JSON:
    if isinstance(item, dict) and shape.key[:1] == ("type",) and not item.get("type"):
        return {**item, "type": "group" if "group_id" in item else "user"}
    return item
