"""A whole story: open, push twice, a fork, a merge, what came of it, a failure, a fix."""

from __future__ import annotations

from cli.place import TEXT
from forges.store import MALLORY, READER, WRITER
from planops.core.report import ExitCode
from planops.sandbox.faults import Fault
from publishing.jobs import Jobs


def test_the_story(jobs: Jobs) -> None:  # noqa: PLR0915  one story, step by step
    place, store = jobs.place, jobs.there.store

    # opened: one comment, true to what merging would do
    place.plan(description="two", jobs=[TEXT])
    pull = jobs.open()
    ended = jobs.review(pull)
    assert ended.code == ExitCode.OK, ended.err
    assert ended.json["review"]["number"] == pull.number
    first = jobs.sticky(pull)
    assert "prod/train" in first
    assert "prod/other" not in first
    assert jobs.notices(pull) == []
    assert (jobs.outputs()["has_changes"], jobs.outputs()["risk"]) == ("true", "routine")
    (mark,) = [c["fingerprint"] for c in ended.json["changes"] if c["review"]["causes"]]
    assert mark in first
    assert jobs.outputs()["fingerprints"].split() == [mark]

    # a stranger pastes our words
    store.say(pull, MALLORY, jobs.ours(pull)[0])

    # pushed to: the same comment, and one line because the risk has risen
    old = pull.head
    (train,) = (str(one["id"]) for one in place.zadig.plans() if one["name"] == "Plan train")
    place.zadig.edit(train, {"description": "theirs"})
    place.plan(description="three", jobs=[TEXT])
    jobs.push(pull)
    ended = jobs.review(pull)
    assert ended.code == ExitCode.REFUSED
    second = jobs.sticky(pull)
    assert second != first
    assert "conflict" in second
    assert len(jobs.notices(pull)) == 1
    assert "blocked" in jobs.notices(pull)[0]
    assert pull.labels == ["planops/blocked"]

    # the job of the older commit ends later: it says nothing
    ended = jobs.review(pull, head=old)
    assert ended.code == ExitCode.OK
    assert jobs.sticky(pull) == second

    # pushed to again: nobody is told, the risk has fallen
    place.zadig.edit(train, {"description": "one"})
    place.plan(description="two", jobs=[TEXT])
    jobs.push(pull)
    assert jobs.review(pull).code == ExitCode.OK
    third = jobs.sticky(pull)
    assert "conflict" not in third
    assert len(jobs.notices(pull)) == 1
    assert pull.labels == []

    # a fork, by a job of the base repository; and by one whose token may only read
    place.plan("other", description="fork", jobs=[TEXT])
    fork = jobs.open(fork=True, source="theirs")
    ended = jobs.review(fork, token=READER)
    assert ended.code == ExitCode.OK
    assert "publish: no comment" in ended.err
    assert jobs.ours(fork) == []
    assert jobs.review(fork, token=WRITER).code == ExitCode.OK
    assert "prod/other" in jobs.sticky(fork)

    # merged and applied, but the server fails
    jobs.merge(pull)
    place.zadig.faults.add(Fault("status-before", method="PATCH", nth=None, status=403))
    ended = jobs.apply()
    assert ended.code == ExitCode.FAILED, ended.both
    fell = jobs.sticky(pull)
    assert fell != third
    assert len(jobs.notices(pull)) == 2
    place.zadig.faults.clear()

    # run again, it goes well: the same comment says so, and nobody is told
    assert jobs.apply().code == ExitCode.OK
    done = jobs.sticky(pull)
    assert "applied" in done
    assert len(jobs.notices(pull)) == 2
    assert {str(one["description"]) for one in place.zadig.plans()} == {"one", "two"}

    # a review that was still on its way has nothing to say any more
    jobs.review(pull)
    assert jobs.sticky(pull) == done


def test_what_has_no_effect_says_so(jobs: Jobs) -> None:
    file = jobs.place.folder / "plans/train.yaml"
    file.write_text(f"# a word\n{file.read_text()}")
    pull = jobs.open()
    assert jobs.review(pull).code == ExitCode.OK
    assert "changes nothing on the server" in jobs.sticky(pull)
    assert jobs.outputs()["has_changes"] == "false"


