"""The quick way into our log: the domain decides, the log's own function appends, a thousand activities at a time."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb
from ulid import ULID

from application.event_store.mapper import Event, encode, record_key
from benchmarks.data.sample import Sample, Sampled
from domain.activity.creation import create
from domain.activity.drafts import NewActivity
from domain.record.decisions import create_record
from domain.record.drafts import DRAFTS
from domain.vocabulary import Status

AT_ONCE = 1000
_APPEND = """
select activities.append_events(
           o.id, greatest(%s, (select recorded_at from activities.heads where organization_id = o.id)),
           %s, %s, %s, %s, %s)
  from (select %s::text as id) o
"""
"""Time never runs backwards in a log: the signer would not sign it."""
_ACTOR = "user-1"

T = TypeVar("T")
Facts = tuple[UUID, int, Sequence[Event]]


def append_records(connection: Connection[Any], sample: Sample) -> None:
    for some in chunks(sample.records()):
        facts: list[Facts] = []
        for kind, id_, fields in some:
            draft = DRAFTS[kind].model_validate(fields)
            facts.append((record_key(kind, id_), 1, create_record(draft, id=id_, kind=kind, now=sample.begun)))
        append(connection, sample.organization, sample.begun, facts)


def append_activities(connection: Connection[Any], organization: str, activities: Iterable[Sampled]) -> None:
    for some in chunks(activities):
        append(connection, organization, some[-1].at, [(one.key, 1, facts_of(one)) for one in some])


def facts_of(sampled: Sampled) -> Sequence[Event]:
    """What the domain makes of an activity that was said, and of what it came to."""
    cancelled = sampled.status is Status.CANCELLED
    status = Status.PENDING if cancelled else sampled.status
    new = NewActivity.model_validate(sampled.said | {"status": status})
    id_ = str(ULID.from_uuid(sampled.key))
    return create(new, id=id_, actor=_ACTOR, currency="USD", now=sampled.at, cancelled=cancelled)


def append(connection: Connection[Any], organization: str, at: datetime, streams: Iterable[Facts]) -> None:
    """Append facts of several streams, each with the version its first fact gets; not before what is there already."""
    rows = [
        (key, version, event.name, encode(event))
        for key, first, events in streams
        for version, event in enumerate(events, start=first)
    ]
    keys, versions, names, states = (list(column) for column in zip(*rows, strict=True))
    metadata = [Jsonb({"actor": _ACTOR, "command_id": str(ULID())})] * len(rows)
    connection.execute(_APPEND, (at, keys, versions, names, states, metadata, organization))


def chunks(items: Iterable[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
