"""The server's routes, the format, the token (docs/servers/brpm.md §1, §2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from planops.sandbox.brpm import plans
from planops.sandbox.brpm.answers import (
    Forbidden,
    Format,
    Refusal,
    dressed,
    outside,
    page,
)
from planops.sandbox.brpm.companions import RESOURCES
from planops.sandbox.brpm.queries import nested
from planops.sandbox.brpm.realm import Call, Realm
from planops.sandbox.brpm.switches import Switches
from planops.sandbox.messages import Answer, Request

_SUFFIXES: Mapping[str, Format] = {"json": "json", "xml": "xml"}
_ACCEPTED: Mapping[str, Format] = {
    "application/json": "json",
    "text/x-json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/*": "xml",
    "*/*": "xml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method and resource, with or without an id."""

    name: str
    method: str
    resource: str
    with_id: bool
    operate: Callable[[Realm, Call], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Where a path leads: a resource, perhaps an id, perhaps a suffix."""

    resource: str
    key: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How this server is set up: its context, its switches, the events that are stuck."""

    context: str
    switches: Switches
    stuck: frozenset[tuple[int, str]]


def _routes() -> tuple[Route, ...]:
    own = (
        ("list", "GET", False, plans.list_plans),
        ("show", "GET", True, plans.show_plan),
        ("create", "POST", False, plans.create_plan),
        ("update", "PUT", True, plans.update_plan),
        ("delete", "DELETE", True, plans.delete_plan),
    )
    of_plans = [
        Route(name=name, method=method, resource="plans", with_id=with_id, operate=operate)
        for name, method, with_id, operate in own
    ]
    of_others = [
        Route(name=name, method="GET", resource=one.plural, with_id=with_id, operate=operate)
        for one in RESOURCES
        for name, with_id, operate in (
            (one.plural, False, one.list_records),
            (one.singular, True, one.show_record),
        )
    ]
    return (*of_plans, *of_others)


ROUTES = _routes()


def token_of(request: Request) -> str:
    """The token of a call, which only the query carries (§1.2)."""
    return str(nested(request.query_text).get("token", ""))


def find_route(context: str, request: Request) -> tuple[Route, Aim] | None:
    """The route of a request, and where its path leads."""
    aim = _aim(context, request.path)
    for route in ROUTES:
        if aim is not None and (route.method, route.resource, route.with_id) == (
            request.method,
            aim.resource,
            bool(aim.key),
        ):
            return route, aim
    return None


def dispatch(realm: Realm, request: Request, *, known: bool, habits: Habits) -> Answer:
    """Answer a request: route, token, format, then the operation. ``known`` is the token."""
    if not f"{request.path}/".startswith(f"{habits.context}/"):
        return outside()
    found = find_route(habits.context, request)
    if found is None:
        return dressed(page(404, "The page you were looking for doesn't exist (404)"), request)
    route, aim = found
    form = _form(aim.suffix, request.headers.get("accept", ""))
    try:
        if not known:
            raise Forbidden
        if form is None:
            return dressed(Answer(status=406, body=b" "), request)
        call = Call(
            request=request,
            form=form,
            switches=habits.switches,
            key=aim.key,
            stuck=habits.stuck,
        )
        return dressed(route.operate(realm, call), request)
    except Refusal as refusal:
        return dressed(refusal.answer(form or "xml"), request)


def _aim(context: str, path: str) -> Aim | None:
    """``/brpm/v1/plans/7.json``; a slash at the end is allowed (§2.4)."""
    parts = path.removeprefix(f"{context}/").rstrip("/").split("/")
    last, _, suffix = parts.pop().partition(".")
    match [*parts, last]:
        case ["v1", resource]:
            return Aim(resource=resource, suffix=suffix)
        case ["v1", resource, key] if key:
            return Aim(resource=resource, key=key, suffix=suffix)
        case _:
            return None


def _form(suffix: str, accept: str) -> Format | None:
    """The suffix, then the header; XML where neither says anything (§1.3)."""
    if suffix:
        return _SUFFIXES.get(suffix)
    if not accept.strip():
        return "xml"
    ranges = [_range(part) for part in accept.split(",")]
    for kind, _ in sorted(ranges, key=lambda one: one[1], reverse=True):
        if kind in _ACCEPTED:
            return _ACCEPTED[kind]
    return None


def _range(part: str) -> tuple[str, float]:
    """A media range and its weight."""
    kind, _, parameters = part.partition(";")
    _, _, weight = parameters.replace(" ", "").partition("q=")
    try:
        return kind.strip().lower(), float(weight.partition(";")[0] or 1)
    except ValueError:
        return kind.strip().lower(), 0.0
