"""Values of a document whose types nobody has checked: what is of another type counts as absent.

For the rules, which look at files that the schema refuses too and must not trip over them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final, TypeAlias

from planops.manifests.findings import Finding
from planops.manifests.yaml import Path

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Rule: TypeAlias = Callable[[Mapping[str, Any]], Iterator[Finding]]
"""What can be wrong with a document although its schema allows it."""


def mapping(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- any JSON
    """Give a mapping, empty where there is none."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:  # noqa: ANN401 -- any JSON
    """Yield the mappings of a list with their positions."""
    for index, item in enumerate(value) if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield index, item


def text(value: Any) -> str:  # noqa: ANN401 -- any JSON
    """Give a text, empty where there is none."""
    return value if isinstance(value, str) else ""


def no_day(value: str) -> bool:
    """Tell whether a text is written like ``2026-12-01``, and no calendar has that day."""
    if not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return True
    return False


def workflow_jobs(document: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the spec of every workflow job, with its path."""
    for index, job in mappings(mapping(document.get("spec")).get("jobs")):
        if job.get("type") == "workflow":
            yield ("spec", "jobs", index, "spec"), mapping(job.get("spec"))
