"""Were the application to forget whose rows it asks for, the database would not.

Every question here lacks its condition on the organisation, and every write names another's: row level security
answers as if the other organisation were not there.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Identifier

from application.api_key.administration import create_api_key
from application.command import Actor, Answer, Order
from application.desk import Desk
from application.event_store.log import Log
from application.postgres.connections import Role, conninfo
from application.postgres.transaction import Transaction
from application.postgres.wire import Wire
from application.record.commands import CreateRecord, create_record
from domain.record.drafts import CustomerDraft
from domain.vocabulary import RecordKind
from projections.projector import Projector
from projections.reading import Question, Reader

OURS, THEIRS = "acme", "bolt"
NOW = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def dsn(module_database: str) -> Iterator[str]:
    """Both organisations have a customer and a key, and a projector has told the read tables."""
    asyncio.run(_fill(module_database))
    for organization in (OURS, THEIRS):
        create_api_key(module_database, organization, f"key of {organization}", pepper="p")
    stop = threading.Event()
    projector = threading.Thread(target=Projector(module_database, stop).run)
    projector.start()
    yield module_database
    stop.set()
    projector.join()


async def _fill(dsn: str) -> None:
    desk = Desk(lambda: AsyncConnection.connect(conninfo(dsn, Role.WRITER), autocommit=True))
    await desk.start()
    for organization in (OURS, THEIRS):
        command = CreateRecord(
            organization_id=organization,
            actor=Actor(user_id="u-1"),
            kind=RecordKind.CUSTOMER,
            draft=CustomerDraft(name=f"customer of {organization}"),
        )
        await desk.serve(Order(command, create_record, lambda receipt: Answer(200, b"")))
    await desk.stop()


def asked(dsn: str, organization: str, sql: str, read_models: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
    async def ask() -> list[tuple[Any, ...]]:
        async with Reader(dsn, size=1, patience=10).opened() as reader:
            return (await reader.ask(organization, Question(read_models, sql, {}))).rows

    return asyncio.run(ask())


@asynccontextmanager
async def writing(dsn: str) -> AsyncIterator[Transaction]:
    """A transaction such as the desk's own."""
    wire = await Wire.connected(conninfo(dsn, Role.WRITER), patience=10)
    async with Transaction(wire) as transaction:
        yield transaction
    wire.close()


def as_role(dsn: str, role: Role, organization: str) -> psycopg.Connection[Any]:
    """A transaction such as the application's own."""
    connection = psycopg.connect(conninfo(dsn, role))
    connection.execute("select set_config('activities.organization_id', %s, true)", (organization,))
    return connection


def test_a_question_that_forgets_the_organization_sees_its_own_rows_only(dsn: str) -> None:
    everything = "select organization_id, name from directory"
    assert asked(dsn, OURS, everything, ("directory",)) == [(OURS, f"customer of {OURS}")]
    assert asked(dsn, THEIRS, everything, ("directory",)) == [(THEIRS, f"customer of {THEIRS}")]
    assert asked(dsn, "nobody", everything, ("directory",)) == []


def test_a_question_that_names_another_organization_finds_nothing(dsn: str) -> None:
    named = f"select * from directory where organization_id = '{THEIRS}'"
    assert asked(dsn, OURS, named, ("directory",)) == []
    assert asked(dsn, OURS, f"select * from events where organization_id = '{THEIRS}'") == []
    assert asked(dsn, OURS, f"select * from heads where organization_id = '{THEIRS}'") == []


def test_a_decision_that_loads_without_the_organization_sees_its_own_facts_only(dsn: str) -> None:
    async def load() -> set[str]:
        async with writing(dsn) as transaction:
            await Log(transaction, OURS).take()
            rows = await (await transaction.execute("select organization_id from events")).fetchall()
            return {organization for (organization,) in rows}

    assert asyncio.run(load()) == {OURS}


def test_no_role_that_serves_requests_can_turn_to_a_table_itself(dsn: str) -> None:
    for role in (Role.WRITER, Role.READER):
        for statement in (
            "insert into events select * from events",
            "update events set organization_id = 'acme'",
            "delete from api_keys",
            "update api_keys set revoked_at = null",
            "update directory set name = 'x'",
            "insert into heads (organization_id) values ('x')",
        ):
            with as_role(dsn, role, OURS) as connection, pytest.raises(psycopg.Error) as refused:
                connection.execute(statement)
            assert refused.value.sqlstate in ("42501", "25006"), statement  # no privilege, or read only
            connection.close()


