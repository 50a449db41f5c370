"""The recorder keeps the library's own contract, and ours: one organisation, no retries, no lost wake-ups."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, Notification, OperationalError, StoredEvent
from eventsourcing.tests import persistence as shipped
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool

from application.event_store import recorder as recorders
from application.event_store.recorder import OrganizationRecorder
from application.postgres.connections import Role, conninfo
from application.postgres.migrations import SCHEMA

SOON = 5.0
NEVER = 3600.0


@pytest.fixture(scope="module")
def pool(module_database: str) -> Iterator[ConnectionPool[Any]]:
    dsn = conninfo(module_database, Role.WRITER)
    with ConnectionPool(dsn, min_size=2, max_size=16, timeout=SOON, open=True) as pool:
        yield pool


@pytest.fixture
def recorder(pool: ConnectionPool[Any]) -> OrganizationRecorder:
    return OrganizationRecorder(pool, str(uuid4()))


@pytest.fixture
def owner(module_database: str) -> Iterator[psycopg.Connection]:
    options = f"-c search_path={SCHEMA}"
    with psycopg.connect(module_database, autocommit=True, options=options) as connection:
        yield connection


class OnAnEmptyLog:
    pool: ConnectionPool[Any]

    @pytest.fixture(autouse=True)
    def _given(self, pool: ConnectionPool[Any]) -> None:
        self.pool = pool

    def create_recorder(self) -> OrganizationRecorder:
        return OrganizationRecorder(self.pool, str(uuid4()))


class TestShippedContractOfApplicationRecorders(
    OnAnEmptyLog, shipped.ApplicationRecorderTestCase[OrganizationRecorder]
):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestShippedContractOfOrder(OnAnEmptyLog, shipped.NonInterleavingNotificationIDsBaseCase):
    pass


class WithoutPositions(OrganizationRecorder):
    """The shipped case for aggregate recorders expects None for positions, ours always has some."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:  # type: ignore[override]
        super().insert_events(stored_events, **kwargs)


class TestShippedContractOfAggregateRecorders(OnAnEmptyLog, shipped.AggregateRecorderTestCase):
    def create_recorder(self) -> OrganizationRecorder:
        return WithoutPositions(self.pool, str(uuid4()))


def event(originator_id: UUID | str | None = None, version: int = 1, topic: str = "said") -> StoredEvent:
    return StoredEvent(originator_id or uuid4(), version, topic, b"{}")


def test_nothing_to_record_takes_no_position(recorder: OrganizationRecorder) -> None:
    assert recorder.insert_events([]) == []
    assert recorder.max_notification_id() is None


def test_a_conflict_records_nothing_and_leaves_no_gap(recorder: OrganizationRecorder) -> None:
    first = event()
    assert recorder.insert_events([first]) == [1]
    with pytest.raises(IntegrityError):
        recorder.insert_events([event(), event(), first])
    assert recorder.insert_events([event(), event()]) == [2, 3]
    assert [n.id for n in recorder.select_notifications(None, 10)] == [1, 2, 3]


def test_metadata_is_kept_with_each_event(recorder: OrganizationRecorder, owner: psycopg.Connection) -> None:
    recorder.insert_events([event(), event()], metadata={"actor": "anna"})
    recorder.insert_events([event()])
    kept = owner.execute(
        "select metadata from events where organization_id = %s order by position",
        (recorder.organization_id,),
    )
    assert [row[0] for row in kept] == [{"actor": "anna"}, {"actor": "anna"}, {}]


def test_what_it_cannot_record_it_refuses(recorder: OrganizationRecorder) -> None:
    assert recorder.insert_events([event()], tracking=None) == [1]
    with pytest.raises(TypeError, match=r"^cannot record tracking, mood with the events$"):
        recorder.insert_events([event()], tracking=object(), mood="good")
    assert recorder.max_notification_id() == 1


