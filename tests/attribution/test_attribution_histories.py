"""Every line of generated histories is blamed on the commit and author that the model names.

``BLAME_SEED=N`` plays one history again; a failure says which.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from attribution.histories import History, Standing, play
from planops.git.blame import blame

GIVEN = os.environ.get("BLAME_SEED")
SEEDS = [int(GIVEN)] if GIVEN else list(range(12))
EVENTS = 60


def checked(at: History) -> Counter[str]:
    """Check every line of every branch; count the lines by what they were set by."""
    counts: Counter[str] = Counter()
    for branch in at.branches():
        at.repository.git("switch", "--quiet", branch)
        rights = at.rights[at.repository.head()]
        by_file: dict[str, list[tuple[str, Standing]]] = {}
        for key, line in at.standing().items():
            by_file.setdefault(line.file, []).append((key, line))
        for file, lines in by_file.items():
            asked = {key: range(line.number, line.number + 1) for key, line in lines}
            told = blame(at.repository.folder, file, asked)
            for key, line in lines:
                text, right = rights[key]
                assert text == line.text
                where = f"{branch}:{file}:{line.number} {key}"
                assert told[key].commit in right, (where, told[key], sorted(right))
                assert told[key].author == at.authors[told[key].commit], where
                counts["merge" if told[key].commit in at.merges else "commit"] += 1
                counts["one answer"] += len(right) == 1
    return counts


@pytest.mark.parametrize("seed", SEEDS)
def test_every_line_is_blamed_on_the_commit_that_set_it(seed: int, tmp_path: Path) -> None:
    print(f"BLAME_SEED={seed}")  # noqa: T201 - shown where the test fails
    folder = tmp_path / "repository"
    folder.mkdir()
    at = play(folder, seed, EVENTS)
    counts = checked(at)
    print(at.done, counts)  # noqa: T201 - the same
    lines = counts["merge"] + counts["commit"]
    assert lines >= 90
    assert counts["one answer"] >= 0.9 * lines
