"""What a Zadig server refuses, ignores or mixes up in the inputs of workflow jobs (§9).

The sections are those of ``docs/servers/zadig.md``. What an input of each type may hold is the
schema's to say; here is what a schema cannot: near misses, doubles, and values without effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from planops.core.model import Severity
from planops.core.shape import Shape, item_key
from planops.manifests import schemas
from planops.manifests.findings import Finding
from planops.manifests.untyped import Rule, mapping, mappings, text, workflow_jobs
from planops.manifests.wording import choice, code, did_you_mean
from planops.manifests.yaml import Path

JOB_TYPES: Final = frozenset(
    (
        "plugin", "freestyle", "zadig-build", "zadig-deploy", "zadig-vm-deploy", "custom-deploy",
        "zadig-test", "zadig-scanning", "k8s-blue-green-deploy", "k8s-canary-deploy",
        "k8s-blue-green-release", "k8s-canary-release", "approval", "ai-release-specialist",
        "ai-task", "k8s-gray-release", "k8s-gray-rollback", "k8s-resource-patch", "sql", "tapd",
    )
)  # fmt: skip
"""The types of workflow jobs that the server takes inputs for."""

REFUSED_JOB_TYPES: Final = frozenset(
    (
        "nacos", "apollo", "jenkins", "workflow-trigger", "notification", "zadig-restart",
        "zadig-helm-chart-deploy", "zadig-distribute-image", "jira", "grafana", "dms", "sae-deploy",
    )
)  # fmt: skip
"""The types whose mere mention makes the server refuse the whole update."""

SET_VARIABLES: Final = ("string", "text", "choice", "repo")
"""The types of workflow variables that the server sets."""
KEPT_VARIABLES: Final = ("multi-select", "file", "image", "script")
"""The types of workflow variables that the server leaves as they are, without a word."""

EITHER: Final = (("zadig-test", "testing_list"), ("zadig-scanning", "scanning_list"))
"""Inputs that a job reads instead of ``service_list``, as its own settings decide."""


def _warning(path: Path, message: str, hint: str, name: str = "no-effect") -> Finding:
    return Finding(path=path, code=name, message=message, hint=hint, severity=Severity.WARNING)


def _inputs(document: Mapping[str, Any]) -> Iterator[tuple[Path, str, Mapping[str, Any]]]:
    """Yield path, type and parameters of every input."""
    for path, spec in workflow_jobs(document):
        for index, item in mappings(spec.get("inputs")):
            kind = text(item.get("job_type"))
            yield (*path, "inputs", index), kind, mapping(item.get("parameters"))


def twice(path: Path, items: Iterable[tuple[int, str, str]]) -> Iterator[Finding]:
    """Find identities that come again; ``items`` are index, identity and how to call it."""
    seen: dict[str, int] = {}
    for index, identity, called in items:
        first = seen.setdefault(identity, index)
        if first != index:
            yield Finding(
                path=(*path, index),
                code="duplicate-item",
                message=f"{called} is there twice, first as item {first + 1}",
                hint="give each a name of its own",
            )


def unique_inputs(document: Mapping[str, Any]) -> Iterator[Finding]:
    """An input or a variable is given once: of two, Zadig would take the last."""
    for path, spec in workflow_jobs(document):
        for field, key, what in (
            ("inputs", "job_name", "the input of"),
            ("parameters", "name", "the variable"),
        ):
            named = [
                (index, name, f"{what} {code(name)}")
                for index, item in mappings(spec.get(field))
                if (name := text(item.get(key)))
            ]
            yield from twice((*path, field), named)


def input_types(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Some types of workflow jobs cannot be given inputs."""
    for path, kind, parameters in _inputs(document):
        at = (*path, "job_type")
        if kind in REFUSED_JOB_TYPES:
            message = f"Zadig refuses the whole update when a {code(kind)} job is given inputs"
            hint = "leave it out: it is skipped"
            yield Finding(path=at, code="job-type", message=message, hint=hint)
        elif kind and kind not in JOB_TYPES:
            message = f"no type of workflow job is known as {code(kind)}"
            hint = did_you_mean(kind, sorted(JOB_TYPES)) or "leave it out: the job is skipped"
            yield Finding(path=at, code="job-type", message=message, hint=hint)
        elif kind == "k8s-blue-green-deploy" and parameters:
            message = f"inputs of a {code(kind)} job erase its settings on today's Zadig"
            yield _warning(at, message, "leave `parameters` out", "job-type")


@cache
def _shape() -> Shape:
    """The shape of an input's parameters, those of all types in one."""
    found: Shape = schemas.shape("ZadigReleasePlan")
    for step in ("jobs", "", "spec", "inputs", "", "parameters"):
        found = found.fields[step] if step else found.item or found
    return found


def unique_items(document: Mapping[str, Any]) -> Iterator[Finding]:
    """What has an identity is listed once: of two, Zadig takes the last, merges or refuses."""
    for path, _, parameters in _inputs(document):
        yield from _doubles((*path, "parameters"), parameters, _shape())


