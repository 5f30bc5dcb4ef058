"""The faults of the emulated BRPM: those of the wire, and none of its own."""

from dataclasses import dataclass

from planops.sandbox import faults
from planops.sandbox.faults import WireKind as Kind

__all__ = ["Fault", "Kind"]


@dataclass(frozen=True, slots=True)
class Fault(faults.Fault):
    """One fault of the wire (``planops.sandbox.faults``).

    Routes are named ``list``, ``show``, ``create``, ``update`` and ``delete``; those of the other
    resources ``teams`` for the list, ``team`` for one, and so on. A server that fails (§7.4) is
    ``status-before`` or ``status-after`` with 500 and ``planops.sandbox.brpm.FAILED_PAGE``.
    """

    kind: Kind
