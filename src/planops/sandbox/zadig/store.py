"""What the emulated server remembers: JSON documents in SQLite, in memory or in a file.

Values handed out are copies. Every change counts in ``changes``, which is how the sandbox knows
whether a request changed anything.
"""

import json
import sqlite3
import threading
import weakref
from pathlib import Path
from typing import Literal

from planops.sandbox.zadig.gojson import Document

Kind = Literal[
    "plan", "log", "cron", "setting", "user", "token", "group", "workflow", "task", "hook"
]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    kind TEXT NOT NULL, key TEXT NOT NULL, position INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS document_order ON document (kind, position);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class Store:
    """Documents by kind and key, in the order of their positions."""

    def __init__(self, database: str | Path) -> None:
        self.lock = threading.RLock()
        self.changes = 0
        self._connection = sqlite3.connect(
            str(database), check_same_thread=False, isolation_level=None
        )
        self._closing = weakref.finalize(self, self._connection.close)
        self._connection.executescript(f"PRAGMA synchronous=OFF;{_SCHEMA}")

    def close(self) -> None:
        """Close the database."""
        with self.lock:
            self._closing()

    def get(self, kind: Kind, key: str) -> Document | None:
        """One document, or ``None``."""
        with self.lock:
            row = self._connection.execute(
                "SELECT body FROM document WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return None if row is None else _loaded(row[0])

    def put(self, kind: Kind, key: str, document: Document, position: int = 0) -> None:
        """Store ``document`` under ``key``, replacing what is there."""
        with self.lock:
            self.changes += 1
            self._connection.execute(
                "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?)",
                (kind, key, position, json.dumps(document)),
            )

    def delete(self, kind: Kind, key: str) -> bool:
        """Remove a document; whether there was one."""
        with self.lock:
            removed = self._connection.execute(
                "DELETE FROM document WHERE kind = ? AND key = ?", (kind, key)
            ).rowcount
            self.changes += removed
        return removed > 0

    def all(self, kind: Kind) -> list[Document]:
        """Every document of a kind, by position."""
        return self._rows(kind, "ASC", -1, 0)

    def newest(self, kind: Kind, limit: int = -1, offset: int = 0) -> list[Document]:
        """Documents of a kind from the highest position down; a negative limit means all."""
        return self._rows(kind, "DESC", limit, offset)

    def count(self, kind: Kind) -> int:
        """How many documents of a kind there are."""
        with self.lock:
            row = self._connection.execute(
                "SELECT COUNT(*) FROM document WHERE kind = ?", (kind,)
            ).fetchone()
        return int(row[0])

    def increment(self, name: str) -> int:
        """The next value of a counter, from 1."""
        with self.lock:
            self.changes += 1
            self._connection.execute(
                "INSERT INTO counter VALUES (?, 1) "
                "ON CONFLICT (name) DO UPDATE SET value = value + 1",
                (name,),
            )
            row = self._connection.execute(
                "SELECT value FROM counter WHERE name = ?", (name,)
            ).fetchone()
        return int(row[0])

    def raise_counter(self, name: str, value: int) -> None:
        """Make sure a counter is at least ``value``."""
        with self.lock:
            self._connection.execute(
                "INSERT INTO counter VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
                (name, value),
            )

    def clear(self) -> None:
        """Forget everything, counters included."""
        with self.lock:
            self.changes += 1
            self._connection.executescript("DELETE FROM document; DELETE FROM counter;")

    def _rows(self, kind: Kind, order: str, limit: int, offset: int) -> list[Document]:
        statement = (
            f"SELECT body FROM document WHERE kind = ? ORDER BY position {order} LIMIT ? OFFSET ?"  # noqa: S608 - order is one of two literals
        )
        with self.lock:
            rows = self._connection.execute(statement, (kind, limit, offset)).fetchall()
        return [_loaded(row[0]) for row in rows]


def _loaded(body: str) -> Document:
    document: Document = json.loads(body)
    return document