def test_drift_has_one_issue(jobs: Jobs) -> None:
    (train,) = (str(one["id"]) for one in jobs.place.zadig.plans() if one["name"] == "Plan train")
    assert jobs.drift().code == ExitCode.OK
    assert jobs.there.store.tickets == {}
    jobs.place.zadig.edit(train, {"description": "theirs"})
    assert jobs.drift().code == ExitCode.CHANGES
    (issue,) = jobs.there.store.tickets.values()
    assert "/spec/description" in issue.text
    jobs.place.zadig.edit(train, {"description": "still theirs"})
    assert jobs.drift().code == ExitCode.CHANGES
    assert list(jobs.there.store.tickets.values()) == [issue]
    assert "still theirs" in issue.text
    jobs.place.zadig.edit(train, {"description": "one"})
    assert jobs.drift().code == ExitCode.OK
    assert not issue.open


def test_a_forge_that_says_no_stops_no_report(jobs: Jobs) -> None:
    jobs.place.plan(description="two", jobs=[TEXT])
    pull = jobs.open()
    ended = jobs.review(pull, token=READER)
    assert ended.code == ExitCode.OK
    assert "the job's output has the whole report" in ended.err
    if jobs.is_github:
        assert "prod/train" in jobs.summary.read_text()
    assert jobs.outputs()["has_changes"] == "true"
    assert pull.labels == []


def test_an_option_that_names_another_pull_request_is_refused(jobs: Jobs) -> None:
    jobs.place.plan(description="two", jobs=[TEXT])
    pull = jobs.open()
    ended = jobs.review(pull, "--pull-request", str(pull.number + 1))
    assert ended.code == ExitCode.USAGE
    assert f"this job is about {pull.number}" in ended.err
    assert pull.notes == []


def test_a_base_that_is_named_does_not_make_the_base_the_head(jobs: Jobs) -> None:
    """The work tree of such a job is the base, or a trial merge."""
    jobs.place.plan(description="two", jobs=[TEXT])
    pull = jobs.open()
    ended = jobs.review(pull, "--base", "main")
    assert ended.code == ExitCode.OK
    assert ended.json["review"]["head"] == pull.head
    assert "prod/train" in jobs.sticky(pull)
    ended = jobs.review(pull, "--base", "main", "--head", "main")
    assert ended.json["review"]["head"] == ended.json["review"]["base"]


def test_a_token_that_cannot_be_sent_is_said_before_anything_is_done(jobs: Jobs) -> None:
    jobs.place.plan(description="two", jobs=[TEXT])
    jobs.place.commit()
    before = len(jobs.place.zadig.received)
    ended = jobs.apply(token="of two words")
    assert ended.code == ExitCode.FAILED
    assert "it is empty, or holds a space" in ended.err
    assert len(jobs.place.zadig.received) == before


PARTS = """\
apiVersion: planops/v1
kind: ZadigReleasePlan
metadata: {name: train}
spec:
  name: Plan train
  description: one



  manager: patrick



  jobs:
  - {name: Announce, type: text, spec: {content: Hello}}
"""


def test_it_is_merged_into_what_the_branch_is_at_now(jobs: Jobs) -> None:
    """A forge says the base as it was once: GitLab, where the branches parted."""
    file = jobs.place.write("plans/train.yaml", PARTS)
    jobs.place.commit()
    file.write_text(PARTS.replace("one", "two"))
    pull = jobs.open()
    file.write_text(PARTS.replace("Hello", "Bye"))
    limits = "limits: {mass-change: 100%}\n"
    settings = jobs.place.folder / "planops.yaml"
    settings.write_text(settings.read_text().replace("targets:", f"{limits}targets:"))
    jobs.place.commit()
    jobs.place.git("push", "--quiet", "origin", "main")
    assert jobs.place.planops("apply", "--yes").code == ExitCode.OK
    ended = jobs.review(pull)
    assert ended.code == ExitCode.OK, ended.out
    assert ended.json["review"]["base"] == jobs.place.git("rev-parse", "main").strip()
    assert ended.json["review"]["settings"] == []
    (told,) = (one["review"] for one in ended.json["changes"] if one["key"] == "train")
    assert (told["caused"], told["there"]) == (["/spec/description"], [])


