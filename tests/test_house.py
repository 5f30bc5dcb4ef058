"""Facts that rot: what documents, schemas and metadata say about each other and about the code."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import planops
from planops.core import guards, report

ROOT = Path(__file__).parents[1]
SCHEMAS = sorted((ROOT / "schemas").glob("*.schema.json"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
HIDDEN = {".ci", ".github"}
DOTTED = {".gitignore", ".pre-commit-hooks.yaml"}
BINARY = {".pyc", ".png", ".so"}


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads(text(ROOT / "pyproject.toml"))


@cache
def files() -> tuple[Path, ...]:
    """Every file that belongs to the project: neither ignored nor in a folder with a dot."""
    ignored = {line.rstrip("/") for line in text(ROOT / ".gitignore").splitlines()}
    return tuple(_files(ROOT, ignored))


def _files(folder: Path, ignored: set[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if any(path.match(pattern) for pattern in ignored):
            continue
        if path.name.startswith(".") and path.name not in HIDDEN | DOTTED:
            continue
        if path.is_dir():
            yield from _files(path, ignored)
        elif path.suffix not in BINARY:
            yield path


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def lines_with(wanted: re.Pattern[str], paths: Iterator[Path]) -> list[str]:
    """Give ``file:line: match`` for each place."""
    return [
        f"{name(path)}:{number}: {found[0]}"
        for path in paths
        for number, line in enumerate(text(path).splitlines(), 1)
        if (found := wanted.search(line))
    ]


# ------------------------------------------------------------------------------------ repository

# Written in pieces, or this file would be its own first finding.
MACHINES = ("/work" + "/", "/root" + "/", "/home/" + "[a-z]")
REGISTRIES = (
    "pypi" + r"\.org",
    "python" + r"hosted\.org",
    "npm" + r"js\.(?:org|com)",
    "crates" + r"\.io",
    "proxy" + r"\.golang\.org",
    "deb" + r"\.debian\.org",
    "--(?:extra-)?index" + "-url",
    "--find" + "-links",
)
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "X" + "XX")


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param("|".join(MACHINES), id="the path of somebody's machine"),
        pytest.param("|".join(REGISTRIES), id="a package registry's address"),
        pytest.param(rf"\b(?:{'|'.join(UNFINISHED)})\b", id="a note of something unfinished"),
    ],
)
def test_no_file_holds(wanted: str) -> None:
    assert lines_with(re.compile(wanted), iter(files())) == []


def test_the_files_are_those_of_the_project() -> None:
    names = {name(path) for path in files()}
    assert {".ci/run", ".github/workflows/ci.yml", "src/planops/errors.py", "Makefile"} <= names
    assert not [found for found in names if found.startswith((".git/", ".venv/"))]


def test_text_files_end_in_one_line_break_and_have_no_carriage_returns() -> None:
    made = {name(p) for p in files() if "golden" in p.parts or "bad" in p.parts}
    wrong = [
        name(path)
        for path in files()
        if name(path) not in made and path.stat().st_size and not _tidy(path.read_bytes())
    ]
    assert wrong == []


def _tidy(data: bytes) -> bool:
    return data.endswith(b"\n") and not data.endswith(b"\n\n") and b"\r" not in data


# --------------------------------------------------------------------------------------- schemas

SUBSCHEMAS = ("properties", "$defs", "patternProperties")


def subschemas(schema: Any, where: str = "#") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give every schema inside a schema, with its place."""
    if isinstance(schema, dict):
        yield where, schema
        for keyword, value in schema.items():
            if keyword in SUBSCHEMAS:
                for key, sub in value.items():
                    yield from subschemas(sub, f"{where}/{keyword}/{key}")
            elif keyword not in {"const", "enum", "default", "examples"}:
                yield from subschemas(value, f"{where}/{keyword}")
    elif isinstance(schema, list):
        for index, sub in enumerate(schema):
            yield from subschemas(sub, f"{where}/{index}")


BRANCH = re.compile(r"/(?:allOf/\d+|anyOf/\d+|oneOf/\d+|if|then|else|not)(?=/|$)")


def undescribed(schema: Any) -> list[str]:
    """Name the properties without a description.

    It stands beside the property, where its ``$ref`` leads, or, for a branch (``allOf``, ``then``),
    beside the same property outside of the branch.
    """
    described = {where for where, sub in subschemas(schema) if "description" in sub}
    wrong = []
    for where, sub in subschemas(schema):
        for key, value in sub.get("properties", {}).items():
            place = f"{where}/properties/{key}"
            refs = [value["$ref"]] if "$ref" in value else []
            if described.isdisjoint({place, BRANCH.sub("", place), *refs}):
                wrong.append(place)
    return wrong


