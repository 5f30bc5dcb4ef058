"""Who and when, in words: a line for each commit and each hand on the server, not for each field.

Nothing here is escaped: whoever renders escapes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, assert_never

from planops.core.changes import Cause, Change
from planops.core.model import Blame, Settled, Touch, Witness
from planops.render.escape import cut
from planops.render.values import field, moment

_COMMIT: Final = 8
_NAME: Final = 60
_SUBJECT: Final = 72
_MOST: Final = 6
_OURS: Final = frozenset({Cause.EDIT, Cause.CONFLICT, Cause.RELEASED})
"""Where the file differs from what was applied: who changed it is asked of git."""


def who(change: Change) -> tuple[str, ...]:
    """Say who made what is told of a change: in git, on the server, or both."""
    return (*_in_git(change), *_on_server(change))


def blame(told: Blame) -> str:
    """Say who set a value in a file."""
    match told.settled:
        case Settled.COMMITTED:
            by = f" by {cut(told.author, _NAME)}" if told.author else ""
            day = moment(told.at)[: len("2026-11-02")]
            subject = f" ({cut(told.subject, _SUBJECT)})" if told.subject else ""
            return f"git {told.commit[:_COMMIT]}{by}{', ' if day else ''}{day}{subject}"
        case Settled.UNCOMMITTED:
            return "git: not committed"
        case Settled.BEFORE_HISTORY:
            return "git: older than the history of this clone"
        case _ as never:
            assert_never(never)


def touch(told: Touch) -> str:
    """Say who did something on the server."""
    by = f" by {cut(told.by, _NAME)}" if told.by else ""
    when = f", {minute(told.at)}" if moment(told.at) else ""
    return f"server{by}{when}{_witness(told.witness)}"


def minute(seconds: int) -> str:
    """Say a time in UTC to the minute."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%MZ")


def _witness(witness: Witness) -> str:
    match witness:
        case Witness.HISTORY:
            return ""
        case Witness.VOTE:
            return " (vote)"
        case Witness.LAST_EDIT:
            return " (last edit)"
        case _ as never:
            assert_never(never)


def _in_git(change: Change) -> Iterable[str]:
    """Say each commit once; with its lines only where there is more than one to tell apart."""
    ours = [delta for delta in change.deltas if delta.cause in _OURS]
    told = [(delta.blame, delta.mark.line if delta.mark else 0) for delta in ours]
    told += [(change.goal, change.goal.line)] if change.goal else []
    lines: dict[Blame, list[int]] = {}
    for found, line in told:
        if found is not None and found.line:
            lines.setdefault(replace(found, line=0), []).append(line or found.line)
    gone = {d.blame: None for d in ours if d.blame is not None and not d.blame.line}
    whole = len(lines) == 1 and all(found is not None and found.line for found, _ in told)
    for found, at in lines.items():
        yield blame(found) if whole else f"{blame(found)}: {_numbers(at)}"
    for found in gone:
        names = [field(delta.path) for delta in ours if delta.blame == found]
        yield f"{blame(found)}: last change of the file, which has lost {_some(names)}"


def _numbers(lines: list[int]) -> str:
    known = sorted(set(lines))
    return f"line{'s' if len(known) > 1 else ''} {_some(map(str, known))}"


def _on_server(change: Change) -> Iterable[str]:
    """Say each hand once; with its fields only where there is more than one to tell apart."""
    if change.touch is not None:
        yield _state(change, change.touch)
    fields: dict[Touch, list[str]] = {}
    for delta in change.deltas:
        if delta.touch is not None and delta.touch != change.touch:
            fields.setdefault(delta.touch, []).append(field(delta.path))
    for found, names in fields.items():
        yield touch(found) if len(fields) == 1 else f"{touch(found)}: {_some(names)}"


def _state(change: Change, told: Touch) -> str:
    """Say who stopped a plan; of a last edit it is not known whether it did."""
    if told.witness is Witness.LAST_EDIT or change.live is None:
        return touch(told)
    return f"{touch(told)}: moved to {change.live.state}"


def _some(words: Iterable[str]) -> str:
    known = list(dict.fromkeys(words))
    left = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
    return f"{', '.join(known[:_MOST])}{left}"
