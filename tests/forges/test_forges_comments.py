"""The one comment: whatever fails, races or is pasted, it says what the latest run found."""

from __future__ import annotations

import pytest

from forges.serving import HTML, Answer, Meanwhile
from forges.store import ALICE, APP, MALLORY, OURS, Pull
from forges.worlds import World, world
from planops.core.forge import Kind, Post, Risk
from planops.core.sticky import Act
from planops.errors import ForgeFailed, ForgeRefused
from planops.forges.events import Name
from planops.ports import Posted


def upsert(there: World, post: Post, notice: str = "") -> Posted:
    with there.client() as forge:
        return forge.upsert(post, notice)


@pytest.fixture
def pull(there: World) -> Pull:
    pull = there.store.open_pull()
    there.store.say(pull, ALICE, "looks good")
    return pull


# --------------------------------------------------------------------------------------- plainly


def test_it_is_written_once_and_then_in_place(there: World, pull: Pull) -> None:
    first = upsert(there, there.post(pull, "one"))
    id_ = pull.notes[1].id
    second = upsert(there, there.post(pull, "two", seq=(2, 1)))
    assert (first.act, first.before) == (Act.CREATE, None)
    assert second.act is Act.UPDATE
    assert second.before == there.post(pull, "").marker
    assert there.ours(pull) == ["two"]
    assert [note.id for note in pull.notes] == [pull.notes[0].id, id_]
    assert pull.notes[0].text == "looks good"


def test_the_marker_is_the_first_line_and_hidden(there: World, pull: Pull) -> None:
    upsert(there, there.post(pull, "one"))
    line = pull.notes[1].text.partition("\n")[0]
    assert line.startswith("<!-- planops:v1 {")
    assert line.endswith("} -->")
    assert "--" not in line[4:-3]


def test_the_same_text_is_not_written_again(there: World, pull: Pull) -> None:
    upsert(there, there.post(pull, "one"))
    before = len(there.server.writes())
    assert upsert(there, there.post(pull, "one")).act is Act.LEAVE
    assert len(there.server.writes()) == before


def test_a_later_run_with_the_same_words_is_the_one_that_counts(there: World, pull: Pull) -> None:
    upsert(there, there.post(pull, "same"))
    upsert(there, there.post(pull, "same", seq=(3, 1)))
    assert upsert(there, there.post(pull, "older", seq=(2, 1))).act is Act.SUPERSEDED
    assert there.ours(pull) == ["same"]


@pytest.mark.parametrize(("late", "seq"), [((1, 9), (2, 1)), ((2, 1), (2, 2))])
def test_an_older_run_that_ends_later_writes_nothing(
    there: World, pull: Pull, late: tuple[int, int], seq: tuple[int, int]
) -> None:
    upsert(there, there.post(pull, "newer", seq=seq))
    before = len(there.server.writes())
    posted = upsert(there, there.post(pull, "older", seq=late), "told")
    assert posted.act is Act.SUPERSEDED
    assert posted.why == f"a later run has written there, {seq[0]}.{seq[1]}"
    assert len(there.server.writes()) == before


def test_a_run_whose_head_is_no_longer_the_head_writes_nothing(there: World, pull: Pull) -> None:
    old = pull.head
    there.store.push(pull)
    posted = upsert(there, there.post(pull, "old", head=old, seq=(9, 1)))
    assert (posted.act, there.ours(pull)) == (Act.SUPERSEDED, [])
    assert posted.why == f"the pull request's head is {pull.head[:12]} now"


def test_a_review_that_ends_after_the_merge_writes_nothing(there: World, pull: Pull) -> None:
    there.store.merge(pull)
    assert upsert(there, there.post(pull, "late")).why == "the pull request is merged"
    posted = upsert(there, there.post(pull, "applied", kind=Kind.OUTCOME))
    assert (posted.act, there.ours(pull)) == (Act.CREATE, ["applied"])


def test_a_long_thread_is_read_to_its_end(there: World, pull: Pull) -> None:
    for number in range(250):
        there.store.say(pull, ALICE, f"comment {number}")
    upsert(there, there.post(pull, "one"))
    there.store.say(pull, ALICE, "and more")
    upsert(there, there.post(pull, "two", seq=(2, 1)))
    assert there.ours(pull) == ["two"]
    assert len(pull.notes) == 253