@pytest.mark.parametrize("path", SCHEMAS, ids=name)
def test_every_property_is_described(path: Path) -> None:
    assert undescribed(json.loads(text(path))) == []


def test_a_property_without_a_description_is_found() -> None:
    described = {"description": "x", "properties": {"b": {"type": "string"}}}
    schema = {
        "properties": {"a": described, "c": {"$ref": "#/$defs/d"}, "e": {"$ref": "#/$defs/f"}},
        "$defs": {"d": {"description": "y"}, "f": {"type": "integer"}},
        "allOf": [{"then": {"properties": {"a": {"const": 1}, "g": {"const": 1}}}}],
    }
    assert undescribed(schema) == [
        "#/properties/e",
        "#/properties/a/properties/b",
        "#/allOf/0/then/properties/g",
    ]


def test_every_annotation_is_one_that_the_code_reads() -> None:
    written = {
        keyword
        for path in SCHEMAS
        for _, sub in subschemas(json.loads(text(path)))
        for keyword in sub
        if keyword.startswith("x-planops-")
    }
    readers = [ROOT / "src/planops/core/shape.py", *(ROOT / "src/planops/manifests").glob("*.py")]
    read = {found for path in readers for found in re.findall(r'"(x-planops-[a-z-]+)"', text(path))}
    assert written
    assert written - read == set()


@pytest.mark.parametrize("path", SCHEMAS, ids=name)
def test_a_schema_says_which_dialect_it_is_and_what_for(path: Path) -> None:
    schema = json.loads(text(path))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    assert schema["description"]


# ------------------------------------------------------------------------------------- documents

LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
# Places that comments and documents name without linking to them.
MENTION = re.compile(r"\b(?:docs|schemas|tests|src|examples)/[\w./-]*\w\.(?:md|json|py|txt|yaml)\b")


def broken_links(path: Path) -> list[str]:
    """Name the files that a document links to and that are not there."""
    targets = (match[1].partition("#")[0] for match in LINK.finditer(text(path)))
    return [
        target
        for target in targets
        if target and "://" not in target and not target.startswith("mailto:")
        if not (path.parent / target).exists()
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_link_leads_somewhere(path: Path) -> None:
    assert broken_links(path) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("[a](b.md) [c](a.md#d) [e](https://example.com/x) [f](#g)")
    assert broken_links(tmp_path / "a.md") == ["b.md"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_file_that_a_document_names_is_there(path: Path) -> None:
    named = MENTION.findall(text(path))
    assert [found for found in named if not (ROOT / found).exists()] == []


def test_every_document_that_the_code_names_is_there() -> None:
    sources = [path for path in files() if path.suffix == ".py" or path.name == "Makefile"]
    named = {found for path in sources for found in re.findall(r"docs/[\w./-]+\.md", text(path))}
    assert named
    assert [found for found in sorted(named) if not (ROOT / found).exists()] == []


def test_every_section_of_the_zadig_facts_that_the_code_names_is_there() -> None:
    facts = text(ROOT / "docs/servers/zadig.md")
    sections = set(re.findall(r"^## (\d+)\.", facts, re.MULTILINE))
    sections |= set(re.findall(r"^(\d+\.\d+)\.", facts, re.MULTILINE))
    cited = {
        section
        for path in files()
        if path.suffix == ".py"
        for citation in re.findall(r"zadig\.md (§[\d., §]*\d)", text(path))
        for section in re.findall(r"\d+(?:\.\d+)*", citation)
    }
    assert cited
    assert cited - sections == set()


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_readme_says_how_to_begin(command: str) -> None:
    assert command in text(ROOT / "README.md")


def test_every_target_that_a_document_names_can_be_made() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.MULTILINE))
    named = {found for path in DOCUMENTS for found in re.findall(r"`make ([a-z-]+)", text(path))}
    assert named - targets == set()


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    changelog = text(ROOT / "CHANGELOG.md")
    assert re.search(r"^## \[?Unreleased\]?$", changelog, re.MULTILINE)
    assert re.search(r"^### Added$", changelog, re.MULTILINE)


def documented(path: Path) -> list[str]:
    """Give what the first column of a document's tables names in code."""
    return re.findall(r"^\| `([^`]+)` ", text(path), re.MULTILINE)


@pytest.mark.parametrize("guard", guards.NAMES)
def test_every_guard_is_documented(guard: str) -> None:
    assert guard in documented(ROOT / "docs/guards.md")


