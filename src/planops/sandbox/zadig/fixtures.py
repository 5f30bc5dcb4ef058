"""The people, tokens, registry, code host and workflows that a fresh sandbox holds.

The data is in ``fixtures.json``; every token is readable and worthless anywhere else.
"""

import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.hooks import default_setting
from planops.sandbox.zadig.people import User
from planops.sandbox.zadig.realm import Realm


def _load() -> Document:
    text = importlib.resources.files(__package__).joinpath("fixtures.json").read_text("utf-8")
    document: Document = json.loads(text)
    return document


FIXTURES: Mapping[str, Any] = _load()


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


def plant(realm: Realm) -> None:
    """Fill an empty store."""
    for entry in FIXTURES["users"]:
        known = {key: value for key, value in entry.items() if key != "token"}
        realm.people.add(User(**{**known, "permissions": frozenset(known["permissions"])}))
        realm.people.issue(entry["account"], entry["token"])
    for group in FIXTURES["groups"]:
        realm.people.add_group(group["group_id"], group["name"], group["uids"])
    for workflow in FIXTURES["workflows"]:
        realm.store.put("workflow", workflow["name"], workflow)
    realm.store.put("setting", "system", FIXTURES["system"])
    realm.store.put("setting", "hook", default_setting())