@pytest.mark.parametrize("secured", [True, False], ids=["with row level security", "by the statements alone"])
def test_organizations_share_neither_streams_nor_positions(module_database: str, secured: bool) -> None:
    bare = make_conninfo(module_database, options=f"-c search_path={SCHEMA}")
    dsn = conninfo(module_database, Role.WRITER) if secured else bare
    with ConnectionPool(dsn, min_size=1, open=True, timeout=SOON) as pool:
        acme, bolt = OrganizationRecorder(pool, str(uuid4())), OrganizationRecorder(pool, str(uuid4()))
        same = event()
        assert acme.insert_events([same]) == bolt.insert_events([same]) == [1]
        assert acme.insert_events([event(same.originator_id, 2)]) == [2]
        assert bolt.select_events(same.originator_id) == [same]
        assert [n.id for n in bolt.select_notifications(None, 10)] == [1]
        assert bolt.max_notification_id() == 1


def test_time_never_runs_backwards_in_a_log(recorder: OrganizationRecorder, owner: psycopg.Connection) -> None:
    owner.execute(
        """
        select append_events(%s, '2999-01-01Z', array[%s], array[1],
                             array['said'], array[''::bytea], array['{}'::jsonb])
        """,
        (recorder.organization_id, uuid4()),
    )
    recorder.insert_events([event()])
    times = owner.execute(
        "select distinct recorded_at from events where organization_id = %s", (recorder.organization_id,)
    )
    assert [row[0].year for row in times] == [2999]


def test_a_log_held_by_another_is_waited_for_once_and_not_ten_times(
    module_database: str, owner: psycopg.Connection
) -> None:
    def impatient(connection: psycopg.Connection) -> None:
        connection.execute("set lock_timeout = '200ms'")
        connection.commit()

    with (
        ConnectionPool(conninfo(module_database, Role.WRITER), min_size=1, configure=impatient, open=True) as pool,
        owner.transaction(),
    ):
        recorder = OrganizationRecorder(pool, str(uuid4()))
        owner.execute("select open_log(%s)", (recorder.organization_id,))
        began = time.monotonic()
        with pytest.raises(OperationalError, match="lock timeout"):
            recorder.insert_events([event()])
        assert time.monotonic() - began < 2


def test_a_broken_connection_is_told_once_and_replaced(module_database: str, owner: psycopg.Connection) -> None:
    with ConnectionPool(conninfo(module_database, Role.WRITER), min_size=1, open=True, timeout=SOON) as pool:
        recorder = OrganizationRecorder(pool, str(uuid4()))
        with pool.connection() as connection:
            owner.execute("select pg_terminate_backend(%s, 5000)", (connection.info.backend_pid,))
        with pytest.raises(OperationalError):
            recorder.insert_events([event()])
        assert recorder.insert_events([event()]) == [1]


def test_no_free_connection_is_an_operational_error(module_database: str) -> None:
    dsn = conninfo(module_database, Role.WRITER)
    with (
        ConnectionPool(dsn, min_size=1, max_size=1, timeout=0.1, open=True) as pool,
        pool.connection(),
        pytest.raises(OperationalError),
    ):
        OrganizationRecorder(pool, "acme").insert_events([event()])


@pytest.mark.timeout(20)
def test_a_hint_wakes_a_subscription(recorder: OrganizationRecorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorders, "POLL_SECONDS", NEVER)
    with recorder.subscribe() as subscription, ThreadPoolExecutor(1) as reader:
        heard = reader.submit(lambda: [n.id for n in islice(subscription, 3)])
        for _ in range(3):
            recorder.insert_events([event()])
        assert heard.result(SOON) == [1, 2, 3]


class RecordsBehindItsFirstRead(OrganizationRecorder):
    """Something is recorded just after a follower looked for the first time, and found nothing."""

    looked = False

    def select_notifications(self, *args: Any, **kwargs: Any) -> Sequence[Notification]:
        found = super().select_notifications(*args, **kwargs)
        if not self.looked:
            self.looked = True
            self.insert_events([event()])
        return found


