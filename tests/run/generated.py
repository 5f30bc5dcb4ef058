"""Plans drawn at random, as users write them, and every single change that can be made to them.

The vocabulary is that of the sandbox's fixtures: the workflows with their jobs, repositories and
variables, the users, the registries. What is drawn is valid and within what a server of the
generation takes (docs/servers/zadig.md §3 to §9, §12).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeAlias

from hypothesis import strategies as st

from planops.sandbox.zadig import FIXTURES, Generation
from run.world import LATER, SOON, UIDS

Many: TypeAlias = st.SearchStrategy[Any]

WITHOUT_EFFECT = frozenset({"channels", "settings"})
"""Variables of kinds that the server leaves as they are (§9.24)."""

WORKFLOWS: Mapping[str, Any] = {one["name"]: one for one in FIXTURES["workflows"]}
HOSTS: Mapping[str, int] = {one["alias"]: one["id"] for one in FIXTURES["code_hosts"]}
ALIASES: Mapping[int, str] = {id_: alias for alias, id_ in HOSTS.items()}
REGISTRIES: Mapping[str, str] = {
    f"{one['reg_addr']}/{one['namespace']}": one["id"] for one in FIXTURES["registries"]
}
DATABASES: Mapping[str, str] = {one["name"]: one["id"] for one in FIXTURES["databases"]}
ARTIFACTS: Mapping[str, str] = {
    one["service_name"]: one["file_name"] for one in FIXTURES["artifacts"]
}
PROJECT: Mapping[str, Any] = FIXTURES["tapd"][0]["projects"][0]
ITERATIONS: Sequence[str] = [one["id"] for one in PROJECT["iterations"]]
NAMES: Mapping[str, str] = {one["account"]: one["name"] for one in FIXTURES["users"]}
GROUP = FIXTURES["groups"][0]
APPS = ("64f1a0000000000000000fa1", "64F1A0000000000000000FA2")

TIMES: Mapping[str, tuple[int, int]] = {
    "start_time": (SOON, SOON + 60),
    "schedule_execute_time": (SOON + 600, SOON + 660),
    "end_time": (LATER, LATER + 60),
}
KEYS: Mapping[str, tuple[str, ...]] = {
    "jobs": ("type", "name"),
    "parameters": ("name",),
    "kv": ("key",),
    "repo_info": ("codehost_name", "repo_namespace", "repo_name"),
    "services": ("service_name", "service_module"),
    "service_list": ("service_name", "service_module"),
    "testing_list": ("testing_name",),
    "scanning_list": ("scanning_name",),
    "target_list": (
        "workload_type", "workload_name", "container_name",
        "resource_kind", "resource_group", "resource_version", "resource_name",
    ),
    "cc_users": ("id",),
    "users": ("id",),
    "approve_groups": ("group_id",),
    "cc_groups": ("group_id",),
}  # fmt: skip


# ---------------------------------------------------------------------------------------- plain

ODD = (
    "", "Hello", "line\nline\n", "  indented\n\nand a gap\n", "<b>&amp;</b> [x](y) @all", "yes",
    "~", "007", "1.10", "1e3", "0x1f", "12:30", "2026-12-01", "null", "a: b # c", "- item",
    "*alias", "&anchor", "!tag", "%x", "`x`", "|", ">-", " both ends ", '"quoted" \\ {id}',
    "${env:HOME}", "\u6c49\u5b57 \u00e9\u00fc", "\U0001f6a2", "tab\there", "{}", "[]", "?",
    "true", "-", "---",
)  # fmt: skip
TEXTS: Many = st.sampled_from(ODD) | st.text("ab \n\t:#-'\"{}[]&*!|>%@`~0\u00e9\u6c49", max_size=8)
MAYBE_TEXTS: Many = st.one_of(st.none(), TEXTS, TEXTS, TEXTS)
WORDS: Many = st.sampled_from(["main", "dev", "release/1.5", "v1.0", "007", "yes", "\u5206\u652f"])
COUNTS: Many = st.sampled_from([0, 1, 7, 60])


MISSING = 2
"""One digit of three, and not the simplest: the first document of all has everything."""


def flags(draw: st.DrawFn, count: int) -> list[bool]:
    """So many times yes or no, yes twice as often; in few draws, since a document needs many."""
    found: list[bool] = []
    while len(found) < count:
        digits = draw(st.integers(0, 3**8 - 1))
        found += [digits // 3**place % 3 != MISSING for place in range(8)]
    return found[:count]


@st.composite
def fields(
    draw: st.DrawFn, required: Mapping[str, Many], optional: Mapping[str, Many]
) -> dict[str, Any]:
    """An object with these members, the optional ones more often there than not."""
    chosen = zip(optional.items(), flags(draw, len(optional)), strict=True)
    there = dict(required) | dict(item for item, is_there in chosen if is_there)
    return {name: draw(drawn) for name, drawn in there.items()}


@st.composite
def some(
    draw: st.DrawFn, items: Sequence[Any], least: int = 0, most: int | None = None
) -> list[Any]:
    """Some of the items, none twice, in any order."""
    left, order = list(items), list[Any]()
    while left:
        order.append(left.pop(draw(st.integers(0, len(left) - 1)) if len(left) > 1 else 0))
        if most is not None and len(order) == most + 2:
            break
    chosen = [one for one, is_in in zip(order, flags(draw, len(order)), strict=True) if is_in]
    rest = [one for one in order if not any(one is there for there in chosen)]
    return (chosen + rest[: max(0, least - len(chosen))])[:most]


def maybe(drawn: Many) -> Many:
    """Sometimes null, which clears, and mostly something."""
    return st.one_of(drawn, drawn, drawn, st.none())


def each(items: Sequence[Many], least: int = 0, most: int | None = None) -> Many:
    """Values of some of the strategies, in any order."""
    return some(items, least, most).flatmap(lambda chosen: st.tuples(*chosen).map(list))


def moment(seconds: int) -> Many:
    """A time in one of the ways in which it may be written."""
    zones = (UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=3, minutes=30)))
    written = [datetime.fromtimestamp(seconds, zone).isoformat() for zone in zones]
    return st.sampled_from([seconds, *written, written[0].replace("+00:00", "Z")])


@st.composite
def windows(draw: st.DrawFn) -> dict[str, Any]:
    """Times in order; a start needs an end."""
    drawn: dict[str, Any] = {}
    for name, moments in TIMES.items():
        if draw(st.booleans()):
            drawn[name] = draw(st.none() | st.just(0) | st.sampled_from(moments).flatmap(moment))
    if drawn.get("start_time") and not drawn.get("end_time"):
        drawn["end_time"] = TIMES["end_time"][0]
    return drawn


# ------------------------------------------------------------------------------------- approvals


@st.composite
def approvers(draw: st.DrawFn) -> Any:
    """Approvers of a native approval, and how many people they are."""
    accounts = draw(some(sorted(UIDS), 0, 3))
    grouped = not accounts or draw(st.integers(0, 2)) == 0
    users: list[Any] = []
    for account in accounts:
        by_name = draw(st.booleans())
        user = {"account": account} if by_name else {"user_id": UIDS[account]}
        if draw(st.booleans()):
            user["user_name"] = draw(st.sampled_from([NAMES[account], account]))
        users.append(({"type": "user"} if draw(st.booleans()) else {}) | user)
    if grouped:
        named = {"group_name": GROUP["name"]} if draw(st.booleans()) else {}
        users.append({"type": "group", "group_id": GROUP["group_id"], **named})
    if draw(st.integers(0, 4)) == 0:
        users.append({"type": "task_creator"})
    return draw(st.permutations(users))


def voters(users: Sequence[Mapping[str, Any]]) -> int:
    """How many votes there can be; a group has its members' (§6.2)."""
    sizes = {"group": len(GROUP["uids"]), "task_creator": 0}
    return sum(sizes.get(str(user.get("type", "user")), 1) for user in users)


