"""``planops review``: two commits against one observation, the settings always the base's."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from cli.place import TEXT, Ended, Place
from planops.core.report import ExitCode
from planops.sandbox.server import serve
from planops.sandbox.zadig import ZadigSandbox


@pytest.fixture
def kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A repository with two applied plans, on a branch that is to be merged."""
    place.reviewable(monkeypatch)
    place.commit()
    assert place.planops("apply", "--yes").code == ExitCode.OK
    place.git("checkout", "--quiet", "-b", "feature")
    return place


def reviewed(place: Place, *words: str) -> Ended:
    """Commit what was changed, go back, and review it from there."""
    place.commit()
    place.git("checkout", "--quiet", "main")
    return place.json("review", "--base", "main", "--head", "feature", *words)


def share(ended: Ended, key: str = "train") -> Any:
    """What of a plan's change the pull request causes."""
    (change,) = (one for one in ended.json["changes"] if one["key"] == key)
    return change["review"]


def test_an_edit_is_caused_and_what_is_shown_is_what_is_applied(kept: Place) -> None:
    kept.plan(description="two", jobs=[TEXT])
    ended = reviewed(kept)
    assert ended.code == ExitCode.OK
    assert share(ended)["caused"] == ["/spec/description"]
    assert (share(ended)["there"], share(ended)["alarm"], share(ended)["risk"]) == (
        [], False, "routine",
    )  # fmt: skip
    assert share(ended, "other")["causes"] is False
    review = ended.json["review"]
    assert review["base"] == kept.git("rev-parse", "main").strip()
    assert review["head"] == kept.git("rev-parse", "feature").strip()
    assert (review["clean"], review["offline"], review["settings"]) == (True, False, [])
    (mark,) = (c["fingerprint"] for c in ended.json["changes"] if c["review"]["causes"])
    kept.git("merge", "--quiet", "--no-ff", "--no-edit", "feature")
    assert kept.planops("apply", "--expect", mark).code == ExitCode.OK
    assert {one["description"] for one in kept.zadig.plans()} == {"one", "two"}


def test_nothing_is_written_and_nothing_is_checked_out(kept: Place) -> None:
    kept.plan(description="two", jobs=[TEXT])
    kept.commit()
    kept.git("checkout", "--quiet", "main")
    before = (kept.zadig.plans(), len(kept.zadig.writes), kept.git("for-each-ref"))
    ended = kept.planops("review", "--base", "main", "--head", "feature")
    assert "prod: plans on the server: 2, in files: 2\n" in ended.err  # not those of both sides
    assert (kept.zadig.plans(), len(kept.zadig.writes), kept.git("for-each-ref")) == before
    assert kept.git("status", "--porcelain") == ""


def test_drift_is_already_there(kept: Place) -> None:
    ids = {str(one["name"]): str(one["id"]) for one in kept.zadig.plans()}
    for name in ("Plan train", "Plan other"):
        kept.zadig.edit(ids[name], {"description": "theirs"})
    kept.plan(description="one", jobs=[{**TEXT, "spec": {"content": "Bye"}}])
    ended = reviewed(kept)
    assert share(ended)["caused"] == ["/spec/jobs/text:Announce/spec/content"]
    assert share(ended)["there"] == ["/spec/description"]
    assert share(ended)["risk"] == "attention"
    other = share(ended, "other")
    assert (other["causes"], other["there"]) == (False, ["/spec/description"])


def test_taking_over_what_the_server_has_settles_drift(kept: Place) -> None:
    (id_,) = (str(one["id"]) for one in kept.zadig.plans() if one["name"] == "Plan train")
    kept.zadig.edit(id_, {"description": "theirs"})
    kept.plan(description="theirs", jobs=[TEXT])
    ended = reviewed(kept)
    assert share(ended)["settled"] == ["/spec/description"]
    assert (share(ended)["caused"], share(ended)["there"]) == ([], [])


