"""A bounded pool of threads that keeps the order, stops at the first failure and ends cleanly."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, CancelledError, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Run:
    """One ``map``: how many items are at work, and whether no more may begin.

    It counts by itself because an interrupt may come while an item is being handed to the pool:
    that item may run without its future being known to anybody.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at_work = 0
        self.over = False

    def begin(self) -> bool:
        """Begin an item, unless the run is over."""
        with self._changed:
            self._at_work += not self.over
            return not self.over

    def finish(self) -> None:
        """Say that an item that was begun has ended."""
        with self._changed:
            self._at_work -= 1
            self._changed.notify_all()

    def end(self) -> None:
        """Let no item begin any more, and wait for those at work."""
        with self._changed:
            self.over = True
            self._changed.wait_for(lambda: self._at_work == 0)


class _Local(threading.local):
    run: _Run | None = None  # in a worker: the run that it works for


class Workers:
    """At most ``concurrency`` threads, started when they are first needed."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._local = _Local()
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    @property
    def stopped(self) -> bool:
        """Whether this thread is a worker whose run was given up: it should come to an end."""
        return self._local.run is not None and self._local.run.over

    def close(self) -> None:
        """Finish the items at work, drop the others, and end the threads."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> tuple[Result, ...]:
        """Apply the function to every item; return the results in the items' order.

        At the first exception, or an interrupt, the items not begun are dropped, those at work are
        waited for (``stopped`` tells them to hurry), and the exception is raised: of several, that
        of the earliest item. Within a worker the items are worked on there, one after the other.
        """
        if self._local.run is not None:
            return tuple(function(item) for item in items)
        run = _Run()
        futures: list[Future[Result]] = []
        try:
            pool = self._threads()
            futures.extend(pool.submit(self._work, function, item, run) for item in items)
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            for future in futures:
                future.cancel()
            run.end()
            wait(futures)
        for future in futures:
            error = None if future.cancelled() else future.exception()
            if error is not None and not isinstance(error, CancelledError):
                raise error
        return tuple(future.result() for future in futures)

    def _work(self, function: Callable[[Item], Result], item: Item, run: _Run) -> Result:
        if not run.begin():
            raise CancelledError
        self._local.run = run
        try:
            return function(item)
        finally:
            self._local.run = None
            run.finish()

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(
                    self._concurrency, thread_name_prefix="planops-http"
                )
            return self._pool
