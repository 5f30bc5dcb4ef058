"""Records as they are shown: the shapes of docs/servers/brpm.md §4.7, §4.8 and §6.1."""

from planops.sandbox.brpm.realm import Realm
from planops.sandbox.brpm.switches import Switches
from planops.sandbox.emulated import Document

_COLUMNS = (
    "aasm_state",
    "created_at",
    "description",
    "foreign_id",
    "id",
    "name",
    "plan_template_id",
    "project_server_id",
    "release_date",
    "release_id",
    "release_manager_id",
    "updated_at",
)
_TEMPLATE = (
    "archive_number",
    "archived_at",
    "created_at",
    "id",
    "is_automatic",
    "name",
    "template_type",
    "updated_at",
)
_STAGE = (
    "auto_start",
    "created_at",
    "id",
    "name",
    "plan_template_id",
    "position",
    "requestor_access",
    "updated_at",
)
_FIRST_NUMBER = 1000


def listed_plan(realm: Realm, switches: Switches, plan: Document) -> Document:
    """The list shape: a short template, no members."""
    template = realm.store.get("plan_template", plan["plan_template_id"]) or {"stages": []}
    short = _picked(template, "id", "is_automatic", "name")
    stages = [_picked(stage, "id", "name") for stage in template["stages"]]
    return {
        **_columns(switches, plan),
        "plan_template": {**short, "stages": stages},
        **_release(realm, plan),
        "teams": _teams(realm, plan),
        **_routes_and_stages(realm, plan),
    }


def shown_plan(realm: Realm, switches: Switches, plan: Document) -> Document:
    """The show shape: the whole template, and the members."""
    template = realm.store.get("plan_template", plan["plan_template_id"])
    return {
        **_columns(switches, plan),
        "plan_template": shown_template(realm, template or {"stages": []}),
        **_release(realm, plan),
        "teams": _teams(realm, plan),
        "members": [_member(realm, plan, member) for member in plan["members"]],
        **_routes_and_stages(realm, plan),
    }


def listed_template(_: Realm, template: Document) -> Document:
    """A template in its own list."""
    stages = [_picked(stage, "id", "name") for stage in template["stages"]]
    return {**_picked(template, "id", "is_automatic", "name", "template_type"), "stages": stages}


def shown_template(_: Realm, template: Document) -> Document:
    """A whole template."""
    return {**_picked(template, *_TEMPLATE), "stages": stages_of(template)}


def stages_of(template: Document) -> list[Document]:
    """The stages of a template, in their order."""
    return [
        _picked({**stage, "plan_template_id": template["id"]}, *_STAGE)
        for stage in template["stages"]
    ]


def shown_named(_: Realm, record: Document) -> Document:
    """A release or a team."""
    return _picked(record, "created_at", "id", "name", "updated_at")


def shown_user(_: Realm, user: Document) -> Document:
    """A user."""
    return _picked(user, "email", "first_name", "id", "last_name", "login")


def shown_route(_: Realm, route: Document) -> Document:
    """A route with its gates."""
    return {**_short_route(route), "route_gates": route["route_gates"]}


def shown_plan_route(realm: Realm, plan_route: Document) -> Document:
    """A plan's route."""
    plan = realm.store.get("plan", plan_route["plan_id"]) or {}
    route = realm.store.get("route", plan_route["route_id"]) or {}
    return {
        **_picked(plan_route, "app_id", "id"),
        "plan": _picked(plan, "id", "name"),
        "route": _short_route(route),
    }


def shown_request(realm: Realm, request: Document) -> Document:
    """A request; without a plan it has no ``plan_member``."""
    shown = {**_picked(request, "aasm_state", "id", "name"), "number": number_of(request)}
    plan = realm.store.get("plan", request["plan_id"])
    if plan is None:
        return shown
    stage = _stage(realm, plan, request["stage_id"])
    member = {"plan": _picked(plan, "id", "name"), "stage": _picked(stage, "id", "name")}
    return {**shown, "plan_member": member}


def number_of(request: Document) -> int:
    """The number of a request (§4.7)."""
    return int(request["id"]) + _FIRST_NUMBER


def _picked(record: Document, *keys: str) -> Document:
    return {key: record[key] for key in keys if key in record}


def _columns(switches: Switches, plan: Document) -> Document:
    return {
        **_picked(plan, *_COLUMNS),
        "aasm_state": switches.spelt(str(plan["aasm_state"])),
    }


def _release(realm: Realm, plan: Document) -> Document:
    """Absent rather than null (§4.9)."""
    release = realm.store.get("release", plan["release_id"])
    return {} if release is None else {"release": _picked(release, "id", "name")}


def _teams(realm: Realm, plan: Document) -> list[Document]:
    teams = (realm.store.get("team", key) for key in plan["team_ids"])
    return [_picked(team, "id", "name") for team in teams if team is not None]


def _routes_and_stages(realm: Realm, plan: Document) -> Document:
    routes = [one for one in realm.store.all("plan_route") if one["plan_id"] == plan["id"]]
    return {
        "plan_routes": [
            {"id": one["id"], "route": _short_route(realm.store.get("route", one["route_id"]))}
            for one in routes
        ],
        "plan_stage_instances": [
            {
                "aasm_state": one["aasm_state"],
                "id": one["id"],
                "plan_stage": _picked(_stage(realm, plan, one["stage_id"]), "id", "name"),
            }
            for one in reversed(plan["stage_instances"])
        ],
    }


def _short_route(route: Document | None) -> Document:
    return _picked(route or {}, "description", "id", "name", "route_type")


def _stage(realm: Realm, plan: Document, key: int) -> Document:
    template = realm.store.get("plan_template", plan["plan_template_id"]) or {"stages": []}
    return next((stage for stage in template["stages"] if stage["id"] == key), {})


def _member(realm: Realm, plan: Document, member: Document) -> Document:
    stage = _picked(_stage(realm, plan, member["stage_id"]), "id", "name", "position")
    shown: Document = {"position": member["position"], "stage": stage}
    request = realm.store.get("request", member["request_id"])
    if request is not None:
        shown["request"] = {
            **_picked(request, "aasm_state", "name"),
            "number": number_of(request),
        }
    return shown
