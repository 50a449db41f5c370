"""Erase the personal data of one person, for good.

In this order, so that it can be cut off anywhere and taken up again (carrying_on does), and so that at every moment
each read table is the fold of the log:

1. The person is closed: the record is blank, and whatever would say something personal of them is refused.
2. The activities that say something of them are blanked by a fact of their own, a stretch in a transaction.
3. Answers kept for retries lose what they said; tables kept for a roll-back go.
4. The key is destroyed, and with it what the log itself says.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection

from application.command import Actor, Answer, Order, Receipt
from application.desk import Desk
from application.erasure.alone import alone
from application.erasure.commands import (
    BeginErasure,
    CompleteErasure,
    EraseActivities,
    ErasureCommand,
    Said,
    begin_erasure,
    complete_erasure,
    erase_activities,
)
from application.erasure.sayings import records_in_plain, said_of
from application.erasure.searching import KeyFound, Searching, in_json
from application.event_store.keyring import RING
from application.event_store.mapper import record_key
from application.refusals import Unavailable
from application.ulids import new_ulid, ulid_of
from domain.erasure.drafts import Erasure
from domain.vocabulary import RecordKind

STRETCH = 200
LOOKS = 50
PATIENCE = 15.0
TURN = 20.0
"""Seconds for which the end of an erasure is waited for that is under way already."""

_ANSWERS = "select erase_answers(%s, %s, %s, %s)"
_TABLES = "select drop_previous_tables()"
_REACHED = """
select coalesce(min(position), 0) >= %s
  from cursors
 where organization_id = %s and read_model !~ '_(previous|shadow)$'
"""
NOTHING_LEFT = b'{"success":true,"message":"It was done; what was answered is erased","data":null}'
"""What a retry is answered with whose answer said something of the person."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whose data: the person of a record, or an outsider known by an email address."""

    organization_id: str
    kind: RecordKind | None = None
    record_id: str | None = None
    email: str | None = None

    @property
    def key(self) -> UUID:
        if self.kind is not None and self.record_id is not None:
            return record_key(self.kind, self.record_id)
        assert self.email is not None  # a person is known by one or the other
        return RING.outsider(self.organization_id, self.email)

    @property
    def named(self) -> str:
        """How stored JSON names the person."""
        return in_json(self.record_id if self.record_id is not None else str(self.email))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How much there was. `erasure_id` is None where there was nothing to erase.

    `in_plain` facts were stored by releases that sealed nothing, and covered by the tree before the past was sealed
    (sealing_the_past): the tables are blank, these facts are not.
    """

    erasure_id: str | None
    activities: int
    already: bool = False
    in_plain: int = 0


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks for it, and what every command of theirs says."""

    actor: Actor
    request_id: str | None = None
    expected_version: int | None = None


async def erase(desk: Desk, person: Person, wanted: Erasure, who: Who) -> Outcome:
    """Erase, or go on with an erasure that was cut off. Said twice, done once.

    Where it is under way already, its end is waited for, though not for ever. Raises Unknown where there is no such
    person, StaleVersion, Unavailable where it did not come to its end: then it can be asked for again.
    """
    async with _erasing(desk, person, who) as erasing:
        if not wanted.dry_run:
            await erasing.alone(TURN)
        return await erasing.run(wanted)


async def go_on(desk: Desk, person: Person, erasure_id: str, who: Who) -> Outcome:
    """Bring an erasure that was cut off to its end. Raises UnderWay where somebody is at it, and Unavailable."""
    async with _erasing(desk, person, who) as erasing:
        await erasing.alone(0)
        return await erasing.resume(erasure_id)


@asynccontextmanager
async def _erasing(desk: Desk, person: Person, who: Who) -> AsyncIterator["_Erasing"]:
    try:
        async with await desk.connect() as connection:
            yield _Erasing(desk, connection, person, who)
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise Unavailable("The erasure is not complete: ask for it again") from error


