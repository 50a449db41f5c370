"""The projector: batched, exactly once, restartable, one at a time, and never stopped by one bad event."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import Connection

from application.event_store.mapper import activity_key, encode, record_key
from application.postgres.connections import Role, conninfo
from domain.activity.events import Created, Deleted, Rescheduled
from domain.record.events import RecordCreated
from domain.vocabulary import ActivityType, RecordKind, RelatedType
from projections.ahead import Ahead, Prepared, Stretch
from projections.catching_up import CatchingUp
from projections.folding import Fold, Folder
from projections.lease import Deposed, Lease
from projections.projector import Projector
from projections.read_models import READ_MODELS
from projections.verify import verify

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PATIENCE = 30.0


def an_id(number: int) -> str:
    return f"01JFJ{number:021}"


def created(number: int, **fields: Any) -> Created:
    said = {"subject": f"Call {number}", "due_at": NOON, "assigned_user_id": "u-1", **fields}
    return Created(
        at=NOON,
        id=an_id(number),
        created_by="u-1",
        type=ActivityType.CALL,
        activityable_type=RelatedType.LEAD,
        activityable_id="l-1",
        **said,
    )


class Log:
    """A database's logs, written by append_events as the desk writes them."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._connection = psycopg.connect(conninfo(dsn, Role.WRITER), autocommit=True)

    def append(self, *facts: Any, organization: str = "acme", version: int = 1) -> None:
        self.append_raw([(key_of(fact), version, fact.name, encode(fact)) for fact in facts], organization)

    def append_raw(self, rows: list[tuple[UUID, int, str, bytes]], organization: str = "acme") -> None:
        keys, versions, topics, states = (list(column) for column in zip(*rows, strict=True))
        self._connection.execute(
            "select append_events(%s, %s, %s, %s, %s, %s, array_fill('{}'::jsonb, array[%s]))",
            (organization, NOON, keys, versions, topics, states, len(rows)),
        )

    def ask(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("set search_path = activities, public")
            return connection.execute(sql, parameters).fetchall()

    def behind(self) -> int:
        (count,) = self.ask(
            "select count(*) from heads h, unnest(%s::text[]) m(name) where h.position > coalesce((select c.position"
            " from cursors c where c.organization_id = h.organization_id and c.read_model = m.name), 0)",
            list(READ_MODELS),
        )[0]
        return int(count)

    def subjects(self) -> list[str]:
        return [subject for (subject,) in self.ask("select subject from activity_list order by subject")]


def key_of(fact: Any) -> UUID:
    return record_key(fact.kind, fact.id) if isinstance(fact, RecordCreated) else activity_key(fact.id)


@pytest.fixture
def log(database: str) -> Log:
    log = Log(database)
    log.append(RecordCreated(at=NOON, id="l-1", kind=RecordKind.LEAD, fields={"name": "Lead"}))
    return log


@contextmanager
def projecting(log: Log) -> Iterator[Projector]:
    stop = threading.Event()
    projector = Projector(log.dsn, stop)
    thread = threading.Thread(target=projector.run)
    thread.start()
    try:
        yield projector
    finally:
        stop.set()
        thread.join(timeout=PATIENCE)
        assert not thread.is_alive()


def eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        time.sleep(0.02)


def caught_up(log: Log) -> None:
    eventually(lambda: log.behind() == 0, "the read models are at the head")


def drift(log: Log) -> list[Any]:
    return [
        found
        for verdict in verify(log.dsn, READ_MODELS.values(), lambda events: None)
        for found in (*verdict.drift, *[verdict.wrong_counts] * bool(verdict.wrong_counts))
    ]


def test_a_backlog_is_projected_in_stretches_and_is_what_the_log_says(log: Log) -> None:
    for start in range(0, 3000, 500):
        log.append(*(created(number) for number in range(start, start + 500)))

    with projecting(log):
        caught_up(log)

    assert len(log.subjects()) == 3000
    assert drift(log) == []


def test_what_comes_while_it_runs_is_projected_for_every_organisation(log: Log) -> None:
    with projecting(log):
        for number in range(30):
            log.append(created(number), organization=f"org-{number % 5}")
        caught_up(log)

    assert log.ask("select count(*) from activity_list") == [(30,)]
    assert log.ask("select count(distinct organization_id) from cursors") == [(6,)]


def test_a_poll_is_enough_where_every_notification_is_lost(log: Log) -> None:
    with projecting(log):
        caught_up(log)
        with psycopg.connect(log.dsn) as connection:  # the same append, without a word to anybody
            connection.execute("set search_path = activities, public")
            connection.execute("update heads set position = position + 1 where organization_id = 'acme'")
            connection.execute(
                "insert into events select 'acme', %s, 1, %s, %s, '{}', %s, position from heads"
                " where organization_id = 'acme'",
                (activity_key(an_id(1)), Created.name, encode(created(1)), NOON),
            )
        caught_up(log)

    assert log.subjects() == ["Call 1"]


def test_killed_in_the_middle_it_is_gone_on_with_exactly_once(log: Log) -> None:
    for start in range(0, 6000, 1000):
        log.append(*(created(number) for number in range(start, start + 1000)))
    env = {**os.environ, "ACTIVITIES_DATABASE_URL": log.dsn, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "projections"], env=env)
    eventually(lambda: log.ask("select coalesce(max(position), 0) from cursors")[0][0] > 0, "it has begun")
    process.send_signal(signal.SIGKILL)
    process.wait()

    with projecting(log):
        caught_up(log)

    assert len(log.subjects()) == 6000
    assert drift(log) == []


