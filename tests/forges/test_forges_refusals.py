"""Rate limits, missing rights, wrong addresses: how long is waited, what is raised and told."""

from __future__ import annotations

import traceback

import pytest

from forges import github
from forges.serving import HTML, Answer
from forges.store import NOW, READER, WRITER, Pull
from forges.worlds import World, world
from planops.core.sticky import Act
from planops.errors import (
    ForgeBusy,
    ForgeFailed,
    ForgeRefused,
    PlanopsError,
    SettingsWrong,
)
from planops.forges.connect import connect
from planops.forges.events import Event, Name, Trigger


@pytest.fixture
def pull(there: World) -> Pull:
    return there.store.open_pull()


def part(there: World) -> str:
    return "/pulls/" if there.name is Name.GITHUB else "/merge_requests/"


# ----------------------------------------------------------------------------------- rate limits


@pytest.mark.parametrize(("asked", "slept"), [(7, [7.0]), (0, [0.0]), (None, [60.0])])
def test_a_read_waits_as_long_as_it_is_asked_to(
    there: World, pull: Pull, asked: int | None, slept: list[float]
) -> None:
    there.server.fail("GET", part(there), there.limited(asked))
    with there.client() as forge:
        assert forge.pull(pull.number).head == pull.head
    assert there.clock.slept == slept


def test_a_write_that_was_refused_by_a_limit_is_made_after_the_wait(
    there: World, pull: Pull
) -> None:
    there.server.fail("POST", f"/{pull.number}/", there.limited(90))
    with there.client() as forge:
        assert forge.upsert(there.post(pull, "one")).act is Act.CREATE
    assert there.clock.slept == [90.0]
    assert there.ours(pull) == ["one"]
    assert len(there.server.writes()) == 2


def test_the_wait_doubles_where_the_forge_does_not_say_how_long(there: World, pull: Pull) -> None:
    there.server.fail("GET", part(there), there.limited(None), times=3)
    with there.client(patience=1000) as forge:
        forge.pull(pull.number)
    assert there.clock.slept == [60.0, 120.0, 240.0]


def test_a_wait_beyond_the_budget_is_not_begun(there: World, pull: Pull) -> None:
    there.server.fail("GET", part(there), there.limited(100), times=9)
    with there.client(patience=250) as forge, pytest.raises(ForgeBusy) as caught:
        forge.pull(pull.number)
    assert there.clock.slept == [100.0, 100.0]
    assert "the forge asks to wait 100 seconds, and of what may be waited 50 are left" in str(
        caught.value
    )


def test_a_limit_that_never_ends_is_given_up(there: World, pull: Pull) -> None:
    there.server.fail("GET", part(there), there.limited(1), times=99)
    with there.client() as forge, pytest.raises(ForgeBusy, match="refused it 5 times"):
        forge.pull(pull.number)
    assert len(there.server.asked) == 5


def test_the_last_try_may_still_succeed(there: World, pull: Pull) -> None:
    there.server.fail("GET", part(there), there.limited(1), times=4)
    with there.client() as forge:
        assert forge.pull(pull.number).number == pull.number
    assert there.clock.slept == [1.0] * 4


def test_an_hour_is_the_longest_wait_that_is_believed(there: World, pull: Pull) -> None:
    there.server.fail("GET", part(there), there.limited(10**12))
    with there.client() as forge, pytest.raises(ForgeBusy, match="wait 3600 seconds"):
        forge.pull(pull.number)


def test_a_primary_limit_waits_for_its_reset(hub: World) -> None:
    pull = hub.store.open_pull()
    hub.server.fail("GET", "/pulls/", github.primary(40))
    hub.server.fail("GET", "/pulls/", github.primary(-40))
    with hub.client() as forge:
        forge.pull(pull.number)
    assert hub.clock.slept == [41.0, 1.0]


def test_a_limit_told_by_429_is_waited_for_in_one_piece(hub: World) -> None:
    pull = hub.store.open_pull()
    limit = Answer(status=429, body={"message": "slow down"}, headers={"Retry-After": "90"})
    hub.server.fail("GET", "/pulls/", limit)
    with hub.client() as forge:
        forge.pull(pull.number)
    assert hub.clock.slept == [90.0]
    assert len(hub.server.asked) == 2


