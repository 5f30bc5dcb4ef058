"""Scenes of the crash tests: a server with plans on it, the files of the run that is disturbed.

Each scene has one plan to make and lead to its goal, one to change and lead on or back, one to lead
further, one more to make, one whose file is gone, and one that is in order; on Zadig also one to
change whose state no file declares. The last is nobody's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pytest

from crash.accidents import Fate, FatedLedger, WakingClock, fated
from planops import reconcile
from planops.core.ledger import Record
from planops.core.model import Plan
from planops.core.report import Outcome, TargetReport
from planops.run import Run, Target
from planops.sandbox.emulated import Emulated
from run import brpm_world, world
from run.ledgers import MemoryLedger, kept
from run.world import LATER, SOON, asked, look, outcomes

Document = dict[str, Any]
UNLIKE = {"id": "", "seen": None}
"""Of records, what differs between two servers on which the same was done."""
LEASE, CALL = 300, 60
NOBODYS = "nobodys"
THEIRS = "what somebody else wrote"
HOUR = SOON + 60
DONE = {Outcome.UNCHANGED, Outcome.PARKED}

VOLATILE = frozenset(
    {"id", "index", "version", "instance_code", "request_id", "created_at", "updated_at"}
)
"""What differs between two servers on which the same was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A served sandbox and what happens on it.

    ``before`` are the files as they were applied first, ``files`` those of the run that is
    disturbed. In between people set fields that no file declares by ``hand`` and ``plant`` a plan
    that is nobody's. ``wanted`` is what the plans hold in the end of that which files declare, as
    ``shown`` shows it, ``calls`` the plan that each call of the run is about. ``declared`` is what
    somebody else may do to each plan in a field that its file declares, ``undeclared`` the same in
    one that none does. ``counts``: every edit counts a version up.
    """

    name: str
    sandbox: Emulated[Any]
    target: Callable[[contextlib.ExitStack, Callable[[Any], Any]], Target]
    before: tuple[Plan, ...]
    files: tuple[Plan, ...]
    plant: Callable[[], object]
    hand: Mapping[str, Document]
    wanted: Mapping[str, Document]
    shown: Callable[[Document], Document]
    calls: tuple[str, ...]
    declared: Mapping[str, Document]
    undeclared: Document
    counts: bool

    def named(self, name: str) -> list[Document]:
        """The plans of a name."""
        return [one for one in self.sandbox.plans() if one["name"] == name]

    def plan(self, name: str) -> Document:
        """The one plan of a name."""
        (found,) = self.named(name)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What server and ledger hold."""

    plans: tuple[Document, ...]
    documents: Mapping[str, bytes]
    history: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A server on which the files of before are applied, with the ledger that says so."""

    server: Server
    stack: contextlib.ExitStack
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    clock: WakingClock = field(default_factory=WakingClock)
    untouched: dict[str, Document] = field(default_factory=dict)
    reports: list[TargetReport] = field(default_factory=list)

    @classmethod
    def on(
        cls, server: Server, stack: contextlib.ExitStack, as_it_was: State | None = None
    ) -> Scene:
        """Put the server back, apply the first files, let people do what they do.

        Or put everything to where it was when that was done once, which is quicker.
        """
        server.sandbox.reset()
        scene = cls(server=server, stack=stack)
        if as_it_was is None:
            scene.run(files=server.before)
            for name, fields in server.hand.items():
                server.sandbox.edit(server.plan(name)["id"], fields)
            server.plant()
            scene.reports.clear()
        else:
            for document in as_it_was.plans:
                server.sandbox.insert_plan(document)
            scene.ledger.documents.update(as_it_was.documents)
            scene.ledger.history.extend(as_it_was.history)
            assert server.sandbox.plans() == as_it_was.plans
        scene.untouched.update({name: server.plan(name) for name in (NOBODYS, "still")})
        return scene

    def state(self) -> State:
        """Everything as it is."""
        return State(
            plans=self.server.sandbox.plans(),
            documents=dict(self.ledger.documents),
            history=tuple(self.ledger.history),
        )

    @property
    def calls(self) -> int:
        """How many calls that write the server has received."""
        return len(self.server.sandbox.writes)

    def asked(self, **allow: int) -> Run:
        """What a run that begins now is asked for."""
        return replace(
            asked(everything=False, reset=99, **allow),
            now=self.clock.now(),
            commit="c" * 40,
            prune=True,
            unproven=lambda _: "",
        )

    def target(
        self,
        fate: Fate | None = None,
        name: str = "one",
        *,
        through: Callable[[Any], Any] = lambda inner: inner,
        dead: bool = False,
    ) -> Target:
        """The server as one run sees it, which may have its fate; ``dead`` is said of others."""
        at = fate or Fate()
        found = self.server.target(self.stack, lambda inner: fated(through(inner), at))
        whole = kept(found, self.ledger, self.clock, name)
        assert whole.keeping is not None
        ledger = FatedLedger(inner=self.ledger, fate=at)
        keeping = replace(whole.keeping, ledger=ledger, is_dead=lambda _: dead)
        return replace(whole, keeping=keeping)

    def run(
        self,
        fate: Fate | None = None,
        *,
        files: Sequence[Plan] = (),
        name: str = "one",
        through: Callable[[Any], Any] = lambda inner: inner,
        dead: bool = False,
        **allow: int,
    ) -> TargetReport:
        """Observe, diff and apply; whatever its fate raises comes through."""
        return self.go(
            self.target(fate, name, through=through, dead=dead), self.asked(**allow), files
        )

    def go(self, target: Target, run: Run, files: Sequence[Plan] = ()) -> TargetReport:
        """The same, of a target and a run that are there."""
        sight, changes = look(target, files or self.server.files, run)
        report = reconcile.apply(target, sight, changes, run)
        self.reports.append(report)
        return report

    def later(self, seconds: int = LEASE) -> None:
        """Let time pass, by default as long as a lease lasts."""
        self.clock.sleep(seconds)

    def records(self) -> dict[str, Record]:
        """The ledger's records."""
        return dict(self.ledger.load().records)