def test_every_variable_of_the_environment_is_documented() -> None:
    named = {
        found
        for path in (ROOT / "src/planops").rglob("*.py")
        for found in re.findall(r'"(PLANOPS_[A-Z_]+)"', text(path))
        if f'envvar="{found}"' not in text(path)
    }
    assert {"PLANOPS_SECRETS", "PLANOPS_DEBUG"} <= named
    page = text(ROOT / "docs/ci.md")
    assert [found for found in sorted(named) if f"`{found}`" not in page] == []


def test_every_setting_is_documented() -> None:
    target = json.loads(text(ROOT / "schemas/config.schema.json"))["$defs"]["target"]["properties"]
    keys = [key for key, value in target.items() for key in (key, *value.get("properties", ()))]
    pages = "".join(text(path) for path in DOCUMENTS)
    assert "ca-file" in keys
    assert [key for key in keys if not re.search(rf"\b{key}(: |`)", pages)] == []


def test_every_refusal_of_the_code_is_documented() -> None:
    names = {
        found
        for path in (ROOT / "src/planops").rglob("*.py")
        for found in re.findall(r'Refusal\(\s*guard="([a-z-]+)"', text(path))
    }
    assert {"adopt", "conflict", "frame"} <= names
    assert names - {*documented(ROOT / "docs/guards.md")} == set()


def test_no_guard_is_documented_that_the_code_has_not() -> None:
    source = "".join(text(path) for path in (ROOT / "src/planops").rglob("*.py"))
    assert [n for n in documented(ROOT / "docs/guards.md") if f'"{n}"' not in source] == []


def test_the_exit_codes_are_documented() -> None:
    found = re.findall(
        r"^\| `(\d+)` \| `([A-Z]+)` ", text(ROOT / "docs/exit-codes.md"), re.MULTILINE
    )
    assert {label: int(code) for code, label in found} == {
        code.name: code.value for code in report.ExitCode
    }


def test_every_decision_has_its_number_and_its_parts() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [
        f"{n:04}" for n in range(1, len(decisions) + 1)
    ]
    for path in decisions:
        lines = text(path).splitlines()
        assert len(lines) <= 40, path.name
        assert lines[0].startswith(f"# {int(path.name[:4])}. "), path.name
        assert {"## Context", "## Decision", "## Consequences"} <= {*lines}, path.name


# -------------------------------------------------------------------------------------- versions


def test_the_version_is_one() -> None:
    declared = pyproject()["project"]["version"]
    assert getattr(planops, "__version__", declared) == declared


def requirements() -> list[str]:
    project = pyproject()["project"]
    extras = (each for extra in project["optional-dependencies"].values() for each in extra)
    return [*project["dependencies"], *extras]


def test_the_oldest_versions_are_those_of_the_project() -> None:
    lowest = dict(re.split(">=|,", each)[:2] for each in requirements())
    lines = text(ROOT / "tests/oldest.txt").splitlines()
    assert dict(line.split("==") for line in lines if not line.startswith("#")) == lowest


def plain(requirement: str) -> str:
    """Give the name of a requirement as installers compare names."""
    bare = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", bare).casefold()


def test_every_dependency_is_pinned_by_name_and_version_only() -> None:
    lines = text(ROOT / "constraints.txt").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    groups = pyproject()["dependency-groups"].values()
    wanted = [each for group in groups for each in group if isinstance(each, str)]
    wanted += [*requirements(), *pyproject()["build-system"]["requires"]]
    assert {plain(each) for each in wanted} - {plain(pin) for pin in pins} == set()


def test_ci_tests_every_python_that_the_classifiers_name() -> None:
    promised = [
        found[1]
        for each in pyproject()["project"]["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each))
    ]
    workflow = text(ROOT / ".github/workflows/ci.yml")
    assert f"python: {json.dumps(promised)}" in workflow
    assert pyproject()["project"]["requires-python"] == f">={promised[0]}"


def test_every_action_is_pinned_to_a_commit_and_every_job_ends() -> None:
    workflow = text(ROOT / ".github/workflows/ci.yml")
    uses = re.findall(r"uses: (?!\$/)(\S+)( #.*)?", workflow)  # $/ is this very commit
    assert uses
    assert [each for each, note in uses if not re.search(r"@[0-9a-f]{40}$", each) or not note] == []
    jobs = re.findall(r"^ {2}[a-z-]+:$", workflow.partition("\njobs:\n")[2], re.MULTILINE)
    assert workflow.count("timeout-minutes:") == len(jobs)
    assert workflow.count("persist-credentials: false") == workflow.count("actions/checkout@")
