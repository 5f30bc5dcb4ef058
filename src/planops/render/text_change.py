"""One change as a terminal shows it: label, fields, way, hazards, calls, refusals, outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, assert_never

from planops.core.changes import Cause, Change, ChangeKind, Delta, Step
from planops.core.lifecycle import Refusal
from planops.core.model import ABSENT
from planops.core.report import ChangeReport, Outcome, StepResult
from planops.render import attribution, shares, wording
from planops.render.escape import cut
from planops.render.lines import Line, Piece, Style, line
from planops.render.values import Look, lines_changed, one_line, pretty, size, timed

_WORD: Final = 12
_SENTENCE: Final = 600
_NAME: Final = 80
_NAMED: Final = 13  # a value's name, its blanks and its quotes
_BODY: Final = 60
_LEAST: Final = 24
_DIFF_LINES: Final = 40
_DIGEST: Final = 12
_IN: Final = "      "


def change_lines(item: ChangeReport, look: Look) -> Iterator[Line]:
    """Lay out one change."""
    yield _head(item)
    yield from (line(_IN, said) for said in shares.kept(item))
    yield from (line(_IN, (Style.DIM, said)) for said in attribution.who(item.change))
    for name, deltas in shares.groups(item):
        if name:
            yield line(_IN, f"{name}:")
        for delta in deltas:
            yield from _delta(item, delta, look)
    if way := wording.route(item.change):
        name = "route" if wording.travels(item.change) else "state"
        yield line(_IN, f"{name}: ", (Style.MOVE, way))
    for hazard in wording.hazards(item.change):
        yield line(_IN, (Style.WARN, "! hazard: "), sentence(hazard, look))
    for refusal in item.change.refusals:
        yield from refusal_lines(refusal, look, _IN)
    yield from _calls(item, look)
    for notice in dict.fromkeys((*item.change.notices, *item.notices)):
        yield line(_IN, "note: ", sentence(notice, look))
    yield from _ending(item, look)


def sentence(text: str, look: Look) -> str:
    """Bound a sentence that somebody else wrote."""
    return cut(text, None if look.verbose else _SENTENCE)


def _head(item: ChangeReport) -> Line:
    change = item.change
    symbol, word = wording.label(item)
    told = word == change.kind.value or change.kind is ChangeKind.UNCHANGED
    kind = "" if told else f"  ({change.kind.value})"
    done = wording.briefly(item)
    name = cut(wording.display_name(change), _NAME)
    return line(
        "  ",
        (_style(item), f"{symbol} {word:<{_WORD}}"),
        (Style.HEAD, change.key.name),
        f'  "{name}"  ',
        (Style.DIM, wording.place(change)),
        kind,
        (
            _style(item) if item.outcome is Outcome.APPLIED else Style.BAD,
            f"  {done}" if done else "",
        ),
    )


def _style(item: ChangeReport) -> Style:
    match wording.label(item)[0]:
        case "+" | "@":
            return Style.GOOD
        case "-" | "!":
            return Style.BAD
        case "~" | "?":
            return Style.WARN
        case ">":
            return Style.MOVE
        case _:
            return Style.DIM


def _why(item: ChangeReport, delta: Delta) -> str:
    if item.share is not None and delta.path not in item.share.caused:
        return shares.there(item, delta)
    return "" if item.change.live is None else wording.cause(delta)


def _delta(item: ChangeReport, delta: Delta, look: Look) -> Iterator[Line]:
    change, why = item.change, _why(item, delta)
    where = f"line {delta.mark.line}" if delta.mark else ""
    about = ", ".join(part for part in (why, where) if part)
    tail = f"  [{about}]" if about else ""
    tail += f" — {sentence(delta.note, look)}" if delta.note else ""
    changed = lines_changed(delta)
    if changed:
        sizes = [size(delta.live)] if _has_before(change, delta) else []
        sizes.append(size(delta.desired))
        head = f"{delta.path}: {_arrow(change, delta).join(sizes)}"
        yield line(_IN, head, (Style.DIM, tail))
        yield from _line_difference(changed, look)
        yield from _base(change, delta, look)
    elif delta.cause is Cause.CONFLICT or not _fits(change, delta, tail, look):
        yield line(_IN, f"{delta.path}:", (Style.DIM, tail))
        yield from _values(change, delta, look)
    else:
        yield line(_IN, _whole(change, delta, look), (Style.DIM, tail))


def _base(change: Change, delta: Delta, look: Look) -> Iterator[Line]:
    """Below the lines that differ, say what a conflict began with."""
    if delta.cause is Cause.CONFLICT:
        yield from list(_values(change, delta, look))[:1]


def _arrow(change: Change, delta: Delta) -> str:
    """An arrow for what is written, an unequal sign for what only differs."""
    acts = change.acts or change.live is None
    kept = delta.cause is Cause.UNKNOWN or wording.stays(change, delta)
    return " → " if acts and not kept else " ≠ "


def _fits(change: Change, delta: Delta, tail: str, look: Look) -> bool:
    return len(_IN) + len(_whole(change, delta, look) + tail) <= look.width


def _whole(change: Change, delta: Delta, look: Look) -> str:
    values = [said for _, said in _said(change, delta, look, None)]
    return f"{delta.path}: {_arrow(change, delta).join(values)}"


def _values(change: Change, delta: Delta, look: Look) -> Iterator[Line]:
    """Lay the values one below the other."""
    room = None if look.verbose else max(_LEAST, look.width - len(_IN) - _NAMED)
    for name, said in _said(change, delta, look, room):
        yield line(_IN, f"  {name:<8} ", said)


def _has_before(change: Change, delta: Delta) -> bool:
    """Tell that there is another side: the plan on the server, or the base's file."""
    return change.live is not None or delta.live is not ABSENT


