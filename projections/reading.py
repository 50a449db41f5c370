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

from application.event_store.keyring import KEYS_AS_THEY_ARE, RING, named
from application.postgres.connections import Role, conninfo
from application.postgres.wire import Rows, Silent
from application.postgres.wires import Wires
from application.refusals import Unavailable

POLL = 0.005
TRIES = 3
SILENCE = 6.0
"""Seconds: longer than any statement may take."""

_BEGIN = "select head, reached from begin_reading(%(organization_id)s, %(read_models)s)"


_HURRY = "select pg_notify('activities_wanted', %(organization_id)s)"


@dataclass(frozen=True, slots=True)
class Question:
    """One SQL statement and the read models whose tables it reads; none, when it reads the log itself."""

    read_models: Sequence[str]
    sql: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """The rows, and how many positions they are behind what was acknowledged before the question came."""

    rows: Rows
    behind: int = 0


class Reader:
    """Reads of one worker. Open and close it, or use `opened`."""

    def __init__(self, dsn: str, *, size: int = 8, patience: float = 1.0) -> None:
        self._conninfo = conninfo(dsn, Role.READER)
        self._patience = patience
        self._wires = Wires(self._conninfo, size=size, patience=SILENCE)
        self._moved: dict[str, asyncio.Event] = {}
        self._listener: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._listener = asyncio.create_task(self._listen(), name="projected-listener")

    async def close(self) -> None:
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await self._wires.close()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Reader"]:
        await self.open()
        try:
            yield self
        finally:
            await self.close()

    @property
    def wires(self) -> Wires:
        """The connections it asks on."""
        return self._wires

    async def ask(self, organization_id: str, question: Question) -> Found:
        """The answer, as fresh as every write acknowledged before. Raises Unavailable when it cannot be had.

        Past the patience it comes with how far it is behind, and the caller decides what to say.
        """
        head, reached, rows = await self._once(organization_id, question)
        deadline = time.monotonic() + self._patience
        if reached < head:
            await self._hurry(organization_id)
        while reached < head and time.monotonic() < deadline:
            await self._moved_on(organization_id)
            _, reached, rows = await self._once(organization_id, question)
        return Found(rows, max(head - reached, 0))

    async def operation(self, sql: str) -> Rows:
        """What of the service itself is to be known; of no organisation. Raises Unavailable."""
        try:
            return (await self._wires.ask((sql, {})))[0]
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise Unavailable("the database does not answer") from error

    async def _once(self, organization_id: str, question: Question) -> tuple[int, int, Rows]:
        """Ask on another connection if one broke: reading twice does no harm."""
        failure: Exception | None = None
        for _ in range(TRIES):
            try:
                return await self._attempt(organization_id, question)
            except (psycopg.errors.QueryCanceled, Silent) as error:
                raise Unavailable("The database is too slow to answer now") from error
            except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.InvalidSqlStatementName) as error:
                failure = error  # the latter: what was to prepare the statement, just before us, failed
        raise Unavailable("The database cannot be reached") from failure

    async def _attempt(self, organization_id: str, question: Question) -> tuple[int, int, Rows]:
        place = {"organization_id": organization_id, "read_models": list(question.read_models)}
        begun, rows = await self._wires.ask((_BEGIN, place), (question.sql, question.parameters))
        if not question.read_models:
            await self._learn(organization_id, rows)
        head, reached = begun[0]
        return head or 0, (head or 0) if reached is None else reached, rows

    async def _hurry(self, organization_id: str) -> None:
        """Tell the projector that somebody waits. Where that cannot be told (a replica), it comes all the same."""
        with suppress(psycopg.Error, Unavailable):
            await self._wires.ask((_HURRY, {"organization_id": organization_id}))

    async def _learn(self, organization_id: str, rows: Rows) -> None:
        """Rows of the log come with the keys that open them: as they are now, so that what was erased is not seen."""
        states = [value for row in rows for value in row if isinstance(value, bytes)]
        if not (ids := named(states)):
            return
        unknown = RING.unknown(states)
        asked = {
            "organization_id": organization_id,
            "read_models": [],
            "unknown": unknown,
            "known": list(ids.difference(unknown)),
        }
        _, keys = await self._wires.ask((_BEGIN, asked), (KEYS_AS_THEY_ARE, asked))
        RING.learned(keys)

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
