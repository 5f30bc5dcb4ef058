"""Comparison: base, desired and live become deltas, each with its cause.

The walk follows the shape that the schema gives. Lists with identity are maps plus an order, sets
have no order, and where the schema ends in free-form JSON DeepDiff says what differs, only for
subtrees that do differ. All three sides are canonical: the codec has already made equal what the
server makes equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from planops.core.changes import Cause, Delta
from planops.core.freeform import follow, keeping
from planops.core.masking import CREDENTIAL
from planops.core.model import ABSENT, JSON, Value, escape
from planops.core.shape import FREE, Kind, Shape, item_keys

ORDER: Final = "~order"
"""What stands behind the path of a list where its order is meant: no path ends so."""
_ORDER: Final = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """The three values at one place; ``recorded`` tells an absent base from no base at all."""

    base: Value
    desired: Value
    live: Value
    recorded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """What the whole walk knows: paths never compared, and paths that the server hides."""

    ignore: frozenset[str]
    unseen: Mapping[str, str]


def compare(
    shape: Shape,
    *,
    base: Value,
    desired: Value,
    live: Value,
    ignore: Sequence[str] = (),
    unseen: Mapping[str, str] | None = None,
    root: str = "/spec",
) -> tuple[Delta, ...]:
    """Compare three canonical specs and say, field by field, what differs and why.

    ``base`` is ``ABSENT`` where nothing is recorded; every difference is then an edit. ``ignore``
    holds delta paths, which cover everything below them. ``unseen`` maps paths that the server does
    not let us compare to the reason: a difference there is ``UNKNOWN``.
    """
    walk = _Walk(ignore=frozenset(ignore), unseen=unseen or {})
    sides = _Sides(base=base, desired=desired, live=live, recorded=base is not ABSENT)
    return tuple(_walk(walk, root, shape, sides))


def declared(shape: Shape, desired: JSON, path: str = "/spec") -> tuple[Delta, ...]:
    """List what a file declares, field by field, as the deltas of a plan that is to be made."""
    return tuple(_declared(shape, desired, path))


def _declared(shape: Shape, value: JSON, path: str) -> Iterator[Delta]:
    if shape.sensitive:
        yield Delta(path=path, cause=Cause.EDIT, desired=value, sensitive=True)
    elif shape.kind is Kind.OBJECT and isinstance(value, dict) and value:
        for name, sub in value.items():
            yield from _declared(shape.fields.get(name, FREE), sub, f"{path}/{escape(name)}")
    elif shape.key and isinstance(value, list) and value:
        for key, item in zip(item_keys(shape, value), value, strict=True):
            yield from _declared_item(shape, item, f"{path}/{escape(key)}")
    else:
        yield Delta(path=path, cause=Cause.EDIT, desired=value, sensitive=_hides(shape))


def _declared_item(shape: Shape, item: JSON, path: str) -> Iterator[Delta]:
    """List an item's fields, but those that its path names already."""
    fields = item if isinstance(item, dict) else {}
    rest = {name: sub for name, sub in fields.items() if name not in shape.key}
    if rest and not _is_credential(item):
        yield from _declared(shape.item or FREE, rest, path)
    else:
        yield Delta(path=path, cause=Cause.EDIT, desired=item)


