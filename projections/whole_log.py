"""An organisation's log folded from its beginning, stream by stream, for whoever makes something anew from it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from application.event_store.keyring import NotLearned
from application.event_store.mapper import EVENTS, State, advance, decode
from application.event_store.reading import learn
from domain.activity.activity import Activity
from domain.activity.events import Fact
from domain.record.events import RecordFact
from projections.folding import Step

MOST_STREAMS = 2000
MOST_EVENTS = 10_000

_LOG = """
select originator_id, originator_version, topic, state, position
  from events
 where organization_id = %s and position <= %s and topic = any(%s) and get_byte(uuid_send(originator_id), 15) %% %s = %s
 order by originator_id, originator_version
"""
_PARKED = "select originator_id, position from parked where organization_id = %s"


class Part(NamedTuple):
    """The streams of a log that fall to one of several who share it: the parts are alike in size."""

    number: int
    of: int


WHOLE = Part(0, 1)


@dataclass(slots=True)
class Folded:
    """Whole streams: the states they lead to, by which steps, and how many events that took."""

    states: dict[UUID, State] = field(default_factory=dict)
    steps: dict[UUID, list[Step]] = field(default_factory=dict)
    events: int = 0


def folded(
    connection: Connection[Any], organization_id: str, upto: int, kinds: Iterable[type[Any]], part: Part = WHOLE
) -> Iterator[Folded]:
    """The streams of these kinds as of a position, a stretch at a time. In a transaction: there is a cursor.

    A stream that is parked is folded up to the event it waits for, as the projector wrote it.
    """
    so_far = Folded()
    parked = dict(connection.execute(_PARKED, (organization_id,)).fetchall())
    with connection.cursor(name="log", binary=True) as cursor:
        cursor.execute(_LOG, (organization_id, upto, _topics(kinds), part.of, part.number))
        for key, rows in groupby(_read(connection, cursor, organization_id), key=lambda row: row[0]):
            _fold(so_far, key, rows, parked.get(key))
            if len(so_far.states) >= MOST_STREAMS or so_far.events >= MOST_EVENTS:
                yield so_far
                so_far = Folded()
    yield so_far


def _topics(kinds: Iterable[type[Any]]) -> list[str]:
    facts = tuple({Fact if kind is Activity else RecordFact for kind in kinds})
    return [topic for topic, event in EVENTS.items() if issubclass(event, facts)]


def _read(connection: Connection[Any], cursor: Any, organization_id: str) -> Iterator[tuple[Any, ...]]:
    """The rows of the cursor, with the keys that open them."""
    while rows := cursor.fetchmany(MOST_STREAMS):
        learn(connection, organization_id, (row[3] for row in rows))
        yield from rows


def _fold(so_far: Folded, key: UUID, rows: Iterator[tuple[Any, ...]], waits_for: int | None) -> None:
    state: State | None = None
    steps: list[Step] = []
    for _, version, topic, stored, position in rows:
        so_far.events += 1
        if waits_for is not None and position >= waits_for:
            continue
        try:
            before, state = state, advance(state, decode(topic, stored, (key, version)), position)
        except NotLearned:  # no fault of the stream's
            raise
        except Exception:  # noqa: BLE001  whatever it is: there is no row to expect, and a table that has one differs
            so_far.events += sum(1 for _ in rows)
            return
        steps.append(Step(before, state, topic, position))
    if state is not None:
        so_far.states[key], so_far.steps[key] = state, steps
