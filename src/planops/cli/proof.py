"""Proof from git that a file declared a recorded plan: the ledger alone authorises nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planops.core.ledger import Record
    from planops.manifests.settings import Config


def unproven(config: Config, target: str, record: Record) -> str:
    """Say why no ancestor of HEAD is known to hold a file of this plan; empty where one does."""
    from planops.git.ancestors import texts

    origin = record.origin
    found = texts(config.root, origin.commit, origin.file)
    if any(_declares(config, target, record.key, data) for data in found):
        return ""
    where = origin.file or "no file"
    return (
        f"no ancestor of this commit that is held here has it in {where}; fetch the whole history,"
        " or delete the plan on the server"
    )


def _declares(config: Config, target: str, key: str, data: bytes) -> bool:
    from planops.manifests.yaml import parse

    documents = parse(data, "").documents
    return any(_names(config, document.value) == (target, key) for document in documents)


def _names(config: Config, value: object) -> tuple[Any, Any]:
    """Give the target and the key that a document names."""
    metadata = value.get("metadata") if isinstance(value, Mapping) else None
    if not isinstance(metadata, Mapping):
        return None, None
    only = next(iter(config.targets)) if len(config.targets) == 1 else None
    return metadata.get("target", only), metadata.get("name")
