"""What file or server call a credential is masked wherever it stands in a change."""

from __future__ import annotations

from dataclasses import replace

from core.values import change, live, step
from planops.core.changes import Cause, Change, Delta
from planops.core.masking import masked_change
from planops.core.model import JSON
from planops.core.shape import FREE

OLD, NEW = "s3cret-live", "s3cret-new"


def a_change(raw: dict[str, JSON]) -> Change:
    there = replace(live(), raw=raw)
    delta = Delta(path="/spec/v/TOKEN/value", cause=Cause.EDIT, desired=NEW, live=OLD)
    body: JSON = {"v": [{"name": "TOKEN", "value": NEW}, {"name": "SAME", "value": OLD}], "n": 1}
    return change(step(body=body), there=there, deltas=(delta,))


def test_a_value_that_the_server_calls_a_credential_is_masked_with_what_replaces_it() -> None:
    raw: dict[str, JSON] = {"p": [{"deep": {"is_credential": True, "value": OLD}}]}
    seen = masked_change(a_change(raw), FREE)
    assert "s3cret" not in repr((seen.deltas, seen.steps))
    assert seen.deltas[0].sensitive
    assert (seen.deltas[0].live, seen.deltas[0].desired) == ("*** (before)", "*** (after)")
    assert seen.steps[0].request.body == {
        "v": [{"name": "TOKEN", "value": "***"}, {"name": "SAME", "value": "***"}],
        "n": 1,
    }


def test_what_nobody_calls_a_credential_is_shown() -> None:
    raw: dict[str, JSON] = {"p": [{"is_credential": False, "value": OLD}]}
    given = a_change(raw)
    seen = masked_change(given, FREE)
    assert seen.deltas == given.deltas
    assert seen.steps == given.steps


def test_an_empty_credential_masks_nothing() -> None:
    raw: dict[str, JSON] = {"p": {"is_credential": True, "value": ""}}
    delta = Delta(path="/spec/d", cause=Cause.EDIT, desired="", live="x")
    given = change(step(body={"d": ""}), there=replace(live(), raw=raw), deltas=(delta,))
    assert masked_change(given, FREE).steps == given.steps
