"""The form of fixtures: what each list holds, and the sentence for what does not fit.

A sentence begins with the place, as in ``users[1].uid: is missing: …``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from planops.sandbox.zadig.binding import BindFault
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.plans import stored

_NAMES = {str: "text", int: "a whole number", bool: "true or false", list: "a list", dict: "a map"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """One list: what identifies an entry, what it must have, what it may have.

    ``free`` entries may have anything else besides.
    """

    key: str = ""
    needs: Mapping[str, type] = field(default_factory=dict)
    may: Mapping[str, object] = field(default_factory=dict)
    free: bool = False


_FORMS: Mapping[str, _Form] = {
    "users": _Form(
        key="uid",
        needs={"uid": str, "account": str},
        may={
            "name": "",
            "identity_type": "system",
            "is_admin": False,
            "permissions": [],
            "last_login_time": 0,
            "token": "",
        },
    ),
    "groups": _Form(key="group_id", needs={"group_id": str, "name": str, "uids": list}),
    "registries": _Form(
        key="id",
        needs={"id": str, "reg_addr": str, "namespace": str},
        may={"reg_provider": "", "region": "", "is_default": False},
    ),
    "code_hosts": _Form(key="alias", needs={"id": int, "alias": str}, may={"type": ""}),
    "im_apps": _Form(key="id", needs={"id": str, "type": str}, may={"name": ""}),
    "artifacts": _Form(
        needs={"service_name": str, "file_name": str},
        may={"task_id": 0, "workflow_type": "", "workflow_name": "", "job_task_name": ""},
    ),
    "databases": _Form(key="name", needs={"id": str, "name": str, "type": str}),
    "tapd": _Form(key="id", needs={"id": str, "projects": list}),
    "workflows": _Form(key="name", needs={"name": str, "stages": list}, free=True),
    "plans": _Form(needs={"name": str}, free=True),
}
_SETTINGS: Mapping[str, type] = {"address": str, "hook": dict}
_STAGE: Mapping[str, type] = {"name": str, "jobs": list}
_JOB: Mapping[str, type] = {"name": str, "type": str, "spec": dict}
_WORKFLOW: Mapping[str, Any] = {
    "display_name": "",
    "disabled": False,
    "category": "",
    "params": [],
    "project": "",
    "description": "",
    "created_by": "",
    "create_time": 0,
    "updated_by": "",
    "update_time": 0,
    "remark": "",
}
_PARAMETER: Mapping[str, Any] = {"type": "string", "value": "", "repo": None, "choice_option": []}
_PLACED: Mapping[str, Any] = {"skipped": False, "run_policy": "", "error_policy": None}
KEYS: Mapping[str, str] = {name: form.key for name, form in _FORMS.items()}
SYSTEM = ("registries", "code_hosts", "im_apps", "artifacts", "databases", "tapd")


def check(given: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` for the first thing that does not fit."""
    for problem in _problems(given):
        raise ValueError(problem)


def completed(whole: Document) -> Document:
    """Fixtures that fit, with everything that entries may leave out."""
    _check_managers(whole)
    for user in whole["users"]:
        user["name"] = user.get("name") or user["account"]
    for name, form in _FORMS.items():
        optional = {key: value for key, value in form.may.items() if key != "token"}
        whole[name] = [{**optional, **entry} for entry in whole.get(name, [])]
        if name == "im_apps" and not whole[name]:
            del whole[name]
    for position, workflow in enumerate(whole["workflows"], start=1):
        workflow.setdefault("_id", f"{position:024x}")
        for key, value in _WORKFLOW.items():
            workflow.setdefault(key, value)
        _complete_parts(workflow)
    return whole


def _complete_parts(workflow: Document) -> None:
    for parameter in workflow["params"]:
        for key, value in _PARAMETER.items():
            parameter.setdefault(key, value)
    for stage in workflow["stages"]:
        for job in stage["jobs"]:
            for key, value in _PLACED.items():
                job.setdefault(key, value)


def _problems(given: Mapping[str, Any]) -> Iterator[str]:
    for name, entries in given.items():
        if name == "settings":
            yield from _mapping("settings", entries, {}, _SETTINGS)
        elif name not in _FORMS:
            known = ", ".join(("extends", "settings", *_FORMS))
            yield f"{name}: is not known: known are {known}"
        elif not isinstance(entries, list):
            yield f"{name}: is {_said(entries)}: a list belongs here"
        else:
            yield from _entries(name, entries)


def _entries(name: str, entries: list[Any]) -> Iterator[str]:
    form, seen = _FORMS[name], set[object]()
    for position, entry in enumerate(entries):
        place = f"{name}[{position}]"
        may = {key: type(value) for key, value in form.may.items()}
        yield from _mapping(place, entry, form.needs, may, free=form.free)
        if form.key:
            if entry[form.key] in seen:
                yield f"{place}.{form.key}: is {entry[form.key]!r}: another entry has it already"
            seen.add(entry[form.key])
        if name == "workflows":
            yield from _stages(place, entry)
        if name == "plans":
            yield from _plan(place, entry)


def _mapping(
    place: str,
    entry: object,
    needs: Mapping[str, type],
    may: Mapping[str, type],
    *,
    free: bool = False,
) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f"{place}: is {_said(entry)}: a map belongs here"
        return
    for key in needs:
        if key not in entry:
            yield f"{place}.{key}: is missing: {_NAMES[needs[key]]} belongs here"
    known = {**needs, **may}
    for key, value in entry.items():
        if key in known:
            wanted = known[key]
            if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
                yield f"{place}.{key}: is {_said(value)}: {_NAMES[wanted]} belongs here"
        elif not free:
            yield f"{place}.{key}: is not known: known are {', '.join(known)}"


def _stages(place: str, workflow: Document) -> Iterator[str]:
    for position, stage in enumerate(workflow["stages"]):
        here = f"{place}.stages[{position}]"
        yield from _mapping(here, stage, _STAGE, {}, free=True)
        for number, job in enumerate(stage["jobs"]):
            yield from _mapping(f"{here}.jobs[{number}]", job, _JOB, {}, free=True)
    parameters = workflow.get("params", [])
    if not isinstance(parameters, list):
        yield f"{place}.params: is {_said(parameters)}: a list belongs here"
        return
    for position, parameter in enumerate(parameters):
        yield from _mapping(f"{place}.params[{position}]", parameter, {"name": str}, {}, free=True)


def _plan(place: str, plan: Document) -> Iterator[str]:
    try:
        stored(plan)
    except BindFault as wrong:
        yield f"{place}.approval: does not fit: {wrong}"
    except (TypeError, ValueError):
        yield f"{place}.jobs: does not fit: a list of maps belongs here"


def _check_managers(whole: Document) -> None:
    """A plan's manager is an account, unless the plan says whose uid it is."""
    accounts = {user["account"].casefold() for user in whole["users"]}
    for position, plan in enumerate(whole["plans"]):
        manager = str(plan.get("manager", ""))
        if manager and not plan.get("manager_id") and manager.casefold() not in accounts:
            raise ValueError(f"plans[{position}].manager: is {manager!r}: no user has this account")


def _said(value: object) -> str:
    return "nothing" if value is None else _NAMES.get(type(value), f"{value!r}")
