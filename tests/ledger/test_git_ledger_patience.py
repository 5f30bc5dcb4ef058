"""A remote that says nothing more is waited for up to a limit, and nothing is left of the call."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.place import REF, Clone, keys, ledger, put
from planops.errors import Unreachable
from planops.git import calls
from planops.git.repository import opened

SHORT = 0.4
"""Long enough for nothing to be sent, whatever the machine."""
LONG = 1.0
"""Long enough for a push to a folder, or to connect, on a busy machine too."""
PATIENCE = 60
"""After this many seconds something is taken for left behind."""
ADVICE = "; check the remote, or give it more time by ledger.timeout"


class Silent:
    """A server that takes connections and says nothing; ``gone`` counts those that were ended."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.taken = 0
        self.gone = threading.Semaphore(0)

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.taken += 1
            threading.Thread(target=self._listen, args=(connection,), daemon=True).start()

    def _listen(self, connection: socket.socket) -> None:
        with connection:
            while connection.recv(4096):
                pass
        self.gone.release()


@pytest.fixture
def silent() -> Iterator[Silent]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Silent(listener)
        thread = threading.Thread(target=server.serve)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def address(server: Silent, scheme: str) -> str:
    host, port = server.listener.getsockname()
    return f"{scheme}://{host}:{port}/x.git"


def said(step: Callable[[], object]) -> str:
    with pytest.raises(Unreachable) as caught:
        step()
    return str(caught.value)


@pytest.mark.parametrize("scheme", ["git", "http"])
def test_a_remote_that_says_nothing(clone: Clone, silent: Silent, scheme: str) -> None:
    """Nobody holds its connections any more: neither git nor the helper that git had started."""
    tip = put(clone, "summer")
    clone.git("remote", "set-url", "origin", address(silent, scheme))
    before = clone.kept()
    runs = replace(ledger(clone), timeout=LONG)
    late = f"was not done within {LONG:g} seconds{ADVICE}"
    read = f"origin {REF}: the ledger cannot be read: git ls-remote {late}"
    assert said(runs.load) == said(runs.tip) == read
    assert said(lambda: put(runs, "winter", tip=tip)) == (
        f"origin {REF}: the ledger cannot be written: git push {late}"
    )
    assert silent.taken == 4  # the last one looked what the push came to
    for _ in range(silent.taken):
        assert silent.gone.acquire(timeout=PATIENCE)
    assert clone.kept() == before


@contextmanager
def held(tmp_path: Path, first: str = "") -> Iterator[str]:
    """Give a command that lasts for ever, and make sure at the end that it was ended."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ended = threading.Event()

    def watch() -> None:
        with pipe.open("rb") as stream:  # waits until the command has begun
            stream.read()  # waits until nobody of it is left
        ended.set()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield f"exec 8>{pipe}; {first} sleep 1000 & wait"
    assert ended.wait(PATIENCE)
    thread.join()


def test_a_fetch_that_does_not_end(
    clone: Clone, other: Clone, isolated: Path, tmp_path: Path
) -> None:
    """The remote says what it has, and then sends nothing."""
    put(other, "summer")
    script = tmp_path / "pack"
    isolated.write_text(f"[uploadpack]\n\tpackObjectsHook = {script}\n")
    with held(tmp_path) as command:
        script.write_text(f"#!/bin/sh\n{command}\n")
        script.chmod(0o755)
        assert said(replace(ledger(clone), timeout=LONG).load) == (
            f"origin {REF}: the ledger cannot be read: git fetch was not done within {LONG:g}"
            f" seconds{ADVICE}"
        )
    assert not [*clone.folder.rglob("*.lock")]
    script.write_text('#!/bin/sh\nexec "$@"\n')
    assert keys(ledger(clone).load()) == ["summer"]


def test_a_write_that_arrived_before_it_was_ended_has_happened(
    clone: Clone, upstream: Clone, tmp_path: Path
) -> None:
    tip = put(clone, "summer")
    with held(tmp_path) as command:
        hook = upstream.hook("post-receive", command)
        made = put(replace(ledger(clone), timeout=LONG), "winter", tip=tip)
    hook.unlink()
    assert upstream.at(REF) == ledger(clone).load().tip == made


def test_a_write_that_was_ended_before_it_arrived_has_not_happened(
    clone: Clone, upstream: Clone, tmp_path: Path
) -> None:
    tip = put(clone, "summer")
    with held(tmp_path) as command:
        hook = upstream.hook("pre-receive", command)
        assert said(lambda: put(replace(ledger(clone), timeout=LONG), "winter", tip=tip)) == (
            f"origin {REF}: the ledger cannot be written: git push was not done within {LONG:g}"
            f" seconds{ADVICE}"
        )
    hook.unlink()
    assert upstream.at(REF) == tip
    put(clone, "winter", tip=tip)


def test_what_does_not_end_when_told_is_made_to(clone: Clone, tmp_path: Path) -> None:
    """An alias is a shell; this one does not listen to the signal that asks."""
    with held(tmp_path) as command:
        clone.git("config", "alias.stay", f"!trap '' TERM; {command}")
        with opened(clone.folder) as repo:
            assert repo is not None
            with pytest.raises(TimeoutError, match=r"^git stay was not done within 1 seconds$"):
                calls.limited(repo, 1.0, "stay")


def test_an_interrupt_leaves_nothing_behind(clone: Clone, tmp_path: Path) -> None:
    """Git is in a group of its own and hears nothing of a key that is pressed."""
    # Not before the call knows its process: a key that is pressed while it starts is another story.
    with held(tmp_path, f"sleep 0.5; kill -INT {os.getpid()};") as command:
        clone.git("config", "alias.stay", f"!{command}")
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with opened(clone.folder) as repo:
                assert repo is not None
                with pytest.raises(KeyboardInterrupt):
                    calls.limited(repo, PATIENCE, "stay")
        finally:
            signal.signal(signal.SIGINT, before)


def test_who_outlives_git_is_not_waited_for(clone: Clone) -> None:
    """As a master connection of ssh does, which keeps what it was given to write to."""
    clone.git("config", "alias.leave", "!setsid sleep 1000 & echo $!")
    with opened(clone.folder) as repo:
        assert repo is not None
        pid = int(calls.limited(repo, PATIENCE, "leave"))
    subprocess.run(["kill", str(pid)], check=True)  # noqa: S603, S607
