"""A served sandbox, a target on it, and a run: what every test of the run starts from."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from planops import reconcile
from planops.backends.exchange import Endpoint, Request, Response, Timeouts, Transport
from planops.backends.http import Http
from planops.backends.zadig.backend import ZadigBackend
from planops.core.changes import ChangeSet
from planops.core.guards import PER_PLAN, Limits
from planops.core.model import JSON, Manage, Plan, PlanKey, Source
from planops.core.report import ChangeReport, Outcome, TargetReport
from planops.manifests.schemas import shape
from planops.run import Run, Sight, Target
from planops.sandbox.clock import Clock
from planops.sandbox.server import serve
from planops.sandbox.zadig import FIXTURES, Generation, Received, ZadigSandbox
from planops.sandbox.zadig.visitor import Visitor

NOW = 1_790_000_000
SOON, LATER = NOW + 3_600, NOW + 7_200
ADMIN, PATRICK, ALICE = (f"sandbox-{who}-token" for who in ("admin", "patrick", "alice"))
OPEN = "/openapi/release_plan/v1"
INTERNAL = "/api/aslan/release_plan/v1"
UIDS: Mapping[str, str] = {user["account"]: user["uid"] for user in FIXTURES["users"]}
EVERYTHING: Mapping[str, int | None] = dict.fromkeys(PER_PLAN, 99)
AT_EASE = Limits(share=1.0, floor=10_000)

Item = TypeVar("Item")
Result = TypeVar("Result")
Write = tuple[str, str, Any]


@dataclass(slots=True)
class StillClock:
    """A clock that stands; sleeping only counts."""

    slept: list[float] = field(default_factory=list)

    def now(self) -> int:
        return NOW

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Through:
    """A transport before the real one; what passes may be changed by the kinds of it."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner

    def read(self, request: Request) -> Response:
        return self.inner.read(request)

    def write(self, request: Request) -> Response:
        return self.inner.write(request)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> tuple[Result, ...]:
        return self.inner.map(function, items)


def plan(
    name: str = "train",
    *,
    state: str | None = None,
    ignore: tuple[str, ...] = (),
    **spec: JSON,
) -> Plan:
    """A plan as a file declares it; its name and manager may be left out."""
    return Plan(
        key=PlanKey(target="prod", name=name),
        kind="ZadigReleasePlan",
        spec={"name": name, "manager": "patrick", **spec},
        state=state,
        manage=Manage(ignore=ignore),
        source=Source(file=f"plans/{name}.yaml"),
    )


def text(name: str = "Announce", **spec: JSON) -> JSON:
    """A text job as a file declares it."""
    return {"name": name, "type": "text", "spec": {"content": "Hello", **spec}}


def native(*accounts: str, needed: int = 1, **more: JSON) -> JSON:
    """An enabled native approval by accounts."""
    users: list[JSON] = [{"account": account} for account in accounts or ("admin",)]
    return {
        "enabled": True,
        "type": "native",
        "native_approval": {
            "timeout": 60,
            "needed_approvers": needed,
            "approve_users": users,
            **more,
        },
    }


def jwt(account: str) -> str:
    """A token that says whose it is, as the server's own do."""
    middle = json.dumps({"uid": UIDS[account], "name": account}).encode()
    return f"head.{base64.urlsafe_b64encode(middle).decode().rstrip('=')}.tail"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A sandbox, somebody who uses its web interface, and targets that planops runs against."""

    sandbox: ZadigSandbox
    visitor: Visitor
    clock: StillClock
    stack: contextlib.ExitStack

    @property
    def url(self) -> str:
        return self.visitor.url

    def target(
        self,
        *,
        token: str = ADMIN,
        concurrency: int = 1,
        by_name: bool = True,
        max_body: int = 4 * 1024 * 1024,
        limits: Limits = AT_EASE,
        through: Callable[[Transport], Transport] = lambda inner: inner,
    ) -> Target:
        """A target as the command line would build it, with a clock that never waits."""
        endpoint = Endpoint(
            url=self.url,
            headers={"Authorization": f"Bearer {token}"},
            secrets=(token,),
            concurrency=concurrency,
            max_body=max_body,
            timeouts=Timeouts(connect=20.0, read=20.0, total=20.0),
        )
        http = self.stack.enter_context(Http(endpoint, self.clock, jitter=lambda: 0.0))
        return Target(
            name="prod",
            kind="zadig",
            url=self.url,
            backend=ZadigBackend(through(http), shape("ZadigReleasePlan"), token=token),
            by_name=by_name,
            limits=limits,
            concurrency=concurrency,
            digest_key=b"key",
        )

    def plant(self, name: str = "train", **document: Any) -> str:
        """A plan that somebody made in the web interface; its id."""
        jobs = document.pop("jobs", [held_text()])
        return str(
            self.sandbox.insert_plan(
                {
                    "name": name,
                    "manager": "patrick",
                    "manager_id": UIDS["patrick"],
                    "jobs": jobs,
                    **document,
                }
            )["id"]
        )

    def named(self, name: str) -> list[dict[str, Any]]:
        """The server's plans of a name."""
        return [one for one in self.sandbox.plans() if one["name"] == name]

    def writes(self, since: int = 0) -> list[Write]:
        """What the server was asked to write, in the order of arrival."""
        return [(one.method, one.path, said(one)) for one in self.sandbox.writes[since:]]


