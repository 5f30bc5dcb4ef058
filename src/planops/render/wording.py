"""What is said of one change in every format: its label, what it does, where it goes, the risk.

Nothing here is escaped: whoever renders escapes what comes out of here as hostile text.
"""

from __future__ import annotations

from typing import Final, assert_never
from urllib.parse import urlencode

from planops.core.changes import Cause, Change, ChangeKind, Delta, Request
from planops.core.compare import about
from planops.core.lifecycle import Actor, Edge, Standing
from planops.core.report import ChangeReport, Outcome, StepResult, TargetReport
from planops.render.values import field

_FIELDS_NAMED: Final = 3


OVERWRITES: Final = "overwrites an edit made on the server"
"""What a change does that writes a field which git and the server both changed."""

INSTEAD = "or, only where the server refuses that spelling of the event"
"""Introduces a step's other spelling."""


def plural(number: int, noun: str) -> str:
    """Say a number of things."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def counted(target: TargetReport, where: str, *, offline: bool = False) -> str:
    """Count the plans of a target on the server, where it was asked, and in files."""
    asked = target.asked and not offline
    live = f"{plural(target.live, 'plan')} {where}" if asked else "not asked"
    return f"{live}, {target.managed} in files"


def display_name(change: Change) -> str:
    """Name the plan as people see it on the server; a plan whose file is gone may not say."""
    name = change.plan.spec.get("name")
    if isinstance(name, str):
        return name
    return change.live.name if change.live else change.key.name


def place(change: Change) -> str:
    """Say where the plan is declared; one that is refused by adopt has no file."""
    source = change.plan.source
    return f"{source.file}:{source.line}" if source.file else "no file"


def quiet(item: ChangeReport) -> bool:
    """Tell that there is nothing to say of a plan: it is as its file wants it."""
    change = item.change
    said = change.deltas or change.steps or change.refusals or change.notices or item.notices
    caused = item.share is not None and item.share.causes
    return item.outcome is Outcome.UNCHANGED and not (said or caused or item.error)


def label(item: ChangeReport) -> tuple[str, str]:
    """Give a change's symbol and word."""
    match item.outcome:
        case Outcome.REFUSED:
            return "!", "refused"
        case Outcome.PARKED:
            return "=", "parked"
        case Outcome.UNKNOWN:
            return "?", "unknown"
        case (
            Outcome.UNCHANGED
            | Outcome.PENDING
            | Outcome.APPLIED
            | Outcome.STALE
            | Outcome.FAILED
            | Outcome.SKIPPED
        ):
            return _kind_label(item)
        case _ as never:
            assert_never(never)


def _kind_label(item: ChangeReport) -> tuple[str, str]:
    match item.change.kind:
        case ChangeKind.CREATE:
            return "+", "create"
        case ChangeKind.UPDATE:
            return "~", "update"
        case ChangeKind.TRANSITION:
            return ">", "transition"
        case ChangeKind.DELETE:
            return "-", "delete"
        case ChangeKind.FORGET:
            return "o", "forget"
        case ChangeKind.ADOPT:
            return "@", "adopt"
        case ChangeKind.UNCHANGED:
            return (".", "unchanged") if quiet(item) else ("*", "reported")
        case _ as never:
            assert_never(never)


def verdict(outcome: Outcome) -> str:
    """Say what became of a change; nothing where it was only shown."""
    match outcome:
        case Outcome.UNCHANGED | Outcome.PENDING | Outcome.PARKED | Outcome.REFUSED:
            return ""
        case Outcome.APPLIED:
            return "applied"
        case Outcome.STALE:
            return "stale: the plan on the server moved since this was shown; no further call"
        case Outcome.FAILED:
            return "failed"
        case Outcome.UNKNOWN:
            return "unknown: what became of the last call could not be established"
        case Outcome.SKIPPED:
            return "skipped: not attempted"
        case _ as never:
            assert_never(never)


def address(request: Request) -> str:
    """Give a request's path with its query."""
    query = urlencode(request.query, errors="replace")
    return f"{request.path}?{query}" if query else request.path


def briefly(item: ChangeReport) -> str:
    """Say what became of a change in one word, where its label does not say it."""
    said = verdict(item.outcome).partition(":")[0]
    return "" if said == label(item)[1] else said


def result(item: ChangeReport, index: int) -> StepResult:
    """Give what became of a step; one that nothing is known of is pending."""
    return item.results[index] if index < len(item.results) else StepResult.PENDING


def digest(item: ChangeReport, index: int) -> str:
    """Give the keyed digest of a step's real body, or nothing."""
    return item.digests[index] if index < len(item.digests) else ""


def cause(delta: Delta) -> str:
    """Say why a field differs."""
    match delta.cause:
        case Cause.EDIT:
            return "edit"
        case Cause.DRIFT:
            return "drift: changed on the server"
        case Cause.CONFLICT:
            return "conflict: changed in git and on the server"
        case Cause.RELEASED:
            return "released: the file no longer declares it"
        case Cause.UNKNOWN:
            return "unknown: the server does not let us compare it"
        case _ as never:
            assert_never(never)


def stays(change: Change, delta: Delta) -> bool:
    """Tell that a field keeps the server's value, whatever else of the plan is written."""
    return delta.cause is Cause.RELEASED or about(delta) in change.left


