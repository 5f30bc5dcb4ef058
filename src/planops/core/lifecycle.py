"""The lifecycle of a plan: one table a server, walked by one engine that knows no server.

A server's states and edges are *data* (a :class:`Lifecycle`). This module answers one question
about them: given where a plan is, where its file wants it, and whether its fields must be written
first, which moves come next, who makes the move after those, and what would be undone on the way?

Rules, the same for every table:

* A goal is walked to along the forward path only, one edge at a time, and only by edges whose actor
  is planops. The first edge that belongs to a person or to the server ends the walk: the plan is
  parked.
* At the goal or beyond it, the goal is met.
* A plan off the path, or returned to an earlier state, was stopped by somebody. It is left alone,
  unless ``reopen`` is allowed; then it comes back onto the path as near to its goal as one edge of
  planops leads.
* A goal off the path (on hold, cancelled) is reached by one direct edge or not at all: never by
  walking through states that start jobs or mail people.
* A write may have to be let in first (an edge back to where writing is allowed) and may throw the
  plan back; a plan thrown back from a state that nobody must approve is led back there.
* A state that the table does not know is shown and never acted on.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

ASKED = "the approval that is being asked for"  # as hazards say it; of whom, the plan says


class Actor(enum.StrEnum):
    """Who makes a transition happen."""

    PLANOPS = "planops"
    APPROVER = "approver"
    SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One transition: ``event`` is what is sent; ``hazards`` say in words what it undoes or starts.

    ``needs`` names a fact about the plan without which the server refuses the edge; ``missing`` is
    the sentence for that case.
    """

    source: str
    target: str
    event: str
    actor: Actor = Actor.PLANOPS
    hazards: tuple[str, ...] = ()
    needs: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRule:
    """How a write gets in while the plan is in one state.

    ``via`` is the state to go to first, ``lands`` where the plan stands after the write, ``guard``
    the guard that must be lifted, ``lead_back`` whether the plan is led back to where it was,
    ``refusal`` the sentence for a state in which nothing can be written at all.
    """

    lands: str = ""
    via: str = ""
    guard: str = ""
    lead_back: bool = False
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """A state machine as data.

    ``path`` is the forward path; ``optional`` maps a state of it to the fact without which it is
    left out (no approval, no waiting for one). ``off_path`` are the states of plans that somebody
    or something stopped; ``finished`` those that nothing leaves; ``checks`` those in which the
    server or another system works and will move the plan by itself; ``busy`` further ones in which
    people or jobs are at work.
    """

    path: tuple[str, ...]
    edges: tuple[Edge, ...]
    edits: Mapping[str, EditRule]
    optional: Mapping[str, str] = field(default_factory=dict)
    off_path: frozenset[str] = frozenset()
    finished: frozenset[str] = frozenset()
    checks: frozenset[str] = frozenset()
    busy: frozenset[str] = frozenset()

    def knows(self, state: str) -> bool:
        """Tell whether the table has this state."""
        return state in self.path or state in self.off_path or state in self.checks

    def edge(self, source: str, target: str) -> Edge | None:
        """Find the edge between two states."""
        return next((e for e in self.edges if (e.source, e.target) == (source, target)), None)

    def path_for(self, facts: AbstractSet[str]) -> tuple[str, ...]:
        """Give the forward path of a plan of which these facts hold."""
        return tuple(s for s in self.path if s not in self.optional or self.optional[s] in facts)


class Standing(enum.StrEnum):
    """How a plan's state stands to its goal."""

    UNMANAGED = "unmanaged"  # the file declares no state
    REACHED = "reached"
    AHEAD = "ahead"  # beyond the goal on the path
    WALKING = "walking"  # planops has edges to walk, and then the goal is reached
    WAITING = "waiting"  # a person or the server is next, now or after our edges
    STOPPED = "stopped"  # state drift: somebody stopped it
    UNKNOWN = "unknown"  # no table knows the state
    BLOCKED = "blocked"  # it cannot be done; the refusals say why


class Move(enum.Enum):
    """A move that is no edge: the write of the fields."""

    WRITE = "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something is not done: the guard's name, one sentence with numbers, and what lifts it.

    An empty ``lift`` means that nothing on the command line does.
    """

    guard: str
    message: str
    lift: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What comes next for one plan.

    ``moves`` are in order; ``ends`` is the state after them. ``next_actor`` is who moves the plan
    on after that, where it is not planops. ``tripped`` names the guards that the moves trip, with
    the reason. ``return_to`` is the state that the moves lead back to after a write that threw the
    plan back. ``away`` is the situation's.
    """

    standing: Standing
    moves: tuple[Edge | Move, ...] = ()
    ends: str = ""
    next_actor: Actor | None = None
    tripped: tuple[Refusal, ...] = ()
    return_to: str | None = None
    away: bool = False

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The transitions among the moves."""
        return tuple(move for move in self.moves if isinstance(move, Edge))


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that a route depends on.

    ``facts`` are names that the table's edges ask for (``approval``, ``jobs``). ``put_back``: the
    plan left its first state once and was returned, ``away``: it was at a goal off the path and was
    taken on from there. ``revive``: ``reopen`` is allowed. ``moved``: the goal was declared anew
    since it was last acted upon, which takes up a stopped plan as well. ``return_to``: a state to
    lead the plan back to, carried over from an earlier step of the same change.
    """

    state: str
    goal: str | None
    edited: bool
    facts: frozenset[str]
    put_back: bool = False
    away: bool = False
    revive: bool = False
    moved: bool = False
    return_to: str | None = None

    @property
    def resumes(self) -> bool:
        """Somebody said that a stopped plan goes on."""
        return self.revive or self.moved


