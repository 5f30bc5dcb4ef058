"""Binds JSON to declared structures as Go does (docs/servers/zadig.md §1.5).

Keys match whatever their case, unknown keys are ignored, ``null`` changes nothing, the first type
error is the one reported. A bound value has every key of its structure, in declared order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from planops.sandbox.zadig.gojson import Document, Number, numbered, plain, scalar_text

Scalar = Literal["string", "int", "int64", "bool", "any"]
_INT64 = 2**63


class BindFault(Exception):
    """A JSON value does not fit; the message is the one Go gives."""


@dataclass(frozen=True, slots=True)
class Struct:
    """A Go struct: its name, its fields in order, and the package that error texts name."""

    name: str
    fields: tuple["Field", ...]
    package: str = "models"

    @property
    def qualified(self) -> str:
        """The type as error texts name it."""
        return f"{self.package}.{self.name}"


@dataclass(frozen=True, slots=True)
class Pointer:
    """A struct that may be absent."""

    to: Struct


@dataclass(frozen=True, slots=True)
class Slice:
    """A list of pointers to a struct, or of scalars."""

    of: Struct | Scalar


Kind = Scalar | Struct | Pointer | Slice


@dataclass(frozen=True, slots=True)
class Field:
    """One field; ``optional`` ones are left out of answers when they are empty."""

    key: str
    kind: Kind = "string"
    optional: bool = False


def fields(*declared: str | Field) -> tuple[Field, ...]:
    """Fields in order; a bare word is a string, ``word?`` an optional one."""
    return tuple(
        one if isinstance(one, Field) else Field(one.rstrip("?"), optional=one.endswith("?"))
        for one in declared
    )


def bind(struct: Struct, value: object) -> Document | None:
    """``value`` as ``struct``; ``None`` for ``null``. Raises ``BindFault``."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BindFault(
            f"json: cannot unmarshal {_described(value)} into Go value of type {struct.qualified}"
        )
    binder = _Binder()
    bound = binder.fill(struct, zero(struct), value, ())
    if binder.fault:
        raise BindFault(binder.fault)
    return bound


def rebound(struct: Struct, value: object) -> Document:
    """A value that was bound anywhere, written and read again as ``struct``.

    Raises ``BindFault`` with the words that the server puts before Go's.
    """
    try:
        return bind(struct, numbered(value)) or zero(struct)
    except BindFault as wrong:
        raise BindFault(f"unmarshal task error: {wrong}") from None


def zero(struct: Struct) -> Document:
    """The structure with nothing set."""
    return {field.key: _zero(field.kind) for field in struct.fields}


def presented(struct: Struct, stored: Mapping[str, Any]) -> Document:
    """``stored`` as an answer shows it: optional empty fields left out, absent lists empty."""
    shown: Document = {}
    for field in struct.fields:
        value = _presented(field.kind, stored.get(field.key, _zero(field.kind)))
        if field.optional and value in (None, "", 0, False, []):
            continue
        shown[field.key] = value
    return shown


def _presented(kind: Kind, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    match kind:
        case Struct():
            return presented(kind, value)
        case Pointer(to=struct):
            return None if value is None else presented(struct, value)
        case Slice(of=Struct() as struct):
            return [None if one is None else presented(struct, one) for one in value or ()]
        case Slice():
            return list(value or ())
        case _:
            return value


def _zero(kind: Kind) -> object:
    match kind:
        case "string":
            return ""
        case "int" | "int64":
            return 0
        case "bool":
            return False
        case Struct():
            return zero(kind)
        case _:
            return None


def _described(value: object) -> str:
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case Number():
            return "number"
        case list():
            return "array"
        case _:
            return "object"


class _Binder:
    """One binding in progress: remembers the first fault and goes on, as Go does."""

    def __init__(self) -> None:
        self.fault = ""

    def fill(
        self, struct: Struct, into: Document, value: Mapping[str, object], path: tuple[str, ...]
    ) -> Document:
        by_key = {field.key: field for field in struct.fields}
        folded = {field.key.casefold(): field for field in struct.fields}
        for key, member in value.items():
            field = by_key.get(key) or folded.get(key.casefold())
            if field is not None:
                here = (*path, field.key)
                into[field.key] = self._value(struct, field.kind, into[field.key], member, here)
        return into

    def _value(
        self, owner: Struct, kind: Kind, now: object, value: object, path: tuple[str, ...]
    ) -> object:
        if value is None:
            return now if isinstance(kind, str | Struct) and kind != "any" else None
        match kind:
            case Struct() | Pointer():
                return self._struct(owner, kind, now, value, path)
            case Slice(of=element):
                return self._list(owner, element, value, path)
            case "any":
                return plain(value)
            case _:
                return self._scalar(owner, kind, now, value, path)

    def _struct(
        self,
        owner: Struct,
        kind: Struct | Pointer,
        now: object,
        value: object,
        path: tuple[str, ...],
    ) -> object:
        struct = kind if isinstance(kind, Struct) else kind.to
        if not isinstance(value, dict):
            return self._wrong(owner, _described(value), struct.qualified, path, now)
        into = now if isinstance(now, dict) else zero(struct)
        return self.fill(struct, into, value, path)

    def _list(
        self, owner: Struct, element: Struct | Scalar, value: object, path: tuple[str, ...]
    ) -> object:
        if not isinstance(value, list):
            kind = f"[]*{element.qualified}" if isinstance(element, Struct) else f"[]{element}"
            return self._wrong(owner, _described(value), kind, path, None)
        inner: Kind = Pointer(element) if isinstance(element, Struct) else element
        return [self._value(owner, inner, _zero(inner), one, path) for one in value]

    def _scalar(
        self, owner: Struct, kind: Scalar, now: object, value: object, path: tuple[str, ...]
    ) -> object:
        match kind, value:
            case "string", str():
                return scalar_text(value)
            case "bool", bool():
                return value
            case (("int" | "int64"), Number(text=text)):
                digits = text.removeprefix("-")
                if digits.isdigit() and -_INT64 <= int(text) < _INT64:
                    return int(text)
                return self._wrong(owner, f"number {text}", kind, path, now)
            case _:
                return self._wrong(owner, _described(value), kind, path, now)

    def _wrong(
        self, owner: Struct, found: str, kind: str, path: tuple[str, ...], now: object
    ) -> object:
        if not self.fault:
            self.fault = (
                f"json: cannot unmarshal {found} into Go struct field "
                f"{owner.name}.{'.'.join(path)} of type {kind}"
            )
        return now
