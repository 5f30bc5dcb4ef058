"""Who did it, from a plan's history on the server (docs/servers/zadig.md §1.8, §1.9).

Pure. A line of the history is hostile text: nothing of it is kept but who, when, and about what;
the values in it may be secrets. What cannot be read as a line is passed over.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from planops.backends.trees import Tree, text, tree
from planops.core.attribution import Touches
from planops.core.changes import Change
from planops.core.model import JSON, Live, Touch, Witness, unescape

_LAST_SECOND: Final = 253_402_300_799
_LONGEST: Final = 200
_LATE: Final = 10  # seconds that the server may take to write a line after the deed


class _About(enum.Enum):
    """What a line of the history is about."""

    PLAN = enum.auto()  # created or replaced as a whole
    STATUS = enum.auto()
    METADATA = enum.auto()
    DESCRIPTION = enum.auto()
    APPROVAL = enum.auto()
    JOB = enum.auto()
    OTHER = enum.auto()


_TYPES: Final[Mapping[str, _About]] = {
    "发布计划": _About.PLAN,
    "release_plan": _About.PLAN,
    "发布计划状态": _About.STATUS,
    "release_plan_status": _About.STATUS,
    "元数据": _About.METADATA,
    "metadata": _About.METADATA,
    "需求关联": _About.DESCRIPTION,
    "description": _About.DESCRIPTION,
    "审批": _About.APPROVAL,
    "approval": _About.APPROVAL,
    "发布内容": _About.JOB,
    "发布任务": _About.JOB,
    "release_job": _About.JOB,
}
_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "发布计划名称": frozenset({"name"}),
    "发布负责人": frozenset({"manager"}),
    "发布窗口期": frozenset({"start_time", "end_time"}),
    "定时执行": frozenset({"schedule_execute_time"}),
}
"""The fields that a line about metadata is about; other names may be about any of them."""
_EXECUTIONS: Final = frozenset({"执行", "跳过", "重试"})
_REMARK: Final = "remark"  # what an execution writes into a job
_REJECTED: Final = "reject"
_PLANNING, _DENIED = "planning", "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the history: who did what to which part of the plan, and when."""

    by: str
    at: int
    about: _About
    verb: str = ""
    name: str = ""
    after: str = ""


def lines(value: JSON) -> tuple[Line, ...]:
    """Read a history, newest first, whatever order the server gives it in."""
    rows = value.get("list") if isinstance(value, dict) else value
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    found.sort(key=lambda row: (_time(row.get("created_at")), text(row, "id")), reverse=True)
    return tuple(map(_line, found))


def touches(history: Sequence[Line], change: Change) -> Touches:
    """Find who did what shows of a change: the last line about the same part of the plan.

    Lines are written after the fact, and may be missing. Where the plan's last edit is not among
    them, they say nothing of its fields.
    """
    live = change.live
    edits = [line for line in history if line.about not in {_About.STATUS, _About.OTHER}]
    complete = live is not None and bool(edits) and _is_last(edits[0], live)
    found = ((d.path, _last_about(edits, d.path)) for d in change.deltas if complete)
    return Touches(
        state=_vote(change) or _moved(history, live.state if live else ""),
        paths={path: touch for path, touch in found if touch is not None},
    )


def _is_last(line: Line, live: Live) -> bool:
    return line.by == live.updated_by and abs(line.at - live.updated_at) <= _LATE


def _line(row: Tree) -> Line:
    return Line(
        by=text(row, "username")[:_LONGEST],
        at=_time(row.get("created_at")),
        about=_TYPES.get(text(row, "target_type"), _About.OTHER),
        verb=text(row, "verb"),
        name=text(row, "target_name"),
        after=text(row, "after"),
    )


def _time(value: JSON) -> int:
    known = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LAST_SECOND
    return int(str(value)) if known else 0


def _touch(line: Line) -> Touch:
    return Touch(by=line.by, at=line.at, witness=Witness.HISTORY)


def _last_about(edits: Sequence[Line], path: str) -> Touch | None:
    """Find the last line about a path.

    A write of the whole plan with edits after it may be our own, and what was done since may only
    be told under another name: then nobody is named.
    """
    parts = [unescape(part) for part in path.split("/")[2:]]
    found = next((line for line in edits if _concerns(line, parts)), None)
    if found is None or (found.about is _About.PLAN and found is not edits[0]):
        return None
    return _touch(found)


def _concerns(line: Line, parts: Sequence[str]) -> bool:
    field = parts[0] if parts else ""
    match line.about:
        case _About.PLAN:
            return True
        case _About.APPROVAL:
            return field == "approval"
        case _About.DESCRIPTION:
            return field == "description"
        case _About.JOB:
            return field == "jobs" and _concerns_job(line, parts)
        case _About.METADATA:
            known = _FIELDS.get(line.name)
            return field in known if known else field not in {"approval", "jobs", "description"}
        case _About.STATUS | _About.OTHER:
            return False


def _concerns_job(line: Line, parts: Sequence[str]) -> bool:
    if line.verb in _EXECUTIONS and parts[-1] != _REMARK:
        return False
    return len(parts) == 1 or parts[1].partition(":")[2] == line.name


def _moved(history: Sequence[Line], state: str) -> Touch | None:
    """Find who brought a plan to its state; a plan that is written falls back to planning."""
    moving = {_About.STATUS, _About.PLAN} if state == _PLANNING else {_About.STATUS}
    last = next((line for line in history if line.about in moving), None)
    if last is None or (last.about is _About.STATUS and last.after != state):
        return None
    return _touch(last)


def _vote(change: Change) -> Touch | None:
    """Find whose vote denied a plan: of that the history says only that it was denied."""
    raw = change.live.raw if change.live and change.live.state == _DENIED else {}
    votes = [
        Touch(
            by=text(user, "user_name")[:_LONGEST],
            at=_time(user.get("operation_time")),
            witness=Witness.VOTE,
        )
        for user in _voters(raw)
        if text(user, "reject_or_approve") == _REJECTED
    ]
    return max(votes, key=lambda vote: vote.at, default=None)


def _voters(raw: Tree) -> list[Tree]:
    native = tree(tree(raw.get("approval")).get("native_approval"))
    users = native.get("approve_users")
    return [user for user in users if isinstance(user, dict)] if isinstance(users, list) else []
