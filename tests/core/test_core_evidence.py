"""What a plan must hold to be the one that a record or an intent speaks of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.ferry import LIFECYCLE, SHAPE
from core.ledgers import RECORD
from core.values import live
from planops.core.compare import overlay
from planops.core.evidence import bears_out, led_back, unexplained
from planops.core.model import ABSENT, JSON, Live, Value, is_unset

SPEC: dict[str, JSON] = {"name": "Summer", "captain": "ann", "note": "calm"}
KEPT = replace(RECORD, name="Summer", spec=SPEC, echo=SPEC)
EMPTY: dict[str, JSON] = {"name": "", "captain": "", "closes": 0, "note": "", "jobs": []}
JOB: JSON = {"type": "text", "name": "Load", "spec": {"text": "cars", "data": None}}


def held(spec: dict[str, JSON], name: str = "Summer") -> Live:
    """A plan that holds this, and nothing else."""
    return replace(live(), name=name, spec={**EMPTY, **spec})


def test_a_plan_of_the_recorded_name_is_it_whatever_else_was_changed() -> None:
    assert bears_out(SHAPE, KEPT, held({"captain": "bob"}, " Summer "))


@pytest.mark.parametrize(
    ("echo", "spec", "is_it"),
    [
        (SPEC, SPEC, True),
        (SPEC, {**SPEC, "captain": "bob"}, False),
        (SPEC, {**SPEC, "closes": 7}, True),
        ({"name": "Summer", "captain": "ann"}, SPEC, False),
        ({"name": "Summer", "captain": "ann", "note": "", "jobs": []}, {**SPEC, "note": ""}, False),
        ({}, SPEC, False),
    ],
    ids=[
        "all as recorded",
        "a field differs too",
        "what was never declared",
        "one field is too little",
        "empty fields tell nothing",
        "nothing is recorded",
    ],
)
def test_a_renamed_plan_is_known_by_everything_else(
    echo: dict[str, JSON], spec: dict[str, JSON], *, is_it: bool
) -> None:
    assert bears_out(SHAPE, replace(KEPT, echo=echo), held(spec, "Winter")) is is_it


@pytest.mark.parametrize(
    ("declared", "there", "strange"),
    [
        (SPEC, SPEC, ()),
        (SPEC, {"name": "Summer"}, ()),
        ({**SPEC, "jobs": [JOB]}, SPEC, ()),
        (SPEC, {**SPEC, "note": "rough"}, ("/spec/note",)),
        ({**SPEC, "note": "a & b\nc"}, {**SPEC, "note": "<p>a &amp; b</p><p>c</p>"}, ()),
        (SPEC, {**SPEC, "note": "<p>calm, rough</p>"}, ("/spec/note",)),
        ({**SPEC, "note": "1 < 2"}, {**SPEC, "note": "1 > 2"}, ("/spec/note",)),
        (SPEC, {**SPEC, "jobs": [JOB]}, ("/spec/jobs/text:Load",)),
        (SPEC, {**SPEC, "closes": 7}, ("/spec/closes",)),
    ],
    ids=[
        "all",
        "half",
        "no jobs yet",
        "another value",
        "the same in HTML",
        "another value in HTML",
        "signs that are no markup",
        "a job more",
        "an undeclared field",
    ],
)
def test_what_the_file_does_not_explain_is_named(
    declared: dict[str, JSON], there: dict[str, JSON], strange: tuple[str, ...]
) -> None:
    made = overlay(SHAPE, EMPTY, declared)
    assert unexplained(SHAPE, made, held(there), frozenset()) == strange


def test_what_the_server_does_not_let_us_see_is_not_strange() -> None:
    at = replace(held({"captain": "bob"}), unseen={"/spec/captain": "no right"})
    assert unexplained(SHAPE, {**EMPTY, **SPEC}, at, frozenset()) == ()


def test_what_follows_from_a_declared_field_is_not_strange() -> None:
    made = {**EMPTY, "name": "Summer"}
    assert unexplained(SHAPE, made, held(SPEC), {"captain", "note"}) == ()
    told = {**made, "captain": "bob"}
    assert unexplained(SHAPE, told, held(SPEC), {"captain", "note"}) == ("/spec/captain",)


@pytest.mark.parametrize(
    ("goal", "state", "back"),
    [
        (None, None, None),
        (None, "ready", "ready"),
        (None, "boarding", None),
        (None, "draft", None),
        ("boarding", "boarding", "boarding"),
        ("sailing", "boarding", "boarding"),
        ("ready", "boarding", None),
        ("scrapped", "boarding", None),
        ("sailing", "scrapped", None),
        ("sailing", "unheard of", None),
        ("sailing", "sailing", "sailing"),
    ],
)
def test_a_plan_is_led_back_to_no_more_than_its_file_asks_for(
    goal: str | None, state: str | None, back: str | None
) -> None:
    assert led_back(LIFECYCLE, goal, state) == back


@pytest.mark.parametrize("value", [ABSENT, None, "", 0, False, [], {}, {"a": [{"b": ""}]}])
def test_values_that_say_nothing(value: Value) -> None:
    assert is_unset(value)


@pytest.mark.parametrize("value", ["0", 1, True, [1], {"a": [{"b": "c"}]}])
def test_values_that_say_something(value: Value) -> None:
    assert not is_unset(value)