def test_gitlab_s_reset_is_read_as_well(lab: World) -> None:
    pull = lab.store.open_pull()
    headers = {"RateLimit-Remaining": "0", "RateLimit-Reset": str(NOW + 5)}
    lab.server.fail("GET", "/merge_requests/", Answer(status=429, raw=b"", headers=headers))
    with lab.client() as forge:
        forge.pull(pull.number)
    assert lab.clock.slept == [6.0]


@pytest.mark.parametrize("reset", ["", "soon", "²", "9" * 400])
def test_a_reset_that_says_nothing_is_a_minute_or_an_hour(hub: World, reset: str) -> None:
    pull = hub.store.open_pull()
    headers = {"X-RateLimit-Remaining": "0"} | (
        {"X-RateLimit-Reset": reset} if reset.isascii() else {}
    )
    limited = {"message": "API rate limit exceeded"}
    hub.server.fail("GET", "/pulls/", Answer(status=403, body=limited, headers=headers))
    with hub.client(patience=10_000) as forge:
        forge.pull(pull.number)
    assert hub.clock.slept == [3601.0 if reset[:1] == "9" else 60.0]


def test_a_busy_server_is_asked_again(there: World, pull: Pull) -> None:
    there.server.fail("GET", part(there), Answer(status=502, raw=HTML), times=2)
    with there.client() as forge:
        assert forge.pull(pull.number).number == pull.number


# ---------------------------------------------------------------------------------------- rights


def test_a_token_that_only_reads_is_refused_and_nothing_is_repeated(
    there: World, pull: Pull
) -> None:
    with there.client(READER) as forge:
        assert forge.pull(pull.number).head == pull.head
        with pytest.raises(ForgeRefused, match=r"the token lacks the permission: status 403"):
            forge.upsert(there.post(pull, "one"))
        with pytest.raises(ForgeRefused):
            forge.label(pull.number, ["planops/drift"], ["planops/drift"])
        with pytest.raises(ForgeRefused):
            forge.issue("Drift", there.post(pull, "one"), wanted=True)
    assert there.clock.slept == []
    assert len(there.server.writes()) == 3


def test_a_project_that_hides_what_may_not_be_done_is_refused_too(lab: World) -> None:
    lab.server.hide = True  # type: ignore[union-attr]
    pull = lab.store.open_pull()
    with lab.client(READER) as forge, pytest.raises(ForgeRefused, match="may not see it"):
        forge.upsert(lab.post(pull, "one"))


def test_a_token_that_nobody_knows_is_refused(there: World, pull: Pull) -> None:
    with there.client("token-that-nobody-knows") as forge:
        with pytest.raises(ForgeRefused, match="the token is missing, over or not accepted"):
            forge.upsert(there.post(pull, "one"))
        with pytest.raises(ForgeRefused):
            forge.pull(pull.number)


def test_a_pull_request_that_is_not_there_is_refused(there: World) -> None:
    with there.client() as forge, pytest.raises(ForgeRefused, match="there is none, or the token"):
        forge.pull(404)


def test_a_refusal_names_the_call_and_what_was_said(hub: World) -> None:
    pull = hub.store.open_pull()
    with hub.client(READER) as forge, pytest.raises(ForgeRefused) as caught:
        forge.upsert(hub.post(pull, "one"))
    host = hub.server.url.removeprefix("http://")
    assert str(caught.value) == (
        f"POST /repos/{github.REPOSITORY}/issues/1/comments at {host}: the token lacks the"
        ' permission: status 403, "Resource not accessible by integration"; see docs/forges.md'
    )


# ------------------------------------------------------------------------------ what is no answer


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=200, raw=HTML),
        Answer(status=200, raw=b""),
        Answer(status=200, raw=b'{"a": 1, "a": 2}'),
        Answer(status=200, body=[]),
        Answer(status=200, body={"number": "1", "iid": True}),
        Answer(status=200, body={"number": -1, "iid": -1, "state": "opened", "sha": "x"}),
        Answer(status=302, headers={"Location": "https://elsewhere.example/"}),
        Answer(status=418, body={"message": "a teapot"}),
        Answer(status=500, body={"error": "no"}),
    ],
    ids=str,
)
def test_an_answer_that_is_none_is_a_failure_of_the_forge(
    there: World, pull: Pull, answer: Answer
) -> None:
    there.server.fail("GET", part(there), answer)
    with there.client() as forge, pytest.raises(ForgeFailed) as caught:
        forge.pull(pull.number)
    assert not isinstance(caught.value, ForgeRefused)


