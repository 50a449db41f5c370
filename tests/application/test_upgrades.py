"""A database of any version ever released comes forward with its data, while an old worker goes on writing.

`tests/data/schema-NNNN.backup` is a database as migration NNNN left it, with every event of the golden corpus in it.
When a version is released, `activities backup` of one makes the next. From 0011 on there are facts in it that a service
sealed, under the master key of the tests. What was stored in plain before is looked at in test_sealing_the_past.
"""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb
from service import Service, eventually
from stored import StoredLog

from api.serving.database import bring_up_to_date
from api.serving.upgrading import logged
from application.backup.restoring import put_back
from application.event_store.mapper import activity_key
from application.postgres import migrations
from application.postgres.connections import Role, conninfo
from application.postgres.migrations import all_migrations, migrate
from application.settings import Settings
from domain.activity.events import Created
from projections.read_models import READ_MODELS
from projections.verify import verify

DATA = Path(__file__).parents[1] / "data"
RELEASED = {int(re.findall(r"\d+", path.name)[0]): path for path in sorted(DATA.glob("schema-*.backup"))}
TOGETHER = {11: range(6, 12), 14: range(12, 15)}
"""Migrations that were released at once, by the last of them."""
SEALED_SINCE = 11
PATIENCE = 60.0
MOST_WAITED = 6.0
"""Seconds a writer may be kept waiting by an upgrade: a lock's bound, and what a slow machine adds."""


def quiet(count: int) -> None:
    """Nobody is told of the progress."""