@st.composite
def native(draw: st.DrawFn) -> Any:
    users = draw(approvers())
    block = {"needed_approvers": draw(st.integers(1, voters(users))), "approve_users": users}
    return block | draw(fields({}, {"timeout": COUNTS}))


def users(ids: Sequence[str], optional: Mapping[str, Many], least: int = 0) -> Many:
    return each([fields({"id": st.just(id_)}, optional) for id_ in ids], least)


LARK_USER: Mapping[str, Many] = {
    "id_type": st.sampled_from(["user_id", "open_id", "", None]),
    "is_executor": st.booleans(),
    "is_stage_executor": st.booleans(),
    "name": MAYBE_TEXTS,
    "avatar": st.sampled_from(["https://example.com/a.png", None]),
}
LARK_IDS = ("ou_1", "ou_2", "ou_3")
STAND_IN: Many = fields({"is_executor": st.just(value=True)}, {"name": st.just("Whoever executes")})
GROUPS: Many = each(
    [fields({"group_id": st.just(id_)}, {"group_name": MAYBE_TEXTS}) for id_ in ("g1", "g2")]
)


@st.composite
def lark_nodes(draw: st.DrawFn) -> Any:
    """Steps with people to approve, between ends that may have none."""
    copied = {
        "cc_users": maybe(users(LARK_IDS, LARK_USER)),
        "cc_groups": maybe(GROUPS),
    }
    people = users(LARK_IDS, LARK_USER, 1) | st.tuples(STAND_IN).map(list)
    kinds = st.sampled_from(["user", "user_group", "user_dynamic_group"])
    by_people = fields(
        {"type": st.sampled_from(["AND", "OR"]), "approve_users": people},
        copied | {"approve_node_type": st.just("user"), "approve_groups": maybe(GROUPS)},
    )
    by_groups = fields(
        {
            "type": st.sampled_from(["AND", "OR"]),
            "approve_node_type": kinds,
            "approve_groups": GROUPS.filter(bool),
            "approve_users": users(LARK_IDS, LARK_USER, 1),
        },
        copied,
    )
    nodes = draw(st.lists(by_people | by_groups, min_size=1, max_size=2))
    ends = fields({}, copied | {"approve_users": st.none() | st.just([])})
    if draw(st.booleans()):
        nodes = [draw(ends) | {"type": "START"}, *nodes, draw(ends) | {"type": "END"}]
    return nodes


