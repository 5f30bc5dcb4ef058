"""One plan of a review in Markdown: a row of the table, and a fold with everything about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planops.core.changes import Cause, Change, Delta
from planops.core.report import ChangeReport
from planops.render import attribution, merging, shares, wording
from planops.render.escape import code, cut
from planops.render.markdown_change import (
    calls,
    deltas,
    differences,
    listed,
    notices,
    refusal_item,
    sentence,
)
from planops.render.room import join
from planops.render.values import Look
from planops.render.windows import window

_KEY: Final = 120
_NAME: Final = 80
_FILE: Final = 200


def key(item: ChangeReport) -> str:
    """Name a plan as code."""
    return code(cut(str(item.change.key), _KEY))


def place(item: ChangeReport) -> str:
    """Say where a plan is declared, as code."""
    return code(cut(wording.place(item.change), _FILE))


def row(item: ChangeReport, look: Look) -> str:
    """Lay out a plan as a row: action, what changes, when, risk."""
    change = item.change
    name = sentence(cut(wording.display_name(change), _NAME))
    when = window(change)
    sign, word = merging.rating(item, offline=look.offline)
    words = "; ".join(shares.risks(item))
    cells = [
        f"**{key(item)}**<br>{name}",
        sentence(shares.action(item)),
        sentence(shares.what(item, look)),
        code(str(when)) if when else "",
        f"{sign} {sentence(words or word)}",
    ]
    return f"| {' | '.join(cells)} |"


def is_open(item: ChangeReport) -> bool:
    """Tell that a plan must not be folded away."""
    alarm = item.share is not None and item.share.alarm
    wrong = item.change.refusals or item.change.error or item.error
    return bool(alarm or wrong or shares.takes_back(item.change))


def fold(item: ChangeReport, look: Look) -> str:
    """Lay out everything about a plan that a pull request concerns."""
    change = item.change
    opened = " open" if is_open(item) else ""
    sign, _ = merging.rating(item, offline=look.offline)
    head = f"{sign} {key(item)} {sentence(shares.action(item))} {place(item)}"
    parts = [
        f"<details{opened}><summary>{head}</summary>",
        f"**Error:** {sentence(item.error or change.error)}" if item.error or change.error else "",
        listed(shares.kept(item)),
        *_fields(item, look),
        *differences(change),
        listed(attribution.who(change)),
        way(change),
        _approvers(change),
        listed(_concerns(item)),
        "\n".join(refusal_item(refusal) for refusal in change.refusals),
        *calls(item),
        notices(item),
        "</details>",
    ]
    return join(parts)


def _concerns(item: ChangeReport) -> list[str]:
    """Say what is not said elsewhere in the fold: hazards stand on the way, where one is drawn."""
    hazards = [] if shares.drawn(item.change) else shares.hazards(item.change)
    return [*hazards, *shares.concerns(item)]


def _fields(item: ChangeReport, look: Look) -> list[str]:
    """Lay out the fields that the pull request causes, and apart from them the others."""
    shown = []
    for head, group in shares.groups(item):
        ours = item.share is not None and group[0].path in item.share.caused
        about, heading = (_where(item), "where") if ours else (_there(item), "why")
        shown.append(f"**{head[:1].upper()}{head[1:]}:**")
        shown.append(deltas(group, look, about, heading, _stays(item, look)))
    return shown


def _stays(item: ChangeReport, look: Look) -> Callable[[Delta], bool]:
    """Tell which fields merging leaves on the server as they are; between files none."""
    return lambda delta: not look.offline and wording.stays(item.change, delta)


def _where(item: ChangeReport) -> Callable[[Delta], str]:
    """Give a delta's line in the file; where it has none, the plan's."""

    def told(delta: Delta) -> str:
        at = f"{delta.mark.file}:{delta.mark.line}" if delta.mark else wording.place(item.change)
        why = "" if delta.cause is Cause.EDIT else f"<br>{sentence(wording.cause(delta))}"
        return f"{code(cut(at, _FILE))}{why}"

    return told


def _there(item: ChangeReport) -> Callable[[Delta], str]:
    return lambda delta: sentence(shares.there(item, delta))


def way(change: Change) -> str:
    """Draw a plan's way on one line, with what each move undoes or starts."""
    drawn = shares.drawn(change)
    if not drawn:
        return ""
    said: list[str] = []
    for hazard, state in drawn:
        arrow = f"—({sentence(hazard)})→ " if hazard else "→ " if said else ""
        said.append(f"{arrow}{code(state)}")
    ends = shares.ending(change)
    pause = "⏸ " if "⏸ " in ends else ""
    tail = f"{pause}{sentence(ends.replace('⏸ ', ''))}" if ends else ""
    return f"**Route:** {' '.join(said)}{f' — {tail}' if tail else ''}"


def _approvers(change: Change) -> str:
    people = shares.awaited(change)
    return f"**Approvers:** {sentence(people)}" if people else ""
