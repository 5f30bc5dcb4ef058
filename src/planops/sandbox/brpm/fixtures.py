"""What a fresh sandbox holds: users, tokens, teams, releases, routes, templates, plans, requests.

The default is in ``fixtures.json``; its plan is the one of the documentation's samples, and every
token is readable and worthless anywhere else. A caller's own mapping has the same form and takes
the default's place, or adds to it with ``extends: default`` (entries of the same id replace the
default's).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planops.sandbox.brpm.fixture_form import FORMS, KINDS, check, check_names, completed
from planops.sandbox.brpm.plans import built
from planops.sandbox.brpm.realm import Realm
from planops.sandbox.emulated import Document
from planops.sandbox.planting import apart, default, joined

CONTEXT = "/brpm"


FIXTURES: Mapping[str, Any] = default("planops.sandbox.brpm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a settings file needs to reach a served sandbox."""

    url: str
    token: str
    logins: tuple[str, ...]
    tokens: Mapping[str, str]


def facts(url: str, context: str = CONTEXT) -> Facts:
    """The facts of a fresh sandbox served at ``url``; ``token`` is the administrator's."""
    tokens = {user["login"]: user["token"] for user in FIXTURES["users"]}
    return Facts(url=f"{url}{context}", token=tokens["admin"], logins=tuple(tokens), tokens=tokens)


def chosen(given: Mapping[str, Any] | None) -> Mapping[str, list[Document]]:
    """The fixtures to plant: the default, or what is given, checked.

    Raises ``ValueError`` with one sentence that begins with the place.
    """
    if given is None:
        return FIXTURES
    own, base = apart(given, FIXTURES)
    check(own)
    whole = {name: joined(base.get(name, []), own.get(name, []), "id") for name in FORMS}
    check_names(own, whole)
    return whole


def plant(realm: Realm, fixtures: Mapping[str, list[Document]]) -> dict[str, str]:
    """Fill an empty store; the login behind every token."""
    for name in FORMS:
        for given in fixtures[name]:
            entry = completed(name, given, realm.now())
            if name == "plans":
                entry = _plan(realm, entry)
            realm.store.put(KINDS[name], entry)
    return {user["token"]: user["login"] for user in fixtures["users"] if user.get("token")}


def _plan(realm: Realm, entry: Document) -> Document:
    """A plan, whose stages and members come from the template where it has none of its own."""
    parts = ("stage_instances", "members")
    for part in parts:
        if entry[part] is None:
            del entry[part]
    for instance in entry.get("stage_instances", []):
        realm.store.raise_counter("plan_stage_instance", int(instance["id"]))
    return built(realm, entry)
