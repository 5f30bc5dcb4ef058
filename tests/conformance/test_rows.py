"""Every row of a conformance list names a test that exists, and ids are unique."""

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LISTS = sorted(Path(__file__).parent.glob("*.yaml"))


def rows_of(path: Path) -> list[Mapping[str, Any]]:
    rows = yaml.safe_load(path.read_text("utf-8"))  # noqa: TID251 - the tests' own list
    assert isinstance(rows, list)
    return rows


@cache
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_ids_are_unique_and_claims_are_made(path: Path) -> None:
    rows = rows_of(path)
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids)
    assert all(row["claim"].strip() for row in rows)


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_each_row_names_a_test_or_waits(path: Path) -> None:
    for row in rows_of(path):
        assert row.keys() <= {"id", "claim", "test", "later"}
        assert ("test" in row) is not row.get("later", False), row["id"]


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_named_tests_exist(path: Path) -> None:
    for row in rows_of(path):
        if "test" in row:
            file, _, name = row["test"].partition("::")
            assert name.startswith("test_"), row["id"]
            assert name in names_in(ROOT / file), row["id"]


def test_sections_exist() -> None:
    text = (ROOT / "docs/servers/zadig.md").read_text("utf-8")
    for row in rows_of(Path(__file__).parent / "zadig.yaml"):
        section = row["id"].partition("/")[0]
        heading = f"## {section}. " if "." not in section else f"\n{section}. "
        assert heading in text, row["id"]
