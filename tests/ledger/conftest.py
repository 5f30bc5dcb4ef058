"""An upstream with one commit and a clone of it, copied for each test; no settings but a test's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ledger.place import Clone


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's settings, identity or hook variables; a file to put settings of a user in."""
    for name in os.environ:
        if name.startswith(("GIT_", "SSH_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    settings = home / "gitconfig"
    settings.write_text("[user]\n\tuseConfigOnly = true\n[init]\n\tdefaultBranch = main\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(home / "system"))
    return settings


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    plain = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    here, clone = Clone(folder=folder), Clone(folder=folder / "clone")
    here.git("init", "--quiet", "--bare", "--initial-branch=main", "upstream.git", env=plain)
    here.git("init", "--quiet", "--initial-branch=main", "clone", env=plain)
    (clone.folder / "plans").mkdir()
    (clone.folder / "planops.yaml").write_text("kind: Config\n")
    (clone.folder / "plans" / "summer.yaml").write_text("kind: FerryPlan\n")
    clone.git("add", "--all", env=plain)
    clone.git("commit", "--quiet", "--message=The files", env=plain)
    clone.git("remote", "add", "origin", "../upstream.git", env=plain)
    clone.git("push", "--quiet", "origin", "main:main", "main:side", env=plain)
    clone.git("fetch", "--quiet", "origin", env=plain)
    for hooks in folder.rglob("hooks"):
        shutil.rmtree(hooks)
    (clone.folder / ".git" / "FETCH_HEAD").unlink()
    return folder


@pytest.fixture
def upstream(_template: Path, tmp_path: Path) -> Clone:
    """A bare repository with the branches main and side."""
    folder = tmp_path / "upstream.git"
    shutil.copytree(_template / "upstream.git", folder)
    return Clone(folder=folder)


@pytest.fixture
def clone(_template: Path, upstream: Clone, tmp_path: Path) -> Clone:
    """A clone of the upstream, on the branch main."""
    assert upstream.folder.is_dir()
    folder = tmp_path / "clone"
    shutil.copytree(_template / "clone", folder)
    return Clone(folder=folder)


@pytest.fixture
def other(_template: Path, upstream: Clone, tmp_path: Path) -> Clone:
    """Somebody else's clone of the same upstream."""
    assert upstream.folder.is_dir()
    folder = tmp_path / "other"
    shutil.copytree(_template / "clone", folder)
    return Clone(folder=folder)
