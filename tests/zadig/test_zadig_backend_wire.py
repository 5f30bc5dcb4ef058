"""What is read and what is written: nothing that the server owns ever gets into a body."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from planops.backends.zadig.approval import RUNTIME, strangers, writable
from planops.backends.zadig.backend import caller
from planops.backends.zadig.inputs import project
from planops.backends.zadig.people import Person, resolved
from planops.backends.zadig.references import Reading
from planops.backends.zadig.wire import ZadigRules
from planops.core.changes import Change
from planops.core.decide import Circumstances, decide
from planops.core.model import JSON, Plan, PlanKey, Source, is_unset
from planops.errors import Garbled
from planops.manifests.schemas import schema, shape

RULES = ZadigRules(shape=shape("ZadigReleasePlan"))
POISON = "POISON"
ID = "64f1a0000000000000000001"
NOW = 1_790_000_000

USER = {"type": "user", "user_id": "u1", "user_name": "U"}
NODE = {"type": "AND", "approve_node_type": "user", "approve_users": [{"id": "l1", "name": "L"}]}
HELD: dict[str, Any] = {
    "id": ID,
    "name": "train",
    "manager": "patrick",
    "manager_id": "u9",
    "status": "planning",
    "description": "theirs",
    "approval": {
        "enabled": True,
        "type": "native",
        "native_approval": {"timeout": 5, "needed_approvers": 1, "approve_users": [USER]},
        "lark_approval": {"approval_id": "x", "timeout": 5, "approval_nodes": [NODE]},
        "dingtalk_approval": {"approval_id": "x", "approval_nodes": [{"type": "AND"}]},
        "workwx_approval": {"approval_id": "x", "creator_user": {"id": "w1"}},
    },
    "jobs": [
        {"id": "j1", "name": "Announce", "type": "text", "spec": {"content": "c", "remark": "r"}},
        {
            "id": "j2",
            "name": "Deploy",
            "type": "workflow",
            "spec": {
                "workflow": {
                    "name": "deploy",
                    "project": "shop",
                    "params": [{"name": "v", "type": "string", "value": "1", "default": ""}],
                    "stages": [{"jobs": [{"name": "deploy", "type": "zadig-deploy", "spec": {}}]}],
                }
            },
        },
    ],
}
DECLARED: list[JSON] = [
    {"name": "Announce", "type": "text", "spec": {"content": "new"}},
    {"name": "Deploy", "type": "workflow", "spec": {"workflow_key": "deploy"}},
]
ALLOWED = {
    "name", "manager", "manager_identity_type", "start_time", "end_time", "schedule_execute_time",
    "description", "approval", "jobs",
    "enabled", "type", "native_approval", "lark_approval", "dingtalk_approval", "workwx_approval",
    "timeout", "needed_approvers", "approve_users", "user_id", "user_name", "group_id",
    "group_name", "approval_id", "approval_nodes", "approve_node_type", "id", "creator_user",
    "spec", "content", "remark", "workflow_key", "project_key", "parameters", "inputs", "value",
}  # fmt: skip
OWNED = sorted(
    (
        RUNTIME
        | set(schema("zadig-release-plan")["x-planops-runtime"])
        | {"last_status", "updated", "executed_by", "executed_time", "task_id", "workflow"}
    )
    - {"id", "workflow", "jobs"}
)
UNKNOWN = ("custom_fields", "APPROVED", "nothing_known", "x")
OURS = {"id", "status", "manager_id", "manager", "start_time", "end_time"}  # set on purpose
JOB_OWNED = {"manager", "manager_id", "status", "last_status"}  # these have tests of their own


def plan(**spec: JSON) -> Plan:
    return Plan(
        key=PlanKey(target="prod", name="train"),
        kind="ZadigReleasePlan",
        spec={"name": "train", "manager": "patrick", **spec},
        source=Source(file="plans/train.yaml"),
    )


def decided(raw: dict[str, Any], **spec: JSON) -> Change:
    desired = resolved(plan(**spec), {}, RULES.shape)
    live = RULES.view(raw, desired)
    return decide(RULES, desired, live, Circumstances(now=NOW))


def bodies(change: Change) -> list[Any]:
    return [step.request.body for step in change.steps]


def refused(change: Change, guard: str = "frame") -> list[str]:
    return [one.message for one in change.refusals if one.guard == guard]


def objects(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every object inside a value, with the names on the way to it."""
    if isinstance(value, dict):
        yield path, value
        for name, sub in value.items():
            yield from objects(sub, (*path, name))
    if isinstance(value, list):
        for sub in value:
            yield from objects(sub, path)


