"""From a complete list of plans to an inventory: which of them are read, and how they are found."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from planops.backends.trees import Tree
from planops.ports import Inventory, Stub


def wanted(stubs: Sequence[Stub], names: Collection[str], ids: Collection[str]) -> list[Stub]:
    """Choose the plans that are asked for by name or by id, oldest first."""
    found = (stub for stub in stubs if stub.name in names or stub.id in ids)
    return sorted(found, key=lambda stub: stub.ordinal)


def inventory(
    stubs: tuple[Stub, ...],
    asked: Sequence[Stub],
    found: Sequence[Tree],
    names: Collection[str],
    ids: Collection[str],
    listed: frozenset[str] = frozenset(),
) -> Inventory:
    """Put the documents that were read to the names and ids that were asked for.

    ``listed`` are the plans whose document is only what the list shows.
    """
    documents: dict[str, tuple[Tree, ...]] = {}
    for stub, raw in zip(asked, found, strict=True):
        if stub.name not in names:
            continue
        documents[stub.name] = (*documents.get(stub.name, ()), raw)
    pairs = zip(asked, found, strict=True)
    by_id = {stub.id: raw for stub, raw in pairs if stub.id in set(ids)}
    return Inventory(stubs=stubs, documents=documents, by_id=by_id, listed=listed)
