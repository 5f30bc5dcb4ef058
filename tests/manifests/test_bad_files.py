"""Every file in ``bad/`` has one thing wrong; its first line says the exact sentence."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from planops.core.model import Problem
from planops.manifests.load import check_config

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_says_exactly_what_is_wrong(
    path: Path, repository: Any, spoken: Callable[[Problem], str]
) -> None:
    expected = path.read_text("utf-8").splitlines()[0].removeprefix("# ")
    if path.stem.startswith("config-"):
        shutil.copy(path, repository.root / "planops.yaml")
        config, problems = check_config(repository.root / "planops.yaml")
        assert config is None
    else:
        repository.write("plans/bad.yaml", path.read_bytes())
        problems = repository.load().problems
    said = [spoken(problem).split(":", 1)[1] for problem in problems]
    assert said == [expected]


def test_there_are_many_bad_files() -> None:
    assert len(BAD) >= 40
