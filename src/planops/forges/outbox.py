"""What a CI job leaves for later steps and for people: outputs, the step's summary, a dotenv file.

Names are checked, values cannot end what they stand in. Nothing is written unless all of it can be.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from planops.errors import SettingsWrong

SUMMARY_LIMIT: Final = 900 * 1024
"""UTF-8 bytes of a step's summary: GitHub drops the whole of it beyond 1 MiB, near that too."""
OUTPUT_LIMIT: Final = 400 * 1024
"""Characters of all outputs: GitHub takes 1 MB a job, counted in UTF-16."""
DOTENV_LIMIT: Final = 5 * 1024
DOTENV_NAMES: Final = 20
"""GitLab's defaults: a file smaller than 5 KB, at most 20 names."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]{0,99}")
_BEGIN, _END = "<!-- planops:summary -->\n", "<!-- /planops:summary -->\n"
_OURS: Final = re.compile(re.escape(_BEGIN) + ".*?" + re.escape(_END), re.DOTALL)
_CUT: Final = "\n\n_The rest is cut: this is all that a summary may hold._\n"
_FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_TAG: Final = re.compile(r"<(/?)details\b[^>]*>", re.IGNORECASE)
_KEPT: Final = " /:,@=+-_.~"


def _random() -> str:
    return secrets.token_hex(16)


def write_outputs(
    path: Path, values: Mapping[str, str], *, delimiter: Callable[[], str] = _random
) -> None:
    """Add outputs to GitHub's file of them, each between two lines that nobody can guess.

    Raises ``ValueError`` for a name that is none, and where all are too long together;
    ``SettingsWrong`` where the file cannot be written.
    """
    if sum(map(len, values.values())) > OUTPUT_LIMIT:
        raise ValueError(f"outputs may have {OUTPUT_LIMIT} characters together")
    parts = []
    for name, value in values.items():
        end = f"planops_{delimiter()}"
        if not _NAME.fullmatch(name) or end in value:
            raise ValueError("an output's name is made of letters, digits, _ and -")
        parts.append(f"{name}<<{end}\n{value}\n{end}\n")
    _write(path, "GITHUB_OUTPUT", "".join(parts), mode="a")


def write_summary(path: Path, body: str) -> None:
    """Write our part of a step's summary, in the place of what we had written there.

    What others wrote into the file stays; ours is cut where both are too long. Raises
    ``SettingsWrong`` where the file cannot be read or written.
    """
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise _unwritable("GITHUB_STEP_SUMMARY", error) from None
    others = _OURS.sub("", data.decode("utf-8", "replace"))
    if others and not others.endswith("\n"):
        others += "\n"
    frame = len((others + _BEGIN + _END).encode()) + 1
    ours = shortened(body.replace(_END.strip(), ""), max(SUMMARY_LIMIT - frame, 0))
    _write(path, "GITHUB_STEP_SUMMARY", f"{others}{_BEGIN}{ours}\n{_END}", mode="w")


def write_dotenv(path: Path, values: Mapping[str, str]) -> None:
    """Write a dotenv report for GitLab: ``has-changes`` becomes ``PLANOPS_HAS_CHANGES``.

    GitLab takes one line a value, without quotes, trims it, and expands ``$``: whatever is not
    plain is percent-encoded. Raises ``ValueError`` for a name that is none, and beyond the limits;
    ``SettingsWrong`` where the file cannot be written.
    """
    lines = []
    for name, value in values.items():
        if not _NAME.fullmatch(name):
            raise ValueError("an output's name is made of letters, digits, _ and -")
        plain = quote(value, safe=_KEPT, errors="replace")
        inner = plain.strip(" ")
        lines.append(f"PLANOPS_{name.upper().replace('-', '_')}={inner}\n")
    text = "".join(lines)
    if len(lines) > DOTENV_NAMES or len(text) >= DOTENV_LIMIT:
        raise ValueError(f"a dotenv report holds {DOTENV_NAMES} names and {DOTENV_LIMIT} bytes")
    _write(path, str(path), text, mode="w")


def shortened(text: str, limit: int) -> str:
    """Cut Markdown at the end of a line so that it has at most so many bytes in UTF-8.

    What is open there, a fence or folded details, is closed; what was cut is said.
    """
    if len(text.encode("utf-8", "replace")) <= limit:
        return text
    kept: list[str] = []
    size, fence, depth = 0, "", 0
    end = _CUT
    for line in text.split("\n"):
        size += len(line.encode("utf-8", "replace")) + 1
        fence, depth = _after(line, fence, depth)
        closing = _closing(fence, depth)
        if size + len(closing.encode()) > limit:
            break
        kept.append(line + "\n")
        end = closing
    whole = "".join(kept) + end
    return whole if len(whole.encode("utf-8", "replace")) <= limit else ""


def _closing(fence: str, depth: int) -> str:
    ended = f"{fence}\n" if fence else ""
    return f"{ended}{_CUT}" + "\n</details>\n" * depth


def _after(line: str, fence: str, depth: int) -> tuple[str, int]:
    """Say which fence and how many details are open after a line."""
    found = _FENCE.match(line)
    if fence:
        ends = found and found[1].startswith(fence) and not found[2].strip()
        return ("" if ends else fence), depth
    if found and not (found[1][0] == "`" and "`" in found[2]):
        return found[1], depth
    for tag in _TAG.finditer(line):
        depth = max(depth + (-1 if tag[1] else 1), 0)
    return "", depth


def _write(path: Path, name: str, text: str, *, mode: str) -> None:
    data = text.encode("utf-8", "replace")
    try:
        with path.open(f"{mode}b") as file:
            file.write(data)
    except OSError as error:
        raise _unwritable(name, error) from None


def _unwritable(name: str, error: OSError) -> SettingsWrong:
    return SettingsWrong(f"{name}: it cannot be written: {error.strerror}; it is set by the forge")
