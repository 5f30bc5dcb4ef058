"""Variables of stored workflows that no file declares: how they are kept, and which cannot be.

An update makes the stored workflow anew from the live one, whose variables have their defaults
(docs/servers/zadig.md §9.1, §9.3, §9.24): what a plan holds in them has to be sent again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planops.backends.trees import Tree, rows, text, tree
from planops.backends.zadig.generations import Generation
from planops.backends.zadig.references import Names
from planops.core.lifecycle import Refusal

TEXTS = frozenset({"string", "text"})
CHOICE, REPO = "choice", "repo"


def kept_parameters(workflow: Tree, names: Names) -> list[Tree]:
    """Give the variables of a stored workflow in the form in which PATCH takes them back.

    A credential keeps its mark, which the server overlooks, so that no report shows its value.
    """
    return [kept for param in rows(workflow.get("params")) if (kept := _kept(param, names))]


def _kept(param: Tree, names: Names) -> Tree | None:
    kind, value = text(param, "type"), param.get("value")
    mark: Tree = {"is_credential": True} if param.get("is_credential") else {}
    if kind in TEXTS or (kind == CHOICE and value):
        return {"name": param.get("name"), "type": kind, "value": value or ""} | mark
    repo = tree(param.get("repo"))
    alias = (names.code_hosts or {}).get(str(repo.get("codehost_id")))
    if kind != REPO or not alias:
        return None
    sent: Tree = {"codehost_name": alias}
    sent |= {name: repo[name] for name in ("repo_namespace", "repo_name", "branch") if name in repo}
    return {"name": param.get("name"), "type": kind, "repo": sent | {"prs": repo.get("prs") or []}}


def resets(
    workflows: Mapping[str, Tree], generation: Generation | None, names: Names
) -> Iterator[Refusal]:
    """Say which workflow variables an update gives their defaults back.

    ``workflows`` are the stored workflows by the name of their job. That a value is the workflow's
    own default is seen only where the definition names its default; else every value counts.
    """
    for name, workflow in workflows.items():
        sent = set[str]()
        if generation is not Generation.V4_1:
            sent = {text(kept, "name") for kept in kept_parameters(workflow, names)}
        lost = [
            text(param, "name")
            for param in rows(workflow.get("params"))
            if text(param, "name") not in sent and _holds(param)
        ]
        if lost:
            message = (
                "an update gives workflow variables that cannot be sent their defaults back:"
                f" {', '.join(lost)} of job {name}"
            )
            yield Refusal(guard="reset", message=message, lift="--allow reset")


def _holds(param: Tree) -> bool:
    """Tell whether a variable holds something that is not known to be its default."""
    if text(param, "type") == REPO:
        return bool(tree(param.get("repo")).get("branch") or tree(param.get("repo")).get("prs"))
    return param.get("value") not in (None, "", param.get("default"))
