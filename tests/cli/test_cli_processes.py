"""Where the process itself matters: terminals, signals, pipes, locales."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.place import START, Place
from planops.core.report import ExitCode
from planops.sandbox.zadig.faults import Fault

PATIENCE = 30.0
PLANS = "/openapi/release_plan/v1"


def changed(place: Place, *names: str) -> None:
    for name in names:
        place.plan(name, description="new")
        place.plant(name, description="old")


def descriptions(place: Place) -> dict[str, str]:
    return {plan["name"]: plan["description"] for plan in place.zadig.plans()}


# --------------------------------------------------------------------------------------- terminals


@dataclass(slots=True, kw_only=True)
class Screen:
    """A process on a terminal: what it shows, and somebody who types."""

    process: subprocess.Popen[str]
    end: int
    shown: str = ""

    def until(self, wanted: str) -> str:
        """Read until something is shown."""
        while wanted not in self.shown and self._more():
            pass
        assert wanted in self.shown, self.shown
        return self.shown

    def rest(self) -> str:
        """Read to the end."""
        while self._more():
            pass
        return self.shown

    def type(self, text: str) -> None:
        os.write(self.end, text.encode())

    def insist(self, deed: Callable[[], object], wanted: str) -> str:
        """Do something until it is heard: Python may be between its prompt and its reading."""
        while wanted not in self.shown and self.process.poll() is None:
            deed()
            while wanted not in self.shown and select.select([self.end], [], [], 1.0)[0]:
                self._more()
        return self.rest()

    def code(self) -> int:
        self.rest()
        return self.process.wait(timeout=PATIENCE)

    def _more(self) -> bool:
        ready, _, _ = select.select([self.end], [], [], PATIENCE)
        try:
            data = os.read(self.end, 65536) if ready else b""
        except OSError:  # Linux's way to say that the other end is closed
            data = b""
        self.shown += data.decode()
        return bool(data)


@contextlib.contextmanager
def screen(place: Place, *words: str, **environment: str) -> Iterator[Screen]:
    """Start a command on a terminal that is also the process's controlling one."""
    ours, theirs = pty.openpty()
    given = {"TERM": "xterm", **environment}
    process = place.start(
        *words,
        code=(f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);{START}"),
        environment=given,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        with process:
            try:
                yield Screen(process=process, end=ours)
            finally:
                process.kill()
    finally:
        os.close(ours)


ASKED = "Apply these changes? [y/N]: "


@pytest.mark.parametrize("answer", ["y\n", "Yes\n"])
def test_yes_applies(answer: str, place: Place) -> None:
    changed(place, "a")
    with screen(place, "apply", "-f", "text", "-f", "json=a.json") as at:
        assert "1 to update" in at.until(ASKED)
        assert descriptions(place) == {"Plan a": "old"}
        at.type(answer)
        assert at.code() == ExitCode.OK
        assert "1 applied." in at.shown
    assert descriptions(place) == {"Plan a": "new"}
    assert json.loads((place.folder / "a.json").read_text())["outcome"] == "applied"


@pytest.mark.parametrize(("answer", "there"), [("y\n", True), ("n\n", False)])
def test_adopting_shows_the_files_and_asks(answer: str, there: bool, place: Place) -> None:  # noqa: FBT001
    place.plant("b", description="one\ntwo\n")
    with screen(place, "adopt", "--all") as at:
        shown = at.until("Write this? [y/N]: ")
        assert "\r\nplans/plan-b.yaml:\r\n  # yaml-language-server: " in shown
        assert "    description: |\r\n" in shown
        assert not (place.folder / "plans").exists()
        at.type(answer)
        assert at.code() == ExitCode.OK
        assert ("planops: nothing was written" in at.shown) is not there
    assert (place.folder / "plans/plan-b.yaml").exists() is there


@pytest.mark.parametrize("answer", ["n\n", "\n", "no\n"])
def test_no_applies_nothing_and_the_report_is_there(answer: str, place: Place) -> None:
    changed(place, "a")
    with screen(place, "apply", "-f", "json=a.json") as at:
        at.until(ASKED)
        at.type(answer)
        assert at.code() == ExitCode.OK
        assert "planops: nothing was applied" in at.shown
    assert descriptions(place) == {"Plan a": "old"}
    assert place.zadig.writes == ()
    assert json.loads((place.folder / "a.json").read_text())["outcome"] == "changes"


def test_something_else_is_asked_again(place: Place) -> None:
    changed(place, "a")
    with screen(place, "apply") as at:
        at.until(ASKED)
        at.type("perhaps\n")
        at.until("Error: invalid input")
        at.type("n\n")
        assert at.code() == ExitCode.OK
    assert place.zadig.writes == ()


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["ctrl-c", "end of input"])
def test_one_key_leaves_the_question(key: str, place: Place) -> None:
    changed(place, "a")
    with screen(place, "apply", "-f", "json=a.json") as at:
        at.until(ASKED)
        assert "planops: nothing was applied" in at.insist(lambda: at.type(key), "nothing")
        assert at.code() == ExitCode.INTERRUPTED
        assert "Traceback" not in at.shown
    assert place.zadig.writes == ()
    assert json.loads((place.folder / "a.json").read_text())["outcome"] == "interrupted"


