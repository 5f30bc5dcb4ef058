"""The resources that names are resolved with: lists and records (docs/servers/brpm.md §6)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from planops.sandbox.brpm.answers import NotFound, rendered
from planops.sandbox.brpm.filters import Values, column, matching
from planops.sandbox.brpm.plans import answer_list
from planops.sandbox.brpm.realm import Call, Realm
from planops.sandbox.brpm.shapes import (
    listed_template,
    shown_named,
    shown_plan_route,
    shown_request,
    shown_route,
    shown_template,
    shown_user,
    stages_of,
)
from planops.sandbox.brpm.store import Kind
from planops.sandbox.emulated import Document
from planops.sandbox.messages import Answer

_SOUGHT = ("login", "first_name", "last_name", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource: its records, its filters, how a record looks in a list and alone."""

    plural: str
    singular: str
    rows: Callable[[Realm], list[Document]]
    listed: Callable[[Realm, Document], Document]
    shown: Callable[[Realm, Document], Document]
    filters: Mapping[str, Values] = field(default_factory=dict)

    def list_records(self, realm: Realm, call: Call) -> Answer:
        """``GET``: what the filters leave."""
        rows = self.rows(realm)
        if self.singular == "user" and call.switches.filters != "ignored":
            rows = _with_keyword(rows, call)
        found = matching(realm, rows, call.filters, self.filters, call.switches.filters)
        return answer_list(call, self.plural, [self.listed(realm, one) for one in found])

    def show_record(self, realm: Realm, call: Call) -> Answer:
        """``GET /:id``."""
        for row in self.rows(realm):
            if str(row["id"]) == call.key:
                return rendered(200, self.singular, self.shown(realm, row), call.form)
        raise NotFound


def _with_keyword(users: list[Document], call: Call) -> list[Document]:
    """A keyword is part of one of several fields, whatever the case (§6.2)."""
    keyword = str(call.filters.get("keyword", "")).casefold()
    return [user for user in users if any(keyword in str(user[key]).casefold() for key in _SOUGHT)]


def _stored(
    kind: Kind,
    shown: Callable[[Realm, Document], Document],
    filters: Mapping[str, Values],
    listed: Callable[[Realm, Document], Document] | None = None,
) -> Resource:
    return Resource(
        plural=f"{kind}s",
        singular=kind,
        rows=lambda realm: realm.store.all(kind),
        listed=listed or shown,
        shown=shown,
        filters=filters,
    )


def _columns(*names: str) -> Mapping[str, Values]:
    return {name: column(name) for name in names}


def _stages(realm: Realm) -> list[Document]:
    templates = realm.store.all("plan_template")
    return [stage for template in templates for stage in stages_of(template)]


def _as_it_is(_: Realm, record: Document) -> Document:
    return record


RESOURCES = (
    _stored("plan_template", shown_template, _columns("name"), listed_template),
    _stored("release", shown_named, _columns("name")),
    _stored("team", shown_named, _columns("name")),
    _stored("user", shown_user, _columns("email", "first_name", "last_name")),
    Resource(
        plural="plan_stages",
        singular="plan_stage",
        rows=_stages,
        listed=_as_it_is,
        shown=_as_it_is,
        filters=_columns("name", "plan_template_id"),
    ),
    _stored("plan_route", shown_plan_route, _columns("plan_id", "app_id")),
    _stored("route", shown_route, _columns("name")),
    _stored(
        "request",
        shown_request,
        {
            **_columns("name", "plan_id", "aasm_state"),
            "app_id": lambda _, request: request["app_ids"],
        },
    ),
)
