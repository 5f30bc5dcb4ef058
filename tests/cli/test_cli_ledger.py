"""A ledger as a user meets it: drift, log, show, unlock, and what another run does."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from cli.adopting import REF, held_by, ledger_of, released
from cli.place import TEXT, Place
from planops.cli.writer import Writer
from planops.core.ledger import Intent, Lease, intent_document
from planops.core.report import ExitCode


@pytest.fixture
def kept(place: Place, tmp_path: Path) -> Place:
    """The repository, with a remote and a ledger in it."""
    origin = tmp_path / "origin.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(origin)], check=True)  # noqa: S603, S607
    place.git("remote", "add", "origin", str(origin))
    place.ledgered("git")
    return place


def made(place: Place) -> str:
    """Apply one plan, and give its id."""
    place.plan(description="one", jobs=[TEXT])
    place.commit()
    ended = place.planops("apply", "--yes")
    assert ended.code == ExitCode.OK, ended.both
    (plan,) = place.zadig.plans()
    return str(plan["id"])


def test_apply_records_and_the_log_tells(kept: Place) -> None:
    made(kept)
    commit = kept.git("rev-parse", "HEAD").strip()
    shown = kept.planops("log")
    assert (shown.code, shown.err) == (ExitCode.OK, "")
    first, second, third = shown.out.splitlines()
    assert first.endswith("  prod  apply prod: train")
    assert second == f"    From: {commit}"
    assert third.startswith("    By: ")
    assert kept.planops("log", "train").out == shown.out
    other = kept.planops("log", "other")
    assert (other.code, other.out) == (ExitCode.OK, "")
    assert other.err == "planops: log: prod: its ledger records nothing of `other`\n"
    assert kept.planops("ledger", "show").out == "prod: 1 record, lease free\n"
    assert kept.git("status", "--porcelain") == ""


def test_a_log_of_nothing_says_so(kept: Place) -> None:
    shown = kept.planops("log")
    assert (shown.code, shown.out) == (ExitCode.OK, "")
    assert shown.err == "planops: log: prod: its ledger records nothing yet\n"


def test_recovering_says_what_it_settled_and_of_nothing_else_that_it_is_in_sync(
    kept: Place,
) -> None:
    made(kept)
    kept.plan(description="two", jobs=[TEXT])
    kept.commit()
    ended = kept.planops("ledger", "recover", "--yes")
    assert ended.code == ExitCode.OK
    assert "note: nothing was left open\n" in ended.out
    assert ended.out.endswith("\nNothing to do.\n")
    begun = Intent(key="gone", kind="ZadigReleasePlan", op="create", name="Gone", at=1)
    ledger = ledger_of(kept)
    ledger.write(ledger.tip(), dict([intent_document(begun)]), "begin", 1)
    ended = kept.planops("ledger", "recover", "--yes")
    assert ended.code == ExitCode.OK
    said = "note: an earlier run began to create gone, whose file is gone: settled\n"
    assert said in ended.out
    assert "nothing was left open" not in ended.out
    assert "not settled" not in kept.planops("ledger", "show").out


def test_the_log_tells_which_records_were_opened_and_closed_without_a_call(kept: Place) -> None:
    id_ = made(kept)
    kept.plant("other", jobs=[{**TEXT, "id": "j", "status": ""}])
    kept.plan("other", jobs=[TEXT])
    kept.commit()
    assert kept.planops("apply", "--yes", "--adopt-by-name").code == ExitCode.OK
    assert kept.planops("log", "other").out.splitlines()[0].endswith("  note prod: record other")
    kept.zadig.edit(id_, {"status": "success"})
    kept.git("rm", "--quiet", "plans/train.yaml")
    kept.plan("other", description="new", jobs=[TEXT])
    kept.commit()
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    said = "  apply prod: other; close train"
    assert kept.planops("log", "train", "-n", "1").out.splitlines()[0].endswith(said)


@pytest.mark.parametrize("key", ["*", "t*", "../intents/train", "", "Train"])
def test_what_is_no_key_is_not_looked_for_in_the_log(kept: Place, key: str) -> None:
    made(kept)
    ended = kept.planops("log", key)
    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert f"log `{key}`: that is no key of a plan; write 1 to 100 lower-case" in ended.err


def test_drift_is_told_apart_from_edits_and_ends_with_2(kept: Place) -> None:
    id_ = made(kept)
    assert kept.planops("drift").code == ExitCode.OK
    kept.plan(description="two", jobs=[TEXT])
    assert kept.planops("drift").code == ExitCode.OK
    assert kept.planops("diff", "--exit-code").code == ExitCode.CHANGES
    kept.plan(description="one", jobs=[TEXT])
    kept.zadig.edit(id_, {"description": "theirs"}, "Bob")
    ended = kept.json("drift")
    assert ended.code == ended.json["exit_code"] == ExitCode.CHANGES
    (change,) = ended.json["changes"]
    assert [(delta["path"], delta["cause"]) for delta in change["deltas"]] == [
        ("/spec/description", "drift")
    ]


def test_a_plan_of_the_name_is_recorded_once_it_is_adopted(kept: Place) -> None:
    kept.plant("train", jobs=[{**TEXT, "id": "j", "status": ""}], description="one")
    kept.plan(description="one", jobs=[TEXT])
    kept.commit()
    assert kept.planops("apply", "--yes").code == ExitCode.REFUSED
    assert kept.planops("apply", "--yes", "--adopt-by-name").code == ExitCode.OK
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    assert kept.planops("ledger", "show").out == "prod: 1 record, lease free\n"


def test_an_old_commit_is_refused(kept: Place) -> None:
    made(kept)
    kept.plan(description="two", jobs=[TEXT])
    kept.commit()
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    kept.git("checkout", "--quiet", "HEAD~1")
    ended = kept.planops("apply", "--yes")
    assert ended.code == ExitCode.REFUSED
    assert "refused by rewind" in ended.out
    assert "apply a commit that does, and fetch the whole history where this clone" in ended.out
    assert kept.zadig.plans()[0]["description"] == "two"
    assert kept.planops("apply", "--yes", "--allow", "rewind").code == ExitCode.OK
    assert kept.zadig.plans()[0]["description"] == "one"


def dead_holder(place: Place) -> None:
    """The lease of a process that ended here."""
    gone = subprocess.Popen(["true"])  # noqa: S607
    gone.wait()
    held_by(place, f"{Writer.of({}).run.partition('/')[0]}/{gone.pid}/x")


def test_another_run_is_waited_for_or_told(kept: Place) -> None:
    made(kept)
    held_by(kept, "elsewhere/1/x")
    kept.plan(description="two", jobs=[TEXT])
    since = len(kept.zadig.writes)
    ended = kept.json("apply", "--yes")
    assert ended.code == ended.json["exit_code"] == ExitCode.BUSY
    assert ended.json["outcome"] == "busy"
    assert "ci@runner is writing (run elsewhere/1/x, https://ci/7)" in str(ended.json["targets"])
    assert len(kept.zadig.writes) == since
    assert kept.planops("diff").code == ExitCode.OK
    shown = kept.planops("ledger", "show").out
    assert "lease held by ci@runner, run elsewhere/1/x https://ci/7" in shown


def test_a_lease_is_taken_away_by_hand(kept: Place) -> None:
    made(kept)
    assert kept.planops("ledger", "unlock").out == "prod: nobody holds the lease\n"
    held_by(kept, "elsewhere/1/x")
    ended = kept.planops("ledger", "unlock")
    assert ended.code == ExitCode.USAGE
    assert "nobody can be asked here whether ci@runner, run elsewhere/1/x is dead" in ended.err
    ended = kept.planops("ledger", "unlock", "--yes")
    assert ended.out == "prod: the lease of ci@runner, run elsewhere/1/x is taken away\n"
    kept.plan(description="two", jobs=[TEXT])
    assert kept.planops("apply", "--yes").code == ExitCode.OK


def test_a_lease_that_cannot_be_read_is_somebodys(kept: Place) -> None:
    made(kept)
    ledger = ledger_of(kept)
    ledger.write(ledger.load().tip, {"lease.json": b'{"format": 2}'}, "begin", 1_700_000_000)
    kept.plan(description="two", jobs=[TEXT])
    since = len(kept.zadig.writes)
    ended = kept.json("apply", "--yes")
    assert ended.code == ExitCode.FAILED
    assert ended.json["targets"][0]["error"] == (
        "lease.json: the ledger's lease cannot be read: its format is newer than 1;"
        " upgrade planops; if no other run is writing, planops ledger unlock"
    )
    assert len(kept.zadig.writes) == since
    told = kept.planops("ledger", "unlock", "--yes").out
    assert told == "prod: the lease of somebody unknown is taken away\n"
    assert kept.planops("apply", "--yes").code == ExitCode.OK


def test_unlocking_lets_what_is_on_its_way_arrive_first(kept: Place) -> None:
    """Nobody knows when the dead run sent its last call: the next one waits from now on."""
    made(kept)
    ledger = ledger_of(kept)
    begun = Intent(key="train", kind="ZadigReleasePlan", op="create", name="Train", at=7)
    ledger.write(ledger.load().tip, dict([intent_document(begun)]), "begin", 1_700_000_000)
    held_by(kept, "elsewhere/1/x")
    before = int(time.time())
    assert kept.planops("ledger", "unlock", "--yes").code == ExitCode.OK
    assert before <= ledger.load().intents["train"].at <= int(time.time())


def test_a_holder_that_died_here_holds_nothing(kept: Place) -> None:
    made(kept)
    me = Writer.of({})
    dead_holder(kept)
    kept.plan(description="two", jobs=[TEXT])
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    alive = Lease(holder="", run=f"{me.run.partition('/')[0]}/{os.getpid()}/x", until=0, seconds=1)
    assert me.knows_dead(alive) is False


def test_a_holder_in_another_container_of_this_host_name_may_be_alive(kept: Place) -> None:
    """Its number is in no use here, where processes are counted apart."""
    made(kept)
    gone = subprocess.Popen(["true"])  # noqa: S607
    gone.wait()
    me = Writer.of({})
    here = me.run.partition("/")[0]
    assert me.knows_dead(Lease(holder="", run=f"{here}/{gone.pid}/x", until=0, seconds=1)) is True
    for there in (socket.gethostname(), f"{socket.gethostname()}:00000000"):
        held_by(kept, f"{there}/{gone.pid}/x")
        kept.plan(description="two", jobs=[TEXT])
        assert kept.planops("apply", "--yes").code == ExitCode.BUSY
        released(kept)


def test_a_remote_that_takes_nothing_stops_the_target_before_any_call(kept: Place) -> None:
    hook = Path(kept.git("remote", "get-url", "origin").strip()) / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    kept.plan(jobs=[TEXT])
    kept.commit()
    ended = kept.planops("apply", "--yes")
    assert ended.code == ExitCode.FAILED
    assert f"origin {REF}: the ledger cannot be written: " in ended.out
    assert kept.zadig.writes == ()


def test_what_cannot_be_recorded_is_unknown_and_found_by_the_next_run(kept: Place) -> None:
    hook = Path(kept.git("remote", "get-url", "origin").strip()) / "hooks" / "pre-receive"
    hook.write_text('#!/bin/sh\ntest -e "$0.seen" && exit 1\ntouch "$0.seen"\n')
    hook.chmod(0o755)
    kept.plan(jobs=[TEXT])
    kept.commit()
    ended = kept.planops("apply", "--yes")
    assert ended.code == ExitCode.UNKNOWN
    assert "not recorded: " in ended.out
    hook.unlink()
    dead_holder(kept)
    kept.ledgered("git", "timeouts: {total: 0.5}")  # a lost call may take so long
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    assert len(kept.zadig.plans()) == 1
    assert kept.planops("ledger", "show").out == "prod: 1 record, lease free\n"


def test_without_a_remote_there_is_a_way(place: Place) -> None:
    place.ledgered("git")
    place.plan(jobs=[TEXT])
    place.commit()
    ended = place.planops("diff")
    assert ended.code == ExitCode.FAILED
    assert "there is no such remote; name one by ledger.remote, or set the ledger's mode" in (
        ended.out
    )
    place.ledgered("local")
    assert place.planops("apply", "--yes").code == ExitCode.OK
    assert place.git("rev-parse", "--verify", REF).strip()


@pytest.mark.parametrize("words", [("log",), ("ledger", "show"), ("ledger", "unlock")])
def test_where_no_ledger_is_kept_that_is_said(place: Place, words: tuple[str, ...]) -> None:
    ended = place.planops(*words)
    assert ended.code == ExitCode.USAGE
    assert "set ledger: {mode: git} in planops.yaml" in ended.err


LINKS = {
    "https://github.example.com/a/b/actions/runs/7": {
        "GITHUB_SERVER_URL": "https://github.example.com",
        "GITHUB_REPOSITORY": "a/b",
        "GITHUB_RUN_ID": "7",
    },
    "https://gitlab.example.com/j/1": {"CI_JOB_URL": "https://gitlab.example.com/j/1"},
    "": {"GITHUB_RUN_ID": "7"},
}


@pytest.mark.parametrize("link", LINKS)
def test_a_run_is_signed_with_the_link_that_ci_gives(link: str) -> None:
    assert Writer.of(LINKS[link]).link == link


def left_open(kept: Place) -> None:
    """A run died after it made a plan, and before it wrote that down."""
    begun = Intent(key="train", kind="ZadigReleasePlan", op="create", name="Plan train")
    ledger = ledger_of(kept)
    ledger.write(ledger.load().tip, dict([intent_document(begun)]), "begin", 1_700_000_000)


def test_recovering_finishes_what_was_begun_and_nothing_else(kept: Place) -> None:
    kept.plan(jobs=[TEXT])
    kept.plan("other", jobs=[TEXT])
    kept.commit()
    left_open(kept)
    ended = kept.json("ledger", "recover", "--yes")
    assert ended.code == ExitCode.OK
    assert [one["key"] for one in ended.json["changes"]] == ["train"]
    assert [one["name"] for one in kept.zadig.plans()] == ["Plan train"]
    assert kept.planops("ledger", "show").out == "prod: 1 record, lease free\n"
    since = len(kept.zadig.writes)
    assert kept.planops("ledger", "recover", "--yes").code == ExitCode.OK
    assert len(kept.zadig.writes) == since


def test_recovering_where_nobody_can_be_asked_wants_a_yes(kept: Place) -> None:
    ended = kept.planops("ledger", "recover")
    assert ended.code == ExitCode.USAGE
    assert "ledger recover: nobody can be asked here" in ended.err


def test_a_remote_that_says_nothing_ends_the_run(kept: Place) -> None:
    kept.ledgered("git, timeout: 0.4")
    kept.plan(description="one", jobs=[TEXT])
    kept.commit()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kept.git("remote", "set-url", "origin", f"git://127.0.0.1:{silent.getsockname()[1]}/x")
        ended = kept.planops("apply", "--yes")
    assert ended.code == ExitCode.FAILED
    assert (
        f"origin {REF}: the ledger cannot be read: git ls-remote was not done within 0.4 seconds;"
        " check the remote, or give it more time by ledger.timeout"
    ) in " ".join(ended.both.split())
    assert kept.zadig.plans() == ()


def test_a_repository_of_somebody_else_ends_the_run(
    kept: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.plan(description="one", jobs=[TEXT])
    kept.commit()
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    ended = kept.planops("apply", "--yes")
    assert ended.code == ExitCode.FAILED
    assert "--add safe.directory" in " ".join(ended.both.split())
    assert kept.zadig.plans() == ()


def test_without_a_ledger_nobody_knows_what_drift_is(place: Place) -> None:
    """An edit in git would look like none, and a change on the server like an edit."""
    place.plan(description="one")
    ended = place.json("drift")
    assert ended.code == ExitCode.FAILED
    assert "it keeps no ledger" in ended.json["targets"][0]["error"]
    assert place.zadig.received == ()
