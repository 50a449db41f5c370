"""Whoever follows the log reads what they asked for, no more and in order, and can open all of it."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from application.command import Actor, Answer, Order, Receipt
from application.desk import Desk
from application.event_store.keyring import RING, NotLearned
from application.event_store.mapper import decode, record_key
from application.event_store.reading import Row, after, commands, learn, streams
from application.postgres.connections import Role, conninfo, writer_of
from application.record.commands import PutRecord, put_record
from domain.record.drafts import ContactDraft
from domain.vocabulary import RecordKind

ACME, BOLT = "acme", "bolt"
PAT, KIM = record_key("contact", "pat"), record_key("contact", "kim")
FACTS = [("pat", "Pat"), ("kim", "Kim"), ("pat", "Patrick"), ("kim", "Kimberley"), ("pat", "P.")]
"""Of either organisation: whose name becomes what, at positions 1 to 5."""


@pytest.fixture(scope="module")
def dsn(module_database: str) -> str:
    asyncio.run(_fill(module_database))
    return module_database


async def _fill(dsn: str) -> None:
    for organization in (ACME, BOLT):
        await _put(dsn, organization, *FACTS)


async def _put(dsn: str, organization: str, *facts: tuple[str, str]) -> list[bytes]:
    """The versions the contacts have then."""
    versions = []
    async with Desk(writer_of(dsn)).opened() as desk:
        for place, (who, name) in enumerate(facts, start=1):
            command = PutRecord(
                organization_id=organization,
                actor=Actor(user_id="u-1"),
                kind=RecordKind.CONTACT,
                record_id=who,
                draft=ContactDraft(name=name),
                command_id=f"{organization}-{place}",
            )
            versions.append((await desk.serve(Order(command, put_record, _version))).body)
    return versions


def _version(receipt: Receipt) -> Answer:
    record = receipt.streams.record_at(receipt.subject)
    assert record is not None
    return Answer(200, str(record.version).encode())


@pytest.fixture
def connection(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """Of a process that has opened nothing yet."""
    RING._keys.clear()
    with psycopg.connect(conninfo(dsn, Role.PROJECTOR), autocommit=True) as connection:
        yield connection


def said(rows: list[Row]) -> list[tuple[int, UUID, int, str]]:
    return [(row.position, row.key, row.version, decode(row.topic, row.state).fields["name"]) for row in rows]


def test_a_stretch_of_the_log_is_read_in_order_and_open(connection: psycopg.Connection[Any]) -> None:
    assert said(after(connection, ACME, 1, 4)) == [
        (2, KIM, 1, "Kim"),
        (3, PAT, 2, "Patrick"),
        (4, KIM, 2, "Kimberley"),
    ]
    assert after(connection, ACME, 5, 9) == after(connection, "nobody", 0, 9) == []


def test_streams_are_read_whole_up_to_a_position_in_the_order_of_the_log(connection: psycopg.Connection[Any]) -> None:
    assert said(streams(connection, ACME, [PAT], 4)) == [(1, PAT, 1, "Pat"), (3, PAT, 2, "Patrick")]
    assert [row.position for row in streams(connection, BOLT, iter([KIM, PAT]), 9)] == [1, 2, 3, 4, 5]
    assert streams(connection, ACME, [], 9) == []


def test_when_it_was_recorded_is_read_with_it(connection: psycopg.Connection[Any]) -> None:
    times = [row.recorded_at for row in after(connection, ACME, 0, 5)]
    assert times == sorted(times)
    assert all(time.tzinfo is not None for time in times)


def test_a_desk_opens_what_another_process_has_sealed(dsn: str, connection: psycopg.Connection[Any]) -> None:
    """So it sees that the same is said again, which is no change, and records nothing."""
    recorded = after(connection, BOLT, 0, 9)
    RING._keys.clear()
    assert asyncio.run(_put(dsn, BOLT, ("kim", "Kimberley"))) == [b"2"]
    assert after(connection, BOLT, 0, 9) == recorded


def test_which_commands_led_to_a_stretch_can_be_told(connection: psycopg.Connection[Any]) -> None:
    assert sorted(commands(connection, ACME, 1, 4)) == ["acme-2", "acme-3", "acme-4"]
    assert commands(connection, BOLT, 4, 9) == ["bolt-5"]


def test_what_was_read_elsewhere_opens_once_its_keys_are_learned(connection: psycopg.Connection[Any]) -> None:
    rows = connection.execute("select topic, state from activities.events where organization_id = %s", (ACME,))
    stored = rows.fetchall()
    with pytest.raises(NotLearned):
        decode(*stored[0])
    learn(connection, ACME, (state for _, state in stored))
    assert sorted(decode(topic, state).fields["name"] for topic, state in stored) == sorted(name for _, name in FACTS)


def test_keys_of_another_organization_are_not_learned(connection: psycopg.Connection[Any]) -> None:
    [(topic, state)] = connection.execute(
        "select topic, state from activities.events where organization_id = %s and position = 1", (BOLT,)
    ).fetchall()
    learn(connection, ACME, [state])
    with pytest.raises(NotLearned):
        decode(topic, state)