def test_a_list_that_is_none_is_a_failure_of_the_forge(there: World, pull: Pull) -> None:
    there.server.fail("GET", f"/{pull.number}/", Answer(body={"message": "no"}))
    with there.client() as forge, pytest.raises(ForgeFailed, match="the answer is no list"):
        forge.upsert(there.post(pull, "one"))


def test_the_address_of_a_next_page_is_not_followed(there: World, pull: Pull) -> None:
    with world("github") as elsewhere:
        link = f'<{elsewhere.server.url}/steal?page=2>; rel="next"'
        there.server.fail("GET", f"/{pull.number}/", Answer(body=[], headers={"Link": link}))
        with there.client() as forge:
            forge.upsert(there.post(pull, "one"))
        assert elsewhere.server.asked == []
    assert there.server.asked[1].query["page"] == "2"


def test_a_redirect_to_another_host_gets_no_token(there: World, pull: Pull) -> None:
    with world("github") as elsewhere:
        moved = Answer(status=307, headers={"Location": f"{elsewhere.server.url}/x"})
        there.server.fail("POST", f"/{pull.number}/", moved)
        with there.client() as forge, pytest.raises(ForgeFailed, match="not followed"):
            forge.upsert(there.post(pull, "one"))
        assert elsewhere.server.asked == []


# --------------------------------------------------------------------------------------- secrets


def test_no_token_is_in_any_message_or_log(there: World, pull: Pull) -> None:
    echo = Answer(status=422, body={"message": f"bad {WRITER} in Authorization: Bearer {WRITER}"})
    there.server.fail("POST", f"/{pull.number}/", echo)
    told = []
    with there.client() as forge:
        try:
            forge.upsert(there.post(pull, "one"))
        except ForgeFailed as error:
            told += [str(error), *traceback.format_exception(error)]
    assert told
    assert "***" in told[0]
    assert not [text for text in [*told, *map(str, there.calls)] if WRITER in text]


@pytest.mark.parametrize("token", ["", " ", "two\nlines", " spaced", "schlüssel"])
@pytest.mark.parametrize("name", list(Name))
def test_a_token_that_cannot_be_sent_is_said_before_any_call(name: Name, token: str) -> None:
    with (
        pytest.raises(SettingsWrong) as caught,
        connect(_event(name, "https://f.example"), token, _Never()),
    ):
        pass
    assert not token.strip() or token not in str(caught.value)


class _Never:
    def now(self) -> int:
        raise AssertionError

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


def _event(name: Name, api: str) -> Event:
    return Event(name=name, trigger=Trigger.OTHER, repository="a/b", api=api, seq=(1, 1), run="")


@pytest.mark.parametrize(
    "api", ["http://forge.example/api/v4", "ftp://forge.example", "https://u:p@forge.example", "x"]
)
@pytest.mark.parametrize("name", list(Name))
def test_a_token_is_sent_in_clear_to_loopback_only(name: Name, api: str) -> None:
    variable = {Name.GITHUB: "GITHUB_API_URL", Name.GITLAB: "CI_API_V4_URL"}[name]
    with (
        pytest.raises(SettingsWrong, match=f"the environment: {variable} cannot be used"),
        connect(_event(name, api), WRITER, _Never()),
    ):
        pass


def test_a_server_that_is_not_there_is_a_failure_of_the_forge(there: World) -> None:
    event = there.event()
    with world("github") as other:
        gone = other.server.url
    dead = Event(
        name=event.name, trigger=event.trigger, repository="a/b", api=gone, seq=(1, 1), run=""
    )
    with connect(dead, WRITER, there.clock) as forge, pytest.raises(ForgeFailed) as caught:
        forge.pull(1)
    assert "planops.yaml" not in str(caught.value)
    assert "in the environment, and that the server can be reached from here" in str(caught.value)


def test_every_failure_of_a_forge_is_one_that_a_caller_can_do_without() -> None:
    assert issubclass(ForgeRefused, ForgeFailed)
    assert issubclass(ForgeBusy, ForgeFailed)
    assert issubclass(ForgeFailed, PlanopsError)
