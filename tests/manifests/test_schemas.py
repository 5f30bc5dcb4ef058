"""The schemas themselves, the two validators against each other, and doing without the fast one."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planops.core.shape import Kind, Shape
from planops.errors import PlanopsError
from planops.manifests import fields, schemas
from planops.manifests.explain import explain, rest
from planops.manifests.validate import check
from planops.manifests.yaml import parse

ROOT = Path(__file__).parents[2]
OURS = ("plan", "config", "zadig-release-plan")
EXAMPLES = sorted((ROOT / "examples").glob("plans*/**/*.yaml"))


def nodes(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        yield path, schema
        for key, value in schema.items():
            yield from nodes(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from nodes(value, f"{path}/{index}")


@cache
def documents() -> tuple[Any, ...]:
    return tuple(parse(path.read_bytes(), path.name).documents[0].value for path in EXAMPLES)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    for cached in (schemas._fast, schemas._decider):
        cached.cache_clear()
    yield
    for cached in (schemas._fast, schemas._decider):
        cached.cache_clear()


@pytest.mark.parametrize("name", OURS)
def test_a_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas.schema(name))
    assert name in schemas.names()


@pytest.mark.parametrize("name", OURS)
def test_every_property_is_described_and_every_mapping_closed(name: str) -> None:
    for path, node in nodes(schemas.schema(name)):
        if "/then" in path or "/if" in path:
            continue
        for key, value in node.get("properties", {}).items() if "type" in node else ():
            assert value.get("description"), f"{path}/{key}"
        if "properties" in node:
            assert node.get("additionalProperties") is False, path


@pytest.mark.parametrize("name", OURS)
def test_patterns_mean_the_same_to_both_engines(name: str) -> None:
    for path, node in nodes(schemas.schema(name)):
        pattern = node.get("pattern")
        if isinstance(pattern, str):
            assert not {"\\d", "\\w", "\\s", "\\b"} & {pattern[i : i + 2] for i in range(99)}, path
        assert "oneOf" not in node, path


def test_references_name_what_is_there() -> None:
    assert schemas.resolve("zadig-release-plan.schema.json")["title"].startswith("The spec")
    assert schemas.resolve("#/properties/spec", "plan")["type"] == "object"
    assert "enum" in schemas.resolve("zadig-release-plan.schema.json#/$defs/state")
    with pytest.raises(PlanopsError, match="no such schema; there are brpm-plan, config"):
        schemas.schema("../../etc/passwd")


def test_the_shape_of_a_zadig_plan() -> None:
    shape = schemas.shape("ZadigReleasePlan")
    assert shape is schemas.shape("ZadigReleasePlan")
    jobs = shape.fields["jobs"]
    assert (jobs.kind, jobs.key) == (Kind.KEYED, ("type", "name"))
    assert jobs.item is not None
    assert set(jobs.item.fields["spec"].fields) >= {"content", "remark", "workflow_key", "inputs"}
    inputs = jobs.item.fields["spec"].fields["inputs"]
    assert (inputs.kind, inputs.key) == (Kind.KEYED, ("job_name",))
    assert inputs.item is not None
    assert inputs.item.fields["parameters"].kind is Kind.OBJECT
    users = shape.fields["approval"].fields["native_approval"].fields["approve_users"]
    assert (users.kind, users.key) == (Kind.SET, ("type", "user_id", "group_id"))
    assert shape.fields["start_time"].format == "epoch"
    assert shape.fields["manager_identity_type"].server == "write-only"
    assert schemas.states("ZadigReleasePlan")[0] == "planning"


def test_the_final_line_break_that_a_dollar_overlooks() -> None:
    document = copy.deepcopy(documents()[0])
    document["metadata"]["name"] = "abc\n"
    assert not schemas.accepts(schemas.PLAN, document)
    [finding] = check(document, dict)
    assert finding.message.startswith("`name` is `abc\\n`, which must be 1 to 100 lower-case")


@pytest.mark.usefixtures("slow")
def test_without_the_fast_validator() -> None:
    assert all(schemas.accepts(schemas.PLAN, document) for document in documents())
    document = copy.deepcopy(documents()[0])
    document["metadata"]["name"] = "abc\n"
    assert not schemas.accepts(schemas.PLAN, document)
    document["metadata"]["name"] = "abc"
    document["spec"]["mangaer"] = "x"
    assert [finding.code for finding in check(document, dict)] == ["unknown-key"]
    assert list(schemas.unexplained(schemas.PLAN, {})) == []


def test_a_refusal_that_only_the_fast_validator_makes_is_not_silent() -> None:
    found = list(schemas.unexplained(schemas.PLAN, {"apiVersion": "planops/v1"}))
    assert found
    assert {keyword for _, keyword in found} == {"required"}
    said = {finding.message for finding in rest(schemas.PLAN, {"apiVersion": "planops/v1"})}
    assert said == {"the document does not fit the schema's `required`"}


def test_numbers_inside_lists_are_looked_at_too() -> None:
    value = {"a": [{"n": 1.0}, {"n": 2}, {}], "b": [3.0]}
    assert [path for path, _ in fields._each(value, ("a", -1, "n"))] == [
        ("a", 0, "n"),
        ("a", 1, "n"),
    ]
    assert [path for path, _ in fields._each(value, ("b", -1))] == [("b", 0)]
    shape = Shape(kind=Kind.LIST, item=Shape(kind=Kind.SCALAR, type="integer"))
    assert list(fields._patterns(shape, "integer")) == [(-1,)]


VALUES = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1.0,
        1.5,
        2**40,
        "",
        "x",
        "A b",
        "a\n",
        [],
        {},
        ["a", "a"],
        {"x": 1},
        "text",
    ]
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key in value if isinstance(value, dict) else range(len(value)):
        yield (*path, key)
        if isinstance(value[key], dict | list):
            yield from paths(value[key], (*path, key))


@given(st.data())
@settings(max_examples=300)
def test_both_validators_agree_on_mutated_plans(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(documents())))
    *above, last = data.draw(st.sampled_from(list(paths(document))))
    container = document
    for key in above:
        container = container[key]
    match data.draw(st.integers(0, 2)):
        case 0:
            container[last] = data.draw(VALUES)
        case 1:
            del container[last]
        case _ if isinstance(container, dict):
            container[data.draw(st.sampled_from(["zz", "status", "type"]))] = data.draw(VALUES)
        case _:
            container.append(data.draw(VALUES))
    fast = schemas.accepts(schemas.PLAN, document)
    assert fast == schemas.explainer(schemas.PLAN).is_valid(document) or not fast
    findings = check(document, dict)
    assert fast or findings, "a refusal is never silent"
    for finding in findings:
        assert len(finding.message) < 300
        assert json.dumps(document) not in finding.message
        assert finding.message.isprintable()
        assert finding.hint.isprintable()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda tree: (
            st.lists(tree, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["kind", "spec", "jobs", "approval", "native_approval", "approve_users", "type"]
                )
                | st.text(),
                tree,
                max_size=4,
            )
        ),
        max_leaves=15,
    ),
    st.booleans(),
)
def test_any_tree_is_checked_without_a_traceback(tree: Any, envelope: bool) -> None:  # noqa: FBT001 -- Hypothesis gives it
    document = {"kind": "ZadigReleasePlan", "spec": tree, "state": tree} if envelope else tree
    for finding in check(document, dict):
        assert len(finding.message) < 300
        assert finding.message.isprintable()
    explain(schemas.CONFIG, document, {})
