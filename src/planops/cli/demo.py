"""``planops demo``: the whole story on the sandbox, told by the real commands.

A real git repository, the real command in a process of its own, a real socket on loopback. Every
act says what it expects; the demo fails where planops does anything else.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from planops.cli import options
from planops.cli.sandbox import HEAD, target
from planops.errors import PlanopsError, SettingsWrong

if TYPE_CHECKING:
    from planops.sandbox.brpm import BrpmSandbox
    from planops.sandbox.zadig import ZadigSandbox

TOKEN = "sandbox-admin-token"  # noqa: S105  the sandboxes' own, known to everybody

CHECKOUT = """\
apiVersion: planops/v1
kind: ZadigReleasePlan
metadata:
  name: checkout-2026-12
  target: zadig-demo
  labels: {team: payments}
spec:
  name: Checkout 2026.12
  manager: patrick
  start_time: @START@
  end_time: @END@
  description: New checkout
  approval:
    enabled: true
    type: native
    native_approval: {timeout: 60, needed_approvers: 1, approve_users: [{account: alice}]}
  jobs:
    - {name: Announce, type: text, spec: {content: "Tell support, sales and on-call."}}
    - {name: Switch over, type: text, spec: {content: "Send all traffic to the new checkout."}}
"""

SEARCH = """\
apiVersion: planops/v1
kind: ZadigReleasePlan
metadata:
  name: search-2026-12
  target: zadig-demo
  labels: {team: search}
spec:
  name: Search 2026.12
  manager: patrick
  description: Index rebuild
  jobs:
    - {name: Rebuild, type: text, spec: {content: Rebuild the index., remark: takes two hours}}
"""

MAINFRAME = """\
apiVersion: planops/v1
kind: BrpmPlan
metadata:
  name: mainframe-2026-12
  target: brpm-demo
  labels: {team: core}
spec:
  name: Mainframe 2026.12
  plan_template_name: Sample Deploy Template
  release_manager: patrick
  release_date: 2026-12-01
  teams: [AllAccess]
  description: Quarterly batch
