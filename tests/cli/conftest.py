"""One served sandbox a worker, and a fresh repository that leads to it a test."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cli.place import TOKEN, Place
from planops.cli.clock import SystemClock
from planops.custody import POLL
from planops.sandbox.server import serve
from planops.sandbox.zadig import ZadigSandbox

FOREIGN = ("PLANOPS_", "GIT_", "GITHUB_", "GITLAB_", "CI_")
"""Variables of whatever runs the tests, which would say something to planops."""


@pytest.fixture(scope="session")
def _served() -> Iterator[tuple[ZadigSandbox, str]]:
    with closing(ZadigSandbox()) as zadig, serve(zadig.app) as at:
        yield zadig, at.url


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may take as long as a lease or a call may: what would wait so long fails at once."""

    def sleep(_: SystemClock, seconds: float) -> None:
        if seconds >= POLL:
            pytest.fail(f"this would wait {seconds} s")
        threading.Event().wait(seconds)

    monkeypatch.setattr(SystemClock, "sleep", sleep)


@pytest.fixture
def place(
    _served: tuple[ZadigSandbox, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Place]:
    """A repository without a commit; the current directory is in it."""
    for name in os.environ:
        if name.startswith(FOREIGN) or name in {"NO_COLOR", "TERM", "CI"}:
            monkeypatch.delenv(name)
    zadig, url = _served
    zadig.reset()
    zadig.clock.advance(int(time.time()) - zadig.clock.now())  # whatever an earlier test made of it
    folder = tmp_path / "repository"
    (folder / ".git" / "objects").mkdir(parents=True)
    (folder / ".git" / "refs").mkdir()
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / ".git" / "config").write_text("[core]\n\trepositoryformatversion = 0\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ZADIG_TOKEN", TOKEN)
    made = Place(folder=folder, zadig=zadig, url=url, capture=capsys)
    made.settings()
    yield made
    assert not zadig.defects


@pytest.fixture
def empty(place: Place) -> Place:
    """An empty repository, as `git init` makes it."""
    (place.folder / "planops.yaml").unlink()
    return place
