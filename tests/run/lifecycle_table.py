"""What planops does about a plan, written out: every state, every goal, edited or not.

Written by hand from docs/servers/zadig.md §4.2, §4.4 and §7 and from docs/guards.md, never from the
code; where the two disagree, one of them is wrong. Each block names states, then one line a goal
(several where they do not differ; ``none`` is a file without ``state``): what is done about a plan
whose file agrees with the server, and what about one whose file has another text.

In a cell stand the calls, in order::

    create   make the plan            back     to planning        ask      to wait_for_approval
    write    write every field        finish   to finish_planning execute  to executing
                                                                  cancel   to cancel

    -                    nothing to do: unchanged
    ~                    nothing for planops to do: parked, whatever is allowed
    finish ask           these calls, and applied
    reopen: back write   refused by this guard; these calls where it is allowed
    a+b: back write      refused by both; these calls where both are allowed, none without one
    ~reopen: back        parked; these calls where reopen is allowed
    ~reopen: !lifecycle  parked; where reopen is allowed, refused by this
    !finished            refused by this, whatever is allowed
    .                    there is no such thing
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

STATES = (
    "planning",
    "finish_planning",
    "wait_for_approval",
    "executing",
    "success",
    "denied",
    "timeout",
    "cancel",
    "wait_for_finish_planning_external_check",
    "wait_for_execute_external_check",
    "wait_for_all_done_external_check",
    "wait_for_finish_planning_external_check_failed",
    "wait_for_execute_external_check_failed",
    "wait_for_all_done_external_check_failed",
)
PUT_BACK = "planning, put back"  # it had left planning, and somebody returned it
NOT_THERE = "not there"  # no plan of that name on the server
UNHEARD = "wait_for_godot"  # a state that Zadig does not have, or not yet
STANDINGS = (*STATES, PUT_BACK, NOT_THERE, UNHEARD)
GOALS = (
    "none",
    "planning",
    "finish_planning",
    "wait_for_approval",
    "executing",
    "success",
    "cancel",
)

# Where each call leads, and where a PATCH and a POST leave the plan (§3, §4.2, §7.2).
LEADS: Mapping[str, str] = {
    "create": "planning",
    "write": "planning",
    "back": "planning",
    "finish": "finish_planning",
    "ask": "wait_for_approval",
    "execute": "executing",
    "cancel": "cancel",
}

WITH_AN_APPROVAL = """
not there
  none planning     | create write                | .
  finish_planning   | create write finish         | .
  wait_for_approval | create write finish ask     | .
  executing success | create write finish ask     | .
  cancel            | !lifecycle                  | .

planning
  none planning     | -                           | write
  finish_planning   | finish                      | write finish
  wait_for_approval | finish ask                  | write finish ask
  executing success | finish ask                  | write finish ask
  cancel            | !lifecycle                  | !lifecycle

planning, put back
  none planning     | -                           | write
  finish_planning   | ~reopen: finish             | reopen: write finish
  wait_for_approval | ~reopen: finish ask         | reopen: write finish ask
  executing success | ~reopen: finish ask         | reopen: write finish ask
  cancel            | !lifecycle                  | !lifecycle

finish_planning
  none planning     | -                           | write finish
  finish_planning   | -                           | write finish
  wait_for_approval | ask                         | write finish ask
  executing success | ask                         | write finish ask
  cancel            | !lifecycle                  | !lifecycle

wait_for_approval
  none              | -                           | reopen: back write
  planning          | -                           | regress+reopen: back write
  finish_planning   | -                           | regress+reopen: back write finish
  wait_for_approval | ~                           | reopen: back write finish ask
  executing success | ~                           | reopen: back write finish ask
  cancel            | regress: cancel             | regress: cancel

executing
  none              | -                           | interrupt: back write
  planning          | -                           | interrupt+regress: back write
  finish_planning   | -                           | interrupt+regress: back write finish
  wait_for_approval | -                           | interrupt+regress: back write finish ask
  executing success | ~                           | interrupt: back write finish ask
  cancel            | interrupt+regress: cancel   | interrupt+regress: cancel

success
  none planning     | -                           | !finished
  finish_planning   | -                           | !finished
  wait_for_approval | -                           | !finished
  executing success | -                           | !finished
  cancel            | !lifecycle                  | !lifecycle

denied
timeout
wait_for_finish_planning_external_check_failed
wait_for_execute_external_check_failed
wait_for_all_done_external_check_failed
  none              | -                           | reopen: back write
  planning          | ~reopen: back               | reopen: back write
  finish_planning   | ~reopen: back finish        | reopen: back write finish
  wait_for_approval | ~reopen: back finish ask    | reopen: back write finish ask
  executing success | ~reopen: back finish ask    | reopen: back write finish ask
  cancel            | regress: cancel             | regress: cancel

