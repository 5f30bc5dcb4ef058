"""What to do about the one comment of a pull request, the notices beside it, the one issue.

An older run never writes over a newer one, whichever ends first. What several of our comments hold
is decided by their markers alone, so that runs that race come to the same end.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from planops.core.forge import Author, Comment, Issue, Kind, Marker, Post, Pull, marker_of, same

STICKY: Final = frozenset({Kind.REVIEW, Kind.OUTCOME})


class Act(enum.Enum):
    """What to do with the comment."""

    CREATE = enum.auto()
    UPDATE = enum.auto()
    LEAVE = enum.auto()  # it says just that already
    SUPERSEDED = enum.auto()  # what we would say is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do: with the comment of this ``id``, and with those that are too many.

    ``newest`` is the marker of the comment that counts now, ``why`` a clause for
    ``SUPERSEDED``.
    """

    act: Act
    id: int | None = None
    newest: Marker | None = None
    surplus: tuple[int, ...] = ()
    why: str = ""


def decide(comments: Iterable[Comment], me: Author, post: Post, pull: Pull) -> Verdict:
    """Decide about the sticky comment of a pull request."""
    ours = [
        (found, comment)
        for comment in comments
        if me.wrote(comment.author)
        and (found := marker_of(comment.text)) is not None
        and _about(found, post.marker, STICKY)
    ]
    ours.sort(key=lambda each: (each[0].rank, -each[1].id), reverse=True)
    if not ours:
        why = _over(post.marker, None, pull)
        return Verdict(act=Act.SUPERSEDED if why else Act.CREATE, why=why)
    newest, kept = ours[0]
    why = _over(post.marker, newest, pull)
    act = Act.LEAVE if same(kept.text, post.text) else Act.UPDATE
    return Verdict(
        act=Act.SUPERSEDED if why else act,
        id=kept.id,
        newest=newest,
        surplus=tuple(comment.id for _, comment in ours[1:]),
        why=why,
    )


def _about(found: Marker, wanted: Marker, kinds: Iterable[Kind]) -> bool:
    """Tell whether a marker stands for the same thing; any outcome takes a review's place."""
    place = (wanted.repository, wanted.number)
    fits = found.scope == wanted.scope or found.kind is Kind.REVIEW
    return (found.repository, found.number) == place and found.kind in kinds and fits


def _over(marker: Marker, newest: Marker | None, pull: Pull) -> str:
    """Say why what a run would write is over, or nothing."""
    if pull.head != marker.head:
        return f"the pull request's head is {pull.head[:12]} now"
    if newest is not None and newest.rank > marker.rank:
        return f"a later run has written there, {newest.seq[0]}.{newest.seq[1]}"
    if pull.merged and marker.kind is Kind.REVIEW:
        return "the pull request is merged"
    return ""


def rises(before: Marker | None, marker: Marker) -> bool:
    """Tell whether a review is riskier than the one that people have been told of."""
    if before is None or {before.kind, marker.kind} != {Kind.REVIEW}:
        return False
    return marker.risk.rank > before.risk.rank


def told(comments: Iterable[Comment], me: Author, post: Post) -> bool:
    """Tell whether a notice has been given: the same words about the same head."""
    for comment in comments:
        found = marker_of(comment.text) if me.wrote(comment.author) else None
        if found is None or not _about(found, post.marker, {Kind.NOTICE}):
            continue
        if found.head == post.marker.head and same(comment.text.partition("\n")[2], post.body):
            return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """What to do with the issue of this number; ``surplus`` are open ones that are too many."""

    act: Act
    number: int = 0
    surplus: tuple[int, ...] = ()


def track(issues: Sequence[Issue], me: Author, title: str, post: Post, *, wanted: bool) -> Tracking:
    """Decide about the one issue: open it, write it anew, leave it as it is.

    ``issues`` hold all open ones and the latest that are closed, in any order; ``wanted`` says
    whether it is to be open. An ``UPDATE`` of one that is not wanted closes it.
    """
    ours = [
        (found, issue)
        for issue in issues
        if me.wrote(issue.author)
        and (found := marker_of(issue.text)) is not None
        and _about(found, post.marker, {post.marker.kind})
    ]
    if any(found.seq > post.marker.seq for found, _ in ours):
        return Tracking(act=Act.SUPERSEDED)
    numbers = sorted((issue.number for _, issue in ours if issue.open))
    if not numbers:
        return Tracking(act=Act.CREATE if wanted else Act.LEAVE)
    kept = next(issue for _, issue in ours if issue.number == numbers[0])
    done = wanted and kept.title == title and same(kept.text, post.text)
    return Tracking(
        act=Act.LEAVE if done else Act.UPDATE, number=kept.number, surplus=tuple(numbers[1:])
    )
