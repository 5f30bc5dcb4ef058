"""The token of BRPM is in every address: it must never be in a log, an error or a report."""

from __future__ import annotations

import logging
import shutil
import socket
import ssl
import subprocess
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from planops import reconcile
from planops.backends.brpm.backend import BrpmBackend
from planops.backends.exchange import Call, Endpoint, Timeouts
from planops.backends.http import Http
from planops.core.report import Outcome, Report, TargetReport
from planops.errors import PlanopsError
from planops.manifests.schemas import shape
from planops.render import json as as_json
from planops.render import markdown, text
from planops.run import Progress, Target
from planops.sandbox.brpm import FAILED_PAGE, Fault
from planops.sandbox.wire import Behaviour, misbehaving
from run.brpm_world import PLANS, World, plan, world
from run.world import StillClock, asked

TOKEN = "pl+nt/ed=s3cr3t&%41#?x"
FORMS = (
    TOKEN,
    quote(TOKEN, safe=""),
    quote(TOKEN),
    quote_plus(TOKEN),
    quote(TOKEN, safe="").lower(),
    "s3cr3t",
)
ECHO = f"<a href='/brpm{PLANS}?token={quote(TOKEN, safe='')}'>{TOKEN}</a>".encode()
Answer = tuple[int, bytes]
ANSWERS: dict[str, Answer] = {
    "403": (403, ECHO),
    "404": (404, ECHO),
    "401": (401, ECHO),
    "422": (422, ECHO),
    "422 of a field": (422, f'{{"name": ["{TOKEN} has already been taken"]}}'.encode()),
    "422 of the event": (422, f'{{"aasm_event": ["{TOKEN}"]}}'.encode()),
    "422 under its name": (422, f'{{"{TOKEN}": ["{TOKEN}"]}}'.encode()),
    "500 with a page": (500, FAILED_PAGE + ECHO),
    "500 without a word": (500, b""),
    "502": (502, ECHO),
    "200 with a page": (200, ECHO),
    "200 with something else": (200, f'"{TOKEN}"'.encode()),
    "200 with a list of text": (200, f'["{TOKEN}"]'.encode()),
    "200 with half a document": (200, f'{{"name": "{TOKEN}'.encode()),
    "200 with a key twice": (200, f'{{"{TOKEN}": 1, "{TOKEN}": 2}}'.encode()),
    "201 without an id": (201, f'{{"name": "{TOKEN}"}}'.encode()),
    "not text": (200, b"\xff" + ECHO),
}
KINDS = ("drop-before", "drop-after", "truncate", "garbage-json", "html", "endless")
LOCATIONS = (
    f"https://elsewhere.example.com/brpm{PLANS}?token={quote(TOKEN, safe='')}",
    f"http://{quote(TOKEN, safe='')}@elsewhere.example.com/",
    f"?token={TOKEN}",
    f"http://[{TOKEN}/",
)
BEHAVIOURS: tuple[Behaviour, ...] = (
    "refuse",
    "close-at-once",
    "close-after-request",
    "close-mid-header",
    "garbage-status",
    "reset",
)


