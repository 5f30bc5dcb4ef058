"""The theorem of observing by the ledger: the report is that of a full read, whatever happened.

Walks of random steps in git, on the server, in the ledger and by runs. After each step the same
moment is looked at twice, once in full. What a run applies is held against what a run in full makes
of the same ground: the same writes, the same report, the same records but for what was seen.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from planops import reconcile
from planops.core.decide import Drift
from planops.core.ledger import Intent, intent_document
from planops.core.model import JSON, Plan
from planops.core.report import Report, TargetReport
from planops.render.json import text as as_json
from planops.run import Run, Target
from run.ledgers import MemoryLedger, MovingClock, kept
from run.world import NOW, World, asked, native, plan, text

KEYS = ("one", "two", "three", "four", "five")
STEPS = 50
GOALS = (None, "planning", "finish_planning", "executing")
DEPLOY: JSON = {
    "name": "Deploy",
    "type": "workflow",
    "spec": {
        "workflow_key": "deploy",
        "project_key": "shop",
        "inputs": [{"job_name": "build", "job_type": "zadig-build", "parameters": {}}],
    },
}


@dataclass(slots=True, kw_only=True)
class Walk:
    """A history on its way: files, a server, a ledger, and the time."""

    zadig: World
    draw: random.Random
    files: dict[str, Plan] = field(default_factory=dict)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    drift: Drift = Drift.SAFE
    allow: dict[str, int | None] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    skipped: Counter[bool] = field(default_factory=Counter)

    # -------------------------------------------------------------------------------------- looking

    def target(self) -> Target:
        made = kept(self.zadig.target(by_name=False), self.ledger, MovingClock())
        return replace(made, drift=self.drift)

    def run(self, *, full: bool) -> Run:
        now = self.zadig.sandbox.clock.now()
        return replace(asked(), now=now, allow=dict(self.allow), full=full)

    def look(self, *, full: bool) -> str:
        """What a diff would report."""
        target, run = self.target(), self.run(full=full)
        sight = reconcile.observe(target, list(self.files.values()), run)
        if not full:
            self.skipped[bool(sight.inventory.listed)] += 1
        changes = reconcile.diff(target, sight, run)
        return told(reconcile.show(target, sight, changes, run))

    def check(self) -> None:
        assert self.look(full=False) == self.look(full=True), self.log

    # ------------------------------------------------------------------------------------- applying

    def apply(self, *, full: bool) -> tuple[str, list[Any]]:
        before = len(self.zadig.sandbox.writes)
        target, run = self.target(), self.run(full=full)
        sight = reconcile.observe(target, list(self.files.values()), run)
        report = reconcile.apply(target, sight, reconcile.diff(target, sight, run), run)
        return told(report), self.zadig.writes(before)

    def apply_both(self) -> None:
        """Apply, take it all back, and apply from the same ground in full."""
        if not self.draw.randrange(3):
            self.apply(full=False)
            return
        plans, documents = self.zadig.sandbox.plans(), dict(self.ledger.documents)
        mine = self.apply(full=False)
        after = self.records()
        made = {one["id"] for one in self.zadig.sandbox.plans()} - {one["id"] for one in plans}
        if made:  # another one would have another id
            return
        for one in plans:
            self.zadig.sandbox.insert_plan(one)
        self.ledger.documents = documents
        assert self.apply(full=True) == mine, self.log
        assert self.records() == after, self.log

    def records(self) -> dict[str, Any]:
        read = {path: json.loads(data) for path, data in self.ledger.documents.items()}
        return {path: {k: v for k, v in one.items() if k != "seen"} for path, one in read.items()}

    def later(self) -> None:
        """A run, as one comes after another."""
        self.zadig.sandbox.clock.advance(self.draw.choice([0, 1, 2, 5, 60]))
        self.apply_both()

    def begin(self) -> None:
        """Files that are applied, and seen to be in order."""
        for _ in KEYS:
            fresh(self)
        for _ in range(2):
            self.apply(full=False)
            self.zadig.sandbox.clock.advance(10)

    def step(self) -> None:
        name = "a run" if not self.draw.randrange(3) else self.draw.choice(list(DEEDS))
        self.log.append(name)
        DEEDS[name](self)

    # -------------------------------------------------------------------------------------- choices

    def some_id(self) -> str:
        held = [str(one["id"]) for one in self.zadig.sandbox.plans()]
        return self.draw.choice(held) if held else ""

    def file(self, change: Callable[[Plan], Plan]) -> None:
        if self.files:
            key = self.draw.choice(list(self.files))
            self.files[key] = change(self.files[key])
            self.log.append(key)

    def held(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Somebody edits a plan in the web interface, or what is as good as that."""
        if id_ := self.some_id():
            self.zadig.sandbox.edit(id_, change, by=self.draw.choice(["Alice", "someone"]))

    def inside(self, target: str, body: object = None) -> None:
        """Use a route of the web interface; what it refuses does not matter."""
        if id_ := self.some_id():
            who = self.draw.choice(["admin", "patrick"])
            self.zadig.visitor.inside(target.format(id=id_), body, who=who)

    def work(self, deed: str) -> None:
        if not (id_ := self.some_id()):
            return
        for job in self.zadig.sandbox.plan(id_)["jobs"]:
            body = {"id": job["id"], "name": job["name"], "type": job["type"]}
            self.inside(f"POST /{id_}/{deed}", {**body, "spec": {"remark": "done"}})


