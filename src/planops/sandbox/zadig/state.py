"""All of the emulated Zadig but its application: state, people, faults, and what it received.

The object may be used from any thread while it is being served.
"""

import copy
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from planops.sandbox.clock import Clock
from planops.sandbox.emulated import Change, Emulated
from planops.sandbox.faults import Fault
from planops.sandbox.messages import Answer, Request
from planops.sandbox.zadig import fixtures as planting
from planops.sandbox.zadig.answers import plain_text
from planops.sandbox.zadig.execution import poll
from planops.sandbox.zadig.faults import CONDITIONS, KINDS
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.lifecycle import decide_outside
from planops.sandbox.zadig.people import People, User
from planops.sandbox.zadig.plans import stored
from planops.sandbox.zadig.realm import COUNTER, Realm
from planops.sandbox.zadig.routes import caller_of, dispatch, find_route
from planops.sandbox.zadig.store import Store
from planops.sandbox.zadig.traits import Generation, traits_of
from planops.sandbox.zadig.webhooks import HookSent, hooks_sent


class ZadigState(Emulated[str]):
    """An emulated Zadig, without a way to reach it over HTTP."""

    fault_kinds = KINDS

    def __init__(
        self,
        *,
        database: str | Path = ":memory:",
        generation: Generation = "5.0",
        clock: Clock | None = None,
        fixtures: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(clock)
        self._fixtures = planting.chosen(fixtures)
        store, traits = Store(database), traits_of(generation)
        self.people = People(store, traits)
        self._realm = Realm(store=store, clock=self.clock, traits=traits, people=self.people)
        if not self.people.all():
            planting.plant(self._realm, self._fixtures)

    @property
    def generation(self) -> Generation:
        """The generation that is emulated."""
        return self._realm.traits.generation

    @property
    def users(self) -> tuple[User, ...]:
        """Every user."""
        return self.people.all()

    def close(self) -> None:
        """Let go of the database."""
        self._realm.store.close()

    def reset(self) -> None:
        """Back to the fixtures: no plans, no faults, nothing received."""
        with self._realm.store.lock:
            self._realm.store.clear()
            planting.plant(self._realm, self._fixtures)
        self.forget()

    def add_user(self, user: User, *, token: str | None = None) -> None:
        """Add or replace a user, and give out a token."""
        self.people.add(user)
        if token is not None:
            self.people.issue(user.account, token)

    def permit(self, account: str, permissions: Iterable[str]) -> None:
        """Set what a user may do."""
        user = self.people.by_account(account)
        self.people.add(replace(user, permissions=frozenset(permissions)))

    def issue_token(self, account: str, token: str) -> str:
        """Make ``token`` stand for a user."""
        return self.people.issue(account, token)

    def revoke_token(self, token: str) -> None:
        """Make a token worthless."""
        self.people.revoke(token)

    def plan(self, plan_id: str) -> Document:
        """A stored plan; ``KeyError`` when there is none."""
        found = self._realm.store.get("plan", plan_id)
        if found is None:
            raise KeyError(plan_id)
        return found

    def plans(self) -> tuple[Document, ...]:
        """Every stored plan, oldest first."""
        return tuple(self._realm.store.all("plan"))

    @property
    def tokens(self) -> dict[str, str]:
        """The account behind every token."""
        return self.people.tokens()

    def timers(self) -> tuple[Document, ...]:
        """The timers of scheduled executions."""
        return tuple(self._realm.store.all("cron"))

    def edit(self, plan_id: str, change: Change, by: str = "someone") -> Document:
        """Another person edits a plan in the web interface: any field, a new version (§1.6)."""
        with self._realm.store.lock:
            plan = self.plan(plan_id)
            if callable(change):
                change(plan)
            else:
                plan |= copy.deepcopy(dict(change))
            plan = stored(plan)
            self._realm.touch(plan, by)
            self._realm.bump(plan)
            self._realm.save_plan(plan)
        return plan

    def insert_plan(self, document: Mapping[str, Any]) -> Document:
        """Plant a plan of any shape; what it lacks is filled in."""
        with self._realm.store.lock:
            plan = stored(copy.deepcopy(dict(document)))
            plan["id"] = plan["id"] or self._realm.new_plan_id()
            plan["index"] = plan["index"] or self._realm.store.increment(COUNTER)
            self._realm.store.raise_counter(COUNTER, int(plan["index"]))
            self._realm.save_plan(plan)
        return plan

    def remove_plan(self, plan_id: str) -> None:
        """Another person deletes a plan."""
        self._realm.store.delete("plan", plan_id)

    def put_workflow(self, workflow: Mapping[str, Any]) -> None:
        """Add or replace a workflow under its name."""
        self._realm.store.put("workflow", str(workflow["name"]), dict(workflow))

    def workflow(self, name: str) -> Document:
        """A workflow by its name; ``KeyError`` when there is none."""
        found = self._realm.store.get("workflow", name)
        if found is None:
            raise KeyError(name)
        return found

    def remove_workflow(self, name: str) -> None:
        """Another person deletes a workflow."""
        self._realm.store.delete("workflow", name)

    def fail_preset(self, workflow: str, text: str, *, job: str = "") -> None:
        """Make refreshing a workflow, or one job of it, fail from now on (§9.1)."""
        key = f"preset/{workflow}/{job}" if job else f"preset/{workflow}"
        self._realm.store.put("setting", key, {"text": text})

    @property
    def hooks_sent(self) -> tuple[HookSent, ...]:
        """Every message to the outside, oldest first; nothing really leaves."""
        return hooks_sent(self._realm)

    def forget_hook_setting(self) -> None:
        """Remove the system's hook setting, without which no status changes (§7.3)."""
        self._realm.store.delete("setting", "hook")

    def finish_task(self, plan_id: str, job_id: str, outcome: str) -> None:
        """End the task of a running workflow job; the next ``tick`` notices."""
        job = next(one for one in self.plan(plan_id)["jobs"] if one["id"] == job_id)
        self._realm.store.put("task", str(job["spec"]["task_id"]), {"status": outcome})

    def decide(self, plan_id: str, outcome: str) -> None:
        """An approval outside (lark, dingtalk, workwx) ends: passed, reject or cancelled."""
        with self._realm.store.lock:
            decide_outside(self._realm, self.plan(plan_id), outcome)

    def tick(self) -> None:
        """One pass of the server's pollers (§7.7)."""
        with self._realm.store.lock:
            poll(self._realm)

    def route_name(self, request: Request) -> str:
        """The name of the route that a request meets, or nothing."""
        found = find_route(self._realm, request.method, request.path)
        return found[0].name if found else ""

    def caller(self, request: Request) -> str | None:
        """The account whose token a request carries."""
        user = caller_of(self._realm, request)
        return None if user is None else user.account

    def answer(self, request: Request, faults: Sequence[Fault]) -> tuple[Answer, bool]:
        """Process a request; its answer, and whether it changed anything."""
        mixed = [fault.body.decode() for fault in faults if fault.kind == "description-mixup"]
        conditions = frozenset(fault.kind for fault in faults if fault.kind in CONDITIONS)
        store = self._realm.store
        with store.lock:
            before = store.changes
            try:
                answer = dispatch(self._realm, request, conditions, mixed[0] if mixed else None)
            except Exception:  # noqa: BLE001 - a defect of the sandbox must not look like Zadig
                self.defects.append(traceback.format_exc())
                answer = plain_text(500, f"defect of the sandbox: {self.defects[-1]}")
            return answer, store.changes != before
