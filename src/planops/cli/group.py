"""The ``planops`` command: finds the subcommand, runs it, turns every ending into an exit code."""

from __future__ import annotations

import difflib
import importlib
import io
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress

import click

import planops
from planops.core.report import ExitCode
from planops.errors import (
    OutcomeUnknown,
    PlanopsError,
    Refused,
    Stale,
    UsageWrong,
)
from planops.render.escape import terminal

COMMANDS = {
    "init": "Write what a repository of plans starts with.",
    "validate": "Check the plan files; no server, no credentials.",
    "diff": "Show what would be done, call for call, and do nothing.",
    "review": "Show what merging a pull request does, and what is there already.",
    "apply": "Make the calls that diff shows.",
    "adopt": "Take over plans that are on a server already.",
    "status": "Say where every plan is, where it should be, and who is next.",
    "drift": "Show what somebody changed on the servers.",
    "log": "Show what was applied, when, by whom, from which commit.",
    "ledger": "See to the ledger by hand, after a run that died.",
    "lifecycle": "Show a server's states, and the route between two of them.",
    "schema": "Print a JSON Schema, for editors and other tools.",
    "sandbox": "Serve an emulated Zadig or BRPM, to try things on.",
    "demo": "Play the whole story on the sandbox, in a repository of its own.",
}
MEANT = {
    "import": "adopt",
    "plan": "diff",
    "preview": "diff",
    "dry-run": "diff",
    "push": "apply",
    "sync": "apply",
    "reconcile": "apply",
    "lint": "validate",
    "check": "validate",
    "new": "init",
    "setup": "init",
}


class Commands(click.Group):
    """A group whose commands are imported when they are run, and not to list them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which a user meets them."""
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"planops.cli.{cmd_name}").command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest what was meant by a command that is not there."""
        name = args[0] if args else ""
        if name and name not in COMMANDS and not name.startswith("-"):
            near = [MEANT[name]] if name in MEANT else difflib.get_close_matches(name, COMMANDS, 1)
            hint = f"; did you mean {near[0]}?" if near else "; see planops --help"
            ctx.fail(f"there is no command {name!r}{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=False,
)
@click.version_option(planops.__version__, "--version", prog_name="planops")
def planops_command() -> None:
    """Keep release plans as YAML in git, and make release servers agree with them.

    \b
    A first look, on an emulated server:     planops demo
    In a repository of your own:             planops init
                                             planops validate
                                             planops diff
                                             planops apply

    \b
    Exit codes: 0 in sync, applied or parked; 1 failed; 2 changes (diff --exit-code);
    3 refused by a guard; 4 stale; 5 partial; 6 an outcome is unknown; 64 usage; 70 bug;
    75 another run is writing; 130 interrupted; 143 terminated.
    """  # noqa: D301  click reads the backspace, and never shows it


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show must not end a run
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run the command line in this process, and give its exit code."""
    try:
        result = planops_command.main(list(arguments), prog_name="planops", standalone_mode=False)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as wrong:
        with suppress(OSError):
            wrong.show()
        return ExitCode.USAGE if isinstance(wrong, click.UsageError) else ExitCode.FAILED
    except (click.Abort, KeyboardInterrupt) as end:
        return _interrupted(end)
    except PlanopsError as error:
        say(f"error: {error}")
        return code_of(error)
    except Exception as error:  # noqa: BLE001  whatever else happens is told as a bug
        return bug(error)
    return int(result) if isinstance(result, int) else ExitCode.OK


def _interrupted(end: BaseException) -> ExitCode:
    """Tell that a signal ended the command; which one says how (``cli/interrupts.py``)."""
    say("interrupted")
    code = getattr(end.__cause__ or end, "code", None)
    return code if isinstance(code, ExitCode) else ExitCode.INTERRUPTED


def bug(error: Exception, what: str = "") -> ExitCode:
    """Tell of a bug without a traceback, unless one was asked for; ``what`` is what came of it."""
    if os.environ.get("PLANOPS_DEBUG"):
        with suppress(OSError, ValueError):
            click.echo("".join(_traced(error)), err=True, nl=False)
    came = f"{what}: " if what else ""
    say(
        f"bug in planops: {came}{type(error).__name__}; please report it with what you typed"
        " (PLANOPS_DEBUG=1 shows where)"
    )
    return ExitCode.BUG


def _traced(error: BaseException) -> Iterator[str]:
    """Say where a bug arose, and from which others, but nothing of their words.

    They may hold a token, or a credential of a plan, and nobody here knows of any.
    """
    for before in (error.__cause__, None if error.__suppress_context__ else error.__context__):
        if before is not None:
            yield from _traced(before)
            yield "\nThat led to:\n\n"
            break
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__name__}\n"


def say(text: str) -> None:
    """Speak on standard error: standard output belongs to the report.

    That nobody listens there any more must not end a run whose report is still to be written; nor
    must that a signal came while something was being said (``RuntimeError``).
    """
    with suppress(OSError, ValueError, RuntimeError):
        click.echo(f"planops: {terminal(text)}", err=True)


def code_of(error: PlanopsError) -> ExitCode:
    """Give the exit code of an error that ended a whole command."""
    match error:
        case UsageWrong():
            return ExitCode.USAGE
        case Refused():
            return ExitCode.REFUSED
        case Stale():
            return ExitCode.STALE
        case OutcomeUnknown():
            return ExitCode.UNKNOWN
        case _:
            return ExitCode.FAILED
