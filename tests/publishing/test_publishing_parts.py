"""Runs that look at a part only: what is said of the rest stays as it was said."""

from __future__ import annotations

import pytest

from cli.place import TEXT
from planops.core.report import ExitCode
from publishing.jobs import Jobs


def drifted(jobs: Jobs) -> None:
    """Let somebody edit a plan on the server."""
    (id_,) = (str(one["id"]) for one in jobs.place.zadig.plans() if one["name"] == "Plan train")
    jobs.place.zadig.edit(id_, {"description": "theirs"})


def divided(jobs: Jobs) -> None:
    """Give the repository a second target with a plan of its own."""
    place, text = jobs.place, (jobs.place.folder / "planops.yaml").read_text()
    place.write("planops.yaml", text + text.partition("targets:\n")[2].replace("prod:", "stage:"))
    for name in ("train", "other"):
        place.plan(name, target="prod", description="one", jobs=[TEXT])
    place.plan("third", target="stage", description="one", jobs=[TEXT])
    place.commit()
    place.git("push", "--quiet", "origin", "main")
    assert place.planops("apply", "--yes").code == ExitCode.OK


@pytest.mark.parametrize("wrong", ["a plan", "the settings", "no settings"])
def test_the_issue_stays_where_nothing_was_compared(jobs: Jobs, wrong: str) -> None:
    drifted(jobs)
    assert jobs.drift().code == ExitCode.CHANGES
    (issue,) = jobs.there.store.tickets.values()
    said = issue.text
    match wrong:
        case "a plan":
            jobs.place.write("plans/bad.yaml", "kind: Nothing\n")
        case "the settings":
            jobs.place.write("planops.yaml", "kind: Nothing\n")
        case _:
            (jobs.place.folder / "planops.yaml").unlink()
    ended = jobs.drift()
    assert ended.code == ExitCode.FAILED
    assert "the issue stays as it is" in ended.err
    assert (issue.open, issue.text) == (True, said)


@pytest.mark.parametrize("words", [("plans/other.yaml",), ("-l", "team=shop")])
def test_a_part_of_the_plans_says_nothing_of_drift(jobs: Jobs, words: tuple[str, ...]) -> None:
    drifted(jobs)
    assert jobs.drift().code == ExitCode.CHANGES
    (issue,) = jobs.there.store.tickets.values()
    ended = jobs.drift(*words)
    assert ended.code == ExitCode.USAGE
    assert "leave out the paths and labels" in ended.err
    assert issue.open


def test_each_target_s_job_has_its_own_issue(jobs: Jobs) -> None:
    divided(jobs)
    drifted(jobs)
    assert jobs.drift("--target", "prod").code == ExitCode.CHANGES
    (issue,) = jobs.there.store.tickets.values()
    assert issue.title == "planops: drift of prod"
    assert jobs.drift("--target", "stage").code == ExitCode.OK
    assert issue.open
    assert list(jobs.there.store.tickets.values()) == [issue]


def test_each_target_s_job_has_its_own_outcome(jobs: Jobs) -> None:
    """Both jobs belong to one run, so that neither of them is the later one."""
    divided(jobs)
    jobs.place.plan(target="prod", description="two", jobs=[TEXT])
    jobs.place.plan("third", target="stage", description="two", jobs=[TEXT])
    pull = jobs.open()
    assert jobs.review(pull).code == ExitCode.OK
    jobs.merge(pull)
    drifted(jobs)
    assert jobs.apply("--target", "prod").code == ExitCode.REFUSED
    jobs.run -= 1
    assert jobs.apply("--target", "stage").code == ExitCode.OK
    texts = [one.partition("\n")[2] for one in jobs.ours(pull) if '"notice"' not in one]
    assert sorted("refused" in one for one in texts) == [False, True]
    jobs.review(pull)  # one that was still on its way
    assert jobs.apply("--target", "prod").code == ExitCode.REFUSED
    assert len([one for one in jobs.ours(pull) if '"notice"' not in one]) == len(texts)


def test_a_forge_that_may_not_be_called_takes_nothing_of_an_apply(jobs: Jobs) -> None:
    jobs.place.plan(description="two", jobs=[TEXT])
    jobs.place.commit()
    jobs.there.server.url = "http://forge.example"  # in clear, and not on this machine
    ended = jobs.apply()
    assert ended.code == ExitCode.OK
    assert ended.json["summary"]["applied"] == 1
    assert "publish: no comment: the environment: " in ended.err
    assert jobs.there.server.asked == []
