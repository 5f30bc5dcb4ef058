"""The dry run is the run: what is shown is what the server gets, and nothing else changes."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planops import reconcile
from planops.core.changes import ChangeSet
from planops.core.model import JSON, Plan
from planops.core.report import Outcome, StepResult, TargetReport
from planops.run import Target
from planops.sandbox.zadig import Generation
from run.documents import loaded
from run.world import (
    LATER,
    NOW,
    OPEN,
    SOON,
    UIDS,
    World,
    Write,
    asked,
    held_text,
    look,
    promised,
    world,
)

ENDED = {
    Outcome.APPLIED,
    Outcome.UNCHANGED,
    Outcome.PARKED,
    Outcome.REFUSED,
}
STATES = (
    "planning",
    "finish_planning",
    "wait_for_approval",
    "executing",
    "success",
    "denied",
    "timeout",
    "cancel",
    "wait_for_finish_planning_external_check",
    "wait_for_execute_external_check_failed",
    "made_up",
)
RUNTIME = frozenset(
    {
        "status", "flat_approve_users", "instance_code", "reject_or_approve", "comment",
        "operation_time", "approval_initiator", "approval_instance", "approval_node_details",
    }
)  # fmt: skip
NAMES = ("Announce", "Back up: ~1/2", "<b>&amp;", "")
ODD = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TEXTS = st.sampled_from(["", "Hello", "line\nline", "\u0000\u202e\u2028", '\\"</x>{id}']) | ODD


# --------------------------------------------------------------------------- what the files say


@st.composite
def approvals(draw: st.DrawFn) -> Any:
    if draw(st.booleans()):
        return draw(
            st.sampled_from([None, {"enabled": False}, {"enabled": False, "type": "native"}])
        )
    accounts = draw(st.lists(st.sampled_from(sorted(UIDS)), min_size=1, max_size=3, unique=True))
    users: list[Any] = [
        {"account": one} if draw(st.booleans()) else {"user_id": UIDS[one]} for one in accounts
    ]
    declared: dict[str, Any] = {
        "needed_approvers": draw(st.integers(1, len(accounts))),
        "approve_users": users,
    }
    if draw(st.integers(0, 3)) == 0:
        users.append({"type": "group", "group_id": "approvers"})
    if draw(st.booleans()):
        declared["timeout"] = draw(st.sampled_from([0, 60]))
    approval: dict[str, Any] = {"enabled": True, "type": "native", "native_approval": declared}
    if draw(st.booleans()):
        approval["description"] = draw(TEXTS | st.none())
    return approval


TEXT_SPECS = st.fixed_dictionaries({}, optional={"content": TEXTS | st.none(), "remark": TEXTS})
TEXT_JOBS: st.SearchStrategy[Any] = st.builds(
    lambda name, spec: {"name": name, "type": "text", **spec},
    st.sampled_from(NAMES[:3]),
    st.just({}) | st.builds(lambda spec: {"spec": spec}, TEXT_SPECS),
)
WORKFLOW_SPECS: list[dict[str, Any]] = [
    {"workflow_key": "deploy"},
    {
        "workflow_key": "deploy",
        "inputs": [
            {"job_name": "deploy", "job_type": "zadig-deploy", "parameters": {"env_name": "prod"}}
        ],
    },
    {
        "workflow_key": "deploy",
        "remark": "r",
        "parameters": [{"name": "version", "value": "4.2"}],  # which v4.1 overlooks
    },
]


def jobs(generation: Generation) -> st.SearchStrategy[Any]:
    specs = WORKFLOW_SPECS[:2] if generation == "4.1" else WORKFLOW_SPECS
    workflows: st.SearchStrategy[Any] = st.builds(
        lambda spec: {"name": "Deploy", "type": "workflow", "spec": spec}, st.sampled_from(specs)
    )
    return st.lists(TEXT_JOBS | workflows, max_size=3, unique_by=lambda job: str(job["name"]))


@st.composite
def documents(draw: st.DrawFn, key: str, generation: Generation) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "name": f"Plan {key}",
        "manager": draw(st.sampled_from(["patrick"] * 3 + ["ADMIN"])),
    }
    if draw(st.booleans()):
        spec |= {"start_time": SOON, "end_time": LATER}
    for name, values in (
        ("description", TEXTS | st.none()),
        ("approval", approvals()),
        ("jobs", jobs(generation) | st.none()),
    ):
        if draw(st.booleans()):
            spec[name] = draw(values)
    approval = spec.get("approval") or {}
    goals = ["planning", "finish_planning", "executing", "success"]
    if approval.get("enabled"):
        goals += ["wait_for_approval"] * 3
    if "jobs" in spec and not spec["jobs"]:
        goals = ["planning"]
    goal = draw(st.none() | st.sampled_from([*goals, "cancel"]))
    ignore = draw(st.sampled_from([[], [], [], ["/spec/description"], ["/spec/approval"]]))
    return {
        "apiVersion": "planops/v1",
        "kind": "ZadigReleasePlan",
        "metadata": {"name": key, "target": "prod"},
        "spec": spec,
        **({} if goal is None else {"state": goal}),
        "manage": {"ignore": ignore},
    }


# -------------------------------------------------------------------------- what the server holds


def voter(account: str, voted: str) -> dict[str, Any]:
    user: dict[str, Any] = {"type": "user", "user_id": UIDS[account], "user_name": account}
    return user | (
        {"reject_or_approve": voted, "comment": "ok", "operation_time": 5} if voted else {}
    )


LARK = {
    "approval_id": "x",
    "timeout": 60,
    "instance_code": "lark-instance",
    "approval_nodes": [
        {
            "type": "AND",
            "approve_node_type": "user",
            "reject_or_approve": "approve",
            "approve_users": [{"id": "u1", "name": "U", "comment": "yes"}],
        }
    ],
}


@st.composite
def held_approvals(draw: st.DrawFn) -> dict[str, Any] | None:
    if draw(st.booleans()):
        return None
    enabled = draw(st.booleans())
    approval: dict[str, Any] = {
        "enabled": enabled,
        "status": draw(st.sampled_from(["", "passed", "reject"])),
        "description": draw(TEXTS),
        "start_time": 7,
    }
    if draw(st.booleans()):
        return approval | {"type": "lark", "lark_approval": copy.deepcopy(LARK)}
    voted = draw(st.sampled_from(["", "approve", "reject"]))
    accounts = draw(st.lists(st.sampled_from(sorted(UIDS)), min_size=1, max_size=3, unique=True))
    users = [voter(one, voted) for one in accounts]
    if draw(st.booleans()):
        users.append({"type": "group", "group_id": "approvers", "group_name": "Approvers"})
    approval |= {
        "type": "native",
        "native_approval": {
            "timeout": draw(st.sampled_from([0, 5, 60])),
            "needed_approvers": 1,
            "approve_users": users,
            "reject_or_approve": voted,
            "instance_code": "instance",
        },
    }
    if draw(st.booleans()):
        approval["lark_approval"] = copy.deepcopy(LARK)
    if draw(st.booleans()):
        approval["dingtalk_approval"] = {"approval_id": "", "approval_nodes": []}
    return approval


@st.composite
def held_jobs(draw: st.DrawFn) -> list[dict[str, Any]]:
    twice = draw(st.integers(0, 9)) == 0
    names = draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=not twice))
    held = [
        held_text(
            name,
            draw(TEXTS),
            remark=draw(TEXTS),
            status=draw(st.sampled_from(["todo", "todo", "done", "skipped"])),
            last_status=draw(st.sampled_from(["todo", "todo", "done"])),
            executed_by="Patrick",
            manager_id=draw(st.sampled_from([""] * 12 + [UIDS["alice"]])),
        )
        for name in names
    ]
    if draw(st.integers(0, 9)) == 0:
        held.append({"name": "X", "type": "workflow", "spec": {"workflow": {"name": "deploy"}}})
    return held


@st.composite
def held_plans(draw: st.DrawFn, name: str) -> dict[str, Any]:
    window = draw(
        st.sampled_from(
            [
                {},
                {"start_time": SOON, "end_time": LATER, "schedule_execute_time": SOON + 600},
                {"start_time": 0, "end_time": NOW - 10},
            ]
        )
    )
    display = draw(st.booleans())
    return {
        "name": name,
        "manager": "Patrick" if display else "patrick",
        "manager_id": draw(st.sampled_from([UIDS["patrick"]] * 3 + [UIDS["bob"]])),
        "description": draw(TEXTS),
        "status": draw(st.sampled_from([*STATES, *["planning", "finish_planning"] * 3])),
        "planning_time": draw(st.sampled_from([0, 0, 7])),
        "version": draw(st.integers(1, 9)),
        "approval": draw(held_approvals()),
        "jobs": draw(held_jobs()),
        "jira_sprint_association": {"sprint": draw(TEXTS)},
        "approval_time": 9,
        "unknown_to_everybody": {"x": [1]},
        **window,
    }


@dataclass(frozen=True, kw_only=True)
class Case:
    files: list[dict[str, Any]]
    held: list[dict[str, Any]]
    allow: bool


@st.composite
def cases(draw: st.DrawFn, generation: Generation) -> Case:
    keys = [f"p{number}" for number in range(draw(st.integers(1, 5)))]
    files = [draw(documents(key, generation)) for key in keys]
    held = [
        draw(held_plans(f"Plan {key}"))
        for key in [*keys, "unmanaged", "plan p0"]
        for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 2])))
    ]
    return Case(files=files, held=held, allow=draw(st.booleans()))


# ---------------------------------------------------------------------------------- the oracles


def kept(value: Any) -> Any:
    """What is writable of an approval, its empties left out: null, empty and 0 are one thing."""
    if isinstance(value, dict):
        members = {name: kept(sub) for name, sub in value.items() if name not in RUNTIME}
        if members.get("type") == "user" or members.get("user_id"):
            members["type"] = "user"
        return {name: sub for name, sub in members.items() if sub not in (None, "", 0, [], {})}
    if isinstance(value, list):
        return [sub for sub in map(kept, value) if sub not in (None, {}, [])]
    return value


def approval_frame(wanted: Plan, held: dict[str, Any]) -> Any:
    """What the file leaves alone of an approval."""
    approval = dict(held["approval"] or {})
    approval.pop("start_time", None)
    declared = wanted.spec.get("approval", ...)
    if declared is ... or "/spec/approval" in wanted.manage.ignore:
        return kept(approval)
    if not isinstance(declared, dict):
        return None
    native = dict(approval.get("native_approval") or {})
    declared_native = declared.get("native_approval")
    for name in declared_native if isinstance(declared_native, dict) else ():
        native.pop(name, None)
    rest = {name: sub for name, sub in approval.items() if name not in declared}
    return kept({**rest, "native_approval": native})


def jobs_frame(wanted: Plan, held: dict[str, Any]) -> Any:
    """What the file leaves alone of the jobs."""
    there = {(job["type"], job["name"]): job for job in held["jobs"]}
    if "jobs" not in wanted.spec:
        return [(key, job["spec"]) for key, job in there.items()]
    declared = wanted.spec["jobs"]
    return {
        (job["name"], name): there["text", job["name"]]["spec"][name]
        for job in (declared if isinstance(declared, list) else [])
        if isinstance(job, dict) and job["type"] == "text" and ("text", job["name"]) in there
        for name in ("content", "remark")
        if name not in spec_of(job)
    }


def spec_of(job: dict[str, JSON]) -> dict[str, JSON]:
    spec = job.get("spec")
    return spec if isinstance(spec, dict) else {}


def frame(wanted: Plan, held: dict[str, Any], before: dict[str, Any]) -> Any:
    """Everything writable that the file leaves alone, and that was there before."""
    ignored = wanted.manage.ignore
    scalars = {
        name: held[name]
        for name in ("start_time", "end_time", "schedule_execute_time", "description")
        if name not in wanted.spec or f"/spec/{name}" in ignored
    }
    left = jobs_frame(wanted, held)
    if isinstance(left, dict):
        known = jobs_frame(wanted, before)
        left = {key: value for key, value in left.items() if key in known}
    apart = {name: held[name] for name in ("jira_sprint_association", "unknown_to_everybody")}
    return [scalars, approval_frame(wanted, held), left, apart]


def arrived(zadig: World, ids: dict[str, str | None]) -> dict[str, list[Write]]:
    """The writes that the server received, a list for each plan."""
    keys = {id_: key for key, id_ in ids.items() if id_}
    found: dict[str, list[Write]] = {key: [] for key in ids}
    for method, path, body in zadig.writes():
        key = (
            body["name"].removeprefix("Plan ")
            if path == OPEN
            else keys[path.split("/")[4 if path.startswith("/openapi") else 5]]
        )
        found[key].append((method, path, body))
    return found


def runtime(value: Any) -> set[str]:
    """The names in a body that only the server may write."""
    if isinstance(value, list):
        return {name for sub in value for name in runtime(sub)}
    if not isinstance(value, dict):
        return set()
    return (value.keys() & RUNTIME).union(*map(runtime, value.values()))


def copies(zadig: World) -> dict[str, dict[str, Any]]:
    return {str(one["id"]): json.loads(json.dumps(one)) for one in zadig.sandbox.plans()}


@contextlib.contextmanager
def reset(zadig: World, case: Case) -> Iterator[None]:
    zadig.sandbox.reset()
    for held in case.held:
        zadig.sandbox.insert_plan(held)
    yield
    assert not zadig.sandbox.defects


def check_theorem(zadig: World, target: Target, case: Case) -> None:
    plans = [loaded(document) for document in case.files]
    run = asked(everything=case.allow)
    before = copies(zadig)
    sight, changes = look(target, plans, run)
    assert zadig.writes() == []
    report = reconcile.apply(target, sight, changes, run)
    said = [(one.change.key.name, one.outcome, one.error) for one in report.changes]
    assert {one.outcome for one in report.changes} <= ENDED, said
    check_writes(zadig, target, changes, report)
    check_frame(zadig, before, report)
    check_second(zadig, target, plans, case)


def check_writes(zadig: World, target: Target, changes: ChangeSet, report: TargetReport) -> None:
    ids = {one.change.key.name: one.id for one in report.changes}
    expected = promised(changes, ids)
    assert arrived(zadig, ids) == expected
    if target.concurrency == 1:
        assert zadig.writes() == [write for writes in expected.values() for write in writes]
    assert all(one.committed and one.status == 200 for one in zadig.sandbox.writes)
    assert not any(runtime(body) for _, _, body in zadig.writes())
    for one in report.changes:
        result = StepResult.PENDING if one.change.refusals else StepResult.DONE
        assert set(one.results) <= {result}
        assert len(one.results) == len(one.digests) == len(one.change.steps)


def check_frame(zadig: World, before: dict[str, Any], report: TargetReport) -> None:
    after = copies(zadig)
    touched = {one.id: one.change.plan for one in report.changes if StepResult.DONE in one.results}
    assert before.keys() <= after.keys()
    assert after.keys() - before.keys() <= touched.keys()
    for id_, held in before.items():
        if id_ in touched:
            assert frame(touched[id_], after[id_], held) == frame(touched[id_], held, held)
        else:
            assert after[id_] == held


def check_second(zadig: World, target: Target, plans: list[Plan], case: Case) -> None:
    since = len(zadig.writes())
    run = asked(everything=case.allow)
    sight, again = look(target, plans, run)
    acting = [one for one in again.changes if one.acts and not one.refusals]
    assert not acting, [(one.key.name, one.deltas, one.steps) for one in acting]
    reconcile.apply(target, sight, again, run)
    assert len(zadig.writes()) == since


CALM = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)


@pytest.mark.parametrize(("generation", "concurrency"), [("5.0", 1), ("5.0", 8), ("4.1", 1)])
def test_the_dry_run_is_the_run(generation: Generation, concurrency: int) -> None:
    with world(generation) as zadig:
        target = zadig.target(concurrency=concurrency)

        @CALM
        @given(case=cases(generation))
        def hold(case: Case) -> None:
            with reset(zadig, case):
                check_theorem(zadig, target, case)

        hold()
