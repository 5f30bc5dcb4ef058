"""The emulated server's inside: its records and clock, and one request to it.

Operations take a ``Realm`` and a ``Call`` and either return an answer or raise a ``Refusal``.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from planops.sandbox.brpm.answers import Failed, Format, NotFound
from planops.sandbox.brpm.queries import nested
from planops.sandbox.brpm.store import Kind, Store
from planops.sandbox.brpm.switches import Switches
from planops.sandbox.clock import Clock
from planops.sandbox.emulated import Document
from planops.sandbox.messages import Request

ANY_EVENT = "*"
_ZONE = dt.timezone(dt.timedelta(hours=-4))
_JSON_TYPES = frozenset({"application/json", "text/x-json"})
_FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, as far as an operation sees it; ``stuck`` are events that do nothing."""

    request: Request
    form: Format
    switches: Switches
    key: str = ""
    stuck: frozenset[tuple[int, str]] = field(default=frozenset())

    @property
    def filters(self) -> Mapping[str, Any]:
        """The filters that were sent; none where they are no map (§3.1)."""
        given = nested(self.request.query_text).get("filters")
        return given if isinstance(given, dict) else {}

    @property
    def given(self) -> Document:
        """What the envelope ``plan`` holds; nothing where there is none (§1.4)."""
        body = _read(self.request)
        plan = body.get("plan") if isinstance(body, dict) else None
        return plan if isinstance(plan, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """Everything an operation may touch."""

    store: Store
    clock: Clock

    def find(self, kind: Kind, key: str) -> Document:
        """The record with the id of a path; ``NotFound`` when there is none."""
        found = self.store.get(kind, int(key)) if key.isdecimal() else None
        if found is None:
            raise NotFound
        return found

    def now(self) -> str:
        """The current moment as the server writes it."""
        return dt.datetime.fromtimestamp(self.clock.now(), _ZONE).isoformat()


def _read(request: Request) -> object:
    """A body by its content type; ``Failed`` for JSON that is none (§8.2)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _FORM_TYPE:
        return nested(request.body.decode("utf-8", "replace"))
    if kind not in _JSON_TYPES or not request.body.strip():
        return None
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        raise Failed from None
