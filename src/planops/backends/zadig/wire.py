"""Zadig's wire format, pure: documents become canonical specs, specs become request bodies.

An update replaces the whole plan (docs/servers/zadig.md §4), so its body is built from the live
plan with the declared fields laid over it, by an allowlist of what may be written. Runtime fields
cannot get into a body: nothing that is not named here is ever copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from planops.backends.trees import Tree, rows, text, tree
from planops.backends.zadig.approval import (
    BLOCKS,
    OWNERS,
    pruned,
    strangers,
    voted,
    writable,
)
from planops.backends.zadig.generations import Generation, overlooked, recognised
from planops.backends.zadig.jobs import (
    declared_jobs,
    job_bodies,
    rerun,
    stored_workflows,
    unfaithful_jobs,
    view_jobs,
)
from planops.backends.zadig.lifecycle import LIFECYCLE, MILESTONES
from planops.backends.zadig.parameters import resets
from planops.backends.zadig.references import Names, Reading, unknown
from planops.core.changes import NEW_ID, Request, Step, StepKind
from planops.core.compare import same, union
from planops.core.decide import Desired, Proposal
from planops.core.lifecycle import Edge, Lifecycle, Move, Refusal
from planops.core.model import ABSENT, JSON, Live, Value, is_unset
from planops.core.shape import Shape, filled, misfits, zero
from planops.errors import Garbled

OPEN = "/openapi/release_plan/v1"
INTERNAL = "/api/aslan/release_plan/v1"
NOT_ZADIG = "this is no plan as Zadig gives it; check url in planops.yaml, and the server's version"
SCALARS = ("start_time", "end_time", "schedule_execute_time", "description")
APPROVERS = "/spec/approval/native_approval/approve_users"
EDITABLE = frozenset({"planning", "finish_planning"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ZadigRules:
    """The pure half of the backend.

    ``caller`` is the uid of the token's user, where it is known, and ``administrator`` whether that
    user is known to be one. ``names`` are those of the things that plans mention, ``generation`` is
    the server's, where it was told or has shown itself.
    """

    shape: Shape
    caller: str = ""
    administrator: bool = False
    names: Names = field(default_factory=Names)
    generation: Generation | None = None

    @property
    def lifecycle(self) -> Lifecycle:
        """Zadig's states and edges."""
        return LIFECYCLE

    def empty(self) -> dict[str, JSON]:
        """Give the spec of a plan in which nothing was ever set."""
        return tree(zero(self.shape))

    def implied(self, spec: dict[str, JSON]) -> frozenset[str]:  # noqa: ARG002  each stands alone
        """Name the fields that are set together with declared ones: none."""
        return frozenset()

    def view(self, raw: dict[str, JSON], desired: Desired | None, base: Value = ABSENT) -> Live:
        """Read a plan's document into canonical form (docs/servers/zadig.md §5)."""
        wanted: Tree = dict(desired.spec) if desired else {}
        if isinstance(base, dict):
            wanted = tree(union(self.shape, wanted, base))
        state, unseen = text(raw, "status"), dict[str, str]()
        spec: Tree = {name: raw.get(name) for name in ("name", *SCALARS)}
        spec["manager"] = _manager(raw, desired, base, unseen)
        spec["approval"] = self._view_approval(raw, wanted, unseen)
        spec["jobs"] = view_jobs(
            raw.get("jobs"), declared_jobs(wanted), unseen, Reading(names=self.names)
        )
        strange = sorted(set(strangers(raw.get("approval"))))
        whole = tree(filled(self.shape, spec))
        wrong = next(misfits(self.shape, whole), None)
        if wrong is not None:
            raise Garbled(f"GET {OPEN}/{text(raw, 'id')}: {wrong}; {NOT_ZADIG}")
        return Live(
            id=text(raw, "id"),
            name=text(raw, "name"),
            state=state,
            spec=whole,
            raw=raw,
            version=_number(raw, "version"),
            updated_at=_number(raw, "update_time") or 0,
            updated_by=text(raw, "updated_by"),
            put_back=state == LIFECYCLE.path[0] and bool(_number(raw, "planning_time")),
            moves=tuple(_number(raw, name) or 0 for name in MILESTONES),
            unfaithful=(
                *(f"{name} is unknown to planops, and an update would lose it" for name in strange),
                *unfaithful_jobs(
                    raw.get("jobs"),
                    declared=desired is not None and "jobs" in desired.spec,
                    ignore=desired.plan.manage.ignore if desired else (),
                ),
            ),
            unseen=unseen,
            notices=tuple(_happened(raw)),
        )

    def reopened(self, live: Live, desired: Desired, base: Value = ABSENT) -> Live:
        """A return to planning resets every job (docs/servers/zadig.md §7.4)."""
        fresh: Tree = {"status": "", "last_status": ""}
        jobs: list[JSON] = [job | fresh for job in rows(live.raw.get("jobs"))]
        return self.view(live.raw | {"status": LIFECYCLE.path[0], "jobs": jobs}, desired, base)

    def _view_approval(self, raw: Tree, wanted: Tree, unseen: dict[str, str]) -> JSON:
        approval = tree(writable(raw.get("approval")))
        native = tree(approval.get("native_approval"))
        users = rows(native.get("approve_users"))
        for user in users:
            user["type"] = user.get("type") or "user"
        declared = rows(
            tree(tree(wanted.get("approval")).get("native_approval")).get("approve_users")
        )
        flattened = any(user.get("type") != "user" for user in declared)
        if flattened and voted(raw.get("approval")) and text(raw, "status") not in EDITABLE:
            unseen[APPROVERS] = "the first vote replaced the groups by their members"
        return approval

    def facts(self, spec: dict[str, JSON]) -> frozenset[str]:
        """Name what Zadig's edges ask for: an enabled approval, at least one job."""
        has = {"approval": tree(spec.get("approval")).get("enabled"), "jobs": spec.get("jobs")}
        return frozenset(name for name, value in has.items() if value)

    def closes_at(self, spec: dict[str, JSON]) -> int:
        """Give the end of the release window; 0 where there is none."""
        return _number(spec, "end_time") or 0

    def create(self, desired: Desired, spec: dict[str, JSON]) -> Proposal:
        """POST takes no jobs: a plan with jobs is made by two calls (docs/servers/zadig.md §3)."""
        body = _head(desired, spec)
        body |= {name: spec[name] for name in SCALARS if name in desired.spec}
        approval = _approval_body(spec, {})
        # Of a lark approval every write makes a definition in Lark: one is enough (§6.2).
        twice = str(approval.get("type", "")).startswith("lark") and bool(spec.get("jobs"))
        if not is_unset(approval) and not twice:
            body["approval"] = approval
        made = Step(
            kind=StepKind.CREATE,
            request=Request(method="POST", path=OPEN, body=body),
            summary="create the plan, without its jobs",
        )
        steps = (made, self._update(desired, spec, {}, NEW_ID)) if spec.get("jobs") else (made,)
        return Proposal(steps=steps, refusals=self._unwritable(desired, self.generation))

    def _unwritable(self, desired: Desired, generation: Generation | None) -> tuple[Refusal, ...]:
        """What a write of the file's fields would fail at, or be forgotten of."""
        return (*unknown(desired.spec, self.names), *overlooked(desired.spec, generation))

    def propose(
        self, desired: Desired, live: Live, spec: dict[str, JSON], moves: Sequence[Edge | Move]
    ) -> Proposal:
        """Turn moves into steps, and say what stands against a faithful update."""
        steps = tuple(
            self.transition(move, live.id)
            if isinstance(move, Edge)
            else self._update(desired, spec, live.raw, live.id)
            for move in moves
        )
        refusals: list[Refusal] = []
        if Move.WRITE in moves:
            refusals += (Refusal(guard="frame", message=why) for why in live.unfaithful)
            refusals += _weakened(live.spec, spec)
            generation = self.generation or recognised(live.raw)
            refusals += self._unwritable(desired, generation)
            stored = stored_workflows(live.raw.get("jobs"))
            refusals += resets(stored, generation, self.names)
        edges = [move for move in moves if isinstance(move, Edge)]
        if Move.WRITE in moves or any(edge.target == LIFECYCLE.path[0] for edge in edges):
            refusals += _rerun(live)
        if edges:
            refusals += self._identity(live)
        if moves and Move.WRITE in moves and isinstance(moves[-1], Edge):
            refusals += self._handed_over(live, spec)
        return Proposal(steps=steps, refusals=tuple(refusals))

    def transition(self, edge: Edge, id_: str) -> Step:
        """Give the status call for an edge (docs/servers/zadig.md §7)."""
        return Step(
            kind=StepKind.TRANSITION,
            request=Request(method="POST", path=f"{INTERNAL}/{id_}/status/{edge.event}"),
            summary=f"{edge.source} → {edge.target}",
            edge=edge,
        )

    def remove(self, live: Live) -> tuple[Step, ...]:
        """One DELETE, which the server refuses in no state (docs/servers/zadig.md §8.4)."""
        delete = Step(
            kind=StepKind.DELETE,
            request=Request(method="DELETE", path=f"{INTERNAL}/{live.id}"),
            summary="delete the plan",
        )
        return (delete,)

    def _handed_over(self, live: Live, spec: Tree) -> tuple[Refusal, ...]:
        """Who makes somebody else the manager may not move the plan on after that (§7.3)."""
        new = spec.get("manager")
        if self.administrator or not self.caller or new == live.spec.get("manager"):
            return ()
        message = (
            f"the update would make {new} the manager, who alone may then change the plan's state,"
            f" and the token belongs to {self.caller}; use an administrator's token, or hand the"
            " plan over without a change of state"
        )
        return (Refusal(guard="identity", message=message),)

    def _update(self, desired: Desired, spec: Tree, raw: Tree, id_: str) -> Step:
        """One PATCH that holds every writable field (docs/servers/zadig.md §4.1)."""
        body = _head(desired, spec) | {name: spec[name] for name in SCALARS}
        approval = {} if _cleared(desired) else _approval_body(spec, raw)
        if not is_unset(approval):
            body["approval"] = approval
        declared = declared_jobs(desired.plan.spec)
        body["jobs"] = job_bodies(spec.get("jobs"), declared, rows(raw.get("jobs")), self.names)
        return Step(
            kind=StepKind.UPDATE,
            request=Request(method="PATCH", path=f"{OPEN}/{id_}", body=body),
            summary="write every field, declared and kept",
        )

    def _identity(self, live: Live) -> tuple[Refusal, ...]:
        """Only its manager or an administrator moves a plan (docs/servers/zadig.md §7.3)."""
        manager = live.raw.get("manager_id")
        if self.administrator or not self.caller or self.caller == manager:
            return ()
        message = (
            f"only its manager ({manager}) or an administrator may change the plan's state, and the"
            f" token belongs to {self.caller}; use a token of one of them"
        )
        return (Refusal(guard="identity", message=message),)


