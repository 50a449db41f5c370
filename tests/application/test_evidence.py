"""What a log shows against itself, row by row: holes, time that runs backwards, content behind a redaction."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from application.event_store.evidence import CHUNK, Exhibit, Fault, chunks, exhibits, out_of_order, recorded_at
from application.postgres.migrations import SCHEMA
from application.proof.leaf import Leaves, instant

ACME = "acme"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STREAM = UUID(int=7)
METADATA = {"actor": "u-1", "command_id": "c-1"}


def exhibit(position: int, minutes: int = 0, state: bytes = b"{}", redacted: bytes | None = None) -> Exhibit:
    at = NOON + timedelta(minutes=minutes)
    return Exhibit(position, STREAM, position, "said", at, METADATA, state, redacted)


def test_rows_without_a_hole_in_the_order_they_were_recorded_are_in_order() -> None:
    assert out_of_order([exhibit(4), exhibit(5), exhibit(6, minutes=1)], 3, 6, NOON) is None
    assert out_of_order([exhibit(1)], 0, 1, None) is None
    assert out_of_order([], 3, 3, NOON) is None


@pytest.mark.parametrize(
    ("places", "missing"), [((5, 6), 4), ((4, 6), 5), ((4, 5), 6), ((), 4), ((4, 4, 5), 5), ((4, 5, 6, 7), 8)]
)
def test_the_first_hole_is_found(places: tuple[int, ...], missing: int) -> None:
    assert out_of_order([exhibit(place) for place in places], 3, 6, NOON) == Fault(missing, "is missing")
    assert str(Fault(missing, "is missing")) == f"event {missing} is missing"


def test_time_that_runs_backwards_is_found_from_the_first_row_on() -> None:
    fault = "was recorded before the one before it"
    later = NOON + timedelta(microseconds=1)
    assert out_of_order([exhibit(4), exhibit(5)], 3, 5, later) == Fault(4, fault)
    assert out_of_order([exhibit(4, 2), exhibit(5, 1), exhibit(6, 0)], 3, 6, NOON) == Fault(5, fault)
    assert out_of_order([exhibit(1, 1), exhibit(2, 0)], 0, 2, None) == Fault(2, fault)


def test_a_redaction_hides_nothing() -> None:
    hidden = Fault(4, "is said to be redacted, and is not blank")
    assert out_of_order([exhibit(4, state=b"", redacted=b"l" * 32)], 3, 4, NOON) is None
    assert out_of_order([exhibit(4, state=b"{}", redacted=b"l" * 32)], 3, 4, NOON) == hidden
    assert out_of_order([exhibit(4, state=b"", redacted=b"l" * 31)], 3, 4, NOON) == hidden


def test_a_stretch_is_read_in_pieces_that_end_where_tiles_do() -> None:
    assert list(chunks(0, 10, 4)) == [(0, 4), (4, 8), (8, 10)]
    assert list(chunks(3, 8, 4)) == [(3, 4), (4, 8)]
    assert list(chunks(5, 7, 4)) == [(5, 7)]
    assert list(chunks(4, 4, 4)) == []
    assert list(chunks(1, 2 * CHUNK)) == [(1, CHUNK), (CHUNK, 2 * CHUNK)]


@pytest.fixture
def owner(module_database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(module_database, options=f"-c search_path={SCHEMA}") as connection:
        yield connection
        connection.rollback()


def test_the_stored_rows_of_a_stretch_are_read_whole_and_redacted_ones_with_the_leaf_they_had(
    owner: psycopg.Connection[Any],
) -> None:
    streams = [uuid4() for _ in range(4)]
    for organization in (ACME, "bolt"):
        for minutes, stream in enumerate(streams):
            owner.execute(
                "select append_events(%s, %s, array[%s], array[1], array['said'], array['{}'::bytea],"
                """ array['{"actor": "u-1"}'::jsonb])""",
                (organization, NOON + timedelta(minutes=minutes), stream),
            )
    leaf = b"l" * 32
    owner.execute("update events set state = '' where organization_id = %s and position = 3", (ACME,))
    owner.execute(
        "insert into redactions (organization_id, position, leaf, reason) values (%s, 3, %s, '-')", (ACME, leaf)
    )

    second, third = exhibits(owner, ACME, 1, 3)
    at = NOON + timedelta(minutes=1)
    assert second == Exhibit(2, streams[1], 1, "said", at, {"actor": "u-1"}, b"{}", None)
    assert (third.position, third.state, third.redacted) == (3, b"", leaf)
    leaves = Leaves(ACME)
    assert second.leaf(leaves) == leaves.of(2, streams[1], 1, "said", instant(at), {"actor": "u-1"}, b"{}")
    assert third.leaf(leaves) == leaf
    assert recorded_at(owner, ACME, 2) == at
    assert recorded_at(owner, ACME, 5) is None
