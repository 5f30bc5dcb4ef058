"""What is written, by the written-out tables: every base, desired and live, and every ``drift``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from core.ferry import FerryRules
from core.truth import FREELY, LISTS, NAMES, SCALARS, Row, When, at, rows
from core.values import TEXT, TIME, a_set, an_object, keyed, plan
from planops.core.changes import Cause, Change
from planops.core.compare import compare
from planops.core.decide import WRITABLE, Circumstances, Desired, Drift, Memory, Proposal, decide
from planops.core.freeform import keeping
from planops.core.lifecycle import Edge, Move
from planops.core.model import JSON, Live
from planops.core.shape import FREE, Kind, Shape, cleared

Spec = dict[str, JSON]
REST: Spec = {"name": "Summer", "note": "", "closes": 0}
BESIDE: Spec = {"beside": "new"}
"""An edit of another field: with it a write is made in every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(FerryRules):
    """The ferries' rules, with one more field of any shape."""

    field: Shape

    @property
    def shape(self) -> Shape:
        return an_object(name=TEXT, note=TEXT, closes=TIME, beside=TEXT, f=self.field)

    def propose(
        self, desired: Desired, live: Live, spec: dict[str, JSON], moves: Sequence[Edge | Move]
    ) -> Proposal:
        """Also where live lacks a field, which it never does behind a codec."""
        return FerryRules.propose(self, replace(desired, spec={}), live, spec, moves)


def decided(field: Shape, base: Spec, wanted: Spec, held: Spec, drift: Drift) -> Change:
    """Decide about a plan in a state in which a write undoes nothing."""
    rules = Rules(field=field)
    named = {"name": "Summer", **wanted}
    whole: Spec = {**REST, "beside": "", **held}
    return decide(
        rules,
        Desired(plan=plan(named), spec=named),
        Live(id="7", name="Summer", state="draft", spec=whole, raw={}),
        Circumstances(now=1, memory=Memory(spec={"name": "Summer", **base}), drift=drift),
    )


def sent(change: Change) -> JSON:
    """What the one write sends of the field; a field that is not sent is "absent"."""
    (step,) = change.steps
    assert isinstance(step.request.body, dict)
    return step.request.body.get("f", "absent")


def obeys(row: Row, field: Shape, side: Callable[[str], Spec], drift: Drift) -> None:
    """Hold a decision against a row, alone and beside an edit of another field.

    ``side`` gives what a side holds for a name of the table, or for "gone".
    """
    base, wanted, held = (cleared_side(field, side(n)) for n in (row.base, row.desired, row.live))
    writes = row.when is When.ALWAYS or (row.when is When.SAFE and drift is not Drift.REPORT)
    refused = row.when is When.ALLOWED
    alone = decided(field, base, wanted, held, drift)
    beside = decided(field, base, wanted | BESIDE, held, drift)
    assert [found.guard for found in alone.refusals] == (["conflict"] if refused else [])
    assert alone.acts is (writes or refused)
    assert bool({delta.cause for delta in alone.deltas} & WRITABLE) is (row.when is not When.NEVER)
    if writes or refused:
        wished = cleared_side(field, side(row.written))
        assert sent(alone) == sent(beside) == wished.get("f", "absent")
    else:
        assert sent(beside) == held.get("f", "absent")
    assert bool(alone.left) is (row.when is When.SAFE and drift is Drift.REPORT)


def cleared_side(field: Shape, spec: Spec) -> Spec:
    made = cleared(an_object(f=field), spec)
    assert isinstance(made, dict)
    return made


# --------------------------------------------------------------------------------- what is written


FIELDS = {
    "scalar": (TEXT, SCALARS),
    "set": (a_set(TEXT), LISTS),
    "list": (Shape(kind=Kind.LIST, type="array", item=TEXT), LISTS),
    "free": (FREE, FREELY),
}
EACH = [
    (row, kind)
    for row in rows("field")
    for kind in FIELDS
    # Of free-form JSON that both changed each place is by the table of members.
    if kind != "free" or row.cause is not Cause.CONFLICT
]


@pytest.mark.parametrize("drift", Drift)
@pytest.mark.parametrize(("row", "kind"), EACH, ids=str)
def test_a_field(row: Row, kind: str, drift: Drift) -> None:
    field, values = FIELDS[kind]
    obeys(row, field, lambda name: {"f": values[name]} if name in values else {}, drift)


@pytest.mark.parametrize("drift", Drift)
@pytest.mark.parametrize("row", rows("item"), ids=str)
@pytest.mark.parametrize("kind", [Kind.KEYED, Kind.SET])
def test_an_item(row: Row, kind: Kind, drift: Drift) -> None:
    """Beside it the list has an item on which all agree."""
    field = Shape(kind=kind, type="array", item=an_object(id=TEXT, v=TEXT), key=("id",))

    def side(name: str) -> Spec:
        more: list[JSON] = [{"id": "x", "v": SCALARS[name]}] if name in SCALARS else []
        return {"f": [{"id": "same"}, *more]}

    obeys(row, field, side, drift)


@pytest.mark.parametrize("drift", Drift)
@pytest.mark.parametrize("row", rows("member"), ids=str)
def test_a_member_of_free_form_json(row: Row, drift: Drift) -> None:
    def side(name: str) -> Spec:
        return {"f": {"same": 1, **({"x": SCALARS[name]} if name in SCALARS else {})}}

    obeys(row, FREE, side, drift)


