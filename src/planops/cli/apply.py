"""``planops apply``: make the calls that diff shows, after somebody has agreed to them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from planops import reconcile
from planops.cli import options
from planops.cli.diff import INTERRUPTED, not_called
from planops.cli.group import say
from planops.cli.interrupts import Interrupted
from planops.cli.output import Output
from planops.cli.session import (
    Asked,
    Running,
    Session,
    failed,
    open_session,
    running,
)
from planops.cli.telling import end_of_progress, is_terminal
from planops.core.changes import Change, ChangeSet, fingerprint
from planops.core.lifecycle import Refusal
from planops.core.report import ExitCode, TargetReport, exit_code, has_changes
from planops.errors import UsageWrong
from planops.run import Run, Sight, Target

if TYPE_CHECKING:
    from planops.cli.publish import Publisher


@click.command()
@options.paths
@options.selection
@options.comparison
@options.full
@options.option(
    "-y",
    "--yes",
    is_flag=True,
    envvar="PLANOPS_YES",
    help="Do not ask; apply whatever diff shows now.",
)
@options.option(
    "--expect",
    "expected",
    multiple=True,
    envvar="PLANOPS_EXPECT",
    metavar="FINGERPRINT",
    help="Apply only the change of this fingerprint, as diff shows it; may be repeated.",
)
@options.lock_timeout
@options.publish
@options.output
def command(*, yes: bool, expected: tuple[str, ...], publish: bool, **given: Any) -> int:
    """Make the calls that diff shows: one at a time, looking again before and after each.

    On a terminal the difference is shown first, and you are asked. Elsewhere say --yes, or name
    the fingerprints of the changes that were approved with --expect.

    \b
    Examples:
      planops apply
      planops apply --yes --format markdown=report.md
      planops apply --expect 3f2a9c0d11e4b875
      planops apply --yes --allow reopen=2
    """  # noqa: D301  click reads the backspace, and never shows it
    asks = not yes and not expected
    if asks and not can_ask():
        raise UsageWrong(
            "apply: nobody can be asked here: this is no terminal; say --yes, or --expect with the"
            " fingerprints that diff shows"
        )
    publisher = None
    if publish:
        from planops.cli.publish import Publisher

        publisher = Publisher.here(given["sinks"], given["targets"])
    session, output = open_session(Asked.of(given)), Output.of(given)
    return make(session, session.names(), output, asks=asks, expected=expected, publisher=publisher)


def can_ask() -> bool:
    """Tell whether a person is there to agree."""
    return is_terminal(sys.stdin) and is_terminal(sys.stdout)


def make(
    session: Session,
    names: Sequence[str],
    output: Output,
    *,
    asks: bool,
    expected: Sequence[str] = (),
    open_only: bool = False,
    publisher: Publisher | None = None,
) -> int:
    """Show, ask, and make the changes of these targets; give the exit code.

    ``open_only``: only what an earlier run began and left open. ``publisher`` tells the forge what
    came of it.
    """
    with running(session) as at:
        found = [_look(session, at, name, expected, open_only=open_only) for name in names]
        early = at.interrupts.code
        if asks and (declined := _declined(session, at, found, output)) is not None:
            return declined
        with at.interrupts.calmly():  # the report of what was written belongs to it
            made = [_carry_out(session, each) for each in found]
            if open_only:
                made = [_nothing_open(*each) for each in zip(found, made, strict=True)]
            report = session.report("apply", made)
            end_of_progress(quiet=session.asked.quiet)
            code = exit_code(report)
            outdated = _outdated(session.asked, found, expected)
            if outdated and code in {ExitCode.OK, ExitCode.REFUSED}:
                code = ExitCode.STALE
            if early is not None or code is ExitCode.OK:
                code = at.interrupts.code or code
            code = output.write(replace(report, ended=code), at.secrets)
            if publisher is not None:
                replace(publisher, secrets=at.secrets).outcome(replace(report, ended=code))
    return at.interrupts.code or code if code is ExitCode.OK else code


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was found at one target: a set that can be applied, or a report that says why not."""

    name: str
    report: TargetReport
    target: Target | None = None
    run: Run | None = None
    sight: Sight | None = None
    changes: ChangeSet | None = None


