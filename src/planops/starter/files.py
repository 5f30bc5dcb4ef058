"""Which files a repository starts with, and what is in them; writes none.

The schemas are copies of this version's own: an editor then needs no network, and no planops.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, assert_never

from planops.manifests import schemas
from planops.manifests.writing import written

TOKENS: Final[Mapping[str, str]] = {"zadig": "ZADIG_TOKEN", "brpm": "BRPM_TOKEN"}
"""The variable of each backend's token."""
JOBS: Final = ("validate", "review", "apply", "reconcile", "drift")
SETTINGS: Final = "planops.yaml"
PLAN: Final = "plans/first-plan.yaml"

_HERE: Final = Path(__file__).parent
_NO_COMMIT: Final = "0" * 40


class Forge(enum.StrEnum):
    """Whose jobs are written."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What is known of the repository: its forge, its default branch, the server of its plans.

    ``uses`` is ``OWNER/REPO@COMMIT``, where planops' reusable workflows are; empty for workflows
    that install planops by ``version`` and stand alone. ``shared`` says that there is a remote to
    keep the ledger at.
    """

    backend: str
    target: str
    url: str
    version: str
    forge: Forge = Forge.NONE
    branch: str = "main"
    uses: str = ""
    shared: bool = True

    @property
    def token(self) -> str:
        """Name the variable that holds the server's token."""
        return TOKENS[self.backend]


@dataclass(frozen=True, slots=True, kw_only=True)
class StarterFile:
    """A file, from the repository's root. ``theirs``: one that is there is never written over."""

    path: str
    text: str
    theirs: bool = False


def compose(start: Start) -> tuple[StarterFile, ...]:
    """Give every file that the repository starts with, the settings first.

    Raises ``FilesWrong`` for a target or an address that no file can hold.
    """
    return (
        StarterFile(path=SETTINGS, text=_settings(start)),
        StarterFile(path=PLAN, text=_filled(f"{start.backend}/plan.yaml", start)),
        *_schemas(),
        StarterFile(path=".vscode/settings.json", text=_filled("vscode.json", start), theirs=True),
        *_jobs(start),
    )


def _jobs(start: Start) -> Iterator[StarterFile]:
    match start.forge:
        case Forge.GITHUB:
            source = "github-uses" if start.uses else "github"
            for job in JOBS:
                text = _filled(f"{source}/planops-{job}.yml", start)
                yield StarterFile(path=f".github/workflows/planops-{job}.yml", text=text)
        case Forge.GITLAB:
            name = "planops.gitlab-ci.yml"
            yield StarterFile(path=f".gitlab/{name}", text=_filled(f"gitlab/{name}", start))
            text = _filled("gitlab/gitlab-ci.yml", start)
            yield StarterFile(path=".gitlab-ci.yml", text=text, theirs=True)
        case Forge.NONE:
            return
        case _ as never:
            assert_never(never)


def _schemas() -> Iterator[StarterFile]:
    for name in (schemas.PLAN, schemas.CONFIG, *schemas.KINDS.values()):
        text = json.dumps(schemas.schema(name), indent=2, ensure_ascii=False) + "\n"
        yield StarterFile(path=f"schemas/{name}.schema.json", text=text)


def _settings(start: Start) -> str:
    """Give the settings; what came from outside is written as YAML that reads back the same."""
    text = _read("planops.yaml")
    if not start.shared:
        text = text.replace("{mode: git}", "{mode: local}")
    text = text.replace("https://example-backend.example.com", _value(start.url))
    text = text.replace("example-backend", start.backend)
    text = text.replace("EXAMPLE_TOKEN", start.token)
    return text.replace("example-target", written({start.target: None}).removesuffix(": null\n"))


def _value(text: str) -> str:
    return written({"url": text}).removeprefix("url: ").removesuffix("\n")


def _filled(name: str, start: Start) -> str:
    """Give a file with its words replaced: names of a known form, that need no quoting."""
    text = _read(name)
    owner, _, commit = start.uses.partition("@")
    for word, meant in {
        "example-owner/planops": owner,
        _NO_COMMIT: commit,
        "planops==0.0.0": f"planops=={start.version}",
        "EXAMPLE_READ_TOKEN": start.token.replace("_TOKEN", "_READ_TOKEN"),
        "EXAMPLE_TOKEN": start.token,
        "example-branch": start.branch,
        "example-target": start.target,
    }.items():
        text = text.replace(word, meant)
    return text


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