def _happened(raw: Tree) -> Iterator[str]:
    """Say what the status alone does not (docs/servers/zadig.md §6.7, §7.7, §7.9)."""
    state = text(raw, "status")
    failed = [text(job, "name") for job in rows(raw.get("jobs")) if text(job, "status") == "failed"]
    if failed and state in ("success", "executing"):
        yield f"the plan is in {state}, and jobs of it failed: {', '.join(failed)}"
    if state == "wait_for_approval" and text(tree(raw.get("approval")), "status") == "cancelled":
        yield "its approval was cancelled in the messenger, so that nobody is asked any more"
    reason = text(raw, "external_check_failed_reason")
    if reason and state.endswith("_failed"):
        yield f"the external check failed: {reason}"


def _number(raw: Tree, name: str) -> int | None:
    value = raw.get(name)
    return value if isinstance(value, int) else None


def _manager(raw: Tree, desired: Desired | None, base: Value, unseen: dict[str, str]) -> JSON:
    """Name the manager as the file does, or did, if it is that person (§5.2)."""
    held, account = text(raw, "manager"), desired.spec.get("manager") if desired else None
    if desired is None or not isinstance(account, str):
        return held
    uid = desired.ids.get(account)
    if uid is not None:
        if uid == raw.get("manager_id"):
            return account
        before = base.get("manager") if isinstance(base, dict) else None
        if isinstance(before, str) and desired.ids.get(before) == raw.get("manager_id"):
            return before
        return held if held not in ("", account) else text(raw, "manager_id")
    if held.casefold() == account.casefold():
        return account
    unseen["/spec/manager"] = "the token may not look up users, so accounts cannot be told apart"
    return held


