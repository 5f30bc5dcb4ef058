"""From files to plans: every plan that may be used, and every problem of every file at once.

Decides what a run is about. A file with a problem gives no plan, and its problem names the target
that must not be called, or none, which means every target. Never raises for what a file holds.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from planops.core.model import Allowance, Manage, Plan, PlanKey, Problem, Severity, Source
from planops.manifests import fields, files, findings, schemas, selection
from planops.manifests.across import twice
from planops.manifests.findings import Finding
from planops.manifests.settings import (
    Config,
    Limits,
    Target,
    Timeouts,
    check_config,
    find_config,
    load_config,
    secret,
)
from planops.manifests.trees import Tree, WorkTree
from planops.manifests.validate import check
from planops.manifests.wording import choice, code, did_you_mean
from planops.manifests.yaml import Document, Spot, parse, spots

__all__ = [
    "Config",
    "Limits",
    "Loaded",
    "Target",
    "Timeouts",
    "check_config",
    "find_config",
    "load_config",
    "load_plans",
    "load_text",
    "secret",
]


Places = Callable[[], Mapping[int, Mapping[tuple[str | int, ...], Spot]]]
"""The place of everything in a file, by document: read once, and only where something is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What the files say.

    ``selected`` is true where paths or labels narrowed the set; of a target there are all files.
    """

    plans: tuple[Plan, ...]
    problems: tuple[Problem, ...]
    files: int
    paths: tuple[str, ...] = ()
    selected: bool = False
    every: tuple[Plan, ...] = ()
    """All plans that were read, whatever was selected."""


def load_plans(
    root: Path,
    config: Config,
    *,
    paths: Sequence[str] = (),
    targets: Sequence[str] = (),
    labels: Sequence[str] = (),
    tree: Tree | None = None,
) -> Loaded:
    """Read every plan that the settings' globs name, narrowed by paths, targets and labels.

    ``tree`` is where the files are read from, the work tree below ``root`` where none is given.

    Raises:
        UsageWrong: a path, target or label selector that makes no sense.
    """
    selection.check_targets(targets, config.targets)
    terms = selection.terms(labels)
    tree = tree or WorkTree(root=root)
    found = tree.find(config.plans)
    chosen = selection.narrow(found.files, root, paths)
    plans: list[Plan] = []
    wrong: list[Problem] = list(found.problems)
    with _without_collecting():
        for file in chosen:
            _read(tree, file, config, plans, wrong)
    wrong += twice(tree, plans)
    plans = list({plan.key: plan for plan in reversed(plans)}.values())
    if not found.files:
        wrong.append(_nothing(config))
    wanted = [
        plan
        for plan in plans
        if (not targets or plan.key.target in targets)
        and all(term.holds(plan.labels) for term in terms)
    ]
    told = [each for each in wrong if not targets or each.target in (None, *targets)]
    return Loaded(
        plans=tuple(sorted(wanted, key=lambda plan: plan.key)),
        problems=tuple(sorted(told, key=findings.place)),
        files=len(chosen),
        paths=tuple(chosen),
        selected=bool(paths or labels),
        every=tuple(plans),
    )


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Keep the garbage collector from walking ever more documents, none of which is garbage."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _nothing(config: Config) -> Problem:
    message = f"no file matches `plans`: {', '.join(code(glob) for glob in config.plans)}"
    hint = "check the globs, or add a plan"
    return files.file_problem(config.path.name, "no-files", message, hint, Severity.WARNING)


def _read(tree: Tree, file: str, config: Config, plans: list[Plan], wrong: list[Problem]) -> None:
    """Read one file into plans or problems."""
    data = tree.read(file)
    if isinstance(data, Problem):
        wrong.append(data)
    else:
        _take(data, file, config, plans, wrong)


def load_text(text: bytes, file: str, config: Config) -> Loaded:
    """Read what a file is going to hold, or held once, as if it were there."""
    plans: list[Plan] = []
    wrong: list[Problem] = []
    _take(text, file, config, plans, wrong)
    told = tuple(sorted(wrong, key=findings.place))
    return Loaded(plans=tuple(plans), problems=told, files=1, selected=True)


def _take(data: bytes, file: str, config: Config, plans: list[Plan], wrong: list[Problem]) -> None:
    """Read a file's bytes into plans or problems."""
    parsed = parse(data, file)
    wrong += parsed.problems
    if not parsed.documents and not parsed.problems:
        hint = "remove it, or declare a plan in it"
        message = "the file holds no plan"
        wrong.append(files.file_problem(file, "empty-file", message, hint, Severity.WARNING))
    broken = {problem.mark for problem in parsed.problems}
    places = cache(lambda: spots(data))
    for document in parsed.documents:
        target, found = _check(document, places, config)
        if found:
            told = findings.problems(found, places().get(document.index, {}), file, target)
            wrong += [problem for problem in told if problem.mark not in broken]
        fit = not any(finding.severity is Severity.ERROR for finding in found)
        if fit and not parsed.problems and target is not None:
            plans.append(_plan(document, file, target))


