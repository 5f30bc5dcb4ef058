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
BRPM_SETTINGS = SETTINGS.replace(
    "zadig-prod: {backend: zadig", "brpm-prod: {backend: brpm"
).replace("https://zadig.example.com", "https://brpm.example.com/brpm")
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
def repository(tmp_path: Path, request: pytest.FixtureRequest) -> Repository:
    """A repository for Zadig; for BRPM where the test is of a file named ``brpm-…``."""
    made = Repository(tmp_path)
    tried = getattr(request.node, "callspec", None)
    path = tried.params.get("path") if tried else None
    brpm = isinstance(path, Path) and path.stem.startswith("brpm-")
    made.write("planops.yaml", BRPM_SETTINGS if brpm else SETTINGS)
    return made


@pytest.fixture
def brpm(repository: Repository) -> Repository:
    """A repository for BRPM."""
    repository.write("planops.yaml", BRPM_SETTINGS)
    return repository


@pytest.fixture
def two_targets(repository: Repository) -> Repository:
    repository.write("planops.yaml", SETTINGS + SECOND)
    return repository


@pytest.fixture
def spoken() -> Callable[[Problem], str]:
    return say
