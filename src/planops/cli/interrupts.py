"""What an interrupt (Ctrl-C), a termination or a terminal that is closed does to a command.

Where nothing is being written, it ends what is going on at once. While calls are made that write,
those in flight are finished and no other is begun. The second signal always ends the process, but
for a second hangup: of a terminal that is closed both the kernel and the shell tell.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from planops.cli.group import say
from planops.core.report import ExitCode

_CODES = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.TERMINATED,
}


class Interrupted(KeyboardInterrupt):
    """A signal came while nothing was being written; ``code`` is how the process shall end."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__()
        self.code = code


@dataclass(slots=True, kw_only=True)
class Interrupts:
    """Whether a signal came: ``stop`` is set by the first, ``code`` is then how to end."""

    stop: threading.Event = field(default_factory=threading.Event)
    code: ExitCode | None = None
    _calm: str = ""

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Listen to signals, once; a second one meets what stood here before."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers = ((number, signal.getsignal(number)) for number in _CODES)
        before = {number: known for number, known in handlers if known is not signal.SIG_IGN}

        def hear(number: int, _frame: object) -> None:
            for known, handler in before.items():
                signal.signal(known, signal.SIG_IGN if known is signal.SIGHUP else handler)
            self._come(_CODES[signal.Signals(number)])

        try:
            for number in before:
                signal.signal(number, hear)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def calmly(self, until: str = "the calls in flight") -> Iterator[None]:
        """Let what is under way end, ``until`` then: in the block a signal only sets ``stop``."""
        self._calm = until
        try:
            yield
        finally:
            self._calm = ""

    def _come(self, code: ExitCode) -> None:
        self.code = code
        self.stop.set()
        if not self._calm:
            raise Interrupted(code)
        say(f"stopping after {self._calm}; again to stop now")
