"""``planops diff``: what would be done, call for call. Nothing is written anywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from planops import reconcile
from planops.cli import options
from planops.cli.interrupts import Interrupted
from planops.cli.output import Output
from planops.cli.session import Asked, Running, Session, failed, open_session, running
from planops.core.report import TargetReport
from planops.errors import PlanopsError

INTERRUPTED = PlanopsError("not compared: the run was interrupted before; run it again")


@click.command()
@options.paths
@options.selection
@options.comparison
@options.full
@options.output
@options.option(
    "--exit-code",
    "exit_on_changes",
    is_flag=True,
    envvar="PLANOPS_EXIT_CODE",
    help="Exit 2 where there are changes.",
)
def command(*, exit_on_changes: bool, **given: Any) -> int:
    """Show what apply would do: fields, route, side effects, and the exact calls.

    Nothing is written. A change that a guard refuses is shown in full, with what lifts the guard.

    \b
    Examples:
      planops diff
      planops diff --target zadig-prod -l team=payments
      planops diff --format text --format json=diff.json --exit-code
    """  # noqa: D301  click reads the backspace, and never shows it
    session = open_session(Asked.of(given))
    with running(session) as at:
        reports = [compared(session, at, name) for name in session.names()]
    report = session.report("diff", reports, exit_on_changes=exit_on_changes)
    return Output.of(given).write(replace(report, ended=at.interrupts.code), at.secrets)


def compared(session: Session, at: Running, name: str, *, whose: bool = True) -> TargetReport:
    """Compare one target; what goes wrong there is in its report, not in the way of the others.

    ``whose``: git is asked who wrote what differs.
    """
    if session.broken(name):
        return not_called(session, name)
    if at.interrupts.stop.is_set():
        return failed(name, session, INTERRUPTED)
    try:
        run, target = at.run(name), at.target(name)
        run = run if whose else replace(run, blame=lambda _plan, _paths: {})
        sight = reconcile.observe(target, session.plans(name), run)
        return reconcile.show(target, sight, reconcile.diff(target, sight, run), run)
    except Exception as error:  # noqa: BLE001  the other targets' report must not be lost
        return failed(name, session, error)
    except Interrupted:
        return failed(name, session, INTERRUPTED)


def not_called(session: Session, name: str) -> TargetReport:
    """Report a target that was not called, since its files are wrong."""
    settings = session.config.targets[name] if session.config else None
    return TargetReport(
        name=name,
        backend=settings.backend if settings else "",
        url=settings.url if settings else "",
        asked=False,
        managed=len(session.plans(name)),
        notices=("not called, since files of it are wrong",),
    )
