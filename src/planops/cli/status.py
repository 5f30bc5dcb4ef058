"""``planops status``: where every plan is, where it should be, and who is next."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click

from planops.cli import options
from planops.cli.diff import compared
from planops.cli.interrupts import Interrupted
from planops.cli.output import Output, write_out
from planops.cli.session import Asked, Session, open_session, running
from planops.core.lifecycle import Standing
from planops.core.model import Touch, Witness
from planops.core.report import ChangeReport, ExitCode, Report, TargetReport, exit_code
from planops.errors import UsageWrong
from planops.render.wording import plural

POLL = 10
_DONE = {Standing.REACHED, Standing.AHEAD, Standing.UNMANAGED}
_STUCK = {Standing.STOPPED, Standing.BLOCKED, Standing.UNKNOWN}


@click.command()
@click.argument("key", required=False)
@options.selection
@options.comparison
@options.full
@options.option(
    "--wait",
    type=options.Duration(),
    envvar="PLANOPS_WAIT",
    help="Look again until every goal is reached, at most this long (90s, 30m, 2h).",
)
@options.output
def command(*, key: str | None, wait: int | None, **given: Any) -> int:
    """Say of each plan: its goal, its state, who is next, and since when. Changes nothing.

    KEY is a plan's metadata.name; without it all plans are shown. With --wait the exit code is 0
    once every goal is reached, and 1 if somebody stopped a plan or the time is up.

    \b
    Examples:
      planops status
      planops status checkout-2026-12 --wait 30m
      planops status --format json
    """  # noqa: D301  click reads the backspace, and never shows it
    session, output = open_session(Asked.of({**given, "quiet": True})), Output.of(given)
    if key is not None and not session.problems and key not in _keys(session):
        raise UsageWrong(f"status: no file declares a plan {key!r}; see planops status")
    with running(session) as at:
        until, known = time.monotonic() + (wait or 0), set[str]()
        while True:
            whose = bool(output.sinks)  # the table does not say, and is drawn from many looks
            found = [compared(session, at, name, whose=whose) for name in session.names()]
            reports = [_only(each, key) for each in found]
            standings, blind = _standings(reports, known)
            left = until - time.monotonic()
            over = left <= 0 or at.interrupts.stop.is_set()
            if over or standings & _STUCK or (standings <= _DONE and not blind):
                break
            try:
                at.interrupts.stop.wait(min(_pause(wait), left))
            except Interrupted:
                break
    report = session.report("status", reports)
    reached = wait is None or standings <= _DONE
    late = exit_code(report) or (ExitCode.OK if reached else ExitCode.FAILED)
    report = replace(report, ended=at.interrupts.code or late)
    if output.sinks:
        return output.write(report, at.secrets)
    write_out("".join(f"{line}\n" for line in _lines(session, report)))
    return exit_code(report)


def _standings(reports: Sequence[TargetReport], known: set[str]) -> tuple[set[Standing], bool]:
    """Say where the plans stand, and whether something cannot be read now that could be before.

    That is no reason to wait no longer: a server may be away for a while. ``known`` are the targets
    and plans that could be read in this run.
    """
    items = [item for report in reports for item in report.changes]
    lost = {str(item.change.key) for item in items if item.error}
    lost |= {report.name for report in reports if report.error}
    gone = lost & known
    known |= {report.name for report in reports} | {str(item.change.key) for item in items}
    known -= lost - gone
    seen = {i.change.route.standing for i in items if str(i.change.key) not in gone}
    return seen, bool(gone)


def _pause(wait: int | None) -> float:
    """Give the seconds from one look to the next: who waits a short time looks more often."""
    return min(POLL, max(1.0, (wait or 0) / 20))


def _keys(session: Session) -> list[str]:
    return [plan.key.name for name in session.names() for plan in session.plans(name)]


def _only(report: TargetReport, key: str | None) -> TargetReport:
    if key is None:
        return report
    return replace(report, changes=tuple(c for c in report.changes if c.change.key.name == key))


def _lines(session: Session, report: Report) -> Iterator[str]:
    """Lay the plans out as a table, then what went wrong."""
    from planops.render.escape import terminal

    rows: list[tuple[str, ...]] = [("PLAN", "STATE", "GOAL", "NEXT", "SINCE")]
    rows += [tuple(map(terminal, _row(item))) for item in report.changes]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  ".join(cell.ljust(width) for cell, width in cells).rstrip()
    for item in report.changes:
        if item.error:
            yield f"{item.change.key}: error: {terminal(item.error)}"
    for target in report.targets:
        if target.error:
            yield f"{target.name}: error: {terminal(target.error)}"
    for problem in session.problems:
        yield f"{problem.mark or 'files'}: {problem.severity.value}: {terminal(problem.message)}"


def _row(item: ChangeReport) -> tuple[str, str, str, str, str]:
    change = item.change
    live = change.live
    since = change.touch.at if change.touch else live.updated_at if live else 0
    at = datetime.fromtimestamp(since, UTC) if live else None
    return (
        str(change.key),
        live.state if live else "(not known)" if _unseen(item) else "(not there)",
        change.plan.state or "(not managed)",
        _next(item),
        at.strftime("%Y-%m-%d %H:%M:%SZ") if at else "",
    )


def _by(told: Touch | None) -> str:
    """Name who stopped a plan; whoever only wrote last need not have."""
    return f" by {told.by}" if told and told.by and told.witness is not Witness.LAST_EDIT else ""


def _unseen(item: ChangeReport) -> bool:
    """Tell that nobody knows how the plan is, or which one it is."""
    found = item.change.route
    undecided = found.standing is Standing.BLOCKED and not found.ends
    return bool(item.error) or undecided


def _next(item: ChangeReport) -> str:
    change = item.change
    if item.error:
        return "failed, see below"
    if change.refusals:
        return "refused: " + ", ".join(sorted({refusal.guard for refusal in change.refusals}))
    if change.acts:
        return f"planops: {plural(len(change.steps), 'call')}"
    if change.route.standing in _STUCK:
        return f"a person: {change.route.standing.value}{_by(change.touch)}"
    actor = change.route.next_actor
    return actor.value if actor else "nobody"
