"""What a pull request causes, and what was there before: by examples, for all pairs of files."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ferry import LIFECYCLE, SHAPE, FerryRules
from core.values import TEXT, an_object, change, edge, keyed, live, plan, step
from planops.core.changes import Cause, Change, ChangeKind, Delta, StepKind
from planops.core.decide import Circumstances, Desired, Memory, decide
from planops.core.forge import Risk
from planops.core.ledger import Record
from planops.core.model import JSON, Allowance, Blame, Manage, Mark, Plan, Settled, overlap
from planops.core.review import Share, in_files, share, worst

OTHER = Delta(path="/spec/title", cause=Cause.EDIT, desired="a", live="b")
DRIFTED = Delta(path="/spec/note", cause=Cause.DRIFT, base="a", desired="a", live="b")
WRITE = step()
RECORD = Record(
    key="summer", kind="FerryPlan", url="https://a.b", id="1", name="S", spec={}, echo={}
)


def shared(before: Change | None, after: Change, *, touched: bool = True) -> Share:
    return share(before, after, plan(), touched=touched)


def test_what_both_lead_to_is_there_already() -> None:
    marked = replace(
        DRIFTED,
        mark=Mark(file="a", line=7, column=1),
        blame=Blame(settled=Settled.UNCOMMITTED),
    )
    found = shared(change(deltas=(DRIFTED,)), change(WRITE, deltas=(marked, OTHER)))
    assert (found.caused, found.there) == (frozenset({"/spec/title"}), frozenset({"/spec/note"}))
    assert found.settled == ()
    assert (found.calls, found.causes, found.alarm, found.idle) == (True, True, False, False)


def test_another_value_at_the_same_place_is_caused() -> None:
    found = shared(change(deltas=(OTHER,)), change(deltas=(replace(OTHER, desired="c"),)))
    assert (found.caused, found.there) == (frozenset({"/spec/title"}), frozenset())
    assert found.settled == ()


def test_what_merging_makes_go_away_is_settled() -> None:
    found = shared(change(deltas=(OTHER,)), change(there=live()))
    assert (found.settled, found.causes) == (("/spec/title",), True)


def test_nothing_is_settled_where_nothing_is_compared_any_more() -> None:
    before = change(deltas=(OTHER,))
    assert shared(before, change(refused=("ambiguous",))).settled == ()
    assert shared(before, replace(change(there=live()), orphan=RECORD)).settled == ()
    below = replace(OTHER, path="/spec/title/short")
    assert shared(before, change(there=live(), deltas=(below,))).settled == ()


def test_calls_that_something_stood_against_are_made_because_of_it() -> None:
    refused = shared(change(WRITE, refused=("reopen",)), change(WRITE))
    assert (refused.calls, refused.guards) == (True, True)
    still = shared(change(WRITE, refused=("reopen",)), change(WRITE, refused=("reopen",)))
    assert (still.calls, still.causes) == (False, False)
    freed = share(change(WRITE), change(WRITE), plan(), touched=False, stopped=True)
    assert (freed.calls, freed.alarm, freed.risk) == (True, True, Risk.ATTENTION)
    assert not share(change(), change(), plan(), touched=False, stopped=True).causes


def test_a_file_that_is_new_is_not_idle_whatever_the_server_has() -> None:
    found = share(None, change(there=live()), None, touched=True)
    assert (found.new, found.causes, found.idle) == (True, True, False)
    gone = share(None, replace(change(), orphan=RECORD), None, touched=False)
    assert (gone.new, gone.causes) == (False, False)


def test_a_file_that_is_touched_and_changes_nothing_is_idle() -> None:
    found = shared(change(), change())
    assert (found.idle, found.causes, found.alarm) == (True, False, False)
    assert not shared(change(), change(), touched=False).idle


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (change(), change(WRITE)),
        (change(WRITE), change()),
        (change(WRITE, refused=("conflict",)), change(WRITE)),
        (change(WRITE), change(WRITE, refused=("conflict",))),
        (None, change(WRITE)),
    ],
    ids=["calls more", "calls less", "lets pass", "refuses", "is new"],
)
def test_a_plan_whose_file_is_not_touched_is_an_alarm(before: Change | None, after: Change) -> None:
    found = shared(before, after, touched=False)
    assert (found.alarm, found.risk is not Risk.ROUTINE) == (True, True)


def test_a_file_that_goes_is_touched_whatever_its_name_says_now() -> None:
    found = share(change(), replace(change(), orphan=RECORD), plan(), touched=False)
    assert (found.removed, found.touched, found.causes, found.alarm) == (True, True, True, False)
    gone_before = share(None, replace(change(), orphan=RECORD), None, touched=False)
    assert not gone_before.removed


def test_rules_and_goal_are_compared_with_the_bases_file() -> None:
    ruled = Manage(protect=True, allow=(Allowance(guard="reopen", reason="agreed"),))
    after = replace(change(), plan=replace(plan(state="ready"), manage=ruled))
    found = share(change(), after, plan(), touched=True)
    assert (found.goal, found.manages) == (True, ("protect", "allow"))
    new = share(None, after, None, touched=True)
    assert (new.goal, new.manages) == (False, ("protect", "allow"))


HAZARD = replace(step(StepKind.TRANSITION), edge=edge("boarding", "draft", "sends them home"))


@pytest.mark.parametrize(
    ("after", "risk"),
    [
        (change(WRITE, deltas=(OTHER,)), Risk.ROUTINE),
        (change(WRITE, deltas=(OTHER,), refused=("conflict",)), Risk.BLOCKED),
        (replace(change(deltas=(OTHER,)), error="it cannot be read"), Risk.BLOCKED),
        (change(HAZARD, deltas=(OTHER,)), Risk.ATTENTION),
        (change(step(StepKind.DELETE)), Risk.ATTENTION),
        (change(WRITE, deltas=(OTHER, DRIFTED)), Risk.ATTENTION),
        (replace(change(WRITE, deltas=(OTHER, DRIFTED)), left=frozenset({"/spec/note"})),
         Risk.ROUTINE),
        (replace(change(WRITE), allowed={"reopen": Allowance(guard="reopen", reason="x")}),
         Risk.ATTENTION),
    ],
    ids=["an edit", "refused", "an error", "a hazard", "a deletion", "drift written over",
         "drift left alone", "a guard lifted"],
)  # fmt: skip
def test_how_much_a_reviewer_must_look(after: Change, risk: Risk) -> None:
    found = shared(change(), after)
    assert found.risk is risk
    assert worst([None, found, Share()]) is risk


def test_a_protection_that_is_changed_wants_a_look() -> None:
    after = replace(change(), plan=replace(plan(), manage=Manage(protect=True)))
    assert shared(change(), after).risk is Risk.ATTENTION


def test_what_it_does_not_cause_makes_a_review_no_riskier() -> None:
    standing = shared(change(WRITE, refused=("conflict",)), change(WRITE, refused=("conflict",)))
    assert (standing.risk, standing.causes) == (Risk.BLOCKED, False)
    assert worst([standing]) is Risk.ROUTINE
    assert worst([]) is Risk.ROUTINE


# ------------------------------------------------------------------------------------ files alone

PEOPLE = an_object(
    name=TEXT, crew=keyed(an_object(user_id=TEXT, account=TEXT, role=TEXT), "user_id")
)


def crew(*people: tuple[str, str]) -> JSON:
    return [{"account": account, "role": role} for account, role in people]


def test_two_files_are_compared_without_a_server() -> None:
    before = plan({"name": "Summer", "crew": crew(("ann", "cook"), ("bob", "mate"))})
    after = plan({"name": "Summer", "crew": crew(("ann", "cook"), ("bob", "boss"))})
    found = in_files(PEOPLE, before, after)
    assert (found.kind, found.steps, found.live) == (ChangeKind.UPDATE, (), None)
    assert [(d.path, d.live, d.desired) for d in found.deltas] == [
        ("/spec/crew/bob/role", "mate", "boss")
    ]


def test_people_of_a_new_file_go_by_their_accounts() -> None:
    people: JSON = [{"account": "ann"}, {"account": "bob"}, {"user_id": "u3"}]
    found = in_files(PEOPLE, None, plan({"name": "Summer", "crew": people}))
    assert [(d.path, d.desired) for d in found.deltas] == [
        ("/spec/name", "Summer"),
        ("/spec/crew/ann/account", "ann"),
        ("/spec/crew/bob/account", "bob"),
        ("/spec/crew/u3", {"user_id": "u3"}),
    ]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (None, plan(), ChangeKind.CREATE),
        (plan(), plan(), ChangeKind.UNCHANGED),
        (plan(), plan(state="ready"), ChangeKind.TRANSITION),
        (plan({"name": "Summer", "note": "x"}), plan(), ChangeKind.UPDATE),
    ],
    ids=["new", "the same", "another goal", "a field less"],
)
def test_what_files_alone_say_is_done(before: Plan | None, after: Plan, kind: ChangeKind) -> None:
    assert in_files(SHAPE, before, after).kind is kind


# ------------------------------------------------------------------------------------- properties

WORDS = st.sampled_from(["", "x", "y"])
JOBS = st.lists(
    st.fixed_dictionaries(
        {"type": st.just("text"), "name": st.sampled_from(["a", "b"])},
        optional={"spec": st.fixed_dictionaries({}, optional={"text": WORDS})},
    ),
    max_size=2,
    unique_by=lambda job: str(job["name"]),
)
FIELDS = {"captain": WORDS, "note": WORDS, "closes": st.integers(0, 2), "jobs": JOBS}
FILES = st.fixed_dictionaries({"name": st.just("Summer")}, optional=FIELDS)
HELD = st.fixed_dictionaries({"name": st.just("Summer"), "captain": WORDS, "note": WORDS,
    "closes": st.integers(0, 2),
    "jobs": st.lists(
        st.fixed_dictionaries({
            "type": st.just("text"), "name": st.sampled_from(["a", "b"]),
            "spec": st.fixed_dictionaries({"text": WORDS, "data": st.just({})}),
        }),
        max_size=2, unique_by=lambda job: str(job["name"]),
    )})  # fmt: skip
STATES = st.none() | st.sampled_from(LIFECYCLE.path)


def decided(spec: dict[str, JSON], held: dict[str, JSON], state: str | None) -> Change:
    wanted = Desired(plan=plan(spec, state=state), spec=spec)
    at = Circumstances(now=0, memory=Memory(spec={"name": "Summer", "note": "x"}, echo={}))
    return decide(FerryRules(), wanted, live(**held), at)  # type: ignore[arg-type]


@given(base=FILES, head=FILES, held=HELD, then=STATES, now=STATES)
def test_caused_and_there_are_disjoint_and_complete(
    base: dict[str, JSON],
    head: dict[str, JSON],
    held: dict[str, JSON],
    then: str | None,
    now: str | None,
) -> None:
    before, after = decided(base, held, then), decided(head, held, now)
    found = share(before, after, plan(base, state=then), touched=base != head or then != now)
    paths = {delta.path for delta in after.deltas}
    assert not found.caused & found.there
    assert found.caused | found.there == paths
    earlier = {delta.path for delta in before.deltas}
    stay = {path for path in earlier if any(overlap(path, other) for other in paths)}
    assert {*found.settled} == earlier - stay
    if base == head and then == now:
        assert not found.causes
        assert found.there == paths
    for name in ("captain", "note", "closes"):
        if base.get(name) == head.get(name):
            assert f"/spec/{name}" not in found.caused | {*found.settled}
