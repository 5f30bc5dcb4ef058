"""The arrows of docs/architecture.md, read from the source: who may import whom, and what.

Imports that only type checkers see are arrows too, and so are those inside functions. Every rule is
a function from sources to sentences; the project must yield none, and each rule is shown below to
speak up where it should.
"""

from __future__ import annotations

import ast
import enum
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).parents[1]
CEILING = 400

Sources: TypeAlias = Mapping[str, str]
"""Source texts by module; a package's own text is under the package's name."""
Rule: TypeAlias = Callable[[Sources], list[str]]


class When(enum.IntEnum):
    """When an import happens; a later one may stand wherever an earlier one may."""

    LOADING = 0
    RUNNING = 1
    CHECKING = 2  # never: only type checkers read it


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import: who, whom, on which line, when."""

    importer: str
    target: str
    line: int
    when: When

    @property
    def top(self) -> str:
        """The package that would have to be installed."""
        return self.target.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


# ---------------------------------------------------------------------------------------- reading


def read(folder: Path) -> dict[str, str]:
    """Read the modules below a folder."""
    return {
        ".".join(path.with_suffix("").relative_to(folder).parts).removesuffix(".__init__"): (
            path.read_text(encoding="utf-8")
        )
        for path in sorted(folder.rglob("*.py"))
    }


@cache
def project() -> Sources:
    return read(ROOT / "src")


@cache
def suite() -> Sources:
    return read(ROOT / "tests")


@cache
def tree(source: str) -> ast.Module:
    return ast.parse(source)


def imports(sources: Sources) -> Iterator[Import]:
    """Give every import of every module, wherever it stands."""
    for module in sources:
        yield from imports_of(module, sources)


def imports_of(module: str, sources: Sources) -> Iterator[Import]:
    """Give the imports of one module; ``from a import b`` is ``a.b`` where that is a module."""
    for base, name, line, when in _statements(sources[module]):
        target = f"{base}.{name}" if f"{base}.{name}" in sources else base
        yield Import(importer=module, target=target, line=line, when=when)


Found: TypeAlias = tuple[str, str, int, When]


@cache
def _statements(source: str) -> tuple[Found, ...]:
    return tuple(_found(tree(source), When.LOADING))


def _found(node: ast.AST, when: When) -> Iterator[Found]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import(names=names):
                yield from ((name.name, "", child.lineno, when) for name in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = "." * level + (module or "")
                yield from ((base, name.name, child.lineno, when) for name in names)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from _found(child, max(when, When.RUNNING))
            case ast.If() if _is_type_checking(child.test):
                yield from _found(ast.Module(child.body, []), When.CHECKING)
                yield from _found(ast.Module(child.orelse, []), when)
            case _:
                yield from _found(child, when)


def _is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test).removeprefix("typing.") == "TYPE_CHECKING"


# ------------------------------------------------------------------------------------- the arrows

_CORE = {"core", "errors"}
_PORTS = _CORE | {"ports"}
_RUN = _PORTS | {"run"}
ARROWS: Mapping[str, set[str]] = {
    "errors": set(),
    "core": _CORE,
    "ports": _CORE,
    "custody": _PORTS,
    "run": _PORTS | {"custody"},
    "reporting": _RUN,
    "ownership": _RUN,
    "sightings": _RUN,
    "bookkeeping": _RUN | {"ownership", "sightings"},
    "execution": _RUN | {"custody", "reporting", "ownership", "bookkeeping"},
    "settling": _RUN | {"custody", "bookkeeping", "execution"},
    "pruning": _RUN | {"custody", "ownership", "bookkeeping", "execution"},
    "reconcile": _RUN
    | {"custody", "reporting", "ownership", "bookkeeping", "execution", "settling", "pruning"}
    | {"sightings"},
    "reviewing": _RUN | {"reconcile", "reporting"},
    "adoptees": _RUN | {"manifests"},
    "adoption": _RUN | {"manifests", "adoptees"},
    "adopting": _RUN | {"custody", "reporting", "reconcile", "manifests", "adoptees", "adoption"},
    "testing": _RUN | {"reconcile", "execution", "reporting"},
    "manifests": _PORTS | {"manifests"},
    "git": _PORTS | {"git"},
    "backends": _PORTS | {"backends"},
    "forges": _PORTS | {"forges", "backends"},  # the one HTTP client, and never a backend
    "render": {"core", "render"},
    "starter": _CORE | {"manifests"},
    "sandbox": {"sandbox"},
    "__main__": {"cli"},
    "": set(),  # the package itself: its version, for whoever may import anything
}
"""What each part may import beside itself; ``cli`` builds everything, so it is not listed."""


def part(module: str, sources: Sources) -> str:
    """Name the part of the project that a module belongs to; each backend is one of its own."""
    names = module.split(".")[1:]
    if names[:1] == ["backends"] and len(names) > 1:
        package = ".".join(["planops", *names[:2]])
        if any(other.startswith(f"{package}.") for other in sources):
            return ".".join(names[:2])
    return names[0] if names else ""


def may(importer: str, target: str) -> bool:
    if importer == "cli" or importer == target != "":
        return True
    if importer.startswith("backends."):
        return target in ARROWS["backends"]
    return target in ARROWS[importer]


def arrows(sources: Sources) -> list[str]:
    """Imports point down only."""
    wrong = []
    for found in imports(sources):
        if found.target.startswith("."):
            wrong.append(f"{found}: imports are absolute")
        if found.top != "planops":
            continue
        importer, target = part(found.importer, sources), part(found.target, sources)
        if importer != "cli" and importer.partition(".")[0] not in ARROWS:
            wrong.append(f"{found.importer}: no rule names the part {importer}")
        elif not may(importer, target):
            wrong.append(str(found))
    return wrong


def cycles(sources: Sources) -> list[str]:
    """No module imports itself by way of others, not even for its types."""
    graph: dict[str, set[str]] = {module: set() for module in sources}
    for found in imports(sources):
        if found.target in sources and found.target != found.importer:
            graph[found.importer].add(found.target)
    loops = []
    while graph:
        free = {module for module, targets in graph.items() if not targets & graph.keys()}
        if not free:
            loops.append(" → ".join(_loop(graph)))
            free = set(_loop(graph))
        graph = {module: targets for module, targets in graph.items() if module not in free}
    return loops


def _loop(graph: Mapping[str, set[str]]) -> list[str]:
    """Follow imports until one comes again: every module left has one to follow."""
    trail = [min(graph)]
    while trail[-1] not in trail[:-1]:
        trail.append(min(graph[trail[-1]] & graph.keys()))
    return trail[trail.index(trail[-1]) :]


def unreadable(sources: Sources) -> list[str]:
    """Only the command line imports by a name made at run time; all else could not be checked."""
    return [
        f"{module}:{node.lineno} imports by name"
        for module, source in sources.items()
        if part(module, sources) != "cli"
        for node in ast.walk(tree(source))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"__import__", "import_module", "importlib.import_module"}
    ]


# ----------------------------------------------------------------------------- third-party packages

HOMES: Mapping[str, Mapping[str, When]] = {
    "click": {"planops.cli": When.LOADING},
    "deepdiff": {"planops.core.compare": When.RUNNING},
    "git": {"planops.git": When.LOADING},
    "gitdb": {"planops.git": When.LOADING},
    "httpx": {"planops.backends.http": When.LOADING},
    "jsonschema": {
        "planops.manifests.schemas": When.RUNNING,
        "planops.manifests.explain": When.CHECKING,
    },
    "jsonschema_rs": {"planops.manifests.schemas": When.RUNNING},
    "referencing": {"planops.manifests.schemas": When.RUNNING},
    "stamina": {"planops.backends.retries": When.LOADING},
    "starlette": {"planops.sandbox": When.LOADING, "planops.cli": When.RUNNING},
    "uvicorn": {"planops.sandbox": When.LOADING, "planops.cli": When.RUNNING},
    "yaml": {
        "planops.manifests.yaml": When.LOADING,
        "planops.manifests.syntax": When.LOADING,
        "planops.manifests.thorough": When.LOADING,
    },
}
"""Where each package may be imported (there and below), and how early."""


def homes(sources: Sources) -> list[str]:
    """Each third-party package has one home, and some must not be loaded with it."""
    wrong = []
    for found in imports(sources):
        if found.top == "planops" or found.top in sys.stdlib_module_names:
            continue
        earliest = [
            when
            for home, when in HOMES.get(found.top, {}).items()
            if f"{found.importer}.".startswith(f"{home}.")
        ]
        if not earliest:
            wrong.append(f"{found}, which has no home there")
        elif found.when < min(earliest):
            wrong.append(f"{found} while it is loaded; that must wait until it is needed")
    return wrong


START = "planops.cli"
LIGHT = {"click"}


def heavy_start(sources: Sources) -> list[str]:
    """``planops --help`` loads click and nothing else that is third-party."""
    waiting, seen = [START], set[str]()
    wrong: list[str] = []
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        for found in imports_of(module, sources):
            if found.when is not When.LOADING:
                continue
            if found.target in sources:
                waiting += [found.target, *_packages(found.target, sources)]
            elif found.top not in sys.stdlib_module_names | LIGHT:
                wrong.append(str(found))
    return wrong


def _packages(module: str, sources: Sources) -> list[str]:
    names = module.split(".")
    above = [".".join(names[:depth]) for depth in range(1, len(names))]
    return [package for package in above if package in sources]


# ----------------------------------------------------------------------------------------- purity

PURE_STDLIB = frozenset(
    {
        "__future__", "collections", "copy", "dataclasses", "datetime", "decimal", "difflib",
        "enum", "fractions", "functools", "hashlib", "hmac", "html", "itertools", "json", "math",
        "operator", "re", "string", "textwrap", "types", "typing", "unicodedata", "urllib.parse",
    }
)  # fmt: skip
IMPURE_CALLS = frozenset({"open", "print", "input", "exec", "eval", "compile", "breakpoint"})
CLOCKS = frozenset({"now", "utcnow", "today"})
CODECS = ("wire", "lifecycle")
SHARED_CODECS = frozenset({"planops.backends.trees"})


def impure(sources: Sources) -> list[str]:
    """Core and render: values in, values out; no I/O, clock, randomness, environment, logging."""
    wrong: list[str] = []
    for module, source in sources.items():
        if part(module, sources) in {"core", "render"}:
            wrong += _impurities(module, source)
    return wrong


def _impurities(module: str, source: str) -> Iterator[str]:
    for found in imports({module: source}):
        stdlib = found.top in sys.stdlib_module_names
        if stdlib and not {found.target, found.top} & PURE_STDLIB:
            yield f"{module}:{found.line} imports {found.target}, which is not pure"
    for node in ast.walk(tree(source)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                yield f"{module}:{node.lineno} calls {name}"
            case ast.Attribute(attr=name, value=of) if name in CLOCKS and _is_clock(of):
                yield f"{module}:{node.lineno} reads the clock"
            case _:
                pass


def _is_clock(node: ast.expr) -> bool:
    return ast.unparse(node).rpartition(".")[2] in {"datetime", "date"}


def impure_codecs(sources: Sources) -> list[str]:
    """A backend's wire format and lifecycle reach nothing but the core and each other."""
    wrong = []
    for module in sources:
        names = module.split(".")
        if names[1:2] == ["backends"] and len(names) == 4 and names[3] in CODECS:
            wrong += _reached(module, ".".join(names[:3]), sources)
    return wrong


