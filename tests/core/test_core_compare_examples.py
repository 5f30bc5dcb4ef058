"""The three-way comparison by example: order, release, ignored and hidden fields."""

from __future__ import annotations

import pytest

from core.values import (
    EVERYTHING,
    NUMBER,
    TEXT,
    a_set,
    an_object,
    keyed,
)
from planops.core.changes import Cause
from planops.core.compare import compare, overlay, same
from planops.core.model import ABSENT, JSON, Value, escape, unescape
from planops.core.shape import FREE, Kind, Shape

# ------------------------------------------------------------------------------------- the order

NAMED = an_object(f=keyed(an_object(id=TEXT), "id"))
AS_SET = an_object(f=a_set(an_object(id=TEXT), "id"))


def ids(names: str | None) -> Value:
    return ABSENT if names is None else {"f": [{"id": name} for name in names]}


@pytest.mark.parametrize(
    ("base", "desired", "live", "expected"),
    [
        ("abc", "abc", "abc", None),
        (None, "cba", "abc", Cause.EDIT),
        ("abc", "cba", "abc", Cause.EDIT),
        ("abc", "abc", "cba", Cause.DRIFT),
        ("abc", "cba", "bac", Cause.CONFLICT),
        ("abc", "cba", "cba", None),
        ("ab", "abc", "cba", Cause.EDIT),  # c stands in no record: both orders are new
    ],
)
def test_order_of_a_keyed_list_counts(
    base: str | None, desired: str, live: str, expected: Cause | None
) -> None:
    deltas = compare(NAMED, base=ids(base), desired=ids(desired), live=ids(live))
    assert [(d.path, d.cause, d.note) for d in deltas] == (
        [("/spec/f", expected, "order")] if expected else []
    )
    assert compare(AS_SET, base=ids(base), desired=ids(desired), live=ids(live)) == ()


def test_order_is_told_in_names_of_those_that_both_sides_have() -> None:
    made, gone, order = compare(NAMED, base=ids("xbac"), desired=ids("cbay"), live=ids("xabc"))
    assert (made.path, gone.path) == ("/spec/f/y", "/spec/f/x")
    assert (order.path, order.cause) == ("/spec/f", Cause.CONFLICT)
    assert (order.base, order.desired, order.live) == (list("bac"), list("cba"), list("abc"))


def test_added_and_removed_items_alone_do_not_change_the_order() -> None:
    deltas = compare(NAMED, base=ids("ab"), desired=ids("xby"), live=ids("ab"))
    assert [d.path for d in deltas] == ["/spec/f/x", "/spec/f/y", "/spec/f/a"]
    assert {d.cause for d in deltas} == {Cause.EDIT}


def test_items_of_equal_names_are_told_apart_by_number() -> None:
    deltas = compare(NAMED, base=ABSENT, desired=ids("aaa"), live=ids("a"))
    assert [d.path for d in deltas] == ["/spec/f/a#2", "/spec/f/a#3"]


# -------------------------------------------------------------------------------------- released


def test_a_released_object_is_told_once_and_not_field_by_field() -> None:
    shape = an_object(o=an_object(x=TEXT, y=TEXT), f=keyed(an_object(id=TEXT, v=TEXT), "id"))
    base: JSON = {"o": {"x": "1", "y": "2"}, "f": [{"id": "a", "v": "1"}, {"id": "b"}]}
    held: JSON = {"o": {"x": "1", "y": "3"}, "f": []}
    deltas = compare(shape, base=base, desired={}, live=held)
    assert [(d.path, d.cause) for d in deltas] == [
        ("/spec/o", Cause.RELEASED),
        ("/spec/f", Cause.RELEASED),
    ]


def test_a_released_field_of_a_listed_item_is_told() -> None:
    shape = an_object(f=keyed(an_object(id=TEXT, v=TEXT), "id"))
    (delta,) = compare(
        shape,
        base={"f": [{"id": "a", "v": "1"}]},
        desired={"f": [{"id": "a"}]},
        live={"f": [{"id": "a", "v": "1"}]},
    )
    assert (delta.path, delta.cause) == ("/spec/f/a/v", Cause.RELEASED)


def test_nothing_is_told_of_a_plan_that_no_file_declares() -> None:
    assert compare(EVERYTHING, base=ABSENT, desired=ABSENT, live={"title": "x"}) == ()


# -------------------------------------------------------------------- ignored, unseen, the server's

