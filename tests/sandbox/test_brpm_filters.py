"""Filters: their spellings, their names, and how far they can be trusted (§3)."""

from collections.abc import Iterator

import pytest

from planops.sandbox.brpm.queries import nested
from planops.sandbox.brpm.visitor import Visitor, visiting


@pytest.fixture
def brpm() -> Iterator[Visitor]:
    with visiting() as visitor:
        fill(visitor)
        yield visitor


def fill(brpm: Visitor) -> None:
    """Three plans beside the sample."""
    brpm.create(name="Second", release_id=1, release_date="2026-12-01", team_ids=[2, 3])
    brpm.create(name="second", plan_template_id=2, release_manager_id=3)
    third = brpm.create(name="Third & last", plan_template_id=2)
    brpm.sandbox.edit(third, {"foreign_id": "CRQ1", "project_server_id": 9})
    brpm.move(2, "plan_it")


def ids(brpm: Visitor, query: str) -> list[int]:
    reply = brpm.call(f"GET /v1/plans?{query}")
    return [] if reply.status == 404 else [one["id"] for one in reply.json]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 2, 3, 4]),
        ("&", [1, 2, 3, 4]),
        ("filters[name]=Sample%20Plan", [1]),
        ("filters[name]=Sample+Plan", [1]),
        ("filters%5Bname%5D=Sample%20Plan", [1]),
        ("filters%5bname%5d=Third%20%26%20last", [4]),
        ("filters[name]=Sample%20Plan&&", [1]),
        ("&filters[plan_template_id]=2&&filters[aasm_state]=created&", [3, 4]),
        ("filters[name]=Second&filters[aasm_state]=created", []),
        ("filters[aasm_state][]=planned&filters[aasm_state][]=created", [1, 2, 3, 4]),
        ("filters%5Baasm_state%5D%5B%5D=planned", [2]),
        ("filters[name]=Second&filters[name]=Third%20%26%20last", [4]),
        ("filters[name]=", []),
        ("filters=name", [1, 2, 3, 4]),
        ("filters[colour]=red", [1, 2, 3, 4]),
    ],
)
def test_spellings(brpm: Visitor, query: str, expected: list[int]) -> None:
    assert ids(brpm, query) == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("aasm_state", "planned", [2]),
        ("app_id", "1", [1]),
        ("environment_id", "3", [1]),
        ("foreign_id", "CRQ1", [4]),
        ("name", "Second", [2]),
        ("plan_template_id", "1", [1, 2]),
        ("plan_type", "release_plan", [3, 4]),
        ("project_server_id", "9", [4]),
        ("release_date", "2012-10-31", [1]),
        ("release_id", "1", [2]),
        ("release_manager_id", "3", [3]),
        ("stage_id", "5", [3, 4]),
        ("team_id", "3", [2]),
    ],
)
def test_each_documented_filter(brpm: Visitor, name: str, value: str, expected: list[int]) -> None:
    assert ids(brpm, f"filters[{name}]={value}") == expected
    assert ids(brpm, f"filters[{name}]=nothing-of-the-kind") == []


@pytest.mark.parametrize(
    ("filters", "expected"), [("exact", [3]), ("loose", [2, 3]), ("ignored", [1, 2, 3, 4])]
)
def test_how_filters_are_matched(brpm: Visitor, filters: str, expected: list[int]) -> None:
    brpm.sandbox.switch(filters=filters)
    assert ids(brpm, "filters[name]=second") == expected


def archive(brpm: Visitor) -> None:
    brpm.move(2, "start", "finish", "archive")


def test_archived_plans_hide_and_keep_their_names(brpm: Visitor) -> None:
    archive(brpm)
    assert ids(brpm, "") == [1, 3, 4]
    assert ids(brpm, "filters[name]=Second") == []
    assert brpm.post(name="Second").json == {"name": ["has already been taken"]}
    assert ids(brpm, "filters[aasm_state]=archived&filters[name]=Second") == [2]
    assert ids(brpm, "filters[aasm_state][]=archived&filters[aasm_state][]=created") == [1, 2, 3, 4]
    assert brpm.get(2)["aasm_state"] == "archived"


def test_archived_plans_need_not_hide(brpm: Visitor) -> None:
    archive(brpm)
    brpm.sandbox.switch(hide_archived=False)
    assert ids(brpm, "") == [1, 2, 3, 4]


def test_archived_plans_hide_where_filters_are_ignored(brpm: Visitor) -> None:
    archive(brpm)
    brpm.sandbox.switch(filters="ignored")
    assert ids(brpm, "filters[aasm_state]=archived") == [1, 3, 4]


def test_states_are_filtered_as_they_are_spelt(brpm: Visitor) -> None:
    archive(brpm)
    brpm.sandbox.switch(states={"archived": "plan_archived", "created": "new"})
    assert ids(brpm, "filters[aasm_state]=plan_archived") == [2]
    assert ids(brpm, "filters[aasm_state]=archived") == []
    assert ids(brpm, "filters[aasm_state]=new") == [1, 3, 4]


def test_a_list_is_by_id_and_a_name_is_whole(brpm: Visitor) -> None:
    assert ids(brpm, "filters[name]=Sample") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("a=1&a=2&b", {"a": "2", "b": ""}),
        ("a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        ("a=1&a[b]=2&a[]=3", {"a": "1"}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a=%FF", {"a": "\ufffd"}),
    ],
)
def test_nesting(text: str, expected: object) -> None:
    assert nested(text) == expected
