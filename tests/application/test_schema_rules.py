"""The catalogue keeps the rules an organisation's data live by; each role can do its part and no more."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Identifier, Literal

from application.postgres.connections import Role

RULES = Path(__file__).with_name("schema_rules.sql").read_text(encoding="utf-8")

GOOD = """
create table good (
    organization_id text not null,
    id text not null,
    words tsvector,
    during tstzrange,
    primary key (organization_id, id)
);
alter table good enable row level security, force row level security;
create policy own on good using (organization_id = current_setting('activities.organization_id', true));
create table place (id int primary key);
comment on table place is 'reference';
"""

BREACHES = {
    "has no organization_id and no comment that says why": [
        "create table bad (id uuid primary key)",
    ],
    "organization_id may be null": [
        "create table bad (organization_id text, unique (organization_id))",
    ],
    "has no primary key": [
        "create table bad (organization_id text not null)",
    ],
    "has a unique index that organization_id does not lead": [
        "create unique index on good (id)",
        "create unique index on good (id, organization_id)",
        "create unique index on good (lower(organization_id))",
    ],
    "has an exclusion constraint without organization_id": [
        "alter table good add exclude using gist (during with &&)",
    ],
    "has a foreign key that crosses organizations": [
        """
        create table bad (organization_id text, id text, other text, primary key (organization_id, id),
                          foreign key (other, id) references good)
        """,
    ],
    "has a trigger": [
        """
        create trigger bad before update on good
            for each row execute function suppress_redundant_updates_trigger()
        """,
    ],
    "numbers rows by itself": [
        "alter table good add n bigint generated always as identity",
        "alter table good add n bigserial",
        "alter table good add n xid8 default pg_current_xact_id()",
    ],
    "is a sequence": [
        "create sequence bad",
    ],
    "has a GIN index on several columns": [
        "alter table good add more tsvector; create index on good using gin (words, more)",
    ],
    "does not enable and force row level security": [
        "alter table good no force row level security",
        "alter table good disable row level security",
    ],
    "has a policy that does not ask for the organization": [
        "create policy bad on good using (true)",
        "create policy bad on good for insert to activities_writer with check (true)",
        "create policy bad on good using (id = current_setting('activities.api_key_id', true))",
    ],
    "is a view with its owner's rights": [
        "create view bad as select * from good",
    ],
    "is a materialized view, which row level security does not cover": [
        "create materialized view bad as select * from good",
    ],
    "runs with its owner's rights for everybody": [
        "create function bad() returns int language sql security definer set search_path = '' as 'select 1'",
    ],
    "runs with its owner's rights on its caller's search path": [
        "create function bad() returns int language sql security definer as 'select 1'",
    ],
    "uses what does not spread": [
        "create function bad() returns void language sql as 'select pg_advisory_xact_lock(1)'",
        "create function bad() returns bigint language sql as $$ select nextval('x') $$",
    ],
    "sets a variable beyond the transaction": [
        "create function bad() returns text language sql as $$ select set_config('a.b', 'c', false) $$",
    ],
}

SAMPLES = {
    "bigint": "1",
    "boolean": "true",
    "bytea": "''",
    "date": "now()",
    "integer": "1",
    "jsonb": "'{}'",
    "numeric": "1",
    "smallint": "1",
    "text": "'x'",
    "text[]": "'{}'",
    "timestamp with time zone": "now()",
    "tsvector": "''",
    "uuid": "gen_random_uuid()",
}
"""A value of each type our tables use, so that a row can be put into every one of them."""


@pytest.fixture
def owner(module_database: str) -> Iterator[psycopg.Connection[Any]]:
    """Everything a test does here is undone at its end."""
    options = "-c search_path=activities,public"
    with psycopg.connect(module_database, options=options) as connection:
        yield connection
        connection.rollback()


def breaches(connection: psycopg.Connection[Any]) -> list[str]:
    return [f"{name} {breach}" for name, breach in connection.execute(RULES)]


def tables(connection: psycopg.Connection[Any]) -> list[str]:
    """Those that hold organisations' rows."""
    found = connection.execute(
        """
        select relname
          from pg_class c
          join pg_attribute on attrelid = c.oid and attname = 'organization_id'
         where relnamespace = 'activities'::regnamespace and relkind in ('r', 'p')
         order by relname
        """
    )
    return [name for (name,) in found]


