"""Whether a plan on the server is the one that a record or an intent speaks of.

Whoever may push the ledger may write anything into it. What it says of a plan is therefore believed
only as far as the plan itself, or git, bears it out: a plan of another name and other content is
nobody's to write to, whatever id a record holds.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from planops.core.changes import Cause
from planops.core.compare import compare
from planops.core.ledger import Record
from planops.core.lifecycle import Lifecycle
from planops.core.model import ABSENT, JSON, Live, Value, escape, is_unset
from planops.core.shape import Shape

_TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>")

ALIKE = 2
"""How many set fields, the name apart, must be as recorded for a plan to be known without it."""


def bears_out(shape: Shape, record: Record, live: Live, ignore: Sequence[str] = ()) -> bool:
    """Tell whether a plan is as its record says: by its name, or, renamed, by everything else.

    What the file ignores is the server's, and tells nothing.
    """
    if live.name.strip() == record.name.strip():
        return True
    no_evidence = {"/spec/name", *ignore}
    kept = {
        name: value
        for name, value in record.echo.items()
        if f"/spec/{escape(name)}" not in no_evidence
    }
    if sum(not is_unset(value) for value in kept.values()) < ALIKE:
        return False
    return not compare(
        shape,
        base=ABSENT,
        desired=kept,
        live=dict(live.spec),
        ignore=ignore,
        unseen=live.unseen,
    )


def unexplained(
    shape: Shape, made: dict[str, JSON], live: Live, implied: AbstractSet[str]
) -> tuple[str, ...]:
    """Name what a plan holds that one just made would not; what it lacks yet is no matter.

    Nor is markup: a server may keep a text as HTML, or take the HTML out of one.

    ``made`` is the spec that it was made with, whole; ``implied`` are fields that follow from
    others.
    """
    deltas = compare(shape, base=ABSENT, desired=made, live=dict(live.spec), unseen=live.unseen)
    return tuple(
        delta.path
        for delta in deltas
        if delta.cause is not Cause.UNKNOWN
        and not is_unset(delta.live)
        and not _reads_the_same(delta.desired, delta.live)
        and (delta.path.split("/")[2] not in implied or not is_unset(delta.desired))
    )


def led_back(table: Lifecycle, goal: str | None, state: str | None) -> str | None:
    """Give the state that a change cut short was to lead back to, where it can be believed.

    Either a write throws plans back from it by itself, or the file's own goal is there or beyond.
    """
    if state is None or state not in table.path:
        return None
    rule = table.edits.get(state)
    if rule is not None and rule.lead_back:
        return state
    within = goal in table.path and table.path.index(state) <= table.path.index(goal)
    return state if within else None


def _reads_the_same(one: Value, other: Value) -> bool:
    """Tell whether two texts differ in nothing but markup and blanks."""
    return isinstance(one, str) and isinstance(other, str) and _words(one) == _words(other)


def _words(text: str) -> str:
    return "".join(html.unescape(_TAG.sub("", text)).split())