@pytest.mark.timeout(20)
def test_what_is_recorded_right_behind_the_first_read_is_heard_of(
    pool: ConnectionPool[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorders, "POLL_SECONDS", NEVER)
    with RecordsBehindItsFirstRead(pool, str(uuid4())).subscribe() as subscription:
        assert next(subscription).id == 1


@pytest.mark.timeout(20)
def test_a_lost_hint_is_made_up_for_by_the_poll(recorder: OrganizationRecorder, owner: psycopg.Connection) -> None:
    with recorder.subscribe(gt=1) as subscription, ThreadPoolExecutor(1) as reader:
        recorder.insert_events([event()])
        heard = reader.submit(next, subscription)
        with owner.transaction():  # as append_events does, but without its hint
            owner.execute("update heads set position = 2 where organization_id = %s", (recorder.organization_id,))
            owner.execute(
                "insert into events values (%s, %s, 1, 'said', '', '{}', now(), 2)",
                (recorder.organization_id, uuid4()),
            )
        assert heard.result(SOON).id == 2


class TellsWhenNothingIsLeft(OrganizationRecorder):
    """So that a follower can be stopped when it waits, and not before."""

    def __init__(self, pool: ConnectionPool[Any], organization_id: str) -> None:
        super().__init__(pool, organization_id)
        self.nothing_left = Event()

    def select_notifications(self, *args: Any, **kwargs: Any) -> Sequence[Notification]:
        found = super().select_notifications(*args, **kwargs)
        if not found:
            self.nothing_left.set()
        return found


@pytest.mark.timeout(20)
def test_a_stop_ends_a_waiting_subscription_at_once(pool: ConnectionPool[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorders, "POLL_SECONDS", NEVER)
    recorder = TellsWhenNothingIsLeft(pool, str(uuid4()))
    recorder.insert_events([event()])
    with recorder.subscribe() as subscription, ThreadPoolExecutor(1) as reader:
        heard = reader.submit(list, subscription)
        assert recorder.nothing_left.wait(SOON)
        subscription.stop()
        assert [n.id for n in heard.result(1.0)] == [1]


def test_a_filtered_subscription_passes_over_what_it_does_not_want(recorder: OrganizationRecorder) -> None:
    recorder.insert_events([event(topic="noise") for _ in range(7)] + [event(topic="wanted")])
    recorder.insert_events([event(topic="noise"), event(topic="wanted")])
    with recorder.subscribe(topics=["wanted"]) as subscription:
        assert [n.id for n in islice(subscription, 2)] == [8, 10]


class ReadsInPieces(OrganizationRecorder):
    """It remembers how much was read at once."""

    def __init__(self, pool: ConnectionPool[Any], organization_id: str) -> None:
        super().__init__(pool, organization_id)
        self.read: list[int] = []

    def select_notifications(self, *args: Any, **kwargs: Any) -> Sequence[Notification]:
        found = super().select_notifications(*args, **kwargs)
        self.read.append(len(found))
        return found


def test_a_subscription_reads_a_long_log_in_pieces(pool: ConnectionPool[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorders, "_READ_AHEAD", 2)
    recorder = ReadsInPieces(pool, str(uuid4()))
    recorder.insert_events([event() for _ in range(5)])
    with recorder.subscribe() as subscription:
        assert [n.id for n in islice(subscription, 5)] == [1, 2, 3, 4, 5]
    assert recorder.read == [2, 2, 1]


def test_a_stopped_subscription_gives_its_connection_back_and_listens_no_more(module_database: str) -> None:
    dsn = conninfo(module_database, Role.WRITER)
    with ConnectionPool(dsn, min_size=2, max_size=2, timeout=SOON, open=True) as pool:
        recorder = OrganizationRecorder(pool, str(uuid4()))
        recorder.insert_events([event()])
        for _ in range(5):
            with recorder.subscribe() as subscription:
                assert next(subscription).id == 1
        with pool.connection() as one, pool.connection() as other:
            for connection in (one, other):
                assert connection.execute("select pg_listening_channels()").fetchall() == []


@pytest.mark.timeout(20)
def test_a_subscription_whose_connection_breaks_says_so(database: str) -> None:
    with (
        ConnectionPool(conninfo(database, Role.WRITER), min_size=2, max_size=2, open=True) as pool,
        psycopg.connect(database, autocommit=True) as owner,
    ):
        recorder = OrganizationRecorder(pool, "acme")
        recorder.insert_events([event()])
        with recorder.subscribe() as subscription:
            assert next(subscription).id == 1
            owner.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            with pytest.raises(OperationalError):
                next(subscription)
