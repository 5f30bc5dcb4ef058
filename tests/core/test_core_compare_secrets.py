"""What the comparison tells of secrets, and of a plan that is to be made: nothing to be read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.values import (
    EVERYTHING,
    FLAG,
    SECRET,
    TEXT,
    an_object,
    keyed,
)
from planops.core.changes import Cause, Delta
from planops.core.compare import compare, declared
from planops.core.masking import masked_delta
from planops.core.model import ABSENT, JSON, Value
from planops.core.shape import FREE, Kind, Shape

# --------------------------------------------------------------------------------------- secrets


def told(deltas: Sequence[Delta]) -> str:
    return repr([masked_delta(delta) for delta in deltas])


def test_a_sensitive_field_is_masked_and_still_shows_as_changed() -> None:
    (delta,) = compare(
        an_object(f=SECRET),
        base={"f": "s3cret-0"},
        desired={"f": "s3cret-1"},
        live={"f": "s3cret-2"},
    )
    assert delta.sensitive
    assert "s3cret" not in told([delta])
    assert masked_delta(delta).desired != masked_delta(delta).live


CREDENTIAL = an_object(key=TEXT, value=TEXT, is_credential=FLAG)
MARKED: JSON = {"key": "k", "value": "s3cret", "is_credential": True}
PLAIN: JSON = {"key": "k", "value": "s3cret-too", "is_credential": False}
BARE: JSON = {"key": "k", "value": "s3cret-too"}


@pytest.mark.parametrize("shape", [CREDENTIAL, FREE])
@pytest.mark.parametrize(
    ("base", "desired", "live"),
    [
        (ABSENT, BARE, MARKED),
        (ABSENT, MARKED, PLAIN),
        (MARKED, BARE, {"key": "k", "value": "s3cret-3", "is_credential": False}),
        (MARKED, {"key": "k", "value": "s3cret-new", "is_credential": True}, MARKED),
    ],
)
@pytest.mark.parametrize("deep", [False, True])
def test_the_value_of_a_credential_is_masked_whichever_side_says_so(
    shape: Shape, base: Value, desired: JSON, live: JSON, *, deep: bool
) -> None:
    if deep:
        shape = an_object(o=shape)
        base, desired, live = (
            ABSENT if base is ABSENT else {"o": base},
            {"o": desired},
            {"o": live},
        )
    deltas = compare(shape, base=base, desired=desired, live=live)
    path = "/spec/o/value" if deep else "/spec/value"
    assert [d.sensitive for d in deltas if d.path == path] == [True]
    assert "s3cret" not in told(deltas)


@pytest.mark.parametrize("rows", [[{"key": "a"}, BARE], [], [MARKED]])
def test_a_credential_inside_free_form_lists_is_masked(rows: list[JSON]) -> None:
    held: JSON = {"vars": [{"key": "a"}, MARKED]}
    deltas = compare(FREE, base=ABSENT, desired={"vars": rows}, live=held)
    assert "s3cret" in repr(deltas)
    assert "s3cret" not in told(deltas)


def test_a_credential_below_a_credentials_value_is_masked() -> None:
    held: JSON = {"value": {"deep": "s3cret"}, "is_credential": True}
    deltas = compare(FREE, base=ABSENT, desired={"value": {"deep": "s3cret-2"}}, live=held)
    assert deltas[-1].path == "/spec/value/deep"
    assert "s3cret" not in told(deltas)


# -------------------------------------------------------------------------------------- declared


def test_what_a_file_declares_is_listed_field_by_field() -> None:
    spec: JSON = {
        "title": "x",
        "count": 0,
        "options": {"on": True},
        "jobs": [{"type": "t", "name": "a/b", "spec": {"text": "y", "data": {"k": 1}}}],
        "users": [{"id": "u"}, {"id": "v", "role": "r"}],
        "tags": ["b", "a"],
        "steps": [],
        "extra": {},
    }
    found = declared(EVERYTHING, spec)
    assert all((d.cause, d.base, d.live) == (Cause.EDIT, ABSENT, ABSENT) for d in found)
    assert {d.path: d.desired for d in found} == {
        "/spec/title": "x",
        "/spec/count": 0,
        "/spec/options/on": True,
        "/spec/jobs/t:a~1b/spec/text": "y",
        "/spec/jobs/t:a~1b/spec/data": {"k": 1},
        "/spec/users/u": {"id": "u"},
        "/spec/users/v/role": "r",
        "/spec/tags": ["b", "a"],
        "/spec/steps": [],
        "/spec/extra": {},
    }


@pytest.mark.parametrize("empty", [{}, []])
def test_what_is_declared_empty_is_listed_as_it_is(empty: JSON) -> None:
    shape = an_object(x=TEXT) if empty == {} else keyed(an_object(id=TEXT), "id")
    assert [(d.path, d.desired) for d in declared(shape, empty)] == [("/spec", empty)]


def test_what_is_declared_of_items_without_a_form_is_listed_too() -> None:
    bare = Shape(kind=Kind.KEYED, type="array", key=("id",))
    found = declared(bare, [{"id": "a", "v": 1}, "odd"])
    assert {d.path: d.desired for d in found} == {"/spec/a": {"v": 1}, "/spec/odd": "odd"}


def test_secrets_that_a_file_declares_are_masked() -> None:
    shape = an_object(f=SECRET, vars=keyed(CREDENTIAL, "key"), j=FREE)
    found = declared(shape, {"f": "s3cret", "vars": [MARKED], "j": {"deep": [MARKED]}})
    assert len(found) == 3
    assert "s3cret" not in told(found)
