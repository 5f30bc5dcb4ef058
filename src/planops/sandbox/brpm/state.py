"""All of the emulated BRPM but its application: records, tokens, switches, what it received.

The object may be used from any thread while it is being served.
"""

import copy
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from planops.sandbox.brpm import fixtures as planting
from planops.sandbox.brpm.answers import page
from planops.sandbox.brpm.fixture_form import KINDS, check, completed
from planops.sandbox.brpm.plans import COLUMNS, built, remove
from planops.sandbox.brpm.realm import ANY_EVENT, Realm
from planops.sandbox.brpm.routes import Habits, dispatch, find_route, token_of
from planops.sandbox.brpm.shapes import shown_plan
from planops.sandbox.brpm.store import Kind, Store
from planops.sandbox.brpm.switches import Switches, switched
from planops.sandbox.clock import Clock
from planops.sandbox.emulated import Change, Document, Emulated
from planops.sandbox.faults import Fault
from planops.sandbox.messages import Answer, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """Who edited which plan behind everybody's back; the plan itself does not say."""

    plan_id: int
    by: str


class BrpmState(Emulated[int]):
    """An emulated BRPM, without a way to reach it over HTTP."""

    def __init__(
        self,
        *,
        context: str = planting.CONTEXT,
        switches: Switches | None = None,
        clock: Clock | None = None,
        fixtures: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(clock)
        self.context = context.rstrip("/")
        self._fixtures = planting.chosen(fixtures)
        self._realm = Realm(store=Store(), clock=self.clock)
        self._switches = switches or Switches()
        self._stuck = frozenset[tuple[int, str]]()
        self._edited: list[Edited] = []
        self._tokens = planting.plant(self._realm, self._fixtures)

    @property
    def switches(self) -> Switches:
        """The habits that are emulated."""
        return self._switches

    def switch(self, **changes: Any) -> Switches:  # noqa: ANN401 - each switch has its own type
        """Change some habits; ``ValueError`` for what there is not."""
        with self._realm.store.lock:
            self._switches = switched(self._switches, changes)
            return self._switches

    def stick(self, plan_id: int, event: str = ANY_EVENT) -> None:
        """Make an event of a plan (by default each) answer success and do nothing (§5.8).

        The event is spelt as it is sent; a DELETE is ``delete``.
        """
        with self._realm.store.lock:
            self._stuck |= {(plan_id, event)}

    def unstick(self) -> None:
        """Let every event work again."""
        with self._realm.store.lock:
            self._stuck = frozenset()

    @property
    def tokens(self) -> dict[str, str]:
        """The login behind every token."""
        with self._realm.store.lock:
            return dict(self._tokens)

    def issue_token(self, login: str, token: str) -> str:
        """Make ``token`` stand for a user; ``KeyError`` when there is no such login."""
        with self._realm.store.lock:
            if login not in {user["login"] for user in self.records("user")}:
                raise KeyError(login)
            self._tokens[token] = login
        return token

    def revoke_token(self, token: str) -> None:
        """Make a token worthless."""
        with self._realm.store.lock:
            self._tokens.pop(token, None)

    def close(self) -> None:
        """Let go of everything."""
        self._realm.store.clear()

    def reset(self) -> None:
        """Back to the fixtures: their plans and tokens, nothing stuck, no faults, no record."""
        with self._realm.store.lock:
            self._realm.store.clear()
            self._tokens = planting.plant(self._realm, self._fixtures)
            self._stuck = frozenset()
            self._edited.clear()
        self.forget()

    def plan(self, plan_id: int) -> Document:
        """A stored plan; ``KeyError`` when there is none."""
        found = self._realm.store.get("plan", plan_id)
        if found is None:
            raise KeyError(plan_id)
        return found

    def plans(self) -> tuple[Document, ...]:
        """Every stored plan, oldest first, archived ones included; states as in §5.4."""
        return self.records("plan")

    def shown(self, plan_id: int) -> Document:
        """A plan in the show shape, as the server would answer it now."""
        with self._realm.store.lock:
            return shown_plan(self._realm, self._switches, self.plan(plan_id))

    def records(self, kind: Kind) -> tuple[Document, ...]:
        """Every record of a kind."""
        return tuple(self._realm.store.all(kind))

    def put_record(self, kind: Kind, record: Mapping[str, Any]) -> Document:
        """Add or replace a record of another kind than plans, in the form of the fixtures."""
        name = next(name for name, of in KINDS.items() if of == kind)
        if kind == "plan":
            raise ValueError("plan: is not put but inserted or edited")
        check({name: [dict(record)]})
        with self._realm.store.lock:
            whole = completed(name, copy.deepcopy(dict(record)), self._realm.now())
            self._realm.store.put(kind, whole)
        return whole

    def remove_record(self, kind: Kind, key: int) -> None:
        """Another person removes a record."""
        self._realm.store.delete(kind, key)

    @property
    def edited(self) -> tuple[Edited, ...]:
        """Every ``edit``, oldest first."""
        with self._realm.store.lock:
            return tuple(self._edited)

    def edit(self, plan_id: int, change: Change, by: str = "someone") -> Document:
        """Another person edits a plan in the web interface: any stored field, states included."""
        with self._realm.store.lock:
            plan = self.plan(plan_id)
            if callable(change):
                change(plan)
            else:
                plan |= copy.deepcopy(dict(change))
            _check_columns(plan)
            plan["updated_at"] = self._realm.now()
            self._realm.store.put("plan", plan)
            self._edited.append(Edited(plan_id=plan_id, by=by))
        return plan

    def insert_plan(self, document: Mapping[str, Any]) -> Document:
        """Plant a plan; without a template it has the first, without a name one by its id."""
        _check_columns(document)
        with self._realm.store.lock:
            given = copy.deepcopy(dict(document))
            if "plan_template_id" not in given:
                given["plan_template_id"] = self.records("plan_template")[0]["id"]
            given["id"] = given.get("id") or self._realm.store.next_id("plan")
            given.setdefault("name", f"Plan {given['id']}")
            plan = built(self._realm, given)
            self._realm.store.put("plan", plan)
        return plan

    def remove_plan(self, plan_id: int) -> None:
        """Another person deletes a plan, whatever its state."""
        with self._realm.store.lock:
            remove(self._realm, plan_id)

    def caller(self, request: Request) -> str | None:
        """The login whose token a request carries."""
        return self.tokens.get(token_of(request))

    def route_name(self, request: Request) -> str:
        """The name of the route that a request meets, or nothing."""
        found = find_route(self.context, request)
        return found[0].name if found else ""

    def answer(
        self,
        request: Request,
        faults: Sequence[Fault],  # noqa: ARG002 - BRPM has no faults of its own
    ) -> tuple[Answer, bool]:
        """Process a request; its answer, and whether it changed anything."""
        store = self._realm.store
        with store.lock:
            before, known = store.changes, self.caller(request) is not None
            habits = Habits(context=self.context, switches=self._switches, stuck=self._stuck)
            try:
                answer = dispatch(self._realm, request, known=known, habits=habits)
            except Exception:  # noqa: BLE001 - a defect of the sandbox must not look like BRPM
                self.defects.append(traceback.format_exc())
                answer = page(500, "defect of the sandbox")
            return answer, store.changes != before


def _check_columns(plan: Mapping[str, Any]) -> None:
    for name in plan:
        if name not in COLUMNS:
            known = ", ".join(sorted(COLUMNS))
            raise ValueError(f"{name}: is no field of a stored plan: known are {known}")
