"""The ledger in git: read with a handful of processes, written by compare-and-swap.

A commit chain of its own at a ref of its own; the work tree, the index and HEAD are never touched.
In mode ``git`` the remote's ref is the truth and a push that would overwrite somebody's is refused
by the remote; in mode ``local`` the same is done to a ref of this repository.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from planops.core.ledger import MAX_BYTES, Book, book
from planops.errors import LedgerMoved, SettingsWrong, Unreachable
from planops.git.repository import opened, said

if TYPE_CHECKING:
    from git import Repo

_ME = "planops <planops@localhost>"
_STALE = ("stale info", "fetch first", "non-fast-forward", "cannot lock ref", "failed to update")
_MISSING = ("does not appear to be a git repository", "No such remote", "not a git repository")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLedger:
    """One target's ledger; ``remote`` is ``None`` in mode ``local``.

    Raises ``SettingsWrong`` where there is no repository or no such remote, ``Unreachable`` where
    the remote does not answer or refuses for another reason than that it moved.
    """

    root: Path
    ref: str
    remote: str | None = "origin"

    def load(self) -> Book:
        """Read the ledger as it is now, from the remote where there is one."""
        with self._opened() as repo:
            tip = self._tip(repo)
            return book(tip, _documents(repo, tip) if tip else {})

    def write(self, tip: str, changes: Mapping[str, bytes | None], message: str, now: int) -> str:
        """Add a commit on ``tip`` that sets these documents (``None`` removes one); its id.

        Raises ``LedgerMoved`` where the ref is no longer at ``tip``; nothing is written then.
        """
        with self._opened() as repo:
            made = _commit(repo, tip, changes, message, now)
            if self.remote is None:
                self._swap(repo, made, tip)
            else:
                self._push(repo, self.remote, made, tip)
            return made

    @property
    def _seen(self) -> str:
        """Where this repository keeps what it has seen of the remote's ledger."""
        return f"refs/planops/seen/{self.ref.removeprefix('refs/').replace('/', '-')}"

    @contextmanager
    def _opened(self) -> Iterator[Repo]:
        with opened(self.root) as repo:
            if repo is None:
                raise SettingsWrong(
                    f"{self.root}: ledger: this is no git repository, or git is missing; make one,"
                    " or set the ledger's mode to none"
                )
            yield repo

    def _tip(self, repo: Repo) -> str:
        from git.exc import GitCommandError

        if self.remote is None:
            return _resolved(repo, self.ref)
        try:
            if not str(repo.git.ls_remote("--", self.remote, self.ref)).strip():
                return ""
            repo.git.fetch(
                "--no-tags", "--no-write-fetch-head", "--quiet", "--no-recurse-submodules",
                "--", self.remote, f"+{self.ref}:{self._seen}",
            )  # fmt: skip
        except GitCommandError as error:
            raise self._unreachable(error, "read") from error
        return _resolved(repo, self._seen)

    def _swap(self, repo: Repo, made: str, tip: str) -> None:
        from git.exc import GitCommandError

        try:
            repo.git.update_ref(self.ref, made, tip or "0" * len(made))
        except GitCommandError as error:
            raise LedgerMoved(
                f"{self.ref}: another run wrote into the ledger first; run again"
            ) from error

    def _push(self, repo: Repo, remote: str, made: str, tip: str) -> None:
        from git.exc import GitCommandError

        try:
            repo.git.push(
                "--porcelain", "--no-verify", f"--force-with-lease={self.ref}:{tip}",
                "--", remote, f"{made}:{self.ref}",
            )  # fmt: skip
        except GitCommandError as error:
            text = said(error)
            if any(sign in text for sign in _STALE):
                raise LedgerMoved(
                    f"{remote} {self.ref}: another run wrote into the ledger first; run again"
                ) from error
            raise self._unreachable(error, "written") from error
        repo.git.update_ref(self._seen, made)

    def _unreachable(self, error: Exception, what: str) -> SettingsWrong | Unreachable:
        why = said(error)
        where = f"{self.remote} {self.ref}"
        if any(sign in why for sign in _MISSING):
            return SettingsWrong(
                f"{where}: the ledger cannot be {what}: there is no such remote; name one by"
                " ledger.remote, or set the ledger's mode to local"
            )
        return Unreachable(
            f"{where}: the ledger cannot be {what}: {why}; check the remote, and that it takes"
            " this ref (ledger.ref may name a branch)"
        )


def _resolved(repo: Repo, ref: str) -> str:
    """Resolve a ref to a commit; empty where there is none."""
    from git.exc import GitCommandError

    try:
        found: str = repo.git.rev_parse(
            "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
        )
    except GitCommandError:
        return ""
    return found


def _documents(repo: Repo, tip: str) -> dict[str, bytes]:
    """Read every document of a commit: two processes, however many there are.

    Links, folders in strange places and what is too large are left out of the reading; a large
    document stands as one that is too large.
    """
    listed: str = repo.git.ls_tree("-r", "-z", "-l", "--full-tree", "--end-of-options", tip)
    found: dict[str, bytes] = {}
    wanted: list[tuple[str, str]] = []
    for row in listed.split("\0"):
        head, tab, path = row.partition("\t")
        if not tab:
            continue
        mode, kind, blob, size = head.split()
        if kind != "blob" or mode not in ("100644", "100755"):
            found[path] = b""
        elif int(size) > MAX_BYTES:
            found[path] = b" " * (MAX_BYTES + 1)
        else:
            wanted.append((path, blob))
    return found | _blobs(repo, wanted)


def _blobs(repo: Repo, wanted: list[tuple[str, str]]) -> dict[str, bytes]:
    if not wanted:
        return {}
    with tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{blob}\n" for _, blob in wanted).encode())
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
    for path, _ in wanted:
        end = answer.index(b"\n", at)
        size = int(answer[at:end].split()[2])
        found[path] = answer[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return found


def _commit(
    repo: Repo, tip: str, changes: Mapping[str, bytes | None], message: str, now: int
) -> str:
    """Make a commit on ``tip`` with one process, and give its id; no ref of anybody's moves."""
    name = f"refs/planops/writing/{uuid.uuid4().hex}"
    with tempfile.TemporaryFile() as stream:
        _write_stream(stream, name, tip, changes, message, now)
        stream.seek(0)
        repo.git.fast_import("--quiet", "--done", istream=stream)
    made = _resolved(repo, name)
    repo.git.update_ref("-d", name)
    return made


def _write_stream(
    stream: IO[bytes],
    name: str,
    tip: str,
    changes: Mapping[str, bytes | None],
    message: str,
    now: int,
) -> None:
    text = message.encode(errors="replace")
    stream.write(f"commit {name}\ncommitter {_ME} {now} +0000\ndata {len(text)}\n".encode())
    stream.write(text + b"\n")
    if tip:
        stream.write(f"from {tip}\n".encode())
    for path, data in sorted(changes.items()):
        if data is None:
            stream.write(f"D {path}\n".encode())
        else:
            stream.write(f"M 100644 inline {path}\ndata {len(data)}\n".encode())
            stream.write(data + b"\n")
    stream.write(b"done\n")
