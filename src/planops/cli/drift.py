"""``planops drift``: what somebody changed on the servers, apart from what git wants to change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from planops.cli import options
from planops.cli.diff import compared
from planops.cli.output import Output
from planops.cli.session import Asked, Running, Session, failed, open_session, running
from planops.core.changes import Cause
from planops.core.lifecycle import Standing
from planops.core.report import ChangeReport, ExitCode, TargetReport, exit_code
from planops.errors import SettingsWrong, UsageWrong

UNKNOWN = SettingsWrong(
    "it keeps no ledger, so nobody knows what was applied; set ledger: {mode: git} in planops.yaml"
)

_NOT_AS_RECORDED = frozenset({"ledger", "recreate"})
"""The guards that say that a plan is gone, or not the one that was recorded."""


@click.command()
@options.paths
@options.selection
@options.full
@options.publish
@options.output
def command(*, publish: bool, **given: Any) -> int:
    """Show what was changed on the servers since planops last applied it. Writes nothing.

    Only plans with such a change, or with one that git and the server both made, are shown, and
    plans that somebody stopped, put back or deleted, and those that cannot be compared, since their
    record is damaged or does not fit them. What git wants and has not got yet is no drift. Exits
    2 where there is drift; needs a ledger, since without one nobody knows what was applied.

    \b
    Examples:
      planops drift
      planops drift --target zadig-prod --format json=drift.json
    """  # noqa: D301  click reads the backspace, and never shows it
    if publish and (given["paths"] or given["labels"]):
        raise UsageWrong(
            "--publish: only some of the plans are looked at, so that nobody knows whether the rest"
            " is as it was applied; leave out the paths and labels"
        )
    publisher = None
    if publish:
        from planops.cli.publish import Publisher

        publisher = Publisher.here(given["sinks"], given["targets"])
    session = open_session(Asked.of(given))
    with running(session) as at:
        reports = [_looked(session, at, name) for name in session.names()]
    report = session.report("drift", reports)
    code = at.interrupts.code or exit_code(report)
    if code is ExitCode.OK and any(target.changes for target in reports):
        code = ExitCode.CHANGES
    report = replace(report, ended=code)
    written = Output.of(given).write(report, at.secrets)
    if publisher is not None:
        replace(publisher, secrets=at.secrets).drift(report)
    return written


def _looked(session: Session, at: Running, name: str) -> TargetReport:
    """Compare one target, where it is recorded what was applied."""
    settings = session.config.targets[name] if session.config else None
    if settings is not None and settings.ledger.mode == "none":
        return failed(name, session, UNKNOWN)
    return _drifted(compared(session, at, name))


def _drifted(target: TargetReport) -> TargetReport:
    shown = tuple(item for item in target.changes if _is_drift(item))
    return replace(target, changes=shown)


def _is_drift(item: ChangeReport) -> bool:
    """Tell of what somebody changed, and of what cannot be held against what is recorded of it."""
    if any(refusal.guard in _NOT_AS_RECORDED for refusal in item.change.refusals):
        return True
    causes = {delta.cause for delta in item.change.deltas}
    stopped = item.change.route.standing is Standing.STOPPED
    return stopped or bool(causes & {Cause.DRIFT, Cause.CONFLICT}) or bool(item.error)
