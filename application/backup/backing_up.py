"""Take a backup: every table in one snapshot, while everybody goes on working.

A snapshot holds whole transactions, so of each organisation's log it has a prefix, and every read table as it was then.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel
from psycopg.sql import SQL, Identifier

from application.backup.archive import Told, new_file, write_manifest, write_table
from application.backup.errors import Refused
from application.backup.manifest import Manifest, SavedTable
from application.postgres.migrations import SCHEMA

SESSION = "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set extra_float_digits = 1"
"""How values are written, and read again."""

_SEES_ALL = "select rolsuper or rolbypassrls from pg_roles where rolname = current_user"
_TABLES = """
select c.relname, array_agg(a.attname::text order by a.attnum)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
 where n.nspname = %s and c.relkind = 'r' and coalesce(obj_description(c.oid), '') <> 'local'
   and c.relname <> all(%s)
 group by c.relname
 order by c.relname
"""
"""A table commented `local` speaks of this database alone, and means nothing in another one."""
_MIGRATIONS = "select to_char(number, 'fm0000') || ' ' || name from migrations order by number"


def back_up(dsn: str, path: Path, told: Told, *, keys: str, without: Collection[str] = ()) -> Manifest:
    """Write the backup; raises BackupError. `keys` is remembered: see `keys_mark`. `without` names tables to leave."""
    with psycopg.connect(dsn, connect_timeout=10, application_name="activities_backup") as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.execute(SESSION)
        connection.execute("set local statement_timeout = 0")
        refuse_half_sighted(connection)
        if connection.execute("select to_regclass(%s)", (f"{SCHEMA}.migrations",)).fetchone() == (None,):
            raise Refused("there is nothing to back up: the database was never migrated")
        connection.execute(SQL("set local search_path = {}, public").format(Identifier(SCHEMA)))
        with new_file(path) as archive:
            tables = [
                write_table(archive, name, columns, _rows(connection, name, columns), told)
                for name, columns in connection.execute(_TABLES, (SCHEMA, list(without))).fetchall()
            ]
            manifest = _manifest(connection, tables, keys)
            write_manifest(archive, manifest)
    return manifest


def refuse_half_sighted(connection: Connection[Any]) -> None:
    """Raises Refused for a role that row-level security would show less than everything."""
    if connection.execute(_SEES_ALL).fetchone() != (True,):
        raise Refused("row-level security hides rows from this database role: use one with BYPASSRLS, or a superuser")


def _rows(connection: Connection[Any], table: str, columns: list[str]) -> Iterator[bytes]:
    names = SQL(", ").join(map(Identifier, columns))
    with connection.cursor().copy(SQL("copy {} ({}) to stdout").format(Identifier(table), names)) as copy:
        for piece in copy:
            yield bytes(piece)


def _manifest(connection: Connection[Any], tables: list[SavedTable], keys: str) -> Manifest:
    rows = {table.name: table.rows for table in tables}
    return Manifest(
        taken_at=datetime.now(UTC),
        migrations=[row[0] for row in connection.execute(_MIGRATIONS)],
        organizations=rows["heads"],
        events=rows["events"],
        keys=keys,
        tables=tables,
    )
