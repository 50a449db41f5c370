"""A second table beside a live one, folded anew from the log: to compare with it, or to take its place."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from projections.counts import Row
from projections.read_model import ReadModel
from projections.table import Key, Table
from projections.whole_log import WHOLE, Part, folded

Progress = Callable[[int], None]


def shadow_of(model: ReadModel, suffix: str = "shadow") -> ReadModel:
    """The same read model over a table of its own; the counts stay with the live one."""
    return replace(model, table=model.table.named(f"{model.table.name}_{suffix}"), counts=None)


def create_temporary(connection: Connection[Any], model: ReadModel, shadow: ReadModel) -> None:
    """A shadow that ends with the transaction."""
    connection.execute(
        SQL("create temporary table {} (like {}) on commit drop").format(
            Identifier(shadow.name), Identifier(model.name)
        )
    )


@dataclass(frozen=True, slots=True)
class Source:
    """What of a log is folded into shadows: read on a connection, in a transaction of its own."""

    connection: Connection[Any]
    organization_id: str
    upto: int
    part: Part = WHOLE


def fill(connection: Connection[Any], shadows: Sequence[ReadModel], source: Source, told: Progress) -> Counter[str]:
    """Fold a log once and put what it says into each of the shadows by COPY; how many rows that made of each.

    Not further than to the event a stream is parked for.
    """
    made: Counter[str] = Counter()
    kinds = {shadow.of for shadow in shadows}
    for said in folded(source.connection, source.organization_id, source.upto, kinds, source.part):
        for shadow in shadows:
            meant = shadow.rows(source.organization_id, said.states, said.steps)
            rows = [row for row in meant.values() if row is not None]
            copy_rows(connection, shadow.table, rows)
            mine = [state for state in said.states.values() if isinstance(state, shadow.of)]
            for statement in shadow.aside(source.organization_id, mine):
                statement.run(connection)
            made[shadow.name] += len(rows)
        told(said.events)
    return made


def copy_rows(connection: Connection[Any], table: Table, rows: Sequence[Row]) -> None:
    """Put rows into a table that has none of them yet."""
    columns = table.columns
    statement = SQL("copy {} ({}) from stdin").format(Identifier(table.name), SQL(", ").join(map(Identifier, columns)))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([_plain(row.get(column)) for column in columns])


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Drift:
    """A row that is not what the log says."""

    organization_id: str
    key: Key
    how: str
    columns: tuple[str, ...]


def compare(connection: Connection[Any], model: ReadModel, shadow: ReadModel, organization_id: str) -> list[Drift]:
    """The rows of an organisation in which the live table and its shadow differ."""
    statement = SQL(
        """
        select coalesce(l.{key}, s.{key}), l.{key} is null, s.{key} is null, to_jsonb(l), to_jsonb(s)
          from (select * from {live} where organization_id = %(organization_id)s) l
          full join (select * from {shadow} where organization_id = %(organization_id)s) s on s.{key} = l.{key}
         where l is distinct from s
        """
    ).format(key=Identifier(model.table.key), live=Identifier(model.name), shadow=Identifier(shadow.name))
    found = connection.execute(statement, {"organization_id": organization_id})
    return [Drift(organization_id, key, *_difference(*rest)) for key, *rest in found]


def _difference(
    missing: bool, extra: bool, live: Mapping[str, Any], told: Mapping[str, Any]
) -> tuple[str, tuple[str, ...]]:
    if missing:
        return "missing", ()
    if extra:
        return "extra", ()
    return "different", tuple(column for column, value in told.items() if live[column] != value)
