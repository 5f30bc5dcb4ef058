"""What git holds of plans that the ledger speaks of: the ledger alone authorises nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planops.core.ledger import Intent, Record
    from planops.core.model import Plan
    from planops.manifests.settings import Config


def unproven(config: Config, target: str, record: Record, heads: Sequence[str] = ("HEAD",)) -> str:
    """Say why no ancestor of a head is known to hold a file of this plan; empty where one does."""
    from planops.git.ancestors import is_older, texts

    origin = record.origin
    if is_older(config.root, origin.commit, heads):
        return (
            f"it was last applied from {origin.commit[:12]}, and this commit is older; run it from"
            " a newer one"
        )
    found = [*texts(config.root, origin.commit, origin.file, heads)]
    if any(_declares(config, target, record, data) for data in found):
        return ""
    if any(_declares(config, None, record, data) for data in found):
        return (
            f"{origin.file} names no target, and the settings have {len(config.targets)} by now;"
            f" put it back with target: {target}, apply that, and delete it then, or delete the"
            " plan on the server"
        )
    where = origin.file or "no file"
    return (
        f"no ancestor of this commit that is held here has it in {where}; fetch the whole history,"
        " or delete the plan on the server"
    )


def declares(config: Config, target: str, record: Record) -> bool:
    """Tell whether the file that a plan was applied from is in the work tree and declares it.

    The ledger names the file, and whoever may write it may name any.
    """
    from planops.manifests.text import MAX_BYTES

    try:
        file = (config.root / record.origin.file).resolve()
        if not file.is_file() or not file.is_relative_to(config.root.resolve()):
            return False
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES)
    except (OSError, ValueError, RuntimeError):
        return False
    return _declares(config, target, record, data)


def earlier(config: Config, target: str, intent: Intent) -> Plan | None:
    """Read a plan as its file was when a run began to make it; nothing where git lacks that."""
    from planops.core.model import PlanKey
    from planops.git.ancestors import texts
    from planops.manifests.load import load_text

    origin = intent.origin
    data = next(texts(config.root, origin.commit, origin.file), b"")
    key = PlanKey(target=target, name=intent.key)
    plans = load_text(data, origin.file, config).plans if data else ()
    return next((plan for plan in plans if plan.key == key), None)


def _declares(config: Config, target: str | None, record: Record, data: bytes) -> bool:
    """Tell whether a file holds this plan, for a target; ``None``: for none that it names."""
    from planops.manifests.yaml import parse

    documents = parse(data, "").documents
    wanted = (record.kind, target, record.key, record.name.strip())
    return any(_names(config, document.value) == wanted for document in documents)


def _names(config: Config, value: object) -> tuple[object, ...]:
    """Give the kind, the target, the key and the name that a document gives a plan."""
    tree = value if isinstance(value, Mapping) else {}
    metadata, spec = (tree.get(one) for one in ("metadata", "spec"))
    if not isinstance(metadata, Mapping) or not isinstance(spec, Mapping):
        return ()
    only = next(iter(config.targets)) if len(config.targets) == 1 else None
    name = str(spec.get("name")).strip()
    return tree.get("kind"), metadata.get("target", only), metadata.get("name"), name
