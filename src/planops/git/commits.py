"""A commit on another commit, with one process, and without a ref, an index or a work tree."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from planops.git.calls import undisturbed

if TYPE_CHECKING:
    from git import Repo

_NO_REF: Final = "refs/planops/writing"
_ME: Final = "planops <planops@localhost>"
_CRASH: Final = re.compile(r"fast_import_crash_[0-9]+")


def commit(
    repo: Repo, tip: str, changes: Mapping[str, bytes | None], message: str, now: int
) -> str:
    """Make a commit on ``tip`` with one process, and give its id; no ref is made or moved."""
    from git.exc import GitCommandError

    sha256 = not tip and str(repo.git.rev_parse("--show-object-format")) == "sha256"
    nothing = "0" * (64 if sha256 else len(tip) or 40)
    with tempfile.TemporaryFile() as stream:
        _write_commit(stream, tip, changes, message, now)
        # Fast-import commits to a ref only; this one is taken back before it would be made.
        stream.write(f"reset {_NO_REF}\nfrom {nothing}\n\nget-mark :1\ndone\n".encode())
        stream.seek(0)
        try:
            with undisturbed():
                made: str = repo.git.fast_import("--quiet", "--done", istream=stream)
        except GitCommandError as error:
            for crash in _CRASH.findall(str(error.stderr)):
                (Path(repo.git_dir) / crash).unlink(missing_ok=True)
            raise
    return made


def _write_commit(
    stream: IO[bytes], tip: str, changes: Mapping[str, bytes | None], message: str, now: int
) -> None:
    text = _plain(message)
    stream.write(f"commit {_NO_REF}\nmark :1\ncommitter {_ME} {now} +0000\n".encode())
    stream.write(b"data %d\n%b\n" % (len(text), text))
    if tip:
        stream.write(f"from {tip}\n".encode())
    for path, data in sorted(changes.items()):
        if data is None:
            stream.write(b"D %b\n" % _quoted(path))
        else:
            stream.write(b"M 100644 inline %b\ndata %d\n%b\n" % (_quoted(path), len(data), data))


def _plain(message: str) -> bytes:
    """Give a message that git can keep and a terminal can show."""
    text = "".join(char if char == "\n" or char.isprintable() else "\ufffd" for char in message)
    return f"{text.rstrip()}\n".encode()


def _quoted(path: str) -> bytes:
    """Quote a path the way fast-import reads it: nothing in it can be taken for a command."""
    return b'"%b"' % b"".join(b"\\%03o" % byte for byte in path.encode(errors="surrogateescape"))
