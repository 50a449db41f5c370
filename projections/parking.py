"""Parked streams: which they are, and projecting them again once what was wrong is mended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection

from application.event_store import reading
from application.postgres.connections import Role, conninfo
from application.streams import StateCache
from projections.catching_up import of_the_data
from projections.folding import Folder
from projections.read_models import READ_MODELS

_PARKED = """
select organization_id, originator_id, position, topic, reason, parked_at
  from parked
 order by organization_id, parked_at
"""
_QUEUED = """
select position, originator_version, topic, recorded_at, metadata ->> 'command_id', metadata ->> 'correlation_id'
  from events
 where organization_id = %s and originator_id = %s and position >= %s
 order by position
"""
_CURSORS = "select read_model, position from cursors where organization_id = %s order by read_model for update"
_UNPARK = "delete from parked where organization_id = %s and originator_id = %s"
_REASON = "update parked set reason = %s, parked_at = now() where organization_id = %s and originator_id = %s"


@dataclass(frozen=True, slots=True)
class Parked:
    """A stream that waits, and the event it waits for."""

    organization_id: str
    key: UUID
    position: int
    topic: str
    reason: str
    parked_at: datetime


@dataclass(frozen=True, slots=True)
class Queued:
    """An event of a parked stream: the one it waits for, or one behind it. Says nothing of what the event says."""

    position: int
    version: int
    topic: str
    recorded_at: datetime
    command_id: str | None
    request_id: str | None


def parked(dsn: str) -> list[Parked]:
    with psycopg.connect(conninfo(dsn, Role.PROJECTOR)) as connection:
        return [Parked(*row) for row in connection.execute(_PARKED)]


def queue_of(dsn: str, waiting: Parked) -> list[Queued]:
    """The event the stream waits for, then those queued behind it, in order."""
    with psycopg.connect(conninfo(dsn, Role.PROJECTOR)) as connection:
        asked = (waiting.organization_id, waiting.key, waiting.position)
        return [Queued(*row) for row in connection.execute(_QUEUED, asked)]


def retry(dsn: str, waiting: Parked) -> bool:
    """Fold the whole stream again and write its rows; False where it has to stay parked."""
    with psycopg.connect(conninfo(dsn, Role.PROJECTOR)) as connection:
        places: dict[str, int] = dict(connection.execute(_CURSORS, (waiting.organization_id,)).fetchall())
        for position in set(places.values()):
            models = [READ_MODELS[name] for name, at in places.items() if at == position and name in READ_MODELS]
            if (reason := _project(connection, waiting, models, position)) is not None:
                connection.rollback()
                connection.execute(_REASON, (reason, waiting.organization_id, waiting.key))
                return False
        connection.execute(_UNPARK, (waiting.organization_id, waiting.key))
    return True


def _project(connection: Connection[Any], waiting: Parked, models: list[Any], upto: int) -> str | None:
    """Why it cannot be projected; None once it is."""
    rows = reading.streams(connection, waiting.organization_id, [waiting.key], upto)
    fold = Folder(StateCache()).fold(connection, waiting.organization_id, rows, without=set())
    if fold.poison:
        return fold.poison[0].reason
    written = [row for row in rows if row.position < waiting.position]
    before = Folder(StateCache()).fold(connection, waiting.organization_id, written, without=set()).states
    try:
        for model in models:
            for statement in model.statements(waiting.organization_id, fold.states, before, fold.steps, again=True):
                statement.run(connection)
    except Exception as error:
        if not of_the_data(error):
            raise
        return f"{type(error).__name__}: no read table can hold it"
    return None
