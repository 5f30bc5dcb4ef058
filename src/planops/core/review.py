"""What a pull request causes, and what was there before it: two comparisons of one observation.

The files of the base and those that merging makes are compared with the same live plans. What only
the second comparison finds is caused by the pull request; what both find is already there. Pure:
who posts what where is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from planops.core.changes import Cause, Change, ChangeKind, Delta, StepKind
from planops.core.compare import compare, declared
from planops.core.forge import Risk
from planops.core.lifecycle import Route, Standing
from planops.core.model import JSON, Manage, Plan, PlanKey, overlap
from planops.core.shape import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What of one change a pull request causes.

    ``caused`` are the paths of deltas that only the pull request's files lead to, ``there`` those
    that the base's files lead to as well, ``settled`` those that merging makes go away. ``calls``
    tells that the calls themselves become others, or are made at last, ``guards`` that other guards
    stand against them, or none any more. ``manages`` names what is changed of planops' own rules
    for the plan, ``goal`` that another state is asked for. ``touched``: the pull request changes
    the plan's file, ``removed``: no file declares the plan any more, ``new``: before it none did.
    ``file`` is where the base declares a plan that is removed, ``stays`` tells that this file is
    there after merging, and declares something else.
    """

    touched: bool = False
    removed: bool = False
    new: bool = False
    file: str = ""
    stays: bool = False
    calls: bool = False
    guards: bool = False
    goal: bool = False
    manages: tuple[str, ...] = ()
    caused: frozenset[str] = frozenset()
    there: frozenset[str] = frozenset()
    settled: tuple[str, ...] = ()
    risk: Risk = Risk.ROUTINE

    @property
    def causes(self) -> bool:
        """Tell whether merging makes any difference to the plan, or to how it is kept."""
        return bool(
            self.removed
            or self.new
            or self.calls
            or self.guards
            or self.goal
            or self.manages
            or self.caused
            or self.settled
        )

    @property
    def alarm(self) -> bool:
        """Tell that a plan is concerned whose file the pull request does not touch."""
        return self.causes and not self.touched

    @property
    def idle(self) -> bool:
        """Tell that the file is changed and nothing comes of it (blanks, comments, labels)."""
        return self.touched and not self.causes


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Facts of a whole review: two commits, and what a reviewer must know beside the changes.

    ``head`` is what was reviewed; ``clean`` tells that it was merged into the base for that without
    conflict, else what conflicts was taken as the head has it. ``settings`` are files of the
    operator that the pull request changes and that are not used. ``dropped`` are plans whose file
    goes and of which nothing is recorded: they stay on the server. ``number`` is the pull
    request's. ``offline``: no server was asked.
    """

    base: str
    head: str
    clean: bool = True
    offline: bool = False
    number: int = 0
    settings: tuple[str, ...] = ()
    dropped: tuple[PlanKey, ...] = ()


def share(
    before: Change | None,
    after: Change,
    known: Plan | None,
    *,
    touched: bool,
    stopped: bool = False,
    files: Collection[str] = (),
) -> Share:
    """Split one change: ``before`` is what the base's file leads to, ``after`` what merging does.

    ``known`` is the plan as the base's file declares it, ``None`` where none does. ``stopped``
    tells that something stands against the whole target in the base, and does no more. ``files``
    are the plan files that merging makes.
    """
    removed = known is not None and after.orphan is not None
    file = known.source.file if known and removed else ""
    earlier = [_marked(delta) for delta in before.deltas] if before else list[Delta]()
    caused = frozenset(d.path for d in after.deltas if _marked(d) not in earlier)
    there = frozenset(d.path for d in after.deltas) - caused
    found = Share(
        touched=touched or removed,
        removed=removed,
        new=known is None and after.orphan is None,
        file=file,
        stays=file in files,
        calls=_calls(before) != _calls(after) or _freed(before, after, stopped=stopped),
        guards=_guards(before) != _guards(after),
        goal=known is not None and not removed and known.state != after.plan.state,
        manages=() if after.orphan is not None else _manages(known, after.plan),
        caused=caused,
        there=there,
        settled=_settled(before, after),
    )
    return replace(found, risk=risk(after, found))


def _marked(delta: Delta) -> Delta:
    """The delta as the comparison found it, whoever it was put down to since."""
    return replace(delta, mark=None, blame=None, touch=None)


def _calls(change: Change | None) -> tuple[str, ...]:
    return tuple(step.request.digest() for step in change.steps) if change else ()


def _freed(before: Change | None, after: Change, *, stopped: bool) -> bool:
    """Tell that calls are made which something stood against."""
    held = stopped or bool(before and before.refusals)
    return held and bool(after.steps) and not after.refusals


def _settled(before: Change | None, after: Change) -> tuple[str, ...]:
    """Name what differs no longer; nothing of a plan that is not compared any more."""
    if before is None or after.live is None or after.orphan is not None:
        return ()
    now = [delta.path for delta in after.deltas]
    paths = (delta.path for delta in before.deltas)
    return tuple(path for path in paths if not any(overlap(path, other) for other in now))


def _guards(change: Change | None) -> frozenset[str]:
    return frozenset(refusal.guard for refusal in change.refusals) if change else frozenset()


def _manages(before: Plan | None, after: Plan) -> tuple[str, ...]:
    old, new = before.manage if before else Manage(), after.manage
    names = ("protect", "ignore", "allow")
    return tuple(name for name in names if getattr(old, name) != getattr(new, name))


def risk(change: Change, of: Share) -> Risk:
    """Say how much a reviewer has to look at what the pull request makes of a plan."""
    if change.refusals or change.error:
        return Risk.BLOCKED
    kinds = {step.kind for step in change.steps}
    hazards = any(step.hazards for step in change.steps)
    undoes = any(delta.cause in {Cause.DRIFT, Cause.CONFLICT} for delta in change.deltas)
    lifts = bool(change.allowed or change.lifted) or "protect" in of.manages
    overwrites = undoes and bool(kinds) and not change.left
    if hazards or StepKind.DELETE in kinds or overwrites or lifts or of.alarm:
        return Risk.ATTENTION
    return Risk.ROUTINE


def worst(shares: Iterable[Share | None]) -> Risk:
    """Give the greatest risk of what the pull request causes."""
    ranks = (one.risk for one in shares if one is not None and one.causes)
    return max(ranks, key=lambda one: one.rank, default=Risk.ROUTINE)


def in_files(shape: Shape, before: Plan | None, after: Plan) -> Change:
    """Compare two files of a plan, and no server: what stands on the live side is the base's file.

    There are no calls and no route, since nobody knows where the plan stands.
    """
    if before is None:
        kind, deltas = ChangeKind.CREATE, declared(shape, _keyed(after.spec))
    else:
        then, now = _keyed(before.spec), _keyed(after.spec)
        deltas = compare(shape, base=then, desired=now, live=then)
        moves = ChangeKind.TRANSITION if before.state != after.state else ChangeKind.UNCHANGED
        kind = ChangeKind.UPDATE if deltas else moves
    return Change(
        key=after.key,
        kind=kind,
        plan=after,
        live=None,
        deltas=deltas,
        route=Route(standing=Standing.UNMANAGED),
        steps=(),
    )


def _keyed(value: JSON) -> JSON:
    """Let accounts stand for the ids that identify people, which only the server knows."""
    if isinstance(value, list):
        return [_keyed(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {name: _keyed(sub) for name, sub in value.items()}
    account = found.get("account")
    return found if account is None or "user_id" in found else {**found, "user_id": account}
