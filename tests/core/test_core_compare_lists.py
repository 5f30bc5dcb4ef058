"""Lists with identity and sets, side by side: who has an item, in which order, how often."""

from __future__ import annotations

from itertools import permutations, product

import pytest

from core.values import TEXT, a_set, an_object, keyed
from planops.core.changes import Cause
from planops.core.compare import compare, overlay
from planops.core.model import ABSENT, JSON, Value
from planops.core.shape import Shape

ITEM = an_object(id=TEXT, v=TEXT, w=TEXT)
KEYED = an_object(f=keyed(ITEM, "id"))
SET = an_object(f=a_set(ITEM, "id"))
PLAIN = an_object(f=a_set(TEXT))
WITH_IDENTITY = pytest.mark.parametrize("shape", [KEYED, SET], ids=["keyed", "set"])

E, D, C, R = Cause.EDIT, Cause.DRIFT, Cause.CONFLICT, Cause.RELEASED


def listed(text: str | None) -> dict[str, JSON]:
    """Items from words such as ``a=1`` (with a value) or ``a``; ``None`` is no list at all."""
    if text is None:
        return {}
    pairs = (word.partition("=") for word in text.split())
    return {"f": [{"id": key, **({"v": value} if value else {})} for key, _, value in pairs]}


def told(shape: Shape, base: Value, desired: JSON, live: JSON) -> dict[str, Cause]:
    deltas = compare(shape, base=base, desired=desired, live=live)
    found = {delta.path.removeprefix("/spec/"): delta.cause for delta in deltas}
    assert len(found) == len(deltas)
    return found


# ------------------------------------------------------------------------------ who has which items


@WITH_IDENTITY
@pytest.mark.parametrize(
    ("base", "desired", "live", "expected"),
    [
        ("a b", "a b", "a b", {}),
        ("a", "a b", "a", {"f/b": E}),  # added in git
        ("a", "a", "a b", {"f/b": D}),  # added on the server
        ("a", "a b", "a b", {}),  # added on both, alike
        ("a", "a b=1", "a b=2", {"f/b/v": E}),  # added on both: managed for the first time
        ("a b", "a", "a b", {"f/b": E}),  # removed in git
        ("a b", "a b", "a", {"f/b": D}),  # removed on the server
        ("a b", "a", "a", {}),  # removed on both
        ("a b=1", "a", "a b=2", {"f/b": C}),  # removed in git, changed on the server
        ("a b=1", "a b=2", "a", {"f/b": C}),  # changed in git, removed on the server
        ("a b=1", "a b=2", "a b=1", {"f/b/v": E}),
        ("a b=1", "a b=1", "a b=2", {"f/b/v": D}),
        ("a b=1", "a b=2", "a b=3", {"f/b/v": C}),
        ("a b=1", "a b=2", "a b=2", {}),
        ("a b", "a c", "a b", {"f/c": E, "f/b": E}),  # exchanged in git
        ("a b", "a b", "a c", {"f/b": D, "f/c": D}),  # exchanged on the server
        ("a b", "a c", "a d", {"f/c": E, "f/d": D}),  # exchanged on both, for another each
        ("a b=1", "b=2 c", "b=3 d", {"f/b/v": C, "f/c": E, "f/d": D}),
    ],
)
def test_who_has_which_items(
    shape: Shape, base: str, desired: str, live: str, expected: dict[str, Cause]
) -> None:
    assert told(shape, listed(base), listed(desired), listed(live)) == expected


@WITH_IDENTITY
@pytest.mark.parametrize(
    ("base", "desired", "live", "expected"),
    [
        (None, None, "a b", {}),  # not managed
        (None, "", "a b", {"f/a": E, "f/b": E}),  # managed for the first time, as empty
        (None, "", "", {}),
        ("a b", None, "a b", {"f": R}),
        ("a b", None, "", {"f": R}),
        ("a b", "", "a b", {"f/a": E, "f/b": E}),  # emptied in git
        ("a b", "", "a", {"f/a": E}),
        ("a b", "", "", {}),
        ("", "", "a b", {"f/a": D, "f/b": D}),  # filled on the server
        ("", None, "a b", {"f": R}),
        ("", "a", "", {"f/a": E}),
        ("", "a", "b", {"f/a": E, "f/b": D}),
        ("a b", "a b", "", {"f/a": D, "f/b": D}),  # emptied on the server
    ],
)
def test_emptied_is_not_absent(
    shape: Shape, base: str | None, desired: str | None, live: str, expected: dict[str, Cause]
) -> None:
    assert told(shape, listed(base), listed(desired), listed(live)) == expected
    held = listed(live)
    laid = overlay(shape, held, listed(desired))
    assert laid == (held if desired is None else listed(desired))


