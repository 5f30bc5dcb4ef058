"""What a Zadig server refuses, drops or gets wrong although the schema allows it.

A table of small functions from a document to findings, none of which needs a server. A rule says
nothing where a value has the wrong type: that is the schema's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from planops.core.model import Severity
from planops.manifests.findings import Finding
from planops.manifests.times import BadTime, epoch
from planops.manifests.wording import code, did_you_mean
from planops.manifests.yaml import Path

Rule: TypeAlias = Callable[[Mapping[str, Any]], Iterator[Finding]]

JOB_TYPES: Final = frozenset(
    (
        "plugin", "freestyle", "zadig-build", "zadig-deploy", "zadig-vm-deploy", "custom-deploy",
        "zadig-test", "zadig-scanning", "k8s-blue-green-deploy", "k8s-canary-deploy",
        "k8s-blue-green-release", "k8s-canary-release", "approval", "ai-release-specialist",
        "ai-task", "k8s-gray-release", "k8s-gray-rollback", "k8s-resource-patch", "sql", "tapd",
    )
)  # fmt: skip
"""The types of workflow jobs that the server takes inputs for."""

REFUSED_JOB_TYPES: Final = frozenset(
    (
        "nacos", "apollo", "jenkins", "workflow-trigger", "notification", "zadig-restart",
        "zadig-helm-chart-deploy", "zadig-distribute-image", "jira", "grafana", "dms", "sae-deploy",
    )
)  # fmt: skip
"""The types whose mere mention makes the server refuse the whole update."""

_BEYOND_PLANNING: Final = ("finish_planning", "wait_for_approval", "executing", "success")


def _map(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- any JSON
    return value if isinstance(value, dict) else {}


def _maps(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:  # noqa: ANN401 -- any JSON
    for index, item in enumerate(value) if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield index, item


def _text(value: Any) -> str:  # noqa: ANN401 -- any JSON
    return value if isinstance(value, str) else ""


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
    spec = _map(document.get("spec"))
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
    spec = _map(document.get("spec"))
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


def _approval(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    approval = _map(_map(document.get("spec")).get("approval"))
    return approval, _map(approval.get("native_approval"))


_USERS: Final[Path] = ("spec", "approval", "native_approval", "approve_users")


def approvers(document: Mapping[str, Any]) -> Iterator[Finding]:
    """An enabled approval has enough approvers for as many approvals as it needs."""
    approval, native = _approval(document)
    users = native.get("approve_users")
    if approval.get("enabled") is not True or not isinstance(users, list):
        return
    if not users:
        message = "`approve_users` is empty, so nobody could approve"
        yield Finding(path=_USERS, code="approvers", message=message, hint="list an approver")
        return
    needed = native.get("needed_approvers")
    listed = [user for _, user in _maps(users)]
    if isinstance(needed, bool) or not isinstance(needed, int) or len(listed) != len(users):
        return
    if any(user.get("type") == "group" for user in listed):
        return
    distinct = len({_identity(user) for user in listed})
    if needed > distinct:
        yield Finding(
            path=(*_USERS[:-1], "needed_approvers"),
            code="approvers",
            message=f"`needed_approvers` is {needed}, but only {distinct} can approve",
            hint="list more approvers, or need fewer",
        )


def _identity(user: Mapping[str, Any]) -> tuple[str, str]:
    if user.get("type") == "group":
        return "group", _text(user.get("group_id"))
    account, user_id = _text(user.get("account")), _text(user.get("user_id"))
    return ("account", account.casefold()) if account else ("user_id", user_id)


def unique_approvers(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Nobody is listed twice: the second vote would never count."""
    seen: dict[tuple[str, str], int] = {}
    for index, user in _maps(_approval(document)[1].get("approve_users")):
        identity = _identity(user)
        first = seen.setdefault(identity, index)
        if identity[1] and first != index:
            message = f"the approver {code(identity[1])} is listed twice, first as item {first + 1}"
            yield Finding(
                path=(*_USERS, index), code="approvers", message=message, hint="remove one of them"
            )


def approver_identity(document: Mapping[str, Any]) -> Iterator[Finding]:
    """An approver is a user by account or by id, or a group by id; never a mixture."""
    for index, user in _maps(_approval(document)[1].get("approve_users")):
        path = (*_USERS, index)
        if user.get("type", "user") == "group":
            yield from _group(path, user)
        elif user.get("type", "user") == "user":
            yield from _user(path, user)


