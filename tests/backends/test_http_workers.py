"""The workers of the HTTP client: order, bounds, failures, interrupts."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from planops.backends.exchange import Call, Endpoint, Request, Response
from planops.backends.faults import Fault
from planops.backends.http import Http
from planops.backends.retries import Retries, Try
from planops.backends.workers import Workers
from planops.errors import OutcomeUnknown, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 10.0


@dataclass(slots=True)
class FakeClock:
    slept: list[float] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None

    def now(self) -> int:
        return 0

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.on_sleep()


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(4)
    yield made
    made.close()


def test_results_come_in_the_order_of_the_items(workers: Workers) -> None:
    gates = [threading.Event() for _ in range(4)]
    gates[3].set()

    def wait_for_the_next(index: int) -> int:
        assert gates[index].wait(PATIENCE)
        if index:
            gates[index - 1].set()
        return index * 10

    assert workers.map(wait_for_the_next, range(4)) == (0, 10, 20, 30)
    assert workers.map(str, ()) == ()


def test_never_more_at_once_than_allowed(workers: Workers) -> None:
    lock = threading.Lock()
    barrier = threading.Barrier(4)
    now = most = 0

    def work(_: int) -> str:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        barrier.wait(PATIENCE)
        with lock:
            now -= 1
        return threading.current_thread().name

    names = workers.map(work, range(40))
    assert most == 4
    assert len(set(names)) == 4


def test_a_failure_drops_what_was_not_begun_and_waits_for_the_rest(workers: Workers) -> None:
    begun: list[int] = []
    finished: list[int] = []
    all_at_work = threading.Barrier(4)

    def work(item: int) -> None:
        begun.append(item)
        if item < 4:
            all_at_work.wait(PATIENCE)
        if item == 1:
            raise OutcomeUnknown("item 1")
        while not workers.stopped:
            pass
        if item == 3:
            raise Unreachable("item 3")
        finished.append(item)

    with pytest.raises(OutcomeUnknown, match="item 1") as caught:
        workers.map(work, range(1000))
    assert caught.value.__context__ is None
    assert len(begun) < 10
    assert sorted([*finished, 1, 3]) == sorted(begun)
    assert not workers.stopped
    assert workers.map(str, range(3)) == ("0", "1", "2")


def test_of_several_failures_the_earliest_item_s_is_raised(workers: Workers) -> None:
    together = threading.Barrier(4)

    def work(item: int) -> None:
        together.wait(PATIENCE)
        raise ValueError(item)

    with pytest.raises(ValueError, match=r"^0$"):
        workers.map(work, range(4))


def test_an_interrupt_ends_the_run_and_the_work_at_hand_is_finished(workers: Workers) -> None:
    finished: list[int] = []
    started = threading.Event()

    def items() -> Iterator[int]:
        yield 0
        assert started.wait(PATIENCE)
        raise KeyboardInterrupt

    def work(item: int) -> None:
        started.set()
        while not workers.stopped:
            pass
        finished.append(item)

    with pytest.raises(KeyboardInterrupt):
        workers.map(work, items())
    assert finished == [0]


def test_a_signal_ends_the_run(workers: Workers) -> None:
    main = threading.main_thread()
    if threading.current_thread() is not main or main.ident is None:
        pytest.skip("signals arrive in the main thread only")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    ident, finished = main.ident, list[int]()

    def work(item: int) -> None:
        if item == 0:
            signal.pthread_kill(ident, signal.SIGINT)
        while not workers.stopped:
            pass
        finished.append(item)

    try:
        with pytest.raises(KeyboardInterrupt):
            workers.map(work, range(100))
    finally:
        signal.signal(signal.SIGINT, before)
    assert 0 in finished
    assert len(finished) <= 4


def test_a_map_within_a_worker_works_there(workers: Workers) -> None:
    def outer(item: int) -> tuple[str, ...]:
        return workers.map(lambda inner: f"{item}{inner}", "ab")

    assert workers.map(outer, range(8))[7] == ("7a", "7b")


def test_a_stopped_worker_does_not_try_again() -> None:
    stop = threading.Event()
    clock = FakeClock(on_sleep=stop.set)
    tries: list[int] = []

    def fail() -> Try:
        tries.append(1)
        return Try(result=Response(status=503, body=b""), again=True, retry_after=30.0)

    last, count = Retries(4, clock, lambda: 0.0, stop.is_set).persist(fail)
    assert last.again
    assert count == len(tries) == 1
    assert clock.slept == [1.0]


def test_back_off_grows_has_jitter_and_a_limit() -> None:
    clock = FakeClock()
    retries = Retries(9, clock, lambda: 0.5, lambda: False)
    last, count = retries.persist(lambda: Try(result=Response(status=503, body=b""), again=True))
    assert not isinstance(last.result, Fault)
    assert count == 9
    assert sum(clock.slept) == 0.5 + 1 + 2 + 4 + 8 + 3 * 10 + 8 * 0.5


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    seen: list[tuple[str, tuple[Any, ...]]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.client_address))
        body = b'{"path": "%s"}' % self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    _Handler.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def test_each_worker_keeps_one_connection(server: ThreadingHTTPServer) -> None:
    calls: list[Call] = []
    endpoint = Endpoint(url=f"http://127.0.0.1:{server.server_port}", concurrency=3)
    together = threading.Barrier(3)

    def read(index: int) -> object:
        if index < 3:
            together.wait(PATIENCE)
        return http.read(Request(method="GET", path=f"/{index}")).json()

    with Http(endpoint, FakeClock(), on_call=calls.append) as http:
        assert http.map(read, range(60)) == tuple({"path": f"/{n}"} for n in range(60))
        http.read(Request(method="GET", path="/main"))
    assert len(_Handler.seen) == len(calls) == 61
    assert len({peer for _, peer in _Handler.seen}) == 4
    with pytest.raises(RuntimeError, match="closed"):
        http.read(Request(method="GET", path="/late"))
    with pytest.raises(RuntimeError, match="closed"):
        http.map(str, [1])
    http.close()


def test_threads_of_others_get_their_own_connection(server: ThreadingHTTPServer) -> None:
    endpoint = Endpoint(url=f"http://127.0.0.1:{server.server_port}")
    with Http(endpoint, FakeClock()) as http, ThreadPoolExecutor(1) as other:
        request = Request(method="GET", path="/x")
        assert other.submit(http.read, request).result() == http.read(request)
    assert len({peer for _, peer in _Handler.seen}) == 2
