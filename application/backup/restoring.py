"""Restore a backup, into an empty database or in place of what there is: in one transaction, wholly or not at all."""

from collections.abc import Collection
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from application.backup.archive import Told, checked, opened, pieces_of
from application.backup.backing_up import SESSION, refuse_half_sighted
from application.backup.errors import Refused, Unreadable
from application.backup.manifest import Manifest, SavedTable
from application.postgres.migrations import (
    ROLES,
    SCHEMA,
    Migration,
    all_migrations,
    apply,
    migrate,
    pending_of,
    prepare,
    schemas_of,
)

_IN_USE = "select count(*) from pg_stat_activity where datname = current_database() and application_name = any(%s)"
_GAPS = """
select count(*) from heads h
 where h.position <> (select count(*) from events e where e.organization_id = h.organization_id)
    or h.position <> (select coalesce(max(e.position), 0) from events e where e.organization_id = h.organization_id)
"""


def restore(dsn: str, path: Path, told: Told, *, replace: bool = False, without: Collection[str] = ()) -> Manifest:
    """What was restored, brought up to date. Raises BackupError; the database is then as it was before.

    The service must not be at work: its processes remember states that would no longer be true. `without` names
    read models whose place in the log is not to be restored, as their tables are not.
    """
    manifest = put_back(dsn, path, told, replace=replace, without=without)
    migrate(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("analyze")
    return manifest


def put_back(dsn: str, path: Path, told: Told, *, replace: bool = False, without: Collection[str] = ()) -> Manifest:
    """The same, but the database is left as of the version that took the backup."""
    with opened(path) as (archive, manifest):
        past = _migrations_of(manifest)
        checked(archive, manifest, told)
        with psycopg.connect(dsn, connect_timeout=10, application_name="activities_restore") as connection:
            connection.execute(SESSION)
            connection.execute("set statement_timeout = 0; set lock_timeout = '10s'")
            refuse_half_sighted(connection)
            _make_room(connection, replace=replace)
            _make_tables(connection, past)
            for table in manifest.tables:
                _load(connection, archive, table, told)
            if any(table.name == "cursors" for table in manifest.tables):
                connection.execute("delete from cursors where read_model = any(%s)", (list(without),))
            if connection.execute(_GAPS).fetchone() != (0,):
                raise Unreadable("the backup has a log with gaps: it is not restored")
    return manifest


def _migrations_of(manifest: Manifest) -> list[Migration]:
    """Those the backup was taken after. Raises Refused where this version does not know them."""
    known = {f"{m.number:04} {m.name}": m for m in all_migrations()}
    if unknown := [name for name in manifest.migrations if name not in known]:
        raise Refused(f"the backup is of a newer version: this one does not know {', '.join(unknown)}")
    return [known[name] for name in manifest.migrations]


def _make_room(connection: Connection[Any], *, replace: bool) -> None:
    """Nothing of ours is left in the database. Raises Refused where that would take anything away unasked."""
    if connection.execute("select to_regclass(%s)", (f"{SCHEMA}.heads",)).fetchone() == (None,):
        return
    _refuse_if_in_use(connection)
    connection.execute(SQL("lock table {}, {} in access exclusive mode").format(*map(_ours, ("heads", "events"))))
    _refuse_if_in_use(connection)  # nor did it begin meanwhile; now it would wait for us
    holds = connection.execute(SQL("select exists (select from {})").format(_ours("heads"))).fetchone()
    if holds == (True,) and not replace:
        raise Refused("the database is not empty: say --replace to put the backup in place of what is there")
    applied = {row[0] for row in connection.execute(SQL("select number from {}").format(_ours("migrations")))}
    for schema in schemas_of(m for m in all_migrations() if m.number in applied):
        connection.execute(SQL("drop schema if exists {} cascade").format(Identifier(schema)))


def _refuse_if_in_use(connection: Connection[Any]) -> None:
    if connection.execute(_IN_USE, (list(ROLES),)).fetchone() != (0,):
        raise Refused("the service is at work on this database: stop it first")


def _ours(table: str) -> Identifier:
    return Identifier(SCHEMA, table)


def _make_tables(connection: Connection[Any], past: list[Migration]) -> None:
    """As they were when the backup was taken; what came since is applied to the rows as to anybody's."""
    prepare(connection)
    wanted = {migration.number for migration in past}
    for migration in pending_of(connection):
        if migration.number in wanted:
            apply(connection, migration)
    connection.execute(SQL("set local search_path = {}, public").format(Identifier(SCHEMA)))


def _load(connection: Connection[Any], archive: ZipFile, table: SavedTable, told: Told) -> None:
    target = Identifier(table.name)
    connection.execute(SQL("truncate {}").format(target))  # a migration may have put rows there
    names = SQL(", ").join(map(Identifier, table.columns))
    try:
        with connection.cursor() as cursor:
            with cursor.copy(SQL("copy {} ({}) from stdin").format(target, names)) as copy:
                for piece in pieces_of(archive, table):
                    copy.write(piece)
                    told(piece.count(b"\n"))
            loaded = cursor.rowcount
    except psycopg.errors.DataError as error:
        raise Unreadable(f"the backup is damaged: {table.name} has a row no table can hold") from error
    if loaded != table.rows:
        raise Unreadable(f"the backup is damaged: {table.name} has {loaded} rows, not {table.rows}")