def same(left: Value, right: Value) -> bool:
    """Tell whether two values are equal as JSON: ``1`` equals ``1.0`` but never ``true``."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def overlay(
    shape: Shape,
    live: dict[str, JSON],
    desired: dict[str, JSON],
    ignore: Sequence[str] = (),
    path: str = "/spec",
) -> dict[str, JSON]:
    """Lay the declared fields over the live ones: what the plan holds once the file is in force.

    This is the frame rule: a field that no file declares keeps its live value, also inside an item
    of a declared list; an item that a declared list lacks is gone. Ignored paths keep the live
    value; the order of a list's items has a place of its own (:func:`about`).
    """
    merged = dict(live)
    for name, value in desired.items():
        below = f"{path}/{escape(name)}"
        if below in ignore:
            continue
        field = shape.fields.get(name, FREE)
        merged[name] = _laid(field, live[name], value, ignore, below) if name in live else value
    return merged


def union(shape: Shape, desired: JSON, base: JSON) -> JSON:
    """Give everything that either side declares; where both do, what ``desired`` says.

    Says how far a server's document must be read back: also what is no longer declared is compared
    with what was applied.
    """
    if shape.kind is Kind.OBJECT and isinstance(desired, dict) and isinstance(base, dict):
        both = {
            name: union(shape.fields.get(name, FREE), desired[name], value)
            for name, value in base.items()
            if name in desired
        }
        return base | desired | both
    if shape.key and isinstance(desired, list) and isinstance(base, list):
        held, wanted = _by_key(shape, base), _by_key(shape, desired)
        item = shape.item or FREE
        merged = [
            union(item, value, held[key]) if key in held else value for key, value in wanted.items()
        ]
        return merged + [value for key, value in held.items() if key not in wanted]
    return desired


def _laid(shape: Shape, live: JSON, desired: JSON, ignore: Sequence[str], path: str) -> JSON:
    if shape.kind is Kind.OBJECT and isinstance(desired, dict) and isinstance(live, dict):
        return overlay(shape, live, desired, ignore, path)
    if shape.key and isinstance(desired, list) and isinstance(live, list):
        return _overlay_items(shape, live, desired, ignore, path)
    if shape.kind is Kind.LIST and _by_position(shape, desired, live):
        sides = enumerate(zip(_items(live), _items(desired), strict=True))
        item = shape.item or FREE
        return [_laid(item, had, want, ignore, f"{path}/{at}") for at, (had, want) in sides]
    return keeping(live, desired, ignore, path) if shape.kind is Kind.FREE else desired


def _overlay_items(
    shape: Shape, live: list[JSON], desired: list[JSON], ignore: Sequence[str], path: str
) -> JSON:
    """Declared items in the file's order; an ignored one is as, and roughly where, it is live."""
    held, wanted = _by_key(shape, live), _by_key(shape, desired)
    below = {key: f"{path}/{escape(key)}" for key in (*held, *wanted)}
    item = shape.item or FREE
    merged: list[JSON] = []
    for key, value in wanted.items():
        if below[key] not in ignore:
            there = key in held
            merged.append(_laid(item, held[key], value, ignore, below[key]) if there else value)
        elif key in held:
            merged.append(held[key])
    if path + ORDER in ignore:
        merged = _in_order_of(shape, merged, held)
    for place, (key, value) in enumerate(held.items()):
        if key not in wanted and below[key] in ignore:
            merged.insert(place, value)
    return merged


def _in_order_of(shape: Shape, items: list[JSON], held: Mapping[str, JSON]) -> list[JSON]:
    """Put items that are there already in the order in which they are there; new ones follow."""
    merged = _by_key(shape, items)
    there = [merged[key] for key in held if key in merged]
    return there + [value for key, value in merged.items() if key not in held]


def about(delta: Delta) -> str:
    """Name what a delta is about: a value by its path, the order of a list by what is no path."""
    return delta.path + ORDER if delta.note == _ORDER else delta.path


def _walk(walk: _Walk, path: str, shape: Shape, at: _Sides) -> Iterator[Delta]:
    if shape.server or path in walk.ignore:
        return
    if at.desired is ABSENT:
        if at.recorded:
            yield _delta(path, shape, Cause.RELEASED, at)
        return
    if path in walk.unseen:
        if not same(at.desired, at.live):
            yield _delta(path, shape, Cause.UNKNOWN, at, note=walk.unseen[path])
        return
    yield from _walk_kind(walk, path, shape, at)


