"""From a plan's document to the spec that a file would declare: the codec the other way round.

Things are named where one name means one thing on this server, and given by id else. What the
server makes itself (stages, routes, members, requests) is no field of a file. Pure: what names and
ids belong together is looked up before (docs/servers/brpm.md §4, §6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from planops.backends.brpm.references import MANAGER, RELEASE, TEAM, TEMPLATE, Found, Kind, Name
from planops.backends.trees import Tree, rows, text, tree
from planops.core.drafts import Draft
from planops.core.model import JSON

Logins = Mapping[int, str]
"""The logins of users by their ids, as far as the token may see them."""


def shown(documents: Iterable[Tree], logins: Logins) -> tuple[Name, ...]:
    """Collect what plans would be declared with by name, each once."""
    found = {
        (kind.field, name)
        for raw in documents
        for kind, id_, name in _references(raw, logins)
        if id_ and name
    }
    return tuple(sorted(found))


def managers(documents: Iterable[Tree]) -> bool:
    """Tell whether a plan has a release manager, of whom only the id is shown."""
    return any(raw.get("release_manager_id") for raw in documents)


def draft(raw: Tree, found: Found, logins: Logins) -> Draft:
    """Say what a file would declare of a plan."""
    spec: Tree = {"name": text(raw, "name").strip()}
    if text(raw, "description").strip():
        spec["description"] = text(raw, "description").strip()
    for kind, id_, name in _references(raw, logins)[:3]:
        if id_:
            named = _means(kind, name, id_, found)
            spec |= {kind.field: name} if named else {kind.id_field: id_}
    if raw.get("release_date"):
        spec["release_date"] = raw["release_date"]
    return Draft(spec=spec | _teams(raw, found))


def _teams(raw: Tree, found: Found) -> Tree:
    """All teams by name, or all by id: a file cannot mix them."""
    teams = _team_references(raw)
    ids: list[JSON] = [id_ for _, id_, _ in teams]
    names: list[JSON] = [name for _, _, name in teams]
    if not teams:
        return {}
    by_name = all(_means(TEAM, name, id_, found) for _, id_, name in teams)
    return {TEAM.field: names} if by_name else {TEAM.id_field: ids}


Reference = tuple[Kind, JSON, str]


def _references(raw: Tree, logins: Logins) -> list[Reference]:
    """What the plan refers to: kind, id and name; template, release, manager, then teams."""
    template, release = tree(raw.get("plan_template")), tree(raw.get("release"))
    manager = raw.get("release_manager_id")
    login = logins.get(manager, "") if isinstance(manager, int) else ""
    return [
        (
            TEMPLATE,
            raw.get("plan_template_id") or template.get("id"),
            text(template, "name").strip(),
        ),
        (RELEASE, raw.get("release_id") or release.get("id"), text(release, "name").strip()),
        (MANAGER, manager, login),
        *_team_references(raw),
    ]


def _team_references(raw: Tree) -> list[Reference]:
    return [(TEAM, team.get("id"), text(team, "name").strip()) for team in rows(raw.get("teams"))]


def _means(kind: Kind, name: str, id_: JSON, found: Found) -> bool:
    """Tell whether a name means this very thing; where nobody may look, the server decides."""
    if not name:
        return False
    ids = found.get((kind.field, name))
    return kind.server_looks if ids is None else ids == (id_,)
