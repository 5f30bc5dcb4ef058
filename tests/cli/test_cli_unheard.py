"""Signals and words that nobody hears of: no report is lost for their sake."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.adopting import PLAIN, ledgered
from cli.place import HEARING, Place
from planops.core.report import ExitCode
from planops.manifests import planting
from planops.sandbox.zadig.faults import Fault

PATIENCE = 30.0


def gone() -> int:
    """A pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


STREAMS: Mapping[str, Callable[[], int]] = {
    "a reader that left": gone,
    "a full disk": lambda: os.open("/dev/full", os.O_WRONLY),
}


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("-f", "sarif=/dev/null/x"), ExitCode.FAILED),
        (("--expect", "0123456789abcdef"), ExitCode.STALE),
    ],
    ids=["a file that cannot be written", "an approval that is over"],
)
def test_what_cannot_be_said_on_standard_error_costs_no_report(
    words: Iterable[str], code: ExitCode, stream: str, place: Place
) -> None:
    place.plan()
    writer = STREAMS[stream]()
    more = ("-f", "junit=b.xml", "-f", "text")
    with place.start("apply", "--yes", "-f", "json=a.json", *words, *more, stderr=writer) as run:
        os.close(writer)
        out, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == code
    assert out.startswith("planops apply")
    assert sorted(path.name for path in place.folder.glob("?.*")) == ["a.json", "b.xml"]


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_nobody_hears_of_costs_no_report(
    number: signal.Signals, stream: str, place: Place
) -> None:
    place.plan("a")
    place.plan("b")
    come = threading.Event()
    place.zadig.faults.add(
        Fault("edit-after", method="POST", edit=come.set),
        Fault("delay", method="POST", seconds=0.5),
    )
    writer = STREAMS[stream]()
    with place.start("apply", "--yes", "-f", "json", stderr=writer) as run:
        os.close(writer)
        assert come.wait(PATIENCE)
        run.send_signal(number)
        out, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == ExitCode.TERMINATED
    assert [one["outcome"] for one in json.loads(out)["changes"]] == ["applied", "skipped"]


def test_a_slow_reader_of_a_pipe_that_does_not_block_gets_all(place: Place) -> None:
    for name in "abc":
        place.plan(name, description="x" * 60_000)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)  # as a parent leaves it that reads its children's words so
    file = place.folder / "a.json"
    with place.start("diff", "-f", "json", "-f", f"json={file}", stdout=writer) as run:
        os.close(writer)
        for _ in range(int(PATIENCE * 20)):
            if file.exists():
                break
            threading.Event().wait(0.05)
        threading.Event().wait(0.5)  # the pipe is full by now
        with os.fdopen(reader, encoding="utf-8") as stream:
            assert json.loads(stream.read())["summary"]["create"] == 3
        run.communicate(timeout=PATIENCE)
    assert run.returncode == ExitCode.OK


def test_a_wrong_option_that_nobody_hears_of_is_still_wrong_usage(place: Place) -> None:
    writer = gone()
    with place.start("apply", "--nonsense", stdout=subprocess.DEVNULL, stderr=writer) as run:
        os.close(writer)
        assert run.wait(PATIENCE) == ExitCode.USAGE


def test_adopting_that_a_signal_ends_is_no_success(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zadig = f"backend: zadig, url: '{place.url}', token: '${{env:ZADIG_TOKEN}}'"
    ledgered(place, tmp_path / "origin.git", zadig, zadig)
    place.plant(jobs=[PLAIN])
    really = planting.plant

    def planted(*words: Any) -> None:
        really(*words)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(planting, "plant", planted)
    ended = place.json("adopt", "--all", "--yes")
    outcomes = [one["outcome"] for one in ended.json["changes"]]
    assert outcomes == ["applied", "pending"]
    assert ended.code == ExitCode.TERMINATED


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_all_starter_files_or_none(number: signal.Signals, empty: Place) -> None:
    code = (
        f"{HEARING}"
        "from planops.starter import placing; link = placing._link; seen = [];"
        "heard = lambda *words: (link(*words), seen.append(1), len(seen) == 2"
        f" and signal.raise_signal({number.value}));"
        "placing._link = heard; from planops.cli import main; main()"
    )
    with empty.start("init", "--forge", "github", code=code) as run:
        out, err = run.communicate(timeout=PATIENCE)
    interrupted = number is signal.SIGINT
    assert run.returncode == (ExitCode.INTERRUPTED if interrupted else ExitCode.TERMINATED)
    assert err == "planops: stopping after the files are written; again to stop now\n"
    told = {line.removeprefix("wrote ") for line in out.splitlines() if line.startswith("wrote ")}
    there = {path for path in empty.folder.rglob("*") if path.is_file()}
    names = {str(path.relative_to(empty.folder)) for path in there}
    assert {name for name in names if not name.startswith(".git/")} == told
    assert len(told) > 2


SLOW = """#!{python} -S
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
if "{verb}" in sys.argv and os.path.exists("{sent}") and not os.path.exists("{here}"):
    open("{here}", "w").close()
    time.sleep(0.5)
os.execv("{git}", ["git", *sys.argv[1:]])
"""
"""A git that takes its time, once a call to the server was made."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize(
    ("mode", "verb"),
    [("local", "fast-import"), ("local", "update-ref"), ("git", "fast-import"), ("git", "remote")],
)
def test_what_a_terminal_sends_to_a_whole_group_ends_no_writing_of_the_ledger(
    mode: str, verb: str, number: signal.Signals, place: Place, tmp_path: Path
) -> None:
    place.git("init", "--quiet", "--bare", str(tmp_path / "origin.git"))
    place.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    place.ledgered(mode)
    place.plan()
    place.commit()
    sent, here = tmp_path / "sent", tmp_path / "here"
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    git = shutil.which("git")
    slow.write_text(SLOW.format(python=sys.executable, verb=verb, sent=sent, here=here, git=git))
    slow.chmod(0o755)
    code = (
        f"{HEARING} import pathlib;"
        "from planops.backends.zadig.backend import ZadigBackend; send = ZadigBackend.send;"
        f"sent = pathlib.Path({str(sent)!r});"
        "ZadigBackend.send = lambda *words: (sent.touch(), send(*words))[1];"
        "from planops.cli import main; main()"
    )
    more = {"PATH": f"{slow.parent}:{os.environ['PATH']}"}
    words = ("apply", "--yes", "-f", "json")
    with place.start(*words, code=code, environment=more, start_new_session=True) as run:
        for _ in range(int(PATIENCE * 20)):
            if here.exists() or run.poll() is not None:
                break
            threading.Event().wait(0.05)
        os.killpg(run.pid, number)
        out, err = run.communicate(timeout=PATIENCE)
    assert json.loads(out)["targets"][0]["unrecorded"] == ""
    interrupted = number is signal.SIGINT
    assert run.returncode == (ExitCode.INTERRUPTED if interrupted else ExitCode.TERMINATED), err
