"""``status``, ``schema``, ``sandbox`` and ``demo``."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.place import TOKEN, Place
from planops.core.report import ExitCode
from planops.git.ledger import GitLedger
from planops.manifests import schemas
from planops.sandbox.zadig.faults import Fault

PLANS = "/openapi/release_plan/v1"


def table(text: str) -> dict[str, list[str]]:
    """The table's rows by plan, cells in order."""
    lines = text.splitlines()
    starts = [lines[0].index(head) for head in ("PLAN", "STATE", "GOAL", "NEXT", "SINCE")]
    spans = list(zip(starts, [*starts[1:], None], strict=True))
    rows = [[line[begin:end].strip() for begin, end in spans] for line in lines[1:]]
    return {row[0]: row[1:] for row in rows}


# ------------------------------------------------------------------------------------------ status


def test_status_says_who_is_next(place: Place) -> None:
    place.plan("absent")
    place.plan("idle", description="x")
    place.plant("idle", description="x")
    place.plan("edited", description="new")
    place.plant("edited", description="old")
    place.plan("late", **place.window(-7200, -3600))
    place.plan("stopped", state="finish_planning")
    place.plant("stopped", status="cancel")
    place.plan("odd", state="finish_planning")
    place.plant("odd", status="made_up\x1b[31m")
    ended = place.planops("status")
    assert ended.code == ExitCode.OK
    assert ended.err == ""
    assert "\x1b" not in ended.out
    rows = table(ended.out)
    assert list(rows) == [
        f"prod/{n}" for n in ("absent", "edited", "idle", "late", "odd", "stopped")
    ]
    assert rows["prod/absent"] == ["(not there)", "(not managed)", "planops: 1 call", ""]
    assert rows["prod/edited"][:3] == ["planning", "(not managed)", "planops: 1 call"]
    assert rows["prod/idle"][:3] == ["planning", "(not managed)", "nobody"]
    assert rows["prod/late"] == ["(not there)", "(not managed)", "refused: past", ""]
    assert rows["prod/odd"][:2] == [r"made_up\x1b[31m", "finish_planning"]
    assert rows["prod/stopped"][:3] == ["cancel", "finish_planning", "a person: stopped"]
    assert place.zadig.writes == ()


def test_status_of_one_plan(place: Place) -> None:
    place.plan("a")
    place.plan("b")
    assert list(table(place.planops("status", "b").out)) == ["prod/b"]
    assert [change["key"] for change in place.json("status", "b").json["changes"]] == ["b"]


def test_status_says_why_a_plan_could_not_be_looked_at(place: Place) -> None:
    """It need not be gone, and no person is next."""
    place.ledgered()
    place.plan("a")
    place.plan("b")
    place.commit()
    assert place.planops("apply", "--yes").code == ExitCode.OK
    ids = {one["name"]: str(one["id"]) for one in place.zadig.plans()}
    place.zadig.remove_plan(ids["Plan a"])
    path = f"{PLANS}/{ids['Plan a']}"
    place.zadig.faults.add(Fault("status-before", path=path, nth=None, status=403, body=b"no"))
    ledger = GitLedger(root=place.folder, ref="refs/planops/ledger/prod", remote=None)
    ledger.write(ledger.tip(), {"plans/b.json": b"{}"}, "damage", 1)
    ended = place.planops("status")
    assert ended.code == ExitCode.FAILED
    rows = table(ended.out)
    assert rows["prod/a"] == ["(not known)", "(not managed)", "failed, see below", ""]
    assert rows["prod/b"] == ["(not known)", "(not managed)", "refused: ledger", ""]
    assert f"prod/a: error: GET {path}: the token lacks the right (403)" in ended.out
    assert "state:" not in place.planops("diff").out


def test_status_shows_what_could_not_be_read(place: Place) -> None:
    place.plan("a")
    place.zadig.revoke_token(TOKEN)
    ended = place.planops("status", "a", "--wait", "1s")
    assert ended.code == ExitCode.FAILED
    assert "prod: error: " in ended.out
    place.write("plans/bad.yaml", "x: yes\n")
    assert "plans/bad.yaml:1:" in place.planops("status").out


def test_waiting_ends_at_once_when_every_goal_is_reached(place: Place) -> None:
    place.waiting()
    assert place.planops("apply", "--yes").code == ExitCode.OK
    assert place.planops("status", "--wait", "2h").code == ExitCode.OK
    assert place.planops("status", "train", "--wait", "2h").code == ExitCode.OK


