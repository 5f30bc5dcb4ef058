"""A repository without anybody's settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attribution.repository import Repository


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's settings, identity or hook variables; a file to put settings of a user in."""
    for name in os.environ:
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    settings = tmp_path / "gitconfig"
    settings.write_text("[init]\n\tdefaultBranch = main\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(tmp_path / "system"))
    return settings


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository without a commit."""
    folder = tmp_path / "repository"
    folder.mkdir()
    made = Repository(folder=folder)
    made.git("init", "--quiet", "--initial-branch=main")
    return made