class Heard:
    """Everything that a run says to anybody: what is said twice is kept twice."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def call(self, call: Call) -> None:
        self.all += [str(call), repr(call)]

    def progress(self, at: Progress) -> None:
        self.all += [at.what, repr(at)]

    def error(self, error: BaseException) -> None:
        """An exception with everything behind it, and the whole of its traceback."""
        seen: list[BaseException] = []
        waiting: list[BaseException | None] = [error]
        while waiting:
            one = waiting.pop()
            if one is not None and one not in seen:
                seen.append(one)
                waiting += [one.__cause__, one.__context__]
        self.all += [str(one) for one in seen] + [repr(one) for one in seen]
        self.all += traceback.format_exception(error)

    def report(self, target: TargetReport) -> None:
        report = Report(command="apply", targets=(target,))
        self.all += [
            text.text(report, colour=False, verbose=True, times=frozenset()),
            text.text(report, colour=True, verbose=False, times=frozenset()),
            markdown.text(report, times=frozenset()),
            as_json.text(report, version="1"),
            repr(report),
        ]

    def check(self, caplog: pytest.LogCaptureFixture) -> None:
        logged = [f"{one.getMessage()} {one.args}" for one in caplog.records]
        for said in (*self.all, *logged, caplog.text):
            assert not [form for form in FORMS if form in said], said


@pytest.fixture
def brpm() -> Iterator[World]:
    with world() as made:
        made.sandbox.issue_token("admin", TOKEN)
        made.plant("there", description="Theirs", aasm_state="planned")
        yield made


PLANS_ASKED = [
    plan("new", state="planned", teams=["Payments"], release_manager="alice"),
    plan("there", state="started", description="Ours", release_name="E-Finance 1.0"),
]


def run_through(target: Target, heard: Heard) -> list[Outcome]:
    """Observe, diff and apply, and let everything that is said be heard."""
    run = replace(asked(), progress=heard.progress)
    heard.all += [repr(target), repr(target.backend), repr(vars(target.backend))]
    try:
        sight = reconcile.observe(target, PLANS_ASKED, run)
        changes = reconcile.diff(target, sight, run)
        heard.report(reconcile.show(target, sight, changes, run))
        report = reconcile.apply(target, sight, changes, run)
    except PlanopsError as error:
        heard.error(error)
        return []
    heard.report(report)
    return [one.outcome for one in report.changes]


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[Heard]:
    """What is heard in a test, with every log turned up; searched at the end."""
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "httpcore.connection", "httpcore.http11", "asyncio"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    made = Heard()
    yield made
    assert made.all
    made.check(caplog)


def test_the_search_finds_what_it_searches_for(caplog: pytest.LogCaptureFixture) -> None:
    for form in FORMS:
        planted = Heard()
        planted.all.append(f"GET /v1/plans?token={form}")
        with pytest.raises(AssertionError):
            planted.check(caplog)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    logging.getLogger("planops").debug("GET %s", TOKEN)
    with pytest.raises(AssertionError):
        Heard().check(caplog)


def test_a_run_that_goes_well(brpm: World, heard: Heard) -> None:
    target = brpm.target(token=TOKEN, on_call=heard.call)
    assert run_through(target, heard) == [Outcome.APPLIED, Outcome.APPLIED]
    assert all(quote(TOKEN, safe="") in one.path for one in brpm.sandbox.received)
    assert any(said.startswith("POST /v1/plans 201") for said in heard.all)


@pytest.mark.parametrize("what", ANSWERS)
@pytest.mark.parametrize("path", ["list", "teams", "users", "show", "create", "update"])
def test_every_answer_that_quotes_it(brpm: World, heard: Heard, path: str, what: str) -> None:
    status, body = ANSWERS[what]
    how = {"status": status, "body": body, "headers": {"X-Echo": "1"}}
    for kind in ("status-before", "status-after"):
        brpm.sandbox.faults.clear()
        brpm.sandbox.faults.add(Fault(kind, path=path, nth=None, **how))  # type: ignore[arg-type]
        target = brpm.target(token=TOKEN, on_call=heard.call, concurrency=2)
        run_through(target, heard)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["list", "show", "create", "update"])
def test_every_answer_that_is_cut(brpm: World, heard: Heard, path: str, kind: Any) -> None:
    brpm.sandbox.faults.add(Fault(kind, path=path, nth=None))
    run_through(brpm.target(token=TOKEN, on_call=heard.call), heard)


@pytest.mark.parametrize("location", LOCATIONS)
@pytest.mark.parametrize("path", ["list", "create", "update"])
def test_every_redirect(brpm: World, heard: Heard, path: str, location: str) -> None:
    brpm.sandbox.faults.add(Fault("redirect", path=path, nth=None, location=location))
    run_through(brpm.target(token=TOKEN, on_call=heard.call), heard)
    assert any("redirect" in said for said in heard.all)


@pytest.mark.parametrize("path", ["", "/elsewhere", "/brpm/v2"])
def test_a_wrong_address(brpm: World, heard: Heard, path: str) -> None:
    url = brpm.url.removesuffix("/brpm") + path
    assert run_through(brpm.target(token=TOKEN, url=url, on_call=heard.call), heard) == []


def test_a_token_that_is_not_known(brpm: World, heard: Heard) -> None:
    brpm.sandbox.revoke_token(TOKEN)
    assert run_through(brpm.target(token=TOKEN, on_call=heard.call), heard) == []


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_server_that_breaks_the_connection(
    brpm: World, heard: Heard, behaviour: Behaviour
) -> None:
    with misbehaving(behaviour) as wire:
        target = brpm.target(token=TOKEN, url=f"{wire.url}/brpm", on_call=heard.call)
        assert run_through(target, heard) == []


def test_a_host_that_nobody_knows(
    brpm: World, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(host: str, *_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, f"Name or service not known: {host}")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    target = brpm.target(token=TOKEN, url="https://brpm.example.com/brpm", on_call=heard.call)
    assert run_through(target, heard) == []


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server that nobody trusts; its port."""
    openssl = shutil.which("openssl")
    assert openssl is not None, "install openssl; .ci/run does"
    folder = tmp_path_factory.mktemp("certificates")
    made = [str(folder / "own.key"), str(folder / "own.pem")]
    subprocess.run(  # noqa: S603 - a fixed command
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=own", "-keyout", made[0], "-out", made[1]),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made[1], made[0])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_refuse, args=(listener, context), daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def _refuse(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:
            connection.close()


def test_a_certificate_that_nobody_trusts(brpm: World, heard: Heard, encrypted: int) -> None:
    url = f"https://127.0.0.1:{encrypted}/brpm"
    assert run_through(brpm.target(token=TOKEN, url=url, on_call=heard.call), heard) == []
    assert any("certificate" in said for said in heard.all)


def test_what_speaks_no_tls(brpm: World, heard: Heard) -> None:
    url = brpm.url.replace("http://", "https://")
    assert run_through(brpm.target(token=TOKEN, url=url, on_call=heard.call), heard) == []


def test_a_server_that_says_nothing_for_too_long(brpm: World, heard: Heard) -> None:
    with misbehaving("never-answer") as wire, brpm.stack:
        endpoint = Endpoint(
            url=f"{wire.url}/brpm",
            query=(("token", TOKEN),),
            secrets=(TOKEN,),
            concurrency=1,
            timeouts=Timeouts(connect=5.0, read=0.02, total=5.0),
        )
        http = Http(endpoint, StillClock(), on_call=heard.call, jitter=lambda: 0.0)
        target = replace(
            brpm.target(token=TOKEN),
            backend=BrpmBackend(brpm.stack.enter_context(http), shape("BrpmPlan")),
        )
        heard.all += [repr(endpoint), repr(http)]
        assert run_through(target, heard) == []


def test_the_token_of_a_run_is_in_no_recording(brpm: World, heard: Heard, tmp_path: Path) -> None:
    """What the client hands to whoever records calls holds no address with a token."""
    recording = tmp_path / "calls.log"
    with recording.open("w") as stream:

        def record(call: Call) -> None:
            stream.write(f"{call!r}\n{call}\n{call.path}\n{call.problem}\n")

        brpm.sandbox.faults.add(Fault("drop-before", method="GET", nth=3))
        run_through(brpm.target(token=TOKEN, on_call=record), heard)
    heard.all.append(recording.read_text())
    assert "drop" not in recording.read_text()
    assert "the server broke the protocol" in recording.read_text()
