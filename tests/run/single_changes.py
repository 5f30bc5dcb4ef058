"""Single changes of a plan: each declared value, what else may be in its place, and where that is.

A delta's path and the place of a value on the server are worked out here from the files' form and
from docs/servers/zadig.md §5, §6 and §9, not with the code that is tested.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from planops.core.model import escape
from run.generated import (
    APPS,
    BLOCKS,
    DATABASES,
    HOSTS,
    ITERATIONS,
    KEYS,
    NAMES,
    REGISTRIES,
    TIMES,
    WORKFLOWS,
    voters,
)
from run.world import UIDS

Tokens: TypeAlias = tuple[str | int, ...]
"""A way through a document's spec."""
Choose: TypeAlias = "Callable[[Mapping[str, Any], Leaf], Sequence[Any]]"
"""Other values of one leaf of a document."""

KEPT_UNDER_AN_ID = frozenset[str]()
"""Of ``registry``, ``codehost_name`` and ``database_name``, which are declared by name and stored
by id (§9.5, §9.8, §9.20), those whose ids nothing looks up, so that they cannot be compared."""
NOT_COMPARED = frozenset(
    {
        "manager_identity_type", "user_name", "group_name", "avatar", "job_type", "project_name",
        "is_credential", "file_id", "file_path",
    }
)  # fmt: skip
"""Sent for people or for the server's own look-ups; nothing of it can be read back."""
UNREADABLE = frozenset({"k8s-blue-green-deploy", "k8s-canary-deploy", "k8s-gray-release"})
"""Types whose inputs the server loses or breaks (§9.17, §9.18): their parameters are unknown."""
LISTS_OF_VALUES = ("prs", "userid", "iteration_ids")
"""Sets of plain values: each is a leaf as a whole."""
NAMING = frozenset({"name", "codehost_name", "repo_namespace", "repo_name"})
"""Always the name of something, wherever it stands."""
HOLDERS = frozenset(
    {
        *KEYS, "inputs", "approve_users", "approval_nodes", "approval", "repo", "spec",
        "native_approval", "lark_approval", "dingtalk_approval", "workwx_approval",
        "default_approval_initiator", "creator_user",
    }
)  # fmt: skip
"""Fields that hold fields; ``null`` there is no leaf."""
NUMBERS = frozenset(
    {"timeout", "needed_approvers", "pr", "changelist_id", "shelve_id", "apv_rel", *TIMES}
)


# ---------------------------------------------------------------------------------------- leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One declared value: the way to it in the spec, its delta's path, and what is declared."""

    tokens: Tokens
    path: str
    value: Any

    @property
    def name(self) -> str:
        return str(self.tokens[-1])

    @property
    def within(self) -> str:
        """The field that holds the list or object with this value."""
        return next((str(one) for one in self.tokens[-2::-1] if isinstance(one, str)), "")


def leaves(spec: Mapping[str, Any]) -> list[Leaf]:
    """Every declared value that is compared, but those that name things or are kept under an id."""
    return list(_leaves(spec, (), "/spec"))


def _leaves(value: Any, tokens: Tokens, path: str) -> Iterator[Leaf]:
    name = str(tokens[-1]) if tokens else ""
    if isinstance(value, dict):
        yield from _members(value, tokens, path)
    elif isinstance(value, list) and name not in LISTS_OF_VALUES:
        for index, item in enumerate(value):
            yield from _leaves(item, (*tokens, index), f"{path}/{item_name(tokens, index, item)}")
    elif value is not None or name not in HOLDERS:
        yield Leaf(tokens=tokens, path=path, value=value)


def _members(value: dict[str, Any], tokens: Tokens, path: str) -> Iterator[Leaf]:
    apart = NOT_COMPARED | KEPT_UNDER_AN_ID | NAMING | set(_identity(tokens, value))
    for name, sub in value.items():
        if name in apart or (name == "type" and not _says_how(tokens)):
            continue
        if name == "parameters" and value.get("job_type") in UNREADABLE:
            continue
        yield from _leaves(sub, (*tokens, name), f"{path}/{escape(name)}")


