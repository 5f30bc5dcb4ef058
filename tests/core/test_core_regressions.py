"""What was once wrong in comparing and masking, each by the smallest case that shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.values import SECRET, TEXT, a_list, an_object, change, keyed, live, plan, step
from planops.backends.zadig.lifecycle import LIFECYCLE
from planops.core.changes import Cause
from planops.core.compare import compare, declared, overlay
from planops.core.lifecycle import Situation, Standing, route
from planops.core.masking import masked_change, masked_delta
from planops.core.model import ABSENT, JSON
from planops.core.shape import Shape, item_keys

ROW = an_object(id=TEXT, v=TEXT, w=TEXT)
ROWS = an_object(f=keyed(ROW, "id"))


@pytest.mark.parametrize(
    ("held", "wanted", "ignore", "merged"),
    [
        (["theirs", "a"], ["a"], "theirs", ["theirs", "a"]),
        (["a", "theirs"], ["a"], "theirs", ["a", "theirs"]),
        (["theirs"], ["a"], "theirs", ["theirs", "a"]),
        ([], ["a", "b"], "a", ["b"]),
        (["a"], ["b", "a"], "a", ["b", "a"]),
        (["a"], ["b"], "a~1", ["b"]),
    ],
)
def test_an_ignored_item_is_there_if_it_is_live(
    held: list[str], wanted: list[str], ignore: str, merged: list[str]
) -> None:
    before: dict[str, JSON] = {"f": [{"id": name, "v": "live"} for name in held]}
    after: dict[str, JSON] = {"f": [{"id": name} for name in wanted]}
    path = f"/spec/f/{ignore}"
    found = overlay(ROWS, before, after, [path])
    assert item_keys(ROWS.fields["f"], rows(found)) == merged
    assert compare(ROWS, base=ABSENT, desired=after, live=found, ignore=[path]) == ()


def rows(spec: dict[str, JSON]) -> list[JSON]:
    found = spec["f"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("base", "desired", "held", "cause"),
    [
        ({"v": "1"}, None, {"v": "1", "w": "theirs"}, Cause.EDIT),
        ({"v": "1"}, None, {"v": "2", "w": "theirs"}, Cause.CONFLICT),
        ({"v": "1"}, {"v": "1"}, None, Cause.DRIFT),
        ({"v": "1", "w": "1"}, {"v": "1"}, None, Cause.DRIFT),
        ({"v": "1"}, {"v": "1", "w": "1"}, None, Cause.CONFLICT),
    ],
)
def test_an_item_that_is_gone_is_compared_as_far_as_it_was_declared(
    base: dict[str, JSON],
    desired: dict[str, JSON] | None,
    held: dict[str, JSON] | None,
    cause: Cause,
) -> None:
    """The record holds declared fields only, the server every field."""
    sides: list[JSON] = [
        {"f": [] if row is None else [{"id": "a", **row}]} for row in (base, desired, held)
    ]
    (delta,) = compare(ROWS, base=sides[0], desired=sides[1], live=sides[2])
    assert (delta.path, delta.cause) == ("/spec/f/a", cause)


def test_no_two_items_have_one_name_even_where_one_is_named_like_a_number() -> None:
    names: list[JSON] = [{"id": "a"}, {"id": "a"}, {"id": "a#2"}, {"id": "a"}]
    assert item_keys(ROWS.fields["f"], names) == ["a", "a#2", "a#2#2", "a#3"]


INNER = an_object(id=TEXT, key=SECRET)
LISTED = an_object(f=keyed(INNER, "id"))
LOCKED: JSON = {"id": "a", "key": "s3cret"}


@pytest.mark.parametrize(
    ("shape", "desired", "held"),
    [
        (LISTED, {"f": [LOCKED]}, {"f": []}),
        (LISTED, {"f": []}, {"f": [LOCKED]}),
        (an_object(o=INNER), {"o": LOCKED}, {}),
        (an_object(o=a_list(INNER)), {"o": [LOCKED]}, {"o": []}),
        (an_object(o=a_list(SECRET)), {"o": ["s3cret"]}, {"o": []}),
        (
            an_object(o=replace(an_object(a=TEXT), sensitive=True)),
            {"o": {"a": "s3cret"}},
            {"o": {"a": ""}},
        ),
        (
            an_object(o=replace(keyed(ROW, "id"), sensitive=True)),
            {"o": [{"id": "s3cret"}]},
            {"o": [{"id": "s3cret-2"}]},
        ),
    ],
)
def test_what_is_sensitive_below_a_delta_makes_the_delta_sensitive(
    shape: Shape, desired: JSON, held: JSON
) -> None:
    deltas = compare(shape, base=ABSENT, desired=desired, live=held)
    assert "s3cret" in repr(deltas)
    assert "s3cret" not in repr([masked_delta(delta) for delta in deltas])
    assert "s3cret" not in repr([masked_delta(delta) for delta in declared(shape, desired)])


def test_no_secret_is_left_anywhere_in_a_masked_change() -> None:
    shape = an_object(name=TEXT, token=SECRET)
    seen = replace(live(name="x", token="s3cret"), raw={"token": "s3cret"})
    whole = replace(
        change(step(body={"token": "s3cret"}), there=seen),
        plan=plan({"name": "x", "token": "s3cret"}),
    )
    shown = masked_change(whole, shape)
    assert "s3cret" not in repr(shown)
    assert shown.plan.display_name == "x"
    assert shown.live is not None
    assert (shown.live.id, shown.live.state, shown.live.spec["name"]) == ("1", "draft", "x")


def test_a_plan_stopped_while_it_is_led_back_is_left_alone() -> None:
    at = Situation(
        state="denied",
        goal=None,
        edited=False,
        facts=frozenset({"jobs"}),
        return_to="finish_planning",
    )
    assert route(LIFECYCLE, at).standing is Standing.STOPPED
