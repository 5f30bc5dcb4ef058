"""What a signal does, in this process; whole commands are in ``test_cli_processes``."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from planops.cli.group import say
from planops.cli.interrupts import Interrupted, Interrupts
from planops.cli.telling import is_terminal
from planops.core.report import ExitCode

SIGNALS = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}
HANGUP = {signal.SIGHUP: ExitCode.TERMINATED}


@pytest.fixture(autouse=True)
def _untouched() -> Iterator[None]:
    assert threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in SIGNALS | HANGUP}
    for number in SIGNALS | HANGUP:  # a test that fails must not end the tests
        signal.signal(number, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def handlers() -> set[object]:
    return {signal.getsignal(number) for number in SIGNALS | HANGUP}


@pytest.mark.parametrize("number", SIGNALS | HANGUP)
def test_a_signal_ends_what_is_going_on(number: signal.Signals) -> None:
    interrupts = Interrupts()
    with pytest.raises(Interrupted) as caught, interrupts.heard():
        signal.raise_signal(number)
    assert caught.value.code == interrupts.code == (SIGNALS | HANGUP)[number]
    assert interrupts.stop.is_set()
    assert handlers() == {signal.default_int_handler}


@pytest.mark.parametrize("number", SIGNALS)
def test_where_calls_are_made_a_signal_only_says_stop_and_the_second_ends(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupts = Interrupts()
    with interrupts.heard(), interrupts.calmly():
        signal.raise_signal(number)
        assert interrupts.stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert interrupts.code == SIGNALS[number]
    said = "planops: stopping after the calls in flight; again to stop now\n"
    assert capsys.readouterr().err == said


def test_of_a_terminal_that_is_closed_kernel_and_shell_both_tell() -> None:
    interrupts = Interrupts()
    with interrupts.heard(), interrupts.calmly():
        for _ in range(3):
            signal.raise_signal(signal.SIGHUP)
        assert interrupts.code == ExitCode.TERMINATED
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert handlers() == {signal.default_int_handler}


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interrupts = Interrupts()
    with interrupts.heard():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGTERM)
    assert interrupts.code == ExitCode.TERMINATED
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_outside_of_the_main_thread_nothing_is_touched() -> None:
    seen: list[set[object]] = []

    def listen() -> None:
        with Interrupts().heard():
            seen.append(handlers())

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert seen == [{signal.default_int_handler}]


def test_a_closed_stream_is_no_terminal() -> None:
    assert not is_terminal(None)
    with Path(os.devnull).open(encoding="utf-8") as stream:
        assert not is_terminal(stream)
    assert not is_terminal(stream)


def test_whatever_is_said_is_visible(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[31mb\u202ec")
    assert capsys.readouterr().err == "planops: a\\x1b[31mb\\u202ec\n"
