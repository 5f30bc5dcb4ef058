"""Reading JSON documents of servers: an object, a list, a text, whatever else may be there."""

from __future__ import annotations

from typing import TypeAlias

from planops.core.model import JSON

Tree: TypeAlias = dict[str, JSON]


def rows(value: JSON) -> list[Tree]:
    """Give the objects of a list, whatever else may be in it or instead of it."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def tree(value: JSON) -> Tree:
    """Give an object, empty where there is none."""
    return value if isinstance(value, dict) else {}


def text(row: Tree, name: str) -> str:
    """Give a text field, empty where there is none or something else."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def nothing(value: JSON) -> JSON:
    """Give the empty value of a declared value's type: absent and empty are one thing there."""
    match value:
        case bool():
            return False
        case int() | float():
            return 0
        case list():
            return []
        case dict():
            return {}
        case _:
            return ""
