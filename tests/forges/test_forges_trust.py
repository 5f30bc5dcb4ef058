"""A GitLab of one's own, whose certificate no public authority knows."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from forges.store import WRITER
from forges.worlds import World
from planops.errors import SettingsWrong
from planops.forges.connect import connect


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one for 127.0.0.1, its key in the same file."""
    openssl = shutil.which("openssl")
    assert openssl is not None, "install openssl; .ci/run does"
    file = tmp_path_factory.mktemp("certificate") / "own.pem"
    subprocess.run(  # noqa: S603 - a fixed command
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=own", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(file), "-out", str(file.with_suffix(".crt"))),
        ],
        check=True,
        capture_output=True,
    )
    with file.open("a", encoding="utf-8") as both:
        both.write(file.with_suffix(".crt").read_text())
    return file


@contextmanager
def encrypted(plain: str, certificate: Path) -> Iterator[str]:
    """Give the address at which a server on loopback speaks TLS."""

    class Passing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behind = HTTPConnection(urlsplit(plain).netloc)
            behind.request("GET", self.path, headers=dict(self.headers))
            answer = behind.getresponse()
            data = answer.read()
            behind.close()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), Passing) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}{urlsplit(plain).path}"
        server.shutdown()


def test_its_runner_says_by_which_certificates_it_is_trusted(lab: World, certificate: Path) -> None:
    pull = lab.store.open_pull()
    with encrypted(lab.server.api, certificate) as api:
        event = replace(lab.event(), api=api)
        trusting = replace(event, ca_file=certificate.with_suffix(".crt"))
        with connect(trusting, WRITER, lab.clock) as forge:
            assert forge.pull(pull.number).head == pull.head
        asked = len(lab.server.asked)
        with (
            connect(event, WRITER, lab.clock) as forge,
            pytest.raises(SettingsWrong, match="set CI_SERVER_TLS_CA_FILE in the environment"),
        ):
            forge.pull(pull.number)
        assert len(lab.server.asked) == asked


def test_a_file_of_theirs_that_holds_none(lab: World, tmp_path: Path) -> None:
    event = replace(lab.event(), api="https://127.0.0.1:9", ca_file=tmp_path / "missing.pem")
    with (
        connect(event, WRITER, lab.clock) as forge,
        pytest.raises(
            SettingsWrong, match=r"CI_SERVER_TLS_CA_FILE /.*missing\.pem: no certificate"
        ),
    ):
        forge.pull(1)
