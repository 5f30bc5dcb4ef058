"""Where reports go: rendered once a sink, files first, never half-written."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

import planops
from planops.cli.group import bug, say
from planops.cli.telling import is_terminal
from planops.core.report import ExitCode, Report, exit_code
from planops.errors import SettingsWrong
from planops.render.escape import masked

_MILD = frozenset({ExitCode.OK, ExitCode.CHANGES, ExitCode.REFUSED, ExitCode.STALE})
_TELLS_CODE = frozenset({"json", "sarif"})
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

    def write(self, report: Report, secrets: Collection[str] = ()) -> ExitCode:
        """Write the report to every sink, files first, and give the code to end with.

        ``secrets`` are masked wherever they stand: somebody may have written one into a plan. Where
        one sink cannot be written the others are written all the same, and a run that went well has
        failed after all.
        """
        return _ends(report, self.put(report, secrets))

    def put(self, report: Report, secrets: Collection[str] = ()) -> ExitCode:
        """Write to every sink, files first; tell whether that went well, failed, or met a bug.

        What a bug keeps from being drawn in one format is drawn in the others, and said in bare
        lines on standard error: what was done to a server is never kept back. A file that tells how
        the run ended is written again where another sink makes it end otherwise.
        """
        ended, right = ExitCode.OK, list[tuple[str, str]]()
        for kind, file in sorted(self.sinks or (("text", ""),), key=_is_stream):
            came = self._put(report, kind, file, secrets, ended)
            ended = max(ended, came)
            if came is ExitCode.OK and kind in _TELLS_CODE and not _is_stream((kind, file)):
                right.append((kind, file))
        if ended is not ExitCode.OK:
            for kind, file in right:
                self._put(report, kind, file, secrets, ended)
        if ended is ExitCode.BUG:
            from planops.render import bare

            for line in bare.lines(report):
                say(_without(line, secrets))
        return ended

    def _put(
        self, report: Report, kind: str, file: str, secrets: Collection[str], ended: ExitCode
    ) -> ExitCode:
        """Write to one sink, where ``ended`` came of the others so far; tell what came of this."""
        if kind in _TELLS_CODE and ended is not ExitCode.OK:
            report = replace(report, ended=_ends(report, ended))
        try:
            content = _without(self._render(report, kind, colour=self.colour and not file), secrets)
            if file:
                write_file(Path(file), content)
            else:
                write_out(content)
        except SettingsWrong as error:
            say(f"error: {error}")
            return ExitCode.FAILED
        except Exception as error:  # noqa: BLE001  the other formats must not be lost
            return bug(error, f"the report cannot be drawn as {kind}")
        return ExitCode.OK

    def write_others(self, report: Report, secrets: Collection[str] = ()) -> ExitCode:
        """Write to the sinks that were asked for beside the text that a person has seen."""
        others = tuple(sink for sink in self.sinks if sink != ("text", ""))
        return replace(self, sinks=others).write(report, secrets) if others else exit_code(report)

    @property
    def colour(self) -> bool:
        """Tell whether standard output gets colour."""
        if self.color != "auto":
            return self.color == "always"
        return is_terminal(sys.stdout) and not os.environ.get("NO_COLOR") and _capable()

    def _render(self, report: Report, kind: str, *, colour: bool) -> str:
        match kind:
            case "json":
                from planops.render import json

                return json.text(report, version=planops.__version__)
            case "markdown" if report.review:
                from planops.render import review

                return review.text(report, times=TIMES)
            case "markdown":
                from planops.render import markdown

                return markdown.text(report, times=TIMES)
            case "github":
                from planops.render import github

                return github.text(report)
            case "gitlab":
                from planops.render import gitlab

                return gitlab.text(report)
            case "sarif":
                from planops.render import sarif

                return sarif.text(report, version=planops.__version__)
            case "junit":
                from planops.render import junit

                return junit.text(report)
            case _:
                from planops.render import text

                verbose = self.verbose > 0
                return text.text(report, colour=colour, verbose=verbose, times=TIMES)


def _without(content: str, secrets: Collection[str]) -> str:
    for secret in secrets:
        content = masked(content, secret)
    return content


def _capable() -> bool:
    return os.environ.get("TERM") != "dumb"


def _ends(report: Report, written: ExitCode) -> ExitCode:
    """Give the code to end with, where ``written`` came of the writing."""
    code = exit_code(report)
    if written is ExitCode.BUG:
        return written
    return code if written is ExitCode.OK or code not in _MILD else written


def _is_stream(sink: tuple[str, str]) -> bool:
    """Tell whether what is written there cannot be taken back."""
    file = Path(sink[1])
    with suppress(OSError):  # no name of a file at all is found out when it is written
        return not sink[1] or (file.exists() and not file.is_file()) or _standard(file) is not None
    return False


def _standard(path: Path) -> int | None:
    """Give the standard stream that a path leads to, such as /dev/stdout sent to a file."""
    with suppress(OSError):
        there = path.stat()
        for stream in (1, 2):
            with suppress(OSError):
                if os.path.samestat(there, os.fstat(stream)):
                    return stream
    return None


def write_out(content: str) -> None:
    """Write to standard output. Raises ``SettingsWrong`` where that fails.

    A reader that has seen enough (``planops diff | head``) is no failure.
    """
    with suppress(OSError, ValueError, AttributeError):  # closed, or no stream of the system's
        os.set_blocking(sys.stdout.fileno(), True)  # else what a slow reader's pipe lacks is lost
    try:
        click.echo(content, nl=False, color=True)
    except BrokenPipeError:
        _hush()
    except OSError as error:
        _hush()
        raise SettingsWrong(
            f"the report cannot be written to standard output: {error.strerror}; make room there,"
            " or write it to a file with --format FORMAT=FILE"
        ) from error


def _hush() -> None:
    """Lead standard output to nowhere: what is left in its buffer must not fail once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def write_file(path: Path, content: str) -> None:
    """Write a file whole or not at all. Raises ``SettingsWrong`` where that fails.

    A device, a pipe or a standard stream is never replaced. A reader that has seen enough is no
    failure.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            path.write_text(content, encoding="utf-8")
        elif (stream := _standard(path)) is not None:
            with os.fdopen(os.dup(stream), "w", encoding="utf-8") as copy:
                copy.write(content)
        else:
            _replace(Path(os.path.realpath(path)), content)
    except BrokenPipeError:
        return
    except OSError as error:
        raise SettingsWrong(
            f"{path}: the report cannot be written there: {error.strerror}; choose another file"
        ) from error


def _replace(path: Path, content: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".planops-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(content)
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
