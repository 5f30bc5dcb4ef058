"""The commands with a BRPM target: alone, and beside a Zadig one."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from cli.place import ROOT, Ended, Place, later
from planops.core.report import ExitCode
from planops.sandbox.brpm import FAILED_PAGE, BrpmSandbox, Fault
from planops.sandbox.server import serve

TOKEN = "pl+nt/ed=s3cr3t&%41#?x"
ODD = '100% "A&B" + C/D #1?'
FORMS = (TOKEN, quote(TOKEN, safe=""), quote(TOKEN), "s3cr3t")
SINKS = ("-f", "text", "-f", "json=r.json", "-f", "markdown=r.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class There:
    """A repository, and an emulated BRPM that its settings lead to."""

    place: Place
    brpm: BrpmSandbox
    url: str

    @property
    def folder(self) -> Path:
        return self.place.folder

    def settings(self, more: str = "", *, url: str = "") -> None:
        self.place.write(
            "planops.yaml",
            "apiVersion: planops/v1\nkind: Config\nplans: [plans/**/*.yaml]\ntargets:\n"
            f"  prod:\n    backend: brpm\n    url: {url or self.url}\n"
            "    token: ${env:BRPM_TOKEN}\n    concurrency: 1\n    adopt-by-name: true\n" + more,
        )

    def plan(self, name: str = "train", /, *, state: str = "", **spec: Any) -> None:
        fields = {"name": f"Plan {name}", "plan_template_name": "Sample Deploy Template", **spec}
        content = (
            f"apiVersion: planops/v1\nkind: BrpmPlan\nmetadata: {{name: {name}}}\n"
            f"spec: {json.dumps(fields)}\n"
        )
        self.place.write(f"plans/{name}.yaml", content + (f"state: {state}\n" if state else ""))

    def plant(self, name: str = "train", **document: Any) -> int:
        return int(self.brpm.insert_plan({"name": f"Plan {name}", **document})["id"])

    def planops(self, *words: str) -> Ended:
        return self.place.planops(*words)

    def events(self) -> list[str]:
        bodies = [json.loads(one.body)["plan"] for one in self.brpm.writes if one.body]
        return [str(body["aasm_event"]) for body in bodies if "aasm_event" in body]


@pytest.fixture
def there(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[There]:
    with closing(BrpmSandbox()) as brpm, serve(brpm.app) as at:
        brpm.issue_token("admin", TOKEN)
        monkeypatch.setenv("BRPM_TOKEN", TOKEN)
        made = There(place=place, brpm=brpm, url=f"{at.url}/brpm")
        made.settings()
        yield made
        assert not brpm.defects


# ---------------------------------------------------------------------------------- the story


def test_a_plan_is_made_walked_held_taken_up_and_archived(there: There) -> None:
    walk = [
        ("created", (), []),
        ("planned", (), ["plan_it"]),
        ("started", (), ["start"]),
        ("hold", (), ["put_on_hold"]),
        ("started", ("--allow", "reopen"), ["start"]),
        ("complete", (), ["finish"]),
        ("archived", (), ["archive"]),
    ]
    at, sent = "", list[str]()
    for state, allow, events in walk:
        there.plan(state=state, release_date="2026-12-01")
        before = len(there.brpm.writes)
        shown = there.planops("diff", "--exit-code", *allow)
        assert shown.code == ExitCode.CHANGES
        assert len(there.brpm.writes) == before
        if at:
            assert f"{at} → {state}" in shown.out
        assert there.planops("validate").code == ExitCode.OK
        assert there.planops("apply", "--yes", *allow).code == ExitCode.OK
        sent += events
        assert there.events() == sent
        assert there.planops("diff", "--exit-code").code == ExitCode.OK
        at = state
    (made,) = [one for one in there.brpm.plans() if one["name"] == "Plan train"]
    assert (made["aasm_state"], made["release_date"]) == ("archived", "2026-12-01")


def test_a_hold_that_somebody_set_is_told_and_left(there: There) -> None:
    there.plan(state="started")
    there.plant(aasm_state="hold")
    for words in (("diff",), ("apply", "--yes")):
        ended = there.planops(*words)
        assert ended.code == ExitCode.OK
        assert "the plan is in hold, its goal is started: somebody stopped it" in ended.out
        assert "--allow reopen takes it up again" in ended.out
    assert "a person: stopped" in there.planops("status").out
    assert there.planops("status", "--wait", "30m").code == ExitCode.FAILED
    assert there.brpm.writes == ()


def test_a_yes_that_moves_nothing_is_a_failure(there: There) -> None:
    there.plan(state="started")
    there.brpm.stick(there.plant(aasm_state="planned"), "start")
    ended = there.planops("apply", "--yes")
    assert ended.code == ExitCode.PARTIAL
    assert "the server accepted 'planned → started', and the plan is still in planned" in ended.out
    assert there.events() == ["start"]


def test_an_odd_name_is_shown_made_and_found(there: There) -> None:
    there.plan("odd", name=ODD, description=ODD, state="planned")
    assert there.planops("apply", "--yes").code == ExitCode.OK
    found = [one for one in there.brpm.plans() if one["name"] == ODD]
    assert [(one["aasm_state"], one["description"]) for one in found] == [("planned", ODD)]
    ended = there.place.json("diff", "--exit-code")
    assert ended.code == ExitCode.OK
    assert ended.json["changes"][0]["name"] == ODD


def test_a_plan_that_is_not_ours_is_refused(there: There) -> None:
    settings = (there.folder / "planops.yaml").read_text()
    there.place.write("planops.yaml", settings.replace("adopt-by-name: true", ""))
    there.plan(state="started")
    there.plant()
    ended = there.planops("apply", "--yes")
    assert ended.code == ExitCode.REFUSED
    assert "--adopt-by-name" in ended.out
    assert there.planops("apply", "--yes", "--adopt-by-name").code == ExitCode.OK


def test_a_deletion_makes_room_for_a_plan_of_the_same_name(there: There) -> None:
    there.place.git("init", "--quiet", "-b", "main")
    there.settings("    ledger: {mode: local}\n")
    there.plan("old", name="Plan train", state="planned")
    there.plan("other")
    there.place.commit()
    assert there.planops("apply", "--yes").code == ExitCode.OK
    (there.folder / "plans/old.yaml").unlink()
    there.plan(description="new")
    there.place.commit()
    shown = there.place.json("diff", "--prune").json["changes"]
    before = len(there.brpm.writes)
    ended = there.place.json("apply", "--yes", "--prune")
    assert ended.code == ExitCode.OK
    assert len(there.brpm.writes) - before == sum(len(one["steps"]) for one in shown) == 3
    assert {one["name"] for one in there.brpm.plans()} >= {"Plan train", "Plan other"}
    assert there.planops("diff", "--exit-code", "--prune").code == ExitCode.OK


def test_a_guard_that_the_command_line_lifts_is_no_routine(
    there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANOPS_SECRETS", "BRPM_TOKEN")
    there.place.git("init", "--quiet", "-b", "main")
    there.plan(state="created")
    there.place.commit()
    assert there.planops("apply", "--yes").code == ExitCode.OK
    there.place.git("checkout", "--quiet", "-b", "feature")
    there.plan(state="created", plan_template_name="Hotfix Template")
    there.place.commit()
    words = ("review", "--base", "main", "--allow", "replace", "--format")
    told = there.planops(*words, "json")
    assert (told.code, told.json["review"]["risk"]) == (ExitCode.OK, "attention")
    markdown = there.planops(*words, "markdown").out
    assert "| ⚠ lifts the guard replace |" in markdown
    assert "- lifts the guard replace" in markdown


@pytest.mark.parametrize("theirs", [False, True])
def test_a_renamed_plan_is_known_by_names_that_the_server_shows_as_ids(
    there: There, *, theirs: bool
) -> None:
    there.place.git("init", "--quiet", "-b", "main")
    there.settings("    ledger: {mode: local}\n")
    there.plan(description="one", release_manager="patrick")
    there.plan("other")
    there.place.commit()
    assert there.planops("apply", "--yes").code == ExitCode.OK
    (made,) = [one for one in there.brpm.plans() if one["name"] == "Plan train"]
    manager = {"release_manager_id": 3} if theirs else {}
    there.brpm.edit(int(made["id"]), {"name": "Plan of theirs", **manager})
    (there.folder / "plans/train.yaml").unlink()
    there.place.commit()
    ended = there.planops("apply", "--yes", "--prune")
    left = "Plan of theirs" in {one["name"] for one in there.brpm.plans()}
    assert (left, "refused by ledger" in ended.out) == (theirs, theirs)


# -------------------------------------------------------------------- the other plan event


def test_the_other_spelling_is_in_every_form_of_the_difference(there: There) -> None:
    there.plan(state="planned")
    id_ = there.plant()
    path = f"/v1/plans/{id_}"
    other = {"method": "PUT", "path": path, "body": {"plan": {"aasm_event": "plan"}}}
    (step,) = there.place.json("diff").json["changes"][0]["steps"]
    assert step["body"] == {"plan": {"aasm_event": "plan_it"}}
    assert step["fallback"] == other
    words = "or, only where the server refuses that spelling of the event"
    for flags in ((), ("-v",)):
        shown = there.planops("diff", *flags).out
        assert f'{words}: PUT {path} {{"plan": {{"aasm_event": "plan"}}}}' in shown
    markdown = there.planops("diff", "--format", "markdown").out
    assert f"{words}: `PUT {path}`" in markdown.replace("<code>", "`").replace("</code>", "`")
    assert '"aasm_event": "plan"\n' in markdown


def test_the_difference_shows_one_spelling_where_the_settings_give_it(there: There) -> None:
    there.settings("    lifecycle: {events: {plan_it: plan}}\n")
    there.brpm.switch(plan_event="plan")
    there.plan(state="planned")
    (step,) = there.place.json("diff").json["changes"][0]["steps"][1:]
    assert (step["body"], step["fallback"]) == ({"plan": {"aasm_event": "plan"}}, None)
    assert there.planops("apply", "--yes").code == ExitCode.OK
    assert there.events() == ["plan"]


def test_the_fall_over_is_remembered_for_the_run(there: There) -> None:
    there.brpm.switch(plan_event="plan")
    for name in ("a", "b", "c"):
        there.plan(name, state="planned")
        there.plant(name)
    assert there.planops("apply", "--yes").code == ExitCode.OK
    assert there.events() == ["plan_it", "plan", "plan", "plan"]


def test_a_server_with_another_lifecycle_is_a_matter_of_settings(there: There) -> None:
    there.brpm.switch(states={"started": "in_progress", "hold": "paused"})
    there.plan(state="complete")
    there.plant(aasm_state="started")
    ended = there.planops("apply", "--yes")
    assert ended.code == ExitCode.OK
    assert "planops does not know the state in_progress" in ended.out
    assert there.brpm.writes == ()
    there.settings(
        "    lifecycle:\n      states: {in_progress: started, paused: hold}\n"
        "      edges:\n"
        "        - {event: plan_it, from: [created], to: planned}\n"
        "        - {event: start, from: [planned], to: started}\n"
        "        - {event: finish, from: [started], to: complete}\n"
        "        - {event: archive, from: [complete], to: archived}\n"
    )
    assert there.planops("apply", "--yes").code == ExitCode.OK
    assert there.events() == ["finish"]


# ------------------------------------------------------------------------------- other commands


def test_the_route_of_a_brpm_plan_is_told_without_a_server(there: There) -> None:
    shown = there.planops("lifecycle", "brpm", "--from", "created", "--to", "complete")
    assert shown.code == ExitCode.OK
    for step in ("created → planned", "planned → started", "started → complete"):
        assert step in shown.out
    stopped = there.planops("lifecycle", "brpm", "--from", "hold", "--to", "complete")
    assert "→" not in stopped.out
    revived = there.planops("lifecycle", "brpm", "--from", "hold", "--to", "complete", "--reopen")
    for step in ("hold → started", "started → complete"):
        assert step in revived.out
    wrong = there.planops("lifecycle", "brpm", "--from", "planning", "--to", "complete")
    assert wrong.code == ExitCode.USAGE
    assert "lifecycle: BRPM has no state 'planning'" in wrong.err
    assert there.brpm.received == ()


def test_the_document_of_the_lifecycle_is_printed(there: There) -> None:
    printed = there.planops("lifecycle", "brpm", "--format", "markdown").out
    document = (ROOT / "docs/servers/brpm-lifecycle.md").read_text()
    assert document.endswith(printed.partition("```mermaid")[2])


def test_a_plan_of_another_kind_keeps_its_target_from_being_called(there: There) -> None:
    there.place.plan("zadig")
    there.plan()
    ended = there.planops("apply", "--yes")
    assert ended.code == ExitCode.FAILED
    assert "a `ZadigReleasePlan` is not for the target `prod`, which is a brpm server" in ended.out
    assert there.brpm.received == ()


def test_two_kinds_of_servers_are_one_run_with_one_report(there: There) -> None:
    there.settings(
        "  zadig:\n    backend: zadig\n"
        f"    url: {there.place.url}\n    token: ${{env:ZADIG_TOKEN}}\n    adopt-by-name: true\n"
    )
    there.plan(state="started")
    file = there.folder / "plans/train.yaml"
    file.write_text(file.read_text().replace("{name: train}", "{name: train, target: prod}"))
    there.place.plan("other", target="zadig")
    assert there.planops("apply", "--yes").code == ExitCode.OK
    report = there.place.json("diff", "--exit-code")
    assert report.code == ExitCode.OK
    assert [one["backend"] for one in report.json["targets"]] == ["brpm", "zadig"]
    assert [plan["name"] for plan in there.place.zadig.plans()] == ["Plan other"]
    assert {plan["name"] for plan in there.brpm.plans()} == {"Sample Plan", "Plan train"}
    there.brpm.faults.add(Fault("status-before", nth=None, status=403))
    report = there.place.json("diff")
    assert report.code == ExitCode.FAILED
    assert [bool(one["error"]) for one in report.json["targets"]] == [True, False]


def test_the_examples_of_both_servers_become_what_they_say(
    there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "examples", there.folder / "examples")
    settings = there.folder / "examples/planops.yaml"
    served = settings.read_text().replace("http://127.0.0.1:8766/brpm", there.url)
    settings.write_text(served.replace("http://127.0.0.1:8765", there.place.url))
    assert there.url in served
    for file in settings.parent.rglob("*.yaml"):
        file.write_text(later(file.read_text()))
    monkeypatch.chdir(settings.parent)
    assert there.planops("validate").code == ExitCode.OK
    shown = there.place.json("diff", "plans/brpm/sample.yaml", "--exit-code")
    assert shown.code == ExitCode.OK
    assert [one["deltas"] for one in shown.json["changes"]] == [[]]
    assert there.planops("apply", "--yes").code == ExitCode.OK
    assert len(there.place.zadig.plans()) == 5
    states = {one["name"]: one["aasm_state"] for one in there.brpm.plans()}
    assert states == {
        "Sample Plan": "created",
        "Backoffice 2026.12": "created",
        "Mainframe 2026.12": "started",
        "Mainframe 2026.12 - hotfix": "planned",
    }
    ended = there.place.json("diff", "--exit-code")
    assert ended.code == ExitCode.OK
    assert {change["outcome"] for change in ended.json["changes"]} <= {"unchanged", "parked"}
    assert len(there.place.json("diff", "-l", "team=core").json["changes"]) == 2


# ------------------------------------------------------------------------------------ the token

ECHO = f"<a href='/brpm/v1/plans?token={quote(TOKEN, safe='')}'>{TOKEN}</a>".encode()
FAILURES: dict[str, dict[str, Any]] = {
    "403": {"kind": "status-before", "status": 403, "body": ECHO},
    "404": {"kind": "status-before", "status": 404, "body": ECHO},
    "422": {"kind": "status-before", "status": 422, "body": ECHO},
    "422 in words": {
        "kind": "status-before",
        "status": 422,
        "body": f'{{"name": ["{TOKEN} has already been taken"]}}'.encode(),
    },
    "500 with a page": {"kind": "status-after", "status": 500, "body": FAILED_PAGE + ECHO},
    "dropped before": {"kind": "drop-before"},
    "dropped after": {"kind": "drop-after"},
    "truncated": {"kind": "truncate"},
    "garbage": {"kind": "garbage-json"},
    "a page": {"kind": "html"},
    "a redirect": {
        "kind": "redirect",
        "location": f"https://elsewhere.example.com/?token={quote(TOKEN, safe='')}",
    },
}


def check_hushed(there: There, ended: Ended, caplog: pytest.LogCaptureFixture) -> None:
    files = [there.folder / name for name in ("r.json", "r.md")]
    written = [file.read_text() for file in files if file.exists()]
    for said in (ended.out, ended.err, caplog.text, *written):
        assert not [form for form in FORMS if form in said], said
    assert any(written)


def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no command wait between two tries."""
    monkeypatch.setattr("planops.cli.clock.SystemClock.sleep", lambda *_: None)


