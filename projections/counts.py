"""Totals that are kept beside a read table, so that asking how many costs the same however many there are."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier, Literal

from application.postgres.arrays import array
from projections.statement import Statement

Row = Mapping[str, Any]

ANY_TEXT, ANY_NUMBER, ANY_KEY = "*", -1, UUID(int=0)
"""What a column says in the roll-ups where it does not matter."""


@dataclass(frozen=True)
class Counts:
    """How many rows have the same `columns` (with their types), and how many whatever some of the columns say."""

    name: str
    columns: Mapping[str, str]
    of: str
    """SQL of the groups and roll-ups as they are now: organization_id, columns, n."""

    def move(
        self,
        organization_id: str,
        gone: Iterable[tuple[Any, ...]],
        come: Iterable[tuple[Any, ...]],
    ) -> Iterator[Statement]:
        """Rows that count as these values are no longer there, or are there now."""
        moved = Counter(come)
        moved.subtract(Counter(gone))
        if rows := [(*values, n) for values, n in moved.items() if n]:
            arrays = map(array, (*self.columns.values(), "bigint"), zip(*rows, strict=True))
            yield Statement(self._move, (organization_id, *arrays))

    def recount(self, connection: Connection[Any]) -> None:
        """Count everything again."""
        connection.execute(SQL("delete from {}").format(Identifier(self.name)))
        connection.execute(SQL("insert into {} ").format(Identifier(self.name)) + SQL(self.of))

    def wrong(self, connection: Connection[Any], organization_id: str) -> int:
        """How many of an organisation's counts are not what a count of the rows says."""
        row = connection.execute(self._wrong, {"organization_id": organization_id}).fetchone()
        return 0 if row is None else int(row[0])

    @property
    def _columns(self) -> Composed:
        return SQL(", ").join(map(Identifier, ("organization_id", *self.columns)))

    @cached_property
    def _move(self) -> bytes:
        """In the order of the key: who else counts here waits for this, and neither for the other."""
        arrays = [SQL("%s::{}[]").format(SQL(of)) for of in (*self.columns.values(), "bigint")]
        move = SQL(
            "insert into {table} as c ({columns}, n)"
            " select %s, u.* from unnest({arrays}) as u order by {keys}"
            " on conflict ({columns}) do update set n = c.n + excluded.n"
        ).format(
            table=Identifier(self.name),
            columns=self._columns,
            arrays=SQL(", ").join(arrays),
            keys=SQL(", ").join(Literal(place) for place, _ in enumerate(self.columns, start=2)),
        )
        return move.as_bytes()

    @property
    def _wrong(self) -> Composed:
        return SQL(
            "select count(*) from (select {columns}, n from {table} where n <> 0) kept"
            " full join ({of}) told using ({columns})"
            " where organization_id = %(organization_id)s and kept.n is distinct from told.n"
        ).format(table=Identifier(self.name), columns=self._columns, of=SQL(self.of))
