"""Where a person may be spoken of, and where an erasure stands: read from the log, a stretch of it at a time."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from application.event_store.keyring import KEYS_BY_ID, RING
from application.event_store.reading import Row

POSITIONS = 50_000

_CONFINE = "select set_config('activities.organization_id', %s, true)"
_HEAD = "select position from heads where organization_id = %s"
_KEY = """
select key_id, erasure_id, closed_at is not null, destroyed_at is not null
  from data_keys
 where organization_id = %s and subject = %s
"""
_STREAMS = """
select distinct originator_id
  from events, lateral (select lower(convert_from(state, 'UTF8')) as said) as stored
 where organization_id = %s and position > %s and position <= %s and topic like 'activity.%%'
   and exists (select from unnest(%s::text[]) as needle where strpos(said, needle) > 0)
"""
_ROWS = """
select originator_id, originator_version, topic, state, position, recorded_at
  from events
 where organization_id = %s and originator_id = any(%s)
 order by originator_id, originator_version
"""


@dataclass(frozen=True, slots=True)
class KeyFound:
    """A person's key: whether an erasure closed it, and whether it is destroyed."""

    id: UUID
    erasure_id: str | None
    closed: bool
    destroyed: bool


class Searching:
    """Reads of one organisation's log on a connection that commits by itself."""

    def __init__(self, connection: AsyncConnection[Any], organization_id: str) -> None:
        self._connection = connection
        self._organization_id = organization_id

    async def key_of(self, person: UUID) -> KeyFound | None:
        rows = await self._ask(_KEY, person)
        return KeyFound(*rows[0]) if rows else None

    async def head(self) -> int:
        rows = await self._ask(_HEAD)
        return int(rows[0][0]) if rows else 0

    async def streams_that_mention(self, needles: Iterable[str], after: int, upto: int) -> set[UUID]:
        """The activities whose stored facts contain one of these texts, in any case."""
        wanted = [needle.lower() for needle in needles]
        found: set[UUID] = set()
        for start in range(after, upto, POSITIONS):
            rows = await self._ask(_STREAMS, start, min(start + POSITIONS, upto), wanted)
            found.update(row[0] for row in rows)
        return found

    async def rows_of(self, streams: Iterable[UUID]) -> dict[UUID, list[Row]]:
        """All facts of these streams, with the keys that open them."""
        async with self._connection.transaction():
            await self._connection.execute(_CONFINE, (self._organization_id,))
            cursor = await self._connection.execute(_ROWS, (self._organization_id, list(streams)))
            rows = [Row(*row) for row in await cursor.fetchall()]
            if unknown := RING.unknown(row.state for row in rows):
                keys = await self._connection.execute(KEYS_BY_ID, (self._organization_id, unknown))
                RING.learned(await keys.fetchall())
        found: dict[UUID, list[Row]] = {}
        for row in rows:
            found.setdefault(row.key, []).append(row)
        return found

    async def _ask(self, sql: Any, *parameters: Any) -> list[tuple[Any, ...]]:
        async with self._connection.transaction():
            await self._connection.execute(_CONFINE, (self._organization_id,))
            return await (await self._connection.execute(sql, (self._organization_id, *parameters))).fetchall()


def in_json(text: str) -> str:
    """A text as it stands in stored JSON, quotes included."""
    return json.dumps(text, ensure_ascii=False)
