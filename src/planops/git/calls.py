"""One call of git, in a process group of its own: it ends in time, with all that it started.

A remote may take a connection and then say nothing, and git waits for ever. Killing git alone would
leave its helper (``git-remote-http``, ssh) behind, and enumerating processes needs tools that small
images lack: the whole group gets the signal. No call has a terminal, so none asks for a password.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from git import Repo

NO_HOOKS: Final = f"core.hooksPath={os.devnull}"
"""The option that lets no hook of the user's run."""

NO_BARE: Final = "safe.bareRepository=explicit"
"""The option that lets no folder pass for a repository because of what it holds."""

_GRACE: Final = 2.0
"""How long git may take to remove its locks once it is told to end, in seconds."""

_PLACE: Final = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
"""The variables by which a hook's git names the repository of the hook."""


def found(folder: Path) -> str:
    """Ask git which repository a folder belongs to, as if no variable named one; its folder.

    Only so does git look whether it trusts the owner: a repository that is named is trusted. In a
    work tree a folder that is made up like a bare repository is none: a commit can hold one, and
    with it settings that name programs to run.

    Raises ``GitCommandError`` where git finds none, or does not want the one that it finds.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _PLACE}
    inside = any((above / ".git").exists() for above in folder.resolve().parents)
    words = (*(("-c", NO_BARE) if inside else ()), "rev-parse", "--absolute-git-dir")
    return _call(folder, environment, threading.TIMEOUT_MAX, *words)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep what a terminal sends to a whole group, Ctrl-C and a hangup, from short calls of git.

    A process has the mask of the thread that starts it. This one hears of them all the same, once
    the call is over.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def limited(
    repo: Repo,
    seconds: float,
    verb: str,
    *words: str,
    setting: str = NO_HOOKS,
    fine: Collection[int] = (0,),
) -> str:
    """Call git, without hooks and for at most so many seconds; what it answers.

    ``setting`` holds for this call, whatever the user has set; ``fine`` are the exit codes of
    answers.

    Raises ``GitCommandError`` where git fails, ``TimeoutError`` where it is not done in time. What
    it had done by then is not known.
    """
    environment = {**os.environ, **repo.git.environment()}
    folder = Path(repo.working_tree_dir or repo.git_dir)
    return _call(folder, environment, seconds, verb, *words, setting=setting, fine=fine)


def _call(
    folder: Path,
    environment: Mapping[str, str],
    seconds: float,
    verb: str,
    *words: str,
    setting: str = NO_HOOKS,
    fine: Collection[int] = (0,),
) -> str:
    from git import Git
    from git.exc import GitCommandError, GitCommandNotFound

    command = [str(Git.GIT_PYTHON_GIT_EXECUTABLE), "-c", NO_HOOKS, "-c", setting, verb, *words]
    # Not pipes: whoever still holds one (ssh's master connection) would be waited for.
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as warned:
        try:
            process = subprocess.Popen(  # noqa: S603  git, and words that stand in this package
                command,
                cwd=folder,
                env={**environment, "LANGUAGE": "C", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=warned,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise GitCommandNotFound(command, error) from error
        status, late = _waited(process, seconds)
        if status and late:
            raise TimeoutError(f"git {verb} was not done within {seconds:g} seconds")
        if status not in fine:
            raise GitCommandError(command, status, _all(warned), _all(told))
        return _all(told).removesuffix("\n")


def _waited(process: subprocess.Popen[bytes], seconds: float) -> tuple[int, bool]:
    """Wait for a process and give its status, and whether it was ended for being late.

    The clock is another thread's: a wait with a limit looks every now and then, which costs more
    than a call to a remote nearby.
    """
    late = threading.Event()

    def end() -> None:
        late.set()
        _end(process)

    watchdog = threading.Timer(seconds, end)
    watchdog.start()
    try:
        return process.wait(), late.is_set()
    except BaseException:  # this process is to end: nothing may be left behind
        _end(process)
        raise
    finally:
        watchdog.cancel()
        watchdog.join()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Tell a group to end, which lets git remove its locks; then make it."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)


def _all(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="surrogateescape")
