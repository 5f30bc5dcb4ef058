"""Approvals of every type: applied, then compared; each single change shows as exactly that."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planops import reconcile
from planops.core.changes import Cause
from planops.core.model import Plan
from planops.manifests.load import load_config, load_plans
from planops.sandbox.zadig import Generation
from run.world import World, applied, asked, world

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples/plans/zadig/approvals"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def example(name: str, tmp_path: Path) -> Plan:
    """Read one example as the command does."""
    (tmp_path / "plan.yaml").write_text((FOLDER / f"{name}.yaml").read_text())
    (tmp_path / "planops.yaml").write_text(
        "apiVersion: planops/v1\nkind: Config\nplans: [plan.yaml]\ntargets:\n"
        "  zadig: {backend: zadig, url: http://127.0.0.1:1, token: '${env:T}'}\n"
    )
    loaded = load_plans(tmp_path, load_config(tmp_path / "planops.yaml"))
    assert not [problem for problem in loaded.problems if problem.severity == "error"]
    (plan,) = loaded.plans
    return plan


def writable(zadig: World, plan: Plan) -> list[str]:
    """The paths that a diff wants written."""
    target, run = zadig.target(), asked()
    sight = reconcile.observe(target, [plan], run)
    (change,) = reconcile.diff(target, sight, run).changes
    return [delta.path for delta in change.deltas if delta.cause is Cause.EDIT]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all scalars inside a value."""
    if isinstance(value, dict):
        for name, sub in value.items():
            yield from leaves(sub, (*path, name))
    elif isinstance(value, list):
        for place, sub in enumerate(value):
            yield from leaves(sub, (*path, place))
    else:
        yield path


@pytest.mark.parametrize("generation", ["5.0", "4.1"])
@pytest.mark.parametrize("name", NAMES)
def test_an_approval_is_applied_once(name: str, generation: Generation, tmp_path: Path) -> None:
    with world(generation) as zadig:
        plan = example(name, tmp_path)
        report = applied(zadig.target(), [plan])
        assert [(c.outcome.value, c.error) for c in report.changes] == [("applied", "")]
        assert writable(zadig, plan) == []
        wrote = len(zadig.writes())
        applied(zadig.target(), [plan])
        assert len(zadig.writes()) == wrote


SHOWN_ONLY = {"name", "avatar", "user_name", "group_name", "account", "user_id"}


@pytest.mark.parametrize("name", NAMES)
def test_every_single_change_in_the_file_is_seen(name: str, tmp_path: Path) -> None:
    """Whatever scalar of the approval changes, one delta says so, at or above its place."""
    with world("5.0") as zadig:
        plan = example(name, tmp_path)
        applied(zadig.target(), [plan])
        approval: Any = plan.spec["approval"]
        places = [p for p in leaves(approval) if p[-1] not in SHOWN_ONLY and p[-1] != "type"]
        assert places
        for place in places:
            changed = copy.deepcopy(approval)
            at = changed
            for token in place[:-1]:
                at = at[token]
            old = at[place[-1]]
            at[place[-1]] = (
                (not old)
                if isinstance(old, bool)
                else (old + 1 if isinstance(old, int) else f"{old}x")
            )
            paths = writable(zadig, replace(plan, spec=plan.spec | {"approval": changed}))
            assert paths, place
            assert all(path.startswith(f"/spec/approval/{place[0]}") for path in paths), place
