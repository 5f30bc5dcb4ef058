"""``planops apply``: make the calls that diff shows, after somebody has agreed to them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from planops import reconcile
from planops.cli import options
from planops.cli.diff import not_called
from planops.cli.output import Output
from planops.cli.session import Asked, Running, Session, failed, open_session, running
from planops.core.changes import Change, ChangeSet, fingerprint
from planops.core.lifecycle import Refusal
from planops.core.report import ExitCode, Outcome, Report, TargetReport, exit_code, has_changes
from planops.errors import PlanopsError, Stale, UsageWrong
from planops.run import Run, Sight, Target


@click.command()
@options.paths
@options.selection
@options.comparison
@click.option(
    "-y",
    "--yes",
    is_flag=True,
    envvar="PLANOPS_YES",
    help="Do not ask; apply whatever diff shows now.",
)
@click.option(
    "--expect",
    "expected",
    multiple=True,
    envvar="PLANOPS_EXPECT",
    metavar="FINGERPRINT",
    help="Apply only the change of this fingerprint, as diff shows it; may be repeated.",
)
@options.output
def command(*, yes: bool, expected: tuple[str, ...], **given: Any) -> int:
    r"""Make the calls that diff shows: one at a time, looking again before and after each.

    On a terminal the difference is shown first, and you are asked. Elsewhere say --yes, or name
    the fingerprints of the changes that were approved with --expect.

    \b
    Examples:
      planops apply
      planops apply --yes --format markdown=report.md
      planops apply --expect 3f2a9c0d11e4b875
      planops apply --yes --allow reopen=2
    """
    asks = not yes and not expected
    if asks and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageWrong(
            "apply: nobody can be asked here: this is no terminal; say --yes, or --expect with the"
            " fingerprints that diff shows"
        )
    session, output = open_session(Asked.of(given)), Output.of(given)
    with running(session) as at:
        found = [_look(session, at, name, expected) for name in session.names()]
        if asks and not _agreed(session, found, output):
            click.echo("planops: nothing was applied", err=True)
            return ExitCode.OK
        report = session.report("apply", [_carry_out(session, each) for each in found])
    output.write(report)
    _check_expected(report, found, expected)
    if at.stop.is_set():
        return ExitCode.INTERRUPTED if exit_code(report) is ExitCode.OK else exit_code(report)
    return exit_code(report)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was found at one target: a set that can be applied, or a report that says why not."""

    name: str
    report: TargetReport
    target: Target | None = None
    run: Run | None = None
    sight: Sight | None = None
    changes: ChangeSet | None = None


def _look(session: Session, at: Running, name: str, expected: Sequence[str]) -> _Found:
    if session.broken(name):
        return _Found(name=name, report=not_called(session, name))
    try:
        run, target = at.run(), at.target(name)
        sight = reconcile.observe(target, session.plans(name), run)
        changes = reconcile.diff(target, sight, run)
    except PlanopsError as error:
        return _Found(name=name, report=failed(name, session, error))
    if expected:
        changes = replace(
            changes,
            changes=tuple(_only_expected(target, c, expected) for c in changes.changes),
        )
    report = reconcile.show(target, sight, changes, run)
    return _Found(name=name, report=report, target=target, run=run, sight=sight, changes=changes)


def _only_expected(target: Target, change: Change, expected: Sequence[str]) -> Change:
    """Refuse a change that nobody approved."""
    mark = fingerprint(target.url, change)
    if not change.acts or mark in expected:
        return change
    message = f"its fingerprint {mark} is not among those that were approved"
    refusal = Refusal(guard="expect", message=message, lift=f"--expect {mark}")
    return replace(change, refusals=(*change.refusals, refusal))


def _agreed(session: Session, found: Sequence[_Found], output: Output) -> bool:
    """Show what would be done, and ask; where there is nothing to do, ask nothing."""
    report = session.report("diff", [each.report for each in found])
    if not has_changes(report):
        return True
    replace(output, sinks=(("text", ""),)).write(report)
    return click.confirm("Apply these changes?", default=False)


def _carry_out(session: Session, found: _Found) -> TargetReport:
    target, run, sight, changes = found.target, found.run, found.sight, found.changes
    if target is None or run is None or sight is None or changes is None:
        return found.report
    try:
        return reconcile.apply(target, sight, changes, run)
    except PlanopsError as error:
        return failed(found.name, session, error)


def _check_expected(report: Report, found: Sequence[_Found], expected: Sequence[str]) -> None:
    """An approved change that is not there any more is stale. Raises ``Stale``."""
    there = {item.fingerprint for each in found for item in each.report.changes}
    missing = [mark for mark in expected if mark not in there]
    unchanged = all(item.outcome is not Outcome.FAILED for item in report.changes)
    if missing and unchanged:
        raise Stale(
            f"apply: {len(missing)} approved changes are no longer what was shown:"
            f" {', '.join(missing)}; run diff and approve again"
        )
