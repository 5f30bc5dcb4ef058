"""The ledger's history, for people: what each run wrote, newest first.

Asked by plumbing, which no setting of a user changes: ``git log`` shows signatures, follows renames
and speaks other encodings where somebody has set it so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from planops.core.ledger import PLANS
from planops.git.ledger import GitLedger
from planops.git.repository import opened

_FIELDS = ("%H", "%ct", "%s", "%b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One commit that changed records: when, and what its message says."""

    commit: str
    at: str
    subject: str
    body: tuple[str, ...]


def entries(ledger: GitLedger, key: str | None, number: int) -> tuple[Entry, ...]:
    """Read the newest commits that changed records, or the record of one plan."""
    tip = ledger.tip()
    if not tip:
        return ()
    path = f"{PLANS}{key}.json" if key else PLANS
    with opened(ledger.root) as repo:
        if repo is None:
            return ()
        # A replaced commit would tell another history.
        repo.git.update_environment(GIT_NO_REPLACE_OBJECTS="1")
        # No message holds a NUL: nothing in one can be taken for the end of a field.
        form = "".join(f"{field}%x00" for field in _FIELDS)
        told = repo.git.rev_list(
            f"--max-count={number}", f"--format={form}", "--encoding=UTF-8", "--no-color",
            "--end-of-options", tip, "--", path,
        )  # fmt: skip
    return tuple(_entries(str(told).split("\0")))


def _entries(told: list[str]) -> Iterator[Entry]:
    """Take the fields apart; before each commit's first one stands a line that names it too."""
    for at in range(0, len(told) - 1, len(_FIELDS)):
        first, seconds, subject, body = told[at : at + len(_FIELDS)]
        yield Entry(
            commit=first.rpartition("\n")[2],
            at=_moment(seconds),
            subject=subject,
            body=tuple(line for line in body.splitlines() if line.strip()),
        )


def _moment(seconds: str) -> str:
    """Write a time out; anybody's commit may hold one that is none."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return "at no time"
