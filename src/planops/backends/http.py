"""The one HTTP client: safe calls are repeated, writes never.

A write that may have reached the server is sent once; whatever goes wrong after its connection
stands is ``OutcomeUnknown``. Only a connection that was never made means that nothing was sent.
"""

from __future__ import annotations

import logging
import random
import re
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx  # the one line that a change to httpx2 touches

from planops.backends.decoding import BadCodingError, unpacked
from planops.backends.exchange import Call, Endpoint, Request, Response
from planops.backends.faults import (
    Fault,
    Kind,
    busy_fault,
    connect_fault,
    proxy_fault,
    read_error,
    write_error,
)
from planops.backends.redaction import Redactor
from planops.backends.retries import Retries, Try, is_busy, retry_after
from planops.backends.workers import Workers
from planops.errors import SettingsWrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from planops.ports import Clock

Item = TypeVar("Item")
Result = TypeVar("Result")

_ERRNO: Final = re.compile(r"\[Errno -?\d+\] ")
_AGENT: Final = f"planops/{version('planops')}"
_POINTED: Final = "planops_location"
_LOUD: Final = ("", ".connection", ".http11", ".http2", ".proxy", ".socks")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clients:
    """One thread's clients: reads keep their connection, every write gets a fresh one."""

    reads: httpx.Client
    writes: httpx.Client


class _Local(threading.local):
    clients: _Clients | None = None


