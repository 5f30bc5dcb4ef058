"""Jobs of GitHub Actions and GitLab CI: their variables, and the command that they run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cli.place import TEXT, Ended, Place
from forges import github, gitlab
from forges.store import OURS, WRITER, Pull
from forges.worlds import World
from planops.core.report import ExitCode
from planops.forges.events import Name


@dataclass(slots=True)
class Jobs:
    """What CI does for a repository; ``run`` counts its runs."""

    place: Place
    there: World
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    run: int = 100
    given: set[str] = field(default_factory=set)

    @property
    def output(self) -> Path:
        return self.folder / "output"

    @property
    def summary(self) -> Path:
        return self.folder / "summary"

    @property
    def is_github(self) -> bool:
        return self.there.name is Name.GITHUB

    def begin(self) -> None:
        """Make the repository and its remote, and apply two plans from its main branch."""
        origin = self.folder / "origin.git"
        subprocess.run(["git", "init", "--quiet", "--bare", str(origin)], check=True)  # noqa: S603, S607
        place = self.place
        place.git("remote", "add", "origin", str(origin))
        place.ledgered("git")
        place.plan(description="one", jobs=[TEXT])
        place.plan("other", description="one", jobs=[TEXT])
        place.commit()
        assert place.planops("apply", "--yes").code == ExitCode.OK
        place.git("push", "--quiet", "origin", "main")
        self.set({"PLANOPS_SECRETS": "ZADIG_TOKEN"})

    def set(self, variables: Mapping[str, str]) -> None:
        """Set variables of a job."""
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)
            self.given.add(name)

    # ------------------------------------------------------------------------------ the forge

    def open(self, *, fork: bool = False, source: str = "change") -> Pull:
        """Open a pull request with what was written since, and leave the work tree at the base."""
        pull = self.there.store.open_pull(fork=fork, source=source)
        self.push(pull)
        return pull

    def push(self, pull: Pull) -> None:
        """Push what was written since to a pull request, as the forge keeps it."""
        git = self.place.git
        git("checkout", "--quiet", "-B", f"branch-{pull.number}")
        self.place.commit()
        kind = "pull" if self.is_github else "merge-requests"
        pull.head = git("rev-parse", "HEAD").strip()
        pull.base = git("rev-parse", "main").strip()
        git("push", "--quiet", "--force", "origin", f"HEAD:refs/{kind}/{pull.number}/head")
        git("checkout", "--quiet", "main")
        git("branch", "--quiet", "--delete", "--force", f"branch-{pull.number}")
        git("reflog", "expire", "--expire=now", "--all")
        git("gc", "--quiet", "--prune=now")

    def merge(self, pull: Pull) -> None:
        """Merge a pull request into the main branch."""
        git = self.place.git
        kind = "pull" if self.is_github else "merge-requests"
        git("fetch", "--quiet", "origin", f"refs/{kind}/{pull.number}/head")
        git("merge", "--quiet", "--no-ff", "--no-edit", "FETCH_HEAD")
        git("push", "--quiet", "origin", "main")
        pull.open, pull.merge = False, git("rev-parse", "HEAD").strip()

    def sticky(self, pull: Pull) -> str:
        """The one comment of ours that is no notice, without its marker."""
        (found,) = [one for one in self.ours(pull) if '"kind":"notice"' not in one]
        return found.partition("\n")[2]

    def notices(self, pull: Pull) -> list[str]:
        """What our notices say."""
        found = [one for one in self.ours(pull) if '"kind":"notice"' in one]
        return [one.partition("\n")[2] for one in found]

    def ours(self, pull: Pull) -> list[str]:
        return [note.text for note in pull.notes if note.user == OURS]

    # ------------------------------------------------------------------------------- the jobs

    def review(self, pull: Pull, *words: str, token: str = WRITER, head: str = "") -> Ended:
        """The job of a pull request; ``head`` is what it was started for."""
        self._job(token)
        head = head or pull.head
        self.there.store.tips["main"] = self.place.git("rev-parse", "main").strip()
        if self.is_github:
            self._github("pull_request_target", {
                "number": pull.number,
                "pull_request": {
                    "number": pull.number,
                    "head": {"sha": head},
                    "base": {"sha": pull.base, "ref": "main"},
                },
            })  # fmt: skip
        else:
            self._gitlab({
                "CI_COMMIT_SHA": head,
                "CI_MERGE_REQUEST_IID": str(pull.number),
                "CI_MERGE_REQUEST_PROJECT_PATH": gitlab.REPOSITORY,
                "CI_MERGE_REQUEST_PROJECT_ID": str(gitlab.PROJECT),
                "CI_MERGE_REQUEST_DIFF_BASE_SHA": pull.base,
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
                "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": pull.source,
                "CI_PIPELINE_SOURCE": "merge_request_event",
            })  # fmt: skip
        return self._ended("review", "--publish", *words)

    def apply(self, *words: str, token: str = WRITER) -> Ended:
        """The job of a push to the main branch."""
        self._job(token)
        head = self.place.git("rev-parse", "HEAD").strip()
        if self.is_github:
            self._github("push", {"ref": "refs/heads/main", "after": head, "before": "0" * 40})
        else:
            self._gitlab({
                "CI_COMMIT_SHA": head, "CI_COMMIT_BRANCH": "main", "CI_PIPELINE_SOURCE": "push",
            })  # fmt: skip
        return self._ended("apply", "--yes", "--publish", *words)

    def reconcile(self, *words: str, token: str = WRITER) -> Ended:
        """The scheduled job that applies again."""
        self._job(token)
        head = self.place.git("rev-parse", "HEAD").strip()
        if self.is_github:
            self._github("schedule", {})
        else:
            self._gitlab({
                "CI_COMMIT_SHA": head, "CI_COMMIT_BRANCH": "main", "CI_PIPELINE_SOURCE": "schedule",
            })  # fmt: skip
        return self._ended("apply", "--yes", "--publish", *words)

    def drift(self, *words: str, token: str = WRITER) -> Ended:
        """The scheduled job."""
        self._job(token)
        head = self.place.git("rev-parse", "HEAD").strip()
        if self.is_github:
            self._github("schedule", {})
        else:
            self._gitlab({"CI_COMMIT_SHA": head, "CI_PIPELINE_SOURCE": "schedule"})
        return self._ended("drift", "--publish", *words)

    def _job(self, token: str) -> None:
        self.run += 1
        self.output.unlink(missing_ok=True)
        self.summary.unlink(missing_ok=True)
        self.set({("GITHUB_TOKEN" if self.is_github else "PLANOPS_GITLAB_TOKEN"): token})

    def _github(self, named: str, event: Mapping[str, Any]) -> None:
        file = self.folder / "event.json"
        file.write_text(json.dumps({**event, "repository": {"full_name": github.REPOSITORY}}))
        self.set({
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": github.REPOSITORY,
            "GITHUB_API_URL": self.there.server.api,
            "GITHUB_SERVER_URL": "https://github.example.com",
            "GITHUB_RUN_ID": str(self.run),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_EVENT_NAME": named,
            "GITHUB_EVENT_PATH": str(file),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
        })  # fmt: skip

    def _gitlab(self, variables: Mapping[str, str]) -> None:
        for name in self.given:
            if name.startswith("CI_"):
                self.monkeypatch.delenv(name, raising=False)
        self.set({
            "GITLAB_CI": "true",
            "CI_API_V4_URL": self.there.server.api,
            "CI_PROJECT_PATH": gitlab.REPOSITORY,
            "CI_PROJECT_ID": str(gitlab.PROJECT),
            "CI_PIPELINE_ID": str(self.run),
            "CI_JOB_ID": "1",
            "CI_JOB_URL": f"https://gitlab.example.com/jobs/{self.run}",
            "PLANOPS_DOTENV": str(self.output),
            **variables,
        })  # fmt: skip

    def _ended(self, *words: str) -> Ended:
        ended = self.place.planops(*words, "--format", "json")
        assert "Traceback" not in ended.err
        assert "sandbox-admin-token" not in ended.both
        for file in (self.output, self.summary):
            assert not file.exists() or "sandbox-admin-token" not in file.read_text()
        return ended

    def outputs(self) -> dict[str, str]:
        """What later steps of the job are given."""
        if not self.is_github:
            pairs = (line.partition("=") for line in self.output.read_text().splitlines())
            return {name.removeprefix("PLANOPS_").lower(): value for name, _, value in pairs}
        found: dict[str, str] = {}
        rows = iter(self.output.read_text().splitlines())
        for row in rows:
            name, _, end = row.partition("<<")
            lines: list[str] = []
            for line in rows:
                if line == end:
                    break
                lines.append(line)
            found[name.replace("-", "_")] = "\n".join(lines)
        return found
