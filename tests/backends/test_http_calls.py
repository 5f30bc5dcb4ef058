"""Calls to a raw server that does every wrong thing: what is raised, how often is it asked."""

from __future__ import annotations

import base64
import contextlib
import gzip
import logging
import socket
import struct
import threading
import traceback
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Self

import pytest

from planops.backends.exchange import Call, Endpoint, Request, Response, Timeouts
from planops.backends.http import Http
from planops.errors import Garbled, OutcomeUnknown, PlanopsError, ServerSaidNo, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "s3cr3t/+token-of-planops"  # characters that URLs and JSON escape
NOW = 1_800_000_000
READ = Request(method="GET", path="/v1/plans", query=(("token", SECRET),))
WRITE = Request(method="POST", path="/v1/plans", query=(("token", SECRET),), body={"name": "Über"})


@dataclass(slots=True)
class FakeClock:
    """Never waits; ``step`` is how far each look at it moves the monotonic time."""

    step: float = 0.0
    time: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> int:
        return NOW

    def monotonic(self) -> float:
        self.time += self.step
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@dataclass(frozen=True, slots=True)
class Script:
    """What to do with one request: send this, then ``keep``, ``close``, ``reset`` or go on."""

    data: bytes
    end: str = "close"


class Server:
    """Treats the n-th request by the n-th script (the last one again and again)."""

    def __init__(self, *scripts: Script, once: bool = False) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._scripts = scripts
        self._once = once  # drop a connection that carries a second request, after reading it
        self._done = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with connection, contextlib.suppress(OSError):
            served = 0
            while request := _request(connection):
                served += 1
                self.requests.append(request)
                if self._once and served > 1:
                    return
                script = self._scripts[min(len(self.requests), len(self._scripts)) - 1]
                connection.sendall(script.data)
                if script.end == "hang":
                    self._done.wait(10)
                elif script.end == "reset":
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                while script.end == "endless" and not self._done.is_set():
                    connection.sendall(b"1000\r\n" + b" " * 0x1000 + b"\r\n")
                if script.end != "keep":
                    return


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    sizes = [
        line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    ]
    while sizes and len(body) < int(sizes[0]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(status: str, body: bytes = b"", *headers: str, end: str = "keep") -> Script:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return Script("\r\n".join(lines).encode() + body, end)


@dataclass(frozen=True, slots=True)
class Case:
    """One way to fail: how a read and a write end (exception or status), and the reads seen."""

    script: Script
    read: type[PlanopsError] | int
    write: type[PlanopsError] | int
    reads: int = 4
    step: float = 0.0


LOUD = SECRET.encode() + b" Bearer " + SECRET.encode() + b" " + base64.b64encode(SECRET.encode())
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GZIP = "Content-Encoding: gzip"
BOMB = gzip.compress(b" " * 20_000_000)
CASES = {
    "closes": Case(Script(b""), Unreachable, OutcomeUnknown),
    "resets": Case(Script(b"", "reset"), Unreachable, OutcomeUnknown),
    "half a status line": Case(Script(b"HTTP/1.1 20"), Unreachable, OutcomeUnknown),
    "garbage": Case(Script(LOUD + b"\r\n\r\n"), Unreachable, OutcomeUnknown),
    "never answers": Case(Script(b"", "hang"), Unreachable, OutcomeUnknown),
    "stops within the headers": Case(Script(CHUNKED[:30], "hang"), Unreachable, OutcomeUnknown),
    "a huge header": Case(
        answer("200 OK", b"", "X: " + "x" * 200_000), Unreachable, OutcomeUnknown
    ),
    "switches protocols": Case(answer("101 Switching Protocols"), Unreachable, OutcomeUnknown),
    "truncated body": Case(
        Script(b"HTTP/1.1 201 OK\r\nContent-Length: 99\r\n\r\n" + LOUD), Unreachable, OutcomeUnknown
    ),
    "bad chunk": Case(Script(CHUNKED + b"zz\r\n" + LOUD), Unreachable, OutcomeUnknown),
    "reset within the body": Case(
        Script(CHUNKED + b"2\r\n{}\r\n", "reset"), Unreachable, OutcomeUnknown
    ),
    "endless body": Case(Script(CHUNKED, "endless"), Garbled, OutcomeUnknown, 1),
    "slow body": Case(Script(CHUNKED, "endless"), Unreachable, OutcomeUnknown, 1, step=200),
    "too large body": Case(answer("200 OK", b" " * 100_001), Garbled, OutcomeUnknown, 1),
    "gzip bomb": Case(answer("200 OK", BOMB, GZIP), Garbled, OutcomeUnknown, 1),
    "cut gzip": Case(answer("200 OK", BOMB[:50], GZIP), Garbled, OutcomeUnknown, 1),
    "broken gzip": Case(answer("200 OK", LOUD, GZIP), Garbled, OutcomeUnknown, 1),
    "more after gzip": Case(
        answer("200 OK", gzip.compress(b"{}") + LOUD, GZIP), Garbled, OutcomeUnknown, 1
    ),
    "an encoding not asked for": Case(
        answer("200 OK", b"{}", f"Content-Encoding: {SECRET}"), Garbled, OutcomeUnknown, 1
    ),
    "302": Case(
        answer("302 Found", LOUD, f"Location: https://u:{SECRET}@{SECRET[:6]}.example/?{SECRET}"),
        ServerSaidNo,
        ServerSaidNo,
        1,
    ),
    "307 to nowhere": Case(
        answer("307 X", b"", "Location: http://[x"), ServerSaidNo, ServerSaidNo, 1
    ),
    "304": Case(answer("304 Not Modified"), ServerSaidNo, ServerSaidNo, 1),
    "429": Case(answer("429 Slow", LOUD, "Retry-After: 1"), Unreachable, 429),
    "502 page": Case(answer("502 Bad", b"<html>" + LOUD), Unreachable, 502),
    "503": Case(answer("503 Busy", b"", "Retry-After: 5"), Unreachable, 503),
    "504": Case(answer("504 Late"), Unreachable, 504),
    "empty 500": Case(answer("500 Oops"), Unreachable, 500),
    "JSON 500": Case(answer("500 Oops", b'{"code":500}'), 500, 500, 1),
    "404": Case(answer("404 No", LOUD), 404, 404, 1),
    "empty 403": Case(answer("403 No"), 403, 403, 1),
}


def client(
    url: str,
    clock: FakeClock | None = None,
    on_call: Callable[[Call], None] | None = None,
    *,
    read: float = 10,
) -> Http:
    """``read`` is how long an answer may take, in seconds: no busy machine takes so long."""
    endpoint = Endpoint(
        url=url,
        headers={"Authorization": f"Bearer {SECRET}"},
        secrets=(SECRET,),
        max_body=100_000,
        timeouts=Timeouts(connect=10, read=read, write=10, pool=10),
    )
    clock = clock or FakeClock()
    return Http(endpoint, clock, on_call=on_call, monotonic=clock.monotonic, jitter=lambda: 0.0)


def said(error: BaseException) -> str:
    """Everything that an exception could tell somebody."""
    assert error.__cause__ is None
    assert error.__context__ is None
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__dict__)