def test_termination_leaves_the_question(place: Place) -> None:
    changed(place, "a")
    with screen(place, "apply") as at:
        at.until(ASKED)
        assert "nothing was applied" in at.insist(at.process.terminate, "nothing")
        assert at.code() == ExitCode.TERMINATED
    assert place.zadig.writes == ()


def test_where_nothing_is_to_be_done_nobody_is_asked(place: Place) -> None:
    place.plan(description="same")
    place.plant(description="same")
    with screen(place, "apply") as at:
        assert at.code() == ExitCode.OK
        assert "Apply" not in at.shown
        assert "In sync" in at.shown


def test_progress_is_one_line_and_is_gone_when_the_report_comes(place: Place) -> None:
    changed(place, "a")
    with screen(place, "diff", NO_COLOR="1") as at:
        shown = at.rest()
    assert "\r\x1b[K" in shown
    report = shown.index("planops diff")
    assert shown[:report].endswith("\r\x1b[K")
    assert "\n" not in shown[:report]


@pytest.mark.parametrize(
    ("words", "environment", "coloured"),
    [
        ((), {}, True),
        ((), {"NO_COLOR": "1"}, False),
        ((), {"NO_COLOR": ""}, True),
        ((), {"TERM": "dumb"}, False),
        (("--color", "never"), {}, False),
        (("--color", "always"), {"NO_COLOR": "1", "TERM": "dumb"}, True),
    ],
    ids=str,
)
def test_colour_on_a_terminal(
    words: tuple[str, ...],
    environment: dict[str, str],
    place: Place,
    *,
    coloured: bool,
) -> None:
    changed(place, "a")
    with screen(place, "diff", "--quiet", *words, **environment) as at:
        shown = at.rest()
    assert ("\x1b[" in shown) is coloured


def test_a_dumb_terminal_gets_no_sequences_at_all(place: Place) -> None:
    changed(place, "a")
    with screen(place, "diff", TERM="dumb") as at:
        shown = at.rest()
    assert "\x1b" not in shown
    assert "prod: plans on the server: 1, in files: 1\r\n" in shown


def test_colour_into_a_pipe_only_if_asked_for(place: Place) -> None:
    changed(place, "a")
    assert "\x1b" not in place.process("diff").out
    assert "\x1b[" in place.process("diff", "--color", "always").out
    assert "\x1b" not in place.process("diff", "--color", "always", "-f", "json").out


def test_hostile_words_never_reach_a_terminal(place: Place) -> None:
    evil = "x\x1b]0;owned\x07\x1b[2J\u202e\u2066\rok\n::error::x"
    place.plan("a", description="new")
    place.plan("b", description="\u202eevil")
    place.plant("a", description=evil, updated_by=evil)
    body = json.dumps({"code": 403, "description": evil})
    with screen(place, "diff", "-vv", NO_COLOR="1", TERM="dumb") as at:
        shown = at.rest()
    assert not set("\x1b\x07\u202e\u2066") & set(shown)
    assert not re.search(r"^::", shown, re.MULTILINE)
    place.zadig.faults.add(Fault("status-before", nth=None, status=403, body=body.encode()))
    with screen(place, "diff", "-vv", NO_COLOR="1", TERM="dumb") as at:
        shown = at.rest()
        assert at.code() == ExitCode.FAILED
    assert not set("\x1b\x07\u202e\u2066") & set(shown)
    assert not re.search(r"^::", shown, re.MULTILINE)


