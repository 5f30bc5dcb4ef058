"""The dry run is the run, for BRPM: what is shown is what arrives, and nothing else changes."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planops import reconcile
from planops.backends.brpm.lifecycle import STATES
from planops.core.changes import ChangeSet, Request
from planops.core.model import Plan
from planops.core.report import Outcome, StepResult, TargetReport
from planops.run import Target
from planops.sandbox.brpm import Fault
from run.brpm_world import World, world
from run.documents import loaded
from run.world import Write, asked, look

ENDED = {Outcome.APPLIED, Outcome.UNCHANGED, Outcome.PARKED, Outcome.REFUSED}
ODD = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TEXTS = st.sampled_from(["", "Hello", " Hello\n", "line\nline", '\\"</x>{id}', "\u202e&#"]) | ODD
DAYS = st.sampled_from([None, "2026-12-01", "2024-02-29"])
TEAMS = {1: "AllAccess", 2: "Payments", 3: "Checkout", 7: "Twice", 8: "Twice"}
USERS = {1: "admin", 2: "patrick", 3: "alice", 4: "bob"}
RELEASES = {1: "E-Finance 1.0", 2: "E-Finance 1.1"}
TEMPLATES = {1: "Sample Deploy Template", 2: "Hotfix Template"}
COLUMNS = {
    "name": "name",
    "description": "description",
    "plan_template_id": "plan_template_id",
    "plan_template_name": "plan_template_id",
    "release_id": "release_id",
    "release_name": "release_id",
    "release_manager_id": "release_manager_id",
    "release_manager": "release_manager_id",
    "release_date": "release_date",
    "team_ids": "team_ids",
    "teams": "team_ids",
}
"""The stored field behind each field of a file; also what may be sent of it."""
OWNED = ("foreign_id", "project_server_id", "created_at", "id")
MADE = ("stage_instances", "members")


# --------------------------------------------------------------------------- what the files say


# What is drawn first and last is drawn most.
HOW_MANY = [1, 1, 0, 1, 1, 2, 1, 1, 0]
USUALLY_ONE = [1, 1, 1, 2, 1, 1, 1]
HELD_STATES = ["created", "planned", "started", "made_up", *STATES, "planned", "created"]
GOALS = ["started", "complete", None, *STATES, None, "planned", "archived", "complete"]
TEAM_NAMES = st.sampled_from(
    ["AllAccess", "Payments", "Twice", "Checkout", "Nobody", "Payments", "Checkout"]
)
FIELDS: tuple[tuple[tuple[str, st.SearchStrategy[Any]], ...], ...] = (
    (("description", TEXTS | st.none()),),
    (("release_date", DAYS),),
    (
        ("release_id", st.none() | st.sampled_from(sorted(RELEASES))),
        ("release_name", st.none() | st.sampled_from(sorted(RELEASES.values()))),
    ),
    (
        ("release_manager_id", st.none() | st.sampled_from([*USERS, 99])),
        (
            "release_manager",
            st.none()
            | st.sampled_from([*USERS.values(), *USERS.values(), "ALICE@example.com", "Nobody"]),
        ),
    ),
    (
        ("team_ids", st.none() | st.lists(st.sampled_from(sorted(TEAMS)), unique=True)),
        ("teams", st.none() | st.lists(TEAM_NAMES, max_size=3, unique=True)),
    ),
)


@st.composite
def documents(draw: st.DrawFn, key: str) -> dict[str, Any]:
    template = draw(st.sampled_from(USUALLY_ONE))
    spec: dict[str, Any] = {"name": f"Plan {key}"}
    if draw(st.booleans()):
        spec["plan_template_id"] = template
    else:
        spec["plan_template_name"] = TEMPLATES[template]
    for alternatives in FIELDS:
        if draw(st.booleans()):
            name, values = draw(st.sampled_from(alternatives))
            spec[name] = draw(values)
    goal = draw(st.sampled_from(GOALS))
    ignore = draw(st.sampled_from([[], [], [], ["/spec/description"], ["/spec/teams"]]))
    return {
        "apiVersion": "planops/v1",
        "kind": "BrpmPlan",
        "metadata": {"name": key, "target": "prod"},
        "spec": spec,
        **({} if goal is None else {"state": goal}),
        "manage": {"ignore": ignore},
    }


# -------------------------------------------------------------------------- what the server holds


def held_plans(name: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "name": st.sampled_from([name] * 4 + [f" {name}  "]),
            "description": TEXTS | st.none(),
            "aasm_state": st.sampled_from(HELD_STATES),
            "plan_template_id": st.sampled_from(USUALLY_ONE),
            "release_id": st.none() | st.sampled_from(sorted(RELEASES)),
            "release_manager_id": st.none() | st.sampled_from([*USERS, 99]),
            "release_date": DAYS,
            "team_ids": st.lists(st.sampled_from(sorted(TEAMS)), unique=True),
            "foreign_id": st.none() | st.just("JIRA-7"),
            "project_server_id": st.none() | st.just(5),
        }
    )


SPELLINGS: tuple[dict[str, str], ...] = (
    {},
    {"complete": "completed", "cancelled": "canceled", "hold": "on_hold"},
    {state: f"plan_{state}" for state in STATES if state != "archived"},
)


@st.composite
def habits(draw: st.DrawFn) -> dict[str, Any]:
    filters = draw(st.sampled_from(["exact", "exact", "loose", "ignored"]))
    return {
        "empty": draw(st.sampled_from(["404", "null", "[]"])),
        "filters": filters,
        "hide_archived": filters != "ignored" and draw(st.booleans()),
        "plan_event": draw(st.sampled_from(["plan_it", "plan", "both"])),
        "states": draw(st.sampled_from(SPELLINGS)),
    }


@dataclass(frozen=True, kw_only=True)
class Case:
    files: list[dict[str, Any]]
    held: list[dict[str, Any]]
    switches: dict[str, Any]
    forbidden: frozenset[str]
    allow: bool


@st.composite
def cases(draw: st.DrawFn) -> Case:
    keys = [f"p{number}" for number in range(draw(st.integers(1, 6)))]
    return Case(
        files=[draw(documents(key)) for key in keys],
        held=[
            draw(held_plans(f"Plan {key}"))
            for key in [*keys, "unmanaged", "PLAN p0"]
            for _ in range(draw(st.sampled_from(HOW_MANY)))
        ],
        switches=draw(habits()),
        forbidden=draw(st.sampled_from([frozenset[str]()] * 4 + [frozenset({"teams", "users"})])),
        allow=draw(st.booleans()),
    )


# ---------------------------------------------------------------------------------- the oracles


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """What the server was asked to write, a list for each plan: done, and refused."""

    done: dict[str, list[Write]] = field(default_factory=dict)
    refused: dict[str, list[Write]] = field(default_factory=dict)


def arrived(brpm: World, ids: Mapping[str, str | None]) -> Arrived:
    keys = {id_: key for key, id_ in ids.items() if id_}
    found = Arrived(done={key: [] for key in ids}, refused={key: [] for key in ids})
    for write, one in zip(brpm.writes(), brpm.sandbox.writes, strict=True):
        method, path, body = write
        posted = method == "POST"
        key = body["plan"]["name"].removeprefix("Plan ") if posted else keys[path.split("/")[3]]
        assert one.status in {201, 202, 422}
        (found.refused if one.status == 422 else found.done)[key].append(write)
    return found


def written(request: Request, id_: str | None) -> Write:
    return (request.method, request.path.replace("{id}", id_ or "{id}"), request.body)


def check_writes(
    brpm: World, target: Target, changes: ChangeSet, report: TargetReport, switches: Any
) -> None:
    ids = {one.change.key.name: one.id for one in report.changes}
    found, other = arrived(brpm, ids), switches["plan_event"] == "plan"
    for change in changes.changes:
        key = change.key.name
        steps = [] if change.refusals else change.steps
        shown = [(step.fallback if other else None) or step.request for step in steps]
        assert found.done[key] == [written(request, ids[key]) for request in shown]
        misspelt = [written(step.request, ids[key]) for step in steps if step.fallback and other]
        assert found.refused[key] in ([], misspelt)
    if target.concurrency == 1:
        assert sum(map(len, found.refused.values())) <= 1
    for one in report.changes:
        result = StepResult.PENDING if one.change.refusals else StepResult.DONE
        assert set(one.results) <= {result}
        assert len(one.results) == len(one.digests) == len(one.change.steps)


def bare(value: Any) -> Any:
    """A value in the one form in which equal ones are equal."""
    if isinstance(value, list):
        return sorted(value)
    return (value.strip() if isinstance(value, str) else value) or None


def check_bodies(brpm: World, before: dict[str, Any], report: TargetReport) -> None:
    """Only what a file declares, and what differs, is ever sent; an event goes alone."""
    declared = {one.id: set(one.change.plan.spec) for one in report.changes}
    names = {one.change.plan.spec["name"]: set(one.change.plan.spec) for one in report.changes}
    for method, path, body in brpm.writes():
        assert body.keys() == {"plan"}
        sent = body["plan"]
        fields = names[sent["name"]] if method == "POST" else declared[path.split("/")[3]]
        if "aasm_event" in sent:
            assert (method, sent.keys()) == ("PUT", {"aasm_event"})
        else:
            assert sent.keys() <= fields | {COLUMNS[name] for name in fields}
            held = before.get(path.split("/")[-1], {})
            assert not [name for name in sent.keys() & held if bare(held[name]) == bare(sent[name])]


def frame(wanted: Plan, document: dict[str, Any]) -> dict[str, Any]:
    """Everything that a file leaves alone."""
    ignored = {path.removeprefix("/spec/") for path in wanted.manage.ignore}
    managed = {COLUMNS[name] for name in wanted.spec if name not in ignored}
    made = () if "plan_template_id" in managed else MADE
    kept = {*COLUMNS.values(), *OWNED, *made} - managed
    if wanted.state is None:
        kept.add("aasm_state")
    return {name: document[name] for name in kept}


def copies(brpm: World) -> dict[str, dict[str, Any]]:
    return {str(one["id"]): copy.deepcopy(one) for one in brpm.sandbox.plans()}


def check_frame(brpm: World, before: dict[str, Any], report: TargetReport) -> None:
    after = copies(brpm)
    touched = {one.id: one.change.plan for one in report.changes if StepResult.DONE in one.results}
    assert before.keys() <= after.keys()
    assert after.keys() - before.keys() <= touched.keys()
    for id_, held in before.items():
        if id_ not in touched:
            assert after[id_] == held
            continue
        assert frame(touched[id_], after[id_]) == frame(touched[id_], held)
        if held["plan_template_id"] == after[id_]["plan_template_id"]:
            assert [after[id_][name] for name in MADE] == [held[name] for name in MADE]


def check_second(brpm: World, target: Target, plans: list[Plan], case: Case) -> None:
    since, run = len(brpm.writes()), asked(everything=case.allow)
    sight, again = look(target, plans, run)
    acting = [one for one in again.changes if one.acts and not one.refusals]
    assert not acting, [(one.key.name, one.deltas, one.steps) for one in acting]
    reconcile.apply(target, sight, again, run)
    assert len(brpm.writes()) == since


@contextlib.contextmanager
def prepared(served: World, case: Case) -> Iterator[World]:
    """The served sandbox in a case's state; connections end with the case."""
    sandbox = served.sandbox
    sandbox.reset()
    sandbox.switch(**case.switches)
    for id_ in (7, 8):
        sandbox.put_record("team", {"id": id_, "name": TEAMS[id_]})
    for held in case.held:
        sandbox.insert_plan(held)
    for resource in case.forbidden:
        sandbox.faults.add(Fault("status-before", path=resource, nth=None, status=403))
    with contextlib.ExitStack() as stack:
        yield World(sandbox=sandbox, visitor=served.visitor, clock=served.clock, stack=stack)
    assert not sandbox.defects


def check_theorem(brpm: World, case: Case, concurrency: int) -> None:
    target = brpm.target(concurrency=concurrency)
    plans = [loaded(document) for document in case.files]
    run, before = asked(everything=case.allow), copies(brpm)
    sight, changes = look(target, plans, run)
    assert brpm.writes() == []
    report = reconcile.apply(target, sight, changes, run)
    said = [(one.change.key.name, one.outcome, one.error) for one in report.changes]
    assert {one.outcome for one in report.changes} <= ENDED, said
    check_writes(brpm, target, changes, report, case.switches)
    check_bodies(brpm, before, report)
    check_frame(brpm, before, report)
    check_second(brpm, target, plans, case)


CALM = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("concurrency", [1, 8])
def test_the_dry_run_is_the_run(concurrency: int) -> None:
    with world() as served:

        @CALM
        @given(case=cases())
        def hold(case: Case) -> None:
            with prepared(served, case) as brpm:
                check_theorem(brpm, case, concurrency)

        hold()


def test_no_field_is_missing_from_the_theorem() -> None:
    made = {name for alternatives in FIELDS for name, _ in alternatives}
    assert made | {"name", "plan_template_id", "plan_template_name"} == COLUMNS.keys()
