"""What a fresh sandbox holds: people, tokens, registries, code hosts, workflows, plans.

The default is in ``fixtures.json``; every token is readable and worthless anywhere else. A caller's
own mapping has the same form and takes the default's place, or adds to it with ``extends: default``
(entries of the same key replace the default's).
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planops.sandbox.planting import apart, default, joined
from planops.sandbox.zadig.fixture_form import KEYS, SYSTEM, check, completed
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.hooks import default_setting
from planops.sandbox.zadig.people import User
from planops.sandbox.zadig.plans import stored
from planops.sandbox.zadig.realm import COUNTER, Realm, new_uuid

FIXTURES: Mapping[str, Any] = default("planops.sandbox.zadig")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a settings file needs to reach a served sandbox."""

    url: str
    token: str
    accounts: tuple[str, ...]
    tokens: Mapping[str, str]


def facts(url: str) -> Facts:
    """The facts of a fresh sandbox served at ``url``; ``token`` is the administrator's."""
    tokens = {user["account"]: user["token"] for user in FIXTURES["users"]}
    return Facts(url=url, token=tokens["admin"], accounts=tuple(tokens), tokens=tokens)


def chosen(given: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The fixtures to plant: the default, or what is given, checked and completed.

    Raises ``ValueError`` with one sentence that begins with the place.
    """
    if given is None:
        return FIXTURES
    own, base = apart(given, FIXTURES)
    check(own)
    whole: Document = {
        key: joined(base.get(key, []), own.get(key) or [], by) for key, by in KEYS.items()
    }
    whole["settings"] = {**base.get("settings", {}), **(own.get("settings") or {})}
    if "im_apps" not in own and "im_apps" not in base:
        del whole["im_apps"]
    return completed(whole)


def plant(realm: Realm, fixtures: Mapping[str, Any]) -> None:
    """Fill an empty store."""
    for entry in fixtures["users"]:
        known = {key: value for key, value in entry.items() if key != "token"}
        realm.people.add(User(**{**known, "permissions": frozenset(known["permissions"])}))
        if "token" in entry:
            realm.people.issue(entry["account"], entry["token"])
    for group in fixtures["groups"]:
        realm.people.add_group(group["group_id"], group["name"], group["uids"])
    for workflow in fixtures["workflows"]:
        realm.store.put("workflow", workflow["name"], workflow)
    settings = fixtures["settings"]
    system = {key: fixtures[key] for key in SYSTEM if key in fixtures}
    realm.store.put("setting", "system", {**system, "address": settings.get("address", "")})
    realm.store.put("setting", "hook", {**default_setting(), **settings.get("hook", {})})
    for plan in fixtures["plans"]:
        _plant_plan(realm, plan)


def _plant_plan(realm: Realm, given: Document) -> None:
    plan = stored(copy.deepcopy(given))
    plan["id"] = plan["id"] or realm.new_plan_id()
    plan["index"] = plan["index"] or realm.store.increment(COUNTER)
    realm.store.raise_counter(COUNTER, int(plan["index"]))
    if plan["manager"] and not plan["manager_id"]:
        plan["manager_id"] = realm.people.by_account(plan["manager"]).uid
    for job in plan["jobs"]:
        job["id"] = job["id"] or new_uuid()
    plan["create_time"] = plan["create_time"] or realm.clock.now()
    realm.save_plan(plan)
