"""What files name and BRPM knows by id: templates, releases, people, teams.

Names are looked up once a run and compared here, since no filter can be trusted
(docs/servers/brpm.md §3.4, §6). A name that nothing has, or that several have, is refused before
any write; where the token may not look, the server decides about the names that it takes itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from planops.backends.trees import Tree, text
from planops.core.decide import Desired
from planops.core.lifecycle import Refusal
from planops.core.model import JSON, Plan
from planops.core.shape import Shape, cleared


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of thing that files name.

    ``field`` names it, ``id_field`` is what the server takes instead, ``resource`` is its list and
    ``filter`` the filter that narrows it; ``by`` are the fields one of which is the name.
    ``server_looks`` tells that the server takes the name, too.
    """

    field: str
    id_field: str
    title: str
    resource: str
    filter: str = "name"
    by: tuple[str, ...] = ("name",)
    server_looks: bool = False


TEMPLATE = Kind(
    field="plan_template_name",
    id_field="plan_template_id",
    title="plan template",
    resource="plan_templates",
    server_looks=True,
)
RELEASE = Kind(
    field="release_name",
    id_field="release_id",
    title="release",
    resource="releases",
    server_looks=True,
)
MANAGER = Kind(
    field="release_manager",
    id_field="release_manager_id",
    title="user",
    resource="users",
    filter="keyword",
    by=("login", "email"),
)
TEAM = Kind(field="teams", id_field="team_ids", title="team", resource="teams")
KINDS = (TEMPLATE, RELEASE, MANAGER, TEAM)

Name: TypeAlias = tuple[str, str]
"""A field and a name that a file gives there."""
Found: TypeAlias = Mapping[Name, "tuple[int, ...] | None"]
"""The ids of everything of a name; ``None`` where the token may not look."""


def mentioned(specs: Iterable[Mapping[str, JSON]]) -> tuple[Name, ...]:
    """Collect the names that specs mention, each once."""
    return tuple(sorted({name for spec in specs for name in _names(spec)}))


def _names(spec: Mapping[str, JSON]) -> list[Name]:
    return [(kind.field, name) for kind in KINDS for name in _listed(spec.get(kind.field))]


def _listed(value: JSON) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [name for name in listed if isinstance(name, str) and name]


def matching(kind: Kind, name: str, rows: Sequence[Tree]) -> tuple[int, ...]:
    """Pick the ids of the rows that really have a name; of people whatever its case."""
    people = kind is MANAGER
    wanted = name.casefold() if people else name
    found = {
        row["id"]
        for row in rows
        for held in (text(row, field).strip() for field in kind.by)
        if (held.casefold() if people else held) == wanted
    }
    return tuple(sorted(id_ for id_ in found if isinstance(id_, int)))


def resolved(
    plan: Plan, found: Found, shape: Shape, before: Mapping[str, JSON] | None = None
) -> Desired:
    """Make a spec canonical: texts stripped, ``null`` as the zero; ids go along with names.

    Also with those of ``before``, the spec that was last applied.
    """
    spec: Tree = {
        name: value.strip() if isinstance(value, str) else value
        for name, value in plan.spec.items()
    }
    known = {name: found.get(name) for name in _names(plan.spec)}
    both = {name: found.get(name) for name in _names(before or {})} | known
    ids = {f"{field}:{name}": str(ids[0]) for (field, name), ids in both.items() if ids}
    whole = cleared(shape, spec)
    return Desired(
        plan=plan,
        spec=whole if isinstance(whole, dict) else {},
        ids=ids,
        unwritable=tuple(_refused(known)),
    )


def _refused(known: Found) -> Iterable[Refusal]:
    kinds = {kind.field: kind for kind in KINDS}
    for (field, name), ids in known.items():
        kind = kinds[field]
        if ids is None and not kind.server_looks:
            message = (
                f"the token may not look up the {kind.title} {name};"
                f" write {kind.id_field} instead of {field}"
            )
        elif ids is None or len(ids) == 1:
            continue
        elif ids:
            listed = " and ".join(map(str, ids))
            message = (
                f"several have the name {name}, as {kind.title}: {listed}; write {kind.id_field}"
            )
        else:
            message = f"the server has no {kind.title} named {name}; correct {field}"
        yield Refusal(guard="reference", message=message)