def lark() -> Many:
    return fields(
        {"approval_id": st.sampled_from(APPS), "approval_nodes": lark_nodes()},
        {
            "timeout": COUNTS,
            "default_approval_initiator": maybe(fields({"id": st.just("ou_9")}, LARK_USER)),
            "approve_users": maybe(users(LARK_IDS, LARK_USER)),
        },
    )


@st.composite
def dingtalk(draw: st.DrawFn) -> Any:
    """Nobody approves in two steps."""
    more = {"name": MAYBE_TEXTS, "avatar": st.none() | st.just("a.png")}
    left = draw(some(["d1", "d2", "d3", "d4"], 1))
    nodes = []
    while left:
        count = draw(st.integers(1, len(left)))
        chosen, left = left[:count], left[count:]
        people = [draw(fields({"id": st.just(id_)}, more)) for id_ in chosen]
        nodes.append({"type": draw(st.sampled_from(["AND", "OR"])), "approve_users": people})
    block = {"approval_id": draw(st.sampled_from(APPS)), "approval_nodes": nodes}
    initiator = maybe(fields({"id": st.just("d9")}, more))
    return block | draw(fields({}, {"timeout": COUNTS, "default_approval_initiator": initiator}))


@st.composite
def workwx(draw: st.DrawFn) -> Any:
    """At least one step is an approval (type 1)."""
    more = {"name": MAYBE_TEXTS}
    nodes = []
    for kind in [1, *draw(st.lists(st.sampled_from([1, 2]), max_size=2))]:
        node = {"type": kind} | draw(fields({}, {"apv_rel": st.sampled_from([1, 2])}))
        node |= draw(
            st.one_of(
                fields(
                    {"users": users(("w1", "w2"), more, 1)}, {"userid": st.none() | st.just([])}
                ),
                fields(
                    {"userid": some(["w3", "w4"], 1)}, {"users": st.none() | users(("w1",), more)}
                ),
            )
        )
        nodes.append(node)
    block = {"approval_id": draw(st.sampled_from(APPS)), "approval_nodes": nodes}
    creator = maybe(fields({"id": st.just("w9")}, more))
    return block | draw(fields({}, {"timeout": COUNTS, "creator_user": creator}))


BLOCKS: Mapping[str, tuple[str, Many]] = {
    "native": ("native_approval", native()),
    "lark": ("lark_approval", lark()),
    "lark_intl": ("lark_approval", lark()),
    "dingtalk": ("dingtalk_approval", dingtalk()),
    "workwx": ("workwx_approval", workwx()),
}
BARE: Many = st.sampled_from(
    [
        {"enabled": False},
        {"enabled": False, "type": "native"},
        {"enabled": False, "type": "workwx", "description": None},
        {"enabled": False, "native_approval": {"timeout": 5}},
        {"enabled": False, "type": "native", "native_approval": None},
        {"enabled": False, "type": "dingtalk", "dingtalk_approval": {"approval_nodes": []}},
    ]
)


