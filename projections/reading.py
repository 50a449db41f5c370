"""Asking the read tables, so that every acknowledged write is seen although reads and writes are apart.

A question notes where the organisation's log ends when it arrives, in the same round trip in which it is asked.
If a read model it needs is not there yet, it is asked again as soon as it is: woken by the projector's
notification, with a short poll behind it. Clients need no token for this.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from application.postgres.connections import Role, conninfo
from application.refusals import Unavailable

POLL = 0.005
POOL_PATIENCE = 5.0

_BEGIN = "select head, reached from begin_reading(%s, %s)"


@dataclass(frozen=True, slots=True)
class Question:
    """One SQL statement and the read models whose tables it reads; none, when it reads the log itself."""

    read_models: Sequence[str]
    sql: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """The rows, and how many positions they are behind what was acknowledged before the question came."""

    rows: list[tuple[Any, ...]]
    behind: int = 0


class Reader:
    """Reads of one worker. Open and close it, or use `opened`."""

    def __init__(self, dsn: str, *, size: int = 8, patience: float = 1.0) -> None:
        self._conninfo = conninfo(dsn, Role.READER)
        self._patience = patience
        self._pool = AsyncConnectionPool(
            self._conninfo,
            min_size=min(2, size),
            max_size=size,
            timeout=POOL_PATIENCE,
            kwargs={"autocommit": True},
            open=False,
        )
        self._moved: dict[str, asyncio.Event] = {}
        self._listener: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await self._pool.open()
        self._listener = asyncio.create_task(self._listen(), name="projected-listener")

    async def close(self) -> None:
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await self._pool.close()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Reader"]:
        await self.open()
        try:
            yield self
        finally:
            await self.close()

    async def ask(self, organization_id: str, question: Question) -> Found:
        """The answer, as fresh as every write acknowledged before. Raises Unavailable when it cannot be had.

        Past the patience it comes with how far it is behind, and the caller decides what to say.
        """
        head, reached, rows = await self._once(organization_id, question)
        deadline = time.monotonic() + self._patience
        while reached < head and time.monotonic() < deadline:
            await self._moved_on(organization_id)
            _, reached, rows = await self._once(organization_id, question)
        return Found(rows, max(head - reached, 0))

    async def operation(self, sql: str) -> list[tuple[Any, ...]]:
        """What of the service itself is to be known; of no organisation. Raises Unavailable."""
        try:
            async with self._pool.connection() as connection:
                return await (await connection.execute(sql)).fetchall()
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise Unavailable("the database does not answer") from error

    async def _once(self, organization_id: str, question: Question) -> tuple[int, int, list[tuple[Any, ...]]]:
        """Ask once more on a new connection if the pool's was broken: reading twice does no harm."""
        try:
            return await self._attempt(organization_id, question)
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            if isinstance(error, psycopg.errors.QueryCanceled | PoolTimeout):
                raise Unavailable("The database is too slow to answer now") from error
            try:
                await self._pool.check()
                return await self._attempt(organization_id, question)
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as again:
                raise Unavailable("The database cannot be reached") from again

    async def _attempt(self, organization_id: str, question: Question) -> tuple[int, int, list[tuple[Any, ...]]]:
        async with self._pool.connection() as connection, connection.pipeline():
            place = await connection.execute(_BEGIN, (organization_id, list(question.read_models)))
            asked = await connection.execute(question.sql, question.parameters)
            row = await place.fetchone()
            rows = await asked.fetchall()
        assert row is not None  # the function returns one row always
        head = row[0] or 0
        return head, head if row[1] is None else row[1], rows

    async def _moved_on(self, organization_id: str) -> None:
        """Until the projector says it moved, at most one poll."""
        event = self._moved.setdefault(organization_id, asyncio.Event())
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), POLL)

    async def _listen(self) -> None:
        """Hear of the projector's moves. Losing the connection loses speed only: the poll goes on."""
        while True:
            try:
                async with await AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                    await connection.execute("listen activities_projected")
                    async for note in connection.notifies():
                        if (event := self._moved.pop(note.payload, None)) is not None:
                            event.set()
            except (psycopg.OperationalError, psycopg.InterfaceError):
                await asyncio.sleep(0.5)
