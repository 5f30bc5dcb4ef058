"""What can go wrong with one try of a call, and which exception a read and a write make of it."""

from __future__ import annotations

import enum
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from planops.errors import (
    Garbled,
    OutcomeUnknown,
    PlanopsError,
    ServerSaidNo,
    SettingsWrong,
    Unreachable,
)

if TYPE_CHECKING:
    from planops.backends.exchange import Request, Source


_EXPIRED: Final = frozenset({9, 10})
_OTHER_NAME: Final = frozenset({62, 64})
_UNKNOWN_AUTHORITY: Final = frozenset({2, 18, 19, 20, 21})


class Kind(enum.Enum):
    """How much of a call happened, as far as anybody can know."""

    SETTINGS = enum.auto()  # nothing was sent, and trying again would not help
    NOT_SENT = enum.auto()  # no connection was made
    LOST = enum.auto()  # something was sent, no complete answer came
    UNREADABLE = enum.auto()  # an answer came that cannot be taken
    REDIRECT = enum.auto()  # the server points elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One failed try: ``why`` and ``todo`` are parts of a sentence without secrets.

    ``again`` says whether another try of a safe call may help; ``status`` is the answer's, if one
    began.
    """

    kind: Kind
    why: str
    todo: str = "see whether the server is up and try again"
    again: bool = False
    status: int | None = None


def read_error(fault: Fault, request: Request, host: str, tries: int) -> PlanopsError:
    """Return the exception for a safe call that failed, after so many tries."""
    where, why = f"{request} at {host}", fault.why + _status(fault)
    match fault.kind:
        case Kind.SETTINGS:
            return SettingsWrong(f"{where}: nothing was sent: {why}; {fault.todo}")
        case Kind.REDIRECT:
            return ServerSaidNo(f"{where}: not followed: {why}; {fault.todo}")
        case Kind.UNREADABLE:
            return Garbled(f"{where}: an answer that is not understood: {why}; {fault.todo}")
        case Kind.NOT_SENT | Kind.LOST:
            return Unreachable(f"{where}: no usable answer{_tries(tries)}: {why}; {fault.todo}")
        case _ as never:
            assert_never(never)


def write_error(fault: Fault, request: Request, host: str, tries: int) -> PlanopsError:
    """Return the exception for a write that failed, after so many attempts to connect."""
    where, why = f"{request} at {host}", fault.why + _status(fault)
    match fault.kind:
        case Kind.SETTINGS | Kind.REDIRECT:
            return read_error(fault, request, host, tries)
        case Kind.NOT_SENT:
            return Unreachable(f"{where}: nothing was sent{_tries(tries)}: {why}; {fault.todo}")
        case Kind.LOST | Kind.UNREADABLE:
            return OutcomeUnknown(
                f"{where}: sent once, outcome unknown: {why}; "
                "it was not repeated: look at the server, or run again, which resolves it"
            )
        case _ as never:
            assert_never(never)


def connect_fault(error: Exception, why: str, source: Source) -> Fault:
    """Tell apart why no connection was made; ``why`` is the redacted text of the error."""
    url, ca_file = f"{source.url} in {source.file}", f"{source.ca_file} in {source.file}"
    refused = _certificate_error(error)
    if refused is None:
        todo = f"check {url}, and that the server can be reached from here"
        return Fault(kind=Kind.NOT_SENT, why=why, todo=todo, again=True)
    if refused.verify_code in _OTHER_NAME:
        problem, todo = "its certificate is for another name", f"correct {url}"
    elif refused.verify_code in _EXPIRED:
        problem, todo = "its certificate is out of date", "renew it, or set this machine's clock"
    elif refused.verify_code in _UNKNOWN_AUTHORITY:
        problem = "its certificate is from an authority that is not known here"
        todo = f"set {ca_file} to the authority's certificate"
    else:
        problem, todo = "its certificate was refused", f"set {ca_file}, or mend it"
    return Fault(kind=Kind.SETTINGS, why=f"{problem} (code {refused.verify_code})", todo=todo)


def proxy_fault(why: str) -> Fault:
    """Return the fault for a proxy that let nothing through; ``why`` is its redacted answer."""
    todo = "check HTTPS_PROXY and NO_PROXY"
    if why.startswith("5"):
        return Fault(kind=Kind.NOT_SENT, why=f"the proxy answered {why}", todo=todo, again=True)
    return Fault(kind=Kind.SETTINGS, why=f"the proxy answered {why}", todo=todo)


def busy_fault(status: int, source: Source, *, empty: bool) -> Fault:
    """Return the fault for a server that went on to answer that it cannot answer."""
    return Fault(
        kind=Kind.LOST,
        why=f"the server answered {status}{' without a body' if empty else ''}",
        todo=f"try again later{source.load}",
    )


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Find the refused certificate below an error that the libraries wrapped."""
    for _ in range(8):
        if error is None or isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _status(fault: Fault) -> str:
    return "" if fault.status is None else f" (status {fault.status})"


def _tries(tries: int) -> str:
    return "" if tries == 1 else f" in {tries} tries"
