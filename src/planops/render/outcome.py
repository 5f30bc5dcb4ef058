"""What became of a pull request after it was merged: an apply's report, for the same comment.

The same order as in a review: numbers, a row a plan, folds where something went wrong, what to do
next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

from planops.core.report import ChangeReport, Outcome, Report, TargetReport, exit_code
from planops.render import closing, shares, wording
from planops.render.escape import code, cut, link, markdown
from planops.render.markdown import TOO_LARGE, problems
from planops.render.markdown_change import calls, listed, notices, refusal_item, sentence
from planops.render.review_change import key, place, way
from planops.render.room import ENDLESS, Limit, fitting, join
from planops.render.windows import window
from planops.render.wording import plural

RUN: Final = "the run"
_NAME: Final = 80
_RESERVE: Final = 700
_ORDER: Final = (
    Outcome.UNKNOWN,
    Outcome.FAILED,
    Outcome.STALE,
    Outcome.REFUSED,
    Outcome.SKIPPED,
    Outcome.PENDING,
    Outcome.PARKED,
    Outcome.APPLIED,
    Outcome.UNCHANGED,
)
_WRONG: Final = frozenset(_ORDER[:5])


def text(
    report: Report,
    *,
    limit: Limit | None = None,
    address: str = "",
) -> str:
    """Render an apply's report; ``address`` is that of the run.

    A limit below what the title alone takes is not kept to.
    """
    whole = _whole(report, ENDLESS, address)
    if limit is None or limit.holds(whole):
        return whole
    whole = _whole(report, limit, address)
    if limit.holds(whole):
        return whole
    brief = join([_title(report), _ended(report, address), TOO_LARGE]) + "\n"
    return brief if limit.holds(brief) else f"{_title(report)}\n\n{TOO_LARGE}\n"


def _whole(report: Report, limit: Limit, address: str) -> str:
    items = sorted((i for i in report.changes if not wording.quiet(i)), key=_urgency)
    before = join(
        [
            _title(report),
            _ended(report, address),
            "\n".join(line for target in report.targets for line in _target(target)),
            _table(items, limit),
            problems(report, limit, limit.number // 8),
        ]
    )
    after = _next(report)
    wrong = [item for item in items if item.outcome in _WRONG]
    folds = [_fold(item) for item in wrong]
    room = limit.number - limit.size(before) - limit.size(after) - _RESERVE
    shown = fitting([limit.size(one) + 2 for one in folds], room)
    left = len(folds) - len(shown)
    said = f"**The details of {plural(left, 'plan')} are left out to keep this short.**"
    return join([before, *(folds[i] for i in shown), said if left else "", after]) + "\n"


def _urgency(item: ChangeReport) -> tuple[int, str, str]:
    return _ORDER.index(item.outcome), item.change.key.target, item.change.key.name


def outcome(of: Outcome) -> str:
    """Say in a word or two what became of a plan."""
    match of:
        case Outcome.APPLIED | Outcome.PARKED | Outcome.REFUSED | Outcome.FAILED:
            return of.value
        case Outcome.UNKNOWN | Outcome.STALE | Outcome.UNCHANGED:
            return of.value
        case Outcome.SKIPPED | Outcome.PENDING:
            return "not attempted"
        case _ as never:
            assert_never(never)


def _sign(of: Outcome) -> str:
    if of in {Outcome.APPLIED, Outcome.UNCHANGED}:
        return "✅"
    return "⏸" if of is Outcome.PARKED else "⛔"


def _title(report: Report) -> str:
    counted = {of: sum(item.outcome is of for item in report.changes) for of in _ORDER}
    counted[Outcome.SKIPPED] += counted.pop(Outcome.PENDING)
    told = [f"{_sign(of)} {n} {outcome(of)}" for of, n in counted.items() if n]
    stopped = sum(map(closing.stopped, report.targets))
    told += [f"⛔ {plural(stopped, 'target')} stopped"] if stopped else []
    command = markdown(cut(report.command, _NAME))
    return f"### planops {command}: {' · '.join(told) or 'nothing to do'}"


def _ended(report: Report, address: str) -> str:
    code_ = exit_code(report)
    name = code_.name.lower()
    said = f"**Exit code {int(code_)}** ({name})." if code_ else "**All went well**, exit code 0."
    git = report.git
    said += f" Applied from {code(cut(git.head, _NAME))}." if git else ""
    return f"{said} See {link(RUN, address)}." if address else said


def _target(target: TargetReport) -> list[str]:
    head = f"- **{code(cut(target.name, _NAME))}**: "
    if target.error:
        return [f"{head}**error:** {sentence(target.error)}"]
    lines = [f"{head}{closing.tally(target.changes)}"]
    lines += [f"  - **not recorded:** {sentence(target.unrecorded)}"] * bool(target.unrecorded)
    lines += [f"  {refusal_item(refusal)}" for refusal in target.refusals]
    told = listed(target.notices, "  ")
    return [*lines, told] if told else lines


def _table(items: Sequence[ChangeReport], limit: Limit) -> str:
    if not items:
        return ""
    head = ["| plan | outcome | done | when | who is next |", "|---|---|---|---|---|"]
    found = limit.rows(
        [_row(item) for item in items], limit.number // 3, "| … and {} more | | | | |"
    )
    return "\n".join([*head, *found])


def _row(item: ChangeReport) -> str:
    when = window(item.change)
    cells = [
        f"**{key(item)}**",
        f"{_sign(item.outcome)} **{outcome(item.outcome)}**",
        sentence(shares.action(item)),
        code(str(when)) if when else "",
        _who(item),
    ]
    return f"| {' | '.join(cells)} |"


def _who(item: ChangeReport) -> str:
    """Say who is next: of a plan that came to its end as shown, or what to read."""
    if item.outcome in _WRONG:
        guards = [f"refused by {refusal.guard}" for refusal in item.change.refusals]
        said = item.error or item.change.error or "; ".join(guards)
        return sentence(said or wording.verdict(item.outcome))
    ends = shares.ending(item.change).replace("⏸ ", "")
    people = shares.awaited(item.change)
    named = f" ({sentence(people)})" if people else ""
    state = f"{code(item.change.route.ends)}: " if ends and item.change.route.ends else ""
    return f"{state}{sentence(ends)}{named}"


def _fold(item: ChangeReport) -> str:
    """Lay out what went wrong with a plan, and how far it came."""
    said = item.error or item.change.error
    head = f"{_sign(item.outcome)} {key(item)} {outcome(item.outcome)} {place(item)}"
    parts = [
        f"<details open><summary>{head}</summary>",
        f"**Error:** {sentence(said)}" if said else "",
        way(item.change),
        "\n".join(refusal_item(refusal) for refusal in item.change.refusals),
        *calls(item),
        notices(item),
        "</details>",
    ]
    return join(parts)


def _next(report: Report) -> str:
    steps = [f"- {markdown(step)}." for step in closing.next_steps(report)]
    return "\n".join(["**Next:**", "", *steps]) if steps else ""