def told(report: TargetReport) -> str:
    return as_json(Report(command="diff", targets=(report,)), version="1")


def fresh(walk: Walk) -> None:
    """Put a file where there is none, of a plan with jobs of either kind, or of none."""
    key = walk.draw.choice(KEYS)
    if key in walk.files:
        return
    spec: dict[str, Any] = {"description": "one"}
    if jobs := walk.draw.choice([[text()], [text("A"), DEPLOY], [text("A"), text("B")], None]):
        spec["jobs"] = jobs
    state = walk.draw.choice(GOALS) if jobs else None
    if walk.draw.randrange(2):
        spec["approval"] = native("admin", "patrick")
        state = "wait_for_approval" if state == "executing" else state
    walk.files[key] = plan(key, state=state, **spec)


def spec(name: str, *values: JSON) -> Callable[[Walk], None]:
    def change(walk: Walk) -> None:
        value = walk.draw.choice(values)
        walk.file(lambda was: replace(was, spec=was.spec | {name: value}))

    return change


def goal(walk: Walk) -> None:
    state = walk.draw.choice(GOALS)
    walk.file(lambda was: replace(was, state=state))


def release(walk: Walk) -> None:
    name = walk.draw.choice(["description", "jobs", "approval"])
    walk.file(lambda was: replace(was, spec={k: v for k, v in was.spec.items() if k != name}))


def manage(walk: Walk) -> None:
    ignore = walk.draw.choice([(), ("/spec/description",), ("/spec/jobs",)])
    protect = bool(walk.draw.randrange(2))
    walk.file(lambda was: replace(was, manage=replace(was.manage, ignore=ignore, protect=protect)))


def without_file(walk: Walk) -> None:
    if walk.files:
        walk.files.pop(walk.draw.choice(list(walk.files)))


def theirs(held: dict[str, Any]) -> None:
    for job in held["jobs"]:
        if job["type"] == "text":
            job["spec"]["content"] = "theirs"


def skipped(held: dict[str, Any]) -> None:
    for job in held["jobs"]:
        if job["type"] == "workflow":
            for stage in job["spec"]["workflow"]["stages"]:
                stage["jobs"][0]["skipped"] = not stage["jobs"][0]["skipped"]


def status(walk: Walk) -> None:
    states = ["planning", "finish_planning", "wait_for_approval", "executing", "cancel", "success"]
    target = walk.draw.choice(states)
    walk.inside(f"POST /{{id}}/status/{target}")


def finish(walk: Walk) -> None:
    if id_ := walk.some_id():
        for job in walk.zadig.sandbox.plan(id_)["jobs"]:
            if job["status"] == "running":
                outcome = walk.draw.choice(["passed", "failed"])
                walk.zadig.sandbox.finish_task(id_, job["id"], outcome)
    walk.zadig.sandbox.tick()


def gone(walk: Walk) -> None:
    if (id_ := walk.some_id()) and not walk.draw.randrange(3):
        walk.zadig.sandbox.remove_plan(id_)