def test_waiting_ends_at_once_when_somebody_stopped_a_plan(place: Place) -> None:
    place.plan(state="success")
    place.plant(status="cancel")
    ended = place.planops("status", "--wait", "2h")
    assert ended.code == ExitCode.FAILED
    assert "a person: stopped" in ended.out
    assert place.planops("status").code == ExitCode.OK


def test_waiting_ends_when_the_time_is_up(place: Place) -> None:
    place.waiting()
    ended = place.planops("status", "--wait", "1s")
    assert ended.code == ExitCode.FAILED
    looks = [one for one in place.zadig.received if one.path.startswith(f"{PLANS}?")]
    assert len(looks) >= 2


@pytest.mark.parametrize("path", ["", "/*"], ids=["the list", "the plan"])
def test_waiting_outlasts_a_server_that_fails_for_a_while(path: str, place: Place) -> None:
    goal = place.waiting()
    goal.write_text(goal.read_text().replace("state: wait_for_approval", "state: finish_planning"))
    assert place.planops("apply", "--yes").code == ExitCode.OK
    goal.write_text(goal.read_text().replace("state: finish_planning", "state: wait_for_approval"))
    (plan,) = place.zadig.plans()
    where = f"{PLANS}{path}"

    def walk() -> None:
        place.zadig.edit(str(plan["id"]), {"status": "wait_for_approval"})

    place.zadig.faults.add(Fault("html", method="GET", path=where, nth=2))
    place.zadig.faults.add(Fault("edit-before", method="GET", path=where, nth=3, edit=walk))
    ended = place.planops("status", "--wait", "20s")
    assert ended.code == ExitCode.OK, ended.both
    assert table(ended.out)["prod/train"][0] == "wait_for_approval"


def test_waiting_ends_at_once_where_nothing_could_ever_be_read(place: Place) -> None:
    place.waiting()
    place.zadig.faults.add(Fault("status-before", method="GET", nth=None, status=403))
    ended = place.planops("status", "--wait", "2h")
    assert ended.code == ExitCode.FAILED
    assert "prod: error: " in ended.out


def test_waiting_sees_the_goal_reached_meanwhile(place: Place) -> None:
    goal = place.waiting()
    goal.write_text(goal.read_text().replace("state: wait_for_approval", "state: finish_planning"))
    assert place.planops("apply", "--yes").code == ExitCode.OK
    goal.write_text(goal.read_text().replace("state: finish_planning", "state: wait_for_approval"))
    id_ = str(place.zadig.plans()[0]["id"])
    place.zadig.faults.add(
        Fault(
            "edit-after",
            method="GET",
            path=f"{PLANS}/{id_}",
            edit=lambda: place.zadig.edit(id_, {"status": "wait_for_approval"}),
        )
    )
    ended = place.planops("status", "--wait", "20s")
    assert ended.code == ExitCode.OK
    assert table(ended.out)["prod/train"][0] == "wait_for_approval"


# ------------------------------------------------------------------------------------------ schema


def test_every_schema_is_printed(place: Place) -> None:
    names = place.planops("schema").out.split()
    assert names == list(schemas.names())
    for name in names:
        ended = place.planops("schema", name)
        assert ended.code == ExitCode.OK
        assert ended.err == ""
        assert json.loads(ended.out) == schemas.schema(name)


# ----------------------------------------------------------------------------------------- sandbox


