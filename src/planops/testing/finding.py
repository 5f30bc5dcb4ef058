"""What is promised about finding plans: all of them or an error, by their exact names."""

from __future__ import annotations

from typing import Final

from planops.core.changes import ChangeKind
from planops.core.model import Plan
from planops.core.report import Outcome
from planops.errors import PlanGone, PlanopsError
from planops.ports import Backend
from planops.testing.acting import (
    applied,
    check_one,
    check_outcome,
    check_settled,
    check_writes,
    expect,
    look,
    made,
)
from planops.testing.case import Case, Server, named

NAMES: Final = (
    "100% ready %41 %2F %",
    "Release  with  spaces",
    "\"quoted\" 'twice' `over`",
    "salt&pepper=1;x",
    "one+one",
    "a/b\\c/../d",
    "#1 of 2?x=y",
    "Größe 发布 Ω é",
    "[brackets] {braces} <angles>",
    "filters[name]=*",
    "-.*?^$|",
)
"""Names that are told apart only by who neither parses nor escapes them wrongly."""
ALIKE: Final = (
    ("Checkout", "checkout"),
    ("checkout", "Checkout"),
    ("one+one", "one one"),
    ("a%20b", "a b"),
    ("Straße", "STRASSE"),
    ("caf\u00e9", "cafe\u0301"),
    ("2026.12", "2026x12"),
    ("train", "train 2"),
    ("train 2", "train"),
)
"""Pairs of a file's name and another plan's that careless comparisons take for one name."""


def a_name_is_found_again(case: Case, server: Server, name: str) -> None:
    """A plan is found again by its name, whatever is in it, and made only once."""
    plan = named(case.minimal.plan, name)
    made(server, plan)
    check_one(server, name)
    check_settled(server, plan)


def names_are_compared_exactly(case: Case, server: Server, pair: tuple[str, str]) -> None:
    """A plan of a similar name is another plan: it is neither found nor touched."""
    ours, theirs = pair
    other = server.insert(theirs)
    kept = server.document(other)
    found = look(server, named(case.minimal.plan, ours))
    read = sorted(found.sight.inventory.documents)
    expect(that=not read, why=f"asked for {ours!r}, the inventory holds {read}")
    is_new = found.change.kind is ChangeKind.CREATE
    expect(that=is_new, why=f"{ours!r} is not made, {theirs!r} being there")
    check_outcome(found.apply(), Outcome.APPLIED)
    check_one(server, ours)
    check_settled(server, found.change.plan)
    expect(that=server.document(other) == kept, why=f"{theirs!r} was touched")


def two_plans_of_one_name_are_refused(case: Case, server: Server) -> None:
    """Two plans of one name are refused with both ids, oldest first, and neither is touched."""
    name = case.minimal.plan.display_name
    ids = [server.insert(name), server.insert(name)]
    found = look(server, case.minimal.plan)
    documents = found.sight.inventory.documents.get(name, ())
    seen = [found.target.backend.rules.view(raw, None).id for raw in documents]
    expect(that=seen == ids, why=f"the plans of the name are {ids}, and found were {seen}")
    report = found.apply()
    check_outcome(report, Outcome.REFUSED)
    said = " ".join(refusal.message for refusal in report.change.refusals)
    expect(that=all(id_ in said for id_ in ids), why=f"the ids are not told: {said}")
    check_writes(server, 0, count=0)


def the_inventory_is_whole(case: Case, server: Server) -> None:
    """Every plan is listed once, those asked for are read in full, and later ones rank higher."""
    server.insert("one")
    first = server.target().backend.observe([])
    ids = [server.insert(f"other {number}") for number in range(3)]
    id_ = made(server, case.full.plan)
    name = case.full.plan.display_name
    target = server.target()
    then = target.backend.observe([name, "nobody's"])
    listed = [stub.id for stub in then.stubs]
    doubled = len(listed) != len(set(listed))
    expect(that=not doubled, why="a plan is listed twice")
    missing = {*ids, id_, *(stub.id for stub in first.stubs)} - set(listed)
    expect(that=not missing, why=f"the list lacks {sorted(missing)}")
    expect(that=set(then.documents) == {name}, why=f"read were {sorted(then.documents)}")
    risen = all(s.ordinal > first.high_water for s in then.stubs if s.id in {*ids, id_})
    expect(that=risen, why="a plan that was made later does not rank higher")