LIVE: JSON = {
    "title": "live",
    "options": {"on": True, "note": "live"},
    "jobs": [{"type": "t", "name": "a/b", "spec": {"text": "live", "data": {"k": 1}}}],
}
WANTED: JSON = {
    "title": "git",
    "options": {"on": False, "note": "git"},
    "jobs": [
        {"type": "t", "name": "a/b", "spec": {"text": "git", "data": {"k": 2}}},
        {"type": "t", "name": "new"},
    ],
}
PATHS = (
    "/spec/title",
    "/spec/options/on",
    "/spec/options/note",
    "/spec/jobs/t:a~1b/spec/text",
    "/spec/jobs/t:a~1b/spec/data/k",
    "/spec/jobs/t:new",
)


@pytest.mark.parametrize(
    "ignore",
    [
        (),
        ("/spec/title",),
        ("/spec/options",),
        ("/spec/options/on",),
        ("/spec/jobs",),
        ("/spec/jobs/t:a~1b",),
        ("/spec/jobs/t:a~1b/spec",),
        ("/spec/jobs/t:a~1b/spec/data",),
        ("/spec/jobs/t:new",),
        ("/spec/title", "/spec/options/note", "/spec/jobs/t:new"),
        ("/spec",),
        ("/spec/tit", "/spec/nothing", ""),
    ],
)
def test_ignored_paths_cover_everything_below_them(ignore: tuple[str, ...]) -> None:
    deltas = compare(EVERYTHING, base=ABSENT, desired=WANTED, live=LIVE, ignore=ignore)
    left = [p for p in PATHS if not any(p == i or p.startswith(f"{i}/") for i in ignore if i)]
    assert [d.path for d in deltas] == left


def test_an_ignored_item_that_only_the_server_has_is_not_told() -> None:
    held: JSON = {"f": [{"id": "a"}, {"id": "theirs"}]}
    deltas = compare(NAMED, base=ABSENT, desired=ids("a"), live=held, ignore=("/spec/f/theirs",))
    assert deltas == ()


@pytest.mark.parametrize("base", [ABSENT, LIVE, WANTED])
def test_a_difference_that_the_server_hides_is_unknown(base: Value) -> None:
    unseen = {
        "/spec/title": "hidden",
        "/spec/jobs/t:a~1b/spec/data": "not kept",
        "/spec/count": "?",
    }
    deltas = compare(EVERYTHING, base=base, desired=WANTED, live=LIVE, unseen=unseen)
    found = {d.path: (d.cause, d.note) for d in deltas if d.cause is Cause.UNKNOWN}
    assert found == {
        "/spec/title": (Cause.UNKNOWN, "hidden"),
        "/spec/jobs/t:a~1b/spec/data": (Cause.UNKNOWN, "not kept"),
    }


def test_what_is_hidden_but_equal_is_not_told() -> None:
    assert compare(TEXT, base=ABSENT, desired="x", live="x", unseen={"/spec": "hidden"}) == ()


@pytest.mark.parametrize("server", ["runtime", "write-only"])
def test_the_servers_own_fields_are_never_compared(server: str) -> None:
    shape = an_object(f=Shape(kind=Kind.SCALAR, type="string", server=server))
    assert compare(shape, base={"f": "a"}, desired={"f": "b"}, live={"f": "c"}) == ()


# ------------------------------------------------------------------------- odd forms and equality


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (1.0, True, False),
        (0, False, False),
        (True, True, True),
        (False, None, False),
        ("", None, False),
        ("", [], False),
        ([], {}, False),
        ("1", 1, False),
        (ABSENT, ABSENT, True),
        (ABSENT, None, False),
        ([1, [2.0]], [1.0, [2]], True),
        ([1], [True], False),
        ([1], [1, 1], False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
    ],
)
def test_equality_is_that_of_json(left: Value, right: Value, *, equal: bool) -> None:
    assert same(left, right) is equal
    assert same(right, left) is equal


@pytest.mark.parametrize("shape", [NUMBER, FREE])
def test_one_and_true_differ_where_one_and_one_point_zero_do_not(shape: Shape) -> None:
    assert compare(shape, base=ABSENT, desired=1, live=1.0) == ()
    assert len(compare(shape, base=ABSENT, desired=1, live=True)) == 1


@pytest.mark.parametrize("shape", [an_object(x=TEXT), a_set(TEXT), keyed(TEXT, "id")])
@pytest.mark.parametrize("held", [None, "text", ABSENT])
def test_what_the_server_holds_in_another_form_differs_as_a_whole(
    shape: Shape, held: Value
) -> None:
    desired: JSON = {"x": "1"} if shape.kind is Kind.OBJECT else ["1"]
    (delta,) = compare(shape, base=ABSENT, desired=desired, live=held)
    assert (delta.path, delta.desired, delta.live) == ("/spec", desired, held)


