"""The emulated server's inside: its store, clock, people and generation, and one request to it.

Operations take a ``Realm`` and a ``Call`` and either return a value or raise a ``Refusal``.
"""

import hashlib
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from planops.sandbox.clock import Clock
from planops.sandbox.zadig import gojson
from planops.sandbox.zadig.answers import NO_DOCUMENT, NO_LICENCE, CodedError, GoError
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.lint import object_id_flaw
from planops.sandbox.zadig.people import People, User
from planops.sandbox.zadig.store import Store
from planops.sandbox.zadig.traits import Traits

COUNTER = "ReleasePlan:default"
SYSTEM_USER = "系统"
CREATED, UPDATED, DELETED = "新建", "更新", "删除"
EXECUTED, SKIPPED, RETRIED = "执行", "跳过", "重试"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, as far as an operation sees it. ``conditions`` are the faults in force."""

    route: str
    method: str
    path: str
    caller: User
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    conditions: frozenset[str] = frozenset()

    @property
    def plan_id(self) -> str:
        """The plan that the path names."""
        return self.params["id"]

    def check_licence(self) -> None:
        """Refuse without an enterprise licence (§10.4)."""
        if "licence-down" in self.conditions:
            raise GoError(
                "failed to validate zadig license status, error: "
                'Get "http://plutus-vendor/api/license": dial tcp: connection refused'
            )
        if "licence" in self.conditions:
            raise CodedError(*NO_LICENCE, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """Everything an operation may touch."""

    store: Store
    clock: Clock
    traits: Traits
    people: People

    def find_plan(self, plan_id: str) -> Document:
        """The stored plan; ``GoError`` for a bad or unknown id (§8.3)."""
        flaw = object_id_flaw(plan_id)
        if flaw:
            raise GoError(flaw)
        plan = self.store.get("plan", plan_id.lower())
        if plan is None:
            raise GoError(NO_DOCUMENT)
        return plan

    def load_plan(self, plan_id: str, prefix: str = "get plan") -> Document:
        """The stored plan; errors come behind ``prefix: ``."""
        try:
            return self.find_plan(plan_id)
        except GoError as missing:
            raise missing.wrapped(prefix) from None

    def save_plan(self, plan: Document) -> None:
        """Store a plan under its id."""
        self.store.put("plan", str(plan["id"]), plan, int(plan["index"]))

    def touch(self, plan: Document, by: str) -> None:
        """Note who changed a plan, and when."""
        plan["updated_by"] = by
        plan["update_time"] = self.clock.now()

    def bump(self, plan: Document) -> None:
        """Raise a plan's version, where there are versions."""
        if self.traits.versions:
            plan["version"] = int(plan.get("version") or 0) + 1

    def lock_plan(self, call: Call) -> None:
        """Take a plan's lock, which fails on demand (§4.3)."""
        if self.traits.locks and "lock" in call.conditions:
            raise GoError("lock release plan: lock already taken, locked nodes: [0]")

    def hook_setting(self) -> Document:
        """The system's hook setting; ``GoError`` when there is none."""
        setting = self.store.get("setting", "hook")
        if setting is None:
            raise GoError(f"failed get release plan hook setting, err: {NO_DOCUMENT}")
        return setting

    def im_apps(self) -> list[Document] | None:
        """The system's apps of other messengers; ``None`` when no fixture names any (§6.6)."""
        system = self.store.get("setting", "system") or {}
        return system.get("im_apps")

    def log(self, plan: Document, said: Document) -> None:
        """Write a line of the plan's history; what is not said of it is empty (§1.9)."""
        number = self.store.increment("log")
        line: Document = {
            "id": f"{self.clock.now() & 0xFFFFFFFF:08x}{number:016x}",
            "plan_id": plan["id"],
            **dict.fromkeys(("username", "account", "verb", "target_name", "target_type"), ""),
            "before": None,
            "after": None,
            "detail": "",
            **said,
            "created_at": self.clock.now(),
        }
        self.store.put("log", str(number), line, number)

    def new_plan_id(self) -> str:
        """A fresh 24-digit identifier: a time and a random rest."""
        return f"{self.clock.now() & 0xFFFFFFFF:08x}{random.getrandbits(64):016x}"


def new_uuid() -> str:
    """A fresh identifier of a job or of an approval instance."""
    return str(uuid.uuid4())


def instance_code(plan: Document) -> str:
    """A plan's 16-digit hash."""
    return hashlib.sha256(gojson.write(plan)).hexdigest()[:16]


def frozen_hooks(setting: Document) -> Document:
    """What a plan keeps of the system's hook setting (§7.9)."""
    return {key: setting[key] for key in ("enable", "enable_call_back", "hook_events")}
