"""Every row of a conformance list names a test that exists, and ids are unique."""

import ast
import re
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
def facts_of(path: Path) -> str:
    """The facts about the server that a list is about."""
    return (ROOT / f"docs/servers/{path.stem}.md").read_text("utf-8")


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


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_sections_exist(path: Path) -> None:
    text = facts_of(path)
    for row in rows_of(path):
        section = row["id"].partition("/")[0]
        heading = f"## {section}. " if "." not in section else f"\n{section}. "
        assert heading in text, row["id"]


def test_there_is_a_list_for_each_server() -> None:
    servers = {path.parent.name for path in ROOT.glob("src/planops/sandbox/*/sandbox.py")}
    assert {path.stem for path in LISTS} == servers


# Sections that say what a client makes of the facts: nothing to emulate.
FOR_CLIENTS = {"brpm": {"4.11", "5.11"}}


@pytest.mark.parametrize("server", FOR_CLIENTS)
def test_every_section_has_a_row(server: str) -> None:
    path = Path(__file__).parent / f"{server}.yaml"
    sections = set(re.findall(r"^(\d+\.\d+)\. ", facts_of(path), re.MULTILINE))
    claimed = {row["id"].partition("/")[0] for row in rows_of(path)}
    assert sections - claimed == FOR_CLIENTS[server]


def test_every_citation_of_the_brpm_facts_is_a_section() -> None:
    text = (ROOT / "docs/servers/brpm.md").read_text("utf-8")
    sections = set(re.findall(r"^(\d+\.\d+)\. |^## (\d+)\. ", text, re.MULTILINE))
    known = {one for pair in sections for one in pair if one}
    sources = [*ROOT.glob("src/planops/sandbox/brpm/*.py"), *ROOT.glob("tests/sandbox/test_brpm*")]
    cited = {
        found
        for source in [text, *(path.read_text("utf-8") for path in sources)]
        for found in re.findall(r"§(\d+(?:\.\d+)?)", source)
    }
    assert cited
    assert cited - known == set()
