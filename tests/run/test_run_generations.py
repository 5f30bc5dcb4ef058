"""Server generations: recognised from what the server shows, or told; what an older one forgets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from planops.backends.zadig.backend import ZadigBackend
from planops.backends.zadig.generations import Generation, overlooked, recognised
from planops.core.model import Plan
from planops.core.report import Outcome
from planops.errors import SettingsWrong
from planops.manifests.schemas import shape
from planops.run import Target
from planops.sandbox.zadig import Fault
from run.world import OPEN, World, apply_one, asked, guards, held_text, look, plan, text, why, world


@pytest.fixture
def older() -> Iterator[World]:
    with world("4.1") as made:
        yield made


def told(target: Target, version: str | None) -> Target:
    """The same target with a version in its settings."""
    backend: Any = target.backend
    http = backend._http
    return replace(target, backend=ZadigBackend(http, shape("ZadigReleasePlan"), version=version))


def workflow(**spec: Any) -> Plan:
    spec = {"workflow_key": "old-hook", "project_key": "yaml", **spec}
    return plan(jobs=[{"name": "Deploy", "type": "workflow", "spec": spec}])


def generation(target: Target) -> Generation | None:
    backend: Any = target.backend
    found: Generation | None = backend.rules.generation
    return found


TICKET: list[Any] = [{"name": "ticket", "type": "string", "value": "OPS-1"}]
SERVICES: list[Any] = [
    {
        "job_name": "test",
        "job_type": "zadig-test",
        "parameters": {"service_list": [{"service_name": "a", "service_module": "b"}]},
    }
]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"version": 1, "jobs": []}, Generation.V5_0),
        ({"callback_description": "", "jobs": []}, Generation.V4_3),
        ({"jobs": [{"name": "a", "manager": ""}]}, Generation.V4_2),
        ({"jobs": [{"name": "a"}]}, Generation.V4_1),
        ({"jobs": []}, None),
        ({}, None),
    ],
)
def test_a_document_shows_its_generation(raw: Any, expected: Generation | None) -> None:
    assert recognised(raw) is expected


def test_the_server_shows_its_generation(newest: World, older: World) -> None:
    for one, expected in ((newest, Generation.V5_0), (older, Generation.V4_1)):
        target = one.target()
        look(target, [plan()], asked())
        assert generation(target) is None
        one.plant("somebody's")
        look(target, [plan()], asked())
        assert generation(target) is expected
        one.plant("train")
        look(target, [plan()], asked())
        assert generation(target) is expected


def test_a_plan_that_goes_while_it_is_looked_at_shows_nothing(newest: World) -> None:
    id_ = newest.plant("somebody's")
    gone = Fault("edit-after", path=OPEN, edit=lambda: newest.sandbox.remove_plan(id_))
    newest.sandbox.faults.add(gone)
    target = newest.target()
    look(target, [plan()], asked())
    assert generation(target) is None


@pytest.mark.parametrize("version", ["4.1", "4.2", "4.3"])
def test_settings_that_the_server_contradicts_are_an_error(newest: World, version: str) -> None:
    newest.plant("train")
    with pytest.raises(SettingsWrong, match=rf"those of Zadig 5.0, .* say {version}; correct"):
        look(told(newest.target(), version), [plan()], asked())
    look(told(newest.target(), "5.0"), [plan()], asked())


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        (workflow(parameters=TICKET), "the workflow variables of job Deploy"),
        (workflow(inputs=SERVICES), "service_list of input test of job Deploy"),
        (plan(manager_identity_type="*"), "manager_identity_type: *"),
    ],
    ids=["variables", "services", "any identity"],
)
def test_what_the_server_would_forget_is_refused(older: World, wanted: Plan, what: str) -> None:
    report = apply_one(told(older.target(), "4.1"), wanted)
    assert report.outcome is Outcome.REFUSED
    assert "generation" in guards(report)
    assert f"Zadig 4.1 overlooks {what}" in why(report)
    assert older.writes() == []


@pytest.mark.parametrize("newer", ["4.2", "4.3", "5.0"])
def test_later_releases_forget_nothing(newer: str) -> None:
    wanted = workflow(parameters=TICKET, inputs=SERVICES)
    assert [*overlooked(wanted.spec, Generation(newer))] == []
    assert [*overlooked(wanted.spec, None)] == []
    assert [*overlooked(wanted.spec, Generation.V4_1)] != []


def with_variables(older: World) -> str:
    id_ = apply_one(older.target(), workflow()).id or ""

    def set_notes(held: Any) -> None:
        held["jobs"][0]["spec"]["workflow"]["params"][1]["value"] = "typed by hand"

    older.sandbox.edit(id_, set_notes)
    return id_


def test_an_update_that_resets_variables_is_refused_and_can_be_allowed(older: World) -> None:
    with_variables(older)
    wanted = workflow(remark="new")
    report = apply_one(older.target(), wanted, asked())
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"reset"})
    assert "cannot be sent their defaults back: notes, region of job Deploy" in why(report)
    assert apply_one(older.target(), wanted, asked(reset=1)).outcome is Outcome.APPLIED


def test_what_no_release_takes_back_is_refused_and_what_can_be_sent_is_kept(newest: World) -> None:
    held: dict[str, Any] = {
        "version": {"value": ""},
        "channels": {"value": "a,b"},
    }
    wanted = workflow(workflow_key="everything", project_key="shop")
    id_ = apply_one(newest.target(), wanted).id or ""

    def set_by_hand(document: Any) -> None:
        for param in document["jobs"][0]["spec"]["workflow"]["params"]:
            param.update(held.get(param["name"], {}))
            if param["name"] == "code":
                param["repo"] |= {"branch": "hotfix", "prs": [7]}

    newest.sandbox.edit(id_, set_by_hand)
    edited = workflow(workflow_key="everything", project_key="shop", remark="new")
    report = apply_one(newest.target(), edited, asked())
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"reset"})
    assert "defaults back: channels of job Deploy" in why(report)
    assert apply_one(newest.target(), edited, asked(reset=1)).outcome is Outcome.APPLIED
    params = newest.named("train")[0]["jobs"][0]["spec"]["workflow"]["params"]
    found = {param["name"]: param for param in params}
    assert found["version"]["value"] == ""
    assert (found["code"]["repo"]["branch"], found["code"]["repo"]["prs"]) == ("hotfix", [7])


def test_later_releases_keep_variables(newest: World) -> None:
    with_variables(newest)
    assert apply_one(newest.target(), workflow(remark="new")).outcome is Outcome.APPLIED
    params = newest.named("train")[0]["jobs"][0]["spec"]["workflow"]["params"]
    assert params[1]["value"] == "typed by hand"


def test_a_text_job_resets_nothing(older: World) -> None:
    older.plant("train", jobs=[held_text()])
    report = apply_one(older.target(), plan(description="new", jobs=[text()]))
    assert report.outcome is Outcome.APPLIED
