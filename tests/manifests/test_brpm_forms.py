"""What a BRPM plan may declare, and what the settings may say of a BRPM server."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planops.backends.brpm.lifecycle import EVENTS, STATES, dialect
from planops.core.model import Severity
from planops.core.shape import Kind
from planops.manifests import schemas
from planops.manifests.load import check_config, load_config
from planops.manifests.validate import check
from planops.manifests.yaml import parse

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("plans*/brpm/*.yaml"))
SCHEMA = schemas.schema("brpm-plan")
HEAD = "apiVersion: planops/v1\nkind: {kind}\nmetadata: {{name: {name}{target}}}\n"
BRPM_SPEC = "spec: {name: X, plan_template_name: Standard}\n"
ZADIG_SPEC = "spec: {name: X, manager: patrick}\n"
CONFIG = """\
apiVersion: planops/v1
kind: Config
plans: [plans/**/*.yaml]
targets:
  prod:
    backend: brpm
    url: https://brpm.example.com:8443/brpm/
    token: ${env:BRPM_TOKEN}
"""


def head(kind: str = "BrpmPlan", name: str = "a", target: str = "") -> str:
    return HEAD.format(kind=kind, name=name, target=f", target: {target}" * bool(target))


def document(**spec: Any) -> Any:
    return {
        "apiVersion": "planops/v1",
        "kind": "BrpmPlan",
        "metadata": {"name": "a"},
        "spec": {"name": "X", "plan_template_id": 1, **spec},
    }


def values(path: Path) -> list[Any]:
    return [found.value for found in parse(path.read_bytes(), path.name).documents]


# ------------------------------------------------------------------------------------------ plans


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_good(path: Path) -> None:
    for value in values(path):
        assert schemas.accepts(schemas.PLAN, value)
        assert schemas.explainer(schemas.PLAN).is_valid(value)
        assert check(value, dict) == []


def test_the_examples_show_every_field_that_is_to_be_used() -> None:
    shown = {key for path in EXAMPLES for value in values(path) for key in value["spec"]}
    assert shown == SCHEMA["properties"].keys() - {"release_attributes"}


@pytest.mark.parametrize(
    "spec",
    [
        {"description": None},
        {"description": ""},
        {"description": " \n "},
        {"release_id": None},
        {"release_name": None},
        {"release_manager": None},
        {"release_manager_id": None},
        {"release_date": None},
        {"release_date": "2024-02-29"},
        {"teams": None},
        {"teams": []},
        {"team_ids": None},
        {"team_ids": []},
        {"team_ids": [3, 1, 2]},
        {"name": '100% "A&B" + C/D #1?'},
        {"name": "x"},
        {"release_manager": "patrick@example.com"},
    ],
)
def test_what_is_taken(spec: dict[str, Any]) -> None:
    assert check(document(**spec), dict) == []


@given(day=st.text(st.sampled_from("0123456789-:/ T\n"), max_size=12) | st.dates().map(str))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_a_day_that_is_taken_is_in_the_calendar_and_written_in_one_way(day: str) -> None:
    assert (check(document(release_date=day), dict) == []) is _is_day(day)


def _is_day(text: str) -> bool:
    try:
        return bool(text) and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def test_all_goals_are_states_of_the_table() -> None:
    assert schemas.states("BrpmPlan") == STATES


def test_what_the_server_owns_is_in_no_field() -> None:
    assert not SCHEMA["properties"].keys() & set(SCHEMA["x-planops-runtime"])
    shape = schemas.shape("BrpmPlan")
    assert {name for name, field in shape.fields.items() if field.immutable} == {
        "plan_template_id",
        "plan_template_name",
    }
    sets = {name for name, field in shape.fields.items() if field.kind is Kind.SET}
    assert sets == {"teams", "team_ids"}


# --------------------------------------------------------------------------- plans, their target


def test_a_plan_of_one_kind_of_server_is_not_for_another(two_targets: Any) -> None:
    settings_ = (two_targets.root / "planops.yaml").read_text()
    brpm = '  brpm-prod: {backend: brpm, url: "https://b.example.com", token: "${env:T}"}\n'
    two_targets.write("planops.yaml", settings_ + brpm)
    two_targets.write("plans/a.yaml", head("BrpmPlan", "a", "zadig-prod") + BRPM_SPEC)
    two_targets.write("plans/b.yaml", head("ZadigReleasePlan", "b", "brpm-prod") + ZADIG_SPEC)
    two_targets.write("plans/c.yaml", head("BrpmPlan", "c", "brpm-prod") + BRPM_SPEC)
    two_targets.write("plans/d.yaml", head("ZadigReleasePlan", "d", "zadig-prod") + ZADIG_SPEC)
    loaded = two_targets.load()
    assert [str(plan.key) for plan in loaded.plans] == ["brpm-prod/c", "zadig-prod/d"]
    assert two_targets.said() == [
        (
            "plans/a.yaml:2:7: a `BrpmPlan` is not for the target `zadig-prod`, which is a zadig"
            " server; write `ZadigReleasePlan`, or name another target"
        ),
        (
            "plans/b.yaml:2:7: a `ZadigReleasePlan` is not for the target `brpm-prod`, which is a"
            " brpm server; write `BrpmPlan`, or name another target"
        ),
    ]
    assert [problem.target for problem in loaded.problems] == ["zadig-prod", "brpm-prod"]
    assert {problem.code for problem in loaded.problems} == {"other-kind"}


def test_a_plan_of_another_kind_without_a_target_is_found_too(repository: Any, brpm: Any) -> None:
    brpm.write("plans/a.yaml", head("ZadigReleasePlan") + ZADIG_SPEC)
    (problem,) = brpm.load().problems
    assert (problem.code, problem.severity, problem.target) == (
        "other-kind",
        Severity.ERROR,
        "brpm-prod",
    )
    assert repository.load().plans == ()


def test_two_targets_may_hold_plans_of_one_name_and_one_target_may_not(two_targets: Any) -> None:
    settings_ = (two_targets.root / "planops.yaml").read_text()
    brpm = '  brpm-prod: {backend: brpm, url: "https://b.example.com", token: "${env:T}"}\n'
    two_targets.write("planops.yaml", settings_ + brpm)
    two_targets.write("plans/a.yaml", head("BrpmPlan", "a", "brpm-prod") + BRPM_SPEC)
    two_targets.write("plans/b.yaml", head("ZadigReleasePlan", "a", "zadig-prod") + ZADIG_SPEC)
    assert two_targets.said() == []
    two_targets.write("plans/c.yaml", head("BrpmPlan", "c", "brpm-prod") + BRPM_SPEC)
    assert two_targets.said() == [
        (
            "plans/c.yaml:4:8: the display name `X` is already taken by plans/a.yaml:4:8;"
            " rename one of the two plans"
        )
    ]


# --------------------------------------------------------------------------------------- settings


def test_settings_of_a_brpm_server_are_typed(repository: Any) -> None:
    spelt = (
        "    lifecycle:\n"
        "      states: {in_progress: started}\n"
        "      events: {plan_it: plan}\n"
        "      edges: [{event: go, from: [created, planned], to: started}]\n"
    )
    found = load_config(repository.write("planops.yaml", CONFIG + spelt)).targets["prod"]
    assert (found.backend, found.url) == ("brpm", "https://brpm.example.com:8443/brpm")
    assert found.version is None
    made = dialect(found.lifecycle)
    assert made.state("in_progress") == "started"
    assert made.event("plan_it") == "plan"
    assert made.edges == (("go", ("created", "planned"), "started"),)


def test_settings_that_say_nothing_of_the_lifecycle_have_the_default(repository: Any) -> None:
    found = load_config(repository.write("planops.yaml", CONFIG)).targets["prod"]
    assert found.lifecycle == {}
    assert dialect(found.lifecycle).edges == EVENTS


@pytest.mark.parametrize(
    ("events", "known"),
    [
        ("{plan_it: plan}", True),
        ("{plan: plan_it}", False),
        ("{plan_itt: plan}", False),
        ('{"plan it": plan}', False),
        ("{delete: remove}", False),
    ],
)
def test_an_event_whose_name_is_given_is_in_the_table(
    repository: Any,
    events: str,
    known: bool,  # noqa: FBT001 -- a table's column
) -> None:
    """``plan: plan_it`` is the wrong way round, and would say nothing without a word."""
    text = f"{CONFIG}    lifecycle: {{events: {events}}}\n"
    config, _ = check_config(repository.write("planops.yaml", text))
    assert (config is not None) is known
