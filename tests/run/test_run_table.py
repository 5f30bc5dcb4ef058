"""What planops does is what the table says: in every state, to every goal, edited or not.

The rows of a block are planted side by side and run together: first with nothing allowed, then with
exactly the guards allowed that the table names (with all of them, where it names none), then once
more, when nothing may be left to do. Where several guards refuse, all but one are tried as well.
What was seen is written as the table writes it, so that a difference shows in its words.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest

from planops.core.model import JSON, Plan
from planops.core.report import ChangeReport, Outcome
from planops.manifests.rules_zadig import RULES
from planops.manifests.schemas import states
from planops.run import Run, Target
from planops.sandbox.zadig import Generation
from planops.sandbox.zadig.lifecycle import TRANSITIONS
from run.lifecycle_table import (
    GOALS,
    LEADS,
    NOT_THERE,
    PUT_BACK,
    STANDINGS,
    STATES,
    TABLES,
    UNHEARD,
    Row,
    blocks,
    rows,
)
from run.world import (
    EVERYTHING,
    INTERNAL,
    LATER,
    NOW,
    OPEN,
    SOON,
    UIDS,
    World,
    applied,
    guards,
    held_native,
    held_text,
    jwt,
    plan,
    said,
    text,
    world,
)

CALLS = {
    "planning": "back",
    "finish_planning": "finish",
    "wait_for_approval": "ask",
    "executing": "execute",
    "cancel": "cancel",
}
AHEAD: Mapping[str, Any] = {"start_time": SOON, "end_time": LATER}
OVER: Mapping[str, Any] = {"start_time": NOW - 7_200, "end_time": NOW - 3_600}
ALL = tuple(EVERYTHING)
VERDICTS = {"denied": "reject", "executing": "passed", "success": "passed", "timeout": "passed"}
BLOCKS = [
    pytest.param(block, id=f"{table}: {block[0].standing}")
    for table in TABLES
    for block in blocks(table)
]

Served = Callable[[Generation], World]
Rows = Mapping[str, Row]


@pytest.fixture(scope="module")
def _worlds() -> Iterator[Served]:
    """A sandbox of each generation that is asked for."""
    made: dict[Generation, World] = {}
    with contextlib.ExitStack() as stack:

        def get(generation: Generation) -> World:
            if generation not in made:
                made[generation] = stack.enter_context(world(generation))
            return made[generation]

        yield get


@pytest.fixture
def served(_worlds: Served) -> Iterator[Served]:
    """The same, put back to its fixtures; clients are closed after each test."""
    with contextlib.ExitStack() as stack:

        def get(generation: Generation) -> World:
            found = replace(_worlds(generation), stack=stack)
            found.sandbox.reset()
            return found

        yield get


def owned(zadig: World, account: str) -> Target:
    """A target with a token that says whose it is."""
    return zadig.target(token=zadig.sandbox.issue_token(account, jwt(account)))


# ----------------------------------------------------------------------------------- from a row


def approval(*accounts: str, needed: int = 1, **more: JSON) -> dict[str, JSON]:
    """An enabled approval by ids, which need no right to look up accounts."""
    users: list[JSON] = [{"user_id": UIDS[account]} for account in accounts or ("admin",)]
    native: JSON = {"timeout": 60, "needed_approvers": needed, "approve_users": users}
    return {"enabled": True, "type": "native", "native_approval": native, **more}


def declared(name: str, row: Row, more: Mapping[str, JSON]) -> Plan:
    """The file of a row."""
    spec: dict[str, Any] = dict(OVER if row.table == "window over" else AHEAD)
    spec |= {} if row.table == "no jobs" else {"jobs": [text()]}
    spec |= {} if row.table == "without an approval" else {"approval": approval()}
    spec |= {"description": "new"} if row.edited else {}
    return plan(name, state=None if row.goal == "none" else row.goal, **{**spec, **more})


def plant(zadig: World, name: str, row: Row, more: Mapping[str, Any]) -> None:
    """The plan of a row, if it is there, as the server would hold it."""
    if row.standing == NOT_THERE:
        return
    state = "planning" if row.standing == PUT_BACK else row.standing
    held: dict[str, Any] | None = held_native("admin", status=VERDICTS.get(state, ""))
    if held and row.table == "without an approval":
        held = held | {"enabled": False} if state in {"wait_for_approval", "denied"} else None
    document = {
        "status": state,
        "approval": held,
        "planning_time": 0 if row.standing == "planning" else NOW - 90,
        "jobs": [] if row.table == "no jobs" else [held_text()],
        **(OVER if row.table == "window over" else AHEAD),
    }
    zadig.plant(name, **document | dict(more))


def single(
    standing: str, goal: str, cell: str, *, edited: bool = False, approved: bool = True
) -> Row:
    """A row that no table holds, since more than its place matters."""
    table = "with an approval" if approved else "without an approval"
    return Row(table=table, standing=standing, goal=goal, edited=edited, cell=cell)


# ---------------------------------------------------------------------------------- what is seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one run did about one plan."""

    report: ChangeReport
    calls: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        return self.report.outcome

    @property
    def guards(self) -> str:
        return "+".join(sorted(guards(self.report)))

    @property
    def told(self) -> str:
        """The run in the words of the table."""
        match self.outcome:
            case Outcome.APPLIED if self.calls:
                return " ".join(self.calls)
            case Outcome.UNCHANGED if not self.calls:
                return "-"
            case Outcome.PARKED if not self.calls:
                return "~"
            case Outcome.REFUSED if not self.calls:
                return f"!{self.guards}"
            case _:
                return f"{' '.join(self.calls)} ({self.outcome}: {self.report.error})"


