"""Pages of a list: by number with a total, or by cursor without. Nulls are last in both directions, ids break ties."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from domain.refusals import Invalid
from projections.reading import Found, Question
from projections.resource import completed


@dataclass(frozen=True, slots=True)
class Sort:
    """A column to sort by: its SQL and type, whether it can be null, and the direction."""

    name: str
    column: str
    type: str
    nullable: bool = False
    descending: bool = False

    @property
    def direction(self) -> str:
        return "desc" if self.descending else "asc"


@dataclass(frozen=True, slots=True)
class Place:
    """Which page: its number, or what a cursor says of the row before it."""

    per_page: int = 25
    page: int = 1
    cursor: str | None = None

    @property
    def passed_over(self) -> int:
        """How many rows come before the page, where it is asked for by its number."""
        return 0 if self.cursor is not None else (self.page - 1) * self.per_page


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows `of` some table, `where` they match, each shown as the document `shown` joined `with_names`."""

    read_models: Sequence[str]
    of: str
    key: str
    where: Sequence[str]
    parameters: Mapping[str, Any]
    sort: Sort
    shown: str
    added: str | None = None
    """SQL of what completes the document."""
    with_names: str = ""
    page_alias: str = "l"
    columns: str = "l.*"
    extras: Sequence[str] = ()
    total: str | None = None
    """SQL of the total where it is kept; else the rows are counted."""
    first: str = ""
    """SQL of what `of` and `total` are both made from: a WITH clause."""
    identity: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    items: list[str]
    extras: list[tuple[Any, ...]]
    next_cursor: str | None
    total: int | None
    behind: int


def question(listing: Listing, place: Place) -> Question:
    """The one statement that answers for a page. Raises Invalid for a cursor that is not of this list.

    `offset 0` keeps the planner from asking for the total once for every row.
    """
    parameters = dict(listing.parameters) | {"limit": place.per_page + 1}
    if place.cursor is None:
        parameters["offset"] = place.passed_over
        inner = _inner(listing, [], "limit %(limit)s offset %(offset)s")
        total = listing.total or f"select count(*) as total from {listing.of} where {_and(listing.where)}"
    else:
        inner, after = _after(listing, place.cursor)
        parameters |= after
        total = "select null::bigint as total"
    sort, k = listing.sort, listing.page_alias
    extras = "".join(f", {sql} as extra{n}" for n, sql in enumerate(listing.extras))
    sql = f"""{listing.first}
select t.total, p.shown, p.added, p.sort_value, p.key{"".join(f", p.extra{n}" for n, _ in enumerate(listing.extras))}
  from ({total} offset 0) t
  left join (
    select {listing.shown} as shown, {listing.added or "null::text"} as added,
           {k}.sort_value::text as sort_value, {k}.key, {k}.sort_value as sorted{extras}
      from ({inner}) {k} {listing.with_names}
  ) p on true
 order by p.sorted {sort.direction} nulls last, p.key {sort.direction}
"""
    return Question(listing.read_models, sql, parameters)


def page_of(listing: Listing, place: Place, found: Found) -> Page:
    total = found.rows[0][0] if found.rows else 0
    rows = [row[1:] for row in found.rows if row[4] is not None]
    more = len(rows) > place.per_page
    rows = rows[: place.per_page]
    cursor = _cursor(listing, *rows[-1][2:4]) if more else None
    items = [shown if added is None else completed(shown, added) for shown, added, *_ in rows]
    return Page(items, [row[4:] for row in rows], cursor, total, found.behind)


def _and(conditions: Sequence[str]) -> str:
    return " and ".join(conditions)


def _inner(listing: Listing, more: Sequence[str], limit: str) -> str:
    sort = listing.sort
    return (
        f"select {listing.columns}, {sort.column} as sort_value, {listing.key} as key"
        f" from {listing.of} where {_and([*listing.where, *more])}"
        f" order by {sort.column} {sort.direction} nulls last, {listing.key} {sort.direction} {limit}"
    )


def _after(listing: Listing, cursor: str) -> tuple[str, dict[str, Any]]:
    """The rows after the cursor's: first those with a value, then those without."""
    value, key = _opened(listing, cursor)
    sort = listing.sort
    than = "<" if sort.descending else ">"
    nulls = f"{sort.column} is null"
    if value is None:
        inner = _inner(listing, [nulls, f"{listing.key} {than} %(after_key)s"], "limit %(limit)s")
        return inner, {"after_key": key}
    beyond = f"({sort.column}, {listing.key}) {than} (%(after_value)s::{sort.type}, %(after_key)s)"
    inner = _inner(listing, [beyond], "limit %(limit)s")
    if sort.nullable:
        inner = f"({inner}) union all ({_inner(listing, [nulls], 'limit %(limit)s')}) limit %(limit)s"
    return inner, {"after_value": value, "after_key": key}


def _identity(listing: Listing) -> str:
    """What a cursor belongs to: this list with these filters in this order."""
    said = [listing.of, listing.sort.name, listing.sort.direction, sorted(listing.identity.items())]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()[:12]


def _cursor(listing: Listing, value: str | None, key: UUID) -> str:
    said = json.dumps([_identity(listing), value, str(key)]).encode()
    return base64.urlsafe_b64encode(said).decode().rstrip("=")


def _opened(listing: Listing, cursor: str) -> tuple[str | None, UUID]:
    try:
        identity, value, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        opened = (None if value is None else str(value), UUID(key))
    except (ValueError, TypeError, AttributeError):
        raise Invalid("cursor", "is not a cursor this service gave") from None
    if identity != _identity(listing):
        raise Invalid("cursor", "belongs to a list with other filters or another order")
    return opened