@pytest.mark.parametrize("what", FAILURES)
@pytest.mark.parametrize("path", ["list", "create", "update", "show"])
def test_the_token_is_nowhere_whatever_goes_wrong(
    there: There,
    path: str,
    what: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    patient(monkeypatch)
    caplog.set_level(logging.DEBUG)
    there.plan("new", state="planned")
    there.plan("old", state="started", description="Ours")
    there.plant("old", aasm_state="planned")
    there.brpm.faults.add(Fault(path=path, nth=None, **FAILURES[what]))
    ended = there.planops("apply", "--yes", "-vv", *SINKS)
    assert ended.code in {ExitCode.FAILED, ExitCode.PARTIAL, ExitCode.UNKNOWN, ExitCode.OK}
    assert there.brpm.faults.struck
    assert "GET /v1/plans 2" in ended.err or path == "list"
    check_hushed(there, ended, caplog)


@pytest.mark.parametrize(
    "url", ["{host}", "{host}/elsewhere", "http://127.0.0.1:9/brpm", "https://{port}/brpm"]
)
def test_the_token_is_nowhere_whatever_the_address(
    there: There,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    patient(monkeypatch)
    caplog.set_level(logging.DEBUG)
    host = there.url.removesuffix("/brpm")
    there.settings(url=url.format(host=host, port=host.removeprefix("http://")))
    there.plan()
    for words in (("diff", *SINKS), ("status", *SINKS), ("apply", "--yes", *SINKS)):
        ended = there.planops(*words, "-vv")
        assert ended.code == ExitCode.FAILED
        check_hushed(there, ended, caplog)


def test_the_token_is_nowhere_even_where_a_file_or_the_server_holds_it(
    there: There, caplog: pytest.LogCaptureFixture
) -> None:
    there.plan("new", description=TOKEN)
    there.plan("old", description="Ours")
    there.plant("old", description=f"{TOKEN} as they know it")
    for words in (("diff", "-vv", *SINKS), ("apply", "--yes", "-vv", *SINKS)):
        ended = there.planops(*words)
        assert ended.code == ExitCode.OK
        files = [(there.folder / name).read_text() for name in ("r.json", "r.md")]
        for said in (ended.out, ended.err, caplog.text, *files):
            assert TOKEN not in said


@pytest.mark.parametrize("words", [("diff",), ("status",), ("apply", "--yes")])
def test_a_token_that_is_not_accepted_is_told(there: There, words: tuple[str, ...]) -> None:
    there.brpm.revoke_token(TOKEN)
    there.plan(plan_template_name="Sample Deploy Template")
    ended = there.planops(*words)
    assert ended.code == ExitCode.FAILED
    assert "the token is not accepted, or lacks the right (403)" in ended.out
