"""What is wrong inside a document, by path; the place in the file is looked up afterwards.

A finding never holds a whole document: its words are short, quoted and escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planops.core.model import Mark, Problem, Severity
from planops.manifests.yaml import Path, Spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong at a path of a document; ``on_key`` points at the key, not at the value."""

    path: Path
    code: str
    message: str
    hint: str = ""
    on_key: bool = False
    severity: Severity = Severity.ERROR


def mark(spots: Mapping[Path, Spot], path: Path, file: str, *, on_key: bool) -> Mark | None:
    """Find the place of a path, or of its nearest ancestor that the file has."""
    for length in range(len(path), -1, -1):
        spot = spots.get(path[:length])
        if spot is not None:
            if on_key or length < len(path):
                return Mark(file=file, line=spot.key_line, column=spot.key_column)
            return Mark(file=file, line=spot.line, column=spot.column)
    return None


def problems(
    findings: Iterable[Finding], spots: Mapping[Path, Spot], file: str, target: str | None
) -> list[Problem]:
    """Give each finding its place."""
    return [
        Problem(
            severity=finding.severity,
            code=finding.code,
            message=finding.message,
            mark=mark(spots, finding.path, file, on_key=finding.on_key),
            hint=finding.hint,
            target=target,
        )
        for finding in findings
    ]


def place(problem: Problem) -> tuple[str, int, int, str]:
    """Sort problems by file and place."""
    at = problem.mark
    return (at.file, at.line, at.column, problem.message) if at else ("", 0, 0, problem.message)
