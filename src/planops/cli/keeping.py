"""How each target's ledger is kept: where it is, how long a lease lasts, who is writing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planops.cli import base
from planops.cli.clock import SystemClock
from planops.cli.writer import Writer
from planops.custody import Keeping
from planops.errors import UsageWrong

if TYPE_CHECKING:
    from planops.git.ledger import GitLedger
    from planops.manifests.settings import Config
    from planops.manifests.settings import Target as TargetSettings


def keeping(config: Config, settings: TargetSettings, patience: int) -> Keeping | None:
    """Say how a target's ledger is kept, and who is writing; ``None`` where none is."""
    ledger = _ledger(config, settings)
    if ledger is None:
        return None
    me = Writer.of(os.environ)
    return Keeping(
        ledger=ledger,
        clock=SystemClock(),
        holder=me.holder,
        run=me.run,
        link=me.link,
        seconds=settings.ledger.lease,
        call=longest_call(settings),
        patience=patience,
        is_dead=me.knows_dead,
    )


def longest_call(settings: TargetSettings) -> float:
    """Say how long a call may take, in seconds: a lease holds a write in two spellings, and more.

    Longer than that it would outlast the right to make it.
    """
    total = settings.timeouts.total
    return total if settings.ledger.mode == "none" else min(total, settings.ledger.lease / 3)


def _ledger(config: Config, settings: TargetSettings) -> GitLedger | None:
    if settings.ledger.mode == "none":
        return None
    from planops.git.ledger import GitLedger

    kept = settings.ledger
    remote = kept.remote if kept.mode == "git" else None
    return GitLedger(root=config.root, ref=kept.ref, remote=remote, timeout=kept.timeout)


def ledgers(command: str, given: Mapping[str, Any]) -> dict[str, GitLedger]:
    """Give the ledgers of the chosen targets, by target; no plan file is read for that.

    Raises ``SettingsWrong`` where the settings cannot be used, ``UsageWrong`` where no target is
    chosen that keeps a ledger.
    """
    from planops.manifests import selection
    from planops.manifests.settings import usable

    config = usable(*base.settings(given["chdir"], base.base_of(os.environ), calls=True))
    selection.check_targets(given["targets"], config.targets)
    chosen = given["targets"] or config.targets
    found = {
        name: _ledger(config, config.targets[name]) for name in config.targets if name in chosen
    }
    kept = {name: ledger for name, ledger in found.items() if ledger is not None}
    if not kept:
        raise UsageWrong(
            f"{command}: no target keeps a ledger; set ledger: {{mode: git}} in planops.yaml"
        )
    return kept
