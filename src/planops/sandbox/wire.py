"""A server that misbehaves below HTTP: what an application on a proper server cannot do.

Every connection is treated the same way; what was read before is kept in ``requests``. A port that
refuses is one that was bound, learnt and given back.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Behaviour = Literal[
    "refuse",
    "close-at-once",
    "close-after-request",
    "close-mid-header",
    "garbage-status",
    "reset",
    "never-answer",
    "slow-drip",
]
_END = b"\r\n\r\n"
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
    b'{"list":[],"total":0}   '
)
_LISTENING_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """Where the server listens and what it has been sent."""

    url: str
    requests: list[bytes] = field(default_factory=list)


@contextlib.contextmanager
def misbehaving(behaviour: Behaviour, *, pause: float = 0.05) -> Iterator[Wire]:
    """Serve ``behaviour`` on loopback; ``pause`` is the time between two bytes of a slow answer."""
    listening = socket.create_server(("127.0.0.1", 0))
    wire = Wire(url=f"http://127.0.0.1:{listening.getsockname()[1]}")
    if behaviour == "refuse":
        listening.close()
        yield wire
        return
    stopped = threading.Event()
    server = _Server(listening, behaviour, wire, stopped, pause)
    thread = threading.Thread(target=server.accept, name="planops-wire", daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        stopped.set()
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(_LISTENING_SECONDS)
        server.join()


class _Server:
    def __init__(
        self,
        listening: socket.socket,
        behaviour: Behaviour,
        wire: Wire,
        stopped: threading.Event,
        pause: float,
    ) -> None:
        self._listening = listening
        self._behaviour = behaviour
        self._wire = wire
        self._stopped = stopped
        self._pause = pause
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []

    def accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(connection)
            thread = threading.Thread(target=self._treat, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def join(self) -> None:
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_LISTENING_SECONDS)

    def _treat(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            if self._behaviour == "close-at-once":
                return
            self._wire.requests.append(_request(connection))
            self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        match self._behaviour:
            case "close-mid-header":
                connection.sendall(_ANSWER[:30])
            case "garbage-status":
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
            case "reset":
                at_once = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            case "never-answer":
                self._stopped.wait()
            case "slow-drip":
                for position in range(len(_ANSWER)):
                    if self._stopped.wait(self._pause):
                        return
                    connection.sendall(_ANSWER[position : position + 1])
            case _:
                return


def _request(connection: socket.socket) -> bytes:
    """One request: its head, and as much body as the head announces."""
    read = b""
    while _END not in read or len(read) < _length(read):
        part = connection.recv(65536)
        if not part:
            break
        read += part
    return read


def _length(read: bytes) -> int:
    head, _, _ = read.partition(_END)
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == b"content-length":
            return len(head) + len(_END) + int(value)
    return 0
