"""What a job is about: variables and event files of both forges, also hostile ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forges.store import sha
from forges.worlds import World
from planops.errors import ForgeFailed, SettingsWrong
from planops.forges import payload
from planops.forges.detect import detect
from planops.forges.events import Event, Name, Trigger, confirmed

HEAD, BASE, AFTER = sha("head"), sha("base"), sha("after")
ZERO = "0" * 40
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "acme/plans",
    "GITHUB_RUN_ID": "30433642",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_API_URL": "https://api.github.com",
    "GITHUB_OUTPUT": "/tmp/out",  # noqa: S108  never opened
    "GITHUB_STEP_SUMMARY": "/tmp/summary",  # noqa: S108  never opened
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_PATH": "acme/sub/plans",
    "CI_PROJECT_ID": "42",
    "CI_API_V4_URL": "https://gitlab.example/api/v4",
    "CI_PIPELINE_ID": "900",
    "CI_JOB_ID": "9001",
    "CI_JOB_URL": "https://gitlab.example/acme/sub/plans/-/jobs/9001",
    "CI_COMMIT_SHA": AFTER,
    "CI_COMMIT_BRANCH": "main",
    "CI_PIPELINE_SOURCE": "push",
    "CI_COMMIT_BEFORE_SHA": BASE,
}
MERGE_REQUEST = {
    **{k: v for k, v in GITLAB.items() if k not in {"CI_COMMIT_BRANCH", "CI_COMMIT_BEFORE_SHA"}},
    "CI_PROJECT_PATH": "mallory/plans",
    "CI_PROJECT_ID": "43",
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_PROJECT_ID": "42",
    "CI_MERGE_REQUEST_PROJECT_PATH": "acme/sub/plans",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA": BASE,
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "change",
}
REPOSITORY = {"repository": {"full_name": "Acme/plans"}}
PULL = REPOSITORY | {
    "pull_request": {"number": 7, "head": {"sha": HEAD}, "base": {"sha": BASE, "ref": "main"}}
}
RUN = REPOSITORY | {
    "workflow_run": {
        "event": "pull_request",
        "head_sha": HEAD,
        "head_branch": "change",
        "head_repository": {"owner": {"login": "mallory"}},
        "pull_requests": [{"number": 99}],
    }
}
PUSH = REPOSITORY | {"ref": "refs/heads/main", "before": BASE, "after": AFTER, "deleted": False}


def github(tmp_path: Path, named: str, held: Any, **changed: str) -> Event:
    file = tmp_path / "event.json"
    file.write_bytes(held if isinstance(held, bytes) else json.dumps(held).encode())
    given_ = {**GITHUB, "GITHUB_EVENT_NAME": named, "GITHUB_EVENT_PATH": str(file), **changed}
    event = detect(given_)
    assert event is not None
    return event


def test_outside_of_a_forge_there_is_no_event() -> None:
    assert detect({}) is None
    assert detect({"CI": "true", "GITHUB_ACTIONS": "1", "GITLAB_CI": ""}) is None


@pytest.mark.parametrize("named", ["pull_request", "pull_request_target"])
def test_a_pull_request_on_github(tmp_path: Path, named: str) -> None:
    assert github(tmp_path, named, PULL) == Event(
        name=Name.GITHUB,
        trigger=Trigger.PULL,
        repository="acme/plans",
        api="https://api.github.com",
        seq=(30433642, 2),
        run="https://github.com/acme/plans/actions/runs/30433642",
        number=7,
        head=HEAD,
        base=BASE,
        branch="main",
        output=Path("/tmp/out"),  # noqa: S108
        summary=Path("/tmp/summary"),  # noqa: S108
    )


def test_a_run_after_another_one_takes_no_number_from_the_event(tmp_path: Path) -> None:
    event = github(tmp_path, "workflow_run", RUN)
    assert (event.trigger, event.number, event.head) == (Trigger.RUN, 0, HEAD)
    assert (event.owner, event.source) == ("mallory", "change")


def test_a_run_after_a_push_is_about_no_pull_request(tmp_path: Path) -> None:
    held = REPOSITORY | {"workflow_run": {"event": "push", "head_sha": HEAD}}
    event = github(tmp_path, "workflow_run", held)
    assert (event.trigger, event.head) == (Trigger.OTHER, "")


@pytest.mark.parametrize(("before", "shown"), [(BASE, BASE), (ZERO, ""), ("", "")])
def test_a_push_on_github(tmp_path: Path, before: str, shown: str) -> None:
    event = github(tmp_path, "push", PUSH | {"before": before})
    assert (event.trigger, event.head, event.before) == (Trigger.PUSH, AFTER, shown)
    assert event.branch == "main"


@pytest.mark.parametrize(
    "changed", [{"ref": "refs/tags/v1"}, {"deleted": True, "after": ZERO}, {"ref": None}]
)
def test_a_push_that_moves_no_branch_is_nothing(tmp_path: Path, changed: dict[str, Any]) -> None:
    assert github(tmp_path, "push", PUSH | changed).trigger is Trigger.OTHER


def test_other_events_on_github(tmp_path: Path) -> None:
    assert github(tmp_path, "schedule", REPOSITORY).trigger is Trigger.SCHEDULE
    for named in ("workflow_dispatch", "issue_comment", ""):
        assert github(tmp_path, named, b"not even JSON").trigger is Trigger.OTHER


def test_a_push_on_gitlab() -> None:
    event = detect(GITLAB)
    assert event == Event(
        name=Name.GITLAB,
        trigger=Trigger.PUSH,
        repository="acme/sub/plans",
        project=42,
        api="https://gitlab.example/api/v4",
        seq=(900, 9001),
        run="https://gitlab.example/acme/sub/plans/-/jobs/9001",
        head=AFTER,
        before=BASE,
        branch="main",
    )


def test_a_merge_request_is_where_it_is_to_be_merged() -> None:
    event = detect(MERGE_REQUEST)
    assert event is not None
    assert (event.trigger, event.number, event.head, event.base) == (Trigger.PULL, 7, AFTER, BASE)
    assert (event.repository, event.project) == ("acme/sub/plans", 42)
    assert (event.branch, event.source) == ("main", "change")


def test_a_merged_result_is_not_taken_for_the_head() -> None:
    event = detect({**MERGE_REQUEST, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD})
    assert event is not None
    assert event.head == HEAD


@pytest.mark.parametrize(
    ("source", "trigger"),
    [("schedule", Trigger.SCHEDULE), ("web", Trigger.OTHER), ("", Trigger.OTHER)],
)
def test_other_pipelines_on_gitlab(source: str, trigger: Trigger) -> None:
    event = detect({**GITLAB, "CI_PIPELINE_SOURCE": source, "CI_COMMIT_BRANCH": ""})
    assert event is not None
    assert (event.trigger, event.branch) == (trigger, "")


@pytest.mark.parametrize(
    ("base", "name", "value"),
    [
        (GITHUB, "GITHUB_REPOSITORY", "acme"),
        (GITHUB, "GITHUB_REPOSITORY", "acme/plans/../x"),
        (GITHUB, "GITHUB_REPOSITORY", "acme/pl ans"),
        (GITHUB, "GITHUB_RUN_ID", ""),
        (GITHUB, "GITHUB_RUN_ID", "9" * 30),
        (GITHUB, "GITHUB_RUN_ID", "²"),
        (GITHUB, "GITHUB_RUN_ATTEMPT", "-1"),
        (GITHUB, "GITHUB_API_URL", "file:///etc/passwd"),
        (GITHUB, "GITHUB_SERVER_URL", "https://github.com/?a=b"),
        (GITLAB, "CI_PROJECT_PATH", "acme"),
        (GITLAB, "CI_PROJECT_PATH", "a/" * 300 + "b"),
        (GITLAB, "CI_PROJECT_ID", "acme%2Fplans"),
        (GITLAB, "CI_JOB_URL", "javascript:alert(1)"),
        (GITLAB, "CI_COMMIT_SHA", "HEAD"),
        (GITLAB, "CI_COMMIT_BRANCH", "a b"),
        (MERGE_REQUEST, "CI_MERGE_REQUEST_IID", "7;"),
        (MERGE_REQUEST, "CI_MERGE_REQUEST_PROJECT_ID", ""),
        (MERGE_REQUEST, "CI_MERGE_REQUEST_DIFF_BASE_SHA", "abc"),
        (MERGE_REQUEST, "CI_COMMIT_SHA", ""),
    ],
)
def test_a_variable_that_is_malformed_is_named(
    base: Mapping[str, str], name: str, value: str
) -> None:
    with pytest.raises(SettingsWrong, match=f"^{name}: it is") as caught:
        detect({**base, name: value})
    assert not value or value not in str(caught.value)


def _without(held: Any, path: str, value: Any) -> Any:
    name, _, rest = path.partition(".")
    return held | {name: _without(held[name], rest, value) if rest else value}


@pytest.mark.parametrize(
    ("named", "held", "path"),
    [
        ("pull_request", PULL, "pull_request"),
        ("pull_request", PULL, "pull_request.number"),
        ("pull_request", PULL, "pull_request.head"),
        ("pull_request", PULL, "pull_request.head.sha"),
        ("pull_request", PULL, "pull_request.base.sha"),
        ("pull_request", PULL, "pull_request.base.ref"),
        ("pull_request", PULL, "repository.full_name"),
        ("workflow_run", RUN, "workflow_run.head_sha"),
        ("workflow_run", RUN, "workflow_run.head_branch"),
        ("workflow_run", RUN, "workflow_run.head_repository.owner.login"),
        ("push", PUSH, "after"),
        ("schedule", REPOSITORY, "repository"),
    ],
)
@pytest.mark.parametrize(
    "value", [None, "", 0, True, -1, [], {}, "a\nb", "-f", "$(id)", "x" * 40, "../../x y"], ids=repr
)
def test_an_event_of_the_wrong_form_is_refused(
    tmp_path: Path, named: str, held: Any, path: str, value: Any
) -> None:
    names = {"x" * 40} if path.endswith("login") else {"x" * 40, "$(id)"}
    if path.endswith(("login", "ref", "branch")) and isinstance(value, str) and value in names:
        assert github(tmp_path, named, _without(held, path, value)).head == HEAD
        return  # git and the forges let somebody, or a branch, be called so
    with pytest.raises(SettingsWrong, match=r"^GITHUB_EVENT_PATH: the event cannot be used: "):
        github(tmp_path, named, _without(held, path, value))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is no JSON"),
        (b"\xff", "it is no JSON"),
        (b"[" * 200_000, "it is no JSON"),
        (b'{"repository"', "it is no JSON"),
        (b"[]", "repository.full_name is another repository"),
        (b"null", "repository.full_name is another repository"),
    ],
    ids=["empty", "no UTF-8", "deep", "cut", "a list", "null"],
)
def test_an_event_file_that_is_none_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(SettingsWrong, match=why):
        github(tmp_path, "pull_request", data)


def test_an_event_file_is_read_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payload, "MOST", 1000)
    with pytest.raises(SettingsWrong, match="it is larger than 1000 bytes"):
        github(tmp_path, "pull_request", b" " * 1001)


@pytest.mark.parametrize(
    ("path", "why"),
    [("", "it is not set"), ("/nowhere/at/all", "No such file"), ("/", "directory")],
)
def test_an_event_file_that_cannot_be_read_is_said(path: str, why: str) -> None:
    named = {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": path}
    with pytest.raises(SettingsWrong, match=why):
        detect({**GITHUB, **named})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=50),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(held=JSON, named=st.sampled_from(["pull_request", "workflow_run", "push", "schedule"]))
def test_no_event_file_ends_in_anything_but_an_event_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, held: Any, named: str
) -> None:
    whole = REPOSITORY | {"pull_request": held, "workflow_run": held, "after": held, "ref": held}
    try:
        event = github(tmp_path_factory.mktemp("event"), named, whole)
    except SettingsWrong:
        return
    assert event.number == 0


# ------------------------------------------------------------------------------- asking the forge


def test_the_forge_confirms_the_event_s_pull_request(there: World) -> None:
    pull = there.store.open_pull(fork=True)
    with there.client() as forge:
        found = confirmed(forge, there.event(pull))
        assert found == forge.pull(pull.number)
        assert found is not None
        assert (found.head, found.fork, found.author) == (pull.head, True, "mallory")
        event = there.event(pull)
        there.store.push(pull)
        assert confirmed(forge, event) is None
        assert confirmed(forge, there.event()) is None


def test_a_run_after_another_one_finds_its_pull_request_by_branch_and_head(hub: World) -> None:
    hub.store.open_pull(source="other")
    pull = hub.store.open_pull(fork=True)
    event = replace(
        hub.event(), trigger=Trigger.RUN, head=pull.head, owner="mallory", source="change"
    )
    with hub.client() as forge:
        found = confirmed(forge, event)
        assert found is not None
        assert found.number == pull.number
        assert confirmed(forge, replace(event, owner="acme")) is None
        assert confirmed(forge, replace(event, head=sha("elsewhere"))) is None
        assert confirmed(forge, replace(event, source="")) is None


def test_a_head_of_two_pull_requests_is_not_guessed(there: World) -> None:
    first, second = there.store.open_pull(), there.store.open_pull()
    second.head = first.head
    event = replace(
        there.event(), trigger=Trigger.RUN, head=first.head, owner="acme", source="change"
    )
    with (
        there.client() as forge,
        pytest.raises(ForgeFailed, match=r"several pull requests \(1, 2\)"),
    ):
        confirmed(forge, event)


@pytest.mark.parametrize("gone", [True, False])
def test_what_a_forge_says_of_a_pull_request(there: World, *, gone: bool) -> None:
    pull = there.store.open_pull(fork=gone)
    pull.gone, pull.draft = gone, True
    with there.client() as forge:
        found = forge.pull(pull.number)
        assert (found.open, found.merged, found.merge, found.draft) == (True, False, "", True)
        assert (found.base, found.branch, found.fork) == (pull.base, "main", gone)
        assert found.url.startswith("https://")
        merge = there.store.merge(pull)
        assert [each.merge for each in forge.pulls_of(merge)] == [merge]
        assert not forge.pull(pull.number).open
        assert forge.pulls_of(sha("nobody's")) == ()


def test_a_commit_of_an_open_pull_request_has_no_merged_one(there: World) -> None:
    pull = there.store.open_pull()
    with there.client() as forge:
        assert forge.pulls_of(pull.head) == ()
