"""Whether a plan must be read again, on an imaginary server whose list hides jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.ferry import FerryRules
from core.ledgers import SHOWN
from core.values import URL, plan, refusal
from planops.core.allowances import mark
from planops.core.changes import digest
from planops.core.decide import Circumstances, Desired, decide
from planops.core.glance import alike, ground, in_order, known, unread
from planops.core.ledger import Record
from planops.core.model import JSON, Allowance, Live, Manage
from planops.core.sighting import MARGIN, Seen

RULES = FerryRules()
AT = Circumstances(now=1000)
JOBS: JSON = [{"type": "t", "name": "load", "spec": {"text": "all", "data": None}}]
SPEC: dict[str, JSON] = {"name": "Summer", "captain": "ahab", "jobs": JOBS}
FULL: dict[str, JSON] = {"name": "Summer", "captain": "ahab", "closes": 0, "note": "", "jobs": JOBS}
ALLOWED = Allowance(guard="reopen", reason="once")
PLAN = replace(plan(SPEC, state="draft"), manage=Manage(protect=True, allow=(ALLOWED,)))
DESIRED = Desired(plan=PLAN, spec=SPEC, ids={"ahab": "7"})
GROUND = ground(DESIRED, {"harbours": {"1": "here"}})
SEEN = Seen(sighting=SHOWN, ground=GROUND, read_at=SHOWN.update_time + MARGIN)
RECORD = Record(
    key="summer",
    kind="FerryPlan",
    url=URL,
    id="7",
    name="Summer",
    spec=SPEC,
    echo=SPEC,
    goal="draft",
    protect=True,
    allowed=(mark(ALLOWED),),
    seen=SEEN,
)
LIVE = Live(id="7", name="Summer", state="draft", spec=FULL, raw={})
LISTED = replace(LIVE, spec=FULL | {"jobs": []})


def test_what_is_asked_for_as_it_was_applied_need_not_be_read() -> None:
    assert known(DESIRED, RECORD, GROUND) == SHOWN


RECORDS: dict[str, Any] = {
    "nothing seen": {"seen": None},
    "seen too soon": {"seen": replace(SEEN, read_at=SHOWN.update_time + MARGIN - 1)},
    "another ground": {"seen": replace(SEEN, ground=digest(1))},
    "a field": {"spec": SPEC | {"captain": "nemo"}},
    "a field more": {"spec": SPEC | {"note": ""}},
    "true for 1": {"spec": SPEC | {"jobs": [1]}},
    "a kind": {"kind": "BargePlan"},
    "a name": {"name": "Winter"},
    "a goal": {"goal": "ready"},
    "no goal": {"goal": None},
    "protection": {"protect": False},
    "what was allowed": {"allowed": ()},
}


@pytest.mark.parametrize("what", RECORDS)
def test_whatever_is_not_as_it_was_recorded_leads_to_a_read(what: str) -> None:
    wanted = replace(DESIRED, spec=SPEC | {"jobs": [True]}) if what == "true for 1" else DESIRED
    assert known(wanted, replace(RECORD, **RECORDS[what]), GROUND) is None


@pytest.mark.parametrize(
    ("wanted", "footing"),
    [
        (DESIRED, {"harbours": {"2": "here"}}),
        (DESIRED, None),
        (replace(DESIRED, ids={"ahab": "8"}), {"harbours": {"1": "here"}}),
        (replace(DESIRED, ids={}), {"harbours": {"1": "here"}}),
        (
            replace(DESIRED, plan=replace(PLAN, manage=Manage(ignore=("/spec/note",)))),
            {"harbours": {"1": "here"}},
        ),
    ],
)
def test_the_ground_covers_what_names_stand_for_and_what_is_ignored(
    wanted: Desired, footing: JSON
) -> None:
    assert ground(wanted, footing) != GROUND
    assert ground(DESIRED, {"harbours": {"1": "here"}}) == GROUND


def test_what_the_list_hides_is_taken_from_the_record() -> None:
    found = unread(LISTED, RECORD, {"jobs", "note"})
    assert found == replace(LIVE, listed=True)
    nothing = unread(LISTED, replace(RECORD, echo={}), {"jobs"})
    assert nothing == replace(LISTED, listed=True)


def same(live: Live, *, record: Record = RECORD, wanted: Desired = DESIRED) -> bool:
    listed = unread(replace(live, spec=live.spec | {"jobs": []}), record, {"jobs"})
    return alike(rules=RULES, desired=wanted, live=live, listed=listed, record=record, at=AT)


def test_a_plan_in_order_is_decided_alike() -> None:
    assert same(LIVE)
    assert same(replace(LIVE, state="ready"))  # beyond its goal


OTHERS: dict[str, Callable[[], bool]] = {
    "a field that the list shows differs": lambda: same(
        replace(LIVE, spec=FULL | {"captain": "nemo"})
    ),
    "a hidden field differs": lambda: same(replace(LIVE, spec=FULL | {"jobs": []})),
    "more of a hidden field than is recorded": lambda: same(
        LIVE, record=replace(RECORD, echo={"name": "Summer"})
    ),
    "only a hidden field tells": lambda: same(
        replace(LIVE, notices=("a job failed",)),
        record=replace(RECORD, echo={"jobs": []}),
    ),
    "something would be done": lambda: same(
        LIVE,
        record=replace(RECORD, goal="ready"),
        wanted=replace(DESIRED, plan=replace(PLAN, state="ready")),
    ),
    "something stands against it": lambda: same(
        LIVE, wanted=replace(DESIRED, refusals=(refusal("identity"),))
    ),
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_plan_that_is_not_in_order_or_not_alike(what: str) -> None:
    assert not OTHERS[what]()


def test_a_notice_that_the_list_does_not_lead_to() -> None:
    listed = unread(LISTED, RECORD, {"jobs"})
    live = replace(LIVE, notices=("a job failed",))
    assert not alike(rules=RULES, desired=DESIRED, live=live, listed=listed, record=RECORD, at=AT)


def test_in_order_is_what_asks_for_nothing() -> None:
    assert in_order(decide(RULES, DESIRED, LIVE, AT))
    for spec in (FULL | {"captain": "nemo"}, FULL | {"jobs": []}):
        assert not in_order(decide(RULES, DESIRED, replace(LIVE, spec=spec), AT))
    refused = replace(DESIRED, refusals=(refusal("identity"),))
    assert not in_order(decide(RULES, refused, LIVE, AT))
