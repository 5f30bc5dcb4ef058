"""Why a schema refuses a document, in words for its author.

jsonschema says where and by which keyword; the words are made here, from the schema and from how
the author spelled the value. A sensitive value is never quoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from planops.core.model import JSON
from planops.manifests import schemas
from planops.manifests.findings import Finding
from planops.manifests.wording import choice, code, did_you_mean, quoted, subject
from planops.manifests.yaml import Path, Spot

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Spots = Mapping[Path, Spot]

_WANTED: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_FOUND: Final = {
    str: "text",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
    type(None): "null",
}
_MOST_KEYS: Final = 15
MOST_FINDINGS: Final = 100
"""Nobody reads more about one document; working them all out would let a file stall a run."""

_NOT_IN_GIT: Final = "a secret itself does not belong in a file under git"


def explain(name: str, value: JSON, spots: Spots) -> list[Finding]:
    """Say everything that the schema ``name`` has against a document."""
    errors = list(islice(schemas.explainer(name).iter_errors(value), MOST_FINDINGS))
    wrong_type = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
    empty = {tuple(error.absolute_path) for error in errors if error.validator == "minLength"}
    found: list[Finding] = []
    for error in errors:
        if error.validator != "type" and tuple(error.absolute_path) in wrong_type:
            continue
        if error.validator == "pattern" and tuple(error.absolute_path) in empty:
            continue
        found += islice(_WORDS.get(str(error.validator), _other)(error, spots), MOST_FINDINGS)
    return _without_echoes(found)[:MOST_FINDINGS]


def rest(name: str, value: JSON) -> Iterator[Finding]:
    """Say what only the deciding validator has against a document: no refusal is silent."""
    for path, keyword in schemas.unexplained(name, value):
        yield Finding(
            path=path,
            code="schema",
            message=f"{subject(path)} does not fit the schema's {code(keyword)}",
        )


def _without_echoes(findings: Iterable[Finding]) -> list[Finding]:
    """Drop doubles, and a missing key where the same mapping holds its misspelling."""
    listed = list(dict.fromkeys(findings))
    guessed = {
        (finding.path[:-1], finding.hint) for finding in listed if finding.code == "unknown-key"
    }
    return [
        finding
        for finding in listed
        if finding.code != "missing-key"
        or (finding.path[:-1], f"did you mean {code(str(finding.path[-1]))}?") not in guessed
    ]


def _path(error: ValidationError) -> Path:
    return tuple(error.absolute_path)


def _schema(error: ValidationError) -> Mapping[str, Any]:
    found: Any = error.schema
    return found if isinstance(found, Mapping) else {}


def _of_key(error: ValidationError) -> bool:
    return "propertyNames" in error.absolute_schema_path


def _unknown(error: ValidationError, _spots: Spots) -> Iterator[Finding]:
    found = _schema(error)
    known = list(found.get("properties", {}))
    runtime = set(found.get("x-planops-runtime", ()))
    instance: Any = error.instance
    for key in instance:
        if key in known:
            continue
        path = (*_path(error), key)
        if key in runtime:
            message = f"{code(key)} is server-owned"
            yield Finding(
                path=path, code="server-owned", message=message, hint="remove", on_key=True
            )
            continue
        missing = [name for name in known if name not in instance]
        hint = did_you_mean(key, missing) or did_you_mean(key, known) or _allowed(known)
        yield Finding(
            path=path,
            code="unknown-key",
            message=f"unknown key {code(key)}",
            hint=hint,
            on_key=True,
        )


def _allowed(known: list[str]) -> str:
    return f"allowed here: {choice(known)}" if 0 < len(known) <= _MOST_KEYS else ""


def _missing(error: ValidationError, _spots: Spots) -> Iterator[Finding]:
    instance: Any = error.instance
    wanted: Any = error.validator_value
    for key in wanted:
        if key not in instance:
            where = f" in {subject(_path(error))}" if error.absolute_path else ""
            yield Finding(
                path=(*_path(error), key),
                code="missing-key",
                message=f"{code(key)} is missing{where}",
                hint="add it",
            )


def _type(error: ValidationError, spots: Spots) -> Iterator[Finding]:
    wanted: Any = error.validator_value
    kinds = [wanted] if isinstance(wanted, str) else list(wanted)
    named = " or ".join(_WANTED[kind] for kind in kinds if kind != "null" or len(kinds) == 1)
    path = _path(error)
    instance: Any = error.instance
    sensitive = bool(_schema(error).get("x-planops-sensitive"))
    yield Finding(
        path=path,
        code="wrong-type",
        message=f"{subject(path)} is {_FOUND.get(type(instance), 'something')},"
        f" where {named} is wanted",
        hint=_NOT_IN_GIT if sensitive else _type_hint(error, kinds, spots.get(path)),
    )


def _type_hint(error: ValidationError, kinds: list[str], spot: Spot | None) -> str:
    instance: Any = error.instance
    found = _schema(error)
    if isinstance(instance, bool | int | float) and "string" in kinds and spot is not None:
        fits = re.search(found.get("pattern", ""), spot.text)
        return f"write {quoted(spot.text)}" if fits else f"write {found['x-planops-wants']}"
    if isinstance(instance, str):
        return _text_hint(instance, kinds)
    if instance is None and "string" in kinds:
        return (
            "fill it"
            if "minLength" in found
            else 'write "" for an empty text, or leave the key out'
        )
    if instance is None and ({"array", "object"} & set(kinds)):
        return "fill it, or leave the key out"
    if "array" in kinds and isinstance(instance, dict):
        return "begin each item with `- `"
    return ""


def _text_hint(instance: str, kinds: list[str]) -> str:
    if "boolean" in kinds:
        word = instance.casefold()
        return f"write {code(word)}" if word in ("true", "false") else "write `true` or `false`"
    if "integer" in kinds and instance.isascii() and instance.isdecimal():
        return f"write {code(instance)} without quotes"
    return ""


def _enum(error: ValidationError, spots: Spots) -> Iterator[Finding]:
    allowed: list[str] = [str(word) for word in _sequence(error.validator_value)]
    path = _path(error)
    given = error.instance if isinstance(error.instance, str) else ""
    spelled = given or (spots[path].text if path in spots else "")
    hint = did_you_mean(given, allowed) if given else ""
    hint = hint or f"write {choice(allowed)}"
    if _is_job_type(path):
        message = f"Zadig would silently drop a job of type {code(spelled)}"
        yield Finding(path=path, code="unknown-job-type", message=message, hint=hint)
        return
    message = f"{subject(path)} is {code(spelled)}, which is not known here"
    yield Finding(path=path, code="unknown-value", message=message, hint=hint)


def _sequence(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _is_job_type(path: Path) -> bool:
    return path[:2] == ("spec", "jobs") and path[3:] == ("type",)


def _pattern(error: ValidationError, _spots: Spots) -> Iterator[Finding]:
    found = _schema(error)
    path = _path(error)
    wants = found.get("x-planops-wants", "of another form")
    if found.get("x-planops-sensitive"):
        message = f"{subject(path)} must be {wants}"
        yield Finding(path=path, code="literal-secret", message=message, hint=_NOT_IN_GIT)
        return
    word = str(error.instance)
    if _of_key(error):
        message = f"the key {code(word)} must be {wants}"
        yield Finding(path=(*path, word), code="wrong-form", message=message, on_key=True)
        return
    message = f"{subject(path)} is {code(word)}, which must be {wants}"
    yield Finding(path=path, code="wrong-form", message=message, hint=_lowered(word, error))


def _lowered(word: str, error: ValidationError) -> str:
    """Offer the lower-case, hyphenated spelling where that is all that is wrong."""
    better = word.strip().casefold().replace("_", "-").replace(" ", "-")
    if better != word and error.validator_value == _name_pattern() and better.isascii():
        return f"write {code(better)}"
    return ""


def _name_pattern() -> str:
    return str(
        schemas.schema(schemas.PLAN)["properties"]["metadata"]["properties"]["name"]["pattern"]
    )


def _bound(error: ValidationError, _spots: Spots) -> Iterator[Finding]:
    path = _path(error)
    limit: Any = error.validator_value
    number: Any = error.instance
    if _schema(error).get("x-planops-format") == "epoch":
        if error.validator == "minimum":
            message = f"{subject(path)} is {number}, which lies before 1970"
            yield Finding(path=path, code="time", message=message, hint="0 stands for no time")
        return  # too large a time is the time rule's to explain
    least = {"minimum": "at least", "exclusiveMinimum": "more than"}.get(
        str(error.validator), "at most"
    )
    message = f"{subject(path)} is {number}; it must be {least} {limit}"
    yield Finding(path=path, code="out-of-range", message=message)


def _empty(error: ValidationError, _spots: Spots) -> Iterator[Finding]:
    path = _path(error)
    yield Finding(path=path, code="empty", message=f"{subject(path)} is empty", hint="fill it")


def _twice(error: ValidationError, _spots: Spots) -> Iterator[Finding]:
    path = _path(error)
    message = f"{subject(path)} holds the same item twice"
    yield Finding(path=path, code="duplicate-item", message=message, hint="remove one of them")


def _other(error: ValidationError, _spots: Spots) -> Iterator[Finding]:
    path = _path(error)
    message = f"{subject(path)} does not fit the schema's {code(str(error.validator))}"
    yield Finding(path=path, code="schema", message=message)


_WORDS: Final[Mapping[str, Callable[[ValidationError, Spots], Iterator[Finding]]]] = {
    "additionalProperties": _unknown,
    "required": _missing,
    "type": _type,
    "enum": _enum,
    "pattern": _pattern,
    "minimum": _bound,
    "maximum": _bound,
    "exclusiveMinimum": _bound,
    "minLength": _empty,
    "minItems": _empty,
    "minProperties": _empty,
    "uniqueItems": _twice,
}
