"""BRPM over HTTP: lists proven by a known-good request, look-ups by name, single writes."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence

from planops.backends.brpm.answers import (
    EVENT,
    NAME,
    TAKEN,
    UNPROCESSABLE,
    complaints,
    listed,
    record,
    succeeded,
    write_refusal,
)
from planops.backends.brpm.drafts import Logins, draft, managers, shown
from planops.backends.brpm.lifecycle import Dialect
from planops.backends.brpm.references import KINDS, Found, Name, matching, mentioned, resolved
from planops.backends.brpm.wire import PLANS, BrpmRules
from planops.backends.exchange import Request, Response, Transport
from planops.backends.inventories import inventory, wanted
from planops.backends.trees import Tree, text
from planops.core.changes import NEW_ID, Step, StepKind
from planops.core.changes import Request as Asked
from planops.core.decide import Desired
from planops.core.drafts import Draft
from planops.core.model import JSON, Plan
from planops.core.shape import Shape
from planops.errors import Garbled, NotAllowed, OutcomeUnknown, PlanopsError, ServerSaidNo
from planops.ports import NOTHING, Inventory, Specs, Stub

USERS = "/v1/users"
STATE = "filters[aasm_state]"
_ID = re.compile(r"[1-9][0-9]{0,17}")
ARCHIVED = "archived"
SHOWN = (
    "name",
    "description",
    "aasm_state",
    "plan_template_id",
    "release_id",
    "release_manager_id",
    "release_date",
    "teams",
)
"""What a row of the list must have to stand for the plan itself (docs/servers/brpm.md §4.8)."""


class BrpmBackend:
    """A BRPM server; its token is the HTTP client's business, since it is in every address."""

    def __init__(self, http: Transport, shape: Shape, *, dialect: Dialect | None = None) -> None:
        self._http = http
        self._rules = BrpmRules(shape=shape, dialect=dialect or Dialect())
        self._lock = threading.Lock()
        self._fallbacks: set[str] = set()  # events that this server knows by their other name

    @property
    def rules(self) -> BrpmRules:
        """The pure half: schema, lifecycle, wire format."""
        return self._rules

    def prepare(
        self, plans: Sequence[Plan], applied: Mapping[str, Specs] = NOTHING
    ) -> tuple[Desired, ...]:
        """Look up every name that the files mention, once, and make the specs canonical."""
        before = [applied.get(plan.key.name, {}) for plan in plans]
        found = self._found(mentioned([*(plan.spec for plan in plans), *before]))
        pairs = zip(plans, before, strict=True)
        return tuple(resolved(plan, found, self._rules.shape, was) for plan, was in pairs)

    def describe(self, documents: Sequence[Tree]) -> tuple[Draft, ...]:
        """Say what files would declare of plans, by names wherever these are told apart."""
        logins = self._logins() if managers(documents) else {}
        found = self._found(shown(documents, logins))
        return tuple(draft(raw, found, logins) for raw in documents)

    def _logins(self) -> Logins:
        """Give the logins of all users by id; of none where the token may not look."""
        try:
            rows = self._list(USERS)
        except NotAllowed:
            return {}
        return {id_: text(row, "login") for row in rows if isinstance(id_ := row["id"], int)}

    def _found(self, names: Sequence[Name]) -> Found:
        return dict(zip(names, self._http.map(self._look_up, names), strict=True))

    def _look_up(self, name: Name) -> tuple[int, ...] | None:
        """Find everything of a name; ``None`` where the token may not look (§6)."""
        kind = next(kind for kind in KINDS if kind.field == name[0])
        path = f"/v1/{kind.resource}"
        try:
            rows = self._list(path, ((f"filters[{kind.filter}]", name[1]),))
        except NotAllowed:
            return None
        return matching(kind, name[1], rows)

    def observe(self, names: Iterable[str], ids: Collection[str] = ()) -> Inventory:
        """List every plan, archived ones too, and give those of these names and ids in full.

        Raises ``ServerSaidNo`` where nothing is listed and nothing else proves that the address and
        the token are right (docs/servers/brpm.md §1.6).
        """
        listed_ = self._list(PLANS)
        rows = {row["id"]: row for row in (*listed_, *self._archived(listed_))}
        stubs = tuple(sorted(map(_stub, rows.values()), key=lambda stub: -stub.ordinal))
        if not stubs:
            self._prove()
        named = frozenset(names)
        asked = wanted(stubs, named, ids)
        known = {stub.id: rows[stub.ordinal] for stub in asked}
        found = self._http.map(lambda stub: self._whole(known[stub.id]), asked)
        return inventory(stubs, asked, found, named, ids)

    def _archived(self, known: Sequence[Tree], *query: tuple[str, str]) -> list[Tree]:
        """List archived plans, which a list may hide: by every spelling of their state (§3.5)."""
        spelt = self._rules.dialect.spellings(ARCHIVED, (text(row, "aasm_state") for row in known))
        return [row for state in spelt for row in self._list(PLANS, (*query, (STATE, state)))]

    def _prove(self) -> None:
        """An empty list means something only where another list is not empty."""
        if not self._list(USERS):
            raise ServerSaidNo(
                f"GET {PLANS}: the server lists neither plans nor users, which is what it does for"
                " a wrong address too; check url and token in planops.yaml"
            )

    def _whole(self, row: Tree) -> Tree:
        """A row that has every field stands for its plan; else the plan itself is read."""
        return row if all(name in row for name in SHOWN) else self.read(str(row["id"]))

    def _list(self, path: str, query: tuple[tuple[str, str], ...] = ()) -> list[Tree]:
        where = f"GET {path}"
        rows = listed(self._http.read(Request(method="GET", path=path, query=query)), where)
        if not all(isinstance(row.get("id"), int) for row in rows):
            raise Garbled(f"{where}: a row has no id; check url in planops.yaml")
        return rows

    def read(self, id_: str) -> dict[str, JSON]:
        """Read one plan in full, in its show shape (docs/servers/brpm.md §4.8)."""
        where = f"GET {PLANS}/{id_}"
        if not _is_id(id_):
            raise Garbled(f"{where}: {id_!r} is no plan id")
        found = record(self._http.read(Request(method="GET", path=f"{PLANS}/{id_}")), where)
        if str(found.get("id")) != id_:
            raise Garbled(f"{where}: the answer is not that plan; check url in planops.yaml")
        return found

    def send(self, step: Step, id_: str | None) -> str:
        """Make one write, once; in its other spelling where the server knows only that (§5.2)."""
        first, second = step.request, step.fallback
        event = step.edge.event if step.edge else ""
        if second is not None and event in self._fallbacks:
            first, second = second, first
        response = self._write(first, id_)
        if (
            second is not None
            and response.status == UNPROCESSABLE
            and EVENT in complaints(response)
        ):
            again = self._write(second, id_)
            if succeeded(again):
                self._remember(event, other=second is step.fallback)
                return id_ or ""
            if again.status != UNPROCESSABLE:
                raise write_refusal(again, f"{second.method} {_path(second, id_)}")
        where = f"{first.method} {_path(first, id_)}"
        if not succeeded(response):
            self._taken(step, response, where)
            raise write_refusal(response, where)
        return _made(response, where) if step.kind is StepKind.CREATE else id_ or ""

    def _remember(self, event: str, *, other: bool) -> None:
        """Keep for the run which spelling of an event this server knows."""
        with self._lock:
            if other:
                self._fallbacks.add(event)
            else:
                self._fallbacks.discard(event)

    def _write(self, asked: Asked, id_: str | None) -> Response:
        return self._http.write(
            Request(method=asked.method, path=_path(asked, id_), body=asked.body)
        )

    def _taken(self, step: Step, response: Response, where: str) -> None:
        """Say who has a name that is taken, also one that no list shows (§3.5)."""
        body = step.request.body
        plan = body.get("plan") if isinstance(body, dict) else None
        name = text(plan, "name") if isinstance(plan, dict) else ""
        said = complaints(response).get(NAME, []) if response.status == UNPROCESSABLE else []
        if not name or not any(TAKEN in why for why in said):
            return
        named = ("filters[name]", name)
        shown = self._list(PLANS, (named,))
        rows = (*shown, *self._archived(shown, named))
        holders = {
            f"{row['id']} ({text(row, 'aasm_state')})" for row in rows if text(row, "name") == name
        }
        who = f"by {' and '.join(sorted(holders))}" if holders else "by a plan that no list shows"
        raise ServerSaidNo(f"{where}: the name {name!r} is taken {who}; choose another name")


def _stub(row: Tree) -> Stub:
    id_, name = row["id"], row.get("name")
    if not isinstance(id_, int) or not isinstance(name, str):
        raise Garbled(f"GET {PLANS}: a row of the list has no name; check url in planops.yaml")
    return Stub(id=str(id_), name=name.strip(), ordinal=id_)


def _made(response: Response, where: str) -> str:
    """Give the id of a plan that was made."""
    try:
        id_ = record(response, where).get("id")
    except PlanopsError as error:  # whatever is wrong with the answer, the plan may be there
        raise OutcomeUnknown(
            f"{where}: the answer is no plan; the next run looks for it"
        ) from error
    if not isinstance(id_, int):
        raise OutcomeUnknown(f"{where}: the answer names no plan id; the next run looks for it")
    return str(id_)


def _path(asked: Asked, id_: str | None) -> str:
    return asked.path.replace(NEW_ID, id_ or NEW_ID)


def _is_id(text_: str) -> bool:
    return _ID.fullmatch(text_) is not None