@pytest.mark.parametrize("table", ["heads", "events", "idempotency", "api_keys", "directory", "activity_list"])
def test_even_with_the_privilege_nobody_writes_into_another_organization(dsn: str, table: str) -> None:
    with psycopg.connect(dsn, options="-c search_path=activities") as connection:
        name = Identifier(table)
        connection.execute(SQL("grant select, insert, update, delete on {} to activities_writer").format(name))
        connection.execute("set local role activities_writer")
        connection.execute("select set_config('activities.organization_id', %s, true)", (OURS,))
        for statement in ("update {} set organization_id = organization_id", "delete from {}"):
            with connection.transaction(force_rollback=True):
                changed = connection.execute(SQL(statement + " where organization_id = %s").format(name), (THEIRS,))
                assert changed.rowcount == 0
        moved = SQL("update {} set organization_id = %s").format(name)
        if connection.execute(SQL("select from {}").format(name)).rowcount:
            with pytest.raises(InsufficientPrivilege, match="row-level security"), connection.transaction():
                connection.execute(moved, (THEIRS,))
        made = SQL("insert into {} (organization_id) values (%s)").format(name)
        with pytest.raises(InsufficientPrivilege, match="row-level security"), connection.transaction():
            connection.execute(made, (THEIRS,))
        connection.rollback()


def test_without_an_organization_there_is_nothing(dsn: str) -> None:
    with psycopg.connect(conninfo(dsn, Role.WRITER)) as connection:
        for table in ("heads", "events", "idempotency", "api_keys"):
            assert connection.execute(SQL("select * from {}").format(Identifier(table))).fetchall() == []


def test_who_presents_a_key_sees_that_key_and_no_other(dsn: str) -> None:
    with as_role(dsn, Role.WRITER, THEIRS) as connection:
        [(theirs,)] = connection.execute("select id from api_keys").fetchall()
    with as_role(dsn, Role.WRITER, OURS) as connection:
        assert [name for (name,) in connection.execute("select name from api_keys")] == [f"key of {OURS}"]
    with psycopg.connect(conninfo(dsn, Role.WRITER)) as connection:
        [(organization,)] = connection.execute("select organization_id from presented_api_key(%s)", (theirs,))
        assert organization == THEIRS
        assert [id for (id,) in connection.execute("select id from api_keys")] == [theirs]
        connection.commit()
        assert connection.execute("select id from api_keys").fetchall() == []


@pytest.mark.parametrize("role", [Role.READER, Role.PROJECTOR])
def test_keys_are_the_writers_business(dsn: str, role: Role) -> None:
    for statement in (
        "select * from api_keys",
        "select * from presented_api_key('x')",
        "select touch_api_key('acme', 'x')",
        "select keep_api_key('acme', 'x', 'x', '{}', 'x', 'x', now(), null)",
    ):
        with as_role(dsn, role, OURS) as connection, pytest.raises(InsufficientPrivilege):
            connection.execute(statement)
        connection.close()


def test_a_key_cannot_be_taken_over(dsn: str) -> None:
    with as_role(dsn, Role.WRITER, THEIRS) as connection:
        [(theirs,)] = connection.execute("select id from api_keys").fetchall()
    with suppress(psycopg.Error), as_role(dsn, Role.WRITER, OURS) as connection:
        connection.execute(
            "select keep_api_key(%s, %s, 'mine', '{admin}', 'hmac', 'me', %s, null)", (OURS, theirs, NOW)
        )
    with as_role(dsn, Role.WRITER, THEIRS) as connection:
        assert connection.execute("select name, revoked_at from api_keys").fetchall() == [(f"key of {THEIRS}", None)]


def test_a_stream_of_another_organization_is_another_stream(dsn: str) -> None:
    """Even under the very same id."""
    with psycopg.connect(dsn, options="-c search_path=activities") as owner:
        [(key,)] = owner.execute("select originator_id from events where organization_id = %s limit 1", (THEIRS,))

    async def load(key: UUID) -> list[Any]:
        async with writing(dsn) as transaction:
            log = Log(transaction, OURS)
            await log.take()
            return await (await log.load({key: None})).fetchall()

    assert asyncio.run(load(key)) == []


@pytest.mark.parametrize(
    "question",
    [
        "select search_expression('other', '{word}')",
        "select * from search_page('other', '{word}', 10)",
        "select * from search_matches('other', 'word', 'word', 10)",
        "select search_count('other', 'word')",
    ],
)
def test_search_looks_for_no_other_organisation_than_the_transactions(database: str, question: str) -> None:
    with psycopg.connect(conninfo(database, Role.READER), autocommit=True) as reader, reader.transaction():
        reader.execute("select begin_reading('mine', '{}')")
        with pytest.raises(InsufficientPrivilege, match="not of that organization"):
            reader.execute(question)
