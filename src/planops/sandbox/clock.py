"""The sandbox's own time: real time plus an offset, or a fixed moment that only a caller moves.

Nothing in the sandbox reads the time anywhere else, so that a test decides what time it is.
"""

import threading
import time


class Clock:
    """Unix seconds. Follows real time until ``set`` or a starting moment fixes it."""

    def __init__(self, now: int | None = None) -> None:
        self._lock = threading.Lock()
        self._fixed = now
        self._offset = 0

    def now(self) -> int:
        """The current moment in unix seconds."""
        with self._lock:
            if self._fixed is not None:
                return self._fixed
            return int(time.time()) + self._offset

    def advance(self, seconds: int) -> int:
        """Move on by ``seconds`` and return the new moment."""
        with self._lock:
            if self._fixed is None:
                self._offset += seconds
            else:
                self._fixed += seconds
        return self.now()

    def set(self, now: int) -> None:
        """Stop at ``now``; from here on only ``advance`` and ``set`` move the clock."""
        with self._lock:
            self._fixed = now
