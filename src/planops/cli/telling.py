"""Speaking on standard error while a run goes on: progress, and every call where that is asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

import click

from planops.render.escape import terminal
from planops.run import Progress

if TYPE_CHECKING:
    from planops.backends.exchange import Call

EVERY_CALL = 2  # -vv
_CLEAR = "\r\x1b[K"
_COLUMNS = 100


def teller(*, quiet: bool) -> Callable[[Progress], None]:
    """Give what tells of progress: a line of its own each, or one that is written anew."""
    if quiet:
        return lambda _: None
    if not _rewritable():
        return lambda at: tell(f"{at.target}: {terminal(at.what)}\n")
    return lambda at: tell(f"{_CLEAR}{at.target}: {terminal(at.what)[:_COLUMNS]}")


def end_of_progress(*, quiet: bool) -> None:
    """Clear the line of progress, so that what follows begins on a line of its own."""
    if not quiet and _rewritable():
        tell(_CLEAR)


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a person is at the end of a standard stream, which may be closed."""
    return stream is not None and not stream.closed and stream.isatty()


def _rewritable() -> bool:
    return is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"


def tell(text: str) -> None:
    """Speak on standard error; that nobody listens any more must not end a run that writes.

    The text is written as it is: who knows what is in it has escaped it.
    """
    with suppress(OSError, ValueError):
        click.echo(text, err=True, nl=False, color=True)


def call_teller(verbose: int) -> Callable[[Call], None] | None:
    """Give what tells of every call, where that much is asked for."""
    if verbose < EVERY_CALL:
        return None
    return lambda call: tell(f"{terminal(str(call))}\n")
