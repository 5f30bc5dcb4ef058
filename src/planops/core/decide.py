"""The decision about one plan: what its file wants, what the server holds, therefore what to do.

The same function decides before anything is shown, before the first write, and after every write: a
step is made only if the decision taken again still asks for it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from planops.core.changes import Cause, Change, ChangeKind, Delta, Step, kind_of
from planops.core.compare import ORDER, about, compare, declared, overlay
from planops.core.lifecycle import (
    Actor,
    Edge,
    Lifecycle,
    Move,
    Refusal,
    Route,
    Situation,
    Standing,
    route,
)
from planops.core.model import ABSENT, JSON, Live, Plan, Value, overlap
from planops.core.shape import Shape

WRITABLE = frozenset({Cause.EDIT, Cause.DRIFT, Cause.CONFLICT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """A plan whose references are resolved: ``spec`` is canonical and holds declared fields only.

    ``ids`` maps what the file names to the server's ids, as far as they could be looked up.
    ``refusals`` say what could not be resolved (an account that nobody has), ``unwritable`` what
    could not and stands only against a write.
    """

    plan: Plan
    spec: dict[str, JSON]
    ids: Mapping[str, str] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    unwritable: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The steps that a backend makes of moves, and what stands against them."""

    steps: tuple[Step, ...]
    refusals: tuple[Refusal, ...] = ()


class Rules(Protocol):
    """The pure half of a backend: its schema, its lifecycle and its wire format; no I/O."""

    @property
    def shape(self) -> Shape:
        """The shape of a spec."""
        ...

    @property
    def lifecycle(self) -> Lifecycle:
        """The server's states and edges."""
        ...

    def view(self, raw: dict[str, JSON], desired: Desired | None, base: Value = ABSENT) -> Live:
        """Read a server's document, unfolded as far as the file, or what was applied, declares."""
        ...

    def reopened(self, live: Live, desired: Desired, base: Value = ABSENT) -> Live:
        """Say what a plan will show once an edge has taken it back to where it can be written."""
        ...

    def empty(self) -> dict[str, JSON]:
        """Give the spec of a plan in which nothing was ever set."""
        ...

    def implied(self, spec: dict[str, JSON]) -> frozenset[str]:
        """Name the fields that are set together with declared ones: an id beside a name."""
        ...

    def facts(self, spec: dict[str, JSON]) -> frozenset[str]:
        """Name the facts of a spec that the lifecycle's edges ask for."""
        ...

    def closes_at(self, spec: dict[str, JSON]) -> int:
        """Give the end of the release window in unix seconds, 0 where there is none."""
        ...

    def create(self, desired: Desired, spec: dict[str, JSON]) -> Proposal:
        """Give the writes that make a plan of this spec, before any transition."""
        ...

    def propose(
        self, desired: Desired, live: Live, spec: dict[str, JSON], moves: Sequence[Edge | Move]
    ) -> Proposal:
        """Turn moves into steps; ``spec`` is what the plan must hold after a write."""
        ...

    def transition(self, edge: Edge, id_: str) -> Step:
        """Turn an edge into a step."""
        ...

    def remove(self, live: Live) -> tuple[Step, ...]:
        """Give the writes that remove a plan; none where its state does not allow it."""
        ...


class Drift(enum.StrEnum):
    """What is done about a field that the server changed, and the file did not."""

    SAFE = "safe"  # written back where the write undoes nothing else
    CORRECT = "correct"  # written back
    REPORT = "report"  # shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is recorded of a plan: ``spec`` as it was applied, ``echo`` as the server kept it.

    ``goal`` is the state that was declared then, ``reached`` the goal last seen reached.
    """

    spec: Value = ABSENT
    echo: Value = ABSENT
    goal: str | None = None
    reached: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a decision depends on beside the plan: the time, and what this run has already done.

    ``revive``: ``reopen`` is allowed. ``ours``: the plan stands where this very change put it.
    ``return_to``: the state that an earlier step of this change must be followed back to.
    ``complete``: the plan is still being made, so that ignored fields are written too. ``memory``
    is what was recorded of the plan, where anything was, ``drift`` what is done about what the
    server changed, and ``left`` the drift that an earlier step of this change left alone.
    """

    now: int
    revive: bool = False
    ours: bool = False
    return_to: str | None = None
    complete: bool = False
    memory: Memory = field(default_factory=Memory)
    drift: Drift = Drift.SAFE
    left: frozenset[str] | None = None

    @property
    def base(self) -> Value:
        """What was last applied, absent where nothing is recorded."""
        return self.memory.spec


