"""Zadig as the contract sees it: plans of its kind, and the sandbox as a server."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from contract.emulated import (
    LATER,
    NOW,
    PAGE,
    SOON,
    TOKEN,
    WAITS,
    AtWrite,
    Emulation,
    Through,
    plan,
)
from planops.backends.exchange import Endpoint, Request, Response, Transport
from planops.backends.http import Http
from planops.backends.zadig.backend import ZadigBackend
from planops.core.model import ABSENT, JSON, Plan
from planops.manifests.schemas import shape
from planops.ports import Backend
from planops.sandbox.clock import Clock
from planops.sandbox.faults import Fault
from planops.sandbox.server import serve
from planops.sandbox.zadig import FIXTURES, Generation, ZadigSandbox
from planops.testing import Case, Edit, Held, Sample, Server

OPEN = "/openapi/release_plan/v1"
UIDS: Mapping[str, str] = {user["account"]: user["uid"] for user in FIXTURES["users"]}
ACCOUNTS = {uid: account for account, uid in UIDS.items()}
SCALARS = ("name", "start_time", "end_time", "schedule_execute_time", "description")
MILESTONES = {"planning": "planning_time", "finish_planning": "planning_time"}
AN_ID = "64f1a0000000000000000001"

file = partial(plan, "ZadigReleasePlan")


# ----------------------------------------------------------------------------------------- plans


def native(*accounts: str, needed: int = 1, timeout: int = 60, say: str = "Look twice") -> Any:
    users = [{"account": account} for account in accounts]
    block = {"timeout": timeout, "needed_approvers": needed, "approve_users": users}
    return {"enabled": True, "type": "native", "description": say, "native_approval": block}


def text(name: str, content: str = "Hello", remark: str = "abc") -> Any:
    return {"name": name, "type": "text", "spec": {"content": content, "remark": remark}}


def workflow(env: str = "prod", remark: str = "go") -> Any:
    given = {"job_name": "deploy", "job_type": "zadig-deploy", "parameters": {"env_name": env}}
    spec = {"workflow_key": "deploy", "project_key": "shop", "remark": remark, "inputs": [given]}
    return {"name": "Ship", "type": "workflow", "spec": spec}


JOBS = [text("Announce"), text("Thank")]
SHIPPED = [*JOBS, workflow()]
KEYS: list[JSON] = ["text:Announce", "text:Thank"]
FIELDS: dict[str, Any] = {
    "manager": "patrick",
    "start_time": SOON,
    "end_time": LATER,
    "schedule_execute_time": SOON + 600,
    "description": "All of it",
    "approval": native("admin", "alice"),
    "jobs": JOBS,
}
MINIMAL = file("Minimal", {"manager": "patrick"})
TEXTS = file("Full", FIELDS)
"""Every field but a workflow, which a file that declares little could not keep faithfully."""
FULL = file("Full", FIELDS | {"jobs": SHIPPED})
WALKER = file(
    "Walker",
    {
        "manager": "patrick",
        "jobs": [text("Announce")],
        "approval": native("admin"),
        "end_time": LATER,
    },
)


def with_(before: Plan = TEXTS, /, **spec: JSON) -> Plan:
    return replace(before, spec=before.spec | spec)


def least(**spec: JSON) -> Plan:
    return replace(TEXTS, spec={"name": "Full", "manager": "patrick", **spec})


def people(*accounts: str) -> list[JSON]:
    return [*sorted(UIDS[account] for account in accounts)]


APPROVAL, NATIVE = "/spec/approval", "/spec/approval/native_approval"
USERS = f"{NATIVE}/approve_users"


def held_text(name: str, content: str = "Hello", remark: str = "abc") -> dict[str, JSON]:
    at = f"/spec/jobs/text:{name}/spec"
    return {f"{at}/content": content, f"{at}/remark": remark}


SHIP = "/spec/jobs/workflow:Ship/spec"
HELD: dict[str, JSON] = {
    "/spec/name": "Full",
    "/spec/manager": "patrick",
    "/spec/start_time": SOON,
    "/spec/end_time": LATER,
    "/spec/schedule_execute_time": SOON + 600,
    "/spec/description": "All of it",
    f"{APPROVAL}/enabled": True,
    f"{APPROVAL}/type": "native",
    f"{APPROVAL}/description": "Look twice",
    f"{NATIVE}/timeout": 60,
    f"{NATIVE}/needed_approvers": 1,
    USERS: people("admin", "alice"),
    "/spec/jobs": KEYS,
    **held_text("Announce"),
    **held_text("Thank"),
}
HELD_FULL: dict[str, JSON] = HELD | {
    "/spec/jobs": [*KEYS, "workflow:Ship"],
    f"{SHIP}/workflow_key": "deploy",
    f"{SHIP}/remark": "go",
    f"{SHIP}/parameters/version": "",
    f"{SHIP}/inputs/build": "skipped",
    f"{SHIP}/inputs/deploy/env": "prod",
}
HELD_MINIMAL: dict[str, JSON] = {
    "/spec/name": "Minimal",
    "/spec/manager": "patrick",
    "/spec/start_time": 0,
    "/spec/end_time": 0,
    "/spec/schedule_execute_time": 0,
    "/spec/description": "",
    "/spec/jobs": [],
}


def scalar(name: str, value: JSON, held: JSON = None) -> Edit:
    path = f"/spec/{name}"
    kept = value if held is None else held
    return Edit(
        before=TEXTS, after=with_(TEXTS, **{name: value}), paths=(path,), holds={path: kept}
    )


def approval(path: str, wanted: Any, alone: Any = None, *, held: JSON) -> Edit:
    """An edit of the approval; the file that declares little leaves out what did not change."""
    return Edit(
        before=TEXTS,
        after=with_(approval=wanted),
        paths=(path,),
        holds={path: held},
        alone=least(approval=alone) if alone else None,
    )


def voters(path: str, *accounts: str) -> Edit:
    users = [{"account": account} for account in accounts]
    block: Any = {"needed_approvers": 1, "approve_users": users}
    return Edit(
        before=TEXTS,
        after=with_(approval=native(*accounts)),
        paths=(path,),
        holds={USERS: people(*accounts)},
        alone=least(approval={"enabled": True, "type": "native", "native_approval": block}),
    )


def jobs(path: str, holds: Held, *wanted: Any, alone: list[Any] | None = None) -> Edit:
    return Edit(
        before=TEXTS,
        after=with_(jobs=list(wanted)),
        paths=(path,),
        holds=holds,
        alone=least(jobs=alone) if alone else None,
    )


def shipped(path: str, at: str, held: JSON, **given: str) -> Edit:
    """An edit of the workflow, which is declared as a whole or not at all."""
    wanted = [*JOBS, workflow(**given)]
    return Edit(before=FULL, after=with_(FULL, jobs=wanted), paths=(path,), holds={at: held})


def bare(job: Any, *kept: str) -> Any:
    """A job that declares no more of its spec than these fields."""
    return job | {"spec": {name: job["spec"][name] for name in kept}}


FEW = {"needed_approvers": 2, "approve_users": [{"account": "admin"}, {"account": "alice"}]}
LONG = FEW | {"timeout": 90, "needed_approvers": 1}
HELLO, THANKS = "/spec/jobs/text:Announce", "/spec/jobs/text:Thank"
THREE = text("Three")
BARE = [bare(text("Announce", "Hi"), "content"), bare(JOBS[1])]
EDITS: dict[str, Edit] = {
    "description": scalar("description", "Some of it & <b>more</b>"),
    "end_time": scalar("end_time", LATER + 60),
    "start_time": scalar("start_time", SOON + 60),
    "schedule_execute_time": scalar("schedule_execute_time", SOON + 900),
    "manager": scalar("manager", "alice"),
    "approval description": approval(
        f"{APPROVAL}/description", native("admin", "alice", say="Look"), held="Look"
    ),
    "approval timeout": approval(
        f"{NATIVE}/timeout",
        native("admin", "alice", timeout=90),
        {"enabled": True, "type": "native", "native_approval": LONG},
        held=90,
    ),
    "needed approvers": approval(
        f"{NATIVE}/needed_approvers",
        native("admin", "alice", needed=2),
        {"enabled": True, "type": "native", "native_approval": FEW},
        held=2,
    ),
    "an approver more": voters(f"{USERS}/user:{UIDS['bob']}", "admin", "alice", "bob"),
    "an approver less": voters(f"{USERS}/user:{UIDS['alice']}", "admin"),
    "approval off": approval(
        f"{APPROVAL}/enabled", native("admin", "alice") | {"enabled": False}, held=False
    ),
    "content": jobs(
        f"{HELLO}/spec/content",
        {f"{HELLO}/spec/content": "Hi"},
        *(text("Announce", "Hi"), *JOBS[1:]),
        alone=BARE,
    ),
    "remark": jobs(
        f"{HELLO}/spec/remark",
        {f"{HELLO}/spec/remark": "xyz"},
        *(text("Announce", remark="xyz"), *JOBS[1:]),
        alone=[bare(text("Announce", remark="xyz"), "remark"), bare(JOBS[1])],
    ),
    "a job more": jobs(
        "/spec/jobs/text:Three",
        {"/spec/jobs": [*KEYS, "text:Three"], **held_text("Three")},
        *JOBS,
        THREE,
    ),
    "a job less": jobs(THANKS, {"/spec/jobs": KEYS[:1]}, JOBS[0]),
    "the jobs' order": Edit(
        before=TEXTS,
        after=with_(jobs=[JOBS[1], JOBS[0]]),
        paths=("/spec/jobs",),
        holds={
            "/spec/jobs": KEYS[::-1],
            **held_text("Announce"),
            **held_text("Thank"),
        },
    ),
    "inputs": shipped(
        f"{SHIP}/inputs/deploy/parameters/env_name", f"{SHIP}/inputs/deploy/env", "eu", env="eu"
    ),
    "a workflow's remark": shipped(f"{SHIP}/remark", f"{SHIP}/remark", "gone", remark="gone"),
}
NO_WINDOW: dict[str, JSON] = {"start_time": None, "end_time": None, "schedule_execute_time": None}
CLEARS: dict[str, Edit] = {
    "description null": scalar("description", None, ""),
    "description empty": scalar("description", ""),
    "schedule null": scalar("schedule_execute_time", None, 0),
    "window null": Edit(
        before=TEXTS,
        after=with_(TEXTS, **NO_WINDOW),
        paths=tuple(f"/spec/{name}" for name in NO_WINDOW),
        holds={f"/spec/{name}": 0 for name in NO_WINDOW},
    ),
    "remark null": jobs(
        f"{HELLO}/spec/remark",
        {f"{HELLO}/spec/remark": ""},
        *({**JOBS[0], "spec": {"content": "Hello", "remark": None}}, *JOBS[1:]),
    ),
    "jobs empty": Edit(
        before=TEXTS,
        after=with_(jobs=[]),
        paths=(HELLO, THANKS),
        holds={"/spec/jobs": []},
    ),
    "approval null": Edit(
        before=TEXTS,
        after=with_(approval=None),
        paths=(
            f"{APPROVAL}/enabled",
            f"{APPROVAL}/type",
            f"{APPROVAL}/description",
            f"{NATIVE}/timeout",
            f"{NATIVE}/needed_approvers",
            *(f"{USERS}/user:{UIDS[who]}" for who in ("admin", "alice")),
        ),
        holds={USERS: ABSENT},
    ),
}
BY_ID: Any = native("admin", "alice") | {
    "native_approval": {
        "timeout": 60,
        "needed_approvers": 1,
        "approve_users": [{"user_id": UIDS["alice"]}, {"type": "user", "user_id": UIDS["admin"]}],
    }
}
GROUP: Any = native() | {
    "native_approval": {
        "timeout": 0,
        "needed_approvers": 1,
        "approve_users": [{"type": "group", "group_id": "approvers", "group_name": "Approvers"}],
    }
}


# ---------------------------------------------------------------------------------------- server


class Pages(Through):
    """A gateway that gives shorter pages than are asked for, where the server says so."""

    def __init__(self, inner: Transport, server: ZadigServer) -> None:
        super().__init__(inner)
        self.server = server

    def read(self, request: Request) -> Response:
        if request.path != OPEN or not self.server.cap:
            return super().read(request)
        query = dict(request.query)
        query["pageSize"] = str(min(int(query["pageSize"]), self.server.cap))
        return super().read(replace(request, query=tuple(query.items())))


class ZadigServer(Emulation):
    """A sandbox of Zadig."""

    kind = "zadig"
    cap = 0

    def __init__(
        self, sandbox: ZadigSandbox, url: str, stack: contextlib.ExitStack, build: Build
    ) -> None:
        super().__init__(sandbox, url, stack)
        self.sandbox, self.build = sandbox, build

    def endpoint(self) -> Endpoint:
        return Endpoint(
            url=self.url,
            headers={"Authorization": f"Bearer {TOKEN}"},
            secrets=(TOKEN,),
            concurrency=1,
            timeouts=WAITS,
        )

    def backend(self, http: Http) -> Backend:
        return self.build(Pages(http, self))

    def held(self, id_: str) -> Held:
        stored = self.sandbox.plan(id_)
        held: dict[str, JSON] = {f"/spec/{name}": stored[name] for name in SCALARS}
        held["/spec/manager"] = ACCOUNTS[stored["manager_id"]]
        if stored["approval"] is not None:
            held |= held_approval(stored["approval"])
        held["/spec/jobs"] = [f"{job['type']}:{job['name']}" for job in stored["jobs"]]
        for job in stored["jobs"]:
            held |= held_job(f"/spec/jobs/{job['type']}:{job['name']}/spec", job)
        return held

    def state(self, id_: str) -> str:
        return str(self.sandbox.plan(id_)["status"])

    def insert(self, name: str) -> str:
        approval_ = {
            "enabled": True,
            "type": "native",
            "description": "Theirs",
            "native_approval": {
                "timeout": 30,
                "needed_approvers": 1,
                "approve_users": [{"type": "user", "user_id": UIDS["bob"], "user_name": "Bob"}],
            },
        }
        spec = {"content": "Theirs", "remark": "Theirs"}
        document = {
            "name": name,
            "manager": "alice",
            "manager_id": UIDS["alice"],
            "start_time": SOON,
            "end_time": LATER,
            "schedule_execute_time": SOON,
            "description": "Theirs",
            "approval": approval_,
            "jobs": [{"id": "theirs", "name": "Theirs", "type": "text", "spec": spec}],
            "created_by": "Alice",
        }
        return str(self.sandbox.insert_plan(document)["id"])

    def change(self, id_: str, change: Mapping[str, Any]) -> None:
        self.sandbox.clock.advance(60)
        self.sandbox.edit(id_, change)

    def edit(self, id_: str, path: str) -> None:
        theirs: dict[str, Any] = {
            "/spec/description": "Edited in the browser",
            "/spec/end_time": LATER + 1_234,
        }
        self.change(id_, {path.removeprefix("/spec/"): theirs[path]})

    def touch(self, id_: str) -> None:
        self.change(id_, {})

    def move(self, id_: str, state: str) -> None:
        left = {"planning_time": NOW} if self.state(id_) == "planning" else {}
        self.change(id_, {"status": state, **left})

    def refuse(self, text: str) -> None:
        said = {"code": 500, "message": "Internal Error: ", "description": text}
        self.fault(AtWrite("status-before", status=500, body=json.dumps(said).encode()))

    def stick(self, id_: str) -> None:
        path = f"*/{id_}/status/*"
        body = b'{"message":"success"}'
        self.fault(
            Fault("status-before", method="POST", path=path, status=200, body=body, nth=None)
        )

    def hide(self, how: str) -> None:
        HIDINGS[how](self)

    def scatter(self, id_: str) -> None:
        assert self.sandbox.plan(id_)
        self.insert("A later one")
        self.insert("The last one")
        self.cap = 1

    def heal(self) -> None:
        super().heal()
        self.cap = 0


def held_approval(stored: Mapping[str, Any]) -> dict[str, JSON]:
    held: dict[str, JSON] = {
        f"{APPROVAL}/{name}": stored[name] for name in ("enabled", "type", "description")
    }
    block = stored["native_approval"]
    if block is not None:
        held |= {f"{NATIVE}/{name}": block[name] for name in ("timeout", "needed_approvers")}
        held[USERS] = sorted(one["user_id"] or one["group_id"] for one in block["approve_users"])
    for name in ("lark_approval", "dingtalk_approval", "workwx_approval"):
        if stored[name] is not None:
            held[f"{APPROVAL}/{name}"] = stored[name]
    return held


def held_job(path: str, job: Mapping[str, Any]) -> dict[str, JSON]:
    spec = job["spec"]
    if job["type"] == "text":
        return {f"{path}/{name}": spec[name] for name in ("content", "remark")}
    stored = spec["workflow"]
    held: dict[str, JSON] = {
        f"{path}/workflow_key": stored["name"],
        f"{path}/remark": stored["remark"],
        **{f"{path}/parameters/{one['name']}": one["value"] for one in stored["params"]},
    }
    for one in (one for stage in stored["stages"] for one in stage["jobs"]):
        at = f"{path}/inputs/{one['name']}"
        held |= {at: "skipped"} if one["skipped"] else {f"{at}/env": one["spec"]["env"]}
    return held


def _moving(server: ZadigServer) -> None:
    server.cap = 1
    server.fault(
        Fault("edit-before", path="list", nth=None, edit=lambda: server.insert("One more"))
    )


def _second_page_fails(server: ZadigServer) -> None:
    server.cap = 1
    server.fail_lists_after_the_first()


def _list(**value: JSON) -> Callable[[ZadigServer], None]:
    body = json.dumps(value).encode()
    return lambda server: server.answer_lists(status=200, body=body)


def _row(**row: JSON) -> Callable[[ZadigServer], None]:
    return _list(list=[row], total=1)


def _other_document(server: ZadigServer) -> None:
    body = json.dumps({"id": AN_ID, "name": "Minimal", "status": "planning"}).encode()
    server.fault(Fault("status-before", path="get", status=200, body=body, nth=None))


def _no_document(server: ZadigServer) -> None:
    server.fault(Fault("status-before", path="get", status=500, body=PAGE, nth=None))


HIDINGS: Mapping[str, Callable[[ZadigServer], None]] = {
    "an empty list beside a count": _list(list=[], total=9),
    "a list that moves": _moving,
    "pages that fail from the second on": _second_page_fails,
    "a page for people": lambda server: server.answer_lists("html"),
    "a proxy's error": lambda server: server.answer_lists(status=502, body=PAGE),
    "an unknown path": lambda server: server.answer_lists(status=404, body=b"Invalid path: /"),
    "no permission": lambda server: server.answer_lists(status=403),
    "no valid token": lambda server: server.answer_lists(status=401),
    "cut JSON": lambda server: server.answer_lists("garbage-json"),
    "a cut answer": lambda server: server.answer_lists("truncate"),
    "no list": _list(message="success"),
    "a list without a count": _list(list=[]),
    "null for a list": _list(list=None, total=0),
    "a row without an id": _row(name="Minimal", index=7),
    "a row without a name": _row(id=AN_ID, index=7),
    "a row without a number": _row(id=AN_ID, name="Minimal"),
    "another plan's document": _other_document,
    "a document that fails": _no_document,
}


Build: TypeAlias = Callable[[Transport], Backend]
"""Makes a backend on a transport; a broken one, where that is wanted."""


def sound(http: Transport) -> Backend:
    """The backend as it is."""
    return ZadigBackend(http, shape("ZadigReleasePlan"), token=TOKEN)


@contextlib.contextmanager
def _opened(generation: Generation, build: Build) -> Iterator[Server]:
    sandbox = ZadigSandbox(generation=generation, clock=Clock(NOW))
    sandbox.issue_token("admin", TOKEN)
    with contextlib.ExitStack() as stack:
        stack.callback(sandbox.close)
        url = stack.enter_context(serve(sandbox.app)).url
        yield ZadigServer(sandbox, url, stack, build)
        assert not sandbox.defects, sandbox.defects[0]


def zadig(generation: Generation = "5.0", build: Build = sound) -> Case:
    """The case of one generation, with a backend that may be broken."""
    return Case(
        open=lambda: _opened(generation, build),
        minimal=Sample(plan=MINIMAL, holds=HELD_MINIMAL),
        full=Sample(plan=FULL, holds=HELD_FULL),
        others={
            "approvers by id": Sample(plan=with_(approval=BY_ID), holds=HELD),
            "a group approves": Sample(
                plan=with_(approval=GROUP),
                holds=HELD | {USERS: ["approvers"], f"{NATIVE}/timeout": 0},
            ),
            "jobs alone": Sample(
                plan=file("Jobs", {"manager": "alice", "jobs": [text("Announce")]}),
                holds={"/spec/manager": "alice", **held_text("Announce")},
            ),
        },
        edits=EDITS,
        clears=CLEARS,
        spellings={
            "accounts and ids": (TEXTS, with_(approval=BY_ID)),
            "ids and accounts": (with_(approval=BY_ID), TEXTS),
            "null and empty": (with_(description=None), with_(description="")),
            "an account's case": (TEXTS, with_(manager="Patrick")),
        },
        wrong={
            "manager": file("Wrong", {"manager": "patric"}),
            "approver": file("Wrong", {"manager": "patrick", "approval": native("alic")}),
        },
        refused={
            "inputs that cannot be read back": Edit(
                before=FULL,
                after=least(description="Some of it"),
                paths=("/spec/description",),
                holds=HELD_FULL,
            ),
        },
        walker=WALKER,
        goal="wait_for_approval",
        ahead="executing",
        stops=(
            ("cancel",),
            ("finish_planning", "wait_for_approval", "denied"),
            ("timeout",),
            ("wait_for_execute_external_check_failed",),
            ("finish_planning", "planning"),
        ),
        removable=("planning", "finish_planning", "executing", "cancel", "success"),
        hidings=tuple(HIDINGS),
        counts=generation == "5.0",
    )
