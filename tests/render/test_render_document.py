"""The JSON contract: its values, and that its schema is strict and complete."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from planops.core.model import ABSENT
from planops.core.report import SUMMARY
from planops.render.document import document, portable
from render import cases

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "schemas" / "report.schema.json").read_text(encoding="utf-8")
)


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for sub in schema.values():
            yield from nodes(sub)
    elif isinstance(schema, list):
        for sub in schema:
            yield from nodes(sub)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_property_is_described_and_no_other_is_allowed() -> None:
    for node in nodes(SCHEMA):
        for name, sub in node.get("properties", {}).items():
            assert sub.get("description"), name
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert set(node["required"]) <= set(node["properties"])


def test_the_summary_counts_what_core_counts() -> None:
    assert set(SCHEMA["properties"]["summary"]["required"]) == set(SUMMARY)


@pytest.mark.parametrize("where", ["", "changes", "targets", "problems"])
def test_an_unknown_key_is_refused(where: str) -> None:
    found: Any = document(replace(cases.mixed(), problems=cases.problems().problems), version="1")
    (found[where][0] if where else found)["more"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(found)


def test_an_absent_value_is_left_out_and_a_null_is_not() -> None:
    delta = cases.delta("/spec/x", ABSENT, None, line=4, note="n")
    change = replace(cases.drifted(), deltas=(delta,))
    found: Any = document(cases.report(cases.item(change)), version="1")
    assert found["changes"][0]["deltas"] == [
        {"path": "/spec/x", "cause": "edit", "desired": None, "line": 4, "note": "n"}
    ]


def test_a_route_says_where_a_write_lands() -> None:
    found: Any = document(cases.mixed(), version="1")
    routes = {change["key"]: change["route"] for change in found["changes"]}
    moves = {
        key: [(m["from"], m["to"], m["event"]) for m in route] for key, route in routes.items()
    }
    assert moves["checkout-2026-12"][0] == (None, "planning", "write")
    assert moves["search-7-1"] == [
        ("finish_planning", "planning", "write"),
        ("planning", "finish_planning", "finish_planning"),
    ]


def test_a_plan_just_created_has_its_new_id() -> None:
    item = replace(cases.item(cases.created()), id="42")
    found: Any = document(cases.report(item, cases.item(cases.created())), version="1")
    assert [change["id"] for change in found["changes"]] == ["42", None]


def test_every_reader_can_read_it() -> None:
    whole = portable({"\ud800": ["a\udfffb", float("nan"), float("-inf"), 1.5, None, True]})
    assert whole == {"\ufffd": ["a\ufffdb", "nan", "-inf", 1.5, None, True]}