def test_a_standby_takes_over_from_a_killed_leader(log: Log) -> None:
    env = {**os.environ, "ACTIVITIES_DATABASE_URL": log.dsn, "PYTHONPATH": str(ROOT)}
    leader = subprocess.Popen([sys.executable, "-m", "projections"], env=env)
    eventually(lambda: log.ask("select count(*) from leases") == [(1,)], "the leader leads")
    with projecting(log):
        leader.send_signal(signal.SIGKILL)
        leader.wait()
        log.append(created(1))
        caught_up(log)
    assert log.ask("select epoch from leases") == [(2,)]


def test_only_one_of_two_holds_the_lease(log: Log) -> None:
    with connected(log) as one, connected(log) as other:
        first, second = Lease("first"), Lease("second")

        assert first.hold(one) == 1
        assert second.hold(other) is None
        assert first.hold(one) == 1
        first.release(one)
        assert second.hold(other) == 2
        assert first.hold(one) is None


def test_an_older_epoch_can_write_no_more(log: Log) -> None:
    log.append(created(1))
    catching_up = CatchingUp(READ_MODELS, Folder())
    with connected(log) as connection:
        while catching_up.advance(connection, "acme", epoch=2):
            pass
        log.append(created(2))
        with pytest.raises(Deposed):
            catching_up.advance(connection, "acme", epoch=1)

    assert log.subjects() == ["Call 1"]


def test_a_read_model_that_is_new_catches_up_while_the_others_stay_at_the_head(log: Log) -> None:
    log.append(*(created(number) for number in range(1500)))
    older = {name: model for name, model in READ_MODELS.items() if name != "activity_changes"}
    with connected(log) as connection:
        while CatchingUp(older, Folder()).advance(connection, "acme", epoch=1):
            pass
        log.append(created(1500))
        catching_up = CatchingUp(READ_MODELS, Folder())
        assert catching_up.advance(connection, "acme", epoch=1)
        places = dict(log.ask("select read_model, position from cursors"))
        assert places == {**dict.fromkeys(older, 1502), "activity_changes": 0}
        assert drift(log) == []  # each is held against the log as of where it stands
        while catching_up.advance(connection, "acme", epoch=1):
            pass

    assert log.ask("select count(*) from activity_changes") == [(1501,)]
    assert drift(log) == []


