"""What a terminal shows of a review beside its plans: what is compared, warnings, the effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from planops.core.report import ChangeReport, Report, TargetReport
from planops.core.review import Review
from planops.render import merging, shares, wording
from planops.render.lines import Line, Style, line

OTHERS: Final = "Not caused by this pull request"


def head(report: Report, review: Review) -> Iterator[Line]:
    """Say what is compared, and what no reviewer may overlook."""
    yield line(merging.sources(review))
    if not review.clean:
        yield line((Style.WARN, "! "), f"{merging.CONFLICTS}.")
    for item in shares.caused(report):
        if item.share and item.share.alarm:
            yield line((Style.WARN, "! "), f"{item.change.key} {merging.ALARM}")
    yield from _list(merging.SETTINGS, review.settings, Style.WARN)
    removed = map(str, merging.removed(report, review))
    yield from _list(merging.dropped(review), [*removed], Style.HEAD)
    idle = [f"{wording.place(item.change)}  {item.change.key}" for item in shares.idle(report)]
    yield from _list(merging.IDLE, idle, Style.HEAD)
    yield line()


def _list(said: str, names: Sequence[str], style: Style) -> Iterator[Line]:
    if names:
        yield line((style, f"{said}:"))
        yield from (line("  ", name) for name in names)


def tally(target: TargetReport, review: Review) -> Line:
    """Count the plans of a target by what the pull request makes of them."""
    counts = wording.counted(target, "read", offline=review.offline)
    return line(f"  {counts}: ", merging.tally(target, review))


def parted(
    target: TargetReport, review: Review | None
) -> tuple[Sequence[ChangeReport], Sequence[ChangeReport]]:
    """Give the plans that the pull request concerns, the riskiest first, and the others."""
    if review is None:
        return target.changes, ()
    ours = shares.ranked(target.changes)
    return ours, [item for item in target.changes if not shares.causes(item)]


def closing_lines(report: Report, review: Review) -> Iterator[Line]:
    """Say how the review stands, what merging does, and what to do next."""
    style = Style.GOOD if merging.calm(report) else Style.HEAD
    said = merging.verdict(report, review)
    yield line((style, f"{said[:1].upper()}{said[1:]}."))
    yield from (line(f"{one}.") for one in merging.effect(report, review))
    if found := merging.earliest(report):
        item, when = found
        yield line(f"Earliest release window: {when} ({item.change.key}).")
    yield from (line("Next: ", one, ".") for one in merging.next_steps(report, review))
