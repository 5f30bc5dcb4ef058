"""The report as SARIF 2.1.0: one run, a result a remark, a rule for each kind of them.

GitHub shows 5,000 results of a run, takes no result without a place, and tells runs over the same
commit apart by ``automationDetails.id``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, assert_never
from urllib.parse import quote

from planops.core.model import JSON
from planops.core.report import ExitCode, Report, exit_code
from planops.render.document import portable
from planops.render.escape import cut, in_json, sarif, visible
from planops.render.remarks import SETTINGS, Level, Remark, fingerprints, from_top, remarks
from planops.render.wording import plural

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
MOST: Final = 5000
"""Results of one run that GitHub shows."""

_SENTENCE: Final = 1000
_RULE: Final = 200
_ROOT: Final = "%SRCROOT%"
_BROKEN: Final = frozenset(
    {ExitCode.UNKNOWN, ExitCode.BUG, ExitCode.BUSY, ExitCode.INTERRUPTED, ExitCode.TERMINATED}
)
_ABOUT: Final = {
    "hazard": "what a change undoes or starts on the server",
    "drift": "a field that somebody changed on the server",
    "stopped": "a plan that somebody stopped on the server",
    "not-compared": "a target that could not be compared",
    "not-recorded": "what was done and could not be recorded",
}


def text(report: Report, *, version: str) -> str:
    """Render a report; ``version`` is that of planops."""
    document: JSON = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report, version)]}
    return f"{in_json(json.dumps(portable(document), ensure_ascii=False, indent=2))}\n"


def _run(report: Report, version: str) -> JSON:
    found = remarks(report)
    kept = found[:MOST]
    home = from_top(report.git.folder if report.git else "", SETTINGS)
    rules = {_id(one): one for one in reversed(kept)}  # the first of each rule weighs most
    index = {rule: at for at, rule in enumerate(sorted(rules))}
    return {
        "tool": {
            "driver": {
                "name": "planops",
                "version": version,
                "rules": [_rule(rules[rule]) for rule in index],
            }
        },
        "automationDetails": {"id": f"planops/{quote(visible(report.command), safe='')}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, len(found) - len(kept))],
        "results": [
            _result(one, index[_id(one)], home, name)
            for one, name in zip(kept, fingerprints(kept), strict=True)
        ],
    }


def _invocation(report: Report, left: int) -> JSON:
    """Say how the run ended, and how many results are left out."""
    code = exit_code(report)
    halted = code in _BROKEN or any(target.error for target in report.targets)
    ended: dict[str, JSON] = {"executionSuccessful": not halted, "exitCode": int(code)}
    if left:
        said = f"{plural(left, 'result')} left out: a run holds {MOST}; see the whole report"
        notice: JSON = {"level": "warning", "message": {"text": said}}
        ended["toolExecutionNotifications"] = [notice]
    return ended


def _rule(one: Remark) -> JSON:
    kind, _, name = one.rule.partition("/")
    about = _ABOUT.get(one.rule) or f"{kind} {name}".replace("-", " ").strip() or "problem"
    return {
        "id": _id(one),
        "shortDescription": {"text": sarif(cut(about, _RULE))},
        "defaultConfiguration": {"level": _level(one.level)},
    }


def _id(one: Remark) -> str:
    return visible(cut(one.rule, _RULE))


def _level(level: Level) -> str:
    match level:
        case Level.ERROR | Level.WARNING:
            return level.value
        case Level.NOTICE:
            return "note"
        case _ as never:
            assert_never(never)


def _result(one: Remark, index: int, home: str, name: str) -> JSON:
    region: dict[str, JSON] = {"startLine": max(1, one.line)}
    if one.line > 0 and one.column > 0:
        region["startColumn"] = one.column
    place: JSON = {
        "artifactLocation": {"uri": uri(one.file or home), "uriBaseId": _ROOT},
        "region": region,
    }
    return {
        "ruleId": _id(one),
        "ruleIndex": index,
        "level": _level(one.level),
        "message": {"text": sarif(cut(f"{one.title}: {one.text}", _SENTENCE))},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"planops/v1": name},
    }


def uri(file: str) -> str:
    """Give the relative reference of a file: no scheme and no host comes of its name."""
    parts: Sequence[str] = [part for part in file.split("/") if part not in {"", "."}]
    return "/".join(quote(part.encode("utf-8", "surrogatepass"), safe="") for part in parts)