state: started
"""


@click.command()
@options.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="PLANOPS_DIRECTORY",
    help="Keep the demo's repository here (default: a temporary directory).",
)
def command(directory: Path | None) -> int:
    """Play the whole story: validate, diff, apply, drift, approval, and a second server.

    An emulated Zadig and an emulated BRPM are started on this computer, and a git repository with
    three plans is made. Nothing else is touched, and no other computer is spoken to.

    \b
    Example:
      planops demo
    """  # noqa: D301  click reads the backspace, and never shows it
    try:
        from planops.sandbox.brpm import BrpmSandbox
        from planops.sandbox.server import serve
        from planops.sandbox.zadig import ZadigSandbox
    except ImportError as error:
        raise SettingsWrong(
            f"demo: {error.name} is not installed; pip install 'planops[sandbox]'"
        ) from error
    with (
        _folder(directory) as folder,
        closing(ZadigSandbox()) as zadig,
        closing(BrpmSandbox()) as brpm,
        serve(zadig.app) as at,
        serve(brpm.app) as there,
    ):
        story = _Story(
            folder=folder,
            zadig=zadig,
            brpm=brpm,
            url=at.url,
            other=f"{there.url}{brpm.context}",
        )
        story.tell()
        click.secho(f"\nThe demo is over: {story.acts} acts, each as expected.", bold=True)
    return 0


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is None:
        with tempfile.TemporaryDirectory(prefix="planops-demo-") as name:
            yield Path(name)
        return
    if given.exists() and any(given.iterdir()):
        raise SettingsWrong(f"demo: {given} is not empty; name a new directory")
    given.mkdir(parents=True, exist_ok=True)
    yield given


@dataclass(slots=True, kw_only=True)
class _Story:
    """The acts of the demo, in order."""

    folder: Path
    zadig: ZadigSandbox
    brpm: BrpmSandbox
    url: str
    other: str
    acts: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    def tell(self) -> None:
        """Play every act. Raises ``PlanopsError`` where one ends otherwise than expected."""
        self.environment = _clean(os.environ) | {"ZADIG_TOKEN": TOKEN, "BRPM_TOKEN": TOKEN}
        self._make_repository()
        self._act("Check the files: no server, no credentials", "validate")
        self._act("A dry run shows every call that apply would make", "diff")
        self._act("Make those calls, and no others", "apply --yes --quiet")
        self._expect(len(self.zadig.plans()) == 2, "two plans on Zadig")  # noqa: PLR2004
        self._expect(self._mainframe()["aasm_state"] == "started", "a started plan on BRPM")
        self._act("Nothing is left to do", "diff --exit-code")
        self._someone_edits()
        self._act("The edit is seen, and where it is in the file", "diff --exit-code", expected=2)
        self._act("Put right what the file declares, and nothing else", "apply --yes --quiet")
        self._expect(self._plan("Search 2026.12")["start_time"] != 0, "the window is still there")
        self._edit_file()
        self._act("Git sets a goal in the lifecycle: the route comes first", "diff")
        self._act("Walk there, and park: the approver is next", "apply --yes --quiet")
        self._act("Who is next?", "status")
        self._expect(self._state() == "wait_for_approval", "the plan waits for its approver")
        self._approve()
        self._act("The approval moved the plan beyond its goal: satisfied", "status")
        self._act("And nothing is left to do", "diff --exit-code")
        self._expect(self._state() == "executing", "the plan is executing")
        self._somebody_holds()
        self._act("A hold that somebody set is seen and left", "apply --yes --quiet")
        self._expect(self._mainframe()["aasm_state"] == "hold", "the plan is still on hold")
        self._act("Who is next, on both servers?", "status")

    def _make_repository(self) -> None:
        """Three plans; the window of one is tomorrow, by the clock of the server."""
        from datetime import UTC, datetime

        now = self.zadig.clock.now()
        start, end = (
            datetime.fromtimestamp(now + hours * 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            for hours in (24, 28)
        )
        plans = self.folder / "plans"
        plans.mkdir(exist_ok=True)
        (self.folder / "planops.yaml").write_text(
            HEAD
            + target("zadig", "zadig-demo", self.url, "ZADIG_TOKEN")
            + target("brpm", "brpm-demo", self.other, "BRPM_TOKEN")
        )
        (plans / "checkout.yaml").write_text(
            CHECKOUT.replace("@START@", start).replace("@END@", end)
        )
        (plans / "search.yaml").write_text(SEARCH)
        (plans / "mainframe.yaml").write_text(MAINFRAME)
        self._git("init", "--quiet", "--initial-branch=main")
        self._commit("Plan checkout, search and mainframe")

    def _someone_edits(self) -> None:
        self._say("Somebody edits in Zadig's web interface: a description, and a window")
        start = self.zadig.clock.now() + 3600
        window = {"start_time": start, "end_time": start + 3600}
        plan = self._plan("Search 2026.12")
        self.zadig.edit(
            plan["id"], {"description": "Index rebuild (Bob: not today!)"} | window, "Bob"
        )

    def _edit_file(self) -> None:
        self._say("In git: state: wait_for_approval")
        file = self.folder / "plans" / "checkout.yaml"
        file.write_text(file.read_text() + "state: wait_for_approval\n")
        self._commit("Submit checkout for approval")

    def _approve(self) -> None:
        from http.client import HTTPConnection

        self._say("Alice approves, in Zadig")
        id_ = self._plan("Checkout 2026.12")["id"]
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        connection.request(
            "POST",
            f"/api/aslan/release_plan/v1/{id_}/approve",
            body='{"approve": true, "comment": "go"}',
            headers={"Authorization": "Bearer sandbox-alice-token"},
        )
        self._expect(connection.getresponse().status == 200, "the approval is taken")  # noqa: PLR2004
        connection.close()

    def _somebody_holds(self) -> None:
        self._say("In BRPM somebody puts the mainframe's plan on hold")
        self.brpm.edit(self._mainframe()["id"], {"aasm_state": "hold"}, "bob")

    def _mainframe(self) -> dict[str, Any]:
        return next(one for one in self.brpm.plans() if one["name"] == "Mainframe 2026.12")

    def _act(self, title: str, line: str, *, expected: int = 0) -> None:
        """Run one command as a user would, show it, and hold it to its exit code."""
        self.acts += 1
        self._say(title)
        click.secho(f"$ planops {line}", fg="cyan")
        ended = subprocess.run(  # noqa: S603  our own command, and words that stand above
            [sys.executable, "-m", "planops", *shlex.split(line)],
            cwd=self.folder,
            env=self.environment,
            check=False,
        )
        click.secho(f"(exit code {ended.returncode})", dim=True)
        self._expect(ended.returncode == expected, f"exit code {expected} of planops {line}")

    def _expect(self, truth: bool, what: str) -> None:  # noqa: FBT001  a fact, not a switch
        if not truth:
            raise PlanopsError(f"demo: act {self.acts}: expected {what}; please report this")

    def _say(self, title: str) -> None:
        click.secho(f"\n── {title} ".ljust(80, "─"), bold=True)

    def _plan(self, name: str) -> dict[str, Any]:
        return next(plan for plan in self.zadig.plans() if plan["name"] == name)

    def _state(self) -> object:
        return self._plan("Checkout 2026.12")["status"]

    def _commit(self, message: str) -> None:
        self._git("add", "--all")
        who = ("-c", "user.name=Demo", "-c", "user.email=demo@example.com")
        self._git(*who, "-c", "commit.gpgsign=false", "commit", "--quiet", "-m", message)

    def _git(self, *words: str) -> None:
        try:
            subprocess.run(  # noqa: S603
                ["git", *words],  # noqa: S607
                cwd=self.folder,
                env=self.environment,
                check=True,
            )
        except FileNotFoundError as error:
            raise SettingsWrong("demo: git is not installed; install it") from error


def _clean(environment: os._Environ[str]) -> dict[str, str]:
    """Take the environment without what would change the commands or lead elsewhere."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(("PLANOPS_", "GIT_"))
    }
