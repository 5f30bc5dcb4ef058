"""The report as a JSON document: the contract that other programs read.

Its form is ``schemas/report.schema.json``. It is canonical and portable: a lone surrogate becomes
U+FFFD and a number that JSON has not (NaN) its name, so that every reader reads the same.
"""

from __future__ import annotations

import math
from typing import Final

from planops.core.changes import Delta, Request
from planops.core.lifecycle import Actor, Refusal
from planops.core.model import ABSENT, JSON, Blame, Problem, Settled, Touch
from planops.core.report import (
    FORMAT_VERSION,
    ChangeReport,
    GitFacts,
    Report,
    TargetReport,
    exit_code,
    outcome,
    summary,
)
from planops.core.review import Review, Share
from planops.render import merging, wording
from planops.render.values import moment

_NAME: Final = "planops"
_WRITE: Final = "write"


def document(report: Report, *, version: str) -> dict[str, JSON]:
    """Give the JSON document of a report; ``version`` is that of planops."""
    counts: dict[str, JSON] = {name: number for name, number in summary(report).items()}  # noqa: C416 - a copy with a wider type
    found: dict[str, JSON] = {
        "format_version": FORMAT_VERSION,
        "tool": {"name": _NAME, "version": version},
        "command": report.command,
        "outcome": outcome(report),
        "exit_code": int(exit_code(report)),
        "files": report.files,
        "git": _git(report.git) if report.git else None,
        "targets": [_target(target) for target in report.targets],
        "summary": counts,
        "changes": [_change(item, report.review) for item in report.changes],
        "problems": [_problem(problem) for problem in report.problems],
    }
    if report.review:
        found["review"] = _review(report, report.review)
    return {name: portable(value) for name, value in found.items()}


def _review(report: Report, review: Review) -> JSON:
    """Give the facts of a review; what is caused is beside each change."""
    return {
        "base": review.base,
        "head": review.head,
        "number": review.number or None,
        "clean": review.clean,
        "offline": review.offline,
        "risk": None if review.offline else merging.risk(report).value,
        "settings": list(review.settings),
        "dropped": [str(key) for key in review.dropped],
    }


def _share(share: Share, review: Review) -> JSON:
    """Give what of a change a pull request causes."""
    return {
        "causes": share.causes,
        "touched": share.touched,
        "removed": share.removed,
        "new": share.new,
        "alarm": share.alarm,
        "risk": None if review.offline else share.risk.value,
        "calls": share.calls,
        "guards": share.guards,
        "goal": share.goal,
        "manages": [*share.manages],
        "caused": [*sorted(share.caused)],
        "there": [*sorted(share.there)],
        "settled": [*share.settled],
    }


def portable(value: JSON) -> JSON:
    """Copy a JSON value so that every JSON reader can read it."""
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [portable(item) for item in value]
    if isinstance(value, dict):
        return {_whole(name): portable(sub) for name, sub in value.items()}
    return value


def _whole(text: str) -> str:
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def _git(git: GitFacts) -> JSON:
    return {"head": git.head, "branch": git.branch, "dirty": git.dirty}


def _target(target: TargetReport) -> JSON:
    return {
        "name": target.name,
        "backend": target.backend,
        "url": target.url,
        "live": target.live,
        "managed": target.managed,
        "error": target.error,
        "unrecorded": target.unrecorded,
        "refusals": [_refusal(refusal) for refusal in target.refusals],
        "notices": list(target.notices),
    }


def _refusal(refusal: Refusal) -> JSON:
    return {"guard": refusal.guard, "message": refusal.message, "lift": refusal.lift}


def _change(item: ChangeReport, review: Review | None) -> JSON:
    change = item.change
    return {
        "key": change.key.name,
        "target": change.key.target,
        "name": wording.display_name(change),
        "kind": change.kind.value,
        "file": change.plan.source.file,
        "line": change.plan.source.line,
        "id": item.id or (change.live.id if change.live else None),
        "summary": wording.what(item),
        "fingerprint": item.fingerprint,
        "deltas": [_delta(delta) for delta in change.deltas],
        "state": _state(item),
        "route": _route(item),
        "steps": _steps(item),
        "refusals": [_refusal(refusal) for refusal in change.refusals],
        "notices": list(dict.fromkeys((*change.notices, *item.notices))),
        "outcome": item.outcome.value,
        "error": item.error,
        **({"review": _share(item.share, review)} if item.share and review else {}),
    }


def _delta(delta: Delta) -> JSON:
    sides = {"base": delta.base, "desired": delta.desired, "live": delta.live}
    found: dict[str, JSON] = {"path": delta.path, "cause": delta.cause.value}
    found |= {name: value for name, value in sides.items() if value is not ABSENT}
    if delta.mark:
        found["line"] = delta.mark.line
    if delta.blame:
        found["git"] = _blame(delta.blame)
    if delta.touch:
        found["server"] = _touch(delta.touch)
    if delta.note:
        found["note"] = delta.note
    if delta.sensitive:
        found["sensitive"] = True
    return found


def _blame(told: Blame) -> JSON:
    """Give who set a value in the file; what git does not know is left out."""
    found: dict[str, JSON] = {"settled": told.settled.value, "line": told.line}
    if told.settled is Settled.COMMITTED:
        found |= {"commit": told.commit, "author": told.author, "subject": told.subject}
        found["at"] = moment(told.at) or None
    return found


def _touch(told: Touch) -> JSON:
    """Give who did something on the server."""
    return {"by": told.by, "at": moment(told.at) or None, "witness": told.witness.value}


def _state(item: ChangeReport) -> JSON:
    change = item.change
    actor = change.route.next_actor
    found: dict[str, JSON] = {
        "live": change.live.state if change.live else None,
        "goal": change.plan.state,
        "standing": change.route.standing.value,
        "next": actor.value if actor else None,
    }
    if change.goal:
        found["git"] = _blame(change.goal)
    if change.touch:
        found["server"] = _touch(change.touch)
    return found


def _route(item: ChangeReport) -> list[JSON]:
    """List the moves; the write of the fields is the event ``write``."""
    return [
        {
            "from": start,
            "to": to,
            "event": edge.event if edge else _WRITE,
            "actor": (edge.actor if edge else Actor.PLANOPS).value,
            "hazards": list(edge.hazards) if edge else [],
        }
        for start, to, edge in wording.moves(item.change)
    ]


def _steps(item: ChangeReport) -> list[JSON]:
    return [
        {
            "kind": step.kind.value,
            "method": step.request.method,
            "path": wording.address(step.request),
            "body": step.request.body,
            "digest": wording.digest(item, index),
            "fallback": _fallback(step.fallback),
            "summary": step.summary,
            "hazards": list(step.hazards),
            "result": wording.result(item, index).value,
        }
        for index, step in enumerate(item.change.steps)
    ]


def _fallback(request: Request | None) -> JSON:
    if request is None:
        return None
    return {
        "method": request.method,
        "path": wording.address(request),
        "body": request.body,
    }


def _problem(problem: Problem) -> JSON:
    mark = problem.mark
    return {
        "severity": problem.severity.value,
        "code": problem.code,
        "message": problem.message,
        "file": mark.file if mark else None,
        "line": mark.line if mark else None,
        "column": mark.column if mark else None,
        "hint": problem.hint,
        "target": problem.target,
    }
