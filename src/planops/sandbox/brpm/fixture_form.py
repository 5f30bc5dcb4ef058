"""The form of fixtures: what each list holds, and the sentence for what does not fit.

A sentence begins with the place, as in ``users[1].login: is missing: text belongs here``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from planops.sandbox.brpm.store import Kind
from planops.sandbox.emulated import Document

_NAMES = {str: "text", int: "a whole number", bool: "true or false", list: "a list", dict: "a map"}


@dataclass(frozen=True, slots=True, kw_only=True)
class May:
    """A key that may be left out; null goes where null is the default."""

    kind: type
    default: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """An entry: what it must have, what it may have, whose ids it names, what lists are in it."""

    needs: Mapping[str, type] = field(default_factory=dict)
    may: Mapping[str, May] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, "Form"] = field(default_factory=dict)


_TEXT, _NUMBER, _LIST = May(kind=str), May(kind=int), May(kind=list, default=[])
_TIMES: Mapping[str, May] = {
    "created_at": May(kind=str, default=""),
    "updated_at": May(kind=str, default=""),
}
_NAMED: Mapping[str, type] = {"id": int, "name": str}
_STAGE = Form(
    needs=_NAMED,
    may={
        **_TIMES,
        "auto_start": May(kind=bool, default=False),
        "position": _NUMBER,
        "requestor_access": May(kind=bool, default=True),
        "requests": _LIST,
    },
)
_INSTANCE = Form(needs={"id": int, "stage_id": int, "aasm_state": str})
_MEMBER = Form(needs={"position": int, "stage_id": int}, may={"request_id": _NUMBER})
_GATE = Form(needs={"id": int, "position": int, "environment": dict})

FORMS: Mapping[str, Form] = {
    "users": Form(
        needs={"id": int, "login": str},
        may={key: May(kind=str, default="") for key in ("first_name", "last_name", "email")}
        | {"token": May(kind=str, default="")},
    ),
    "teams": Form(needs=_NAMED, may=_TIMES),
    "releases": Form(needs=_NAMED, may=_TIMES),
    "routes": Form(
        needs=_NAMED,
        may={
            "description": _TEXT,
            "route_type": May(kind=str, default="open"),
            "route_gates": _LIST,
        },
        parts={"route_gates": _GATE},
    ),
    "plan_templates": Form(
        needs={**_NAMED, "stages": list},
        may={
            **_TIMES,
            "archive_number": _TEXT,
            "archived_at": _TEXT,
            "is_automatic": May(kind=bool, default=False),
            "template_type": May(kind=str, default="deploy"),
        },
        parts={"stages": _STAGE},
    ),
    "plans": Form(
        needs={**_NAMED, "plan_template_id": int},
        may={
            **_TIMES,
            "description": _TEXT,
            "aasm_state": May(kind=str, default="created"),
            "release_id": _NUMBER,
            "release_manager_id": _NUMBER,
            "release_date": _TEXT,
            "foreign_id": _TEXT,
            "project_server_id": _NUMBER,
            "team_ids": _LIST,
            "stage_instances": May(kind=list),
            "members": May(kind=list),
        },
        names={"plan_template_id": "plan_templates", "release_id": "releases", "team_ids": "teams"},
        parts={"stage_instances": _INSTANCE, "members": _MEMBER},
    ),
    "requests": Form(
        needs=_NAMED,
        may={
            "aasm_state": May(kind=str, default="created"),
            "app_ids": _LIST,
            "environment_id": _NUMBER,
            "plan_id": _NUMBER,
            "stage_id": _NUMBER,
        },
        names={"plan_id": "plans"},
    ),
    "plan_routes": Form(
        needs={"id": int, "plan_id": int, "route_id": int},
        may={"app_id": _NUMBER},
        names={"plan_id": "plans", "route_id": "routes"},
    ),
}
KINDS: Mapping[str, Kind] = {
    "users": "user",
    "teams": "team",
    "releases": "release",
    "routes": "route",
    "plan_templates": "plan_template",
    "plans": "plan",
    "requests": "request",
    "plan_routes": "plan_route",
}


def check(given: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` for the first thing that does not fit."""
    for problem in _problems(given):
        raise ValueError(problem)


def check_names(own: Mapping[str, list[Document]], whole: Mapping[str, list[Document]]) -> None:
    """Raise ``ValueError`` for the first id in ``own`` that no entry of ``whole`` has."""
    for name, form in FORMS.items():
        for position, entry in enumerate(own.get(name, [])):
            for key, of in form.names.items():
                ids = {one["id"] for one in whole[of]}
                value = entry.get(key)
                for wanted in value if isinstance(value, list) else [value]:
                    if wanted is not None and wanted not in ids:
                        place = f"{name}[{position}].{key}"
                        raise ValueError(f"{place}: is {wanted!r}: none of {of} has this id")


def completed(name: str, entry: Document, now: str) -> Document:
    """An entry that fits, with everything that it may leave out; a token is not part of it."""
    return _completed(FORMS[name], {key: entry[key] for key in entry if key != "token"}, now)


def _completed(form: Form, entry: Document, now: str) -> Document:
    defaults = {key: may.default for key, may in form.may.items() if key != "token"}
    whole: Document = {**defaults, **entry}
    for key in _TIMES.keys() & whole.keys():
        whole[key] = whole[key] or now
    for key, part in form.parts.items():
        if whole[key] is not None:
            whole[key] = [_completed(part, one, now) for one in whole[key]]
    for position, stage in enumerate(whole.get("stages", []), start=1):
        stage["position"] = stage["position"] or position
    return whole


def _problems(given: Mapping[str, Any]) -> Iterator[str]:
    for name, entries in given.items():
        if name not in FORMS:
            yield f"{name}: is not known: known are {', '.join(('extends', *FORMS))}"
        elif not isinstance(entries, list):
            yield f"{name}: is {_said(entries)}: a list belongs here"
        else:
            yield from _entries(name, entries, FORMS[name])


def _entries(name: str, entries: list[Any], form: Form) -> Iterator[str]:
    seen = set[object]()
    for position, entry in enumerate(entries):
        place = f"{name}[{position}]"
        if isinstance(entry, dict):
            yield from _entry(place, entry, form)
            if "id" in entry and entry["id"] in seen:
                yield f"{place}.id: is {entry['id']!r}: another entry has it already"
            seen.add(entry.get("id"))
        else:
            yield f"{place}: is {_said(entry)}: a map belongs here"


def _entry(place: str, entry: Document, form: Form) -> Iterator[str]:
    for key, wanted in form.needs.items():
        if key not in entry:
            yield f"{place}.{key}: is missing: {_NAMES[wanted]} belongs here"
    wants = {**{key: May(kind=kind, default=0) for key, kind in form.needs.items()}, **form.may}
    for key, value in entry.items():
        if key not in wants:
            yield f"{place}.{key}: is not known: known are {', '.join(wants)}"
        elif not _fits(value, wants[key]):
            yield f"{place}.{key}: is {_said(value)}: {_NAMES[wants[key].kind]} belongs here"
    for key, part in form.parts.items():
        yield from _entries(f"{place}.{key}", entry.get(key) or [], part)


def _fits(value: object, wanted: May) -> bool:
    if value is None:
        return wanted.default is None
    return isinstance(value, wanted.kind) and (wanted.kind is bool or not isinstance(value, bool))


def _said(value: object) -> str:
    return "nothing" if value is None else _NAMES.get(type(value), f"{value!r}")
