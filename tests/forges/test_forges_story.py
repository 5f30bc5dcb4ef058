"""A whole story on either forge: open, push twice, an older run that ends later, a fork, a merge,
its outcome, a failure, a fix. At each step there is one comment, and nobody is told a thing twice.
"""  # noqa: D205  one sentence

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from forges.store import ALICE, MALLORY, OURS, READER, WRITER, Pull
from forges.worlds import World
from planops.core.forge import Kind, Post, Risk, Seq
from planops.core.sticky import Act
from planops.errors import ForgeRefused
from planops.forges.events import Name, Trigger, confirmed

OUR_LABELS = ("planops/reapproval", "planops/deletes", "planops/failed")


@dataclass(slots=True)
class Story:
    """What CI jobs do, and what is to be seen after each of them."""

    there: World
    sticky: dict[int, int] = field(default_factory=dict)

    def review(
        self,
        pull: Pull,
        body: str,
        seq: Seq,
        risk: Risk = Risk.ROUTINE,
        *,
        head: str = "",
        labels: Sequence[str] = (),
    ) -> Act:
        """A job for a pull request; ``head`` is what it was started for."""
        event = replace(self.there.event(pull, seq), head=head or pull.head)
        with self.there.client() as forge:
            if confirmed(forge, event) is None:
                return Act.SUPERSEDED
            post = self.there.post(pull, body, seq=seq, risk=risk)
            posted = forge.upsert(post, f"the risk is {risk} now")
            forge.label(pull.number, labels, OUR_LABELS)
        return posted.act

    def outcome(self, commit: str, body: str, seq: Seq, *, failed: bool) -> list[Act]:
        """A job for a push to the base branch: the pull request is found by the commit."""
        acts = []
        with self.there.client() as forge:
            for found in forge.pulls_of(commit):
                pull = self.there.store.pulls[found.number]
                risk = Risk.BLOCKED if failed else Risk.ROUTINE
                post = self.there.post(pull, body, seq=seq, kind=Kind.OUTCOME, risk=risk)
                acts.append(forge.upsert(post).act)
                if failed:
                    told = replace(post.marker, kind=Kind.NOTICE)
                    forge.notice(Post(marker=told, body="the apply has failed"))
                forge.label(pull.number, ["planops/failed"] if failed else [], OUR_LABELS)
        return acts

    def shows(self, pull: Pull, body: str, *notices: str, labels: Sequence[str] = ()) -> None:
        """Hold that there is one comment of ours, at its place, and these notices."""
        ours = [note for note in pull.notes if note.user == OURS]
        sticky = [note for note in ours if '"kind":"notice"' not in note.text]
        told = [note for note in ours if note not in sticky]
        assert [note.text.partition("\n")[2] for note in sticky] == [body]
        assert [note.text.partition("\n")[2] for note in told] == list(notices)
        assert self.sticky.setdefault(pull.number, sticky[0].id) == sticky[0].id
        assert pull.labels == list(labels)


@pytest.fixture
def story(anywhere: World) -> Story:
    return Story(anywhere)


def test_the_story(story: Story) -> None:
    there = story.there
    store = there.store

    pull = store.open_pull()
    store.say(pull, ALICE, "please review")
    assert story.review(pull, "1 plan", (101, 1)) is Act.CREATE
    story.shows(pull, "1 plan")

    # somebody pastes what we say, with a number that no run will ever have
    store.say(pull, MALLORY, there.post(pull, "approved!", seq=(10**15, 1)).text)

    first = store.push(pull)
    again = ["planops/reapproval"]
    assert story.review(pull, "cancels 1 approval", (102, 1), Risk.ATTENTION, labels=again) is (
        Act.UPDATE
    )
    rose = "the risk is attention now"
    story.shows(pull, "cancels 1 approval", rose, labels=again)

    # the second push's job ends before the first push's, which was started anew
    store.push(pull)
    assert story.review(pull, "2 plans", (103, 1), Risk.ATTENTION, labels=again) is Act.UPDATE
    assert story.review(pull, "1 plan", (102, 2), Risk.BLOCKED, head=first) is Act.SUPERSEDED
    story.shows(pull, "2 plans", rose, labels=again)

    # a job of the same head that began earlier, and one that began later, during a pause
    assert story.review(pull, "too old", (102, 9), labels=again) is Act.SUPERSEDED
    there.server.fail("PATCH" if there.name is Name.GITHUB else "PUT", "s/", there.limited(30))
    assert story.review(pull, "2 plans, 1 deleted", (103, 2), Risk.BLOCKED) is Act.UPDATE
    assert there.clock.slept == [30.0]
    story.shows(pull, "2 plans, 1 deleted", rose, "the risk is blocked now")

    # merged; a review that was still running has nothing to say any more
    commit = store.merge(pull)
    assert story.review(pull, "late", (104, 1)) is Act.SUPERSEDED
    told = (rose, "the risk is blocked now")
    story.shows(pull, "2 plans, 1 deleted", *told)

    # the apply fails, is run again and fails, and is mended
    fell = "the apply has failed"
    assert story.outcome(commit, "1 applied, 1 failed", (105, 1), failed=True) == [Act.UPDATE]
    story.shows(pull, "1 applied, 1 failed", *told, fell, labels=["planops/failed"])
    assert story.outcome(commit, "1 failed", (105, 2), failed=True) == [Act.UPDATE]
    story.shows(pull, "1 failed", *told, fell, labels=["planops/failed"])
    assert story.outcome(commit, "2 applied", (105, 3), failed=False) == [Act.UPDATE]
    story.shows(pull, "2 applied", *told, fell)

    # whatever comes late, the outcome stays
    assert story.outcome(commit, "1 failed", (105, 2), failed=False) == [Act.SUPERSEDED]
    assert story.review(pull, "2 plans", (999, 1)) is Act.SUPERSEDED
    story.shows(pull, "2 applied", *told, fell)

    # the fix is a pull request of its own
    fix = store.open_pull(source="fix")
    assert story.review(fix, "1 plan", (106, 1)) is Act.CREATE
    assert story.outcome(store.merge(fix), "1 applied", (107, 1), failed=False) == [Act.UPDATE]
    story.shows(fix, "1 applied")
    story.shows(pull, "2 applied", *told, fell)
    assert there.store.tickets == {}


def test_a_fork_is_reviewed_by_a_job_of_the_base_repository(story: Story) -> None:
    there = story.there
    pull = there.store.open_pull(fork=True)
    with there.client(READER) as forge:
        found = confirmed(forge, there.event(pull))
        assert found is not None
        assert found.fork
        with pytest.raises(ForgeRefused):
            forge.upsert(there.post(pull, "1 plan"))
    assert pull.notes == []
    event = replace(
        there.event(seq=(2, 1)),
        trigger=Trigger.RUN,
        head=pull.head,
        owner="mallory",
        source="change",
    )
    with there.client(WRITER) as forge:
        found = confirmed(forge, event)
        assert found is not None
        assert found.number == pull.number
        forge.upsert(there.post(pull, "1 plan", seq=event.seq))
        story.shows(pull, "1 plan")
        there.store.push(pull)
        assert confirmed(forge, event) is None
