"""A document as strict YAML: canonical, so that one value has one text, and read back unchanged.

Decides only on form: block style, members in the order in which they are given, text of several
lines as a block. A word stays unquoted only where no reader of YAML takes it for anything but text.
What no file can hold is refused, never changed. Opens no files.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final

from planops.core.model import JSON
from planops.errors import FilesWrong
from planops.manifests.scalars import LARGEST, LEGACY, SMALLEST
from planops.manifests.text import control_character
from planops.manifests.wording import code

STEP: Final = 2
MAX_KEY: Final = 200
"""The longest name of a member: a reader may take a longer one for something else."""

_PLAIN: Final = re.compile(r"[^\W\d](?:[\w ./()+%*=!?$;,-]|(?<! )#|:(?=[\w./]))*")
MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)
_WORDS: Final = frozenset(word.casefold() for word in (*LEGACY, "true", "false", "null"))
_ESCAPES: Final = {
    '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t",
    "\u00a0": "\\_", "\u2028": "\\L", "\u2029": "\\P",
}  # fmt: skip


def written(document: dict[str, JSON]) -> str:
    """Write a document.

    Raises:
        FilesWrong: it holds what no plan file can hold; the message says where and what.
    """
    return "".join(f"{line}\n" for line in _mapping(document, 0, ""))


def _mapping(value: dict[str, JSON], indent: int, path: str) -> Iterator[str]:
    for name, sub in value.items():
        below = f"{path}/{name}"
        if len(name) > MAX_KEY:
            raise FilesWrong(f"{path}: the name {code(name)} is longer than {MAX_KEY} characters")
        head, *more = _value(sub, indent, below)
        yield f"{' ' * indent}{_scalar(name, below)}:{head}"
        yield from more


def _value(value: JSON, indent: int, path: str) -> Iterator[str]:
    """Yield what stands behind a key, then the lines below it."""
    match value:
        case dict() if value:
            yield ""
            yield from _mapping(value, indent + STEP, path)
        case list() if value:
            yield ""
            yield from _sequence(value, indent + STEP, path)
        case str() if _is_block(value):
            head, *lines = _block(value, indent, path)
            yield f" {head}"
            yield from lines
        case _:
            yield f" {_leaf(value, path)}"


def _sequence(items: list[JSON], indent: int, path: str) -> Iterator[str]:
    dash = f"{' ' * indent}-"
    for place, item in enumerate(items):
        below = f"{path}/{place}"
        inner: list[str] = []
        match item:
            case dict() if item:
                inner = list(_mapping(item, indent + STEP, below))
            case list() if item:
                inner = list(_sequence(item, indent + STEP, below))
            case _:
                head, *more = _value(item, indent, below)
                yield f"{dash}{head}"
                yield from more
                continue
        first, *more = inner
        yield f"{dash} {first.lstrip(' ')}"
        yield from more


def _leaf(value: JSON, path: str) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            if not SMALLEST <= value <= LARGEST:
                raise FilesWrong(f"{path}: the number {value} does not fit into 64 bits")
            return str(value)
        case float():
            if not math.isfinite(value):
                raise FilesWrong(f"{path}: {value} is no number that a file can hold")
            return repr(value)
        case str():
            return _scalar(value, path)
        case list():
            return "[]"
        case _:
            return "{}"


def _scalar(value: str, path: str) -> str:
    """Write a text on one line: as it is, or in quotes."""
    plain = _PLAIN.fullmatch(value) is not None and value[-1] != " "
    if (plain and value.casefold() not in _WORDS) or MOMENT.fullmatch(value):
        return value
    _check(value, path)
    return f'"{"".join(_ESCAPES.get(character, character) for character in value)}"'


def _check(value: str, path: str) -> None:
    found = control_character(value)
    if found:
        raise FilesWrong(
            f"{path}: the text holds the character {found}, which no plan file may hold;"
            " correct it on the server"
        )


def _is_block(value: str) -> bool:
    """Tell whether a text of several lines can stand as they are."""
    rest = value.replace("\n", "").replace("\t", "")
    return "\n" in value and bool(rest) and rest.isprintable()


def _block(value: str, indent: int, path: str) -> Iterator[str]:
    """Write a text of several lines as a literal block."""
    _check(value, path)
    body = value.rstrip("\n")
    ends = len(value) - len(body)
    begins = str(STEP) if value[0] in " \t\n" else ""
    yield f"|{begins}{('-', '')[ends] if ends < len('-+') else '+'}"
    for line in (*body.split("\n"), *[""] * (ends - 1)):
        yield f"{' ' * (indent + STEP)}{line}" if line else ""
