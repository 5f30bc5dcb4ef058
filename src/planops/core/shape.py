"""The shape of a spec: what a JSON Schema says about comparing and masking, compiled once.

The schemas in ``schemas/`` are the single source; the ``x-planops-*`` annotations in them become
this tree, which the comparison, the codecs and the masking walk. Conditional branches (``allOf``,
``if``, ``then``, ``else``) are merged: a shape says what *may* be there, validation what must.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, assert_never

from planops.core.model import JSON, escape

Resolve: TypeAlias = Callable[[str], Mapping[str, Any]]
"""Finds the schema that a ``$ref`` names."""

_BRANCHES = ("allOf", "anyOf", "oneOf")
_CONDITIONS = ("then", "else")
MAX_DEPTH = 40


class Kind(enum.StrEnum):
    """How a value is compared."""

    SCALAR = "scalar"
    OBJECT = "object"
    KEYED = "keyed"  # a list whose items have identity and whose order counts
    SET = "set"  # a list whose order does not count; items may have identity
    LIST = "list"  # a list compared as a whole
    FREE = "free"  # JSON of no declared form


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One node: its kind, JSON type, children, and the annotations that the code reads.

    ``key`` names the fields that identify an item of this list. ``server`` is ``"runtime"`` (never
    compared, never sent), ``"write-only"`` (sent, never compared) or ``""``.
    """

    kind: Kind
    type: str = ""
    fields: Mapping[str, Shape] = field(default_factory=dict)
    item: Shape | None = None
    key: tuple[str, ...] = ()
    format: str = ""
    immutable: bool = False
    sensitive: bool = False
    server: str = ""


FREE = Shape(kind=Kind.FREE)


def compile_shape(schema: Mapping[str, Any], resolve: Resolve, depth: int = 0) -> Shape:
    """Compile a schema into a shape.

    ``resolve`` turns a ``$ref`` into the schema that it names. A schema nested deeper than
    ``MAX_DEPTH`` (a reference to itself) becomes free-form there.
    """
    if depth > MAX_DEPTH:
        return FREE
    parts = list(_parts(schema, resolve))
    notes = {name: part[name] for part in reversed(parts) for name in part if _is_note(name)}
    kind_of = _type(parts)
    shape = Shape(
        kind=Kind.SCALAR,
        type=kind_of,
        format=str(notes.get("x-planops-format", "")),
        immutable=bool(notes.get("x-planops-immutable", False)),
        sensitive=bool(notes.get("x-planops-sensitive", False)),
        server=str(notes.get("x-planops-server", "")),
    )
    if kind_of == "object":
        return _object(shape, parts, resolve, depth)
    if kind_of == "array":
        return _array(shape, parts, notes, resolve, depth)
    return shape if kind_of else replace(shape, kind=Kind.FREE)


def _is_note(name: str) -> bool:
    return name.startswith("x-planops-")


def _parts(schema: Mapping[str, Any], resolve: Resolve) -> Iterable[Mapping[str, Any]]:
    """The schema and everything merged into it: references, branches, conditions."""
    yield schema
    if "$ref" in schema:
        yield from _parts(resolve(schema["$ref"]), resolve)
    for name in _BRANCHES:
        for branch in schema.get(name, ()):
            yield from _parts(branch, resolve)
    for name in _CONDITIONS:
        if isinstance(schema.get(name), Mapping):
            yield from _parts(schema[name], resolve)


def _type(parts: Iterable[Mapping[str, Any]]) -> str:
    """The JSON type, null aside; empty where the schema allows several."""
    for part in parts:
        declared = part.get("type")
        names = (
            [declared] if isinstance(declared, str) else [n for n in declared or () if n != "null"]
        )
        if names:
            return str(names[0]) if len(names) == 1 else _several(names)
    return ""


def _several(names: list[str]) -> str:
    """Several scalar types compare as scalars (a time may be a string or a number)."""
    return "" if {"object", "array"} & set(names) else "scalar"