def leaks(text: str) -> bool:
    forms = (SECRET, "s3cr3t%2F", base64.b64encode(SECRET.encode()).decode()[:12], "token-of")
    return any(form.lower() in text.lower() for form in forms)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("request_", [READ, WRITE], ids=["read", "write"])
def test_every_failure(name: str, request_: Request, caplog: pytest.LogCaptureFixture) -> None:
    case, writes = CASES[name], request_ is WRITE
    expected = case.write if writes else case.read
    caplog.set_level(logging.DEBUG)
    calls: list[Call] = []
    text = ""
    read = 0.3 if case.script.end == "hang" else 10
    with (
        Server(case.script) as server,
        client(server.url, FakeClock(case.step), calls.append, read=read) as http,
    ):
        call = http.write if writes else http.read
        if isinstance(expected, int):
            got = call(request_)
            text = repr(got)
            assert got.status == expected
        else:
            with pytest.raises(expected) as caught:
                call(request_)
            assert type(caught.value) is expected
            text = str(caught.value)
            assert f"{request_.method} /v1/plans at 127.0.0.1:" in text
            assert "\n" not in text
            assert len(text) < 500
            text += said(caught.value)
        assert len(server.requests) == (1 if writes else case.reads)
        assert len(calls) == len(server.requests)
    assert not leaks(text + repr(request_) + caplog.text + "".join(map(str, calls)))
    assert not caplog.records


def test_a_write_that_is_cut_tells_its_status() -> None:
    with (
        Server(CASES["truncated body"].script) as server,
        client(server.url) as http,
        pytest.raises(OutcomeUnknown, match=r"status 201.*not repeated"),
    ):
        http.write(WRITE)


