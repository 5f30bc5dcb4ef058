"""Masking: planted secrets are searched for in everything that a report is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.values import FLAG, SECRET, TEXT, a_list, a_set, an_object, change, keyed, step
from planops.core.changes import Cause, Delta
from planops.core.compare import compare
from planops.core.masking import (
    CREDENTIAL,
    MASK,
    keyed_digest,
    masked,
    masked_change,
    masked_delta,
    masked_text,
)
from planops.core.model import ABSENT, JSON, Value
from planops.core.shape import FREE

PLANTED = "s3cret"
secrets = st.integers(0, 9).map(lambda n: f"{PLANTED}-{n}")
words = st.sampled_from(["", "x", "y", "***"])
names = st.sampled_from(["a", "b", "value", "key", "is_credential/", "~"])
marks = st.sampled_from([True, 1, "true"])


def credentials(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    held = secrets | st.lists(secrets, max_size=2) | st.fixed_dictionaries({"deep": secrets})
    return st.fixed_dictionaries(
        {"value": held, CREDENTIAL: marks}, optional={"key": words, "more": inner}
    )


TREES: st.SearchStrategy[Any] = st.recursive(
    words | st.none() | st.booleans() | credentials(words),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3) | credentials(inner)
    ),
    max_leaves=8,
)


def same_but_masked(value: Any, seen: Any, *, secret: bool = False) -> None:
    """Whatever is no secret is as it was, and whatever is one is ``***`` and nothing else."""
    if secret:
        assert seen == MASK
    elif isinstance(value, dict):
        assert seen.keys() == value.keys()
        marked = bool(value.get(CREDENTIAL))
        for name, sub in value.items():
            same_but_masked(sub, seen[name], secret=marked and name == "value")
    elif isinstance(value, list):
        assert len(seen) == len(value)
        for one, other in zip(value, seen, strict=True):
            same_but_masked(one, other)
    else:
        assert seen == value


@given(TREES)
def test_credentials_are_masked_at_every_depth_and_nothing_else_is(value: Any) -> None:
    seen = masked(value)
    assert PLANTED not in repr(seen)
    same_but_masked(value, seen)
    assert masked(seen) == seen


SHAPE = an_object(
    plain=TEXT,
    token=SECRET,
    login=an_object(user=TEXT, password=SECRET, deeper=an_object(pin=SECRET)),
    rows=keyed(an_object(id=TEXT, key=SECRET), "id"),
    group=a_set(an_object(id=TEXT, key=SECRET), "id"),
    lines=a_list(SECRET),
    whole=replace(an_object(a=TEXT), sensitive=True),
    freely=replace(FREE, sensitive=True),
    vars=keyed(an_object(key=TEXT, value=TEXT, is_credential=FLAG), "key"),
)
row = st.fixed_dictionaries({"id": words}, optional={"key": secrets})
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "plain": words,
        "token": secrets,
        "login": st.fixed_dictionaries(
            {"user": words, "password": secrets, "deeper": st.fixed_dictionaries({"pin": secrets})}
        ),
        "rows": st.lists(row, max_size=3),
        "group": st.lists(row, max_size=3),
        "lines": st.lists(secrets, max_size=3),
        "whole": st.fixed_dictionaries({"a": secrets}),
        "freely": st.dictionaries(names, secrets, max_size=2),
        "vars": st.lists(
            st.fixed_dictionaries({"key": words, "value": secrets, CREDENTIAL: marks}),
            max_size=3,
        ),
        "unknown": TREES,
    },
)


@given(SPECS)
def test_nothing_that_the_schema_calls_sensitive_survives_in_a_body(spec: dict[str, JSON]) -> None:
    assert PLANTED not in repr(masked(spec, SHAPE))
    shown = masked_change(change(step(body=spec), step(body=None)), SHAPE)
    assert PLANTED not in repr(shown)
    assert shown.steps[1] == step(body=None)
    body = shown.steps[0].request.body
    assert isinstance(body, dict)
    assert body.keys() == spec.keys()


@settings(deadline=None)
@given(base=st.just(ABSENT) | TREES, desired=TREES, live=TREES)
def test_nothing_secret_survives_in_a_delta_of_free_form_json(
    base: Any, desired: JSON, live: JSON
) -> None:
    deltas = compare(FREE, base=base, desired=desired, live=live)
    assert PLANTED not in repr([masked_delta(delta) for delta in deltas])
    shown = masked_change(change(deltas=deltas), FREE)
    assert PLANTED not in repr(shown)
    assert [delta.path for delta in shown.deltas] == [delta.path for delta in deltas]


@pytest.mark.parametrize(("value", "seen"), [("", ""), (None, None), (0, MASK), (False, MASK)])
def test_an_empty_secret_is_shown_empty(value: JSON, seen: JSON) -> None:
    assert masked(value, SECRET) == seen
    assert masked([value, value], a_list(SECRET)) == [seen, seen]


@pytest.mark.parametrize("marked", [False, None, 0, ""])
def test_what_is_marked_as_no_credential_is_shown(marked: JSON) -> None:
    plain: JSON = {"key": "k", "value": "v", CREDENTIAL: marked}
    assert masked(plain) == plain


@pytest.mark.parametrize("values", [("a", "b", "c"), ("a", "a", "a"), (ABSENT, "a", ABSENT)])
def test_a_sensitive_delta_says_that_there_is_a_change_and_not_of_what(
    values: tuple[Value, Value, Value],
) -> None:
    base, desired, held = values
    delta = Delta(
        path="/spec/token", cause=Cause.EDIT, base=base, desired=desired, live=held, sensitive=True
    )
    seen = masked_delta(delta)
    wanted = tuple(
        ABSENT if value is ABSENT else mask
        for value, mask in zip(values, (MASK, f"{MASK} (after)", f"{MASK} (before)"), strict=True)
    )
    assert (seen.base, seen.desired, seen.live) == wanted
    assert (seen.path, seen.cause, seen.sensitive) == ("/spec/token", Cause.EDIT, True)


def test_a_plain_delta_is_shown_as_it_is() -> None:
    delta = Delta(path="/spec/a", cause=Cause.DRIFT, base=ABSENT, desired=None, live=[1, {"a": 2}])
    assert masked_delta(delta) == delta


def test_a_keyed_digest_can_only_be_tested_by_who_holds_the_key() -> None:
    body: JSON = {"token": "s3cret", "a": 1}
    one, other = keyed_digest(b"one", body), keyed_digest(b"other", body)
    assert one != other
    assert keyed_digest(b"one", {"a": 1, "token": "s3cret"}) == one
    assert keyed_digest(b"one", {"a": 1, "token": "s3cret-2"}) != one
    assert len(one) == len(other) == 64
    assert "s3cret" not in one


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("the server refused: bad value s3cret-one", "the server refused: bad value ***"),
        ('bad "s3cret\\"two"', 'bad "***"'),
        ("bad s3cret-…; bad s3cre…; bad s3c…", "bad ***…; bad ***…; bad s3c…"),
        ("s3cret-one-and-more", "***"),
        ("no such key: x12", "no such key: x12"),
    ],
)
def test_a_sentence_repeats_no_secret_however_it_is_cut(said: str, seen: str) -> None:
    secrets = frozenset({"s3cret-one", "s3cret-one-and-more", 's3cret"two', "x12"})
    assert masked_text(said, secrets) == seen