@st.composite
def approvals(draw: st.DrawFn, kind: str) -> Any:
    """None, one that is off and says little, or a whole one of a type, on or off."""
    if kind == "null":
        return None
    if kind == "bare":
        return copy.deepcopy(draw(BARE))
    name, blocks = BLOCKS[kind]
    approval = {"enabled": draw(st.sampled_from([True, True, False])), "type": kind}
    return approval | draw(fields({}, {"description": MAYBE_TEXTS})) | {name: draw(blocks)}


# ---------------------------------------------------------------------------------------- inputs


def variables(names: Sequence[str]) -> Many:
    """Values of variables by key."""
    optional = {"value": MAYBE_TEXTS, "type": st.sampled_from(["string", "choice", None])}
    return each([fields({"key": st.just(name)}, optional) for name in names], most=3)


REFERENCES: Mapping[str, Many] = {
    "branch": maybe(WORDS),
    "pr": st.sampled_from([0, 7, 12]),
    "prs": st.sampled_from([[7, 12], [7], [], None]),
    "enable_commit": st.booleans(),
    "commit_id": st.sampled_from([None, "", "0123abc", "1234567"]),
}
FRESH: Mapping[str, Many] = {
    "remote_name": st.sampled_from([None, "", "upstream"]),
    "checkout_path": st.sampled_from([None, "", "src/app"]),
    "submodules": st.booleans(),
}


def repository(held: Mapping[str, Any], optional: Mapping[str, Many]) -> Many:
    required: dict[str, Many] = {
        "codehost_name": st.just(ALIASES[held["codehost_id"]]),
        "repo_namespace": st.just(held["repo_namespace"]),
        "repo_name": st.just(held["repo_name"]),
    }
    return fields(required, optional)


def repositories(held: Sequence[Mapping[str, Any]]) -> Many:
    """Some of a job's repositories, with what shall be taken from them."""
    return maybe(each([repository(one, REFERENCES) for one in held]))


def fresh_repositories(held: Sequence[Mapping[str, Any]], generation: Generation) -> Many:
    """Repositories instead of the job's (§9.13); v4.1 keeps to the job's own."""
    if generation == "4.1":
        return repositories(held)
    other = {"codehost_id": HOSTS["gitlab"], "repo_namespace": "other", "repo_name": "tools"}
    numbers = {"changelist_id": COUNTS, "shelve_id": COUNTS}
    paths = st.sampled_from([None, "", "//cart/main"])
    depot = st.one_of(
        fields({"codehost_name": st.just("depot"), "stream": paths}, numbers),
        fields(
            {"codehost_name": st.just("depot"), "view_mapping": paths}, numbers | {"stream": paths}
        ),
    )
    whole = [repository(one, {**REFERENCES, **FRESH}) for one in [*held, other]]
    return maybe(each([*whole, depot], most=3))


def keys(held: Mapping[str, Any]) -> list[str]:
    return [one["key"] for one in held["key_vals"]]


def sources(held: Mapping[str, Any]) -> dict[str, Many]:
    return {
        "repo_info": repositories(held["repos"]),
        "inputs": maybe(variables(keys(held))),
    }


def service(held: Mapping[str, Any], optional: Mapping[str, Many]) -> Many:
    named = {name: st.just(held[name]) for name in KEYS["service_list"]}
    return fields(named, optional)


def services(held: Sequence[Mapping[str, Any]]) -> Many:
    return maybe(each([service(one, sources(one)) for one in held]))


def builds(spec: Any, _: Generation) -> Many:
    return fields(
        {"registry": st.sampled_from(sorted(REGISTRIES))},
        {"service_list": services(spec["service_and_builds_options"])},
    )


def deploys(_: Any, __: Generation) -> Many:
    """The strategy is the service's: only a service of one module declares it (§9.6)."""
    images = st.sampled_from([None, "", "cart:1", "https://reg.example.com/test/cart:1.0"])
    strategies = st.sampled_from([None, "", "override", "reuse-values"])
    cart = [{"service_name": "cart", "service_module": module} for module in ("cart", "side")]
    one = {"service_name": "checkout", "service_module": "checkout"}
    listed = [service(module, {"image_name": images}) for module in cart]
    listed.append(service(one, {"image_name": images, "value_merge_strategy": strategies}))
    return fields({"env_name": WORDS}, {"service_list": maybe(each(listed))})


