"""Calls to a forge's REST interface: pages, rate limits, and what its refusals mean.

Waiting is bounded by a budget for the whole run; nothing is repeated that may have been done. What
goes wrong is a ``ForgeFailed``, so that a caller can do without the forge; only a write that may or
may not have happened is ``OutcomeUnknown``, for those below who can look.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from planops.backends.exchange import Request, Response, Transport
from planops.backends.retries import retry_after
from planops.core.model import JSON
from planops.errors import (
    ForgeBusy,
    ForgeFailed,
    ForgeRefused,
    Garbled,
    OutcomeUnknown,
    ServerSaidNo,
)

if TYPE_CHECKING:
    from planops.ports import Clock

PATIENCE: Final = 300.0
"""How long all waits of one run may be together, in seconds."""
TRIES: Final = 5
"""How often one call may be refused by a rate limit."""
MOST_PAGES: Final = 100
_HOUR: Final = 3600.0
_MINUTE: Final = 60.0
_LIMITED: Final = frozenset({403, 429})
_TOO_MANY: Final = 429
_SAYS_LIMIT: Final = re.compile(rb"(?i)rate limit|abuse detection")
_NEXT: Final = re.compile(r"""<[^<>]*>[^<>]*;\s*rel="?next"?\s*(?:[;,]|$)""")
_OK_FROM, _OK_TO, _SERVER_ERRORS = 200, 300, 500
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
ABSENT: Final = frozenset({404, 410})

Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """What :meth:`Api.send` gives where there is no such thing, or none that may be seen."""

    error: ForgeRefused


class Api:
    """One forge's interface. ``patience`` is the budget of waiting, in seconds."""

    def __init__(self, transport: Transport, clock: Clock, *, patience: float = PATIENCE) -> None:
        self._transport = transport
        self._clock = clock
        self._patience = patience

    def get(self, path: str, query: Query = ()) -> JSON:
        """Read one thing. Raises ``ForgeFailed`` and its kinds."""
        return self._body(self._read(Request(method="GET", path=path, query=query)))

    def ask(self, path: str, body: JSON) -> JSON:
        """Ask a question that is a POST and changes nothing. Raises ``ForgeFailed``."""
        return self._body(self._read(Request(method="POST", path=path, body=body)))

    def pages(
        self, path: str, query: Query = (), *, size: int, most: int = MOST_PAGES
    ) -> list[JSON]:
        """Read a list to its end; never takes a part of it for the whole.

        The pages are numbered here, and the answer only says whether there is another one: its
        addresses are not followed. Raises ``ForgeFailed``, also where there are more than ``most``.
        """
        rows: list[JSON] = []
        for page in range(1, most + 1):
            asked = (*query, ("per_page", str(size)), ("page", str(page)))
            answer = self._read(Request(method="GET", path=path, query=asked))
            found = self._body(answer)
            if not isinstance(found, list):
                raise ForgeFailed(f"{answer.where}: the answer is no list; check the API's address")
            rows += found
            if not _has_next(answer):
                return rows
        raise ForgeFailed(
            f"GET {path}: the list has more than {most * size} rows: it cannot be read to its end;"
            " close or delete what is not needed there"
        )

    def some(self, path: str, query: Query, *, size: int) -> list[JSON]:
        """Read the first page of a list. Raises ``ForgeFailed``."""
        found = self.get(path, (*query, ("per_page", str(size)), ("page", "1")))
        if not isinstance(found, list):
            raise ForgeFailed(f"GET {path}: the answer is no list; check the API's address")
        return found

    def send(self, method: str, path: str, body: JSON = None) -> JSON | Absent:
        """Make one write, once, and give the answer's body.

        Raises ``ForgeFailed`` and its kinds, ``OutcomeUnknown`` where it may have been made.
        """
        request = Request(method=method, path=path, body=body)
        answer = self._persist(request, writes=True)
        if answer.status in ABSENT:
            return Absent(error=_refused(answer, "there is none, or the token may not see it"))
        if answer.status >= _SERVER_ERRORS:
            raise OutcomeUnknown(f"{answer.where}: {_said(answer)}; it may have been done or not")
        self._checked(answer)
        if not answer.body.strip():
            return None
        try:
            return answer.json()
        except Garbled as error:
            raise OutcomeUnknown(str(error)) from None

    def _read(self, request: Request) -> Response:
        return self._persist(request, writes=False)

    def _persist(self, request: Request, *, writes: bool) -> Response:
        """Make a call; where a rate limit refused it, wait and make it again."""
        answer = self._call(request, writes=writes)
        for tried in range(1, TRIES):
            seconds = wait_of(answer, self._clock.now(), tried)
            if seconds is None:
                return answer
            self._wait(seconds, answer)
            answer = self._call(request, writes=writes)
        if wait_of(answer, self._clock.now(), TRIES) is None:
            return answer
        raise ForgeBusy(f"{answer.where}: the rate limit refused it {TRIES} times; run again later")

    def _call(self, request: Request, *, writes: bool) -> Response:
        try:
            return self._transport.write(request) if writes else self._transport.read(request)
        except ServerSaidNo as error:
            raise ForgeFailed(str(error)) from None

    def _wait(self, seconds: float, answer: Response) -> None:
        if seconds > self._patience:
            raise ForgeBusy(
                f"{answer.where}: the forge asks to wait {seconds:.0f} seconds, and of what may be"
                f" waited {self._patience:.0f} are left; run again later"
            )
        self._patience -= seconds
        self._clock.sleep(seconds)

    def _body(self, answer: Response) -> JSON:
        self._checked(answer)
        try:
            return answer.json()
        except Garbled as error:
            raise ForgeFailed(str(error)) from None

    def _checked(self, answer: Response) -> None:
        """Raise what a bad answer means."""
        if _OK_FROM <= answer.status < _OK_TO:
            return
        if answer.status == _UNAUTHORIZED:
            raise _refused(answer, "the token is missing, over or not accepted")
        if answer.status == _FORBIDDEN:
            raise _refused(answer, "the token lacks the permission")
        if answer.status in ABSENT:
            raise _refused(answer, "there is none, or the token may not see it")
        raise ForgeFailed(f"{answer.where}: {_said(answer)}; see docs/forges.md")


