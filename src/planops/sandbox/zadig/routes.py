"""The server's routes, and what happens before an operation (docs/servers/zadig.md §1)."""

from collections.abc import Callable
from dataclasses import dataclass

from planops.sandbox.messages import Answer, Request
from planops.sandbox.zadig import drafting, edits, execution, hooks, internal, lifecycle, openapi
from planops.sandbox.zadig.answers import (
    CodedError,
    Refusal,
    forbidden,
    plain_text,
    success,
    unauthorised,
)
from planops.sandbox.zadig.people import User
from planops.sandbox.zadig.realm import Call, Realm
from planops.sandbox.zadig.traits import Generation

OPENAPI = "/openapi/release_plan/v1"
INTERNAL = "/api/aslan/release_plan/v1"
_GATEWAY, _INSIDE = "/api/aslan/", "/api/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method and path: its operation, the permissions it needs and since when it exists."""

    name: str
    method: str
    path: str
    operate: Callable[[Realm, Call], object]
    flags: tuple[str, ...] = ()
    edits: bool = False
    since: Generation = "4.1"

    def parameters(self, path: str) -> dict[str, str] | None:
        """The path's parameters, or ``None`` when it is another path."""
        pattern, parts = self.path.split("/"), path.split("/")
        if len(pattern) != len(parts):
            return None
        found: dict[str, str] = {}
        for wanted, part in zip(pattern, parts, strict=True):
            if wanted.startswith(":") and part:
                found[wanted[1:]] = part
            elif wanted != part:
                return None
        return found


def _route(
    name: str,
    target: str,
    operate: Callable[[Realm, Call], object],
    *flags: str,
    edits: bool = False,
    since: Generation = "4.1",
) -> Route:
    method, path = target.split(" ")
    return Route(
        name=name,
        method=method,
        path=path,
        operate=operate,
        flags=flags,
        edits=edits,
        since=since,
    )


ROUTES = (
    _route("list", f"GET {OPENAPI}", openapi.list_plans),
    _route("create", f"POST {OPENAPI}", openapi.create_plan, "Create"),
    _route("get", f"GET {OPENAPI}/:id", openapi.get_plan),
    _route("update", f"PATCH {OPENAPI}/:id", openapi.update_plan, edits=True),
    _route("users", "GET /openapi/users", openapi.search_users),
    _route("registries", "GET /openapi/system/registry", openapi.list_registries),
    _route("code-hosts", "GET /api/aslan/code/codehost", internal.list_code_hosts),
    _route(
        "databases", "GET /api/aslan/system/dbinstance", internal.list_databases, "DatabaseView"
    ),
    _route("hook-get", f"GET {INTERNAL}/hook/setting", hooks.get_setting),
    _route("hook-put", f"PUT {INTERNAL}/hook/setting", hooks.put_setting, "EditConfig"),
    _route("callback", f"POST {INTERNAL}/hook/callback", hooks.call_back),
    _route("callback", "POST /api/aslan/callback/release_plan", hooks.call_back),
    _route("ui-list", f"GET {INTERNAL}", internal.list_plans, "View"),
    _route("ui-create", f"POST {INTERNAL}", drafting.draft_plan, "Create"),
    _route("ui-get", f"GET {INTERNAL}/:id", internal.get_plan, "View"),
    _route("ui-job", f"GET {INTERNAL}/:id/job/:jobID", internal.get_job, "View"),
    _route("ui-logs", f"GET {INTERNAL}/:id/logs", internal.get_logs, "View"),
    _route("ui-edit", f"PUT {INTERNAL}/:id", edits.edit_plan),
    _route("ui-delete", f"DELETE {INTERNAL}/:id", internal.delete_plan, "Delete"),
    _route("ui-copy", f"POST {INTERNAL}/:id/copy", internal.copy_plan, "Create", since="5.0"),
    _route("status", f"POST {INTERNAL}/:id/status/:status", lifecycle.change_status),
    _route("approve", f"POST {INTERNAL}/:id/approve", lifecycle.vote),
    _route("execute", f"POST {INTERNAL}/:id/execute", execution.execute_job),
    _route("skip", f"POST {INTERNAL}/:id/skip", execution.skip_job),
    _route("retry", f"POST {INTERNAL}/:id/retry", execution.retry_job, since="5.0"),
    _route("schedule", f"POST {INTERNAL}/:id/schedule_execute", execution.run_schedule),
)


def find_route(realm: Realm, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a request and its parameters."""
    for route, parameters in _at(realm, path):
        if route.method == method:
            return route, parameters
    return None


def caller_of(realm: Realm, request: Request) -> User | None:
    """The user whom the gateway recognises; a token in the query overrides the header (§10.1)."""
    token = request.query.get("token")
    header = request.headers.get("authorization", "")
    return realm.people.bearer(f"Bearer {token}" if token else header)


def dispatch(
    realm: Realm, request: Request, conditions: frozenset[str], mixed_up: str | None
) -> Answer:
    """Answer a request: token, route, permission, then the operation (§1.3)."""
    caller = caller_of(realm, request)
    if caller is None:
        return unauthorised().answer()
    found = find_route(realm, request.method, request.path)
    if found is None:
        return _unrouted(realm, request)
    route, parameters = found
    call = Call(
        route=route.name,
        method=request.method,
        path=request.path,
        caller=caller,
        params=parameters,
        query=request.query,
        body=request.body,
        conditions=conditions,
    )
    try:
        if not caller.may(realm.traits.edit_flags if route.edits else route.flags):
            raise forbidden()
        return success(route.operate(realm, call))
    except CodedError as coded:
        if mixed_up is None:
            return coded.answer()
        return CodedError(coded.code, coded.message, mixed_up).answer()
    except Refusal as refusal:
        return refusal.answer()


def _at(realm: Realm, path: str) -> list[tuple[Route, dict[str, str]]]:
    """The routes that share a path; a literal path goes before one with parameters."""
    found = [
        (route, parameters)
        for route in ROUTES
        if realm.traits.covers(route.since) and (parameters := route.parameters(path)) is not None
    ]
    return sorted(found, key=lambda pair: len(pair[1]))


def _unrouted(realm: Realm, request: Request) -> Answer:
    """404, 405 or a redirect away from a trailing slash (§1.4)."""
    inside = request.path
    if inside.startswith(_GATEWAY):
        inside = _INSIDE + inside.removeprefix(_GATEWAY)
    bare = request.path.rstrip("/")
    if bare != request.path and find_route(realm, request.method, bare):
        return _redirected(request, inside.rstrip("/"))
    if _at(realm, request.path):
        return plain_text(405, f"Method not allowed: {request.method} {inside}")
    return plain_text(404, f"Invalid path: {inside}")


def _redirected(request: Request, bare: str) -> Answer:
    location = f"{bare}?{request.query_text}" if request.query_text else bare
    headers = (("Location", location),)
    if request.method != "GET":
        return Answer(status=307, headers=headers)
    return Answer(
        status=301,
        body=f'<a href="{location}">Moved Permanently</a>.\n\n'.encode(),
        content_type="text/html; charset=utf-8",
        headers=headers,
    )
