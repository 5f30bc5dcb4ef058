"""``planops validate``: check the files, all of them, all problems at once."""

from __future__ import annotations

from typing import Any

import click

from planops.cli import options
from planops.cli.output import Output
from planops.cli.session import Asked, open_session
from planops.core.report import exit_code


@click.command()
@options.paths
@options.selection
@options.output
def command(**given: Any) -> int:
    r"""Check plan files and settings; no server is called and no credentials are needed.

    Every problem of every file is shown at once, each with file:line:column.

    \b
    Examples:
      planops validate
      planops validate plans/payments
      planops validate --format json=problems.json
    """
    session = open_session(Asked.of(given))
    report = session.report("validate", ())
    Output.of(given).write(report)
    return exit_code(report)
