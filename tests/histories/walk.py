"""One history: steps drawn at random, in git, on the server and by runs, with its own bookkeeping.

What must be true is taken from the steps that were made and from the server's own store, never from
what planops says about them. ``applied`` is, for each file, what its plan was last brought in order
with; of a plan whose run was cut short nobody knows that until the next one has settled it.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from crash.accidents import Fate, FatedLedger, Killed, Place, Point, When, at_write, fated
from crash.scenes import WIRE
from histories.checks import check_causes, check_frame, check_rest, check_shown, check_stopped
from histories.servers import Document, Fields, Server
from planops import reconcile
from planops.core.changes import Cause
from planops.core.decide import Drift
from planops.core.guards import PER_PLAN
from planops.core.model import Plan
from planops.core.report import Outcome, StepResult, TargetReport
from planops.errors import PlanopsError
from planops.run import Run, Target
from run.ledgers import MemoryLedger, MovingClock, kept
from run.world import asked

KEYS = ("one", "two", "three", "four")
DONE = {Outcome.APPLIED, Outcome.PARKED, Outcome.UNCHANGED}
REST_EVERY = 20
ALL = dict.fromkeys((*PER_PLAN, "mass-change", "empty", "delete"), 99)


@dataclass(slots=True, kw_only=True)
class File:
    """A file: its declared fields and its goal."""

    fields: Fields
    state: str | None = None


@dataclass(slots=True, kw_only=True)
class Known:
    """What a plan was last in order with, and whether that is certain."""

    fields: Fields
    goal: str | None
    certain: bool = True


@dataclass(slots=True, kw_only=True)
class Walk:
    """A history on its way."""

    server: Server
    stack: contextlib.ExitStack
    draw: random.Random
    files: dict[str, File] = field(default_factory=dict)
    gone: dict[str, File] = field(default_factory=dict)
    applied: dict[str, Known] = field(default_factory=dict)
    strangers: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    clock: MovingClock = field(default_factory=MovingClock)
    commits: dict[str, dict[str, Plan]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def say(self, text: str) -> None:
        """Keep what happened, for whoever reads a failure."""
        self.log.append(text)

    # ------------------------------------------------------------------------------- the files

    def plans(self) -> list[Plan]:
        """The files as planops reads them."""
        return [self.server.plan(key, one.fields, one.state) for key, one in self.files.items()]

    def git_adds(self) -> None:
        """A file is written, or one that was removed comes back."""
        missing = [key for key in KEYS if key not in self.files]
        if not missing:
            return
        key = self.draw.choice(missing)
        if key in self.gone and self.draw.random() < 0.5:
            self.files[key] = self.gone.pop(key)
        else:
            names = self.draw.sample([*self.server.values], self.draw.randint(1, 3))
            fields = {name: self.draw.choice(self.server.values[name]) for name in names}
            state = self.draw.choice((None, *self.server.forward))
            self.files[key] = File(fields={"name": f"Plan {key}", **fields}, state=state)
        self.say(f"git adds {key}: {self.files[key]}")

    def git_edits(self) -> None:
        """A declared field gets another value, is declared anew, or no longer."""
        if not self.files:
            return
        key = self.draw.choice([*self.files])
        one = self.files[key]
        name = self.draw.choice(["name", *self.server.values])
        fields = dict(one.fields)
        if name == "name":
            fields["name"] = self.draw.choice((f"Plan {key}", f"Plan {key} renamed"))
        elif name in fields and self.draw.random() < 0.2 and len(fields) > 2:
            del fields[name]
        else:
            fields[name] = self.draw.choice(self.server.values[name])
        self.files[key] = replace(one, fields=fields)
        self.say(f"git edits {key}: {name} = {fields.get(name, '(released)')!r}")

    def git_moves(self) -> None:
        """The goal changes."""
        if not self.files:
            return
        key = self.draw.choice([*self.files])
        before = self.files[key].state
        state = self.draw.choice((None, *self.server.forward))
        self.files[key] = replace(self.files[key], state=state)
        if state != before:
            self.stopped.discard(key)
        self.say(f"git moves {key}: {before} → {state}")

    def git_removes(self) -> None:
        """A file is removed."""
        if len(self.files) < 2:
            return
        key = self.draw.choice([*self.files])
        self.gone[key] = self.files.pop(key)
        self.stopped.discard(key)
        self.say(f"git removes {key}")

    # ------------------------------------------------------------------------------- the people

    def owned(self) -> dict[str, Document]:
        """The plans that records name, by key."""
        documents = self.server.documents()
        records = self.ledger.load().records
        return {key: documents[one.id] for key, one in records.items() if one.id in documents}

    def someone_edits(self) -> None:
        """Somebody writes into a plan, be it ours or not."""
        documents = [*self.server.documents().values()]
        if not documents:
            return
        document = self.draw.choice(documents)
        if document[self.server.state] in self.server.over:
            return
        name = self.draw.choice([*self.server.values])
        value = self.draw.choice(self.server.values[name])
        self.server.edit(document, {name: value})
        self.say(f"somebody edits {document['name']}: {name} = {value!r}")

    def someone_moves(self) -> None:
        """Somebody moves a plan: back, aside, to its end."""
        owned = self.owned()
        if not owned:
            return
        key = self.draw.choice([*owned])
        before = owned[key][self.server.state]
        state = self.draw.choice(self.server.moves)
        if before in self.server.over or state == before:
            return
        self.server.move(owned[key], state)
        known = self.applied.get(key)
        aside = state in self.server.stopped and self.is_recorded(key)
        back = known is not None and known.certain and self.was_reached(key, before, state)
        if key in self.files and self.files[key].state and (aside or back):
            self.stopped.add(key)
        else:
            self.stopped.discard(key)
        self.say(f"somebody moves {key}: {before} → {state}")

    def is_recorded(self, key: str) -> bool:
        """Tell whether the goal of a file is the one that was last applied: else it is news."""
        record = self.ledger.load().records.get(key)
        one = self.files.get(key)
        return record is not None and one is not None and record.goal == one.state

    def was_reached(self, key: str, before: str, state: str) -> bool:
        """Tell whether a plan is taken back behind a goal that a settled run saw reached."""
        goal = self.files[key].state if key in self.files else None
        record = self.ledger.load().records.get(key)
        path = self.server.forward
        if goal is None or record is None or record.reached != goal or before not in path:
            return False
        return state not in path or path.index(state) < path.index(goal)

    def someone_deletes(self) -> None:
        """Somebody deletes a plan."""
        documents = self.server.documents()
        if len(documents) < 3:
            return
        id_ = self.draw.choice([*documents])
        self.server.sandbox.remove_plan(documents[id_]["id"])
        self.strangers.discard(id_)
        self.say(f"somebody deletes {documents[id_]['name']} ({id_})")

    def someone_plants(self) -> None:
        """Somebody makes a plan, perhaps of a name that a file wants."""
        if len(self.strangers) > 2:
            return
        key = self.draw.choice(KEYS)
        name = self.draw.choice((f"Plan {key} renamed", "Their own"))
        made = self.server.sandbox.insert_plan({"name": name})
        self.strangers.add(str(made["id"]))
        self.say(f"somebody plants {name} ({made['id']})")

    # ------------------------------------------------------------------------------- the runs

    def target(self, fate: Fate, drift: Drift) -> Target:
        """The server as one run sees it, which may have its fate."""
        found = self.server.target(self.stack, lambda inner: fated(inner, fate))
        whole = kept(found, self.ledger, self.clock, f"run {len(self.log)}")
        assert whole.keeping is not None
        ledger = FatedLedger(inner=self.ledger, fate=fate)
        return replace(whole, keeping=replace(whole.keeping, ledger=ledger), drift=drift)

    def asked(self, allow: dict[str, int | None], *, prune: bool) -> Run:
        """What a run that begins now is asked for."""
        commit = f"{len(self.commits):040x}"
        self.commits[commit] = {plan.key.name: plan for plan in self.plans()}
        return replace(
            asked(),
            now=self.clock.now(),
            commit=commit,
            allow=allow,
            prune=prune,
            earlier=lambda intent: self.commits[intent.origin.commit].get(intent.key),
        )

    def runs(self) -> None:
        """A run, undisturbed or not."""
        how = self.draw.choice(("diff", "apply", "apply", "apply", "dies", "dies", "wire"))
        drift = self.draw.choice((Drift.SAFE, Drift.SAFE, Drift.CORRECT, Drift.REPORT))
        allow: dict[str, int | None] = {"mass-change": None, "empty": None, "reset": 99}
        allow |= {name: 99 for name in ("conflict", "recreate") if self.draw.random() < 0.3}
        prune, fate = self.draw.random() < 0.3, Fate()
        if how == "dies":
            place: Place = self.draw.choice(("call", "call", "call", "push"))
            when: When = self.draw.choice(("before", "after"))
            fate = Fate(point=Point(place=place, number=self.draw.randrange(4), when=when))
        if how == "wire":
            wire = self.draw.choice([*WIRE])
            self.server.sandbox.faults.add(at_write(self.draw.randrange(4), **WIRE[wire]))
            how = f"wire: {wire}"
        self.say(f"{how} {fate.point or ''} drift={drift} prune={prune} allow={sorted(allow)}")
        self.run(fate, drift, self.asked(allow, prune=prune), only_diff=how == "diff")
        self.server.sandbox.faults.clear()

    def run(
        self, fate: Fate, drift: Drift, run: Run, *, only_diff: bool = False
    ) -> TargetReport | None:
        """Observe, diff and apply, and hold all of it against the bookkeeping."""
        target, before = self.target(fate, drift), self.server.documents()
        since = len(self.server.sandbox.writes)
        report = None
        try:
            sight = reconcile.observe(target, self.plans(), run)
            changes = reconcile.diff(target, sight, run)
            check_causes(self, changes, before)
            if not only_diff:
                report = reconcile.apply(target, sight, changes, run)
                self.settle(report)
            check_shown(self, changes, since, only_diff=only_diff)
        except Killed:
            self.unknown()
        except PlanopsError as error:
            self.say(f"  ended: {error}")
            self.unknown()
        if fate.dead:
            self.clock.sleep(400)  # longer than a lease and a call
        check_frame(self, before)
        check_stopped(self, before, run)
        return report

    def unknown(self) -> None:
        """Nobody knows how far a run came."""
        for one in self.applied.values():
            one.certain = False

    def settle(self, report: TargetReport) -> None:
        """Keep what a run that ended brought in order."""
        for one in report.changes:
            key = one.change.key.name
            self.seen[f"{one.change.kind.value} {one.outcome.value}"] += 1
            self.say(f"  {key}: {one.change.kind.value}, {one.outcome.value} {one.error}")
            wrote = StepResult.DONE in one.results
            if one.change.orphan is not None:
                if key not in self.ledger.load().records:
                    self.applied.pop(key, None)
                continue
            ended = one.outcome in DONE and not one.change.refusals
            left = [d for d in one.change.deltas if d.cause is not Cause.RELEASED]
            if ended and (wrote or not left) and not report.unrecorded:
                wanted = self.files[key]
                self.applied[key] = Known(fields=dict(wanted.fields), goal=wanted.state)
            elif (wrote or one.outcome is Outcome.UNKNOWN) or report.unrecorded:
                self.applied.setdefault(key, Known(fields={}, goal=None)).certain = False

    def rests(self) -> None:
        """No accidents: all that is allowed is done, and then nothing is left."""
        self.say("rest")
        for _ in range(3):
            self.clock.sleep(400)
            self.run(Fate(), Drift.CORRECT, self.asked(dict(ALL), prune=True))
        check_rest(self)

    def step(self, number: int) -> None:
        """Make one step."""
        self.seen["steps"] += 1
        if number % REST_EVERY == REST_EVERY - 1:
            self.rests()
            return
        deeds: Any = (
            (self.git_adds, 3), (self.git_edits, 6), (self.git_moves, 2), (self.git_removes, 1),
            (self.someone_edits, 5), (self.someone_moves, 2), (self.someone_deletes, 0.5),
            (self.someone_plants, 0.5), (self.runs, 8),
        )  # fmt: skip
        (deed,) = self.draw.choices([one for one, _ in deeds], [weight for _, weight in deeds])
        deed()