def test_the_outcome_is_told_once_and_to_whom_it_concerns(jobs: Jobs) -> None:
    place, store = jobs.place, jobs.there.store
    (train,) = (str(one["id"]) for one in place.zadig.plans() if one["name"] == "Plan train")
    place.plan(description="two", jobs=[TEXT])
    pull = jobs.open()
    jobs.merge(pull)
    released = store.open_pull(source="main")  # it brings the same commit to another branch
    released.branch, released.open = "release", False
    released.head, released.base, released.merge = pull.head, pull.base, pull.merge
    place.zadig.edit(train, {"description": "theirs"})
    assert jobs.apply().code == ExitCode.REFUSED
    for _ in range(3):
        assert jobs.reconcile().code == ExitCode.REFUSED
    assert "refused" in jobs.sticky(pull)
    assert len(jobs.notices(pull)) == 1
    assert released.notes == []


def test_what_could_not_be_compared_is_not_routine(jobs: Jobs) -> None:
    jobs.place.plan(description="two", jobs=[TEXT])
    pull = jobs.open()
    assert jobs.review(pull).code == ExitCode.OK
    assert (pull.labels, jobs.outputs()["risk"]) == ([], "routine")
    jobs.place.write("plans/bad.yaml", "kind: Nothing\n")
    jobs.push(pull)
    ended = jobs.review(pull)
    assert (ended.code, ended.json["review"]["risk"]) == (ExitCode.FAILED, "blocked")
    assert (pull.labels, jobs.outputs()["risk"]) == (["planops/blocked"], "blocked")


def test_a_target_that_is_stopped_is_not_routine(jobs: Jobs) -> None:
    for number in range(8):
        jobs.place.plan(f"new-{number}", description="three", jobs=[TEXT])
    pull = jobs.open()
    ended = jobs.review(pull)
    assert (ended.code, ended.json["review"]["risk"]) == (ExitCode.REFUSED, "blocked")
    assert (pull.labels, jobs.outputs()["risk"]) == (["planops/blocked"], "blocked")
    assert (jobs.outputs()["create"], jobs.outputs()["fingerprints"]) == ("8", "")


def test_an_edit_that_waits_in_the_base_is_no_drift(jobs: Jobs) -> None:
    place = jobs.place
    place.plan(description="two", jobs=[TEXT])
    place.commit()
    place.git("push", "--quiet", "origin", "main")
    place.plan(description="two", jobs=[{**TEXT, "spec": {"content": "Bye"}}])
    pull = jobs.open()
    assert jobs.review(pull).code == ExitCode.OK
    assert pull.labels == []
    (train,) = (str(one["id"]) for one in place.zadig.plans() if one["name"] == "Plan train")
    assert place.planops("apply", "--yes").code == ExitCode.OK
    place.zadig.edit(train, {"description": "theirs"})
    assert jobs.review(pull).code == ExitCode.OK
    assert pull.labels == ["planops/drift"]


def test_outside_of_a_ci_nothing_can_be_published(jobs: Jobs) -> None:
    ended = jobs.place.planops("review", "--base", "main", "--publish")
    assert ended.code == ExitCode.USAGE
    assert "this is no job of GitHub Actions or GitLab CI" in ended.err


def test_a_review_that_is_too_large_is_cut_and_taken(jobs: Jobs) -> None:
    """Both forges refuse what is longer than they take, as the real ones do."""
    for number in range(150):
        text = {**TEXT, "spec": {"content": f"{number} words " * 100}}
        jobs.place.plan(f"new-{number:03}", description="three", jobs=[text])
    pull = jobs.open()
    ended = jobs.review(pull, "--allow", "mass-change")
    assert ended.code == ExitCode.OK, ended.err
    assert "publish: no comment" not in ended.err
    assert len(ended.json["changes"]) == 152
    body = jobs.sticky(pull)
    assert body.count("<details") == body.count("</details>")
    if jobs.is_github:
        assert len(body.encode()) <= 60_000
        assert "left out" in body
        assert "https://github.example.com/" in body
