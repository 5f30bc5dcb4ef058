"""Real processes, a real git ledger: ended by SIGKILL at calls and pushes, and the next run."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crash.place import PATIENCE, Kills, Place
from planops.core.ledger import Book, Origin, Record
from planops.core.report import ExitCode
from planops.sandbox import brpm, zadig
from planops.sandbox.faults import WireKind as Kind
from planops.sandbox.server import serve

pytestmark = pytest.mark.slow

TOKEN = "sandbox-admin-token"
JOB = {"name": "Announce", "type": "text", "spec": {"content": "Hello"}}


def file(name: str, state: str, **spec: Any) -> dict[str, Any]:
    """A plan as a file declares it."""
    return {"metadata": {"name": name}, "spec": {"name": name, **spec}, "state": state}


def train(name: str, description: str) -> dict[str, Any]:
    """A plan of Zadig."""
    fields = {"manager": "patrick", "jobs": [JOB], "description": description}
    return file(name, "finish_planning", **fields)


def sample(name: str, state: str, description: str) -> dict[str, Any]:
    """A plan of BRPM."""
    template = "Sample Deploy Template"
    return file(name, state, plan_template_name=template, description=description)


BEFORE: Mapping[str, list[dict[str, Any]]] = {
    "zadig": [train("edited", "old"), train("still", "same")],
    "brpm": [sample("edited", "planned", "old"), sample("still", "planned", "same")],
}
AFTER: Mapping[str, list[dict[str, Any]]] = {
    "zadig": [train("created", "made"), train("edited", "new")],
    "brpm": [sample("created", "planned", "made"), sample("edited", "started", "new")],
}
STATES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "zadig": {
        "created": ("finish_planning", "made"),
        "edited": ("finish_planning", "new"),
        "still": ("finish_planning", "same"),
    },
    "brpm": {
        "created": ("planned", "made"),
        "edited": ("started", "new"),
        "still": ("planned", "same"),
    },
}
CALLS = {"zadig": 5, "brpm": 4}
"""How many calls that write the run makes: those of the plan to make, then two."""


@pytest.fixture(params=CALLS)
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """A clone whose first files are applied, and the next committed."""
    for name in os.environ:
        if name.startswith(("PLANOPS_", "GIT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SERVER_TOKEN", TOKEN)
    sandbox = brpm.BrpmSandbox() if request.param == "brpm" else zadig.ZadigSandbox()
    with serve(sandbox.app) as at:
        url = at.url + (brpm.CONTEXT if isinstance(sandbox, brpm.BrpmSandbox) else "")
        made = Place.made(tmp_path, sandbox, request.param, url)
        made.commit(*BEFORE[request.param])
        assert made.apply() == ExitCode.OK
        made.commit(*AFTER[request.param])
        yield made
    sandbox.close()
    assert not sandbox.defects


def held(place: Place) -> dict[str, tuple[str, str]]:
    """The state and the description of every plan that files declare."""
    state = {"zadig": "status", "brpm": "aasm_state"}[place.backend]
    return {
        str(one["name"]): (one[state], one["description"])
        for one in place.sandbox.plans()
        if one["name"] in STATES[place.backend]
    }


def check_converges(place: Place) -> None:
    """The next run goes on at once, since the holder is dead; the one after it has nothing to do.

    It may only write down what it saw.
    """
    assert place.apply() == ExitCode.OK
    names = [one["name"] for one in place.sandbox.plans()]
    assert len(names) == len(set(names))
    assert held(place) == STATES[place.backend]
    book = place.book()
    ids = {one["name"]: str(one["id"]) for one in place.sandbox.plans()}
    assert {key: one.id for key, one in book.records.items()} == {
        key: ids[key] for key in STATES[place.backend]
    }
    assert (book.lease, dict(book.intents), book.damages) == (None, {}, ())
    writes, pushes = len(place.sandbox.writes), place.pushes()
    assert place.apply() == ExitCode.OK
    assert len(place.sandbox.writes) == writes
    assert place.pushes() - pushes <= 1
    noted = place.book()
    assert replace(noted, tip=book.tip, records=unseen(noted)) == replace(
        book, records=unseen(book)
    )


def unseen(book: Book) -> dict[str, Record]:
    """The records without what was seen."""
    return {key: replace(one, seen=None, origin=Origin()) for key, one in book.records.items()}


def check_is_killed(started: subprocess.Popen[str]) -> None:
    """Wait for the end, which leaves no report behind."""
    with started:
        out, err = started.communicate(timeout=PATIENCE)
    assert (started.returncode, out) == (-signal.SIGKILL, ""), err


def check_death_at_a_call(place: Place, number: int, kind: Kind) -> None:
    """End the process at its nth call, which the server has or has not; it never hears of it."""
    victims: list[subprocess.Popen[str]] = []

    def kill() -> None:
        victims[0].kill()

    fault = Kills(kind, nth=number + 1, deed=kill)
    place.sandbox.faults.add(fault)
    victims.append(place.start())
    check_is_killed(victims[0])
    assert place.sandbox.faults.struck == (fault,)
    book = place.book()
    assert book.lease is not None
    assert book.intents.keys() == {"created", "edited"}
    check_converges(place)


@pytest.mark.parametrize("kind", ["drop-before", "drop-after"])
def test_killed_at_the_first_call(place: Place, kind: Kind) -> None:
    check_death_at_a_call(place, 0, kind)


def test_killed_between_two_calls_of_one_change(place: Place) -> None:
    """The plan is changed, and not yet led on."""
    check_death_at_a_call(place, CALLS[place.backend] - 2, "drop-after")


def test_killed_at_the_last_call(place: Place) -> None:
    check_death_at_a_call(place, CALLS[place.backend] - 1, "drop-after")


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    ("hook", "code"), [("pre-receive", 1), ("post-receive", 0)], ids=["refused", "landed"]
)
def test_killed_at_a_push(place: Place, number: int, hook: str, code: int) -> None:
    """The lease, or the records, come to the origin or not; the process never hears of it."""
    calls, pushes = len(place.sandbox.writes), place.pushes()
    place.ends_at_push(number, hook, code)
    check_is_killed(place.start())
    (place.origin / "hooks" / hook).unlink()
    assert len(place.sandbox.writes) - calls == number * CALLS[place.backend]
    assert place.pushes() - pushes == number + (hook == "post-receive")
    check_converges(place)


def test_two_processes_begin_together(place: Place) -> None:
    """One makes the calls, the other ends without any."""
    since = len(place.sandbox.writes)
    with place.start() as first, place.start() as second:
        both = (first, second)
        for one in both:
            one.communicate(timeout=PATIENCE)
    codes = sorted(one.returncode for one in both)
    assert codes[0] == ExitCode.OK
    assert codes[1] in {ExitCode.OK, ExitCode.STALE, ExitCode.BUSY}
    assert len(place.sandbox.writes) - since == CALLS[place.backend]
    check_converges(place)