# ------------------------------------------------------------------------------------- what is told


@pytest.mark.parametrize("row", rows("member"), ids=str)
def test_the_cause_of_a_member(row: Row) -> None:
    def side(name: str) -> JSON:
        return {"f": {"in": [{"x": SCALARS[name]} if name in SCALARS else {}]}}

    base, wanted, held = (side(name) for name in (row.base, row.desired, row.live))
    deltas = compare(an_object(f=FREE), base=base, desired=wanted, live=held)
    told = [("/spec/f/in/0/x", row.cause)] if row.cause else []
    assert [(delta.path, delta.cause) for delta in deltas] == told


@pytest.mark.parametrize("row", rows("member"), ids=str)
def test_every_member_is_an_edit_while_nothing_is_recorded(row: Row) -> None:
    def side(name: str) -> JSON:
        return {"f": {"x": SCALARS[name]} if name in SCALARS else {}}

    deltas = compare(an_object(f=FREE), base={}, desired=side(row.desired), live=side(row.live))
    assert [delta.cause for delta in deltas] == ([Cause.EDIT] if row.desired != row.live else [])


KEYED: dict[str, dict[str, str]] = {
    "a": {"x": "a", "y": "a"}, "b": {"x": "b", "y": "a", "z": "c"}, "c": {"z": "a"},
    "null": {}, "empty": {},
}  # fmt: skip
"""Lists with identity: items and the names of their values."""


def items(name: str) -> Spec:
    listed = [{"id": key, "v": SCALARS[value]} for key, value in KEYED.get(name, {}).items()]
    return {"f": [*listed]} if name in KEYED else {}


@pytest.mark.parametrize("kind", [keyed, a_set])
@pytest.mark.parametrize("row", rows("field"), ids=str)
def test_a_whole_list_is_its_items(row: Row, kind: Callable[..., Shape]) -> None:
    """Of a list that both sides have, each item goes by the table of items; else all is one."""
    shape = an_object(f=kind(an_object(id=TEXT, v=TEXT), "id"))
    deltas = compare(shape, base=items(row.base), desired=items(row.desired), live=items(row.live))
    found = {delta.path: delta.cause for delta in deltas}
    if "absent" in (row.desired, row.live):
        assert found == ({"/spec/f": row.cause} if row.cause else {})
        return
    base, wanted, held = (KEYED.get(name, {}) for name in (row.base, row.desired, row.live))
    told: dict[str, Cause] = {}
    for key in sorted({*wanted, *held}):
        names = [side.get(key, "absent") for side in (base, wanted, held)]
        cause = at("item", *names).cause
        if cause and row.base == "absent":
            cause = Cause.EDIT  # nothing of the list is recorded
        both = "absent" not in names[1:]
        told |= {f"/spec/f/{key}{'/v' if both else ''}": cause} if cause else {}
    assert found == told


def test_the_tables_know_every_name() -> None:
    assert {*SCALARS, "absent"} == {*LISTS, "absent"} == {*FREELY, "absent"} == {*NAMES}


# ---------------------------------------------------- what is kept of free-form JSON, by its places


@pytest.mark.parametrize(
    ("live", "desired", "kept", "expected"),
    [
        ({"x": 1}, {"x": 2}, [], {"x": 2}),
        ({"x": 1}, {"x": 2}, ["/f"], {"x": 2}),
        ({"x": 1}, {"x": 2}, ["/f/x"], {"x": 1}),
        ({"x": 1}, {"x": 2}, ["/f/xx"], {"x": 2}),
        ({}, {"x": 2, "y": 2}, ["/f/x"], {"y": 2}),
        ({"x": 1, "y": 1}, {}, ["/f/x"], {"x": 1}),
        ({"a/~": 1, "b": 1}, {"a/~": 2, "b": 2}, ["/f/a~1~0"], {"a/~": 1, "b": 2}),
        ({"x": {"y": [1, 2]}}, {"x": {"y": [3, 4]}}, ["/f/x/y/1"], {"x": {"y": [3, 2]}}),
        ({"x": [1, 2, 3]}, {"x": [4]}, ["/f/x/2"], {"x": [4, 3]}),
        ({"x": [1]}, {"x": [4, 5, 6]}, ["/f/x/1"], {"x": [4, 6]}),
        ({"x": {"y": 1}}, {"x": [2]}, ["/f/x/y"], {"x": [2]}),
        ([1, {"x": 1}], [2, {"x": 2, "y": 2}], ["/f/1/x"], [2, {"x": 1, "y": 2}]),
    ],
)
def test_places_are_kept_as_they_are_live(
    live: JSON, desired: JSON, kept: list[str], expected: JSON
) -> None:
    assert keeping(live, desired, kept, "/f") == expected


def test_drift_in_free_form_json_is_left_beside_an_edit_in_it() -> None:
    base: Spec = {"f": {"x": 1, "deep": {"y": [1, 1]}}}
    wanted: Spec = {"f": {"x": 2, "deep": {"y": [1, 1]}}}
    held: Spec = {"f": {"x": 1, "deep": {"y": [1, 9]}, "more": 9}}
    change = decided(FREE, base, wanted, held, Drift.REPORT)
    assert change.left == {"/spec/f/deep/y/1", "/spec/f/more"}
    assert sent(change) == {"x": 2, "deep": {"y": [1, 9]}, "more": 9}
    assert sent(decided(FREE, base, wanted, held, Drift.SAFE)) == wanted["f"]
