"""Unpacking an answer's body within a limit: a small compressed answer may be a very large one."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GZIP: Final = 31  # zlib's way to say: a gzip header and nothing else


class BadCodingError(Exception):
    """The body is not encoded as its header says; the message says how."""


def unpacked(chunks: Iterable[bytes], coding: str, limit: int) -> Iterator[bytes]:
    """Yield the decoded body; a decoded piece is at most one byte larger than the limit.

    ``coding`` is the ``Content-Encoding``; only gzip is understood, as only gzip is asked for.
    Raises ``BadCodingError``.
    """
    coding = coding.strip().lower()
    if coding in {"", "identity"}:
        yield from chunks
    elif coding == "gzip":
        yield from _gunzip(chunks, limit)
    else:
        raise BadCodingError(f"it was not asked to be encoded as {coding}")


def _gunzip(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    unpack = zlib.decompressobj(wbits=_GZIP)
    begun, problem = False, ""
    for chunk in chunks:
        begun = True
        try:
            piece = unpack.decompress(chunk, limit + 1)
        except zlib.error:
            problem = "the gzip data is broken"
            break
        yield piece
        if unpack.unused_data:
            problem = "something follows the end of the gzip data"
            break
    if begun and not problem and not unpack.eof:
        problem = "the gzip data ends in the middle"
    if problem:
        raise BadCodingError(problem)