def _head(desired: Desired, spec: Tree) -> Tree:
    """Name and manager, which every write needs; the identity type only where it is declared."""
    body: Tree = {name: spec[name] for name in ("name", "manager")}
    if desired.spec.get("manager_identity_type"):
        body["manager_identity_type"] = desired.spec["manager_identity_type"]
    return body


def _cleared(desired: Desired) -> bool:
    """``approval: null`` takes the whole approval away, of whatever kind it is."""
    plan = desired.plan
    ignored = "/spec/approval" in plan.manage.ignore
    return "approval" in plan.spec and plan.spec["approval"] is None and not ignored


def _approval_body(spec: Tree, raw: Tree) -> Tree:
    """What the plan shall hold of its approval, over what the server holds besides.

    Empty members are left out, since the server takes them for absent (docs/servers/zadig.md §6).
    """
    approval = tree(spec.get("approval"))
    kept = tree(pruned(writable(raw.get("approval"))))
    body = {name: kept[name] for name in kept if name.endswith("_approval")}
    for name in BLOCKS:
        held, wanted = tree(kept.get(name)), tree(pruned(approval.get(name)))
        known = tree(approval.get(name))
        block = {key: value for key, value in held.items() if key not in known} | wanted
        if block or name in tree(raw.get("approval")):
            body[name] = block
    if not is_unset(approval):
        body["enabled"] = bool(approval.get("enabled"))
        body |= {name: approval[name] for name in ("type", "description") if approval.get(name)}
    return body


