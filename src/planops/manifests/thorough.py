"""The thorough reader of YAML: the place of every key and value, and everything that is wrong.

Slower than the quick one and used only when a place or an explanation is wanted. A mistake of
syntax ends its document; reading goes on at the next ``---``. It keeps the first of two equal keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import yaml

from planops.core.model import JSON
from planops.manifests import scalars
from planops.manifests.syntax import explain
from planops.manifests.text import Flaw, control_character
from planops.manifests.wording import code, quoted

Path: TypeAlias = tuple[str | int, ...]
Parser: TypeAlias = Callable[[str], Any]
Thing: TypeAlias = Any
"""An event or a mark of PyYAML, which have no common type."""

MAX_DEPTH: Final = 40
MAX_VALUES: Final = 100_000
MAX_DOCUMENTS: Final = 1_000
MAX_FLAWS: Final = 100
MAX_RESTARTS: Final = 20

_NEXT_DOCUMENT = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_SECRET = re.compile(r"(?i)token|password|secret|credential")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a value stands and how it is spelled; for a mapping's entry also where its key is.

    ``last_line`` is where a scalar ends; of a mapping or a list it is only the line of its start.
    """

    line: int
    column: int
    key_line: int
    key_column: int
    last_line: int = 0
    text: str = ""
    plain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One document with the place of everything in it."""

    index: int
    line: int
    value: JSON
    spots: dict[Path, Spot]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All documents that could be read, and everything that is wrong."""

    trees: tuple[Tree, ...]
    flaws: tuple[Flaw, ...]


class _StopError(Exception):
    """The rest of the document is not worth reading."""


class _FullError(Exception):
    """The rest of the file is not worth reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """The mark of a text's first character."""

    index: int = 0
    line: int = 0
    column: int = 0


@dataclass(slots=True, kw_only=True)
class _Frame:
    """An open mapping or list."""

    value: Any
    path: Path
    key: str | None = None
    key_mark: Thing = None
    lost: bool = False  # the pending value belongs to a key that was refused


@dataclass(slots=True, kw_only=True)
class _Reader:
    """What has been read so far."""

    text: str
    first_line: int = 0
    index: int = -1
    count: int = 0
    trees: list[Tree] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    stack: list[_Frame] = field(default_factory=list)
    spots: dict[Path, Spot] = field(default_factory=dict)
    root: JSON = None
    root_line: int = 0

    def flaw(self, mark: Thing, name: str, message: str, hint: str) -> None:
        """Note something wrong."""
        if len(self.flaws) >= MAX_FLAWS:
            raise _FullError
        line = self.first_line + mark.line + 1
        column = mark.column + 1
        self.flaws.append(Flaw(name=name, message=message, hint=hint, line=line, column=column))


def read(text: str, parser: Parser) -> Reading:
    """Read every document of a text."""
    reader = _Reader(text=text)
    for _ in range(MAX_RESTARTS):
        mark = _read_until_broken(reader, parser)
        if mark is None:
            break
        rest = _NEXT_DOCUMENT.search(reader.text, max(mark.index, 1))
        if rest is None:
            break
        reader.first_line += reader.text.count("\n", 0, rest.start())
        reader.text = reader.text[rest.start() :]
    reader.flaws.sort(key=lambda flaw: (flaw.line, flaw.column))
    return Reading(trees=tuple(reader.trees), flaws=tuple(reader.flaws))


def _read_until_broken(reader: _Reader, parser: Parser) -> Thing:
    """Read on to the end; answer the place where it cannot go on, or ``None``."""
    events = parser(reader.text).get_event
    event = None
    try:
        while not isinstance(event, yaml.StreamEndEvent):
            event = events()
            _take(reader, event)
    except yaml.MarkedYAMLError as error:
        mark, message, hint = explain(error, reader.text)
        if len(reader.flaws) < MAX_FLAWS:
            reader.flaw(mark, "syntax", message, hint)
        return error.problem_mark or mark
    except (yaml.YAMLError, ValueError, OverflowError):
        last = event.end_mark if event is not None else _Start()
        reader.flaws.append(_unreadable(reader, last))
        return last
    except _StopError:
        return event.start_mark if event is not None else None
    except _FullError:
        return None
    return None


