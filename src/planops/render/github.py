"""The report as commands to GitHub's runner, which makes annotations of them: one command a line.

GitHub shows ten annotations a step of each level and fifty a job, and cuts a message at 4096
characters (``ExecutionContext`` of actions/runner). So a level that has more is merged by file, the
first ones last, and what is left out even so is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from planops.core.report import Report
from planops.render.escape import command_data, command_property, cut, visible
from planops.render.remarks import Level, Remark, remarks
from planops.render.wording import plural

MOST: Final = 10
"""Annotations of one level in one step."""
LONGEST: Final = 4000
"""Characters of a message, as GitHub counts them, with room for what it adds."""

_SENTENCE: Final = 1000
_MERGED: Final = 300
_TITLE: Final = 120
_ROOM: Final = 30  # what the count of what is left out takes


def text(report: Report) -> str:
    """Render a report; nothing to say is no line at all."""
    found = remarks(report)
    lines = [line for level in Level for line in _level([r for r in found if r.level is level])]
    return "".join(f"{line}\n" for line in lines)


def _level(found: Sequence[Remark]) -> Iterable[str]:
    """Give the commands of one level: single ones as far as they go, then one a file."""
    single = _singles(found)
    for one in found[:single]:
        yield _single(one)
    groups = _by_file(found[single:])
    room = MOST - single
    for group in groups if len(groups) <= room else groups[: room - 1]:
        yield _merged(group, f"in {group[0].file}" if group[0].file else "without a file")
    if len(groups) > room:
        rest = [one for group in groups[room - 1 :] for one in group]
        yield _merged(rest, f"in {plural(len(groups) - room + 1, 'file')}")


def _singles(found: Sequence[Remark]) -> int:
    """Count the remarks that can stand alone, so that the others still fit merged by file."""
    if len(found) <= MOST:
        return len(found)
    counts = range(MOST - 1, 0, -1)
    return next((n for n in counts if n + len({one.file for one in found[n:]}) <= MOST), 0)


def _by_file(found: Iterable[Remark]) -> list[list[Remark]]:
    groups: dict[str, list[Remark]] = {}
    for one in found:
        groups.setdefault(one.file, []).append(one)
    return list(groups.values())


def _single(one: Remark) -> str:
    return _command(one, one.title, [_short(one.text, _SENTENCE)])


def _merged(found: Sequence[Remark], where: str) -> str:
    """Say several remarks in one, at the place of the first; what does not fit is counted."""
    if len(found) == 1:
        return _single(found[0])
    several = len({one.file for one in found}) > 1
    lines = [_entry(one, whose=several) for one in found]
    room, kept = LONGEST - _ROOM, 0
    while kept < len(lines) and (room := room - _length(lines[kept]) - 1) >= 0:
        kept += 1
    left = [f"+{len(lines) - kept} more: see the whole report"] if kept < len(lines) else []
    title = f"+{plural(len(found), f'more {found[0].level.value}')} {where}"
    return _command(found[0], title, [*lines[:kept], *left])


def _entry(one: Remark, *, whose: bool) -> str:
    file = f"{one.file}:" if whose and one.file else ""
    line = f"{'' if file else 'line '}{one.line}: " if one.line else " " * bool(file)
    return f"{file}{line}{_short(one.title, _TITLE)}: {_short(one.text, _MERGED)}"


def _short(text: str, limit: int) -> str:
    """Cut a text by what is seen of it, which may be longer than the text."""
    return cut(visible(text), limit)


def _length(line: str) -> int:
    """Count the characters of a line as .NET does, once it is visible."""
    return len(visible(line).encode("utf-16-le")) // 2


def _command(at: Remark, title: str, lines: Sequence[str]) -> str:
    place = {"file": at.file}
    if at.file and at.line > 0:
        place |= {"line": str(at.line)} | ({"col": str(at.column)} if at.column > 0 else {})
    named = {**place, "title": _short(title, _TITLE)}
    said = ",".join(f"{name}={command_property(of)}" for name, of in named.items() if of)
    return f"::{at.level.value} {said}::{command_data(*lines)}"
