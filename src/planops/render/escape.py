"""The one escape of each format: whatever a file, a server or an error says is hostile text.

Terminal: what could move the cursor, hide or reorder text, or command a CI runner becomes visible.
Markdown: a word that could mean anything to a forge is shown as code, by entities, so that no
mention, link, reference, tag, table or fence comes of it. JSON: the same characters as escapes.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, format controls (bidi, zero-width), surrogates, private, unassigned, separators."""

_INVISIBLE: Final = frozenset(
    map(
        chr,
        (
            0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164,
            0xFFA0, *range(0xE0100, 0xE01F0),
        ),
    )
)  # fmt: skip
"""Letters and marks that show nothing, and so can hide a difference."""

_NAMED: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_BYTE: Final = 0x100
_PLANE: Final = 0x10000

_COMMAND: Final = re.compile(r"^(\s*)::")
_HASHES: Final = re.compile(r"##(?=\w*\[)")
"""GitHub's, Azure's and TeamCity's commands to a runner, anywhere in a line."""

_PLAIN_WORD: Final = re.compile(r"[^\W\d_]+(?:[-'][^\W\d_]+)*[!?]?|[0-9]{1,6}|[→≠·—…]")
_OPENING: Final = '("'
_CLOSING: Final = ')",.;:'
_ENTITIES: Final = {
    ord(character): f"&#{ord(character)};" for character in "'`*_~[]()|\\!#:$^{}\"+"
} | {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("@"): "&#64;<wbr>"}
_WWW: Final = re.compile(r"(?i)(www)\.")
_WWW_DOT: Final = r"\1&#46;"
_COUNT: Final = 20  # what the count itself takes
_BACKTICKS: Final = re.compile("`+")


def unsafe(character: str) -> bool:
    """Tell whether a character does something else than show itself."""
    return unicodedata.category(character) in _UNSAFE or character in _INVISIBLE


def visible(text: str) -> str:
    r"""Show what is invisible: ``\x1b``, ``\u202e``, ``\n``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_name(c) if unsafe(c) else c for c in text)


def _name(character: str) -> str:
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if code < _BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _PLANE else f"\\U{code:08x}"


def terminal(text: str) -> str:
    """Escape for one line of a terminal or of a CI log."""
    shown = _HASHES.sub(r"#\\x23", visible(text))
    return _COMMAND.sub(r"\1\\x3a:", shown)


def in_json(text: str) -> str:
    """Escape serialised JSON: the same document, with nothing invisible and no runner's command."""
    shown = _HASHES.sub(r"#\\u0023", text)
    if shown.isascii() and "\x7f" not in shown:
        return shown
    return "".join(_unit(c) if c != "\n" and unsafe(c) else c for c in shown)


def _unit(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def markdown(text: str) -> str:
    """Escape a sentence for GitHub's and GitLab's Markdown, in a line, a table or a summary.

    Plain words and short numbers stay as they are; every other word is shown as code.
    """
    return " ".join(_word(word) for word in visible(text).split(" ") if word)


def _word(word: str) -> str:
    before = word[0] if word[0] in _OPENING else ""
    core = word[len(before) :].rstrip(_CLOSING)
    after = word[len(before) + len(core) :]
    if not core:
        return code(word)
    lists = core.isdigit() and after  # "1." would begin a numbered list
    plain = _PLAIN_WORD.fullmatch(core) and not lists
    return f"{before}{core if plain else code(core)}{after}"


def code(text: str) -> str:
    """Show a text as code in Markdown, with nothing in it that a forge could act upon."""
    shown = visible(text).translate(_ENTITIES)
    return f"<code>{_WWW.sub(_WWW_DOT, shown)}</code>"


def fence(text: str, language: str = "") -> str:
    """Fence a block that is already visible by more backticks than it holds in a row."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def cut(text: str, limit: int | None) -> str:
    """Cut a long text by characters, and say how many were cut."""
    head, left = split(text, limit)
    return f"{head}{left}"


def split(text: str, limit: int | None) -> tuple[str, str]:
    """Part a text into what is shown and the count of what is not; together within the limit."""
    if limit is None or len(text) <= limit:
        return text, ""
    kept = max(limit - _COUNT, limit // 2)
    return text[:kept], f"… (+{len(text) - kept} characters)"
