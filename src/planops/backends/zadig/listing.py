"""The whole list of plans, proven complete: never a part of it taken for all.

There are two lists (docs/servers/zadig.md §8.2, §8.6): the documented one, which tells no more than
names, and the web interface's, which shows all of a plan but its jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from planops.backends.exchange import Response
from planops.backends.trees import Tree
from planops.backends.zadig.answers import is_id, payload
from planops.backends.zadig.wire import INTERNAL, OPEN
from planops.core.model import JSON
from planops.errors import Garbled, Unreachable
from planops.ports import Stub

PAGE: Final = 1000
PASSES: Final = 4
MAX_PAGES: Final = 1000

Query: TypeAlias = tuple[tuple[str, str], ...]
Read: TypeAlias = Callable[[str, Query], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One of the server's lists: its path, and the query that asks for every plan."""

    path: str
    query: Query = ()


DOCUMENTED: Final = Listing(path=OPEN)
SHOWING: Final = Listing(path=INTERNAL, query=(("type", "name"), ("keyword", "")))
"""By name, of which no part is given: that is every plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A plan in a list: what identifies it, and all that the list says of it."""

    stub: Stub
    document: Tree


Rows: TypeAlias = Mapping[str, Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one page brings, and how many plans the server counts."""

    rows: Rows
    total: int


def whole(listing: Listing, read: Read) -> tuple[Row, ...]:
    """The whole list, or an error; never a part of it.

    A page that could hold more than it brings, and brings exactly the total, is one consistent
    snapshot. Otherwise two passes over all pages are wanted that bring the same plans.
    """
    first, size = page(listing, read, 1, PAGE), PAGE
    if len(first.rows) == PAGE and first.total >= PAGE:
        size = first.total + PAGE
        first = page(listing, read, 1, size)
    if first.total == len(first.rows) < size:
        return tuple(first.rows.values())
    size = len(first.rows) or size  # what the server gives, where it gives less than is asked
    if not first.rows:
        raise Unreachable(
            f"GET {listing.path}: the list of plans is empty, and yet the server counts"
            f" {first.total}; try again when it has recovered"
        )
    last: frozenset[Stub] | None = None
    for _ in range(PASSES):
        found = one_pass(listing, read, size)
        stubs = None if found is None else frozenset(row.stub for row in found)
        if found is not None and stubs == last:
            return found
        last = stubs
    raise Unreachable(
        f"GET {listing.path}: the list of plans changed, or repeated itself, during each of"
        f" {PASSES} passes over it; try again when fewer plans are being made"
    )


def one_pass(listing: Listing, read: Read, size: int) -> tuple[Row, ...] | None:
    """Read page after page to the empty one; nothing where a page only repeats others."""
    found: dict[str, Row] = {}
    for number in range(1, MAX_PAGES):
        rows = page(listing, read, number, size).rows
        if not rows:
            return tuple(sorted(found.values(), key=lambda row: -row.stub.ordinal))
        new = {id_: row for id_, row in rows.items() if id_ not in found}
        if not new:
            return None
        found |= new
    raise Garbled(f"GET {listing.path}: the list of plans has no end after {MAX_PAGES} pages")


def page(listing: Listing, read: Read, number: int, size: int) -> Page:
    """Read one page. Raises ``Garbled`` where it is none."""
    where = f"GET {listing.path}?pageNum={number}"
    query = (("pageNum", str(number)), ("pageSize", str(size)), *listing.query)
    value = payload(read(listing.path, query), where)
    rows, total = value.get("list"), value.get("total")
    if not isinstance(rows, list) or not isinstance(total, int):
        raise Garbled(f"{where}: the answer is no list of plans; check url in planops.yaml")
    found = [_row(listing, row) for row in rows]
    return Page(rows={row.stub.id: row for row in found}, total=total)


def _row(listing: Listing, row: JSON) -> Row:
    if isinstance(row, dict):
        id_, name, ordinal = row.get("id"), row.get("name"), row.get("index")
        named = isinstance(id_, str) and is_id(id_) and isinstance(name, str)
        if named and isinstance(ordinal, int):
            return Row(stub=Stub(id=str(id_), name=str(name), ordinal=ordinal), document=row)
    raise Garbled(
        f"GET {listing.path}: a row of the list has no id, name or index; check the address"
    )
