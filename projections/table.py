"""A read table and what is written to it, set-based: one statement, however many rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from application.event_store.mapper import State
from domain.erasure.erasures import Erasures
from projections.counts import Counts, Row
from projections.folding import Step

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

    def upsert(self, connection: Connection[Any], rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            connection.execute(self._upsert, (orjson.dumps(rows, default=_plain).decode(),))

    def append(self, connection: Connection[Any], rows: Sequence[Row]) -> None:
        """Put in rows that are not there: that costs a third less than `upsert`. Fails where one is there after all."""
        if rows:
            connection.execute(self._append, (orjson.dumps(rows, default=_plain).decode(),))

    def delete(self, connection: Connection[Any], organization_id: str, keys: Iterable[Key]) -> None:
        if gone := list(keys):
            connection.execute(self._delete, (organization_id, gone))

    def replace(
        self,
        connection: Connection[Any],
        organization_id: str,
        rows: Mapping[Key, Row | None],
    ) -> None:
        """Make the rows of these keys what is given; None is no row."""
        self.delete(connection, organization_id, (key for key, row in rows.items() if row is None))
        self.upsert(connection, [row for row in rows.values() if row is not None])

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


RowOf = Callable[[str, UUID, Any], Row | None]
Steps = Mapping[UUID, Sequence[Step]]
Aside = Callable[[Connection[Any], str, Sequence[Any]], None]


@dataclass(frozen=True)
class ReadModel:
    """A fold of states into a table: `row` says what a state of kind `of` means, None that it means no row.

    A state is not written that differs from the one before in nothing the row `depends_on` (the names of attributes;
    none: on everything). `counts` are moved with the rows: `counted` says what a state counts as, in each of what it
    yields. `aside` may write what the table alone does not hold; `sweep` takes out of that what nothing needs any
    more, once somebody's data were erased. With `each_step` there is a row a fact: `row` is given each Step, and the
    table's key is its position.
    """

    table: Table
    of: type[Any]
    row: RowOf
    depends_on: tuple[str, ...] = ()
    aside: Aside | None = None
    sweep: Callable[[Connection[Any], str], None] | None = None
    counts: Counts | None = None
    counted: Callable[[Any], Iterable[tuple[Any, ...]]] = lambda state: ()
    each_step: bool = False

    @property
    def name(self) -> str:
        return self.table.name

    def rows(self, organization_id: str, states: Mapping[UUID, State], steps: Steps) -> dict[Key, Row | None]:
        """What these states mean, or the steps that led to them."""
        mine = {key: state for key, state in states.items() if isinstance(state, self.of)}
        if self.each_step:
            return {s.position: self.row(organization_id, key, s) for key in mine for s in steps[key]}
        return {key: self.row(organization_id, key, state) for key, state in mine.items()}

    def write(
        self,
        connection: Connection[Any],
        organization_id: str,
        states: Mapping[UUID, State],
        before: Mapping[UUID, State | None],
        steps: Steps,
        *,
        again: bool = False,
    ) -> None:
        """Make the table say what these states say; it said what the states `before` say.

        `again`: some of these steps may have been written already.
        """
        changed = {
            key: state
            for key, state in states.items()
            if isinstance(state, self.of) and not self._says_the_same(before.get(key), state)
        }
        rows = self.rows(organization_id, changed, steps)
        if not again:
            new = list(rows) if self.each_step else [key for key in changed if before.get(key) is None]
            self.table.append(connection, [row for key in new if (row := rows.pop(key)) is not None])
        self.table.replace(connection, organization_id, rows)
        if self.counts is not None:
            gone = [before[key] for key in changed if before.get(key) is not None]
            self.counts.move(connection, organization_id, self._counted(gone), self._counted(changed.values()))
        if self.aside is not None:
            self.aside(connection, organization_id, list(changed.values()))
        if self.sweep is not None and any(isinstance(state, Erasures) for state in states.values()):
            self.sweep(connection, organization_id)

    def _says_the_same(self, before: State | None, state: State) -> bool:
        if before is None or not self.depends_on:
            return False
        return all(getattr(before, name) == getattr(state, name) for name in self.depends_on)

    def _counted(self, states: Iterable[State | None]) -> Iterator[tuple[Any, ...]]:
        return (values for state in states for values in self.counted(state))


def _plain(value: object) -> object:
    return str(value)
