"""Erasures that were cut off go on by themselves.

Every worker looks, soon after it starts and then every 15 seconds; of those who look at once, one takes an erasure up
(`alone`). It goes on in the name of whoever asked for it. One that fails is tried again later and later.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import psycopg
from psycopg import AsyncConnection

from application.command import Actor
from application.desk import Desk
from application.erasure.alone import UnderWay
from application.erasure.erase import Person, Who, go_on
from application.erasure.tidying import tidy
from application.event_store.keyring import RING
from application.event_store.mapper import ERASURES
from application.postgres.connections import Role, conninfo
from domain.erasure.events import ErasureBegun
from domain.vocabulary import RecordKind

log = logging.getLogger(__name__)

EVERY = 15.0
MOST = 1000
LONGEST_PAUSE = 600.0

_CUT_OFF = """
select organization_id, erasure_id, named
  from data_keys
 where closed_at is not null and destroyed_at is null
 limit %s
"""
_BEGUN = """
select said, metadata
  from events, lateral (select convert_from(state, 'UTF8') as said) as stored
 where organization_id = %s and originator_id = %s and topic = %s and strpos(said, %s) > 0
"""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An erasure somebody closed a person for, and did not complete. `named` is an outsider's address, sealed."""

    organization_id: str
    erasure_id: str
    named: bytes | None


@dataclass(frozen=True, slots=True)
class _Pause:
    """Not before `until`; `seconds` is how long it was."""

    until: float
    seconds: float


class NotKnown(Exception):
    """Nothing tells whose data it is: an outsider whose erasure was begun by a release that kept no address."""


class CarryingOn:
    """Looks for the length of a block. `look` is once."""

    def __init__(self, desk: Desk, dsn: str) -> None:
        self._desk = desk
        self._dsn = dsn
        self._pauses: dict[str, _Pause] = {}

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Self]:
        task = asyncio.create_task(self._keep_looking(), name="erasures-carried-on")
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def look(self) -> int:
        """Bring to their end what was cut off; how many. Raises psycopg errors where nothing can be looked at."""
        found = await self._cut_off()
        self._pauses = {one.erasure_id: p for one in found if (p := self._pauses.get(one.erasure_id)) is not None}
        completed = 0
        for one in found:
            pause = self._pauses.get(one.erasure_id)
            if pause is None or pause.until <= time.monotonic():
                completed += await self._carry_on(one)
        if completed:
            await asyncio.to_thread(tidy, self._dsn)
        return completed

    async def _keep_looking(self) -> None:
        while True:
            try:
                await self.look()
            except psycopg.Error as error:
                log.warning("erasures that were cut off could not be looked for: %s", type(error).__name__)
            await asyncio.sleep(EVERY)

    async def _carry_on(self, one: Unfinished) -> bool:
        try:
            person, who = await self._begun(one)
            outcome = await go_on(self._desk, person, one.erasure_id, who)
        except UnderWay:
            return False
        except Exception as error:  # noqa: BLE001  one that cannot be completed must not keep the others from it
            pause = self._pause(one.erasure_id)
            why = (one.erasure_id, pause, type(error).__name__)
            log.warning("erasure %s was cut off and is tried again in %d s: %s", *why)
            return False
        if not outcome.already:
            log.info("erasure %s was cut off and is complete now", one.erasure_id)
        return not outcome.already

    def _pause(self, erasure_id: str) -> float:
        before = self._pauses.get(erasure_id)
        seconds = EVERY if before is None else min(2 * before.seconds, LONGEST_PAUSE)
        self._pauses[erasure_id] = _Pause(time.monotonic() + seconds, seconds)
        return seconds

    async def _cut_off(self) -> list[Unfinished]:
        async with await self._connected() as connection:
            rows = await (await connection.execute(_CUT_OFF, (MOST,))).fetchall()
        return [Unfinished(*row) for row in rows]

    async def _begun(self, one: Unfinished) -> tuple[Person, Who]:
        """Whom it is about and who asked for it, from the fact it began with."""
        where = (one.organization_id, ERASURES, ErasureBegun.name, json.dumps(one.erasure_id))
        async with await self._connected() as connection:
            [(said, metadata)] = await (await connection.execute(_BEGUN, where)).fetchall()
        begun = ErasureBegun.model_validate_json(said)
        who = Who(
            Actor(user_id=metadata["actor"], client=metadata.get("client")),
            request_id=metadata.get("correlation_id"),
        )
        if begun.record_id is not None:
            return Person(one.organization_id, RecordKind(begun.kind), begun.record_id), who
        if one.named is None:
            raise NotKnown
        return Person(one.organization_id, email=RING.name_in(one.organization_id, one.erasure_id, one.named)), who

    async def _connected(self) -> AsyncConnection[Any]:
        return await AsyncConnection.connect(conninfo(self._dsn, Role.PROJECTOR), autocommit=True)
