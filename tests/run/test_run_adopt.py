"""Generated plans, drafted: files say what the server holds, and their updates lose nothing."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from planops.core.model import JSON
from planops.manifests.load import load_text
from planops.manifests.planting import text
from planops.sandbox.zadig import Generation
from run.bench import SPOKEN, Bench, Raw, benches, differing
from run.generated import MIXES, Mix, documents
from run.world import LATER, PATRICK, SOON, UIDS, World, held_text

CALM = settings(
    max_examples=3,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
OTHER = "another description"
SECRET = ("/token/value", "/PASSWORD/value")
"""Credentials, which no file is given: an update gives them the workflow's own value."""
FEW = frozenset({*SPOKEN, "literal-secret", "duplicate-item"})


def described(bench: Bench, raw: Raw) -> tuple[dict[str, JSON], tuple[str, ...]]:
    (draft,) = bench.target.backend.describe([raw])
    return draft.spec, draft.refusals


def drafted(bench: Bench, raw: Raw) -> dict[str, Any]:
    """The document of a plan's file, which must be one that the files' checks let pass."""
    spec, refusals = described(bench, raw)
    assert refusals == ()
    made = text(bench.config, "plan.yaml", "ZadigReleasePlan", ("prod", "train"), spec)
    loaded = load_text(made.encode(), "plan.yaml", bench.config)
    assert {problem.code for problem in loaded.problems} <= FEW, (loaded.problems, made)
    (plan,) = loaded.plans
    desired = bench.target.backend.prepare([plan])[0]
    assert differing(bench.decide(desired, raw)) == [], made
    return {"apiVersion": "planops/v1", "kind": plan.kind, "metadata": {"name": "train"}} | {
        "spec": spec
    }


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: f"{mix.approval}-{'-'.join(mix.focus[:1])}")
@pytest.mark.parametrize("generation", ["5.0", "4.1"])
def test_a_draft_says_what_is_there_and_an_update_of_it_loses_nothing(
    generation: Generation, mix: Mix, tmp_path: Path
) -> None:
    with benches(generation, tmp_path) as bench:

        @CALM
        @given(document=documents(generation, mix))
        def check(document: dict[str, Any]) -> None:
            bench.zadig.sandbox.reset()
            plan = bench.load({**document, "state": "planning"})
            bench.apply(plan)
            _, _, raw = bench.look(plan)
            made = drafted(bench, raw)
            changed = copy.deepcopy(made)
            changed["spec"]["description"] = OTHER
            bench.apply(bench.load(changed))
            _, change, _ = bench.look(plan)
            lost = [one.path for one in differing(change) if not one.path.endswith(SECRET)]
            assert set(lost) <= {"/spec/description"}, made

        check()


# ----------------------------------------------------------------------- what is said, and what not


def one(zadig: World, token: str = "", **document: Any) -> Any:
    """The draft of a plan that somebody made in the web interface."""
    id_ = zadig.plant(**document)
    target = zadig.target(token=token) if token else zadig.target()
    target.backend.observe(())
    return target.backend.describe([target.backend.read(id_)])[0]


def held(*users: dict[str, Any], **more: Any) -> dict[str, Any]:
    inner = {"timeout": 60, "needed_approvers": 1, "approve_users": list(users)}
    return {"enabled": True, "type": "native", "native_approval": inner, **more}


ALICE = {"type": "user", "user_id": UIDS["alice"], "user_name": "alice"}
GROUP = {"type": "group", "group_id": "approvers", "group_name": "Approvers"}


def test_people_are_named_by_account_where_it_is_theirs(zadig: World) -> None:
    stranger = {"type": "user", "user_id": "u-1", "user_name": "Nobody"}
    wrong = {"type": "user", "user_id": "u-2", "user_name": "bob"}
    draft = one(zadig, approval=held(ALICE, stranger, wrong, GROUP))
    assert draft.spec["approval"]["native_approval"]["approve_users"] == [
        {"account": "alice"},
        {"user_id": "u-1", "user_name": "Nobody"},
        {"user_id": "u-2"},
        GROUP,
    ]
    assert (draft.notices, draft.refusals) == ((), ())


def test_without_the_right_to_look_people_up_ids_stand_and_it_is_said(zadig: World) -> None:
    draft = one(zadig, PATRICK, approval=held(ALICE))
    (user,) = draft.spec["approval"]["native_approval"]["approve_users"]
    assert user == {"user_id": UIDS["alice"], "user_name": "alice"}
    assert draft.spec["manager"] == "patrick"
    assert "the token may not look up users" in draft.notices[0]
    assert draft.refusals == ()


def test_an_approval_that_is_off_is_left_out(zadig: World) -> None:
    draft = one(zadig, approval=held(ALICE, enabled=False))
    assert "approval" not in draft.spec
    assert "its approval is switched off" in draft.notices[0]


def test_after_a_vote_it_is_said_that_groups_are_gone(zadig: World) -> None:
    voter = {**ALICE, "reject_or_approve": "approve", "comment": "ok", "operation_time": 1}
    draft = one(zadig, status="wait_for_approval", approval=held(voter, status="pending"))
    assert draft.spec["approval"]["native_approval"]["approve_users"] == [{"account": "alice"}]
    assert "a vote was given" in draft.notices[0]


def test_the_remark_of_whoever_did_a_job_is_not_the_files(zadig: World) -> None:
    done = held_text(remark="done by me", status="done")
    (job,) = one(zadig, jobs=[done], status="executing").spec["jobs"]
    assert job == {"name": "Announce", "type": "text", "spec": {"content": "Hello"}}


def test_what_is_empty_is_left_out_and_times_are_utc(zadig: World) -> None:
    draft = one(zadig, jobs=[held_text(content="")], start_time=SOON, end_time=LATER)
    assert draft.spec == {
        "name": "train",
        "manager": "patrick",
        "start_time": "2026-09-21T15:13:20Z",
        "end_time": "2026-09-21T16:13:20Z",
        "jobs": [{"name": "Announce", "type": "text"}],
    }
