"""The contents of many blobs, with one process of git."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from git import Repo


def read(repo: Repo, ids: Iterable[str]) -> dict[str, bytes]:
    """Read blobs by their ids; one that the repository lost is not among them."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    with tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{blob}\n" for blob in wanted).encode())
        asked.seek(0)
        answer: bytes = repo.git.cat_file(
            "--batch",
            "--buffer",
            istream=asked,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
        )
    found: dict[str, bytes] = {}
    at = 0
    for blob in wanted:
        end = answer.index(b"\n", at)
        _, kind, *size = answer[at:end].split()
        at = end + 1
        if kind != b"missing":
            found[blob] = answer[at : at + int(size[0])]
            at += int(size[0]) + 1
    return found