def said(one: Received) -> Any:
    """The body of a request; ``None`` where there is none."""
    return json.loads(one.body) if one.body else None


def held_text(name: str = "Announce", content: str = "Hello", **more: Any) -> dict[str, Any]:
    """A text job as the server holds it."""
    remark = more.pop("remark", "")
    return {
        "id": f"job-{name}",
        "name": name,
        "type": "text",
        "spec": {"content": content, "remark": remark},
        "status": "todo",
        **more,
    }


def held_native(*accounts: str, needed: int = 1, status: str = "") -> dict[str, Any]:
    """An enabled native approval as the server holds it."""
    users = [{"type": "user", "user_id": UIDS[one], "user_name": one} for one in accounts]
    return {
        "enabled": True,
        "status": status,
        "type": "native",
        "description": "",
        "native_approval": {"timeout": 60, "needed_approvers": needed, "approve_users": users},
    }


@contextlib.contextmanager
def world(generation: Generation = "5.0") -> Iterator[World]:
    """A fresh world. A defect of the sandbox raises at the end."""
    sandbox = ZadigSandbox(generation=generation, clock=Clock(NOW))
    with contextlib.ExitStack() as stack:
        stack.callback(sandbox.close)
        url = stack.enter_context(serve(sandbox.app)).url
        visitor = Visitor(sandbox, url)
        yield World(sandbox=sandbox, visitor=visitor, clock=StillClock(), stack=stack)
        if sandbox.defects:
            raise AssertionError(sandbox.defects[0])


def asked(*, everything: bool = False, **allow: int | None) -> Run:
    """A run with these guards lifted, guards' dashes written as underscores."""
    named = {name.replace("_", "-"): count for name, count in allow.items()}
    lifted = {**(EVERYTHING if everything else {}), **named}
    return Run(now=NOW, allow=lifted, unproven=lambda _: "")


def look(target: Target, plans: Sequence[Plan], run: Run) -> tuple[Sight, ChangeSet]:
    """Observe and diff."""
    sight = reconcile.observe(target, plans, run)
    return sight, reconcile.diff(target, sight, run)


def applied(target: Target, plans: Sequence[Plan], run: Run | None = None) -> TargetReport:
    """Observe, diff and apply.

    That 4.1 resets variables is allowed unless said otherwise; test_run_generations.py tells of it.
    """
    run = run or asked(reset=99)
    sight, changes = look(target, plans, run)
    return reconcile.apply(target, sight, changes, run)


def apply_one(target: Target, wanted: Plan, run: Run | None = None) -> ChangeReport:
    """Observe, diff and apply one plan."""
    return applied(target, [wanted], run).changes[0]


def outcomes(report: TargetReport) -> dict[str, Outcome]:
    """The outcome of every plan."""
    return {one.change.key.name: one.outcome for one in report.changes}


def promised(changes: ChangeSet, ids: Mapping[str, str | None]) -> dict[str, list[Write]]:
    """The writes that a change set shows, a list for each plan, with new plans' ids filled in."""
    return {
        change.key.name: [
            (
                step.request.method,
                step.request.path.replace("{id}", ids.get(change.key.name) or "{id}"),
                step.request.body,
            )
            for step in change.steps
            if not change.refusals
        ]
        for change in changes.changes
    }


def guards(report: ChangeReport) -> set[str]:
    """The guards that stand against a change."""
    return {refusal.guard for refusal in report.change.refusals}


def why(report: ChangeReport) -> str:
    """What stands against a change, in words."""
    return " | ".join(refusal.message for refusal in report.change.refusals)


def with_goal(wanted: Plan, state: str | None) -> Plan:
    """The same plan with another goal."""
    return replace(wanted, state=state)