def keys(value: Any) -> set[str]:
    return {name for _, inner in objects(value) for name in inner}


POISONED: st.SearchStrategy[Any] = st.sampled_from(
    [POISON, [POISON], {"status": POISON}, [{"reject_or_approve": POISON, "x": [POISON]}]]
)


@st.composite
def poisoned(draw: st.DrawFn) -> tuple[dict[str, Any], set[str]]:
    """A document with what the server owns, and what nobody knows, anywhere; the strangers."""
    raw = copy.deepcopy(HELD)
    strange: set[str] = set()
    for path, inner in list(objects(raw)):
        for name in draw(st.lists(st.sampled_from([*OWNED, *UNKNOWN]), max_size=3, unique=True)):
            if name in inner or (not path and name in OURS):
                continue
            if path == ("jobs",) and name in JOB_OWNED:
                continue
            value: Any = draw(st.sampled_from([None, "", 0, [], {}]) | POISONED)
            inner[name] = value
            if path[:1] == ("approval",) and name not in RUNTIME and not is_unset(value):
                strange.add(".".join((*path, name)))
    return raw, strange


@settings(max_examples=150, deadline=None, derandomize=True)
@given(poisoned=poisoned(), done=st.sampled_from(["", "todo", "done"]))
def test_nothing_that_the_server_owns_is_sent(
    poisoned: tuple[dict[str, Any], set[str]], done: str
) -> None:
    raw, strange = poisoned
    raw["approval"]["status"] = "passed"
    raw["jobs"][0] |= {"status": done, "last_status": done, "executed_by": POISON}
    before = json.dumps(raw)
    for spec in ({"description": "new"}, {"approval": {"enabled": True, "description": "new"}}, {}):
        change = decided(raw, jobs=DECLARED, **spec)
        (body,) = bodies(change)
        assert POISON not in json.dumps(body)
        assert keys(body) <= ALLOWED
        assert "passed" not in json.dumps(body)
        assert {one.split(" ")[0] for one in refused(change)} == strange
    assert json.dumps(raw) == before


def test_all_that_is_writable_of_every_approval_is_sent_back() -> None:
    (body,) = bodies(decided(HELD, description="new", jobs=DECLARED))
    assert body["approval"] == HELD["approval"]
    assert refused(decided(HELD, description="new", jobs=DECLARED)) == []


@pytest.mark.parametrize("path", [path for path, _ in objects(HELD["approval"])])
@pytest.mark.parametrize("value", ["x", 1, True, [1], {"a": {"b": "c"}}])
def test_a_stranger_in_an_approval_refuses_the_update(path: tuple[str, ...], value: Any) -> None:
    raw = copy.deepcopy(HELD)
    next(inner for at, inner in objects(raw["approval"]) if at == path)["new_in_v6"] = value
    where = ".".join(("approval", *path, "new_in_v6"))
    (message,) = refused(decided(raw, description="new", jobs=DECLARED))
    assert message == f"{where} is unknown to planops, and an update would lose it"
    unchanged = decided(raw, description="theirs")
    assert (unchanged.steps, unchanged.refusals) == ((), ())


@pytest.mark.parametrize("value", [None, "", 0, False, [], {}, {"a": [None, {"b": 0}]}])
def test_an_empty_stranger_is_none(value: Any) -> None:
    raw = copy.deepcopy(HELD)
    raw["approval"]["new_in_v6"] = value
    assert list(strangers(raw["approval"])) == []
    assert refused(decided(raw, description="new", jobs=DECLARED)) == []
    assert "new_in_v6" not in keys(writable(raw["approval"]))


