"""Numbered SQL files, each applied once, in order, in a transaction of its own, under one advisory lock.

They are applied while an older version of the service is at work. So a migration never waits long for a lock, as
everybody else would wait behind it: it gives up, lets them go on, and tries again, a bounded number of times.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.errors import DeadlockDetected, LockNotAvailable

FOLDER = Path(__file__).parent / "sql"
SCHEMA = "activities"
ROLES = ("activities_writer", "activities_projector", "activities_reader", "activities_signer")
ANALYST = "activities_analyst"
"""What analysts' logins are members of. The owner never is: its policies would confine the owner, too."""
_LOCK = 0x61637469  # any constant; of advisory locks, erasures have others (application.erasure.alone)

LOCK_SECONDS = 1.0
"""How long a migration waits for a lock, and so for how long at most others wait behind it."""
_TRIES = 40
_PAUSE = 0.5
_MIGRATOR_SECONDS = 600  # for another one who migrates at the same time

_PREPARE = """
create schema if not exists {schema};
create extension if not exists pg_trgm with schema public;
create table if not exists {schema}.migrations (
    number int primary key, name text not null, applied_at timestamptz not null default now()
);
comment on table {schema}.migrations is 'local';
"""

_ROLE = """
do $$ begin
    if to_regrole('{role}') is null then create role {role} nologin; end if;
exception when duplicate_object or unique_violation then null;
end $$;
"""

_MEMBER = """
do $$ begin
    if current_setting('server_version_num')::int < 160000 then
        if not pg_has_role(current_user, '{role}', 'member') then grant {role} to current_user; end if;
    elsif not pg_has_role(current_user, '{role}', 'set') then
        execute 'grant {role} to current_user with inherit false, set true';
    end if;
end $$;
"""


@dataclass(frozen=True)
class Migration:
    number: int
    name: str
    sql: str


def all_migrations(folder: Path = FOLDER) -> list[Migration]:
    files = sorted(folder.glob("[0-9]*.sql"))
    return [Migration(int(f.stem[:4]), f.stem[5:], f.read_text(encoding="utf-8")) for f in files]


def migrate(dsn: str, *, upto: int | None = None, then: Callable[[Connection[Any]], object] | None = None) -> list[str]:
    """Bring the database up to date; the names of what was applied now. Any number of processes may call it.

    `then` is done last, as the owner of the tables, before any other process that calls it goes on.

    Raises LockNotAvailable where somebody keeps a table locked all the time. What was applied before stays: run again.
    """
    with psycopg.connect(dsn, connect_timeout=10, autocommit=True) as connection:
        connection.execute(f"set lock_timeout = '{_MIGRATOR_SECONDS}s'")
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))  # until the connection ends
        connection.execute(f"set lock_timeout = '{LOCK_SECONDS}s'")
        _patiently(lambda: prepare(connection))
        pending = pending_of(connection, upto)
        for migration in pending:
            _patiently(lambda migration=migration: apply(connection, migration))  # type: ignore[misc]
        if then is not None:
            then(connection)
    return [f"{m.number:04} {m.name}" for m in pending]


def prepare(connection: Connection[Any]) -> None:
    """What every migration relies on. In one transaction.

    Roles belong to the whole server, so two databases being migrated at once may both make them: whoever
    comes second finds them there.
    """
    with connection.transaction():
        connection.execute(_PREPARE.format(schema=SCHEMA))
        for role in (*ROLES, ANALYST):
            connection.execute(_ROLE.format(role=role))
        for role in ROLES:
            connection.execute(_MEMBER.format(role=role))


def pending_of(connection: Connection[Any], upto: int | None = None) -> list[Migration]:
    """The migrations yet to be applied, up to a number."""
    applied = {row[0] for row in connection.execute(f"select number from {SCHEMA}.migrations")}
    return [m for m in all_migrations() if m.number not in applied and (upto is None or m.number <= upto)]


def apply(connection: Connection[Any], migration: Migration) -> None:
    """Apply one, and remember that it was. In one transaction."""
    with connection.transaction():
        connection.execute(f"set local search_path = {SCHEMA}, public")
        connection.execute(migration.sql)
        applied_now = (migration.number, migration.name)
        connection.execute("insert into migrations (number, name) values (%s, %s)", applied_now)


def schemas_of(migrations: Iterable[Migration]) -> list[str]:
    """Every schema that is there because of them."""
    made = re.compile(r"^create schema (?:if not exists )?(\w+)", re.MULTILINE)
    return [SCHEMA, *(name for migration in migrations for name in made.findall(migration.sql))]


def _patiently(step: Callable[[], None]) -> None:
    """A transaction, tried again after a pause in which others go on where it could not have its locks."""
    for tried in range(_TRIES):
        try:
            step()
        except (LockNotAvailable, DeadlockDetected):
            if tried == _TRIES - 1:
                raise
            time.sleep(_PAUSE)
        else:
            return