class _Erasing:
    def __init__(self, desk: Desk, connection: AsyncConnection[Any], person: Person, who: Who) -> None:
        self._desk = desk
        self._connection = connection
        self._person = person
        self._who = who
        self._organization_id = person.organization_id
        self._log = Searching(connection, person.organization_id)
        self._in_plain = 0

    async def alone(self, patience: float) -> None:
        """Until nobody else erases this person, and from then on nobody else does."""
        await alone(self._connection, self._organization_id, self._person.key, patience)

    async def run(self, wanted: Erasure) -> Outcome:
        key = await self._log.key_of(self._person.key)
        if key is not None and key.destroyed:
            return Outcome(key.erasure_id, 0, already=True)
        head = await self._log.head()
        streams = await self._log.streams_that_mention(self._needles(key), 0, head)
        if wanted.dry_run:
            return Outcome(None, await self._count(streams))
        resumed = key is not None and key.closed
        if key is None and self._person.kind is None and not await self._count(streams):
            return Outcome(None, 0)
        if not resumed:
            await self._begin(wanted, mentioned=bool(key or streams))
            streams |= await self._log.streams_that_mention(self._needles(key), head, await self._log.head())
        closed = await self._log.key_of(self._person.key)
        if closed is None or closed.erasure_id is None or closed.destroyed:  # somebody else came to the end of it
            return Outcome(None if closed is None else closed.erasure_id, 0, already=True)
        return await self._go_on(closed.erasure_id, streams, resumed=resumed)

    async def resume(self, erasure_id: str) -> Outcome:
        key = await self._log.key_of(self._person.key)
        if key is None or key.erasure_id != erasure_id or key.destroyed:  # it came to its end meanwhile
            return Outcome(erasure_id, 0, already=True)
        streams = await self._log.streams_that_mention(self._needles(key), 0, await self._log.head())
        return await self._go_on(erasure_id, streams, resumed=True)

    def _needles(self, key: KeyFound | None) -> list[str]:
        """What stands in every stored fact that says something of the person."""
        return [self._person.named] if key is None else [self._person.named, key.id.hex]

    async def _begin(self, wanted: Erasure, *, mentioned: bool) -> None:
        person = self._person
        command = BeginErasure(
            erasure_id=new_ulid(),
            person=person.key,
            kind=person.kind,
            record_id=person.record_id,
            email=person.email,
            mentioned=mentioned,
            basis=wanted.basis.value,
            reference=wanted.reference,
            expected_version=self._who.expected_version,
            **self._said(),
        )
        await self._desk.serve(Order(command, begin_erasure, _counted))

    async def _go_on(self, erasure_id: str, streams: set[UUID], *, resumed: bool) -> Outcome:
        for rows in (await self._log.rows_of([self._person.key])).values():
            self._in_plain += records_in_plain(self._organization_id, rows)
        erased = await self._blank(erasure_id, streams)
        if resumed:
            erased = len(await self._log.streams_that_mention([in_json(erasure_id)], 0, await self._log.head()))
        await self._caught_up()
        await self._clear_away(ulid_of(stream) for stream in streams)
        command = CompleteErasure(
            erasure_id=erasure_id, activities=erased, forget=self._person.kind is None, **self._said()
        )
        await self._serve(command, complete_erasure)
        return Outcome(erasure_id, erased, in_plain=self._in_plain)

    async def _blank(self, erasure_id: str, streams: set[UUID]) -> int:
        """Blank what each activity says, a stretch at a time; one that changed meanwhile is looked at again."""
        erased = 0
        pending = sorted(streams)
        looks = 0
        while pending:
            stretch, pending = pending[:STRETCH], pending[STRETCH:]
            said = await self._said_by(erasure_id, stretch)
            if not said:
                continue
            done = await self._serve(
                EraseActivities(erasure_id=erasure_id, stretch=said, **self._said()), erase_activities
            )
            erased += done
            self._in_plain += sum(one.in_plain for one in said) if done == len(said) else 0
            if done < len(said):
                looks += 1
                if looks > LOOKS:
                    raise Unavailable("These activities change too often: ask for the erasure again")
                pending += [one.activity for one in said]
        return erased

    async def _count(self, streams: set[UUID]) -> int:
        """How many of them say something of the person."""
        pending, count = sorted(streams), 0
        for first in range(0, len(pending), STRETCH):
            count += len(await self._said_by("", pending[first : first + STRETCH]))
        return count

    async def _said_by(self, erasure_id: str, stretch: Iterable[UUID]) -> list[Said]:
        rows = await self._log.rows_of(stretch)
        said = (said_of(self._organization_id, self._person.key, erasure_id, one) for one in rows.values())
        return [one for one in said if one is not None]

    async def _caught_up(self) -> None:
        """Until the read tables have heard of it: then they are what the log says at every moment. Not for ever."""
        head = await self._log.head()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            async with self._connection.transaction():
                await self._confine()
                cursor = await self._connection.execute(_REACHED, (head, self._organization_id))
                if await cursor.fetchone() == (True,):
                    return
            await asyncio.sleep(0.05)

    async def _clear_away(self, activity_ids: Iterable[str]) -> None:
        async with self._connection.transaction():
            await self._connection.execute("set local statement_timeout = 0")
            parameters = (self._organization_id, self._person.named, list(activity_ids), NOTHING_LEFT)
            await self._connection.execute(_ANSWERS, parameters)
        await self._connection.execute(_TABLES)

    async def _confine(self) -> None:
        setting = "select set_config('activities.organization_id', %s, true)"
        await self._connection.execute(setting, (self._organization_id,))

    async def _serve(self, command: ErasureCommand, handler: Any) -> int:
        answer = await self._desk.serve(Order(command, handler, _counted))
        return int(answer.body)

    def _said(self) -> dict[str, Any]:
        return {
            "organization_id": self._organization_id,
            "actor": self._who.actor,
            "request_id": self._who.request_id,
        }


def _counted(receipt: Receipt) -> Answer:
    return Answer(200, str(receipt.details.get("erased", 0)).encode())
