"""Query strings and forms as Rails reads them: brackets nest, an empty pair collects a list.

``filters[name]=a&filters[aasm_state][]=b`` is ``{"filters": {"name": "a", "aasm_state": ["b"]}}``;
brackets may be percent-encoded, and empty parts are skipped (docs/servers/brpm.md §3.1, §3.2).
"""

import re
import urllib.parse

from planops.sandbox.emulated import Document

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


def nested(text: str) -> Document:
    """A query string or form as nested data; of two equal keys the last one counts."""
    found: Document = {}
    for part in text.split("&"):
        if part:
            key, _, value = part.partition("=")
            _put(found, _path(urllib.parse.unquote_plus(key)), urllib.parse.unquote_plus(value))
    return found


def _path(key: str) -> list[str]:
    name, bracket, rest = key.partition("[")
    return [name, *_BRACKETS.findall(bracket + rest)]


def _put(found: Document, path: list[str], value: str) -> None:
    """What does not fit what an earlier part began is dropped."""
    name, rest = path[0], path[1:]
    if not rest:
        found[name] = value
    elif rest == [""]:
        listed = found.setdefault(name, [])
        if isinstance(listed, list):
            listed.append(value)
    else:
        inner = found.setdefault(name, {})
        if isinstance(inner, dict):
            _put(inner, rest, value)
