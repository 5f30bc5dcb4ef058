"""What is promised about fields: all that a file declares is written, nothing else is changed."""

from __future__ import annotations

import copy
from dataclasses import replace

from planops.core.model import ABSENT, Manage, Plan
from planops.core.report import Outcome
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
    told,
    with_goal,
)
from planops.testing.case import Case, Edit, Held, Sample, Server, below


def a_created_plan_compares_empty(_: Case, server: Server, sample: Sample) -> None:
    """A plan that was created holds all that its file declares, and then nothing is left to do."""
    id_ = made(server, sample.plan)
    check_holds(server.held(id_), sample.holds)
    check_settled(server, sample.plan)


def check_holds(held: Held, wanted: Held) -> None:
    """Break the promise unless the server holds these values."""
    wrong = [
        f"{path} is {held.get(path, ABSENT)!r} and not {value!r}"
        for path, value in wanted.items()
        if held.get(path, ABSENT) != value
    ]
    expect(that=not wrong, why=f"the server holds something else: {'; '.join(wrong)}")


def a_creation_is_what_was_shown(case: Case, server: Server) -> None:
    """The writes of a creation that are received are those that were shown, in their order."""
    for sample in (case.minimal, case.full):
        check_run(server, sample.plan)


def check_run(server: Server, plan: Plan) -> str:
    """Apply a plan and break the promise unless exactly what was shown was written."""
    found, since = look(server, plan), len(server.writes())
    report = found.apply()
    fine = report.outcome in {Outcome.APPLIED, Outcome.PARKED}
    expect(that=fine, why=f"the run came to {told(report)}")
    id_ = check_one(server, plan.display_name)
    check_shown(found.change.steps, id_, server.writes()[since:])
    return id_


def a_walk_is_what_was_shown(case: Case, server: Server) -> None:
    """An update and the transitions after it are the writes that were shown, in their order."""
    edit = next(iter(case.edits.values()))
    made(server, edit.before)
    check_run(server, edit.after)
    made(server, case.walker)
    check_run(server, with_goal(case.walker, case.goal))


def looking_writes_nothing(case: Case, server: Server) -> None:
    """Observing and diffing make no write, whatever there is to do."""
    edit = next(iter(case.edits.values()))
    look(server, case.minimal.plan)
    check_writes(server, 0, count=0)
    made(server, edit.before)
    since = len(server.writes())
    look(server, edit.after)
    check_writes(server, since, count=0)


def what_is_equal_is_not_written(case: Case, server: Server) -> None:
    """Nothing is written where nothing differs, by the same run's backend or by another one."""
    made(server, case.full.plan)
    since, target = len(server.writes()), server.target()
    for _ in range(2):
        report = look(server, case.full.plan, target).apply()
        check_outcome(report, Outcome.UNCHANGED)
    check_writes(server, since, count=0)


def an_edit_converges(_: Case, server: Server, edit: Edit) -> None:
    """A declared field that changes alone is one difference, is written, and then is equal.

    So is a field that is cleared or emptied. Nothing else changes on the server.
    """
    id_ = made(server, edit.before)
    before = server.held(id_)
    found = look(server, edit.after)
    seen = sorted(delta.path for delta in found.change.deltas)
    expect(that=seen == sorted(edit.paths), why=f"the differences are {seen}, not {edit.paths}")
    check_run(server, edit.after)
    check_frame(edit, before, server.held(id_))
    check_settled(server, edit.after)


def check_frame(edit: Edit, before: Held, after: Held) -> None:
    """Break the promise unless the edit, and nothing but the edit, came to the server."""
    check_holds(after, edit.holds)
    inside = {path for path in (*before, *after) if any(below(path, one) for one in edit.paths)}
    stray = sorted(path for path in inside if path in after and path not in edit.holds)
    expect(that=not stray, why=f"the server still holds {', '.join(stray)}")
    moved = [
        f"{path} went from {before.get(path, ABSENT)!r} to {after.get(path, ABSENT)!r}"
        for path in sorted({*before, *after})
        if path not in inside
        and path not in edit.holds
        and before.get(path, ABSENT) != after.get(path, ABSENT)
    ]
    expect(that=not moved, why=f"what no file changed has changed: {'; '.join(moved)}")


