"""What each workflow may do, and what it can never do: read from the files themselves."""

from __future__ import annotations

import re
from typing import Any

import pytest

from planops.starter.files import JOBS
from workflows.reading import (
    ACTION,
    OWN,
    Workflow,
    alone,
    callers,
    everything,
    of,
    parse,
    reusable,
)

RIGHTS = {
    "validate": {"contents": "read"},
    "review": {"contents": "read", "pull-requests": "write"},
    "apply": {"contents": "write", "pull-requests": "write"},
    "reconcile": {"contents": "write", "pull-requests": "write"},
    "drift": {"contents": "read", "issues": "write"},
}
PINNED = re.compile(r"[\w.-]+(?:/[\w.-]+)+@[0-9a-f]{40}")
EVENTS = {
    "validate": {"pull_request", "merge_group"},
    "review": {"pull_request_target", "merge_group"},
    "apply": {"push"},
    "reconcile": {"schedule", "workflow_dispatch"},
    "drift": {"schedule", "workflow_dispatch"},
}
each = pytest.mark.parametrize("workflow", everything(), ids=str)
stepping = pytest.mark.parametrize("workflow", [w for w in everything() if w.steps], ids=str)


def action() -> Any:
    return parse((ACTION / "action.yml").read_text(encoding="utf-8"))


def uses(workflow: Workflow) -> list[str]:
    jobs = [job["uses"] for job in workflow.jobs.values() if "uses" in job]
    return jobs + [step["uses"] for step in workflow.steps if "uses" in step]


def test_there_are_workflows_of_every_kind() -> None:
    assert [len(group) for group in (reusable(), alone(), callers())] == [len(JOBS)] * 3
    assert len(everything()) == 5 * len(JOBS)


# ----------------------------------------------------------------------------------------- rights


@each
def test_a_job_has_the_rights_that_it_needs_and_no_other(workflow: Workflow) -> None:
    assert workflow.tree["permissions"] == {}
    assert [job["permissions"] for job in workflow.jobs.values()] == [RIGHTS[workflow.kind]]


@each
def test_every_right_says_what_it_is_for(workflow: Workflow) -> None:
    for name, level in RIGHTS[workflow.kind].items():
        assert re.search(rf"^ +{name}: {level} # \w", workflow.text, re.MULTILINE)


@pytest.mark.parametrize("workflow", of("validate", everything()), ids=str)
def test_validate_sees_no_secret_and_no_token(workflow: Workflow) -> None:
    code = re.sub(r"#.*", "", workflow.text)
    assert "secrets" not in code
    assert "TOKEN" not in code.upper()


@each
def test_secrets_go_into_the_environment_of_one_step_only(workflow: Workflow) -> None:
    assert "inherit" not in workflow.text
    assert "secrets" not in str(workflow.tree.get("env", {}))
    for job in workflow.jobs.values():
        assert "secrets." not in str(job.get("env", {}))
    holding = [step for step in workflow.steps if "secrets." in str(step)]
    assert len(holding) == (1 if workflow.kind != "validate" and workflow.steps else 0)
    for step in holding:
        assert "secrets." not in str(
            {**step, "env": {}, "with": {**step.get("with", {}), "tokens": ""}}
        )


# ------------------------------------------------------------------------------------------- code


@each
def test_everything_that_is_used_is_pinned_to_a_commit(workflow: Workflow) -> None:
    assert uses(workflow)
    own = [found for found in uses(workflow) if found.startswith("$/")]
    assert [
        found for found in uses(workflow) if found not in own and not PINNED.fullmatch(found)
    ] == []
    assert bool(own) == (workflow in reusable())


def test_the_same_commit_is_meant_everywhere() -> None:
    """So that one weekly pull request renews what a reader can check in one place."""
    pins: dict[str, set[str]] = {}
    texts = [workflow.text for workflow in everything()]
    texts += [(OWN / "ci.yml").read_text(encoding="utf-8")]
    texts += [(ACTION / "action.yml").read_text(encoding="utf-8")]
    for name, commit in re.findall(r"uses: (actions/[\w-]+)@(\S+ # v\S+)", "".join(texts)):
        pins.setdefault(name, set()).add(commit)
    assert set(pins) == {"actions/checkout", "actions/setup-python", "actions/upload-artifact"}
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


