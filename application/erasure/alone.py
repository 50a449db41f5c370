"""One erasure of a person at a time, whichever process is at it.

The lock is the database's and ends with the connection: so an erasure whose process was killed is nobody's at once.
"""

import asyncio
import time
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from application.refusals import Unavailable

_PAUSE = 0.1
_TAKE = "select pg_try_advisory_lock(hashtextextended('activities: erasure|' || %s || '|' || %s, 0))"


class UnderWay(Unavailable):
    """Somebody else is erasing this person right now."""

    def __init__(self) -> None:
        super().__init__("This erasure is under way: ask again how it ended")


async def alone(connection: AsyncConnection[Any], organization_id: str, person: UUID, patience: float) -> None:
    """Until the connection ends nobody else erases the person. Raises UnderWay after `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        cursor = await connection.execute(_TAKE, (organization_id, str(person)))
        if await cursor.fetchone() == (True,):
            return
        if time.monotonic() >= deadline:
            raise UnderWay
        await asyncio.sleep(_PAUSE)
