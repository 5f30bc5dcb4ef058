"""What is left when something goes wrong after the first call was made: the report, always."""

from __future__ import annotations

import errno
import importlib
import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from cli.adopting import PLAIN, ledgered
from cli.place import TEXT, TOKEN, Ended, Place
from planops import adopting, reconcile, settling
from planops.backends.zadig.backend import ZadigBackend
from planops.cli import apply
from planops.cli.session import Running
from planops.core.report import ExitCode
from planops.errors import ServerSaidNo
from planops.git import blame
from planops.git.ledger import GitLedger
from planops.run import Target
from planops.sandbox.zadig.faults import Fault

FORMATS = ("text", "json", "markdown", "github", "gitlab", "sarif", "junit")


def broken(*_words: object, **_more: object) -> NoReturn:
    raise KeyError(f"oops {TOKEN}")


def undrawable(monkeypatch: pytest.MonkeyPatch, *kinds: str) -> None:
    """Let formats have a bug."""
    for kind in kinds:
        monkeypatch.setattr(importlib.import_module(f"planops.render.{kind}"), "text", broken)


def told(ended: Ended, outcome: str = "applied") -> bool:
    """Tell whether standard error says in a bare line what became of the plan."""
    return f"planops: prod/train: {outcome} (the plan " in ended.err


# ----------------------------------------------------------------------------------- the formats


