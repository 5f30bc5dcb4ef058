"""JSON the way Go's ``encoding/json`` reads and writes it (docs/servers/zadig.md §1.5, §5.3).

Reading takes the first value and ignores what follows; numbers keep their spelling, because Go
refuses ``1.0`` where an integer belongs. Writing is compact and escapes ``<``, ``>`` and ``&``.
"""

import itertools
import json
import re
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

_STRUCTURE = re.compile(r'"(?:\\.|[^"\\])*"|[\[\]{}]')
_MESSAGES = (
    ("Expecting property name", "looking for beginning of object key string"),
    ("Expecting ':' delimiter", "after object key"),
    ("Illegal trailing comma", "looking for beginning of value"),
    ("Expecting value", "looking for beginning of value"),
    ("Invalid control character", "in string literal"),
    ("Invalid \\escape", "in string escape code"),
    ("Expecting ',' delimiter", "after object key:value pair"),
)


class JsonFault(Exception):
    """The text is not JSON; the message is the one Go gives."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was spelt."""

    text: str


def read(body: bytes) -> object:
    """The first JSON value of ``body``; objects are dicts, numbers are ``Number``."""
    text = body.decode("utf-8", errors="replace").lstrip(" \t\r\n")
    if not text:
        raise JsonFault("EOF")
    try:
        value, _ = _DECODER.raw_decode(text)
    except json.JSONDecodeError as wrong:
        raise JsonFault(_go_message(text, wrong)) from None
    except RecursionError:
        raise JsonFault("exceeded max depth") from None
    return value


def plain(value: object) -> Any:  # noqa: ANN401 - any JSON value
    """``value`` as Python data: what an ``interface{}`` keeps of it."""
    match value:
        case Number(text=text):
            return _number(text)
        case dict():
            return {str(key): plain(member) for key, member in value.items()}
        case list():
            return [plain(element) for element in value]
        case str():
            return scalar_text(value)
        case _:
            return value


def numbered(value: object) -> object:
    """The inverse of ``plain``: what re-reading the written value would give."""
    match value:
        case bool():
            return value
        case int() | float():
            return Number(json.dumps(value))
        case dict():
            return {key: numbered(member) for key, member in value.items()}
        case list():
            return [numbered(element) for element in value]
        case _:
            return value


def scalar_text(text: str) -> str:
    """``text`` with lone surrogates replaced, as Go does."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def write(value: object) -> bytes:
    """``value`` as Go writes it: compact, UTF-8, with HTML characters escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character, escaped in _ESCAPES:
        text = text.replace(character, escaped)
    return text.encode()


def _number(text: str) -> int | float:
    if text.lstrip("-").isdigit():
        return int(text)
    real = float(text)
    return int(real) if real.is_integer() else real


def _go_message(text: str, wrong: json.JSONDecodeError) -> str:
    if wrong.pos >= len(text) or wrong.msg.startswith("Unterminated string"):
        return "unexpected EOF"
    where = next(
        (meaning for beginning, meaning in _MESSAGES if wrong.msg.startswith(beginning)),
        "looking for beginning of value",
    )
    if wrong.msg.startswith("Expecting ',' delimiter") and _in_list(text[: wrong.pos]):
        where = "after array element"
    for literal in ("true", "false", "null"):
        if wrong.msg.startswith("Expecting value") and text[wrong.pos] == literal[0]:
            return _broken_literal(text[wrong.pos :], literal)
    return f"invalid character {_quoted(text[wrong.pos])} {where}"


def _broken_literal(text: str, literal: str) -> str:
    for found, expected in itertools.zip_longest(text, literal):
        if found is None:
            break
        if found != expected:
            return (
                f"invalid character {_quoted(found)} in literal {literal} (expecting '{expected}')"
            )
    return "unexpected EOF"


def _in_list(text: str) -> bool:
    """Whether the innermost open bracket of ``text`` is a list's."""
    open_brackets: list[str] = []
    for bracket in _STRUCTURE.findall(text):
        if bracket in "[{":
            open_brackets.append(bracket)
        elif bracket in "]}":
            open_brackets.pop()
    return open_brackets[-1:] == ["["]


def _quoted(character: str) -> str:
    return r"'\''" if character == "'" else f"'{character}'"


def _no_constant(name: str) -> object:
    raise JsonFault(f"invalid character '{name[0]}' looking for beginning of value")


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_no_constant)
_ESCAPES = (
    ("<", "\\u003c"),
    (">", "\\u003e"),
    ("&", "\\u0026"),
    ("\u2028", "\\u2028"),
    ("\u2029", "\\u2029"),
)
