"""``planops adopt``: take plans over that are on a server already. No call writes to the server."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from planops.cli import options
from planops.cli.diff import INTERRUPTED, not_called
from planops.cli.group import bug, say
from planops.cli.interrupts import Interrupted
from planops.cli.output import Output, write_out
from planops.cli.session import (
    Asked,
    Running,
    Session,
    failed,
    open_session,
    running,
)
from planops.cli.telling import end_of_progress, is_terminal
from planops.core.report import ExitCode, Outcome, Report, TargetReport, exit_code
from planops.errors import PlanopsError, UsageWrong
from planops.render.escape import terminal
from planops.run import Progress, Run, Target

if TYPE_CHECKING:
    from planops.adoptees import Survey, Wanted
    from planops.adoption import Adoptee, Plot

_UNKNOWN = "adopted, but what the next diff says is not known"


@click.command()
@click.argument("words", nargs=-1, metavar="[KEY | [KEY=]PLAN]...")
@options.option(
    "--all",
    "everything",
    is_flag=True,
    envvar="PLANOPS_ALL",
    help="Every plan on the server that no file owns; finished ones are left out.",
)
@options.option(
    "--finished",
    is_flag=True,
    envvar="PLANOPS_FINISHED",
    help="With --all: finished plans too (success, cancelled, archived).",
)
@options.option(
    "--into",
    envvar="PLANOPS_INTO",
    metavar="FOLDER",
    help="Write new files here; by default where the first glob of the settings begins.",
)
@options.settings
@options.by_name
@options.option(
    "-y",
    "--yes",
    is_flag=True,
    envvar="PLANOPS_YES",
    help="Do not ask before files and ledger are written.",
)
@options.lock_timeout
@options.output
def command(*, words: tuple[str, ...], everything: bool, yes: bool, **given: Any) -> int:
    """Take over plans that are on a server already: a file for each, and a record of whose it is.

    KEY is the key of a file that is there, PLAN the id or the name of a plan on the server, for
    which a file is written. Nothing is written to the server. A file is written only where the next
    diff is proven to be empty; what no file can say is refused, with what to write by hand.

    \b
    Examples:
      planops adopt --all
      planops adopt checkout-2026-12
      planops adopt "Checkout 2026.12" --into plans/payments
      planops adopt checkout=64f1a00000000000000000b1 --yes
    """  # noqa: D301  click reads the backspace, and never shows it
    if bool(words) == everything or (given["finished"] and not everything):
        raise UsageWrong("adopt: name the plans, or say --all; --finished goes with --all")
    if not yes and not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise UsageWrong("adopt: nobody can be asked here: this is no terminal; say --yes")
    session, output = open_session(Asked.of({**given, "labels": ()})), Output.of(given)
    with running(session) as at:
        found = _looked(session, at, words, given)
        early = at.interrupts.code
        if not yes and (declined := _declined(session, at, found, output)) is not None:
            return declined
        with at.interrupts.calmly():  # the report of what was written belongs to it
            report = _report(session, [_carry_out(session, at, each) for each in found])
            end_of_progress(quiet=session.asked.quiet)
            code = exit_code(report)
            if early is not None or code is ExitCode.OK:
                code = at.interrupts.code or code
            return output.write(replace(report, ended=code), at.secrets)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was found at one target: plans that can be adopted, or a report that says why not."""

    name: str
    report: TargetReport
    survey: Survey | None = None
    run: Run | None = None
    adoptees: Sequence[Adoptee] = ()


def _report(session: Session, targets: Sequence[TargetReport]) -> Report:
    """Assemble the report; that there are no files yet is why somebody adopts plans."""
    report = session.report("adopt", targets)
    told = tuple(problem for problem in report.problems if problem.code != "no-files")
    return replace(report, problems=told)


def _looked(
    session: Session, at: Running, words: Sequence[str], given: dict[str, Any]
) -> list[_Found]:
    """Look at every target, then at what the words mean; whoever cannot be read stops no other."""
    if session.config is None:
        return []
    from planops.adoptees import chosen, unowned
    from planops.adoption import Plot
    from planops.manifests import planting

    below = planting.folder(session.config, session.asked.chdir, given["into"])
    plot = Plot(config=session.config, below=below)
    first = [_surveyed(session, at, name) for name in session.names()]
    surveys = [each.survey for each in first if each.survey is not None]
    if words:
        wanted = chosen(words, surveys) if surveys else {}
    else:
        wanted = {of.target.name: list(unowned(of)) for of in surveys}
    return [
        _proven(session, each, wanted[each.name], plot, finished=bool(words) or given["finished"])
        if each.survey is not None
        else each
        for each in first
    ]


