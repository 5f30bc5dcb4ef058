"""Who set the lines of a file: git's blame of the file as it lies in the work tree.

One process a file, for the lines that are asked for and no others; a second one tells lines that
were only indented anew. A merge is named only for a line that it made itself, a revert and a
cherry-picked copy for what they set. Where git does not say, nothing is said: no failure here is
in the way of a report.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from planops.core.model import Blame, Settled
from planops.git.repository import failures, opened

if TYPE_CHECKING:
    from git import Repo

_MOST_RANGES: Final = 200
_LONGEST: Final = 200
_ENTRY: Final = re.compile(rb"([0-9a-f]{40,64}) ([0-9]{1,9}) ([0-9]{1,9}) ([0-9]{1,9})")
_HEADERS: Final = frozenset({b"author", b"author-time", b"committer-time", b"summary"})
_RAW: Final[Mapping[str, Any]] = {
    "env": {"GIT_NO_LAZY_FETCH": "1", "GIT_LITERAL_PATHSPECS": "1"},
    "stdout_as_string": False,
    "strip_newline_in_stdout": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """The commit of a line, and where the line stood there; ``rank`` is 0 for the newest."""

    commit: bytes
    path: bytes
    line: int
    rank: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What one call of git tells: the origin of each line, and the headers of each commit."""

    origins: Mapping[int, _Origin]
    headers: Mapping[bytes, Mapping[bytes, bytes]]


def blame(root: Path, file: str, values: Mapping[str, range]) -> dict[str, Blame]:
    """Tell for each value, by its name, which commit last touched one of its lines.

    For a value without lines, since the file no longer has it, that is the last commit that changed
    the file: who took it away did so then or before. ``file`` is below ``root``. Empty where git
    has nothing to say of the file: it lies outside, is not known to git, or there is no git.
    """
    wanted = {name: lines for name, lines in values.items() if lines}
    gone = [name for name in values if name not in wanted]
    path = _inside(root, file)
    if not values or path is None:
        return {}
    try:
        with opened(root) as repo:
            if repo is None or repo.working_tree_dir is None:
                return {}
            shallow = _shallow(repo)
            told = _told(repo, path, {line for lines in wanted.values() for line in lines})
            last = _last(repo, path, shallow) if gone else None
    except failures():  # also a file that changes meanwhile, or a repository that is not trusted
        return {}
    found = {name: _newest(told, lines, shallow) for name, lines in wanted.items()}
    found |= dict.fromkeys(gone, last)
    return {name: known for name, known in found.items() if known is not None}


def _inside(root: Path, file: str) -> Path | None:
    """Find the file itself: git knows nothing of what lies behind a link to it."""
    try:
        return (root / file).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None


def _told(repo: Repo, path: Path, lines: set[int]) -> _Told:
    """Ask twice, and let white space take the blame only where it changes more than the margin.

    To git a line is the same whatever white space is in it. To YAML it is not: what stands between
    the words of a text belongs to it.
    """
    if not lines:
        return _Told(origins={}, headers={})
    strict = _parsed(_asked(repo, path, lines))
    loose = _parsed(_asked(repo, path, lines, "-w"))
    moot = [n for n, at in strict.origins.items() if loose.origins.get(n, at).commit != at.commit]
    if not moot:
        return strict
    now = path.read_bytes().split(b"\n")
    texts: dict[tuple[bytes, bytes], list[bytes]] = {}
    origins = dict(strict.origins)
    for number in moot:
        older = loose.origins[number]
        place = (older.commit, older.path)
        if place not in texts:
            texts[place] = _text(repo, *place)
        text = texts[place][older.line - 1 : older.line]
        if text and text[0].strip() == now[number - 1].strip():
            origins[number] = replace(older, rank=_rank(strict, loose, older))
    return _Told(origins=origins, headers={**strict.headers, **loose.headers})


def _rank(strict: _Told, loose: _Told, older: _Origin) -> float:
    """Put an origin of the second call among those of the first, by the committers' clocks."""
    at = _seconds(loose.headers[older.commit], b"committer-time")
    before = [
        origin.rank
        for origin in strict.origins.values()
        if _seconds(strict.headers[origin.commit], b"committer-time") < at
    ]
    return min(before, default=float("inf")) - 0.5


def _asked(repo: Repo, path: Path, lines: set[int], *options: str) -> bytes:
    """Call git, deaf to settings that would change what is told, and never over the network."""
    answer: bytes = repo.git.blame(
        "--incremental",
        "--encoding=UTF-8",
        "--ignore-revs-file=",
        "--no-textconv",
        *options,
        *(f"-L{first},{last}" for first, last in _ranges(lines)),
        "--",
        str(path),
        **_RAW,
    )
    return answer


def _text(repo: Repo, commit: bytes, path: bytes) -> list[bytes]:
    """Read the lines of a file as a commit has it."""
    answer: bytes = repo.git.cat_file("blob", os.fsdecode(b"%b:%b" % (commit, path)), **_RAW)
    return answer.split(b"\n")


