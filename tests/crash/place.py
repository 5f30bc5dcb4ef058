"""A clone with a ledger in its bare origin, a served sandbox, and the command in a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crash.accidents import AtWrite
from planops.cli.group import run
from planops.core.ledger import Book
from planops.git.ledger import GitLedger
from planops.sandbox.emulated import Emulated

PATIENCE = 30.0
REF = "refs/planops/ledger/prod"
HOOK = """#!/bin/sh
number=$(($(cat number) + 1))
echo "$number" > number
test "$number" = {number} || exit 0
kill -9 "$(cat victim)"
exit {code}
"""
"""A hook of the origin that ends a process when the nth push comes."""


@dataclass(frozen=True, slots=True)
class Kills(AtWrite):
    """Does something as soon as the nth request that is no GET arrives, and then strikes."""

    deed: Callable[[], object] = field(kw_only=True)
    seen: list[str] = field(default_factory=list, kw_only=True)

    def matches(self, method: str, path: str, route: str) -> bool:
        if not AtWrite.matches(self, method, path, route):
            return False
        self.seen.append(path)
        if len(self.seen) == self.nth:
            self.deed()
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The clone, its origin, and the server that its settings lead to."""

    folder: Path
    origin: Path
    sandbox: Emulated[Any]
    backend: str
    url: str

    @classmethod
    def made(cls, folder: Path, sandbox: Emulated[Any], backend: str, url: str) -> Place:
        """Make the repositories, and settings."""
        place = cls(
            folder=folder / "clone",
            origin=folder / "origin.git",
            sandbox=sandbox,
            backend=backend,
            url=url,
        )
        _git(folder, "init", "--quiet", "--bare", str(place.origin))
        _git(folder, "init", "--quiet", str(place.folder))
        place.git("remote", "add", "origin", str(place.origin))
        settings = {
            "apiVersion": "planops/v1",
            "kind": "Config",
            "plans": ["plans/*.json"],
            "targets": {
                "prod": {
                    "backend": backend,
                    "url": url,
                    "token": "${env:SERVER_TOKEN}",
                    "concurrency": 1,
                    "timeouts": {"total": 1},
                    "ledger": {"mode": "git", "lease": 10},
                }
            },
        }
        (place.folder / "plans").mkdir()
        (place.folder / "planops.yaml").write_text(json.dumps(settings))
        return place

    def git(self, *words: str) -> str:
        """Call git in the clone."""
        return _git(self.folder, *words)

    def commit(self, *plans: Mapping[str, Any]) -> None:
        """Write these plans and commit."""
        kind = {"zadig": "ZadigReleasePlan", "brpm": "BrpmPlan"}[self.backend]
        for plan in plans:
            name = plan["metadata"]["name"]
            document = {"apiVersion": "planops/v1", "kind": kind, **plan}
            (self.folder / "plans" / f"{name}.json").write_text(json.dumps(document))
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "A change")

    def apply(self) -> int:
        """Apply in this process, and give the code."""
        return int(run(("apply", "--yes", "--quiet", "--chdir", str(self.folder))))

    def start(self) -> subprocess.Popen[str]:
        """Apply in a process of its own."""
        words = ["apply", "--yes", "--quiet", "--chdir", str(self.folder), "-f", "json"]
        started = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "planops", *words],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        (self.origin / "victim").write_text(str(started.pid))
        return started

    def ends_at_push(self, number: int, hook: str, code: int) -> None:
        """Let the origin end the process whose nth push comes."""
        (self.origin / "number").write_text("0")
        script = self.origin / "hooks" / hook
        script.parent.mkdir(exist_ok=True)
        script.write_text(HOOK.format(number=number + 1, code=code))
        script.chmod(0o755)

    def book(self) -> Book:
        """The ledger as the origin holds it."""
        return GitLedger(root=self.folder, ref=REF).load()

    def pushes(self) -> int:
        """How many commits the ledger has."""
        return int(_git(self.origin, "rev-list", "--count", REF))


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(  # noqa: S603
        ["git", *who, *words],  # noqa: S607
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    ).stdout