def _said(change: Change, delta: Delta, look: Look, room: int | None) -> Iterator[tuple[str, str]]:
    """Say the values that matter for why the field differs."""
    hidden = delta.sensitive
    if delta.cause is Cause.CONFLICT:
        yield "base", timed(delta.base, delta.path, look, room, sensitive=hidden)
    if _has_before(change, delta):
        yield look.before, timed(delta.live, delta.path, look, room, sensitive=hidden)
    if delta.cause is not Cause.RELEASED:
        yield look.after, timed(delta.desired, delta.path, look, room, sensitive=hidden)


def _line_difference(changed: tuple[str, ...], look: Look) -> Iterator[Line]:
    most = len(changed) if look.verbose else _DIFF_LINES
    room = None if look.verbose else max(_LEAST, look.width - len(_IN) - 4)
    for one in changed[:most]:
        said = cut(one, room)
        yield line(_IN, "| ", _coloured(said))
    if len(changed) > most:
        yield line(_IN, f"| … {wording.plural(len(changed) - most, 'more line')}")


def _coloured(said: str) -> Piece:
    if said.startswith("+"):
        return Style.GOOD, said
    return (Style.BAD, said) if said.startswith("-") else said


def refusal_lines(refusal: Refusal, look: Look, indent: str) -> Iterator[Line]:
    """Say why something is not done, and what lifts that."""
    head = (Style.BAD, f"! refused by {refusal.guard}: ")
    yield line(indent, head, sentence(refusal.message, look))
    lifts = f"lifted by {refusal.lift}" if refusal.lift else "no flag lifts this"
    yield line(indent, "  ", lifts)


def _calls(item: ChangeReport, look: Look) -> Iterator[Line]:
    steps = item.change.steps
    if not steps:
        return
    would = " that would be made" if item.outcome is Outcome.REFUSED else ""
    print_ = f"{wording.plural(len(steps), 'call')}{would}, fingerprint {item.fingerprint}:"
    yield line(_IN, print_)
    for index, step in enumerate(steps):
        yield from _call(item, index, step, look)


def _call(item: ChangeReport, index: int, step: Step, look: Look) -> Iterator[Line]:
    request = step.request
    digest = wording.digest(item, index)
    short = digest if look.verbose else digest[:_DIGEST]
    tail = f"  digest {short}" if digest else ""
    head = f"{_IN}  {index + 1}. "
    call = f"{request.method} {wording.address(request)}"
    if look.verbose:
        yield line(head, _result(item, index), call, (Style.DIM, tail))
        yield line(_IN, "     ", step.summary)
        body = pretty(request.body).split("\n") if request.body is not None else []
        yield from (line(_IN, "     ", row) for row in body)
        yield from _fallback(step, look)
        return
    room = max(_BODY, look.width - len(head) - len(call) - len(tail))
    body_shown = f" {cut(one_line(request.body), room)}" if request.body is not None else ""
    yield line(head, _result(item, index), call, body_shown, (Style.DIM, tail))
    yield from _fallback(step, look)


def _fallback(step: Step, look: Look) -> Iterator[Line]:
    if step.fallback is not None:
        other = f"{step.fallback.method} {wording.address(step.fallback)}"
        body = cut(one_line(step.fallback.body), None if look.verbose else look.width)
        yield line(_IN, f"     {wording.INSTEAD}: ", f"{other} {body}")


def _result(item: ChangeReport, index: int) -> Piece:
    result = wording.result(item, index)
    match result:
        case StepResult.PENDING:
            return ""
        case StepResult.DONE:
            return Style.GOOD, "done     "
        case StepResult.FAILED:
            return Style.BAD, "failed   "
        case StepResult.UNKNOWN:
            return Style.WARN, "unknown  "
        case StepResult.SKIPPED:
            return Style.DIM, "skipped  "
        case _ as never:
            assert_never(never)


def _ending(item: ChangeReport, look: Look) -> Iterator[Line]:
    if said := wording.verdict(item.outcome):
        style = Style.GOOD if item.outcome is Outcome.APPLIED else Style.BAD
        wrote = item.outcome is Outcome.APPLIED or StepResult.DONE in item.results
        shown_id = f", id {item.id}" if item.id and wrote else ""
        yield line(_IN, "outcome: ", (style, said), shown_id)
    if item.error:
        yield line(_IN, (Style.BAD, "error: "), sentence(item.error, look))
