"""A review as Markdown, for a comment on the pull request or a job's summary.

Numbers first, then what a reviewer has to be warned of, a row a plan, everything about a plan in a
fold, and in folds of their own what the pull request does not cause. Where the text must keep to a
limit, whole rows and whole plans are left out, the largest plans first, and with them their
fingerprints: what is not shown cannot be approved. Pure: where the whole report is found is said
by whoever calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from planops.core.forge import Risk
from planops.core.model import PlanKey
from planops.core.report import ChangeReport, Outcome, Report, TargetReport
from planops.core.review import Review
from planops.render import closing, merging, shares
from planops.render.escape import code, cut, fence, link, markdown, visible
from planops.render.markdown import TOO_LARGE, approval, problems
from planops.render.markdown_change import listed, refusal_item, sentence
from planops.render.review_change import fold, key, place, row
from planops.render.room import ENDLESS, Limit, fitting, join
from planops.render.values import Look
from planops.render.windows import MOST_ROWS, gantt, rows
from planops.render.wording import counted, plural

WHOLE: Final = "the whole report"
_NAME: Final = 80
_URL: Final = 200
_RESERVE: Final = 700
"""For the sentences that say what was left out, and the heads of lists."""
_NAMED: Final = 10
_MARK: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a comment is made of: the report, and how much room there is.

    ``address`` is where the whole report is, empty where there is no such place.
    """

    report: Report
    review: Review
    look: Look
    limit: Limit
    address: str

    def rows(self, found: Sequence[str], part: int, ending: str) -> str:
        """Keep as many lines as fit into a part of the room."""
        return "\n".join(self.limit.rows(found, self.limit.number // part, ending))


def text(
    report: Report,
    *,
    times: frozenset[str] = frozenset(),
    limit: Limit | None = None,
    address: str = "",
) -> str:
    """Render a report that holds a review; ``times`` name fields of unix seconds.

    ``address`` is where the whole report is. A limit below what the title alone takes is not kept
    to.
    """
    review = report.review or Review(base="", head="")
    sides = ("base", "head") if review.offline else ("on the server", "after merging")
    look = Look(
        width=0, verbose=False, times=times, before=sides[0], after=sides[1], offline=review.offline
    )
    page = Page(report=report, review=review, look=look, limit=ENDLESS, address=address)
    whole = _whole(page)
    if limit is None or limit.holds(whole):
        return whole
    page = replace(page, limit=limit)
    whole = _whole(page)
    return whole if limit.holds(whole) else _brief(page)


def _brief(page: Page) -> str:
    """Say as much as fits where not even the heads of all parts do."""
    title, cut_off = _title(page), _elsewhere(page, TOO_LARGE)
    for parts in ([title, _effect(page), cut_off], [title, cut_off]):
        brief = join(parts) + "\n"
        if page.limit.holds(brief):
            return brief
    return f"{title}\n\n{TOO_LARGE}\n"


def _whole(page: Page) -> str:
    ours = shares.caused(page.report)
    others = shares.beside(page.report.changes)
    before = join(
        [
            _title(page),
            _effect(page),
            _sources(page),
            _warnings(page, ours),
            _table(page, ours),
            problems(page.report, page.limit, page.limit.number // 8),
        ]
    )
    after = join(
        [
            _removed(page),
            _timeline(page, ours),
            _beside(page, others),
            _idle(page),
            _next(page),
        ]
    )
    folds = [fold(item, page.look) for item in ours]
    costs = [
        page.limit.size(one) + _cost(page, item) for one, item in zip(folds, ours, strict=True)
    ]
    used = page.limit.size(before) + page.limit.size(after) + _RESERVE
    shown = fitting(costs, page.limit.number - used)
    left = [item for index, item in enumerate(ours) if index not in shown]
    body = [*(folds[index] for index in shown), _left_out(page, left)]
    return join([before, *body, after, _approvals(page, [ours[index] for index in shown])]) + "\n"


def _title(page: Page) -> str:
    ours, offline = shares.caused(page.report), page.review.offline
    told = [f"{sign} {said}" for sign, said in merging.counted(ours, offline=offline)]
    told += [f"{merging.SIGNS[Risk.BLOCKED]} {said}" for said in merging.troubles(page.report)]
    nothing = f"{merging.SIGNS[Risk.ROUTINE]} {merging.nothing(page.report, page.review)}"
    mode = " (offline)" if offline else ""
    return f"### planops review{mode}: {' · '.join(told) or nothing}"


def _effect(page: Page) -> str:
    first, *others = merging.effect(page.report, page.review)
    said = [f"**{markdown(first)}.**", *(f"{markdown(one)}." for one in others)]
    found = merging.earliest(page.report)
    if found:
        item, when = found
        said.append(f"Earliest release window: {code(str(when))} ({key(item)}).")
    return " ".join(said)


def _sources(page: Page) -> str:
    """Say what was compared, and which servers were read."""
    lines = [f"- {sentence(merging.sources(page.review))}"]
    return "\n".join([*lines, *(_target(page, target) for target in page.report.targets)])


def _target(page: Page, target: TargetReport) -> str:
    url = code(cut(target.url, _URL))
    head = f"- **{code(cut(target.name, _NAME))}** ({sentence(target.backend)}, {url})"
    if target.error:
        return f"{head}: **not compared:** {sentence(target.error)}"
    counts = counted(target, "read", offline=page.review.offline)
    lines = [f"{head}: {counts}; {merging.tally(target, page.review)}"]
    lines += [f"  {refusal_item(refusal)}" for refusal in target.refusals]
    return "\n".join(line for line in [*lines, listed(target.notices, "  ")] if line)


def _warnings(page: Page, ours: Sequence[ChangeReport]) -> str:
    """Call out what no reviewer may overlook."""
    sign = merging.SIGNS[Risk.ATTENTION]
    alarms = [item for item in ours if item.share and item.share.alarm]
    said = [f"- {sign} **{key(item)} {merging.ALARM}**: {place(item)}" for item in alarms]
    if page.review.settings:
        named = ", ".join(code(cut(name, _URL)) for name in page.review.settings[:_NAMED])
        more = len(page.review.settings) - _NAMED
        tail = f" and {more} more" if more > 0 else ""
        said.append(f"- {sign} **{merging.SETTINGS}**: {named}{tail}")
    if not page.review.clean:
        said.append(f"- {sign} **{merging.CONFLICTS}**")
    return page.rows(said, 8, "- … and {} more warnings")


def _table(page: Page, ours: Sequence[ChangeReport]) -> str:
    if not ours:
        return ""
    head = ["| plan | action | what changes | when | risk |", "|---|---|---|---|---|"]
    found = [row(item, page.look) for item in ours]
    return "\n".join([*head, page.rows(found, 4, "| … and {} more | | | | |")])


def _removed(page: Page) -> str:
    dropped = merging.removed(page.report, page.review)
    if not dropped:
        return ""
    lines = [f"- {_plan(name)}" for name in dropped]
    return join([f"**{merging.dropped(page.review)}:**", page.rows(lines, 16, "- … and {} more")])


def _plan(name: PlanKey) -> str:
    return code(cut(str(name), _NAME))


def _timeline(page: Page, ours: Sequence[ChangeReport]) -> str:
    """Draw the windows of the plans concerned, and of those that take place at the same time."""
    keys = {item.change.key for item in ours}
    others = [item for item in page.report.changes if item.change.key not in keys]
    found = rows([item for item in ours if not _goes(item)], others)
    if not found:
        return ""
    more = (
        f"- … and {len(found) - MOST_ROWS} more that are not drawn"
        if len(found) > MOST_ROWS
        else ""
    )
    head = "<details><summary>Release windows</summary>"
    drawn = join([head, fence(gantt(found), "mermaid"), more, "</details>"])
    return drawn if page.limit.size(drawn) <= page.limit.number // 8 else ""


def _goes(item: ChangeReport) -> bool:
    return item.share is not None and item.share.removed


def _beside(page: Page, others: Sequence[ChangeReport]) -> str:
    """Fold away what the pull request has no part in."""
    if not others:
        return ""
    lines = [f"- {key(one)} {place(one)}: {sentence(shares.remaining(one))}" for one in others]
    head = f"<details><summary>Not caused by this pull request ({len(others)})</summary>"
    said = "Merging neither causes nor hides these."
    return join([head, said, page.rows(lines, 8, "- … and {} more"), "</details>"])


def _idle(page: Page) -> str:
    found = shares.idle(page.report)
    if not found:
        return ""
    lines = [f"- {place(item)} {key(item)}" for item in found]
    return join([f"**{merging.IDLE}:**", page.rows(lines, 16, "- … and {} more")])


def _next(page: Page) -> str:
    steps = [f"- {markdown(step)}." for step in merging.next_steps(page.report, page.review)]
    return "\n".join(["**Next:**", "", *steps]) if steps else ""


def _left_out(page: Page, items: Sequence[ChangeReport]) -> str:
    if not items:
        return ""
    said = f"**The details of {plural(len(items), 'plan')} are left out to keep this short.**"
    return _elsewhere(page, f"{said} What is not shown here cannot be approved from here.")


def _elsewhere(page: Page, said: str) -> str:
    return f"{said} Read {link(WHOLE, page.address)}." if page.address else said


def _approvable(page: Page, items: Sequence[ChangeReport]) -> list[ChangeReport]:
    stopped = {target.name for target in page.report.targets if closing.stopped(target)}
    if page.review.offline:
        return []
    return [
        item
        for item in items
        if item.outcome is Outcome.PENDING and item.change.acts
        if item.change.key.target not in stopped
    ]


def _cost(page: Page, item: ChangeReport) -> int:
    """What showing a plan takes beside its fold."""
    return page.limit.size(approval(item)) + page.limit.size(_expect(item)) + 4


def _expect(item: ChangeReport) -> str:
    return f" --expect {visible(cut(item.fingerprint, _MARK))}"


def _approvals(page: Page, items: Sequence[ChangeReport]) -> str:
    """List what an approval names, and the command that makes what was approved."""
    asked = _approvable(page, items)
    if not asked:
        return ""
    command = "planops apply" + "".join(map(_expect, asked))
    return join(
        [
            "#### Fingerprints to approve",
            "\n".join(map(approval, asked)),
            "After merging, this makes these calls, and only if nothing has moved since:",
            fence(command, "sh"),
        ]
    )
