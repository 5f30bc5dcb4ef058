"""XML the way Rails writes it (docs/servers/brpm.md §1.10)."""

import html
import re
from collections.abc import Iterator, Mapping

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BOOLEANS = frozenset({"is_automatic", "auto_start", "requestor_access"})
_INTEGERS = frozenset({"id", "position", "number"})
_DATES = frozenset({"release_date"})
_CLASSES: Mapping[str, str] = {"stages": "PlanStage", "members": "PlanMember"}
_NO_RECORDS = "nil-classes"


def write(root: str, value: object) -> bytes:
    """``value`` as a document whose root element is ``root``."""
    return f"{_HEAD}{_joined(_element(root, value, 0))}".encode()


def write_empty() -> bytes:
    """An empty list, whose root Rails cannot name after its records."""
    return write(_NO_RECORDS, [])


def write_errors(messages: list[str]) -> bytes:
    """Sentences about a record that does not validate (§7.3)."""
    inner = "".join(f"  <error>{_escaped(one)}</error>\n" for one in messages)
    return f"{_HEAD}<errors>\n{inner}</errors>\n".encode()


def _joined(lines: Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _element(name: str, value: object, depth: int, attributes: str = "") -> Iterator[str]:
    tag, indent = name.replace("_", "-"), "  " * depth
    match value:
        case dict():
            yield f"{indent}<{tag}{attributes}>"
            for key, member in value.items():
                yield from _element(key, member, depth + 1)
            yield f"{indent}</{tag}>"
        case []:
            yield f'{indent}<{tag} type="array"/>'
        case list():
            yield f'{indent}<{tag} type="array">'
            of = f' type="{_CLASSES[name]}"' if name in _CLASSES else ""
            for member in value:
                yield from _element(name.removesuffix("s"), member, depth + 1, of)
            yield f"{indent}</{tag}>"
        case _:
            yield f"{indent}<{tag}{_typed(name, value)}>{_text(value)}</{tag}>"


def _typed(name: str, value: object) -> str:
    kind = _kind(name)
    typed = f' type="{kind}"' if kind else ""
    return f'{typed} nil="true"' if value is None else typed


def _kind(name: str) -> str:
    """The type of a column, which its name tells; text has none."""
    if name in _BOOLEANS:
        return "boolean"
    if name in _DATES:
        return "date"
    if name.endswith("_at"):
        return "datetime"
    if name in _INTEGERS or (name.endswith("_id") and name != "foreign_id"):
        return "integer"
    return ""


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return _escaped(str(value))


def _escaped(text: str) -> str:
    """Text with what XML cannot hold replaced by a star, as Rails does."""
    return html.escape(_FORBIDDEN.sub("*", text), quote=False)
