"""What the sources leave open, to be chosen (docs/servers/brpm.md §8.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

EmptyList = Literal["404", "null", "[]"]
Matching = Literal["exact", "loose", "ignored"]
PlanEvent = Literal["plan_it", "plan", "both"]
DeleteStatus = Literal[200, 202, 204]

_CHOICES: Mapping[str, tuple[object, ...]] = {
    "empty": get_args(EmptyList),
    "filters": get_args(Matching),
    "hide_archived": (True, False),
    "plan_event": get_args(PlanEvent),
    "delete_status": get_args(DeleteStatus),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """One server's habits.

    ``empty`` is what an empty list answers (§1.6); ``filters`` how they are matched (§3.4):
    exactly, whatever the case, or not at all; ``hide_archived`` keeps archived plans out of lists
    that do not ask for them (§3.5); ``plan_event`` is the known spelling of the plan event (§5.2);
    ``states`` maps states to other spellings (§5.5); ``delete_status`` is what a DELETE answers
    (§1.5).
    """

    empty: EmptyList = "404"
    filters: Matching = "exact"
    hide_archived: bool = True
    plan_event: PlanEvent = "plan_it"
    states: Mapping[str, str] = field(default_factory=dict)
    delete_status: DeleteStatus = 200

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                known = ", ".join(repr(choice) for choice in choices)
                raise ValueError(f"{name}: is {value!r}: must be one of {known}")

    def spelt(self, state: str) -> str:
        """A state as this server spells it."""
        return self.states.get(state, state)


def switched(switches: Switches, changes: Mapping[str, Any]) -> Switches:
    """The switches with some of them changed; ``ValueError`` for what there is not."""
    known = [one.name for one in fields(Switches)]
    for name in changes:
        if name not in known:
            raise ValueError(f"{name}: is no switch: known are {', '.join(known)}")
    return replace(switches, **changes)
