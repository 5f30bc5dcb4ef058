"""Serves an emulator over loopback from a thread of its own, and stops it at once.

The socket is bound here, always to 127.0.0.1. Stopping never waits for a client: idle and hanging
connections are cut, running requests are cancelled.

An application may return a value that is not ``None`` to have the connection closed without an
answer: that is how uvicorn treats such a return, and how the sandbox drops requests.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import uvicorn

START_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A running server: where it listens."""

    url: str
    port: int


class _Loopback(uvicorn.Server):
    """A uvicorn server that waits for one event instead of polling, and cuts what is open."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._leave: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._leave = asyncio.Event()
        await self.on_tick(0)
        self.ready.set()
        await self._leave.wait()

    def leave(self) -> None:
        if self._loop is not None and self._leave is not None:
            self._loop.call_soon_threadsafe(self._leave.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        running = list(self.server_state.tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if isinstance(transport, asyncio.Transport):
                transport.abort()
        await asyncio.sleep(0)
        for listening in sockets or []:
            listening.close()


@contextlib.contextmanager
def serve(app: Callable[..., Any], *, port: int = 0) -> Iterator[Serving]:
    """Serve ``app`` on 127.0.0.1 (port 0: any free one) until the block is left."""
    # Named, because asyncio sets TCP_NODELAY only then: without it answers wait 40 ms for an ACK.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
        server = _Loopback(_config(app))
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listening])),
            name="planops-sandbox",
            daemon=True,
        )
        thread.start()
        if not server.ready.wait(START_SECONDS):
            raise RuntimeError("sandbox: the server did not start in time")
        bound = int(listening.getsockname()[1])
        try:
            yield Serving(url=f"http://127.0.0.1:{bound}", port=bound)
        finally:
            server.leave()
            thread.join(START_SECONDS)
    finally:
        listening.close()


def _config(app: Callable[..., Any]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
    )
