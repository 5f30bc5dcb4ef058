"""Masking by field path: what must not be read is replaced before a report exists.

A value is a secret where the schema says so (``x-planops-sensitive``), or where the data does:
Zadig marks variables with ``is_credential`` and returns their values in clear
(docs/servers/zadig.md §5).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import replace

from planops.core.changes import Change, Delta, Step, canonical
from planops.core.model import ABSENT, JSON, Value
from planops.core.shape import FREE, Shape

MASK = "***"
CREDENTIAL = "is_credential"


def masked(value: JSON, shape: Shape = FREE) -> JSON:
    """Copy a JSON value with every secret in it replaced by ``***``."""
    if shape.sensitive and value not in (None, ""):
        return MASK
    if isinstance(value, Mapping):
        secret = bool(value.get(CREDENTIAL))
        return {
            name: MASK if secret and name == "value" else masked(sub, shape.fields.get(name, FREE))
            for name, sub in value.items()
        }
    if isinstance(value, list):
        return [masked(item, shape.item or FREE) for item in value]
    return value


def masked_delta(delta: Delta) -> Delta:
    """Copy a delta with secrets replaced, so that a change of one still shows as a change."""
    if not delta.sensitive:
        return replace(
            delta,
            base=_inside(delta.base),
            desired=_inside(delta.desired),
            live=_inside(delta.live),
        )
    return replace(
        delta,
        base=_hidden(delta.base, MASK),
        desired=_hidden(delta.desired, f"{MASK} (after)"),
        live=_hidden(delta.live, f"{MASK} (before)"),
    )


def masked_change(change: Change, shape: Shape) -> Change:
    """Copy a change with every secret in its deltas and request bodies replaced."""
    return replace(
        change,
        deltas=tuple(masked_delta(delta) for delta in change.deltas),
        steps=tuple(_masked_step(step, shape) for step in change.steps),
    )


def keyed_digest(key: bytes, body: JSON) -> str:
    """Digest a body so that only a holder of ``key`` can test a guess at what it hides."""
    return hmac.new(key, canonical(body), "sha256").hexdigest()


def _inside(value: Value) -> Value:
    return value if value is ABSENT else masked(value)


def _hidden(value: Value, mask: str) -> Value:
    return value if value is ABSENT else mask


def _masked_step(step: Step, shape: Shape) -> Step:
    return replace(step, request=replace(step.request, body=masked(step.request.body, shape)))
