"""Every exception of planops, divided by who must act.

PlanopsError
├── FilesWrong        the author of the files: a plan file cannot be used
├── SettingsWrong     the operator: planops.yaml, its variables, certificates, addresses
├── UsageWrong        the caller: the command line
├── Refused           a person decides: a guard, an identity, what cannot be done faithfully
├── Stale             somebody else moved: live is no longer what was shown
│   └── LedgerMoved   another run wrote into the ledger first
├── Busy              another run holds the ledger; try again when it is done
├── ServerSaidNo      the server or its operator
│   ├── Unreachable   nothing was sent, or a read failed: the only one worth another try
│   ├── NotAllowed    the token is missing, refused, or lacks a right
│   ├── PlanGone      the server says that there is no such plan
│   ├── StateConflict the plan's state forbids the write
│   └── Garbled       an answer that is not understood: HTML, cut JSON, too large
├── ForgeFailed       the forge or its operator: a comment, a label, an issue; never a plan
│   ├── ForgeRefused  the token may not do this, or may not see that it is there
│   └── ForgeBusy     the forge asks for a longer wait than was allowed
└── OutcomeUnknown    a write was sent and its outcome could not be established

A message is one sentence, ``where: what: why; what to do``: identifiers, numbers and the flag that
helps, never a secret, never a whole body.
"""

from __future__ import annotations


class PlanopsError(Exception):
    """The root: whatever planops raises on purpose."""


class FilesWrong(PlanopsError):
    """The files cannot be used; their author must act."""


class SettingsWrong(PlanopsError):
    """The settings cannot be used; the operator must act."""


class UsageWrong(PlanopsError):
    """The command line asks for something that does not fit together."""


class Refused(PlanopsError):
    """Planops will not do this; a person must decide."""


class Stale(PlanopsError):
    """Live moved since the change was shown; look again before anything is written."""


class LedgerMoved(Stale):
    """Another run wrote into the ledger between our reading and our writing; nothing was lost."""


class Busy(PlanopsError):
    """Another run holds the lease; nothing was begun."""


class ServerSaidNo(PlanopsError):
    """The server answered, and the answer was no."""


class Unreachable(ServerSaidNo):
    """No answer, and nothing was changed: trying again is safe."""


class NotAllowed(ServerSaidNo):
    """The token is missing, refused, or lacks the right."""


class PlanGone(ServerSaidNo):
    """The server says that there is no plan of this id."""


class StateConflict(ServerSaidNo):
    """The plan's state forbids what was asked."""


class Garbled(ServerSaidNo):
    """The answer is not what this server sends: HTML, cut JSON, too large."""


class ForgeFailed(PlanopsError):
    """A comment, a label or an issue could not be written; no plan is concerned."""


class ForgeRefused(ForgeFailed):
    """The token may not do this on the forge, or may not see it: do without."""


class ForgeBusy(ForgeFailed):
    """The forge asks to wait longer than the caller is willing to."""


class OutcomeUnknown(PlanopsError):
    """A write was sent; whether it happened could not be established."""
