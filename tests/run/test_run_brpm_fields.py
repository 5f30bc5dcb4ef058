"""A BRPM plan's fields: only what changed is sent, what is not declared never, dates as written."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planops import reconcile
from planops.core.changes import Cause
from planops.core.model import Plan, PlanKey
from planops.core.report import Outcome, StepResult
from planops.manifests.load import load_config, load_plans
from planops.sandbox.brpm import Fault
from planops.sandbox.brpm.visitor import Visitor
from run.brpm_world import (
    ADMIN,
    PLANS,
    SAMPLE,
    World,
    attributes,
    event,
    plan,
    world,
)
from run.world import applied, apply_one, asked, guards, look, outcomes, promised, why

ROOT = Path(__file__).parents[2]
ODD = '100% "A&B" + C/D #1?'
HELD: dict[str, Any] = {
    "description": "Theirs",
    "release_id": 1,
    "release_manager_id": 2,
    "release_date": "2026-01-31",
    "team_ids": [1, 2],
}


@pytest.fixture
def brpm() -> Iterator[World]:
    with world() as made:
        yield made


def paths(brpm: World, wanted: Plan) -> list[str]:
    _, changes = look(brpm.target(), [wanted], asked())
    return [delta.path for delta in changes.changes[0].deltas]


def held(brpm: World, id_: int) -> dict[str, Any]:
    """What the server holds of the fields that a file can declare."""
    found = brpm.sandbox.plan(id_)
    return {name: found[name] for name in ("name", "plan_template_id", *HELD)}


# ------------------------------------------------------------------------------- what is sent


CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a text": ({"description": "Ours"}, {"description": "Ours"}),
    "a text with blanks at its ends": ({"description": "\n Ours \n"}, {"description": "Ours"}),
    "a day": ({"release_date": "2026-12-01"}, {"release_date": "2026-12-01"}),
    "a release by name": ({"release_name": "E-Finance 1.1"}, {"release_id": 2}),
    "a release by id": ({"release_id": 2}, {"release_id": 2}),
    "a manager by login": ({"release_manager": "alice"}, {"release_manager_id": 3}),
    "a manager by e-mail": ({"release_manager": "Bob@Example.com"}, {"release_manager_id": 4}),
    "a manager by id": ({"release_manager_id": 4}, {"release_manager_id": 4}),
    "teams by name": ({"teams": ["Checkout", "AllAccess"]}, {"team_ids": [3, 1]}),
    "teams by id": ({"team_ids": [3]}, {"team_ids": [3]}),
    "no description": ({"description": None}, {"description": None}),
    "an empty description": ({"description": ""}, {"description": None}),
    "a blank description": ({"description": " \n\t"}, {"description": None}),
    "no release by name": ({"release_name": None}, {"release_id": None}),
    "no release by id": ({"release_id": None}, {"release_id": None}),
    "no manager by name": ({"release_manager": None}, {"release_manager_id": None}),
    "no manager by id": ({"release_manager_id": None}, {"release_manager_id": None}),
    "no day": ({"release_date": None}, {"release_date": None}),
    "no teams": ({"teams": []}, {"team_ids": []}),
    "null teams": ({"teams": None}, {"team_ids": []}),
    "null team ids": ({"team_ids": None}, {"team_ids": []}),
    "several": (
        {"description": "Ours", "release_manager": "patrick", "teams": ["Payments"]},
        {"description": "Ours", "team_ids": [2]},
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_put_carries_what_changed_and_nothing_else(brpm: World, what: str) -> None:
    spec, sent = CHANGES[what]
    id_ = brpm.plant(**HELD)
    before = held(brpm, id_)
    wanted = plan(**spec)
    _, changes = look(brpm.target(), [wanted], asked())
    assert promised(changes, {})["train"] == [attributes(id_, **sent)]
    assert apply_one(brpm.target(), wanted).outcome is Outcome.APPLIED
    assert brpm.writes() == [attributes(id_, **sent)]
    kept = {**before, **sent}
    kept["team_ids"] = sorted(kept["team_ids"])
    assert held(brpm, id_) == kept
    assert paths(brpm, wanted) == []
    assert apply_one(brpm.target(), wanted).outcome is Outcome.UNCHANGED
    assert len(brpm.writes()) == 1


@pytest.mark.parametrize("what", CHANGES)
def test_a_post_carries_what_is_declared_and_not_empty(brpm: World, what: str) -> None:
    spec, sent = CHANGES[what]
    made = {name: value for name, value in sent.items() if value not in (None, [])}
    if "release_manager" in spec and what == "several":
        made["release_manager_id"] = 2
    wanted = plan(**spec)
    assert apply_one(brpm.target(), wanted).outcome is Outcome.APPLIED
    assert brpm.writes() == [
        ("POST", PLANS, {"plan": {"name": "train", "plan_template_id": 1, **made}})
    ]
    assert paths(brpm, wanted) == []


def test_teams_in_another_order_are_not_sent_along(brpm: World) -> None:
    id_ = brpm.plant(**HELD)
    for spec in ({"teams": ["Payments", "AllAccess"]}, {"team_ids": [2, 1]}):
        wanted: dict[str, Any] = {**spec, "description": f"With {', '.join(spec)}"}
        assert apply_one(brpm.target(), plan(**wanted)).outcome is Outcome.APPLIED
        assert brpm.writes()[-1] == attributes(id_, description=wanted["description"])


SAME: dict[str, dict[str, Any]] = {
    "what the server holds": {
        "description": "Theirs",
        "release_name": "E-Finance 1.0",
        "release_manager": "patrick",
        "release_date": "2026-01-31",
        "teams": ["AllAccess", "Payments"],
    },
    "by ids": {"release_id": 1, "release_manager_id": 2, "team_ids": [1, 2]},
    "teams in another order": {"teams": ["Payments", "AllAccess"]},
    "team ids in another order": {"team_ids": [2, 1]},
    "blanks around": {"description": "  Theirs\n\n"},
    "another way of naming a person": {"release_manager": "PATRICK@example.com"},
}


@pytest.mark.parametrize("what", SAME)
def test_what_is_as_it_should_be_is_not_written(brpm: World, what: str) -> None:
    id_ = brpm.plant(**{**HELD, "description": " Theirs "})
    before = brpm.sandbox.plan(id_)
    report = apply_one(brpm.target(), plan(**SAME[what]))
    assert (report.outcome, report.change.deltas) == (Outcome.UNCHANGED, ())
    assert brpm.writes() == []
    assert brpm.sandbox.plan(id_) == before


def test_absent_null_and_empty_are_one_thing_where_the_server_makes_them_so(brpm: World) -> None:
    brpm.plant(description="")
    fields = ("description", "release_name", "release_manager", "release_date", "teams")
    nothing: dict[str, Any] = dict.fromkeys(fields)
    assert paths(brpm, plan(**nothing)) == []
    assert paths(brpm, plan(description="", release_id=None, team_ids=[])) == []


def test_the_deltas_name_what_people_see(brpm: World) -> None:
    brpm.plant(**HELD)
    wanted = plan(release_name="E-Finance 1.1", release_manager="alice", teams=["Checkout"])
    _, changes = look(brpm.target(), [wanted], asked())
    deltas = {delta.path: (delta.live, delta.desired) for delta in changes.changes[0].deltas}
    assert deltas == {
        "/spec/release_name": ("E-Finance 1.0", "E-Finance 1.1"),
        "/spec/release_manager": ("2", "alice"),
        "/spec/teams": (["AllAccess", "Payments"], ["Checkout"]),
    }
    assert {delta.cause for delta in changes.changes[0].deltas} == {Cause.EDIT}


def test_what_is_ignored_is_sent_once_and_then_kept(brpm: World) -> None:
    wanted = plan(description="Ours", release_date="2026-12-01", ignore=("/spec/description",))
    assert apply_one(brpm.target(), wanted).outcome is Outcome.APPLIED
    assert brpm.sandbox.plan(2)["description"] == "Ours"
    brpm.sandbox.edit(2, {"description": "Theirs", "release_date": None})
    since = len(brpm.writes())
    assert apply_one(brpm.target(), wanted).outcome is Outcome.APPLIED
    assert brpm.writes(since) == [attributes(2, release_date="2026-12-01")]
    assert brpm.sandbox.plan(2)["description"] == "Theirs"


def test_what_the_server_does_not_keep_is_told_and_not_written_again(brpm: World) -> None:
    id_ = brpm.plant()
    brpm.sandbox.faults.add(
        Fault("edit-after", method="PUT", edit=lambda: brpm.sandbox.edit(id_, {"description": "x"}))
    )
    report = apply_one(brpm.target(), plan(description="Ours"))
    assert report.outcome is Outcome.FAILED
    assert report.error == (
        "the server took the update but keeps something else in /spec/description; write what it"
        " keeps, or list the field under manage.ignore"
    )
    assert brpm.writes() == [attributes(id_, description="Ours")]


def test_a_plan_that_moved_since_it_was_shown_is_stale(brpm: World) -> None:
    id_, target, run = brpm.plant(), brpm.target(), asked()
    sight, changes = look(target, [plan(description="Ours")], run)
    brpm.sandbox.edit(id_, {"release_date": "2026-12-01"})
    (report,) = reconcile.apply(target, sight, changes, run).changes
    assert report.outcome is Outcome.STALE
    assert brpm.writes() == []


# -------------------------------------------------------------------------------- the template


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"plan_template_name": "Hotfix Template"},
            "/spec/plan_template_name would go from Sample Deploy Template to Hotfix Template",
        ),
        ({"plan_template_id": 2}, "/spec/plan_template_id would go from 1 to 2"),
    ],
)
def test_another_template_is_another_plan(brpm: World, spec: dict[str, Any], said: str) -> None:
    id_ = brpm.plant(plan_template_id=1)
    report = apply_one(brpm.target(), plan(**spec))
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"replace"})
    assert why(report) == (
        f"{said}, and what was made of it would stay as it is: that is another plan"
    )
    assert report.change.refusals[0].lift == "--allow replace"
    assert brpm.writes() == []
    report = apply_one(brpm.target(), plan(**spec), asked(replace=1))
    assert report.outcome is Outcome.APPLIED
    assert brpm.writes() == [attributes(id_, plan_template_id=2)]
    assert brpm.sandbox.plan(id_)["plan_template_id"] == 2
    assert paths(brpm, plan(**spec)) == []


# ------------------------------------------------------------------------------- odd names


def test_an_odd_name_goes_through_a_plans_whole_life(brpm: World) -> None:
    target = brpm.target()
    wanted = plan("odd", state="created", name=ODD, description=ODD)
    assert apply_one(target, wanted).outcome is Outcome.APPLIED
    assert brpm.writes()[0][2]["plan"]["name"] == ODD
    assert brpm.named(ODD)[0]["id"] == 2
    for state, text in (("planned", "one"), ("started", "two"), ("complete", "two")):
        again = replace(wanted, state=state, spec={**wanted.spec, "description": f"{ODD} {text}"})
        assert apply_one(target, again).outcome is Outcome.APPLIED
        assert brpm.state(2) == state
        assert apply_one(target, again).outcome is Outcome.UNCHANGED
    assert [method for method, *_ in brpm.writes()] == ["POST", "PUT", "PUT", "PUT", "PUT", "PUT"]
    assert target.backend.read("2")["name"] == ODD


def test_an_odd_name_is_removed_by_its_id(brpm: World) -> None:
    for state in ("created", "started", "archived"):
        id_ = str(brpm.plant(f"{ODD} {state}", aasm_state=state))
        target = brpm.target()
        live = target.backend.rules.view(target.backend.read(id_), None)
        since = len(brpm.writes())
        for step in target.backend.rules.remove(live):
            target.backend.send(step, id_)
        cancel = [event(id_, "cancel")] if state == "started" else []
        assert brpm.writes(since) == [*cancel, ("DELETE", f"{PLANS}/{id_}", None)]
        assert brpm.named(f"{ODD} {state}") == []


def test_two_plans_of_an_odd_name_are_refused_with_both_ids(brpm: World) -> None:
    first, second = brpm.plant(ODD), brpm.plant(ODD)
    report = apply_one(brpm.target(), plan("odd", name=ODD, description="Ours"))
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"ambiguous"})
    assert why(report) == (
        f"2 plans on the server are named {ODD!r}: {first} and {second};"
        " rename or remove all but one there"
    )
    assert brpm.writes() == []


def test_a_plan_of_an_odd_name_is_somebody_elses_without_adoption(brpm: World) -> None:
    brpm.plant(ODD)
    report = apply_one(brpm.target(by_name=False), plan("odd", name=ODD, description="Ours"))
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"adopt"})
    assert brpm.writes() == []


def test_names_that_the_server_pads_are_the_same(brpm: World) -> None:
    id_ = brpm.plant(" Padded  ")
    report = apply_one(brpm.target(), plan("padded", name="Padded", description="Ours"))
    assert report.outcome is Outcome.APPLIED
    assert brpm.writes() == [attributes(id_, description="Ours")]


def test_names_that_differ_in_case_are_two_plans(brpm: World) -> None:
    brpm.plant("TRAIN")
    assert apply_one(brpm.target(), plan()).change.live is None


@pytest.mark.parametrize("name", ["Tëam & Sons", "A+B", "50%25", "a=b&c[]=d", "日本", "x/y?z#w"])
def test_odd_names_of_other_things_are_looked_up_exactly(brpm: World, name: str) -> None:
    for id_, named in ((77, name), (78, name[::-1] + "."), (79, f"{name}x")):
        brpm.sandbox.put_record("team", {"id": id_, "name": named})
        brpm.sandbox.put_record("release", {"id": id_, "name": named})
    wanted = plan(teams=[name], release_name=name)
    assert apply_one(brpm.target(), wanted).outcome is Outcome.APPLIED
    made = brpm.sandbox.plan(2)
    assert (made["team_ids"], made["release_id"]) == ([77], 77)
    assert paths(brpm, wanted) == []


# ------------------------------------------------------------------------------------- dates


ZONES = ("UTC", "Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/St_Johns")


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The machine's time zone for one test."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield str(request.param)
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("day", ["2026-01-01", "2026-12-31", "2024-02-29", "1999-03-28"])
def test_the_day_sent_is_the_day_written_whatever_the_time_zone(
    brpm: World, zone: str, day: str
) -> None:
    assert zone == os.environ["TZ"]
    wanted = plan(release_date=day)
    assert apply_one(brpm.target(), wanted).outcome is Outcome.APPLIED
    assert brpm.writes()[0][2]["plan"]["release_date"] == day
    assert brpm.sandbox.plan(2)["release_date"] == day
    assert paths(brpm, wanted) == []
    brpm.sandbox.edit(2, {"release_date": "2000-01-01"})
    assert apply_one(brpm.target(), wanted).outcome is Outcome.APPLIED
    assert brpm.writes()[-1] == attributes(2, release_date=day)


FILES = {
    "planops.yaml": """\
