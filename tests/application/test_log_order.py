"""Whoever tails a log gets what was committed, in order, once each, however many write and however slowly."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from threading import Condition, Event, Thread
from typing import Any, Protocol
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg import Connection, Rollback
from psycopg_pool import ConnectionPool

from application.event_store.recorder import OrganizationRecorder
from application.postgres.connections import Role, conninfo

WRITERS = 16
TRANSACTIONS = 80
MOST_EVENTS = 4
READ_AT_ONCE = 25  # more and the reader never waits, less and it never catches up
PATIENCE = 10.0
FATES = ("recorded", "recorded", "committed", "held open", "rolled back", "held open, rolled back")

Place = tuple[int, UUID]
"""A position, and the event that stands there."""


class Log(Protocol):
    def record(self, events: list[UUID]) -> list[int]: ...

    def append(self, connection: Connection[Any], events: list[UUID]) -> list[int]: ...

    def read(self, after: int) -> list[Place]: ...


@dataclass(frozen=True)
class OrganizationLog:
    pool: ConnectionPool[Any]
    organization_id: str

    @property
    def recorder(self) -> OrganizationRecorder:
        return OrganizationRecorder(self.pool, self.organization_id)

    def record(self, events: list[UUID]) -> list[int]:
        return list(self.recorder.insert_events([StoredEvent(event, 1, "said", b"{}") for event in events]))

    def append(self, connection: Connection[Any], events: list[UUID]) -> list[int]:
        """In the caller's transaction, which may yet take its time, or fail."""
        [(last,)] = connection.execute(
            "select append_events(%s, now(), %s, array_fill(1::bigint, %s), array_fill('said'::text, %s),"
            " array_fill('{}'::bytea, %s), array_fill('{}'::jsonb, %s))",
            (self.organization_id, events, *[[len(events)]] * 4),
        )
        return list(range(last - len(events) + 1, last + 1))

    def read(self, after: int) -> list[Place]:
        found = self.recorder.select_notifications(after, READ_AT_ONCE, inclusive_of_start=False)
        return [(n.id, UUID(str(n.originator_id))) for n in found]


@dataclass(frozen=True)
class SequenceLog:
    """How not to do it: positions from a sequence, which hands them out before the commit."""

    pool: ConnectionPool[Any]

    def record(self, events: list[UUID]) -> list[int]:
        with self.pool.connection() as connection:
            return self.append(connection, events)

    def append(self, connection: Connection[Any], events: list[UUID]) -> list[int]:
        rows = connection.execute(
            "insert into sequence_log (event) select unnest(%s::uuid[]) returning position", (events,)
        )
        return [row[0] for row in rows]

    def read(self, after: int) -> list[Place]:
        with self.pool.connection() as connection:
            rows = connection.execute(
                "select position, event from sequence_log where position > %s order by position limit %s",
                (after, READ_AT_ONCE),
            )
            return [(position, event) for position, event in rows]


@dataclass(eq=False)
class Tail(Thread):
    """Reads each log from where it came to, again and again, until nothing more can come."""

    logs: Sequence[Log]
    delivered: dict[Log, list[Place]] = field(default_factory=lambda: defaultdict(list))
    looks: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._looked = Condition()
        self._over = Event()

    def run(self) -> None:
        while True:
            nothing_can_follow = self._over.is_set()
            new = [self._look(log) for log in self.logs]
            with self._looked:
                self.looks += 1
                self._looked.notify_all()
            if nothing_can_follow and not any(new):
                return

    def finish(self) -> None:
        self._over.set()
        self.join(PATIENCE)
        assert not self.is_alive()

    def wait_for_looks(self, number: int) -> None:
        with self._looked:
            enough = self.looks + number
            assert self._looked.wait_for(lambda: self.looks >= enough, PATIENCE)

    def _look(self, log: Log) -> int:
        delivered = self.delivered[log]
        new = log.read(delivered[-1][0] if delivered else 0)
        delivered.extend(new)
        return len(new)


@dataclass(frozen=True)
class Writer:
    pool: ConnectionPool[Any]
    logs: Sequence[Log]
    tail: Tail
    chance: Random

    def write(self) -> list[tuple[Log, Place]]:
        """What of it was committed."""
        return [place for _ in range(TRANSACTIONS) for place in self._transaction(self.chance.choice(self.logs))]

    def _transaction(self, log: Log) -> list[tuple[Log, Place]]:
        events = [uuid4() for _ in range(self.chance.randint(1, MOST_EVENTS))]
        fate = self.chance.choice(FATES)
        if fate == "recorded":
            return [(log, place) for place in zip(log.record(events), events, strict=True)]
        with self.pool.connection() as connection, connection.transaction() as transaction:
            positions = log.append(connection, events)
            if "held open" in fate:
                self.tail.wait_for_looks(2)
            if "rolled back" in fate:
                events, positions = [], []
                raise Rollback(transaction)
        return [(log, place) for place in zip(positions, events, strict=True)]


def committed_and_delivered(
    pool: ConnectionPool[Any], logs: Sequence[Log]
) -> Iterator[tuple[list[Place], list[Place]]]:
    """For each log, after all writers are done: what was committed, in order, and what the reader got."""
    tail = Tail(logs)
    tail.start()
    writers = [Writer(pool, logs, tail, Random(number)) for number in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as threads:
        written = [place for done in threads.map(Writer.write, writers, timeout=PATIENCE * 3) for place in done]
    tail.finish()
    for log in logs:
        yield sorted(place for written_to, place in written if written_to == log), tail.delivered[log]


def patient(connection: Connection[Any]) -> None:
    """The queue of sixteen behind a held log is longer than the service would put up with."""
    connection.execute("set lock_timeout = '20s'; set statement_timeout = '20s'")
    connection.commit()


@pytest.fixture
def pool(database: str) -> Iterator[ConnectionPool[Any]]:
    dsn = conninfo(database, Role.WRITER)
    with ConnectionPool(dsn, min_size=4, max_size=2 * WRITERS, configure=patient, open=True) as pool:
        yield pool


@pytest.mark.timeout(60)
@pytest.mark.parametrize("organizations", [1, 20])
def test_a_reader_gets_exactly_what_was_committed_in_dense_order(pool: ConnectionPool[Any], organizations: int) -> None:
    logs = [OrganizationLog(pool, f"organization-{number}") for number in range(organizations)]
    for committed, delivered in committed_and_delivered(pool, logs):
        assert delivered == committed
        assert [position for position, _ in committed] == list(range(1, len(committed) + 1))


@pytest.mark.timeout(60)
def test_the_same_reader_loses_events_when_positions_come_from_a_plain_sequence(
    database: str, pool: ConnectionPool[Any]
) -> None:
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("create table public.sequence_log (position bigserial primary key, event uuid not null)")
        owner.execute("grant all on all tables in schema public to public")
        owner.execute("grant all on all sequences in schema public to public")
    [(committed, delivered)] = committed_and_delivered(pool, [SequenceLog(pool)])
    lost = set(committed) - set(delivered)
    assert len(lost) > len(committed) / 100


@pytest.mark.timeout(20)
def test_organizations_never_wait_for_each_other(database: str, pool: ConnectionPool[Any]) -> None:
    acme, bolt = OrganizationLog(pool, "acme"), OrganizationLog(pool, "bolt")
    with pool.connection() as connection, connection.transaction():
        acme.append(connection, [uuid4()])
        assert [bolt.record([uuid4()]) for _ in range(3)] == [[1], [2], [3]]
    assert acme.record([uuid4()]) == [2]
