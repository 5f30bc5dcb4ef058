"""A repository, a release server and a forge; CI jobs are the command line in this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1]))  # what these tests share with others

from cli.conftest import _nobody_waits, _served, place  # noqa: F401  fixtures
from cli.place import Place
from forges.worlds import world
from publishing.jobs import Jobs


@pytest.fixture(params=["github", "gitlab"])
def jobs(
    request: pytest.FixtureRequest,
    place: Place,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Jobs]:
    """Jobs of either forge for a repository with two applied plans on its main branch."""
    with world(request.param) as there:
        made = Jobs(place=place, there=there, folder=tmp_path, monkeypatch=monkeypatch)
        made.begin()
        yield made
