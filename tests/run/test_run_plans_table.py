"""Every way in which a file, a record and plans on the server can stand to each other.

One row a situation: what diff says, what apply calls, and what the ledger holds after. A new row
needs a line in the table, and a new situation a function that brings it about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import pytest

from planops import reconcile
from planops.core.changes import Change
from planops.core.guards import NAMES
from planops.core.ledger import Record
from planops.core.model import Plan
from planops.core.report import ChangeReport
from planops.run import Target
from run import brpm_world, world
from run.ledgers import MemoryLedger, MovingClock, kept
from run.world import Write, asked, look

TABLE = """
file record server     allowed    diff       guards     calls   ledger
yes  no     gone       -          create     -          create  new
yes  no     name       -          unchanged  adopt      -       empty
yes  no     name       by-name    unchanged  -          -       theirs
yes  no     twice      -          unchanged  ambiguous  -       empty
yes  no     twice      by-name    unchanged  ambiguous  -       empty
yes  no     finished   -          unchanged  adopt      -       empty
yes  no     finished   by-name    unchanged  -          -       theirs
yes  yes    id         -          unchanged  -          -       same
yes  yes    renamed    -          update     -          update  same
yes  yes    name       -          create     both       -       same
yes  yes    name       recreate   create     ambiguous  -       same
yes  yes    twice      -          unchanged  -          -       same
yes  yes    gone       -          create     recreate   -       same
yes  yes    gone       recreate   create     -          create  new
yes  yes    finished   -          unchanged  -          -       same
no   yes    id         -          unchanged  -          -       same
no   yes    id         prune      delete     -          delete  empty
no   yes    id         unproven   delete     prune      -       same
no   yes    renamed    -          unchanged  -          -       same
no   yes    renamed    prune      delete     -          delete  empty
no   yes    busy       -          unchanged  -          -       same
no   yes    busy       prune      delete     at-work    -       same
no   yes    protected  -          unchanged  -          -       same
no   yes    protected  prune      delete     protected  -       same
no   yes    protected  protected  delete     -          delete  empty
no   yes    name       -          forget     -          -       empty
no   yes    name       prune      forget     -          -       empty
no   yes    twice      -          unchanged  -          -       same
no   yes    twice      prune      delete     -          delete  empty
no   yes    gone       -          forget     -          -       empty
no   yes    gone       prune      forget     -          -       empty
no   yes    finished   -          forget     -          -       empty
no   yes    finished   prune      forget     -          -       empty
no   no     gone       -          -          -          -       empty
no   no     name       -          -          -          -       empty
no   no     twice      -          -          -          -       empty
no   no     finished   -          -          -          -       empty
"""
"""``server``: "id" and "renamed" are the recorded plan, "name" a stranger of the file's name where
the recorded one is gone, "twice" a stranger beside the recorded plan, or two strangers.
"protected" is the recorded plan whose file protected it, "busy" one that somebody is at work on.

``allowed``: a guard, or "by-name", "prune" (with proof from git), "unproven" (without).

``ledger``: a record of the "new" plan or of "theirs", the "same" as before, or none: "empty".
"""


GUARDS: Mapping[str, set[str]] = {"-": set(), "both": {"recreate", "ambiguous"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table, by its columns."""

    file: str
    record: str
    server: str
    allowed: str
    diff: str
    guards: str
    calls: str
    ledger: str

    def __str__(self) -> str:
        return f"{self.file}-{self.record}-{self.server}-{self.allowed}"


def rows() -> list[Row]:
    head, *lines = (line.split() for line in TABLE.strip().splitlines())
    found = [Row(**dict(zip(head, line, strict=True))) for line in lines]
    assert len({str(row) for row in found}) == len(found)
    return found


