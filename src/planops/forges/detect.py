"""What the CI job that we run in is about: GitHub Actions or GitLab CI, by its own variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from planops.errors import SettingsWrong
from planops.forges import payload
from planops.forges.events import Event, Name, Trigger
from planops.forges.variables import Variables

_GITHUB: Final = re.compile(r"[A-Za-z0-9_.\-]{1,100}/[A-Za-z0-9_.\-]{1,100}")
_GITLAB: Final = re.compile(r"(?=.{3,400}$)[A-Za-z0-9_.\-]+(?:/[A-Za-z0-9_.\-]+)+")


def detect(environment: Mapping[str, str]) -> Event | None:
    """Say what this CI job is about, ``None`` outside of GitHub Actions and GitLab CI.

    Raises ``SettingsWrong`` for variables or an event file that cannot be used.
    """
    if environment.get("GITHUB_ACTIONS") == "true":
        return _github(Variables(environment=environment))
    if environment.get("GITLAB_CI") == "true":
        return _gitlab(Variables(environment=environment))
    return None


def _github(given: Variables) -> Event:
    repository = given.match("GITHUB_REPOSITORY", _GITHUB, "repository")
    run = given.number("GITHUB_RUN_ID")
    event = Event(
        name=Name.GITHUB,
        trigger=Trigger.OTHER,
        repository=repository,
        api=given.address("GITHUB_API_URL"),
        seq=(run, given.number("GITHUB_RUN_ATTEMPT")),
        run=f"{given.address('GITHUB_SERVER_URL')}/{repository}/actions/runs/{run}",
        output=given.path("GITHUB_OUTPUT"),
        summary=given.path("GITHUB_STEP_SUMMARY"),
    )
    return payload.read(event, given.get("GITHUB_EVENT_NAME"), given.path("GITHUB_EVENT_PATH"))


def _gitlab(given: Variables) -> Event:
    event = Event(
        name=Name.GITLAB,
        trigger=Trigger.OTHER,
        repository=given.match("CI_PROJECT_PATH", _GITLAB, "project"),
        project=given.number("CI_PROJECT_ID"),
        api=given.address("CI_API_V4_URL"),
        seq=(given.number("CI_PIPELINE_ID"), given.number("CI_JOB_ID")),
        run=given.address("CI_JOB_URL"),
        head=given.sha("CI_COMMIT_SHA"),
        ca_file=given.path("CI_SERVER_TLS_CA_FILE"),
    )
    if given.get("CI_MERGE_REQUEST_IID"):
        return _merge_request(event, given)
    branch = given.branch("CI_COMMIT_BRANCH")
    match given.get("CI_PIPELINE_SOURCE"):
        case "push":
            before = given.sha("CI_COMMIT_BEFORE_SHA")
            return replace(event, trigger=Trigger.PUSH, before=before, branch=branch)
        case "schedule":
            return replace(event, trigger=Trigger.SCHEDULE, branch=branch)
        case _:
            return replace(event, branch=branch)


def _merge_request(event: Event, given: Variables) -> Event:
    """A job of a fork's pipeline is in the fork; the merge request is where it is to be merged.

    ``CI_COMMIT_SHA`` is a merge of both branches where results are tried merged; only then are the
    branches' own commits told. Else the base is where the source branch left the target.
    """
    head = given.sha("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or event.head
    if not head:
        raise SettingsWrong("CI_COMMIT_SHA: it is not set; it is set by the forge")
    return replace(
        event,
        trigger=Trigger.PULL,
        repository=given.match("CI_MERGE_REQUEST_PROJECT_PATH", _GITLAB, "project"),
        project=given.number("CI_MERGE_REQUEST_PROJECT_ID"),
        number=given.number("CI_MERGE_REQUEST_IID"),
        head=head,
        base=given.sha("CI_MERGE_REQUEST_TARGET_BRANCH_SHA")
        or given.sha("CI_MERGE_REQUEST_DIFF_BASE_SHA"),
        branch=given.branch("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"),
        source=given.branch("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"),
    )
