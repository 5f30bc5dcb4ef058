"""Options that several commands share: each with an environment name, each explained once."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from planops.core.guards import NAMES, PER_TARGET

Command = TypeVar("Command", bound=Callable[..., Any])

option = partial(click.option, show_envvar=True)
"""An option whose help names its environment variable."""

FORMATS = ("text", "json", "markdown", "github", "gitlab", "sarif", "junit")
_UNITS = {"s": 1, "m": 60, "h": 3600}


class Sink(click.ParamType[tuple[str, str]]):
    """``FORMAT`` for standard output or ``FORMAT=FILE``."""

    name = "format[=file]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Split a format from its file; an empty file means standard output."""
        kind, _, file = str(value).partition("=")
        if kind not in FORMATS:
            self.fail(f"{kind!r} is no format; choose from {', '.join(FORMATS)}", param, ctx)
        return kind, file


class Allowance(click.ParamType[tuple[str, int | None]]):
    """``NAME`` or ``NAME=N``: a guard, and for how many plans it is lifted."""

    name = "guard[=n]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int | None]:
        """Split a guard's name from its number."""
        guard, equals, number = str(value).partition("=")
        if guard not in NAMES:
            self.fail(f"{guard!r} is no guard; choose from {', '.join(NAMES)}", param, ctx)
        if not equals:
            return guard, None
        if not number.isascii() or not number.isdigit() or int(number) < 1:
            self.fail(f"{number!r} is no number of plans; write {guard}=1 or more", param, ctx)
        return guard, int(number)


class Duration(click.ParamType[int]):
    """A length of time such as ``90s``, ``30m`` or ``2h``, in seconds."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read a number with its unit."""
        match = re.fullmatch(r"([0-9]{1,6})([smh])", str(value))
        if match is None:
            self.fail(f"{value!r} is no duration; write 90s, 30m or 2h", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


chdir = option(
    "-C",
    "--chdir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    envvar="PLANOPS_CHDIR",
    help="Work in this directory.",
)


def paths(command: Command) -> Command:
    """Add the arguments that choose plans by file or folder."""
    return click.argument("paths", nargs=-1, metavar="[PATH]...")(command)


def settings(command: Command) -> Command:
    """Add the options that say where the settings are, and which targets are meant."""
    for each in reversed(
        (
            chdir,
            option(
                "-t",
                "--target",
                "targets",
                multiple=True,
                envvar="PLANOPS_TARGET",
                help="Only this target; may be repeated.",
            ),
        )
    ):
        command = each(command)
    return command


def selection(command: Command) -> Command:
    """Add the options that choose plans, and where the settings are."""
    labels = option(
        "-l",
        "--selector",
        "labels",
        multiple=True,
        envvar="PLANOPS_SELECTOR",
        metavar="KEY=VALUE",
        help="Only plans with this label; KEY, KEY!=VALUE and commas work too.",
    )
    return settings(labels(command))


def output(command: Command) -> Command:
    """Add the options that say what is printed, and where."""
    for each in reversed(
        (
            option(
                "-f",
                "--format",
                "sinks",
                type=Sink(),
                multiple=True,
                envvar="PLANOPS_FORMAT",
                help=f"{', '.join(FORMATS)} (text if none); FORMAT=FILE writes a file; repeatable.",
            ),
            option(
                "--color",
                type=click.Choice(["auto", "always", "never"]),
                default="auto",
                envvar="PLANOPS_COLOR",
                help="Colour the text; auto means on a terminal, unless NO_COLOR is set.",
            ),
            option(
                "-v",
                "--verbose",
                count=True,
                envvar="PLANOPS_VERBOSE",
                help="Show whole request bodies and unchanged plans; twice: every HTTP call.",
            ),
            option(
                "-q",
                "--quiet",
                is_flag=True,
                envvar="PLANOPS_QUIET",
                help="No progress on standard error.",
            ),
        )
    ):
        command = each(command)
    return command


by_name = option(
    "--adopt-by-name",
    is_flag=True,
    envvar="PLANOPS_ADOPT_BY_NAME",
    help="Take a plan on the server for the file's if their names are equal.",
)
full = option(
    "--full",
    is_flag=True,
    envvar="PLANOPS_FULL",
    help="Read every plan in full, also those that by ledger and list are as they were.",
)
publish = option(
    "--publish",
    is_flag=True,
    envvar="PLANOPS_PUBLISH",
    help="Write it to the forge whose CI runs this: comment, labels, summary, outputs, issue.",
)
lock_timeout = option(
    "--lock-timeout",
    type=Duration(),
    default="0s",
    envvar="PLANOPS_LOCK_TIMEOUT",
    help="Wait this long for another run that holds the ledger (90s, 30m); else exit 75.",
)


def comparison(command: Command) -> Command:
    """Add the options that change what a comparison may lead to."""
    allow = option(
        "--allow",
        "allowances",
        type=Allowance(),
        multiple=True,
        envvar="PLANOPS_ALLOW",
        help=(
            "Lift a guard for N plans (default 1; "
            f"{' and '.join(PER_TARGET)}: the whole target): {', '.join(NAMES)}."
        ),
    )
    prune = option(
        "--prune",
        is_flag=True,
        envvar="PLANOPS_PRUNE",
        help="Delete plans whose file is gone, where git proves that there was one.",
    )
    return allow(prune(by_name(command)))
