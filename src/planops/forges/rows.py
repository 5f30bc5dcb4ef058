"""Reading a forge's JSON: each field of the type that it must have, or a refusal that names it."""

from __future__ import annotations

from typing import NoReturn

from planops.core.forge import GREATEST, is_sha
from planops.core.model import JSON
from planops.errors import ForgeFailed


def at(row: JSON, *path: str) -> JSON:
    """Give what is at a path of names, ``None`` where there is nothing."""
    for name in path:
        if not isinstance(row, dict):
            return None
        row = row.get(name)
    return row


def text(row: JSON, *path: str) -> str:
    """Give a text. Raises ``ForgeFailed``."""
    found = at(row, *path)
    return found if isinstance(found, str) else _fail(path, "text")


def words(row: JSON, *path: str) -> str:
    """Give a text, empty where there is none or something else."""
    found = at(row, *path)
    return found if isinstance(found, str) else ""


def number(row: JSON, *path: str) -> int:
    """Give a whole number of at least 0 that a marker can hold. Raises ``ForgeFailed``."""
    found = at(row, *path)
    if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < GREATEST:
        return found
    return _fail(path, "number")


def commit(row: JSON, *path: str) -> str:
    """Give a whole commit id. Raises ``ForgeFailed``."""
    found = at(row, *path)
    return found if isinstance(found, str) and is_sha(found) else _fail(path, "commit id")


def sha(row: JSON, *path: str) -> str:
    """Give a whole commit id, empty where there is none."""
    found = words(row, *path)
    return found if is_sha(found) else ""


def _fail(path: tuple[str, ...], what: str) -> NoReturn:
    raise ForgeFailed(f"the forge's answer: {'.'.join(path)} is no {what}; check the API's address")
