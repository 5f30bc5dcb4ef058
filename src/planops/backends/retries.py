"""How often a call is tried and how long to wait in between; stamina counts and spaces them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

import stamina
import stamina.instrumentation

if TYPE_CHECKING:
    from collections.abc import Callable

    from planops.backends.exchange import Response
    from planops.backends.faults import Fault
    from planops.ports import Clock

LONGEST_WAIT: Final = 60.0
"""The longest pause between two tries in seconds, whatever ``Retry-After`` asks for."""
_FIRST_WAIT: Final = 0.5
_LONGEST_BACKOFF: Final = 10.0
_JITTER: Final = 1.0
_NAP: Final = 1.0  # a pause is slept in pieces, so that a stopped run ends soon
_MANY_DIGITS: Final = 9
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One finished try: its result, and whether and after how long another one makes sense."""

    result: Response | Fault
    again: bool
    retry_after: float = 0.0


class _AgainError(Exception):
    """Tells stamina, which repeats on exceptions, that the last try should be repeated."""


class Retries:
    """Tries up to ``attempts`` times, with exponential back-off and jitter.

    ``jitter`` returns a number from 0 to 1; ``stopped`` says that nobody wants the result any more.
    """

    def __init__(
        self,
        attempts: int,
        clock: Clock,
        jitter: Callable[[], float],
        stopped: Callable[[], bool],
    ) -> None:
        stamina.instrumentation.set_on_retry_hooks(())  # every try is reported by the client itself
        self._attempts = attempts
        self._clock = clock
        self._jitter = jitter
        self._stopped = stopped

    def persist(self, function: Callable[[], Try]) -> tuple[Try, int]:
        """Try until the result is final; return the last try and how many there were.

        The waiting is the injected clock's, so it happens here: stamina itself never sleeps.
        """
        done: list[Try] = []
        pause = 0.0
        with contextlib.suppress(_AgainError):
            for attempt in stamina.retry_context(
                on=_at_once,
                attempts=self._attempts,
                timeout=None,
                wait_initial=_FIRST_WAIT,
                wait_max=_LONGEST_BACKOFF,
                wait_jitter=0,
            ):
                with attempt:
                    if done and not self._waited(pause):
                        break
                    done.append(function())
                    backoff = attempt.next_wait + _JITTER * self._jitter()
                    pause = max(backoff, done[-1].retry_after)
                    _repeat(wanted=done[-1].again)
        return done[-1], len(done)

    def _waited(self, seconds: float) -> bool:
        """Sleep; return false as soon as nobody wants the result any more."""
        while seconds > 0 and not self._stopped():
            self._clock.sleep(min(seconds, _NAP))
            seconds -= _NAP
        return not self._stopped()


def is_busy(answer: Response, busy: frozenset[int]) -> bool:
    """Whether a safe call may be answered better soon. A 500 that says why is an answer."""
    return answer.status in busy or (answer.status == _SERVER_ERROR and not answer.body.strip())


def retry_after(text: str, now: float, longest: float = LONGEST_WAIT) -> float | None:
    """Return the seconds of a ``Retry-After``, a number or a date, from 0 to ``longest``.

    ``None`` stands for a header that is not there or says nothing sensible.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return longest if len(text) > _MANY_DIGITS else min(float(text), longest)
    try:
        date = parsedate_to_datetime(text)
        moment = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(moment - now, 0.0), longest)


def _repeat(*, wanted: bool) -> None:
    if wanted:
        raise _AgainError


def _at_once(error: Exception) -> bool | float:
    """Tell stamina to go on without a pause of its own."""
    return 0.0 if isinstance(error, _AgainError) else False
