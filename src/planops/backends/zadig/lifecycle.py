"""Zadig's release-plan lifecycle as data (docs/servers/zadig.md §7).

The raw external-check targets that the status route also accepts are no edges: they skip what the
check is for. ``cancel`` is an edge only from states in which nothing has to be started to get
there.
"""

from __future__ import annotations

from planops.core.lifecycle import ASKED, Actor, Edge, EditRule, Lifecycle

CHECKS = frozenset(
    {
        "wait_for_finish_planning_external_check",
        "wait_for_execute_external_check",
        "wait_for_all_done_external_check",
    }
)
FAILED_CHECKS = frozenset(f"{state}_failed" for state in CHECKS)

MILESTONES = (
    "planning_time",
    "finish_planning_time",
    "approval_time",
    "executing_time",
    "success_time",
    "wait_for_finish_planning_external_check_time",
    "wait_for_approve_external_check_time",
    "wait_for_execute_external_check_time",
    "wait_for_all_done_external_check_time",
)
"""The times of a plan's moves: a PATCH leaves them as they are (docs/servers/zadig.md §4.2)."""

_ASKED = (
    ("planning", "finish_planning"),
    ("finish_planning", "execute"),
    ("wait_for_approval", "execute"),
    ("executing", "all_done"),
)
_ANSWERED = (
    ("finish_planning", "finish_planning"),
    ("finish_planning", "executing"),
    ("execute", "executing"),
    ("all_done", "success"),
)

_TO_PLANNING = {
    "finish_planning": (),
    "wait_for_approval": (f"cancels {ASKED}",),
    "executing": ("cancels the running workflow tasks", "finished jobs may run again"),
    "denied": ("drops the denial: approvers will be asked again",),
    "timeout": ("takes up a plan whose window ran out",),
    **dict.fromkeys(CHECKS, ("abandons the external check",)),
    **dict.fromkeys(FAILED_CHECKS, ("drops the failed external check",)),
}
_TO_CANCEL = {
    "wait_for_approval": (f"cancels the plan and {ASKED}",),
    "executing": ("cancels the plan while its jobs are at work",),
    "denied": ("cancels the plan",),
    "timeout": ("cancels the plan",),
    **dict.fromkeys(CHECKS | FAILED_CHECKS, ("cancels the plan",)),
}

# What others do beside the forward path (docs/servers/zadig.md §6.7, §7.5, §7.9): never walked, but
# shown, so that the picture is whole.
_OTHERS: tuple[tuple[str, str, Actor, str], ...] = (
    ("wait_for_approval", "denied", Actor.APPROVER, "one rejection is enough"),
    ("executing", "timeout", Actor.SERVER, "the release window ran out"),
    ("success", "executing", Actor.SERVER, "somebody tries a failed job again"),
    *(
        (source, f"wait_for_{what}_external_check", Actor.SERVER, "a release hook wants an answer")
        for source, what in _ASKED
    ),
    *(
        (f"wait_for_{what}_external_check", target, Actor.SERVER, "the answer was yes")
        for what, target in _ANSWERED
    ),
    *((state, f"{state}_failed", Actor.SERVER, "the answer was no") for state in sorted(CHECKS)),
)

EDGES = (
    Edge(
        source="planning",
        target="finish_planning",
        event="finish_planning",
        hazards=("tells the release hooks, where the server has any",),
        needs="jobs",
        missing="a plan without jobs cannot leave planning: declare jobs",
    ),
    Edge(
        source="finish_planning",
        target="wait_for_approval",
        event="wait_for_approval",
        hazards=("asks every approver, by mail",),
    ),
    Edge(
        source="finish_planning",
        target="executing",
        event="executing",
        hazards=("opens the jobs for execution and starts the schedule, without an approval",),
    ),
    Edge(
        source="wait_for_approval",
        target="executing",
        event="executing",
        actor=Actor.APPROVER,
        hazards=("opens the jobs for execution",),
    ),
    Edge(source="executing", target="success", event="success", actor=Actor.SERVER),
    *(
        Edge(source=source, target=target, event="", actor=actor, hazards=(why,))
        for source, target, actor, why in _OTHERS
    ),
    *(
        Edge(source=source, target="planning", event="planning", hazards=hazards)
        for source, hazards in sorted(_TO_PLANNING.items())
    ),
    *(
        Edge(source=source, target="cancel", event="cancel", hazards=hazards)
        for source, hazards in sorted(_TO_CANCEL.items())
    ),
)

_REOPENED = EditRule(via="planning", lands="planning", guard="reopen")

LIFECYCLE = Lifecycle(
    path=("planning", "finish_planning", "wait_for_approval", "executing", "success"),
    optional={"wait_for_approval": "approval"},
    edges=EDGES,
    edits={
        "planning": EditRule(lands="planning"),
        "finish_planning": EditRule(lands="planning", lead_back=True),
        "wait_for_approval": _REOPENED,
        "denied": _REOPENED,
        "timeout": _REOPENED,
        **dict.fromkeys(CHECKS | FAILED_CHECKS, _REOPENED),
        "executing": EditRule(via="planning", lands="planning", guard="interrupt"),
        "success": EditRule(refusal="a finished plan cannot be changed"),
        "cancel": EditRule(
            refusal="a cancelled plan cannot be changed: a write would bring it back to life"
        ),
    },
    off_path=frozenset({"cancel", "denied", "timeout"}) | FAILED_CHECKS,
    finished=frozenset({"success", "cancel"}),
    checks=CHECKS,
    busy=frozenset({"wait_for_approval", "executing"}),
)