apiVersion: planops/v1
kind: Config
plans: [plan.yaml]
targets:
  prod: {{backend: brpm, url: {url}, token: "${{env:BRPM_TOKEN}}"}}
""",
    "plan.yaml": """\
apiVersion: planops/v1
kind: BrpmPlan
metadata: {{name: train}}
spec: {{name: {name}, plan_template_id: 1, release_date: 2026-03-01}}
""",
}


def test_the_day_of_a_file_arrives_from_processes_in_any_time_zone(
    brpm: World, tmp_path: Path
) -> None:
    for place, zone_ in enumerate(("Pacific/Kiritimati", "Pacific/Pago_Pago")):
        for file, content in FILES.items():
            (tmp_path / file).write_text(content.format(url=brpm.url, name=f"Train {place}"))
        done = subprocess.run(  # noqa: S603 -- this very interpreter
            [sys.executable, "-m", "planops", "apply", "--yes", "-C", str(tmp_path)],
            env={**os.environ, "TZ": zone_, "BRPM_TOKEN": ADMIN},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (made,) = brpm.named(f"Train {place}")
        assert made["release_date"] == "2026-03-01"


# ----------------------------------------------------------------- the documentation's sample


def test_the_sample_of_the_documentation_is_no_change(brpm: World) -> None:
    report = apply_one(brpm.target(), plan("sample", state="created", **SAMPLE))
    assert (report.outcome, report.change.deltas) == (Outcome.UNCHANGED, ())
    assert report.id == "1"
    assert brpm.writes() == []


def test_the_example_of_the_sample_is_no_change_and_the_others_are_made_once(
    brpm: World,
) -> None:
    config = load_config(ROOT / "examples/planops.yaml")
    loaded = load_plans(ROOT / "examples", config, targets=["brpm-sandbox"])
    assert loaded.problems == ()
    plans = [replace(one, key=PlanKey(target="prod", name=one.key.name)) for one in loaded.plans]
    report = applied(brpm.target(), plans)
    assert outcomes(report).pop("sample") is Outcome.UNCHANGED
    assert set(outcomes(report).values()) == {Outcome.UNCHANGED, Outcome.APPLIED}
    since = len(brpm.writes())
    assert set(outcomes(applied(brpm.target(), plans)).values()) == {Outcome.UNCHANGED}
    assert brpm.writes(since) == []


# ------------------------------------------------------------------------------ lost answers


LOST = (("POST", 1), ("PUT", 1), ("PUT", 2))


@pytest.mark.parametrize("kind", ["drop-after", "status-after", "truncate", "garbage-json"])
@pytest.mark.parametrize("number", range(3))
def test_a_write_whose_answer_is_lost_is_found_and_not_made_again(
    brpm: World, number: int, kind: Any
) -> None:
    brpm.plant("b", description="Theirs")
    plans = [plan("a", state="planned"), plan("b", description="Ours")]
    method, nth = LOST[number]
    brpm.sandbox.faults.add(Fault(kind, method=method, nth=nth))
    report = applied(brpm.target(), plans)
    assert set(outcomes(report).values()) == {Outcome.APPLIED}
    assert len(brpm.writes()) == 3
    assert len(brpm.named("a")) == 1
    assert set(outcomes(applied(brpm.target(), plans)).values()) == {Outcome.UNCHANGED}


@pytest.mark.parametrize("kind", ["drop-before", "status-before"])
def test_a_creation_that_never_arrived_is_unknown_and_not_repeated(brpm: World, kind: Any) -> None:
    brpm.sandbox.faults.add(Fault(kind, method="POST"))
    report = apply_one(brpm.target(), plan(state="planned"))
    assert report.outcome is Outcome.UNKNOWN
    assert report.results == (StepResult.UNKNOWN, StepResult.SKIPPED)
    assert [method for method, *_ in brpm.writes()] == ["POST"]
    assert apply_one(brpm.target(), plan(state="planned")).outcome is Outcome.APPLIED
    assert len(brpm.named("train")) == 1


@pytest.mark.parametrize("body", [b" ", b"", b"null", b"[]", b"{}", b'{"id": "x"}', b"<html>"])
def test_a_creation_answered_by_what_is_no_plan_is_looked_up(brpm: World, body: bytes) -> None:
    brpm.sandbox.faults.add(Fault("status-after", method="POST", status=201, body=body))
    report = apply_one(brpm.target(), plan(state="planned"))
    assert report.outcome is Outcome.APPLIED
    assert len(brpm.named("train")) == 1


def test_somebody_else_makes_the_plan_meanwhile(brpm: World) -> None:
    target, run = brpm.target(), asked()
    sight, changes = look(target, [plan()], run)
    Visitor(brpm.sandbox, brpm.url.removesuffix("/brpm")).create(name="train")
    since = len(brpm.writes())
    (report,) = reconcile.apply(target, sight, changes, run).changes
    assert report.outcome is Outcome.STALE
    assert brpm.writes(since) == []