def test_a_thread_without_end_is_given_up(there: World, pull: Pull) -> None:
    more = Answer(body=[], headers={"Link": f'<{there.server.url}/x?page=2>; rel="next"'})
    there.server.fail("GET", f"/{pull.number}/", more, times=200)
    size = 100 if there.name is Name.GITHUB else 50
    with pytest.raises(ForgeFailed, match=f"more than {size * 100} rows: it cannot be read"):
        upsert(there, there.post(pull, "one"))
    assert len(there.server.asked) == 100
    assert there.server.writes() == []


# --------------------------------------------------------------------------------- other people


@pytest.mark.parametrize("user", [MALLORY, ALICE])
def test_a_pasted_marker_is_not_ours(there: World, pull: Pull, user: object) -> None:
    pasted = there.post(pull, "<b>mine</b>", seq=(2**60, 1), kind=Kind.OUTCOME).text
    note = there.store.say(pull, MALLORY if user is MALLORY else ALICE, pasted)
    upsert(there, there.post(pull, "true"))
    assert there.ours(pull) == ["true"]
    assert note in pull.notes
    assert note.text == pasted


def test_another_comment_of_our_author_is_not_touched(there: World, pull: Pull) -> None:
    elsewhere = there.store.open_pull()
    foreign = there.post(elsewhere, "of another pull request").text
    texts = ["deployed!", foreign, "> " + there.post(pull, "quoted").text, "<!-- planops:v1 {} -->"]
    for text in texts:
        there.store.say(pull, OURS, text)
    upsert(there, there.post(pull, "true"))
    assert [note.text for note in pull.notes][1:-1] == texts


def test_a_note_of_the_system_in_our_name_is_not_ours(lab: World) -> None:
    pull = lab.store.open_pull()
    lab.store.say(pull, OURS, lab.post(pull, "x", seq=(9, 9)).text, system=True)
    assert upsert(lab, lab.post(pull, "one")).act is Act.CREATE


def test_comments_that_are_too_many_are_taken_away(there: World, pull: Pull) -> None:
    for number, seq in enumerate([(3, 1), (5, 1), (4, 1), (5, 1)]):
        there.store.say(pull, OURS, there.post(pull, f"body {number}", seq=seq).text)
    assert upsert(there, there.post(pull, "old", seq=(4, 2))).act is Act.SUPERSEDED
    assert there.ours(pull) == ["body 1"]
    upsert(there, there.post(pull, "new", seq=(6, 1)))
    assert there.ours(pull) == ["new"]


def test_what_may_not_be_deleted_is_emptied(there: World, pull: Pull) -> None:
    for seq in [(1, 1), (2, 1)]:
        there.store.say(pull, OURS, there.post(pull, f"body {seq[0]}", seq=seq).text)
    there.server.fail("DELETE", "/", Answer(status=403, body={"message": "no"}))
    upsert(there, there.post(pull, "new", seq=(3, 1)))
    texts = [note.text for note in pull.notes[1:]]
    assert texts == [
        "_This comment was replaced by a newer one._",
        there.post(pull, "new", seq=(3, 1)).text,
    ]


# ------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize("done", [True, False], ids=["written", "not written"])
@pytest.mark.parametrize(
    "answer", [None, Answer(status=502, raw=HTML), Answer(status=200, raw=HTML)], ids=str
)
def test_a_lost_answer_is_looked_up(
    there: World, pull: Pull, answer: Answer | None, *, done: bool
) -> None:
    there.server.fail("POST", "s", answer, done=done)
    there.server.faults[-1].part = f"/{pull.number}/"  # GraphQL is a POST too
    posted = upsert(there, there.post(pull, "one"))
    assert (posted.act, there.ours(pull)) == (Act.CREATE, ["one"])
    posts = [call for call in there.server.writes() if call.startswith("POST")]
    assert len(posts) == (1 if done else 2)


