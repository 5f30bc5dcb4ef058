"""A repository on disk, with settings and whatever files a test writes into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from planops.core.model import Problem
from planops.manifests.load import Loaded, load_config, load_plans

SETTINGS = """\
apiVersion: planops/v1
kind: Config
plans: ["plans/**/*.yaml"]
targets:
  zadig-prod: {backend: zadig, url: "https://zadig.example.com", token: "${env:TOKEN}"}
"""
SECOND = '  zadig-test: {backend: zadig, url: "https://test.example.com", token: "${env:TOKEN}"}\n'


def say(problem: Problem) -> str:
    """A problem as a user sees it."""
    hint = f"; {problem.hint}" if problem.hint else ""
    return f"{problem.mark}: {problem.message}{hint}"


@dataclass(frozen=True)
class Repository:
    """A folder with planops.yaml."""

    root: Path

    def write(self, path: str, content: str | bytes) -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
        return place

    def plan(self, path: str, name: str, extra: str = "", *, spec: str = "", **meta: str) -> Path:
        more = "".join(f"  {key}: {value}\n" for key, value in meta.items())
        return self.write(
            path,
            f"apiVersion: planops/v1\nkind: ZadigReleasePlan\nmetadata:\n  name: {name}\n{more}"
            f"spec:\n  name: Plan {name}\n  manager: patrick\n{spec}{extra}",
        )

    def load(
        self,
        paths: tuple[str, ...] = (),
        targets: tuple[str, ...] = (),
        labels: tuple[str, ...] = (),
    ) -> Loaded:
        config = load_config(self.root / "planops.yaml")
        return load_plans(self.root, config, paths=paths, targets=targets, labels=labels)

    def said(self) -> list[str]:
        return [say(problem) for problem in self.load().problems]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    made.write("planops.yaml", SETTINGS)
    return made


@pytest.fixture
def two_targets(repository: Repository) -> Repository:
    repository.write("planops.yaml", SETTINGS + SECOND)
    return repository


@pytest.fixture
def spoken() -> Callable[[Problem], str]:
    return say
