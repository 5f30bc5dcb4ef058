"""The comparison and the overlay by properties: whatever is declared, whatever the server holds."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.values import EVERYTHING
from planops.core.changes import Cause, Delta
from planops.core.compare import compare, declared, overlay, same
from planops.core.decide import WRITABLE
from planops.core.model import ABSENT, JSON, escape, unescape
from planops.core.shape import FREE, Kind, Shape

NAMES = st.sampled_from(["a", "b", "a/b", "~", "~1", "0", "1", "__p", "", "'", '"', "[0]", "value"])
ATOMS = st.sampled_from(
    [None, True, False, 0, 1, 1.0, 2, 1e-13, 2e-13, 10**20, 10**20 + 1, "", "a", "b", "a\nb", "1"]
)
ANY: st.SearchStrategy[JSON] = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
FREELY = st.dictionaries(NAMES, ANY, max_size=3)
WORDS = st.sampled_from(["", "x", "y", "a/b", "~"])


def job(**more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({"type": WORDS, "name": st.sampled_from(["x", "y", "a/b"])} | more)


def apart(*key: str) -> Any:
    """Tell items apart by their key, as validated files do."""
    return lambda item: ":".join(item[name] for name in key if item[name])


LIVE = st.fixed_dictionaries(
    {
        "title": WORDS,
        "count": st.integers(0, 2),
        "opens": st.integers(0, 2),
        "options": st.fixed_dictionaries({"on": st.booleans(), "note": WORDS}),
        "jobs": st.lists(
            job(spec=st.fixed_dictionaries({"text": WORDS, "data": FREELY})),
            max_size=3,
            unique_by=apart("type", "name"),
        ),
        "tags": st.lists(WORDS, max_size=3),
        "users": st.lists(
            st.fixed_dictionaries({"id": st.sampled_from(["u", "v", "w"]), "role": WORDS}),
            max_size=3,
            unique_by=apart("id"),
        ),
        "steps": st.lists(WORDS, max_size=2),
        "extra": FREELY,
    }
)
DESIRED = st.fixed_dictionaries(
    {},
    optional={
        "title": WORDS,
        "count": st.integers(0, 2),
        "opens": st.integers(0, 2),
        "options": st.fixed_dictionaries({}, optional={"on": st.booleans(), "note": WORDS}),
        "jobs": st.lists(
            job() | job(spec=st.fixed_dictionaries({}, optional={"text": WORDS, "data": FREELY})),
            max_size=3,
            unique_by=apart("type", "name"),
        ),
        "tags": st.lists(WORDS, max_size=3),
        "users": st.lists(
            st.fixed_dictionaries(
                {"id": st.sampled_from(["u", "v", "w"])}, optional={"role": WORDS}
            ),
            max_size=3,
            unique_by=apart("id"),
        ),
        "steps": st.lists(WORDS, max_size=2),
        "extra": FREELY,
    },
)
SIDES = {"live": LIVE, "desired": DESIRED}


def changed(value: Any, tokens: list[str], new: Any) -> Any:
    """Set one place of a JSON value, the way a reader of a delta would."""
    if not tokens:
        return new
    token, rest = tokens[0], tokens[1:]
    if isinstance(value, list):
        at = int(token)
        below = changed(value[at] if at < len(value) else ABSENT, rest, new)
        return [*value[:at], below, *value[at + 1 :]]
    return {**value, token: changed(value.get(token, ABSENT), rest, new)}


def followed(value: Any, tokens: list[str]) -> Any:
    for token in tokens:
        if isinstance(value, list):
            value = dict(enumerate(value)).get(int(token), ABSENT)
        else:
            value = value.get(token, ABSENT)
    return value


def without_gaps(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_gaps(v) for k, v in value.items() if v is not ABSENT}
    if isinstance(value, list):
        return [without_gaps(v) for v in value if v is not ABSENT]
    return value


def made_so(live: JSON, deltas: tuple[Delta, ...]) -> Any:
    value: Any = copy.deepcopy(live)
    for delta in deltas:
        tokens = [unescape(token) for token in delta.path.split("/")[2:]]
        value = changed(value, tokens, delta.desired)
    return without_gaps(value)


@settings(deadline=None)
@given(live=ANY, desired=ANY)
def test_deltas_of_free_form_json_lead_from_live_to_desired(
    live: dict[str, JSON], desired: dict[str, JSON]
) -> None:
    deltas = compare(FREE, base=ABSENT, desired=desired, live=live)
    assert bool(deltas) is not same(live, desired)
    assert same(made_so(live, deltas), desired)


@settings(deadline=None)
@given(live=FREELY, desired=FREELY, base=FREELY)
def test_deltas_of_free_form_json_say_what_each_side_holds_there(
    live: dict[str, JSON], desired: dict[str, JSON], base: dict[str, JSON]
) -> None:
    for delta in compare(FREE, base=base, desired=desired, live=live):
        tokens = [unescape(token) for token in delta.path.split("/")[2:]]
        assert same(delta.desired, followed(desired, tokens))
        assert same(delta.live, followed(live, tokens))
        assert not same(delta.desired, delta.live)
        expected = Cause.CONFLICT
        if same(delta.base, delta.live):
            expected = Cause.EDIT
        elif same(delta.base, delta.desired):
            expected = Cause.DRIFT
        assert delta.cause is expected


def in_force(shape: Shape, live: Any, desired: Any, merged: Any) -> None:
    """The frame rule, declared field by declared field and undeclared field by undeclared field."""
    if shape.kind is Kind.OBJECT:
        assert merged.keys() == live.keys() | desired.keys()
        for name, value in merged.items():
            if name not in desired:
                assert value == live[name]
            elif name not in live:
                assert value == desired[name]
            else:
                in_force(shape.fields[name], live[name], desired[name], value)
    elif shape.key:
        assert shape.item is not None
        name = apart(*shape.key)
        held = {name(item): item for item in live}
        assert [name(item) for item in merged] == [name(item) for item in desired]
        for wanted, item in zip(desired, merged, strict=True):
            in_force(shape.item, held.get(name(item), {}), wanted, item)
    else:
        assert merged == desired


@settings(deadline=None)
@given(**SIDES)
def test_overlay_keeps_what_no_file_declares(
    live: dict[str, JSON], desired: dict[str, JSON]
) -> None:
    before = copy.deepcopy((live, desired))
    in_force(EVERYTHING, live, desired, overlay(EVERYTHING, live, desired))
    assert (live, desired) == before


@settings(deadline=None)
@given(**SIDES)
def test_overlaying_twice_is_overlaying_once(
    live: dict[str, JSON], desired: dict[str, JSON]
) -> None:
    once = overlay(EVERYTHING, live, desired)
    assert overlay(EVERYTHING, once, desired) == once


def frozen(value: Any) -> Any:
    """A value in which the order of sets does not count."""
    return value | {
        name: sorted(value.get(name, []), key=repr) for name in ("tags", "users") if name in value
    }


@settings(deadline=None)
@given(**SIDES)
def test_there_are_deltas_exactly_where_the_overlay_changes_something(
    live: dict[str, JSON], desired: dict[str, JSON]
) -> None:
    deltas = compare(EVERYTHING, base=ABSENT, desired=desired, live=live)
    merged = overlay(EVERYTHING, live, desired)
    assert bool(deltas) is not same(frozen(merged), frozen(live))
    assert {delta.cause for delta in deltas} <= {Cause.EDIT}


@settings(deadline=None)
@given(base=st.just(ABSENT) | DESIRED, **SIDES)
def test_once_the_overlay_is_in_force_nothing_is_left_to_write(
    base: Any, live: dict[str, JSON], desired: dict[str, JSON]
) -> None:
    merged = overlay(EVERYTHING, live, desired)
    deltas = compare(EVERYTHING, base=base, desired=desired, live=merged)
    assert {delta.cause for delta in deltas} <= {Cause.RELEASED}


FIELDS = (
    "/spec/title",
    "/spec/options",
    "/spec/options/on",
    "/spec/jobs",
    "/spec/jobs/x:x/spec",
    "/spec/jobs/x:a~1b/spec/text",
    "/spec/jobs/x:y/spec/data",
    "/spec/users",
    "/spec/users/u/role",
    "/spec/tags",
    "/spec/extra",
)


def at(value: Any, path: str) -> Any:
    for token in map(unescape, path.split("/")[2:]):
        if isinstance(value, list):
            key = ("type", "name") if "type" in (value or [{}])[0] else ("id",)
            value = {apart(*key)(item): item for item in value}
        value = value.get(token, ABSENT) if isinstance(value, dict) else ABSENT
    return value


@settings(deadline=None)
@given(ignore=st.lists(st.sampled_from(FIELDS), max_size=4, unique=True), **SIDES)
def test_ignored_fields_keep_their_live_value_and_are_not_told(
    ignore: list[str], live: dict[str, JSON], desired: dict[str, JSON]
) -> None:
    merged = overlay(EVERYTHING, live, desired, ignore)
    for path in ignore:
        if at(merged, path.rpartition("/")[0]) is not ABSENT and at(live, path) is not ABSENT:
            assert at(merged, path) == at(live, path)
    deltas = compare(EVERYTHING, base=ABSENT, desired=desired, live=live, ignore=ignore)
    assert not any(
        delta.path == path or delta.path.startswith(f"{path}/")
        for delta in deltas
        for path in ignore
    )
    assert compare(EVERYTHING, base=ABSENT, desired=desired, live=merged, ignore=ignore) == ()


@settings(deadline=None)
@given(**SIDES, base=DESIRED)
def test_causes_say_who_changed_what(
    live: dict[str, JSON], desired: dict[str, JSON], base: dict[str, JSON]
) -> None:
    """Whatever moved in git alone is an edit; whatever moved on the server alone is drift."""
    echo = overlay(EVERYTHING, live, base)
    edits = compare(EVERYTHING, base=base, desired=desired, live=echo)
    drifts = compare(EVERYTHING, base=desired, desired=desired, live=live)
    assert {delta.cause for delta in drifts} <= {Cause.DRIFT}
    assert all(
        delta.cause in {Cause.EDIT, Cause.RELEASED}
        for delta in edits
        if not delta.path.startswith(("/spec/jobs", "/spec/users"))
    )
    assert {delta.cause for delta in edits} <= {*WRITABLE, Cause.RELEASED}


@settings(deadline=None)
@given(desired=DESIRED)
def test_what_is_declared_is_told_without_a_gap(desired: dict[str, JSON]) -> None:
    found = declared(EVERYTHING, desired)
    paths = [delta.path for delta in found]
    assert len(set(paths)) == len(paths)
    for name in desired:
        below = f"/spec/{escape(name)}"
        assert any(path == below or path.startswith(f"{below}/") for path in paths)
    again = compare(EVERYTHING, base=ABSENT, desired=desired, live=desired)
    assert again == ()
