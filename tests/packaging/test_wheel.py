"""What users install: the wheel, in an environment that cannot see the checkout.

``PLANOPS_WHEEL`` names a wheel to test in place of one built here from the checkout.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SCHEMAS = ("brpm-plan", "config", "plan", "report", "zadig-release-plan")
COMMANDS = ("init", "validate", "diff", "apply", "status", "schema", "sandbox", "demo")

pytestmark = pytest.mark.slow
from_checkout = pytest.mark.skipif(
    "PLANOPS_WHEEL" in os.environ, reason="compares with a checkout; a given wheel has none"
)


def run(*words: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a program that must succeed, and give what it prints."""
    done = subprocess.run(  # noqa: S603  every word is this file's own
        [str(word) for word in words],
        cwd=cwd,
        env=clean() if env is None else dict(env),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def clean() -> dict[str, str]:
    """The environment without whatever leads Python or planops anywhere."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PLANOPS", "PIP_", "COV_", "COVERAGE", "VIRTUAL_ENV"))
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = os.environ.get("PLANOPS_WHEEL")
    if given:
        return Path(given).resolve()
    folder = tmp_path_factory.mktemp("dist")
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index")
    run(*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("planops-*.whl")
    return built


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """An environment that holds the wheel; dependencies are borrowed from the one that tests."""

    folder: Path
    home: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def planops(self, *words: str, cwd: Path | None = None) -> str:
        """Run the installed command, away from the checkout."""
        return run(self.folder / "bin" / "planops", *words, cwd=cwd or self.home)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder, home = tmp_path_factory.mktemp("venv"), tmp_path_factory.mktemp("home")
    venv.create(folder, symlinks=True)
    made = Installed(folder=folder, home=home)
    pip = (sys.executable, "-m", "pip", "--python", made.python)
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=home)
    # Folders named in a .pth file are searched, but the .pth files in them are not read: not the
    # one of an editable installation, so the checkout stays out of sight.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    borrowed = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    pth = folder / "lib" / version / "site-packages" / "borrowed.pth"
    pth.write_text("\n".join(borrowed) + "\n", encoding="utf-8")
    return made


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_schemas_and_the_marker_of_types(wheel: Path) -> None:
    schemas = {f"planops/schemas/{name}.schema.json" for name in SCHEMAS}
    assert schemas | {"planops/py.typed"} <= names(wheel)


def test_the_wheel_holds_nothing_but_the_package(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in names(wheel)}
    version = importlib.metadata.version("planops")
    assert tops == {"planops", f"planops-{version}.dist-info"}
    assert not [name for name in names(wheel) if name.endswith(".pyc") or "/tests/" in name]


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (place,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(place).decode("utf-8"))
        entry_points = archive.read(place.replace("METADATA", "entry_points.txt")).decode("utf-8")
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "LICENSE" in metadata.get_all("License-File", [])
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_all("Provides-Extra") == ["sandbox"]
    assert "planops = planops.cli:main" in entry_points


@from_checkout
def test_the_wheel_holds_what_the_checkout_holds(wheel: Path) -> None:
    package = ROOT / "src" / "planops"
    wanted = {
        f"planops/{path.relative_to(package)}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    wanted |= {f"planops/schemas/{path.name}" for path in (ROOT / "schemas").iterdir()}
    assert {name for name in names(wheel) if name.startswith("planops/")} == wanted


@from_checkout
def test_the_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, cwd=ROOT)
    (sdist,) = tmp_path.glob("planops-*.tar.gz")
    run("tar", "-xf", sdist, cwd=tmp_path)
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=unpacked)
    assert names(tmp_path / wheel.name) == names(wheel)
    assert (unpacked / "tests" / "packaging" / Path(__file__).name).is_file()


def test_the_code_that_runs_is_the_wheel_s(installed: Installed) -> None:
    found = run(
        installed.python, "-c", "import planops; print(planops.__file__)", cwd=installed.home
    )
    assert Path(found.strip()).is_relative_to(installed.folder)


def test_the_version(installed: Installed) -> None:
    assert importlib.metadata.version("planops") in installed.planops("--version")


def test_the_package_runs_as_a_module(installed: Installed) -> None:
    said = run(installed.python, "-m", "planops", "--version", cwd=installed.home)
    assert said == installed.planops("--version")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_can_be_loaded(installed: Installed, command: str) -> None:
    assert "Usage: planops" in installed.planops(command, "--help")


def test_the_schemas_are_printed(installed: Installed) -> None:
    assert tuple(installed.planops("schema").split()) == SCHEMAS
    for name in SCHEMAS:
        assert json.loads(installed.planops("schema", name))["description"]


def test_the_examples_are_valid(installed: Installed, tmp_path: Path) -> None:
    for source in sorted(EXAMPLES.rglob("*.yaml")):
        copy = tmp_path / source.relative_to(EXAMPLES)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source.read_bytes())
    installed.planops("validate", cwd=tmp_path)


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_a_repository_can_be_begun(installed: Installed, tmp_path: Path, forge: str) -> None:
    installed.planops("init", "--forge", forge, cwd=tmp_path)
    assert "1 file read, no problems" in installed.planops("validate", cwd=tmp_path)