def vm_deploys(_: Any, __: Generation) -> Many:
    files = [
        fields({"service_name": st.just(name), "file_name": st.just(file)}, {})
        for name, file in ARTIFACTS.items()
    ]
    return fields({"env_name": WORDS}, {"service_list": maybe(each(files))})


def custom_deploys(_: Any, __: Generation) -> Many:
    images = {"image_name": st.sampled_from([None, "", "cart:1", "cart:2"])}
    named = [("deployment", "cart", "cart"), ("statefulset", "stock", "main")]
    targets = [
        fields(
            {
                "workload_type": st.just(kind),
                "workload_name": st.just(name),
                "container_name": st.just(container),
            },
            images,
        )
        for kind, name, container in named
    ]
    return maybe(fields({}, {"target_list": maybe(each(targets))}))


def modules(held: Sequence[Mapping[str, Any]], name: str, *, valued: bool) -> Many:
    """Some of the tests or scans that a job has."""
    listed = []
    for one in held:
        optional = sources(one) if valued else {"repo_info": repositories(one["repos"])}
        listed.append(fields({name: st.just(one["name"])}, optional))
    return maybe(each(listed))


def tests(spec: Any, _: Generation) -> Many:
    if spec["test_type"]:
        return maybe(fields({}, {"service_list": services(spec["service_and_tests"])}))
    listed = modules(spec["test_modules"], "testing_name", valued=True)
    return maybe(fields({}, {"testing_list": listed}))


def scans(spec: Any, generation: Generation) -> Many:
    """v4.1 reads no variables of a scan (§9.14)."""
    if spec["scanning_type"]:
        return maybe(fields({}, {"service_list": services(spec["service_and_scannings"])}))
    listed = modules(spec["scannings"], "scanning_name", valued=generation != "4.1")
    return maybe(fields({}, {"scanning_list": listed}))


def scripts(spec: Any, generation: Generation) -> Many:
    named = [one["key"] for one in spec["envs"]]
    repos = fresh_repositories(spec["repos"], generation)
    if not spec["freestyle_type"]:
        own = {"kv": maybe(variables(named)), "repo_info": repos}
        return maybe(fields({}, own))
    both = [{"service_name": name, "service_module": name} for name in ("cart", "checkout")]
    optional = {"repo_info": repos, "inputs": maybe(variables(named))}
    return maybe(fields({}, {"services": each([service(one, optional) for one in both])}))


def plugins(spec: Any, _: Generation) -> Many:
    named = [one["name"] for one in spec["plugin"]["inputs"]]
    return maybe(fields({}, {"kv": maybe(variables(named))}))


def rollbacks(spec: Any, _: Generation) -> Many:
    targets = [
        fields({name: st.just(one[name]) for name in ("workload_type", "workload_name")}, {})
        for one in spec["targets"]
    ]
    return maybe(fields({}, {"target_list": maybe(each(targets))}))


def patches(spec: Any, _: Generation) -> Many:
    named = ("resource_kind", "resource_group", "resource_version", "resource_name")
    targets = [
        fields(
            {name: st.just(item[name]) for name in named},
            {"inputs": maybe(variables([one["name"] for one in item["params"]]))}
            if item["params"]
            else {},
        )
        for item in spec["patch_items"]
    ]
    return maybe(fields({}, {"target_list": maybe(each(targets))}))


def statements(_: Any, __: Generation) -> Many:
    return fields({"database_name": st.sampled_from(sorted(DATABASES))}, {"sql": MAYBE_TEXTS})


def iterations(_: Any, __: Generation) -> Many:
    return fields(
        {"project_id": st.just(PROJECT["id"])},
        {
            "project_name": st.just(PROJECT["name"]),
            "status": st.sampled_from([None, "", "open", "done"]),
            "iteration_ids": maybe(some(ITERATIONS)),
        },
    )


def images(_: Any, __: Generation) -> Many:
    """Images of a canary or a blue-green deployment."""
    one = fields({"service_name": st.just("cart")}, {"image_name": st.just("cart:2")})
    return maybe(fields({}, {"service_list": st.tuples(one).map(list)}))


def gray_images(_: Any, __: Generation) -> Many:
    target = {"workload_type": "deployment", "workload_name": "cart", "container_name": "cart"}
    one = fields({name: st.just(value) for name, value in target.items()}, {})
    return maybe(fields({}, {"target_list": st.tuples(one).map(list)}))