def test_a_base_of_another_form_is_no_base() -> None:
    shape = an_object(o=an_object(x=TEXT), f=keyed(an_object(id=TEXT), "id"), j=FREE)
    base: JSON = {"o": "text", "f": "text", "j": ["text"]}
    deltas = compare(
        shape,
        base=base,
        desired={"o": {"x": "1"}, "f": [{"id": "b"}, {"id": "a"}], "j": {"0": 1, "k": 2}},
        live={"o": {"x": "2"}, "f": [{"id": "a"}, {"id": "b"}], "j": {"k": 3}},
    )
    assert [(d.path, d.cause) for d in deltas] == [
        ("/spec/o/x", Cause.EDIT),
        ("/spec/f", Cause.EDIT),
        ("/spec/j/0", Cause.EDIT),
        ("/spec/j/k", Cause.CONFLICT),
    ]


def test_items_and_lists_without_a_declared_form_are_compared_all_the_same() -> None:
    bare = Shape(kind=Kind.KEYED, type="array", key=("id",))
    desired: JSON = [{"id": "a", "v": 1}]
    (delta,) = compare(bare, base=ABSENT, desired=desired, live=[{"id": "a", "v": 2}])
    assert (delta.path, delta.desired, delta.live) == ("/spec/a/v", 1, 2)
    held: JSON = [{"id": "a", "v": 2, "w": 3}]
    assert overlay(an_object(f=bare), {"f": held}, {"f": desired}) == {"f": desired}


def test_overlay_adds_fields_that_the_server_lacks_unless_they_are_ignored() -> None:
    wanted: dict[str, JSON] = {"title": "git", "count": 1}
    assert overlay(EVERYTHING, {}, wanted) == wanted
    assert overlay(EVERYTHING, {}, wanted, ["/spec/count"]) == {"title": "git"}


@pytest.mark.parametrize(
    ("name", "escaped"), [("a/b", "a~1b"), ("a~b", "a~0b"), ("~1", "~01"), ("", ""), ("//", "~1~1")]
)
def test_names_are_escaped_in_paths(name: str, escaped: str) -> None:
    assert (escape(name), unescape(escaped)) == (escaped, name)
    shape = an_object(f=keyed(an_object(id=TEXT, **{name: TEXT}), "id"), j=FREE)
    deltas = compare(
        shape,
        base=ABSENT,
        desired={"f": [{"id": name or "x", name: "1"}], "j": {name: [1]}},
        live={"f": [{"id": name or "x", name: "2"}], "j": {name: [2]}},
    )
    assert [d.path for d in deltas] == [
        f"/spec/f/{escaped or 'x'}/{escaped}",
        f"/spec/j/{escaped}/0",
    ]


@pytest.mark.parametrize(
    ("live", "desired", "paths"),
    [
        (["x", "a", "b"], ["a", "b"], ["/spec/0", "/spec/1", "/spec/2"]),
        ({"__a": 1, "b": 1}, {"__a": 2, "b": 2}, ["/spec/__a", "/spec/b"]),
        ({"a": True, "b": 1}, {"a": 1, "b": 2}, ["/spec/a", "/spec/b"]),
        ({"a": 1e-13, "b": 1}, {"a": 2e-13, "b": 2}, ["/spec/a", "/spec/b"]),
        ({"a": 1, "b": 1}, {"a": 1.0, "b": 2}, ["/spec/b"]),
        ({"a": {"b": 1}}, {"a": [{"b": 1}]}, ["/spec/a"]),
        ({"a": "x"}, {"a": None}, ["/spec/a"]),
        ({}, {"a": None}, ["/spec/a"]),
        ({"a": None}, {}, ["/spec/a"]),
        ({"1": "x", "/~": 2}, {"1": "y"}, ["/spec/~1~0", "/spec/1"]),
        (True, 1, ["/spec"]),
        (ABSENT, {"a": 1}, ["/spec"]),
    ],
)
def test_free_form_json_differs_at_each_of_its_places(
    live: Value, desired: Value, paths: list[str]
) -> None:
    """Each was once lost beside another, or told where it is not."""
    deltas = compare(FREE, base=ABSENT, desired=desired, live=live)
    assert [d.path for d in deltas] == paths
