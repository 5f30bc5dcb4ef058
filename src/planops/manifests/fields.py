"""Times and whole numbers, wherever a spec's schema has them: checked, times made unix seconds.

JSON Schema takes ``60.0`` for an integer, the server does not; and a time's meaning is more than
its form. Changes nothing but times.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from planops.core.model import JSON
from planops.core.shape import Shape
from planops.manifests import schemas
from planops.manifests.findings import Finding
from planops.manifests.times import BadTime, epoch
from planops.manifests.wording import code, subject
from planops.manifests.yaml import Path

_EACH = -1  # in a pattern: every item of a list


def _patterns(shape: Shape, kind: str, path: Path = ()) -> Iterator[Path]:
    if shape.format == kind or (kind == "integer" and shape.type == kind):
        yield path
    for name, field in shape.fields.items():
        yield from _patterns(field, kind, (*path, name))
    if shape.item is not None:
        yield from _patterns(shape.item, kind, (*path, _EACH))


@cache
def _of(kind: str, what: str) -> tuple[Path, ...]:
    return tuple(_patterns(schemas.shape(kind), what))


def _each(value: Any, pattern: Path, done: Path = ()) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401 -- any JSON
    """Yield the containers of what a pattern names, with the path of the value."""
    token = pattern[len(done)]
    last = len(done) + 1 == len(pattern)
    if token == _EACH:
        for index, item in enumerate(value) if isinstance(value, list) else ():
            if last:
                yield (*done, index), value
            else:
                yield from _each(item, (*done, index, *pattern[len(done) + 1 :]), (*done, index))
    elif isinstance(value, dict) and token in value:
        if last:
            yield (*done, token), value
        else:
            yield from _each(value[token], pattern, (*done, token))


def check(spec: JSON, kind: str) -> Iterator[Finding]:
    """Find the times and the whole numbers that are none."""
    for pattern in _of(kind, "epoch"):
        for path, container in _each(spec, pattern):
            yield from _time(("spec", *path), container[path[-1]])
    if not _holds_fraction(spec):
        return
    for pattern in (*_of(kind, "integer"), *_of(kind, "epoch")):
        for path, container in _each(spec, pattern):
            value = container[path[-1]]
            if isinstance(value, float):
                hint = f"write {int(value)}" if value.is_integer() else ""
                message = f"{subject(path)} is {value}, where a whole number is wanted"
                yield Finding(path=("spec", *path), code="wrong-type", message=message, hint=hint)


def _holds_fraction(value: JSON) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_fraction, value.values()))
    if isinstance(value, list):
        return any(map(_holds_fraction, value))
    return isinstance(value, float)


def _time(path: Path, value: JSON) -> Iterator[Finding]:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return
    try:
        epoch(value)
    except BadTime as error:
        message = f"{code(str(path[-1]))}: {error.message}"
        yield Finding(path=path, code="time", message=message, hint=error.hint)


def normalise(spec: dict[str, JSON], kind: str) -> None:
    """Make the times of a checked spec unix seconds, in place."""
    for pattern in _of(kind, "epoch"):
        for path, container in _each(spec, pattern):
            value = container[path[-1]]
            if isinstance(value, str):
                container[path[-1]] = epoch(value)
