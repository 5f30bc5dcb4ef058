"""What is promised about the rest: stale changes, removals, other people's plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from planops.core.changes import fingerprint
from planops.core.model import Live, Plan
from planops.core.report import Outcome
from planops.errors import PlanGone
from planops.run import Target
from planops.testing.acting import (
    applied,
    check_one,
    check_outcome,
    check_settled,
    check_shown,
    check_writes,
    expect,
    look,
    made,
    with_goal,
)
from planops.testing.case import Case, Server


def other_plans_are_untouched(case: Case, server: Server) -> None:
    """Whatever is done to one plan, the others stay as they are in every detail."""
    edit = next(iter(case.edits.values()))
    others = [server.insert("Before"), made(server, case.minimal.plan), server.insert("Middle")]
    kept = {id_: server.document(id_) for id_ in others}
    for wanted in (edit.before, edit.after, with_goal(edit.after, case.goal)):
        applied(server, wanted)
    _same(server, kept)
    id_ = check_one(server, edit.after.display_name)
    server.move(id_, case.removable[-1])
    _remove(server, edit.after, id_)
    _same(server, kept)
    check_settled(server, case.minimal.plan)


def _same(server: Server, kept: Mapping[str, object]) -> None:
    moved = [id_ for id_, document in kept.items() if server.document(id_) != document]
    expect(that=not moved, why=f"the plans {', '.join(moved)} were touched")


def equal_ground_has_one_fingerprint(case: Case, server: Server) -> None:
    """Two looks at the same ground give a change one name, whoever looks."""
    edit = next(iter(case.edits.values()))
    first, second = _print(server, edit.after), _print(server, edit.after)
    expect(that=first == second, why="a creation has two fingerprints")
    made(server, edit.before)
    third, fourth = _print(server, edit.after), _print(server, edit.after)
    expect(that=third == fourth, why="an update has two fingerprints")
    expect(that=first != third, why="a creation and an update have one fingerprint")


def _print(server: Server, plan: Plan) -> str:
    found = look(server, plan)
    return fingerprint(found.target.url, found.change)


Deed = Callable[[Case, Server, str], None]


def _edited(case: Case, server: Server, id_: str) -> None:
    """Somebody changes a field that the file does not declare."""
    server.edit(id_, list(case.edits.values())[1].paths[0])


def _saved(_: Case, server: Server, id_: str) -> None:
    """Somebody saves the plan as it is: what was shown may have been seen by others since."""
    server.touch(id_)


def _moved(case: Case, server: Server, id_: str) -> None:
    """Somebody moves the plan on."""
    server.move(id_, case.ahead)


DEEDS: Final[Mapping[str, Deed]] = {"edited": _edited, "saved": _saved, "moved": _moved}
"""What others may do to a plan between a look and a write."""


def _narrow(case: Case) -> Plan:
    """A file that declares one edit, and nothing that the deeds touch."""
    edit = next(iter(case.edits.values()))
    must = {name: edit.after.spec[name] for name in case.minimal.plan.spec}
    return replace(edit.after, spec=must | edit.changed)


def moved_ground_has_another_fingerprint(case: Case, server: Server, deed: Deed) -> None:
    """A change has another name once its plan was edited, saved or moved by somebody.

    That holds for fields that no file declares, and where every value is what it was.
    """
    wanted = _narrow(case)
    id_ = made(server, next(iter(case.edits.values())).before)
    before = _print(server, wanted)
    deed(case, server, id_)
    expect(that=_print(server, wanted) != before, why="the fingerprint is what it was")


def a_stale_change_is_not_applied(case: Case, server: Server, deed: Deed) -> None:
    """What has moved since it was shown is reported as stale, and left alone."""
    wanted = _narrow(case)
    id_ = made(server, next(iter(case.edits.values())).before)
    found, since = look(server, wanted), len(server.writes())
    deed(case, server, id_)
    kept = server.document(id_)
    check_outcome(found.apply(), Outcome.STALE)
    check_writes(server, since, count=0)
    expect(that=server.document(id_) == kept, why="the plan was touched")


def a_plan_made_meanwhile_is_not_made_again(case: Case, server: Server) -> None:
    """A creation is stale once somebody has made a plan of the name."""
    found = look(server, case.minimal.plan)
    server.insert(case.minimal.plan.display_name)
    check_outcome(found.apply(), Outcome.STALE)
    check_writes(server, 0, count=0)
    check_one(server, case.minimal.plan.display_name)


def an_edit_at_the_same_moment_is_told(case: Case, server: Server) -> None:
    """Where the server counts edits, one that falls between a look and a write is reported."""
    edit = next(iter(case.edits.values()))
    id_ = made(server, edit.before)
    found = look(server, _narrow(case))
    server.meanwhile(lambda: _edited(case, server, id_))
    report = found.apply()
    check_outcome(report, Outcome.APPLIED)
    told = any("somebody else wrote" in notice for notice in report.notices)
    expect(that=told, why=f"the other edit is not told: {report.notices}")


def a_removed_plan_is_gone(case: Case, server: Server, state: str) -> None:
    """``Rules.remove`` gives the writes that remove a plan; after them it is gone, and only it."""
    other = server.insert("Another one")
    id_ = made(server, case.walker)
    server.move(id_, state)
    target = _remove(server, case.walker, id_)
    there = server.ids(case.walker.display_name)
    expect(that=not there, why=f"the server still holds {', '.join(there)}")
    expect(that=_is_gone(target, id_), why="the plan can still be read")
    listed = [stub.id for stub in server.target().backend.observe([]).stubs]
    expect(that=id_ not in listed, why="the plan is still listed")
    expect(that=other in listed, why="another plan is no longer listed")


def _remove(server: Server, plan: Plan, id_: str) -> Target:
    target, since = server.target(), len(server.writes())
    steps = target.backend.rules.remove(_live(target, plan, id_))
    expect(that=bool(steps), why=f"no steps remove a plan in {server.state(id_)}")
    for step in steps:
        target.backend.send(step, id_)
    check_shown(steps, id_, server.writes()[since:])
    return target


def _live(target: Target, plan: Plan, id_: str) -> Live:
    (desired,) = target.backend.prepare([plan])
    return target.backend.rules.view(target.backend.read(id_), desired)


def _is_gone(target: Target, id_: str) -> bool:
    try:
        target.backend.read(id_)
    except PlanGone:
        return True
    return False


def what_cannot_be_removed_has_no_steps(case: Case, server: Server, state: str) -> None:
    """A plan in a state that the server deletes nothing from is not half removed."""
    id_ = made(server, case.walker)
    server.move(id_, state)
    target = server.target()
    steps = target.backend.rules.remove(_live(target, case.walker, id_))
    expect(that=not steps, why=f"steps would remove a plan in {state}")
