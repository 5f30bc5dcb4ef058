"""Writing the sticky comment, notices and the one issue, on whichever forge.

Every write is preceded by a look and followed by another one: what was lost is found by its marker,
what raced is put right by whoever is newer, and nothing is written twice on a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, Protocol, assert_never

from planops.core.forge import Author, Comment, Issue, Kind, Post, Pull
from planops.core.sticky import Act, Tracking, Verdict, decide, rises, told, track
from planops.errors import ForgeFailed, ForgeRefused, OutcomeUnknown
from planops.ports import Posted

WRITES: Final = 3
"""How often a text is written: what is lost or raced is put right, but not for ever."""
REPLACED: Final = "_This comment was replaced by a newer one._"


class Board(Protocol):
    """What a forge offers to this module.

    Every method may raise ``ForgeFailed`` and its kinds; those that write, ``OutcomeUnknown`` too.
    """

    @property
    def limit(self) -> int:
        """The greatest number of characters of a text."""
        ...

    def me(self) -> Author:
        """Say as whom the token writes."""
        ...

    def pull(self, number: int) -> Pull:
        """Read a pull request."""
        ...

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Read all comments of a pull request."""
        ...

    def add(self, number: int, text: str) -> None:
        """Write a comment."""
        ...

    def edit(self, number: int, id_: int, text: str) -> None:
        """Write a comment anew. Raises ``ForgeRefused`` where it is gone."""
        ...

    def remove(self, number: int, id_: int) -> None:
        """Delete a comment; one that is gone is no error."""
        ...

    def issues(self) -> tuple[Issue, ...]:
        """Read our own issues: all that are open, the latest that are closed."""
        ...

    def open_issue(self, title: str, text: str) -> None:
        """Open an issue."""
        ...

    def edit_issue(self, number: int, title: str, text: str, *, keep_open: bool) -> None:
        """Write an issue anew, and close it unless it is to stay open."""
        ...


def upsert(board: Board, post: Post, notice: str) -> Posted:
    """See ``ports.Forge.upsert``."""
    _check_length(board, post)
    first = verdict = _look(board, post)
    written = False
    for _ in range(WRITES):
        if verdict.act in {Act.LEAVE, Act.SUPERSEDED}:
            break
        if notice and rises(first.newest, post.marker):
            notify(board, Post(marker=replace(post.marker, kind=Kind.NOTICE), body=notice))
        written = _write(board, post, verdict)
        verdict = _look(board, post)
        if written and verdict.newest == post.marker:  # whatever the forge made of the words
            break
    else:
        raise ForgeFailed(
            f"pull request {post.marker.number}: its comment did not stay as it was written"
            f" {WRITES} times; see whether another program writes as {board.me().login}"
        )
    _tidy(board, post.marker.number, verdict.surplus)
    over = verdict.act is Act.SUPERSEDED
    return Posted(act=verdict.act if over else first.act, before=first.newest, why=verdict.why)


def _look(board: Board, post: Post) -> Verdict:
    number = post.marker.number
    return decide(board.comments(number), board.me(), post, board.pull(number))


def _write(board: Board, post: Post, verdict: Verdict) -> bool:
    """Write the comment; tell whether it is certain that it was written."""
    number = post.marker.number
    try:
        if verdict.id is None:
            board.add(number, post.text)
        else:
            board.edit(number, verdict.id, post.text)
    except OutcomeUnknown:
        return False
    except ForgeRefused:
        if verdict.id is None or _look(board, post).id == verdict.id:
            raise
        return False  # it was deleted after we had looked
    return True


def _tidy(board: Board, number: int, surplus: Sequence[int]) -> None:
    """Take away comments of ours that are too many; empty what may not be deleted."""
    for id_ in surplus:
        try:
            board.remove(number, id_)
        except (ForgeRefused, OutcomeUnknown):
            with suppress(ForgeRefused, OutcomeUnknown):
                board.edit(number, id_, REPLACED)


def notify(board: Board, post: Post) -> bool:
    """See ``ports.Forge.notice``."""
    _check_length(board, post)
    number = post.marker.number
    for tried in range(WRITES):
        if told(board.comments(number), board.me(), post):
            return tried > 0
        try:
            board.add(number, post.text)
        except OutcomeUnknown:
            continue
        return True
    raise ForgeFailed(
        f"pull request {number}: no notice could be written in {WRITES} tries; run again later"
    )


def follow(board: Board, title: str, post: Post, *, wanted: bool) -> Act:
    """See ``ports.Forge.issue``."""
    _check_length(board, post)
    first: Act | None = None
    for _ in range(WRITES):
        found = track(board.issues(), board.me(), title, post, wanted=wanted)
        first = first or found.act
        try:
            _follow(board, title, post, found, wanted=wanted)
        except OutcomeUnknown:
            continue
        return found.act if found.act is Act.SUPERSEDED else first
    raise ForgeFailed(
        f"issue {title!r}: it could not be written in {WRITES} tries; run again later"
    )


def _follow(board: Board, title: str, post: Post, found: Tracking, *, wanted: bool) -> None:
    match found.act:
        case Act.CREATE:
            board.open_issue(title, post.text)
        case Act.UPDATE:
            board.edit_issue(found.number, title, post.text, keep_open=wanted)
        case Act.LEAVE | Act.SUPERSEDED:
            pass
        case _ as never:
            assert_never(never)
    for number in found.surplus:
        board.edit_issue(number, title, REPLACED, keep_open=False)


def _check_length(board: Board, post: Post) -> None:
    if len(post.text) > board.limit:
        raise ForgeFailed(
            f"comment: it has {len(post.text)} characters, the forge takes {board.limit}: it was"
            " not sent; cut the report"
        )
