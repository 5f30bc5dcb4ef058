"""What `planops init` is expected to write, and what is there after it."""

from __future__ import annotations

from pathlib import Path

PLAIN = {
    "planops.yaml",
    "plans/first-plan.yaml",
    "schemas/plan.schema.json",
    "schemas/config.schema.json",
    "schemas/zadig-release-plan.schema.json",
    "schemas/brpm-plan.schema.json",
    ".vscode/settings.json",
}
JOBS = {
    "github": {
        f".github/workflows/planops-{job}.yml"
        for job in ("validate", "review", "apply", "reconcile", "drift")
    },
    "gitlab": {".gitlab-ci.yml", ".gitlab/planops.gitlab-ci.yml"},
    "none": set[str](),
}


def files(folder: Path) -> dict[str, str]:
    """Everything below a folder but git's own."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def everything(folder: Path) -> list[str]:
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    return [name for name in found if name.partition("/")[0] != ".git"]