@pytest.mark.parametrize(
    "how", ["a comment", "white space", "the order of keys", "a label", "another place"]
)
def test_what_has_no_effect_on_the_server_says_so(kept: Place, how: str) -> None:
    file = kept.folder / "plans/train.yaml"
    text = file.read_text()
    match how:
        case "a comment":
            file.write_text(f"# checked\n{text}")
        case "white space":
            file.write_text(text.replace("metadata: {", "metadata:   {"))
        case "a label":
            file.write_text(text.replace("labels: {}", "labels: {team: payments}"))
        case "the order of keys":
            file.write_text("".join(reversed(text.splitlines(keepends=True))))
        case _:
            (kept.folder / "plans/deep").mkdir()
            file.rename(kept.folder / "plans/deep/train.yaml")
    ended = reviewed(kept)
    told = share(ended)
    assert (told["touched"], told["causes"]) == (True, False)
    assert ended.json["summary"]["update"] == 0
    shown = kept.planops("review", "--base", "main", "--head", "feature", "-f", "text").out
    nothing = "nothing comes (such as white space, comments, labels, a move):"
    assert f"Changed files of which {nothing}" in shown


def test_a_new_plan_and_one_whose_file_goes(kept: Place) -> None:
    kept.plan("new", description="three")
    kept.git("rm", "--quiet", "plans/other.yaml")
    ended = reviewed(kept)
    assert share(ended, "new")["caused"] == ["/spec/description", "/spec/manager", "/spec/name"]
    gone = share(ended, "other")
    assert (gone["removed"], gone["causes"], gone["calls"]) == (True, True, False)
    ended = kept.json("review", "--base", "main", "--head", "feature", "--prune")
    gone = share(ended, "other")
    assert (gone["calls"], gone["risk"]) == (True, "attention")
    assert ended.code == ExitCode.OK


def test_without_a_ledger_a_plan_whose_file_goes_is_named(kept: Place) -> None:
    kept.git("checkout", "--quiet", "main")
    kept.ledgered("none", "adopt-by-name: true")
    kept.commit()
    kept.git("checkout", "--quiet", "-B", "feature")
    kept.git("rm", "--quiet", "plans/other.yaml")
    ended = reviewed(kept)
    assert ended.json["review"]["dropped"] == ["prod/other"]


def test_a_goal_and_rules_that_are_changed_are_told(kept: Place) -> None:
    kept.waiting(description="one")
    file = kept.folder / "plans/train.yaml"
    file.write_text(f"{file.read_text()}manage: {{protect: true}}\n")
    told = share(reviewed(kept))
    assert (told["goal"], told["manages"], told["risk"]) == (True, ["protect"], "attention")


def test_a_plan_that_changes_though_its_file_does_not_is_an_alarm(kept: Place) -> None:
    """Once a file goes, the name of its plan is free, and what waited for it is made."""
    kept.git("checkout", "--quiet", "main")
    for key, name in (("other", "Plan last"), ("late", "Plan other")):
        file = kept.plan(key, description="one")
        file.write_text(file.read_text().replace(f"Plan {key}", name))
    kept.commit()
    kept.git("checkout", "--quiet", "-B", "feature")
    kept.git("rm", "--quiet", "plans/other.yaml")
    ended = reviewed(kept, "--prune")
    told = share(ended, "late")
    assert (told["touched"], told["guards"], told["alarm"]) == (False, True, True)


def test_what_is_refused_because_of_it_ends_with_3(kept: Place) -> None:
    (id_,) = (str(one["id"]) for one in kept.zadig.plans() if one["name"] == "Plan train")
    kept.zadig.edit(id_, {"description": "theirs"})
    kept.plan(description="two", jobs=[TEXT])
    ended = reviewed(kept)
    assert ended.code == ended.json["exit_code"] == ExitCode.REFUSED
    assert (share(ended)["risk"], ended.json["review"]["risk"]) == ("blocked", "blocked")
    kept.git("checkout", "--quiet", "feature")
    kept.plan(description="one", jobs=[TEXT])
    kept.plan("other", description="two", jobs=[TEXT])
    kept.commit()
    kept.git("checkout", "--quiet", "main")
    kept.plan(description="mine", jobs=[TEXT])
    kept.commit()
    ended = kept.json("review", "--base", "main", "--head", "feature")
    assert share(ended)["causes"] is False
    assert ended.code == ExitCode.OK  # it is refused without this, too