def route(table: Lifecycle, at: Situation) -> Route:
    """Find the moves from a situation, as the module's docstring says."""
    if not table.knows(at.state):
        return _unknown(at)
    if at.goal is not None and at.goal not in table.path:
        return _route_off_path(table, at, at.goal)
    if at.edited:
        return _route_with_write(table, at)
    return _route_without_write(table, at)


def _unknown(at: Situation) -> Route:
    if not at.edited:
        return Route(standing=Standing.UNKNOWN, ends=at.state)
    unknown = f"planops does not know the state {at.state}"
    refusal = Refusal(
        guard="state", message=f"{unknown}, so it does not know what a write would undo"
    )
    return Route(standing=Standing.UNKNOWN, ends=at.state, tripped=(refusal,))


def _route_off_path(table: Lifecycle, at: Situation, goal: str) -> Route:
    """A goal off the path is reached by one edge, or refused.

    Fields are written before it where that moves nothing, else not at all.
    """
    if at.state == goal:
        if at.edited:
            return _route_with_write(table, at)
        return Route(standing=Standing.REACHED, ends=at.state)
    if at.away and not (at.edited or at.revive):
        return Route(standing=Standing.STOPPED, ends=at.state, away=True)
    edge = table.edge(at.state, goal)
    if edge is None or edge.actor is not Actor.PLANOPS:
        refusal = Refusal(guard="lifecycle", message=_unreachable(table, at.state, goal))
        return Route(standing=Standing.BLOCKED, ends=at.state, tripped=(refusal,))
    tripped = [_regress(at.state, goal)] if goal in table.finished else []
    if at.away:
        tripped.append(_guarded("reopen", at.state, (f"somebody took it on from {goal}",)))
    rule = table.edits.get(at.state, EditRule())
    if rule.guard == "interrupt":
        tripped.append(_guarded("interrupt", at.state, edge.hazards))
    writes = at.edited and rule.lands == at.state and not rule.via
    moves = (Move.WRITE, edge) if writes else (edge,)
    return Route(standing=Standing.WALKING, moves=moves, ends=goal, tripped=tuple(tripped))


def _unreachable(table: Lifecycle, state: str, goal: str) -> str:
    if state in table.finished:
        return f"the plan is finished: nothing leads from {state} to {goal}"
    if goal in table.finished:
        return (
            f"{goal} cannot be reached from {state} without starting jobs or asking approvers on"
            " the way; remove the plan instead"
        )
    return f"no single step leads from {state} to {goal}; make the state before it the goal first"


def _route_with_write(table: Lifecycle, at: Situation) -> Route:
    rule = table.edits.get(
        at.state, EditRule(refusal=f"nothing can be written in state {at.state}")
    )
    if rule.refusal:
        refusal = Refusal(guard="finished", message=rule.refusal)
        return Route(standing=Standing.BLOCKED, ends=at.state, tripped=(refusal,))
    moves: list[Edge | Move] = []
    tripped: list[Refusal] = []
    if rule.via:
        opening = table.edge(at.state, rule.via)
        if opening is None:
            raise LookupError(f"the table has no edge {at.state} -> {rule.via}")
        moves.append(opening)
        tripped.append(_guarded(rule.guard, at.state, opening.hazards))
    elif _stopped(table, at) and not at.moved:
        tripped.append(_guarded("reopen", at.state, ()))
    moves.append(Move.WRITE)
    back = at.return_to or (at.state if rule.lead_back else None)
    goal = _further(table, at.goal, back)
    onward = _onward(table, at, rule.lands, goal)
    if at.goal is not None and _behind(table, at.goal, at.state) and goal != at.state:
        tripped.append(_regress(at.state, onward.ends))
    return Route(
        standing=onward.standing if at.goal is not None else Standing.UNMANAGED,
        moves=(*moves, *onward.moves),
        ends=onward.ends,
        next_actor=onward.next_actor if at.goal is not None else None,
        tripped=(*tripped, *onward.tripped),
        return_to=back,
    )


def _route_without_write(table: Lifecycle, at: Situation) -> Route:
    goal = _further(table, at.goal, at.return_to)
    if goal is None:
        return Route(standing=Standing.UNMANAGED, ends=at.state)
    if not _stopped(table, at):
        return _forward(table, at.state, goal, at.facts)
    onward = _onward(table, at, at.state, goal)
    if not at.resumes or onward.standing is Standing.STOPPED:
        return Route(standing=Standing.STOPPED, ends=at.state)
    if at.moved:
        return onward
    opening = _opening(table, at.state, goal)
    revived = _guarded("reopen", at.state, opening.hazards if opening else ())
    return replace(onward, tripped=(revived, *onward.tripped))


