"""Waking those who follow a log. The notification is a hint only: whoever waits looks again by itself, too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psycopg
from psycopg import AsyncConnection

from application.postgres.connections import Role, conninfo

_PAUSE = 0.5


class News:
    """Hears what is recorded in any organisation, for as long as somebody follows: nobody, no connection."""

    def __init__(self, dsn: str) -> None:
        self._conninfo = conninfo(dsn, Role.READER)
        self._waiting: dict[str, asyncio.Event] = {}
        self._followers = 0
        self._listener: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def followed(self) -> AsyncIterator["News"]:
        self._followers += 1
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen(), name="recorded-listener")
        try:
            yield self
        finally:
            self._followers -= 1
            if not self._followers and self._listener is not None:
                self._listener.cancel()
                self._listener = None
                self._waiting.clear()

    def next(self, organization_id: str) -> asyncio.Event:
        """Set once something more is recorded. Ask for it before reading, so that nothing falls between."""
        return self._waiting.setdefault(organization_id, asyncio.Event())

    async def _listen(self) -> None:
        while True:
            with suppress(psycopg.OperationalError, psycopg.InterfaceError):
                async with await AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                    await connection.execute("listen activities_recorded")
                    async for note in connection.notifies():
                        if (event := self._waiting.pop(note.payload, None)) is not None:
                            event.set()
            await asyncio.sleep(_PAUSE)
