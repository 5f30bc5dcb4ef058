"""Registries, code hosts and databases: named in files, stored by id, compared by name."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from planops.core.report import Outcome
from planops.sandbox.zadig import Fault
from run.kinds import Steps, at, changed, made, paths, put, stored
from run.world import PATRICK, World, apply_one, asked, guards, look, plan, why

REGISTRIES = "/openapi/system/registry"
HOSTS = "/api/aslan/code/codehost"
DATABASES = "/api/aslan/system/dbinstance"
CART = "service_list/cart:cart/repo_info"
OTHER = "https://eu.reg.example.com/shop"
NAMED: list[tuple[str, str, Steps, str, list[str]]] = [
    ("zadig-build", "build", ("registry",), OTHER, ["registry"]),
    ("sql", "migrate", ("database_name",), "stock", ["database_name"]),
    (
        "freestyle",
        "script",
        ("repo_info", 0, "codehost_name"),
        "github",
        ["repo_info/github:team:scripts", "repo_info/gitlab:team:scripts"],
    ),
]
HELD: list[tuple[str, str, Steps, Any, list[str]]] = [
    (
        "zadig-build",
        "build",
        ("docker_registry_id",),
        "64f1a00000000000000000a2",
        ["registry"],
    ),
    ("sql", "migrate", ("id",), "64f1a00000000000000000d2", ["database_name"]),
    (
        "zadig-build",
        "build",
        ("service_and_builds", 0, "repos", 0, "codehost_id"),
        2,
        [f"{CART}/gitlab:team:cart"],
    ),
]


def registered(registry: str, held: Any) -> None:
    put(stored(held, "build"), ("docker_registry_id",), registry)


def asked_for(zadig: World, path: str) -> int:
    return sum(one.path == path for one in zadig.sandbox.received)


@pytest.mark.parametrize(
    ("name", "job", "path", "value", "shown"), NAMED, ids=[one[0] for one in NAMED]
)
def test_another_name_in_the_file_is_one_change(
    newest: World, example: Any, name: str, job: str, path: Steps, value: str, shown: list[str]
) -> None:
    before = example(name)
    made(newest, before)
    since = len(newest.writes())
    wanted = changed(before, job, path, value)
    assert sorted(paths(newest, wanted)) == [at(job, each) for each in shown]
    made(newest, wanted)
    assert [method for method, *_ in newest.writes(since)] == ["PATCH"]
    assert paths(newest, wanted) == []


@pytest.mark.parametrize(
    ("name", "job", "path", "value", "shown"), HELD, ids=[f"{one[0]}-{one[2][-1]}" for one in HELD]
)
def test_another_id_on_the_server_is_seen(
    zadig: World, example: Any, name: str, job: str, path: Steps, value: Any, shown: list[str]
) -> None:
    wanted = example(name)
    id_ = made(zadig, wanted)
    zadig.sandbox.edit(id_, lambda held: put(stored(held, job), path, value))
    assert paths(zadig, wanted) == [at(job, each) for each in shown]
    made(zadig, wanted)
    assert paths(zadig, wanted) == []


def test_the_name_of_what_is_there_is_shown(zadig: World, example: Any) -> None:
    wanted = example("zadig-build")
    id_ = made(zadig, wanted)
    for held, shown in (("64f1a00000000000000000a2", OTHER), ("gone", "gone")):
        zadig.sandbox.edit(id_, partial(registered, held))
        (change,) = look(zadig.target(), [wanted], asked())[1].changes
        assert [delta.live for delta in change.deltas] == [shown]


UNKNOWN: list[tuple[str, str, Steps, str, str]] = [
    ("zadig-build", "build", ("registry",), "https://no.example.com/x", f"it has: {OTHER}, https"),
    ("sql", "migrate", ("database_name",), "oders", "it has: orders, stock"),
    ("freestyle", "script", ("repo_info", 0, "codehost_name"), "gitea", "it has: depot, github"),
]


@pytest.mark.parametrize(("name", "job", "path", "value", "have"), UNKNOWN)
def test_a_name_that_nothing_has_is_refused_before_any_write(
    zadig: World, example: Any, name: str, job: str, path: Steps, value: str, have: str
) -> None:
    wanted = changed(example(name), job, path, value)
    report = apply_one(zadig.target(), wanted)
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"reference"})
    assert f"named {value}; {have}" in why(report)
    assert zadig.writes() == []


def test_a_registry_that_went_is_no_matter_where_nothing_is_written(
    zadig: World, example: Any
) -> None:
    wanted = example("zadig-build")
    id_ = made(zadig, wanted)
    zadig.sandbox.edit(id_, lambda held: held["jobs"][0].update(status="done"))
    zadig.sandbox.edit(id_, {"status": "success"})
    gone = Fault("status-before", path=REGISTRIES, nth=None, status=200, body=b"[]")
    zadig.sandbox.faults.add(gone)
    assert apply_one(zadig.target(), wanted).outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize(
    ("name", "job", "field", "listed"),
    [
        ("zadig-build", "build", "registry", REGISTRIES),
        ("sql", "migrate", "database_name", DATABASES),
    ],
)
def test_what_nobody_may_look_up_is_only_seen_to_be_there(
    zadig: World, example: Any, name: str, job: str, field: str, listed: str, status: int
) -> None:
    before = example(name)
    made(zadig, before)
    zadig.sandbox.faults.add(Fault("status-before", path=listed, nth=None, status=status))
    assert paths(zadig, changed(before, job, (field,), "another")) == []


def test_a_token_without_the_right_is_enough_for_registries_and_hosts(
    zadig: World, example: Any
) -> None:
    before = example("zadig-build")
    made(zadig, before)
    wanted = changed(before, "build", ("registry",), OTHER)
    (change,) = look(zadig.target(token=PATRICK), [wanted], asked())[1].changes
    assert [delta.path for delta in change.deltas] == [at("build", "registry")]


def test_only_what_may_be_needed_is_asked_for(zadig: World, example: Any) -> None:
    look(zadig.target(), [plan()], asked())
    assert [asked_for(zadig, path) for path in (REGISTRIES, HOSTS, DATABASES)] == [0, 0, 0]
    look(zadig.target(), [example("sql"), example("sql")], asked())
    assert [asked_for(zadig, path) for path in (REGISTRIES, HOSTS, DATABASES)] == [0, 1, 1]


@pytest.mark.parametrize("state", ["running", "done", "failed"])
def test_what_an_execution_takes_from_the_workflow_is_no_difference(
    zadig: World, example: Any, state: str
) -> None:
    """The merge takes the live registry, and drops the commit (docs/servers/zadig.md §9.23)."""
    repo = ("service_list", 0, "repo_info", 0)
    before = example("zadig-build")
    values: dict[str, Any] = {"commit_id": "0" * 40, "enable_commit": True}
    for name, value in values.items():
        before = changed(before, "build", (*repo, name), value)
    wanted = changed(before, "build", ("registry",), OTHER)
    id_ = made(zadig, wanted)

    def executed(held: Any) -> None:
        held["jobs"][0]["status"] = state
        build = stored(held, "build")
        build["docker_registry_id"] = "64f1a00000000000000000a1"
        build["service_and_builds"][0]["repos"][0] |= {"commit_id": "", "enable_commit": False}

    zadig.sandbox.edit(id_, executed)
    assert paths(zadig, wanted) == []
    zadig.sandbox.edit(id_, lambda held: held["jobs"][0].update(status="todo"))
    assert len(paths(zadig, wanted)) == 3
