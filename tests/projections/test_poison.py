"""Whatever is wrong with an event, it parks its own stream: the projector goes on, and so do all others."""

import json
from typing import Any
from uuid import UUID

import pytest
from test_projector import NOON, Log, an_id, caught_up, created, projecting

from application.event_store.mapper import activity_key, encode, record_key
from domain.activity.events import Started
from domain.record.events import RecordCreated
from domain.vocabulary import RecordKind

BAD = activity_key(an_id(2))
BAD_RECORD = record_key(RecordKind.OPPORTUNITY, "o-2")


@pytest.fixture
def log(database: str) -> Log:
    return Log(database)


def said(**fields: Any) -> bytes:
    """A creation with other fields than the domain would let in."""
    return json.dumps({**json.loads(encode(created(2))), **fields}).encode()


def record(**fields: Any) -> bytes:
    return encode(RecordCreated(at=NOON, id="o-2", kind=RecordKind.OPPORTUNITY, fields=fields))


POISON: dict[str, tuple[UUID, str, bytes]] = {
    "a name this version does not know": (BAD, "activity.exploded.v9", b"{}"),
    "half a fact": (BAD, "activity.created.v1", said()[:-20]),
    "bytes": (BAD, "activity.created.v1", b"\xff\x00"),
    "a fact with a field missing": (BAD, "activity.created.v1", b'{"at":"2026-01-01T12:00:00Z"}'),
    "a word that is none": (BAD, "activity.created.v1", said(priority="highest")),
    "a date that is none": (BAD, "activity.created.v1", said(due_at="2026-02-30T00:00:00Z")),
    "a lone surrogate": (BAD, "activity.created.v1", said(subject="HERE").replace(b"HERE", b"\\ud800")),
    "a change to what was never created": (BAD, "activity.started.v1", encode(Started(at=NOON))),
    "a NUL in a text": (BAD, "activity.created.v1", said(subject="a\x00b")),
    "a NUL in a tag": (BAD, "activity.created.v1", said(tags=["\x00"])),
    "a number no column holds": (BAD, "activity.created.v1", said(duration_minutes=2**40)),
    "an amount no column holds": (BAD, "activity.created.v1", said(billable_rate="1e15")),
    "a reference to no activity": (BAD, "activity.created.v1", said(follow_up_of_id="no ULID")),
    "a record without a name": (BAD_RECORD, "record.created.v1", record(value="1.00")),
    "a record with a value that is none": (BAD_RECORD, "record.created.v1", record(name="x", value="much")),
    "a record of an account that is none": (BAD_RECORD, "record.created.v1", record(name="x", account_id=5)),
}


@pytest.mark.parametrize("kind", POISON)
def test_it_parks_its_own_stream_and_no_other(log: Log, kind: str) -> None:
    key, topic, state = POISON[kind]
    log.append(created(1))
    log.append_raw([(key, 1, topic, state)])
    log.append(created(3))
    with projecting(log):
        caught_up(log)
        later = Started(at=NOON)
        log.append_raw([(key, 2, later.name, encode(later))])
        log.append(created(4))
        caught_up(log)

    assert log.subjects() == ["Call 1", "Call 3", "Call 4"]
    [(parked, position, parked_topic, reason)] = log.ask("select originator_id, position, topic, reason from parked")
    assert (parked, position, parked_topic) == (key, 2, topic)
    assert reason
    assert log.ask("select record_key from directory") == []
