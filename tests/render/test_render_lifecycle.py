"""A lifecycle with gaps, as settings may make one, is shown as it is."""

from __future__ import annotations

from planops.core.lifecycle import Edge, Lifecycle
from planops.render import lifecycle

GAPPED = Lifecycle(
    path=("packed", "shipped", "landed"),
    edges=(Edge(source="packed", target="shipped", event="ship"),),
    edits={},
)


def test_where_no_edge_is_no_stroke_is_drawn() -> None:
    drawn = lifecycle.text("Ferry", GAPPED).splitlines()
    at = drawn.index("  packed")
    assert drawn[at + 1].startswith("    │ ")
    assert drawn[at + 2 : at + 4] == ["  shipped", "  landed"]


def test_a_state_without_a_rule_takes_no_fields() -> None:
    refused = "refused: nothing can be written in this state"
    assert lifecycle.text("Ferry", GAPPED).count(refused) == len(GAPPED.path)
    told = lifecycle.data("Ferry", GAPPED)
    assert isinstance(told, dict)
    assert told["edits"] == dict.fromkeys(GAPPED.path)
