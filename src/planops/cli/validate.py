"""``planops validate``: check the files, all of them, all problems at once."""

from __future__ import annotations

from typing import Any

import click

from planops.cli import options
from planops.cli.output import Output
from planops.cli.session import Asked, open_session


@click.command()
@options.paths
@options.selection
@options.output
def command(**given: Any) -> int:
    """Check plan files and settings; no server is called and no credentials are needed.

    Every problem of every file is shown at once, each with file:line:column.

    \b
    Examples:
      planops validate
      planops validate plans/payments
      planops validate --format json=problems.json
    """  # noqa: D301  click reads the backspace, and never shows it
    session = open_session(Asked.of({**given, "calls": False}))
    return Output.of(given).write(session.report("validate", ()))
