"""A real repository to ask git about, with authors and times of one's own."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from planops.core.model import Blame
from planops.git.blame import blame

START = 1_700_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository with a work tree."""

    folder: Path

    def git(self, *words: str, author: str = "Ann", at: int = START, data: bytes = b"") -> str:
        """Call git as an author, at a time."""
        who = {"NAME": author, "EMAIL": "a@example.com", "DATE": f"{at} +0000"}
        sides = {f"GIT_{side}_{k}": v for side in ("AUTHOR", "COMMITTER") for k, v in who.items()}
        return (
            subprocess.run(  # noqa: S603
                ["git", *words],  # noqa: S607
                cwd=self.folder,
                check=True,
                capture_output=True,
                input=data,
                env={**os.environ, **sides, "GIT_EDITOR": "true"},
            )
            .stdout.decode(errors="surrogateescape")
            .strip()
        )

    def write(self, file: str, *lines: str) -> Path:
        """Write a file, one line a word."""
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes("".join(f"{line}\n" for line in lines).encode())
        return path

    def commit(self, subject: str, *, author: str = "Ann", at: int = START) -> str:
        """Commit everything; the full id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject, author=author, at=at)
        return self.head()

    def raw_commit(self, content: bytes) -> str:
        """Put HEAD to a commit that no git would make; its full id."""
        words = ("hash-object", "-t", "commit", "-w", "--stdin", "--literally")
        made = self.git(*words, data=content)
        self.git("update-ref", "HEAD", made)
        return made

    def head(self) -> str:
        """The full id of the commit that is checked out."""
        return self.git("rev-parse", "HEAD")

    def blame(self, file: str, *lines: int) -> dict[int, Blame]:
        """Ask about single lines."""
        asked = {str(line): range(line, line + 1) for line in lines}
        return {int(name): told for name, told in blame(self.folder, file, asked).items()}

    def commits(self, file: str, *lines: int) -> list[str]:
        """Name the commits of single lines; what is no commit by its word."""
        found = self.blame(file, *lines)
        return [found[line].commit or found[line].settled.value for line in lines]
