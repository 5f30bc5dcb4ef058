"""What a Zadig server refuses, drops or gets wrong although the schema allows it.

A table of small functions from a document to findings, none of which needs a server. A rule says
nothing where a value has the wrong type: that is the schema's to say. Here are times, jobs and the
goal; approvals and the inputs of workflow jobs have modules of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from planops.manifests import rules_approval, rules_inputs
from planops.manifests.findings import Finding
from planops.manifests.rules_approval import approval_of
from planops.manifests.rules_inputs import twice
from planops.manifests.times import BadTime, epoch
from planops.manifests.untyped import Rule, mapping, mappings, text
from planops.manifests.wording import code

__all__ = ("RULES", "Rule")

_BEYOND_PLANNING: Final = ("finish_planning", "wait_for_approval", "executing", "success")


def _seconds(spec: Mapping[str, Any], name: str) -> int | None:
    """Read a time: 0 where there is none, ``None`` where it cannot be read."""
    value = spec.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        return epoch(value)
    except BadTime:
        return None


def window(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A release window ends, and not before it begins."""
    spec = mapping(document.get("spec"))
    start, end = _seconds(spec, "start_time"), _seconds(spec, "end_time")
    if start is None or end is None or start <= end:
        return
    if end == 0:
        yield Finding(
            path=("spec", "start_time"),
            code="window",
            message="`start_time` is set without `end_time`, which Zadig refuses",
            hint="add `end_time`, or remove `start_time`",
        )
        return
    yield Finding(
        path=("spec", "end_time"),
        code="window",
        message=f"`end_time` is {_span(start - end)} before `start_time`",
        hint="swap them, or check the dates and the offsets",
    )


def _span(seconds: int) -> str:
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{seconds} second{'s' if seconds > 1 else ''}"


def schedule(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A scheduled execution lies inside the window, where there is one."""
    spec = mapping(document.get("spec"))
    start, end = _seconds(spec, "start_time"), _seconds(spec, "end_time")
    at = _seconds(spec, "schedule_execute_time")
    if not at or start is None or end is None or start > end or (start == 0 and end == 0):
        return
    if start <= at <= end:
        return
    early = at < start
    distance = _span(start - at if early else at - end)
    where = f"{distance} before `start_time`" if early else f"{distance} after `end_time`"
    yield Finding(
        path=("spec", "schedule_execute_time"),
        code="window",
        message=f"`schedule_execute_time` is {where}",
        hint="move it into the window, ends included",
    )


def unique_jobs(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Type and name identify a job."""
    jobs = mapping(document.get("spec")).get("jobs")
    named = [
        (index, f"{kind}:{name}", f"the {kind} job {code(name)}")
        for index, job in mappings(jobs)
        if (kind := text(job.get("type"))) and (name := text(job.get("name")))
    ]
    yield from twice(("spec", "jobs"), named)


def goal(document: Mapping[str, Any]) -> Iterator[Finding]:
    """The goal can be reached with what the file declares."""
    spec, state = mapping(document.get("spec")), document.get("state")
    approval = approval_of(document)
    if state == "wait_for_approval" and approval.get("enabled") is not True:
        yield Finding(
            path=("state",),
            code="goal",
            message="`wait_for_approval` needs an approval, and this file enables none",
            hint="add `approval` with `enabled: true`, or choose another `state`",
        )
    if state in _BEYOND_PLANNING and "jobs" in spec and not spec["jobs"]:
        yield Finding(
            path=("state",),
            code="goal",
            message=f"a plan without jobs cannot leave `planning`, so {code(str(state))} is out of"
            " reach: Zadig says that a plan must not have no jobs",
            hint="declare a job, or leave `jobs` out",
        )


RULES: Final[tuple[Rule, ...]] = (
    window,
    schedule,
    *rules_approval.RULES,
    unique_jobs,
    *rules_inputs.RULES,
    goal,
)
