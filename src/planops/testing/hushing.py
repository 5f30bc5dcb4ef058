"""What is promised about the token: nobody who reads what planops says ever sees it."""

from __future__ import annotations

import base64
import contextlib
import io
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from planops import reconcile
from planops.core.model import Plan
from planops.errors import PlanopsError
from planops.run import Progress
from planops.testing.acting import asked, expect, made, with_goal
from planops.testing.case import Case, Lost, Server, named


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ear:
    """Hears all that planops says: reports, progress, exceptions with their traces, logs."""

    said: list[str] = field(default_factory=list)

    def progress(self, at: Progress) -> None:
        self.said.append(repr(at))

    def run(self, server: Server, plan: Plan) -> None:
        """Observe, diff and apply, and keep whatever is said of it."""
        run = replace(asked(server), progress=self.progress)
        try:
            target = server.target()
            sight = reconcile.observe(target, [plan], run)
            changes = reconcile.diff(target, sight, run)
            self.said.append(repr(reconcile.show(target, sight, changes, run)))
            self.said.append(repr(reconcile.apply(target, sight, changes, run)))
        except PlanopsError as error:
            self.said.extend((repr(error), *traceback.format_exception(error)))

    def read(self, server: Server, id_: str) -> None:
        """Read one plan by the backend alone."""
        try:
            server.target().backend.read(id_)
        except PlanopsError as error:
            self.said.extend((repr(error), *traceback.format_exception(error)))


@contextlib.contextmanager
def _listening() -> Iterator[_Ear]:
    """Hear every logger, whatever its level, and put them back."""
    ear, root, lines = _Ear(), logging.getLogger(), io.StringIO()
    handler, level = logging.StreamHandler(lines), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield ear
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        ear.said.append(lines.getvalue())


def the_token_is_never_shown(case: Case, server: Server, way: str) -> None:
    """The token is in no exception, no trace, no log line, no progress and no report."""
    with _listening() as ear:
        _WAYS[way](case, server, ear)
    forms = {form for form in _forms(server.token) if any(form in text for text in ear.said)}
    expect(that=any(ear.said), why="nothing was said at all")
    expect(that=not forms, why=f"the token is shown, in {len(forms)} forms")


def _all_is_well(case: Case, server: Server, ear: _Ear) -> None:
    for plan in (case.full.plan, case.full.plan, with_goal(case.walker, case.goal)):
        ear.run(server, plan)


def _lists_fail(case: Case, server: Server, ear: _Ear) -> None:
    made(server, case.minimal.plan)
    for how in case.hidings:
        server.hide(how)
        ear.run(server, case.minimal.plan)
        server.heal()


def _reads_fail(case: Case, server: Server, ear: _Ear) -> None:
    id_ = made(server, case.minimal.plan)
    for no_id in case.no_ids:
        ear.read(server, no_id)
    server.silence()
    ear.read(server, id_)
    ear.run(server, case.minimal.plan)


def _answers_are_lost(case: Case, server: Server, ear: _Ear) -> None:
    for how in Lost:
        server.lose(how)
        ear.run(server, named(case.minimal.plan, f"Lost {how}"))
    server.lose(Lost.AFTER)
    server.meanwhile(server.silence, after=True)
    ear.run(server, named(case.minimal.plan, "Lost for good"))


def _the_server_says_it(case: Case, server: Server, ear: _Ear) -> None:
    for number, form in enumerate(_forms(server.token)):
        server.refuse(f"no such session: {form}")
        ear.run(server, named(case.minimal.plan, f"Refused {number}"))


_WAYS: dict[str, Callable[[Case, Server, _Ear], None]] = {
    "all is well": _all_is_well,
    "lists fail": _lists_fail,
    "reads fail": _reads_fail,
    "answers are lost": _answers_are_lost,
    "the server says it": _the_server_says_it,
}
WAYS = tuple(_WAYS)


def _forms(token: str) -> tuple[str, ...]:
    """The token as it may travel: plain, in an address, in base64."""
    encoded = base64.b64encode(token.encode()).decode().rstrip("=")
    return tuple(dict.fromkeys((token, quote(token, safe=""), encoded)))