wait_for_finish_planning_external_check
wait_for_execute_external_check
wait_for_all_done_external_check
  none              | -                           | reopen: back write
  planning          | ~                           | reopen: back write
  finish_planning   | ~                           | reopen: back write finish
  wait_for_approval | ~                           | reopen: back write finish ask
  executing success | ~                           | reopen: back write finish ask
  cancel            | regress: cancel             | regress: cancel

cancel
  none              | -                           | !finished
  planning          | ~                           | !finished
  finish_planning   | ~                           | !finished
  wait_for_approval | ~                           | !finished
  executing success | ~                           | !finished
  cancel            | -                           | !finished

wait_for_godot
  none planning     | ~                           | !state
  finish_planning   | ~                           | !state
  wait_for_approval | ~                           | !state
  executing success | ~                           | !state
  cancel            | ~                           | !state
"""

# A file whose goal is wait_for_approval enables an approval, or it is not valid.
WITHOUT_AN_APPROVAL = """
not there
  none planning     | create write                | .
  finish_planning   | create write finish         | .
  executing success | create write finish execute | .
  cancel            | !lifecycle                  | .

planning
  none planning     | -                           | write
  finish_planning   | finish                      | write finish
  executing success | finish execute              | write finish execute
  cancel            | !lifecycle                  | !lifecycle

planning, put back
  none planning     | -                           | write
  finish_planning   | ~reopen: finish             | reopen: write finish
  executing success | ~reopen: finish execute     | reopen: write finish execute
  cancel            | !lifecycle                  | !lifecycle

finish_planning
  none planning     | -                           | write finish
  finish_planning   | -                           | write finish
  executing success | execute                     | write finish execute
  cancel            | !lifecycle                  | !lifecycle

wait_for_approval
  none              | -                           | reopen: back write
  planning          | -                           | regress+reopen: back write
  finish_planning   | -                           | regress+reopen: back write finish
  executing success | ~                           | reopen: back write finish execute
  cancel            | regress: cancel             | regress: cancel

executing
  none              | -                           | interrupt: back write
  planning          | -                           | interrupt+regress: back write
  finish_planning   | -                           | interrupt+regress: back write finish
  executing success | ~                           | interrupt: back write finish execute
  cancel            | interrupt+regress: cancel   | interrupt+regress: cancel

success
  none planning     | -                           | !finished
  finish_planning   | -                           | !finished
  executing success | -                           | !finished
  cancel            | !lifecycle                  | !lifecycle

denied
timeout
wait_for_finish_planning_external_check_failed
wait_for_execute_external_check_failed
wait_for_all_done_external_check_failed
  none              | -                            | reopen: back write
  planning          | ~reopen: back                | reopen: back write
  finish_planning   | ~reopen: back finish         | reopen: back write finish
  executing success | ~reopen: back finish execute | reopen: back write finish execute
  cancel            | regress: cancel              | regress: cancel

wait_for_finish_planning_external_check
wait_for_execute_external_check
wait_for_all_done_external_check
  none              | -                           | reopen: back write
  planning          | ~                           | reopen: back write
  finish_planning   | ~                           | reopen: back write finish
  executing success | ~                           | reopen: back write finish execute
  cancel            | regress: cancel             | regress: cancel

cancel
  none              | -                           | !finished
  planning          | ~                           | !finished
  finish_planning   | ~                           | !finished
  executing success | ~                           | !finished
  cancel            | -                           | !finished

wait_for_godot
  none planning     | ~                           | !state
  finish_planning   | ~                           | !state
  executing success | ~                           | !state
  cancel            | ~                           | !state
"""

# With an approval, and the release window has ended: nothing goes forward.
WINDOW_OVER = """
not there
  none planning     | past: create write            | .
  finish_planning   | past: create write finish     | .
  wait_for_approval | past: create write finish ask | .
  executing success | past: create write finish ask | .
  cancel            | !lifecycle+past               | .

planning
  none planning     | -                           | write
  finish_planning   | past: finish                | past: write finish
  wait_for_approval | past: finish ask            | past: write finish ask
  executing success | past: finish ask            | past: write finish ask
  cancel            | !lifecycle                  | !lifecycle

planning, put back
  none planning     | -                           | write
  finish_planning   | ~past+reopen: finish        | past+reopen: write finish
  wait_for_approval | ~past+reopen: finish ask    | past+reopen: write finish ask
  executing success | ~past+reopen: finish ask    | past+reopen: write finish ask
  cancel            | !lifecycle                  | !lifecycle

finish_planning
  none planning     | -                           | past: write finish
  finish_planning   | -                           | past: write finish
  wait_for_approval | past: ask                   | past: write finish ask
  executing success | past: ask                   | past: write finish ask
  cancel            | !lifecycle                  | !lifecycle

wait_for_approval
  none              | -                           | reopen: back write
  planning          | -                           | regress+reopen: back write
  finish_planning   | -                           | past+regress+reopen: back write finish
  wait_for_approval | ~                           | past+reopen: back write finish ask
  executing success | ~                           | past+reopen: back write finish ask
  cancel            | regress: cancel             | regress: cancel