JOBS: list[tuple[list[Any], str]] = [
    (HELD["jobs"], "job workflow:Deploy runs a workflow whose inputs cannot be read back whole"),
    ([HELD["jobs"][0]] * 2, "job text:Announce is there twice"),
    (
        [HELD["jobs"][0] | {"manager": "Alice"}],
        "job text:Announce has a manager of its own (Alice)",
    ),
    ([HELD["jobs"][0] | {"manager_id": "u3"}], "has a manager of its own (u3)"),
    ([HELD["jobs"][0] | {"type": "sql"}], "job sql:Announce is of a type that updates drop"),
    ([{"name": "", "type": "", "spec": None}], "is of a type that updates drop in silence"),
]


@pytest.mark.parametrize(("jobs", "says"), JOBS)
def test_jobs_that_an_update_would_lose_refuse_it(jobs: list[Any], says: str) -> None:
    change = decided(HELD | {"jobs": jobs}, description="new")
    assert [says in message for message in refused(change)] == [True]
    assert decided(HELD | {"jobs": jobs}, description="theirs").refusals == ()


def test_declared_jobs_take_the_place_of_what_is_there_twice() -> None:
    """Two of one name cannot be told apart even where the file declares one."""
    change = decided(HELD | {"jobs": [HELD["jobs"][0]] * 2}, jobs=DECLARED[:1])
    assert len(refused(change)) == 1


@pytest.mark.parametrize("raw", [{}, {"approval": [], "jobs": {}}, {"jobs": [None, 1, {}]}])
def test_documents_of_any_form_can_be_viewed(raw: dict[str, Any]) -> None:
    live = RULES.view(raw, None)
    assert (live.id, live.state, live.version) == ("", "", None)
    assert live.spec.keys() >= {"name", "manager", "approval", "jobs"}


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data(), junk=ANY)
def test_any_json_in_any_place_is_no_crash(data: st.DataObject, junk: Any) -> None:
    """A server of another version is shown or refused, never a bug of ours."""
    raw = copy.deepcopy(HELD)
    path, inner = data.draw(st.sampled_from([one for one in objects(raw) if one[1]]))
    name = data.draw(st.sampled_from(sorted(inner)))
    inner[name] = junk
    raw["id"], raw["status"] = ID, "planning"
    try:
        change = decided(raw, description="new", jobs=DECLARED)
    except Garbled:
        return
    assert all(keys(body) <= ALLOWED | keys(junk) for body in bodies(change)), path


# ---------------------------------------------------------------------------------- small things


@pytest.mark.parametrize(
    ("job_type", "stored"),
    [("zadig-build", {}), ("zadig-deploy", {}), ("zadig-test", {}), ("zadig-build", {"x": None})],
)
def test_projections_of_nothing(job_type: str, stored: dict[str, Any]) -> None:
    declared: dict[str, Any] = {
        "registry": "r",
        "env_name": "e",
        "service_list": [{"service_name": "s", "service_module": "m", "repo_info": [{}]}],
        "testing_list": [{"testing_name": "t"}],
    }
    found = project(job_type, declared, stored, Reading())
    assert found is not None
    assert found.get("service_list", []) == []
    assert all(is_unset(value) for value in found.values())


def test_a_type_without_a_projection_is_unseen() -> None:
    assert project("k8s-canary-deploy", {"x": 1}, {}, Reading()) is None


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize(
    ("token", "uid"),
    [
        (f"h.{encoded({'uid': 'u1'})}.s", "u1"),
        (f"h.{encoded({'uid': 7})}.s", ""),
        (f"h.{encoded({})}.s", ""),
        (f"h.{encoded([1])}.s", ""),
        (f"h.{encoded(b'{')}.s", ""),
        (f"h.{encoded(bytes([255, 254]))}.s", ""),
        ("h.A.s", ""),
        ("h.é.s", ""),
        ("opaque", ""),
        ("a.b", ""),
        ("", ""),
    ],
)
def test_whose_token_it_is(token: str, uid: str) -> None:
    assert caller(token) == uid


def test_a_token_nested_too_deep_says_nothing() -> None:
    assert caller(f"h.{encoded(b'[' * 100_000)}.s") == ""


EMPTIES: list[JSON] = [0, 0.0, "", [], {}, False]


