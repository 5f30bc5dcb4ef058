"""Filters: which records a list shows (docs/servers/brpm.md §3)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from planops.sandbox.brpm.realm import Realm
from planops.sandbox.brpm.switches import Matching, Switches
from planops.sandbox.emulated import Document

Values: TypeAlias = Callable[[Realm, Document], Iterable[object]]


def matching(
    realm: Realm,
    records: Iterable[Document],
    given: Mapping[str, Any],
    known: Mapping[str, Values],
    how: Matching,
) -> list[Document]:
    """The records of which every filter that is known holds."""
    wanted = {} if how == "ignored" else {key: given[key] for key in given if key in known}
    return [
        record
        for record in records
        if all(_holds(known[key](realm, record), value, how) for key, value in wanted.items())
    ]


def column(name: str) -> Values:
    """A filter by one column."""
    return lambda _, record: (record[name],)


def _holds(values: Iterable[object], wanted: object, how: Matching) -> bool:
    """Several wanted values mean any of them (§3.2)."""
    options = wanted if isinstance(wanted, list) else [wanted]
    found = {_spelt(value, how) for value in values if value is not None}
    return any(_spelt(option, how) in found for option in options)


def _spelt(value: object, how: Matching) -> str:
    return str(value).casefold() if how == "loose" else str(value)


def plan_filters(switches: Switches) -> Mapping[str, Values]:
    """The filters of plans (§3.3); states are compared as the server spells them."""
    return {
        **{name: column(name) for name in _PLAN_COLUMNS},
        "aasm_state": lambda _, plan: (switches.spelt(str(plan["aasm_state"])),),
        "app_id": _apps,
        "environment_id": lambda realm, plan: (
            request["environment_id"] for request in _requests(realm, plan)
        ),
        "plan_type": _types,
        "stage_id": lambda _, plan: (one["stage_id"] for one in plan["stage_instances"]),
        "team_id": lambda _, plan: plan["team_ids"],
    }


_PLAN_COLUMNS = (
    "foreign_id",
    "name",
    "plan_template_id",
    "project_server_id",
    "release_date",
    "release_id",
    "release_manager_id",
)


def _apps(realm: Realm, plan: Document) -> list[object]:
    """The applications of a plan's requests and routes."""
    apps = [app for request in _requests(realm, plan) for app in request["app_ids"]]
    routes = realm.store.all("plan_route")
    return apps + [one["app_id"] for one in routes if one["plan_id"] == plan["id"]]


def _types(realm: Realm, plan: Document) -> list[object]:
    template = realm.store.get("plan_template", plan["plan_template_id"])
    return [] if template is None else [template["template_type"]]


def _requests(realm: Realm, plan: Document) -> list[Document]:
    return [one for one in realm.store.all("request") if one["plan_id"] == plan["id"]]