def _doubles(path: Path, value: Any, shape: Shape) -> Iterator[Finding]:  # noqa: ANN401 -- any JSON
    for name, field in shape.fields.items():
        item = field.item
        if not field.key or item is None:
            continue
        seen: dict[str, int] = {}
        for index, row in mappings(mapping(value).get(name)):
            identity = item_key(field, dict(row))
            first = seen.setdefault(identity, index)
            if identity and first != index:
                message = f"{code(identity)} is in {code(name)} twice, first as item {first + 1}"
                at = (*path, name, index)
                yield Finding(
                    path=at, code="duplicate-item", message=message, hint="keep one of them"
                )
            yield from _doubles((*path, name, index), row, item)


def either_list(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A job tests modules or services, not both."""
    for path, kind, parameters in _inputs(document):
        for of, field in EITHER:
            if kind == of and parameters.get(field) and parameters.get("service_list"):
                message = f"a job reads {code(field)} or `service_list`, as its settings decide"
                yield _warning((*path, "parameters", field), message, "keep the one that it reads")
        alone = [name for name in ("kv", "repo_info") if parameters.get(name)]
        if kind == "freestyle" and alone and parameters.get("services"):
            message = f"a job reads `services` or {choice(alone)}, as its settings decide"
            yield _warning((*path, "parameters", "services"), message, "keep what it reads")


def commits(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A commit is checked out by `enable_commit` and `commit_id` together."""
    for path, repo in _rows_of(document, "repo_info"):
        if repo.get("enable_commit") is True and not repo.get("commit_id"):
            message = "`enable_commit` is true, but there is no `commit_id` to check out"
            yield _warning((*path, "enable_commit"), message, "add it, or remove `enable_commit`")
        elif repo.get("commit_id") and repo.get("enable_commit") is not True:
            message = "`commit_id` is not used without `enable_commit`"
            yield _warning((*path, "commit_id"), message, "add `enable_commit: true`, or remove it")


def remotes(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Only a freestyle job takes the remote of a repository (docs/servers/zadig.md §9.13)."""
    for path, kind, parameters in _inputs(document):
        rows = _rows((*path, "parameters"), parameters, "repo_info")
        for place, repo in rows if kind != "freestyle" else ():
            if repo.get("remote_name"):
                message = f"`remote_name` has no effect on a {code(kind)} job"
                yield _warning((*place, "remote_name"), message, "remove it")


def merge_strategies(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A service has one merge strategy, which all of its modules have to give (§9.6)."""
    for path, kind, parameters in _inputs(document):
        seen: dict[str, object] = {}
        rows = mappings(parameters.get("service_list")) if kind == "zadig-deploy" else ()
        for index, row in rows:
            service, given = text(row.get("service_name")), row.get("value_merge_strategy") or ""
            if seen.setdefault(service, given) != given:
                yield Finding(
                    path=(*path, "parameters", "service_list", index, "service_module"),
                    code="merge-strategy",
                    message=f"the modules of {code(service)} give different values of"
                    " `value_merge_strategy`, of which Zadig keeps the last",
                    hint="give all modules of a service the same one",
                )


def credentials(document: Mapping[str, Any]) -> Iterator[Finding]:
    """A secret does not belong in a file under git."""
    for field in ("kv", "inputs"):
        for path, pair in _rows_of(document, field):
            if pair.get("is_credential") is True and pair.get("value"):
                name = code(text(pair.get("key")))
                message = f"the secret {name} stands in clear in a file under git"
                hint = "remove the item: the workflow's own value is used"
                yield _warning((*path, "value"), message, hint, "literal-secret")


def _rows_of(document: Mapping[str, Any], field: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the items of every list of this name in the inputs' parameters."""
    for path, _, parameters in _inputs(document):
        yield from _rows((*path, "parameters"), parameters, field)


def _rows(
    path: Path, value: Mapping[str, Any], field: str
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for index, row in mappings(value.get(field)):
        yield (*path, field, index), row
    for name, sub in value.items():
        for index, row in mappings(sub) if name != field else ():
            yield from _rows((*path, name, index), row, field)


def variables(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Zadig sets workflow variables of some types and says nothing about the others."""
    for path, spec in workflow_jobs(document):
        for index, variable in mappings(spec.get("parameters")):
            kind = text(variable.get("type"))
            at = (*path, "parameters", index, "type")
            if kind in KEPT_VARIABLES:
                message = f"Zadig leaves variables of type {code(kind)} as the workflow has them"
                yield _warning(at, message, "remove the item")
            elif kind and kind not in SET_VARIABLES:
                message = f"no type of workflow variable is known as {code(kind)}"
                hint = did_you_mean(kind, SET_VARIABLES) or f"write {choice(SET_VARIABLES)}"
                yield _warning(at, message, hint)


RULES: Final[tuple[Rule, ...]] = (
    unique_inputs,
    input_types,
    unique_items,
    either_list,
    commits,
    remotes,
    merge_strategies,
    credentials,
    variables,
)
