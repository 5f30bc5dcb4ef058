"""Fixtures of any server: a default in the package, and a caller's own in its place or on top."""

import copy
import importlib.resources
import json
from collections.abc import Mapping
from typing import Any

from planops.sandbox.emulated import Document


def default(package: str) -> Document:
    """The fixtures that a server's package brings along."""
    text = importlib.resources.files(package).joinpath("fixtures.json").read_text("utf-8")
    document: Document = json.loads(text)
    return document


def apart(given: Mapping[str, Any], fixtures: Mapping[str, Any]) -> tuple[Document, Document]:
    """A copy of a caller's own fixtures, and of what they extend, which may be nothing.

    Raises ``ValueError`` with one sentence that begins with the place.
    """
    own = copy.deepcopy(dict(given))
    extends = own.pop("extends", None)
    if extends not in {None, "default"}:
        raise ValueError(f"extends: is {extends!r}: only 'default' can be extended")
    return own, copy.deepcopy(dict(fixtures)) if extends else {}


def joined(base: list[Document], own: list[Document], key: str) -> list[Document]:
    """Entries of both; one of the caller's takes the place of the default's with the same key."""
    replaced = {one.get(key) for one in own} if key else set()
    return [one for one in base if not key or one[key] not in replaced] + own