@pytest.mark.parametrize("kind", FORMATS)
def test_a_format_that_cannot_be_drawn_takes_no_other_with_it(
    kind: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.plan()
    undrawable(monkeypatch, kind)
    others = [each for each in FORMATS if each != kind]
    files = [word for each in others for word in ("-f", f"{each}=out/{each}")]
    ended = place.planops("apply", "--yes", "-f", f"{kind}=out/{kind}", *files, "-f", others[0])
    assert ended.code == ExitCode.BUG
    assert len(place.zadig.plans()) == 1
    assert sorted(path.name for path in (place.folder / "out").iterdir()) == sorted(others)
    assert ended.out == (place.folder / "out" / others[0]).read_text()
    assert f"planops: bug in planops: the report cannot be drawn as {kind}: KeyError;" in ended.err
    assert told(ended)
    assert TOKEN not in ended.both


def test_where_no_format_can_be_drawn_it_is_still_said_what_was_done(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZADIG_TOKEN", "p%:,\"<&'{x}9")
    place.zadig.issue_token("admin", "p%:,\"<&'{x}9")
    place.plan(jobs=[TEXT])
    place.zadig.faults.add(
        Fault("status-before", method="PATCH", status=403, body=b'{"description":"{x}9 no"}')
    )
    undrawable(monkeypatch, *FORMATS)
    ended = place.planops("apply", "--yes", "-f", "json=a.json", "-f", "text")
    assert (ended.code, ended.out) == (ExitCode.BUG, "")
    assert told(ended, "failed")
    assert "), 1 of 2 calls made: PATCH " in ended.err
    assert not (place.folder / "a.json").exists()
    assert place.planops("diff", "-f", "sarif").code == ExitCode.BUG


def test_what_cannot_be_shown_is_not_asked_about(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.plan()
    undrawable(monkeypatch, "text")
    monkeypatch.setattr(apply, "can_ask", lambda: True)
    ended = place.planops("apply")
    assert ended.code == ExitCode.BUG
    assert ended.err.endswith("planops: nothing was applied: it could not be shown\n")
    assert place.zadig.plans() == ()


def test_a_link_that_leads_to_itself_is_no_bug(place: Place) -> None:
    place.plan()
    (place.folder / "loop").symlink_to("loop")
    ended = place.planops("apply", "--yes", "-f", "json=loop", "-f", "text")
    assert ended.code == ExitCode.OK
    assert '"Plan train"' in ended.out
    assert json.loads((place.folder / "loop").read_text())["exit_code"] == 0


# --------------------------------------------------------------------------------- the one target


@pytest.fixture
def kept(place: Place) -> Place:
    """A repository with a ledger, and a plan to be made."""
    place.ledgered()
    place.plan(jobs=[TEXT])
    place.commit()
    return place


def after_a_call(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]) -> None:
    """Do something as soon as the first call is made."""
    send = ZadigBackend.send

    def sending(self: ZadigBackend, *words: Any) -> str:
        found = send(self, *words)
        deed()
        return found

    monkeypatch.setattr(ZadigBackend, "send", sending)


def test_a_change_that_cannot_be_shown_any_more_is_told_without_its_values(
    kept: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_a_call(monkeypatch, lambda: monkeypatch.setattr(blame, "blame", broken))
    files = [word for kind in FORMATS for word in ("-f", f"{kind}=out/{kind}")]
    ended = kept.planops("apply", "--yes", *files, "-f", "text")
    assert ended.code == ExitCode.BUG
    assert "cannot be drawn" not in ended.err
    (change,) = json.loads((kept.folder / "out" / "json").read_text())["changes"]
    assert (change["outcome"], change["deltas"]) == ("applied", [])
    assert [step["result"] for step in change["steps"]] == ["done", "done"]
    assert "bug in planops: the change cannot be shown: KeyError" in ended.out
    assert TOKEN not in ended.both
    monkeypatch.undo()
    book = GitLedger(root=kept.folder, ref="refs/planops/ledger/prod", remote=None).load()
    assert (sorted(book.records), book.intents, book.lease) == (["train"], {}, None)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyError("oops"), ExitCode.BUG, "not recorded: bug in planops: KeyError"),
        (ServerSaidNo("GET /x: no; look"), ExitCode.UNKNOWN, "not recorded: GET /x: no; look"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_cannot_be_worked_out_for_the_ledger_hides_no_call(
    error: Exception, code: ExitCode, said: str, kept: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_words: object) -> NoReturn:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(settling, "settled", failing)
        ended = kept.planops("apply", "--yes")
    assert ended.code == code
    assert said in ended.out
    assert 'train  "Plan train"  plans/train.yaml:1  applied' in ended.out
    assert len(kept.zadig.plans()) == 1


def test_what_is_only_noted_and_cannot_be_is_told(
    kept: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kept.planops("apply", "--yes").code == ExitCode.OK
    monkeypatch.setattr(settling, "settled", broken)
    ended = kept.planops("apply", "--yes")
    assert ended.code == ExitCode.BUG
    assert "note: not recorded: bug in planops: KeyError" in ended.out


def test_a_bug_at_one_target_loses_no_report_of_another(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.settings("one", "two")
    place.plan("a", target="one")
    place.plan("b", target="two")
    really = reconcile.apply

    def applying(target: Target, *words: Any) -> Any:
        return really(target, *words) if target.name == "one" else broken()

    monkeypatch.setattr(reconcile, "apply", applying)
    ended = place.json("apply", "--yes")
    assert ended.code == ExitCode.BUG
    assert [(one["key"], one["outcome"]) for one in ended.json["changes"]] == [("a", "applied")]
    assert ended.json["targets"][1]["error"] == "bug in planops: KeyError"
    assert "planops: bug in planops: two: KeyError; please report it" in ended.err
    assert TOKEN not in ended.both


@pytest.mark.parametrize(
    "words",
    [
        ("diff",),
        ("apply", "--yes"),
        ("drift",),
        ("status",),
        ("adopt", "--all", "--yes"),
        ("review", "--base", "HEAD"),
    ],
    ids=" ".join,
)
def test_a_bug_while_looking_at_one_target_loses_no_report_of_another(
    words: tuple[str, ...], place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zadig = f"backend: zadig, url: '{place.url}', token: '${{env:ZADIG_TOKEN}}'"
    ledgered(place, tmp_path / "origin.git", zadig, zadig)
    place.plan("a", target="prod")
    place.commit()
    monkeypatch.setenv("PLANOPS_SECRETS", "ZADIG_TOKEN")
    really = Running.target
    monkeypatch.setattr(
        Running, "target", lambda at, name: really(at, name) if name == "prod" else broken()
    )
    ended = place.json(*words)
    assert ended.code == ExitCode.BUG
    errors = [target["error"] for target in ended.json["targets"]]
    assert errors == ["", "bug in planops: KeyError"]
    assert "planops: bug in planops: other: KeyError; please report it" in ended.err
    assert TOKEN not in ended.both


def test_a_bug_before_the_first_call_gives_the_lease_back(
    kept: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(reconcile, "_work", broken)
        assert kept.planops("apply", "--yes").code == ExitCode.BUG
    book = GitLedger(root=kept.folder, ref="refs/planops/ledger/prod", remote=None).load()
    assert (book.lease, book.intents, kept.zadig.plans()) == (None, {}, ())
    assert kept.planops("apply", "--yes").code == ExitCode.OK


def credential(value: str) -> dict[str, Any]:
    """A job of which one input is a credential."""
    kv = {"key": "KEY", "value": value, "is_credential": True}
    inputs = {"job_name": "run", "job_type": "freestyle", "parameters": {"kv": [kv]}}
    spec = {"workflow_key": "deploy", "project_key": "shop", "inputs": [inputs]}
    return {"name": "Deploy", "type": "workflow", "spec": spec}


def test_a_server_that_repeats_a_credential_makes_nobody_read_it(kept: Place) -> None:
    kept.plan(jobs=[TEXT, credential("cr3dential")])
    kept.commit()
    body = b'{"code":400,"description":"bad value cr3dential for KEY"}'
    kept.zadig.faults.add(Fault("status-before", method="POST", status=400, body=body))
    files = [word for kind in FORMATS for word in ("-f", f"{kind}=out/{kind}")]
    ended = kept.planops("apply", "--yes", *files, "-f", "text")
    assert ended.code == ExitCode.FAILED
    assert "the server refused: bad value *** for KEY" in ended.out
    texts = [ended.both, *(path.read_text() for path in (kept.folder / "out").iterdir())]
    assert [text for text in texts if "cr3dential" in text] == []


def test_a_bug_that_names_a_credential_makes_nobody_read_it(
    kept: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_words: object) -> NoReturn:
        raise ValueError("cannot send 'cr3dential'")

    kept.plan(jobs=[TEXT, credential("cr3dential")])
    kept.commit()
    monkeypatch.setattr(ZadigBackend, "send", failing)
    ended = kept.planops("apply", "--yes")
    assert ended.code == ExitCode.BUG
    assert "bug in planops: ValueError: cannot send '***'" in ended.out
    assert "cr3dential" not in ended.both


@pytest.mark.parametrize("how", ["no temporary folder", "no process"])
def test_where_git_cannot_be_called_any_more_it_is_told_and_no_bug(
    how: str, kept: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_words: object, **_more: object) -> NoReturn:
        raise OSError(errno.EMFILE, "Too many open files")

    def deed() -> None:
        if how == "no process":
            monkeypatch.setattr(subprocess, "Popen", refused)
        else:
            monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))

    after_a_call(monkeypatch, deed)
    ended = kept.planops("apply", "--yes")
    assert ended.code == ExitCode.UNKNOWN
    assert "not recorded: " in ended.out
    assert ": git cannot be called: " in ended.out
    assert '"Plan train"  plans/train.yaml:1  applied' in ended.out


# ------------------------------------------------------------------------------------- adopting


def test_a_bug_in_the_last_look_hides_no_file_that_was_written(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledgered(place, tmp_path / "origin.git")
    place.plant(jobs=[PLAIN])
    with monkeypatch.context() as patch:
        patch.setattr(adopting, "verified", broken)
        ended = place.json("adopt", "--all", "--yes")
    assert ended.code == ExitCode.BUG
    assert [one["outcome"] for one in ended.json["changes"]] == ["applied"]
    said = "adopted, but what the next diff says is not known: bug in planops: KeyError"
    assert ended.json["targets"][0]["error"] == said
    assert TOKEN not in ended.both


def test_a_bug_in_recording_hides_no_file_that_was_written(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledgered(place, tmp_path / "origin.git")
    place.plant(jobs=[PLAIN])
    with monkeypatch.context() as patch:
        patch.setattr(GitLedger, "write", broken)
        ended = place.json("adopt", "--all", "--yes")
    assert ended.code == ExitCode.BUG
    assert [one["outcome"] for one in ended.json["changes"]] == ["applied"]
    assert ended.json["targets"][0]["unrecorded"] == "bug in planops: KeyError"
