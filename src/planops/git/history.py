"""The ledger's history, for people: what each run wrote, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from planops.core.ledger import PLANS
from planops.git.ledger import GitLedger
from planops.git.repository import opened

_FORMAT = "%H%x00%ct%x00%s%x00%b%x01"


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
        told = str(
            repo.git.log(
                f"--max-count={number}", f"--format={_FORMAT}", "--end-of-options", tip, "--", path
            )
        )
    return tuple(_entry(row.strip("\n")) for row in told.split("\x01") if row.strip())


def _entry(row: str) -> Entry:
    commit, seconds, subject, body = row.split("\0", 3)
    moment = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    lines = tuple(line for line in body.splitlines() if line.strip())
    return Entry(commit=commit, at=moment, subject=subject, body=lines)
