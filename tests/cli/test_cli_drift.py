"""What ``planops drift`` must not pass over: plans that are gone, and records that do not fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cli.place import TEXT, Place
from planops.core.report import ExitCode
from planops.git.ledger import GitLedger


@pytest.fixture
def kept(place: Place) -> Place:
    place.ledgered()
    place.plan(jobs=[TEXT], description="ours")
    place.plan("other", jobs=[TEXT])
    place.commit()
    assert place.planops("apply", "--yes").code == ExitCode.OK
    assert place.planops("drift").code == ExitCode.OK
    return place


def deleted(place: Place) -> str:
    place.zadig.remove_plan(id_of(place))
    return "recreate"


def renamed_and_edited(place: Place) -> str:
    place.zadig.edit(id_of(place), {"name": "Theirs", "description": "theirs"})
    return "ledger"


def damaged(place: Place) -> str:
    ledger = GitLedger(root=place.folder, ref="refs/planops/ledger/prod", remote=None)
    ledger.write(ledger.tip(), {"plans/train.json": b"{}"}, "damage", 1)
    return "ledger"


def id_of(place: Place) -> str:
    (found,) = (one["id"] for one in place.zadig.plans() if one["name"] == "Plan train")
    return str(found)


@pytest.mark.parametrize("how", [deleted, renamed_and_edited, damaged])
def test_what_is_not_as_recorded_is_drift(kept: Place, how: Callable[[Place], str]) -> None:
    guard = how(kept)
    ended = kept.json("drift")
    assert ended.code == ended.json["exit_code"] == ExitCode.CHANGES
    (change,) = ended.json["changes"]
    assert change["key"] == "train"
    assert [refusal["guard"] for refusal in change["refusals"]] == [guard]


def test_what_git_has_not_made_yet_is_no_drift(kept: Place) -> None:
    kept.plan("new", jobs=[TEXT])
    kept.plant("there", jobs=[])
    kept.plan("there", jobs=[TEXT])
    ended = kept.planops("drift")
    assert ended.code == ExitCode.OK
    assert "No drift: nothing that was applied was changed on the server.\n" in ended.out
