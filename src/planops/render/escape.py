"""The one escape of each format: whatever a file, a server or an error says is hostile text.

Terminal: what could move the cursor, hide or reorder text, or command a CI runner becomes visible.
Markdown: a word that could mean anything to a forge is shown as code, by entities, so that no
mention, link, reference, tag, table or fence comes of it. JSON: the same characters as escapes.
GitHub's commands and XML: what is invisible becomes visible, then what the format itself reads.
SARIF: so that no link and no placeholder comes of a sentence.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import partial
from typing import Final
from urllib.parse import quote

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
_ADDRESS: Final = re.compile(
    r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/%+,=-]*)?"
    r"(?:\?[A-Za-z0-9._~/%+,=&?-]*)?(?:#[A-Za-z0-9._~/%+,=&?-]*)?"
)
_COUNT: Final = 20  # what the count itself takes
_CUT: Final = "… (+"
_MASK: Final = "***"
_TELLING: Final = 4  # characters of a secret that are worth hiding
_CLOSERS: Final = ('\\"', '"', "&quot;", "&#34;")
_BACKTICKS: Final = re.compile("`+")
_DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = _DATA | str.maketrans({":": "%3A", ",": "%2C"})
_XML: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})
_BRACES: Final = str.maketrans({"{": "{{", "}": "}}"})


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
    return f"<code>{_entities(text)}</code>"


def _entities(text: str) -> str:
    return _WWW.sub(_WWW_DOT, visible(text).translate(_ENTITIES))


def link(text: str, url: str) -> str:
    """Link a plain text to an address that the caller vouches for; any other is shown as code."""
    return f"[{text}](<{url}>)" if _ADDRESS.fullmatch(url) else f"{text} ({code(url)})"


def fence(text: str, language: str = "") -> str:
    """Fence a block that is already visible by more backticks than it holds in a row."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def command_data(*lines: str) -> str:
    """Escape the message of a command to GitHub's runner, as its ``ActionCommand`` reads it."""
    return "\n".join(map(terminal, lines)).translate(_DATA)


def command_property(text: str) -> str:
    """Escape a property of a command to GitHub's runner, as its ``ActionCommand`` reads it."""
    return terminal(text).translate(_PROPERTY)


def xml(text: str) -> str:
    """Escape one line of XML, in an attribute or between tags; every character is legal then."""
    return terminal(text).translate(_XML)


def sarif(text: str) -> str:
    """Escape a SARIF message: no link (SARIF 2.1.0 §3.11.6) and no placeholder (§3.11.5)."""
    return visible(text).translate(_BRACES).replace("](", "] (")


def masked(content: str, secret: str) -> str:
    """Mask a secret in a rendered report, also where its end was cut off."""
    for spelling in spellings(secret):
        content = content.replace(spelling, _MASK)
        for mark in (_CUT, _entities(_CUT)):
            *cuts, last = content.split(mark)
            content = mark.join([*(_ended(part, spelling) for part in cuts), last])
    return content


def _ended(text: str, spelling: str) -> str:
    """Mask the beginning of a secret at the end of a text, before a quote that closes or not."""
    closing = next((one for one in _CLOSERS if text.endswith(one)), "")
    bare = text.removesuffix(closing)
    lengths = range(len(spelling) - 1, _TELLING - 1, -1)
    found = next((n for n in lengths if bare.endswith(spelling[:n])), 0)
    return f"{bare[:-found]}{_MASK}{closing}" if found else text


def spellings(text: str) -> tuple[str, ...]:
    """Give every spelling in which some format shows a text, the longest first.

    A value is shown as JSON in a sentence, and the sentence then as the format has it.
    """
    said = {text, visible(text), _quoted(text), visible(_quoted(text))}
    escapes = (
        terminal,
        _entities,
        command_property,
        command_data,
        xml,
        sarif,
        partial(quote, errors="replace"),
    )
    found = said | {escape(one) for one in said for escape in escapes}
    found |= {_quoted(one) for one in (*said, *map(sarif, said))}
    found |= {in_json(one) for one in found}
    return tuple(sorted(found - {""}, key=lambda one: (-len(one), one)))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def cut(text: str, limit: int | None) -> str:
    """Cut a long text by characters, and say how many were cut."""
    head, left = split(text, limit)
    return f"{head}{left}"


def split(text: str, limit: int | None) -> tuple[str, str]:
    """Part a text into what is shown and the count of what is not; together within the limit."""
    if limit is None or len(text) <= limit:
        return text, ""
    kept = max(limit - _COUNT, limit // 2)
    return text[:kept], f"{_CUT}{len(text) - kept} characters)"