def a_plan_is_found_by_its_id(case: Case, server: Server) -> None:
    """A plan that is asked for by its id is read in full, whatever its name; no other one is.

    An id that the server does not have is left out, and is no reason to fail.
    """
    id_, gone = made(server, case.full.plan), made(server, case.minimal.plan)
    target = server.target()
    (desired,) = target.backend.prepare([case.minimal.plan])
    live = target.backend.rules.view(target.backend.read(gone), desired)
    for step in target.backend.rules.remove(live):
        target.backend.send(step, gone)
    found = server.target().backend.observe([], [id_, gone])
    expect(that=set(found.by_id) == {id_}, why=f"of {id_} and {gone}, found {set(found.by_id)}")
    (wanted,) = target.backend.prepare([case.full.plan])
    seen = [
        target.backend.rules.view(raw, wanted).spec
        for raw in (found.by_id[id_], target.backend.read(id_))
    ]
    expect(that=seen[0] == seen[1], why="the list shows another plan than the plan itself")


def a_name_has_all_of_its_plans(case: Case, server: Server) -> None:
    """Under a name stand all of its plans; a name that nobody asked for, asked for by id, has none.

    Part of the plans of a name would look like the whole: like one plan where there are two.
    """
    name = case.full.plan.display_name
    ids = [made(server, case.full.plan), server.insert(name)]
    backend = server.target().backend
    both = backend.observe([name], ids[:1]).documents
    count = len(both.get(name, ()))
    expect(that=count == len(ids), why=f"of {len(ids)} plans of a name {count} were found")
    found = backend.observe([], ids[:1]).documents
    expect(that=not found, why=f"nobody asked for the names {', '.join(found)}")


def a_list_in_pieces_is_put_together(case: Case, server: Server) -> None:
    """A list that comes in pieces is read to its end: what is there is not made again."""
    id_ = made(server, case.minimal.plan)
    server.scatter(id_)
    found, since = look(server, case.minimal.plan), len(server.writes())
    ids = [stub.id for stub in found.sight.inventory.stubs]
    expect(that=id_ in ids, why="the list was read in part")
    is_new = found.change.kind is ChangeKind.CREATE
    expect(that=not is_new, why="a plan that is there would be made again")
    found.apply()
    check_writes(server, since, count=0)


def a_part_is_no_inventory(case: Case, server: Server, how: str) -> None:
    """An inventory that cannot be proven complete is an error, and never a removal.

    Neither is anything made because a plan was not listed.
    """
    id_ = made(server, case.minimal.plan)
    found, since = look(server, case.minimal.plan), len(server.writes())
    server.hide(how)
    _refuses(server, case.minimal.plan)
    _refuses(server, named(case.minimal.plan, "Another one"))
    check_writes(server, since, count=0)
    server.heal()
    expect(that=server.ids(found.change.plan.display_name) == (id_,), why="the plan is gone")


def _refuses(server: Server, plan: Plan) -> None:
    try:
        found = look(server, plan)
    except PlanopsError:
        return
    count, kind = len(found.sight.inventory.stubs), found.change.kind
    raise AssertionError(f"taken for the whole list were {count} plans, and the change is {kind}")


def a_wrong_reference_is_refused(_: Case, server: Server, plan: Plan) -> None:
    """A file that names what the server does not have is refused before any write."""
    check_outcome(applied(server, plan), Outcome.REFUSED)
    check_writes(server, 0, count=0)
    server.insert(plan.display_name)
    report = applied(server, plan)
    check_outcome(report, Outcome.REFUSED)
    check_writes(server, 0, count=0)


def what_is_no_id_is_not_asked_for(case: Case, server: Server) -> None:
    """``read`` makes no call for what can be no id: nothing of it gets into an address."""
    made(server, case.minimal.plan)
    backend = server.target().backend
    backend.observe([])
    for id_ in case.no_ids:
        before, error = server.calls(), _read(backend, id_)
        expect(that=server.calls() == before, why=f"a call was made for {id_[:40]!r}")
        gone = isinstance(error, PlanGone)
        expect(that=not gone, why=f"{id_[:40]!r} is said to be gone, and nobody was asked")


def _read(backend: Backend, id_: str) -> PlanopsError:
    try:
        backend.read(id_)
    except PlanopsError as error:
        return error
    raise AssertionError(f"something was read as {id_[:40]!r}")