def held_input(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    raw = copy.deepcopy(HELD)
    job = raw["jobs"][1]["spec"]["workflow"]["stages"][0]["jobs"][0]
    job |= {"name": "check", "type": kind, "spec": spec}
    return raw


def declared_input(parameters: JSON) -> list[JSON]:
    inputs: list[JSON] = [{"job_name": "check", "job_type": "x", "parameters": parameters}]
    spec: JSON = {"workflow_key": "deploy", "inputs": inputs}
    return [
        {"name": "Announce", "type": "text"},
        {"name": "Deploy", "type": "workflow", "spec": spec},
    ]


def test_what_cannot_be_read_back_is_shown_and_never_alone_a_reason_to_write() -> None:
    change = decided(held_input("k8s-canary-deploy", {}), jobs=declared_input({"kv": [1]}))
    (delta,) = change.deltas
    assert delta.path == "/spec/jobs/workflow:Deploy/spec/inputs/check/parameters"
    assert (delta.cause.value, change.steps) == ("unknown", ())
    assert "cannot read the parameters of a k8s-canary-deploy job back" in delta.note


@pytest.mark.parametrize(
    ("kind", "parameters", "spec", "paths"),
    [
        (
            "zadig-test",
            {"service_list": [{"service_name": "s", "service_module": "m"}]},
            {"service_and_tests": [{"service_name": "s", "service_module": "m"}]},
            [],
        ),
        (
            "zadig-test",
            {"service_list": [{"service_name": "s", "service_module": "m"}]},
            {"service_and_tests": []},
            ["service_list/s:m"],
        ),
        (
            "zadig-build",
            {"service_list": []},
            {"service_and_builds": [{"service_name": "s", "service_module": "m"}]},
            ["service_list/s:m"],
        ),
        *(
            (
                "zadig-build",
                {"service_list": [{"service_name": "s", "service_module": "m", "later": empty}]},
                {"service_and_builds": [{"service_name": "s", "service_module": "m"}]},
                [],
            )
            for empty in EMPTIES
        ),
        ("zadig-deploy", {"env_name": "dev"}, {"env": "dev", "services": [{"modules": [{}]}]}, []),
        ("zadig-deploy", {"env_name": "dev"}, {}, ["env_name"]),
        ("zadig-build", {"registry": "r"}, {"docker_registry_id": "x"}, []),
        ("zadig-test", {"testing_list": []}, {"test_modules": [{"name": "t"}]}, []),
    ],
)
def test_projections_row_by_row(
    kind: str, parameters: JSON, spec: dict[str, Any], paths: list[str]
) -> None:
    change = decided(held_input(kind, spec), jobs=declared_input(parameters))
    below = "/spec/jobs/workflow:Deploy/spec/inputs/check/parameters/"
    assert [delta.path for delta in change.deltas] == [f"{below}{path}" for path in paths]


def test_an_account_beside_a_name_of_somebody_else() -> None:
    users: list[JSON] = [{"account": "alice", "user_name": "Bob"}]
    approval: JSON = {"enabled": True, "native_approval": {"approve_users": users}}
    found = {("alice", ""): (Person(uid="u1", name="Alice"),), ("patrick", ""): None}
    desired = resolved(plan(approval=approval), found, RULES.shape)
    assert [one.message for one in desired.refusals] == [
        "the account alice belongs to Alice, not to Bob"
    ]


@pytest.mark.parametrize("name", ["Alice", "alice", ""])
def test_an_account_beside_its_own_name(name: str) -> None:
    users: list[JSON] = [{"account": "alice", "user_name": name}]
    approval: JSON = {"enabled": True, "native_approval": {"approve_users": users}}
    found = {("alice", ""): (Person(uid="u1", name="Alice"),)}
    assert resolved(plan(approval=approval), found, RULES.shape).refusals == ()


def test_an_approval_of_another_kind_is_weaker() -> None:
    approval: JSON = {"enabled": True, "type": "native"}
    raw = copy.deepcopy(HELD)
    raw["approval"]["type"] = "lark"
    change = decided(raw, approval=approval, jobs=DECLARED)
    assert refused(change, "weaken") == ["the approval would go from lark to native"]
