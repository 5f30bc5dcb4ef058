"""Zadig over HTTP: the complete inventory, full reads, look-ups, and single writes."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from planops.backends.exchange import Request, Response, Transport
from planops.backends.inventories import inventory, wanted
from planops.backends.trees import Tree
from planops.backends.zadig import history, sightings
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
from planops.backends.zadig.listing import DOCUMENTED, SHOWING, Listing, Row, whole
from planops.backends.zadig.people import Account, Directory, Person, resolved
from planops.backends.zadig.references import (
    KINDS,
    Names,
    listed,
    meant,
    mentioned,
    runs_workflows,
)
from planops.backends.zadig.wire import INTERNAL, OPEN, ZadigRules
from planops.core.attribution import NOTHING as NOBODY
from planops.core.attribution import Touches
from planops.core.changes import NEW_ID, Change, Step, StepKind
from planops.core.decide import Desired
from planops.core.drafts import Draft
from planops.core.model import JSON, Plan
from planops.core.shape import Shape
from planops.core.sighting import Sighting
from planops.errors import (
    Garbled,
    OutcomeUnknown,
    PlanGone,
    PlanopsError,
    ServerSaidNo,
    SettingsWrong,
)
from planops.ports import NOTHING, Inventory, Specs, Stub

USERS = "/openapi/users"
LISTS = {
    "registries": "/openapi/system/registry",
    "code_hosts": "/api/aslan/code/codehost",
    "databases": "/api/aslan/system/dbinstance",
}


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
        """Look up everything that the files name, once, and make the specs canonical.

        What was looked up for other files before stays known.
        """
        before = [applied.get(plan.key.name, {}) for plan in plans]
        found = self._people(Directory.of(plans, before).accounts)
        administrator = any(people is not None for people in found.values())
        wanted_names = mentioned(plans)
        if runs_workflows(plans):
            wanted_names["codehost_name"].add("")  # of variables that no file declares
        names, rules = self._names(wanted_names), self._rules
        new = {kind.names: getattr(names, kind.names) for kind in KINDS if wanted_names[kind.field]}
        self._rules = replace(
            rules,
            administrator=administrator or rules.administrator,
            names=replace(rules.names, **new),
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
        return self._inventory(self._rows(DOCUMENTED), names, ids, {})

    @property
    def hidden(self) -> frozenset[str]:
        """The list leaves out jobs (docs/servers/zadig.md §8.6)."""
        return sightings.HIDDEN

    def glance(
        self, names: Iterable[str], ids: Collection[str], known: Mapping[str, Sighting]
    ) -> Inventory:
        """Observe by the web interface's list, which wants the permission to view (§8.6)."""
        return self._inventory(self._rows(SHOWING), names, ids, known)

    def listed(self, raw: Tree) -> Tree:
        """Leave out what the list does not show."""
        return sightings.listed(raw)

    def sighting(self, raw: Tree) -> Sighting | None:
        """Say what the list shows of a plan, where that is enough (docs/servers/zadig.md §8.10)."""
        return sightings.sighting(raw)

    def footing(self, desired: Desired) -> JSON:
        """Give the ids of what a file names; people are in ``desired``."""
        return meant(desired.plan, self._rules.names)

    def _rows(self, listing: Listing) -> Sequence[Row]:
        return whole(listing, self._read)

    def _inventory(
        self,
        rows: Sequence[Row],
        names: Iterable[str],
        ids: Collection[str],
        known: Mapping[str, Sighting],
    ) -> Inventory:
        """Read the plans that are asked for, but those that stand as they are known."""
        named, stubs = frozenset(names), tuple(row.stub for row in rows)
        asked = wanted(stubs, named, ids)
        shown = {
            row.stub.id: sightings.listed(row.document)
            for row in rows
            if row.stub.id in known and sightings.sighting(row.document) == known[row.stub.id]
        }
        due = [stub for stub in asked if stub.id not in shown]
        read = dict(
            zip((stub.id for stub in due), self._http.map(self._document, due), strict=True)
        )
        found = [shown[stub.id] if stub.id in shown else read[stub.id] for stub in asked]
        self._recognise(stubs, found)
        return inventory(stubs, asked, found, named, ids, frozenset(shown))

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