def put_a_row_into(table: str, organization_id: str, connection: psycopg.Connection[Any]) -> None:
    columns = connection.execute(
        """
        select attname, format_type(atttypid, null)
          from pg_attribute
         where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped and attname <> 'organization_id'
        """,
        (table,),
    ).fetchall()
    statement = SQL("insert into {} (organization_id, {}) values ({}, {})").format(
        Identifier(table),
        SQL(", ").join(Identifier(name) for name, _ in columns),
        Literal(organization_id),
        SQL(", ").join(SQL(SAMPLES[kind]) for _, kind in columns),
    )
    connection.execute(statement)


def become(role: Role, connection: psycopg.Connection[Any], *, of: str | None) -> None:
    connection.execute(SQL("set local role {}").format(Identifier(role)))
    if of is not None:
        connection.execute("select set_config('activities.organization_id', %s, true)", (of,))


def test_our_schema_breaks_no_rule(owner: psycopg.Connection[Any]) -> None:
    assert breaches(owner) == []


def test_a_table_that_keeps_the_rules_is_not_reported(owner: psycopg.Connection[Any]) -> None:
    owner.execute(GOOD)
    assert breaches(owner) == []


@pytest.mark.parametrize(
    ("breach", "statement"),
    [(breach, statement) for breach, statements in BREACHES.items() for statement in statements],
)
def test_a_broken_rule_is_reported(owner: psycopg.Connection[Any], breach: str, statement: str) -> None:
    owner.execute(GOOD)
    owner.execute("set local check_function_bodies = off")
    owner.execute(statement)
    assert any(breach in reported for reported in breaches(owner))


def test_every_rule_has_an_example_of_its_breach() -> None:
    rules = re.findall(r"^select (?:spread\.)?name, '((?:[^']|'')+)'", RULES, re.MULTILINE)
    assert len(rules) == RULES.count("union all") + 1
    assert {rule.replace("''", "'").removesuffix(": ") for rule in rules} == BREACHES.keys()


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "statement",
    [
        "update events set state = ''",
        "update events set recorded_at = now() where false",
        "delete from events",
        "delete from events where false",
        "truncate events",
        "insert into events select * from events",
        "update heads set position = 0",
        "delete from heads",
    ],
)
def test_no_role_can_rewrite_the_log(owner: psycopg.Connection[Any], role: Role, statement: str) -> None:
    become(role, owner, of="acme")
    with pytest.raises(InsufficientPrivilege):
        owner.execute(statement)


@pytest.mark.parametrize("role", [Role.PROJECTOR, Role.READER])
@pytest.mark.parametrize("function", ["open_log", "append_events", "keep_answers"])
def test_only_the_writer_may_append(owner: psycopg.Connection[Any], role: Role, function: str) -> None:
    [(allowed,)] = owner.execute(
        "select bool_or(has_function_privilege(%s, oid, 'execute')) from pg_proc where proname = %s",
        (role, function),
    )
    assert not allowed


@pytest.mark.parametrize("role", [Role.WRITER, Role.READER])
def test_nobody_sees_another_organizations_rows(owner: psycopg.Connection[Any], role: Role) -> None:
    for table in tables(owner):
        put_a_row_into(table, "acme", owner)
    readable = [table for table in tables(owner) if may_read(role, table, owner)]
    assert {"events", "heads"} <= set(readable)
    for table in readable:
        assert rows_seen(table, owner, by=role, of="acme") == 1
        assert rows_seen(table, owner, by=role, of="bolt") == 0
        assert rows_seen(table, owner, by=role, of="") == 0
        assert rows_seen(table, owner, by=role, of=None) == 0


def may_read(role: Role, table: str, connection: psycopg.Connection[Any]) -> bool:
    [(allowed,)] = connection.execute("select has_table_privilege(%s, %s, 'select')", (role, table))
    return bool(allowed)


def rows_seen(table: str, connection: psycopg.Connection[Any], *, by: Role, of: str | None) -> int:
    with connection.transaction(force_rollback=True):
        become(by, connection, of=of)
        [(rows,)] = connection.execute(SQL("select count(*) from {}").format(Identifier(table)))
    return int(rows)
