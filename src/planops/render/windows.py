"""When plans take place: their release windows in words, and as a Mermaid diagram.

Zadig's plans have a window (``start_time``, ``end_time``), BRPM's a day (``release_date``); what a
file leaves out is as the server has it. Times are said in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from planops.core.changes import Change
from planops.core.model import JSON, Value
from planops.core.report import ChangeReport
from planops.render.attribution import minute
from planops.render.values import moment

_START: Final = "start_time"
_END: Final = "end_time"
_RUNS: Final = "schedule_execute_time"
_DAY: Final = "release_date"
_SECONDS_A_DAY: Final = 86_400
_DATE: Final = len("2026-12-01")
_LABEL: Final = 60
MOST_ROWS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a plan takes place, in unix seconds; 0 is no bound.

    ``day`` says that only the day is known, ``runs`` when the server executes the plan by itself.
    """

    start: int = 0
    end: int = 0
    day: bool = False
    runs: int = 0

    def __str__(self) -> str:
        if self.day:
            return minute(self.start)[:_DATE]
        said = [self._bounds()] if self.start or self.end else []
        said += [f"runs at {minute(self.runs)}"] if self.runs else []
        return ", ".join(said)

    def _bounds(self) -> str:
        start, end = (minute(at) if at else "" for at in (self.start, self.end))
        if not start or not end:
            return f"from {start}" if start else f"until {end}"
        same = start[:_DATE] == end[:_DATE]
        return f"{start} to {end[_DATE + 1 :] if same else end}"

    def overlaps(self, other: Window) -> bool:
        """Tell whether two windows with both ends have some time in common."""
        return self.start < other.end and other.start < self.end


def window(change: Change) -> Window | None:
    """Give the window that a plan has once the change is made; ``None`` where it has none."""
    spec = _once_made(change)
    day = _day(spec.get(_DAY))
    if day:
        return Window(start=day, end=day + _SECONDS_A_DAY, day=True)
    start, end, runs = (_time(spec.get(name)) for name in (_START, _END, _RUNS))
    return Window(start=start, end=end, runs=runs) if start or end or runs else None


def _once_made(change: Change) -> dict[str, JSON]:
    """Give what a plan holds once the change is made: what stays is as the server has it."""
    if change.live is None:
        return dict(change.plan.spec)
    if change.orphan is not None:
        return dict(change.live.spec)
    kept = {*change.plan.manage.ignore, *change.left}
    wanted = {
        name: value for name, value in change.plan.spec.items() if f"/spec/{name}" not in kept
    }
    return {**change.live.spec, **wanted}


def _time(value: Value) -> int:
    return int(value) if isinstance(value, int | float) and moment(value) else 0


def _day(value: JSON) -> int:
    if not isinstance(value, str):
        return 0
    try:
        begins = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return 0
    return max(0, int(begins.timestamp()))


def lasting(old: Value, new: Value) -> str:
    """Say how much later one time is than another: ``+2 h``, ``-1 d 30 min``.

    Nothing where one of them is no time, and where they are the same.
    """
    before, after = _time(old), _time(new)
    if not before or not after:
        return ""
    rest = timedelta(seconds=abs(after - before))
    hours, left = divmod(rest.seconds, 3600)
    parts = ((rest.days, "d"), (hours, "h"), (left // 60, "min"), (left % 60, "s"))
    said = " ".join(f"{number} {unit}" for number, unit in parts if number)
    return f"{'-' if after < before else '+'}{said}" if said else ""


def rows(
    concerned: Sequence[ChangeReport], others: Sequence[ChangeReport]
) -> list[tuple[ChangeReport, Window]]:
    """Give the plans to draw: those concerned, and others that take place while one of them does.

    Only those whose window has both ends.
    """
    drawn = _drawable(concerned)
    ours = [when for _, when in drawn]
    return [*drawn, *(row for row in _drawable(others) if any(map(row[1].overlaps, ours)))]


def _drawable(items: Sequence[ChangeReport]) -> list[tuple[ChangeReport, Window]]:
    found = ((item, window(item.change)) for item in items)
    drawn = [(item, when) for item, when in found if when and 0 < when.start < when.end]
    return sorted(drawn, key=lambda row: (row[1].start, row[1].end, row[0].change.key))


def gantt(found: Sequence[tuple[ChangeReport, Window]]) -> str:
    """Draw windows as a Mermaid gantt; those of plans that a review concerns stand out.

    Labels keep letters, digits, blanks and ``._-`` only, and begin with a sign: whatever a plan is
    called, it is neither a keyword of Mermaid's nor a second line.
    """
    lines = [
        "gantt",
        "    title Release windows (UTC)",
        "    dateFormat YYYY-MM-DD HH:mm",
        "    axisFormat %m-%d %H:%M",
    ]
    section = None
    kept = sorted(found[:MOST_ROWS], key=lambda row: row[0].change.key.target)
    for number, (item, when) in enumerate(kept, 1):
        if item.change.key.target != section:
            section = item.change.key.target
            lines.append(f"    section {_label(section)}")
        lines.append(f"    {_bar(item, when, number)}")
    return "\n".join(lines)


def _bar(item: ChangeReport, when: Window, number: int) -> str:
    concerned = item.share is not None and item.share.causes
    kind = "" if not concerned else "crit, " if item.change.refusals else "active, "
    start, end = (_at(at) for at in (when.start, when.end))
    sign = "▶" if concerned else "·"
    return f"{sign} {_label(item.change.key.name)} :{kind}p{number}, {start}, {end}"


def _at(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _label(text: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in text)
    return kept[:_LABEL] or "_"
