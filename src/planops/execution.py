"""Carrying out one change: one write, look what came of it, decide again, go on.

A step is made only while a decision taken anew from the live plan still asks for it, and for
exactly the steps that were shown. A write whose answer is lost is looked up, never made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from planops.bookkeeping import Carried
from planops.core.aftermath import crossed, last_seen, others_wrote, stands_still
from planops.core.changes import NEW_ID, Change, Step, StepKind, fingerprint, writes
from planops.core.compare import about
from planops.core.decide import WRITABLE, Circumstances, Desired, Memory, decide
from planops.core.lifecycle import Standing
from planops.core.model import ABSENT, Live
from planops.core.records import kept_echo
from planops.core.report import ChangeReport, Outcome, StepResult
from planops.custody import Custody
from planops.errors import OutcomeUnknown, PlanopsError, Stale, StateConflict
from planops.ownership import Claim, circumstances
from planops.ports import Inventory
from planops.reporting import as_it_stands, bug_of, told
from planops.run import Progress, Run, Target


def may_run(change: Change) -> bool:
    """Tell whether a change acts and nothing stands against it."""
    return change.acts and not change.refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One change on its way; ``inventory`` is what was there just before the writes.

    ``claim`` is what the decision rested on; ``custody`` is the lease under which calls are made,
    where there is a ledger. A change that has a lease and makes no call is one that an earlier run
    began and that is found done.
    """

    target: Target
    run: Run
    desired: Desired
    inventory: Inventory
    claim: Claim = field(default_factory=Claim)
    custody: Custody | None = None

    def carry_out(self, change: Change) -> Carried:
        """Make one change, step by step, and say what became of each; raise nothing."""
        if not may_run(change):
            return self._stands(change)
        self.tell(change, "started")
        begun = self.custody is not None
        trip = _Trip(
            work=self,
            change=change,
            id=change.live.id if change.live else None,
            memory=self.claim.memory,
            live=change.live,
        )
        try:
            trip.go()
        except Stale as error:
            trip.end(Outcome.STALE, StepResult.SKIPPED, str(error))
        except PlanopsError as error:
            trip.end(Outcome.FAILED, StepResult.SKIPPED, str(error))
        except Exception as error:  # noqa: BLE001  the other plans' report must not be lost
            trip.bug = True
            trip.end(*trip.at_worst(), bug_of(error))
        self.tell(change, trip.outcome.value)
        return Carried(
            change=change,
            report=trip.report(),
            live=trip.live,
            begun=begun,
            echo=trip.memory.echo if trip.memory is not self.claim.memory else ABSENT,
            crossed=trip.crossed,
        )

    def _stands(self, change: Change) -> Carried:
        """Report a change that makes no call; what was left open must still be as it was seen."""
        outcome, results = as_it_stands(change)
        error, bug = change.error, change.bug
        if self.custody is not None and change.live is not None:
            try:
                if moved := self._moved(change, change.live.id):
                    outcome, error = Outcome.STALE, moved
            except Exception as wrong:  # noqa: BLE001  the other plans' report must not be lost
                bug = not isinstance(wrong, PlanopsError)
                outcome, error = Outcome.FAILED, bug_of(wrong) if bug else str(wrong)
        report = told(self.target, change, self.run, outcome=outcome, results=results, error=error)
        report = replace(report, bug=bug or report.bug)
        return Carried(change=change, report=report, live=change.live)

    def _moved(self, change: Change, id_: str) -> str:
        if self.run.stop.is_set():
            return "the run was interrupted before it was looked at again"
        fresh = self.look(id_, self.circumstances())
        return moved(self.target.url, change, fresh)

    def circumstances(self) -> Circumstances:
        """Give what the decision about this plan depends on."""
        return circumstances(self.target, self.desired, self.claim, self.run)

    def tell(self, change: Change, what: str) -> None:
        """Speak of one plan while the run goes on."""
        self.run.progress(Progress(target=self.target.name, what=f"{change.key.name}: {what}"))

    def look(self, id_: str, at: Circumstances) -> Change:
        """Read the plan in full and decide about it as if for the first time."""
        rules = self.target.backend.rules
        live = rules.view(self.target.backend.read(id_), self.desired, at.base)
        return decide(rules, self.desired, live, at)


