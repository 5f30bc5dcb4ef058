"""The inventory: all of it or an error that says why; what exists is never made again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from planops import reconcile
from planops.backends.exchange import Request, Response, Transport
from planops.core.report import Outcome
from planops.errors import (
    Garbled,
    NotAllowed,
    PlanGone,
    PlanopsError,
    ServerSaidNo,
    Unreachable,
)
from planops.run import Target
from planops.sandbox.zadig import Fault
from run.world import OPEN, Through, World, applied, asked, look, outcomes, plan, text

Rewrite = Callable[[dict[str, Any]], object]
FILES = [plan(jobs=[text()]), plan("new")]
JSON_500 = b'{"code":500,"message":"Internal Error: ","description":"server selection timeout"}'


class Gateway(Through):
    """Something before the server that caps page sizes, or rewrites lists."""

    def __init__(self, inner: Transport, cap: int = 10_000, rewrite: Rewrite | None = None) -> None:
        super().__init__(inner)
        self.cap, self.rewrite, self.lists = cap, rewrite, 0

    def read(self, request: Request) -> Response:
        if request.path != OPEN:
            return super().read(request)
        self.lists += 1
        query = dict(request.query)
        query["pageSize"] = str(min(int(query["pageSize"]), self.cap))
        answer = super().read(replace(request, query=tuple(query.items())))
        if self.rewrite is None:
            return answer
        value = json.loads(answer.body)
        self.rewrite(value)
        return replace(answer, body=json.dumps(value).encode())


def behind(zadig: World, cap: int = 10_000, rewrite: Rewrite | None = None) -> Target:
    return zadig.target(through=lambda inner: Gateway(inner, cap, rewrite))


def crowd(zadig: World, count: int = 7) -> None:
    """A plan of the files, the oldest of all, and others that nobody manages."""
    zadig.plant()
    for number in range(count - 1):
        zadig.plant(f"other {number}", jobs=[])


def lists(zadig: World) -> int:
    return sum(one.path.startswith(f"{OPEN}?") for one in zadig.sandbox.received)


def check_complete(zadig: World, target: Target) -> None:
    """The old plan is found and the new one made, once."""
    assert outcomes(applied(target, FILES)) == {
        "train": Outcome.UNCHANGED,
        "new": Outcome.APPLIED,
    }
    assert [len(zadig.named(name)) for name in ("train", "new")] == [1, 1]


def check_refused(zadig: World, target: Target, kind: type[PlanopsError], *says: str) -> None:
    """Nothing is written, and the sentence says what is wrong."""
    plans = zadig.sandbox.plans()
    with pytest.raises(PlanopsError) as raised:
        applied(target, FILES)
    assert type(raised.value) is kind, raised.value
    for words in says:
        assert words in str(raised.value)
    assert zadig.writes() == []
    assert zadig.sandbox.plans() == plans


ALWAYS: list[tuple[dict[str, Any], type[PlanopsError], tuple[str, ...]]] = [
    ({"kind": "html"}, Garbled, ("an HTML or XML page came", "check that url in planops.yaml")),
    ({"kind": "garbage-json"}, Garbled, ("the JSON ends in the middle",)),
    ({"kind": "status-before"}, Unreachable, ("in 4 tries", "500 without a body")),
    ({"kind": "status-before", "body": JSON_500}, ServerSaidNo, ("server selection timeout",)),
    ({"kind": "status-before", "status": 401}, NotAllowed, ("the token is not accepted (401)",)),
    ({"kind": "status-before", "status": 403}, NotAllowed, ("the token lacks the right (403)",)),
    ({"kind": "status-before", "status": 404, "body": b"Invalid path: /x"}, ServerSaidNo, ("404",)),
    ({"kind": "status-before", "status": 429}, Unreachable, ("in 4 tries", "429")),
    ({"kind": "status-before", "status": 503}, Unreachable, ("in 4 tries", "503")),
    ({"kind": "status-before", "status": 502, "body": b"<h1>x"}, Unreachable, ("502",)),
    ({"kind": "redirect"}, ServerSaidNo, ("redirects to 127.0.0.1", "set url in planops.yaml")),
    ({"kind": "endless"}, Garbled, ("larger than 100000 bytes",)),
    ({"kind": "truncate"}, Unreachable, ("in 4 tries",)),
    ({"kind": "drop-before"}, Unreachable, ("in 4 tries",)),
    ({"kind": "licence"}, NotAllowed, ("enterprise licence (7050)",)),
    ({"kind": "licence-down"}, Unreachable, ("failed to validate zadig license",)),
]


@pytest.mark.parametrize(("how", "kind", "says"), ALWAYS)
@pytest.mark.parametrize("nth", [1, 3])
def test_a_list_that_cannot_be_read(
    zadig: World, how: dict[str, Any], kind: type[PlanopsError], says: tuple[str, ...], nth: int
) -> None:
    """From the first page on, or from the third on: half of the list is no list."""
    crowd(zadig)
    target = zadig.target(max_body=100_000, through=lambda inner: Gateway(inner, cap=3))

    def begin() -> None:
        zadig.sandbox.faults.add(Fault(path="list", nth=None, **how))

    if nth == 1:
        begin()
    else:
        zadig.sandbox.faults.add(Fault("edit-after", path="list", nth=nth - 1, edit=begin))
    check_refused(zadig, target, kind, f"GET {OPEN}", *says)


@pytest.mark.parametrize(("how", "kind", "says"), ALWAYS)
def test_a_plan_that_cannot_be_read(
    zadig: World, how: dict[str, Any], kind: type[PlanopsError], says: tuple[str, ...]
) -> None:
    crowd(zadig)
    zadig.sandbox.faults.add(Fault(path="get", nth=None, **how))
    id_ = zadig.named("train")[0]["id"]
    check_refused(zadig, zadig.target(max_body=100_000), kind, f"GET {OPEN}/{id_}", *says)


PASSING: list[dict[str, Any]] = [
    {"kind": "status-before"},
    {"kind": "status-before", "status": 403},
    {"kind": "status-before", "status": 429, "headers": {"Retry-After": "7"}},
    {"kind": "status-before", "status": 503, "headers": {"Retry-After": "7"}},
    {"kind": "status-before", "status": 502, "body": b"<h1>x"},
    {"kind": "truncate"},
    {"kind": "drop-before"},
    {"kind": "drop-after"},
]


@pytest.mark.parametrize("how", PASSING)
@pytest.mark.parametrize("path", ["list", "get", "users"])
def test_what_passes_is_waited_for(zadig: World, path: str, how: dict[str, Any]) -> None:
    crowd(zadig)
    zadig.clock.slept.clear()
    zadig.sandbox.faults.add(Fault(path=path, **how))
    check_complete(zadig, zadig.target())
    assert sum(zadig.clock.slept) >= (7 if "headers" in how else 0)


def test_more_plans_than_a_page(zadig: World) -> None:
    crowd(zadig, 1_003)
    check_complete(zadig, zadig.target())
    assert lists(zadig) == 4  # a full page and then all at once, before the diff and the apply


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7])
def test_a_server_that_caps_its_pages(zadig: World, count: int) -> None:
    if count:
        crowd(zadig, count)
        check_complete(zadig, behind(zadig, cap=3))
    else:
        assert look(behind(zadig, cap=3), [], asked())[0].inventory.stubs == ()


@pytest.mark.parametrize("count", [4, 7])
def test_a_server_that_caps_its_pages_but_not_its_offsets(zadig: World, count: int) -> None:
    crowd(zadig, count)
    check_complete(zadig, behind(zadig, rewrite=lambda value: value.update(list=value["list"][:3])))


@pytest.mark.parametrize("off", [-7, -1, 1, 5, 2_000])
@pytest.mark.parametrize("cap", [3, 10_000])
def test_a_total_that_is_only_estimated(zadig: World, off: int, cap: int) -> None:
    crowd(zadig)
    check_complete(
        zadig, behind(zadig, cap, rewrite=lambda value: value.update(total=value["total"] + off))
    )


def test_rows_that_come_twice(zadig: World) -> None:
    crowd(zadig)
    check_complete(
        zadig, behind(zadig, cap=3, rewrite=lambda value: value.update(list=value["list"] * 2))
    )


def test_an_empty_list_is_not_believed_while_the_server_counts_plans(zadig: World) -> None:
    crowd(zadig, 1)
    target = behind(zadig, rewrite=lambda value: value.update(list=[], total=9))
    check_refused(zadig, target, Unreachable, "is empty, and yet the server counts 9")


def test_a_list_without_end(zadig: World) -> None:
    crowd(zadig, 1)
    row = {"id": zadig.named("train")[0]["id"], "name": "train", "index": 1}
    target = behind(zadig, rewrite=lambda value: value.update(list=[row], total=9))
    check_refused(zadig, target, Unreachable, "repeated itself")


@pytest.mark.parametrize(
    "row",
    [
        {"name": "x", "index": 1},
        {"id": "64f1a0000000000000000001", "index": 1},
        {"id": "64f1a0000000000000000001", "name": "x"},
        {"id": "../../users", "name": "x", "index": 1},
        {"id": "64f1a0000000000000000001", "name": None, "index": 1},
        {"id": "64f1a0000000000000000001", "name": "x", "index": "1"},
        None,
        [],
        "train",
    ],
)
def test_rows_that_are_no_plans(zadig: World, row: Any) -> None:
    crowd(zadig)
    target = behind(zadig, rewrite=lambda value: value["list"].append(row))
    check_refused(zadig, target, Garbled, "a row of the list has no id, name or index")


@pytest.mark.parametrize(
    "value", [{"list": None}, {"list": {}}, {"total": None}, {"total": "7"}, {"list": "x"}]
)
def test_answers_that_are_no_list(zadig: World, value: dict[str, Any]) -> None:
    crowd(zadig)
    target = behind(zadig, rewrite=lambda held: held.update(value))
    check_refused(zadig, target, Garbled, "the answer is no list of plans")


@pytest.mark.parametrize("nth", range(1, 9))
@pytest.mark.parametrize("what", ["insert", "remove newest", "remove another", "both"])
def test_plans_come_and_go_while_the_list_is_read(zadig: World, nth: int, what: str) -> None:
    crowd(zadig)

    def happen() -> None:
        if what in {"insert", "both"}:
            zadig.plant("late", jobs=[])
        if what in {"remove newest", "both"}:
            zadig.sandbox.remove_plan(zadig.named("other 5")[0]["id"])
        if what == "remove another":
            zadig.sandbox.remove_plan(zadig.named("other 2")[0]["id"])

    zadig.sandbox.faults.add(Fault("edit-before", path="list", nth=nth, edit=happen))
    target = behind(zadig, cap=3)
    sight = reconcile.observe(target, FILES, asked())
    assert [stub.name for stub in sight.inventory.stubs if stub.name == "train"] == ["train"]
    zadig.sandbox.faults.clear()
    check_complete(zadig, target)


def test_a_list_that_never_stands_still(zadig: World) -> None:
    crowd(zadig)
    zadig.sandbox.faults.add(
        Fault("edit-before", path="list", nth=None, edit=lambda: zadig.plant("late", jobs=[]))
    )
    with pytest.raises(Unreachable, match="changed, or repeated itself, during each of 4 passes"):
        applied(behind(zadig, cap=3), FILES)
    assert zadig.writes() == []


def test_a_plan_that_goes_between_list_and_detail(zadig: World) -> None:
    crowd(zadig)
    id_ = zadig.named("train")[0]["id"]
    zadig.sandbox.faults.add(
        Fault("edit-before", path="get", edit=lambda: zadig.sandbox.remove_plan(id_))
    )
    with pytest.raises(PlanGone, match="there is no such plan"):
        applied(zadig.target(), FILES)
    assert zadig.writes() == []


@pytest.mark.parametrize("body", [b'{"id":"64f1a0000000000000000001","status":"planning"}', b"{}"])
def test_another_plan_than_the_one_asked_for(zadig: World, body: bytes) -> None:
    crowd(zadig)
    zadig.sandbox.faults.add(Fault("status-before", path="get", status=200, body=body, nth=None))
    check_refused(zadig, zadig.target(), Garbled, "the answer is not that plan")


def test_the_list_fails_when_it_is_read_again_before_the_writes(zadig: World) -> None:
    crowd(zadig)
    target, run = zadig.target(), asked()
    files = [plan(jobs=[text()], description="new"), plan("new")]
    sight, changes = look(target, files, run)
    zadig.sandbox.faults.add(Fault("html", path="list", nth=None))
    with pytest.raises(Garbled):
        reconcile.apply(target, sight, changes, run)
    assert zadig.writes() == []


def test_a_plan_made_meanwhile_is_not_made_again(zadig: World) -> None:
    target, run = zadig.target(), asked()
    sight, changes = look(target, FILES, run)
    id_ = zadig.plant("new", jobs=[])
    report = reconcile.apply(target, sight, changes, run)
    assert outcomes(report) == {"train": Outcome.APPLIED, "new": Outcome.STALE}
    assert f"a plan of this name was made meanwhile ({id_})" in report.changes[0].error
    assert len(zadig.named("new")) == 1


def test_two_plans_of_one_name_are_refused_with_both_ids(zadig: World) -> None:
    ids = [zadig.plant(), zadig.plant(), zadig.plant("Train")]
    report = applied(zadig.target(), FILES, asked(everything=True))
    assert outcomes(report) == {"train": Outcome.REFUSED, "new": Outcome.APPLIED}
    (refusal,) = report.changes[1].change.refusals
    assert refusal.guard == "ambiguous"
    assert f"{ids[0]} and {ids[1]}" in refusal.message
    assert ids[2] not in refusal.message
    assert len(zadig.writes()) == 1


def test_a_plan_that_nothing_records_is_shown_and_refused(zadig: World) -> None:
    id_ = zadig.plant(description="theirs")
    file = plan(jobs=[text()], description="ours")
    report = applied(zadig.target(by_name=False), [file, plan("new")])
    assert outcomes(report) == {"train": Outcome.REFUSED, "new": Outcome.APPLIED}
    change = report.changes[1].change
    assert [(one.guard, one.lift) for one in change.refusals] == [("adopt", "--adopt-by-name")]
    assert id_ in change.refusals[0].message
    assert [delta.path for delta in change.deltas] == ["/spec/description"]
    assert [step.request.method for step in change.steps] == ["PATCH"]
    assert [path for _, path, _ in zadig.writes()] == [OPEN]
