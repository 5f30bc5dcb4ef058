"""Where reports go: rendered once a sink, files first, never half-written."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import planops
from planops.core.report import Report
from planops.errors import SettingsWrong

TIMES = frozenset({"start_time", "end_time", "schedule_execute_time"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What the user asked to see: sinks of format and file, colour, how much."""

    sinks: Sequence[tuple[str, str]]
    color: str
    verbose: int

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Output:
        """Take what the shared options hold."""
        return cls(sinks=given["sinks"], color=given["color"], verbose=given["verbose"])

    def write(self, report: Report) -> None:
        """Write the report to every sink. Raises ``SettingsWrong`` where a file cannot be."""
        for kind, file in self.sinks or (("text", ""),):
            if file:
                write_file(Path(file), self._render(report, kind, colour=False))
            else:
                click.echo(self._render(report, kind, colour=self.colour), nl=False, color=True)

    @property
    def colour(self) -> bool:
        """Tell whether standard output gets colour."""
        if self.color != "auto":
            return self.color == "always"
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and _capable()

    @property
    def texts(self) -> bool:
        """Tell whether a person reads standard output."""
        return not self.sinks or ("text", "") in self.sinks

    def _render(self, report: Report, kind: str, *, colour: bool) -> str:
        match kind:
            case "json":
                from planops.render import json

                return json.text(report, version=planops.__version__)
            case "markdown":
                from planops.render import markdown

                return markdown.text(report, times=TIMES)
            case _:
                from planops.render import text

                verbose = self.verbose > 0
                return text.text(report, colour=colour, verbose=verbose, times=TIMES)


def _capable() -> bool:
    return os.environ.get("TERM") != "dumb"


def write_file(path: Path, content: str) -> None:
    """Write a file whole or not at all. Raises ``SettingsWrong`` where that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(content)
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except OSError as error:
        raise SettingsWrong(
            f"{path}: cannot be written: {error.strerror}; choose another file"
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
