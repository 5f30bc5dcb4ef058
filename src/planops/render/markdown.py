"""The report as GitHub's and GitLab's Markdown, for a comment or a job summary.

Numbers first, then a table with a row a plan, then everything about a plan in a fold. What is
refused, failed or dangerous comes first, and the dangerous is not folded. Where the text must keep
to a size, whole folds are left out, the largest first, and with them their fingerprints.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final

from planops.core.model import Problem, Severity
from planops.core.report import ChangeReport, Outcome, Report, TargetReport
from planops.render import closing, wording
from planops.render.escape import code, cut, markdown
from planops.render.markdown_change import fold, is_open, listed, refusal_item, sentence
from planops.render.room import ENDLESS, Limit, fitting, join
from planops.render.values import Look, window

_COMMIT: Final = 12
_URGENT: Final = (Outcome.UNKNOWN, Outcome.FAILED, Outcome.STALE, Outcome.REFUSED)
_HALTED: Final = (Outcome.UNKNOWN, Outcome.FAILED, Outcome.STALE, Outcome.SKIPPED)
_NAME: Final = 80
TOO_LARGE: Final = "**The report is too large to be shown here.**"


def text(report: Report, *, times: frozenset[str] = frozenset(), limit: int | None = None) -> str:
    """Render a report; ``times`` name fields of unix seconds, ``limit`` is in bytes of UTF-8."""
    look = Look(width=0, verbose=False, times=times)
    room = ENDLESS if limit is None else Limit(number=limit)
    whole = _whole(report, look, room)
    return (
        whole
        if room.holds(whole)
        else join([_title(report), _calls(report), f"{TOO_LARGE} See the whole report."]) + "\n"
    )


def _whole(report: Report, look: Look, limit: Limit) -> str:
    items = sorted((i for i in report.changes if not wording.quiet(i)), key=_urgency)
    before = join([_title(report), _calls(report), _targets(report), _table(items, look, limit)])
    after = join([problems(report, limit, limit.number // 4), _next(report)])
    folds = [fold(item, look) for item in items]
    room = limit.number - limit.size(before) - limit.size(after) - _reserve(items, limit)
    shown = fitting([limit.size(one) + 2 for one in folds], room)
    body = [*(folds[index] for index in shown), _left_out(len(items) - len(shown))]
    return join([before, *body, after, _approvals([items[index] for index in shown])]) + "\n"


def _reserve(items: list[ChangeReport], limit: Limit) -> int:
    """Keep room for the list of fingerprints and the sentence on what was left out."""
    return 400 + sum(limit.size(approval(item)) + 1 for item in items)


def _left_out(number: int) -> str:
    if not number:
        return ""
    said = wording.plural(number, "plan")
    return (
        f"**The details of {said} are left out to keep this short.**"
        " See the whole report; what is not shown here cannot be approved from here."
    )


def _urgency(item: ChangeReport) -> tuple[int, str, str]:
    if item.outcome in _URGENT:
        rank = _URGENT.index(item.outcome)
    elif is_open(item):
        rank = len(_URGENT)
    elif item.outcome is Outcome.PARKED:
        rank = len(_URGENT) + 2
    else:
        rank = len(_URGENT) + 1
    return rank, item.change.key.target, item.change.key.name


def _title(report: Report) -> str:
    return (
        f"### planops {markdown(cut(report.command, _NAME))}: {markdown(closing.verdict(report))}"
    )


def _calls(report: Report) -> str:
    counts = closing.calls(report)
    total = sum(counts.values())
    said = ", ".join(wording.plural(number, kind.value) for kind, number in counts.items())
    where = _where(report)
    if not total:
        return f"{_none(report)}.{where}"
    return f"**{wording.plural(total, 'call')} to make**: {said}.{where}"


def _none(report: Report) -> str:
    """Say that no call is to be made, as far as that is known."""
    halted = any(item.outcome in _HALTED for item in report.changes)
    if halted and report.command == "apply":
        return "Not all calls were made, as far as is known"
    blind = any(target.error for target in report.targets)
    if blind or (report.targets and closing.errors(report)):
        return "No call to make is known: not everything could be compared"
    return "No calls to make"


def _where(report: Report) -> str:
    git = report.git
    if git is None:
        return ""
    branch = f"{code(cut(git.branch, _NAME))} at " if git.branch else ""
    dirty = ", with changes not committed" if git.dirty else ""
    return f" From {branch}{code(git.head[:_COMMIT])}{dirty}."


def _targets(report: Report) -> str:
    return "\n".join(line for target in report.targets for line in _target(target))


def _target(target: TargetReport) -> list[str]:
    head = f"- **{code(target.name)}** ({markdown(target.backend)}, {code(target.url)}): "
    if target.error:
        return [f"{head}**error:** {sentence(target.error)}"]
    counts = wording.counted(target, "on the server")
    lines = [f"{head}{counts}; {closing.found(target)}"]
    lines += [f"  - **not recorded:** {sentence(target.unrecorded)}"] * bool(target.unrecorded)
    lines += [f"  {refusal_item(refusal)}" for refusal in target.refusals]
    notices = listed(target.notices, "  ")
    return [*lines, notices] if notices else lines


def _table(items: list[ChangeReport], look: Look, limit: Limit) -> str:
    if not items:
        return ""
    head = ["| action | plan | what changes | route, when | risk |", "|---|---|---|---|---|"]
    rows = [_row(item, look) for item in items]
    return "\n".join([*head, *limit.rows(rows, limit.number // 3, "| … and {} more | | | | |")])


def _row(item: ChangeReport, look: Look) -> str:
    change = item.change
    symbol, word = wording.label(item)
    done = wording.briefly(item)
    action = f"{code(symbol)} {word}: **{done}**" if done else f"{code(symbol)} {word}"
    name = cut(wording.display_name(change), _NAME)
    plan = f"**{code(str(change.key))}**<br>{markdown(name)}"
    way = [wording.route(change), window(change.plan.spec, look.times)]
    cells = [
        action,
        plan,
        sentence(wording.deed(change)),
        "<br>".join(sentence(one) for one in way if one),
        sentence(wording.risk(item)),
    ]
    return f"| {' | '.join(cells)} |"


def problems(report: Report, limit: Limit, room: int) -> str:
    """List what is wrong in the files, errors first; as much as there is room for."""
    worst = sorted(report.problems, key=lambda one: one.severity is not Severity.ERROR)
    parts = (list(part) for _, part in groupby(worst, key=lambda one: one.severity))
    groups = [group for part in parts for group in closing.by_file(part)]
    rows = [_problem(problem) for _, found in groups for problem in found]
    if not rows:
        return ""
    return join(["#### Problems", "\n".join(limit.rows(rows, room, "- … and {} more"))])


def _problem(problem: Problem) -> str:
    at = f"{code(str(problem.mark))} " if problem.mark else ""
    hint = f"<br>{sentence(problem.hint)}" if problem.hint else ""
    said = f"{sentence(problem.message)} ({code(problem.code)})"
    return f"- {at}**{problem.severity.value}**: {said}{hint}"


def _next(report: Report) -> str:
    steps = [f"- {markdown(step)}." for step in closing.next_steps(report)]
    return "\n".join(["**Next:**", "", *steps]) if steps else ""


def _approvals(items: list[ChangeReport]) -> str:
    """List what an approval names: the fingerprints of the changes that would be made."""
    asked = [item for item in items if item.outcome is Outcome.PENDING and item.change.acts]
    if not asked:
        return ""
    head = "#### Fingerprints to approve"
    return join([head, "\n".join(approval(item) for item in asked)])


def approval(item: ChangeReport) -> str:
    """Give the item of a list that names a fingerprint."""
    change = item.change
    return f"- {code(item.fingerprint)} {code(str(change.key))} ({change.kind.value})"
