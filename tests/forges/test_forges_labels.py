"""Labels and the one issue: ours alone are added, removed, opened, closed."""

from __future__ import annotations

import pytest

from forges.github import GitHub
from forges.serving import Answer, Meanwhile
from forges.store import MALLORY, OURS, sha
from forges.worlds import World
from planops.core.forge import Kind, Marker, Post, Risk, Seq
from planops.core.sticky import Act
from planops.errors import ForgeFailed, ForgeRefused
from planops.forges.events import Name

DELETES, DRIFT, FROZEN = "planops/deletes", "planops/drift", "planops/frozen"
OUR = (DELETES, DRIFT, FROZEN)


def test_of_our_labels_the_wanted_ones_are_there_at_the_end(there: World) -> None:
    pull = there.store.open_pull()
    pull.labels = ["bug", DRIFT, "planops/theirs", FROZEN]
    with there.client() as forge:
        forge.label(pull.number, [DELETES, DRIFT], OUR)
        assert sorted(pull.labels) == sorted(["bug", DRIFT, "planops/theirs", DELETES])
        before = len(there.server.writes())
        forge.label(pull.number, [DELETES, DRIFT], OUR)
        assert len(there.server.writes()) == before
        forge.label(pull.number, [], OUR)
    assert pull.labels == ["bug", "planops/theirs"]


def test_a_label_s_slash_is_part_of_its_name(hub: World) -> None:
    pull = hub.store.open_pull()
    pull.labels = [DRIFT]
    with hub.client() as forge:
        forge.label(pull.number, [], OUR)
    assert hub.calls[-1].path.endswith("/labels/planops%2Fdrift")


def test_a_label_that_somebody_else_takes_away_meanwhile_is_no_error(hub: World) -> None:
    pull = hub.store.open_pull()
    pull.labels = [DRIFT]
    hub.server.meanwhile.append(Meanwhile("DELETE", "/labels/", pull.labels.clear))
    with hub.client() as forge:
        forge.label(pull.number, [], OUR)
    assert pull.labels == []


def test_a_label_that_the_token_may_not_make_is_in_no_other_s_way(hub: World) -> None:
    """``pull-requests: write`` adds the labels that a repository has, and makes none."""
    assert isinstance(hub.server, GitHub)
    hub.server.known = frozenset({DRIFT})
    pull = hub.store.open_pull()
    pull.labels = [FROZEN]
    with hub.client() as forge, pytest.raises(ForgeRefused, match="make the label planops/deletes"):
        forge.label(pull.number, [DELETES, DRIFT], OUR)
    assert pull.labels == [DRIFT]


def test_case_does_not_tell_labels_apart(hub: World) -> None:
    pull = hub.store.open_pull()
    pull.labels = ["Planops/Drift", "PLANOPS/FROZEN"]
    with hub.client() as forge:
        forge.label(pull.number, [DRIFT], OUR)
    assert pull.labels == ["Planops/Drift"]


@pytest.mark.parametrize("name", ["drift", "planops/a,b", "planops/a\nb", "x/planops/a"])
def test_only_labels_with_our_prefix_can_be_asked_for(there: World, name: str) -> None:
    pull = there.store.open_pull()
    for wanted, ours in [([name], OUR), ([], [name])]:
        with there.client() as forge, pytest.raises(ValueError, match="begins with planops/"):
            forge.label(pull.number, wanted, ours)
    assert there.server.writes() == []


@pytest.mark.parametrize("present", [[DRIFT], []])
def test_a_lost_answer_about_labels_is_a_failure(there: World, present: list[str]) -> None:
    pull = there.store.open_pull()
    pull.labels = list(present)
    for method in ("POST", "DELETE", "PUT"):
        there.server.fail(method, "/", None)
    with there.client() as forge, pytest.raises(ForgeFailed):
        forge.label(pull.number, [] if present else [DRIFT], OUR)


def test_odd_labels_of_a_forge_are_left_out(lab: World) -> None:
    pull = lab.store.open_pull()
    with lab.client() as forge:
        lab.server.fail("GET", "/merge_requests/", Answer(body={"labels": [1, None, DRIFT]}))
        forge.label(pull.number, [DRIFT], OUR)
        lab.server.fail("GET", "/merge_requests/", Answer(body={"labels": "x"}))
        forge.label(pull.number, [], OUR)
    assert lab.server.writes() == []


# ----------------------------------------------------------------------------------- the one issue


def post(there: World, body: str, seq: Seq) -> Post:
    marker = Marker(
        repository=there.repository,
        number=0,
        head=sha("main"),
        seq=seq,
        risk=Risk.ATTENTION,
        kind=Kind.DRIFT,
    )
    return Post(marker=marker, body=body)


def follow(there: World, body: str, run: int, *, wanted: bool = True, title: str = "Drift") -> Act:
    with there.client() as forge:
        return forge.issue(title, post(there, body, (run, 1)), wanted=wanted)


