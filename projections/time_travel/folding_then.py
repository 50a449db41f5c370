"""Streams folded as far as a moment, a chunk at a time."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from psycopg import Connection

from application.event_store.mapper import EVENTS, State, advance, decode
from application.event_store.reading import learn
from application.history.moments import happened_at, happened_by
from domain.activity.events import Fact
from domain.record.events import RecordFact
from projections.time_travel.past import Past

CHUNK = 2000

_FACTS = """
select originator_id, topic, state, position, recorded_at
  from events
 where organization_id = %s and originator_id = any(%s) and position <= %s and topic = any(%s)
 order by originator_id, originator_version
"""
_TOPICS = [topic for topic, event in EVENTS.items() if issubclass(event, Fact | RecordFact)]

Row = tuple[Any, ...]


def states_then(
    connection: Connection[Any], organization_id: str, keys: Sequence[UUID], past: Past
) -> Iterator[dict[UUID, State]]:
    """The states of those that were there."""
    for start in range(0, len(keys), CHUNK):
        wanted = (organization_id, list(keys[start : start + CHUNK]), past.upto, _TOPICS)
        rows = connection.execute(_FACTS, wanted).fetchall()
        learn(connection, organization_id, (row[2] for row in rows))
        told = ((key, _state(list(facts), past)) for key, facts in groupby(rows, key=lambda row: row[0]))
        yield {key: state for key, state in told if state is not None}


def _state(rows: Sequence[Row], past: Past) -> State | None:
    """As far as it can be folded: so far the projector went, too, before it parked the stream."""
    state: State | None = None
    for event, position in _counting(list(_decoded(rows)), past):
        try:
            state = advance(state, event, position)
        except Exception:  # noqa: BLE001  whatever it is, the stream stands where it stood before
            break
    return state


def _decoded(rows: Iterable[Row]) -> Iterator[tuple[Any, int, Any]]:
    for _, topic, stored, position, recorded_at in rows:
        try:
            event = decode(topic, stored)
        except Exception:  # noqa: BLE001  as above
            return
        yield event, position, recorded_at


def _counting(facts: Sequence[tuple[Any, int, Any]], past: Past) -> Iterator[tuple[Any, int]]:
    """The facts that count. Of related records what was known counts, whatever the activities' clock is."""
    if past.happened is None or not facts or not isinstance(facts[0][0], Fact):
        return ((event, position) for event, position, _ in facts)
    happened = happened_by([happened_at(event, recorded) for event, _, recorded in facts], past.happened)
    return ((event, position) for (event, position, _), counts in zip(facts, happened, strict=True) if counts)