def _reached(module: str, package: str, sources: Sources) -> list[str]:
    waiting, seen = [module], set[str]()
    wrong: list[str] = []
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        wrong += _impurities(here, sources[here])
        for found in imports_of(here, sources):
            if found.top != "planops":
                continue
            if found.target.startswith(f"{package}.") or found.target in SHARED_CODECS:
                waiting.append(found.target)
            elif part(found.target, sources) not in _CORE:
                wrong.append(f"{found}, and {module} is pure")
    return wrong


# ---------------------------------------------------------------------------------- size and names

NO_NAMES = frozenset(
    {
        "common", "handler", "handlers", "helper", "helpers", "manager", "managers", "misc", "util",
        "utils",
    }
)  # fmt: skip


def too_long(sources: Sources) -> list[str]:
    """A file that outgrows the ceiling holds two things."""
    lines = {module: len(source.splitlines()) for module, source in sources.items()}
    return [f"{module}: {count} lines" for module, count in lines.items() if count > CEILING]


def nameless(sources: Sources) -> list[str]:
    """A module is named after what it decides."""
    return [module for module in sources if NO_NAMES & {*module.split(".")}]


def mocks(sources: Sources) -> list[str]:
    """The sandbox is the one double."""
    wrong = [
        str(found)
        for found in imports(sources)
        if found.top in {"mock", "pytest_mock"} or found.target.startswith("unittest")
    ]
    fixtures = [
        f"{module}:{node.lineno} takes {node.arg}"
        for module, source in sources.items()
        for node in ast.walk(tree(source))
        if isinstance(node, ast.arg) and node.arg in {"mocker", "httpx_mock", "respx_mock"}
    ]
    return wrong + fixtures


