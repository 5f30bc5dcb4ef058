"""GitHub's runner as far as it reads commands: ``ActionCommand`` of actions/runner, rule for rule.

Written from the runner, not from what planops writes: the new form, which a line must begin with,
the old form, which may stand anywhere, and how each is taken apart and unescaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

COMMANDS = frozenset(
    {
        "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group",
        "internal-set-repo-path", "notice", "remove-matcher", "save-state", "set-env", "set-output",
        "stop-commands", "warning",
    }
)  # fmt: skip
ANNOTATIONS = 10  # of one level in one step
MESSAGE = 4096  # characters, as .NET counts them


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command as the runner understands it."""

    name: str
    properties: Mapping[str, str]
    data: str


def lines(output: str) -> list[str]:
    r"""Part output as the reader of a stream does in .NET: at ``\r\n``, ``\r``, ``\n``."""
    parted = output.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return parted[:-1] if parted[-1] == "" else parted


def command(line: str) -> Command | None:
    """Read a line as the runner does: the new form first, then the old one."""
    return _new(line.lstrip()) or _old(line)


def _new(line: str) -> Command | None:
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    name, _, given = line[2:end].partition(" ")
    if name not in COMMANDS:
        return None
    properties = _properties(given.strip().split(","), "\r%0D \n%0A :%3A ,%2C %%25")
    return Command(name=name, properties=properties, data=_plain(line[end + 2 :], _DATA))


def _old(line: str) -> Command | None:
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    name, _, given = line[start + 3 : end].partition(" ")
    if name not in COMMANDS:
        return None
    properties = _properties(given.split(";"), ";%3B \r%0D \n%0A ]%5D %%25")
    return Command(name=name, properties=properties, data=_plain(line[end + 1 :], _DATA))


_DATA = "\r%0D \n%0A %%25"


def _properties(given: list[str], escapes: str) -> dict[str, str]:
    pairs = (one.partition("=") for one in given)
    return {name: _plain(value, escapes) for name, _, value in pairs if name and value}


def _plain(text: str, escapes: str) -> str:
    for each in escapes.split(" "):
        text = text.replace(each[1:], each[0])
    return text


def length(text: str) -> int:
    """Count characters as .NET does."""
    return len(text.encode("utf-16-le")) // 2