def bare(_: Any, __: Generation) -> Many:
    return st.none() | st.just({})


PARAMETERS: Mapping[str, Any] = {
    "plugin": plugins,
    "freestyle": scripts,
    "zadig-build": builds,
    "zadig-deploy": deploys,
    "zadig-vm-deploy": vm_deploys,
    "custom-deploy": custom_deploys,
    "zadig-test": tests,
    "zadig-scanning": scans,
    "k8s-blue-green-deploy": images,
    "k8s-canary-deploy": images,
    "k8s-gray-release": gray_images,
    "k8s-gray-rollback": rollbacks,
    "k8s-resource-patch": patches,
    "sql": statements,
    "tapd": iterations,
    "approval": bare,
    "k8s-blue-green-release": bare,
    "k8s-canary-release": bare,
}
NEEDED = ("zadig-build", "zadig-deploy", "zadig-vm-deploy", "sql", "tapd")
"""Types whose parameters the schema or the server asks for."""


def jobs_of(workflow: str) -> list[Any]:
    return [job for stage in WORKFLOWS[workflow]["stages"] for job in stage["jobs"]]


def by_service(spec: Mapping[str, Any]) -> bool:
    """Whether a job takes services where the older generation knew none (§9.13, §9.14)."""
    types = (spec.get(name) for name in ("freestyle_type", "test_type", "scanning_type"))
    return any(types)


def job_input(job: Any, generation: Generation) -> Many:
    kind = job["type"]
    parameters = PARAMETERS[kind](job["spec"], generation)
    named = {"job_name": st.just(job["name"])}
    given = fields(named | {"job_type": st.just(kind), "parameters": parameters}, {})
    alone = fields(named, {"job_type": st.just(kind)})
    return given if kind in NEEDED else st.one_of(given, given, given, alone)


@st.composite
def inputs(
    draw: st.DrawFn, workflow: str, generation: Generation, focus: Sequence[str] = ()
) -> Any:
    """Inputs of some jobs, those in focus among them.

    One that follows a build comes with the build, and names only services that are built.
    """
    usable = [
        job
        for job in jobs_of(workflow)
        if job["type"] in PARAMETERS and not (generation == "4.1" and by_service(job["spec"]))
    ]
    needed = [job for job in usable if job["name"] in focus]
    chosen = needed + draw(some([job for job in usable if job not in needed], 0, 3))
    following = [job for job in chosen if job["spec"].get("source") == "fromjob"]
    found = [draw(job_input(job, generation)) for job in chosen if job not in following]
    built = [one["parameters"] for one in found if one.get("job_type") == "zadig-build"]
    names = {row["service_name"] for one in built for row in one.get("service_list") or ()}
    after = following if built else []
    return found + [draw(following_input(job, names, generation)) for job in after]


def following_input(job: Any, names: set[str], generation: Generation) -> Many:
    """Services that the build before has chosen."""
    spec = job["spec"]
    if job["type"] == "freestyle":
        field, drawn = "services", scripts(spec, generation)
    else:
        options = "service_test_options" if "test_type" in spec else "service_scanning_options"
        field, drawn = "service_list", fields({}, {"service_list": services(spec[options])})

    def kept(parameters: Any) -> Any:
        if not (parameters or {}).get(field):
            return parameters
        rows = [row for row in parameters[field] if row["service_name"] in names]
        return parameters | {field: rows}

    return fields(
        {
            "job_name": st.just(job["name"]),
            "job_type": st.just(job["type"]),
            "parameters": drawn.map(kept),
        },
        {},
    )


def workflow_variables(workflow: str) -> Many:
    """Values of the workflow's own variables; a choice is one of its options (§9.3, §9.24)."""
    listed = []
    for held in WORKFLOWS[workflow]["params"]:
        named: dict[str, Many] = {"name": st.just(held["name"])}
        typed: dict[str, Many] = {"type": st.just(held["type"])}
        if held["type"] == "choice":
            named["value"] = st.sampled_from(held["choice_option"])
        elif held["type"] == "repo":
            taken = {name: REFERENCES[name] for name in ("branch", "prs")}
            named |= {"repo": repository(held["repo"], taken)} | typed
            typed = {}
        else:
            typed["value"] = MAYBE_TEXTS
        if held["name"] not in WITHOUT_EFFECT:
            listed.append(fields(named, typed))
    return maybe(each(listed))


