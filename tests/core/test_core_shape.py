"""Shapes: what a JSON Schema says about comparing, and the values that servers make one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.values import EVERYTHING, FLAG, NUMBER, TEXT, TIME, a_list, a_set, an_object, keyed
from planops.core.model import JSON
from planops.core.shape import (
    FREE,
    MAX_DEPTH,
    Kind,
    Shape,
    cleared,
    compile_shape,
    filled,
    item_key,
    item_keys,
    zero,
)
from planops.manifests.schemas import shape as shape_of

DEFS: dict[str, Mapping[str, Any]] = {
    "name": {"type": "string", "x-planops-immutable": True},
    "loop": {"type": "object", "properties": {"next": {"$ref": "loop"}}},
    "loops": {"type": "array", "items": {"$ref": "loops"}},
    "renamed": {"$ref": "name", "x-planops-immutable": False},
}


def compiled(schema: Mapping[str, Any]) -> Shape:
    return compile_shape(schema, DEFS.__getitem__)


STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "kind", "type_"),
    [
        ({"type": "string"}, Kind.SCALAR, "string"),
        ({"type": ["string", "null"]}, Kind.SCALAR, "string"),
        ({"type": ["null", "integer"]}, Kind.SCALAR, "integer"),
        ({"type": ["string", "integer", "null"]}, Kind.SCALAR, "scalar"),
        ({"type": ["object", "array"]}, Kind.FREE, ""),
        ({"type": ["object", "string"]}, Kind.FREE, ""),
        ({"type": ["object", "null"], "properties": {"a": STRING}}, Kind.OBJECT, "object"),
        ({"type": "object"}, Kind.FREE, "object"),
        ({"type": "object", "properties": {}}, Kind.FREE, "object"),
        ({"type": "object", "properties": {"a": True}}, Kind.FREE, "object"),
        ({"type": "array"}, Kind.LIST, "array"),
        ({"type": "array", "items": STRING}, Kind.LIST, "array"),
        ({"type": "array", "items": True}, Kind.LIST, "array"),
        ({"type": "array", "x-planops-set": True}, Kind.SET, "array"),
        ({"type": "array", "x-planops-set": False}, Kind.LIST, "array"),
        ({"type": "array", "x-planops-key": ["a"]}, Kind.KEYED, "array"),
        ({"type": "array", "x-planops-key": ["a"], "x-planops-set": True}, Kind.SET, "array"),
        ({"type": ["null"]}, Kind.FREE, ""),
        ({}, Kind.FREE, ""),
        ({"enum": ["a", "b"]}, Kind.FREE, ""),
    ],
)
def test_kind_follows_the_schema(schema: Mapping[str, Any], kind: Kind, type_: str) -> None:
    shape = compiled(schema)
    assert (shape.kind, shape.type) == (kind, type_)
    assert (shape.item is not None) == (type_ == "array")


def test_annotations_are_read() -> None:
    shape = compiled(
        {
            "type": "array",
            "x-planops-key": ["type", "name"],
            "items": {
                "type": "object",
                "properties": {
                    "at": {"type": "integer", "x-planops-format": "epoch"},
                    "id": {"type": "string", "x-planops-immutable": True},
                    "key": {"type": "string", "x-planops-sensitive": True},
                    "status": {"type": "string", "x-planops-server": "runtime"},
                },
            },
        }
    )
    assert shape.key == ("type", "name")
    assert shape.item is not None
    fields = shape.item.fields
    assert fields["at"].format == "epoch"
    assert fields["id"].immutable
    assert fields["key"].sensitive
    assert fields["status"].server == "runtime"
    plain = compiled(STRING)
    assert (plain.format, plain.immutable, plain.sensitive, plain.server) == ("", False, False, "")


A, B, C = ({"type": "object", "properties": {name: STRING}} for name in "abc")


@pytest.mark.parametrize(
    ("schema", "fields"),
    [
        (A | {"allOf": [B, C]}, "abc"),
        (A | {"anyOf": [B], "oneOf": [C]}, "abc"),
        (A | {"if": C, "then": B}, "ab"),
        (A | {"if": {}, "then": B, "else": C}, "abc"),
        (A | {"if": {}, "then": {"if": {}, "then": B, "else": {"allOf": [C]}}}, "abc"),
        (A | {"then": True}, "a"),
        ({"$ref": "loop"} | A, ["a", "next"]),
    ],
)
def test_branches_and_conditions_are_merged(schema: Mapping[str, Any], fields: str) -> None:
    assert list(compiled(schema).fields) == list(fields)


def test_one_field_in_several_branches_is_one_field() -> None:
    deep = [{"properties": {"o": part}} for part in (A, B)]
    shape = compiled({"type": "object", "allOf": deep})
    assert list(shape.fields["o"].fields) == ["a", "b"]
    lists = [{"type": "array", "items": part} for part in (A, B)]
    merged = compiled({"allOf": lists})
    assert merged.item is not None
    assert list(merged.item.fields) == ["a", "b"]


def test_the_nearest_annotation_wins() -> None:
    assert compiled({"$ref": "name"}).immutable
    assert not compiled({"$ref": "renamed"}).immutable
    assert compiled({"type": ["string"], "$ref": "name"}).type == "string"


@pytest.mark.parametrize("name", ["loop", "loops"])
def test_a_schema_in_itself_becomes_free_form_at_last(name: str) -> None:
    shape: Shape | None = compiled({"$ref": name})
    depth = 0
    while shape is not None and shape != FREE:
        shape = shape.fields.get("next", shape.item)
        depth += 1
    assert (shape, depth) == (FREE, MAX_DEPTH + 1)


def test_zadigs_schema_becomes_the_shape_that_the_codec_relies_on() -> None:
    shape = shape_of("ZadigReleasePlan")
    jobs = shape.fields["jobs"]
    assert (jobs.kind, jobs.key) == (Kind.KEYED, ("type", "name"))
    assert jobs.item is not None
    spec = jobs.item.fields["spec"]
    assert set(spec.fields) == {
        "content", "remark", "workflow_key", "project_key", "parameters", "inputs",
    }  # fmt: skip
    assert spec.fields["inputs"].item is not None
    parameters = spec.fields["inputs"].item.fields["parameters"]
    assert parameters.kind is Kind.OBJECT
    assert parameters.fields["service_list"].key == ("service_name", "service_module")
    users = shape.fields["approval"].fields["native_approval"].fields["approve_users"]
    assert (users.kind, users.key) == (Kind.SET, ("type", "user_id", "group_id"))
    assert shape.fields["start_time"].format == "epoch"
    assert shape.fields["manager_identity_type"].server == "write-only"


# ------------------------------------------------------------------------------------ item names

PAIR = keyed(an_object(type=TEXT, name=TEXT), "type", "name")


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ({"type": "text", "name": "Announce"}, "text:Announce"),
        ({"name": "Announce"}, "Announce"),
        ({"type": None, "name": "Announce"}, "Announce"),
        ({"type": "", "name": "Announce"}, "Announce"),
        ({"type": "text", "name": "a:b"}, "text:a:b"),
        ({"type": 0, "name": False}, "0:False"),
        ({}, ""),
        ("odd", "odd"),
        (7, "7"),
        (None, "None"),
    ],
)
def test_items_are_named_by_their_key(item: JSON, name: str) -> None:
    assert item_key(PAIR, item) == name


def test_equal_names_are_numbered_and_none_is_lost() -> None:
    items: list[JSON] = [{"name": name} for name in "abaab"]
    assert item_keys(PAIR, items) == ["a", "b", "a#2", "a#3", "b#2"]
    assert item_keys(PAIR, []) == []


@given(st.lists(st.sampled_from(["", "a", "b", "a:b"]), max_size=8))
def test_no_two_items_have_one_name(names: list[str]) -> None:
    found = item_keys(PAIR, [{"name": name} for name in names])
    assert len(set(found)) == len(found) == len(names)
    assert [name.partition("#")[0] for name in found] == names


# ----------------------------------------------------------------------------- zero and its kin


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        (TEXT, ""),
        (NUMBER, 0),
        (Shape(kind=Kind.SCALAR, type="number"), 0),
        (FLAG, False),
        (TIME, 0),
        (Shape(kind=Kind.SCALAR, type="scalar"), ""),
        (FREE, {}),
        (a_list(TEXT), []),
        (a_set(TEXT), []),
        (PAIR, []),
        (an_object(a=TEXT, b=an_object(c=NUMBER)), {"a": "", "b": {"c": 0}}),
        (an_object(a=Shape(kind=Kind.SCALAR, type="string", server="runtime"), b=TEXT), {"b": ""}),
    ],
)
def test_zero_is_what_a_server_holds_where_nothing_was_set(shape: Shape, value: JSON) -> None:
    assert zero(shape) == value
    assert filled(shape, None) == cleared(shape, None) == value
    assert type(zero(shape)) is type(value)


HOSTED = an_object(
    text=TEXT,
    job=an_object(status=Shape(kind=Kind.SCALAR, type="string", server="runtime"), text=TEXT),
    rows=keyed(an_object(id=TEXT, free=FREE), "id"),
)


def test_filled_makes_absent_null_and_empty_one_thing_and_drops_what_no_shape_names() -> None:
    full: JSON = {"text": "", "job": {"text": ""}, "rows": []}
    assert filled(HOSTED, {}) == filled(HOSTED, {"text": None, "job": {}, "x": 1}) == full
    assert filled(HOSTED, {"job": {"status": "done"}, "rows": [{}, {"id": "a", "free": None}]}) == {
        "text": "",
        "job": {"status": "done", "text": ""},
        "rows": [{"id": "", "free": {}}, {"id": "a", "free": {}}],
    }


def test_cleared_touches_nulls_and_nothing_else() -> None:
    assert cleared(HOSTED, {"job": {"text": None}, "rows": [{"id": "a"}], "odd": None}) == {
        "job": {"text": ""},
        "rows": [{"id": "a"}],
        "odd": {},
    }
    assert cleared(HOSTED, {"rows": [{"free": {"deep": None}}]}) == {
        "rows": [{"free": {"deep": None}}]
    }
    assert cleared(HOSTED, "odd") == filled(HOSTED, "odd") == "odd"


ATOMS = st.sampled_from([None, True, 0, 1, "", "a"])
VALUES: st.SearchStrategy[JSON] = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*EVERYTHING.fields, "on", "note", "type", "name", "spec", "data", "odd"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(deadline=None)
@given(value=VALUES, shape=st.sampled_from([EVERYTHING, HOSTED, PAIR, TEXT, FREE]))
def test_filling_and_clearing_settle_at_once(value: JSON, shape: Shape) -> None:
    full, clear = filled(shape, value), cleared(shape, value)
    assert filled(shape, full) == full
    assert cleared(shape, clear) == clear
    assert cleared(shape, full) == full
    assert filled(shape, clear) == full


@given(value=VALUES)
def test_clearing_neither_adds_nor_takes_fields(value: JSON) -> None:
    if isinstance(value, dict):
        clear = cleared(EVERYTHING, value)
        assert isinstance(clear, dict)
        assert clear.keys() == value.keys()
        assert None not in clear.values()
        full = filled(EVERYTHING, value)
        assert isinstance(full, dict)
        assert full.keys() == EVERYTHING.fields.keys()
