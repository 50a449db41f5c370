"""A second table beside a live one, folded anew from the log: to compare with it, or to take its place."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from application.event_store.keyring import NotLearned
from application.event_store.mapper import EVENTS, State, advance, decode
from application.event_store.reading import learn
from domain.activity.activity import Activity
from domain.activity.events import Fact
from domain.record.events import RecordFact
from projections.counts import Row
from projections.folding import Step
from projections.table import Key, ReadModel, Steps, Table

CHUNK = 2000
MOST_STEPS = 10_000
Progress = Callable[[int], None]

_LOG = """
select originator_id, originator_version, topic, state, position
  from events
 where organization_id = %s and position <= %s and topic = any(%s)
 order by originator_id, originator_version
"""


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


def fill(connection: Connection[Any], shadow: ReadModel, organization_id: str, upto: int, told: Progress) -> int:
    """Fold an organisation's log up to a position into the shadow by COPY; how many rows that made.

    Streams that cannot be folded are left out, as the projector leaves them out.
    """
    made = 0
    for states, steps, events in _folded(connection, shadow, organization_id, upto):
        rows = [row for row in shadow.rows(organization_id, states, steps).values() if row is not None]
        copy_rows(connection, shadow.table, rows)
        if shadow.aside is not None:
            shadow.aside(connection, organization_id, list(states.values()))
        made += len(rows)
        told(events)
    return made


def _folded(
    connection: Connection[Any], shadow: ReadModel, organization_id: str, upto: int
) -> Iterator[tuple[Mapping[UUID, State], Steps, int]]:
    """States of whole streams, chunk by chunk, with their steps where wanted, and from how many events."""
    facts = Fact if shadow.of is Activity else RecordFact
    topics = [topic for topic, event in EVENTS.items() if issubclass(event, facts)]
    states: dict[UUID, State] = {}
    steps: dict[UUID, list[Step]] = {}
    events = 0
    with connection.cursor(name="log") as cursor:
        cursor.execute(_LOG, (organization_id, upto, topics))
        for key, rows in groupby(_read(connection, cursor, organization_id), key=lambda row: row[0]):
            walked: list[Step] | None = [] if shadow.each_step else None
            state, count = _fold(rows, walked)
            events += count
            if state is not None:
                states[key] = state
                steps[key] = walked or []
            if len(states) >= CHUNK or (shadow.each_step and events >= MOST_STEPS):
                yield states, steps, events
                states, steps, events = {}, {}, 0
    yield states, steps, events


def _read(connection: Connection[Any], cursor: Any, organization_id: str) -> Iterator[tuple[Any, ...]]:
    """The rows of the cursor, chunk by chunk, each chunk with the keys that open it."""
    while rows := cursor.fetchmany(CHUNK):
        learn(connection, organization_id, (row[3] for row in rows))
        yield from rows


def _fold(rows: Iterator[tuple[Any, ...]], steps: list[Step] | None) -> tuple[State | None, int]:
    """The state a stream leads to, None where it cannot be folded; and how many events it has."""
    state: State | None = None
    count = 0
    for key, version, topic, stored, position in rows:
        count += 1
        before = state
        try:
            state = advance(state, decode(topic, stored, (key, version)), position)
        except NotLearned:  # no fault of the stream's
            raise
        except Exception:  # noqa: BLE001  whatever it is, the projector parks this stream: there is no row to expect
            return None, count + sum(1 for _ in rows)
        if steps is not None:
            steps.append(Step(before, state, topic, position))
    return state, count


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