def test_a_closed_port_means_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    calls: list[Call] = []
    clock = FakeClock()
    with client(f"http://127.0.0.1:{port}", clock, calls.append) as http:
        with pytest.raises(Unreachable, match=r"nothing was sent in 4 tries: .*refused") as caught:
            http.write(WRITE)
        assert not leaks(said(caught.value))
        with pytest.raises(Unreachable, match="no usable answer in 4 tries"):
            http.read(READ)
    assert len(calls) == 8
    assert str(calls[0]).startswith("POST /v1/plans - 0 ms: ")
    assert sum(clock.slept) == 2 * (0.5 + 1 + 2)


def test_a_read_recovers() -> None:
    clock = FakeClock()
    scripts = Script(b"", "reset"), answer("500 X"), answer("200 OK", gzip.compress(b"[1]"), GZIP)
    with Server(*scripts) as server, client(server.url + "/brpm/", clock) as http:
        assert http.read(READ).json() == [1]
        assert len(server.requests) == 3
        assert server.requests[0].startswith(
            b"GET /brpm/v1/plans?token=s3cr3t%2F%2Btoken-of-planops "
        )
    assert clock.slept == [0.5, 1.0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 0.5),
        (formatdate(NOW + 9, usegmt=True), 9),
        (formatdate(NOW - 9, usegmt=True), 0.5),
        ("Fri, 15 Jan 2027 08:00:09 -0000", 9),
        ("86400", 60),
        ("9" * 5000, 60),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 60),
        ("-5", 0.5),
        ("soon", 0.5),
        ("nan", 0.5),
        ("²", 0.5),
    ],
)
def test_retry_after_is_obeyed_within_a_limit(header: str, seconds: float) -> None:
    clock = FakeClock()
    scripts = answer("429 Slow", b"", f"Retry-After: {header}"), answer("200 OK", b"{}")
    with Server(*scripts) as server, client(server.url, clock) as http:
        assert http.read(READ).status == 200
        assert len(server.requests) == 2
    assert sum(clock.slept) == seconds


def test_a_write_tells_how_long_the_server_wants_to_be_left_alone() -> None:
    script = answer("503 Busy", b"", "Retry-After: 86400")
    with Server(script) as server, client(server.url) as http:
        assert http.write(WRITE).retry_after == 60


def test_what_is_sent() -> None:
    with Server(answer("200 OK", b"{}", "Set-Cookie: session=1")) as server:
        with client(server.url) as http:
            http.read(READ)
            http.read(READ)
            http.write(WRITE)
            http.write(Request(method="POST", path="/x"))
        get, again, post, empty = server.requests
    assert b"Authorization: Bearer " + SECRET.encode() in get
    assert b"Accept-Encoding: gzip\r\n" in get
    assert b"User-Agent: planops/" in get
    assert b"cookie" not in (again + post).lower()
    assert post.endswith('\r\n\r\n{"name":"Über"}'.encode())
    assert b"Content-Type: application/json" in post
    assert b"Content-Length: 0" in empty


def test_writes_never_use_an_idle_connection() -> None:
    """This server reads a second request on a connection and drops it, as a stale one would."""
    with Server(answer("200 OK", b"{}"), once=True) as server, client(server.url) as http:
        http.read(READ)
        http.write(WRITE)
        http.write(WRITE)
        assert len(server.requests) == 3
        assert server.connections == 3


def test_a_write_succeeds_after_the_server_closed_its_idle_connections() -> None:
    with Server(answer("200 OK", b"{}", end="close")) as server, client(server.url) as http:
        for _ in range(3):
            assert http.read(READ).status == 200
            assert http.write(WRITE).status == 200
        assert len([one for one in server.requests if one.startswith(b"POST")]) == 3


def test_reads_keep_their_connection_and_survive_its_loss() -> None:
    with Server(answer("200 OK", b"{}")) as server, client(server.url) as http:
        for _ in range(5):
            http.read(READ)
        assert server.connections == 1
    with Server(answer("200 OK", b"{}"), once=True) as server, client(server.url) as http:
        http.read(READ)
        assert http.read(READ).status == 200
        assert len(server.requests) == 3


def test_a_length_that_lies_is_found() -> None:
    lying = Script(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{"a":1}', "keep")
    with Server(lying, answer("200 OK", b"{}")) as server, client(server.url) as http:
        with pytest.raises(Garbled, match="ends in the middle, after 4 bytes"):
            http.read(READ).json()
        assert http.read(READ).json() == {}


def test_the_environment_s_proxy_is_not_asked_about_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://192.0.2.1:9")
    with Server(answer("200 OK", b"{}")) as server, client(server.url) as http:
        assert http.read(READ) == Response(
            status=200, body=b"{}", where=f"GET /v1/plans at {server.url[7:]}"
        )