def test_what_was_folded_ahead_is_what_the_log_says(log: Log) -> None:
    """A long backlog in which streams go on in the next stretch, some of them upon what could not be folded or kept."""
    later = Rescheduled(at=NOON, due_at=NOON, reminder_at=None)
    for first in range(0, 2400, 600):
        bad, no_table_holds, others = first, first + 1, range(first + 2, first + 600)
        log.append_raw([(activity_key(an_id(bad)), 1, Created.name, b'{"at": "nonsense"}')])
        log.append(created(no_table_holds, subject="NUL \x00"), *map(created, others))
        log.append_raw([(activity_key(an_id(n)), 2, later.name, encode(later)) for n in range(first, first + 600)])

    with connected(log) as connection, closing(Ahead(conninfo(log.dsn, Role.PROJECTOR))) as ahead:
        catching_up = CatchingUp(READ_MODELS, Folder(), ahead)
        while catching_up.advance(connection, "acme", epoch=1):
            pass

    assert log.ask("select count(*) from parked") == [(8,)]
    assert log.ask("select count(*), max(version) from activity_list") == [(2392, 2)]
    assert drift(log) == []


def test_what_was_folded_ahead_is_thrown_away_where_somebody_else_wrote_it(log: Log) -> None:
    log.append(*(created(number) for number in range(5000)))
    with connected(log) as connection, closing(Ahead(conninfo(log.dsn, Role.PROJECTOR))) as ahead:
        slow, quick = CatchingUp(READ_MODELS, Folder(), ahead), CatchingUp(READ_MODELS, Folder())
        for catching_up in (slow, quick, slow, quick, slow, slow):
            catching_up.advance(connection, "acme", epoch=1)

    assert log.behind() == 0
    assert drift(log) == []


def test_what_was_prepared_for_one_organisation_stays_while_another_has_its_turn(log: Log) -> None:
    with closing(Ahead(conninfo(log.dsn, Role.PROJECTOR))) as ahead:
        mine, other = (Stretch(organization, [], 0, 1000, set()) for organization in ("acme", "beta"))
        prepared = Prepared(mine, Fold(), [])
        with ahead.preparing(lambda connection: prepared):
            pass
        assert not ahead.idle
        assert ahead.taken(other) is None
        assert ahead.taken(mine) is prepared
        assert ahead.idle
        assert ahead.taken(mine) is None


def test_two_organisations_with_long_backlogs_are_projected_turn_by_turn(log: Log) -> None:
    for organization in ("acme", "beta"):
        log.append(*(created(number) for number in range(3500)), organization=organization)
    with connected(log) as connection, closing(Ahead(conninfo(log.dsn, Role.PROJECTOR))) as ahead:
        catching_up = CatchingUp(READ_MODELS, Folder(), ahead)
        while sum(catching_up.advance(connection, one, epoch=1) for one in ("acme", "beta")):
            pass

    assert log.behind() == 0
    assert drift(log) == []


@pytest.mark.timeout(60)
def test_a_stretch_may_be_more_than_a_connection_takes_at_once(log: Log) -> None:
    for first in range(0, 3000, 500):
        log.append(*(created(n, description=f"word{n} " * 800) for n in range(first, first + 500)))
    with connected(log) as connection, closing(Ahead(conninfo(log.dsn, Role.PROJECTOR))) as ahead:
        catching_up = CatchingUp(READ_MODELS, Folder(), ahead)
        while catching_up.advance(connection, "acme", epoch=1):
            pass

    assert log.behind() == 0


def test_where_nothing_can_be_folded_ahead_it_goes_on_without(log: Log) -> None:
    log.append(*(created(number) for number in range(3000)))
    nowhere = conninfo(log.dsn, Role.PROJECTOR) + " port=1"
    with connected(log) as connection, closing(Ahead(nowhere)) as ahead:
        catching_up = CatchingUp(READ_MODELS, Folder(), ahead)
        while catching_up.advance(connection, "acme", epoch=1):
            pass

    assert drift(log) == []


