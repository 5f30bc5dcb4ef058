"""TLS and proxies: certificates that are trusted or not, and proxies that let nothing through."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from planops.backends.exchange import Call, Endpoint, Request, Timeouts
from planops.backends.http import Http
from planops.errors import OutcomeUnknown, SettingsWrong, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Serve = Callable[[socket.socket], None]
    Start = Callable[[Serve], int]

READ = Request(method="GET", path="/v1/plans")
WRITE = Request(method="POST", path="/v1/plans", body={})
SECRET = "proxy-password-of-planops"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class FakeClock:
    def now(self) -> int:
        return 0

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a server on loopback that treats one connection after the other; return its port."""
    listeners: list[tuple[socket.socket, threading.Thread]] = []

    def run(listener: socket.socket, serve: Serve) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.settimeout(10)
            with connection, contextlib.suppress(OSError):
                serve(connection)

    def begin(serve: Serve) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=run, args=(listener, serve))
        listeners.append((listener, thread))
        thread.start()
        return int(listener.getsockname()[1])

    yield begin
    for listener, thread in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make self-signed certificates: ``own`` for 127.0.0.1, ``other`` for another name."""
    openssl = shutil.which("openssl")
    assert openssl is not None, "install openssl; .ci/run does"
    folder = tmp_path_factory.mktemp("certificates")
    for name, alternative in (("own", "IP:127.0.0.1"), ("other", "DNS:other.example")):
        subprocess.run(  # noqa: S603 - a fixed command
            [
                *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", f"/CN={name}", "-addext", f"subjectAltName={alternative}"),
                *("-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")),
            ],
            check=True,
            capture_output=True,
        )
    return folder


def https(certificates: Path, name: str) -> Serve:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            while encrypted.recv(65536):
                encrypted.sendall(OK)

    return serve


def client(url: str, ca_file: Path | None = None, calls: list[Call] | None = None) -> Http:
    seen: list[Call] = [] if calls is None else calls
    endpoint = Endpoint(
        url=url, ca_file=ca_file, timeouts=Timeouts(connect=2, read=2), secrets=(SECRET,)
    )
    return Http(endpoint, FakeClock(), on_call=seen.append)


def test_the_right_authority(start: Start, certificates: Path) -> None:
    port = start(https(certificates, "own"))
    for scheme in ("https", "HTTPS"):
        with client(f"{scheme}://127.0.0.1:{port}", certificates / "own.pem") as http:
            assert http.read(READ).json() == {}
    with client(f"https://127.0.0.1:{port}", certificates / "own.pem") as http:
        assert http.write(WRITE).status == 200
        assert http.write(WRITE).status == 200


@pytest.mark.parametrize(
    ("served", "trusted", "says"),
    [
        ("own", None, "set ca-file in planops.yaml"),
        ("own", "other", "set ca-file in planops.yaml"),
        ("other", "other", "its certificate is for another name .*; correct url"),
    ],
)
@pytest.mark.parametrize("write", [False, True])
def test_a_refused_certificate(
    start: Start, certificates: Path, served: str, trusted: str | None, says: str, *, write: bool
) -> None:
    port = start(https(certificates, served))
    calls: list[Call] = []
    ca_file = None if trusted is None else certificates / f"{trusted}.pem"
    with client(f"https://127.0.0.1:{port}", ca_file, calls) as http:
        with pytest.raises(SettingsWrong, match=f"nothing was sent: .*{says}") as caught:
            (http.write if write else http.read)(READ)
        assert caught.value.__context__ is None
    assert len(calls) == 1


def test_a_ca_file_that_cannot_be_used(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    for path in (broken, tmp_path / "missing.pem", tmp_path):
        with client("https://127.0.0.1:9", path) as http:
            for call in (http.read, http.write):
                with pytest.raises(SettingsWrong, match=f"ca-file {path}: no certificates") as got:
                    call(READ)
                assert got.value.__context__ is None


def test_a_missing_file_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with client("https://127.0.0.1:9") as http, pytest.raises(SettingsWrong, match="SSL_CERT_FILE"):
        http.read(READ)


def test_a_plain_server_behind_https_gets_no_request(start: Start) -> None:
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with (
        client(f"https://127.0.0.1:{start(serve)}") as http,
        pytest.raises(Unreachable, match=r"nothing was sent in 4 tries: .*check url"),
    ):
        http.write(WRITE)
    assert len(seen) == 4
    assert not any(b"POST" in data for data in seen)


def test_a_handshake_that_hangs_means_that_nothing_was_sent(start: Start) -> None:
    hellos: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        while data := connection.recv(65536):
            hellos.append(data)

    endpoint = Endpoint(
        url=f"https://127.0.0.1:{start(serve)}", timeouts=Timeouts(connect=0.05), attempts=2
    )
    with (
        Http(endpoint, FakeClock()) as http,
        pytest.raises(Unreachable, match=r"nothing was sent in 2 tries: no connection within 0.05"),
    ):
        http.write(WRITE)
    assert not any(b"POST" in data for data in hellos)


def test_an_upload_that_nobody_takes_is_sent_once(start: Start) -> None:
    accepted: list[socket.socket] = []
    given_up = threading.Event()

    def serve(connection: socket.socket) -> None:
        accepted.append(connection)
        given_up.wait(10)

    endpoint = Endpoint(url=f"http://127.0.0.1:{start(serve)}", timeouts=Timeouts(write=0.1))
    with Http(endpoint, FakeClock()) as http:
        with pytest.raises(OutcomeUnknown, match=r"the server took nothing for 0.1 seconds"):
            http.write(Request(method="PATCH", path="/x", body="x" * 30_000_000))
        given_up.set()
    assert len(accepted) == 1


@pytest.mark.parametrize(
    ("status", "error", "tries"),
    [("407 Proxy Authentication Required", SettingsWrong, 1), ("502 Bad", Unreachable, 4)],
)
@pytest.mark.parametrize("write", [False, True])
def test_a_proxy_that_lets_nothing_through(
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    error: type[Exception],
    tries: int,
    *,
    write: bool,
) -> None:
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(f"HTTP/1.1 {status} {SECRET}\r\nContent-Length: 0\r\n\r\n".encode())

    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{SECRET}@127.0.0.1:{start(serve)}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with client("https://planops.invalid") as http:
        with pytest.raises(error, match=r"the proxy answered .*; check HTTPS_PROXY") as caught:
            (http.write if write else http.read)(READ)
        assert SECRET not in str(caught.value)
        assert caught.value.__context__ is None
    assert len(seen) == tries
    assert all(data.startswith(b"CONNECT planops.invalid:443 ") for data in seen)


def test_a_proxy_that_hangs_up_leaves_a_write_unknown(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing reached the server, but nobody here can tell: the careful answer is the right one."""
    seen: list[bytes] = []
    port = start(lambda connection: seen.append(connection.recv(65536)))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    with client("https://planops.invalid") as http, pytest.raises(OutcomeUnknown):
        http.write(WRITE)
    assert len(seen) == 1


@pytest.mark.parametrize("proxy", ["gopher://me:{}@host", "http://me:{}@host:port", "socks5://h"])
def test_a_proxy_variable_that_is_not_understood(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.format(SECRET))
    with client("https://planops.invalid") as http:
        with pytest.raises(SettingsWrong, match="check HTTPS_PROXY") as caught:
            http.read(READ)
        assert SECRET not in str(caught.value)
        assert caught.value.__context__ is None
