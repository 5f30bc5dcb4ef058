"""The decision about the one comment, notices and the one issue, as tables and properties."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planops.core.forge import Author, Comment, Issue, Kind, Marker, Post, Pull, Risk, Seq
from planops.core.sticky import Act, Verdict, decide, rises, told, track

ME, MALLORY = Author(id=1, login="bot[bot]", bot=True), Author(id=2, login="mallory")
HEAD, OLD = "a" * 40, "b" * 40
PULL = Pull(
    number=7,
    head=HEAD,
    base="c" * 40,
    branch="main",
    open=True,
    merged=False,
    merge="",
    draft=False,
    fork=False,
    author="alice",
    url="",
)
MERGED = replace(PULL, open=False, merged=True, merge="d" * 40)


def marker(
    seq: Seq = (1, 1),
    *,
    head: str = HEAD,
    kind: Kind = Kind.REVIEW,
    risk: Risk = Risk.ROUTINE,
    number: int = 7,
    repository: str = "a/b",
) -> Marker:
    return Marker(repository=repository, number=number, head=head, seq=seq, risk=risk, kind=kind)


def comment(id_: int, found: Marker | str, body: str = "x", author: Author = ME) -> Comment:
    text = found if isinstance(found, str) else Post(marker=found, body=body).text
    return Comment(id=id_, author=author, text=text)


def test_without_a_comment_of_ours_there_is_one_to_be_created() -> None:
    comments = [
        comment(1, "hello"),
        comment(2, marker((9, 9)), author=MALLORY),
        comment(3, marker((9, 9), number=8)),
        comment(4, marker((9, 9), repository="a/c")),
        comment(5, marker((9, 9), kind=Kind.NOTICE)),
        comment(6, marker((9, 9), kind=Kind.DRIFT)),
    ]
    post = Post(marker=marker(), body="x")
    assert decide(comments, ME, post, PULL) == Verdict(act=Act.CREATE)


OUTCOME = marker((5, 1), kind=Kind.OUTCOME)


@pytest.mark.parametrize(
    ("there", "ours", "pull", "act"),
    [
        (marker((1, 1)), marker((1, 1)), PULL, Act.LEAVE),
        (marker((1, 1)), marker((1, 2)), PULL, Act.UPDATE),
        (marker((1, 9)), marker((2, 1)), PULL, Act.UPDATE),
        (marker((2, 1)), marker((1, 9)), PULL, Act.SUPERSEDED),
        (marker((1, 2)), marker((1, 1)), PULL, Act.SUPERSEDED),
        (marker((1, 1), head=OLD), marker((2, 1)), PULL, Act.UPDATE),
        (marker((1, 1)), marker((2, 1), head=OLD), PULL, Act.SUPERSEDED),
        (marker((9, 1), head=OLD), marker((2, 1)), PULL, Act.SUPERSEDED),
        (marker((1, 1)), marker((2, 1)), MERGED, Act.SUPERSEDED),
        (marker((9, 1)), OUTCOME, MERGED, Act.UPDATE),
        (marker((9, 1)), OUTCOME, PULL, Act.UPDATE),
        (OUTCOME, marker((9, 1)), MERGED, Act.SUPERSEDED),
        (OUTCOME, replace(OUTCOME, seq=(5, 2)), MERGED, Act.UPDATE),
        (replace(OUTCOME, seq=(5, 2)), OUTCOME, MERGED, Act.SUPERSEDED),
    ],
)
def test_the_table_of_decisions(there: Marker, ours: Marker, pull: Pull, act: Act) -> None:
    verdict = decide([comment(4, there)], ME, Post(marker=ours, body="x"), pull)
    assert (verdict.act, verdict.id, verdict.newest, verdict.surplus) == (act, 4, there, ())
    assert bool(verdict.why) is (act is Act.SUPERSEDED)


@pytest.mark.parametrize(
    ("head", "pull", "why"),
    [
        (OLD, PULL, "the pull request's head is aaaaaaaaaaaa now"),
        (HEAD, MERGED, "the pull request is merged"),
    ],
)
def test_what_is_over_is_not_created(head: str, pull: Pull, why: str) -> None:
    verdict = decide([], ME, Post(marker=marker(head=head), body="x"), pull)
    assert verdict == Verdict(act=Act.SUPERSEDED, why=why)


def test_one_run_may_write_again() -> None:
    verdict = decide([comment(4, marker(), "old")], ME, Post(marker=marker(), body="new"), PULL)
    assert verdict.act is Act.UPDATE


SEQS = st.tuples(st.integers(0, 3), st.integers(1, 2))
FOUND = st.builds(marker, SEQS, kind=st.sampled_from([Kind.REVIEW, Kind.OUTCOME]))


@given(found=st.lists(FOUND, max_size=5), order=st.randoms(use_true_random=False), seq=SEQS)
def test_of_many_the_newest_stays_whoever_looks(
    found: list[Marker], order: object, seq: Seq
) -> None:
    comments = [comment(id_, each) for id_, each in enumerate(found)]
    shuffled = list(comments)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    for one in (Post(marker=marker(seq), body="x"), Post(marker=marker((9, 9)), body="y")):
        verdict = decide(shuffled, ME, one, PULL)
        assert verdict == decide(comments, ME, one, PULL)
        if not found:
            continue
        kept = verdict.id
        assert kept is not None
        best = max(each.rank for each in found)
        assert found[kept].rank == best
        assert kept == min(id_ for id_, each in enumerate(found) if each.rank == best)
        assert {*verdict.surplus} == {*range(len(found))} - {kept}


@given(st.lists(SEQS, min_size=1, max_size=4, unique=True))
def test_runs_that_end_in_any_order_leave_the_newest(seqs: list[Seq]) -> None:
    for ending in permutations(seqs):
        text = ""
        for seq in ending:
            post = Post(marker=marker(seq), body=f"{seq}")
            comments = [comment(1, text)] if text else []
            if decide(comments, ME, post, PULL).act in {Act.CREATE, Act.UPDATE}:
                text = post.text
        assert text == Post(marker=marker(max(seqs)), body=f"{max(seqs)}").text


@pytest.mark.parametrize(
    ("before", "after", "rose"),
    [
        (None, marker(risk=Risk.BLOCKED), False),
        (marker(), marker(), False),
        (marker(), marker(risk=Risk.ATTENTION), True),
        (marker(risk=Risk.ATTENTION), marker(risk=Risk.BLOCKED), True),
        (marker(risk=Risk.BLOCKED), marker(risk=Risk.ATTENTION), False),
        (OUTCOME, marker(risk=Risk.BLOCKED), False),
        (marker(), replace(OUTCOME, risk=Risk.BLOCKED), False),
    ],
)
def test_a_risk_rises_from_review_to_review(
    before: Marker | None, after: Marker, rose: object
) -> None:
    assert rises(before, after) is rose


NOTICE = marker(kind=Kind.NOTICE)


@pytest.mark.parametrize(
    ("there", "known"),
    [
        (comment(1, NOTICE, "x\r\n"), True),
        (comment(1, replace(NOTICE, seq=(9, 9), risk=Risk.BLOCKED)), True),
        (comment(1, NOTICE, "y"), False),
        (comment(1, replace(NOTICE, head=OLD)), False),
        (comment(1, marker()), False),
        (comment(1, NOTICE, author=MALLORY), False),
        (comment(1, "x"), False),
    ],
)
def test_a_notice_is_known_by_head_and_words(there: Comment, known: object) -> None:
    assert told([there], ME, Post(marker=NOTICE, body="x")) is known


# ----------------------------------------------------------------------------------- the one issue

DRIFT = marker((2, 1), kind=Kind.DRIFT, number=0)


def issue(
    number: int, found: Marker | str = DRIFT, *, open_: bool = True, author: Author = ME
) -> Issue:
    text = found if isinstance(found, str) else Post(marker=found, body="x").text
    return Issue(number=number, author=author, title="Drift", text=text, open=open_)


OLDER, NEWER = replace(DRIFT, seq=(1, 1)), replace(DRIFT, seq=(3, 1))


@pytest.mark.parametrize(
    ("issues", "wanted", "expected"),
    [
        ([], True, (Act.CREATE, 0, ())),
        ([], False, (Act.LEAVE, 0, ())),
        ([issue(1, author=MALLORY), issue(2, "x"), issue(3, marker())], True, (Act.CREATE, 0, ())),
        ([issue(5)], True, (Act.LEAVE, 5, ())),
        ([issue(5, OLDER)], True, (Act.UPDATE, 5, ())),
        ([issue(5)], False, (Act.UPDATE, 5, ())),
        ([issue(5, NEWER)], True, (Act.SUPERSEDED, 0, ())),
        ([issue(5, NEWER, open_=False)], True, (Act.SUPERSEDED, 0, ())),
        ([issue(5, OLDER, open_=False)], True, (Act.CREATE, 0, ())),
        ([issue(5, OLDER, open_=False)], False, (Act.LEAVE, 0, ())),
        ([issue(9, OLDER), issue(4, OLDER), issue(6)], True, (Act.UPDATE, 4, (6, 9))),
    ],
)
def test_the_table_of_the_issue(
    issues: list[Issue], wanted: object, expected: tuple[Act, int, tuple[int, ...]]
) -> None:
    found = track(issues, ME, "Drift", Post(marker=DRIFT, body="x"), wanted=bool(wanted))
    assert (found.act, found.number, found.surplus) == expected


def test_another_title_is_written() -> None:
    found = track([issue(5)], ME, "Drift on prod", Post(marker=DRIFT, body="x"), wanted=True)
    assert found.act is Act.UPDATE


def test_a_run_about_one_target_leaves_alone_what_is_said_of_others() -> None:
    review, prod = marker((1, 1)), replace(marker((2, 1), kind=Kind.OUTCOME), scope="prod")
    stage = Post(marker=replace(prod, scope="stage"), body="x")
    assert decide([comment(1, review)], ME, stage, MERGED).id == 1
    assert decide([comment(1, prod)], ME, stage, MERGED) == Verdict(act=Act.CREATE)
    found = decide([comment(1, prod), comment(2, stage.marker, "y")], ME, stage, MERGED)
    assert (found.act, found.id, found.surplus) == (Act.UPDATE, 2, ())
    late = decide(
        [comment(1, prod), comment(2, stage.marker)], ME, Post(marker=review, body="x"), MERGED
    )
    assert (late.act, late.surplus) == (Act.SUPERSEDED, ())
