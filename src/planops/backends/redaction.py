"""Keeping secrets out of whatever people and logs get to see.

Everything that leaves the HTTP client as text, be it an exception or a log line, goes through here.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK: Final = "***"
SHORTEST: Final = 4
"""Secrets with fewer characters are left alone: masking every ``a`` or ``12`` would make all text
unreadable and give the secret away by the gaps, and nobody is protected by a secret that short."""

_WINDOW: Final = 16_384
_SHAPES: Final = (
    (re.compile(r"(?i)\b(bearer|basic)(\s+|%20|\+)[^\s\"',;]+"), rf"\1 {MASK}"),
    (
        re.compile(r"(?i)\b((?:access_|auth_|api_)?(?:token|key|secret|password))=[^&\s\"'#;]+"),
        rf"\1={MASK}",
    ),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s@]+@"), rf"\1{MASK}@"),
)


class Redactor:
    """Replaces secrets in text, in every form in which they travel.

    Known are the secret itself and its forms in a URL, in base64 (alone or inside a longer text)
    and in a JSON string; besides them whatever follows ``Bearer`` or ``token=`` and the userinfo
    of a URL.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._longest = max(map(len, forms), default=0)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __repr__(self) -> str:
        return "Redactor()"

    def text(self, text: str) -> str:
        """Return the text with every secret replaced by ``***``."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for shape, replacement in _SHAPES:
            text = shape.sub(replacement, text)
        return text

    def quote(self, text: str | bytes, limit: int = 60) -> str:
        """Return the beginning of hostile text: redacted, escaped, at most ``limit`` characters.

        Secrets are replaced before the text is cut, so that no half of one is left at the end.
        """
        head = text[:_WINDOW]
        shown = self.text(head.decode("utf-8", "replace") if isinstance(head, bytes) else head)
        if len(text) > _WINDOW and self._longest:
            shown = shown[: -self._longest] or MASK  # the window may end within a secret
        shown = "".join(map(_printable, shown[: limit + 1]))
        return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "replace").decode("ascii")


def _forms(secret: str) -> Iterator[str]:
    for text in {secret, secret.strip()}:
        if len(text) < SHORTEST:
            continue
        quoted = quote(text, safe="", errors="replace")
        yield from (text, quoted, quote_plus(text, errors="replace"), quote(text, errors="replace"))
        yield re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), quoted)
        yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
        yield from _base64_forms(text.encode("utf-8", "replace"))


def _base64_forms(secret: bytes) -> Iterator[str]:
    """The secret in base64, at each of the three places at which it may begin in a longer text."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret).rstrip(b"=")
        first = -(-before * 8 // 6)  # characters that bits of the text before have a part in
        spare = (before + len(secret)) * 8 % 6 != 0  # the last one would hold bits of what follows
        inner = encoded[first : len(encoded) - spare]
        if len(inner) >= SHORTEST:
            yield inner.decode()
            yield inner.translate(bytes.maketrans(b"+/", b"-_")).decode()