Portrait = dict[str, Document]


def portrait(scene: Scene) -> Portrait:
    """What server and ledger hold, by field, without what differs between equal runs."""
    plans = {str(one["name"]): scrubbed(one) for one in scene.server.sandbox.plans()}
    records = {f"record of {key}": asdict(one) | UNLIKE for key, one in scene.records().items()}
    return plans | records


def differences(found: Portrait, wanted: Portrait) -> dict[str, Any]:
    """The fields in which two pictures differ, found and wanted."""
    return {
        f"{name}: {key}": (found.get(name, {}).get(key), wanted.get(name, {}).get(key))
        for name in sorted(found.keys() | wanted.keys())
        for key in sorted(found.get(name, {}).keys() | wanted.get(name, {}).keys())
        if found.get(name, {}).get(key) != wanted.get(name, {}).get(key)
    }


def scrubbed(value: Any) -> Any:
    """A document without what differs between equal runs."""
    match value:
        case dict():
            return {key: scrubbed(sub) for key, sub in value.items() if key not in VOLATILE}
        case list():
            return [scrubbed(sub) for sub in value]
        case _:
            return value


def check_no_harm(scene: Scene) -> None:
    """One live plan a file, each record its own plan's, and nothing of others hurt."""
    server = scene.server
    ids = {one["name"]: str(one["id"]) for one in server.sandbox.plans()}
    assert len(ids) == len(server.sandbox.plans()), sorted(
        one["name"] for one in server.sandbox.plans()
    )
    assert {key: one.id for key, one in scene.records().items()}.items() <= ids.items()
    assert {name: server.plan(name) for name in scene.untouched} == scene.untouched


