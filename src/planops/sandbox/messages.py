"""What goes over the wire, and what is remembered of it: values that every emulator shares."""

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    raw_path: str = ""
    query_text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def target(self) -> str:
        """The path as it was sent, with its query."""
        raw = self.raw_path or self.path
        return f"{raw}?{self.query_text}" if self.query_text else raw

    @property
    def query(self) -> dict[str, str]:
        """The first value of every query key."""
        values = urllib.parse.parse_qs(self.query_text, keep_blank_values=True)
        return {key: found[0] for key, found in values.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as it goes over the wire."""

    status: int = 200
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request: who sent it, what was answered (``None`` if nothing), whether it took effect."""

    method: str
    path: str
    body: bytes
    who: str | None
    status: int | None = None
    committed: bool = False
