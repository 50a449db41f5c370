"""The wires of one worker to one database: each question goes where the fewest are under way."""

import asyncio
from contextlib import suppress

import psycopg

from application.postgres.wire import Rows, Statement, Wire
from application.refusals import Unavailable

MOST_UNDER_WAY = 128
"""On one wire. Whoever comes when all are that busy is told to come again."""


class Wires:
    """At most `size` of them, opened as they are needed. `patience`: see Wire."""

    def __init__(self, conninfo: str, *, size: int, patience: float) -> None:
        self._conninfo = conninfo
        self._size = size
        self._patience = patience
        self._wires: list[Wire] = []
        self.opened = 0
        """So many, all in all; more than there may be at once were lost."""
        self.refused = 0
        """So many questions, as too many were waiting."""
        self._opening: asyncio.Task[Wire] | None = None

    async def ask(self, *statements: Statement) -> list[Rows]:
        """Raises psycopg.Error, or Unavailable where too many wait already."""
        wire = await self._least_busy()
        return await wire.ask(*statements)

    @property
    def open(self) -> int:
        """How many there are now."""
        return sum(not wire.closed for wire in self._wires)

    @property
    def under_way(self) -> int:
        """How many questions await an answer."""
        return sum(wire.under_way for wire in self._wires)

    async def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            with suppress(asyncio.CancelledError, psycopg.OperationalError):
                await self._opening
        for wire in self._wires:
            wire.close()

    async def _least_busy(self) -> Wire:
        self._wires = [wire for wire in self._wires if not wire.closed]
        wire = min(self._wires, key=lambda wire: wire.under_way, default=None)
        if wire is None:
            return await asyncio.shield(self._another())
        if wire.under_way and len(self._wires) < self._size:
            self._another()
        if wire.under_way >= MOST_UNDER_WAY:
            self.refused += 1
            raise Unavailable("Too many questions are waiting")
        return wire

    def _another(self) -> asyncio.Task[Wire]:
        """One more wire, on its way already if somebody else needed it."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(), name="wire")
            self._opening.add_done_callback(self._opened)
        return self._opening

    async def _open(self) -> Wire:
        return await Wire.connected(self._conninfo, self._patience)

    def _opened(self, opening: asyncio.Task[Wire]) -> None:
        self._opening = None
        if not opening.cancelled() and opening.exception() is None:
            self._wires.append(opening.result())
            self.opened += 1