def _group(path: Path, user: Mapping[str, Any]) -> Iterator[Finding]:
    for name in ("account", "user_id", "user_name"):
        if name in user:
            message = f"{code(name)} does not belong to an approver of type `group`"
            yield _identity_finding((*path, name), message, "remove it", on_key=True)
    if "group_id" not in user:
        message = "an approver of type `group` needs `group_id`"
        yield _identity_finding(path, message, "add it")


def _user(path: Path, user: Mapping[str, Any]) -> Iterator[Finding]:
    for name in ("group_id", "group_name"):
        if name in user:
            hint = "write `type: group`, or remove it"
            message = f"{code(name)} does not belong to an approver of type `user`"
            yield _identity_finding((*path, name), message, hint, on_key=True)
    both = "account" in user and "user_id" in user
    if both:
        message = "an approver has both `account` and `user_id`"
        yield _identity_finding((*path, "user_id"), message, "keep one of them", on_key=True)
    elif "account" not in user and "user_id" not in user and "group_id" not in user:
        message = "an approver has neither `account` nor `user_id`"
        yield _identity_finding(path, message, "add one of them")


def _identity_finding(path: Path, message: str, hint: str, *, on_key: bool = False) -> Finding:
    return Finding(path=path, code="approvers", message=message, hint=hint, on_key=on_key)


def _twice(path: Path, items: Iterable[tuple[int, str, str]]) -> Iterator[Finding]:
    """Find identities that come again; ``items`` are index, identity and how to call it."""
    seen: dict[str, int] = {}
    for index, identity, called in items:
        first = seen.setdefault(identity, index)
        if first != index:
            yield Finding(
                path=(*path, index),
                code="duplicate-item",
                message=f"{called} is there twice, first as item {first + 1}",
                hint="give each a name of its own",
            )


def unique_jobs(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Type and name identify a job."""
    jobs = _map(document.get("spec")).get("jobs")
    named = [
        (index, f"{kind}:{name}", f"the {kind} job {code(name)}")
        for index, job in _maps(jobs)
        if (kind := _text(job.get("type"))) and (name := _text(job.get("name")))
    ]
    yield from _twice(("spec", "jobs"), named)


def _workflow_jobs(document: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for index, job in _maps(_map(document.get("spec")).get("jobs")):
        if job.get("type") == "workflow":
            yield ("spec", "jobs", index, "spec"), _map(job.get("spec"))


def unique_inputs(document: Mapping[str, Any]) -> Iterator[Finding]:
    """An input or a variable is given once: of two, Zadig would take the last."""
    for path, spec in _workflow_jobs(document):
        for field, key, what in (
            ("inputs", "job_name", "the input of"),
            ("parameters", "name", "the variable"),
        ):
            named = [
                (index, name, f"{what} {code(name)}")
                for index, item in _maps(spec.get(field))
                if (name := _text(item.get(key)))
            ]
            yield from _twice((*path, field), named)


def input_types(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Some types of workflow jobs cannot be given inputs."""
    for path, spec in _workflow_jobs(document):
        for index, item in _maps(spec.get("inputs")):
            kind = _text(item.get("job_type"))
            at = (*path, "inputs", index, "job_type")
            if kind in REFUSED_JOB_TYPES:
                message = f"Zadig refuses the whole update when a {code(kind)} job is given inputs"
                yield Finding(
                    path=at, code="job-type", message=message, hint="leave it out: it is skipped"
                )
            elif kind and kind not in JOB_TYPES:
                message = f"no type of workflow job is known as {code(kind)}"
                yield Finding(
                    path=at,
                    code="job-type",
                    message=message,
                    hint=did_you_mean(kind, JOB_TYPES) or "Zadig may refuse the whole update",
                    severity=Severity.WARNING,
                )
            elif kind == "k8s-blue-green-deploy" and item.get("parameters"):
                message = f"inputs of a {code(kind)} job erase its settings on today's Zadig"
                yield Finding(
                    path=at,
                    code="job-type",
                    message=message,
                    hint="leave `parameters` out",
                    severity=Severity.WARNING,
                )


def goal(document: Mapping[str, Any]) -> Iterator[Finding]:
    """The goal can be reached with what the file declares."""
    spec, state = _map(document.get("spec")), document.get("state")
    approval = _approval(document)[0]
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
    approvers,
    unique_approvers,
    approver_identity,
    unique_jobs,
    unique_inputs,
    input_types,
    goal,
)