def _last(repo: Repo, path: Path, shallow: frozenset[bytes]) -> Blame | None:
    """Name the last commit that changed a file, unless it is changed now."""
    if repo.git.status("--porcelain", "-z", "--untracked-files=no", "--", str(path), **_RAW):
        return Blame(settled=Settled.UNCOMMITTED)
    form = "--format=author-time %at%nauthor %an%nsummary %s"
    words = ("--max-count=1", "--encoding=UTF-8", form, "HEAD", "--", str(path))
    answer: bytes = repo.git.rev_list(*words, **_RAW)
    if not answer:
        return None
    first, *rows = answer.split(b"\n")
    headers = {name: value for name, _, value in (row.partition(b" ") for row in rows)}
    return _settled(first.removeprefix(b"commit "), headers, shallow)


def _ranges(lines: Iterable[int]) -> list[tuple[int, int]]:
    """Join neighbours; of very many ranges the whole is asked for."""
    ordered = sorted(set(lines))
    breaks = [0, *(i for i, (a, b) in enumerate(pairwise(ordered), 1) if b != a + 1), len(ordered)]
    found = [(ordered[first], ordered[last - 1]) for first, last in pairwise(breaks)]
    return found if len(found) <= _MOST_RANGES else [(ordered[0], ordered[-1])]


def _parsed(answer: bytes) -> _Told:
    """Read git's incremental form: a line of numbers, headers, and the file's name at the end.

    A commit's headers come with its first entry only; what is not known is passed over.
    """
    origins: dict[int, _Origin] = {}
    headers: dict[bytes, dict[bytes, bytes]] = {}
    for rank, (entry, rows) in enumerate(_entries(answer)):
        commit, source, first, count = entry
        known = headers.setdefault(commit, {})
        known.update((name, value) for name, value in rows if name in _HEADERS)
        path = _unquoted(rows[-1][1])
        for index in range(int(count)):
            line = int(first) + index
            origins[line] = _Origin(commit=commit, path=path, line=int(source) + index, rank=rank)
    return _Told(origins=origins, headers=headers)


def _entries(answer: bytes) -> Iterator[tuple[tuple[bytes, ...], list[tuple[bytes, bytes]]]]:
    entry: tuple[bytes, ...] | None = None
    rows: list[tuple[bytes, bytes]] = []
    for row in answer.split(b"\n"):
        if entry is None:
            start = _ENTRY.fullmatch(row)
            entry, rows = (start.groups() if start else None), []
            continue
        name, _, value = row.partition(b" ")
        rows.append((name, value))
        if name == b"filename":
            yield entry, rows
            entry = None


_ESCAPES: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f",
                   b"v": b"\v"}  # fmt: skip
_ESCAPE: Final = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)


def _unquoted(name: bytes) -> bytes:
    """Read a file's name as git writes it: in quotes where a character of it is awkward."""
    if not (name.startswith(b'"') and name.endswith(b'"')):
        return name
    return _ESCAPE.sub(_character, name[1:-1])


def _character(found: re.Match[bytes]) -> bytes:
    said = found[1]
    if said.isdigit():
        return bytes([int(said, 8) & 0xFF])
    return _ESCAPES.get(said, said)


def _shallow(repo: Repo) -> frozenset[bytes]:
    """Name the commits at which this clone's history was cut off."""
    try:
        return frozenset((Path(repo.common_dir) / "shallow").read_bytes().split())
    except FileNotFoundError:
        return frozenset()


def _newest(told: _Told, lines: range, shallow: frozenset[bytes]) -> Blame | None:
    """Choose the line that was touched last: git goes from the newest commit to the oldest."""
    known = [(told.origins[line].rank, line) for line in lines if line in told.origins]
    if not known:
        return None
    line = min(known)[1]
    commit = told.origins[line].commit
    return replace(_settled(commit, told.headers[commit], shallow), line=line)


def _settled(commit: bytes, headers: Mapping[bytes, bytes], shallow: frozenset[bytes]) -> Blame:
    if not commit.strip(b"0"):
        return Blame(settled=Settled.UNCOMMITTED)
    if commit in shallow:
        return Blame(settled=Settled.BEFORE_HISTORY)
    return Blame(
        commit=commit.decode(),
        author=_words(headers.get(b"author", b"")),
        at=_seconds(headers, b"author-time"),
        subject=_words(headers.get(b"summary", b"")),
    )


def _seconds(headers: Mapping[bytes, bytes], name: bytes) -> int:
    found = headers.get(name, b"")
    return int(found) if found.isdigit() and len(found) < len("253402300799") else 0


def _words(text: bytes) -> str:
    """Bound what somebody wrote; whoever shows it escapes it."""
    return text.decode(errors="replace").strip()[:_LONGEST]