def go(
    zadig: World, target: Target, files: Mapping[str, Plan], allow: Iterable[str] = ()
) -> dict[str, Seen]:
    """Run once; every plan then stands where its last call leads."""
    since, before = len(zadig.sandbox.writes), standings(zadig)
    run = Run(now=NOW, allow=dict.fromkeys(allow, 999))
    reports = applied(target, list(files.values()), run).changes
    made, after = calls(zadig, since), standings(zadig)
    for name in files:
        taken = [call for call in made[name] if call in LEADS]
        assert after.get(name) == (LEADS[taken[-1]] if taken else before.get(name)), (name, taken)
    return {
        one.change.key.name: Seen(report=one, calls=tuple(made[one.change.key.name]))
        for one in reports
    }


def standings(zadig: World) -> dict[str, str]:
    """The state of every plan, by name."""
    return {held["name"]: held["status"] for held in zadig.sandbox.plans()}


def calls(zadig: World, since: int = 0) -> Mapping[str, list[str]]:
    """The calls that were made of each plan, by name, in the table's words."""
    names = {held["id"]: held["name"] for held in zadig.sandbox.plans()}
    made = defaultdict[str, list[str]](list)
    for one in zadig.sandbox.writes[since:]:
        if one.method == "POST" and one.path == OPEN:
            name, call = said(one)["name"], "create"
        elif one.method == "PATCH":
            name, call = names[one.path.removeprefix(f"{OPEN}/")], "write"
        else:
            id_, _, state = one.path.removeprefix(f"{INTERNAL}/").split("/")
            name, call = names[id_], CALLS[state]
        taken = (one.status, one.committed) == (200, True)
        made[name].append(call if taken else f"{call} (not taken: {one.status})")
    return made


def together(block: Rows, by: Callable[[Row], tuple[str, ...]]) -> dict[tuple[str, ...], list[str]]:
    """The names of rows, those with the same guards together."""
    found = defaultdict[tuple[str, ...], list[str]](list)
    for name, row in block.items():
        found[by(row)].append(name)
    return found


def some(files: Mapping[str, Plan], names: Iterable[str]) -> dict[str, Plan]:
    return {name: files[name] for name in names}


