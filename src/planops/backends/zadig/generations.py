"""Generations of Zadig: how one is recognised, and what an older one overlooks.

A server never says its version. Its documents show it: each release added keys that are always
there from then on (docs/servers/zadig.md §12).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping

from planops.backends.trees import rows, text, tree
from planops.core.lifecycle import Refusal
from planops.core.model import JSON


class Generation(enum.StrEnum):
    """A release from which on the interface differs; the order is that of time."""

    V4_1 = "4.1"
    V4_2 = "4.2"
    V4_3 = "4.3"
    V5_0 = "5.0"


SERVICE_LISTS = {
    "freestyle": "services",
    "zadig-test": "service_list",
    "zadig-scanning": "service_list",
}
"""The inputs by service, by type of job; they came with 4.2 (§9.13, §9.14)."""


def recognised(raw: Mapping[str, JSON]) -> Generation | None:
    """Tell the generation from a plan's document; ``None`` where it could be 4.1 or 4.2."""
    if "version" in raw:
        return Generation.V5_0
    if "callback_description" in raw:
        return Generation.V4_3
    jobs = rows(raw.get("jobs"))
    if any("manager" in job for job in jobs):
        return Generation.V4_2
    return Generation.V4_1 if jobs else None


def overlooked(spec: Mapping[str, JSON], generation: Generation | None) -> Iterator[Refusal]:
    """Refuse what this generation would take and forget, so that it never looks as if written."""
    if generation is not Generation.V4_1:
        return
    what = [*_overlooked_by_4_1(spec)]
    if what:
        message = (
            f"Zadig {generation} overlooks {'; '.join(what)}: they came with 4.2;"
            " leave them out, or upgrade the server"
        )
        yield Refusal(guard="generation", message=message)


def _overlooked_by_4_1(spec: Mapping[str, JSON]) -> Iterator[str]:
    if spec.get("manager_identity_type") == "*":
        yield "manager_identity_type: *"
    for job in rows(spec.get("jobs")):
        workflow, name = tree(job.get("spec")), text(job, "name")
        if workflow.get("parameters"):
            yield f"the workflow variables of job {name}"
        for item in rows(workflow.get("inputs")):
            field = SERVICE_LISTS.get(text(item, "job_type"))
            if field and tree(item.get("parameters")).get(field):
                yield f"{field} of input {text(item, 'job_name')} of job {name}"