@WITH_IDENTITY
@pytest.mark.parametrize(
    ("base", "desired", "live", "expected"),
    [
        ("a a", "a a", "a a", {}),
        (None, "a a", "a", {"f/a#2": E}),
        ("a", "a a", "a", {"f/a#2": E}),
        ("a", "a", "a a", {"f/a#2": D}),
        ("a a", "a", "a a", {"f/a#2": E}),
        ("a a", "a a", "a", {"f/a#2": D}),
        ("a=1 a=2", "a=1 a=3", "a=1 a=2", {"f/a#2/v": E}),
        ("a=1 a=2", "a=1 a=2", "a=1 a=3", {"f/a#2/v": D}),
        ("a=1 a=2", "a=1 a=2", "a=1", {"f/a#2": D}),
    ],
)
def test_items_of_one_name_are_counted(
    shape: Shape, base: str | None, desired: str, live: str, expected: dict[str, Cause]
) -> None:
    assert told(shape, listed(base), listed(desired), listed(live)) == expected
    assert overlay(shape, listed(live), listed(desired)) == listed(desired)


# -------------------------------------------------------------------- what an item does not declare


@WITH_IDENTITY
@pytest.mark.parametrize(
    ("base", "desired", "expected"),
    [
        ({"id": "a", "v": "1"}, {"id": "a", "v": "1"}, {}),
        ({"id": "a", "v": "1"}, {"id": "a", "v": "2"}, {"f/a/v": E}),
        ({"id": "a", "v": "0"}, {"id": "a", "v": "0"}, {"f/a/v": D}),
        ({"id": "a", "v": "1"}, {"id": "a"}, {"f/a/v": R}),
        ({"id": "a"}, {"id": "a"}, {}),
        ({"id": "a", "w": "1"}, {"id": "a", "v": "1"}, {"f/a/w": R}),
    ],
)
def test_an_undeclared_field_of_an_item_keeps_its_value(
    shape: Shape,
    base: dict[str, JSON],
    desired: dict[str, JSON],
    expected: dict[str, Cause],
) -> None:
    held: dict[str, JSON] = {"f": [{"id": "a", "v": "1", "w": "theirs"}]}
    wanted: dict[str, JSON] = {"f": [desired]}
    assert told(shape, {"f": [base]}, wanted, held) == expected
    assert overlay(shape, held, wanted) == {"f": [{"id": "a", "v": "1", "w": "theirs"} | desired]}


@WITH_IDENTITY
def test_an_undeclared_field_does_not_make_a_removed_item_a_conflict(shape: Shape) -> None:
    """Only what was declared is recorded, so only that can have been changed by somebody."""
    held: JSON = {"f": [{"id": "a"}, {"id": "b", "v": "1", "w": "theirs"}]}
    assert told(shape, listed("a b=1"), listed("a"), held) == {"f/b": E}


# ---------------------------------------------------------------------------------------- the order

ORDERS = ["".join(order) for order in permutations("abc")]


def in_order(names: str) -> dict[str, JSON]:
    return {"f": [{"id": name} for name in names]}


@pytest.mark.parametrize(("base", "desired", "live"), [*product(ORDERS, repeat=3)])
def test_the_order_of_a_keyed_list_is_one_field(base: str, desired: str, live: str) -> None:
    cause = E if live == base else D if desired == base else C
    expected = {} if desired == live else {"f": cause}
    assert told(KEYED, in_order(base), in_order(desired), in_order(live)) == expected


@pytest.mark.parametrize(("base", "desired", "live"), [*product(ORDERS, repeat=3)])
def test_the_order_of_a_set_never_matters(base: str, desired: str, live: str) -> None:
    assert told(SET, in_order(base), in_order(desired), in_order(live)) == {}
    assert told(PLAIN, {"f": [*base]}, {"f": [*desired]}, {"f": [*live]}) == {}


@pytest.mark.parametrize(
    ("base", "desired", "live", "expected"),
    [
        ("ab", "abc", "ab", E),  # added in git
        ("ab", "a", "ab", E),  # removed in git
        ("ab", "ab", "abc", D),  # added on the server
        ("ab", "ab", "b", D),  # removed on the server
        ("ab", "abc", "abd", C),
        ("ab", "a", "b", C),
        ("ab", "a", "a", None),
        ("ab", "", "ab", E),
        ("ab", "ab", "", D),
        ("", "a", "b", C),
        (None, "a", "b", E),
        (None, "", "b", E),
        ("ab", "abb", "ab", E),  # a member twice is another set than once
    ],
)
@pytest.mark.parametrize("turned", [*product([False, True], repeat=3)])
def test_members_of_a_set_without_identity(
    base: str | None,
    desired: str,
    live: str,
    expected: Cause | None,
    turned: tuple[bool, bool, bool],
) -> None:
    """Such a set differs as a whole, in whatever order its members stand on each side."""
    sides: list[Value] = [
        ABSENT if names is None else {"f": [*names[:: -1 if back else 1]]}
        for names, back in zip((base, desired, live), turned, strict=True)
    ]
    deltas = compare(PLAIN, base=sides[0], desired=sides[1], live=sides[2])
    assert [(delta.path, delta.cause) for delta in deltas] == (
        [("/spec/f", expected)] if expected else []
    )