def decide(rules: Rules, desired: Desired, live: Live | None, at: Circumstances) -> Change:
    """Decide what to do about one plan. Pure: equal arguments, equal change."""
    return _create(rules, desired, at) if live is None else _update(rules, desired, live, at)


def _create(rules: Rules, desired: Desired, at: Circumstances) -> Change:
    plan = desired.plan
    spec = overlay(rules.shape, rules.empty(), desired.spec)
    first = rules.lifecycle.path[0]
    found = route(
        rules.lifecycle,
        Situation(state=first, goal=plan.state, edited=False, facts=rules.facts(spec)),
    )
    deltas = declared(rules.shape, dict(desired.spec))
    proposal = rules.create(desired, spec)
    return Change(
        key=plan.key,
        kind=ChangeKind.CREATE,
        plan=plan,
        live=None,
        deltas=deltas,
        route=found,
        steps=(
            *proposal.steps,
            *(rules.transition(edge, "{id}") for edge in found.edges),
        ),
        refusals=(
            *desired.refusals,
            *found.tripped,
            *proposal.refusals,
            *_past(rules, spec, found, at, creating=True),
        ),
        notices=_notices(rules.lifecycle, found, first, plan.state),
    )


def _update(rules: Rules, desired: Desired, live: Live, at: Circumstances) -> Change:
    """Decide about a plan that is there; about one to be reopened, by what it will show then."""
    change = _decided(rules, desired, live, live, at)
    first = rules.lifecycle.path[0]
    if not any(edge.target == first for edge in change.route.edges):
        return change
    return _decided(rules, desired, live, rules.reopened(live, desired, at.base), at)


def _decided(rules: Rules, desired: Desired, live: Live, seen: Live, at: Circumstances) -> Change:
    plan = desired.plan
    ignore = () if at.complete else plan.manage.ignore
    deltas = compare(
        rules.shape,
        base=at.base,
        desired=dict(desired.spec),
        live=dict(seen.spec),
        ignore=ignore,
        unseen=seen.unseen,
    )
    deltas = _kept_otherwise(rules.shape, deltas, at.memory, seen)
    left = _left(rules, deltas, live, seen, at)
    edited = any(delta.cause in WRITABLE and about(delta) not in left for delta in deltas)
    kept = (*ignore, *left)
    spec = overlay(rules.shape, seen.spec, desired.spec, kept) if edited else seen.spec
    moved = at.base is not ABSENT and plan.state != at.memory.goal
    found = route(
        rules.lifecycle,
        Situation(
            state=live.state,
            goal=plan.state,
            edited=edited,
            facts=rules.facts(spec),
            put_back=_put_back(rules.lifecycle, live, at)
            and not (at.ours or moved or at.return_to is not None),
            away=not (at.ours or moved) and plan.state == at.memory.reached != live.state,
            revive=at.revive,
            moved=moved,
            return_to=at.return_to,
        ),
    )
    proposal = rules.propose(desired, live, spec, found.moves)
    return Change(
        key=plan.key,
        kind=kind_of(proposal.steps),
        plan=plan,
        live=live,
        deltas=deltas,
        route=found,
        steps=proposal.steps,
        refusals=(
            *desired.refusals,
            *found.tripped,
            *_conflicts(deltas),
            *_replaced(rules.shape, deltas),
            *proposal.refusals,
            *_past(rules, spec, found, at, creating=False),
        ),
        notices=(
            *_notices(rules.lifecycle, found, live.state, plan.state),
            *live.notices,
            *_left_alone(left, at.drift, live.state),
        ),
        left=left,
    )


def _kept_otherwise(
    shape: Shape, deltas: Sequence[Delta], memory: Memory, seen: Live
) -> tuple[Delta, ...]:
    """Leave out what the server only keeps in another form than it was sent, and nobody changed.

    What git alone has changed of that is an edit.
    """
    theirs = {Cause.DRIFT, Cause.CONFLICT}
    if memory.echo is ABSENT or not any(delta.cause in theirs for delta in deltas):
        return tuple(deltas)
    since = compare(shape, base=ABSENT, desired=memory.echo, live=dict(seen.spec))
    changed = [delta.path for delta in since]
    found = (
        delta
        if delta.cause not in theirs or any(overlap(delta.path, path) for path in changed)
        else replace(delta, cause=Cause.EDIT)
        if delta.cause is Cause.CONFLICT
        else None
        for delta in deltas
    )
    return tuple(delta for delta in found if delta is not None)


