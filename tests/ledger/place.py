"""Repositories that tests of the ledger are played in: one upstream, and clones of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from planops.core.ledger import Book, Origin, Record, record_document
from planops.git.ledger import GitLedger

REF = "refs/planops/ledger/prod"
SEEN = "refs/planops/seen/planops-ledger-prod"
NOW = 1_700_000_000
URL = "https://release.example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clone:
    """A repository; ``folder`` is where git is called, its work tree where it has one."""

    folder: Path

    def git(self, *words: str, data: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Call git, as a person or an enemy would; what it answers."""
        who = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(  # noqa: S603
            ["git", *who, *words],  # noqa: S607
            cwd=self.folder,
            check=True,
            capture_output=True,
            input=data,
            env={**os.environ, **(env or {})},
        )
        return done.stdout.decode().rstrip("\n")

    def at(self, ref: str) -> str:
        """The commit that a ref is at; empty where there is none."""
        return self.git("for-each-ref", "--format=%(objectname)", ref)

    def refs(self) -> dict[str, str]:
        """Every ref and what it is at."""
        rows = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(row.split(" ") for row in rows)

    def commit(self, tree: str, *parents: str, message: str = "x") -> str:
        """Make a commit and move nothing."""
        given = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", "-m", message, *given, tree)

    def blob(self, data: bytes) -> str:
        """Store a file's content; its id."""
        return self.git("hash-object", "-w", "--stdin", data=data)

    def tree(self, *rows: str) -> str:
        """Make a tree of rows ``mode type id name``, unchecked; its id."""
        text = "".join(f"{mode} {kind} {id_}\t{name}\0" for mode, kind, id_, name in _split(rows))
        return self.git("mktree", "-z", "--missing", data=text.encode(errors="surrogateescape"))

    def hook(self, name: str, script: str) -> Path:
        """Install a hook."""
        hooks = Path(self.git("rev-parse", "--absolute-git-dir")) / "hooks"
        hooks.mkdir(exist_ok=True)
        path = hooks / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def kept(self) -> dict[str, bytes]:
        """Every file but git's objects and what was seen of a ledger: what must not change."""
        return {
            name: path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
            and not (name := str(path.relative_to(self.folder))).startswith(
                (".git/objects/", "objects/", ".git/refs/planops/seen/", "refs/planops/seen/")
            )
        }


def _split(rows: Iterable[str]) -> Iterable[list[str]]:
    return (row.split(" ", 3) for row in rows)


def ledger(clone: Clone | Path, ref: str = REF, remote: str | None = "origin") -> GitLedger:
    """The ledger as a run in this folder sees it."""
    root = clone.folder if isinstance(clone, Clone) else clone
    return GitLedger(root=root, ref=ref, remote=remote)


def record(key: str, id_: int = 1, **spec: str) -> Record:
    """What was applied to a plan."""
    return Record(
        key=key,
        kind="FerryPlan",
        url=URL,
        id=str(id_),
        name=key.title(),
        spec=dict(spec),
        echo={},
        origin=Origin(file=f"plans/{key}.yaml"),
    )


def document(key: str, id_: int = 1, **spec: str) -> dict[str, bytes | None]:
    """What is to be written to record a plan."""
    path, data = record_document(record(key, id_, **spec))
    return {path: data}


def put(clone: Clone | GitLedger, *keys: str, tip: str | None = None) -> str:
    """Record plans, on what is there unless a tip is told."""
    there = ledger(clone) if isinstance(clone, Clone) else clone
    on = there.load().tip if tip is None else tip
    changes = {path: data for key in keys for path, data in document(key).items()}
    return there.write(on, changes, f"apply prod: {' '.join(keys)}", NOW)


def keys(book: Book) -> list[str]:
    """Name the plans that are recorded, in a ledger without damages."""
    assert book.damages == ()
    return sorted(book.records)