def _onward(table: Lifecycle, at: Situation, state: str, goal: str | None) -> Route:
    """Walk on from a state; from one off the path only if that is allowed, back onto it first."""
    if goal in (None, state) or state in table.path or state in table.checks:
        return _forward(table, state, goal, at.facts)
    opening = _opening(table, state, goal)
    if not at.resumes or opening is None:
        return Route(standing=Standing.STOPPED, ends=state)
    onward = _forward(table, opening.target, goal, at.facts)
    return replace(onward, moves=(opening, *onward.moves))


def _opening(table: Lifecycle, state: str, goal: str | None) -> Edge | None:
    """The edge of planops that brings a plan back onto the path, as near to its goal as may be."""
    edges = [
        edge
        for edge in table.edges
        if edge.source == state and edge.actor is Actor.PLANOPS and edge.target in table.path
        if goal is None or not _behind(table, goal, edge.target)
    ]
    if state in table.path:
        return None
    return max(edges, key=lambda edge: table.path.index(edge.target), default=None)


def _stopped(table: Lifecycle, at: Situation) -> bool:
    """Somebody stopped the plan: it is off the path, or was put back behind its goal."""
    if at.state in table.off_path:
        return at.state != at.goal and (at.goal is not None or at.return_to is not None)
    return at.put_back and at.goal is not None and _behind(table, at.state, at.goal)


def _forward(table: Lifecycle, state: str, goal: str | None, facts: AbstractSet[str]) -> Route:
    """Walk from a state on the path towards a goal on the path."""
    if goal is None:
        return Route(standing=Standing.UNMANAGED, ends=state)
    if state in table.checks:
        return Route(standing=Standing.WAITING, ends=state, next_actor=Actor.SERVER)
    if not _behind(table, state, goal):
        standing = Standing.REACHED if state == goal else Standing.AHEAD
        return Route(standing=standing, ends=state, next_actor=_next_actor(table, state, facts))
    if table.optional.get(goal) not in {None, *facts}:
        return _blocked((), state, f"{goal} needs {table.optional[goal]}, which this plan lacks")
    moves: list[Edge] = []
    path = table.path_for(facts)
    for target in path[path.index(state) + 1 :] if state in path else ():
        edge = table.edge(state, target)
        if edge is not None and edge.actor is not Actor.PLANOPS:
            return Route(
                standing=Standing.WAITING, moves=tuple(moves), ends=state, next_actor=edge.actor
            )
        if edge is None or (edge.needs and edge.needs not in facts):
            missing = edge.missing if edge else f"no event leads from {state} to {target}"
            return _blocked(moves, state, missing)
        moves.append(edge)
        state = target
        if not _behind(table, state, goal):
            return Route(
                standing=Standing.WALKING,
                moves=tuple(moves),
                ends=state,
                next_actor=_next_actor(table, state, facts),
            )
    # The plan waits in a state that its declared facts leave out, and whoever leaves it is next.
    onward = table.path[table.path.index(state) + 1] if state in table.path[:-1] else state
    edge = table.edge(state, onward)
    actor = edge.actor if edge is not None else Actor.SERVER
    return Route(standing=Standing.WAITING, ends=state, next_actor=actor)


def _blocked(moves: Sequence[Edge], ends: str, why: str) -> Route:
    refusal = Refusal(guard="lifecycle", message=why)
    return Route(standing=Standing.BLOCKED, moves=tuple(moves), ends=ends, tripped=(refusal,))


def _next_actor(table: Lifecycle, state: str, facts: AbstractSet[str]) -> Actor | None:
    """Say who moves a plan on from a state of the path, where it is not planops."""
    path = table.path_for(facts)
    onward = path[path.index(state) + 1 :] if state in path else ()
    edge = table.edge(state, onward[0]) if onward else None
    return edge.actor if edge is not None and edge.actor is not Actor.PLANOPS else None


def _behind(table: Lifecycle, state: str, goal: str) -> bool:
    if state not in table.path or goal not in table.path:
        return False
    return table.path.index(state) < table.path.index(goal)


def _further(table: Lifecycle, goal: str | None, other: str | None) -> str | None:
    """The later of two goals on the path, either of which may be missing."""
    if goal is None or other is None:
        return goal or other
    return other if _behind(table, goal, other) else goal


def _guarded(guard: str, state: str, hazards: tuple[str, ...]) -> Refusal:
    undoes = "; ".join(hazards) or "somebody returned it there"
    return Refusal(
        guard=guard, message=f"the plan is in {state}: {undoes}", lift=f"--allow {guard}"
    )


def _regress(state: str, ends: str) -> Refusal:
    message = f"the plan would go from {state} to {ends}, which is not forward"
    return Refusal(guard="regress", message=message, lift="--allow regress")
