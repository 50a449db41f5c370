"""What a state means for search: its words while it is there, none once it is deleted."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from psycopg import Connection

from application.event_store.mapper import State
from domain.activity.activity import Activity
from projections.activity_search.words import vector, words_of
from projections.table import Table

name = "activity_search"

TABLE = Table("activity_search", "activity_id", ("organization_id", "activity_id", "words"))

_LEARN = """
insert into search_words (organization_id, word)
select %s, word from unnest(%s::text[]) as word
on conflict do nothing
"""


def row(organization_id: str, key: UUID, activity: Activity) -> dict[str, Any] | None:
    if activity.deleted_at is not None:
        return None
    words = vector(activity.subject, activity.description)
    return {"organization_id": organization_id, "activity_id": key, "words": words}


def write(connection: Connection[Any], organization_id: str, states: Mapping[UUID, State]) -> None:
    activities = {key: state for key, state in states.items() if isinstance(state, Activity)}
    rows = {key: row(organization_id, key, activity) for key, activity in activities.items()}
    TABLE.replace(connection, organization_id, rows)
    if words := {w for a in activities.values() for w in words_of(f"{a.subject} {a.description or ''}")}:
        connection.execute(_LEARN, (organization_id, sorted(words)))