def test_what_is_projected_a_second_time_does_no_harm(log: Log) -> None:
    log.append(*(created(number) for number in range(5)))
    for _ in range(2):
        with projecting(log):
            caught_up(log)
        log.ask("update cursors set position = 0 where read_model = 'activity_changes' returning 1")
    with projecting(log):
        caught_up(log)

    assert log.ask("select count(*) from parked") == [(0,)]
    assert drift(log) == []


def test_a_notification_about_nobody_does_no_harm(log: Log) -> None:
    with projecting(log):
        log.ask("select pg_notify('activities_recorded', 'nobody')")
        log.append(created(1))
        caught_up(log)

    assert log.ask("select distinct organization_id from cursors") == [("acme",)]


def test_an_event_that_cannot_be_folded_parks_its_own_activity_and_no_other(log: Log) -> None:
    log.append(created(1), created(2))
    log.append_raw([(activity_key(an_id(1)), 2, "activity.rescheduled.v1", b'{"at": "nonsense"}')])
    later = Rescheduled(at=NOON, due_at=NOON, reminder_at=None)
    log.append_raw([(activity_key(an_id(1)), 3, later.name, encode(later))])
    log.append(created(3))

    with projecting(log):
        caught_up(log)

    assert log.subjects() == ["Call 1", "Call 2", "Call 3"]
    assert log.ask("select version from activity_list where subject = 'Call 1'") == [(1,)]
    assert drift(log) == []
    parked = log.ask("select originator_id, position, topic from parked")
    assert parked == [(activity_key(an_id(1)), 4, "activity.rescheduled.v1")]


def test_a_state_no_table_can_hold_parks_its_own_activity_and_no_other(log: Log) -> None:
    log.append(created(1), created(2, subject="NUL \x00"), created(3))

    with projecting(log):
        caught_up(log)

    assert log.subjects() == ["Call 1", "Call 3"]
    assert log.ask("select originator_id from parked") == [(activity_key(an_id(2)),)]
    assert log.ask("select sum(n)::int from activity_counts") == [(2,)]
    assert drift(log) == []


def test_a_word_said_and_taken_back_at_one_go_is_kept_nowhere(log: Log) -> None:
    log.append(created(1, subject="Zebrafish"), created(2, subject="Goldfish"))
    deleted = Deleted(at=NOON)
    log.append_raw([(activity_key(an_id(1)), 2, deleted.name, encode(deleted))])
    with projecting(log):
        caught_up(log)

    assert log.ask("select distinct word from word_keys where word ~ 'fish'") == [("goldfish",)]
    assert log.ask("select word, n from word_totals where word ~ 'fish'") == [("goldfish", 1)]


def test_built_again_from_nothing_the_tables_are_the_same(log: Log) -> None:
    log.append(*(created(number, follow_up_required=bool(number % 2)) for number in range(50)))
    tables = [*READ_MODELS, "word_keys", "word_totals", "activity_totals", "due_totals"]

    def everything() -> dict[str, list[Any]]:
        return {table: log.ask(f"select t::text from {table} t order by 1") for table in tables}

    with projecting(log):
        caught_up(log)
        live = everything()
    with psycopg.connect(log.dsn) as connection:
        connection.execute("set search_path = activities, public")
        connection.execute(f"truncate {', '.join([*tables, 'cursors'])}")
    with projecting(log):
        caught_up(log)

    assert everything() == live
    assert all(live.values())


def test_the_database_may_go_away_for_a_while(log: Log) -> None:
    with projecting(log):
        caught_up(log)
        for number in range(5):
            log.ask(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = %s and datname = current_database()",
                Role.PROJECTOR,
            )
            log.append(created(number))
            caught_up(log)

    assert len(log.subjects()) == 5
    assert drift(log) == []


@contextmanager
def connected(log: Log) -> Iterator[Connection[Any]]:
    with psycopg.connect(conninfo(log.dsn, Role.PROJECTOR), autocommit=True) as connection:
        yield connection
