"""Lines of a terminal: pieces of text, each escaped once, and coloured only after that.

Whatever goes into a line is hostile; nothing but this module writes a control character.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import TypeAlias

from planops.render.escape import terminal


class Style(enum.Enum):
    """A colour, by what it marks; the value is the terminal's code."""

    HEAD = "1"
    GOOD = "32"
    WARN = "33"
    BAD = "31"
    MOVE = "36"
    DIM = "2"


Piece: TypeAlias = "str | tuple[Style, str]"
Line: TypeAlias = "tuple[Piece, ...]"


def line(*pieces: Piece) -> Line:
    """Make a line of pieces."""
    return pieces


def text_of(lines: Iterable[Line], *, colour: bool) -> str:
    """Join lines into text that ends in a newline."""
    return "".join(f"{_line(one, colour=colour)}\n" for one in lines)


def _line(pieces: Line, *, colour: bool) -> str:
    return "".join(_piece(piece, colour=colour) for piece in pieces).rstrip(" ")


def _piece(piece: Piece, *, colour: bool) -> str:
    if isinstance(piece, str):
        return terminal(piece)
    style, text = piece
    shown = terminal(text)
    return f"\x1b[{style.value}m{shown}\x1b[0m" if colour and shown else shown