def _rerun(live: Live) -> tuple[Refusal, ...]:
    """An update forgets which jobs were done (docs/servers/zadig.md §4.5)."""
    names = rerun(live.raw.get("jobs"))
    if not names:
        return ()
    message = f"what was already done would be done again: {', '.join(names)}"
    return (Refusal(guard="interrupt", message=message, lift="--allow interrupt"),)


def _weakened(live: Tree, spec: Tree) -> tuple[Refusal, ...]:
    """An approval that is removed, disabled, or easier to get than it was."""
    before, after = tree(live.get("approval")), tree(spec.get("approval"))
    if not before.get("enabled"):
        return ()
    reasons = []
    if not after.get("enabled"):
        reasons.append("the approval would be switched off")
    elif before.get("type") != after.get("type"):
        reasons.append(f"the approval would go from {before.get('type')} to {after.get('type')}")
    elif before.get("type") == "native":
        reasons += _weaker(tree(before.get("native_approval")), tree(after.get("native_approval")))
    else:
        reasons += _others(before, after)
    return tuple(
        Refusal(guard="weaken", message=reason, lift="--allow weaken") for reason in reasons
    )


def _others(before: Tree, after: Tree) -> list[str]:
    """In an approval by nodes any change may let others decide; it is not weighed, but shown."""
    return [
        f"who approves, or in which order, would change in {name}"
        for name in BLOCKS
        if before.get("type", "") in OWNERS[name] and not same(before.get(name), after.get(name))
    ]


def _weaker(before: Tree, after: Tree) -> list[str]:
    reasons = []
    had, has = (_number(native, "needed_approvers") or 0 for native in (before, after))
    if has < had:
        reasons.append(f"the number of approvals needed would go from {had} to {has}")
    old, new = (_approvers(native) for native in (before, after))
    if new - old:
        reasons.append(f"others could approve: {', '.join(sorted(new - old))}")
    return reasons


def _approvers(native: Tree) -> set[str]:
    return {
        f"{user.get('type')}:{user.get('user_id') or user.get('group_id')}"
        for user in rows(native.get("approve_users"))
    }