@dataclass(slots=True)
class _Shared:
    """What is built once for all threads, and closed at the end."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    tls: ssl.SSLContext | None = None
    clients: list[httpx.Client] = field(default_factory=list)
    closed: bool = False


class Http:
    """The client of one server: a bounded pool of workers, each with its own connection.

    ``on_call`` gets one ``Call`` for each try, already redacted, from whichever thread made it.
    ``monotonic`` measures calls, in seconds; ``jitter`` returns a number from 0 to 1. Raises
    ``SettingsWrong`` for an unusable CA file or proxy variable at the first call. The library's own
    logs are turned off for the whole process: they show addresses with tokens in them.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        *,
        on_call: Callable[[Call], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        _silence()
        self._endpoint = endpoint
        self._clock = clock
        self._monotonic = monotonic
        self._on_call = on_call
        self._redactor = Redactor(endpoint.secrets)
        self._host = self._redactor.text(endpoint.host)
        self._workers = Workers(endpoint.concurrency)
        self._retries = Retries(endpoint.attempts, clock, jitter, lambda: self._workers.stopped)
        self._local = _Local()
        self._shared = _Shared()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish the calls in flight, drop those not begun, and close every connection."""
        with self._shared.lock:
            self._shared.closed = True
        self._workers.close()
        with self._shared.lock:
            clients, self._shared.clients = self._shared.clients, []
        for client in clients:
            client.close()

    def read(self, request: Request) -> Response:
        """Make a safe call, again where the first tries fail, and return the answer.

        Repeated are transport errors, 429, 502, 503, 504 and a 500 without a body; every other
        status is returned. Raises ``Unreachable`` when the last try failed too, ``ServerSaidNo``
        for a redirect, ``Garbled`` for an answer that is too large or wrongly encoded,
        ``SettingsWrong`` for certificates and proxies.
        """
        last, tries = self._persist(request, writes=False)
        result = last.result
        if isinstance(result, Response) and last.again:
            result = busy_fault(result.status, self._endpoint.source, empty=not result.body.strip())
        if isinstance(result, Fault):
            raise read_error(result, self._shown(request), self._host, tries)
        return result

    def write(self, request: Request) -> Response:
        """Make a call that changes something, at most once, and return the answer of any status.

        Only the making of the connection is tried again. Raises ``Unreachable`` when nothing was
        sent, ``OutcomeUnknown`` when something was and no complete answer came, ``ServerSaidNo``
        for a redirect, ``SettingsWrong`` for certificates and proxies.
        """
        last, tries = self._persist(request, writes=True)
        if isinstance(last.result, Fault):
            raise write_error(last.result, self._shown(request), self._host, tries)
        return last.result

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> tuple[Result, ...]:
        """Apply the function to every item on the workers; return the results in the items' order.

        What happens at an exception is said at ``Workers.map``.
        """
        self._check_open()
        return self._workers.map(function, items)

    def _persist(self, request: Request, *, writes: bool) -> tuple[Try, int]:
        return self._retries.persist(lambda: self._try(request, writes=writes))

    def _try(self, request: Request, *, writes: bool) -> Try:
        clients = self._clients()
        client = clients.writes if writes else clients.reads
        body = request.encoded()
        headers = {} if body is None else {"Content-Type": "application/json"}
        started = self._monotonic()
        status: int | None = None
        result: Response | Fault
        try:
            with client.stream(
                request.method, self._url(request), content=body, headers=headers
            ) as answer:
                status = answer.status_code
                result = self._take(answer, request, started)
        except httpx.HTTPError as error:
            result = self._fault(error, status)
        self._report(request, status, started, result)
        if isinstance(result, Fault):
            again = result.kind is Kind.NOT_SENT if writes else result.again
            return Try(result=result, again=again)
        again = not writes and is_busy(result, self._endpoint.busy)
        return Try(result=result, again=again, retry_after=result.retry_after or 0.0)

    def _take(self, answer: httpx.Response, request: Request, started: float) -> Response | Fault:
        """Read an answer to its end, within the limits of size and time."""
        status = answer.status_code
        if status // 100 == 3:  # noqa: PLR2004 - the class of redirects
            return self._redirect(answer)
        body = bytearray()
        late = started + self._endpoint.timeouts.total
        try:
            coding = answer.headers.get("content-encoding", "")
            for chunk in unpacked(answer.iter_raw(), coding, self._endpoint.max_body):
                body += chunk
                if len(body) > self._endpoint.max_body:
                    why = f"the body is larger than {self._endpoint.max_body} bytes"
                    return self._unreadable(why, status)
                if self._monotonic() > late:
                    why = f"the answer took longer than {self._endpoint.timeouts.total:g} seconds"
                    return Fault(kind=Kind.LOST, why=why, status=status)
        except BadCodingError as error:
            why = f"the body is wrongly encoded, {self._redactor.quote(str(error))}"
            return self._unreadable(why, status)
        return Response(
            status=status,
            body=bytes(body),
            content_type=answer.headers.get("content-type", ""),
            retry_after=retry_after(answer.headers.get("retry-after", ""), self._clock.now()),
            where=f"{self._shown(request)} at {self._host}",
            redactor=self._redactor,
            headers={name.lower(): value for name, value in answer.headers.items()},
            source=self._endpoint.source,
        )

    def _unreadable(self, why: str, status: int) -> Fault:
        todo = self._endpoint.source.not_the_server
        return Fault(kind=Kind.UNREADABLE, why=why, todo=todo, status=status)

    def _redirect(self, answer: httpx.Response) -> Fault:
        try:
            pointed = urlsplit(answer.extensions.get(_POINTED, "")).hostname
        except ValueError:
            pointed = "an address that is none"
        shown = self._redactor.quote(pointed or "the same host")
        source = self._endpoint.source
        return Fault(
            kind=Kind.REDIRECT,
            why=f"the server redirects to {shown}",
            todo=f"planops follows no redirects: set {source.url} in {source.file} to the final"
            " address",
            status=answer.status_code,
        )

    def _fault(self, error: httpx.HTTPError, status: int | None) -> Fault:
        said = _ERRNO.sub("", str(error)) or type(error).__name__
        text = self._redactor.quote(said, 100).rstrip(".")
        match error:
            case httpx.ConnectTimeout() | httpx.PoolTimeout():
                seconds = self._endpoint.timeouts.connect
                why = f"no connection within {seconds:g} seconds"
                return connect_fault(error, why, self._endpoint.source)
            case httpx.ConnectError():
                return connect_fault(error, text, self._endpoint.source)
            case httpx.ProxyError():
                return proxy_fault(text)
            case httpx.ReadTimeout():
                text = f"the server said nothing for {self._endpoint.timeouts.read:g} seconds"
            case httpx.WriteTimeout():
                text = f"the server took nothing for {self._endpoint.timeouts.write:g} seconds"
            case httpx.NetworkError():
                text = f"the connection broke, {text}"
            case _:
                text = f"the server broke the protocol, {text}"
        return Fault(kind=Kind.LOST, why=text, again=True, status=status)

    def _report(
        self, request: Request, status: int | None, started: float, result: Response | Fault
    ) -> None:
        if self._on_call is None:
            return
        shown = self._shown(request)
        spent = round((self._monotonic() - started) * 1000)
        problem = result.why if isinstance(result, Fault) else ""
        self._on_call(
            Call(method=shown.method, path=shown.path, status=status, ms=spent, problem=problem)
        )

    def _shown(self, request: Request) -> Request:
        """Return what may be shown of a request: its method and its redacted path."""
        return Request(method=request.method, path=self._redactor.text(request.path))

    def _url(self, request: Request) -> str:
        asked = (*request.query, *self._endpoint.query)
        query = f"?{urlencode(asked, quote_via=quote, safe='')}" if asked else ""
        return f"{self._endpoint.url.rstrip('/')}{request.path}{query}"

    def _check_open(self) -> None:
        if self._shared.closed:
            raise RuntimeError("this client is closed")

    def _clients(self) -> _Clients:
        if self._local.clients is None:
            with self._shared.lock:
                self._check_open()
                made = _Clients(reads=self._client(keep=1), writes=self._client(keep=0))
                self._shared.clients += (made.reads, made.writes)
            self._local.clients = made
        self._check_open()
        return self._local.clients

    def _client(self, *, keep: int) -> httpx.Client:
        """Build a client that keeps so many idle connections: no cookies, no redirects, gzip."""
        times = self._endpoint.timeouts
        tls = self._tls()
        try:
            return httpx.Client(
                headers={
                    "Accept": "application/json",
                    "Accept-Encoding": "gzip",
                    "User-Agent": _AGENT,
                    **self._endpoint.headers,
                },
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                verify=tls,
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=keep),
                timeout=httpx.Timeout(
                    connect=times.connect, read=times.read, write=times.write, pool=times.pool
                ),
                follow_redirects=False,
                event_hooks={"response": [_set_location_aside]},
                trust_env=not self._endpoint.loopback,
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            problem = type(error).__name__
        raise SettingsWrong(
            f"{self._host}: no client can be built: the proxy that the environment names is not "
            f"understood ({problem}); check HTTPS_PROXY, ALL_PROXY and NO_PROXY"
        )

    def _tls(self) -> ssl.SSLContext:
        """Return the one TLS context of all clients; for plain http one that trusts nobody."""
        if self._shared.tls is None:
            self._shared.tls = (
                self._trust()
                if self._endpoint.encrypted
                else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            )
        return self._shared.tls

    def _trust(self) -> ssl.SSLContext:
        path = self._endpoint.ca_file
        try:
            if path is not None:
                return ssl.create_default_context(cafile=path)
            return httpx.create_ssl_context()
        except OSError as error:
            problem = error.strerror or type(error).__name__
        where = "SSL_CERT_FILE" if path is None else f"{self._endpoint.source.ca_file} {path}"
        raise SettingsWrong(
            f"{where}: no certificates can be read: {problem}; it must be a file in PEM form"
        )


def _silence() -> None:
    """Turn off the libraries' own logs: they print whole addresses and headers, tokens included."""
    for library in ("httpx", "httpcore", "httpx2", "httpcore2"):
        for part in _LOUD:
            logging.getLogger(library + part).disabled = True


def _set_location_aside(answer: httpx.Response) -> None:
    """Keep the library from reading where a redirect points: it raises for what it cannot parse."""
    answer.extensions[_POINTED] = answer.headers.pop("location", "")
