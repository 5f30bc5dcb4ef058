"""``planops lifecycle``: show a server's states and edges, and the route between two of them."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from planops.cli import options
from planops.errors import UsageWrong

if TYPE_CHECKING:
    from planops.core.lifecycle import Lifecycle, Route

BACKENDS = {"zadig": "Zadig", "brpm": "BRPM"}
FORMATS = ("text", "markdown", "mermaid", "json")


@click.command()
@click.argument("backend", type=click.Choice(tuple(BACKENDS)))
@options.option(
    "--from",
    "start",
    metavar="STATE",
    envvar="PLANOPS_FROM",
    help="Show the route from this state (with --to, or with --edited alone).",
)
@options.option(
    "--to", "goal", metavar="STATE", envvar="PLANOPS_TO", help="Show the route to this goal."
)
@options.option(
    "--edited",
    is_flag=True,
    envvar="PLANOPS_EDITED",
    help="The route of a plan whose fields have to be written too.",
)
@options.option(
    "--without",
    "lacks",
    multiple=True,
    metavar="FACT",
    envvar="PLANOPS_WITHOUT",
    help="The route of a plan that has no approval, or no jobs; repeatable.",
)
@options.option(
    "--reopen",
    is_flag=True,
    envvar="PLANOPS_REOPEN",
    help="The route with --allow reopen.",
)
@options.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    envvar="PLANOPS_LIFECYCLE_FORMAT",
    help="How to show it.",
)
def command(
    *,
    backend: str,
    start: str | None,
    goal: str | None,
    edited: bool,
    lacks: tuple[str, ...],
    reopen: bool,
    form: str,
) -> int:
    """Show the states of a release plan on one kind of server, and how planops moves between them.

    Without --from the whole lifecycle: the forward path, who makes each step, what an edge undoes
    or starts, and how a change of fields gets in. With --from and --to the route that planops would
    walk, and what stands against it. No server is asked.

    \b
    Examples:
      planops lifecycle zadig
      planops lifecycle zadig --from planning --to executing
      planops lifecycle zadig --from wait_for_approval --edited
      planops lifecycle zadig --format mermaid > zadig.mmd
    """  # noqa: D301  click reads the backspace, and never shows it
    from planops.core.lifecycle import Situation, route

    table = _table(backend)
    if start is None:
        if goal or edited or lacks or reopen:
            raise UsageWrong("lifecycle: a route starts somewhere; add --from STATE")
        _show(backend, table, form)
        return 0
    if goal is None and not edited:
        raise UsageWrong("lifecycle: a route leads somewhere; add --to STATE or --edited")
    for state in (start, *((goal,) if goal else ())):
        if not table.knows(state):
            raise UsageWrong(_unknown(f"{BACKENDS[backend]} has no state", state, _names(table)))
    facts = _facts(table)
    for fact in lacks:
        if fact not in facts:
            raise UsageWrong(_unknown("no edge asks for", fact, sorted(facts)))
    found = route(
        table,
        Situation(state=start, goal=goal, edited=edited, facts=facts - {*lacks}, revive=reopen),
    )
    if reopen:  # lifted, so that it stands against nothing
        found = replace(found, tripped=tuple(t for t in found.tripped if t.guard != "reopen"))
    _show_route(backend, table, form, (start, goal, found))
    return 0


def _table(backend: str) -> Lifecycle:
    table: Lifecycle = importlib.import_module(f"planops.backends.{backend}.lifecycle").LIFECYCLE
    return table


def _names(table: Lifecycle) -> Sequence[str]:
    from planops.render.lifecycle import states

    return states(table)


def _facts(table: Lifecycle) -> frozenset[str]:
    """Everything that an edge or a state of the table asks for."""
    asked = (*table.optional.values(), *(edge.needs for edge in table.edges))
    return frozenset(fact for fact in asked if fact)


def _unknown(what: str, given: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(given, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
    return f"lifecycle: {what} {given!r}; {hint}"


def _show(backend: str, table: Lifecycle, form: str) -> None:
    import json

    from planops.render import lifecycle

    name = BACKENDS[backend]
    match form:
        case "json":
            click.echo(json.dumps(lifecycle.data(name, table), indent=2, ensure_ascii=False))
        case "markdown":
            click.echo(lifecycle.document(name, table), nl=False)
        case "mermaid":
            click.echo(lifecycle.mermaid(table), nl=False)
        case _:
            click.echo(lifecycle.text(name, table), nl=False)


def _show_route(
    backend: str, table: Lifecycle, form: str, walk: tuple[str, str | None, Route]
) -> None:
    import json

    from planops.render import lifecycle

    if form == "json":
        told = lifecycle.data(BACKENDS[backend], table, lifecycle.route_data(*walk))
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    elif form == "text":
        click.echo(lifecycle.route_text(*walk), nl=False)
    else:
        raise UsageWrong(f"lifecycle: a route is shown as text or json, not as {form}")