# -------------------------------------------------------------------------- what the project obeys

RULES: tuple[Rule, ...] = (
    arrows,
    cycles,
    unreadable,
    homes,
    heavy_start,
    impure,
    impure_codecs,
    too_long,
    nameless,
)


def _named(rule: Rule) -> str:
    return rule.__name__


@pytest.mark.parametrize("rule", RULES, ids=_named)
def test_the_project_obeys(rule: Rule) -> None:
    assert rule(project()) == []


def test_the_tests_use_no_mocks() -> None:
    assert mocks(suite()) == []


def test_there_is_something_to_check() -> None:
    assert {"planops.core.decide", "planops.reconcile", START} <= project().keys()
    assert "test_architecture" in suite()


# ------------------------------------------------------------------------------ that rules can fail

CORE = {"planops.core.a": "", "planops.core.b": ""}

BROKEN: tuple[tuple[Rule, Sources], ...] = (
    (arrows, CORE | {"planops.errors": "import planops.core.a"}),
    (arrows, {"planops.core.a": "from planops.ports import Clock", "planops.ports": ""}),
    (arrows, {"planops.core.a": "from planops import ports", "planops.ports": ""}),
    (
        arrows,
        {
            "planops.core.a": (
                "from typing import TYPE_CHECKING\n"
                "if TYPE_CHECKING:\n    from planops.run import Run"
            ),
            "planops.run": "",
        },
    ),
    (arrows, {"planops.ports": "def f():\n    import planops.run", "planops.run": ""}),
    (arrows, {"planops.run": "import planops.reconcile", "planops.reconcile": ""}),
    (arrows, {"planops.execution": "import planops.reconcile", "planops.reconcile": ""}),
    (arrows, {"planops.reconcile": "import planops.backends.http", "planops.backends.http": ""}),
    (arrows, {"planops.reconcile": "import planops.cli", "planops.cli": ""}),
    (arrows, {"planops.testing.a": "import planops.backends.http", "planops.backends.http": ""}),
    (arrows, {"planops.testing.a": "import planops.sandbox.b", "planops.sandbox.b": ""}),
    (arrows, {"planops.reconcile": "import planops.testing.a", "planops.testing.a": ""}),
    (homes, {"planops.testing.a": "import pytest"}),
    (arrows, {"planops.manifests.yaml": "import planops.run", "planops.run": ""}),
    (arrows, {"planops.manifests.a": "import planops.git.b", "planops.git.b": ""}),
    (arrows, {"planops.render.text": "import planops.errors", "planops.errors": ""}),
    (arrows, CORE | {"planops.sandbox.a": "import planops.core.a"}),
    (arrows, {"planops.backends.x.a": "import planops.backends.y.b", "planops.backends.y.b": ""}),
    (arrows, {"planops.backends.http": "import planops.backends.y.b", "planops.backends.y.b": ""}),
    (arrows, {"planops.forges.a": "import planops.backends.y.b", "planops.backends.y.b": ""}),
    (arrows, {"planops.forges.a": "import planops.render.text", "planops.render.text": ""}),
    (arrows, {"planops.backends.http": "import planops.forges.a", "planops.forges.a": ""}),
    (arrows, {"planops.core.a": "import planops", "planops": ""}),
    (arrows, CORE | {"planops.extras": "import planops.core.a"}),
    (arrows, CORE | {"planops.core.a": "from . import b"}),
    (
        cycles,
        {"planops.core.a": "import planops.core.b", "planops.core.b": "import planops.core.a"},
    ),
    (
        cycles,
        {
            "planops.core.a": "import planops.core.b",
            "planops.core.b": "import planops.core.c",
            "planops.core.c": (
                "import typing\nif typing.TYPE_CHECKING:\n    import planops.core.a"
            ),
            "planops.core.d": "import planops.core.a",
        },
    ),
    (unreadable, {"planops.core.a": "import importlib\nimportlib.import_module('os')"}),
    (unreadable, {"planops.core.a": "__import__('os')"}),
    (homes, {"planops.core.compare": "import deepdiff"}),
    (homes, {"planops.core.decide": "def f():\n    import deepdiff"}),
    (homes, {"planops.backends.zadig.backend": "import httpx"}),
    (homes, {"planops.backends.https": "import httpx"}),
    (homes, {"planops.manifests.explain": "def f():\n    import jsonschema"}),
    (homes, {"planops.manifests.schemas": "import jsonschema_rs"}),
    (homes, {"planops.cli.sandbox": "import uvicorn"}),
    (homes, {"planops.reconcile": "import git"}),
    (homes, {"planops.render.html": "from jinja2 import Template"}),
    (heavy_start, {START: "from planops.cli import a", "planops.cli.a": "import httpx"}),
    (
        heavy_start,
        {START: "import planops.x.y", "planops.x": "import yaml", "planops.x.y": ""},
    ),
    (impure, {"planops.core.a": "import os"}),
    (impure, {"planops.core.a": "from pathlib import Path"}),
    (impure, {"planops.core.a": "def f():\n    import random"}),
    (impure, {"planops.core.a": "import urllib.request"}),
    (impure, {"planops.render.a": "import sys"}),
    (impure, {"planops.render.a": "print('x')"}),
    (impure, {"planops.core.a": "from datetime import datetime\ndatetime.now()"}),
    (impure, {"planops.core.a": "import datetime\nfrom_ = datetime.date.today"}),
    (impure, {"planops.core.a": "open('x')"}),
    (
        impure_codecs,
        {
            "planops.backends.x.wire": "import planops.backends.x.jobs",
            "planops.backends.x.jobs": "import planops.backends.http",
            "planops.backends.http": "",
        },
    ),
    (
        impure_codecs,
        {
            "planops.backends.x.lifecycle": "from planops.backends.x import states",
            "planops.backends.x.states": "import time",
        },
    ),
    (too_long, {"planops.core.a": "a = 1\n" * (CEILING + 1)}),
    (nameless, {"planops.core.utils": ""}),
    (nameless, {"planops.helpers.a": ""}),
    (mocks, {"test_a": "from unittest import mock"}),
    (mocks, {"test_a": "import unittest.mock"}),
    (mocks, {"test_a": "def test(mocker): ..."}),
)