def damage(walk: Walk) -> None:
    paths = [path for path in walk.ledger.documents if path.startswith("plans/")]
    if paths and not walk.draw.randrange(3):
        walk.ledger.documents[walk.draw.choice(paths)] = b"{}"


def forgotten(walk: Walk) -> None:
    paths = [path for path in walk.ledger.documents if path.startswith("plans/")]
    if paths and not walk.draw.randrange(3):
        del walk.ledger.documents[walk.draw.choice(paths)]


def opened(walk: Walk) -> None:
    records = list(walk.ledger.load().records.values())
    if records and not walk.draw.randrange(3):
        one = walk.draw.choice(records)
        intent = Intent(key=one.key, kind=one.kind, op="update", name=one.name, id=one.id)
        path, data = intent_document(intent)
        walk.ledger.documents[path] = data


def viewing(walk: Walk) -> None:
    """A workflow of the server's changes: what a plan has stored of it does not."""
    found = walk.zadig.sandbox.workflow("deploy")
    walk.zadig.sandbox.put_workflow({**found, "display_name": f"Deploy {walk.draw.random()}"})


def drift(walk: Walk) -> None:
    walk.drift = walk.draw.choice(list(Drift))


def allowing(walk: Walk) -> None:
    lifted: list[dict[str, int | None]] = [{"reopen": 9}, {"conflict": 9, "weaken": 9}, {}, {}, {}]
    walk.allow = walk.draw.choice(lifted)


DEEDS: dict[str, Callable[[Walk], Any]] = {
    "a new file": fresh,
    "another new file": fresh,
    "a description in git": spec("description", "one", "two"),
    "jobs in git": spec("jobs", [text()], [text(content="New")], []),
    "a window in git": spec("end_time", 0, NOW + 50, NOW + 10**6),
    "a goal": goal,
    "released": release,
    "manage": manage,
    "a file goes": without_file,
    "a description there": lambda w: w.held(lambda held: held.update(description="theirs")),
    "a description back": lambda w: w.held(lambda held: held.update(description="one")),
    "a job there": lambda w: w.held(theirs),
    "a workflow job there": lambda w: w.held(skipped),
    "an edit of nothing": lambda w: w.held(lambda _: None),
    "an approval there": lambda w: w.held(lambda held: held.update(approval=None)),
    "a name there": lambda w: w.held(lambda held: held.update(name=f"{held['name']} there")),
    "a status": status,
    "another status": status,
    "a vote": lambda w: w.inside("POST /{id}/approve", {"approve": bool(w.draw.randrange(3))}),
    "an execution": lambda w: w.work("execute"),
    "a skip": lambda w: w.work("skip"),
    "a retry": lambda w: w.work("retry"),
    "a task ends": finish,
    "a plan goes": gone,
    "a namesake": lambda w: w.zadig.plant(w.draw.choice(KEYS)) if not w.draw.randrange(5) else "",
    "a copy": lambda w: w.inside("POST /{id}/copy", {"name": "a copy"}),
    "a workflow": viewing,
    "a record is damaged": damage,
    "a record is lost": forgotten,
    "something is open": opened,
    "the settings": drift,
    "what is allowed": allowing,
    "time": lambda w: w.zadig.sandbox.clock.advance(w.draw.choice([1, 2, 3, 60])),
    "more time": lambda w: w.zadig.sandbox.clock.advance(w.draw.choice([5, 10, 600])),
    "a run": Walk.later,
}


@pytest.mark.parametrize("seed", range(8))
def test_the_report_is_that_of_a_full_read(newest: World, seed: int) -> None:
    walk = Walk(zadig=newest, draw=random.Random(seed))  # noqa: S311  a test's choice
    walk.begin()
    for _ in range(STEPS):
        walk.check()
        walk.step()


def test_the_walks_leave_plans_unread(newest: World) -> None:
    """Or the theorem would say nothing."""
    found: Counter[bool] = Counter()
    for seed in range(3):
        newest.sandbox.reset()
        newest.sandbox.clock.set(NOW)
        walk = Walk(zadig=newest, draw=random.Random(seed))  # noqa: S311  a test's choice
        walk.begin()
        for _ in range(STEPS):
            walk.look(full=False)
            walk.step()
        found += walk.skipped
    assert found[True] > STEPS