@pytest.mark.parametrize("done", [True, False], ids=["written", "not written"])
def test_a_lost_edit_is_looked_up(there: World, pull: Pull, *, done: bool) -> None:
    upsert(there, there.post(pull, "one"))
    there.server.fail("PATCH" if there.name is Name.GITHUB else "PUT", "/", None, done=done)
    posted = upsert(there, there.post(pull, "two", seq=(2, 1)))
    assert (posted.act, there.ours(pull)) == (Act.UPDATE, ["two"])


def test_a_second_text_of_one_run_is_not_taken_for_the_first(there: World, pull: Pull) -> None:
    upsert(there, there.post(pull, "running"))
    there.server.fail("PATCH" if there.name is Name.GITHUB else "PUT", "/", None)
    upsert(there, there.post(pull, "done"))
    assert there.ours(pull) == ["done"]


def test_a_forge_that_never_says_what_it_did_is_given_up(there: World, pull: Pull) -> None:
    there.server.fail("POST", f"/{pull.number}/", None, times=99)
    with pytest.raises(ForgeFailed, match="did not stay as it was written 3 times"):
        upsert(there, there.post(pull, "one"))
    assert len(there.server.writes()) == 3


def test_a_comment_that_somebody_deletes_meanwhile_is_written_anew(
    there: World, pull: Pull
) -> None:
    upsert(there, there.post(pull, "one"))
    method = "PATCH" if there.name is Name.GITHUB else "PUT"
    there.server.meanwhile.append(Meanwhile(method, "/", pull.notes.pop))
    upsert(there, there.post(pull, "two", seq=(2, 1)))
    assert there.ours(pull) == ["two"]


def test_a_text_that_is_too_long_is_not_sent(there: World, pull: Pull) -> None:
    with there.client() as forge:
        head = len(there.post(pull, "").text)
        longest = there.post(pull, "ü" * (forge.limit - head))
        with pytest.raises(ForgeFailed, match=f"{forge.limit + 1} characters, the forge takes"):
            forge.upsert(there.post(pull, longest.body + "x"))
        assert there.server.writes() == []
        assert forge.upsert(longest).act is Act.CREATE


# --------------------------------------------------------------------------------------- racing


def test_a_newer_run_puts_right_what_an_older_one_wrote_over_it(there: World, pull: Pull) -> None:
    upsert(there, there.post(pull, "first"))
    method = "PATCH" if there.name is Name.GITHUB else "PUT"
    late = there.post(pull, "older", seq=(2, 1)).text

    def write_over() -> None:
        pull.notes[1].text = late

    after_the_write = 2  # the comments are read before the write and after it
    there.server.meanwhile.append(
        Meanwhile(
            "GET", "/comments" if method == "PATCH" else "/notes", write_over, after_the_write
        )
    )
    upsert(there, there.post(pull, "newest", seq=(3, 1)))
    assert there.ours(pull) == ["newest"]


def test_an_older_run_gives_way_to_one_that_wrote_just_before_it(there: World, pull: Pull) -> None:
    newer = there.post(pull, "newer", seq=(2, 1)).text
    part = "/comments" if there.name is Name.GITHUB else "/notes"
    there.server.meanwhile.append(
        Meanwhile("POST", part, lambda: there.store.say(pull, OURS, newer))
    )
    posted = upsert(there, there.post(pull, "older"))
    assert (posted.act, there.ours(pull)) == (Act.SUPERSEDED, ["newer"])


def test_another_program_that_keeps_writing_there_is_not_fought(there: World, pull: Pull) -> None:
    upsert(there, there.post(pull, "one"))
    part = "/comments" if there.name is Name.GITHUB else "/notes"
    stuck = there.post(pull, "stuck").text

    def put_back() -> None:
        pull.notes[1].text = stuck

    there.server.meanwhile += [Meanwhile("GET", part, put_back, turn) for turn in range(1, 9)]
    with pytest.raises(ForgeFailed, match="see whether another program writes as"):
        upsert(there, there.post(pull, "two", seq=(2, 1)))


# -------------------------------------------------------------------------------------- notices


def test_a_notice_comes_only_when_the_risk_of_a_review_rises(there: World, pull: Pull) -> None:
    risks = [Risk.ROUTINE, Risk.ROUTINE, Risk.BLOCKED, Risk.BLOCKED, Risk.ATTENTION, Risk.BLOCKED]
    counts = []
    for run, risk in enumerate(risks, 1):
        there.store.push(pull)
        upsert(there, there.post(pull, f"{run}", seq=(run, 1), risk=risk), f"risk is {risk}")
        counts.append(len(there.ours(pull)))
    assert counts == [1, 1, 2, 2, 2, 3]
    assert there.ours(pull)[0] == "6"


