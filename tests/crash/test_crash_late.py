"""A call that is under way when its process dies, or gives up, and arrives while the next runs."""

from __future__ import annotations

from typing import Any

import pytest

from crash.accidents import Fate, Killed, Late
from crash.scenes import CALL, Scene, Stage, check_converged, each_call
from planops.core.report import Outcome
from run.world import outcomes


def send_late(scene: Scene, fate: Fate, number: int, *, dies: bool) -> Late:
    """Make a run of which one call is on its way for half the time that a call may take.

    The run has been at work for some time before that.
    """
    made: list[Late] = []

    def under_way() -> None:
        scene.later(2 * CALL)
        scene.clock.alarms.append((scene.clock.now() + CALL // 2, made[0].deliver))
        if dies:
            fate.die()

    def through(inner: Any) -> Late:
        made.append(Late(inner, number=number, sent=under_way))
        return made[0]

    scene.run(fate, through=through)
    return made[0]


@each_call
def test_a_call_of_a_dead_process_arrives_while_the_next_run_is_at_it(
    scene: Scene, stage: Stage, number: int
) -> None:
    """The holder is known dead, so that the lease is not waited for."""
    with pytest.raises(Killed):
        send_late(scene, Fate(), number, dies=True)
    scene.run(name="two", dead=True)
    scene.later()
    scene.run(name="three")
    check_converged(scene, stage.ideal)


@each_call
def test_a_call_that_nobody_waits_for_any_more_arrives_in_the_next_run(
    scene: Scene, stage: Stage, number: int
) -> None:
    fate = Fate()
    send_late(scene, fate, number, dies=False)
    assert Outcome.UNKNOWN in outcomes(scene.reports[-1]).values()
    scene.run(name="two")
    scene.later()
    scene.run(name="three")
    check_converged(scene, stage.ideal)
