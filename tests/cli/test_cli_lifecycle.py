"""``planops lifecycle``: the table, the diagrams, a route, and the document printed from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.place import Place
from planops.backends.zadig.lifecycle import LIFECYCLE
from planops.core.lifecycle import Actor
from planops.core.report import ExitCode

ROOT = Path(__file__).parents[2]


def shown(place: Place, *words: str) -> str:
    ended = place.planops("lifecycle", *words)
    assert (ended.code, ended.err) == (ExitCode.OK, "")
    return ended.out


def test_the_document_is_what_the_command_prints(place: Place) -> None:
    document = ROOT / "docs/servers/zadig-lifecycle.md"
    assert document.read_text() == shown(place, "zadig", "--format", "markdown")


def test_the_text_names_every_state_and_every_edge(place: Place) -> None:
    out = shown(place, "zadig")
    for edge in LIFECYCLE.edges:
        assert edge.source in out
        assert edge.target in out
        assert all(hazard in out for hazard in edge.hazards)
    path = re.findall(r"^  (\w+)", out.partition("Other edges")[0], re.MULTILINE)
    assert path == [*LIFECYCLE.path]
    assert "wait_for_approval  (left out without approval)" in out


def test_the_mermaid_diagram_holds_every_edge_once(place: Place) -> None:
    lines = shown(place, "zadig", "--format", "mermaid").splitlines()
    assert lines[0] == "stateDiagram-v2"
    drawn = [re.fullmatch(r" {4}(\S+) --> (\w+)(?:: (.+))?", line) for line in lines[1:]]
    found = [match.groups() for match in drawn if match and match[1] != "[*]"]
    who = {Actor.PLANOPS: None, Actor.APPROVER: "an approver", Actor.SERVER: "the server"}
    assert found == [(e.source, e.target, who[e.actor]) for e in LIFECYCLE.edges]
    assert [line for line in lines if "[*]" in line] == [
        "    [*] --> planning",
        "    success --> [*]",
        "    cancel --> [*]",
    ]


def test_the_json_holds_the_table(place: Place) -> None:
    told = place.planops("lifecycle", "zadig", "--format", "json").json
    assert told["path"] == [*LIFECYCLE.path]
    assert {(edge["from"], edge["to"]): edge["actor"] for edge in told["edges"]} == {
        (edge.source, edge.target): edge.actor.value for edge in LIFECYCLE.edges
    }
    assert told["edits"]["executing"]["guard"] == "interrupt"
    assert told["edits"]["success"]["refusal"] == "a finished plan cannot be changed"
    assert told["route"] is None


ROUTES = {
    "--from planning --to executing": (
        ["planning → finish_planning", "finish_planning → wait_for_approval"],
        "Ends in wait_for_approval; parked: somebody else is next; an approver is next.",
    ),
    "--from planning --to executing --without approval": (
        ["planning → finish_planning", "finish_planning → executing"],
        "Ends in executing; planops walks the whole way; the server is next.",
    ),
    "--from planning --to finish_planning --without jobs": (
        ["refused by lifecycle: a plan without jobs cannot leave planning"],
        "Ends in planning; it cannot be done.",
    ),
    "--from wait_for_approval --edited": (
        ["wait_for_approval → planning", "write the fields", "--allow reopen lifts it"],
        "Ends in planning; no goal: the state is not managed.",
    ),
    "--from denied --to wait_for_approval": (
        ["no call"],
        "Ends in denied; left alone: somebody stopped the plan or put it back.",
    ),
    "--from denied --to wait_for_approval --reopen": (
        ["denied → planning", "finish_planning → wait_for_approval"],
        "Ends in wait_for_approval; planops walks the whole way; an approver is next.",
    ),
    "--from planning --to cancel": (
        ["cancel cannot be reached from planning without starting jobs"],
        "Ends in planning; it cannot be done.",
    ),
}


@pytest.mark.parametrize("words", ROUTES)
def test_a_route_is_told_with_what_stands_against_it(words: str, place: Place) -> None:
    said, end = ROUTES[words]
    out = shown(place, "zadig", *words.split())
    assert [piece for piece in said if piece not in out] == []
    assert out.splitlines()[-1] == end


def test_what_is_allowed_stands_against_nothing(place: Place) -> None:
    out = shown(place, "zadig", "--from", "denied", "--to", "executing", "--reopen")
    assert "denied → planning\n     drops the denial: approvers will be asked again\n" in out
    assert "refused" not in out


def test_a_route_as_json(place: Place) -> None:
    words = ("lifecycle", "zadig", "--from", "executing", "--edited", "--format", "json")
    way = place.planops(*words).json["route"]
    assert [move.get("to", "write") for move in way["moves"]] == ["planning", "write"]
    assert way["refusals"][0]["lift"] == "--allow interrupt"
    assert (way["ends"], way["standing"], way["next"]) == ("planning", "unmanaged", None)


WRONG = {
    "zadig --to executing": "a route starts somewhere; add --from STATE",
    "zadig --from planning": "a route leads somewhere; add --to STATE or --edited",
    "zadig --from plannning --to executing": "no state 'plannning'; did you mean planning?",
    "zadig --from planning --to x": "no state 'x'; choose from planning, finish_planning",
    "zadig --from planning --to executing --without approvals": "did you mean approval?",
    "zadig --from planning --to executing --format mermaid": "as text or json, not as mermaid",
    "jenkins": "'jenkins' is not",
}


@pytest.mark.parametrize("words", WRONG)
def test_what_makes_no_sense_is_usage(words: str, place: Place) -> None:
    ended = place.planops("lifecycle", *words.split())
    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert WRONG[words] in ended.err