def moves(change: Change) -> tuple[tuple[str | None, str, Edge | None], ...]:
    """Give the moves of a route as (from, to, edge); the write of the fields has no edge.

    A write lands where the next transition starts, or where the route ends. ``None`` is the state
    of a plan that is not there yet.
    """
    given = change.route.moves
    state = change.live.state if change.live else None
    found: list[tuple[str | None, str, Edge | None]] = []
    for index, move in enumerate(given):
        if isinstance(move, Edge):
            found.append((move.source, move.target, move))
            state = move.target
            continue
        following = given[index + 1] if index + 1 < len(given) else None
        lands = following.source if isinstance(following, Edge) else change.route.ends
        found.append((state, lands, None))
        state = lands
    return tuple(found)


def route(change: Change) -> str:
    """Say the way a plan goes and who is next; nothing where its state is no matter."""
    standing = change.route.standing
    chain = _chain(change)
    match standing:
        case Standing.UNMANAGED | Standing.REACHED:
            return chain
        case Standing.WALKING:
            return f"{chain or change.route.ends}, the goal"
        case Standing.WAITING:
            return _waiting(change, chain)
        case Standing.AHEAD:
            return f"{chain or change.route.ends}, beyond the goal {change.plan.state}"
        case Standing.STOPPED:
            return f"{change.route.ends}: {stopped(change)}"
        case Standing.UNKNOWN:
            return f"{change.route.ends}: planops does not know this state; left alone"
        case Standing.BLOCKED:
            way = chain or change.route.ends
            return f"{way}, and no further" if way else ""
        case _ as never:
            assert_never(never)


def stopped(change: Change) -> str:
    """Say what somebody did to a plan, which is left as it is."""
    how = "took it away from" if change.route.away else "stopped it before"
    return f"somebody {how} its goal {change.plan.state}; left alone"


def _waiting(change: Change, chain: str) -> str:
    ends = change.route.ends
    said = f"{chain}, then" if chain else f"{ends},"
    goal = change.plan.state
    further = f"; the goal is {goal}" if goal not in {None, ends} else ""
    return f"{said} {following(change.route.next_actor)}{further}"


def travels(change: Change) -> bool:
    """Tell that the plan goes through states, and does not only stand in one."""
    return any(edge or start != to for start, to, edge in moves(change))


def _chain(change: Change) -> str:
    """Say the states passed, one after the other; nothing where the plan stays where it is."""
    if not travels(change):
        return ""
    words: list[str] = []
    at: str | None = None
    for start, to, edge in moves(change):
        if start is not None and start != at:
            words.append(start)
        if start is not None and edge is None:
            words.append("(fields written)")
        if edge is not None or to != start:
            words.append(to)
        at = to
    return " → ".join(words)


def following(actor: Actor | None) -> str:
    """Say who moves a plan on, where it is not planops alone."""
    match actor:
        case Actor.PLANOPS:
            return "planops is next"
        case Actor.APPROVER:
            return "an approver is next"
        case Actor.SERVER:
            return "the server is next"
        case None:
            return "somebody else is next"
        case _ as never:
            assert_never(never)


def hazards(change: Change) -> tuple[str, ...]:
    """Say everything that the change undoes or starts, each once."""
    said = ["the plan is deleted from the server"] if change.kind is ChangeKind.DELETE else []
    if change.acts and any(delta.cause is Cause.CONFLICT for delta in change.deltas):
        said.append(OVERWRITES)
    edges = [*change.route.edges, *(step.edge for step in change.steps if step.edge)]
    said += [hazard for edge in edges for hazard in edge_hazards(edge)]
    return tuple(dict.fromkeys(said))


def edge_hazards(edge: Edge) -> tuple[str, ...]:
    """Say what one transition undoes or starts."""
    return tuple(f"{edge.source} → {edge.target}: {hazard}" for hazard in edge.hazards)


def what(item: ChangeReport) -> str:
    """Say in a sentence what is done to the plan, or would be."""
    change = item.change
    way = route(change)
    return f"{deed(change)}; {way}" if way else deed(change)


def deed(change: Change) -> str:
    """Say what is done to the plan's fields, or that nothing is."""
    match change.kind:
        case ChangeKind.CREATE:
            return f"create the plan with {plural(len(change.plan.spec), 'field')}"
        case ChangeKind.UPDATE:
            return f"update {_fields(change)}"
        case ChangeKind.TRANSITION:
            return "move the plan"
        case ChangeKind.DELETE:
            return "delete the plan from the server"
        case ChangeKind.FORGET:
            return "close the plan's record"
        case ChangeKind.ADOPT:
            return f"adopt the plan; {_fields(change)}" if change.deltas else "adopt the plan"
        case ChangeKind.UNCHANGED:
            return f"nothing to do, but {_fields(change)}" if change.deltas else "nothing to do"
        case _ as never:
            assert_never(never)


def _fields(change: Change) -> str:
    differ = "differs" if len(change.deltas) == 1 else "differ"
    names = [field(delta.path) for delta in change.deltas]
    said = ", ".join(names[:_FIELDS_NAMED])
    if len(names) > _FIELDS_NAMED:
        said = f"{said} and {len(names) - _FIELDS_NAMED} more"
    head = plural(len(names), "field")
    tail = f" {differ}" if change.kind in {ChangeKind.ADOPT, ChangeKind.UNCHANGED} else ""
    return f"{head}{tail} ({said})" if names else f"{head}{tail}"


def risk(item: ChangeReport) -> str:
    """Say in words what a change puts at risk."""
    change = item.change
    risks = [f"refused by {refusal.guard}" for refusal in change.refusals]
    risks.extend(hazards(change))
    if change.route.standing is Standing.STOPPED:
        risks.append("somebody stopped this plan")
    return "; ".join(risks) or "none known"
