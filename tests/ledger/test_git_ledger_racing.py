"""Writers at the same moment: one wins, the others learn that they lost, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier

import pytest

from ledger.place import REF, SEEN, Clone, keys, ledger, put
from planops.errors import LedgerMoved
from planops.git.ledger import GitLedger

WRITERS = 5


def at_once(runs: Sequence[GitLedger], tip: str) -> dict[str, str]:
    """Let every run write a plan of its own on the same tip; the commits by plan, or empty."""
    barrier = Barrier(len(runs))

    def write(number: int) -> str:
        barrier.wait()
        try:
            return put(runs[number], f"plan-{number}", tip=tip)
        except LedgerMoved:
            return ""

    with ThreadPoolExecutor(len(runs)) as pool:
        made = pool.map(write, range(len(runs)))
        return {f"plan-{number}": commit for number, commit in enumerate(made)}


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("where", ["one clone", "two clones", "local"])
def test_of_writers_at_once_exactly_one_wins(
    clone: Clone, other: Clone, where: str, *, first: bool
) -> None:
    remote = None if where == "local" else "origin"
    places = (clone, other) if where == "two clones" else (clone,)
    runs = [ledger(places[n % len(places)], remote=remote) for n in range(WRITERS)]
    tip = "" if first else put(runs[0], "before")
    for run in runs[:2]:
        assert run.load().tip == tip
    won = {key: commit for key, commit in at_once(runs, tip).items() if commit}
    assert len(won) == 1
    [(key, commit)] = won.items()
    for run in runs:
        found = run.load()
        assert found.tip == commit
        assert keys(found) == sorted([key, *([] if first else ["before"])])
    history = clone.git("rev-list", REF if remote is None else SEEN).split()
    assert history == [commit, *([] if first else [tip])]


def test_two_ledgers_in_one_clone_do_not_meet(clone: Clone) -> None:
    runs = [ledger(clone, f"refs/planops/ledger/t{number}") for number in range(WRITERS)]
    won = at_once(runs, "")
    assert all(won.values())
    for number, run in enumerate(runs):
        assert (run.load().tip, keys(run.load())) == (won[f"plan-{number}"], [f"plan-{number}"])


def test_reading_while_others_write_is_whole(clone: Clone, other: Clone) -> None:
    """Whoever reads sees a ledger as it was at one moment: with all plans up to some number."""
    names = [f"plan-{number}" for number in range(8)]

    def write() -> None:
        tip = ""
        for name in names:
            tip = put(other, name, tip=tip)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        seen = []
        while not writing.done():
            seen.append(keys(ledger(clone).load()))
        writing.result()
    seen.append(keys(ledger(clone).load()))
    assert all(found == names[: len(found)] for found in seen)
    assert seen == sorted(seen, key=len)
    assert seen[-1] == names


PROCESS = """
import sys
from pathlib import Path
from ledger.place import ledger, put
from planops.errors import LedgerMoved

root, name, remote = Path(sys.argv[1]), sys.argv[2], sys.argv[3] or None
run, lost = ledger(root, remote=remote), 0
print("ready", flush=True)
sys.stdin.readline()
for number in range(3):
    while True:
        try:
            put(run, f"{name}-{number}")
            break
        except LedgerMoved:
            lost += 1
print(lost)
"""


@pytest.mark.parametrize("remote", ["origin", None])
def test_processes_write_until_everything_is_in(
    clone: Clone, other: Clone, remote: str | None
) -> None:
    """Two in one clone and, where there is a remote, one in another."""
    places = [clone, clone, other if remote else clone]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(_started(place, f"p{number}", remote))
            for number, place in enumerate(places)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            out, err = process.communicate(timeout=60)
            assert (process.returncode, err) == (0, "")
            assert int(out) >= 0
    found = ledger(clone, remote=remote).load()
    names = [f"p{number}-{turn}" for number in range(3) for turn in range(3)]
    assert keys(found) == names
    assert len(clone.git("rev-list", found.tip).split()) == len(names)


def _started(place: Clone, name: str, remote: str | None) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", PROCESS, str(place.folder), name, remote or ""],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path]),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