def _walk_kind(walk: _Walk, path: str, shape: Shape, at: _Sides) -> Iterator[Delta]:
    match Kind.SCALAR if shape.sensitive else shape.kind:  # a secret differs as a whole
        case Kind.OBJECT if isinstance(at.desired, dict) and isinstance(at.live, dict):
            yield from _walk_object(walk, path, shape, at)
        case Kind.KEYED | Kind.SET if _are_lists(at) and shape.key:
            yield from _walk_items(walk, path, shape, at)
        case Kind.SET if _are_lists(at):
            yield from _leaf(path, shape, _sorted(at))
        case Kind.LIST if _by_position(shape, at.desired, at.live):
            yield from _walk_positions(walk, path, shape, at)
        case Kind.FREE if not same(at.desired, at.live):
            yield from _walk_free(path, shape, at)
        case _:
            yield from _leaf(path, shape, at)


def _leaf(path: str, shape: Shape, at: _Sides, *, note: str = "") -> Iterator[Delta]:
    if not same(at.desired, at.live):
        yield _delta(path, shape, _cause(shape, at), at, note=note)


def _cause(shape: Shape, at: _Sides) -> Cause:
    """Say who changed a value; of an item only what was declared is recorded, and compared."""
    if not at.recorded or _holds(shape, at.live, at.base):
        return Cause.EDIT
    return Cause.DRIFT if _holds(shape, at.base, at.desired) else Cause.CONFLICT


def _holds(shape: Shape, whole: Value, part: Value) -> bool:
    """Tell whether a value holds all that another one declares."""
    if whole is ABSENT or part is ABSENT:
        return whole is part
    sides = _Sides(base=ABSENT, desired=part, live=whole, recorded=False)
    return not any(_walk(_Walk(ignore=frozenset(), unseen={}), "", shape, sides))


def _delta(path: str, shape: Shape, cause: Cause, at: _Sides, *, note: str = "") -> Delta:
    return Delta(
        path=path,
        cause=cause,
        base=at.base,
        desired=at.desired,
        live=at.live,
        sensitive=_hides(shape),
        note=note,
    )


def _hides(shape: Shape) -> bool:
    """Tell whether a value of this shape is secret, or may hold something secret."""
    below = (*shape.fields.values(), *((shape.item,) if shape.item else ()))
    return shape.sensitive or any(map(_hides, below))


def _walk_object(walk: _Walk, path: str, shape: Shape, at: _Sides) -> Iterator[Delta]:
    secret = any(_is_credential(side) for side in (at.base, at.desired, at.live))
    for name, field in shape.fields.items():
        base, desired = _child(at.base, name), _child(at.desired, name)
        if base is ABSENT and desired is ABSENT:
            continue
        live = _child(at.live, name)
        sides = _Sides(base=base, desired=desired, live=live, recorded=base is not ABSENT)
        for delta in _walk(walk, f"{path}/{escape(name)}", field, sides):
            yield _as_secret(delta) if secret and name == "value" else delta


def _walk_items(walk: _Walk, path: str, shape: Shape, at: _Sides) -> Iterator[Delta]:
    """Lists with identity: item by item, then the order of those that both sides have."""
    wanted, held, known = (_by_key(shape, side) for side in (at.desired, at.live, at.base))
    item = shape.item or FREE
    for key, value in wanted.items():
        base = known.get(key, ABSENT)
        below = f"{path}/{escape(key)}"
        if key in held:
            sides = _Sides(base=base, desired=value, live=held[key], recorded=base is not ABSENT)
            yield from _walk(walk, below, item, sides)
        elif below not in walk.ignore:
            sides = _Sides(base=base, desired=value, live=ABSENT, recorded=at.recorded)
            yield from _leaf(below, item, sides)
    for key, value in held.items():
        below = f"{path}/{escape(key)}"
        if key not in wanted and below not in walk.ignore:
            sides = _Sides(
                base=known.get(key, ABSENT), desired=ABSENT, live=value, recorded=at.recorded
            )
            yield from _leaf(below, item, sides)
    if shape.kind is Kind.KEYED:
        yield from _order(path, shape, at, wanted, held, known)


