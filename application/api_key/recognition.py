"""Recognising API keys, as one worker does it for every request.

What a look-up says counts for HONOURED seconds, so a busy key costs two look-ups a second. Whoever revokes a key is
answered only when these are over, too (`forgotten`): from then on no worker anywhere takes it.
"""

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from application.api_key.last_use import LastUse
from application.api_key.listing import ShownKey, listed
from application.api_key.secrets import KeyText, new_key
from application.postgres.connections import Role, conninfo
from application.refusals import Unavailable

HONOURED = 0.5
PATIENCE = 5.0
SILENCE = 8.0
"""Seconds anybody waits for a look-up."""
MOST = 4096

_PRESENTED = "select organization_id, scopes, secret_hmac, revoked from presented_api_key(%s)"


@dataclass(frozen=True, slots=True)
class RecognisedKey:
    """Which client it is, of which organisation, with which rights."""

    id: str
    organization_id: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _LookUp:
    """What the table says of an id: the key and the HMAC of its secret; None where there is no such key."""

    found: asyncio.Task[tuple[RecognisedKey, str] | None]
    counts_until: float


class ApiKeys:
    """Between `open` and `close`, or within `opened`."""

    def __init__(self, dsn: str, pepper: str, *, size: int = 2) -> None:
        self.pepper = pepper
        self._nobodys = new_key().hmac(pepper)
        self._look_ups: OrderedDict[str, _LookUp] = OrderedDict()
        self._pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
            conninfo(dsn, Role.WRITER),
            min_size=0,
            max_size=size,
            timeout=PATIENCE,
            kwargs={"autocommit": True},
            check=AsyncConnectionPool.check_connection,
            open=False,
        )
        self._last_use = LastUse(self._pool)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["ApiKeys"]:
        async with self._pool:
            yield self
            await self._last_use.written()

    async def recognised(self, text: str) -> RecognisedKey | None:
        """The key that reads so; None where there is none, or no longer. Raises Unavailable."""
        if (said := KeyText.read(text)) is None:
            return None
        found = await self._found(said.id)
        key, stored = found or (None, self._nobodys)
        if not hmac.compare_digest(said.hmac(self.pepper), stored) or key is None:
            return None
        self._last_use.note(key.organization_id, key.id)
        return key

    async def forgotten(self) -> None:
        """Returns when no worker goes by a look-up any more that was made before this was called."""
        self._look_ups.clear()
        await asyncio.sleep(HONOURED)

    async def listed(self, organization_id: str, **wanted: Any) -> tuple[list[ShownKey], int]:
        """As `listing.listed`."""
        async with self._connection() as connection:
            return await listed(connection, organization_id, **wanted)

    async def _found(self, key_id: str) -> tuple[RecognisedKey, str] | None:
        """What was looked up lately, or is being looked up, else what is looked up now."""
        now = time.monotonic()
        last = self._look_ups.get(key_id)
        if last is None or now >= last.counts_until or _failed(last.found):
            last = _LookUp(asyncio.create_task(self._look_up(key_id)), now + HONOURED)
            self._look_ups[key_id] = last
            if len(self._look_ups) > MOST:
                self._look_ups.popitem(last=False)
        try:
            return await asyncio.wait_for(asyncio.shield(last.found), SILENCE)
        except TimeoutError as error:
            self._look_ups.pop(key_id, None)
            raise Unavailable("The database does not answer") from error

    async def _look_up(self, key_id: str) -> tuple[RecognisedKey, str] | None:
        async with asyncio.timeout(SILENCE), self._connection() as connection:
            row = await (await connection.execute(_PRESENTED, (key_id,))).fetchone()
        if row is None or row[3]:
            return None
        organization_id, scopes, secret_hmac, _ = row
        return RecognisedKey(key_id, organization_id, frozenset(scopes)), secret_hmac

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise Unavailable("The database cannot be reached") from error


def _failed(found: asyncio.Task[Any]) -> bool:
    return found.done() and (found.cancelled() or found.exception() is not None)
