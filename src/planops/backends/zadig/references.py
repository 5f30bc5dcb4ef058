"""What files call by name and the server stores by id: registries, code hosts, databases.

The names are looked up once a run (docs/servers/zadig.md §8.7 to §8.9). Where the token may not
look, or the server has no such route, an id cannot be told from another: it is only seen that there
is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from planops.backends.trees import rows as objects
from planops.core.lifecycle import Refusal
from planops.core.model import JSON, Plan

Known: TypeAlias = Mapping[str, str]
"""Names by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The server's names by id; ``None`` where they could not be looked up."""

    registries: Known | None = None
    code_hosts: Known | None = None
    databases: Known | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is known while a stored job is read.

    ``executed`` says that the job was executed, and so merged with the live workflow: what that
    merge does not carry over (docs/servers/zadig.md §9.23) is no longer the plan's, and is taken
    for what was declared.
    """

    names: Names = field(default_factory=Names)
    executed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of thing: how files name it, and where the server lists it."""

    field: str
    title: str
    names: str


KINDS = (
    Kind(field="registry", title="image registry", names="registries"),
    Kind(field="codehost_name", title="code host", names="code_hosts"),
    Kind(field="database_name", title="database instance", names="databases"),
)


def mentioned(plans: Iterable[Plan]) -> dict[str, set[str]]:
    """Collect what plans name, by the field that names it."""
    found: dict[str, set[str]] = {kind.field: set() for kind in KINDS}
    for plan in plans:
        _collect(plan.spec.get("jobs"), found)
    return found


def runs_workflows(plans: Iterable[Plan]) -> bool:
    """Tell whether plans run workflows, whose variables may be of repositories."""
    return any(job.get("type") == "workflow" for p in plans for job in objects(p.spec.get("jobs")))


def meant(plan: Plan, names: Names) -> JSON:
    """Give the ids that what a plan names has on the server; ``None`` where nobody could look."""
    found = mentioned([plan])
    shown: dict[str, JSON] = {}
    for kind in KINDS:
        known: Known | None = getattr(names, kind.names)
        said = found[kind.field]
        if said:
            shown[kind.names] = (
                None
                if known is None
                else {id_: name for id_, name in known.items() if name in said}
            )
    return shown


def _collect(value: JSON, found: Mapping[str, set[str]]) -> None:
    if isinstance(value, list):
        for item in value:
            _collect(item, found)
    elif isinstance(value, dict):
        for name, sub in value.items():
            if name in found and isinstance(sub, str) and sub:
                found[name].add(sub)
            else:
                _collect(sub, found)


def unknown(spec: Mapping[str, JSON], names: Names) -> Iterator[Refusal]:
    """Refuse what nothing on the server is called, before the server does, half-way."""
    found: dict[str, set[str]] = {kind.field: set() for kind in KINDS}
    _collect(spec.get("jobs"), found)
    for kind in KINDS:
        known: Known | None = getattr(names, kind.names)
        for name in sorted(found[kind.field]) if known is not None else ():
            if name not in (known or {}).values():
                have = ", ".join(sorted({*(known or {}).values()})) or "none"
                message = f"the server has no {kind.title} named {name}; it has: {have}"
                yield Refusal(guard="reference", message=message)


def listed(names: str, rows: list[JSON]) -> dict[str, str]:
    """Read one of the server's lists (docs/servers/zadig.md §8.7 to §8.9) into names by id."""
    found: dict[str, str] = {}
    for row in rows:
        if not isinstance(row, dict):
            continue
        if names == "registries":
            found[str(row.get("registry_id"))] = f"{row.get('address')}/{row.get('namespace')}"
        else:
            found[str(row.get("id"))] = str(row.get("alias" if names == "code_hosts" else "name"))
    return found


def named(id_: JSON, declared: JSON, known: Known | None) -> str:
    """Give the name of a stored id; the declared one where nobody could look.

    An id without a name (the thing was deleted since) is shown as it is.
    """
    if not id_:
        return ""
    if known is None:
        return declared if isinstance(declared, str) else ""
    return known.get(str(id_), str(id_))