def watched(
    zadig: World,
    target: Target,
    block: Sequence[Row],
    *,
    spec: Mapping[str, JSON] | None = None,
    held: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """What planops does about each row, in the table's words, by its place."""
    named = {f"row-{number}": row for number, row in enumerate(block)}
    files = {name: declared(name, row, spec or {}) for name, row in named.items()}
    for name, row in named.items():
        plant(zadig, name, row, held or {})
    first = go(zadig, target, files)
    told = {name: seen.told for name, seen in first.items()}
    held_back = {name: row for name, row in named.items() if not first[name].calls}
    thorough = zadig.sandbox.generation == "5.0"  # what a guard lifts is the same everywhere
    if thorough:
        told |= half_allowed(zadig, target, held_back, files)
    done = [name for name in named if name not in held_back]
    for allow, names in together(held_back, lambda row: row.guards or ALL).items():
        if allow != ALL or thorough:
            for name, then in go(zadig, target, some(files, names), allow).items():
                told[name] = in_two(told[name], named[name], then)
                done += [name] if then.calls else []
    for name, then in go(zadig, target, some(files, done)).items():
        if then.told not in settled(named[name]):
            told[name] += f", and then {then.told}"
    return {row.place: told[name] for name, row in named.items()}


def cells(block: Sequence[Row]) -> dict[str, str]:
    """What the table says about each row."""
    return {row.place: row.cell for row in block}


def half_allowed(
    zadig: World, target: Target, held_back: Rows, files: Mapping[str, Plan]
) -> dict[str, str]:
    """Where several guards refuse, all but one are not enough; what goes wrong, in words."""
    wrong = {}
    several = {name: row for name, row in held_back.items() if row.calls and len(row.guards) > 1}
    for guard in sorted({guard for row in several.values() for guard in row.guards}):
        trip = {name: row for name, row in several.items() if guard in row.guards}
        for allow, names in together(trip, lambda row: row.guards).items():
            rest = [one for one in allow if one != guard]
            for name, then in go(zadig, target, some(files, names), rest).items():
                parked = trip[name].cell.startswith("~") and guard == "reopen"
                if then.told != ("~" if parked else f"!{guard}"):
                    wrong[name] = f"with {rest}: {then.told}"
    return wrong


def in_two(first: str, row: Row, then: Seen) -> str:
    """What was told of two runs, of which the second had guards lifted."""
    if row.guards:
        head = f"~{'+'.join(row.guards)}" if first == "~" else first.removeprefix("!")
        return f"{head}: {then.told}"
    if then.told.startswith("!") and first.startswith("!"):
        return first
    return first if then.told == first else f"{first}, with everything {then.told}"


def settled(row: Row) -> tuple[str, ...]:
    """What a run says that finds its work done; a cancelled plan never takes its edit."""
    return ("!finished",) if row.edited and row.goal == "cancel" else ("-", "~")


# --------------------------------------------------------------------------------------- the table


def test_the_table_is_complete() -> None:
    assert (len(STATES), tuple(GOALS[1:])) == (14, states("ZadigReleasePlan"))
    assert set(STATES) == {*TRANSITIONS, "success", "cancel"}
    for table in TABLES:
        goals = [one for one in GOALS if (table, one) != ("without an approval", GOALS[3])]
        wanted = [
            (standing, goal, edited)
            for standing, goal, edited in product(STANDINGS, goals, (False, True))
            if (standing, edited) != (NOT_THERE, True)
            and (table != "no jobs" or standing in {NOT_THERE, PUT_BACK, "planning"})
        ]
        found = [(row.standing, row.goal, row.edited) for row in rows(table)]
        assert sorted(found) == sorted(wanted), table


def test_only_one_goal_is_wrong_without_an_approval() -> None:
    wrong = {
        goal
        for goal in GOALS
        for rule in RULES
        for _ in rule({"spec": {"jobs": [text()]}, "state": goal})
    }
    assert wrong == {"wait_for_approval"}


GENERATIONS = pytest.mark.parametrize(
    ("generation", "account"), [("5.0", "admin"), ("4.1", "patrick")], ids=["5.0", "4.1"]
)


@pytest.mark.parametrize("block", BLOCKS)
@GENERATIONS
def test_planops_does_what_the_table_says(
    served: Served, generation: Generation, account: str, block: Sequence[Row]
) -> None:
    """For an administrator, and for the manager of the plans alike."""
    zadig = served(generation)
    assert watched(zadig, owned(zadig, account), block) == cells(block)


def test_a_parked_plan_offers_reopen_exactly_where_it_helps(served: Served) -> None:
    zadig = served("5.0")
    parked = [row for row in rows("with an approval") if row.cell.startswith("~")]
    named = {f"row-{number}": row for number, row in enumerate(parked)}
    for name, row in named.items():
        plant(zadig, name, row, {})
    files = {name: declared(name, row, {}) for name, row in named.items()}
    offers = {}
    for name, seen in go(zadig, zadig.target(), files).items():
        assert seen.report.change.notices, name
        offers[named[name].place] = "--allow reopen" in " ".join(seen.report.change.notices)
    assert offers == {row.place: "reopen" in row.guards for row in parked}


# ------------------------------------------------------------------------------------ who may not


def barred(row: Row) -> Row:
    """The row for somebody who may write but not move the plan (docs/servers/zadig.md §7.3)."""
    if row.cell.startswith("~"):
        return replace(row, cell=f"~{'+'.join(row.guards)}: !identity")
    if not row.guards:
        return replace(row, cell="!identity")
    return replace(row, cell=f"{'+'.join(sorted({*row.guards, 'identity'}))}: !identity")


MOVED = [
    pytest.param(block, id=block[0].standing)
    for block in blocks("with an approval")
    if block[0].standing not in {NOT_THERE, "success", "cancel", UNHEARD}
]


@pytest.mark.parametrize("block", MOVED)
def test_who_is_neither_manager_nor_administrator_moves_nothing(
    served: Served, block: Sequence[Row]
) -> None:
    zadig = served("5.0")
    strangers = [barred(row) for row in block if set(row.calls) - {"write"}]
    assert watched(zadig, owned(zadig, "alice"), strangers) == cells(strangers)


def test_a_manager_who_hands_a_plan_over_cannot_move_it_on_afterwards(served: Served) -> None:
    """The update makes somebody else the manager, and the server refuses what would follow."""
    zadig = served("5.0")
    block = [
        single("planning", "none", "write", edited=True),
        single("planning", "finish_planning", "!identity", edited=True),
        single("finish_planning", "none", "!identity", edited=True),
        single("wait_for_approval", "none", "reopen: back write", edited=True),
        single("denied", "wait_for_approval", "identity+reopen: !identity", edited=True),
    ]
    seen = watched(zadig, owned(zadig, "patrick"), block, spec={"manager": "alice"})
    assert seen == cells(block)


# -------------------------------------------------------------------------------------- which edit

WORKFLOW: JSON = {
    "name": "Deploy",
    "type": "workflow",
    "spec": {"workflow_key": "deploy", "project_key": "shop", "inputs": []},
}
EDITS: Mapping[str, Mapping[str, JSON]] = {
    "another manager": {"manager": "alice"},
    "another window": {"end_time": LATER + 600},
    "a schedule": {"schedule_execute_time": SOON + 600},
    "another text of a job": {"jobs": [text(content="Bye")]},
    "another remark of a job": {"jobs": [text(remark="please")]},
    "one job more": {"jobs": [text(), text("Second")]},
    "a workflow more": {"jobs": [text(), WORKFLOW]},
    "another job": {"jobs": [text("Second")]},
    "more to read for approvers": {"approval": approval(description="look twice")},
}
WEAKER: Mapping[str, JSON] = {
    "other approvers": approval("admin", "alice"),
    "no approval": {"enabled": False},
    "the approval taken away": None,
}


def every_edit(*more: str) -> list[Row]:
    """The rows of an edit in every state, without a goal; where it is made, with more guards."""
    found = [row for row in rows("with an approval") if row.edited and row.goal == "none"]
    return [also(row, more) if row.calls and more else row for row in found]


def also(row: Row, more: Sequence[str]) -> Row:
    trip = "+".join(sorted({*row.guards, *more}))
    return replace(row, cell=f"{trip}: {' '.join(row.calls)}")


@pytest.mark.parametrize("edit", EDITS)
def test_every_edit_goes_the_same_way(served: Served, edit: str) -> None:
    zadig, block = served("5.0"), every_edit()
    assert watched(zadig, zadig.target(), block, spec=EDITS[edit]) == cells(block)


@pytest.mark.parametrize("edit", WEAKER)
def test_a_weaker_approval_has_a_guard_of_its_own(served: Served, edit: str) -> None:
    zadig, block = served("5.0"), every_edit("weaken")
    spec = {"approval": WEAKER[edit]}
    assert watched(zadig, zadig.target(), block, spec=spec) == cells(block)


def test_a_planned_plan_does_not_lose_its_last_job(served: Served) -> None:
    """It could not be led back to where it was."""
    zadig = served("5.0")
    block = [
        single("finish_planning", goal, "!lifecycle", edited=True) for goal in ("none", "planning")
    ]
    assert watched(zadig, zadig.target(), block, spec={"jobs": []}) == cells(block)


@pytest.mark.parametrize("done", ["done", "skipped"])
@GENERATIONS
def test_what_was_done_is_not_done_again_unsaid(
    served: Served, generation: Generation, account: str, done: str
) -> None:
    """An update forgets what was done (docs/servers/zadig.md §4.5)."""
    zadig, block = served(generation), every_edit("interrupt")
    jobs = [held_text(status=done)]
    assert watched(zadig, owned(zadig, account), block, held={"jobs": jobs}) == cells(block)


# -------------------------------------------------------------------------------------- the window

ON_THE_WAY = ("planning", PUT_BACK, "finish_planning", "wait_for_approval", "executing", "timeout")


def test_a_window_that_moves_ahead_opens_the_way(served: Served) -> None:
    """Not where it ended on the server counts, but where it will end."""
    zadig = served("5.0")
    block = [row for row in rows("with an approval") if row.edited and row.standing in ON_THE_WAY]
    assert watched(zadig, zadig.target(), block, held=OVER) == cells(block)


def test_a_window_that_moves_into_the_past_closes_it(served: Served) -> None:
    zadig = served("5.0")
    block = [row for row in rows("window over") if row.edited and row.standing in ON_THE_WAY]
    assert watched(zadig, zadig.target(), block, held=AHEAD) == cells(block)


# ------------------------------------------------------------------------------------- the schedule


def scheduled(zadig: World, goal: str, *, at: int, allow: Iterable[str] = ()) -> str:
    row = single("planning", goal, "", approved=False)
    file = declared("train", row, {"schedule_execute_time": at})
    return go(zadig, zadig.target(), {"train": file}, allow)["train"].told


def timers(zadig: World) -> list[tuple[int, bool]]:
    return [(timer["at"], timer["armed"]) for timer in zadig.sandbox.timers()]


@pytest.mark.parametrize("generation", ["5.0", "4.1"])
def test_a_schedule_is_armed_moved_and_dropped(served: Served, generation: Generation) -> None:
    """A timer lives while the plan executes (docs/servers/zadig.md §7.8)."""
    zadig = served(generation)
    first, second = SOON + 60, SOON + 120
    assert scheduled(zadig, "finish_planning", at=first) == "create write finish"
    assert timers(zadig) == []
    assert scheduled(zadig, "executing", at=first) == "execute"
    assert timers(zadig) == [(first, True)]
    assert scheduled(zadig, "executing", at=second) == "!interrupt"
    assert timers(zadig) == [(first, True)]
    again = scheduled(zadig, "executing", at=second, allow=["interrupt"])
    assert (again, timers(zadig)) == ("back write finish execute", [(second, True)])
    ended = scheduled(zadig, "cancel", at=second, allow=["interrupt", "regress"])
    assert (ended, timers(zadig)) == ("cancel", [])


def test_the_schedule_waits_for_the_approval(served: Served) -> None:
    zadig = served("5.0")
    block = [row for row in rows("with an approval") if row.goal == "executing" and row.edited]
    spec = {"schedule_execute_time": SOON + 60}
    assert watched(zadig, zadig.target(), block, spec=spec) == cells(block)
    assert timers(zadig) == []


# ---------------------------------------------------------------------------------- external checks


PLANNED = ("finish_planning", "wait_for_finish_planning_external_check")
STARTED = ("start_execute", "wait_for_execute_external_check")


@pytest.mark.parametrize(
    ("event", "row", "outcome"),
    [
        (PLANNED, single("planning", "finish_planning", "finish"), "applied"),
        (PLANNED, single("planning", "wait_for_approval", "finish"), "parked"),
        (PLANNED, single("planning", "success", "write finish", edited=True), "parked"),
        (PLANNED, single("finish_planning", "none", "write finish", edited=True), "applied"),
        (STARTED, single("finish_planning", "executing", "execute", approved=False), "applied"),
        (STARTED, single("planning", "success", "finish execute", approved=False), "applied"),
    ],
)
@pytest.mark.parametrize("generation", ["5.0", "4.1"])
def test_a_check_that_comes_in_between_is_waited_for(
    served: Served, generation: Generation, event: tuple[str, str], row: Row, outcome: str
) -> None:
    """Where a plan has hooks, a status call may lead into a check (docs/servers/zadig.md §7.9)."""
    zadig = served(generation)
    hook, check = event
    hooks = {"enable": True, "enable_call_back": True, "hook_events": [hook]}
    plant(zadig, "train", row, {"hook_settings": hooks})
    file = declared("train", row, {})
    report = applied(zadig.target(), [file]).changes[0]
    assert (calls(zadig)["train"], report.outcome) == (list(row.calls), outcome)
    assert (standings(zadig), report.error) == ({"train": check}, "")
    assert go(zadig, zadig.target(), {"train": file})["train"].told in {"-", "~"}


# ------------------------------------------------------------------------------------- failed jobs


@pytest.mark.parametrize("goal", ["executing", "success"])
def test_a_success_with_failed_jobs_is_a_warning(served: Served, goal: str) -> None:
    """A plan whose jobs failed ends in success all the same (docs/servers/zadig.md §7.7)."""
    zadig = served("5.0")
    row = single("success", goal, "-")
    plant(zadig, "train", row, {"jobs": [held_text(status="failed")]})
    seen = go(zadig, zadig.target(), {"train": declared("train", row, {})})["train"]
    assert (seen.told, seen.calls) == ("-", ())
    notices = [*seen.report.notices, *seen.report.change.notices]
    assert any("Announce" in notice and "failed" in notice for notice in notices), notices
