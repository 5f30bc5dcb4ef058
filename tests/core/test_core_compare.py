"""The three-way comparison by written-out tables: every base, desired and live of one field."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.truth import FREELY, LISTS, NAMES, SCALARS, Row, rows
from core.values import (
    FLAG,
    NUMBER,
    TEXT,
    a_list,
    a_set,
    an_object,
)
from planops.core.changes import Cause, Delta
from planops.core.compare import compare
from planops.core.model import ABSENT, JSON
from planops.core.shape import FREE, Kind, Shape, cleared, filled


def tree(name: str, values: dict[str, JSON], *, backwards: bool = False) -> dict[str, JSON]:
    value = values.get(name)
    if backwards and isinstance(value, list):
        value = value[::-1]
    return {"f": value} if name in values else {}


def causes(deltas: Sequence[Delta], path: str) -> set[Cause]:
    assert all(delta.path == path or delta.path.startswith(f"{path}/") for delta in deltas)
    return {delta.cause for delta in deltas}


@pytest.mark.parametrize("row", rows("field"), ids=str)
def test_scalar_by_the_table(row: Row) -> None:
    shape = an_object(f=TEXT)
    sides = [cleared(shape, tree(name, SCALARS)) for name in (row.base, row.desired, row.live)]
    deltas = compare(shape, base=sides[0], desired=sides[1], live=sides[2])
    assert [(d.path, d.cause) for d in deltas] == ([("/spec/f", row.cause)] if row.cause else [])
    for delta in deltas:
        found = [v if v is ABSENT else {"f": v} for v in (delta.base, delta.desired, delta.live)]
        assert found == [side or ABSENT for side in sides]


@pytest.mark.parametrize("row", rows("field"), ids=str)
def test_set_by_the_table(row: Row) -> None:
    """The live side stands in the opposite order, which is no difference in a set."""
    shape = an_object(f=a_set(TEXT))
    sides = [cleared(shape, tree(name, LISTS)) for name in (row.base, row.desired)]
    held = cleared(shape, tree(row.live, LISTS, backwards=True))
    deltas = compare(shape, base=sides[0], desired=sides[1], live=held)
    assert [(d.path, d.cause) for d in deltas] == ([("/spec/f", row.cause)] if row.cause else [])


@pytest.mark.parametrize("kind", [Kind.LIST, Kind.KEYED])
@pytest.mark.parametrize("row", rows("field"), ids=str)
def test_plain_list_by_the_table(row: Row, kind: Kind) -> None:
    """A list without identity (a keyed kind without a key is one too) is compared as a whole."""
    shape = an_object(f=Shape(kind=kind, type="array", item=TEXT))
    sides = [cleared(shape, tree(name, LISTS)) for name in (row.base, row.desired, row.live)]
    deltas = compare(shape, base=sides[0], desired=sides[1], live=sides[2])
    assert [(d.path, d.cause) for d in deltas] == ([("/spec/f", row.cause)] if row.cause else [])


@pytest.mark.parametrize("row", rows("field"), ids=str)
def test_free_form_by_the_table(row: Row) -> None:
    """Free-form JSON differs in places below the field; not one may be told as released."""
    shape = an_object(f=FREE)
    sides = [cleared(shape, tree(name, FREELY)) for name in (row.base, row.desired, row.live)]
    deltas = compare(shape, base=sides[0], desired=sides[1], live=sides[2])
    found = causes(deltas, "/spec/f")
    assert bool(found) == bool(row.cause)
    assert (Cause.RELEASED in found) == (row.cause is Cause.RELEASED)
    if row.cause is Cause.EDIT:
        assert found == {Cause.EDIT}
    if row.cause is Cause.DRIFT:
        assert found == {Cause.DRIFT}


def item(name: str) -> list[JSON]:
    return [{"id": "x", "v": SCALARS[name]}] if name in SCALARS else []


@pytest.mark.parametrize("kind", [Kind.KEYED, Kind.SET])
@pytest.mark.parametrize("row", rows("item"), ids=str)
def test_item_by_the_table(row: Row, kind: Kind) -> None:
    inner = an_object(id=TEXT, v=TEXT)
    shape = an_object(f=Shape(kind=kind, type="array", item=inner, key=("id",)))
    sides = [cleared(shape, {"f": item(name)}) for name in (row.base, row.desired, row.live)]
    deltas = compare(shape, base=sides[0], desired=sides[1], live=sides[2])
    both = "absent" not in (row.desired, row.live)
    path = "/spec/f/x/v" if both else "/spec/f/x"
    assert [(d.path, d.cause) for d in deltas] == ([(path, row.cause)] if row.cause else [])


@pytest.mark.parametrize("kind", [Kind.KEYED, Kind.SET])
@pytest.mark.parametrize("desired", NAMES)
@pytest.mark.parametrize("live", NAMES)
def test_every_item_is_an_edit_while_nothing_is_recorded(
    desired: str, live: str, kind: Kind
) -> None:
    inner = an_object(id=TEXT, v=TEXT)
    shape = an_object(f=Shape(kind=kind, type="array", item=inner, key=("id",)))
    sides = [cleared(shape, {"f": item(name)}) for name in (desired, live)]
    deltas = compare(shape, base=ABSENT, desired=sides[0], live=sides[1])
    equal = desired == live or {desired, live} == {"null", "empty"}
    assert [d.cause for d in deltas] == ([] if equal else [Cause.EDIT])


def test_absent_null_and_empty_are_one_in_a_filled_live_value() -> None:
    shape = an_object(f=TEXT, n=NUMBER, b=FLAG, l=a_list(TEXT), o=an_object(x=TEXT), j=FREE)
    wanted = cleared(shape, {"f": "", "n": 0, "b": False, "l": [], "o": {"x": ""}, "j": {}})
    lives: tuple[dict[str, JSON], ...] = (
        {},
        dict.fromkeys("fnbloj"),
        {"f": "", "n": 0, "b": False, "l": [], "o": {}, "j": {}},
    )
    for held in lives:
        assert compare(shape, base=ABSENT, desired=wanted, live=filled(shape, held)) == ()