def _surveyed(session: Session, at: Running, name: str) -> _Found:
    if session.broken(name):
        return _Found(name=name, report=not_called(session, name))
    from planops.adoptees import survey
    from planops.adopting import shown
    from planops.adoption import possible

    try:
        run, target = at.run(name), at.target(name)
        possible(target)
        run.progress(Progress(target=name, what=f"reading {target.url}"))
        of = survey(target, session.plans(name))
    except Exception as error:  # noqa: BLE001  the other targets' report must not be lost
        return _Found(name=name, report=failed(name, session, error))
    except Interrupted:
        return _Found(name=name, report=failed(name, session, INTERRUPTED))
    return _Found(name=name, report=shown(of, (), run), survey=of, run=run)


def _proven(
    session: Session, found: _Found, wanted: Sequence[Wanted], plot: Plot, *, finished: bool
) -> _Found:
    """Draft and prove the files of one target."""
    from planops.adopting import shown
    from planops.adoption import looked

    if found.survey is None or found.run is None:
        return found
    try:
        adoptees, over = looked(found.survey, wanted, plot, found.run, finished=finished)
    except Exception as error:  # noqa: BLE001  the other targets' report must not be lost
        return _Found(name=found.name, report=failed(found.name, session, error))
    except Interrupted:
        return _Found(name=found.name, report=failed(found.name, session, INTERRUPTED))
    report = shown(found.survey, adoptees, found.run)
    if over:
        plans = "finished plan is" if over == 1 else "finished plans are"
        report = replace(report, notices=(f"{over} {plans} left out; --finished adopts them too",))
    return replace(found, report=report, adoptees=tuple(adoptees))


def _declined(
    session: Session, at: Running, found: Sequence[_Found], output: Output
) -> ExitCode | None:
    """Show what would be written, and ask; where nothing would be, ask nothing.

    Gives the code to end with where nobody agrees, ``None`` where it may be written.
    """
    pending = [one for each in found for one in each.adoptees if one.outcome is Outcome.PENDING]
    if at.interrupts.code is None and not pending:
        return None
    report = _report(session, [each.report for each in found])
    end_of_progress(quiet=session.asked.quiet)
    shown = replace(output, sinks=(("text", ""),)).put(report, at.secrets)
    if shown is not ExitCode.OK:
        say("nothing was written: it could not be shown")
        return shown
    for one in pending:
        lines = "".join(f"  {terminal(line)}\n" for line in one.text.splitlines())
        write_out(f"\n{terminal(one.file)}:\n{lines}" if one.text else "")
    agreed = False
    try:
        agreed = at.interrupts.code is None and click.confirm("Write this?")
    except click.Abort:  # also the end of the input
        at.interrupts.code = at.interrupts.code or ExitCode.INTERRUPTED
        click.echo(err=True)
    if agreed:
        return None
    say("nothing was written")
    ended = at.interrupts.code or exit_code(report)
    return output.write_others(replace(report, ended=ended), at.secrets)


def _carry_out(session: Session, at: Running, found: _Found) -> TargetReport:
    """Write one target's files and records, then look at them as the next diff will."""
    from planops.adopting import taken_over, verified

    of, run = found.survey, found.run
    if of is None or run is None or session.config is None or at.interrupts.stop.is_set():
        return found.report
    report = taken_over(of, found.adoptees, run, session.config.root)
    report = replace(report, notices=(*found.report.notices, *report.notices))
    if report.error:
        return report
    try:
        return verified(of.target, _again(session, of.target), found.adoptees, report, run)
    except PlanopsError as error:
        return replace(report, error=f"{_UNKNOWN}: {error}")
    except Exception as error:  # noqa: BLE001  what was written must be told
        bug(error, found.name)
        why = f"{_UNKNOWN}: bug in planops: {type(error).__name__}"
        return replace(report, error=why, code=ExitCode.BUG)


def _again(session: Session, target: Target) -> Sequence[Any]:
    """Read the files anew, those that were written among them."""
    return open_session(replace(session.asked, quiet=True)).plans(target.name)
