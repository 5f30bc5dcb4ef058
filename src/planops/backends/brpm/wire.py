"""BRPM's wire format, pure: documents become canonical specs, changed fields become request bodies.

Nothing that a GET returned is ever sent back: a PUT carries the fields that are declared and differ
(docs/servers/brpm.md §2.2, §4.11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from planops.backends.brpm.lifecycle import REMOVABLE, Dialect, lifecycle
from planops.backends.brpm.references import KINDS, MANAGER, RELEASE, TEAM, TEMPLATE, Kind
from planops.backends.trees import Tree, rows, text, tree
from planops.core.changes import NEW_ID, Request, Step, StepKind
from planops.core.compare import same
from planops.core.decide import Desired, Proposal
from planops.core.lifecycle import Edge, Lifecycle, Move
from planops.core.model import ABSENT, JSON, Live, Value
from planops.core.shape import Shape, filled, misfits, zero
from planops.errors import Garbled

PLANS = "/v1/plans"
NOT_BRPM = "this is no plan as BRPM gives it; check url in planops.yaml"
NULLABLE = frozenset({"description", "release_id", "release_manager_id", "release_date"})
WRITTEN = (
    "name",
    "description",
    "plan_template_id",
    "plan_template_name",
    "release_id",
    "release_name",
    "release_manager_id",
    "release_manager",
    "release_date",
    "team_ids",
    "teams",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrpmRules:
    """The pure half of the backend; ``dialect`` is how this server spells the lifecycle."""

    shape: Shape
    dialect: Dialect = field(default_factory=Dialect)

    @property
    def lifecycle(self) -> Lifecycle:
        """BRPM's states and edges, as this server has them."""
        return lifecycle(self.dialect)

    def empty(self) -> dict[str, JSON]:
        """Give the spec of a plan in which nothing was ever set."""
        return tree(zero(self.shape))

    def implied(self, spec: dict[str, JSON]) -> frozenset[str]:
        """Name the fields that are set together with declared ones: the id beside a name."""
        named = ((kind.field, kind.id_field) for kind in KINDS)
        return frozenset(other for pair in named if spec.keys() & {*pair} for other in pair)

    def view(self, raw: dict[str, JSON], desired: Desired | None, base: Value = ABSENT) -> Live:
        """Read a plan, in its list or show shape, into canonical form (docs/servers/brpm.md §4)."""
        ids = desired.ids if desired else {}
        wanted: Tree = dict(desired.spec) if desired else {}
        if isinstance(base, dict):
            wanted = base | wanted
        before = base if isinstance(base, dict) else {}

        def declared(kind: Kind) -> list[JSON]:
            return [*_listed(wanted, kind), *_listed(before, kind)]

        unseen: dict[str, str] = {}
        template, release = tree(raw.get("plan_template")), tree(raw.get("release"))
        teams = rows(raw.get("teams"))
        spec: Tree = {
            "name": text(raw, "name").strip(),
            "description": text(raw, "description").strip(),
            "plan_template_id": raw.get("plan_template_id") or template.get("id"),
            "release_id": raw.get("release_id") or release.get("id"),
            "release_manager_id": raw.get("release_manager_id"),
            "release_date": raw.get("release_date"),
            "team_ids": [team.get("id") for team in teams],
            "teams": [
                _named(TEAM, team.get("id"), declared(TEAM), ids) or text(team, "name")
                for team in teams
            ],
        }
        for kind, shown in ((TEMPLATE, template), (RELEASE, release), (MANAGER, {})):
            held = spec[kind.id_field]
            name = _named(kind, held, declared(kind), ids) or text(shown, "name")
            if held and not name and wanted.get(kind.field) and not ids.get(_key(kind, wanted)):
                unseen[f"/spec/{kind.field}"] = (
                    f"the server shows only an id, and the token may not look up the {kind.title}"
                )
            spec[kind.field] = name or (str(held) if held else "")
        whole = tree(filled(self.shape, spec))
        wrong = next(misfits(self.shape, whole), None)
        if wrong is not None or not text(raw, "aasm_state"):
            raise Garbled(f"GET {PLANS}/{raw.get('id')}: {wrong or 'no state'}; {NOT_BRPM}")
        return Live(
            id=str(raw.get("id")),
            name=text(raw, "name"),
            state=self.dialect.state(text(raw, "aasm_state")),
            spec=whole,
            raw=raw,
            updated_at=_moment(text(raw, "updated_at")),
            unseen=unseen,
        )

    def reopened(
        self,
        live: Live,
        desired: Desired,  # noqa: ARG002  nothing is reset, so that nothing else is shown
        base: Value = ABSENT,  # noqa: ARG002  the same
    ) -> Live:
        """A plan that is started again shows what it showed before."""
        return live

    def facts(self, spec: dict[str, JSON]) -> frozenset[str]:  # noqa: ARG002  no edge needs any
        """Name what BRPM's edges ask for: nothing."""
        return frozenset()

    def closes_at(self, spec: dict[str, JSON]) -> int:  # noqa: ARG002  a day is no window
        """Give the end of the release window: a plan has a day, and no window."""
        return 0

    def create(self, desired: Desired, spec: dict[str, JSON]) -> Proposal:
        """One POST of what the file declares, empty fields aside (docs/servers/brpm.md §2)."""
        declared = {name: spec[name] for name in desired.spec if spec.get(name)}
        body: Tree = {"plan": _attributes(declared, desired.ids)}
        made = Step(
            kind=StepKind.CREATE,
            request=Request(method="POST", path=PLANS, body=body),
            summary="create the plan",
        )
        return Proposal(steps=(made,), refusals=desired.unwritable)

    def propose(
        self, desired: Desired, live: Live, spec: dict[str, JSON], moves: Sequence[Edge | Move]
    ) -> Proposal:
        """Turn moves into steps: the changed attributes in a PUT of their own, then the events."""
        steps = tuple(
            self.transition(move, live.id)
            if isinstance(move, Edge)
            else _update(desired, spec, live)
            for move in moves
        )
        refusals = desired.unwritable if Move.WRITE in moves else ()
        return Proposal(steps=steps, refusals=refusals)

    def transition(self, edge: Edge, id_: str) -> Step:
        """Give the event for an edge (docs/servers/brpm.md §5)."""
        other = self.dialect.alternative(edge.event)
        return Step(
            kind=StepKind.TRANSITION,
            request=_event(id_, self.dialect.event(edge.event)),
            fallback=None if other is None else _event(id_, other),
            summary=f"{edge.source} → {edge.target}",
            edge=edge,
        )

    def remove(self, live: Live) -> tuple[Step, ...]:
        """Cancel where the state needs it, then delete (docs/servers/brpm.md §5.3)."""
        delete = Step(
            kind=StepKind.DELETE,
            request=Request(method="DELETE", path=f"{PLANS}/{live.id}"),
            summary="delete the plan",
        )
        if live.state in REMOVABLE:
            return (delete,)
        cancel = self.lifecycle.edge(live.state, "cancelled")
        return () if cancel is None else (self.transition(cancel, live.id), delete)


