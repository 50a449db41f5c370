"""The command desk: takes the commands that wait, an organisation at a time, and serves them as one batch.

Group commit is what makes durable writes cheap: while one batch is on its way to the disk, the next gathers.
A lane is one database connection; an organisation is served by one lane at a time, so its commands keep their
order, and several organisations are served side by side.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Self

import psycopg
from psycopg import AsyncConnection

from application import measures, tracing
from application.batch import Batch
from application.command import Answer, Order, Policy
from application.postgres.wire import Wire
from application.refusals import Unavailable
from application.sealer import KeysInUse
from application.streams import StateCache

log = logging.getLogger(__name__)

MOST_AT_ONCE = 64
QUIET_TURNS = 6
TRIES = 5
FIRST_PAUSE = 0.1
SILENCE = 10.0
"""Seconds a database may keep a batch waiting: longer than any statement may take. It is not tried again after that."""
LONGEST_QUEUED = 8.0
"""Seconds after which an order nobody has taken up is refused, as everything before it went slowly."""
TROUBLED = 10.0
"""Seconds for which a full disk is told of, if nothing was recorded since: by then somebody is to try again."""
FULL = "the database's disk is full"
FORGOTTEN = 30.0
"""Seconds after which nothing is remembered of an organisation without batches."""
Waiting = tuple[Order, asyncio.Future[Answer], float]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Desk:
    """Serve with `await desk.serve(order)`, between `start` and `stop`."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[AsyncConnection[Any]]],
        *,
        policy: Policy | None = None,
        lanes: int = 4,
        most_at_once: int = MOST_AT_ONCE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._connect = connect
        self._policy = policy or Policy()
        self._clock = clock
        self._cache = StateCache()
        self._in_use = KeysInUse()
        self._waiting: dict[str, deque[Waiting]] = {}
        self._turns: asyncio.Queue[str] = asyncio.Queue()
        self._lanes = lanes
        self._most_at_once = most_at_once
        self._tasks: list[asyncio.Task[None]] = []
        self._full_until = 0.0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Self]:
        """Started for the length of a block."""
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._lane(), name=f"desk-lane-{n}") for n in range(self._lanes)]
        self._tasks.append(asyncio.create_task(self._forget_idle(), name="desk-forgets"))

    async def stop(self) -> None:
        """End the lanes; orders still waiting are told that the service is going away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for queue in self._waiting.values():
            for _, answer, _ in queue:
                if not answer.done():
                    answer.set_exception(Unavailable("The service is stopping"))

    async def connect(self) -> AsyncConnection[Any]:
        """A connection like those of the lanes, for what is read before something is commanded."""
        return await self._connect()

    async def serve(self, order: Order) -> Answer:
        """The answer to an order. Raises what its handler refused it with, or Unavailable."""
        if tracing.spans is not None:
            return await tracing.spans.command(order, self._queued(order))
        return await self._queued(order)

    def _queued(self, order: Order) -> asyncio.Future[Answer]:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        organization_id = order.command.organization_id
        queue = self._waiting.get(organization_id)
        if queue is None:
            queue = self._waiting[organization_id] = deque()
            self._turns.put_nowait(organization_id)
        queue.append((order, answer, time.monotonic()))
        return answer

    def waiting(self) -> int:
        """How many orders no lane has taken yet."""
        return sum(len(queue) for queue in self._waiting.values())

    def trouble(self) -> str | None:
        """Why commands cannot be served as of late, beyond what reads would notice, too."""
        return FULL if time.monotonic() < self._full_until else None

    async def _lane(self) -> None:
        wire: Wire | None = None
        try:
            while True:
                organization_id = await self._turns.get()
                await self._gather(self._waiting[organization_id])
                try:
                    wire = await self._turn(organization_id, wire)
                except Exception:  # a defect of ours: a lane that died of it would leave everybody waiting
                    log.exception("a batch ended unexpectedly", extra={"organization": organization_id})
        finally:
            _close(wire)

    async def _forget_idle(self) -> None:
        """Each batch hears of erasures. Of organisations without batches nothing is remembered for long."""
        while True:
            await asyncio.sleep(FORGOTTEN / 3)
            for organization_id in self._cache.forget_idle(FORGOTTEN):
                self._in_use.forget(organization_id)

    async def _gather(self, queue: deque[Waiting]) -> None:
        """Let those join who are on their way: until, for a few turns of the loop, nobody more has come.

        Callers answered together come back together, but not in the same instant: without this, every other
        batch would be the first of them alone.
        """
        come, quiet = len(queue), 0
        while quiet < QUIET_TURNS and come < self._most_at_once:
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(queue) == come else 0
            come = len(queue)

    async def _turn(self, organization_id: str, wire: Wire | None) -> Wire | None:
        """Serve one batch of an organisation, then hand its next turn out, if anybody waits."""
        queue = self._waiting[organization_id]
        taken = [queue.popleft() for _ in range(min(len(queue), self._most_at_once))]
        try:
            wire = await self._settle(organization_id, _still_in_time(taken), wire)
        finally:
            for _, answer, _ in taken:
                if not answer.done():
                    answer.set_exception(Unavailable("The service is stopping"))
            if queue:
                self._turns.put_nowait(organization_id)
            else:
                del self._waiting[organization_id]
        return wire

    async def _settle(self, organization_id: str, taken: list[Waiting], wire: Wire | None) -> Wire | None:
        """Try the batch, again on a new connection if the old one broke, each order alone if the data did."""
        if not taken:
            return wire
        orders = [order for order, _, _ in taken]
        batch = Batch(organization_id, orders, self._policy, self._cache, self._clock, self._in_use)
        failure: Exception | None = None
        give_up_at = time.monotonic() + SILENCE
        for tried in range(TRIES):
            try:
                if wire is None or wire.closed:
                    wire = Wire(await self._connect(), SILENCE)
                    self._cache.forget()
                    self._in_use.forget_all()
                began = time.perf_counter()
                outcomes = await batch.serve(wire)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                failure = error
                _close(wire)
                wire = None
                if isinstance(error, psycopg.errors.DiskFull) or time.monotonic() > give_up_at:
                    break
                await asyncio.sleep(FIRST_PAUSE * 2**tried)
            except Exception as error:  # noqa: BLE001  data no statement could take: find out whose
                return await self._isolate(organization_id, taken, wire, error)
            else:
                took = time.perf_counter() - began
                measures.count(orders, outcomes, took)
                if tracing.spans is not None:
                    tracing.spans.append(organization_id, orders, took)
                self._full_until = 0.0
                for (_, answer, _), outcome in zip(taken, outcomes, strict=True):
                    _resolve(answer, outcome)
                return wire
        why = f"The database did not answer: {type(failure).__name__}"
        if isinstance(failure, psycopg.errors.DiskFull):
            why, self._full_until = "The database's disk is full", time.monotonic() + TROUBLED
        for _, answer, _ in taken:
            _resolve(answer, Unavailable(why))
        return wire

    async def _isolate(
        self,
        organization_id: str,
        taken: list[Waiting],
        wire: Wire | None,
        error: Exception,
    ) -> Wire | None:
        """Serve each order of a failed batch alone, so that only the one at fault fails."""
        if len(taken) == 1:
            _resolve(taken[0][1], error)
            _close(wire)
            return None
        for one in taken:
            wire = await self._settle(organization_id, [one], wire)
        return wire


def _still_in_time(taken: list[Waiting]) -> list[Waiting]:
    """Those that may be served yet; the others are told that nothing became of them."""
    oldest = time.monotonic() - LONGEST_QUEUED
    for _, answer, since in taken:
        if since < oldest:
            _resolve(answer, Unavailable("The database is too slow to take commands now"))
    return [waiting for waiting in taken if waiting[2] >= oldest]


def _resolve(answer: asyncio.Future[Answer], outcome: Answer | Exception) -> None:
    if answer.done():  # the caller went away; what was decided stands all the same
        return
    if isinstance(outcome, StopIteration):  # no future can hold one
        answer.set_exception(RuntimeError("a handler raised StopIteration"))
    elif isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)


def _close(wire: Wire | None) -> None:
    if wire is not None:
        wire.close()