def _left(
    rules: Rules, deltas: Sequence[Delta], live: Live, seen: Live, at: Circumstances
) -> frozenset[str]:
    """Choose the drift that is not written back; within one change that is decided once.

    What the server hid until the plan is reopened is its own doing, and nobody's drift.
    """
    if at.left is not None:
        return at.left
    if _corrects(rules, seen, at):
        return frozenset()
    hidden = live.unseen.keys() - seen.unseen.keys()
    drift = (delta for delta in deltas if delta.cause is Cause.DRIFT)
    return frozenset(
        about(delta) for delta in drift if not any(overlap(delta.path, path) for path in hidden)
    )


def _corrects(rules: Rules, live: Live, at: Circumstances) -> bool:
    """Tell whether drift is written back here: ``safe`` does it where nothing else is undone."""
    if at.drift is Drift.SAFE:
        rule = rules.lifecycle.edits.get(live.state)
        return rule is not None and rule.lands == live.state and not rule.via
    return at.drift is Drift.CORRECT


def _put_back(table: Lifecycle, live: Live, at: Circumstances) -> bool:
    """Tell whether somebody took the plan back: behind a goal that was once reached.

    Where nothing is recorded the server's own signs must do.
    """
    reached = at.memory.reached
    if at.base is ABSENT:
        return live.put_back
    if reached not in table.path or live.state not in table.path:
        return False
    return table.path.index(live.state) < table.path.index(reached)


def _left_alone(left: AbstractSet[str], drift: Drift, state: str) -> tuple[str, ...]:
    if not left:
        return ()
    why = "drift: report" if drift is Drift.REPORT else f"a write in {state} would undo more"
    order = "the order of "
    told = [f"{order}{at.removesuffix(ORDER)}" if at.endswith(ORDER) else at for at in sorted(left)]
    return (f"changed on the server and left as it is, {', '.join(told)}: {why}",)


def _conflicts(deltas: Sequence[Delta]) -> tuple[Refusal, ...]:
    paths = [delta.path for delta in deltas if delta.cause is Cause.CONFLICT]
    if not paths:
        return ()
    many = "1 field was" if len(paths) == 1 else f"{len(paths)} fields were"
    message = f"{many} changed both in git and on the server: {', '.join(paths)}"
    return (Refusal(guard="conflict", message=message, lift="--allow conflict"),)


def _replaced(shape: Shape, deltas: Sequence[Delta]) -> Iterator[Refusal]:
    """A field that the server never changes asks for another plan, which is not made by itself."""
    for delta in deltas:
        field_ = shape.fields.get(delta.path.split("/")[2])
        if delta.cause in WRITABLE and field_ is not None and field_.immutable:
            message = (
                f"{delta.path} would go from {delta.live} to {delta.desired}, and what was made of"
                " it would stay as it is: that is another plan"
            )
            yield Refusal(guard="replace", message=message, lift="--allow replace")


def _past(
    rules: Rules, spec: dict[str, JSON], found: Route, at: Circumstances, *, creating: bool
) -> tuple[Refusal, ...]:
    """After its window's end a plan is neither made nor moved forward."""
    closes = rules.closes_at(spec)
    path = rules.lifecycle.path
    forward = any(
        e.source in path and e.target in path and path.index(e.source) < path.index(e.target)
        for e in found.edges
    )
    if not closes or at.now <= closes or not (creating or forward):
        return ()
    what = "it would be created" if creating else "it would go forward"
    ended = datetime.fromtimestamp(max(closes, 0), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    message = f"its release window ended at {ended}, and {what}"
    return (Refusal(guard="past", message=message, lift="--allow past"),)


_NEXT = {Actor.APPROVER: "an approver is next", Actor.SERVER: "the server is next"}


def _notices(table: Lifecycle, found: Route, state: str, goal: str | None) -> tuple[str, ...]:
    """Say in words what is left alone, and who is next."""
    match found.standing:
        case Standing.STOPPED:
            final = state in table.finished
            how = "took it on from there" if found.away else "stopped it or put it back"
            again = "leads it back" if found.away else "takes it up again"
            message = f"the plan is in {state}, its goal is {goal}: somebody {how}"
            lift = "" if final else f"; --allow reopen {again}"
            return (f"{message}, so it is left alone{lift}",)
        case Standing.WAITING | Standing.REACHED | Standing.WALKING:
            who = _NEXT.get(found.next_actor or Actor.PLANOPS)
            return (f"in {found.ends} {who}",) if who else ()
        case Standing.AHEAD:
            return (f"the plan is in {state}, beyond its goal {goal}",)
        case Standing.UNKNOWN:
            return (f"planops does not know the state {state}; the plan is left alone",)
        case _:
            return ()
