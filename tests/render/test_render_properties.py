"""Whatever stands in whatever field: terminal, Markdown and JSON stay what they are."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from planops.core.changes import Cause, Change, ChangeKind, Delta, Request, Step, StepKind
from planops.core.forge import Risk
from planops.core.lifecycle import Actor, Edge, Move, Refusal, Route, Standing
from planops.core.model import (
    ABSENT,
    Allowance,
    Live,
    Manage,
    Mark,
    Plan,
    PlanKey,
    Problem,
    Severity,
    Source,
)
from planops.core.report import (
    ChangeReport,
    GitFacts,
    Outcome,
    Report,
    StepResult,
    TargetReport,
)
from planops.core.review import Review, Share
from planops.render import escape, markdown, outcome, review, text
from planops.render import json as as_json
from planops.render.document import document
from planops.render.room import Limit, Unit
from render import renderers
from render.cases import TIMES
from render.hostile import HOSTILE
from render.markdown_rules import check

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "schemas" / "report.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
COLOUR = re.compile(r"\x1b\[[0-9]m|\x1b\[3[1-6]m")

NASTY = (
    "@team", "#1", "org/repo#2", "<b>", "</details>", "```", "|", "::error::", "##[group]", "1.",
    "https://e.vil", "www.e.vil", "a@b.c", "![i](x)", "\n", "\r", "\x1b[31m", "\u202e", " ", "-",
    "# h", "==", "/close", ":bomb:", "$x$", "\\", "&lt;", "\ud800", "\u2028", "…", "… (+1",
)  # fmt: skip
words = st.lists(
    st.one_of(st.sampled_from(NASTY), st.text(st.characters(), max_size=3)), max_size=6
).map("".join) | st.sampled_from(["", "plain", HOSTILE])
numbers = st.integers(min_value=1, max_value=10**12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
some = st.lists(words, max_size=2).map(tuple)
marks = st.builds(Mark, file=words, line=numbers, column=numbers)
refusals = st.lists(st.builds(Refusal, guard=words, message=words, lift=words), max_size=2).map(
    tuple
)
edges = st.builds(
    Edge, source=words, target=words, event=words, actor=st.sampled_from(Actor), hazards=some
)
routes = st.builds(
    Route,
    standing=st.sampled_from(Standing),
    moves=st.lists(edges | st.just(Move.WRITE), max_size=3).map(tuple),
    ends=words,
    next_actor=st.none() | st.sampled_from(Actor),
)
held = st.just(ABSENT) | values
deltas = st.builds(
    Delta,
    path=words | st.just("/spec/start_time"),
    cause=st.sampled_from(Cause),
    base=held,
    desired=held,
    live=held,
    sensitive=st.booleans(),
    note=words,
    mark=st.none() | marks,
)
steps = st.builds(
    Step,
    kind=st.sampled_from(StepKind),
    request=st.builds(
        Request,
        method=words,
        path=words,
        query=st.lists(st.tuples(words, words), max_size=1).map(tuple),
        body=values,
    ),
    summary=words,
    edge=st.none() | edges,
)
keys = st.builds(PlanKey, target=words, name=words)
plans = st.builds(
    Plan,
    key=keys,
    kind=words,
    spec=st.dictionaries(words | st.sampled_from(["name", "end_time"]), values, max_size=3),
    state=st.none() | words,
    source=st.builds(Source, file=words, line=numbers),
)
lives = st.builds(
    Live,
    id=words,
    name=words,
    state=words,
    spec=st.just({}),
    raw=st.just({}),
    updated_at=st.integers(-5, 10**13),
    updated_by=words,
)
changes = st.builds(
    Change,
    key=keys,
    kind=st.sampled_from(ChangeKind),
    plan=plans,
    live=st.none() | lives,
    deltas=st.lists(deltas, max_size=2).map(tuple),
    route=routes,
    steps=st.lists(steps, max_size=2).map(tuple),
    refusals=refusals,
    notices=some,
)
items = st.builds(
    ChangeReport,
    change=changes,
    fingerprint=words,
    outcome=st.sampled_from(Outcome),
    results=st.lists(st.sampled_from(StepResult), max_size=2).map(tuple),
    digests=some,
    id=st.none() | words,
    error=words,
    notices=some,
)
targets = st.builds(
    TargetReport,
    name=words,
    backend=words,
    url=words,
    live=numbers,
    managed=numbers,
    changes=st.lists(items, max_size=2).map(tuple),
    refusals=refusals,
    error=words,
    notices=some,
)
problems = st.builds(
    Problem,
    severity=st.sampled_from(Severity),
    code=words,
    message=words,
    mark=st.none() | marks,
    hint=words,
    target=st.none() | words,
)
reports = st.builds(
    Report,
    command=words | st.sampled_from(["diff", "apply"]),
    targets=st.lists(targets, max_size=2).map(tuple),
    problems=st.lists(problems, max_size=2).map(tuple),
    git=st.none() | st.builds(GitFacts, head=words, branch=words, dirty=st.booleans()),
    files=numbers,
)
keeping = st.builds(
    Manage,
    protect=st.booleans(),
    ignore=some,
    allow=st.lists(st.builds(Allowance, guard=words, reason=words, until=words), max_size=2).map(
        tuple
    ),
)
shares = st.builds(
    Share,
    touched=st.booleans(),
    removed=st.booleans(),
    calls=st.booleans(),
    guards=st.booleans(),
    goal=st.booleans(),
    manages=st.lists(st.sampled_from(["protect", "ignore", "allow"]), unique=True).map(tuple),
    caused=st.frozensets(words, max_size=2),
    settled=some,
    risk=st.sampled_from(Risk),
)


@st.composite
def reviews(draw: st.DrawFn) -> Report:
    """Any report, with shares of any kind beside its changes."""
    report = draw(reports)
    facts = st.builds(
        Review,
        base=words,
        head=words,
        clean=st.booleans(),
        offline=st.booleans(),
        number=numbers,
        settings=some,
        dropped=st.lists(keys, max_size=2).map(tuple),
    )
    return replace(
        report,
        targets=tuple(
            replace(target, changes=tuple(_shared(draw, item) for item in target.changes))
            for target in report.targets
        ),
        review=draw(facts),
    )


def _shared(draw: st.DrawFn, item: ChangeReport) -> ChangeReport:
    found = draw(st.none() | shares)
    paths = [delta.path for delta in item.change.deltas]
    if found is not None and paths:
        found = replace(found, caused=draw(st.frozensets(st.sampled_from(paths))))
    plan = replace(item.change.plan, manage=draw(keeping))
    return replace(item, change=replace(item.change, plan=plan), share=found)


slow = settings(deadline=None, max_examples=100)
few = settings(deadline=None, max_examples=40)


def harmless(shown: str) -> bool:
    """Decide by the character database, not by the code under test."""
    kinds = {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}
    return not any(unicodedata.category(c) in kinds for c in shown if c != "\n")


@slow
@given(reports, st.booleans(), st.integers(0, 200))
def test_a_terminal_gets_no_control_and_no_runner_a_command(
    report: Report,
    verbose: bool,  # noqa: FBT001 - Hypothesis names its arguments
    width: int,
) -> None:
    plain = text.text(report, verbose=verbose, width=width, times=TIMES)
    assert harmless(plain)
    assert "##[" not in plain
    assert not any(line.lstrip().startswith("::") for line in plain.split("\n"))
    coloured = text.text(report, verbose=verbose, width=width, times=TIMES, colour=True)
    stripped = COLOUR.sub("", coloured).split("\n")
    assert [line.rstrip() for line in stripped] == [line.rstrip() for line in plain.split("\n")]


@slow
@given(reports, st.none() | st.integers(0, 6000))
def test_markdown_holds_nothing_that_a_forge_acts_upon(report: Report, limit: int | None) -> None:
    rendered = markdown.text(report, times=TIMES, limit=limit)
    assert harmless(rendered)
    assert "##[" not in rendered
    check(rendered)


limits = st.none() | st.builds(Limit, number=st.integers(200, 9000), unit=st.sampled_from(Unit))
addresses = st.sampled_from(["", "https://ci.example.com/runs/1"]) | words


@few
@given(reviews(), limits, addresses)
def test_a_review_holds_nothing_that_a_forge_acts_upon(
    report: Report, limit: Limit | None, address: str
) -> None:
    rendered = review.text(report, times=TIMES, limit=limit, address=address)
    assert harmless(rendered)
    check(rendered)
    assert limit is None or limit.holds(rendered)
    for item in report.changes if report.review and report.review.offline else ():
        assert not item.fingerprint or f"--expect {item.fingerprint}" not in rendered


@few
@given(reports, limits, addresses)
def test_an_outcome_holds_nothing_that_a_forge_acts_upon(
    report: Report, limit: Limit | None, address: str
) -> None:
    report = replace(report, command="apply")
    rendered = outcome.text(report, limit=limit, address=address)
    assert harmless(rendered)
    check(rendered)
    assert limit is None or limit.holds(rendered)


@few
@given(reviews(), st.booleans())
def test_a_terminal_gets_a_review_as_harmless_as_a_difference(
    report: Report,
    verbose: bool,  # noqa: FBT001 - Hypothesis names its arguments
) -> None:
    plain = text.text(report, verbose=verbose, times=TIMES)
    assert harmless(plain)
    assert "##[" not in plain
    assert not any(line.lstrip().startswith("::") for line in plain.split("\n"))


@few
@given(reviews())
def test_real_renderers_find_nothing_in_a_review(report: Report) -> None:
    renderers.harmless(review.text(report, times=TIMES))


@slow
@given(reports)
def test_json_says_what_the_document_says_and_its_schema_allows(report: Report) -> None:
    rendered = as_json.text(report, version="1")
    found: Any = json.loads(rendered.encode("utf-8"))
    assert found == document(report, version="1")
    VALIDATOR.validate(found)
    assert harmless(rendered)
    assert "##[" not in rendered


@given(words)
def test_markdown_of_a_sentence_is_one_harmless_line(said: str) -> None:
    check(f"- {escape.markdown(said)}")
    check(f"- {escape.code(said)}")