def _unreadable(reader: _Reader, mark: Thing) -> Flaw:
    """What the parser does not understand and cannot place."""
    line = reader.first_line + mark.line + 1
    message = "this is not YAML: what follows cannot be read"
    return Flaw(name="syntax", message=message, hint="", line=line, column=mark.column + 1)


def _take(reader: _Reader, event: Thing) -> None:
    match event:
        case yaml.ScalarEvent():
            _check_properties(reader, event)
            _scalar(reader, event)
        case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
            _check_properties(reader, event)
            _open(reader, event)
        case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
            reader.stack.pop()
        case yaml.AliasEvent():
            _alias(reader, event)
        case yaml.DocumentStartEvent():
            _begin(reader, event)
        case yaml.DocumentEndEvent():
            _finish(reader)
        case _:
            pass


def _begin(reader: _Reader, event: Thing) -> None:
    if reader.index + 1 >= MAX_DOCUMENTS:
        message = f"the file holds more than {MAX_DOCUMENTS:,} documents"
        reader.flaw(event.start_mark, "too-many-documents", message, "split it")
        raise _FullError
    reader.index += 1
    reader.count = 0
    reader.stack = []
    reader.spots = {}
    reader.root = None
    reader.root_line = reader.first_line + event.start_mark.line + 1
    if event.tags:
        reader.flaw(event.start_mark, "tag", "a %TAG directive is not allowed", "remove it")


def _finish(reader: _Reader) -> None:
    reader.trees.append(
        Tree(index=reader.index, line=reader.root_line, value=reader.root, spots=reader.spots)
    )


def _check_properties(reader: _Reader, event: Thing) -> None:
    if event.anchor is not None:
        reader.flaw(
            event.start_mark,
            "anchor",
            f"the anchor {code('&' + event.anchor)} is not allowed: a file says each thing in full",
            "remove it and repeat the value where it is wanted",
        )
    if event.tag is not None:
        reader.flaw(
            event.start_mark,
            "tag",
            f"the tag {code(_short(event.tag))} is not allowed: a value's form says what it is",
            "remove it; quote the value where it is text",
        )


def _short(tag: str) -> str:
    return "!!" + tag.removeprefix("tag:yaml.org,2002:") if tag.startswith("tag:yaml") else tag


def _alias(reader: _Reader, event: Thing) -> None:
    reader.flaw(
        event.start_mark,
        "alias",
        f"the alias {code('*' + event.anchor)} is not allowed: a file says each thing in full",
        "repeat the value",
    )
    if _awaits_key(reader):
        raise _StopError
    _put(reader, event, None, "")


def _awaits_key(reader: _Reader) -> bool:
    if not reader.stack:
        return False
    frame = reader.stack[-1]
    return isinstance(frame.value, dict) and frame.key is None


def _scalar(reader: _Reader, event: Thing) -> None:
    if _awaits_key(reader):
        _key(reader, event)
        return
    value: JSON = event.value
    if not event.style:
        try:
            value = scalars.resolve(event.value)
        except scalars.Doubtful as doubt:
            _doubt(reader, event, doubt)
    else:
        _check_characters(reader, event)
    text = reader.text[event.start_mark.index : event.end_mark.index][:200]
    _put(reader, event, value, text, plain=not event.style)


def _doubt(reader: _Reader, event: Thing, doubt: scalars.Doubtful) -> None:
    key = reader.stack[-1].key if reader.stack else None
    if key is not None and _SECRET.search(key):
        message = f"the value of {code(key)} means different things to different readers"
        reader.flaw(event.start_mark, doubt.name, message, "quote it")
        return
    reader.flaw(event.start_mark, doubt.name, doubt.message, doubt.hint)