def ask(dsn: str, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(sql, parameters).fetchall()


class OldWorker:
    """Writes as every version so far does: takes the log, appends, commits. Remembers what was acknowledged."""

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg.connect(conninfo(dsn, Role.WRITER), autocommit=True)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.acknowledged: list[UUID] = []
        self.longest = 0.0

    @contextmanager
    def at_work(self) -> Iterator["OldWorker"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join(PATIENCE)
            self._connection.close()
            assert not self._thread.is_alive()

    def _work(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            self.acknowledged.append(self._write())
            self.longest = max(self.longest, time.monotonic() - began)
            self._stop.wait(0.005)

    def _write(self) -> UUID:
        number = len(self.acknowledged)
        fact = {**A_FACT, "id": f"01JFM{number:021}", "at": datetime.now(UTC).isoformat()}
        key = activity_key(fact["id"])
        with self._connection.transaction():
            self._connection.execute("select open_log('acme')")
            self._connection.execute(
                "select append_events('acme', now(), %s, %s, %s, %s, %s)",
                ([key], [1], ["activity.created.v1"], [json.dumps(fact).encode()], [Jsonb({"actor": "u-1"})]),
            )
        return key


A_FACT = {
    "created_by": "u-1",
    "type": "call",
    "subject": "While it was upgraded",
    "activityable_type": "lead",
    "activityable_id": "l-1",
    "assigned_user_id": "u-1",
}


_BEHIND = """
select count(*)
  from activities.heads h, unnest(%s::text[]) m(name)
 where h.position > coalesce((select c.position from activities.cursors c
                               where c.organization_id = h.organization_id and c.read_model = m.name), 0)
"""


def behind(dsn: str) -> int:
    ((count,),) = ask(dsn, _BEHIND, list(READ_MODELS))
    return int(count)


def test_there_is_a_database_of_every_version_released() -> None:
    migrations_released = [number for version in RELEASED for number in TOGETHER.get(version, [version])]
    assert migrations_released == list(range(1, max(RELEASED) + 1))
    assert max(RELEASED) >= 15


@pytest.mark.timeout(120)
@pytest.mark.parametrize("version", RELEASED)
def test_it_comes_forward_with_its_data_while_an_old_worker_writes(empty_database: str, version: int) -> None:
    dsn = empty_database
    put_back(dsn, RELEASED[version], quiet)
    assert ask(dsn, "select max(number) from activities.migrations") == [(version,)]
    log = StoredLog(dsn)
    assert {"activity.completed.v1", "record.updated.v1"} <= {fact.name for fact in log.facts.values()}

    worker = OldWorker(dsn)
    with worker.at_work():
        eventually(lambda: len(worker.acknowledged) > 10, PATIENCE, "the old worker writes")
        bring_up_to_date(Settings(database_url=dsn), dsn, logged)
        reached = len(worker.acknowledged)
        with Service(dsn, workers=1) as service:
            eventually(lambda: len(worker.acknowledged) > reached + 10, PATIENCE, "the old worker goes on")
            with service.client("acme") as client:
                client.record("leads", "l-1")
                client.create(activityable_type="lead", activityable_id="l-1")
                total = client.ok("GET", "/activities", params={"search": "While it was upgraded"})["meta"]["total"]
                assert total > 10
                for key in golden_activities(log):
                    assert client.call("GET", f"/activities/{key}").status_code in (200, 404)
            with service.client("beta") as client:
                assert client.ok("GET", "/activities")["meta"]["total"] == ALIVE
    with Service(dsn, workers=1):
        eventually(lambda: behind(dsn) == 0, PATIENCE, "the read tables have caught up")

    now = StoredLog(dsn)
    assert log.said().items() <= now.said().items()
    in_plain = now.in_plain() & log.rows.keys()
    assert in_plain == (log.in_plain() if version >= SEALED_SINCE else set()), "all is sealed that no tree covered"
    assert set(worker.acknowledged) <= {key for key, *_ in now.rows.values()}
    assert worker.longest < MOST_WAITED
    assert ask(dsn, "select max(number) from activities.migrations") == [(all_migrations()[-1].number,)]
    assert ask(dsn, "select user_id, key, status from activities.idempotency where organization_id = 'beta'") == [
        ("u-1", "kept", 201)
    ]
    verdicts = list(verify(dsn, READ_MODELS.values(), quiet))
    assert [v for v in verdicts if v.drift or v.wrong_counts] == []


ALIVE = 10
"""Activities of the golden corpus that are not deleted."""


def golden_activities(log: StoredLog) -> list[str]:
    return [fact.id for (org, _), fact in log.facts.items() if org == "acme" and isinstance(fact, Created)]


@contextmanager
def locking(dsn: str, table: str) -> Iterator[None]:
    """Somebody who has written to a table and does not commit."""
    with psycopg.connect(dsn) as connection:
        connection.execute(f"lock table activities.{table} in row exclusive mode")
        yield
        connection.rollback()


def test_a_migration_that_cannot_have_its_lock_lets_others_pass_and_tries_again(empty_database: str) -> None:
    dsn = empty_database
    put_back(dsn, RELEASED[3], quiet)
    applied: list[str] = []
    longest = 0.0
    upgrade = threading.Thread(target=lambda: applied.extend(migrate(dsn, upto=4)))
    with locking(dsn, "activity_list"):
        upgrade.start()
        until = time.monotonic() + 3 * migrations.LOCK_SECONDS
        while time.monotonic() < until:
            began = time.monotonic()
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute(
                    "update activities.activity_list set words = words where activity_id = %s", (uuid4(),)
                )
            longest = max(longest, time.monotonic() - began)
        assert applied == []
    upgrade.join(PATIENCE)
    assert applied == ["0004 counts"]
    assert 0.1 < longest < migrations.LOCK_SECONDS + 2, "others wait behind the migration, and not for long"


def test_a_lock_that_is_never_let_go_ends_the_migration_and_changes_nothing(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_back(empty_database, RELEASED[3], quiet)
    monkeypatch.setattr(migrations, "_TRIES", 2)
    with locking(empty_database, "activity_list"), pytest.raises(psycopg.errors.LockNotAvailable):
        migrate(empty_database, upto=4)
    assert ask(empty_database, "select max(number) from activities.migrations") == [(3,)]
    assert migrate(empty_database, upto=4) == ["0004 counts"]