def _by_position(shape: Shape, desired: Value, live: Value) -> bool:
    """Tell whether a list of objects without identity can be compared place by place."""
    lists = isinstance(desired, list) and isinstance(live, list) and len(desired) == len(live)
    return lists and shape.item is not None and shape.item.kind is Kind.OBJECT


def _walk_positions(walk: _Walk, path: str, shape: Shape, at: _Sides) -> Iterator[Delta]:
    for place in range(len(_items(at.desired))):
        base = follow(at.base, (place,))
        sides = _Sides(
            base=base,
            desired=_items(at.desired)[place],
            live=_items(at.live)[place],
            recorded=base is not ABSENT,
        )
        yield from _walk(walk, f"{path}/{place}", shape.item or FREE, sides)


def _items(value: Value) -> list[JSON]:
    return value if isinstance(value, list) else []


def _order(
    path: str,
    shape: Shape,
    at: _Sides,
    wanted: Mapping[str, JSON],
    held: Mapping[str, JSON],
    known: Mapping[str, JSON],
) -> Iterator[Delta]:
    both = wanted.keys() & held.keys()
    sides = _Sides(
        base=[key for key in known if key in both] if at.recorded else ABSENT,
        desired=[key for key in wanted if key in both],
        live=[key for key in held if key in both],
        recorded=at.recorded and both <= known.keys(),
    )
    yield from _leaf(path, Shape(kind=Kind.LIST, sensitive=shape.sensitive), sides, note=_ORDER)


def _walk_free(path: str, shape: Shape, at: _Sides) -> Iterator[Delta]:
    """Free-form JSON that differs: let DeepDiff find where; its order of lists always counts."""
    from deepdiff import DeepDiff  # noqa: PLC0415  150 ms, and only for subtrees that differ

    found = DeepDiff(
        at.live,
        at.desired,
        view="tree",
        zip_ordered_iterables=True,
        ignore_private_variables=False,
        threshold_to_diff_deeper=0,
    )
    paths = sorted(
        {tuple(level.path(output_format="list")) for group in found.values() for level in group},
        key=lambda p: [str(token) for token in p],
    )
    for tokens in paths or [()]:
        base, desired, live = (follow(side, tokens) for side in (at.base, at.desired, at.live))
        sides = _Sides(base=base, desired=desired, live=live, recorded=at.recorded)
        below = "/".join((path, *(escape(str(token)) for token in tokens)))
        secret = any(_in_credential(side, tokens) for side in (at.base, at.desired, at.live))
        for delta in _leaf(below, shape, sides):
            yield _as_secret(delta) if secret else delta


def _as_secret(delta: Delta) -> Delta:
    return replace(delta, sensitive=True)


def _is_credential(value: Value) -> bool:
    return isinstance(value, dict) and bool(value.get(CREDENTIAL))


def _in_credential(value: Value, tokens: Sequence[str | int]) -> bool:
    """Tell whether a path leads into the value of something marked as a credential."""
    return any(
        name == "value" and _is_credential(follow(value, tokens[:depth]))
        for depth, name in enumerate(tokens)
    )


def _child(value: Value, name: str) -> Value:
    return value.get(name, ABSENT) if isinstance(value, dict) else ABSENT


def _by_key(shape: Shape, value: Value) -> dict[str, JSON]:
    items = _items(value)
    return dict(zip(item_keys(shape, items), items, strict=True))


def _are_lists(at: _Sides) -> bool:
    return isinstance(at.desired, list) and isinstance(at.live, list)


def _sorted(at: _Sides) -> _Sides:
    base, desired, live = (
        sorted(side, key=repr) if isinstance(side, list) else side
        for side in (at.base, at.desired, at.live)
    )
    return _Sides(base=base, desired=desired, live=live, recorded=at.recorded)
