"""Workflows, action and templates as data: the stored ones, and what `planops init` writes."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from planops.starter.files import JOBS, Forge, Start, compose
from planops.starter.placing import place

ROOT = Path(__file__).parents[2]
OWN = ROOT / ".github/workflows"
ACTION = ROOT / ".github/actions/planops"
STARTER = ROOT / "src/planops/starter"
USES = f"some-owner/planops@{'0123456789abcdef' * 2}01234567"
BIN = Path(sys.executable).parent
TOOLS = ("actionlint", "check-jsonschema", "shellcheck", "zizmor")
linted = pytest.mark.skipif(
    not all((BIN / tool).exists() for tool in TOOLS), reason="the linters are of the dev group"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A workflow of one of the five kinds."""

    kind: str
    text: str
    path: str

    @property
    def tree(self) -> Any:
        return parse(self.text)

    @property
    def jobs(self) -> dict[str, Any]:
        jobs: dict[str, Any] = self.tree["jobs"]
        return jobs

    @property
    def steps(self) -> list[dict[str, Any]]:
        return [step for job in self.jobs.values() for step in job.get("steps", [])]

    def __str__(self) -> str:
        return self.path


def parse(text: str) -> Any:
    """Read YAML with every scalar as text; `on` is a key there, as GitHub takes it."""
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506, TID251  no plan file


def start(**given: Any) -> Start:
    """What a repository starts with, on GitHub and for Zadig unless said otherwise."""
    told = {
        "backend": "zadig",
        "target": "zadig-prod",
        "url": "https://zadig.example.com",
        "version": "1.2.3",
        "forge": Forge.GITHUB,
        **given,
    }
    return Start(**told)


STARTS = {
    "github": start(),
    "github-uses": start(backend="brpm", target="brpm-test", uses=USES, branch="trunk"),
    "gitlab": start(forge=Forge.GITLAB),
    "gitlab-brpm": start(forge=Forge.GITLAB, backend="brpm", target="brpm-prod"),
}


def written(folder: Path, name: str) -> Path:
    """Write one of the starts into a folder."""
    place(folder, compose(STARTS[name]))
    return folder


def reusable() -> list[Workflow]:
    """The workflows that other repositories call."""
    return [_stored(job, OWN / f"{job}.yml") for job in JOBS]


def alone() -> list[Workflow]:
    """The workflows that init writes and that stand alone, with their words for the unknown."""
    return [_stored(job, STARTER / f"github/planops-{job}.yml") for job in JOBS]


def callers() -> list[Workflow]:
    """The workflows that init writes and that call the reusable ones."""
    return [_stored(job, STARTER / f"github-uses/planops-{job}.yml") for job in JOBS]


def everything() -> list[Workflow]:
    """All of them, and what init makes of the templates."""
    return [*reusable(), *alone(), *callers(), *_written()]


def of(kinds: str, *groups: list[Workflow]) -> list[Workflow]:
    """Those of some kinds, out of groups."""
    wanted = kinds.split()
    return [each for each in itertools.chain(*groups) if each.kind in wanted]


def _stored(kind: str, path: Path) -> Workflow:
    text = path.read_text(encoding="utf-8")
    return Workflow(kind=kind, text=text, path=str(path.relative_to(ROOT)))


def _written() -> Iterator[Workflow]:
    for name in ("github", "github-uses"):
        for file in compose(STARTS[name]):
            if file.path.startswith(".github/workflows/"):
                kind = Path(file.path).stem.removeprefix("planops-")
                yield Workflow(kind=kind, text=file.text, path=f"written {name} {kind}")
