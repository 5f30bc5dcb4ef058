"""What a file would declare of a plan that is on the server already, and what no file can.

Values only: a backend drafts, whoever writes files judges the draft.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from planops.core.model import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The ``spec`` of a file for one live plan: what can be declared, and is not empty.

    ``notices`` say what was left out although nothing is lost by it, ``refusals`` what no file can
    say, each a sentence with what to do by hand.
    """

    spec: dict[str, JSON]
    notices: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What is said while one plan is drafted."""

    notices: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def draft(self, spec: dict[str, JSON]) -> Draft:
        """Give the draft, each sentence once."""
        return Draft(
            spec=spec,
            notices=tuple(dict.fromkeys(self.notices)),
            refusals=tuple(dict.fromkeys(self.refusals)),
        )