# --------------------------------------------------------------------------------- the two servers


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server with what a person may do to its plans; ids are texts here."""

    target: Callable[[bool], Target]
    plan: Plan
    company: Plan
    plant: Callable[[], object]
    remove: Callable[[str], object]
    rename: Callable[[str], object]
    finish: Callable[[str], object]
    work: Callable[[str], object]
    ids: Callable[[], list[str]]
    writes: Callable[[], list[Write]]
    calls: Mapping[str, list[str]]


def on_zadig(made: world.World) -> Server:
    held = {"description": "", "jobs": [world.held_text()]}
    return Server(
        target=lambda by_name: made.target(by_name=by_name),
        plan=world.plan(jobs=[world.text()]),
        company=world.plan("company", jobs=[world.text()]),
        plant=lambda: made.plant("train", **held),
        remove=made.sandbox.remove_plan,
        rename=lambda id_: made.sandbox.edit(id_, {"name": "Renamed"}),
        finish=lambda id_: made.sandbox.edit(id_, {"status": "success"}),
        work=lambda id_: made.sandbox.edit(id_, {"status": "executing"}),
        ids=lambda: [str(one["id"]) for one in made.sandbox.plans()],
        writes=made.writes,
        calls={"create": ["POST", "PATCH"], "update": ["PATCH"], "delete": ["DELETE"], "-": []},
    )


def on_brpm(made: brpm_world.World) -> Server:
    return Server(
        target=lambda by_name: made.target(by_name=by_name),
        plan=brpm_world.plan(description="one"),
        company=brpm_world.plan("company"),
        plant=lambda: made.plant("train", description="one"),
        remove=lambda id_: made.sandbox.remove_plan(int(id_)),
        rename=lambda id_: made.sandbox.edit(int(id_), {"name": "Renamed"}),
        finish=lambda id_: made.sandbox.edit(int(id_), {"aasm_state": "archived"}),
        work=lambda id_: made.sandbox.edit(int(id_), {"aasm_state": "started"}),
        ids=lambda: [str(one["id"]) for one in made.sandbox.plans()],
        writes=made.writes,
        calls={"create": ["POST"], "update": ["PUT"], "delete": ["DELETE"], "-": []},
    )


@pytest.fixture(params=["zadig", "brpm"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if request.param == "zadig":
        yield on_zadig(request.getfixturevalue("newest"))
        return
    with brpm_world.world() as made:
        yield on_brpm(made)


# ----------------------------------------------------------------------------------- the situations


def run(
    server: Server, ledger: MemoryLedger, plans: list[Plan], allowed: str = "-"
) -> tuple[list[Change], list[ChangeReport]]:
    """Observe, diff and apply; the changes and their reports, but those of the company."""
    target = kept(server.target(allowed == "by-name"), ledger, MovingClock())
    lifted = {allowed: 1} if allowed in NAMES else {}
    proof = "no file of it" if allowed == "unproven" else ""
    circumstances = replace(
        asked(),
        allow=lifted,
        prune=allowed in ("prune", "unproven", "protected"),
        unproven=lambda *_: proof,
    )
    sight, changes = look(target, [server.company, *plans], circumstances)
    report = reconcile.apply(target, sight, changes, circumstances)
    told = [one for one in changes.changes if one.key.name != "company"]
    return told, [one for one in report.changes if one.change.key.name != "company"]


def records(ledger: MemoryLedger) -> dict[str, Record]:
    """The records, but that of the company."""
    return {key: one for key, one in ledger.load().records.items() if key != "company"}


def brought_about(server: Server, ledger: MemoryLedger, row: Row) -> None:
    """Let file, record and server stand as the row says, by nothing but runs and people.

    Another plan keeps them company, so that there are always files: none at all is the guard
    ``empty``.
    """
    run(server, ledger, [])
    before = {*server.ids()}
    if row.record == "yes":
        protects = replace(server.plan.manage, protect=row.server == "protected")
        run(server, ledger, [replace(server.plan, manage=protects)])
    ours = [id_ for id_ in server.ids() if id_ not in before]
    match row.server:
        case "id" | "protected":
            assert ours
        case "busy":
            server.work(ours[0])
        case "renamed":
            server.rename(ours[0])
        case "gone":
            [server.remove(id_) for id_ in ours]
        case "name":
            [server.remove(id_) for id_ in ours]
            server.plant()
        case "twice":
            [server.plant() for _ in range(2 - len(ours))]
        case "finished":
            _ = ours or server.plant()
            [server.finish(id_) for id_ in server.ids() if id_ not in before]
        case _:
            raise NotImplementedError(row.server)


@pytest.mark.parametrize("row", rows(), ids=str)
def test_by_the_table(server: Server, row: Row) -> None:
    ledger = MemoryLedger()
    brought_about(server, ledger, row)
    was, there, since = ledger.load(), server.ids(), len(server.writes())
    held = records(ledger)
    changes, report = run(server, ledger, [server.plan] * (row.file == "yes"), row.allowed)

    told = [(one.kind.value, {found.guard for found in one.refusals}) for one in changes]
    guards = GUARDS.get(row.guards, {row.guards})
    assert told == ([] if row.diff == "-" else [(row.diff, guards)])
    made = [method for method, _, _ in server.writes()[since:]]
    assert made == server.calls[row.calls]
    assert [one.change.key.name for one in report] == ["train"] * (row.diff != "-")

    now = ledger.load()
    new = [id_ for id_ in server.ids() if id_ not in there]
    assert (now.intents, now.lease, len(new)) == ({}, None, int(row.calls == "create"))
    holds(row, held, records(ledger), new or there[-1:])
    if not made and now.records == was.records:
        assert now.tip == was.tip  # a run that changes nothing writes nothing


def holds(row: Row, was: Mapping[str, Record], now: Mapping[str, Record], ids: list[str]) -> None:
    match row.ledger:
        case "empty":
            assert now == {}
        case "same":
            assert now == was
            assert [*now] == ["train"]
        case "new" | "theirs":
            assert [(key, one.id) for key, one in now.items()] == [("train", ids[0])]
        case _:
            raise NotImplementedError(row.ledger)


@pytest.mark.parametrize("row", rows(), ids=str)
def test_a_second_run_says_and_does_the_same_or_nothing(server: Server, row: Row) -> None:
    """What was refused is refused again; what was done is in order; nothing is made twice."""
    ledger = MemoryLedger()
    brought_about(server, ledger, row)
    plans = [server.plan] * (row.file == "yes")
    first, _ = run(server, ledger, plans, row.allowed)
    book, ids, since = ledger.load(), server.ids(), len(server.writes())
    again, _ = run(server, ledger, plans, row.allowed)
    if row.diff in ("delete", "forget") and row.ledger == "empty":
        assert again == []  # there is neither file nor record any more
        first = []
    for one, other in zip(first, again, strict=True):
        assert one.refusals == other.refusals
        assert other.kind.value == (one.kind.value if one.refusals else "unchanged")
    assert (ledger.load(), server.ids(), server.writes()[since:]) == (book, ids, [])


def test_a_selection_forgets_nothing(server: Server) -> None:
    ledger = MemoryLedger()
    run(server, ledger, [server.plan])
    server.remove(server.ids()[-1])
    was = ledger.load()
    target = kept(server.target(False), ledger, MovingClock())  # noqa: FBT003  by no name
    selected = replace(asked(), selected=True)
    sight, changes = look(target, [], selected)
    reconcile.apply(target, sight, changes, selected)
    assert ledger.load() == was