def workflow_spec(name: str, generation: Generation, focus: Sequence[str] = ()) -> Many:
    """A workflow with its variables and its inputs; without a focus it may do without any."""
    drawn = inputs(name, generation, focus)
    required = {"workflow_key": st.just(name)} | ({"inputs": drawn} if focus else {})
    optional = {
        "project_key": st.just(WORKFLOWS[name]["project"]),
        "remark": MAYBE_TEXTS,
        "parameters": workflow_variables(name),
    }
    if generation == "4.1":
        del optional["parameters"]
    return fields(required, optional if focus else optional | {"inputs": maybe(drawn)})


# ------------------------------------------------------------------------------------- documents

TITLES = ("Announce", "Deploy", "Back up: ~1/2", "<b>&amp;", "\u53d1\u5e03 \u2014 1")
TEXT_SPECS: Many = fields({}, {"content": MAYBE_TEXTS, "remark": MAYBE_TEXTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What a document must have: a kind of approval, and inputs of some jobs of ``everything``."""

    approval: str
    focus: tuple[str, ...]


MIXES: Sequence[Mix] = (
    Mix(approval="absent", focus=()),
    Mix(approval="absent", focus=("build", "script-of-build", "test-of-build", "scan-of-build")),
    Mix(approval="null", focus=("plugin", "script", "blue-green-deploy")),
    Mix(approval="bare", focus=("deploy", "vm-deploy", "canary-deploy", "canary-release")),
    Mix(approval="native", focus=("test", "scan", "sign-off")),
    Mix(approval="lark", focus=("custom-deploy", "patch", "gray-rollback")),
    Mix(approval="lark_intl", focus=("migrate", "iterations", "gray-release")),
    Mix(approval="dingtalk", focus=("service-script", "blue-green-release")),
    Mix(approval="workwx", focus=("service-test", "service-scan", "build")),
)
"""Every kind of approval and every type of job, so that none is left to chance."""


@st.composite
def jobs(draw: st.DrawFn, generation: Generation, focus: Sequence[str]) -> Any:
    """One to four jobs, one with what is in focus; a text job may be called like a workflow job."""
    titles = draw(some(TITLES, len(TITLES)))
    kinds = st.sampled_from(["text", "text", *WORKFLOWS])
    drawn = draw(st.lists(kinds, min_size=0 if focus else 1, max_size=3))
    found: list[Any] = []
    for kind, title in zip(drawn, titles, strict=False):
        if kind != "text":
            spec = {"spec": draw(workflow_spec(kind, generation))}
        else:
            spec = draw(fields({}, {"spec": TEXT_SPECS}))
        found.append({"name": title, "type": "text" if kind == "text" else "workflow", **spec})
    if focus:
        spec = {"spec": draw(workflow_spec("everything", generation, focus))}
        taken = {job["name"] for job in found if job["type"] == "workflow"}
        title = next(one for one in titles if one not in taken)
        place = draw(st.integers(0, len(found)))
        found.insert(place, {"name": title, "type": "workflow", **spec})
    return found


@st.composite
def documents(draw: st.DrawFn, generation: Generation, mix: Mix) -> dict[str, Any]:
    """A whole document: envelope, spec, and a goal that needs no more than the file has."""
    spec: dict[str, Any] = {
        "name": draw(st.sampled_from(["Checkout 2026.12", "<i>\u706b\u8f66</i>: 1", "007"])),
        "manager": draw(st.sampled_from(sorted(UIDS))),
    }
    spec |= draw(fields({}, {"manager_identity_type": st.just("system")}))
    spec |= draw(windows()) | draw(fields({}, {"description": MAYBE_TEXTS}))
    if mix.approval != "absent":
        spec["approval"] = draw(approvals(mix.approval))
    if mix.focus or flags(draw, 1)[0]:
        spec["jobs"] = draw(jobs(generation, mix.focus))
    goals: list[str | None] = [None, None, "planning"]
    if spec.get("jobs"):
        goals.append("finish_planning")
        if (spec.get("approval") or {}).get("enabled"):
            goals.append("wait_for_approval")
    goal = draw(st.sampled_from(goals))
    envelope = {"labels": st.just({"team": "payments"}), "target": st.just("prod")}
    return {
        "apiVersion": "planops/v1",
        "kind": "ZadigReleasePlan",
        "metadata": {"name": "train"} | draw(fields({}, envelope)),
        "spec": spec,
        **({} if goal is None else {"state": goal}),
    }
