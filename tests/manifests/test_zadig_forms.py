"""What a Zadig plan may declare: every form has an example, every list with identity its key."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planops.core.model import Severity
from planops.core.shape import Kind, Shape, item_key
from planops.manifests import rules_approval, rules_inputs, schemas
from planops.manifests.validate import check
from planops.manifests.yaml import parse

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("plans*/zadig/*/*.yaml"))
NAME = "zadig-release-plan"
DEFS: Mapping[str, Any] = schemas.schema(NAME)["$defs"]
APPROVAL = ("approval",)
INPUT = ("jobs", "", "spec", "inputs", "", "parameters")
LARK = (*APPROVAL, "lark_approval")
NODE = (*LARK, "approval_nodes", "")
REPO = ("codehost_name", "repo_namespace", "repo_name")
SERVICE = ("service_name", "service_module")
TARGET = (
    "workload_type", "workload_name", "container_name",
    "resource_kind", "resource_group", "resource_version", "resource_name",
)  # fmt: skip


def at(*path: str) -> Shape:
    shape = schemas.shape("ZadigReleasePlan")
    for step in path:
        below = shape.fields[step] if step else shape.item
        assert below is not None
        shape = below
    return shape


def document(path: Path) -> Any:
    return parse(path.read_bytes(), path.name).documents[0].value


def inputs_of(value: Any) -> Iterator[Mapping[str, Any]]:
    for job in value["spec"].get("jobs", ()):
        yield from job["spec"].get("inputs", ())


# --------------------------------------------------------------------------------------- examples


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_good(path: Path) -> None:
    value = document(path)
    assert schemas.accepts(schemas.PLAN, value)
    assert schemas.explainer(schemas.PLAN).is_valid(value)
    assert check(value, dict) == []


def test_examples_do_not_get_into_each_others_way() -> None:
    values = [document(path) for path in EXAMPLES]
    for of, field in (("metadata", "name"), ("spec", "name")):
        names = [value[of][field] for value in values]
        assert len(names) == len(set(names))


def test_every_type_of_approval_has_an_example() -> None:
    shown = {document(path)["spec"].get("approval", {}).get("type") for path in EXAMPLES}
    assert shown >= set(DEFS["approval"]["properties"]["type"]["enum"])


def test_every_type_of_input_has_an_example_of_its_own() -> None:
    shown = {
        path.stem
        for path in EXAMPLES
        if path.stem in {each.get("job_type") for each in inputs_of(document(path))}
    }
    assert shown == rules_inputs.JOB_TYPES


# ------------------------------------------------------------------------- tables that must agree


def chosen_by(schema: Mapping[str, Any], field: str) -> Iterator[str]:
    for branch in schema["allOf"]:
        condition = branch["if"].get("properties", {}).get(field, {})
        yield from condition.get("enum", ())
        yield from [condition["const"]] if "const" in condition else ()


def test_schema_and_rules_know_the_same_types() -> None:
    field = DEFS["input"]["properties"]["job_type"]
    assert set(chosen_by(DEFS["input"], "job_type")) == rules_inputs.JOB_TYPES
    assert set(field["examples"]) == rules_inputs.JOB_TYPES
    assert not rules_inputs.JOB_TYPES & rules_inputs.REFUSED_JOB_TYPES
    assert set(DEFS["approval"]["properties"]["type"]["enum"]) == set(rules_approval.BLOCKS)
    assert set(chosen_by(DEFS["approval"], "type")) == set(rules_approval.BLOCKS)
    variable = DEFS["parameter"]["properties"]["type"]
    assert tuple(variable["examples"]) == rules_inputs.SET_VARIABLES


def parts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield schema
    if "$ref" in schema:
        yield from parts(schemas.resolve(schema["$ref"], NAME))
    for branch in schema.get("allOf", ()):
        yield from parts(branch)
    for name in ("then", "else"):
        if name in schema:
            yield from parts(schema[name])


def agree(found: list[Mapping[str, Any]], path: str = "") -> Iterator[str]:
    """Name the fields to which two branches give different kinds of value."""
    merged = [part for each in found for part in parts(each)]
    for note in ("x-planops-key", "x-planops-set", "x-planops-server", "x-planops-format"):
        said = [part.get(note) for part in merged if "description" in part and "type" in part]
        if any(value != said[0] for value in said):
            yield f"{path}: {note}"
    kinds = [part["type"] for part in merged if "type" in part]
    named = [{kind} if isinstance(kind, str) else set(kind) - {"null"} for kind in kinds]
    if any(kind != named[0] for kind in named):
        yield f"{path}: {named}"
    below: dict[str, list[Mapping[str, Any]]] = {}
    for part in merged:
        for name, sub in part.get("properties", {}).items():
            below.setdefault(name, []).append(sub)
        if "items" in part:
            below.setdefault("items", []).append(part["items"])
    for name, subs in below.items():
        yield from agree(subs, f"{path}/{name}")


def test_a_field_is_of_one_kind_in_whatever_type_it_occurs() -> None:
    assert list(agree([schemas.schema(NAME)])) == []


def test_two_kinds_for_one_field_would_be_found() -> None:
    one = {"properties": {"a": {"description": "x", "type": "string"}}}
    other = {"properties": {"a": {"description": "x", "type": "array", "x-planops-key": ["k"]}}}
    assert list(agree([{"allOf": [one, other]}])) == [
        "/a: x-planops-key",
        "/a: [{'string'}, {'array'}]",
    ]


# ------------------------------------------------------------------------------------------ shape

KEYED = [
    (("jobs", "", "spec", "parameters"), ("name",)),
    (INPUT[:4], ("job_name",)),
    ((*INPUT, "service_list"), SERVICE),
    ((*INPUT, "service_list", "", "repo_info"), REPO),
    ((*INPUT, "service_list", "", "inputs"), ("key",)),
    ((*INPUT, "services"), SERVICE),
    ((*INPUT, "services", "", "repo_info"), REPO),
    ((*INPUT, "services", "", "inputs"), ("key",)),
    ((*INPUT, "kv"), ("key",)),
    ((*INPUT, "repo_info"), REPO),
    ((*INPUT, "testing_list"), ("testing_name",)),
    ((*INPUT, "testing_list", "", "repo_info"), REPO),
    ((*INPUT, "testing_list", "", "inputs"), ("key",)),
    ((*INPUT, "scanning_list"), ("scanning_name",)),
    ((*INPUT, "scanning_list", "", "repo_info"), REPO),
    ((*INPUT, "scanning_list", "", "inputs"), ("key",)),
    ((*INPUT, "target_list"), TARGET),
    ((*INPUT, "target_list", "", "inputs"), ("key",)),
]
SETS = [
    ((*APPROVAL, "native_approval", "approve_users"), ("type", "user_id", "group_id")),
    ((*LARK, "approve_users"), ("id",)),
    ((*NODE, "approve_users"), ("id",)),
    ((*NODE, "cc_users"), ("id",)),
    ((*NODE, "approve_groups"), ("group_id",)),
    ((*NODE, "cc_groups"), ("group_id",)),
    ((*APPROVAL, "dingtalk_approval", "approval_nodes", "", "approve_users"), ("id",)),
    ((*APPROVAL, "workwx_approval", "approval_nodes", "", "users"), ("id",)),
    ((*APPROVAL, "workwx_approval", "approval_nodes", "", "userid"), ()),
    ((*INPUT, "iteration_ids"), ()),
    ((*INPUT, "repo_info", "", "prs"), ()),
    *(
        ((*INPUT, field, "", "repo_info", "", "prs"), ())
        for field in ("service_list", "services", "testing_list", "scanning_list")
    ),
    (("jobs", "", "spec", "parameters", "", "repo", "prs"), ()),
]
LISTS = [
    (*APPROVAL, f"{name}_approval", "approval_nodes") for name in ("lark", "dingtalk", "workwx")
]


@pytest.mark.parametrize(("path", "key"), KEYED, ids=lambda value: "/".join(value) or "-")
def test_a_list_with_identity_and_order(path: tuple[str, ...], key: tuple[str, ...]) -> None:
    assert (at(*path).kind, at(*path).key) == (Kind.KEYED, key)


@pytest.mark.parametrize(("path", "key"), SETS, ids=lambda value: "/".join(value) or "-")
def test_a_list_without_order(path: tuple[str, ...], key: tuple[str, ...]) -> None:
    assert (at(*path).kind, at(*path).key) == (Kind.SET, key)


@pytest.mark.parametrize("path", LISTS, ids="/".join)
def test_steps_of_an_approval_are_compared_as_a_whole(path: tuple[str, ...]) -> None:
    assert at(*path).kind is Kind.LIST


def lists(shape: Shape, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if shape.item is not None:
        yield path
        yield from lists(shape.item, (*path, ""))
    for name, field in shape.fields.items():
        yield from lists(field, (*path, name))


def test_every_list_has_its_row_above() -> None:
    listed = {path for path, _ in (*KEYED, *SETS)} | {*LISTS, ("jobs",)}
    assert set(lists(schemas.shape("ZadigReleasePlan"))) == listed


def leaves(shape: Shape, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Shape]]:
    yield path, shape
    for name, field in shape.fields.items():
        yield from leaves(field, (*path, name))
    if shape.item is not None:
        yield from leaves(shape.item, (*path, ""))


def test_nothing_is_free_form_but_what_depends_on_nothing() -> None:
    free = [path for path, shape in leaves(at()) if shape.kind is Kind.FREE]
    assert free == []


def test_only_what_is_shown_beside_an_id_is_not_compared() -> None:
    shown = {path[-1] for path, shape in leaves(at("approval")) if shape.server}
    assert shown == {"name", "avatar", "user_name", "group_name"}
    assert {shape.server for _, shape in leaves(at())} == {"", "write-only"}


@pytest.mark.parametrize(
    ("field", "item", "name"),
    [
        ("service_list", {"service_name": "cart", "service_module": "web"}, "cart:web"),
        ("service_list", {"service_name": "cart", "image_name": "i"}, "cart"),
        (
            "target_list",
            {"workload_type": "deployment", "workload_name": "cart", "container_name": "web"},
            "deployment:cart:web",
        ),
        ("target_list", {"workload_type": "deployment", "workload_name": "a"}, "deployment:a"),
        (
            "target_list",
            {
                "resource_name": "cart",
                "resource_kind": "Deployment",
                "resource_version": "v1",
                "resource_group": "apps",
            },
            "Deployment:apps:v1:cart",
        ),
        ("repo_info", dict(zip(REPO, ("gitlab", "team", "demo"), strict=True)), "gitlab:team:demo"),
        ("kv", {"key": "LEVEL", "value": "x"}, "LEVEL"),
    ],
)
def test_how_an_item_is_called(field: str, item: Any, name: str) -> None:
    assert item_key(at(*INPUT, field), item) == name


# --------------------------------------------------------------------------------- server-owned

VOTE = {"reject_or_approve", "comment", "operation_time"}
RUNTIME = {
    "approval": {"status", "start_time", "end_time", "instance_code", "approval_instance"},
    "native": {"reject_or_approve", "instance_code", "flat_approve_users"},
    "lark": {"instance_code", "approval_instance", "approval_initiator"},
    "dingtalk": {"instance_code", "approval_initiator"},
    "workwx": {"instance_id", "approval_node_details"},
    "lark-node": {"reject_or_approve"},
    "dingtalk-node": {"reject_or_approve"},
    "workwx-node": {"status", "sub_nodes"},
    "approver": VOTE,
    "lark-user": VOTE,
    "dingtalk-user": VOTE,
    "workwx-user": VOTE,
    "group": VOTE,
}


@pytest.mark.parametrize("name", RUNTIME)
def test_what_the_server_owns_is_named_at_every_depth(name: str) -> None:
    assert set(DEFS[name]["x-planops-runtime"]) >= RUNTIME[name]
    assert not set(DEFS[name]["x-planops-runtime"]) & set(DEFS[name]["properties"])


# ------------------------------------------------------------------------------- what is no error


def plan(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "planops/v1",
        "kind": "ZadigReleasePlan",
        "metadata": {"name": "a"},
        "spec": {"name": "A", "manager": "patrick", **spec},
    }


def with_input(**given_input: Any) -> dict[str, Any]:
    spec = {"workflow_key": "everything", "inputs": [{"job_name": "j", **given_input}]}
    return plan(jobs=[{"name": "a", "type": "workflow", "spec": spec}])


SKELETON = {
    "timeout": 0,
    "approval_id": "",
    "default_approval_initiator": None,
    "approval_nodes": [{"type": "AND", "approve_users": []}],
}


@pytest.mark.parametrize(
    "approval",
    [
        None,
        {"enabled": False, "type": "native"},
        {"enabled": False, "type": "dingtalk", "dingtalk_approval": SKELETON},
        {"enabled": False, "type": "workwx", "workwx_approval": None},
        {"enabled": False, "lark_approval": SKELETON},
        {"enabled": False, "type": "native", "lark_approval": None, "dingtalk_approval": {}},
        {
            "enabled": False,
            "type": "lark",
            "lark_approval": {"approval_id": "64f1a00000000000000000b1", "approval_nodes": []},
        },
        {
            "enabled": True,
            "type": "lark",
            "lark_approval": {
                "approval_id": "64F1A00000000000000000B1",
                "approval_nodes": [
                    {"type": "START"},
                    {"type": "AND", "approve_users": [{"is_executor": True}]},
                    {"type": "OR", "approve_users": [{"id": "a"}], "cc_users": [{"id": "a"}]},
                    {
                        "type": "OR",
                        "approve_node_type": "user_dynamic_group",
                        "approve_groups": [{"group_id": "g"}],
                    },
                    {"type": "END", "approve_users": []},
                ],
            },
        },
    ],
)
def test_an_approval_that_the_server_takes(approval: Any) -> None:
    assert check(plan(approval=approval), dict) == []


@pytest.mark.parametrize(
    "given_input",
    [
        {},
        {"job_type": "plugin"},
        {"job_type": "plugin", "parameters": None},
        {"job_type": "plugin", "parameters": {"kv": None}},
        {"job_type": "k8s-blue-green-deploy", "parameters": {}},
        {"job_type": "approval", "parameters": {}},
        {"job_type": "ai-task", "parameters": None},
        {"job_type": "zadig-build", "parameters": {"registry": "r"}},
        {"job_type": "zadig-deploy", "parameters": {"env_name": "dev", "service_list": None}},
        {
            "job_type": "freestyle",
            "parameters": {"repo_info": [{"codehost_name": "p4", "stream": "//depot/main"}]},
        },
        {
            "job_type": "plugin",
            "parameters": {"kv": [{"key": "a", "value": None, "is_credential": True}]},
        },
    ],
)
def test_an_input_that_the_server_takes(given_input: Any) -> None:
    assert check(with_input(**given_input), dict) == []


def test_parameters_of_an_unknown_type_are_not_judged() -> None:
    found = check(with_input(job_type="bake", parameters={"x": 1}), dict)
    assert [finding.code for finding in found] == ["job-type"]


def test_a_block_that_is_not_used_is_not_judged() -> None:
    nobody = {"needed_approvers": 2, "approve_users": []}
    people = [{"type": 1, "apv_rel": 2, "userid": ["w1"]}]
    workwx = {"approval_id": "64f1a00000000000000000b4", "approval_nodes": people}
    approval = {"enabled": True, "type": "workwx", "workwx_approval": workwx}
    [finding] = check(plan(approval={**approval, "native_approval": nobody}), dict)
    assert (finding.code, finding.path[-1]) == ("unused", "native_approval")


def test_what_has_no_effect_is_only_warned_of() -> None:
    pairs = [{"key": "a", "value": "s3cret", "is_credential": True}]
    value = with_input(job_type="plugin", parameters={"kv": pairs})
    value["spec"]["approval"] = {
        "enabled": False,
        "type": "native",
        "lark_approval": {"timeout": 60},
    }
    value["spec"]["jobs"][0]["spec"]["parameters"] = [{"name": "a", "type": "file"}]
    found = check(value, dict)
    assert [finding.code for finding in found] == ["unused", "literal-secret", "no-effect"]
    assert {finding.severity for finding in found} == {Severity.WARNING}
    assert not any("s3cret" in finding.message + finding.hint for finding in found)


# ------------------------------------------------------------------------- both validators, mutated

ODD = st.sampled_from(
    [None, True, 0, -1, 1.0, 2, "", "x", "AND", "1\n", [], {}, ["a", "a"], [1, 1.0], {"id": "x"}]
).map(copy.deepcopy)
MORE = st.sampled_from(
    ["zz", "status", "type", "id", "kv", "service_list", "approval_nodes", "prs", "comment"]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key in value if isinstance(value, dict) else range(len(value)):
        yield (*path, key)
        if isinstance(value[key], dict | list):
            yield from places(value[key], (*path, key))


def deep(path: tuple[Any, ...]) -> bool:
    return path[:2] == ("spec", "approval") or path[:2] == ("spec", "jobs")


@given(st.data())
@settings(max_examples=300)
def test_both_validators_agree_on_mutated_forms(data: st.DataObject) -> None:
    value = copy.deepcopy(document(data.draw(st.sampled_from(EXAMPLES))))
    for _ in range(data.draw(st.integers(1, 2))):
        *above, last = data.draw(st.sampled_from([each for each in places(value) if deep(each)]))
        container = value
        for key in above:
            container = container[key]
        match data.draw(st.integers(0, 2)):
            case 0:
                container[last] = data.draw(ODD)
            case 1 if len(above) > 1:
                del container[last]
            case _ if isinstance(container, dict):
                container[data.draw(MORE)] = data.draw(ODD)
            case _:
                container.append(data.draw(ODD))
    fast = schemas.accepts(schemas.PLAN, value)
    assert fast == schemas.explainer(schemas.PLAN).is_valid(value)
    findings = check(value, dict)
    assert fast or any(finding.severity is Severity.ERROR for finding in findings)
    for finding in findings:
        assert finding.code != "schema", finding.message
        assert len(finding.message) < 300


def other_types() -> Iterator[tuple[str, str]]:
    for kind in sorted(rules_inputs.JOB_TYPES):
        for other in sorted(rules_inputs.JOB_TYPES - {kind}):
            yield kind, other


def test_an_input_under_another_types_name_never_trips_a_rule() -> None:
    by_type = {path.stem: document(path) for path in EXAMPLES}
    for kind, other in other_types():
        value = copy.deepcopy(by_type[kind])
        for each in value["spec"]["jobs"][0]["spec"]["inputs"]:
            each["job_type"] = other
        fits = schemas.accepts(schemas.PLAN, value)
        codes = {finding.code for finding in check(value, partial(dict))}
        assert fits or codes & {"unknown-key", "missing-key", "wrong-type"}, (kind, other)
        assert "schema" not in codes
