"""``planops log``: what was applied, when, by whom, from which commit."""

from __future__ import annotations

from typing import Any

import click

from planops.cli import options
from planops.cli.group import say
from planops.cli.keeping import ledgers
from planops.cli.output import write_out
from planops.errors import UsageWrong


@click.command()
@click.argument("key", required=False)
@options.settings
@options.option(
    "-n",
    "--number",
    type=click.IntRange(1, 100_000),
    default=20,
    show_default=True,
    envvar="PLANOPS_NUMBER",
    help="How many entries of each target.",
)
def command(*, key: str | None, number: int, **given: Any) -> int:
    """Show the history of the ledger, newest first: every run that wrote, and what.

    KEY is a plan's metadata.name; without it all plans are shown. The ledger is a ref of the
    repository, so that `git log -p` on it shows every field of every record as well.

    \b
    Examples:
      planops log
      planops log checkout-2026-12 -n 5
    """  # noqa: D301  click reads the backspace, and never shows it
    from planops.git.history import entries
    from planops.manifests.planting import KEY, WANTED
    from planops.manifests.wording import code
    from planops.render.escape import terminal

    if key is not None and KEY.fullmatch(key) is None:
        raise UsageWrong(f"log {code(key)}: that is no key of a plan; write {WANTED}")

    for name, ledger in ledgers("log", given).items():
        told = entries(ledger, key, number)
        if not told:
            say(f"log: {name}: its ledger records nothing{f' of {code(key)}' if key else ' yet'}")
        for entry in told:
            write_out(f"{entry.at}  {entry.commit[:12]}  {name}  {terminal(entry.subject)}\n")
            write_out("".join(f"    {terminal(line)}\n" for line in entry.body))
    return 0
