"""Masking by field path: what must not be read is replaced before a report exists.

A value is a secret where the schema says so (``x-planops-sensitive``), or where the data does:
Zadig marks variables with ``is_credential`` and returns their values in clear
(docs/servers/zadig.md §5). What either side calls a credential is masked wherever it stands in the
change, and so is what would take its place.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

from planops.core.changes import Change, Delta, Request, Step, canonical
from planops.core.model import ABSENT, JSON, Value
from planops.core.shape import FREE, Shape

MASK = "***"
CREDENTIAL = "is_credential"
NONE: frozenset[str] = frozenset()
_CUT = "…"
_TELLING = 4  # characters of a secret that are worth hiding


def masked(value: JSON, shape: Shape = FREE, secrets: AbstractSet[str] = NONE) -> JSON:
    """Copy a JSON value with every secret in it replaced by ``***``.

    ``secrets`` are values known to be secret wherever they stand.
    """
    if shape.sensitive and value not in (None, ""):
        return MASK
    if isinstance(value, str) and value in secrets:
        return MASK
    if isinstance(value, Mapping):
        hides = bool(value.get(CREDENTIAL))
        return {
            name: MASK
            if hides and name == "value"
            else masked(sub, shape.fields.get(name, FREE), secrets)
            for name, sub in value.items()
        }
    if isinstance(value, list):
        return [masked(item, shape.item or FREE, secrets) for item in value]
    return value


def without_secrets(value: JSON, shape: Shape = FREE, secrets: AbstractSet[str] = NONE) -> JSON:
    """Copy a JSON value without the members that are secret: they are not written down at all."""
    if isinstance(value, Mapping):
        hides = bool(value.get(CREDENTIAL))
        return {
            name: without_secrets(sub, shape.fields.get(name, FREE), secrets)
            for name, sub in value.items()
            if not (hides and name == "value")
            if not shape.fields.get(name, FREE).sensitive
            if not (isinstance(sub, str) and sub in secrets)
        }
    if isinstance(value, list):
        return [without_secrets(item, shape.item or FREE, secrets) for item in value]
    return value


def secrets_of(*values: JSON) -> frozenset[str]:
    """Collect what files or servers call credentials."""
    return frozenset(found for value in values for found in _credentials(value)) - {""}


def masked_delta(delta: Delta, secrets: AbstractSet[str] = NONE) -> Delta:
    """Copy a delta with secrets replaced, so that a change of one still shows as a change."""
    sides = (delta.base, delta.desired, delta.live)
    if delta.sensitive or any(isinstance(side, str) and side in secrets for side in sides):
        return replace(
            delta,
            sensitive=True,
            base=_hidden(delta.base, MASK),
            desired=_hidden(delta.desired, f"{MASK} (after)"),
            live=_hidden(delta.live, f"{MASK} (before)"),
        )
    base, desired, live = (s if s is ABSENT else masked(s, secrets=secrets) for s in sides)
    return replace(delta, base=base, desired=desired, live=live)


def masked_change(change: Change, shape: Shape) -> Change:
    """Copy a change with every secret in it replaced; the server's own document is dropped."""
    secrets = hidden(change)
    spec, live = change.plan.spec, change.live
    return replace(
        change,
        plan=replace(change.plan, spec=_masked_tree(spec, shape, secrets)),
        live=replace(live, spec=_masked_tree(live.spec, shape, secrets), raw={}) if live else None,
        deltas=tuple(masked_delta(delta, secrets) for delta in change.deltas),
        steps=tuple(_masked_step(step, shape, secrets) for step in change.steps),
    )


def hidden(change: Change) -> frozenset[str]:
    """Collect what file or server call credentials, and what would take their place."""
    known = set(_credentials(dict(change.plan.spec)))
    if change.live is not None:
        known |= set(_credentials(dict(change.live.raw)))
    for delta in change.deltas:
        sides = (delta.base, delta.desired, delta.live)
        if delta.sensitive or any(isinstance(side, str) and side in known for side in sides):
            known |= {side for side in sides if isinstance(side, str)}
    return frozenset(known - {""})


def masked_text(text: str, secrets: AbstractSet[str]) -> str:
    """Copy a sentence with every secret in it replaced: servers repeat what they were sent.

    A quotation may be cut within one. What is very short is left alone: it protects nobody.
    """
    forms = {form for secret in secrets for form in (secret, _quoted(secret))}
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        if len(form) >= _TELLING:
            *cuts, last = text.replace(form, MASK).split(_CUT)
            text = _CUT.join([*(_ended(part, form) for part in cuts), last])
    return text


def _quoted(secret: str) -> str:
    return json.dumps(secret, ensure_ascii=False)[1:-1]


def _ended(text: str, secret: str) -> str:
    """Mask the beginning of a secret at the end of a text."""
    lengths = range(len(secret) - 1, _TELLING - 1, -1)
    found = next((n for n in lengths if text.endswith(secret[:n])), 0)
    return f"{text[:-found]}{MASK}" if found else text


def keyed_digest(key: bytes, body: JSON) -> str:
    """Digest a body so that only a holder of ``key`` can test a guess at what it hides."""
    return hmac.new(key, canonical(body), "sha256").hexdigest()


def _credentials(value: JSON) -> Iterator[str]:
    if isinstance(value, Mapping):
        held = value.get("value")
        if value.get(CREDENTIAL) and isinstance(held, str) and held:
            yield held
        for sub in value.values():
            yield from _credentials(sub)
    elif isinstance(value, list):
        for item in value:
            yield from _credentials(item)


def _masked_tree(
    value: dict[str, JSON], shape: Shape, secrets: AbstractSet[str]
) -> dict[str, JSON]:
    return {name: masked(sub, shape.fields.get(name, FREE), secrets) for name, sub in value.items()}


def _hidden(value: Value, mask: str) -> Value:
    return value if value is ABSENT else mask


def _masked_step(step: Step, shape: Shape, secrets: AbstractSet[str]) -> Step:
    other = step.fallback
    return replace(
        step,
        request=_masked_request(step.request, shape, secrets),
        fallback=None if other is None else _masked_request(other, shape, secrets),
    )


def _masked_request(request: Request, shape: Shape, secrets: AbstractSet[str]) -> Request:
    return replace(request, body=masked(request.body, shape, secrets))
