"""The states of a plan and the events between them, as data (docs/servers/brpm.md §5)."""

from dataclasses import dataclass

from planops.sandbox.brpm.answers import Unprocessable
from planops.sandbox.brpm.switches import PlanEvent, Switches

FIRST, ARCHIVED, DELETED = "created", "archived", "deleted"
PLAN, DELETE = "plan_it", "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One event: from which states it leads where."""

    event: str
    sources: frozenset[str]
    target: str


def _transition(event: str, target: str, *sources: str) -> Transition:
    return Transition(event=event, sources=frozenset(sources), target=target)


TABLE = (
    _transition(PLAN, "planned", FIRST),
    _transition("start", "started", "planned", "hold", "locked"),
    _transition("lock", "locked", "planned", "started"),
    _transition("put_on_hold", "hold", "started"),
    _transition("finish", "complete", "started"),
    _transition("archive", ARCHIVED, "complete"),
    _transition("cancel", "cancelled", FIRST, "planned", "started", "hold"),
    _transition(DELETE, DELETED, FIRST, "cancelled", ARCHIVED),
)
_BY_EVENT = {one.event: one for one in TABLE}
_PLAN_SPELLINGS: dict[PlanEvent, frozenset[str]] = {
    "plan_it": frozenset({"plan_it"}),
    "plan": frozenset({"plan"}),
    "both": frozenset({"plan_it", "plan"}),
}


def target_of(event: str, state: str, switches: Switches) -> str:
    """Where an event leads from a state; ``Unprocessable`` names the event (§5.6)."""
    spellings = _PLAN_SPELLINGS[switches.plan_event]
    known = spellings | _BY_EVENT.keys() - {PLAN}
    if event not in known:
        raise Unprocessable({"aasm_event": ["is not a known event"]})
    transition = _BY_EVENT[PLAN if event in spellings else event]
    if state not in transition.sources:
        spelt = switches.spelt(state)
        raise Unprocessable({"aasm_event": [f"{event} is not allowed in the state {spelt}"]})
    return transition.target


def check_deletable(state: str, switches: Switches) -> None:
    """``Unprocessable`` where the state forbids a DELETE (§5.6)."""
    if state not in _BY_EVENT[DELETE].sources:
        message = f"Plan cannot be deleted in the state {switches.spelt(state)}"
        raise Unprocessable({"base": [message]})