def _event(id_: str, event: str) -> Request:
    return Request(method="PUT", path=f"{PLANS}/{id_}", body={"plan": {"aasm_event": event}})


def _update(desired: Desired, spec: Tree, live: Live) -> Step:
    """One PUT of the declared attributes that differ, and of no other."""
    changed = {
        name: spec[name]
        for name in WRITTEN
        if name in desired.spec and f"/spec/{name}" not in live.unseen
        if not _equal(name, spec[name], live.spec[name])
    }
    named = ", ".join(changed)
    return Step(
        kind=StepKind.UPDATE,
        request=Request(
            method="PUT",
            path=f"{PLANS}/{live.id or NEW_ID}",
            body={"plan": _attributes(changed, desired.ids)},
        ),
        summary=f"write {named}",
    )


def _equal(name: str, wanted: JSON, held: JSON) -> bool:
    """Compare one field; the order of teams does not matter (§4.6)."""
    if name in ("teams", "team_ids") and isinstance(wanted, list) and isinstance(held, list):
        return sorted(map(str, wanted)) == sorted(map(str, held))
    return same(wanted, held)


def _attributes(fields: Mapping[str, JSON], ids: Mapping[str, str]) -> Tree:
    """Write fields as the server takes them: ids for names, null for what is cleared."""
    body: Tree = {}
    for name, value in fields.items():
        kind = next((kind for kind in (TEMPLATE, RELEASE, MANAGER) if kind.field == name), None)
        if name == TEAM.field:
            body[TEAM.id_field] = [
                int(ids[f"{name}:{team}"])
                for team in (value if isinstance(value, list) else [])
                if f"{name}:{team}" in ids
            ]
        elif kind is not None and not value:
            body[kind.id_field] = None
        elif kind is not None and f"{name}:{value}" in ids:
            body[kind.id_field] = int(ids[f"{name}:{value}"])
        else:
            body[name] = None if name in NULLABLE and not value else value
    return body


def _key(kind: Kind, wanted: Mapping[str, JSON]) -> str:
    return f"{kind.field}:{wanted.get(kind.field)}"


def _listed(wanted: Mapping[str, JSON], kind: Kind) -> list[JSON]:
    value = wanted.get(kind.field)
    return value if isinstance(value, list) else [value]


def _named(kind: Kind, held: JSON, declared: Sequence[JSON], ids: Mapping[str, str]) -> str:
    """Give the name by which a file declares what the server holds under this id."""
    for name in declared:
        if name and held and ids.get(f"{kind.field}:{name}") == str(held):
            return str(name)
    return ""


def _moment(written: str) -> int:
    """Read an ISO 8601 time with an offset into unix seconds; 0 where it is none."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return 0
    return int(moment.timestamp()) if moment.tzinfo else 0
