"""``planops ledger``: see to a ledger by hand, after a run that died."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from planops.cli import options
from planops.cli.clock import SystemClock
from planops.cli.keeping import ledgers
from planops.cli.output import write_out
from planops.core.ledger import LEASE, intent_document
from planops.errors import UsageWrong


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """See to the ledger by hand, after a run that died.

    \b
    Examples:
      planops ledger show
      planops ledger recover --yes
      planops ledger unlock --target zadig-prod
    """  # noqa: D301  click reads the backspace, and never shows it


@command.command()
@options.settings
def show(**given: Any) -> int:
    """Say what each ledger holds: records, open intents, and who holds the lease.

    \b
    Example:
      planops ledger show
    """  # noqa: D301  click reads the backspace, and never shows it
    from planops.render.escape import terminal
    from planops.render.wording import plural

    for name, ledger in ledgers("ledger", given).items():
        book = ledger.load()
        lease = book.lease
        held = f"held by {lease.holder}, run {lease.run} {lease.link}" if lease else "free"
        records = plural(len(book.records), "record")
        write_out(f"{name}: {records}, lease {terminal(held.rstrip())}\n")
        for intent in book.intents.values():
            what = f"{intent.op} {intent.key} {intent.id or intent.name}"
            write_out(f"  not settled: {terminal(what)}; the next apply looks what came of it\n")
        for damage in book.damages:
            write_out(f"  damaged: {terminal(damage.path)}: {terminal(damage.why)}\n")
    return 0


@command.command()
@options.selection
@options.comparison
@options.lock_timeout
@options.option(
    "-y",
    "--yes",
    is_flag=True,
    envvar="PLANOPS_YES",
    help="Do not ask before calls are made.",
)
@options.output
def recover(*, yes: bool, **given: Any) -> int:
    """Finish what a run began that died, and nothing else: look how far it came, then go on.

    Every apply does this first. Calls of the dead run may still be under way, so that this waits
    as long as a call may take.

    \b
    Example:
      planops ledger recover --yes
    """  # noqa: D301  click reads the backspace, and never shows it
    from planops.cli import apply
    from planops.cli.output import Output
    from planops.cli.session import Asked, open_session

    if not yes and not apply.can_ask():
        raise UsageWrong("ledger recover: nobody can be asked here: this is no terminal; say --yes")
    kept = ledgers("ledger", given)
    session = open_session(Asked.of(given))
    names = [name for name in session.names() if name in kept]
    return apply.make(session, names, Output.of(given), asks=not yes, open_only=True)


@command.command()
@options.settings
@options.option(
    "-y",
    "--yes",
    is_flag=True,
    envvar="PLANOPS_YES",
    help="Do not ask whether the run that holds the lease is really dead.",
)
def unlock(*, yes: bool, **given: Any) -> int:
    """Take the lease away from a run that is dead. Its intents stay: the next apply looks at them.

    \b
    Example:
      planops ledger unlock --target zadig-prod --yes
    """  # noqa: D301  click reads the backspace, and never shows it
    from planops.cli import apply
    from planops.render.escape import terminal

    clock = SystemClock()
    for name, ledger in ledgers("ledger", given).items():
        book = ledger.load()
        lease = book.lease
        if lease is None and book.damage(LEASE) is None:
            write_out(f"{name}: nobody holds the lease\n")
            continue
        who = terminal(f"{lease.holder}, run {lease.run}") if lease else "somebody unknown"
        if not yes and not apply.can_ask():
            raise UsageWrong(
                f"ledger unlock: {name}: nobody can be asked here whether {who} is dead: this is no"
                " terminal; say --yes"
            )
        if not yes and not click.confirm(f"{name}: is this run dead: {who}?"):
            write_out(f"{name}: left as it is\n")
            continue
        now = clock.now()  # what the dead run sent last may still be on its way
        open_ = dict(intent_document(replace(one, at=now)) for one in book.intents.values())
        ledger.write(book.tip, {**open_, LEASE: None}, f"unlock {name}: {who}", now)
        write_out(f"{name}: the lease of {who} is taken away\n")
    return 0
