"""Names against BRPM: of other things, looked up and compared here; of plans, whoever has them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from planops import reconcile
from planops.backends.exchange import Request, Response
from planops.core.changes import Cause
from planops.core.report import Outcome
from planops.errors import Garbled, NotAllowed, ServerSaidNo
from planops.sandbox.brpm import Fault
from run.brpm_world import PLANS, TEMPLATE, World, attributes, event, plan, world
from run.ledgers import MemoryLedger, MovingClock, kept
from run.world import Through, applied, apply_one, asked, guards, look, outcomes, why

ODD = '100% "A&B" + C/D #1?'
Transport = Callable[[Any], Through]


@pytest.fixture
def brpm() -> Iterator[World]:
    with world() as made:
        yield made


def forbid(brpm: World, *resources: str) -> None:
    """Let the token look up nothing of these."""
    for resource in resources:
        brpm.sandbox.faults.add(Fault("status-before", path=resource, nth=None, status=403))


def rows(change: Callable[[dict[str, Any]], object]) -> Transport:
    """A transport in which every plan that is read looks otherwise."""

    class Changed(Through):
        def read(self, request: Request) -> Response:
            answer = super().read(request)
            if not request.path.startswith(PLANS) or answer.status != 200:
                return answer
            read: Any = answer.json()
            for one in read if isinstance(read, list) else [read]:
                change(one)
            return replace(answer, body=json.dumps(read).encode())

    return Changed


# -------------------------------------------------------------------------- what nothing has


UNKNOWN = [
    ({"plan_template_name": "Standrd"}, "plan template", "Standrd", "plan_template_name"),
    ({"release_name": "e-finance 1.0"}, "release", "e-finance 1.0", "release_name"),
    ({"release_manager": "patric"}, "user", "patric", "release_manager"),
    ({"release_manager": "example.com"}, "user", "example.com", "release_manager"),
    ({"release_manager": "Patrick Planner"}, "user", "Patrick Planner", "release_manager"),
    ({"teams": ["Payments", "Pay"]}, "team", "Pay", "teams"),
    ({"teams": [ODD]}, "team", ODD, "teams"),
]


@pytest.mark.parametrize("filters", ["exact", "loose", "ignored"])
@pytest.mark.parametrize(("spec", "title", "name", "field"), UNKNOWN)
def test_a_name_that_nothing_has_is_refused_before_any_write(
    spec: dict[str, Any], title: str, name: str, field: str, filters: str
) -> None:
    with world(filters=filters) as brpm:
        brpm.plant("there")
        for key in ("train", "there"):
            report = apply_one(brpm.target(), plan(key, **spec), asked(everything=True))
            assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"reference"})
            assert why(report) == f"the server has no {title} named {name}; correct {field}"
            assert report.change.refusals[0].lift == ""
        assert brpm.writes() == []


@pytest.mark.parametrize("empty", ["404", "null", "[]"])
def test_an_empty_list_of_names_is_one_however_it_is_spelt(empty: str) -> None:
    with world(empty=empty) as brpm:
        report = apply_one(brpm.target(), plan(teams=["Nobody"]))
        assert why(report) == "the server has no team named Nobody; correct teams"


def test_a_name_that_nothing_has_is_no_matter_where_nothing_is_written(brpm: World) -> None:
    id_ = brpm.plant(aasm_state="planned", team_ids=[2])
    brpm.sandbox.put_record("team", {"id": 9, "name": "Gone"})
    brpm.sandbox.edit(id_, {"team_ids": [9]})
    brpm.sandbox.remove_record("team", 9)
    report = apply_one(brpm.target(), plan(state="started"))
    assert report.outcome is Outcome.APPLIED
    assert brpm.writes() == [event(id_, "start")]


def test_every_name_is_looked_up_once_a_run(brpm: World) -> None:
    plans = [
        plan(name, teams=["Payments", "Checkout"], release_manager="alice") for name in ("a", "b")
    ]
    plans.append(plan("c", teams=["Payments"], release_manager="bob"))
    look(brpm.target(concurrency=4), plans, asked())
    asked_for = [call for call in brpm.calls() if PLANS not in call]
    assert sorted(asked_for) == [
        "GET /v1/plan_templates?filters%5Bname%5D=Sample%20Deploy%20Template",
        "GET /v1/teams?filters%5Bname%5D=Checkout",
        "GET /v1/teams?filters%5Bname%5D=Payments",
        "GET /v1/users?filters%5Bkeyword%5D=alice",
        "GET /v1/users?filters%5Bkeyword%5D=bob",
    ]


# --------------------------------------------------------------------------- what several have


AMBIGUOUS = [
    ("team", {"teams": ["Payments"]}, "Payments", "2 and 9", "team_ids"),
    ("release", {"release_name": "E-Finance 1.1"}, "E-Finance 1.1", "2 and 9", "release_id"),
    ("plan template", {"plan_template_name": TEMPLATE}, TEMPLATE, "1 and 9", "plan_template_id"),
    ("user", {"release_manager": "alice"}, "alice", "3 and 9", "release_manager_id"),
]


def double(brpm: World, title: str, name: str) -> None:
    match title:
        case "team":
            brpm.sandbox.put_record("team", {"id": 9, "name": name})
        case "release":
            brpm.sandbox.put_record("release", {"id": 9, "name": name})
        case "plan template":
            brpm.sandbox.put_record("plan_template", {"id": 9, "name": name, "stages": []})
        case _:
            brpm.sandbox.put_record("user", {"id": 9, "login": "al", "email": name})


@pytest.mark.parametrize(("title", "spec", "name", "ids", "instead"), AMBIGUOUS)
def test_a_name_that_two_have_is_refused_with_both_ids(
    brpm: World, title: str, spec: dict[str, Any], name: str, ids: str, instead: str
) -> None:
    double(brpm, title, name)
    report = apply_one(brpm.target(), plan(description="Ours", **spec))
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"reference"})
    assert why(report) == f"several have the name {name}, as {title}: {ids}; write {instead}"
    assert brpm.writes() == []


def test_a_name_that_two_have_is_no_matter_where_either_is_there(brpm: World) -> None:
    double(brpm, "team", "Payments")
    for name, team in (("a", 2), ("b", 9)):
        brpm.plant(name, team_ids=[team])
        report = apply_one(brpm.target(), plan(name, teams=["Payments"]))
        assert (report.outcome, report.change.deltas) == (Outcome.UNCHANGED, ())


def test_a_name_in_other_letters_is_another_name(brpm: World) -> None:
    brpm.sandbox.put_record("team", {"id": 9, "name": "PAYMENTS"})
    brpm.sandbox.switch(filters="loose")
    assert apply_one(brpm.target(), plan(teams=["Payments"])).outcome is Outcome.APPLIED
    assert brpm.sandbox.plan(2)["team_ids"] == [2]


# ------------------------------------------------------------------ where the token may not look


@pytest.mark.parametrize(
    ("resource", "spec", "said"),
    [
        (
            "teams",
            {"teams": ["Payments"]},
            "the token may not look up the team Payments; write team_ids instead of teams",
        ),
        (
            "users",
            {"release_manager": "alice"},
            (
                "the token may not look up the user alice;"
                " write release_manager_id instead of release_manager"
            ),
        ),
    ],
)
def test_what_the_token_may_not_look_up_and_the_server_does_not_is_refused(
    brpm: World, resource: str, spec: dict[str, Any], said: str
) -> None:
    forbid(brpm, resource)
    report = apply_one(brpm.target(), plan(**spec))
    assert (report.outcome, guards(report)) == (Outcome.REFUSED, {"reference"})
    assert why(report) == said
    assert brpm.writes() == []


def test_what_the_server_looks_up_itself_is_left_to_it(brpm: World) -> None:
    forbid(brpm, "plan_templates", "releases")
    wanted = plan(release_name="E-Finance 1.0")
    assert apply_one(brpm.target(), wanted).outcome is Outcome.APPLIED
    assert apply_one(brpm.target(), wanted).outcome is Outcome.UNCHANGED
    changed = plan(release_name="E-Finance 1.1")
    assert apply_one(brpm.target(), changed).outcome is Outcome.APPLIED
    assert brpm.writes() == [
        (
            "POST",
            PLANS,
            {
                "plan": {
                    "name": "train",
                    "plan_template_name": TEMPLATE,
                    "release_name": "E-Finance 1.0",
                }
            },
        ),
        attributes(2, release_name="E-Finance 1.1"),
    ]
    report = apply_one(brpm.target(), plan(release_name="Nothing"))
    assert report.outcome is Outcome.FAILED
    assert report.error == (
        f"PUT {PLANS}/2: the server refused: release_name was not found; mend the file"
    )


def test_teams_are_compared_by_the_names_that_the_server_shows(brpm: World) -> None:
    forbid(brpm, "teams")
    brpm.plant(team_ids=[3, 2])
    report = apply_one(brpm.target(), plan(teams=["Payments", "Checkout"]))
    assert (report.outcome, report.change.deltas) == (Outcome.UNCHANGED, ())


def test_a_manager_that_cannot_be_compared_is_unknown_and_never_written(brpm: World) -> None:
    forbid(brpm, "users")
    id_ = brpm.plant(release_manager_id=2, aasm_state="planned")
    report = apply_one(brpm.target(), plan(release_manager="patrick", state="started"))
    (delta,) = report.change.deltas
    assert (delta.path, delta.cause, delta.live) == ("/spec/release_manager", Cause.UNKNOWN, "2")
    assert delta.note == "the server shows only an id, and the token may not look up the user"
    assert report.outcome is Outcome.APPLIED
    assert brpm.writes() == [event(id_, "start")]


def test_what_cannot_be_compared_is_not_sent_along_with_what_can(brpm: World) -> None:
    """Another template would be another plan, and nobody was asked (§4.2)."""
    forbid(brpm, "plan_templates", "releases")
    id_ = brpm.plant(plan_template_id=2, release_id=1)

    def bare(row: dict[str, Any]) -> None:
        row["plan_template"], row["release"] = {"id": row["plan_template_id"]}, {}

    target = brpm.target(through=rows(bare))
    wanted = plan(description="Ours", release_name="E-Finance 1.1")
    _, changes = look(target, [wanted], asked())
    causes = {delta.path: delta.cause for delta in changes.changes[0].deltas}
    assert causes == {
        "/spec/description": Cause.EDIT,
        "/spec/plan_template_name": Cause.UNKNOWN,
        "/spec/release_name": Cause.UNKNOWN,
    }
    assert apply_one(target, wanted).outcome is Outcome.APPLIED
    assert brpm.writes() == [attributes(id_, description="Ours")]


@pytest.mark.parametrize("status", [401, 500])
def test_a_look_up_that_fails_otherwise_ends_the_run_before_any_write(
    brpm: World, status: int
) -> None:
    fault = Fault("status-before", path="teams", nth=None, status=status, body=b"<html>Sorry")
    brpm.sandbox.faults.add(fault)
    with pytest.raises(ServerSaidNo) as caught:
        look(brpm.target(), [plan(teams=["Payments"])], asked())
    assert str(caught.value) == (
        f'GET /v1/teams: the server answered {status}, saying "<html>Sorry"; try again later'
    )
    assert brpm.writes() == []


# ------------------------------------------------------------------------------ names of plans


def test_a_name_that_an_archived_plan_holds_is_that_plans(brpm: World) -> None:
    brpm.plant(aasm_state="archived")
    report = apply_one(brpm.target(), plan(state="started"))
    assert report.outcome is Outcome.UNCHANGED
    assert report.change.notices == ("the plan is in archived, beyond its goal started",)
    assert brpm.writes() == []


@pytest.mark.parametrize("name", ["train", ODD])
def test_a_name_held_by_a_plan_that_no_list_shows_is_told_and_not_tried_again(name: str) -> None:
    with world(filters="ignored") as brpm:  # so that archived plans are in no list at all
        brpm.plant(name, aasm_state="archived")
        report = apply_one(brpm.target(), plan("t", name=name, state="planned"))
        assert report.outcome is Outcome.FAILED
        assert report.error == (
            f"POST {PLANS}: the name {name!r} is taken by a plan that no list shows;"
            " choose another name"
        )
        assert [method for method, *_ in brpm.writes()] == ["POST"]


@pytest.mark.parametrize("filters", ["exact", "loose"])
@pytest.mark.parametrize(("name", "state"), [("other", "started"), (ODD, "archived")])
def test_a_name_that_was_taken_meanwhile_is_told_with_its_holder(
    name: str, state: str, filters: str
) -> None:
    with world(filters=filters) as brpm:

        def take() -> None:
            brpm.plant(name.upper() + "!", aasm_state=state)
            brpm.plant(name, aasm_state=state)

        brpm.sandbox.faults.add(Fault("edit-before", method="POST", edit=take))
        report = apply_one(brpm.target(), plan("t", name=name))
        assert report.outcome is Outcome.FAILED
        assert report.error == (
            f"POST {PLANS}: the name {name!r} is taken by 3 ({state}); choose another name"
        )
        assert [method for method, *_ in brpm.writes()] == ["POST"]


def test_a_refusal_of_another_field_is_told_as_it_is(brpm: World) -> None:
    report = apply_one(brpm.target(), plan(release_id=99, plan_template_id=77))
    assert report.outcome is Outcome.FAILED
    assert report.error == (
        f"POST {PLANS}: the server refused: plan_template_id is invalid; release_id is invalid;"
        " mend the file"
    )


# --------------------------------------------------------------------------------- the list


SHOWN = (
    "name",
    "description",
    "aasm_state",
    "plan_template_id",
    "release_id",
    "release_manager_id",
    "release_date",
    "teams",
)


def reads(brpm: World) -> list[str]:
    return [call for call in brpm.calls() if call.startswith(f"GET {PLANS}/")]


@pytest.mark.parametrize("key", SHOWN[1:])
def test_a_row_that_lacks_a_key_is_read_in_full(brpm: World, key: str) -> None:
    """To-one associations may be absent rather than null, and lists differ (§4.8, §4.9)."""
    id_ = brpm.plant(
        description="Ours",
        release_id=1,
        release_manager_id=2,
        release_date="2026-12-01",
        team_ids=[2],
    )

    class Short(Through):
        def read(self, request: Request) -> Response:
            answer = super().read(request)
            if request.path != PLANS or answer.status != 200:
                return answer
            read: Any = answer.json()
            for row in read:
                row.pop(key)
            return replace(answer, body=json.dumps(read).encode())

    wanted = plan(
        state="created",
        description="Ours",
        release_id=1,
        release_manager="patrick",
        release_date="2026-12-01",
        teams=["Payments"],
    )
    report = apply_one(brpm.target(through=Short), wanted)
    assert (report.outcome, report.change.deltas) == (Outcome.UNCHANGED, ())
    assert reads(brpm) == [f"GET {PLANS}/{id_}"]


def test_a_whole_row_stands_for_its_plan(brpm: World) -> None:
    brpm.plant()
    assert apply_one(brpm.target(), plan(state="created")).outcome is Outcome.UNCHANGED
    assert reads(brpm) == []


@pytest.mark.parametrize("filters", ["exact", "loose", "ignored"])
def test_a_plan_is_listed_once_however_filters_are_honoured(filters: str) -> None:
    with world(filters=filters, hide_archived=False) as brpm:
        brpm.plant()
        brpm.plant("old", aasm_state="archived")
        sight, changes = look(brpm.target(), [plan(state="planned")], asked())
        assert [stub.id for stub in sight.inventory.stubs] == ["3", "2", "1"]
        assert sight.inventory.high_water == 3
        assert changes.unmanaged == 2
        assert apply_one(brpm.target(), plan(state="planned")).outcome is Outcome.APPLIED


@pytest.mark.parametrize("empty", ["404", "null", "[]"])
def test_a_server_without_plans_is_believed_where_it_lists_users(empty: str) -> None:
    with world(empty=empty) as brpm:
        brpm.sandbox.remove_plan(1)
        report = apply_one(brpm.target(), plan(state="planned"))
        assert report.outcome is Outcome.APPLIED
        assert "GET /v1/users" in brpm.calls()


@pytest.mark.parametrize("empty", ["404", "null", "[]"])
def test_an_empty_list_that_nothing_proves_is_an_error(empty: str) -> None:
    with world(empty=empty) as brpm:
        brpm.sandbox.remove_plan(1)
        for user in brpm.sandbox.records("user"):
            brpm.sandbox.remove_record("user", user["id"])
        with pytest.raises(ServerSaidNo) as caught:
            look(brpm.target(), [plan(plan_template_id=1)], asked())
        assert str(caught.value) == (
            f"GET {PLANS}: the server lists neither plans nor users, which is what it does for a"
            " wrong address too; check url and token in planops.yaml"
        )
        assert brpm.writes() == []


@pytest.mark.parametrize("path", ["", "/bprm", "/brpm/v2"])
def test_a_wrong_address_never_looks_like_an_empty_server(brpm: World, path: str) -> None:
    url = f"{brpm.url.removesuffix('/brpm')}{path}"
    with pytest.raises(ServerSaidNo, match="lists neither plans nor users"):
        look(brpm.target(url=url), [plan(plan_template_id=1)], asked())
    assert brpm.writes() == []


def test_a_token_that_is_not_known_is_told(brpm: World) -> None:
    with pytest.raises(NotAllowed) as caught:
        look(brpm.target(token="unknown-token"), [plan(plan_template_id=1)], asked())
    assert str(caught.value) == (
        f"GET {PLANS}: the token is not accepted, or lacks the right (403); check the token that"
        " the settings name"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda row: row.pop("id"), f"GET {PLANS}: a row has no id; check url in planops.yaml"),
        (lambda row: row.update(id="7"), f"GET {PLANS}: a row has no id"),
        (lambda row: row.pop("name"), f"GET {PLANS}: a row of the list has no name; check url"),
        (lambda row: row.update(name=7), f"GET {PLANS}: a row of the list has no name; check url"),
    ],
)
def test_a_list_of_something_else_is_not_understood(
    brpm: World, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    with pytest.raises(Garbled) as caught:
        look(brpm.target(through=rows(change)), [plan()], asked())
    assert str(caught.value).startswith(said)


def test_a_plan_that_is_not_understood_is_not_in_the_way_of_others(brpm: World) -> None:
    for name in ("bad", "good"):
        brpm.plant(name)

    def spoil(row: dict[str, Any]) -> None:
        if row["name"] == "bad":
            row["release_date"] = 20261201

    plans = [plan(name, state="planned") for name in ("bad", "good")]
    report = applied(brpm.target(through=rows(spoil)), plans)
    assert outcomes(report) == {"bad": Outcome.FAILED, "good": Outcome.APPLIED}
    assert report.changes[0].error == (
        f"GET {PLANS}/2: /spec/release_date is no string; this is no plan as BRPM gives it;"
        " check url in planops.yaml"
    )


def test_a_plan_that_is_gone_at_the_second_look_is_told(brpm: World) -> None:
    id_, target, run = brpm.plant(), brpm.target(), asked()
    sight, changes = look(target, [plan(state="planned")], run)
    brpm.sandbox.remove_plan(id_)
    (report,) = reconcile.apply(target, sight, changes, run).changes
    assert report.outcome is Outcome.FAILED
    assert report.error == f"GET {PLANS}/{id_}: there is no such plan on the server"
    assert brpm.writes() == []


@pytest.mark.parametrize("id_", ["", "x", "7/../8", "-1", "\u0667", "{id}"])
def test_an_id_that_is_none_never_gets_into_an_address(brpm: World, id_: str) -> None:
    with pytest.raises(Garbled) as caught:
        brpm.target().backend.read(id_)
    assert str(caught.value) == f"GET {PLANS}/{id_}: {id_!r} is no plan id"
    assert brpm.calls() == []


def test_another_plan_than_was_asked_for_is_not_taken_for_it(brpm: World) -> None:
    target = brpm.target(through=rows(lambda row: row.update(id=8)))
    with pytest.raises(Garbled) as caught:
        target.backend.read("1")
    assert str(caught.value) == (
        f"GET {PLANS}/1: the answer is not that plan; check url in planops.yaml"
    )


def test_a_name_of_before_is_known_by_its_id(brpm: World) -> None:
    """The server shows ids only: that git changed the name is an edit, and no conflict."""
    target = kept(brpm.target(by_name=False), MemoryLedger(), MovingClock())
    applied(target, [plan(release_manager="alice", teams=["AllAccess"])])
    wanted = plan(release_manager="bob", teams=["Payments"])
    (change,) = look(target, [wanted], asked())[1].changes
    assert {delta.cause for delta in change.deltas} == {Cause.EDIT}
    brpm.sandbox.edit(brpm.sandbox.plans()[-1]["id"], {"release_manager_id": 2})
    (change,) = look(target, [wanted], asked())[1].changes
    causes = {delta.path: delta.cause for delta in change.deltas}
    assert causes["/spec/release_manager"] is Cause.CONFLICT
