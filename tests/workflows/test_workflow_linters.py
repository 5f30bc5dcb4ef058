"""The linters of `make lint`, on what is stored and on what `planops init` makes of it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from workflows.reading import ACTION, BIN, ROOT, STARTER, STARTS, linted, parse, written

pytestmark = linted
CHECK = ("check-jsonschema", "--builtin-schema")
GITLAB = (*CHECK, "vendor.gitlab-ci", "--data-transform", "gitlab-ci")
ZIZMOR = ("zizmor", "--offline", "--no-progress", "--quiet", "--collect=all")


def run(*words: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
    program, *rest = map(str, words)
    return subprocess.run(  # noqa: S603
        [str(BIN / program), *rest],
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def clean(*words: str | Path, given: str = "") -> None:
    done = run(*words, given=given)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"


def scripts(file: Path) -> list[str]:
    """The shell of a GitLab file's jobs, as GitLab joins it."""
    jobs = [
        job for job in parse(file.read_text(encoding="utf-8")).values() if isinstance(job, dict)
    ]
    return [
        "\n".join(job[key]) for job in jobs for key in ("before_script", "script") if key in job
    ]


@pytest.mark.parametrize("name", ["github", "github-uses"])
def test_what_init_writes_for_github_is_clean(name: str, tmp_path: Path) -> None:
    folder = written(tmp_path, name)
    files = sorted(folder.glob(".github/workflows/*.yml"))
    assert len(files) == 5
    clean("actionlint", "-no-color", *files)
    clean(*ZIZMOR, *files)
    clean(*CHECK, "vendor.github-workflows", *files)


@pytest.mark.parametrize("name", ["gitlab", "gitlab-brpm"])
def test_what_init_writes_for_gitlab_is_clean(name: str, tmp_path: Path) -> None:
    folder = written(tmp_path, name)
    file = folder / ".gitlab/planops.gitlab-ci.yml"
    clean(*GITLAB, file, folder / ".gitlab-ci.yml")
    assert len(scripts(file)) == 5
    for script in scripts(file):
        clean("shellcheck", "--shell=sh", "-", given=script)


@pytest.mark.parametrize("name", STARTS)
def test_the_settings_and_the_plan_fit_the_schemas_that_are_written(
    name: str, tmp_path: Path
) -> None:
    folder = written(tmp_path, name)
    check = ("check-jsonschema", "--schemafile")
    clean(*check, folder / "schemas/config.schema.json", folder / "planops.yaml")
    clean(*check, folder / "schemas/plan.schema.json", folder / "plans/first-plan.yaml")


# ------------------------------------------------------------------------------ that they can fail


def test_zizmor_finds_the_trigger_where_nothing_ignores_it(tmp_path: Path) -> None:
    text = (STARTER / "github/planops-review.yml").read_text(encoding="utf-8")
    file = tmp_path / "review.yml"
    file.write_text(text.replace("# zizmor: ignore[dangerous-triggers]", "#"), encoding="utf-8")
    done = run(*ZIZMOR, file)
    assert done.returncode != 0
    assert "dangerous-triggers" in done.stdout


def test_zizmor_finds_what_is_pasted_into_a_script_of_the_action(tmp_path: Path) -> None:
    text = (ACTION / "action.yml").read_text(encoding="utf-8")
    file = tmp_path / "action.yml"
    broken = text.replace('/act" run\n', '/act" ${{ inputs.arguments }}\n')
    file.write_text(broken, encoding="utf-8")
    assert broken != text
    assert "template-injection" in run(*ZIZMOR, file).stdout


def test_actionlint_reads_the_shell(tmp_path: Path) -> None:
    text = (STARTER / "github/planops-drift.yml").read_text(encoding="utf-8")
    file = tmp_path / "drift.yml"
    file.write_text(text.replace("|| test $? -eq 2", "|| test $WHAT -eq 2"), encoding="utf-8")
    assert "SC2086" in run("actionlint", "-no-color", file).stdout


def test_the_schemas_of_the_forges_refuse_something(tmp_path: Path) -> None:
    file = tmp_path / "gitlab.yml"
    text = (STARTER / "gitlab/planops.gitlab-ci.yml").read_text(encoding="utf-8")
    file.write_text(text.replace("action: access", "action: nothing"), encoding="utf-8")
    assert run(*GITLAB, file).returncode == 1
    text = (ROOT / ".github/workflows/apply.yml").read_text(encoding="utf-8")
    file.write_text(text.replace("cancel-in-progress: false", "cancel: false"), encoding="utf-8")
    assert run(*CHECK, "vendor.github-workflows", file).returncode == 1


def test_make_lint_names_every_file() -> None:
    """A folder of templates that lint does not look into would rot."""
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in (".github/workflows/*.yml", "src/planops/starter/github*/*.yml"):
        assert name in recipe
    for name in ("src/planops/starter/gitlab/*.yml", ".github/actions/planops/act", ".pre-commit"):
        assert name in recipe
    folders = {file.parent.name for file in STARTER.rglob("*.yml")}
    assert folders == {"github", "github-uses", "gitlab"}
