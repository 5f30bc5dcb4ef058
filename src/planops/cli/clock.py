"""The clock of this computer."""

from __future__ import annotations

import threading
import time


class SystemClock:
    """The clock of this computer."""

    def now(self) -> int:
        """Give the time of day in unix seconds."""
        return int(time.time())

    def sleep(self, seconds: float) -> None:
        """Wait."""
        threading.Event().wait(seconds)