def _check(document: Document, places: Places, config: Config) -> tuple[str | None, list[Finding]]:
    """Check one document: the target that it is for, and what is wrong."""
    found = check(document.value, lambda: places().get(document.index, {}))
    value: Any = document.value
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(metadata, dict):
        return _only(config), found
    given = metadata.get("target")
    if given is None and "target" not in metadata:
        target = _only(config)
        if target is None:
            return None, [*found, _targetless(config)]
        return target, [*found, *_other_kind(value, config.targets[target])]
    if not isinstance(given, str) or given not in config.targets:
        if isinstance(given, str):
            found = [each for each in found if each.path != ("metadata", "target")]
            found.append(_unknown_target(given, config))
        return None, found
    return given, [*found, *_other_kind(value, config.targets[given])]


def _other_kind(value: Mapping[str, Any], target: Target) -> Iterator[Finding]:
    """Find a plan of one kind of server that is meant for another."""
    wanted = schemas.KIND_OF[target.backend]
    kind = value.get("kind")
    if kind in schemas.KINDS and kind != wanted:
        yield Finding(
            path=("kind",),
            code="other-kind",
            message=f"a {code(str(kind))} is not for the target {code(target.name)}, which is a"
            f" {target.backend} server",
            hint=f"write {code(wanted)}, or name another target",
        )


def _only(config: Config) -> str | None:
    return next(iter(config.targets)) if len(config.targets) == 1 else None


def _targetless(config: Config) -> Finding:
    return Finding(
        path=("metadata", "target"),
        code="no-target",
        message=f"`target` is missing, and the settings have {len(config.targets)} targets",
        hint=f"write {choice(sorted(config.targets))}",
    )


def _unknown_target(given: str, config: Config) -> Finding:
    names = sorted(config.targets)
    hint = did_you_mean(given, names) or f"write {choice(names)}"
    if given in config.coming:
        hint = (
            "this pull request adds it, and it is used once that is merged; merge the settings by"
            " themselves first to see what this plan does"
        )
    return Finding(
        path=("metadata", "target"),
        code="unknown-target",
        message=f"the settings have no target {code(given)}",
        hint=hint,
    )


def _plan(document: Document, file: str, target: str) -> Plan:
    value: Any = document.value
    fields.normalise(value["spec"], value["kind"])
    manage: Mapping[str, Any] = value.get("manage", {})
    return Plan(
        key=PlanKey(target=target, name=value["metadata"]["name"]),
        kind=value["kind"],
        spec=value["spec"],
        state=value.get("state"),
        labels=value["metadata"].get("labels", {}),
        manage=Manage(
            protect=manage.get("protect", False),
            ignore=tuple(manage.get("ignore", ())),
            allow=tuple(Allowance(**one) for one in manage.get("allow", ())),
        ),
        source=Source(file=file, document=document.index, line=document.line),
    )
