"""One document against everything that can be said of it alone: schema, rules, its own paths.

Decides whether a document is a plan; what several documents say together is decided where they are
loaded. Answers with problems, never with an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from planops.core.model import JSON, Severity, unescape
from planops.core.shape import Kind, Shape
from planops.manifests import fields, rules_brpm, rules_zadig, schemas
from planops.manifests.explain import MOST_FINDINGS, explain, rest
from planops.manifests.findings import Finding
from planops.manifests.untyped import Rule, mapping, mappings, no_day, text
from planops.manifests.wording import code, did_you_mean
from planops.manifests.yaml import Path, Spot

RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "ZadigReleasePlan": rules_zadig.RULES,
    "BrpmPlan": rules_brpm.RULES,
}

Spots = Callable[[], Mapping[Path, Spot]]
"""Finds the place of everything in the document; asked only when something is wrong."""


def check(document: JSON, spots: Spots) -> list[Finding]:
    """Find everything that is wrong with a plan's document."""
    fits = schemas.accepts(schemas.PLAN, document)
    found = [] if fits else explain(schemas.PLAN, document, spots())
    ruled = list(islice(_rules(document), MOST_FINDINGS))
    if not fits and not found and not any(each.severity is Severity.ERROR for each in ruled):
        ruled += list(rest(schemas.PLAN, document))
    known = {finding.path for finding in found}
    return found + [finding for finding in ruled if finding.path not in known]


def _rules(document: JSON) -> Iterator[Finding]:
    if not isinstance(document, dict):
        return
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in RULES:
        return
    yield from fields.check(document.get("spec"), kind)
    for rule in RULES[kind]:
        yield from rule(document)
    yield from _ignored(document, kind)
    yield from _allowed(document)


def _allowed(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Check that the last day of every allowance is a day."""
    for index, one in mappings(mapping(document.get("manage")).get("allow")):
        if no_day(day := text(one.get("until"))):
            yield Finding(
                path=("manage", "allow", index, "until"),
                code="time",
                message=f"`until`: {code(day)} is in no calendar",
                hint="correct the day",
            )


def _ignored(document: Mapping[str, Any], kind: str) -> Iterator[Finding]:
    """Check that every path of ``manage.ignore`` can exist."""
    manage = document.get("manage")
    paths = manage.get("ignore") if isinstance(manage, dict) else None
    for index, path in enumerate(paths) if isinstance(paths, list) else ():
        if isinstance(path, str) and path.startswith("/spec/"):
            wrong = _wrong_path(path, kind)
            if wrong is not None:
                yield Finding(
                    path=("manage", "ignore", index),
                    code="unknown-path",
                    message=f"no field of a plan has the path {code(path)}",
                    hint=wrong,
                )


@lru_cache(maxsize=1024)
def _wrong_path(path: str, kind: str) -> str | None:
    """Say what to write instead of a path, or ``None`` where it can exist."""
    shape: Shape | None = schemas.shape(kind)
    done = "/spec"
    for token in path.split("/")[2:]:
        if shape is None or shape.kind is Kind.FREE:
            return f"{code(done)} is of no declared form and can only be ignored as a whole"
        if shape.kind is Kind.OBJECT:
            if token not in shape.fields:
                near = did_you_mean(token, shape.fields)
                return near.replace("`", f"`{done}/", 1) if near else _instead(done, shape)
            shape = shape.fields[token]
        elif shape.key and unescape(token):
            shape = shape.item
        else:
            return f"{code(done)} has nothing below it"
        done = f"{done}/{token}"
    return None


def _instead(done: str, shape: Shape) -> str:
    return f"below {code(done)} there are {', '.join(sorted(shape.fields))}"
