"""The faults of the emulated Zadig: those of the wire, and its own (docs/servers/zadig.md §2)."""

from dataclasses import dataclass
from typing import Literal, get_args

from planops.sandbox import faults
from planops.sandbox.faults import WIRE_KINDS, WireKind

_Condition = Literal[
    "lock", "licence", "licence-down", "user-service-down", "counter-down", "timer-down"
]
_OwnKind = Literal[_Condition, "description-mixup"]
Kind = Literal[WireKind, _OwnKind]
KINDS: frozenset[str] = WIRE_KINDS | frozenset(get_args(_OwnKind))
CONDITIONS: frozenset[str] = frozenset(get_args(_Condition))


@dataclass(frozen=True, slots=True)
class Fault(faults.Fault):
    """One fault, of the wire (``planops.sandbox.faults``) or of the server.

    ``lock``, ``licence``, ``licence-down`` and ``user-service-down`` make the server itself refuse,
    ``counter-down`` before it stores a new plan, ``timer-down`` after it has saved one (§2.3);
    ``description-mixup`` gives a coded error the description ``body`` (§2.2).
    """

    kind: Kind