def test_a_notice_says_the_same_about_the_same_head_once(there: World, pull: Pull) -> None:
    with there.client() as forge:
        for seq, body, new in [
            ((1, 1), "failed", True),
            ((1, 2), "failed", False),
            ((1, 3), "x", True),
        ]:
            post = there.post(pull, body, seq=seq, kind=Kind.NOTICE)
            assert forge.notice(post) is new
    there.store.push(pull)
    with there.client() as forge:
        assert forge.notice(there.post(pull, "failed", kind=Kind.NOTICE))
    assert there.ours(pull) == ["failed", "x", "failed"]


@pytest.mark.parametrize("done", [True, False])
def test_a_lost_notice_is_looked_up(there: World, pull: Pull, *, done: bool) -> None:
    there.server.fail("POST", f"/{pull.number}/", None, done=done)
    with there.client() as forge:
        assert forge.notice(there.post(pull, "failed", kind=Kind.NOTICE))
    assert there.ours(pull) == ["failed"]


def test_notices_that_never_arrive_are_given_up(there: World, pull: Pull) -> None:
    there.server.fail("POST", f"/{pull.number}/", None, times=99)
    with (
        there.client() as forge,
        pytest.raises(ForgeFailed, match="no notice could be written in 3"),
    ):
        forge.notice(there.post(pull, "failed", kind=Kind.NOTICE))


# ----------------------------------------------------------------------------------- our author


def test_an_app_finds_its_own_comments(there: World, pull: Pull) -> None:
    for run in (1, 2):
        with there.client(APP) as forge:
            forge.upsert(there.post(pull, f"{run}", seq=(run, 1)))
    assert [note.user.id for note in pull.notes[1:]] == [4_000_001]


def test_without_an_answer_to_who_we_are_the_author_is_the_workflow_s() -> None:
    with world("github") as hub:
        hub.server.viewer = False  # type: ignore[union-attr]
        pull = hub.store.open_pull()
        for run in (1, 2):
            upsert(hub, hub.post(pull, f"{run}", seq=(run, 1)))
        assert hub.ours(pull) == ["2"]


@pytest.mark.parametrize("viewer", [{"login": None}, None, {"login": "", "databaseId": 1}])
def test_an_answer_that_says_not_who_we_are_is_as_good_as_none(viewer: object) -> None:
    with world("github") as hub:
        pull = hub.store.open_pull()
        said = Answer(body={"data": {"viewer": viewer}})
        hub.server.fail("POST", "/graphql", said, times=2)
        for run in (1, 2):
            upsert(hub, hub.post(pull, f"{run}", seq=(run, 1)))
        assert hub.ours(pull) == ["2"]


def test_a_wrong_guess_of_the_author_is_put_right_by_the_first_answer() -> None:
    with world("github") as hub:
        hub.server.viewer = False  # type: ignore[union-attr]
        pull = hub.store.open_pull()
        for run in (1, 2, 3):
            with hub.client(APP) as forge:
                forge.upsert(hub.post(pull, f"{run}", seq=(run, 1)))
        assert [note.text.partition("\n")[2] for note in pull.notes] == ["3"]


def test_a_comment_of_somebody_who_is_gone_is_read(there: World, pull: Pull) -> None:
    there.store.say(pull, type(MALLORY)(0, "ghost"), there.post(pull, "boo").text)
    upsert(there, there.post(pull, "one"))
    assert there.ours(pull) == ["one"]


def test_a_token_that_may_not_write_is_told_apart_from_a_comment_that_is_gone(
    there: World, pull: Pull
) -> None:
    upsert(there, there.post(pull, "one"))
    gone = Answer(status=404, body={"message": "Not Found"})
    there.server.fail("PATCH" if there.name is Name.GITHUB else "PUT", "/", gone, times=9)
    with pytest.raises(ForgeRefused, match="there is none, or the token may not see it"):
        upsert(there, there.post(pull, "two", seq=(2, 1)))
