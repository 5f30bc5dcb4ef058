"""Serving, the clock and the misbehaving wire."""

import http.client
import socket
import threading

import pytest

from planops.sandbox.clock import Clock
from planops.sandbox.server import serve
from planops.sandbox.wire import Behaviour, misbehaving
from planops.sandbox.zadig import Fault, ZadigSandbox
from planops.sandbox.zadig.faults import Kind

TARGET = "/openapi/release_plan/v1?pageNum=1&pageSize=1"


def connect(url: str, timeout: float = 20.0) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout)


def fetch(connection: http.client.HTTPConnection) -> tuple[int, bytes]:
    connection.request("GET", TARGET, headers={"Authorization": "Bearer sandbox-admin-token"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_many_servers_after_each_other() -> None:
    sandbox = ZadigSandbox()
    for _ in range(5):
        with serve(sandbox.app) as served:
            connection = connect(served.url)
            assert fetch(connection) == (200, b'{"list":[],"total":0}')
            connection.close()
    sandbox.close()


def test_the_port_may_be_chosen() -> None:
    sandbox = ZadigSandbox()
    with serve(sandbox.app) as served:
        port = served.port
    with serve(sandbox.app, port=port) as served:
        assert served.url == f"http://127.0.0.1:{port}"
    sandbox.close()


def test_stops_with_an_idle_connection_open() -> None:
    sandbox = ZadigSandbox()
    with serve(sandbox.app) as served:
        connection = connect(served.url)
        fetch(connection)
    with pytest.raises((http.client.HTTPException, OSError)):
        fetch(connection)
    connection.close()
    sandbox.close()


@pytest.mark.parametrize("kind", ["delay", "delay-before", "endless"])
def test_stops_while_a_request_hangs(kind: Kind) -> None:
    sandbox = ZadigSandbox()
    sandbox.faults.add(Fault(kind, seconds=3600.0))
    before = set(threading.enumerate())
    with serve(sandbox.app) as served:
        connection = connect(served.url)
        connection.request("GET", TARGET)
        while not sandbox.faults.struck:
            threading.Event().wait(0.001)
    after = set(threading.enumerate()) - before
    assert not any(thread.name == "planops-sandbox" for thread in after)
    connection.close()
    sandbox.close()


def test_clock_follows_real_time_until_it_is_set() -> None:
    clock = Clock()
    before = clock.now()
    assert clock.advance(1000) >= before + 1000
    clock.set(7)
    assert (clock.now(), clock.advance(3), clock.now()) == (7, 10, 10)


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ("refuse", ConnectionRefusedError),
        ("close-at-once", (http.client.RemoteDisconnected, ConnectionError)),
        ("close-after-request", http.client.RemoteDisconnected),
        ("close-mid-header", (http.client.HTTPException, ConnectionError)),
        ("garbage-status", http.client.BadStatusLine),
        ("reset", ConnectionResetError),
    ],
)
def test_wire(behaviour: Behaviour, error: type[Exception]) -> None:
    with misbehaving(behaviour) as wire:
        connection = connect(wire.url)
        with pytest.raises(error):
            fetch_whole(connection)
        connection.close()
        if behaviour not in {"refuse", "close-at-once"}:
            assert wire.requests[0].startswith(f"GET {TARGET} HTTP/1.1\r\n".encode())


def fetch_whole(connection: http.client.HTTPConnection) -> None:
    _, body = fetch(connection)
    if not body:
        raise http.client.IncompleteRead(body)


def test_wire_that_never_answers() -> None:
    with misbehaving("never-answer") as wire:
        connection = connect(wire.url, timeout=0.3)
        with pytest.raises(TimeoutError):
            fetch(connection)
        connection.close()
        assert len(wire.requests) == 1


def test_wire_that_drips() -> None:
    with misbehaving("slow-drip", pause=0.0001) as wire:
        connection = connect(wire.url)
        assert fetch(connection) == (200, b'{"list":[],"total":0}   ')
        connection.close()


def test_wire_keeps_whole_requests() -> None:
    with misbehaving("close-after-request") as wire:
        host, port = wire.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as raw:
            raw.sendall(b"POST /x HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
            raw.sendall(b"body")
            assert raw.recv(1) == b""
        assert wire.requests == [b"POST /x HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"]