def _look(
    session: Session, at: Running, name: str, expected: Sequence[str], *, open_only: bool
) -> _Found:
    if session.broken(name):
        return _Found(name=name, report=not_called(session, name))
    if at.interrupts.stop.is_set():
        return _Found(name=name, report=failed(name, session, INTERRUPTED))
    try:
        run, target = at.run(name), at.target(name)
        sight = reconcile.observe(target, session.plans(name), run)
        changes = reconcile.diff(target, sight, run)
        if open_only:
            changes = reconcile.only_begun(sight, changes)
        if expected:
            approved = (_only_expected(target, c, expected) for c in changes.changes)
            changes = replace(changes, changes=tuple(approved))
        report = reconcile.show(target, sight, changes, run)
    except Exception as error:  # noqa: BLE001  the other targets' report must not be lost
        return _Found(name=name, report=failed(name, session, error))
    except Interrupted:
        return _Found(name=name, report=failed(name, session, INTERRUPTED))
    return _Found(name=name, report=report, target=target, run=run, sight=sight, changes=changes)


def _only_expected(target: Target, change: Change, expected: Sequence[str]) -> Change:
    """Refuse a change that nobody approved."""
    mark = fingerprint(target.url, change)
    if not change.acts or mark in expected:
        return change
    message = f"its fingerprint {mark} is not among those that were approved"
    refusal = Refusal(guard="expect", message=message, lift=f"--expect {mark}")
    return replace(change, refusals=(*change.refusals, refusal))


def _declined(
    session: Session, at: Running, found: Sequence[_Found], output: Output
) -> ExitCode | None:
    """Show what would be done, and ask; where there is nothing to do, ask nothing.

    Gives the code to end with where nobody agrees, ``None`` where the calls may be made.
    """
    report = session.report("diff", [each.report for each in found])
    if at.interrupts.code is None and not has_changes(report):
        return None
    end_of_progress(quiet=session.asked.quiet)
    shown = replace(output, sinks=(("text", ""),)).put(report, at.secrets)
    if shown is not ExitCode.OK:
        say("nothing was applied: it could not be shown")
        return shown
    agreed = False
    try:
        agreed = at.interrupts.code is None and click.confirm("Apply these changes?")
    except click.Abort:  # also the end of the input
        at.interrupts.code = at.interrupts.code or ExitCode.INTERRUPTED
        click.echo(err=True)
    if agreed:
        return None
    say("nothing was applied")
    ended = at.interrupts.code or exit_code(report)
    return output.write_others(replace(report, ended=ended), at.secrets)


def _carry_out(session: Session, found: _Found) -> TargetReport:
    target, run, sight, changes = found.target, found.run, found.sight, found.changes
    if target is None or run is None or sight is None or changes is None:
        return found.report
    try:
        return reconcile.apply(target, sight, changes, run)
    except Exception as error:  # noqa: BLE001  the other targets' report must not be lost
        return failed(found.name, session, error)


def _nothing_open(found: _Found, report: TargetReport) -> TargetReport:
    """Say so where no earlier run left anything open."""
    book = found.sight.book if found.sight else None
    if book is None or book.intents:
        return report
    return replace(report, notices=(*report.notices, "nothing was left open"))


def _outdated(asked: Asked, found: Sequence[_Found], expected: Sequence[str]) -> bool:
    """Tell of approved changes that are not there any more, or that nobody could look for."""
    there = {item.fingerprint for each in found for item in each.report.changes}
    missing = [mark for mark in expected if mark not in there]
    blind = [each.name for each in found if each.changes is None]
    if missing and blind:
        say(
            f"apply: {', '.join(missing)}: no change that was compared has this fingerprint;"
            f" {' and '.join(blind)} could not be: mend that first, and run apply again"
        )
    elif missing:
        which = " is not selected," if asked.targets or asked.paths or asked.labels else ""
        say(
            f"apply: {', '.join(missing)}: no change has this fingerprint now; what was approved"
            f"{which} is done already or has moved: run diff and approve again"
        )
    return bool(missing)
