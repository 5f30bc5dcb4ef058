"""How much a reviewer has to look at what merging does."""

from __future__ import annotations

import enum


class Risk(enum.StrEnum):
    """How much a reviewer has to look."""

    ROUTINE = "routine"
    ATTENTION = "attention"
    BLOCKED = "blocked"

    @property
    def rank(self) -> int:
        """The greater, the riskier."""
        return [*Risk].index(self)