def check_converged(scene: Scene, ideal: Portrait) -> None:
    """All is as after an undisturbed run, and there is nothing left to write."""
    book = scene.ledger.load()
    assert (book.lease, dict(book.intents), book.damages) == (None, {}, ())
    assert book.records.keys() == {plan.key.name for plan in scene.server.files}
    check_no_harm(scene)
    assert differences(portrait(scene), ideal) == {}
    report = check_idle(scene, lambda: scene.run(name="idle"))
    assert set(outcomes(report).values()) <= DONE


def check_idle(scene: Scene, run: Callable[[], TargetReport]) -> TargetReport:
    """A run calls nothing, and writes only what it saw; one after it writes nothing at all."""
    calls, history = scene.calls, list(scene.ledger.history)
    run()
    noted = scene.ledger.history[len(history) :]
    assert [one.partition("\n")[0] for one in noted] in ([], ["note prod: what was seen"])
    report = run()
    assert (scene.calls, scene.ledger.history) == (calls, history + noted)
    return report


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A served server, and what its scene looks like when nothing goes wrong."""

    server: Server
    ideal: Portrait
    state: State

    @classmethod
    def of(cls, server: Server) -> Stage:
        """Make an undisturbed run, and keep the picture of it, and of what was there before."""
        with contextlib.ExitStack() as stack:
            scene = Scene.on(server, stack)
            state = scene.state()
            scene.run()
            return cls(server=server, ideal=portrait(scene), state=state)

    def scene(self, stack: contextlib.ExitStack) -> Scene:
        """Give a fresh scene."""
        return Scene.on(self.server, stack, self.state)


CALLS = {"zadig 5.0": 12, "zadig 4.1": 12, "brpm": 9}
"""How many calls that write the run of each scene makes."""
PUSHES = 2
CALLS_OF = [(server, number) for server, calls in CALLS.items() for number in range(calls)]
WIRE: Mapping[str, Mapping[str, Any]] = {
    "dropped before": {"kind": "drop-before"},
    "dropped after": {"kind": "drop-after"},
    "500 after": {"kind": "status-after", "status": 500},
    "cut short": {"kind": "truncate"},
    "cut JSON": {"kind": "garbage-json"},
}
each_call_of_all = pytest.mark.parametrize(("stage", "number"), CALLS_OF, indirect=["stage"])
each_call = pytest.mark.parametrize(
    ("stage", "number"),
    [(server, number) for server, number in CALLS_OF if server != "zadig 4.1"],
    indirect=["stage"],
)
"""On both servers; Zadig 4.1 is another only in what it counts and what it resets."""


# ------------------------------------------------------------------------------------------- Zadig

_DESCRIBED = "ignored, but written when it is made"


def zadig_server(served: world.World) -> Server:
    """A Zadig of either generation."""
    plan, text = world.plan, world.text
    still = plan("still", jobs=[text()], state="finish_planning")
    created = {
        "approval": world.native("alice"),
        "description": _DESCRIBED,
        "jobs": [text(), text("Deploy")],
    }
    waits = {"status": "finish_planning"}
    return Server(
        name=f"zadig {served.sandbox.generation}",
        sandbox=served.sandbox,
        target=lambda stack, through: replace(served, stack=stack).target(
            by_name=False, through=through
        ),
        before=(
            plan("edited", jobs=[text(content="old")], state="finish_planning"),
            plan("gone", jobs=[text()], state="finish_planning"),
            plan("led", jobs=[text(content="old")]),
            plan("moved", jobs=[text()]),
            still,
        ),
        files=(
            plan("created", state="wait_for_approval", ignore=("/spec/description",), **created),
            plan("edited", jobs=[text(content="new"), text("More")], state="finish_planning"),
            plan("last", jobs=[text()], manager="alice"),
            plan("led", jobs=[text(content="new")]),
            plan("moved", jobs=[text()], state="finish_planning"),
            still,
        ),
        plant=lambda: served.plant(NOBODYS, jobs=[world.held_text(content="mine")]),
        hand={
            "edited": {"start_time": SOON, "end_time": LATER, "description": "by hand"},
            "led": {"status": "finish_planning", "approval": world.held_native("bob")},
            "moved": {"description": "by hand"},
        },
        wanted={
            "created": {
                "status": "wait_for_approval",
                "description": _DESCRIBED,
                "approval": ["alice"],
                "jobs": [("Announce", "Hello"), ("Deploy", "Hello")],
            },
            "edited": {**waits, "jobs": [("Announce", "new"), ("More", "Hello")]},
            "last": {
                "status": "planning",
                "manager_id": world.UIDS["alice"],
                "jobs": [("Announce", "Hello")],
            },
            "led": {**waits, "jobs": [("Announce", "new")]},
            "moved": {**waits, "jobs": [("Announce", "Hello")]},
            "still": {**waits, "jobs": [("Announce", "Hello")]},
        },
        shown=_shown,
        calls=(*["created"] * 4, *["edited"] * 2, *["last"] * 2, *["led"] * 2, "moved", "gone"),
        declared={
            name: {"jobs": [world.held_text(content=THEIRS), world.held_text("More")]}
            for name in ("created", "edited", "gone", "last", "led", "moved")
        },
        undeclared={"schedule_execute_time": HOUR},
        counts=served.sandbox.generation == "5.0",
    )


def _shown(document: Document) -> Document:
    """A Zadig plan, its jobs and its approval in short."""
    approval = document["approval"] or {"enabled": False}
    accounts = {uid: account for account, uid in world.UIDS.items()}
    users = approval["native_approval"]["approve_users"] if approval["enabled"] else ()
    return document | {
        "jobs": [(job["name"], job["spec"]["content"]) for job in document["jobs"]],
        "approval": [accounts[user["user_id"]] for user in users],
    }


# -------------------------------------------------------------------------------------------- BRPM


def brpm_server(served: brpm_world.World) -> Server:
    """A BRPM."""
    plan = brpm_world.plan
    still = plan("still", description="Hello", state="planned")
    created = {
        "description": _DESCRIBED,
        "release_manager": "alice",
        "teams": ["AllAccess", "Payments"],
    }
    return Server(
        name="brpm",
        sandbox=served.sandbox,
        target=lambda stack, through: replace(served, stack=stack).target(
            by_name=False, through=through
        ),
        before=(
            plan("edited", description="old", state="planned"),
            plan("gone", description="old", state="planned"),
            plan("moved", description="mine"),
            still,
        ),
        files=(
            plan("created", state="started", ignore=("/spec/description",), **created),
            plan("edited", description="new", release_manager="bob", state="started"),
            plan("last", release_date="2026-12-24"),
            plan("moved", description="mine", state="planned"),
            still,
        ),
        plant=lambda: served.plant(NOBODYS, description="mine"),
        hand={
            "edited": {"release_date": "2026-12-01", "team_ids": [2]},
            "moved": {"release_manager_id": 3},
        },
        wanted={
            "created": {
                "aasm_state": "started",
                "description": _DESCRIBED,
                "release_manager_id": 3,
                "team_ids": [1, 2],
            },
            "edited": {"aasm_state": "started", "description": "new", "release_manager_id": 4},
            "last": {"aasm_state": "created", "release_date": "2026-12-24"},
            "moved": {"aasm_state": "planned", "description": "mine"},
            "still": {"aasm_state": "planned", "description": "Hello"},
        },
        shown=lambda document: document,
        calls=(*["created"] * 3, *["edited"] * 2, "last", "moved", *["gone"] * 2),
        declared={
            "created": {"release_manager_id": 2},
            "edited": {"description": THEIRS},
            "gone": {"description": THEIRS},
            "last": {"release_date": "2031-01-01"},
            "moved": {"description": THEIRS},
        },
        undeclared={"release_id": 2},
        counts=False,
    )
