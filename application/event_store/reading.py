"""Reading the log for those who follow it: what came after a position, and whole streams.

What is read can be opened: the keys come with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection

from application.event_store.keyring import KEYS_BY_ID, RING

_AFTER = """
select originator_id, originator_version, topic, state, position, recorded_at
  from events
 where organization_id = %s and position > %s and position <= %s
 order by position
"""
_STREAMS = """
select originator_id, originator_version, topic, state, position, recorded_at
  from events
 where organization_id = %s and originator_id = any(%s) and position <= %s
 order by position
"""
_COMMANDS = """
select distinct metadata ->> 'command_id'
  from events
 where organization_id = %s and position > %s and position <= %s and metadata ? 'command_id'
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A fact as it stands in the log."""

    key: UUID
    version: int
    topic: str
    state: bytes
    position: int
    recorded_at: datetime


def after(connection: Connection[Any], organization_id: str, position: int, upto: int) -> list[Row]:
    """The facts after `position` and up to `upto`, in order."""
    return _read(connection, organization_id, _AFTER, (organization_id, position, upto))


def streams(connection: Connection[Any], organization_id: str, keys: Iterable[UUID], upto: int) -> list[Row]:
    """All facts of these streams up to a position, in order."""
    return _read(connection, organization_id, _STREAMS, (organization_id, list(keys), upto))


def commands(connection: Connection[Any], organization_id: str, position: int, upto: int) -> list[str]:
    """The ids of the commands that led to the facts after `position` and up to `upto`."""
    return [row[0] for row in connection.execute(_COMMANDS, (organization_id, position, upto))]


def learn(connection: Connection[Any], organization_id: str, states: Iterable[bytes]) -> None:
    """Teach the ring the keys these stored facts are sealed with."""
    if unknown := RING.unknown(states):
        RING.learned(connection.execute(KEYS_BY_ID, (organization_id, unknown)))


def _read(
    connection: Connection[Any], organization_id: str, sql: LiteralString, parameters: Sequence[Any]
) -> list[Row]:
    rows = [Row(*row) for row in connection.execute(sql, parameters)]
    learn(connection, organization_id, (row.state for row in rows))
    return rows
