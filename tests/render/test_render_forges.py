"""Comments as forges show them: golden ones, and every cut of them, by real renderers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from planops.core.report import Report
from planops.render import markdown, outcome, review
from planops.render.room import ENDLESS, GITHUB, GITLAB, Limit, Unit
from render import cases, review_cases
from render.cases import TIMES
from render.hostile import HOSTILE
from render.markdown_rules import check
from render.renderers import by_comrak, harmless, read

GOLDEN = Path(__file__).parent / "golden"
COMMENTS = sorted(path.name for path in GOLDEN.glob("*.md"))
RUN = "https://ci.example.com/runs/1?attempt=2#log"
REVIEWS = ("review", "review_nothing", "review_offline", "review_hostile", "review_broken")
LEAST = 300


@pytest.mark.parametrize("name", COMMENTS)
def test_a_golden_comment_is_harmless_and_whole(name: str) -> None:
    text = (GOLDEN / name).read_bytes().decode("utf-8")
    check(text)
    harmless(text)


@pytest.mark.parametrize(
    "hostile",
    [
        "@team",
        "see #1",
        "octo/repo#3",
        "https://evil.example",
        "www.evil.example",
        "![i](https://e.vil/x)",
        "[l](https://e.vil/x)",
        "<script>alert(1)</script>",
        "<details>",
        "</details>",
        "<b onclick=x>y</b>",
        "<!-- x -->",
        "a@b.example",
        "::error::x",
        "**x",
    ],
)
def test_what_is_harmful_is_found(hostile: str) -> None:
    with pytest.raises(AssertionError):
        harmless(f"- {hostile}")


def cuts(render: Callable[[Limit], str], least: int) -> Iterator[str]:
    """Every text that there is between a limit and none: halved until both ends are the same."""

    @cache
    def at(number: int) -> str:
        text = render(Limit(number=number))
        assert len(text.encode()) <= number
        return text

    size = len(render(ENDLESS).encode())
    waiting, found = [(least, size)], {at(least), at(size)}
    while waiting:
        low, high = waiting.pop()
        if at(low) == at(high) or high - low < 2:
            continue
        middle = (low + high) // 2
        found.add(at(middle))
        waiting += [(low, middle), (middle, high)]
    yield from found


@pytest.mark.parametrize("case", REVIEWS)
def test_a_review_is_whole_at_every_cut(case: str) -> None:
    report = review_cases.CASES[case]()
    seen = 0
    for text in cuts(
        lambda limit: review.text(report, times=TIMES, limit=limit, address=RUN), LEAST
    ):
        check(text)
        harmless(text, RUN)
        assert ("left out" in text or "too large" in text) <= (RUN in text)
        seen += 1
    assert seen > 2


@pytest.mark.parametrize("case", ["applied", "hostile", "mixed"])
def test_an_outcome_is_whole_at_every_cut(case: str) -> None:
    report = cases.CASES[case]()
    for text in cuts(lambda limit: outcome.text(report, limit=limit, address=RUN), LEAST * 5):
        check(text)
        harmless(text, RUN)


def test_the_largest_plans_are_left_out_first_and_counted() -> None:
    report = review_cases.many(60)
    text = review.text(report, times=TIMES, limit=Limit(number=30_000), address=RUN)
    check(text)
    assert "**The details of " in text
    assert f"Read [the whole report](<{RUN}>)." in text
    smallest, largest = report.changes[0].fingerprint, report.changes[-1].fingerprint
    assert text.count(smallest) == 3  # its fold, its approval, the command
    assert largest not in text
    kept = [item for item in report.changes if f"--expect {item.fingerprint}" in text]
    assert 0 < len(kept) < 60
    assert f"The details of {60 - len(kept)} plans are left out" in text


@pytest.mark.parametrize("limit", [GITHUB, GITLAB], ids=["github", "gitlab"])
def test_a_large_review_keeps_to_what_a_forge_takes(limit: Limit) -> None:
    report = review_cases.many(700)
    text = review.text(report, times=TIMES, limit=limit)
    assert len(text) <= limit.number
    assert limit.unit is Unit.CHARACTERS or len(text.encode()) <= limit.number
    assert len(text) > limit.number // 3
    check(text)
    read(by_comrak(text))


def test_characters_and_bytes_are_told_apart() -> None:
    assert Limit(number=4).size("名前") == 6
    assert Limit(number=4, unit=Unit.CHARACTERS).size("名前") == 2


def test_a_limit_that_nothing_keeps_to_still_gives_a_comment() -> None:
    tiny = Limit(number=1)
    assert "too large to be shown" in review.text(review_cases.review(), limit=tiny)
    assert "too large to be shown" in outcome.text(cases.applied(), limit=tiny)


@pytest.mark.parametrize(
    "address", [HOSTILE, "javascript:x", "https://x.example/a)b", "https://@x"]
)
def test_an_address_that_is_none_is_shown_as_code(address: str) -> None:
    text = outcome.text(cases.applied(), address=address)
    check(text)
    harmless(text)


def test_the_old_report_is_harmless_at_every_cut_too() -> None:
    report: Report = cases.mixed()
    size = len(markdown.text(report).encode())
    for number in range(LEAST, size, size // 30):
        text = markdown.text(report, times=TIMES, limit=number)
        check(text)
        harmless(text)