def an_edit_leaves_the_rest_alone(case: Case, server: Server, edit: Edit) -> None:
    """The frame rule: an update changes nothing but what the file names.

    The file declares as little as it can beside the edit, and the plan has every field set.
    """
    id_ = made(server, edit.before)
    before, alone = server.held(id_), _alone(case, edit)
    check_run(server, alone)
    check_frame(edit, before, server.held(id_))
    check_settled(server, alone)


def _alone(case: Case, edit: Edit) -> Plan:
    """The file that declares what every file must, and the top-level fields that changed."""
    if edit.alone is not None:
        return edit.alone
    must = {name: edit.after.spec[name] for name in case.minimal.plan.spec}
    return replace(edit.after, spec=must | edit.changed)


def two_spellings_are_one_wish(_: Case, server: Server, spellings: tuple[Plan, Plan]) -> None:
    """Files that mean the same are equal to the same plan, whichever of them made it."""
    first, second = spellings
    made(server, first)
    check_settled(server, second)


def an_ignored_field_is_sent_once(case: Case, server: Server) -> None:
    """A field under ``manage.ignore`` goes along with a creation, and is left alone after that."""
    first, second = list(case.edits.values())[:2]
    (path,) = first.paths
    manage = Manage(ignore=first.paths)
    id_ = made(server, replace(first.after, manage=manage))
    check_holds(server.held(id_), first.holds)
    server.edit(id_, path)
    theirs = server.held(id_)
    check_settled(server, replace(first.after, manage=manage))
    check_run(server, replace(second.after, manage=manage))
    check_frame(second, theirs, server.held(id_))


def what_others_change_is_seen(case: Case, server: Server) -> None:
    """Another person's edit of a declared field is one difference, and is written back."""
    edit = next(iter(case.edits.values()))
    id_ = made(server, edit.before)
    mine = server.held(id_)
    server.edit(id_, edit.paths[0])
    expect(that=server.held(id_) != mine, why="Server.edit changed nothing")
    seen = tuple(delta.path for delta in look(server, edit.before).change.deltas)
    expect(that=seen == edit.paths, why=f"the differences are {seen}, not {edit.paths}")
    check_run(server, edit.before)
    check_holds(server.held(id_), mine)


def what_cannot_be_changed_is_refused(_: Case, server: Server, edit: Edit) -> None:
    """What the server never changes, or an update would lose, is refused before any write."""
    made(server, edit.before)
    since = len(server.writes())
    check_outcome(applied(server, edit.after), Outcome.REFUSED)
    check_writes(server, since, count=0)


def plans_are_prepared_in_order(case: Case, server: Server) -> None:
    """``prepare`` keeps the order of the plans, and makes up no field that a file leaves out."""
    plans = [case.full.plan, case.minimal.plan, case.walker, case.full.plan]
    found = server.target().backend.prepare(plans)
    kept = [one.plan for one in found] == plans
    expect(that=kept, why="the plans come back in another order, or are other ones")
    extra = sorted({name for one in found for name in one.spec if name not in one.plan.spec})
    expect(that=not extra, why=f"no file declares {', '.join(extra)}")


def a_document_is_only_read(case: Case, server: Server) -> None:
    """``Rules.view`` leaves the document as it is, and reads it the same way every time."""
    id_ = made(server, case.full.plan)
    target = server.target()
    (desired,) = target.backend.prepare([case.full.plan])
    target.backend.observe([])
    raw = target.backend.read(id_)
    kept, rules = copy.deepcopy(raw), target.backend.rules
    first, second = rules.view(raw, desired), rules.view(raw, desired)
    expect(that=raw == kept, why="the document was changed")
    expect(that=first == second, why="two looks at one document differ")
    expect(that=first.id == id_, why=f"the plan is said to be {first.id}, and it is {id_}")
