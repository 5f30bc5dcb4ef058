"""Lists, filters, deletion, copies (docs/servers/zadig.md §8)."""

from collections.abc import Iterator
from typing import Any

import pytest

from planops.sandbox.visits import MOMENT
from planops.sandbox.zadig.traits import Generation
from planops.sandbox.zadig.visitor import Visitor, visiting


@pytest.fixture
def zadig() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


def required(struct: str, field: str) -> str:
    return (
        f"Key: '{struct}.{field}' Error:Field validation for '{field}' failed on the 'required' tag"
    )


NUMBER, SIZE = (required("OpenAPIListReleasePlanOption", one) for one in ("PageNum", "PageSize"))


@pytest.mark.parametrize(
    ("query", "description"),
    [
        ("", f"{NUMBER}\n{SIZE}"),
        ("pageNum=1", SIZE),
        ("pageSize=1", NUMBER),
        ("pageNum=0&pageSize=1", NUMBER),
        ("pageNum=one&pageSize=1", 'strconv.ParseInt: parsing "one": invalid syntax'),
        ("pageNum=1.5&pageSize=1", 'strconv.ParseInt: parsing "1.5": invalid syntax'),
    ],
)
def test_page_and_size_are_required(zadig: Visitor, query: str, description: str) -> None:
    assert zadig.list(query).error == (400, description)


def test_empty_list(zadig: Visitor) -> None:
    assert zadig.list().body == b'{"list":[],"total":0}'


def test_list_members_byte_for_byte(zadig: Visitor) -> None:
    plan = zadig.create(name="n", description="d")
    assert zadig.list().body.decode() == (
        f'{{"list":[{{"id":"{plan}","index":1,"name":"n","manager":"patrick",'
        f'"description":"d","created_by":"admin","create_time":{MOMENT}}}],"total":1}}'
    )


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        ("pageNum=1&pageSize=2", [5, 4]),
        ("pageNum=3&pageSize=2", [1]),
        ("pageNum=4&pageSize=2", []),
        ("pageNum=1&pageSize=1000000", [5, 4, 3, 2, 1]),
        ("pageNum=7&pageSize=-1", [5, 4, 3, 2, 1]),
        ("pageNum=-1&pageSize=2", [5, 4, 3, 2, 1]),
    ],
)
def test_pages_run_from_the_newest(zadig: Visitor, query: str, indexes: list[int]) -> None:
    for _ in range(5):
        zadig.create()
    read = zadig.list(query).json
    assert [plan["index"] for plan in read["list"]] == indexes
    assert read["total"] == 5


def test_a_plan_made_between_two_pages_shifts_the_rest(zadig: Visitor) -> None:
    for _ in range(3):
        zadig.create()
    first = zadig.list("pageNum=1&pageSize=2").json["list"]
    zadig.create()
    second = zadig.list("pageNum=2&pageSize=2").json["list"]
    assert [plan["index"] for plan in first + second] == [3, 2, 2, 1]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("type=name&keyword=TRAIN", ["Train 2", "Train 1"]),
        ("type=name&keyword=n.1", ["Train 1"]),
        ("type=manager&keyword=ali", ["Other"]),
        ("type=status&keyword=cancel", ["Other"]),
        (f"type=update_time&keyword=1-{MOMENT + 1}", ["Train 2", "Train 1"]),
        # A bound of 0 bounds nothing.
        (f"type=update_time&keyword=0-{MOMENT + 1}", ["Other", "Train 2", "Train 1"]),
        ("type=nonsense&keyword=x", []),
    ],
)
def test_web_interface_filters(zadig: Visitor, query: str, names: list[str]) -> None:
    zadig.create(name="Train 1")
    zadig.create(name="Train 2")
    other = zadig.create(name="Other", manager="alice")
    zadig.sandbox.clock.advance(9)
    zadig.sandbox.edit(other, {"status": "cancel"})
    read = zadig.inside(f"GET ?pageNum=1&pageSize=9&{query}").json
    assert [plan["name"] for plan in read["list"]] == names
    assert read["total"] == len(names)


def test_web_interface_list_has_no_jobs_and_wants_a_type(zadig: Visitor) -> None:
    zadig.update(zadig.create(), jobs=[{"type": "text"}])
    read = zadig.inside("GET ?pageNum=1&pageSize=9&type=name").json
    assert read["list"][0]["jobs"] == []
    assert read["list"][0]["status"] == "planning"
    reply = zadig.inside("GET ?pageNum=1&pageSize=9")
    assert reply.error == (400, required("ListReleasePlanOption", "Type"))


@pytest.mark.parametrize("status", ["planning", "executing", "success"])
def test_delete_whatever_the_status(zadig: Visitor, status: str) -> None:
    plan = zadig.create()
    zadig.sandbox.edit(plan, {"status": status})
    assert zadig.inside(f"DELETE /{plan}", who="patrick").status == 200
    assert zadig.sandbox.plans() == ()
    assert len(zadig.inside(f"GET /{plan}/logs").json["list"]) == 2


