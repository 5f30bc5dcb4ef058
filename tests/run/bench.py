"""A sandbox to load files for, as the command does, to apply them to, and to compare them with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from planops.core.changes import Cause, Change, Delta
from planops.core.decide import Circumstances, Desired, Memory, decide
from planops.core.model import ABSENT, JSON, Plan, Severity, Value
from planops.core.report import Outcome
from planops.manifests.load import Config, load_config, load_plans
from planops.run import Target
from planops.sandbox.zadig import Generation
from run.world import NOW, World, apply_one, asked, look, world

Raw: TypeAlias = dict[str, JSON]
SPOKEN = frozenset({"approvers", "job-type", "no-effect", "unused"})
"""Warnings that what is drawn may give rise to."""
SETTINGS = (
    "apiVersion: planops/v1\nkind: Config\nplans: [plan.yaml]\ntargets:\n"
    "  prod: {backend: zadig, url: http://127.0.0.1:1, token: '${env:T}'}\n"
)


class Written(yaml.SafeDumper):
    """Writes as people do: plain where that is a text, else in quotes or as a block."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    plain = value.replace(" ", "").replace("-", "").isalpha() and value.isascii()
    style = "|" if "\n" in value else None if plain else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


Written.add_representer(str, _text)
Written.ignore_aliases = lambda *_: True  # type: ignore[method-assign]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A world, a target on it, and the folder that files are loaded from."""

    zadig: World
    target: Target
    folder: Path
    config: Config

    def load(self, document: dict[str, Any]) -> Plan:
        """Read a document as the command does; nothing may be wrong with it."""
        text = yaml.dump(document, Dumper=Written, sort_keys=False, allow_unicode=True)
        (self.folder / "plan.yaml").write_text(text, encoding="utf-8")
        loaded = load_plans(self.folder, self.config)
        assert {one.code for one in loaded.problems} <= SPOKEN, loaded.problems
        assert all(one.severity is Severity.WARNING for one in loaded.problems), loaded.problems
        (plan,) = loaded.plans
        return plan

    def apply(self, plan: Plan) -> list[str]:
        """Apply, and name the writes other than state moves."""
        since = len(self.zadig.writes())
        report = apply_one(self.target, plan, asked(everything=True))
        assert (report.outcome, report.error) == (Outcome.APPLIED, ""), report.change.refusals
        writes = self.zadig.writes(since)
        return [method for method, path, _ in writes if "/status/" not in path]

    def look(self, plan: Plan) -> tuple[Desired, Change, Raw]:
        """What is desired, what a diff says, and what the server holds."""
        sight, changes = look(self.target, [plan], asked(everything=True))
        (documents,) = sight.inventory.documents.values()
        return sight.desired[0], changes.changes[0], documents[0]

    def decide(self, desired: Desired, raw: Raw, base: Value = ABSENT) -> Change:
        """A diff without a server."""
        rules = self.target.backend.rules
        live = rules.view(raw, desired, base)
        return decide(
            rules, desired, live, Circumstances(now=NOW, revive=True, memory=Memory(spec=base))
        )


@contextlib.contextmanager
def benches(generation: Generation, folder: Path) -> Iterator[Bench]:
    """A fresh sandbox, and a folder with the settings for it."""
    (folder / "planops.yaml").write_text(SETTINGS)
    config = load_config(folder / "planops.yaml")
    with world(generation) as zadig:
        yield Bench(zadig=zadig, target=zadig.target(), folder=folder, config=config)


def differing(change: Change) -> list[Delta]:
    """The deltas but those of what cannot be read back."""
    assert change.error == ""
    return [delta for delta in change.deltas if delta.cause is not Cause.UNKNOWN]


def unknown(change: Change) -> set[str]:
    return {delta.path for delta in change.deltas if delta.cause is Cause.UNKNOWN}