def _object(shape: Shape, parts: list[Mapping[str, Any]], resolve: Resolve, depth: int) -> Shape:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for part in parts:
        for name, sub in part.get("properties", {}).items():
            if isinstance(sub, Mapping):
                found.setdefault(name, []).append(sub)
    if not found:
        return replace(shape, kind=Kind.FREE)
    fields = {
        name: compile_shape({"allOf": subs}, resolve, depth + 1) for name, subs in found.items()
    }
    return replace(shape, kind=Kind.OBJECT, fields=fields)


def _array(
    shape: Shape,
    parts: list[Mapping[str, Any]],
    notes: Mapping[str, Any],
    resolve: Resolve,
    depth: int,
) -> Shape:
    items = [part["items"] for part in parts if isinstance(part.get("items"), Mapping)]
    item = compile_shape({"allOf": items}, resolve, depth + 1) if items else FREE
    key = tuple(notes.get("x-planops-key", ()))
    if notes.get("x-planops-set"):
        return replace(shape, kind=Kind.SET, item=item, key=key)
    return replace(shape, kind=Kind.KEYED if key else Kind.LIST, item=item, key=key)


def item_key(shape: Shape, item: JSON) -> str:
    """Name one item of a list: its key fields joined by ``:``, those that it lacks left out.

    >>> item_key(Shape(kind=Kind.KEYED, key=("type", "name")), {"type": "text", "name": "Announce"})
    'text:Announce'
    """
    if not isinstance(item, Mapping):
        return str(item)
    return ":".join(str(item[name]) for name in shape.key if item.get(name) not in (None, ""))


def item_keys(shape: Shape, items: Iterable[JSON]) -> list[str]:
    """Name all items of a list; a name that comes again gets ``#2``, ``#3`` …; none is lost."""
    names: dict[str, None] = {}
    for item in items:
        name = unique = item_key(shape, item)
        number = 1
        while unique in names:
            number += 1
            unique = f"{name}#{number}"
        names[unique] = None
    return list(names)


def zero(shape: Shape) -> JSON:
    """Give the value that a server holds where a field of this shape was never set."""
    match shape.kind:
        case Kind.OBJECT:
            return {name: zero(field) for name, field in shape.fields.items() if not field.server}
        case Kind.KEYED | Kind.SET | Kind.LIST:
            return []
        case Kind.FREE:
            return {}
        case Kind.SCALAR:
            return _ZEROS.get(shape.type, 0 if shape.format else "")
        case _:
            assert_never(shape.kind)


_ZEROS: Mapping[str, JSON] = {"string": "", "integer": 0, "number": 0, "boolean": False}


def filled(shape: Shape, value: JSON) -> JSON:
    """Make absent, null and empty one thing in a server's value: every field is there after."""
    if value is None:
        return zero(shape)
    if shape.kind is Kind.OBJECT and isinstance(value, dict):
        return {
            name: filled(field, value.get(name))
            for name, field in shape.fields.items()
            if not field.server or name in value
        }
    if shape.item is not None and isinstance(value, list):
        return [filled(shape.item, item) for item in value]
    return value


def cleared(shape: Shape, value: JSON) -> JSON:
    """Give every ``null`` in a declared value the form that the server keeps: its zero."""
    if value is None:
        return zero(shape)
    if shape.kind is Kind.OBJECT and isinstance(value, dict):
        return {name: cleared(shape.fields.get(name, FREE), sub) for name, sub in value.items()}
    if shape.item is not None and isinstance(value, list):
        return [cleared(shape.item, item) for item in value]
    return value


_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


def misfits(shape: Shape, value: JSON, path: str = "/spec") -> Iterator[str]:
    """Name the places where a value is not of the type that its shape has, in a few words each."""
    wanted = _TYPES.get(shape.type, (object,))
    if not isinstance(value, wanted) or (isinstance(value, bool) and shape.type in _NUMBERS):
        yield f"{path} is no {shape.type}"
    elif shape.kind is Kind.OBJECT and isinstance(value, dict):
        for name, sub in value.items():
            yield from misfits(shape.fields.get(name, FREE), sub, f"{path}/{escape(name)}")
    elif shape.item is not None and isinstance(value, list):
        for place, item in enumerate(value):
            yield from misfits(shape.item, item, f"{path}/{place}")


_NUMBERS = frozenset({"integer", "number"})
