"""One change in Markdown: a fold with its fields, way, hazards, exact calls and refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from planops.core.changes import Cause, Change, ChangeKind, Delta, Step
from planops.core.lifecycle import Refusal
from planops.core.model import ABSENT
from planops.core.report import ChangeReport, Outcome, StepResult
from planops.render import attribution, wording
from planops.render.escape import code, cut, fence, markdown, terminal
from planops.render.values import Look, lines_changed, pretty, timed

_VALUE: Final = 160
_SENTENCE: Final = 600
_DIFF_LINES: Final = 60
_DIFF_WIDTH: Final = 200
_DIGEST: Final = 12


def sentence(text: str) -> str:
    """Bound and escape a sentence."""
    return markdown(cut(text, _SENTENCE))


def listed(found: Iterable[str], indent: str = "") -> str:
    """List sentences; an empty item would make a heading of the line before it."""
    said = (sentence(one) for one in found)
    return "\n".join(f"{indent}- {one}" for one in said if one)


def is_open(item: ChangeReport) -> bool:
    """Tell that a change must not be folded away: it deletes, undoes, starts or went wrong."""
    wrong = item.outcome in {Outcome.FAILED, Outcome.UNKNOWN, Outcome.STALE}
    return wrong or bool(wording.hazards(item.change))


def fold(item: ChangeReport, look: Look) -> str:
    """Lay out one change."""
    change = item.change
    symbol, word = wording.label(item)
    opened = " open" if is_open(item) else ""
    head = f"{code(symbol)} {word} <b>{code(str(change.key))}</b> {code(wording.place(change))}"
    parts = [
        f"<details{opened}><summary>{head}</summary>",
        _outcome(item),
        listed(attribution.who(change)),
        deltas(change.deltas, look),
        *differences(change),
        _way(change),
        listed(wording.hazards(change)),
        "\n".join(refusal_item(refusal) for refusal in change.refusals),
        *calls(item),
        notices(item),
        "</details>",
    ]
    return "\n\n".join(part for part in parts if part)


def _outcome(item: ChangeReport) -> str:
    said = wording.verdict(item.outcome)
    lines = [f"**Outcome:** {markdown(said)}"] if said else []
    lines += [f"**Error:** {sentence(item.error)}"] if item.error else []
    return "<br>".join(lines)


def _cause(delta: Delta) -> str:
    cause = markdown(wording.cause(delta))
    return f"{cause}, line {delta.mark.line}" if delta.mark else cause


def deltas(
    found: Sequence[Delta],
    look: Look,
    about: Callable[[Delta], str] = _cause,
    head: str = "cause",
    stays: Callable[[Delta], bool] = lambda _: False,
) -> str:
    """Lay out fields that differ in a table; ``about`` says, escaped, what its last column does.

    ``stays`` tells of which fields the side that comes after is as the one before.
    """
    if not found:
        return ""
    heads = [f"| path | {look.before} | {look.after} | {head} |", "|---|---|---|---|"]
    rows = (_delta(delta, look, about(delta), stays=stays(delta)) for delta in found)
    return "\n".join([*heads, *rows])


def _delta(delta: Delta, look: Look, about: str, *, stays: bool) -> str:
    about += f"<br>{sentence(delta.note)}" if delta.note else ""
    if delta.cause is Cause.CONFLICT:
        base = timed(delta.base, delta.path, look, _VALUE, sensitive=delta.sensitive)
        about += f"<br>last applied {code(base)}"
    live, desired = (
        code(timed(value, delta.path, look, _VALUE, sensitive=delta.sensitive))
        for value in (delta.live, delta.desired)
    )
    told = "" if delta.desired is ABSENT else f"; the file says {desired}"
    after = f"stays as it is{told}" if stays else desired
    return f"| {code(delta.path)} | {live} | {after} | {about} |"


def differences(change: Change) -> list[str]:
    """Show what changes in a text of several lines, below the table."""
    if change.kind is ChangeKind.CREATE:
        return []
    found = ((delta.path, lines_changed(delta)) for delta in change.deltas)
    return [f"{code(path)}:\n\n{_difference(lines)}" for path, lines in found if lines]


def _difference(lines: tuple[str, ...]) -> str:
    said = [terminal(cut(line, _DIFF_WIDTH)) for line in lines[:_DIFF_LINES]]
    if len(lines) > _DIFF_LINES:
        said.append(f"@@ … {wording.plural(len(lines) - _DIFF_LINES, 'more line')} @@")
    return fence("\n".join(said), "diff")


def _way(change: Change) -> str:
    way = wording.route(change)
    warned = " This undoes or starts:" if wording.hazards(change) else ""
    return f"**Route:** {sentence(way)}.{warned}" if way else warned.strip()


def refusal_item(refusal: Refusal) -> str:
    """Say in a list item why something is not done, and what lifts that."""
    lifts = f"lifted by {code(refusal.lift)}" if refusal.lift else "no flag lifts this"
    return f"- **refused by {code(refusal.guard)}**: {sentence(refusal.message)} ({lifts})"


def calls(item: ChangeReport) -> list[str]:
    """Show the exact calls of a change."""
    steps = item.change.steps
    if not steps:
        return []
    head = f"**{wording.plural(len(steps), 'call')}**, fingerprint {code(item.fingerprint)}:"
    return [head, *(_call(item, index, step) for index, step in enumerate(steps))]


def _call(item: ChangeReport, index: int, step: Step) -> str:
    request = step.request
    result = wording.result(item, index)
    done = "" if result is StepResult.PENDING else f" **{result.value}**"
    digest = wording.digest(item, index)[:_DIGEST]
    tail = f", digest {code(digest)}" if digest else ""
    call = code(f"{request.method} {wording.address(request)}")
    head = f"Call {index + 1}:{done} {call} {sentence(step.summary)}{tail}"
    if request.body is not None:
        head = f"{head}\n\n{fence(pretty(request.body), 'json')}"
    if step.fallback is None:
        return head
    other = code(f"{step.fallback.method} {wording.address(step.fallback)}")
    body = fence(pretty(step.fallback.body), "json")
    return f"{head}\n\n{sentence(wording.INSTEAD)}: {other}\n\n{body}"


def notices(item: ChangeReport) -> str:
    """List what people should know of a change."""
    return listed(dict.fromkeys((*item.change.notices, *item.notices)))