# ----------------------------------------------------------------------------------------- signals

SIGNALS = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.TERMINATED,
}


def when(place: Place, method: str, path: str) -> threading.Event:
    """Tell when the server has taken a request, whose answer is then late."""
    come = threading.Event()
    place.zadig.faults.add(
        Fault("edit-after", method=method, path=path, edit=come.set),
        Fault("delay", method=method, path=path, seconds=0.5),
    )
    return come


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_lets_the_call_in_flight_end_and_begins_no_other(
    number: signal.Signals, place: Place
) -> None:
    changed(place, "a", "b", "c")
    come = when(place, "PATCH", "*")
    words = ("apply", "--yes", "-f", "json", "-f", "text=a.txt")
    with place.start(*words) as started:
        assert come.wait(PATIENCE)
        started.send_signal(number)
        out, err = started.communicate(timeout=PATIENCE)
    assert started.returncode == SIGNALS[number]
    assert "planops: stopping after the calls in flight; again to stop now" in err
    outcomes = {change["key"]: change["outcome"] for change in json.loads(out)["changes"]}
    assert outcomes == {"a": "applied", "b": "skipped", "c": "skipped"}
    assert json.loads(out)["outcome"] == "interrupted"
    assert len(place.zadig.writes) == 1
    assert descriptions(place) == {"Plan a": "new", "Plan b": "old", "Plan c": "old"}
    assert "Traceback" not in err
    assert (place.folder / "a.txt").read_text().startswith("planops apply")


def test_the_second_signal_ends_at_once(place: Place) -> None:
    changed(place, "a", "b")
    come = threading.Event()
    place.zadig.faults.add(
        Fault("edit-after", method="PATCH", edit=come.set),
        Fault("delay", method="PATCH", seconds=PATIENCE),
    )
    with place.start("apply", "--yes", "-f", "json=a.json") as started:
        assert come.wait(PATIENCE)
        started.terminate()
        assert started.stderr is not None
        while "stopping after" not in started.stderr.readline():
            pass
        started.terminate()
        started.communicate(timeout=PATIENCE / 2)
    assert started.returncode == -signal.SIGTERM
    assert len(place.zadig.writes) == 1


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("words", [("diff",), ("status",), ("apply", "--yes")], ids=" ".join)
def test_a_signal_while_only_reading_ends_at_once_with_a_report(
    words: tuple[str, ...], number: signal.Signals, place: Place
) -> None:
    place.settings("one", "two")
    place.plan("a", target="one", description="new")
    come = when(place, "GET", "*")
    with place.start(*words, "-f", "json") as started:
        assert come.wait(PATIENCE)
        started.send_signal(number)
        out, err = started.communicate(timeout=PATIENCE)
    assert started.returncode == SIGNALS[number]
    errors = [target["error"] for target in json.loads(out)["targets"]]
    assert errors == ["not compared: the run was interrupted before; run it again"] * 2
    assert "Traceback" not in err
    assert place.zadig.writes == ()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_waiting(number: signal.Signals, place: Place) -> None:
    place.waiting()
    come = threading.Event()
    place.zadig.faults.add(Fault("edit-after", method="GET", path=f"{PLANS}*", edit=come.set))
    with place.start("status", "--wait", "2h") as started:
        assert come.wait(PATIENCE)
        started.send_signal(number)
        started.communicate(timeout=PATIENCE)
    assert started.returncode == SIGNALS[number]


# ------------------------------------------------------------------------------------------- pipes


@pytest.mark.parametrize(
    ("words", "code"),
    [(("diff",), 0), (("diff", "--exit-code"), 2), (("status",), 0), (("apply", "--yes"), 0)],
    ids=str,
)
def test_a_reader_that_leaves_changes_nothing(
    words: tuple[str, ...], code: int, place: Place
) -> None:
    for index in range(5):
        place.plan(f"p{index}")
    reader, writer = os.pipe()
    os.close(reader)
    sinks = () if words == ("status",) else ("-f", "text", "-f", "json=a.json")
    with place.start(*words, "--quiet", *sinks, stdout=writer) as started:
        os.close(writer)
        _, err = started.communicate(timeout=PATIENCE)
    assert started.returncode == code
    assert err == ""
    assert not sinks or json.loads((place.folder / "a.json").read_text())["exit_code"] == code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", [("diff",), ("status",), ("apply", "--yes")], ids=" ".join)
