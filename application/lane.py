"""A lane of the desk: one database connection, and the batches that are served on it, one after the other."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg import AsyncConnection

from application import measures, tracing
from application.batch import Batch
from application.command import Answer, Order, Policy
from application.postgres.wire import Wire
from application.refusals import Unavailable
from application.sealer import KeysInUse
from application.streams import StateCache

TRIES = 5
FIRST_PAUSE = 0.1
SILENCE = 10.0
"""Seconds a database may keep a batch waiting: longer than any statement may take. It is not tried again after that."""
TROUBLED = 10.0
"""Seconds for which a full disk is told of, if nothing was recorded since: by then somebody is to try again."""

Connect = Callable[[], Awaitable[AsyncConnection[Any]]]
Waiting = tuple[Order, asyncio.Future[Answer], float]
"""An order, where its answer goes, and since when it waits."""


@dataclass(slots=True)
class Shared:
    """What the lanes of a desk have in common: what they remember, and whether the disk was full as of late."""

    policy: Policy
    clock: Callable[[], datetime]
    cache: StateCache = field(default_factory=StateCache)
    in_use: KeysInUse = field(default_factory=KeysInUse)
    full_until: float = 0.0

    def batch(self, organization_id: str, orders: Sequence[Order]) -> Batch:
        return Batch(organization_id, orders, self.policy, self.cache, self.clock, self.in_use)

    def forget(self) -> None:
        """Remember nothing: it may be another database now."""
        self.cache.forget()
        self.in_use.forget_all()


class Lane:
    """Serve with `await lane.serve(...)`, end with `close`."""

    def __init__(self, connect: Connect, shared: Shared) -> None:
        self._connect = connect
        self._shared = shared
        self._wire: Wire | None = None

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    async def serve(self, organization_id: str, taken: Sequence[Waiting]) -> None:
        """Try the batch, again on a new connection if the old one broke, each order alone if the data did."""
        orders = [order for order, _, _ in taken]
        batch = self._shared.batch(organization_id, orders)
        failure: Exception | None = None
        give_up_at = time.monotonic() + SILENCE
        for tried in range(TRIES):
            try:
                wire = await self._connected()
                began = time.perf_counter()
                outcomes = await batch.serve(wire)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                failure = error
                self.close()
                if isinstance(error, psycopg.errors.DiskFull) or time.monotonic() > give_up_at:
                    break
                await asyncio.sleep(FIRST_PAUSE * 2**tried)
            except Exception as error:  # noqa: BLE001  data no statement could take: find out whose
                await self._isolate(organization_id, taken, error)
                return
            else:
                self._served(organization_id, orders, outcomes, time.perf_counter() - began)
                for (_, answer, _), outcome in zip(taken, outcomes, strict=True):
                    resolve(answer, outcome)
                return
        self._give_up(taken, failure)

    async def _connected(self) -> Wire:
        if self._wire is None or self._wire.closed:
            self._wire = Wire(await self._connect(), SILENCE)
            self._shared.forget()
        return self._wire

    def _served(
        self, organization_id: str, orders: Sequence[Order], outcomes: Sequence[Answer | Exception], took: float
    ) -> None:
        measures.count(orders, outcomes, took)
        if tracing.spans is not None:
            tracing.spans.append(organization_id, orders, took)
        self._shared.full_until = 0.0

    def _give_up(self, taken: Sequence[Waiting], failure: Exception | None) -> None:
        why = f"The database did not answer: {type(failure).__name__}"
        if isinstance(failure, psycopg.errors.DiskFull):
            why, self._shared.full_until = "The database's disk is full", time.monotonic() + TROUBLED
        for _, answer, _ in taken:
            resolve(answer, Unavailable(why))

    async def _isolate(self, organization_id: str, taken: Sequence[Waiting], error: Exception) -> None:
        """Serve each order of a failed batch alone, so that only the one at fault fails."""
        if len(taken) == 1:
            resolve(taken[0][1], error)
            self.close()
            return
        for one in taken:
            await self.serve(organization_id, [one])


def resolve(answer: asyncio.Future[Answer], outcome: Answer | Exception) -> None:
    if answer.done():  # the caller went away; what was decided stands all the same
        return
    if isinstance(outcome, StopIteration):  # no future can hold one
        answer.set_exception(RuntimeError("a handler raised StopIteration"))
    elif isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
