"""How a problem quotes the user's own words: escaped, cut, with a near miss where there is one.

Text from a file is hostile: it must never move the cursor, turn the reading direction or fill the
screen of whoever reads the message.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

LONGEST = 60
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _safe(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if not character.isprintable():
        code = ord(character)
        return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 -- the last of plane 0
    return character


def plain(text: str, longest: int = LONGEST) -> str:
    """Text that may stand in a message: control characters escaped, cut where it is long.

    >>> plain("a" * 100, longest=5)
    'aaaaa…'
    """
    cut = text if len(text) <= longest else text[:longest] + "…"
    return cut if cut.isprintable() else "".join(map(_safe, cut))


def code(text: str) -> str:
    """Quote a word of a file: `` `word` ``."""
    return f"`{plain(text).replace('`', chr(39))}`"


def quoted(text: str) -> str:
    r"""Text as it would be written in YAML between double quotes.

    >>> quoted('say "yes"')
    '"say \\"yes\\""'
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain(escaped)}"'


def nearest(word: str, candidates: Iterable[str]) -> str:
    """Pick the candidate that was probably meant, or nothing."""
    among = list(candidates)
    folded = {name.casefold().replace("-", "_"): name for name in among}
    exact = folded.get(word.casefold().replace("-", "_"))
    if exact is not None:
        return exact
    found = difflib.get_close_matches(word[:100], among, n=1, cutoff=0.7)
    return found[0] if found else ""


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Return ``did you mean `x`?``, or nothing."""
    found = nearest(word, candidates)
    return f"did you mean {code(found)}?" if found else ""


def choice(words: Iterable[str]) -> str:
    """List words to choose from: `` `a`, `b` or `c` ``."""
    listed = [code(word) for word in words]
    if len(listed) < 2:  # noqa: PLR2004 -- one word needs no "or"
        return "".join(listed)
    return f"{', '.join(listed[:-1])} or {listed[-1]}"


def subject(path: Sequence[str | int]) -> str:
    """Name what a path stands for, such as `` `timeout` `` or ``item 2 of `jobs` ``."""
    if not path:
        return "the document"
    last = path[-1]
    if isinstance(last, str):
        return code(last)
    owner = next((token for token in reversed(path[:-1]) if isinstance(token, str)), "")
    return f"item {last + 1} of {code(owner)}" if owner else f"item {last + 1}"