def test_a_head_that_conflicts_is_reviewed_as_it_is(kept: Place) -> None:
    kept.plan(description="two", jobs=[TEXT])
    kept.commit()
    kept.git("checkout", "--quiet", "main")
    kept.plan(description="three", jobs=[TEXT])
    kept.commit()
    ended = kept.json("review", "--base", "main", "--head", "feature")
    assert ended.json["review"]["clean"] is False
    assert share(ended)["caused"] == ["/spec/description"]


def test_offline_needs_neither_server_nor_credentials(
    kept: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZADIG_TOKEN")
    monkeypatch.delenv("PLANOPS_SECRETS")
    approval = {
        "enabled": True,
        "type": "native",
        "native_approval": {
            "timeout": 60,
            "needed_approvers": 1,
            "approve_users": [{"account": "alice"}, {"account": "bob"}],
        },
    }
    kept.plan(description="two", jobs=[TEXT], approval=approval)
    kept.plan("new", description="three")
    since = len(kept.zadig.received)
    ended = reviewed(kept, "--offline")
    assert ended.code == ExitCode.OK
    assert len(kept.zadig.received) == since
    assert ended.json["review"]["offline"] is True
    assert (ended.json["review"]["risk"], share(ended)["risk"]) == (None, None)
    assert share(ended)["caused"] == ["/spec/approval", "/spec/description"]
    assert {one["fingerprint"] for one in ended.json["changes"]} == {""}
    assert {one["key"]: one["kind"] for one in ended.json["changes"]} == {
        "new": "create", "other": "unchanged", "train": "update",
    }  # fmt: skip


@pytest.fixture
def elsewhere() -> Iterator[tuple[ZadigSandbox, str]]:
    """A second server, which must receive nothing."""
    with closing(ZadigSandbox()) as zadig, serve(zadig.app) as at:
        yield zadig, at.url


@pytest.mark.parametrize("command", ["review", "diff", "apply", "drift", "status"])
def test_a_pull_request_reaches_no_other_server_and_lifts_no_limit(
    kept: Place,
    elsewhere: tuple[ZadigSandbox, str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    other, url = elsewhere
    for number in range(8):
        kept.plan(f"new-{number}", description="three")
    limits = "{mass-change: 100%, mass-change-floor: 99, delete: 99}"
    kept.ledgered(url=url, token="${env:HOME_TOKEN}", limits=limits)
    kept.write("planops.yml", "")
    monkeypatch.setenv("HOME_TOKEN", "stolen")
    kept.commit()
    monkeypatch.setenv("PLANOPS_BASE", "main")
    words = ["--yes"] if command == "apply" else []
    writes = len(kept.zadig.writes)
    ended = kept.json(command, *words) if command != "status" else kept.planops(command)
    assert other.received == ()
    assert len(kept.zadig.writes) == writes
    assert "planops.yaml is not as the base" in ended.both
    if command in {"review", "apply"}:
        assert ended.code == ExitCode.REFUSED
        assert "mass-change" in ended.out


@pytest.mark.parametrize(
    "event", ["pull_request_review", "pull_request_review_comment", "workflow_run", "invented"]
)
@pytest.mark.parametrize("command", ["diff", "drift", "status"])
def test_every_event_of_a_pull_request_reads_the_base_s_settings(
    kept: Place,
    elsewhere: tuple[ZadigSandbox, str],
    monkeypatch: pytest.MonkeyPatch,
    event: str,
    command: str,
) -> None:
    """They check out the pull request, and have the secrets of the repository."""
    other, url = elsewhere
    kept.ledgered(url=url, token="${env:HOME_TOKEN}")
    monkeypatch.setenv("HOME_TOKEN", "stolen")
    kept.commit()
    head, base = (kept.git("rev-parse", name).strip() for name in ("feature", "main"))
    run = {"event": "pull_request", "head_sha": head, "head_branch": "feature"}
    held = {
        "repository": {"full_name": "a/b"},
        "pull_request": {"number": 7, "head": {"sha": head}, "base": {"sha": base, "ref": "main"}},
        "workflow_run": {**run, "head_repository": {"owner": {"login": "x"}}},
    }
    file = kept.folder.parent / "event.json"
    file.write_text(json.dumps(held))
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "a/b",
        "GITHUB_API_URL": "http://127.0.0.1:1",
        "GITHUB_SERVER_URL": "https://github.example.com",
        "GITHUB_RUN_ID": "1",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(file),
        "GITHUB_REF": "refs/heads/main" if event == "workflow_run" else "refs/pull/7/merge",
    }.items():
        monkeypatch.setenv(name, value)
    ended = kept.planops(command)
    assert other.received == ()
    known = event.startswith("pull_request")
    assert ("is not as the base" if known else "set PLANOPS_BASE") in ended.both


def test_only_listed_variables_are_read(kept: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANOPS_SECRETS", "OTHER, THIRD")
    since = len(kept.zadig.received)
    ended = kept.json("review", "--base", "main")
    assert ended.code == ExitCode.FAILED
    assert ended.json["targets"][0]["error"] == (
        "${env:ZADIG_TOKEN}: in a review, and in a pull request's build, only variables that the"
        " operator lists are read; set PLANOPS_SECRETS=ZADIG_TOKEN where this runs"
    )
    assert ended.json["review"]["dropped"] == []  # of what was not read nothing is gone
    assert len(kept.zadig.received) == since


def test_a_secret_or_certificate_that_is_changed_is_not_used(kept: Place) -> None:
    kept.git("checkout", "--quiet", "main")
    kept.write("secret", "sandbox-admin-token\n")
    kept.ledgered(token="${file:secret}")
    kept.commit()
    kept.git("checkout", "--quiet", "-B", "feature")
    assert kept.planops("review", "--base", "main").code == ExitCode.OK
    kept.write("secret", "another\n")
    kept.commit()
    since = len(kept.zadig.received)
    ended = kept.json("review", "--base", "main")
    assert ended.code == ExitCode.FAILED
    assert "secret: it is not as the base" in ended.json["targets"][0]["error"]
    assert ended.json["review"]["settings"] == ["secret"]
    assert len(kept.zadig.received) == since


def test_settings_that_a_pull_request_brings_are_used_once_merged(kept: Place) -> None:
    kept.git("checkout", "--quiet", "--orphan", "empty")
    kept.git("rm", "--quiet", "-r", "-f", ".")
    kept.write("README", "nothing yet\n")
    kept.commit()
    ended = kept.planops("review", "--base", "empty", "--head", "feature")
    assert ended.code == ExitCode.FAILED
    assert "what a pull request brings is used once it is merged" in ended.both


def test_links_of_a_commit_are_not_followed(kept: Place) -> None:
    (kept.folder / "plans/link.yaml").symlink_to("/etc/hostname")
    (kept.folder / "plans/more").symlink_to("..")
    since = len(kept.zadig.received)
    ended = reviewed(kept)
    assert ended.code == ExitCode.FAILED
    told = {one["file"]: one["message"] for one in ended.json["problems"]}
    assert told["plans/link.yaml"] == (
        "the file cannot be read: it is a symbolic link, and in a commit none is followed"
    )
    assert "plans/more" in told
    assert len(kept.zadig.received) == since


def test_a_clone_that_is_too_shallow_takes_no_plan_away(
    kept: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a checkout of two commits of a pull request's trial merge is, for one."""
    kept.plan(description="two", jobs=[TEXT])
    kept.commit()
    kept.git("checkout", "--quiet", "main")
    kept.plan("later", description="three")
    kept.commit()
    kept.git("checkout", "--quiet", "-b", "trial")
    kept.git("merge", "--quiet", "--no-ff", "--no-edit", "feature")
    clone, there = kept.folder.parent / "clone", f"file://{kept.folder}"
    kept.git("clone", "--quiet", "--depth", "2", "--branch", "trial", there, str(clone))
    monkeypatch.chdir(clone)
    ended = kept.planops("review", "--offline", "--base", "HEAD^1", "--head", "HEAD^2")
    assert ended.code == ExitCode.FAILED
    assert "fetch the whole history" in ended.err
    assert ended.out == ""


@pytest.mark.parametrize("name", [b"\xff", b"a\nb", b"a\x1b[31m", "a\u202eb".encode()])
def test_a_name_that_nobody_can_see_is_wrong_before_it_is_merged(kept: Place, name: bytes) -> None:
    file = kept.plan("new", description="three")
    os.rename(os.fsencode(file), os.fsencode(file.parent) + b"/" + name + b".yaml")  # noqa: PTH104
    assert kept.planops("validate").code == ExitCode.FAILED
    ended = reviewed(kept)
    assert ended.code == ExitCode.FAILED
    assert {one["code"] for one in ended.json["problems"]} == {"file-name"}


def test_settings_that_are_nearer_once_they_are_merged_are_pointed_out(kept: Place) -> None:
    kept.git("checkout", "--quiet", "main")
    kept.write("deploy/README", "nothing yet\n")
    kept.commit()
    kept.git("checkout", "--quiet", "-B", "feature")
    kept.write("deploy/planops.yaml", (kept.folder / "planops.yaml").read_text())
    ended = reviewed(kept, "-C", "deploy")
    assert ended.code == ExitCode.OK
    assert ended.json["review"]["settings"] == ["deploy/planops.yaml"]
    kept.git("checkout", "--quiet", "feature")
    ended = kept.json("review", "-C", "deploy", "--base", "main")
    assert ended.json["review"]["settings"] == ["deploy/planops.yaml"]


def endless(kept: Place, tree: str) -> str:
    """Make a tree that holds a tree ten times in each of ten, and so on: 10^12 files, in 1 kB."""
    for _ in range(12):
        tree = made(kept, *(f"040000 tree {tree}\td{number}" for number in range(10)))
    return tree


def made(kept: Place, *rows: str) -> str:
    return subprocess.run(
        ["git", "mktree"],  # noqa: S607
        cwd=kept.folder, input="".join(f"{row}\n" for row in rows),
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


def test_plans_without_end_are_not_read_to_their_end(kept: Place) -> None:
    held = kept.git("ls-tree", "main").splitlines()
    tree = endless(kept, kept.git("rev-parse", "main:plans").strip())
    rows = [row for row in held if not row.endswith("\tplans")]
    head = kept.git(
        "commit-tree",
        "-p",
        "main",
        "-m",
        "endless",
        made(kept, *rows, f"040000 tree {tree}\tplans"),
    ).strip()
    ended = kept.planops("review", "--base", "main", "--head", head)
    assert ended.code == ExitCode.FAILED
    assert "has more than 100000 files where the globs begin" in ended.err


def test_what_lies_beside_the_plans_is_not_read_at_all(kept: Place) -> None:
    kept.plan(description="two", jobs=[TEXT])
    kept.commit()
    held = kept.git("ls-tree", "HEAD").splitlines()
    tree = endless(kept, kept.git("rev-parse", "main:plans").strip())
    head = kept.git(
        "commit-tree", "-p", "main", "-m", "endless", made(kept, *held, f"040000 tree {tree}\tz")
    ).strip()
    ended = kept.json("review", "--base", "main", "--head", head)
    assert share(ended)["caused"] == ["/spec/description"]


def test_a_link_to_a_file_that_is_no_plan_is_in_nobody_s_way(kept: Place) -> None:
    kept.write("README.md", "how plans are written\n")
    (kept.folder / "plans/README.md").symlink_to("../README.md")
    kept.plan(description="two", jobs=[TEXT])
    assert kept.planops("validate").code == ExitCode.OK
    ended = reviewed(kept)
    assert ended.code == ExitCode.OK
    assert share(ended)["caused"] == ["/spec/description"]
    kept.git("checkout", "--quiet", "feature")
    (kept.folder / "plans/up").symlink_to("more/../../README.md")
    ended = reviewed(kept)
    assert {one["file"] for one in ended.json["problems"]} == {"plans/up"}


def test_very_many_links_are_looked_at_together(kept: Place) -> None:
    for number in range(300):
        kept.write(f"notes/{number}.md", "a note\n")
        (kept.folder / f"plans/{number}.md").symlink_to(f"../notes/{number}.md")
    (kept.folder / "plans/gone").symlink_to("../notes/none.md")
    (kept.folder / "plans/out").symlink_to("../../notes/1.md")
    ended = reviewed(kept)
    assert {one["file"] for one in ended.json["problems"]} == {"plans/gone", "plans/out"}


def test_a_link_above_the_folder_where_a_glob_begins_is_not_followed(kept: Place) -> None:
    globs = "plans: ['plans/**/*.yaml', far/team/a/*.yaml, ':(glob)/**/*.yaml']"
    settings = (kept.folder / "planops.yaml").read_text()
    kept.git("checkout", "--quiet", "main")
    kept.write("planops.yaml", settings.replace("plans: [plans/**/*.yaml]", globs))
    kept.write("far/README.md", "plans of far teams\n")
    kept.commit()
    kept.git("checkout", "--quiet", "-B", "feature")
    plan = kept.plan("odd", description="two")
    (kept.folder / ":(glob)").mkdir()
    plan.rename(kept.folder / ":(glob)/odd.yaml")
    assert "/spec/name" in share(reviewed(kept), "odd")["caused"]
    kept.git("checkout", "--quiet", "feature")
    (kept.folder / "far/team").symlink_to("elsewhere")
    ended = reviewed(kept)
    assert {one["file"] for one in ended.json["problems"]} == {"far/team"}


@pytest.mark.parametrize("words", [(), ("--offline",)])
def test_a_file_that_was_wrong_before_is_pointed_out(kept: Place, words: tuple[str, ...]) -> None:
    kept.git("checkout", "--quiet", "main")
    good = (kept.folder / "plans/train.yaml").read_text()
    kept.write("plans/train.yaml", f"{good}oops: 1\n")
    kept.commit()
    kept.git("checkout", "--quiet", "-B", "feature")
    kept.write("plans/train.yaml", good)
    ended = reviewed(kept, *words)
    assert ended.code == ExitCode.OK
    (problem,) = ended.json["problems"]
    assert (problem["code"], problem["severity"]) == ("wrong-base", "warning")
    assert "its plans look new" in problem["message"]


def test_a_file_that_is_wrong_stops_its_target(kept: Place) -> None:
    kept.write("plans/bad.yaml", "kind: ZadigReleasePlan\nkind: Twice\n")
    since = len(kept.zadig.received)
    ended = reviewed(kept)
    assert ended.code == ExitCode.FAILED
    assert {one["file"] for one in ended.json["problems"]} == {"plans/bad.yaml"}
    assert len(kept.zadig.received) == since


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), ExitCode.USAGE, "nobody says what is merged into"),
        (("--pull-request", "3"), ExitCode.USAGE, "no forge says what it is; name --base, and"),
        (("--pull-request", "3", "--base", "main"), ExitCode.USAGE, "no forge says what it is"),
        (("--base", "nowhere"), ExitCode.FAILED, "this clone does not hold it; fetch it"),
        (("--base", "--all"), ExitCode.FAILED, "this clone does not hold it; fetch it"),
        (("--base", "main", "--head", "a..b"), ExitCode.FAILED, "this clone does not hold it"),
    ],
)
def test_what_cannot_be_compared_is_said(
    kept: Place, words: tuple[str, ...], code: ExitCode, said: str
) -> None:
    ended = kept.planops("review", *words)
    assert (ended.code, said in ended.err) == (code, True)
    assert "Traceback" not in ended.err
