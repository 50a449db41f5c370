"""The command desk: takes the commands that wait, an organisation at a time, and serves them as one batch.

Group commit is what makes durable writes cheap: while one batch is on its way to the disk, the next gathers.
A lane is one database connection; an organisation is served by one lane at a time, so its commands keep their
order, and several organisations are served side by side.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Self

from psycopg import AsyncConnection

from application import tracing
from application.command import Answer, Order, Policy
from application.lane import Connect, Lane, Shared, Waiting, resolve
from application.refusals import Unavailable

log = logging.getLogger(__name__)

MOST_AT_ONCE = 64
QUIET_TURNS = 6
MANY = 8
"""So many callers are worth two batches in turn: one is parsed and answered while the other is recorded."""
LONGEST_QUEUED = 8.0
"""Seconds after which an order nobody has taken up is refused, as everything before it went slowly."""
FULL = "the database's disk is full"
FORGOTTEN = 30.0
"""Seconds after which nothing is remembered of an organisation without batches."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Desk:
    """Serve with `await desk.serve(order)`, between `start` and `stop`."""

    def __init__(
        self,
        connect: Connect,
        *,
        policy: Policy | None = None,
        lanes: int = 4,
        most_at_once: int = MOST_AT_ONCE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._connect = connect
        self._shared = Shared(policy or Policy(), clock)
        self._waiting: dict[str, deque[Waiting]] = {}
        self._expected: dict[str, int] = {}
        """How many were answered, and left waiting, when an organisation last had its turn: so many may come back."""
        self._turns: asyncio.Queue[str] = asyncio.Queue()
        self._lanes = lanes
        self._most_at_once = most_at_once
        self._tasks: list[asyncio.Task[None]] = []

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
        return FULL if time.monotonic() < self._shared.full_until else None

    async def _lane(self) -> None:
        lane = Lane(self._connect, self._shared)
        try:
            while True:
                organization_id = await self._turns.get()
                await self._gather(organization_id)
                try:
                    await self._turn(organization_id, lane)
                except Exception:  # a defect of ours: a lane that died of it would leave everybody waiting
                    log.exception("a batch ended unexpectedly", extra={"organization": organization_id})
        finally:
            lane.close()

    async def _forget_idle(self) -> None:
        """Each batch hears of erasures. Of organisations without batches nothing is remembered for long."""
        while True:
            await asyncio.sleep(FORGOTTEN / 3)
            for organization_id in self._shared.cache.forget_idle(FORGOTTEN):
                self._shared.in_use.forget(organization_id)
                self._expected.pop(organization_id, None)

    async def _gather(self, organization_id: str) -> None:
        """Let those join who are on their way, until enough are there or nobody more comes for a few turns of the loop.

        Callers answered together come back together, but not in the same instant: without this, every other
        batch would be the first of them alone.
        """
        queue = self._waiting[organization_id]
        enough = self._enough(organization_id)
        come, quiet = len(queue), 0
        while quiet < QUIET_TURNS and come < enough:
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(queue) == come else 0
            come = len(queue)

    def _enough(self, organization_id: str) -> int:
        """All who may come; of many one half: while it is on its way to the disk, the other gathers."""
        expected = self._expected.get(organization_id, self._most_at_once)
        return min(expected if expected < MANY else (expected + 1) // 2, self._most_at_once)

    async def _turn(self, organization_id: str, lane: Lane) -> None:
        """Serve one batch of an organisation, then hand its next turn out, if anybody waits."""
        queue = self._waiting[organization_id]
        taken = [queue.popleft() for _ in range(min(len(queue), self._most_at_once))]
        try:
            if in_time := _still_in_time(taken):
                await lane.serve(organization_id, in_time)
        finally:
            for _, answer, _ in taken:
                if not answer.done():
                    answer.set_exception(Unavailable("The service is stopping"))
            self._expected[organization_id] = len(taken) + len(queue)
            if queue:
                self._turns.put_nowait(organization_id)
            else:
                del self._waiting[organization_id]


def _still_in_time(taken: list[Waiting]) -> list[Waiting]:
    """Those that may be served yet; the others are told that nothing became of them."""
    oldest = time.monotonic() - LONGEST_QUEUED
    for _, answer, since in taken:
        if since < oldest:
            resolve(answer, Unavailable("The database is too slow to take commands now"))
    return [waiting for waiting in taken if waiting[2] >= oldest]
