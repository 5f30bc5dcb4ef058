"""A server's lifecycle as people read it: diagram, tables, Mermaid, and the route between states.

All of it is drawn from the table that the engine walks, so that no picture can differ from what
planops does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from planops.core.lifecycle import Actor, Edge, EditRule, Lifecycle, Move, Route, Standing
from planops.core.model import JSON
from planops.render.escape import code, markdown

WHO = {Actor.PLANOPS: "planops", Actor.APPROVER: "an approver", Actor.SERVER: "the server"}
_BARE = re.compile(r"[A-Za-z0-9_.-]+")
_STANDING = {
    Standing.UNMANAGED: "no goal: the state is not managed",
    Standing.REACHED: "the goal is reached",
    Standing.AHEAD: "the plan is beyond the goal: satisfied",
    Standing.WALKING: "planops walks the whole way",
    Standing.WAITING: "parked: somebody else is next",
    Standing.STOPPED: "left alone: somebody stopped the plan or put it back",
    Standing.UNKNOWN: "left alone: planops does not know this state",
    Standing.BLOCKED: "it cannot be done",
}


def text(name: str, table: Lifecycle) -> str:
    """Draw the forward path, then list every other edge and how a write gets in."""
    return "\n".join(
        (
            f"The lifecycle of a release plan on {name}",
            "",
            *_diagram(table),
            "",
            "Other edges, none walked unless the file or an allowance asks for it",
            *_columns([_edge_row(edge) for edge in _aside(table)]),
            "",
            "How a change of fields gets in, by state",
            *_columns([(state, _edit(table, state)) for state in states(table)]),
            "",
        )
    )


def document(name: str, table: Lifecycle) -> str:
    """Give the same as a Markdown document with a Mermaid diagram."""
    return "\n".join(
        (
            f"# The lifecycle of a release plan on {markdown(name)}",
            "",
            f"Printed by `planops lifecycle {name.lower()} --format markdown`.",
            "",
            "```mermaid",
            mermaid(table).rstrip("\n"),
            "```",
            "",
            "## Edges",
            "",
            *_grid(
                ("from", "to", "sent", "who", "undoes or starts"), map(_edge_cells, table.edges)
            ),
            "",
            "## Changes of fields",
            "",
            *_grid(
                ("state", "how a change gets in"),
                ((_name(state), markdown(_edit(table, state))) for state in states(table)),
            ),
            "",
        )
    )


def mermaid(table: Lifecycle) -> str:
    """Draw every edge as a Mermaid state diagram; edges of others carry their name."""
    lines = [
        "stateDiagram-v2",
        f"    [*] --> {_node(table.path[0])}",
        *(
            f"    {_node(edge.source)} --> {_node(edge.target)}"
            + ("" if edge.actor is Actor.PLANOPS else f": {WHO[edge.actor]}")
            for edge in table.edges
        ),
        *(f"    {_node(state)} --> [*]" for state in states(table) if state in table.finished),
    ]
    return "\n".join(lines) + "\n"


def data(name: str, table: Lifecycle, route: JSON = None) -> JSON:
    """Give the table as JSON; ``route`` is what :func:`route_data` gives, where one was asked."""
    return {
        "backend": name.lower(),
        "path": [*table.path],
        "optional": {**table.optional},
        "off_path": [*sorted(table.off_path)],
        "finished": [*sorted(table.finished)],
        "checks": [*sorted(table.checks)],
        "edges": [_edge_data(edge) for edge in table.edges],
        "edits": {state: _edit_data(table.edits.get(state)) for state in states(table)},
        "route": route,
    }


def route_text(start: str, goal: str | None, found: Route) -> str:
    """Say the route between two states: the moves, what stands against them, who is next."""
    lines = [f"From {start} to {goal or 'no goal'}", ""]
    for number, move in enumerate(found.moves, 1):
        lines += _move_lines(number, move)
    if not found.moves:
        lines.append("  no call")
    lines += [
        *(f"  refused by {one.guard}: {one.message}{_lift(one.lift)}" for one in found.tripped),
        "",
        f"Ends in {found.ends}; {_STANDING[found.standing]}{_next(found)}.",
        "",
    ]
    return "\n".join(lines)


def route_data(start: str, goal: str | None, found: Route) -> JSON:
    """Give a route as JSON."""
    return {
        "from": start,
        "to": goal,
        "moves": [
            _edge_data(move) if isinstance(move, Edge) else {"write": True} for move in found.moves
        ],
        "ends": found.ends,
        "standing": found.standing.value,
        "next": found.next_actor.value if found.next_actor else None,
        "refusals": [
            {"guard": one.guard, "message": one.message, "lift": one.lift} for one in found.tripped
        ],
    }


def states(table: Lifecycle) -> tuple[str, ...]:
    """Every state: the forward path in order, then the others by name."""
    return (*table.path, *sorted((table.off_path | table.checks) - {*table.path}))


def _diagram(table: Lifecycle) -> Iterator[str]:
    for place, state in enumerate(table.path):
        fact = table.optional.get(state)
        yield f"  {state}{f'  (left out without {fact})' if fact else ''}"
        if place + 1 < len(table.path):
            edge = table.edge(state, table.path[place + 1])
            if edge is not None:
                yield f"    {_stroke(edge)} {'; '.join((WHO[edge.actor], *edge.hazards))}"


def _stroke(edge: Edge) -> str:
    return "│" if edge.actor is Actor.PLANOPS else "┆"


def _aside(table: Lifecycle) -> list[Edge]:
    """The edges that are not steps of the whole forward path."""
    steps = set(zip(table.path, table.path[1:], strict=False))
    return [edge for edge in table.edges if (edge.source, edge.target) not in steps]


def _edge_row(edge: Edge) -> tuple[str, str]:
    return f"{edge.source} → {edge.target}", "; ".join((WHO[edge.actor], *edge.hazards))


def _edge_cells(edge: Edge) -> tuple[str, ...]:
    sent = _name(edge.event) if edge.actor is Actor.PLANOPS else ""
    said = markdown("; ".join((*edge.hazards, *((f"needs {edge.needs}",) if edge.needs else ()))))
    return _name(edge.source), _name(edge.target), sent, WHO[edge.actor], said


def _edit(table: Lifecycle, state: str) -> str:
    rule = table.edits.get(state)
    if rule is None:
        return "refused: nothing can be written in this state"
    if rule.refusal:
        return f"refused: {rule.refusal}"
    first = (
        f"{rule.via} first, then written (guard {rule.guard})" if rule.via else "written at once"
    )
    lands = "" if rule.lands == state else f"; the plan is then in {rule.lands}"
    return f"{first}{lands}{', and is led back' if rule.lead_back else ''}"


def _edge_data(edge: Edge) -> JSON:
    return {
        "from": edge.source,
        "to": edge.target,
        "event": edge.event,
        "actor": edge.actor.value,
        "hazards": list(edge.hazards),
        "needs": edge.needs or None,
    }


def _edit_data(rule: EditRule | None) -> JSON:
    if rule is None:
        return None
    return {
        "via": rule.via or None,
        "lands": rule.lands or None,
        "guard": rule.guard or None,
        "lead_back": rule.lead_back,
        "refusal": rule.refusal or None,
    }


def _move_lines(number: int, move: Edge | Move) -> Iterator[str]:
    if isinstance(move, Move):
        yield f"  {number}. write the fields"
        return
    yield f"  {number}. {move.source} → {move.target}"
    yield from (f"     {hazard}" for hazard in move.hazards)


def _lift(lift: str) -> str:
    return f" ({lift} lifts it)" if lift else ""


def _next(found: Route) -> str:
    return f"; {WHO[found.next_actor]} is next" if found.next_actor else ""


def _name(state: str) -> str:
    """A state's name as code; settings may give others, so nothing is taken on trust."""
    return f"`{state}`" if _BARE.fullmatch(state) else code(state)


def _node(state: str) -> str:
    """Mermaid takes letters, digits and underscores for a state's name."""
    return "".join(char if char.isascii() and char.isalnum() else "_" for char in state)


def _columns(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(left) for left, _ in rows), default=0)
    return [f"  {left:<{width}}  {right}" for left, right in rows]


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
