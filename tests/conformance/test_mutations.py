"""The conformance tests can fail: a sample of the sandbox's rules, each taken away on trial.

Each trial changes a copy of the package and runs, in a process that sees only the copy, the test
that holds the sandbox to the rule.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENOUGH = 20
SECONDS = 60
FAILED = 1
# Prints where the package comes from before pytest says anything.
LAUNCHER = """
import sys
import planops
print(planops.__file__)
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""
# Other plugins would take longer to import than the test takes to run; this one the options need.
FLAGS = ("-q", "--tb=line", "--color=no", "-p", "no:cacheprovider", "-p", "pytest_socket")
# What would make the process measure coverage, or take it for a worker of this run.
OTHERS = ("COV_", "COVERAGE_", "PYTEST_", "PYTHON")

Row = Mapping[str, str]


@cache
def rows_of(name: str) -> tuple[Row, ...]:
    rows = yaml.safe_load((HERE / name).read_text("utf-8"))  # noqa: TID251 - the tests' own lists
    assert isinstance(rows, list)
    return tuple(rows)


MUTATIONS = rows_of("mutations.yml")


@cache
def held_by() -> Mapping[str, str]:
    """The test of each row, by the row's id."""
    return {row["id"]: row["test"] for row in rows_of("zadig.yaml") if "test" in row}


def section(row: str) -> str:
    return re.split(r"[./]", row)[0]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the sources, to be changed."""
    copy = tmp_path / "src"
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src/planops", copy / "planops", ignore=unwanted)
    return copy


def run(source: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests with the package that ``source`` holds, and with no other."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(OTHERS)}
    own = {
        "PYTHONPATH": str(source),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    done = subprocess.run(  # noqa: S603 - this very Python
        [sys.executable, "-c", LAUNCHER, *FLAGS, *tests],
        cwd=ROOT,
        env={**inherited, **own},
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    assert done.stdout.splitlines()[:1] == [str(source / "planops/__init__.py")], done.stderr
    return done


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation["row"])
def test_a_row_fails_without_its_rule(source: Path, mutation: Row) -> None:
    changed = source / "planops/sandbox" / mutation["file"]
    text = changed.read_text("utf-8")
    assert text.count(mutation["find"]) == 1
    changed.write_text(text.replace(mutation["find"], mutation["replace"]), "utf-8")
    done = run(source, held_by()[mutation["row"]])
    assert done.returncode == FAILED, done.stdout + done.stderr
    # An error would be a sandbox that broke, not one that lacks a rule.
    assert re.search(r"^\d+ failed(?!.*\berrors?\b)", done.stdout, re.MULTILINE), done.stdout


def test_rows_pass_with_their_rules(source: Path) -> None:
    done = run(source, *sorted({held_by()[mutation["row"]] for mutation in MUTATIONS}))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_sample_is_large_and_from_every_section() -> None:
    rows = [mutation["row"] for mutation in MUTATIONS]
    assert len(set(rows)) == len(rows) >= ENOUGH
    assert {section(row) for row in rows} == {section(row) for row in held_by()}
