"""What is there in the end: the log of an organisation, and whether the read tables are its fold."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from application.event_store.mapper import advance, decode
from application.event_store.reading import learn
from domain.activity.activity import Activity
from projections.read_models import READ_MODELS
from projections.verify import verify

_LOG = """
select originator_id, originator_version, topic, state, position, recorded_at
  from activities.events where organization_id = %s order by position
"""


@dataclass(frozen=True, slots=True)
class Fact:
    """A row of the log. `said` is every text in the event; `subject` is the activity's after it."""

    stream: str
    version: int
    position: int
    recorded_at: datetime
    said: frozenset[str]
    subject: str
    of_activity: bool


def log_of(dsn: str, organization: str) -> list[Fact]:
    """The organisation's log in order, folded on the way."""
    states: dict[Any, Any] = {}
    facts: list[Fact] = []
    with psycopg.connect(dsn, autocommit=True, options="-c search_path=activities") as connection:
        rows = connection.execute(_LOG, (organization,)).fetchall()
        learn(connection, organization, (row[3] for row in rows))
        for key, version, topic, state, position, recorded_at in rows:
            event = decode(topic, state, (key, version))
            after = states[key] = advance(states.get(key), event, position)
            activity = isinstance(after, Activity)
            subject, stream = (after.subject, after.id) if activity else ("", str(key))
            said = frozenset(
                text for text in event.model_dump(mode="json", exclude_unset=True).values() if isinstance(text, str)
            )
            facts.append(Fact(stream, version, position, recorded_at, said, subject, activity))
    return facts


def drift_of(dsn: str) -> list[str]:
    """Each row of a read table, and each kept count, that is not what the log says."""
    return list(_drift(dsn))


def _drift(dsn: str) -> Iterator[str]:
    for verdict in verify(dsn, READ_MODELS.values(), lambda events: None):
        for row in verdict.drift:
            yield f"{verdict.read_model}: {row.key} is {row.how}"
        if verdict.wrong_counts:
            yield f"{verdict.read_model}: {verdict.wrong_counts} kept counts are wrong"