def test_a_full_disk_is_told(words: tuple[str, ...], place: Place) -> None:
    changed(place, "a")
    full = os.open("/dev/full", os.O_WRONLY)
    with place.start(*words, "--quiet", stdout=full) as started:
        os.close(full)
        _, err = started.communicate(timeout=PATIENCE)
    assert started.returncode == ExitCode.FAILED
    assert err.startswith(
        "planops: error: the report cannot be written to standard output: No space"
    )
    assert err.count("\n") == 1


def test_help_and_schemas_for_a_reader_that_leaves(place: Place) -> None:
    for words in (("--help",), ("schema", "report"), ("diff", "--help")):
        reader, writer = os.pipe()
        os.close(reader)
        with place.start(*words, stdout=writer) as started:
            os.close(writer)
            _, err = started.communicate(timeout=PATIENCE)
        assert "Traceback" not in err
        assert "bug" not in err
        assert started.returncode in {0, 1}


def test_a_reader_of_progress_that_leaves_does_not_stop_an_apply(place: Place) -> None:
    changed(place, "a", "b", "c")
    reader, writer = os.pipe()
    os.close(reader)
    with place.start("apply", "--yes", "-vv", "-f", "json", stderr=writer) as started:
        os.close(writer)
        out, _ = started.communicate(timeout=PATIENCE)
    assert started.returncode == ExitCode.OK
    assert json.loads(out)["summary"]["applied"] == 3


CLOSING = (
    "import os, sys; os.close({});"
    "os.execv(sys.executable, [sys.executable, '-m', 'planops', *sys.argv[1:]])"
)


@pytest.mark.parametrize("closed", ["stdin", "stdout", "stderr"])
@pytest.mark.parametrize(
    "words", [("diff", "-f", "text", "-f", "json=a.json"), ("apply", "--yes", "-f", "json=a.json")],
    ids=lambda words: words[0],
)  # fmt: skip
def test_closed_streams(words: tuple[str, ...], closed: str, place: Place) -> None:
    changed(place, "a")
    number = ("stdin", "stdout", "stderr").index(closed)
    with place.start(*words, code=CLOSING.format(number)) as started:
        _, err = started.communicate(timeout=PATIENCE)
    assert started.returncode == ExitCode.OK, err
    assert "bug" not in err
    assert json.loads((place.folder / "a.json").read_text())["exit_code"] == 0


def test_without_any_input_nobody_can_be_asked(place: Place) -> None:
    changed(place, "a")
    with place.start("apply", code=CLOSING.format(0)) as started:
        _, err = started.communicate(timeout=PATIENCE)
    assert started.returncode == ExitCode.USAGE
    assert "nobody can be asked here" in err


# ----------------------------------------------------------------------------------------- locales


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
    ids=str,
)
def test_any_locale_will_do(environment: dict[str, str], place: Place) -> None:
    place.plan("a", description="größer → 發布 ✓")
    place.plant("a", description="klein, ok ✓")
    for words in (("diff", "-f", "markdown"), ("apply", "--yes")):
        ended = place.process(*words, "-f", "json=a.json", "-f", "text", environment=environment)
        assert ended.code == ExitCode.OK, ended.err
        written = (place.folder / "a.json").read_text(encoding="utf-8")
        assert "größer → 發布 ✓" in written
    assert descriptions(place) == {"Plan a": "größer → 發布 ✓"}


def test_help_and_errors_in_ascii(place: Place) -> None:
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    assert place.process("diff", "--help", environment=ascii_only).code == ExitCode.OK
    assert place.process("größer", environment=ascii_only).code == ExitCode.USAGE
    place.write("plans/größer.yaml", "größer: yes\n")
    assert place.process("validate", environment=ascii_only).code == ExitCode.FAILED