@contextlib.contextmanager
def sandbox(place: Place, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A sandbox in a process of its own, and the settings that it printed."""
    with place.start("sandbox", *words) as started:
        try:
            assert started.stdout is not None
            yield started, "".join(iter(started.stdout.readline, "\n"))
        finally:
            started.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_prints_settings_that_work_and_ends_calmly(
    number: signal.Signals, place: Place
) -> None:
    place.plan()
    with sandbox(place, "--port", "0") as (started, settings):
        place.write("planops.yaml", settings)
        assert place.planops("validate").code == ExitCode.OK
        assert place.planops("apply", "--yes").code == ExitCode.OK
        assert place.planops("diff", "--exit-code").code == ExitCode.OK
        started.send_signal(number)
        assert started.wait(timeout=30) == ExitCode.OK
        assert started.stderr is not None
        said = started.stderr.read()
    assert "Zadig 5.0 is emulated at http://127.0.0.1:" in said
    assert f"export ZADIG_TOKEN={TOKEN}\n" in said


def test_the_sandbox_keeps_its_state_in_a_file(place: Place) -> None:
    place.plan()
    words = ("--port", "0", "--database", "state.sqlite", "--zadig-version", "4.1")
    for expected in (2, 0):
        with sandbox(place, *words) as (_, settings):
            place.write("planops.yaml", settings)
            assert place.planops("diff", "--exit-code").code == expected
            assert place.planops("apply", "--yes").code == ExitCode.OK


def test_the_emulated_brpm_prints_settings_that_work(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRPM_TOKEN", TOKEN)
    place.write(
        "plans/a.yaml",
        "apiVersion: planops/v1\nkind: BrpmPlan\nmetadata: {name: a}\n"
        "spec: {name: A, plan_template_name: Sample Deploy Template}\nstate: planned\n",
    )
    words = ("--port", "0", "--switch", "plan_event", "plan", "--switch", "hide_archived", "false")
    with sandbox(place, "brpm", *words) as (started, settings):
        place.write("planops.yaml", settings)
        assert place.planops("apply", "--yes").code == ExitCode.OK
        assert place.planops("diff", "--exit-code").code == ExitCode.OK
        started.send_signal(signal.SIGTERM)
        assert started.wait(timeout=30) == ExitCode.OK
        assert started.stderr is not None
        said = started.stderr.read()
    assert "BRPM is emulated at http://127.0.0.1:" in said
    assert f"/brpm. Interrupt to stop.\nexport BRPM_TOKEN={TOKEN}\n" in said


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("brpm", "--database", "x"), ExitCode.USAGE, "--database is for zadig"),
        (("zadig", "--switch", "empty", "404"), ExitCode.USAGE, "--switch is for brpm"),
        (("brpm", "--switch", "empty", "no"), ExitCode.FAILED, "sandbox: --switch: empty: is 'no'"),
        (("brpm", "--switch", "empti", "404"), ExitCode.FAILED, "empti: is no switch"),
        (("jenkins",), ExitCode.USAGE, "'jenkins' is not one of"),
    ],
)
def test_what_a_sandbox_does_not_have_is_told(
    words: tuple[str, ...], code: ExitCode, says: str, place: Place
) -> None:
    ended = place.process("sandbox", *words, "--port", "0")
    assert (ended.code, ended.out) == (code, "")
    assert says in ended.err


def test_a_port_in_use_is_told(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = place.process("sandbox", "--port", port)
    assert ended.code == ExitCode.FAILED
    assert ended.out == ""
    assert ended.err == (
        f"planops: error: sandbox: 127.0.0.1:{port} cannot be served: Address already in use;"
        " choose another --port\n"
    )


def test_a_database_that_is_none_is_told(place: Place) -> None:
    place.write("state.sqlite", "no database at all, but a text that is long enough\n" * 20)
    ended = place.process("sandbox", "--port", "0", "--database", "state.sqlite")
    assert ended.code == ExitCode.FAILED
    assert "sandbox: state.sqlite: cannot be used as a database" in ended.err
    assert ended.err.count("\n") == 1


# -------------------------------------------------------------------------------------------- demo


def test_the_demo_tells_its_story_and_leaves_nothing(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("PLANOPS_FORMAT", "json")  # must not reach the story's commands
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "somebody's"))
    before = sorted(tmp_path.iterdir())
    ended = place.planops("demo")
    assert ended.code == ExitCode.OK
    assert "The demo is over: 13 acts, each as expected." in ended.out
    assert sorted(tmp_path.iterdir()) == before
    assert place.zadig.received == ()


def test_the_demo_keeps_its_repository_where_it_is_told(place: Place) -> None:
    assert place.planops("demo", "--directory", "new/story").code == ExitCode.OK
    kept = place.folder / "new/story"
    assert {path.name for path in kept.iterdir()} == {".git", "planops.yaml", "plans"}
    assert place.planops("validate", "-C", str(kept)).code == ExitCode.OK
    again = place.planops("demo", "--directory", "new/story")
    assert again.code == ExitCode.FAILED
    assert again.err == "planops: error: demo: new/story is not empty; name a new directory\n"


def test_the_demo_says_that_git_is_missing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(place.folder))
    ended = place.planops("demo")
    assert ended.code == ExitCode.FAILED
    assert ended.err == "planops: error: demo: git is not installed; install it\n"
