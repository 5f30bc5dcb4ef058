"""What an unquoted word of YAML means, and which words mean different things to different readers.

Only ``true``, ``false``, ``null``, ``~``, integers without a leading zero and JSON's floats have
a meaning of their own; everything else is text. A word that YAML 1.1 and 1.2 read differently, or
one that would lose digits, is refused: its author must say what is meant.
"""

from __future__ import annotations

import re
from typing import Final

from planops.manifests.wording import code, quoted

CONSTANTS: Final[dict[str, None | bool]] = {
    "": None,
    "~": None,
    "null": None,
    "true": True,
    "false": False,
}
_YES: Final = frozenset(
    word for base in ("yes", "on", "y") for word in (base, base.capitalize(), base.upper())
) | {"True", "TRUE"}
_NO: Final = frozenset(
    word for base in ("no", "off", "n") for word in (base, base.capitalize(), base.upper())
) | {"False", "FALSE"}
_NULL: Final = frozenset({"Null", "NULL"})
LEGACY: Final = _YES | _NO | _NULL
NUMERIC: Final = frozenset("0123456789-+")
"""The characters that a number begins with."""

MAX_DIGITS: Final = 400
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?", re.ASCII)
_BASED = re.compile(r"[-+]?0(?:[xX][0-9a-fA-F_]+|o[0-7_]+|b[01_]+)", re.ASCII)
SMALLEST = -(2**63)
LARGEST = 2**63 - 1


class Doubtful(ValueError):
    """An unquoted word whose meaning its author must make plain."""

    def __init__(self, name: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.hint = hint


def resolve(word: str) -> None | bool | int | float | str:
    """Say what an unquoted word means.

    >>> resolve("12"), resolve("12:30"), resolve("~")
    (12, '12:30', None)

    Raises:
        Doubtful: the word means different things to different readers.
    """
    if word in CONSTANTS:
        return CONSTANTS[word]
    if word[0] in NUMERIC:
        return _numeric(word)
    if word in LEGACY:
        raise _ambiguous(word)
    return word


def _ambiguous(word: str) -> Doubtful:
    text = f"write {quoted(word)} for the text"
    if word in _NULL:
        message = f"unquoted {code(word)} is null to some readers and text to others"
        return Doubtful("ambiguous-null", message, f"{text} or {code('null')} for null")
    meant = "true" if word in _YES else "false"
    message = f"unquoted {code(word)} is a boolean to some readers and text to others"
    return Doubtful("ambiguous-boolean", message, f"{text} or {code(meant)} for the boolean")


def _numeric(word: str) -> int | float | str:
    match = _NUMBER.fullmatch(word)
    if match is None:
        if _BASED.fullmatch(word):
            raise Doubtful(
                "number-with-base",
                f"unquoted {code(word)} is a number to some readers and text to others",
                f"write {quoted(word)} for the text, or the number in decimal digits",
            )
        if _LEADING_ZERO.fullmatch(word):
            raise Doubtful(
                "leading-zero",
                f"the number {code(word)} has a leading zero, which some readers take for octal",
                f"write {quoted(word)} for the text, or the number without the zero",
            )
        return word
    if len(word) > MAX_DIGITS:
        raise Doubtful(
            "number-too-long",
            f"the number {code(word)} has {len(word)} characters; {MAX_DIGITS} are the most",
            "quote it where it is text",
        )
    if match[1] is None and match[2] is None:
        return _integer(word)
    return _float(word)


def _integer(word: str) -> int:
    number = int(word)
    if SMALLEST <= number <= LARGEST:
        return number
    raise Doubtful(
        "number-out-of-range",
        f"the integer {code(word)} does not fit into 64 bits",
        f"write {quoted(word)} for the text",
    )


def _float(word: str) -> float:
    number = float(word)
    if number in (float("inf"), float("-inf")):
        raise Doubtful(
            "number-out-of-range",
            f"the number {code(word)} is too large for a float",
            f"write {quoted(word)} for the text",
        )
    return number
