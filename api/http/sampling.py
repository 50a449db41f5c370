"""What is looked at once a second rather than counted as it happens: the pool of connections and the desk's queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Counter, Gauge

from application.desk import Desk
from application.postgres.wires import Wires
from projections.reading import Reader

SECONDS = 1.0

POOL = Gauge("activities_pool_connections", "Connections to read with", multiprocess_mode="livesum")
POOL_UNDER_WAY = Gauge("activities_pool_under_way", "Questions that await an answer now", multiprocess_mode="livesum")
POOL_OPENED = Counter("activities_pool_opened", "Connections to read with that were opened")
POOL_REFUSED = Counter("activities_pool_refused", "Questions refused as too many were waiting")
DESK_WAITING = Gauge(
    "activities_commands_waiting", "Commands that wait for the next batch now", multiprocess_mode="livesum"
)


@asynccontextmanager
async def sampled(reader: Reader, desk: Desk) -> AsyncIterator[None]:
    """Samples for the length of a block."""
    task = asyncio.create_task(_sample(reader, desk), name="sampling")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _sample(reader: Reader, desk: Desk) -> None:
    sample = Sample(reader.wires, desk)
    while True:
        sample.take()
        await asyncio.sleep(SECONDS)


class Sample:
    """Counts what came since it was taken last."""

    def __init__(self, wires: Wires, desk: Desk) -> None:
        self._wires, self._desk = wires, desk
        self._opened = self._refused = 0

    def take(self) -> None:
        POOL.set(self._wires.open)
        POOL_UNDER_WAY.set(self._wires.under_way)
        POOL_OPENED.inc(self._wires.opened - self._opened)
        POOL_REFUSED.inc(self._wires.refused - self._refused)
        self._opened, self._refused = self._wires.opened, self._wires.refused
        DESK_WAITING.set(self._desk.waiting())
