"""What is looked up for a lost plan as its file was changes nothing for the other plans."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from planops.backends.exchange import Request, Response
from planops.core.changes import Cause
from planops.core.ledger import Intent, intent_document
from planops.core.model import Plan
from planops.core.report import Outcome
from run.kinds import put, stored
from run.ledgers import MemoryLedger, MovingClock, kept
from run.world import Through, World, applied, asked, look, plan, why

LOST = Intent(key="a-lost", kind="ZadigReleasePlan", op="create", name="a-lost", at=1)


def elsewhere(held: Any) -> None:
    put(stored(held, "build"), ("docker_registry_id",), "64f1a00000000000000000a2")


def test_drift_of_what_a_name_stands_for_is_seen_beside_a_lost_plan(
    newest: World, example: Any
) -> None:
    ledger = MemoryLedger()
    target = kept(newest.target(by_name=False), ledger, MovingClock())
    other: Plan = example("zadig-build")
    assert other.key.name > "a-lost"
    report = applied(target, [other])
    newest.sandbox.edit(report.changes[0].id or "", partial(elsewhere))
    path, data = intent_document(LOST)
    ledger.write(ledger.tip, {path: data}, "begin", 0)
    before = plan("a-lost", description="as it was made")
    newest.plant("a-lost", description="as it was made", jobs=[], index=999)
    run = replace(asked(), earlier=lambda _: before)
    edited = plan("a-lost", description="edited since")
    lost, seen = look(target, [edited, other], run)[1].changes
    assert (lost.key.name, lost.refusals) == ("a-lost", ())
    assert [delta.cause for delta in seen.deltas] == [Cause.DRIFT]
    assert seen.deltas[0].path.endswith("/registry")


def test_a_file_under_another_key_is_told_whose_plan_it_names(newest: World) -> None:
    target = kept(newest.target(by_name=False), MemoryLedger(), MovingClock())
    applied(target, [plan("old")])
    new = plan("new")
    report = applied(target, [replace(new, spec=new.spec | {"name": "old"})]).changes[0]
    assert report.outcome is Outcome.REFUSED
    assert "is that of old by the ledger; choose another name, or, if this file's" in why(report)


class AsHtml(Through):
    """A server that keeps descriptions as HTML."""

    def write(self, request: Request) -> Response:
        body = request.body
        if isinstance(body, dict) and body.get("description"):
            body = body | {"description": f"<p>{body['description']}</p>"}
        return super().write(replace(request, body=body))


def test_a_lost_plan_whose_text_the_server_keeps_as_html_is_found(newest: World) -> None:
    ledger = MemoryLedger()
    target = kept(newest.target(by_name=False, through=AsHtml), ledger, MovingClock())
    path, data = intent_document(LOST)
    ledger.write(ledger.tip, {path: data}, "begin", 0)
    newest.plant("a-lost", description="<p>one</p>", jobs=[])
    wanted = plan("a-lost", description="one")
    assert applied(target, [wanted]).changes[0].outcome is Outcome.APPLIED
    assert len(newest.sandbox.plans()) == 1
    assert applied(target, [wanted]).changes[0].outcome is Outcome.UNCHANGED
    assert not ledger.load().intents
