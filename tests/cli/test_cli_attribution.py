"""Who and when in what the commands print: git's side of an edit, the server's side of drift."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.place import TEXT, TOKEN, Ended, Place
from planops.core.report import ExitCode
from planops.sandbox.zadig.faults import Fault
from planops.sandbox.zadig.visitor import Visitor

START = 1_793_577_600  # 2026-11-02
LOGS = "/api/aslan/release_plan/v1/*/logs"


@pytest.fixture
def kept(place: Place) -> Place:
    """A plan that was applied, with a ledger, so that drift can be told from edits."""
    place.ledgered("local", "drift: report")
    write(place)
    commit(place, "Plan the train")
    ended = place.planops("apply", "--yes")
    assert ended.code == ExitCode.OK, ended.both
    return place


def write(place: Place, *, state: str = "", **changed: str) -> None:
    """Write the plan, a line a field."""
    fields = {"description": "one", "content": "Hello", "remark": "soon", **changed}
    lines = (
        "apiVersion: planops/v1",
        "kind: ZadigReleasePlan",
        "metadata: {name: train}",
        "spec:",
        "  name: Train",
        "  manager: patrick",
        f"  description: {fields['description']}",
        "  jobs:",
        "    - name: Announce",
        "      type: text",
        f"      spec: {{content: {fields['content']}}}",
        *([f"state: {state}"] if state else []),
    )
    place.write("plans/train.yaml", "\n".join(lines) + "\n")


def commit(place: Place, subject: str, author: str = "Ann", at: int = START) -> str:
    """Commit everything as an author, at a time; the full id."""
    place.git("add", "--all")
    who = f"--author={author} <a@example.com>"
    place.git("commit", "--quiet", "--message", subject, who, f"--date={at} +0000")
    return place.git("rev-parse", "HEAD").strip()


def the_plan(place: Place) -> str:
    (plan,) = place.zadig.plans()
    return str(plan["id"])


def alice(place: Place, verb: str, spec: object, who: str = "alice") -> int:
    """Edit the plan in the web interface; when that was."""
    reply = Visitor(place.zadig, place.url).edit(the_plan(place), verb, spec, who=who)
    assert reply.status == 200, reply
    return int(place.zadig.plans()[0]["update_time"])


def minute(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%MZ")


def change(ended: Ended) -> Any:
    (found,) = ended.json["changes"]
    return found


def asked_logs(place: Place) -> list[str]:
    return [one.path for one in place.zadig.received if one.path.endswith("/logs")]


def test_an_edit_in_git_is_told_with_its_commit(kept: Place) -> None:
    write(kept, description="two")
    made = commit(kept, "Reword it", "Bob")
    out = kept.planops("diff").out
    assert f"\n      git {made[:8]} by Bob, 2026-11-02 (Reword it)\n" in out
    assert asked_logs(kept) == []
    (delta,) = change(kept.json("diff"))["deltas"]
    assert delta["git"] == {
        "settled": "committed",
        "line": 7,
        "commit": made,
        "author": "Bob",
        "at": "2026-11-02T00:00:00Z",
        "subject": "Reword it",
    }
    shown = kept.planops("diff", "--format", "markdown").out
    assert f"\n- git <code>{made[:8]}</code> by Bob, <code>2026-11-02</code> (Reword it)\n" in shown


def test_several_commits_are_told_with_their_lines(kept: Place) -> None:
    write(kept, description="two")
    first = commit(kept, "Reword it", "Bob")
    write(kept, description="two", content="Bye")
    out = kept.planops("diff").out
    assert f"git {first[:8]} by Bob, 2026-11-02 (Reword it): line 7\n" in out
    assert "git: not committed: line 11\n" in out


def test_a_goal_that_was_set_in_git_is_told(kept: Place) -> None:
    write(kept, state="finish_planning")
    made = commit(kept, "Finish planning", "Carl")
    assert f"git {made[:8]} by Carl, 2026-11-02 (Finish planning)\n" in kept.planops("diff").out
    assert change(kept.json("diff"))["state"]["git"]["author"] == "Carl"


def test_what_was_filled_in_is_laid_to_what_it_was_filled_in_to(place: Place) -> None:
    place.git("init", "--quiet", "--initial-branch=main")
    place.waiting()
    made = commit(place, "Ask Alice", "Bob")
    found = change(place.json("diff"))
    looked_up = [delta for delta in found["deltas"] if delta["path"].endswith("/user_name")]
    assert [delta["git"]["commit"] for delta in looked_up] == [made]
    assert "has lost" not in place.planops("diff").out


def test_what_the_file_no_longer_has_is_told_with_its_last_change(kept: Place) -> None:
    file = kept.folder / "plans" / "train.yaml"
    file.write_text(file.read_text().replace("  description: one\n", ""))
    made = commit(kept, "Let it go", "Bob")
    (delta,) = change(kept.json("diff"))["deltas"]
    assert delta["cause"] == "released"
    assert (delta["git"]["commit"], delta["git"]["line"]) == (made, 0)
    said = f"git {made[:8]} by Bob, 2026-11-02 (Let it go): last change of the file, which has lost"
    assert f"{said} description\n" in kept.planops("diff").out


def test_drift_is_told_with_the_servers_user(kept: Place) -> None:
    at = alice(kept, "update_description", {"description": "hers"})
    for command in ("diff", "drift"):
        assert f"\n      server by Alice, {minute(at)}\n" in kept.planops(command).out
    (delta,) = change(kept.json("drift"))["deltas"]
    assert delta["server"]["by"] == "Alice"
    assert delta["server"]["witness"] == "history"
    assert delta["git"]["subject"] == "Plan the train"
    assert len(asked_logs(kept)) == 3  # one a run


def test_each_field_has_its_own_hand(kept: Place) -> None:
    job = kept.zadig.plans()[0]["jobs"][0]
    given = {"id": job["id"], "name": job["name"], "type": "text", "spec": {"content": "Hers"}}
    alice(kept, "update_release_job", given)
    alice(kept, "update_description", {"description": "his"}, who="patrick")
    out = kept.planops("drift").out
    assert ": content\n" in next(line + "\n" for line in out.splitlines() if "by Alice" in line)
    assert ": description\n" in next(
        line + "\n" for line in out.splitlines() if "by Patrick" in line
    )


def test_a_conflict_is_told_on_both_sides(kept: Place) -> None:
    at = alice(kept, "update_description", {"description": "hers"})
    write(kept, description="ours")
    made = commit(kept, "Reword it", "Bob")
    out = kept.planops("diff").out
    assert f"git {made[:8]} by Bob, 2026-11-02 (Reword it)\n" in out
    assert f"server by Alice, {minute(at)}\n" in out


def test_who_stopped_a_plan_is_told_by_the_history(kept: Place) -> None:
    write(kept, state="finish_planning")
    commit(kept, "Finish planning")
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    visitor = Visitor(kept.zadig, kept.url)
    assert visitor.move(the_plan(kept), "planning", who="patrick").status == 200
    out = kept.planops("drift").out
    assert "\n      server by Patrick, " in out
    assert ": moved to planning\n" in out
    assert change(kept.json("drift"))["state"]["server"]["by"] == "Patrick"
    assert "a person: stopped by Patrick" in kept.planops("status").out


@pytest.mark.parametrize("status", [403, 404, 500])
def test_where_the_history_is_not_shown_the_last_edit_is(status: int, kept: Place) -> None:
    at = alice(kept, "update_description", {"description": "hers"})
    said = {"code": status, "message": "Internal Error: ", "description": "get user: away"}
    fault = Fault(
        "status-before",
        method="GET",
        path=LOGS,
        nth=None,
        status=status,
        body=json.dumps(said).encode(),
    )
    kept.zadig.faults.add(fault)
    ended = kept.planops("drift")
    assert len(asked_logs(kept)) == 1
    assert f"server by Alice, {minute(at)} (last edit)\n" in ended.out
    assert ended.err.count("error") == 0


def test_a_token_that_may_not_see_one_history_asks_for_no_other(kept: Place) -> None:
    kept.plan("other", description="one", jobs=[TEXT])
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    visitor = Visitor(kept.zadig, kept.url)
    for plan in kept.zadig.plans():
        visitor.edit(str(plan["id"]), "update_description", {"description": "x"}, who="alice")
    assert kept.planops("drift").out.count("server by Alice, ") == 2
    assert len(asked_logs(kept)) == 2
    kept.zadig.faults.add(Fault("status-before", method="GET", path=LOGS, nth=None, status=403))
    assert kept.planops("drift").out.count(" (last edit)\n") == 2
    assert len(asked_logs(kept)) == 3


def test_an_edit_that_the_history_lacks_is_not_laid_to_another(kept: Place) -> None:
    kept.zadig.edit(the_plan(kept), {"description": "theirs"}, "Bob")
    assert "server by Bob, " in kept.planops("drift").out
    assert change(kept.json("drift"))["deltas"][0]["server"]["witness"] == "last-edit"


def test_what_apply_reports_is_who_did_it_before(kept: Place) -> None:
    file = kept.folder / "planops.yaml"
    file.write_text(file.read_text().replace("drift: report", "drift: correct"))
    commit(kept, "Correct drift")
    alice(kept, "update_description", {"description": "hers"})
    ended = kept.planops("apply", "--yes")
    assert ended.code == ExitCode.OK, ended.both
    assert "server by Alice, " in ended.out
    assert kept.zadig.plans()[0]["description"] == "one"


def test_hostile_names_are_only_text(kept: Place) -> None:
    write(kept, description="two")
    commit(kept, "::error::x @team \x1b[2J", "A\x1b]0;x\x07 <script> @all")
    for form in ("text", "markdown", "json"):
        out = kept.planops("diff", "--format", form).out
        assert "\x1b" not in out
        assert "\x07" not in out
    assert "<script>" not in kept.planops("diff", "--format", "markdown").out
    assert "@all" not in kept.planops("diff", "--format", "markdown").out


def test_plans_in_sync_start_no_process_of_git(kept: Place, tmp_path: Path) -> None:
    """Git is called for the report's head, and for nothing else."""
    log = tmp_path / "trace"
    environment = {"GIT_TRACE": str(log)}
    assert kept.process("diff", environment=environment).code == ExitCode.OK
    assert "blame" not in log.read_text()
    write(kept, description="two")
    assert kept.process("status", environment=environment).code == ExitCode.OK
    assert "blame" not in log.read_text()
    assert kept.process("diff", environment=environment).code == ExitCode.OK
    assert "blame" in log.read_text()


def test_outside_a_repository_nothing_is_told(place: Place) -> None:
    place.plan(jobs=[TEXT])
    ended = place.json("diff")
    assert all("git" not in delta for delta in change(ended)["deltas"])
    assert TOKEN not in json.dumps(ended.json)
    assert subprocess.run(["git", "log"], check=False, capture_output=True).returncode  # noqa: S607
