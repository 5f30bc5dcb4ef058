"""Ten thousand records cost as many git processes as ten."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import pytest

from ledger.place import NOW, Clone, document, ledger
from planops.core.ledger import Book
from planops.git.ledger import GitLedger

MANY, FEW = 10_000, 10
T = TypeVar("T")


def documents(count: int, note: str = "") -> dict[str, bytes | None]:
    """Records of so many plans."""
    rows: Iterable[dict[str, bytes | None]] = (
        document(f"plan-{number}", number + 1, note=note) for number in range(count)
    )
    return {path: data for row in rows for path, data in row.items()}


def counted(folder: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[], T]) -> list[str]:
    """Do something; name the git processes that it starts itself, and count all."""
    folder.mkdir()
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(folder))
    work()
    monkeypatch.delenv("GIT_TRACE2_EVENT")
    started = [
        event
        for path in folder.iterdir()
        for line in path.read_text().splitlines()
        if (event := json.loads(line))["event"] == "cmd_name"
    ]
    own = sorted(event["name"] for event in started if "/" not in event["sid"])
    return [*own, str(len(started))]


def played(
    runs: GitLedger, count: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], ...]:
    """Write so many records, read them, change half of them, read again."""
    folder.mkdir()
    found: list[Book] = [runs.load()]

    def write(changes: dict[str, bytes | None]) -> None:
        found.append(Book(tip=runs.write(found[-1].tip, changes, "m", NOW)))

    def read() -> None:
        found.append(runs.load())
        assert not found[-1].damages

    half = dict(list(documents(count, "changed").items())[::2])
    steps: list[Callable[[], None]] = [
        lambda: write(documents(count)), read, lambda: write(half), read,
    ]  # fmt: skip
    costs = tuple(
        counted(folder / str(number), monkeypatch, step) for number, step in enumerate(steps)
    )
    notes = [record.spec["note"] for record in found[-1].records.values()]
    assert (notes.count("changed"), notes.count("")) == (count // 2, count // 2)
    return costs


def test_what_reading_and_writing_starts_does_not_grow(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = played(ledger(clone, "refs/x/few"), FEW, tmp_path / "few", monkeypatch)
    many = played(ledger(clone, "refs/x/many"), MANY, tmp_path / "many", monkeypatch)
    ours = [names[:-1] for names in many]
    assert ours == [names[:-1] for names in few]
    reading = [
        "cat-file",
        "cat-file",
        "ls-remote",
        "ls-tree",
        "remote",
        "rev-parse",
        "rev-parse",
        "symbolic-ref",
    ]
    writing = ["fast-import", "push", "remote", "rev-parse", "symbolic-ref", "update-ref"]
    assert ours == [sorted([*writing, "rev-parse"]), reading, writing, reading]
    assert max(int(names[-1]) for names in (*few, *many)) <= 20


def test_another_clone_reads_as_many(
    clone: Clone, other: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger(clone).write("", documents(MANY), "m", NOW)
    found: list[Book] = []
    names = counted(tmp_path / "t", monkeypatch, lambda: found.append(ledger(other).load()))
    assert len(found[0].records) == MANY
    assert names[:-1] == [
        "cat-file", "cat-file", "fetch", "ls-remote", "ls-tree", "remote", "rev-parse",
        "rev-parse", "symbolic-ref",
    ]  # fmt: skip
    assert int(names[-1]) <= 20