WINDOW = "startTime=20&endTime=30"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("type=name&keyword=e", ["ends", "late", "early", "no date"]),
        (f"type=name&keyword=e&{WINDOW}", ["ends", "late"]),
        (f"type=manager&keyword=patrick&{WINDOW}", ["ends", "late"]),
        (f"type=update_time&keyword=1-{MOMENT}&{WINDOW}", ["ends", "late"]),
        (f"type=success_time&keyword=4-6&{WINDOW}", ["ends", "late"]),
        (f"type=status&keyword=planning&{WINDOW}", ["ends", "late", "early", "no date"]),
        ("type=name&keyword=e&startTime=20", ["ends", "late", "early", "no date"]),
        ("type=name&keyword=e&startTime=0&endTime=30", ["ends", "late", "early", "no date"]),
        (f"type=nonsense&{WINDOW}", []),
    ],
)
@pytest.mark.parametrize("generation", ["5.0", "4.1"])
def test_every_filter_but_that_by_status_has_a_window(
    generation: Generation, query: str, names: list[str]
) -> None:
    """A plan is within when its own window begins or ends there."""
    with visiting(generation) as zadig:
        for name, start, end in (("no date", 0, 0), ("early", 1, 19), ("late", 30, 40)):
            zadig.create(name=name, start_time=start, end_time=end)
        zadig.create(name="ends", start_time=1, end_time=20)
        for plan in zadig.sandbox.plans():
            zadig.sandbox.edit(plan["id"], {"success_time": 5})
        read = zadig.inside(f"GET ?pageNum=1&pageSize=9&{query}").json
    everything = ["ends", "late", "early", "no date"]
    expected = everything if generation == "4.1" and names else names
    assert sorted(plan["name"] for plan in read["list"]) == sorted(expected)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("type=name&keyword=(", "(Location51091) Regular expression is invalid: "),
        ("type=success_time&keyword=", "invalid success time range"),
        ("type=success_time&keyword=5", "invalid success time range"),
        ("type=success_time&keyword=1-2-3", "invalid success time range"),
        ("type=update_time&keyword=-5-6", "invalid update time range"),
        ("type=update_time&keyword=now", "invalid update time range"),
        (
            "type=update_time&keyword=x-6",
            'invalid update time start: strconv.ParseInt: parsing "x": invalid syntax',
        ),
        (
            "type=success_time&keyword=5-",
            'invalid success time end: strconv.ParseInt: parsing "": invalid syntax',
        ),
    ],
)
def test_filters_that_cannot_be_read(zadig: Visitor, query: str, text: str) -> None:
    status, said = zadig.inside(f"GET ?pageNum=1&pageSize=9&{query}").error
    assert (status, said[: len(text)]) == (500, text)


def test_bounds_of_the_window_are_numbers(zadig: Visitor) -> None:
    reply = zadig.inside("GET ?pageNum=1&pageSize=9&type=name&startTime=noon&endTime=1")
    assert reply.error == (400, 'strconv.ParseInt: parsing "noon": invalid syntax')


def test_delete_disarms_the_timer(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan, schedule_execute_time=MOMENT + 9, jobs=[{"type": "text"}])
    zadig.move(plan, "finish_planning", "executing")
    assert len(zadig.sandbox.timers()) == 1
    zadig.inside(f"DELETE /{plan}")
    assert zadig.sandbox.timers() == ()


def test_delete_needs_its_permission_and_a_plan(zadig: Visitor) -> None:
    assert zadig.inside(f"DELETE /{zadig.create()}", who="bob").status == 403
    reply = zadig.inside(f"DELETE /{'0' * 24}")
    assert reply.error == (500, "get plan: mongo: no documents in result")


def test_index_is_never_used_again(zadig: Visitor) -> None:
    zadig.inside(f"DELETE /{zadig.create()}")
    assert zadig.get(zadig.create())["index"] == 2


def test_copy_is_a_new_plan(zadig: Visitor) -> None:
    plan = zadig.create()
    zadig.update(plan, jobs=[{"name": "t", "type": "text", "spec": {"content": "c"}}])
    assert zadig.inside(f"POST /{plan}/copy", {"name": "Copy"}).status == 200
    old, new = zadig.sandbox.plans()
    assert (new["name"], new["index"], new["version"]) == ("Copy", 2, 1)
    assert new["jobs"][0]["spec"] == old["jobs"][0]["spec"]
    assert new["jobs"][0]["id"] != old["jobs"][0]["id"]
    assert zadig.inside(f"POST /{plan}/copy", {"name": ""}).status == 500


def test_large_numbers_of_plans(zadig: Visitor) -> None:
    for number in range(250):
        zadig.sandbox.insert_plan({"name": f"Plan {number}"})
    seen: list[Any] = []
    for page in (1, 2, 3):
        seen += zadig.list(f"pageNum={page}&pageSize=100").json["list"]
    assert len({plan["id"] for plan in seen}) == 250


@pytest.mark.parametrize("kind", ["success_time", "update_time"])
def test_ranges_are_sorted_by_the_last_edit(zadig: Visitor, kind: str) -> None:
    first, second, third = (zadig.create(name=name) for name in "abc")
    for plan, moment in ((second, 5), (first, 6), (third, 99)):
        zadig.sandbox.clock.advance(1)
        zadig.sandbox.edit(plan, {"success_time": moment})
    bounds = "5-6" if kind == "success_time" else f"{MOMENT + 1}-{MOMENT + 2}"
    read = zadig.inside(f"GET ?pageNum=1&pageSize=9&type={kind}&keyword={bounds}").json
    assert [plan["name"] for plan in read["list"]] == ["a", "b"]


def test_the_filter_by_status_has_no_window(zadig: Visitor) -> None:
    zadig.create()
    query = "type=status&keyword=planning&startTime=1&endTime=2"
    assert zadig.inside(f"GET ?pageNum=1&pageSize=9&{query}").json["total"] == 1
