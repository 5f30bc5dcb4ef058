"""A repository, a served sandbox and the command line: what every test here starts from."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import click
import pytest

from planops.cli.group import planops_command, run
from planops.sandbox.zadig import FIXTURES, ZadigSandbox

ROOT = Path(__file__).parents[2]
TOKEN = "sandbox-admin-token"
UIDS: Mapping[str, str] = {user["account"]: user["uid"] for user in FIXTURES["users"]}
HEARING = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "signal.signal(signal.SIGHUP, signal.SIG_DFL);"
)
"""Signals are heard, whatever started the tests: a shell's ``&`` or ``nohup`` ignores them."""
START = HEARING + "from planops.cli import main; main()"


class Started(subprocess.Popen[str]):
    """A process that does not outlive a test that fails."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, value, trace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run of the command line ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def both(self) -> str:
        return self.out + self.err


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A git repository whose settings lead to a sandbox."""

    folder: Path
    zadig: ZadigSandbox
    url: str
    capture: pytest.CaptureFixture[str]

    def planops(self, *words: str) -> Ended:
        """Run the command line in this process."""
        self.capture.readouterr()
        code = run(words)
        said = self.capture.readouterr()
        return Ended(code=code, out=said.out, err=said.err)

    def json(self, *words: str) -> Ended:
        """The same, asking for JSON."""
        return self.planops(*words, "--format", "json")

    def settings(self, *targets: str, **more: str) -> None:
        """Write settings with these targets, all of them on the sandbox."""
        lines = [
            "apiVersion: planops/v1",
            "kind: Config",
            "plans: [plans/**/*.yaml]",
            *(f"{name}: {value}" for name, value in more.items()),
            "targets:",
        ]
        for name in targets or ("prod",):
            lines += [
                f"  {name}:",
                "    backend: zadig",
                f"    url: {self.url}",
                "    token: ${env:ZADIG_TOKEN}",
                "    concurrency: 1",
                "    adopt-by-name: true",
            ]
        self.write("planops.yaml", "\n".join(lines) + "\n")

    def ledgered(self, mode: str = "local", *lines: str, **given: str) -> None:
        """Write settings with one target that keeps a ledger, and takes no plan by its name.

        ``lines`` are the target's further ones; ``given`` are its ``url`` and ``token``, and the
        ``limits`` of the whole.
        """
        limits = given.get("limits")
        found = (
            "apiVersion: planops/v1",
            "kind: Config",
            "plans: [plans/**/*.yaml]",
            *([f"limits: {limits}"] if limits else []),
            "targets:",
            "  prod:",
            "    backend: zadig",
            f"    url: {given.get('url', self.url)}",
            f"    token: {given.get('token', '${env:ZADIG_TOKEN}')}",
            f"    ledger: {{mode: {mode}}}",
            *(f"    {line}" for line in lines),
        )
        self.write("planops.yaml", "\n".join(found) + "\n")

    def write(self, path: str, content: str) -> Path:
        """Write a file of the repository."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        return file

    def plan(
        self,
        name: str = "train",
        *,
        target: str = "",
        state: str = "",
        labels: str = "{}",
        **spec: Any,
    ) -> Path:
        """Write a plan; what its ``spec`` holds is written as JSON."""
        fields = {"name": f"Plan {name}", "manager": "patrick", **spec}
        lines = [
            "apiVersion: planops/v1",
            "kind: ZadigReleasePlan",
            f"metadata: {{name: {name}, labels: {labels}{f', target: {target}' * bool(target)}}}",
            f"spec: {json.dumps(fields)}",
        ]
        lines += [f"state: {state}"] if state else []
        return self.write(f"plans/{name}.yaml", "\n".join(lines) + "\n")

    def reviewable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Write settings with a ledger and two plans, and let reviews read the token."""
        monkeypatch.setenv("PLANOPS_SECRETS", "ZADIG_TOKEN")
        self.ledgered()
        for name in ("train", "other"):
            self.plan(name, description="one", jobs=[TEXT])

    def window(self, start: int = 3600, end: int = 7200) -> dict[str, str]:
        """A release window, in seconds from now."""
        now = self.zadig.clock.now()
        times = (datetime.fromtimestamp(now + offset, UTC) for offset in (start, end))
        texts = [time.strftime("%Y-%m-%dT%H:%M:%SZ") for time in times]
        return {"start_time": texts[0], "end_time": texts[1]}

    def waiting(self, name: str = "train", **more: Any) -> Path:
        """Write a plan whose goal is to wait for its approver."""
        approval = {
            "enabled": True,
            "type": "native",
            "native_approval": {
                "timeout": 60,
                "needed_approvers": 1,
                "approve_users": [{"account": "alice"}],
            },
        }
        given = {"approval": approval, "jobs": [TEXT], **self.window(), **more}
        return self.plan(name, state="wait_for_approval", **given)

    def plant(self, name: str = "train", **document: Any) -> str:
        """Put a plan on the server, as somebody would by hand; its id."""
        made = {"name": f"Plan {name}", "manager": "patrick", "manager_id": UIDS["patrick"]}
        return str(self.zadig.insert_plan({**made, **document})["id"])

    def git(self, *words: str) -> str:
        """Call git in the repository."""
        who = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        return subprocess.run(  # noqa: S603
            ["git", *who, *words],  # noqa: S607
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def commit(self) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "A change")

    def start(
        self,
        *words: str,
        code: str = START,
        environment: Mapping[str, str] | None = None,
        **how: Any,
    ) -> Started:
        """Start the command line as a process of its own."""
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return Started(
            [sys.executable, "-c", code, *words],
            cwd=self.folder,
            env={**os.environ, **(environment or {})},
            text=True,
            encoding="utf-8",
            errors="replace",
            **{**given, **how},
        )

    def process(self, *words: str, environment: Mapping[str, str] | None = None) -> Ended:
        """Run the command line as a process of its own."""
        with self.start(*words, environment=environment) as started:
            out, err = started.communicate(timeout=60)
        return Ended(code=started.returncode, out=out, err=err)


def command(name: str) -> click.Command:
    """A command as the group gives it."""
    assert isinstance(planops_command, click.Group)
    found = planops_command.get_command(click.Context(planops_command), name)
    assert found is not None
    return found


def parse(name: str, words: Sequence[str]) -> None:
    """Parse a command's words and do nothing. Raises what click raises."""
    parent = click.Context(planops_command, **planops_command.context_settings)
    command(name).make_context(name, list(words), parent=parent)


def later(text: str) -> str:
    """Move release windows far ahead: what a document shows must not run out here."""
    return re.sub(r"(_time: )\d{4}", r"\g<1>2096", text)


TEXT: Mapping[str, Any] = {"name": "Announce", "type": "text", "spec": {"content": "Hello"}}
