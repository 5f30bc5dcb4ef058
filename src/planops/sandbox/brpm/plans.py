"""Plans: list, show, create, update, delete (docs/servers/brpm.md §2, §4, §5)."""

from planops.sandbox.brpm.answers import NotFound, blank, nothing, rendered
from planops.sandbox.brpm.attributes import Draft, drafted, text
from planops.sandbox.brpm.filters import matching, plan_filters
from planops.sandbox.brpm.lifecycle import (
    ARCHIVED,
    DELETE,
    DELETED,
    FIRST,
    check_deletable,
    target_of,
)
from planops.sandbox.brpm.realm import ANY_EVENT, Call, Realm
from planops.sandbox.brpm.shapes import listed_plan, shown_plan
from planops.sandbox.emulated import Document
from planops.sandbox.messages import Answer

_NEW: Document = {
    "description": None,
    "aasm_state": FIRST,
    "release_id": None,
    "release_manager_id": None,
    "release_date": None,
    "foreign_id": None,
    "project_server_id": None,
    "team_ids": [],
}
COLUMNS = frozenset(
    {
        *_NEW,
        "id",
        "name",
        "plan_template_id",
        "created_at",
        "updated_at",
        "stage_instances",
        "members",
    }
)


def list_plans(realm: Realm, call: Call) -> Answer:
    """``GET``: everything that the filters leave, without pages (§1.9, §3)."""
    switches = call.switches
    known = plan_filters(switches)
    found = matching(realm, realm.store.all("plan"), call.filters, known, switches.filters)
    if switches.hide_archived and not _asks_for_archived(call):
        found = [plan for plan in found if plan["aasm_state"] != ARCHIVED]
    shown = [listed_plan(realm, switches, plan) for plan in found]
    return answer_list(call, "plans", shown)


def answer_list(call: Call, root: str, shown: list[Document]) -> Answer:
    """A list; what an empty one answers is a switch (§1.6)."""
    if shown:
        return rendered(200, root, shown, call.form)
    if call.switches.empty == "404":
        raise NotFound
    return nothing(call.form, call.switches.empty)


def show_plan(realm: Realm, call: Call) -> Answer:
    """``GET /:id``."""
    plan = realm.find("plan", call.key)
    return rendered(200, "plan", shown_plan(realm, call.switches, plan), call.form)


def create_plan(realm: Realm, call: Call) -> Answer:
    """``POST``: 201; an event is not looked at (§5.9)."""
    draft = drafted(realm.store, call.given)
    plan = built(realm, draft.columns)
    _write_release(realm, draft, plan)
    realm.store.put("plan", plan)
    return rendered(201, "plan", shown_plan(realm, call.switches, plan), call.form)


def update_plan(realm: Realm, call: Call) -> Answer:
    """``PUT /:id``: 202; attributes and event are stored together or not at all (§8.3)."""
    plan, given = realm.find("plan", call.key), call.given
    draft = drafted(realm.store, given, plan)
    state = _moved(call, plan, text(given.get("aasm_event")) or "")
    changed = {**plan, **draft.columns, "aasm_state": state}
    _write_release(realm, draft, changed)
    if changed["plan_template_id"] != plan["plan_template_id"]:
        _release_requests(realm, int(plan["id"]))
        changed |= _from_template(realm, changed)
    if changed != plan:
        changed["updated_at"] = realm.now()
        realm.store.put("plan", changed)
    shown = shown_plan(realm, call.switches, changed)
    if state == DELETED:
        remove(realm, int(plan["id"]))
    return rendered(202, "plan", shown, call.form)


def delete_plan(realm: Realm, call: Call) -> Answer:
    """``DELETE /:id``: blank, where the state allows it (§5.6)."""
    plan = realm.find("plan", call.key)
    if not _is_stuck(call, plan, DELETE):
        check_deletable(str(plan["aasm_state"]), call.switches)
        remove(realm, int(plan["id"]))
    return blank(call.switches.delete_status, call.form)


def built(realm: Realm, columns: Document) -> Document:
    """A new plan with the stages and requests of its template; not stored yet (§4.2)."""
    now = realm.now()
    plan = {**_NEW, "created_at": now, "updated_at": now, **columns}
    plan["id"] = plan.get("id") or realm.store.next_id("plan")
    made = {} if {"stage_instances", "members"} <= columns.keys() else _from_template(realm, plan)
    return {**made, **plan}


def remove(realm: Realm, key: int) -> None:
    """Delete a plan; its requests stay (§8.8)."""
    realm.store.delete("plan", key)
    _release_requests(realm, key)
    for route in realm.store.all("plan_route"):
        if route["plan_id"] == key:
            realm.store.delete("plan_route", int(route["id"]))


def _asks_for_archived(call: Call) -> bool:
    given = call.filters.get("aasm_state")
    wanted = given if isinstance(given, list) else [given]
    return call.switches.filters != "ignored" and any(
        str(one).casefold() == call.switches.spelt(ARCHIVED).casefold() for one in wanted
    )


def _moved(call: Call, plan: Document, event: str) -> str:
    """The state after an event, which may be stuck (§5.8)."""
    state = str(plan["aasm_state"])
    if not event:
        return state
    target = target_of(event, state, call.switches)
    return state if _is_stuck(call, plan, event) else target


def _is_stuck(call: Call, plan: Document, event: str) -> bool:
    return bool(call.stuck & {(int(plan["id"]), event), (int(plan["id"]), ANY_EVENT)})


def _write_release(realm: Realm, draft: Draft, plan: Document) -> None:
    """Create or change the release that comes along with a plan (§4.4)."""
    if draft.release is None:
        return
    now = realm.now()
    release = {"created_at": now, "updated_at": now, **draft.release}
    release["id"] = release.get("id") or realm.store.next_id("release")
    if release != realm.store.get("release", release["id"]):
        realm.store.put("release", {**release, "updated_at": now})
    plan["release_id"] = release["id"]


def _from_template(realm: Realm, plan: Document) -> Document:
    template = realm.store.get("plan_template", plan["plan_template_id"]) or {"stages": []}
    instances, members = list[Document](), list[Document]()
    for stage in template["stages"]:
        key = realm.store.next_id("plan_stage_instance")
        instances.append({"id": key, "stage_id": stage["id"], "aasm_state": "compliant"})
        for name in stage["requests"]:
            request = _new_request(realm, plan, stage, name)
            members.append(
                {
                    "position": len(members) + 1,
                    "stage_id": stage["id"],
                    "request_id": request["id"],
                }
            )
    return {"stage_instances": instances, "members": members}


def _new_request(realm: Realm, plan: Document, stage: Document, name: str) -> Document:
    request: Document = {
        "id": realm.store.next_id("request"),
        "name": name,
        "aasm_state": "created",
        "app_ids": [],
        "environment_id": None,
        "plan_id": plan["id"],
        "stage_id": stage["id"],
    }
    realm.store.put("request", request)
    return request


def _release_requests(realm: Realm, key: int) -> None:
    """A plan's requests no longer belong to it."""
    for request in realm.store.all("request"):
        if request["plan_id"] == key:
            realm.store.put("request", {**request, "plan_id": None, "stage_id": None})
