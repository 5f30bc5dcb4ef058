"""What a pull request causes of one plan, and what was there before it, in words.

Nothing here is escaped: whoever renders escapes what comes out of here as hostile text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, assert_never

from planops.core.changes import Cause, Change, ChangeKind, Delta, StepKind
from planops.core.compare import about
from planops.core.forge import Risk
from planops.core.lifecycle import ASKED, Actor, Edge, Move, Standing
from planops.core.model import ABSENT, JSON, Allowance, Value, unescape
from planops.core.report import ChangeReport, Outcome, Report
from planops.core.review import Share
from planops.render import attribution, wording
from planops.render.escape import cut
from planops.render.values import Look, field
from planops.render.windows import lasting

NOT_CAUSED: Final = "not caused by this pull request"
_WRITES: Final = frozenset({StepKind.CREATE, StepKind.UPDATE})
_FOREIGN: Final = frozenset({Cause.DRIFT, Cause.CONFLICT})
_PEOPLE: Final = ("approve_users", "approve_groups", "users")
_CALLED: Final = ("account", "user_name", "name", "group_name", "user_id", "id", "group_id")
_MOST: Final = 4
_NAME: Final = 60
_REASON: Final = 200
_GONE: Final = ("is removed by this pull request", "does not declare it any more")


def causes(item: ChangeReport) -> bool:
    """Tell whether the pull request causes anything of a change."""
    return item.share is not None and item.share.causes


def caused(report: Report) -> list[ChangeReport]:
    """Give the changes that the pull request causes, the riskiest first."""
    return ranked(report.changes)


def ranked(items: Iterable[ChangeReport]) -> list[ChangeReport]:
    """Keep the changes that the pull request causes, the riskiest first."""
    found = [item for item in items if causes(item)]
    return sorted(found, key=lambda item: (-risk(item).rank, item.change.key))


def idle(report: Report) -> list[ChangeReport]:
    """Give the plans whose file is changed and of which nothing comes.

    A file of several plans is none where something comes of one of them.
    """
    files = {item.change.plan.source.file for item in report.changes if causes(item)}
    found = (item for item in report.changes if item.share is not None and item.share.idle)
    return [item for item in found if item.change.plan.source.file not in files]


def beside(items: Iterable[ChangeReport]) -> list[ChangeReport]:
    """Give the changes that merging neither causes nor hides; what merely waits is none."""
    return [item for item in items if not causes(item) and remains(item)]


def risk(item: ChangeReport) -> Risk:
    """Give the risk of a change; of what nothing is known it is none."""
    return item.share.risk if item.share else Risk.ROUTINE


def action(item: ChangeReport) -> str:
    """Say what is done to the plan, and what comes of that for people."""
    change = item.change
    if change.error:
        return "cannot be compared"
    said = " → ".join(filter(None, (_deed(change), consequence(change))))
    if not change.refusals:
        return said
    return f"blocked: {said}" if change.acts else "blocked"


def _deed(change: Change) -> str:
    if change.kind is ChangeKind.FORGET:
        return "close the record"
    if change.kind is ChangeKind.UNCHANGED:
        return "stays on the server" if change.orphan else "no call"
    return change.kind.value


def consequence(change: Change) -> str:
    """Say what a change means for people, in a few words; nothing where it is only written."""
    edges, ends = change.route.edges, change.route.ends
    asks = bool(edges) and change.route.next_actor is Actor.APPROVER
    if cancels(change):
        return "asks for approval again" if asks else "cancels the approval"
    if asks:
        return "asks for approval"
    stays = change.live is not None and change.live.state == ends
    return f"moves to {ends}" if edges and not stays else ""


def cancels(change: Change) -> bool:
    """Tell whether a change throws away an approval that people are giving."""
    return any(ASKED in hazard for hazard in _hazards(change))


def takes_back(change: Change) -> bool:
    """Tell whether a change deletes a plan, or undoes what people or jobs have done.

    Edges that let a write in do that: they lead back.
    """
    moves = change.route.moves
    before = moves[: moves.index(Move.WRITE)] if Move.WRITE in moves else ()
    back = any(isinstance(move, Edge) and move.hazards for move in before)
    return back or change.kind is ChangeKind.DELETE or cancels(change)


def _hazards(change: Change) -> Iterator[str]:
    for edge in (*change.route.edges, *(step.edge for step in change.steps if step.edge)):
        yield from edge.hazards


def hazards(change: Change) -> list[str]:
    """Say what a change undoes or starts, each once, with the people whom it concerns."""
    said = ["deletes the plan from the server"] if change.kind is ChangeKind.DELETE else []
    return list(dict.fromkeys([*said, *(_named(h, change) for h in _hazards(change))]))


def _named(hazard: str, change: Change) -> str:
    people = approvers(change.live.spec) if change.live else ""
    return hazard.replace(
        ASKED, f"the approval that is being asked of {people}" if people else ASKED
    )


def approvers(spec: dict[str, JSON]) -> str:
    """Name those who are asked for an approval; nothing where it is switched off."""
    approval = spec.get("approval")
    if not isinstance(approval, dict) or not approval.get("enabled"):
        return ""
    return some(dict.fromkeys(_people(approval)))


def awaited(change: Change) -> str:
    """Name the people whose approval a plan waits for once the change is made."""
    if change.route.next_actor is not Actor.APPROVER:
        return ""
    live = change.live.spec if change.live else {}
    return approvers({**live, **change.plan.spec})


def _people(value: JSON, at: str = "") -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _people(one, at)
    elif isinstance(value, dict):
        if at in _PEOPLE:
            known = (value.get(name) for name in _CALLED)
            yield from (cut(str(one), _NAME) for one in [next(filter(None, known), None)] if one)
        for name, sub in value.items():
            yield from _people(sub, name)


def some(words: Iterable[str]) -> str:
    """List a few words, and count the others."""
    known = [*words]
    left = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
    return f"{', '.join(known[:_MOST])}{left}"


def risks(item: ChangeReport) -> list[str]:
    """Say what a reviewer has to know before merging, in words."""
    change, found = item.change, item.share or Share()
    said = [f"refused by {refusal.guard}" for refusal in change.refusals]
    said += [*hazards(change), *concerns(item)]
    if "protect" in found.manages and not change.plan.manage.protect:
        said.append("is no longer protected")
    return [*said, "the pull request does not touch its file"] if found.alarm else said


def concerns(item: ChangeReport) -> list[str]:
    """Say what is overwritten, lifted or stopped."""
    change = item.change
    said = list[str]()
    if names := [field(d.path) for d in change.deltas if _overwritten(item, d)]:
        hands = dict.fromkeys(
            d.touch.by for d in change.deltas if _overwritten(item, d) and d.touch
        )
        by = some(cut(name, _NAME) for name in hands if name) or "somebody"
        said.append(f"overwrites what {by} changed on the server ({some(names)})")
    lifts = (*map(allowed, change.allowed.values()), *change.lifted)
    said += [f"lifts the guard {one}" for one in lifts]
    if change.route.standing is Standing.STOPPED:
        said.append("somebody stopped this plan")
    return said


def allowed(one: Allowance) -> str:
    """Say which guard a file lifts, why, and until when."""
    until = f", until {cut(one.until, _NAME)}" if one.until else ""
    return f"{one.guard}: {cut(one.reason, _REASON)}{until}"


def _overwritten(item: ChangeReport, delta: Delta) -> bool:
    return delta.cause in _FOREIGN and _written(item.change, delta)


def _written(change: Change, delta: Delta) -> bool:
    writes = any(step.kind in _WRITES for step in change.steps)
    return writes and about(delta) not in change.left


def what(item: ChangeReport, look: Look) -> str:
    """Say in words what the pull request changes of a plan."""
    change, found = item.change, item.share or Share()
    if change.error:
        return "not known"
    if found.removed:
        return "its file does not declare it any more" if found.stays else "its file is removed"
    if change.kind is ChangeKind.CREATE:
        return f"a new plan with {wording.plural(len(change.plan.spec), 'field')}"
    said = ["a new file for a plan that the server has"] if found.new and change.live else []
    said += [_changed(d, look) for d in change.deltas if d.path in found.caused]
    said += [f"the goal becomes {change.plan.state or 'none'}"] if found.goal else []
    said += [f"{field(path)} differs no longer" for path in found.settled]
    said += [f"changes the rules {some(found.manages)}"] if found.manages else []
    return some(said) or "other calls, or other guards, for the same fields"


def _changed(delta: Delta, look: Look) -> str:
    name, old, new = _subject(delta.path), delta.live, delta.desired
    if delta.cause is Cause.RELEASED:
        return f"no longer declares {name}"
    if field(delta.path) in look.times and (shift := lasting(old, new)):
        return f"{name} {shift}"
    if old is ABSENT or new is ABSENT:
        return f"{'adds' if old is ABSENT else 'removes'} {name}"
    if _nothing(new):
        return f"clears {name}"
    return f"{'sets' if _nothing(old) else 'changes'} {name}"


def _nothing(value: Value) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)


def _subject(path: str) -> str:
    """Name a field and what it is in: ``content in text:Announce``."""
    parts = [unescape(part) for part in path.split("/")[1:] if part != "spec"]
    if not parts:
        return path
    return parts[0] if len(parts) == 1 else f"{parts[-1]} in {parts[-2]}"


def groups(item: ChangeReport) -> list[tuple[str, list[Delta]]]:
    """Part the fields of a change: those that the pull request causes, and those there already."""
    deltas, found = item.change.deltas, item.share
    if found is None:
        return [("", [*deltas])]
    ours = [delta for delta in deltas if delta.path in found.caused]
    rest = [delta for delta in deltas if delta.path not in found.caused]
    heads = ("caused by this pull request", f"already there, {NOT_CAUSED}")
    return [(head, part) for head, part in zip(heads, (ours, rest), strict=True) if part]


def there(item: ChangeReport, delta: Delta) -> str:
    """Say why a field differs without the pull request, and what merging does about it."""
    return f"{NOT_CAUSED}: {_reason(delta)}; merging {_fate(item, delta)}"


def _reason(delta: Delta) -> str:
    match delta.cause:
        case Cause.EDIT:
            return "in the base already, and not applied yet"
        case Cause.DRIFT | Cause.CONFLICT:
            by = f" ({attribution.touch(delta.touch)})" if delta.touch else ""
            return f"{wording.cause(delta)}{by}"
        case Cause.RELEASED | Cause.UNKNOWN:
            return wording.cause(delta)
        case _ as never:
            assert_never(never)


def _fate(item: ChangeReport, delta: Delta) -> str:
    if delta.cause in {Cause.RELEASED, Cause.UNKNOWN} or not _written(item.change, delta):
        return "leaves it"
    if item.change.refusals:
        return "writes nothing while this is refused"
    return "overwrites it" if delta.cause in _FOREIGN else "writes it as well"


def kept(item: ChangeReport) -> list[str]:
    """Say what the pull request changes beside the fields: rules, the goal, what settles."""
    found, change, plan = item.share or Share(), item.change, item.change.plan
    said = [_rule(name, change) for name in found.manages]
    if found.goal:
        said.append(f"the goal becomes {plan.state}" if plan.state else "the goal is given up")
    said += [f"{field(path)} differs no longer: merging settles it" for path in found.settled]
    if found.removed:
        said.append(f"{found.file or plan.source.file or 'its file'} {_GONE[found.stays]}")
    if found.new and change.live and not change.refusals:
        said.append("the plan is on the server already, and is managed once this is merged")
    if found.alarm:
        said.append("the pull request does not touch this plan's file, and changes the plan")
    return said


def _rule(name: str, change: Change) -> str:
    manage = change.plan.manage
    if name == "protect":
        now = "protected: it is never pruned" if manage.protect else "no longer protected"
        return f"the plan is {now}"
    if name == "ignore":
        ignored = some(manage.ignore)
        return f"ignored from now on: {ignored}" if ignored else "nothing is ignored any more"
    said = [f"{allowed(one)}{_lapsed(one, change)}" for one in manage.allow]
    return f"allowed by the file: {'; '.join(said)}" if said else "no guard is lifted any more"


def _lapsed(one: Allowance, change: Change) -> str:
    why = change.lapsed.get(one.guard)
    return f" (no longer: {why})" if why else ""


def drawn(change: Change) -> list[tuple[str, str]]:
    """Give the way of a plan as (what the move undoes or starts, state); the first has no move."""
    found: list[tuple[str, str]] = []
    for start, to, edge in wording.moves(change) if wording.travels(change) else ():
        if not found:
            found.append(("", start or "a new plan"))
        hazards = "; ".join(_named(hazard, change) for hazard in edge.hazards) if edge else ""
        found.append((hazards if edge else "fields are written", to))
    if not found and change.route.standing is not Standing.UNMANAGED and change.route.ends:
        found.append(("", change.route.ends))
    return found


def ending(change: Change) -> str:
    """Say who is next at the end of a way, and how that stands to the goal."""
    goal = change.plan.state
    match change.route.standing:
        case Standing.UNMANAGED:
            return ""
        case Standing.WALKING | Standing.REACHED:
            actor = change.route.next_actor
            return f"the goal; ⏸ {wording.following(actor)}" if actor else "the goal"
        case Standing.WAITING:
            further = f"; the goal is {goal}" if goal not in {None, change.route.ends} else ""
            return f"⏸ {wording.following(change.route.next_actor)}{further}"
        case Standing.AHEAD:
            return f"beyond the goal {goal}"
        case Standing.STOPPED:
            return f"⏸ {wording.stopped(change)}"
        case Standing.UNKNOWN:
            return "a state that planops does not know; left alone"
        case Standing.BLOCKED:
            return "and no further" if change.route.ends else ""
        case _ as never:
            assert_never(never)


def remains(item: ChangeReport) -> bool:
    """Tell that something is the matter with a plan that the pull request has no part in."""
    change = item.change
    stuck = change.route.standing in {Standing.STOPPED, Standing.UNKNOWN}
    wrong = change.refusals or change.error or item.error
    return bool(change.deltas or change.steps or wrong or stuck or change.orphan)


def remaining(item: ChangeReport) -> str:
    """Say in a sentence what is the matter with such a plan."""
    change = item.change
    names: dict[str, list[str]] = {}
    for delta in change.deltas:
        names.setdefault(_matter(delta.cause), []).append(field(delta.path))
    said = [f"{matter} ({some(fields)})" for matter, fields in names.items()]
    said += [f"refused by {refusal.guard}" for refusal in change.refusals]
    said += [item.error or change.error] if item.error or change.error else []
    if change.route.standing in {Standing.STOPPED, Standing.UNKNOWN}:
        said.append(f"{change.route.ends}: {ending(change).removeprefix('⏸ ')}")
    if item.outcome is Outcome.PENDING and change.steps:
        kinds = dict.fromkeys(step.kind.value for step in change.steps)
        said.append(f"{wording.plural(len(change.steps), 'call')} pending ({', '.join(kinds)})")
    said += change.notices if change.orphan else ()
    return "; ".join(said)


def _matter(cause: Cause) -> str:
    match cause:
        case Cause.EDIT:
            return "an edit that is not applied yet"
        case Cause.DRIFT:
            return "drift"
        case Cause.CONFLICT:
            return "a conflict"
        case Cause.RELEASED:
            return "no longer declared"
        case Cause.UNKNOWN:
            return "not to be compared"
        case _ as never:
            assert_never(never)
