"""Zadig over HTTP: the complete inventory, full reads, look-ups, and single writes."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from planops.backends.exchange import Request, Response, Transport
from planops.backends.inventories import inventory, wanted
from planops.backends.trees import Tree
from planops.backends.zadig import history
from planops.backends.zadig.answers import (
    FORBIDDEN,
    OK,
    UNAUTHORIZED,
    is_id,
    payload,
    write_refusal,
)
from planops.backends.zadig.drafts import accounts, draft
from planops.backends.zadig.drafts import runs_workflows as run_workflows
from planops.backends.zadig.generations import Generation, recognised
from planops.backends.zadig.people import Account, Directory, Person, resolved
from planops.backends.zadig.references import KINDS, Names, listed, mentioned, runs_workflows
from planops.backends.zadig.wire import INTERNAL, OPEN, ZadigRules
from planops.core.attribution import NOTHING as NOBODY
from planops.core.attribution import Touches
from planops.core.changes import NEW_ID, Change, Step, StepKind
from planops.core.decide import Desired
from planops.core.drafts import Draft
from planops.core.model import JSON, Plan
from planops.core.shape import Shape
from planops.errors import (
    Garbled,
    OutcomeUnknown,
    PlanGone,
    PlanopsError,
    ServerSaidNo,
    SettingsWrong,
    Unreachable,
)
from planops.ports import NOTHING, Inventory, Specs, Stub

PAGE = 1000
PASSES = 4
MAX_PAGES = 1000
USERS = "/openapi/users"
LISTS = {
    "registries": "/openapi/system/registry",
    "code_hosts": "/api/aslan/code/codehost",
    "databases": "/api/aslan/system/dbinstance",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    stubs: tuple[Stub, ...]
    total: int


class ZadigBackend:
    """A Zadig server behind its gateway; ``token`` is only read for whose it is, never shown.

    ``version`` is what the settings say of the server's release; without it the server's documents
    show it.
    """

    def __init__(
        self, http: Transport, shape: Shape, *, token: str = "", version: str | None = None
    ) -> None:
        self._http = http
        self._told = Generation(version) if version else None
        self._rules = ZadigRules(shape=shape, caller=caller(token), generation=self._told)

    @property
    def rules(self) -> ZadigRules:
        """The pure half: schema, lifecycle, wire format."""
        return self._rules

    def prepare(
        self, plans: Sequence[Plan], applied: Mapping[str, Specs] = NOTHING
    ) -> tuple[Desired, ...]:
        """Look up everything that the files name, once, and make the specs canonical."""
        before = [applied.get(plan.key.name, {}) for plan in plans]
        found = self._people(Directory.of(plans, before).accounts)
        administrator = any(people is not None for people in found.values())
        wanted_names = mentioned(plans)
        if runs_workflows(plans):
            wanted_names["codehost_name"].add("")  # of variables that no file declares
        self._rules = replace(
            self._rules, administrator=administrator, names=self._names(wanted_names)
        )
        pairs = zip(plans, before, strict=True)
        return tuple(resolved(plan, found, self._rules.shape, was) for plan, was in pairs)

    def describe(self, documents: Sequence[Tree]) -> tuple[Draft, ...]:
        """Say what files would declare of plans; people and things are looked up once."""
        people = self._people(accounts(documents))
        asked = [""] if run_workflows(documents) else []
        names = self._names({kind.field: asked for kind in KINDS})
        return tuple(
            draft(raw, people, names, self._rules.generation or recognised(raw))
            for raw in documents
        )

    def _people(self, named: Sequence[Account]) -> dict[Account, tuple[Person, ...] | None]:
        """Look up all accounts; where the first answer is that the token may not, ask no more."""
        first, rest = named[:1], named[1:]
        found = dict(zip(first, map(self._look_up, first), strict=True))
        if None in found.values():
            return dict.fromkeys(named)
        return found | dict(zip(rest, self._http.map(self._look_up, rest), strict=True))

    def _names(self, wanted: Mapping[str, Collection[str]]) -> Names:
        """List the names of what plans mention, of nothing else (docs/servers/zadig.md §8.7)."""
        asked = [kind for kind in KINDS if wanted[kind.field]]
        lists = self._http.map(self._listed, (kind.names for kind in asked))
        return Names(**{kind.names: known for kind, known in zip(asked, lists, strict=True)})

    def _listed(self, names: str) -> Mapping[str, str] | None:
        """Read one list; ``None`` where this token or this server does not give it."""
        response = self._read(LISTS[names])
        if response.status != OK:
            return None
        value = response.json()
        return listed(names, value) if isinstance(value, list) else None

    def _look_up(self, account: Account) -> tuple[Person, ...] | None:
        """Find the users of an account; ``None`` where the token may not look (§8.5)."""
        name, kind = account
        query = (("account", name), *((("identity_type", kind),) if kind else ()))
        response = self._read(USERS, query)
        if response.status in (UNAUTHORIZED, FORBIDDEN):
            return None
        value = payload(response, f"GET {USERS}")
        users = value.get("users")
        if not isinstance(users, list):
            raise Garbled(f"GET {USERS}: the answer holds no list of users; check the address")
        return tuple(
            Person(uid=str(user.get("uid", "")), name=str(user.get("name", "")))
            for user in users
            if isinstance(user, dict) and str(user.get("account", "")).casefold() == name.casefold()
        )

    def observe(self, names: Iterable[str], ids: Collection[str] = ()) -> Inventory:
        """List every plan, and read those of these names and ids (docs/servers/zadig.md §8)."""
        stubs = self._stubs()
        named = frozenset(names)
        asked = wanted(stubs, named, ids)
        found = self._http.map(self._document, asked)
        self._recognise(stubs, found)
        return inventory(stubs, asked, found, named, ids)

    def _recognise(self, stubs: Sequence[Stub], read: Sequence[Tree]) -> None:
        """Let a document show the server's generation; one more is read where none was asked for.

        Raises ``SettingsWrong`` where the settings say otherwise.
        """
        documents = read or self._any(stubs)
        shown = next((found for raw in documents if (found := recognised(raw))), None)
        if shown is not None and self._told not in (None, shown):
            raise SettingsWrong(
                f"GET {OPEN}: the server's plans are those of Zadig {shown}, and the settings say"
                f" {self._told}; correct or remove `version` of the target"
            )
        self._rules = replace(self._rules, generation=self._told or shown)

    def _any(self, stubs: Sequence[Stub]) -> tuple[Tree, ...]:
        """Read the newest plan, unless it goes at this very moment."""
        with suppress(PlanGone):
            return tuple(self.read(stub.id) for stub in stubs[:1])
        return ()

    def _document(self, stub: Stub) -> dict[str, JSON]:
        return self.read(stub.id)

    def _stubs(self) -> tuple[Stub, ...]:
        """The whole list, or an error; never a part of it.

        A page that could hold more than it brings, and brings exactly the total, is one consistent
        snapshot. Otherwise two identical passes over all pages are wanted.
        """
        page = self._page(1, PAGE)
        if len(page.stubs) == PAGE and page.total >= PAGE:
            size = page.total + PAGE
            page = self._page(1, size)
        else:
            size = PAGE
        if page.total == len(page.stubs) < size:
            return page.stubs
        size = len(page.stubs) or size  # what the server gives, where it gives less than is asked
        if not page.stubs:
            raise Unreachable(
                f"GET {OPEN}: the list of plans is empty, and yet the server counts {page.total};"
                " try again when it has recovered"
            )
        last: tuple[Stub, ...] | None = None
        for _ in range(PASSES):
            found = self._pass(size)
            if found is not None and found == last:
                return found
            last = found
        raise Unreachable(
            f"GET {OPEN}: the list of plans changed, or repeated itself, during each of {PASSES}"
            " passes over it; try again when fewer plans are being made"
        )

    def _pass(self, size: int) -> tuple[Stub, ...] | None:
        """Read page after page to the empty one; nothing where a page only repeats others."""
        found: dict[str, Stub] = {}
        for number in range(1, MAX_PAGES):
            page = self._page(number, size)
            if not page.stubs:
                return tuple(sorted(found.values(), key=lambda stub: -stub.ordinal))
            new = {stub.id: stub for stub in page.stubs if stub.id not in found}
            if not new:
                return None
            found |= new
        raise Garbled(f"GET {OPEN}: the list of plans has no end after {MAX_PAGES} pages")

    def _page(self, number: int, size: int) -> _Page:
        where = f"GET {OPEN}?pageNum={number}"
        query = (("pageNum", str(number)), ("pageSize", str(size)))
        value = payload(self._read(OPEN, query), where)
        rows, total = value.get("list"), value.get("total")
        if not isinstance(rows, list) or not isinstance(total, int):
            raise Garbled(f"{where}: the answer is no list of plans; check url in planops.yaml")
        stubs = {stub.id: stub for stub in map(_stub, rows)}
        return _Page(stubs=tuple(stubs.values()), total=total)

    def read(self, id_: str) -> dict[str, JSON]:
        """Read one plan in full (docs/servers/zadig.md §5)."""
        where = f"GET {OPEN}/{id_}"
        if not is_id(id_):
            raise Garbled(f"{where}: {id_!r} is no plan id")
        value = payload(self._read(f"{OPEN}/{id_}"), where)
        if value.get("id") != id_ or not isinstance(value.get("status"), str):
            raise Garbled(f"{where}: the answer is not that plan; check url in planops.yaml")
        return value

    def send(self, step: Step, id_: str | None) -> str:
        """Make one write, once (docs/servers/zadig.md §3, §4, §7)."""
        asked = step.request
        path = asked.path.replace(NEW_ID, id_ or NEW_ID)
        where = f"{asked.method} {path}"
        response = self._http.write(Request(method=asked.method, path=path, body=asked.body))
        if response.status != OK:
            raise write_refusal(response, where)
        try:
            value = payload(response, where)
        except (Garbled, ServerSaidNo) as error:
            raise OutcomeUnknown(
                f"{where}: the server answered {response.status}, but not as Zadig does; the next"
                " run looks what came of it"
            ) from error
        if step.kind is not StepKind.CREATE:
            return id_ or ""
        made = value.get("id")
        if not isinstance(made, str) or not is_id(made):
            raise OutcomeUnknown(f"{where}: the answer names no plan id; the next run looks for it")
        return made

    def touches(self, changes: Sequence[Change]) -> tuple[Touches, ...]:
        """Ask the histories of plans who did what shows there (docs/servers/zadig.md §1.9).

        One call a plan; whatever is in the way of it, nothing is told. The first is asked alone: a
        token that may not see one history may see none.
        """
        first, rest = changes[:1], changes[1:]
        found = [self._touches(change) for change in first]
        if None in found:
            return (NOBODY,) * len(changes)
        return tuple(each or NOBODY for each in (*found, *self._http.map(self._touches, rest)))

    def _touches(self, change: Change) -> Touches | None:
        """Ask one history; ``None`` where the server does not show it."""
        if change.live is None or not is_id(change.live.id):
            return NOBODY
        path = f"{INTERNAL}/{change.live.id}/logs"
        try:
            response = self._http.read(Request(method="GET", path=path))
            shown = history.lines(response.json()) if response.status == OK else None
        except PlanopsError:
            shown = None
        told = history.touches(shown or (), change)
        return None if shown is None and told == NOBODY else told

    def _read(self, path: str, query: tuple[tuple[str, str], ...] = ()) -> Response:
        """Read, and once more after a 403: the server sends one when its user service is away."""
        request = Request(method="GET", path=path, query=query)
        response = self._http.read(request)
        return self._http.read(request) if response.status == FORBIDDEN else response


def _stub(row: JSON) -> Stub:
    if isinstance(row, dict):
        id_, name, ordinal = row.get("id"), row.get("name"), row.get("index")
        named = isinstance(id_, str) and is_id(id_) and isinstance(name, str)
        if named and isinstance(ordinal, int):
            return Stub(id=str(id_), name=str(name), ordinal=ordinal)
    raise Garbled(f"GET {OPEN}: a row of the list has no id, name or index; check the address")


def caller(token: str) -> str:
    """Read whose token it is from its middle part, unverified; empty where it says nothing.

    Only used to refuse early what the server would refuse anyway.
    """
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004  a JSON web token has three parts
        return ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return ""
    uid = claims.get("uid") if isinstance(claims, dict) else None
    return uid if isinstance(uid, str) else ""
