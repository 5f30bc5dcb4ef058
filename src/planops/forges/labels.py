"""Which labels of a pull request are ours to add and to remove."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "planops/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Labels to be added and removed, in the spelling of whoever has them."""

    add: tuple[str, ...]
    remove: tuple[str, ...]


def changes(present: Iterable[str], wanted: Collection[str], ours: Collection[str]) -> Changes:
    """Say what to do so that of our labels just the wanted ones are there.

    Case does not tell labels apart, as on GitHub. Raises ``ValueError`` for a name without our
    prefix, or with a comma, which GitLab reads as two names.
    """
    for name in (*wanted, *ours):
        if not name.startswith(PREFIX) or "," in name or not name.isprintable():
            raise ValueError(f"a label of ours begins with {PREFIX} and holds no comma")
    have = {name.casefold(): name for name in present}
    want = {name.casefold(): name for name in wanted}
    over = {name.casefold() for name in ours} - want.keys()
    return Changes(
        add=tuple(want[key] for key in sorted(want.keys() - have.keys())),
        remove=tuple(have[key] for key in sorted(over & have.keys())),
    )