def _check_characters(reader: _Reader, event: Thing) -> None:
    found = "" if event.value.isprintable() else control_character(event.value)
    if found:
        reader.flaw(
            event.start_mark,
            "control-character",
            f"the text holds the control character {found}",
            "remove it",
        )


def _key(reader: _Reader, event: Thing) -> None:
    frame = reader.stack[-1]
    key: str = event.value
    mark = event.start_mark
    frame.key = key
    frame.key_mark = mark
    frame.lost = key in frame.value
    if frame.lost:
        first = reader.spots[(*frame.path, key)]
        place = f"line {first.key_line}, column {first.key_column}"
        message = f"the key {code(key)} is there twice; the first is at {place}"
        reader.flaw(mark, "duplicate-key", message, "keep one of them")
    elif event.style:
        _check_characters(reader, event)
    elif key == "<<":
        frame.lost = True
        message = "the merge key `<<` is not allowed: a file says each thing in full"
        reader.flaw(mark, "merge-key", message, "write the keys out")
    else:
        _check_name(reader, key, mark)


def _check_name(reader: _Reader, key: str, mark: Thing) -> None:
    try:
        meaning = scalars.resolve(key)
    except scalars.Doubtful as doubt:
        reader.flaw(mark, doubt.name, f"as a key, {doubt.message}", f"write {quoted(key)}")
        return
    if isinstance(meaning, str):
        return
    what = {bool: "a boolean", int: "a number", float: "a number"}.get(type(meaning), "null")
    said = f"the key {code(key)} is {what}, not text" if key else "a key is empty"
    reader.flaw(mark, "key-not-text", said, f"write {quoted(key)}" if key else "name it")


def _open(reader: _Reader, event: Thing) -> None:
    if _awaits_key(reader):
        message = "a mapping or a list is used as a key"
        reader.flaw(event.start_mark, "key-not-text", message, "a key is text")
        raise _StopError
    if len(reader.stack) >= MAX_DEPTH:
        message = f"more than {MAX_DEPTH} mappings and lists inside each other"
        reader.flaw(event.start_mark, "too-deep", message, "this is no plan")
        raise _StopError
    value: JSON = {} if isinstance(event, yaml.MappingStartEvent) else []
    reader.stack.append(_Frame(value=value, path=_put(reader, event, value, "")))


def _put(reader: _Reader, event: Thing, value: JSON, text: str, *, plain: bool = False) -> Path:
    """Put a value where it belongs and note its place."""
    reader.count += 1
    if reader.count > MAX_VALUES:
        message = f"the document holds more than {MAX_VALUES:,} values"
        reader.flaw(event.start_mark, "too-many-values", message, "split it")
        raise _StopError
    if not reader.stack:
        reader.root = value
        reader.root_line = reader.first_line + event.start_mark.line + 1
        reader.spots[()] = _spot(reader, event, event.start_mark, text, plain=plain)
        return ()
    frame = reader.stack[-1]
    if isinstance(frame.value, list):
        path: Path = (*frame.path, len(frame.value))
        frame.value.append(value)
        reader.spots[path] = _spot(reader, event, event.start_mark, text, plain=plain)
        return path
    key = frame.key or ""
    frame.key = None
    if frame.lost:
        return (*frame.path, key, "")
    path = (*frame.path, key)
    frame.value[key] = value
    reader.spots[path] = _spot(reader, event, frame.key_mark, text, plain=plain)
    return path


def _spot(reader: _Reader, event: Thing, key: Thing, text: str, *, plain: bool) -> Spot:
    mark = key if plain and not text else event.start_mark
    end = event.end_mark
    last = end.line if end.column or end.line <= mark.line else end.line - 1
    return Spot(
        line=reader.first_line + mark.line + 1,
        column=mark.column + 1,
        key_line=reader.first_line + key.line + 1,
        key_column=key.column + 1,
        last_line=reader.first_line + max(mark.line, last) + 1,
        text=text,
        plain=plain,
    )
