"""Strict YAML over PyYAML's event stream: values for good files, every problem for bad ones.

A file is read once, quickly and without positions; at the first doubt it is read again by the
thorough reader, which keeps the place of everything and collects what is wrong. Neither builds
anything but plain values, follows an alias, obeys a tag or recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

import yaml

from planops.core.model import JSON, Mark, Problem, Severity
from planops.manifests import scalars, thorough
from planops.manifests.text import Flaw, control_character, decode
from planops.manifests.thorough import (
    MAX_DEPTH,
    MAX_DOCUMENTS,
    MAX_VALUES,
    Parser,
    Path,
    Spot,
    Thing,
)

__all__ = ["Document", "Parsed", "Path", "Spot", "parse", "spots"]

_SCALAR: Final = yaml.ScalarEvent
_MAPPING: Final = yaml.MappingStartEvent
_SEQUENCE: Final = yaml.SequenceStartEvent
_ENDS: Final = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
_DOCUMENT: Final = yaml.DocumentStartEvent
_END: Final = yaml.StreamEndEvent
_NUMERIC: Final = scalars.NUMERIC
_AWKWARD: Final = scalars.LEGACY | frozenset(scalars.CONSTANTS)
"""The words that are not simply text; one of them is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a file: which (from 0), where its content begins, and what it says."""

    index: int
    line: int
    value: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a file holds. Empty documents are left out; a broken one is only among the problems."""

    documents: tuple[Document, ...] = ()
    problems: tuple[Problem, ...] = ()


class _InDoubtError(Exception):
    """Something that only the thorough reader can explain."""


def default_parser() -> Parser:
    """Choose libyaml's parser, or the slower pure one where PyYAML was built without it."""
    if yaml.__with_libyaml__:
        from yaml._yaml import CParser  # noqa: PLC0415 -- not there without libyaml

        return CParser
    return yaml.SafeLoader


def parse(data: bytes, file: str, parser: Parser | None = None) -> Parsed:
    """Read a file's documents; whatever the bytes, the answer is values or problems."""
    text = decode(data)
    if isinstance(text, Flaw):
        return Parsed(problems=(_problem(text, file),))
    parser = parser or default_parser()
    try:
        return Parsed(documents=tuple(_quick(text, parser)))
    except (_InDoubtError, yaml.YAMLError, ValueError, OverflowError):
        found = thorough.read(text, parser)
    return Parsed(
        documents=tuple(
            Document(index=tree.index, line=tree.line, value=tree.value)
            for tree in found.trees
            if tree.value is not None
        ),
        problems=tuple(_problem(flaw, file) for flaw in found.flaws),
    )


def spots(data: bytes, parser: Parser | None = None) -> dict[int, dict[Path, Spot]]:
    """Find the place of every key and value, by document; empty where the bytes are no text."""
    text = decode(data)
    if isinstance(text, Flaw):
        return {}
    found = thorough.read(text, parser or default_parser())
    return {tree.index: tree.spots for tree in found.trees}


def _problem(flaw: Flaw, file: str) -> Problem:
    return Problem(
        severity=Severity.ERROR,
        code=flaw.name,
        message=flaw.message,
        hint=flaw.hint,
        mark=Mark(file=file, line=flaw.line, column=flaw.column),
    )


def _quick(text: str, parser: Parser) -> Iterator[Document]:
    """Yield the documents that are not empty."""
    event = parser(text).get_event
    index = -1
    while True:
        start = event()
        kind = type(start)
        if kind is _DOCUMENT:
            if start.tags:
                raise _InDoubtError
            index += 1
            if index >= MAX_DOCUMENTS:
                raise _InDoubtError
            first = event()
            value = _value(first, event)
            if value is not None:
                yield Document(index=index, line=first.start_mark.line + 1, value=value)
        elif kind is _END:
            return


def _value(  # noqa: C901, PLR0912, PLR0915 -- one loop without calls: this is where the time goes
    first: Thing,
    event: Callable[[], Thing],
) -> JSON:
    """Build one document's value from its events."""
    root: JSON = None
    current: Any = None
    key: str | None = None
    in_mapping = False
    stack: list[tuple[Any, bool]] = []
    count = 0
    item = first
    while True:
        kind = type(item)
        if kind is _SCALAR:
            if item.anchor is not None or item.tag is not None:
                raise _InDoubtError
            value: Any = item.value
            if in_mapping and key is None:
                if value in current or not _is_name(value, item.style):
                    raise _InDoubtError
                key = value
            else:
                count += 1
                if count > MAX_VALUES:
                    raise _InDoubtError
                if not item.style:
                    if value in _AWKWARD or value[0] in _NUMERIC:
                        value = scalars.resolve(value)
                elif item.style == '"' and not value.isprintable() and control_character(value):
                    raise _InDoubtError
                if in_mapping:
                    current[key] = value
                    key = None
                elif current is not None:
                    current.append(value)
                else:
                    return cast("JSON", value)  # a document of one word: the schema refuses it
        elif kind is _MAPPING or kind is _SEQUENCE:
            if item.anchor is not None or item.tag is not None or (in_mapping and key is None):
                raise _InDoubtError
            count += 1
            value = {} if kind is _MAPPING else []
            if current is None:
                root = value
            elif in_mapping:
                current[key] = value
                key = None
            else:
                current.append(value)
            stack.append((current, in_mapping))
            if len(stack) > MAX_DEPTH or count > MAX_VALUES:
                raise _InDoubtError
            current = value
            in_mapping = kind is _MAPPING
        elif kind in _ENDS:
            current, in_mapping = stack.pop()
            if not stack:
                return root
        else:
            raise _InDoubtError
        item = event()


def _is_name(key: str, style: str | None) -> bool:
    """Say whether a key is text to every reader."""
    if style:
        return key.isprintable() or not control_character(key)
    return (
        key not in _AWKWARD
        and key != "<<"
        and (key[0] not in _NUMERIC or isinstance(scalars.resolve(key), str))
    )
