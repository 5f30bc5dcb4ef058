"""Who is writing: a name for people, a name for this run, and a link to it where CI gives one."""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from planops.core.ledger import Lease

_LINKS = (
    ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"),
    ("CI_JOB_URL",),
    ("BUILD_URL",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """This process, as it signs the ledger."""

    holder: str
    run: str
    link: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Writer:
        """Take user, host and process, and the link that a CI sets."""
        host = socket.gethostname()
        run = f"{host}{_numbering()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"
        return cls(holder=f"{_user()}@{host}", run=run, link=_link(environ))

    def knows_dead(self, lease: Lease) -> bool:
        """Tell whether the holder was a process of this computer, and is not there any more."""
        host, slash, rest = lease.run.partition("/")
        pid = rest.partition("/")[0]
        if not slash or host != self.run.partition("/")[0] or not pid.isdecimal():
            return False
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):
            return False
        return False


def _numbering() -> str:
    """Tell apart what counts its processes on its own: kernels, their boots, and containers.

    Several of them may have one host's name, and a number that is not in use here says nothing
    about a process there. Empty where the system has no such marks.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
        space = str(Path("/proc/self/ns/pid").readlink()).encode()
    except OSError:
        return ""
    return f":{hashlib.sha256(boot + space).hexdigest()[:8]}"


def in_ci(environ: Mapping[str, str]) -> bool:
    """Tell whether nobody sits in front of this run: the variable that every CI sets says so."""
    return environ.get("CI", "").lower() not in {"", "0", "false"}


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "somebody"


def _link(environ: Mapping[str, str]) -> str:
    server, repository, run = (environ.get(name, "") for name in _LINKS[0])
    if server and repository and run:
        return f"{server}/{repository}/actions/runs/{run}"
    return next((environ[name] for (name,) in _LINKS[1:] if environ.get(name)), "")
