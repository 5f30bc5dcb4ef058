"""One document of each kind, and ways to spoil it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.values import URL
from planops.core.ledger import (
    Intent,
    Lease,
    Origin,
    Record,
    intent_document,
    lease_document,
    record_document,
)
from planops.core.sighting import Sighting

RECORD = Record(
    key="summer",
    kind="FerryPlan",
    url=URL,
    id="12",
    name="Sömmer",
    spec={"name": "Sömmer", "stops": [1, 2]},
    echo={"name": "Sömmer"},
    goal="ready",
    protect=True,
    allowed=("cc",),
    origin=Origin(file="plans/summer.yaml"),
)
SHOWN = Sighting(
    version=3, update_time=1000, updated_by="Alice", status="planning", listed="a" * 64
)
INTENT = Intent(
    key="summer",
    kind="FerryPlan",
    op="update",
    name="Sömmer",
    id="12",
    ground="0123456789abcdef",
    steps=("aa", "bb"),
    return_to="ready",
    high_water=41,
    at=1_700_000_000,
    origin=Origin(commit="a" * 40, file="plans/summer.yaml"),
)
LEASED = Lease(
    holder="captain@harbour",
    run="harbour/1/abc",
    until=1_700_000_300,
    seconds=300,
    link="https://ci.example.com/1",
)

DOCUMENTS = {
    "record": record_document(RECORD),
    "intent": intent_document(INTENT),
    "lease": lease_document(LEASED),
}


def only(document: tuple[str, bytes]) -> dict[str, bytes]:
    """A ledger with one document."""
    path, data = document
    return {path: data}


def fields(kind: str) -> dict[str, Any]:
    """What a sound document of a kind holds."""
    found = json.loads(DOCUMENTS[kind][1])
    assert isinstance(found, dict)
    return found


def written(value: Any) -> bytes:
    """A document that somebody else wrote."""
    return json.dumps(value).encode()


def spoilt(kind: str, changes: Mapping[str, Any]) -> dict[str, bytes]:
    """A ledger with one document in which some fields are something else."""
    return {DOCUMENTS[kind][0]: written({**fields(kind), **changes})}