SOUND: tuple[tuple[Rule, Sources], ...] = (
    (arrows, CORE | {"planops.core.a": "import planops.core.b"}),
    (arrows, {"planops.cli.a": "import planops.sandbox.b", "planops.sandbox.b": ""}),
    (arrows, {"planops.testing.a": "import planops.reconcile", "planops.reconcile": ""}),
    (arrows, {"planops.backends.x.a": "import planops.backends.http", "planops.backends.http": ""}),
    (arrows, {"planops.forges.a": "import planops.backends.http", "planops.backends.http": ""}),
    (arrows, {"planops.__main__": "from planops.cli import main", "planops.cli": ""}),
    (cycles, CORE | {"planops.core.a": "import planops.core.b"}),
    (unreadable, {"planops.cli.group": "import importlib\nimportlib.import_module('os')"}),
    (homes, {"planops.core.compare": "def f():\n    from deepdiff import DeepDiff"}),
    (
        homes,
        {
            "planops.manifests.explain": (
                "from typing import TYPE_CHECKING\n"
                "if TYPE_CHECKING:\n    from jsonschema.exceptions import ValidationError"
            )
        },
    ),
    (
        heavy_start,
        {
            START: "import click\ndef f():\n    import planops.x",
            "planops.x": "import yaml",
        },
    ),
    (
        impure,
        {"planops.core.a": "from datetime import UTC, datetime\nfrom urllib.parse import quote"},
    ),
    (impure, {"planops.manifests.a": "import os"}),
    (too_long, {"planops.core.a": "a = 1\n" * CEILING}),
    (nameless, {"planops.manifests.manage": ""}),
    (mocks, {"test_a": "from httpx import MockTransport"}),
)


@pytest.mark.parametrize(("rule", "sources"), BROKEN)
def test_a_rule_speaks_up(rule: Rule, sources: Sources) -> None:
    assert len(rule(sources)) == 1


@pytest.mark.parametrize(("rule", "sources"), SOUND)
def test_a_rule_lets_what_is_right_pass(rule: Rule, sources: Sources) -> None:
    assert rule(sources) == []


def test_every_rule_is_shown_to_fail() -> None:
    assert {*RULES, mocks} == {rule for rule, _ in BROKEN}
