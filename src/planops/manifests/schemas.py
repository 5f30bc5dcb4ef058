"""The JSON Schemas: where they are, what a reference in them names, and whether a document fits.

They lie inside the installed package, or at the root of a checkout. jsonschema-rs decides;
jsonschema explains a refusal, and decides too where jsonschema-rs cannot be imported. Nothing is
ever looked up on a network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from planops.core.model import JSON
from planops.core.shape import Shape, compile_shape
from planops.errors import PlanopsError

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

PLAN: Final = "plan"
CONFIG: Final = "config"
KINDS: Final[Mapping[str, str]] = {
    "ZadigReleasePlan": "zadig-release-plan",
    "BrpmPlan": "brpm-plan",
}
"""The schema of each kind's spec."""
KIND_OF: Final[Mapping[str, str]] = {"zadig": "ZadigReleasePlan", "brpm": "BrpmPlan"}
"""The kind of plan that each backend takes."""

_SUFFIX: Final = ".schema.json"


@cache
def folder() -> Path:
    """Find the folder of the schemas, in the package or in the checkout.

    Raises:
        PlanopsError: the installation is incomplete.
    """
    here = Path(__file__).resolve()
    candidates = [here.parents[1] / "schemas", here.parents[3] / "schemas"]
    for candidate in candidates:
        if (candidate / f"{PLAN}{_SUFFIX}").is_file():
            return candidate
    raise PlanopsError(f"{candidates[0]}: no schemas: the installation is incomplete; reinstall")


@cache
def names() -> tuple[str, ...]:
    """Name all schemas, without the suffix."""
    return tuple(sorted(path.name.removesuffix(_SUFFIX) for path in folder().glob(f"*{_SUFFIX}")))


@cache
def schema(name: str) -> dict[str, Any]:
    """Read one schema; the caller must not change it.

    Raises:
        PlanopsError: there is no schema of that name.
    """
    if name not in names():
        raise PlanopsError(f"{name}: no such schema; there are {', '.join(names())}")
    loaded: dict[str, Any] = json.loads((folder() / f"{name}{_SUFFIX}").read_bytes())
    return loaded


def resolve(ref: str, base: str = PLAN) -> Mapping[str, Any]:
    """Find the schema that a ``$ref`` in the schema ``base`` names."""
    file, _, pointer = ref.partition("#")
    found: Any = schema(file.removesuffix(_SUFFIX) if file else base)
    for token in pointer.split("/")[1:]:
        found = found[token.replace("~1", "/").replace("~0", "~")]
    mapping: Mapping[str, Any] = found
    return mapping


@cache
def shape(kind: str) -> Shape:
    """Compile the shape of the ``spec`` of one kind."""
    name = KINDS[kind]
    return compile_shape(schema(name), partial(resolve, base=name))


@cache
def states(kind: str) -> tuple[str, ...]:
    """Name the states that a file of this kind may have as its goal."""
    return tuple(schema(KINDS[kind])["$defs"]["state"]["enum"])


def accepts(name: str, value: JSON) -> bool:
    """Say whether a document fits a schema."""
    return _decider(name)(value)


def _family() -> list[tuple[str, dict[str, Any]]]:
    """Pair the schemas that refer to each other with their file names, which is how they refer."""
    return [(f"{name}{_SUFFIX}", schema(name)) for name in (PLAN, CONFIG, *KINDS.values())]


@cache
def _fast(name: str) -> Any:  # noqa: ANN401 -- jsonschema-rs may not be there, so its types are not named
    """Build jsonschema-rs's validator, or nothing where it cannot be imported."""
    try:
        import jsonschema_rs  # noqa: PLC0415 -- 30 ms that only validation needs
    except ImportError:
        return None
    registry = jsonschema_rs.Registry(_family())
    return jsonschema_rs.Draft202012Validator(
        schema(name), registry=registry, validate_formats=True, offline=True
    )


@cache
def _decider(name: str) -> Callable[[JSON], bool]:
    fast = _fast(name)
    decide: Callable[[JSON], bool] = (fast or explainer(name)).is_valid
    return decide


@cache
def explainer(name: str) -> Validator:
    """Build the validator that explains refusals."""
    import jsonschema  # noqa: PLC0415 -- 90 ms, wanted only after a refusal
    import referencing  # noqa: PLC0415 -- the same

    extend: Any = jsonschema.validators.extend
    strict = extend(jsonschema.Draft202012Validator, {"pattern": _strict_pattern})
    resources = [(uri, referencing.Resource.from_contents(found)) for uri, found in _family()]
    registry: Any = referencing.Registry().with_resources(resources)
    built: Validator = strict(schema(name), registry=registry)
    return built


def _strict_pattern(
    _validator: object, pattern: str, instance: object, _schema: object
) -> Iterator[Exception]:
    """Check a pattern as ECMA does: there ``$`` never matches before a final line break."""
    import jsonschema  # noqa: PLC0415 -- is loaded by now

    ending = pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern
    if isinstance(instance, str) and not re.search(ending, instance):
        yield jsonschema.ValidationError(f"does not match {pattern}")


def unexplained(name: str, value: JSON) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield where and by which keyword jsonschema-rs refuses, for when nothing else explains it."""
    fast = _fast(name)
    for error in fast.iter_errors(value) if fast is not None else ():
        yield tuple(error.instance_path), str(list(error.schema_path)[-1])
