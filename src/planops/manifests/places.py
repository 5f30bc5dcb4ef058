"""Where in a file a delta is declared: from a delta path to line and column.

Good files are read without positions; the one file that somebody asks about is read again here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path as Folder
from typing import Any

from planops.core.model import JSON, Mark, Problem, Source, unescape
from planops.core.shape import Kind, Shape, item_keys
from planops.manifests import files, findings
from planops.manifests.yaml import Path, parse, spots


def marks(root: Folder, source: Source, shape: Shape) -> Callable[[str], Mark | None]:
    """Read a plan's file again; answer a function from delta paths to places.

    A path that the file does not have is found at its nearest ancestor that it has. ``shape`` is
    that of the plan's ``spec``.
    """
    data = files.read(root, source.file)
    if isinstance(data, Problem):
        return lambda _path: None
    documents = parse(data, source.file).documents
    value = next((each.value for each in documents if each.index == source.document), None)
    places = spots(data).get(source.document, {})

    def find(path: str) -> Mark | None:
        return findings.mark(places, file_path(value, path, shape), source.file, on_key=True)

    return find


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
