"""A plan that waits for its approver is taken back to be changed, and the run dies on the way.

That was allowed once. The next run need not be allowed to do it again: nobody but us put the plan
back: an edit must be let in first (docs/servers/zadig.md §4.4).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from crash.accidents import Fate, Killed, Point
from crash.scenes import Scene, Stage, check_idle, check_no_harm
from planops.core.model import Plan
from planops.core.report import Outcome
from run.world import outcomes, text

STEPS = 4  # planning, PATCH, finish_planning, wait_for_approval

pytestmark = pytest.mark.parametrize("stage", ["zadig 5.0", "zadig 4.1"], indirect=True)


def files(stage: Stage) -> tuple[Plan, ...]:
    """The files, of which one changes a plan that waits for its approver."""
    return tuple(
        replace(one, spec=one.spec | {"jobs": [text(content="second")]})
        if one.key.name == "created"
        else one
        for one in stage.server.files
    )


def died(scene: Scene, stage: Stage, point: Point) -> None:
    """Apply everything, then change the plan that waits, and die."""
    scene.run()
    with pytest.raises(Killed):
        scene.run(Fate(point=point), files=files(stage), reopen=1)
    scene.later()


@pytest.mark.parametrize("number", range(STEPS))
def test_what_was_allowed_once_is_finished(scene: Scene, stage: Stage, number: int) -> None:
    died(scene, stage, Point(place="call", number=number, when="after"))
    scene.run(files=files(stage), name="two")
    held = stage.server.shown(stage.server.plan("created"))
    assert (held["status"], held["jobs"]) == ("wait_for_approval", [("Announce", "second")])
    check_no_harm(scene)
    assert (scene.ledger.load().lease, scene.ledger.load().intents) == (None, {})
    report = check_idle(scene, lambda: scene.run(files=files(stage), name="idle"))
    assert outcomes(report)["created"] is Outcome.PARKED


def test_what_was_not_begun_wants_to_be_allowed(scene: Scene, stage: Stage) -> None:
    died(scene, stage, Point(place="call", number=0))
    since = scene.calls
    assert outcomes(scene.run(files=files(stage), name="two"))["created"] is Outcome.REFUSED
    assert scene.calls == since
    report = scene.run(files=files(stage), name="three", reopen=1)
    assert outcomes(report)["created"] is Outcome.APPLIED
    assert scene.ledger.load().intents == {}