@dataclass(slots=True, kw_only=True)
class _Trip:
    """The steps of one change on the way: what became of them so far, and of the whole."""

    work: Work
    change: Change
    id: str | None
    memory: Memory
    live: Live | None
    results: list[StepResult] = field(default_factory=list)
    outcome: Outcome = Outcome.APPLIED
    error: str = ""
    notices: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    bug: bool = False
    crossed: bool = False
    ended: bool = False
    sending: bool = False
    version: int | None = None

    @property
    def rest(self) -> tuple[Step, ...]:
        """The steps that are left."""
        return self.change.steps[len(self.results) :]

    def go(self) -> None:
        """Make the steps, each only if it is still asked for."""
        if self._interrupted():
            return
        self._look_before()
        while self.rest and not self.ended and not self._interrupted():
            step = self.rest[0]
            if self.work.custody is not None:
                self.work.custody.hold(1 if step.fallback is None else 2)
            self.sending = True
            try:
                self.id = self.work.target.backend.send(step, self.id)
            except OutcomeUnknown as error:
                if not self._happened_after_all(step, error):
                    return
            except PlanopsError as error:
                if not self._there_already(step, error):
                    self.end(Outcome.FAILED, StepResult.FAILED, str(error))
                    return
            self.sending = False
            self.results.append(StepResult.DONE)
            self._look_after(step)

    def _interrupted(self) -> bool:
        """Tell whether no further call may be begun; the trip then ends here."""
        stopped = self.work.run.stop.is_set()
        if stopped:
            self.end(Outcome.SKIPPED, StepResult.SKIPPED, "the run was interrupted before this")
        return stopped

    def end(self, outcome: Outcome, result: StepResult, error: str = "") -> None:
        """End the trip: the step at hand gets ``result``, those after it were not attempted."""
        self.outcome, self.error, self.ended = outcome, error, True
        if self.rest:
            self.results.append(result)
        self.results += [StepResult.SKIPPED] * len(self.rest)

    def at_worst(self) -> tuple[Outcome, StepResult]:
        """Say what may have become of the step at hand when something went wrong on our side."""
        if self.sending:
            return Outcome.UNKNOWN, StepResult.UNKNOWN
        return Outcome.FAILED, StepResult.SKIPPED

    def report(self) -> ChangeReport:
        """Say what became of the change."""
        report = told(
            self.work.target,
            self.change,
            self.work.run,
            outcome=self.outcome,
            results=tuple(self.results),
            error=self.error,
            notices=(*self.notices, *self.warnings, *self._half_way()),
            bug=self.bug,
        )
        return replace(report, id=self.id)

    def _half_way(self) -> tuple[str, ...]:
        """Warn that a plan left between two of our steps looks as if somebody stopped it."""
        left = [
            step
            for step, result in zip(self.change.steps, self.results, strict=True)
            if result is not StepResult.DONE and step.kind is StepKind.TRANSITION
        ]
        if self.outcome in {Outcome.APPLIED, Outcome.PARKED} or not left or not self._wrote():
            return ()
        message = (
            "the change is half made; should the next run take the plan for stopped,"
            " --allow reopen takes it up again"
        )
        return (message,)

    def _wrote(self) -> bool:
        return StepResult.DONE in self.results

    def _look_before(self) -> None:
        """Look again before the first write: the ground must be what it was when shown."""
        change, work = self.change, self.work
        if change.live is None:
            documents = work.inventory.documents.get(change.plan.display_name, ())
            ids = ", ".join(str(raw.get("id")) for raw in documents)
            error = f"a plan of this name was made meanwhile ({ids}); run diff again"
            if documents:
                self.end(Outcome.STALE, StepResult.SKIPPED, error)
            return
        fresh = work.look(change.live.id, work.circumstances())
        self.version = fresh.live.version if fresh.live else None
        if error := moved(work.target.url, change, fresh):
            self.end(Outcome.STALE, StepResult.SKIPPED, error)
        else:
            self.live = fresh.live

    def _look_after(self, made: Step) -> None:
        """Observe what came of a step, and decide whether the next one still follows."""
        if self.id is None:
            raise LookupError("a step was made of a plan without an id")
        try:
            now = self._look(self.id, self.rest)
        except PlanopsError as error:
            if self.rest:
                raise
            self.notices = (f"the last write was accepted, but could not be looked at: {error}",)
            return
        others = self._others_wrote(made, now)
        wrote = self._is_last_write(made)
        if wrote and self.work.custody is not None and not others:
            now = self._as_kept(now)
        before, self.notices, self.live = self.live, now.notices, now.live
        self._unless_crossed(made, before, now)
        left = self._still_to_do(now)
        if others and made.kind is StepKind.CREATE and self.rest:
            why = f"somebody else wrote into the plan as soon as it was made ({last_seen(now)})"
            self.end(Outcome.STALE, StepResult.SKIPPED, f"{why}; run diff again")
        elif left is not None:
            self.results += [StepResult.SKIPPED] * (len(self.rest) - left)
            self._overwritten(now, others=others)
        elif wrote and not others and _updates(now.steps):
            kept = ", ".join(delta.path for delta in now.deltas)
            why = f"the server took the {made.kind.value} but keeps something else in {kept}"
            hint = "write what it keeps, or list the field under manage.ignore"
            self.end(Outcome.FAILED, StepResult.SKIPPED, f"{why}; {hint}")
        elif made.edge is not None and stands_still(now, made.edge):
            why = (
                f"the server accepted {made.summary!r}, and the plan is still in {made.edge.source}"
            )
            self.end(Outcome.FAILED, StepResult.SKIPPED, f"{why}; look at the server")
        elif now.steps:
            why = f"after {made.summary!r} the plan asks for other steps ({last_seen(now)})"
            self.end(Outcome.STALE, StepResult.SKIPPED, f"{why}; run diff again")
        else:
            stopped = now.route.standing in {Standing.STOPPED, Standing.UNKNOWN, Standing.WAITING}
            self.end(Outcome.PARKED if stopped else Outcome.APPLIED, StepResult.SKIPPED)

    def _is_last_write(self, made: Step) -> bool:
        """Tell whether a step wrote the fields, and no other one will: all of them are in now."""
        follows = any(step.kind is StepKind.UPDATE for step in self.rest)
        return made.kind in {StepKind.CREATE, StepKind.UPDATE} and not follows

    def _as_kept(self, now: Change) -> Change:
        """Take what the server keeps of our update for applied, and say where it is not the same.

        It is recorded, so that it is not written again.
        """
        if now.live is None:
            return now
        left = self.change.left
        shape = self.work.target.backend.rules.shape
        echo = kept_echo(shape, now.live.spec, self.memory.echo, left)
        self.memory = replace(self.memory, spec=self.work.desired.spec, echo=echo)
        kept = [d.path for d in now.deltas if d.cause in WRITABLE and about(d) not in left]
        if kept:
            message = f"the server kept something else in {', '.join(kept)}; that is recorded"
            self.warnings = (*self.warnings, message)
        at = self._at(self.rest)
        return decide(self.work.target.backend.rules, self.work.desired, now.live, at)

    def _still_to_do(self, now: Change) -> int | None:
        """Say how many of our last steps are still asked for; ``None`` where others are."""
        asked, ours = writes(now.steps), writes(self.rest, self.id or NEW_ID)
        if len(asked) <= len(ours) and ours[len(ours) - len(asked) :] == asked:
            return len(asked) if asked or not ours else None
        return None

    def _others_wrote(self, made: Step, now: Change) -> bool:
        """Tell whether another edit fell beside ours."""
        before, self.version = self.version, now.live.version if now.live else None
        return others_wrote(made, before, self.version)

    def _unless_crossed(self, made: Step, before: Live | None, now: Change) -> None:
        """Go no further where our update took back a move of somebody else, which nobody asked."""
        live, self.crossed = now.live, crossed(made, before, now.live)
        if live is not None and self.crossed:
            raise Stale(
                "somebody moved the plan at the same moment, and our update took it back: it is in"
                f" {live.state} now; look at its history, and move it on there"
            )

    def _overwritten(self, now: Change, *, others: bool) -> None:
        """Tell of an edit that fell between our read and our write, which nothing can prevent."""
        if others:
            message = (
                "somebody else wrote at the same moment, and our update may have undone it"
                f" ({last_seen(now)}, version {self.version}); look at the plan's history"
            )
            self.warnings = (*self.warnings, message)

    def _there_already(self, step: Step, error: PlanopsError) -> bool:
        """Tell whether somebody else moved the plan to where the refused step leads."""
        refused = step.kind is StepKind.TRANSITION and isinstance(error, StateConflict)
        return refused and self.id is not None and self._left_over(self.id)

    def _happened_after_all(self, step: Step, error: OutcomeUnknown) -> bool:
        """Look what came of a write whose answer was lost; never make it again."""
        try:
            found = self._found(step)
        except PlanopsError as also:
            why = f"{error} (and looking failed: {also})"
            self.end(Outcome.UNKNOWN, StepResult.UNKNOWN, why)
            return False
        if found is None:
            self.end(Outcome.UNKNOWN, StepResult.UNKNOWN, str(error))
            return False
        self.id = found
        self.work.tell(self.change, "the answer was lost, but the write is there")
        return True

    def _found(self, step: Step) -> str | None:
        """Give the plan's id if the server shows that the step was made, else ``None``."""
        if step.kind is not StepKind.CREATE:
            return self.id if self.id is not None and self._left_over(self.id) else None
        name, before = self.change.plan.display_name, self.work.inventory
        now = self.work.target.backend.observe([name])
        born = sorted(
            stub.id for stub in now.stubs if stub.name == name and stub.ordinal > before.high_water
        )
        ours = [id_ for id_ in born if self._left_over(id_)]
        return ours[0] if len(ours) == 1 else None

    def _left_over(self, id_: str) -> bool:
        """Tell whether of this plan nothing but our next steps is left to do."""
        left = self.rest[1:]
        now = self._look(id_, left)
        if self.rest[0].kind is StepKind.TRANSITION and now.route.standing in _ASIDE:
            return False  # somebody stopped it: that nothing is left to do is not our step's doing
        return writes(now.steps) == writes(left, id_)

    def _look(self, id_: str, left: Sequence[Step]) -> Change:
        """Decide again about a plan that stands where this change put it."""
        return self.work.look(id_, self._at(left))

    def _at(self, left: Sequence[Step]) -> Circumstances:
        making = self.change.live is None or self.work.claim.complete
        return replace(
            self.work.circumstances(),
            memory=self.memory,
            ours=True,
            return_to=self.change.route.return_to,
            left=self.change.left,
            complete=making and any(step.kind is StepKind.UPDATE for step in left),
        )


def moved(url: str, shown_: Change, fresh: Change) -> str:
    """Say that the ground of a change is no longer what was shown; empty where it still is."""
    if fingerprint(url, fresh) == fingerprint(url, shown_):
        return ""
    return f"the plan is no longer what was shown ({last_seen(fresh)}); run diff again"


_ASIDE = frozenset({Standing.STOPPED, Standing.UNKNOWN})


def _updates(steps: Sequence[Step]) -> bool:
    return any(step.kind is StepKind.UPDATE for step in steps)
