"""When a key was last used: written at most once a minute, and never in the way of the request that used it."""

import asyncio
import logging
import time
from collections import OrderedDict
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

log = logging.getLogger(__name__)

PAUSE = 60.0
MOST = 4096

_TOUCH = "select touch_api_key(%s, %s)"


class LastUse:
    """What one worker has noted. Losing a note loses nothing but the minute."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[Any]]) -> None:
        self._pool = pool
        self._noted: OrderedDict[str, float] = OrderedDict()
        self._writing: set[asyncio.Task[None]] = set()

    def note(self, organization_id: str, key_id: str) -> None:
        now = time.monotonic()
        if now - self._noted.get(key_id, -PAUSE) < PAUSE:
            return
        self._noted[key_id] = now
        self._noted.move_to_end(key_id)
        if len(self._noted) > MOST:
            self._noted.popitem(last=False)
        writing = asyncio.create_task(self._write(organization_id, key_id))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)

    async def written(self) -> None:
        """Returns when everything noted is written, or has failed."""
        await asyncio.gather(*self._writing, return_exceptions=True)

    async def _write(self, organization_id: str, key_id: str) -> None:
        try:
            async with self._pool.connection() as connection:
                await connection.execute(_TOUCH, (organization_id, key_id))
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("the last use of an API key was not written: %s", type(error).__name__)
