"""Signals and words that nobody hears of: no report is lost for their sake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.adopting import PLAIN, ledgered
from cli.place import Place
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
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
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
