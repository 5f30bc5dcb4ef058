"""The report as a Code Quality report of GitLab: a JSON array, an entry a remark.

GitLab matches the entries of two reports by their fingerprints, and drops all but the first of
those that have the same one. Every entry needs a file and a line.
"""

from __future__ import annotations

import json
from typing import Final, assert_never

from planops.core.model import JSON
from planops.core.report import Report
from planops.render.document import portable
from planops.render.escape import cut, in_json, visible
from planops.render.remarks import SETTINGS, Level, Remark, fingerprints, from_top, remarks

_SENTENCE: Final = 1000
_NAME: Final = 200


def text(report: Report) -> str:
    """Render a report; nothing to say is an empty array."""
    found = remarks(report)
    home = from_top(report.git.folder if report.git else "", SETTINGS)
    entries: list[JSON] = [
        _entry(one, home, name) for one, name in zip(found, fingerprints(found), strict=True)
    ]
    return f"{in_json(json.dumps(portable(entries), ensure_ascii=False, indent=2))}\n"


def _entry(one: Remark, home: str, name: str) -> JSON:
    return {
        "description": cut(visible(f"{one.title}: {one.text}"), _SENTENCE),
        "check_name": cut(visible(one.rule), _NAME),
        "fingerprint": name,
        "severity": _severity(one),
        "location": {"path": one.file or home, "lines": {"begin": max(1, one.line)}},
    }


def _severity(one: Remark) -> str:
    """Weigh in GitLab's words: info, minor, major, critical, blocker."""
    match one.level:
        case Level.ERROR:
            return "blocker" if one.grave else "critical"
        case Level.WARNING:
            return "major" if one.rule == "hazard" else "minor"
        case Level.NOTICE:
            return "info"
        case _ as never:
            assert_never(never)
