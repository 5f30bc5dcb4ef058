"""Requests, steps, changes: canonical bytes, digests, fingerprints, names."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.values import URL, change, edge, live, plan, refusal, step
from planops.core.changes import (
    Cause,
    Change,
    ChangeKind,
    Delta,
    Request,
    StepKind,
    canonical,
    digest,
    fingerprint,
    kind_of,
)
from planops.core.lifecycle import Actor, Route, Standing
from planops.core.model import (
    ABSENT,
    JSON,
    Live,
    Mark,
    PlanKey,
    Source,
    escape,
    unescape,
)

VALUES: st.SearchStrategy[JSON] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


# ------------------------------------------------------------------------------ bytes and digests


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        ({"é": "中"}, '{"é":"中"}'),
        ("a b", '"a b"'),
        (1.0, "1.0"),
        ({}, "{}"),
    ],
)
def test_canonical_is_one_form_only(value: JSON, expected: str) -> None:
    assert canonical(value) == expected.encode()


@given(VALUES)
def test_canonical_loses_nothing(value: JSON) -> None:
    assert json.loads(canonical(value)) == value


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_canonical_does_not_depend_on_the_order_of_keys(value: dict[str, JSON]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical(turned) == canonical(value)
    assert digest(turned) == digest(value)


def test_canonical_takes_whatever_a_server_can_send() -> None:
    """JSON can escape half a surrogate pair; such a plan must still be comparable."""
    half: JSON = json.loads('"\\ud800"')
    assert len(digest(half)) == 64
    assert digest(half) != digest("")


def test_a_digest_is_sha256_in_hexadecimal() -> None:
    empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert digest({}) == empty


REQUEST = Request(method="PUT", path="/plans/1", query=(("a", "1"), ("b", "2")), body={"a": 1})


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, method="POST"),
        replace(REQUEST, path="/plans/2"),
        replace(REQUEST, query=()),
        replace(REQUEST, query=(("b", "2"), ("a", "1"))),
        replace(REQUEST, body=None),
        replace(REQUEST, body={"a": True}),
        replace(REQUEST, body={"a": 1, "b": None}),
    ],
)
def test_requests_that_differ_have_different_digests(other: Request) -> None:
    assert other.digest() != REQUEST.digest()
    assert replace(other).digest() == other.digest()


# ----------------------------------------------------------------------------------- fingerprints

SEEN = live("draft", name="Summer", note="x")
SHOWN = change(step(StepKind.UPDATE, body={"a": 1}), step(path="/plans/1/go"), there=SEEN)


def over(seen: Live) -> tuple[str, Change]:
    return URL, replace(SHOWN, live=seen)


DIFFERENT: dict[str, tuple[str, Change]] = {
    "the same": (URL, SHOWN),
    "address": (f"{URL}/", SHOWN),
    "name": (URL, replace(SHOWN, key=PlanKey(target="harbour", name="winter"))),
    "target": (URL, replace(SHOWN, key=PlanKey(target="other", name="summer"))),
    "id": over(replace(SEEN, id="2")),
    "state": over(replace(SEEN, state="ready")),
    "version": over(replace(SEEN, version=2)),
    "no version": over(replace(SEEN, version=None)),
    "a field": over(replace(SEEN, spec={"name": "Summer", "note": "y"})),
    "a field more": over(replace(SEEN, spec={"name": "Summer", "note": "x", "z": None})),
    "not there": (URL, replace(SHOWN, live=None)),
    "no steps": (URL, replace(SHOWN, steps=())),
    "fewer steps": (URL, replace(SHOWN, steps=SHOWN.steps[:1])),
    "another order": (URL, replace(SHOWN, steps=SHOWN.steps[::-1])),
    "a body": (URL, replace(SHOWN, steps=(step(body={"a": 2}), SHOWN.steps[1]))),
}


def test_a_fingerprint_covers_the_ground_and_the_steps() -> None:
    found = {name: fingerprint(url, shown) for name, (url, shown) in DIFFERENT.items()}
    for one, other in combinations(found, 2):
        assert found[one] != found[other], (one, other)
    assert all(len(f) == 16 and set(f) <= set("0123456789abcdef") for f in found.values())


@pytest.mark.parametrize(
    "same",
    [
        replace(SHOWN),
        replace(SHOWN, live=replace(SEEN, updated_at=9, updated_by="x", raw={"noise": 1})),
        replace(SHOWN, live=replace(SEEN, name="y", put_back=True, unseen={"/spec": "?"})),
        replace(SHOWN, notices=("who is next",), refusals=(refusal("past"),)),
        replace(SHOWN, deltas=(Delta(path="/spec/a", cause=Cause.EDIT),)),
        replace(SHOWN, kind=ChangeKind.CREATE, route=Route(standing=Standing.AHEAD)),
        replace(SHOWN, plan=plan(state="ready")),
        replace(SHOWN, steps=tuple(replace(s, summary="else") for s in SHOWN.steps)),
    ],
)
def test_a_fingerprint_depends_on_nothing_else(same: Change) -> None:
    assert fingerprint(URL, same) == fingerprint(URL, SHOWN)


# ---------------------------------------------------------------------------- steps and changes


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ((), ChangeKind.UNCHANGED),
        ((StepKind.TRANSITION,), ChangeKind.TRANSITION),
        ((StepKind.TRANSITION, StepKind.UPDATE), ChangeKind.UPDATE),
        ((StepKind.CREATE, StepKind.UPDATE, StepKind.TRANSITION), ChangeKind.CREATE),
        ((StepKind.CREATE, StepKind.DELETE), ChangeKind.DELETE),
    ],
)
def test_a_change_is_named_after_its_most_telling_step(
    kinds: tuple[StepKind, ...], expected: ChangeKind
) -> None:
    assert kind_of(tuple(step(kind) for kind in kinds)) is expected


def test_a_step_says_the_hazards_of_its_edge() -> None:
    assert step().hazards == ()
    assert replace(step(), edge=edge("a", "b", "mails people")).hazards == ("mails people",)


@pytest.mark.parametrize(
    ("standing", "next_actor", "parked"),
    [
        (Standing.WAITING, Actor.APPROVER, True),
        (Standing.STOPPED, None, True),
        (Standing.UNKNOWN, None, True),
        (Standing.REACHED, Actor.SERVER, True),
        (Standing.REACHED, None, False),
        (Standing.AHEAD, Actor.SERVER, False),
        (Standing.WALKING, Actor.SERVER, False),
        (Standing.UNMANAGED, None, False),
        (Standing.BLOCKED, None, False),
    ],
)
def test_a_plan_is_parked_where_somebody_else_is_next_and_nothing_is_left_to_do(
    standing: Standing, next_actor: Actor | None, *, parked: bool
) -> None:
    still = change(standing=standing, next_actor=next_actor)
    assert (still.parked, still.acts) == (parked, False)
    busy = replace(still, steps=(step(),))
    assert (busy.parked, busy.acts) == (False, True)


# ------------------------------------------------------------------------------------- the nouns


def test_the_nouns_say_what_they_are() -> None:
    assert repr(ABSENT) == "ABSENT"
    assert str(Mark(file="plans/a.yaml", line=3, column=5)) == "plans/a.yaml:3:5"
    assert str(PlanKey(target="harbour", name="summer")) == "harbour/summer"
    assert plan({"name": "Summer"}).display_name == "Summer"
    assert Source(file="a.yaml") == Source(file="a.yaml", document=0, line=1)


def test_keys_sort_by_target_and_then_by_name() -> None:
    keys = [PlanKey(target=t, name=n) for t, n in (("b", "a"), ("a", "b"), ("a", "a"))]
    assert [str(key) for key in sorted(keys)] == ["a/a", "a/b", "b/a"]


@given(st.text(alphabet="~/01a", max_size=6))
def test_escaping_is_undone_and_hides_the_separator(token: str) -> None:
    assert unescape(escape(token)) == token
    assert "/" not in escape(token)


ESCAPES: list[Callable[[str], str]] = [escape, unescape]


@pytest.mark.parametrize("function", ESCAPES)
def test_plain_names_stay_what_they_are(function: Callable[[str], str]) -> None:
    assert function("text:Announce") == "text:Announce"