@stepping
def test_nothing_is_pasted_into_a_script(workflow: Workflow) -> None:
    assert [step["run"] for step in workflow.steps if "${{" in step.get("run", "")] == []


def test_nothing_is_pasted_into_a_script_of_the_action() -> None:
    scripts = [step["run"] for step in action()["runs"]["steps"] if "run" in step]
    assert scripts
    assert [script for script in scripts if "${{" in script] == []
    assert "${{" not in (ACTION / "act").read_text(encoding="utf-8")


@stepping
def test_a_checkout_keeps_no_credentials_and_has_the_whole_history(workflow: Workflow) -> None:
    found = [
        step for step in workflow.steps if step.get("uses", "").startswith("actions/checkout@")
    ]
    assert len(found) == 1
    assert found[0]["with"]["persist-credentials"] == "false"
    assert found[0]["with"]["fetch-depth"] == "0"
    assert "repository" not in found[0]["with"]


@pytest.mark.parametrize(
    "workflow", [w for w in everything() if w.kind in JOBS and w.steps], ids=str
)
def test_pip_runs_before_a_file_of_the_repository_is_there(workflow: Workflow) -> None:
    names = [step.get("uses", step.get("run", "")) for step in workflow.steps]
    places = [place for place, name in enumerate(names) if name.startswith("pip install")]
    checkout = next(place for place, name in enumerate(names) if "checkout@" in name)
    assert all(place < checkout for place in places)
    assert len(places) == (0 if workflow in reusable() else 1)


# ----------------------------------------------------------------------------------- pull requests


@pytest.mark.parametrize("workflow", of("review", reusable(), alone()), ids=str)
def test_a_review_checks_out_the_base_commit(workflow: Workflow) -> None:
    (ref,) = (step["with"]["ref"] for step in workflow.steps if "ref" in step.get("with", {}))
    assert ref == "${{ github.event.pull_request.base.sha }}"


@pytest.mark.parametrize("workflow", of("review", reusable(), alone(), callers()), ids=str)
def test_a_review_is_for_the_default_branch(workflow: Workflow) -> None:
    """Whoever sends a pull request chooses its base, and with it the settings that are used."""
    condition = workflow.jobs["review"].get("if", "")
    trigger = workflow.tree["on"].get("pull_request_target") or {}
    of_default = "github.event.pull_request.base.ref == github.event.repository.default_branch"
    assert trigger.get("branches") == ["example-branch"] or condition == of_default


@pytest.mark.parametrize("workflow", of("review", reusable(), alone()), ids=str)
def test_a_merge_queue_that_requires_the_review_does_not_wait_for_it(workflow: Workflow) -> None:
    """A check that no event starts never ends; one whose only job is skipped has succeeded."""
    conditions = {
        "github.event_name == 'pull_request_target'",
        "github.event.pull_request.base.ref == github.event.repository.default_branch",
    }
    assert {job.get("if") for job in workflow.jobs.values()} <= conditions
    started = [w for w in of("review", alone(), callers()) if "merge_group" in w.tree["on"]]
    assert len(started) == 2
    for one in started:
        assert one.tree["concurrency"]["group"].endswith("|| github.ref }}")


@each
def test_no_workflow_takes_anything_of_a_pull_request_but_its_number_and_base(
    workflow: Workflow,
) -> None:
    taken = set(re.findall(r"github\.event\.([\w.]+)", workflow.text))
    assert taken <= {
        "pull_request.number",
        "pull_request.base.sha",
        "pull_request.base.ref",
        "repository.default_branch",
    }
    assert not re.search(r"github\.(?:head_ref|base_ref|actor|triggering_actor)", workflow.text)


