"""A read table and what is written to it, set-based: one statement, however many rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from uuid import UUID

import orjson
from psycopg.sql import SQL, Identifier

from projections.counts import Row
from projections.statement import Statement

Key = UUID | int
"""What tells a table's rows apart within an organisation: a stream's id, or a position in the log."""


@dataclass(frozen=True)
class Table:
    """A read table: its name, the column that is its key within an organisation, and all its columns."""

    name: str
    key: str
    columns: tuple[str, ...]

    def named(self, name: str) -> "Table":
        """The same table under another name: a shadow of it."""
        return replace(self, name=name)

    def append(self, rows: Sequence[Row]) -> Iterator[Statement]:
        """Rows that are not there: that costs a third less than to replace. Fails where one is there after all."""
        if rows:
            yield Statement(self._append, (_json(rows),))

    def replace(self, organization_id: str, rows: Mapping[Key, Row | None]) -> Iterator[Statement]:
        """Make the rows of these keys what is given; None is no row."""
        if gone := [key for key, row in rows.items() if row is None]:
            yield Statement(self._delete, (organization_id, gone))
        if there := [row for row in rows.values() if row is not None]:
            yield Statement(self._upsert, (_json(there),))

    @cached_property
    def _upsert(self) -> bytes:
        changing = [c for c in self.columns if c not in ("organization_id", self.key)]
        on_conflict = SQL(" on conflict (organization_id, {key}) do update set {changes}").format(
            key=Identifier(self.key),
            changes=SQL(", ").join(SQL("{0} = excluded.{0}").format(Identifier(c)) for c in changing),
        )
        return self._append + on_conflict.as_bytes()

    @cached_property
    def _append(self) -> bytes:
        insert = SQL(
            "insert into {table} ({columns}) select {columns} from json_populate_recordset(null::{table}, %s)"
        ).format(table=Identifier(self.name), columns=SQL(", ").join(map(Identifier, self.columns)))
        return insert.as_bytes()

    @cached_property
    def _delete(self) -> bytes:
        delete = SQL("delete from {} where organization_id = %s and {} = any(%s)")
        return delete.format(Identifier(self.name), Identifier(self.key)).as_bytes()


def _json(rows: Sequence[Row]) -> str:
    return orjson.dumps(rows, default=str).decode()