executing
  none              | -                           | interrupt: back write
  planning          | -                           | interrupt+regress: back write
  finish_planning   | -                           | interrupt+past+regress: back write finish
  wait_for_approval | -                           | interrupt+past+regress: back write finish ask
  executing success | ~                           | interrupt+past: back write finish ask
  cancel            | interrupt+regress: cancel   | interrupt+regress: cancel

success
  none planning     | -                           | !finished
  finish_planning   | -                           | !finished
  wait_for_approval | -                           | !finished
  executing success | -                           | !finished
  cancel            | !lifecycle                  | !lifecycle

denied
timeout
wait_for_finish_planning_external_check_failed
wait_for_execute_external_check_failed
wait_for_all_done_external_check_failed
  none              | -                             | reopen: back write
  planning          | ~reopen: back                 | reopen: back write
  finish_planning   | ~past+reopen: back finish     | past+reopen: back write finish
  wait_for_approval | ~past+reopen: back finish ask | past+reopen: back write finish ask
  executing success | ~past+reopen: back finish ask | past+reopen: back write finish ask
  cancel            | regress: cancel               | regress: cancel

wait_for_finish_planning_external_check
wait_for_execute_external_check
wait_for_all_done_external_check
  none              | -                           | reopen: back write
  planning          | ~                           | reopen: back write
  finish_planning   | ~                           | past+reopen: back write finish
  wait_for_approval | ~                           | past+reopen: back write finish ask
  executing success | ~                           | past+reopen: back write finish ask
  cancel            | regress: cancel             | regress: cancel

cancel
  none              | -                           | !finished
  planning          | ~                           | !finished
  finish_planning   | ~                           | !finished
  wait_for_approval | ~                           | !finished
  executing success | ~                           | !finished
  cancel            | -                           | !finished

wait_for_godot
  none planning     | ~                           | !state
  finish_planning   | ~                           | !state
  wait_for_approval | ~                           | !state
  executing success | ~                           | !state
  cancel            | ~                           | !state
"""

# With an approval, and there are no jobs, without which a plan never leaves planning.
NO_JOBS = """
not there
  none planning     | create                      | .
  finish_planning   | !lifecycle                  | .
  wait_for_approval | !lifecycle                  | .
  executing success | !lifecycle                  | .
  cancel            | !lifecycle                  | .

planning
  none planning     | -                           | write
  finish_planning   | !lifecycle                  | !lifecycle
  wait_for_approval | !lifecycle                  | !lifecycle
  executing success | !lifecycle                  | !lifecycle
  cancel            | !lifecycle                  | !lifecycle

planning, put back
  none planning     | -                           | write
  finish_planning   | ~reopen: !lifecycle         | !lifecycle+reopen
  wait_for_approval | ~reopen: !lifecycle         | !lifecycle+reopen
  executing success | ~reopen: !lifecycle         | !lifecycle+reopen
  cancel            | !lifecycle                  | !lifecycle
"""

TABLES: Mapping[str, str] = {
    "with an approval": WITH_AN_APPROVAL,
    "without an approval": WITHOUT_AN_APPROVAL,
    "window over": WINDOW_OVER,
    "no jobs": NO_JOBS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One cell with its place: ``guards`` have to be allowed, and then ``calls`` are made."""

    table: str
    standing: str
    goal: str
    edited: bool
    cell: str

    @property
    def place(self) -> str:
        """The line and the column, in words."""
        return f"{self.standing} | {self.goal} | {'edited' if self.edited else 'as it is'}"

    @property
    def guards(self) -> tuple[str, ...]:
        """The guards that can be lifted, and have to be."""
        head, colon, _ = self.cell.partition(": ")
        return tuple(head.strip("~").split("+")) if colon else ()

    @property
    def calls(self) -> tuple[str, ...]:
        """What is done in the end."""
        return tuple(word for word in self.cell.split() if word in LEADS)


def blocks(table: str) -> tuple[tuple[Row, ...], ...]:
    """Every block of one table: a row for each of its states, goals and columns."""
    return tuple(tuple(_block(table, block)) for block in TABLES[table].strip().split("\n\n"))


def rows(table: str) -> tuple[Row, ...]:
    """Every row of one table."""
    return tuple(row for block in blocks(table) for row in block)


def _block(table: str, block: str) -> Iterator[Row]:
    lines = block.splitlines()
    standings = [line for line in lines if not line.startswith(" ")]
    for line in lines[len(standings) :]:
        goals, *cells = (part.strip() for part in line.split("|"))
        for standing, goal in product(standings, goals.split()):
            for edited, cell in zip((False, True), cells, strict=True):
                if cell != ".":
                    yield Row(table=table, standing=standing, goal=goal, edited=edited, cell=cell)