@pytest.mark.parametrize("workflow", [*alone(), *callers()], ids=str)
def test_a_workflow_starts_for_its_events_alone(workflow: Workflow) -> None:
    assert set(workflow.tree["on"]) == EVENTS[workflow.kind]


@pytest.mark.parametrize("workflow", reusable(), ids=str)
def test_a_reusable_workflow_starts_by_being_called(workflow: Workflow) -> None:
    assert set(workflow.tree["on"]) == {"workflow_call"}


@pytest.mark.parametrize("workflow", of("review", alone(), callers()), ids=str)
def test_the_one_ignored_finding_says_why(workflow: Workflow) -> None:
    (line,) = re.findall(r"^.*zizmor: ignore.*$", workflow.text, re.MULTILINE)
    assert re.search(r"pull_request_target: # zizmor: ignore\[dangerous-triggers\] \w+", line)
    others = [each for each in everything() if each.kind != "review"]
    assert [str(each) for each in others if "zizmor: ignore" in each.text] == []


# ------------------------------------------------------------------------------------ concurrency


@pytest.mark.parametrize("workflow", of("apply reconcile drift", everything()), ids=str)
def test_a_run_that_writes_is_never_cancelled(workflow: Workflow) -> None:
    assert "concurrency" not in workflow.tree
    assert "cancel-in-progress: true" not in workflow.text
    limits = [job["concurrency"] for job in workflow.jobs.values() if "concurrency" in job]
    assert len(limits) == (1 if workflow.steps else 0)
    for limit in limits:
        assert limit["cancel-in-progress"] == "false"
        assert "target" in limit["group"] or "zadig-prod" in limit["group"]
        assert limit.get("queue") == ("max" if workflow.kind != "drift" else None)


def test_apply_and_reconcile_stand_in_one_queue() -> None:
    groups = {
        w.kind: w.jobs[w.kind]["concurrency"]["group"] for w in of("apply reconcile", alone())
    }
    assert groups["apply"] == groups["reconcile"]
    (again,) = of("reconcile", reusable())
    assert again.jobs["reconcile"]["uses"] == "$/.github/workflows/apply.yml"


@pytest.mark.parametrize("workflow", of("apply reconcile drift", reusable(), alone()), ids=str)
def test_only_the_default_branch_is_applied(workflow: Workflow) -> None:
    if "uses" in workflow.jobs[workflow.kind]:
        return  # it calls apply, which is looked at itself
    condition = workflow.jobs[workflow.kind].get("if", "")
    branches = workflow.tree["on"].get("push") if workflow not in reusable() else None
    assert "refs/heads/" in condition or branches == {"branches": ["example-branch"]}


@stepping
def test_every_job_ends(workflow: Workflow) -> None:
    assert all(0 < int(job["timeout-minutes"]) <= 60 for job in workflow.jobs.values())


# --------------------------------------------------------------------------------------- interfaces


@pytest.mark.parametrize("workflow", callers(), ids=str)
def test_a_caller_gives_what_the_reusable_workflow_takes(workflow: Workflow) -> None:
    (called,) = of(workflow.kind, reusable())
    takes = called.tree["on"]["workflow_call"]
    job = workflow.jobs[workflow.kind]
    assert job["uses"].startswith(f"example-owner/planops/.github/workflows/{workflow.kind}.yml@")
    assert set(job.get("with", {})) <= set(takes["inputs"])
    assert set(job.get("secrets", {})) == set(takes.get("secrets", {}))
    needs = [j["permissions"] for j in called.jobs.values()]
    assert needs == [job["permissions"]]


@pytest.mark.parametrize("workflow", reusable(), ids=str)
def test_a_reusable_workflow_gives_the_action_what_it_takes(workflow: Workflow) -> None:
    for step in workflow.steps:
        if step.get("uses") == "$/.github/actions/planops":
            assert set(step["with"]) <= set(action()["inputs"])
            assert action()["inputs"].keys() >= {"arguments", "folder", "tokens"}
