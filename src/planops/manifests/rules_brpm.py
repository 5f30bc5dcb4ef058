"""What a BRPM server refuses, forgets or repeats although the schema allows it.

A table of small functions from a document to findings, none of which needs a server. The sections
are those of ``docs/servers/brpm.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from planops.manifests.findings import Finding
from planops.manifests.untyped import Rule, mapping, no_day, text
from planops.manifests.wording import code

ALTERNATIVES: Final = (
    ("plan_template_name", "plan_template_id"),
    ("release_name", "release_id"),
    ("release_manager", "release_manager_id"),
    ("teams", "team_ids"),
)
"""Two ways of naming one thing: by name, by id."""


def one_way(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A thing is named by its name or by its id, never by both (§4.2 to §4.6, §8.7)."""
    spec = mapping(document.get("spec"))
    for by_name, by_id in ALTERNATIVES:
        if by_name in spec and by_id in spec:
            yield Finding(
                path=("spec", by_id),
                code="two-ways",
                message=f"{code(by_id)} and {code(by_name)} name the same thing",
                hint=f"keep {code(by_name)} or {code(by_id)}",
                on_key=True,
            )


def templated(document: Mapping[str, Any]) -> Iterator[Finding]:
    """No plan is made without a template (§4.1)."""
    spec = document.get("spec")
    if isinstance(spec, dict) and not {"plan_template_name", "plan_template_id"} & spec.keys():
        yield Finding(
            path=("spec", "plan_template_name"),
            code="missing-key",
            message="`plan_template_name` is missing in `spec`: every plan is made from a template",
            hint="add it, or `plan_template_id`",
        )


def repeated_release(document: Mapping[str, Any]) -> Iterator[Finding]:
    """``release_attributes`` is not idempotent (§4.4)."""
    if "release_attributes" in mapping(document.get("spec")):
        yield Finding(
            path=("spec", "release_attributes"),
            code="not-idempotent",
            message="`release_attributes` would make another release at every write",
            hint="make the release once, and write `release_name`",
            on_key=True,
        )


def real_day(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A day that is in no calendar becomes null in silence (§4.5)."""
    day = text(mapping(document.get("spec")).get("release_date"))
    if no_day(day):
        yield Finding(
            path=("spec", "release_date"),
            code="time",
            message=f"`release_date`: {code(day)} is in no calendar",
            hint="correct the day",
        )


RULES: Final[tuple[Rule, ...]] = (one_way, templated, repeated_release, real_day)