def _says_how(tokens: Tokens) -> bool:
    """Whether a ``type`` there is compared: an approval's or a step's, not a variable's."""
    return tokens == ("approval",) or (len(tokens) > 1 and tokens[-2] == "approval_nodes")


def _identity(tokens: Tokens, item: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that name an item of a list."""
    if not tokens or not isinstance(tokens[-1], int):
        return ()
    listed = tokens[-2]
    if listed == "inputs":
        return ("job_name",) if "job_name" in item else ("key",)
    if listed == "approve_users":
        is_native = "native_approval" in tokens
        return ("type", "account", "user_id", "group_id") if is_native else ("id",)
    return KEYS.get(str(listed), ())


def item_name(tokens: Tokens, index: int, item: Any) -> str:
    """What a delta's path calls an item of a list."""
    if not isinstance(item, dict) or tokens[-1] == "approval_nodes":
        return str(index)
    named = dict(item)
    if "native_approval" in tokens:
        named["type"] = item.get("type", "user")
        if "account" in named:
            named["account"] = UIDS[named["account"]]
    parts = [str(named[name]) for name in _identity((*tokens, index), item) if named.get(name)]
    return escape(":".join(parts))


def at(tree: Any, tokens: Tokens) -> Any:
    """What is at the end of a way."""
    for token in tokens:
        tree = tree[token]
    return tree


def changed_at(document: Mapping[str, Any], tokens: Tokens, value: Any) -> dict[str, Any]:
    """The same document with another value at one place of its spec."""
    changed = copy.deepcopy(dict(document))
    at(changed["spec"], tokens[:-1])[tokens[-1]] = value
    return changed


def without(document: Mapping[str, Any], tokens: Tokens) -> dict[str, Any]:
    """The same document without one item of a list in its spec."""
    changed = copy.deepcopy(dict(document))
    del at(changed["spec"], tokens[:-1])[tokens[-1]]
    return changed


def meant(name: str, value: Any) -> Any:
    """A declared value as the comparison knows it: times in seconds, null as what is kept."""
    if name in TIMES and isinstance(value, str):
        return int(datetime.fromisoformat(value).timestamp())
    if name in LISTS_OF_VALUES:
        return sorted(value or [], key=repr)
    if name == "remote_name":
        return value or "origin"  # docs/servers/zadig.md §9.13
    if value is None:
        return 0 if name in NUMBERS else ""
    return value


# ------------------------------------------------------------------------------ changes in a file


def others(document: Mapping[str, Any], leaf: Leaf) -> list[Any]:
    """Other values that the file may have there, and that the server takes and keeps."""
    found = _choices(document, leaf)
    return [one for one in found if meant(leaf.name, one) != meant(leaf.name, leaf.value)]


def _choices(document: Mapping[str, Any], leaf: Leaf) -> Sequence[Any]:
    special = CHOICES.get(leaf.name)
    if special is not None:
        return special(document, leaf)
    if isinstance(leaf.value, bool):
        return [not leaf.value]
    if leaf.name in NUMBERS:
        return [leaf.value + 1, 0]
    return [f"{leaf.value or ''}x", "other", "", None]


def _other_times(document: Mapping[str, Any], leaf: Leaf) -> Sequence[Any]:
    """A start needs an end."""
    spec, name = document["spec"], leaf.name
    moments = [datetime.fromtimestamp(one, UTC).isoformat() for one in TIMES[name]]
    if name == "start_time" and not spec.get("end_time"):
        return []
    return [*moments, *([] if name == "end_time" and spec.get("start_time") else [None])]


def _other_people(document: Mapping[str, Any], leaf: Leaf) -> Sequence[Any]:
    """Somebody stays in a step of WeCom."""
    node = at(document["spec"], leaf.tokens[:-1])
    return [[*(leaf.value or []), "w8"], *([[], None] if node.get("users") else [])]


def _other_workflow(document: Mapping[str, Any], leaf: Leaf) -> Sequence[Any]:
    """Another workflow, where nothing else is said of the one that is declared."""
    declared = at(document["spec"], leaf.tokens[:-1])
    return sorted(WORKFLOWS) if {"workflow_key", "remark"} >= declared.keys() else []


def _other_value(document: Mapping[str, Any], leaf: Leaf) -> Sequence[Any]:
    """A choice among the workflow's own variables stays within its options."""
    found = [f"{leaf.value or ''}x", "", None]
    if leaf.within != "parameters":
        return found
    workflow = at(document["spec"], leaf.tokens[:3])["workflow_key"]
    named = at(document["spec"], leaf.tokens[:-1])["name"]
    held = next(one for one in WORKFLOWS[workflow]["params"] if one["name"] == named)
    return list(held["choice_option"]) or found


def _other_switch(document: Mapping[str, Any], leaf: Leaf) -> Sequence[Any]:
    """Off where no approval is waited for, on where there is enough for it."""
    if leaf.value:
        return [] if document.get("state") == "wait_for_approval" else [False]
    return [True] if complete(document["spec"]["approval"]) else []


def _other_type(document: Mapping[str, Any], leaf: Leaf) -> Sequence[Any]:
    """Another type of an approval, where its blocks do; of a step, where one stays an approval."""
    approval, value = document["spec"]["approval"], leaf.value
    if leaf.tokens != ("approval", "type"):
        pairs: Mapping[Any, Any] = {"AND": "OR", "OR": "AND", "START": "END", "END": "START"}
        if value in pairs:
            return [pairs[value]]
        kinds = [node["type"] for node in approval["workwx_approval"]["approval_nodes"]]
        return [1, 2] if kinds.count(1) > 1 or value != 1 else []
    if value.startswith("lark"):
        return ["lark", "lark_intl"]
    return [] if approval["enabled"] else ["native", "dingtalk", "workwx"]


def _other_node_type(document: Mapping[str, Any], leaf: Leaf) -> Sequence[Any]:
    """Groups approve where there are some."""
    groups = at(document["spec"], leaf.tokens[:-1]).get("approve_groups")
    return ["user", *(["user_group", "user_dynamic_group"] if groups else [])]


def _other_needs(document: Mapping[str, Any], leaf: Leaf) -> Sequence[Any]:
    """No more approvals than there can be votes."""
    block = at(document["spec"], leaf.tokens[:-1])
    return range(1, voters(block["approve_users"]) + 1)


def _other_executor(document: Mapping[str, Any], leaf: Leaf) -> Sequence[Any]:
    """Who has no id stands for whoever executes."""
    return [not leaf.value] if "id" in at(document["spec"], leaf.tokens[:-1]) else []


def _one_of(*found: Any) -> Choose:
    return lambda _document, _leaf: found


CHOICES: Mapping[str, Choose] = {
    **dict.fromkeys(TIMES, _other_times),
    **dict.fromkeys(("project_key", "project_id", "file_name"), _one_of()),
    "manager": _one_of(*sorted(UIDS)),
    "workflow_key": _other_workflow,
    "value": _other_value,
    "remote_name": _one_of("fork", "mirror"),
    "env_name": lambda _, leaf: [f"{leaf.value}x", "dev"],
    "registry": _one_of(*sorted(REGISTRIES)),
    "database_name": _one_of(*sorted(DATABASES)),
    "iteration_ids": _one_of([], ITERATIONS[:1], ITERATIONS[1:], list(ITERATIONS)),
    "prs": lambda _, leaf: [[99, *(leaf.value or [])], [], None],
    "userid": _other_people,
    "enabled": _other_switch,
    "type": _other_type,
    "apv_rel": _one_of(1, 2),
    "approve_node_type": _other_node_type,
    "approval_id": _one_of(*APPS),
    "needed_approvers": _other_needs,
    "is_executor": _other_executor,
    "id_type": _one_of("open_id", "user_id", None),
    "id": lambda _, leaf: [f"{leaf.value}x"],
}
"""What a value may become; what is not here may become any other of its type."""


def complete(approval: Mapping[str, Any]) -> bool:
    """Whether an approval has what it must have once it is on."""
    name, _ = BLOCKS[str(approval["type"])] if "type" in approval else ("", None)
    block = approval.get(name) or {}
    return any(block.get(field) for field in ("approve_users", "approval_nodes"))


def removals(document: Mapping[str, Any]) -> list[Leaf]:
    """Items whose absence the server can show: a job, an input, a service, a target, a person."""
    spec = document["spec"]
    return [one for one in _items(spec, (), "/spec") if _may_go(document, one)]


def _items(value: Any, tokens: Tokens, path: str) -> Iterator[Leaf]:
    if isinstance(value, dict):
        for name, sub in value.items():
            if name != "parameters" or value.get("job_type") not in UNREADABLE:
                yield from _items(sub, (*tokens, name), f"{path}/{escape(name)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            below = f"{path}/{item_name(tokens, index, item)}"
            if isinstance(item, dict):
                yield Leaf(tokens=(*tokens, index), path=below, value=item)
                yield from _items(item, (*tokens, index), below)


def repositories_in_place(document: Mapping[str, Any]) -> list[Leaf]:
    """The declared ones of the repositories that a job has; elsewhere they are the job's all."""
    apart = {"codehost_name"} & KEPT_UNDER_AN_ID
    found = [one for one in _items(document["spec"], (), "/spec") if one.within == "repo_info"]
    freestyle = {"services", "parameters"}
    return [one for one in found if not apart and not freestyle & set(one.tokens[-5:-2])]


def _may_go(document: Mapping[str, Any], item: Leaf) -> bool:
    spec, listed = document["spec"], item.within
    left = len(at(spec, item.tokens[:-1])) - 1
    match listed:
        case "cc_users" | "cc_groups" | "target_list":
            return True
        case "jobs":
            return left > 0 or document.get("state") in (None, "planning")
        case "approve_users" if "native_approval" in item.tokens:
            block = spec["approval"]["native_approval"]
            rest = [one for one in block["approve_users"] if one is not item.value]
            return voters(rest) >= int(block["needed_approvers"])
        case "approve_users" | "users" | "approve_groups":
            return left > 0 or "approval_nodes" not in item.tokens
        case "inputs" | "service_list" | "services" | "repo_info":
            return _may_go_from_inputs(spec, item, left)
        case _:
            return False


def _may_go_from_inputs(spec: Mapping[str, Any], item: Leaf, left: int) -> bool:
    """A build and its services stay, since other jobs may follow it; so does an only repository."""
    job = at(spec, item.tokens[:5])
    match item.within:
        case "inputs":
            return "job_name" in item.value and job.get("job_type") != "zadig-build"
        case "repo_info":
            whole = job["job_type"] == "freestyle" and "codehost_name" not in KEPT_UNDER_AN_ID
            return whole and left > 0
        case "services":
            return not str(job["job_name"]).endswith("-of-build")
        case _:
            return bool(job["job_name"] != "build")


# ------------------------------------------------------------------------- changes on the server


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What somebody stores at one place, and what a diff then shows there as live."""

    value: Any
    live: Any


REMOVED: Any = object()
"""Stored in place of a value: the value is taken away."""


def edits(leaf: Leaf) -> list[Edit]:
    """Other values that the server may hold in the place of a declared one."""
    wanted = meant(leaf.name, leaf.value)
    return [one for one in _edits(leaf, wanted) if one.live != wanted]


def _edits(leaf: Leaf, wanted: Any) -> list[Edit]:
    special = EDITS.get(leaf.name)
    if special is not None:
        return special(leaf, wanted)
    if isinstance(wanted, bool):
        return [Edit(value=not wanted, live=not wanted)]
    if isinstance(wanted, int):
        return [Edit(value=wanted + 1, live=wanted + 1), Edit(value=REMOVED, live=0)]
    none = meant(leaf.name, "")
    return [
        Edit(value=f"{wanted}~", live=f"{wanted}~"),
        Edit(value=REMOVED, live=none),
        Edit(value="", live=none),
    ]


def _named(ids: Mapping[str, Any]) -> Callable[[Leaf, Any], list[Edit]]:
    """Another id, shown by its name."""
    return lambda _leaf, _wanted: [Edit(value=id_, live=name) for name, id_ in ids.items()]


def _lists(other: Any) -> Callable[[Leaf, Any], list[Edit]]:
    """One more, and one fewer."""

    def found(_leaf: Leaf, wanted: Any) -> list[Edit]:
        lists = ([*wanted, other], wanted[1:])
        return [Edit(value=one, live=sorted(one, key=repr)) for one in lists]

    return found


def _edited_iterations(_leaf: Leaf, wanted: Any) -> list[Edit]:
    lists = ([*wanted, "9"], wanted[1:])
    rows = [[{"iteration_id": id_} for id_ in one] for one in lists]
    return [Edit(value=row, live=sorted(one)) for row, one in zip(rows, lists, strict=True)]


def _edited_manager(_leaf: Leaf, wanted: Any) -> list[Edit]:
    """The web interface stores the display name beside the id (§5.2)."""
    others = [one for one in UIDS if one != wanted]
    return [Edit(value=(NAMES[one], UIDS[one]), live=NAMES[one]) for one in others]


def _edited_type(leaf: Leaf, wanted: Any) -> list[Edit]:
    if isinstance(wanted, int):
        return [Edit(value=one, live=one) for one in (1, 2)]
    kinds = ("native", "workwx") if leaf.tokens == ("approval", "type") else ("AND", "OR")
    return [Edit(value=one, live=one) for one in kinds]


EDITS: Mapping[str, Callable[[Leaf, Any], list[Edit]]] = {
    "registry": _named(REGISTRIES),
    "database_name": _named(DATABASES),
    "manager": _edited_manager,
    "iteration_ids": _edited_iterations,
    "prs": _lists(98),
    "userid": _lists("x"),
    "type": _edited_type,
}
"""What may be stored instead of a value; instead of any other, something of its type."""


def store(held: Any, spec: Mapping[str, Any], leaf: Leaf, edit: Edit) -> None:
    """Make an edit in a plan's document, where docs/servers/zadig.md says that the value is."""
    if leaf.name == "manager":
        held["manager"], held["manager_id"] = edit.value
        return
    holder, key = place(held, spec, leaf.tokens)
    if edit.value is REMOVED:
        holder.pop(key, None)
    else:
        holder[key] = copy.deepcopy(edit.value)


def place(held: Any, spec: Mapping[str, Any], tokens: Tokens) -> tuple[Any, str]:
    """The object that holds a declared value on the server, and the name that it has there."""
    if tokens[0] == "approval":
        return _in_approval(held, tokens)
    if tokens[0] != "jobs":
        return held, str(tokens[0])
    declared = at(spec, tokens[:2])
    job = find(held["jobs"], type=declared["type"], name=declared["name"])
    if declared["type"] == "text":
        return job["spec"], str(tokens[3])
    return _in_workflow(job["spec"]["workflow"], spec, tokens)


def _in_workflow(workflow: Any, spec: Mapping[str, Any], tokens: Tokens) -> tuple[Any, str]:
    match tokens[3]:
        case "workflow_key":
            return workflow, "name"
        case "project_key":
            return workflow, "project"
        case "remark":
            return workflow, "remark"
        case "parameters":
            param = find(workflow["params"], name=at(spec, tokens[:5])["name"])
            holder = param["repo"] if tokens[5] == "repo" else param
            return holder, str(tokens[-1])
        case _:
            return _in_input(workflow, at(spec, tokens[:5]), tokens[6:])


def find(rows: Any, **fields: Any) -> Any:
    """The one row with these fields."""
    (found,) = (row for row in rows if all(row.get(k) == v for k, v in fields.items()))
    return found


def _in_approval(held: Any, tokens: Tokens) -> tuple[Any, str]:
    """An approval is stored as it is sent, lists in their order; empty objects are left out."""
    holder = held
    for token in tokens[:-1]:
        if isinstance(token, int):
            holder = holder[token]
        else:
            if holder.get(token) is None:
                holder[token] = {}
            holder = holder[token]
    return holder, str(tokens[-1])


ROWS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("zadig-build", "service_list"): ("service_and_builds",),
    ("zadig-test", "service_list"): ("service_and_tests",),
    ("zadig-test", "testing_list"): ("test_modules",),
    ("zadig-scanning", "service_list"): ("service_and_scannings",),
    ("zadig-scanning", "scanning_list"): ("scannings",),
    ("freestyle", "services"): ("services",),
    ("freestyle", "kv"): ("envs",),
    ("plugin", "kv"): ("plugin", "inputs"),
    ("zadig-deploy", "service_list"): ("services",),
    ("zadig-vm-deploy", "service_list"): ("service_and_vm_deploys",),
    ("custom-deploy", "target_list"): ("targets",),
    ("k8s-resource-patch", "target_list"): ("patch_items",),
}
"""Where the rows of a list of inputs are stored (§9.5 to §9.20)."""
FIELDS: Mapping[str, str] = {
    "registry": "docker_registry_id",
    "env_name": "env",
    "database_name": "id",
    "iteration_ids": "iterations",
}
"""What the fields that are not in a list are called where they are stored."""


def _in_input(workflow: Any, named: Mapping[str, Any], tokens: Tokens) -> tuple[Any, str]:
    listed = [job for stage in workflow["stages"] for job in stage["jobs"]]
    stored = find(listed, name=named["job_name"])["spec"]
    kind, field, last = named["job_type"], str(tokens[0]), str(tokens[-1])
    if len(tokens) == 1:
        return stored, FIELDS.get(field, field)
    declared = at(named["parameters"], tokens[:2])
    if field == "repo_info":
        return _stored_repository(stored["repos"], declared), last
    row = _stored_row(at(stored, ROWS[kind, field]), kind, declared)
    match tokens[2]:
        case "inputs":
            listed, key = (
                row[_VARIABLES.get(kind, "key_vals")],
                declared["inputs"][tokens[3]]["key"],
            )
            return find(listed, **{"name" if kind in _VARIABLES else "key": key}), last
        case "repo_info":
            return _stored_repository(row["repos"], declared["repo_info"][tokens[3]]), last
        case "image_name":
            if kind == "zadig-deploy":
                row = find(row["modules"], service_module=declared["service_module"])
            return row, "image"
        case _:
            return row, last


_VARIABLES: Mapping[str, str] = {"k8s-resource-patch": "params"}
"""Where a list of variables is stored, if not by key in ``key_vals``."""


def _stored_row(rows: Any, kind: str, declared: Mapping[str, Any]) -> Any:
    match kind:
        case "plugin":
            return find(rows, name=declared["key"])
        case "zadig-deploy" | "zadig-vm-deploy":
            return find(rows, service_name=declared["service_name"])
        case "custom-deploy":
            names = ("workload_type", "workload_name", "container_name")
            return find(rows, target="/".join(declared[name] for name in names))
        case _:
            same = {ROW_NAMES[name]: sub for name, sub in declared.items() if name in ROW_NAMES}
            return find(rows, **same)


ROW_NAMES: Mapping[str, str] = {
    **{name: name for name in ("key", *KEYS["service_list"], *KEYS["target_list"])},
    "testing_name": "name",
    "scanning_name": "name",
}
"""What the names of an item are called where it is stored."""


def _stored_repository(repos: Any, declared: Mapping[str, Any]) -> Any:
    """By code host, namespace and name (§9.8); one of perforce by its host alone."""
    names = ("repo_namespace", "repo_name")
    named = {name: declared[name] for name in names if name in declared}
    return find(repos, codehost_id=HOSTS[declared["codehost_name"]], **named)
