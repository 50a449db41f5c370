"""Numbered SQL files, each applied once, in order, in one transaction, under an advisory lock."""

from dataclasses import dataclass
from pathlib import Path

import psycopg

FOLDER = Path(__file__).parent / "sql"
SCHEMA = "activities"
ROLES = ("activities_writer", "activities_projector", "activities_reader", "activities_signer")
_LOCK = 0x61637469  # any constant; advisory locks serve migrations and nothing else

_PREPARE = """
select pg_advisory_xact_lock({lock});
create schema if not exists {schema};
create extension if not exists pg_trgm with schema public;
create table if not exists {schema}.migrations (
    number int primary key, name text not null, applied_at timestamptz not null default now()
);
comment on table {schema}.migrations is 'local';
"""

_ROLE = """
do $$ begin
    create role {role} nologin;
exception when duplicate_object or unique_violation then null;
end $$;
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


def migrate(dsn: str) -> list[str]:
    """Bring the database up to date; the names of what was applied now. Any number of processes may call it.

    Roles belong to the whole server, so two databases being migrated at once may both make them: whoever
    comes second finds them there.
    """
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        connection.execute(_PREPARE.format(lock=_LOCK, schema=SCHEMA))
        for role in ROLES:
            connection.execute(_ROLE.format(role=role))
        connection.execute(f"set local search_path = {SCHEMA}, public")
        applied = {row[0] for row in connection.execute("select number from migrations")}
        pending = [m for m in all_migrations() if m.number not in applied]
        for migration in pending:
            connection.execute(migration.sql)
            applied_now = (migration.number, migration.name)
            connection.execute("insert into migrations (number, name) values (%s, %s)", applied_now)
    return [f"{m.number:04} {m.name}" for m in pending]
