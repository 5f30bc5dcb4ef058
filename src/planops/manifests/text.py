"""Bytes of a file to text: UTF-8 without anything that a person cannot see.

Decides whether a file is text at all. A byte order mark is dropped; a control character, a NUL or
another line separator is a problem, because editors, reviewers and parsers would disagree on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MAX_BYTES: Final = 1 << 20

_PLAIN: Final = bytes(range(0x20, 0x7F)) + b"\t\n\r"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SEPARATORS = frozenset("\x85\u2028\u2029")
_BOM: Final = "\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Why bytes are no text; line and column count from 1."""

    name: str
    message: str
    hint: str
    line: int = 1
    column: int = 1


def decode(data: bytes) -> str | Flaw:
    """Decode a file, or say what is wrong with it."""
    if len(data) > MAX_BYTES:
        return Flaw(
            name="file-too-large",
            message=f"the file has {len(data):,} bytes; {MAX_BYTES:,} are the most",
            hint="split it",
        )
    if data.isascii():
        text = data.decode("ascii")
        return text if not data.translate(None, _PLAIN) else _forbidden(text)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _undecodable(data, error.start)
    text = text.removeprefix(_BOM)
    return _forbidden(text) if _FORBIDDEN.search(text) else text


def control_character(value: str) -> str:
    """Name the first character that must not be in a value, such as ``U+0007``; else empty."""
    for character in value:
        point = ord(character)
        lone = 0xD800 <= point <= 0xDFFF  # noqa: PLR2004 -- the range of surrogates
        if lone or (_FORBIDDEN.match(character) and character not in "\u2028\u2029"):
            return f"U+{point:04X}"
    return ""


def _place(text: str, index: int) -> tuple[int, int]:
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _undecodable(data: bytes, start: int) -> Flaw:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Flaw(name="not-utf-8", message="the file is UTF-16", hint="save it as UTF-8")
    line, column = _place(data[:start].decode("utf-8").removeprefix(_BOM), start)
    return Flaw(
        name="not-utf-8",
        message=f"byte 0x{data[start]:02x} is not UTF-8",
        hint="save the file as UTF-8",
        line=line,
        column=column,
    )


def _forbidden(text: str) -> Flaw:
    found = _FORBIDDEN.search(text)
    index = found.start() if found else 0
    character = text[index]
    line, column = _place(text, index)
    name = f"U+{ord(character):04X}"
    if character in _SEPARATORS:
        message = f"{name} ends a line for some readers and not for others"
    elif character == "\x00":
        message = "the file holds a NUL character"
    else:
        message = f"the file holds the control character {name}"
    return Flaw(
        name="control-character",
        message=message,
        hint="remove it",
        line=line,
        column=column,
    )
