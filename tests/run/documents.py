"""Generated documents, made plans of."""

from __future__ import annotations

import copy
from typing import Any

from planops.core.model import Manage, Plan, PlanKey, Severity, Source
from planops.manifests.validate import check


def loaded(document: dict[str, Any]) -> Plan:
    """A plan of a document, which must be one that the files' checks let pass."""
    wrong = [one for one in check(copy.deepcopy(document), dict) if one.severity is Severity.ERROR]
    assert not wrong, wrong
    return Plan(
        key=PlanKey(target="prod", name=document["metadata"]["name"]),
        kind=document["kind"],
        spec=document["spec"],
        state=document.get("state"),
        manage=Manage(ignore=tuple(document["manage"]["ignore"])),
        source=Source(file="plans/x.yaml"),
    )