def shown(there: World) -> list[tuple[str, str, bool]]:
    return [
        (ticket.title, ticket.text.partition("\n")[2], ticket.open)
        for ticket in there.store.tickets.values()
    ]


def test_an_issue_is_opened_updated_and_closed(there: World) -> None:
    there.store.open_pull()
    acts = [follow(there, "nothing", 1, wanted=False)]
    assert shown(there) == []
    acts += [follow(there, "2 plans", 2), follow(there, "3 plans", 3), follow(there, "3 plans", 3)]
    assert shown(there) == [("Drift", "3 plans", True)]
    acts += [follow(there, "none", 4, wanted=False), follow(there, "none", 5, wanted=False)]
    assert shown(there) == [("Drift", "none", False)]
    acts += [follow(there, "1 plan", 6, title="Drift again")]
    assert shown(there) == [("Drift", "none", False), ("Drift again", "1 plan", True)]
    assert [act.name for act in acts] == [
        "LEAVE", "CREATE", "UPDATE", "LEAVE", "UPDATE", "LEAVE", "CREATE",
    ]  # fmt: skip


def test_an_older_run_changes_nothing_of_it(there: World) -> None:
    follow(there, "3 plans", 5)
    assert follow(there, "none", 4, wanted=False) is Act.SUPERSEDED
    assert shown(there) == [("Drift", "3 plans", True)]
    follow(there, "none", 6, wanted=False)
    assert follow(there, "3 plans", 5) is Act.SUPERSEDED
    assert shown(there) == [("Drift", "none", False)]


def test_issues_of_others_are_not_ours_whatever_they_say(there: World) -> None:
    there.store.open_ticket(MALLORY, "Drift", post(there, "paid", (2**60, 1)).text)
    there.store.open_ticket(OURS, "Release notes", "no marker")
    follow(there, "none", 1, wanted=False)
    follow(there, "2 plans", 2)
    assert [ticket[1:] for ticket in shown(there)] == [
        ("paid", True),
        ("", True),
        ("2 plans", True),
    ]


def test_issues_that_are_too_many_are_closed(there: World) -> None:
    for run in (1, 2):
        there.store.open_ticket(OURS, "Drift", post(there, f"{run}", (run, 1)).text)
    follow(there, "new", 3)
    assert [
        (ticket.text.startswith("<!--"), ticket.open) for ticket in there.store.tickets.values()
    ] == [
        (True, True),
        (False, False),
    ]


@pytest.mark.parametrize("done", [True, False])
def test_an_issue_whose_answer_is_lost_is_looked_up(there: World, *, done: bool) -> None:
    there.server.fail("POST", "/issues", None, done=done)
    assert follow(there, "2 plans", 1) is Act.CREATE
    assert shown(there) == [("Drift", "2 plans", True)]


@pytest.mark.parametrize("turn", [0, 1], ids=["open", "closed"])
def test_a_list_of_issues_that_is_none_opens_nothing(there: World, turn: int) -> None:
    lists = [Answer(body=[]), Answer(body={})]
    for answer in lists[1 - turn :]:
        there.server.fail("GET", "/issues", answer)
    with pytest.raises(ForgeFailed, match="the answer is no list"):
        follow(there, "2 plans", 1)
    assert shown(there) == []


def test_an_issue_that_never_arrives_is_given_up(there: World) -> None:
    there.server.fail("POST", "/issues", None, times=99)
    with pytest.raises(ForgeFailed, match="could not be written in 3 tries"):
        follow(there, "2 plans", 1)


def test_an_issue_that_is_too_long_is_not_sent(there: World) -> None:
    limit = 65_536 if there.name is Name.GITHUB else 1_000_000
    with pytest.raises(ForgeFailed, match="cut"):
        follow(there, "x" * limit, 1)
    assert there.server.writes() == []


def test_a_description_is_measured_in_bytes(lab: World) -> None:
    with pytest.raises(ForgeFailed, match="bytes, more than 1000000; cut it"):
        follow(lab, "ü" * 600_000, 1)


# ----------------------------------------------------------------------------------- quick actions


@pytest.mark.parametrize(
    "body", ["/close", "a\n/merge\nb", "a\r\n\r/close now", "```\n/title x\n```"]
)
def test_no_line_of_ours_is_a_quick_action(lab: World, body: str) -> None:
    pull = lab.store.open_pull()
    with lab.client() as forge:
        forge.upsert(lab.post(pull, body), body)
        forge.upsert(lab.post(pull, body + ".", seq=(2, 1), risk=Risk.BLOCKED), body)
        forge.notice(lab.post(pull, body, kind=Kind.NOTICE))
        forge.issue("Drift", post(lab, body, (1, 1)), wanted=True)
    assert lab.server.done == []  # type: ignore[union-attr]
    assert pull.notes