def wait_of(answer: Response, now: int, tried: int) -> float | None:
    """Say how many seconds a rate limit asks to wait, or that none refused the call.

    In the order of GitHub's documentation: ``Retry-After``; the reset, where nothing is left;
    else a minute, doubled with each try. A 403 without any of them is a missing permission.
    """
    if answer.status not in _LIMITED:
        return None
    asked = retry_after(answer.headers.get("retry-after", ""), now, _HOUR)
    if asked is not None:
        return asked
    for prefix in ("x-ratelimit", "ratelimit"):
        reset = answer.headers.get(f"{prefix}-reset", "")
        if answer.headers.get(f"{prefix}-remaining", "").strip() == "0" and reset.isdecimal():
            return min(max(float(reset[:12]) - now, 0.0), _HOUR) + 1
    if answer.status == _TOO_MANY or _SAYS_LIMIT.search(answer.body[:2000]):
        return _MINUTE * 2.0 ** (tried - 1)
    return None


def _has_next(answer: Response) -> bool:
    return _NEXT.search(answer.headers.get("link", "")) is not None


def _refused(answer: Response, why: str) -> ForgeRefused:
    return ForgeRefused(f"{answer.where}: {why}: {_said(answer)}; see docs/forges.md")


def _said(answer: Response) -> str:
    """Quote an answer, as its message where it has one."""
    try:
        held = answer.json()
    except Garbled:
        held = None
    message = held.get("message", held.get("error")) if isinstance(held, dict) else None
    shown = answer.redactor.quote(message if isinstance(message, str) else answer.body.strip(), 120)
    return f'status {answer.status}, "{shown}"' if shown else f"status {answer.status}"
